"""Invoices at the command line: what ``show`` and ``do`` answer (contract.md)."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from cases.flow.door import Actor, NotPermitted, Refused, perform
from cases.management.base import check_shop
from cases.management.objects import Kind, OrderAct, Request, inputs_of, unknown_verb
from cases.models.shops import shop_ids_of
from invoices import verbs
from invoices.forms import INVOICE_FORMS, IssueForm
from invoices.models import Invoice, InvoiceAct, RedRequest
from invoices.showing import invoice_as_dict

Verb = InvoiceAct.Verb


def find(number: str, actor: Actor) -> Invoice:
    """By number, or CODE-NUMBER where two codes share one; a blue one before a red one."""
    code, dash, rest = number.rpartition("-")
    rows = Invoice.objects.select_related("shop", "order", "blue")
    found = list(rows.filter(number=number))
    if not found and dash:
        found = list(rows.filter(code=code, number=rest))
    if not found:
        raise Refused(_("There is no invoice %(no)s.") % {"no": number}, "unknown")
    ids = shop_ids_of(actor.user) if actor.user else None
    mine = [i for i in found if ids is None or i.shop_id in ids] or found
    blue = [i for i in mine if i.is_blue] or mine
    if len(blue) > 1:
        known = ", ".join(f"{i.code}-{i.number}" for i in blue)
        raise Refused(
            _("Several invoices have the number %(no)s. Write one of: %(known)s.")
            % {"no": number, "known": known},
            "bad_value",
        )
    check_shop(actor, blue[0].shop_id, blue[0].shop.code)
    return blue[0]


def _show(invoice: Invoice, actor: Actor) -> dict[str, Any]:
    if actor.user is not None and not actor.user.has_perm("invoices.view_invoice"):
        raise NotPermitted(f"{actor}: view_invoice")
    return invoice_as_dict(invoice, actor)


def _request_red(request: Request, inputs: dict[str, Any]) -> None:
    verbs.request_red(request.actor, request.subject, at=request.at, key=request.key, **inputs)


def _record_red(request: Request, inputs: dict[str, Any]) -> None:
    verbs.record_red(request.actor, request.subject, at=request.at, key=request.key, **inputs)


def _answer(request: Request, inputs: dict[str, Any]) -> None:
    verbs.answer(request.actor, request.subject, at=request.at, key=request.key, **inputs)


def _settle(request: Request, inputs: dict[str, Any]) -> None:
    row = verbs.request_for(request.subject)
    step = RedRequest.settle_review
    perform(request.actor, row, step, at=request.at, key=request.key, **inputs)


def _reissue(request: Request, inputs: dict[str, Any]) -> None:
    treatment = verbs.open_reissue(invoice=request.subject)
    if treatment is None:
        raise Refused(
            _("Nothing of invoice %(no)s is to be issued anew.") % {"no": request.subject},
            "wrong_state",
        )
    verbs.reissue(request.actor, treatment, at=request.at, key=request.key, **inputs)


def _void(request: Request, inputs: dict[str, Any]) -> None:
    verbs.void(request.actor, request.subject, at=request.at, **inputs)


def _mark(verb: str) -> Callable[[Request, dict[str, Any]], None]:
    def act(request: Request, inputs: dict[str, Any]) -> None:
        verbs.mark(request.actor, request.subject, verb, **inputs)

    return act


#: What can be done to an invoice; other modules (custody, endorsements) add theirs.
ACTS: dict[str, Callable[[Request, dict[str, Any]], None]] = {
    "request_red": _request_red,
    "record_red": _record_red,
    "confirm_red": _answer,
    "settle_review": _settle,
    "reissue": _reissue,
    "void": _void,
    "mark_used": _mark(Verb.USE),
    "mark_unused": _mark(Verb.UNUSE),
    "mark_booked": _mark(Verb.BOOK),
}


def _act(request: Request) -> dict[str, Any]:
    form_class = INVOICE_FORMS.get(request.verb)
    if form_class is None:
        raise unknown_verb(request.verb, INVOICE_FORMS)
    form = form_class(request.given, invoice=request.subject, actor=request.actor)
    ACTS[request.verb](request, inputs_of(form, request.given))
    fresh = Invoice.objects.select_related("shop", "order", "blue").get(pk=request.subject.pk)
    return invoice_as_dict(fresh, request.actor)


def _issue(request: Request) -> dict[str, Any]:
    form = IssueForm(request.given, order=request.subject, actor=request.actor)
    inputs = inputs_of(form, request.given)
    made = verbs.issue(request.actor, request.subject, at=request.at, key=request.key, **inputs)
    fresh = Invoice.objects.select_related("shop", "order", "blue").get(pk=made.pk)
    return invoice_as_dict(fresh, request.actor)


INVOICE = Kind(find, _show, _act)
ISSUE = OrderAct(_issue)
