"""Claims and deposits for the commands ``show`` and ``do``."""

from typing import Any

from django.utils.translation import gettext as _

from cases.flow.door import Actor, NotPermitted, Refused, perform
from cases.management.base import check_shop
from cases.management.objects import Kind, OrderAct, Request, inputs_of, unknown_verb
from cases.models import Shop
from cases.showing import ONLOOKER
from promises import verbs
from promises.forms import CLAIM_FORMS, DEPOSIT_FORMS, FileClaimForm
from promises.models import Claim, Deposit
from promises.showing import claim_as_dict, deposit_as_dict


def _claim_numbered(number: str, actor: Actor) -> Claim:
    claims = Claim.objects.select_related("shop", "order", "order_line", "case")
    claim: Claim | None = claims.filter(claim_no=number).first()
    if claim is None:
        raise Refused(_("There is no claim %(no)s.") % {"no": number}, "unknown")
    check_shop(actor, claim.shop_id, claim.shop.code)
    return claim


def _deposit_of(code: str, actor: Actor) -> Deposit:
    """The deposit of a shop; one that nobody has put money into yet is empty."""
    shop = Shop.objects.filter(code=code).first()
    if shop is None:
        raise Refused(
            _("There is no deposit: no shop has the code %(code)s.") % {"code": code}, "unknown"
        )
    check_shop(actor, shop.pk, shop.code)
    found = Deposit.objects.select_related("shop").filter(shop=shop).first()
    return found or Deposit(shop=shop)


def _check_view(actor: Actor, model: str) -> None:
    if actor.user is not None and not actor.user.has_perm(f"promises.view_{model}"):
        raise NotPermitted(f"{actor}: view_{model}")


def _show_claim(claim: Claim, actor: Actor) -> dict[str, Any]:
    _check_view(actor, "claim")
    return claim_as_dict(claim, actor if actor.user else ONLOOKER)


def _show_deposit(deposit: Deposit, actor: Actor) -> dict[str, Any]:
    _check_view(actor, "deposit")
    return deposit_as_dict(deposit)


def _act_on_claim(request: Request) -> dict[str, Any]:
    claim, actor, verb = request.subject, request.actor, request.verb
    form_class = CLAIM_FORMS.get(verb)
    if form_class is None:
        raise unknown_verb(verb, CLAIM_FORMS)
    request.check_time_is_up()
    inputs = inputs_of(form_class(request.given, claim=claim, actor=actor), request.given)
    perform(actor, claim, getattr(Claim, verb), at=request.at, key=request.key, **inputs)
    fresh = _claim_numbered(claim.claim_no, actor)
    return claim_as_dict(fresh, actor if actor.user else ONLOOKER)


def _act_on_deposit(request: Request) -> dict[str, Any]:
    shop, actor, verb = request.subject.shop, request.actor, request.verb
    form_class = DEPOSIT_FORMS.get(verb)
    if form_class is None:
        raise unknown_verb(verb, DEPOSIT_FORMS)
    inputs = inputs_of(form_class(request.given), request.given)
    if verb == "require":
        verbs.require(actor, shop, **inputs)
    else:
        act = verbs.top_up if verb == "top_up" else verbs.withdraw
        act(actor, shop, at=request.at, key=request.key, **inputs)
    return deposit_as_dict(_deposit_of(shop.code, actor))


def _file(request: Request) -> dict[str, Any]:
    form = FileClaimForm(request.given, order=request.subject, actor=request.actor)
    inputs = inputs_of(form, request.given)
    filed = verbs.file_claim(
        request.actor, request.subject, at=request.at, key=request.key, **inputs
    )
    actor = request.actor
    claim = _claim_numbered(filed.claim_no, actor)
    return claim_as_dict(claim, actor if actor.user else ONLOOKER)


CLAIM = Kind(_claim_numbered, _show_claim, _act_on_claim)
DEPOSIT = Kind(_deposit_of, _show_deposit, _act_on_deposit)
FILE_CLAIM = OrderAct(_file)
