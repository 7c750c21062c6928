"""What promises show on the pages of a case, an order and a shop: claims on offer, arrears."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from cases import panels
from cases.admin.scope import sees_money
from cases.looks import countdown, moment, now_of, yuan_text
from cases.models import Case, Order, Shop
from cases.models.kinds import TERMINAL
from cases.panels import Panel
from promises.admin.claims import rows_of_working, state_of
from promises.breaches.judging import PROMISES
from promises.duties import arrears_of
from promises.facts import Carried
from promises.offers import Offer, offers_on
from promises.terms import Code

NAMES = dict(Code.choices)


def of_case(request: HttpRequest, case: Case) -> list[Panel]:
    """The claim that the case's reason leads to, and what the shop owes."""
    found = _arrears(request, case.shop, case.order)
    offers = []
    if case.state not in TERMINAL and case.reason.promise and _may_file(request):
        numbers = case.lines.values_list("order_line__line_no", flat=True)
        wanted = [case.reason.promise]
        offers = offers_on(case.order, now_of(request), promises=wanted, lines=numbers)
    return [*found, *_offers(request, case.order, offers), *_claims(request, case.order)]


def of_order(request: HttpRequest, order: Order) -> list[Panel]:
    """The promises of the order that the clock has broken, its claims, what the shop owes."""
    found = _arrears(request, order.shop, order)
    offers = []
    if _may_file(request):
        offers = offers_on(order, now_of(request), promises=PROMISES)
    return [*found, *_offers(request, order, offers), *_claims(request, order)]


def of_shop(request: HttpRequest, shop: Shop) -> list[Panel]:
    return _arrears(request, shop)


def _may_file(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("promises.file_claim")) and sees_money(request.user)


def _offers(request: HttpRequest, order: Order, offers: list[Offer]) -> list[Panel]:
    if not offers:
        return []
    rows = [_row(request, order, offer) for offer in offers]
    return [Panel("promises/offers.html", {"offers": rows})]


def _row(request: HttpRequest, order: Order, offer: Offer) -> dict[str, Any]:
    asked = {
        "order_no": order.order_no,
        "promise": str(offer.promise),
        "line": offer.line.line_no,
    }
    return {
        "promise": NAMES[offer.promise],
        "line": offer.line,
        "amount": yuan_text(offer.amount) if offer.amount is not None else "",
        "working": rows_of_working(offer.working) if offer.working else [],
        "until": countdown(offer.until, now_of(request)) if offer.until else "",
        "url": f"{reverse('admin:promises_claim_add')}?{urlencode(asked)}",
    }


def _claims(request: HttpRequest, order: Order) -> list[Panel]:
    if not request.user.has_perm("promises.view_claim"):
        return []
    rows = order.claims.select_related("order_line").order_by("pk")
    found = [(claim, state_of(claim), yuan_text(claim.amount)) for claim in rows]
    return [Panel("promises/claims_of_order.html", {"claims": found})] if found else []


def _arrears(request: HttpRequest, shop: Shop, order: Order | None = None) -> list[Panel]:
    arrears = arrears_of(shop.pk)
    facts: dict[str, Any] = {}
    if arrears is not None:
        link = arrears.deposit_id if request.user.has_perm("promises.view_deposit") else None
        facts = {
            "state": str(arrears.state),
            "shop": shop,
            "lacking": yuan_text(arrears.lacking) if sees_money(request.user) else "",
            "since": moment(arrears.since),
            "next_at": moment(arrears.next_at) if arrears.next_at else "",
            "deposit_id": link,
        }
    if order is not None and Carried.of_suspensions(shop.pk).is_suspended(order):
        facts["carries_none"] = True
    return [Panel("promises/arrears.html", facts, on_top=True)] if facts else []


for _registered, _show in (
    (panels.OF_CASE, of_case),
    (panels.OF_ORDER, of_order),
    (panels.OF_SHOP, of_shop),
):
    _registered.append(_show)  # type: ignore[attr-defined]
