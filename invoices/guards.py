"""What must hold before and beside a step of a red request: the locked books, the red invoice.

Lock order: cases, orders, then the standings of blue invoices (RedRequest.locked), requests.
"""

from typing import Any

from django.utils.translation import gettext as _

from cases.flow.door import Move, Refused
from cases.flow.hooks import booking, guard
from cases.models.money import ZERO
from invoices import ledger, reversing
from invoices.arithmetic import Part
from invoices.models import Direction, Invoice, RedPart, RedRequest, RedState
from invoices.reversing import NewRed

FLOW = "invoices.RedRequest"


def parts_of(moves: list[Move]) -> dict[int, list[tuple[Any, Part]]]:
    """The planned parts of each request, on the books that this transaction has locked."""
    book = moves[0].shared.get("book")
    if book is None:
        book = moves[0].shared["book"] = ledger.lock(m.subject.blue_id for m in moves)
    balances = {b.pk: b for rows in book.balances.values() for b in rows}
    out: dict[int, list[tuple[Any, Part]]] = {m.pk: [] for m in moves}
    found = RedPart.objects.filter(request_id__in=out).order_by("request_id", "pk")
    for row in found:
        part = Part(row.quantity, row.gross, row.tax)
        out[row.request_id].append((balances[row.balance_id], part))
    return out


@guard(FLOW, "record_red")
def red_is_new(moves: list[Move]) -> None:
    """One red number per request, dated not before its blue, and nobody else's."""
    if moves[0].dry:
        return
    numbers = {m.inputs["number"] for m in moves}
    known = {
        (i.code, i.number): i
        for i in Invoice.objects.filter(direction=Direction.RED, number__in=numbers)
    }
    blues = Invoice.objects.select_related("shop", "order").in_bulk(
        {m.subject.blue_id for m in moves}
    )
    for move in moves:
        blue = move.facts["blue"] = blues[move.subject.blue_id]
        issued_at = move.inputs.get("issued_at") or move.at
        if (other := known.get((move.inputs.get("code", ""), move.inputs["number"]))) is not None:
            move.refuse(
                "bad_value",
                _("Red invoice %(no)s is there already; it reverses %(blue)s.")
                % {"no": other, "blue": other.blue},
            )
        elif issued_at < blue.issued_at:
            move.refuse(
                "bad_value",
                _("A red invoice is not dated before its blue one (%(at)s).")
                % {"at": blue.issued_at.date()},
            )


@booking(FLOW, "record_red")
def red_is_booked(moves: list[Move]) -> None:
    """The red invoice and its entries; its own figures count, as planned or not."""
    if not moves:
        return
    parts = parts_of(moves)
    drafts = []
    for move in moves:
        try:
            drafts.append((move, _draft(move, parts[move.pk])))
        except Refused as refusal:
            move.refusal = refusal
    reds = reversing.book(moves[0].actor, [draft for _m, draft in drafts], moves[0].at)
    for (move, _draft_of_it), red in zip(drafts, reds, strict=True):
        move.subject.red = red


def _draft(move: Move, planned: list[tuple[Any, Part]]) -> NewRed:
    request: RedRequest = move.subject
    is_reserved = move.source != RedState.DEAD
    room = [ledger.left(b) + (p if is_reserved else Part()) for b, p in planned]
    total = sum((p for _b, p in planned), Part())
    gross, tax = reversing.figures(total, move.inputs.get("amount"), move.inputs.get("tax"))
    if not is_reserved:
        _check_room(planned, room)
    issued = reversing.issued_parts(planned, room, gross, tax)
    if difference := reversing.mismatch(planned, issued):
        request.held = "; ".join(filter(None, [request.held, difference]))[:300]
    return NewRed(
        blue=move.facts["blue"],
        number=move.inputs["number"],
        code=move.inputs.get("code", ""),
        issued_at=move.inputs.get("issued_at") or move.at,
        parts=issued,
        source=move.actor.channel[:16],
        request_id=request.pk,
        request_no=request.request_no,
        reserved=planned if is_reserved else (),
    )


def _check_room(planned: list[tuple[Any, Part]], room: list[Part]) -> None:
    """A red that comes after its request was dead: another may have taken its place meanwhile."""
    for (balance, part), rest in zip(planned, room, strict=True):
        if min(rest.quantity - part.quantity, rest.gross - part.gross, rest.net - part.net) < ZERO:
            raise Refused(
                _(
                    "Line %(line)s: ¥%(amount)s was planned, but only ¥%(limit)s is left: it was "
                    "reversed otherwise meanwhile. A person has to clear this with the tax office."
                )
                % {"line": balance.line.line_no, "amount": part.gross, "limit": rest.gross},
                "amount_exceeded",
                limit=str(rest.gross),
            )
