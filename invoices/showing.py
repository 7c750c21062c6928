"""An invoice as plain data for ``manage.py show``, and what an order and a case tell of it."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from cases.flow.door import Actor
from cases.models import Case, Order, State
from cases.models.kinds import MONEY_REMEDIES
from cases.models.money import ZERO
from cases.privacy import mask_name
from cases.showing import ONLOOKER, actor_of, moment, money
from invoices import ledger
from invoices.models import (
    Balance,
    Direction,
    Invoice,
    RedRequest,
    Standing,
    Treatment,
    TreatmentKind,
    TreatmentState,
)
from invoices.models.quantity import shown

#: What other modules tell of an invoice, by the name it is shown under (custody, endorsements).
PARTS_OF_INVOICE: dict[str, Callable[[Invoice], Any]] = {}


def invoice_as_dict(invoice: Invoice, actor: Actor = ONLOOKER) -> dict[str, Any]:
    """Lines are netted with their discounts, as they are reversed; red figures are negative."""
    zone = ZoneInfo(invoice.shop.zone)
    book = ledger.look([invoice.pk])
    standing = book.standings.get(invoice.pk)
    reds = invoice.reds.order_by("issued_at", "pk")
    return {
        "number": invoice.number,
        "code": invoice.code,
        "direction": invoice.direction,
        "kind": invoice.kind,
        "state": standing.state if standing else Direction.RED,
        "shop": invoice.shop.code,
        "order_no": invoice.order.order_no if invoice.order else None,
        "issued_at": moment(invoice.issued_at, zone),
        "currency": invoice.currency,
        "seller_name": invoice.seller_name,
        "seller_tax_no": invoice.seller_tax_no,
        "buyer_name": buyer_of(invoice),
        "buyer_tax_no": invoice.buyer_tax_no,
        "buyer_used": standing.buyer_used if standing else None,
        "booked": standing.booked if standing else None,
        "voided_at": moment(standing.voided_at, zone) if standing else None,
        "amount": money(invoice.amount),
        "tax": money(invoice.tax),
        "total": money(invoice.gross),
        "reversed": money(standing.reversed_gross if standing else ZERO),
        "left": money(_left(standing)),
        "blue_number": invoice.blue.number if invoice.blue else None,
        "warnings": invoice.warnings,
        "lines": [_line(b) for b in book.of(invoice.pk)] or _red_lines(invoice),
        "reds": [_red(red, zone) for red in reds.prefetch_related("lines__blue_line")],
        "requests": [_request(r, zone) for r in _requests(invoice)],
        "treatments": [treatment_as_dict(t, zone) for t in invoice.treatments.order_by("pk")],
        "endorsements": [],
        "holder": None,
        "custody": [],
        **{name: part(invoice) for name, part in PARTS_OF_INVOICE.items()},
    }


def buyer_of(invoice: Invoice) -> str:
    """A company's name is public; a person's is not."""
    return invoice.buyer_name if invoice.buyer_tax_no else mask_name(invoice.buyer_name)


def _left(standing: Standing | None) -> Decimal:
    if standing is None or standing.voided_at is not None:
        return ZERO
    left: Decimal = standing.gross - standing.reversed_gross - standing.reserved_gross
    return left


def _line(balance: Balance) -> dict[str, Any]:
    line, left = balance.line, ledger.left(balance)
    return {
        "line_no": line.line_no,
        "nature": line.nature,
        "title": line.title,
        "item_code": line.item_code,
        "quantity": shown(balance.quantity),
        "tax_rate": line.tax_rate,
        "gross": money(balance.gross),
        "tax": money(balance.tax),
        "net": money(balance.gross - balance.tax),
        "reversed_quantity": shown(balance.reversed_quantity),
        "reversed_gross": money(balance.reversed_gross),
        "reversed_tax": money(balance.reversed_tax),
        "reserved_quantity": shown(balance.reserved_quantity),
        "reserved_gross": money(balance.reserved_gross),
        "left_quantity": shown(left.quantity),
        "left_gross": money(left.gross),
    }


def _red_lines(invoice: Invoice) -> list[dict[str, Any]]:
    return [
        {
            "line_no": line.line_no,
            "blue_line_no": line.blue_line.line_no if line.blue_line else None,
            "title": line.title,
            "quantity": shown(line.quantity),
            "tax_rate": line.tax_rate,
            "gross": money(line.gross),
            "tax": money(line.tax),
            "net": money(line.amount),
        }
        for line in invoice.lines.select_related("blue_line").order_by("line_no")
    ]


def _red(red: Invoice, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "number": red.number,
        "code": red.code,
        "issued_at": moment(red.issued_at, zone),
        "gross": money(red.gross),
        "tax": money(red.tax),
        "net": money(red.amount),
        "lines": [
            {
                "line_no": line.blue_line.line_no if line.blue_line else line.line_no,
                "quantity": shown(line.quantity),
                "gross": money(line.gross),
                "tax": money(line.tax),
                "net": money(line.amount),
            }
            for line in red.lines.all()
        ],
    }


def _requests(invoice: Invoice) -> list[RedRequest]:
    rows = invoice.red_requests.select_related("red", "case").order_by("pk")
    return list(rows.prefetch_related("parts__balance__line", "events__user"))


def _request(request: RedRequest, zone: ZoneInfo) -> dict[str, Any]:
    """``number``: the red invoice's, once it is there."""
    return {
        "request_no": request.request_no,
        "state": request.state,
        "reason": request.reason,
        "serial": request.serial,
        "code": request.code,
        "form_no": request.form_no,
        "number": request.red.number if request.red else None,
        "quantity": shown(request.quantity),
        "gross": money(request.gross),
        "tax": money(request.tax),
        "whole_instead": request.whole_instead,
        "held": request.held or None,
        "dead_reason": request.dead_reason or None,
        "case_no": request.case.case_no if request.case else None,
        "requested_at": moment(request.requested_at, zone),
        "entered_at": moment(request.entered_at, zone),
        "due_at": moment(request.due_at, zone),
        "clock_on": request.clock_on or None,
        "lines": [
            {
                "line_no": part.balance.line.line_no,
                "quantity": shown(part.quantity),
                "gross": money(part.gross),
                "tax": money(part.tax),
                "asked_quantity": shown(part.asked_quantity),
                "asked_gross": money(part.asked_gross),
            }
            for part in request.parts.all()
        ],
        "events": [_event(event, zone) for event in request.events.all()],
    }


