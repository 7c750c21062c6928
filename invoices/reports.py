"""``report invoices`` and the month view: what was invoiced, what was reversed, what is unmatched.

Months are those of Shanghai; voided invoices count nowhere.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.models.money import ZERO
from cases.reports import ZONE, Question, Row
from invoices.models import CreditLine, Direction, InvoiceLine

#: Month, kind, rate, and the shop where it is asked for.
Place = tuple[str, str, str, str]
SUMS: Final = ("amount", "tax", "gross")


def invoices(question: Question) -> list[Row]:
    """Sums of blue and red by month, kind and rate.

    ``blue``, ``red``: how many invoices · ``…_amount`` without tax, ``…_tax``, ``…_gross``: exact
    sums of their lines, red ones negative · ``net_gross`` = blue + red · ``unmatched_lines``,
    ``unmatched_gross``: lines of credit notes that no invoice is known for, by the notes' month.
    """
    if question.by not in {"", "shop"}:
        raise Refused(
            _("This report is not made by %(by)s. Known: %(known)s.")
            % {"by": question.by, "known": "shop"},
            "bad_value",
        )
    return summed(question)


def summed(question: Question, shops: frozenset[int] | None = None) -> list[Row]:
    """The same, of these shops (None: all)."""
    lines = InvoiceLine.objects.filter(
        question.within("invoice__issued_at"), invoice__standing__voided_at=None
    )
    credits = CreditLine.objects.filter(
        question.within("note__issued_at"), state=CreditLine.State.OPEN
    )
    if shops is not None:
        lines = lines.filter(invoice__shop_id__in=shops)
        credits = credits.filter(note__shop_id__in=shops)
    found: dict[Place, dict[str, Any]] = defaultdict(_nothing)
    for row in _grouped(lines, "invoice", question, "invoice__direction"):
        colour = "blue" if row["invoice__direction"] == Direction.BLUE else "red"
        place = found[_place(row, "invoice", question)]
        place[colour] = row["documents"]
        for name in SUMS:
            place[f"{colour}_{name}"] = row[f"sum_{name}"]
    for row in _grouped(credits, "note", question):
        place = found[_place(row, "note", question)]
        place["unmatched_lines"], place["unmatched_gross"] = row["rows"], row["sum_gross"]
    return [_row(place, sums, question) for place, sums in sorted(found.items())]


def _grouped(rows: Any, head: str, question: Question, *besides: str) -> Any:
    """Sums of lines by month, kind, rate; ``head``: the way from a line to its header."""
    by = [f"{head}__kind", "tax_rate", *besides]
    if question.by:
        by.append(f"{head}__shop__code")
    month = TruncMonth(f"{head}__issued_at", tzinfo=ZONE)
    sums: dict[str, Any] = {f"sum_{name}": Sum(name) for name in SUMS}
    return (
        rows.order_by()
        .annotate(month=month)
        .values("month", *by)
        .annotate(documents=Count(head, distinct=True), rows=Count("pk"), **sums)
    )


def _place(row: dict[str, Any], head: str, question: Question) -> Place:
    shop = row[f"{head}__shop__code"] if question.by else ""
    return f"{row['month']:%Y-%m}", row[f"{head}__kind"], row["tax_rate"], shop


def _nothing() -> dict[str, Any]:
    sums = {f"{colour}_{name}": ZERO for colour in ("blue", "red") for name in SUMS}
    return {"blue": 0, "red": 0, **sums, "unmatched_lines": 0, "unmatched_gross": ZERO}


def _row(place: Place, sums: dict[str, Any], question: Question) -> Row:
    month, kind, rate, shop = place
    told = {"month": month, **({"shop": shop} if question.by else {}), "kind": kind, "rate": rate}
    net = sums["blue_gross"] + sums["red_gross"]
    figures = {**sums, "net_gross": net}
    return told | {n: str(v) if isinstance(v, Decimal) else v for n, v in figures.items()}
