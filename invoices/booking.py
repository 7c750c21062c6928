"""Reds that are there already, into the books: written, and taken off their blue lines, at once.

Callers have locked the standings (``ledger.lock``) and know what each red line reverses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cases.flow.door import Actor
from invoices import entering, ledger
from invoices.arithmetic import Part
from invoices.ledger import Movement
from invoices.models import Balance, Invoice, InvoiceLine, Reversal
from invoices.rules import NewInvoice


@dataclass(frozen=True)
class Red:
    """A red invoice to be; ``parts``: of each of its lines, in order, what it reverses.

    A discount line reverses nothing of its own.
    """

    new: NewInvoice
    parts: Sequence[tuple[Balance, Part] | None]
    #: What is doubtful about it.
    warnings: Sequence[str] = ()


def book(actor: Actor, reds: Sequence[Red], at: datetime) -> list[Invoice]:
    """Write the reds and post what they reverse, as of the day they were issued.

    Statements grow with batches. Raises what ``ledger.post`` does.
    """
    if not reds:
        return []
    doubts = [list(red.warnings) for red in reds]
    invoices = entering.write(actor, [red.new for red in reds], at, warnings=doubts)
    found = InvoiceLine.objects.filter(invoice_id__in=[one.pk for one in invoices])
    lines: dict[int, list[int]] = {}
    for pk, invoice_id in found.order_by("invoice_id", "line_no").values_list("pk", "invoice_id"):
        lines.setdefault(invoice_id, []).append(pk)
    ledger.post(
        [
            Movement(
                part[0],
                Reversal.Kind.BOOK,
                part[1],
                f"red:{line_pk}",
                red.new.issued_at,
                red_line_id=line_pk,
            )
            for red, invoice in zip(reds, invoices, strict=True)
            for part, line_pk in zip(red.parts, lines[invoice.pk], strict=True)
            if part
        ]
    )
    return invoices