def _event(event: Any, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "at": moment(event.at, zone),
        "actor": actor_of(event),
        "verb": event.verb,
        "from": event.source,
        "to": event.target,
        "note": event.note,
        "inputs": event.inputs,
    }


def treatment_as_dict(row: Treatment, zone: ZoneInfo) -> dict[str, Any]:
    """What is to be done to an invoice, or was."""
    return {
        "id": row.pk,
        "kind": row.kind,
        "state": row.state,
        "invoice": row.invoice.number if row.invoice else None,
        "case_no": row.case.case_no if row.case else None,
        "opened_at": moment(row.opened_at, zone),
        "finished_at": moment(row.finished_at, zone),
        "due_at": moment(row.due_at, zone),
        "next": NEXT.get(row.kind) if row.state == TreatmentState.OPEN else None,
        "lines": [
            {
                "line_no": x.line.line_no,
                "quantity": shown(x.quantity),
                "gross": money(x.gross),
            }
            for x in row.lines.select_related("line").order_by("line__line_no")
        ],
        "events": [
            _event(event, zone) for event in row.events.select_related("user").order_by("seq")
        ],
    }


#: The verb that does what a treatment asks for.
NEXT: dict[str, str] = {
    TreatmentKind.RED: "request_red",
    TreatmentKind.REISSUE: "reissue",
    TreatmentKind.ENDORSE: "endorse",
    TreatmentKind.GIVE_BACK: "move_paper",
    TreatmentKind.HAND_BACK: "move_paper",
}


def invoices_of(order: Order) -> list[dict[str, Any]]:
    """The invoices of an order in brief, oldest first."""
    zone = ZoneInfo(order.shop.zone)
    rows = order.invoices.select_related("standing", "blue").order_by("issued_at", "pk")
    return [
        {
            "number": row.number,
            "code": row.code,
            "direction": row.direction,
            "kind": row.kind,
            "state": row.standing.state if row.is_blue else Direction.RED,
            "total": money(row.gross),
            "issued_at": moment(row.issued_at, zone),
            "blue_number": row.blue.number if row.blue else None,
        }
        for row in rows
    ]


def handling_of(case: Case) -> dict[str, Any] | None:
    """How the invoice of a case is dealt with: ``state`` none, open, done, and every treatment.

    None where the case asks nothing of any invoice.
    """
    zone = ZoneInfo(case.shop.zone)
    rows = list(case.treatments.select_related("invoice", "case").order_by("pk"))
    note = None if rows else note_for(case)
    if not rows and note is None:
        return None
    open_rows = [row for row in rows if row.state == TreatmentState.OPEN]
    ended = [row for row in rows if row.state != TreatmentState.SUPERSEDED]
    newest = next(iter((open_rows or ended or rows)[-1:]), None)
    return {
        "state": "open" if open_rows else ("done" if ended else "none"),
        "kind": str(TreatmentKind.NOTE) if newest is None else newest.kind,
        "next": NEXT.get(open_rows[-1].kind) if open_rows else None,
        "due_at": moment(_first_due(open_rows), zone),
        "note": note,
        "treatments": [treatment_as_dict(row, zone) for row in rows],
    }


def _first_due(rows: list[Treatment]) -> datetime | None:
    return min((row.due_at for row in rows if row.due_at is not None), default=None)


def note_for(case: Case) -> str | None:
    """Where there is no invoice yet: that none will be issued, or one for less. Derived."""
    if case.remedy not in MONEY_REMEDIES or case.state not in _SETTLED:
        return None
    if not case.amount_approved or case.order.invoices.exists():
        return None
    left = case.order.paid_amount - case.amount_approved - (case.freight_approved or ZERO)
    if left > ZERO:
        return _("No invoice was issued yet: it is to be issued for ¥%(left)s at most.") % {
            "left": left
        }
    return _("No invoice was issued, and none will be: all of it is refunded.")


_SETTLED = (State.REFUNDING, State.COMPLETED)
