"""What promises show on the pages of a case, an order and a shop: claims on offer, arrears."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from cases import panels
from cases.admin.scope import sees_money
from cases.looks import countdown, moment, now_of, yuan_text
from cases.models import Case, Order, OrderLine, Shop
from cases.models.kinds import TERMINAL
from cases.panels import Panel
from promises.admin.claims import rows_of_working, state_of
from promises.breaches.judging import PROMISES
from promises.duties import arrears_of, duties_of, was_suspended_at
from promises.models import Claim, TopUpDuty
from promises.offers import Known, Offer, offers_on, promise_of
from promises.terms import Code

NAMES = dict(Code.choices)


def of_case(request: HttpRequest, case: Case) -> list[Panel]:
    """The claim that the case's reason leads to, the order's claims, and what the shop owes."""
    promise = promise_of(case.reason) if case.state not in TERMINAL else ""
    lines = case.order.lines.filter(case_lines__case=case)
    return _panels(request, case.order, [promise] if promise else [], lines)


def of_order(request: HttpRequest, order: Order) -> list[Panel]:
    """The promises of the order that the clock has broken, its claims, what the shop owes."""
    return _panels(request, order, PROMISES, order.lines.all())


def of_shop(request: HttpRequest, shop: Shop) -> list[Panel]:
    return _arrears(request, shop, duties_of(shop.pk))


def _panels(
    request: HttpRequest, order: Order, promises: Iterable[str], lines: QuerySet[OrderLine]
) -> list[Panel]:
    known, offers = Known.of(order), []
    if _may_file(request):
        now = now_of(request)
        offers = offers_on(order, now, promises=promises, lines=lines, known=known)
    return [
        *_arrears(request, order.shop, known.duties, order),
        *_offers(request, order, offers),
        *_claims(request, known.claims),
    ]


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


def _claims(request: HttpRequest, claims: list[Claim]) -> list[Panel]:
    if not claims or not request.user.has_perm("promises.view_claim"):
        return []
    found = [(claim, state_of(claim), yuan_text(claim.amount)) for claim in claims]
    return [Panel("promises/claims_of_order.html", {"claims": found})]


def _arrears(
    request: HttpRequest, shop: Shop, duties: list[TopUpDuty], order: Order | None = None
) -> list[Panel]:
    arrears = arrears_of(shop.pk, duties)
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
    if order is not None and order.paid_at and was_suspended_at(duties, order.paid_at):
        facts["carries_none"] = True
    return [Panel("promises/arrears.html", facts, on_top=True)] if facts else []


panels.OF_CASE.append(of_case)
panels.OF_ORDER.append(of_order)
panels.OF_SHOP.append(of_shop)
