"""Invoices out, in the columns of our own sheet, a row per line; taken in again nothing changes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.db.models import QuerySet

from cases import privacy
from cases.sheets.exports import pages
from cases.sheets.writer import Cell, Layout
from invoices.models import InvoiceLine
from invoices.sheets.native import HEADERS

LAYOUT: Final = Layout(HEADERS)
#: Field of the sheet → where it stands, seen from the line.
_CELLS: Final = {
    **{
        name: f"invoice__{name}"
        for name in (
            *("number", "code", "kind", "issued_at", "seller_tax_no", "buyer_name"),
            "buyer_tax_no",
        )
    },
    "order_no": "invoice__order__order_no",
    "buyer_used": "invoice__standing__buyer_used",
    **{
        name: name for name in ("line_no", "nature", "title", "tax_class", "quantity", "unit_price")
    },
    **{name: name for name in ("amount", "tax_rate", "tax", "gross")},
    "blue_number": "invoice__blue__number",
    "shop": "invoice__shop__code",
}
#: What a cell is made of beside its own value: the blue one's code, and who has a tax number.
_BESIDES: Final = ("invoice__blue__code", "invoice__buyer_tax_no")
FILTERS: Final[Mapping[str, str]] = {
    "shop": "shop__code",
    "order_no": "order__order_no",
    "state": "standing__state",
    "blue_number": "blue__number",
    **{name: name for name in ("id", "number", "code", "kind", "direction")},
}
MONEY: Final = frozenset({"unit_price", "amount", "tax", "gross"})
PERSONAL: Final = frozenset({"buyer_name"})

Make = Callable[[Any, str, str], Any]


def lines(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """The lines of these invoices: a row each."""
    return InvoiceLine.objects.filter(invoice__in=queryset.order_by().values("pk"))


def rows(
    queryset: QuerySet[Any],
    fields: Sequence[str],
    clear: bool,  # noqa: FBT001 - as the registry calls it
) -> Iterator[Sequence[Cell]]:
    """Rows of cells in the order of ``fields``; streamed, a page of invoices at a time."""
    made: dict[str, Make] = {**_MADE, **({} if clear else {"buyer_name": _masked})}
    makers = [(at, made[name]) for at, name in enumerate(fields) if name in made]
    found = InvoiceLine.objects.order_by("invoice_id", "line_no")
    told = found.values_list(*_BESIDES, *[_CELLS[name] for name in fields])
    for keys in pages(queryset):
        for blue_code, tax_no, *cells in told.filter(invoice_id__in=keys):
            for at, make in makers:
                cells[at] = make(cells[at], blue_code or "", tax_no)
            yield cells


def _plain(value: Decimal | None, _blue_code: str, _tax_no: str) -> Decimal | None:
    """A number as people write it: 2.55, not 2.55000000."""
    return None if value is None else Decimal(f"{value.normalize():f}")


def _named(value: str | None, blue_code: str, _tax_no: str) -> str | None:
    return f"{blue_code} {value}" if value and blue_code else value


def _masked(value: str, _blue_code: str, tax_no: str) -> str:
    """Who has no tax number is a person."""
    return value if tax_no else privacy.mask_name(value)


_MADE: Final[Mapping[str, Make]] = {
    "quantity": _plain,
    "unit_price": _plain,
    "blue_number": _named,
}
