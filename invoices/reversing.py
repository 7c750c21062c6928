"""Red invoices as they come in: their figures over the lines, their rows, their entries.

Used by the requests' door and by credit notes that come in sheets; statements grow with batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from cases.flow.door import Actor, Refused
from cases.models.money import ZERO
from invoices import entering, ledger
from invoices.arithmetic import NONE, Part
from invoices.ledger import Kind, Movement
from invoices.models import Balance, Direction, Invoice
from invoices.planning import spread
from invoices.rules import NewInvoice, NewLine

CENT = Decimal("0.01")


@dataclass
class NewRed:
    """A red invoice to be booked on a locked blue one; parts are positive.

    ``reserved``: what the request had spoken for of each line, to be let go first.
    """

    blue: Invoice
    number: str
    issued_at: datetime
    parts: list[tuple[Balance, Part]]
    code: str = ""
    source: str = "form"
    request_id: int | None = None
    request_no: str = ""
    reserved: Sequence[tuple[Balance, Part]] = ()


def book(actor: Actor, reds: Sequence[NewRed], at: datetime) -> list[Invoice]:
    """Write the red invoices and reverse what they say; the blue ones are locked by the caller."""
    written = entering.write(actor, [_as_invoice(red) for red in reds], at)
    lines = {
        (line.invoice_id, line.blue_line_id): line.pk
        for invoice in written
        for line in invoice.lines.all()
    }
    movements = []
    for red, invoice in zip(reds, written, strict=True):
        movements += released(red.reserved, red.request_no, red.request_id, at)
        movements += [
            Movement(
                balance,
                Kind.BOOK,
                part,
                f"book/{lines[invoice.pk, balance.line_id]}",
                at,
                red.request_id,
                lines[invoice.pk, balance.line_id],
            )
            for balance, part in red.parts
        ]
    ledger.post(movements)
    return written


def released(
    parts: Sequence[tuple[Balance, Part]], request_no: str, request_id: int | None, at: datetime
) -> list[Movement]:
    """What a request had spoken for is free again."""
    return [
        Movement(b, Kind.RELEASE, part, f"{request_no}/release/{b.pk}", at, request_id)
        for b, part in parts
    ]


def _as_invoice(red: NewRed) -> NewInvoice:
    blue = red.blue
    return NewInvoice(
        shop=blue.shop,
        order=blue.order,
        direction=Direction.RED,
        blue=blue,
        kind=blue.kind,
        code=red.code,
        number=red.number,
        issued_at=red.issued_at,
        currency=blue.currency,
        seller_name=blue.seller_name,
        seller_tax_no=blue.seller_tax_no,
        buyer_name=blue.buyer_name,
        buyer_tax_no=blue.buyer_tax_no,
        source=red.source,
        lines=[_line(no, b, part) for no, (b, part) in enumerate(red.parts, start=1)],
    )


def _line(line_no: int, balance: Balance, part: Part) -> NewLine:
    blue = balance.line
    has_pieces = bool(part.quantity)
    return NewLine(
        line_no=line_no,
        amount=-part.net,
        tax=-part.tax,
        tax_rate=blue.tax_rate,
        title=blue.title,
        item_code=blue.item_code,
        spec=blue.spec,
        unit=blue.unit,
        tax_class=blue.tax_class,
        quantity=-part.quantity if has_pieces else None,
        unit_price=part.net / part.quantity if has_pieces else None,
        order_line_id=blue.order_line_id,
        blue_line_id=blue.pk,
    )


def issued_parts(
    planned: Sequence[tuple[Balance, Part]], room: Sequence[Part], gross: Decimal, tax: Decimal
) -> list[tuple[Balance, Part]]:
    """The authority's totals over the planned lines; Refused where they are above what is left.

    ``room``: what each line has left, with what the request itself has spoken for.
    """
    if (gross, tax) == _sums([p for _b, p in planned]):
        return list(planned)
    most = sum((p.gross for p in room), ZERO)
    if gross > most or tax > sum((p.tax for p in room), ZERO) or not ZERO <= tax <= gross:
        raise Refused(
            _("¥%(gross)s with ¥%(tax)s tax does not fit: ¥%(limit)s is left to reverse.")
            % {"gross": gross, "tax": tax, "limit": most},
            "amount_exceeded",
            limit=str(most),
        )
    totals = spread(gross, [p.gross for _b, p in planned], [p.gross for p in room])
    caps = [min(r.tax, total) for r, total in zip(room, totals, strict=True)]
    taxes = spread(tax, [p.tax for _b, p in planned], caps)
    return [
        (b, Part(p.quantity, total, part))
        for (b, p), total, part in zip(planned, totals, taxes, strict=True)
    ]


def mismatch(planned: Sequence[tuple[Any, Part]], issued: Sequence[tuple[Any, Part]]) -> str:
    """In words where a line was issued more than a cent away from the plan; empty else."""
    for (balance, ours), (_same, theirs) in zip(planned, issued, strict=True):
        apart = max(
            abs(ours.gross - theirs.gross), abs(ours.tax - theirs.tax), abs(ours.net - theirs.net)
        )
        if apart > CENT or ours.quantity != theirs.quantity:
            return _(
                "Line %(line)s: ¥%(ours)s (tax ¥%(tax)s) planned, ¥%(theirs)s (¥%(other)s) issued"
            ) % {
                "line": balance.line.line_no,
                "ours": ours.gross,
                "tax": ours.tax,
                "theirs": theirs.gross,
                "other": theirs.tax,
            }
    return ""


def figures(planned: Part, amount: Decimal | None, tax: Decimal | None) -> tuple[Decimal, Decimal]:
    """(gross, tax) of what was entered of a red invoice, with or without its minus signs.

    ``amount`` may be copied with or without tax: whichever of the two lies nearer to the plan.
    """
    if amount is None and tax is None:
        return planned.gross, planned.tax
    given = planned.gross if amount is None else abs(amount)
    its_tax = planned.tax if tax is None else abs(tax)
    if tax is not None and abs(given + its_tax - planned.gross) < abs(given - planned.gross):
        return given + its_tax, its_tax
    if tax is None and planned.gross:
        its_tax = (
            planned.tax
            if given == planned.gross
            else ((planned.tax * given / planned.gross).quantize(CENT))
        )
    return given, its_tax


def _sums(parts: Sequence[Part]) -> tuple[Decimal, Decimal]:
    return sum((p.gross for p in parts), ZERO), sum((p.tax for p in parts), ZERO)


__all__ = ["NONE", "NewRed", "book", "figures", "issued_parts", "mismatch", "released"]
