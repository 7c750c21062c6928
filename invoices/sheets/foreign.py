"""General invoices of sellers abroad: a row per line, prices without tax, credit notes among them.

What counts as what:

- A number of digits is an invoice; with a ``C`` before them it is a credit note, which does not
  say what it credits. A number with other letters (adjustments of bad debt) is neither: refused.
- Pieces below zero are a credit note's. On an invoice at no price they are a stock write-off and
  left out; at a price they are refused, as are pieces above zero on a credit note.
- A line at no price is kept as a free one beside others that cost something. Where nothing on the
  document costs anything it is a movement of stock, no invoice, and left out.
- A row of a test (stock code ``TEST…``) is left out.
- No customer: kept; but who cannot be told apart cannot be matched.
- The same goods twice on one invoice are two lines. Fees and postage are lines like any other.
- No tax is told, so there is none: rate 0.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from cases.models.money import ZERO, cents
from cases.sheets import values
from cases.sheets.dialects.base import Column, Dialect, Parsed
from cases.sheets.values import BadValue, Native
from invoices.models import InvoiceKind
from invoices.sheets.cells import later, quantity, whole
from invoices.sheets.facts import INVOICES, InvoiceFacts, InvoiceLineFacts, LeftOut

_NUMBER: Final = re.compile(r"(C?)\d{1,29}\Z", re.IGNORECASE)
_TEST: Final = re.compile(r"TEST\d*\Z", re.IGNORECASE)
_REQUIRED: Final = ("number", "item_code", "quantity", "issued_at", "unit_price")


def customer(value: Native) -> str:
    """A customer's number; programs that read it as a decimal write ``17850.0``."""
    return values.identifier(value).removesuffix(".0")


def _build(group: Sequence[Parsed]) -> InvoiceFacts:
    whole(group, _REQUIRED)
    first = group[0].get
    number = first["number"].upper()
    shape = _NUMBER.match(number)
    if not shape:
        raise _about("number", _("has letters: neither an invoice nor a credit note (C…)"))
    credit = bool(shape[1])
    lines, left_out = _lines(group, credit=credit)
    return InvoiceFacts(
        number=number,
        kind=InvoiceKind.FOREIGN.value,
        issued_at=min(parsed.get["issued_at"] for parsed in group),
        currency=first["currency"] or "",
        buyer_name=_buyer(group),
        credit=credit,
        remark=first["country"] or "",
        tax=ZERO,
        lines=tuple(lines),
        rows=tuple(parsed.number for parsed in group),
        left_out=tuple(left_out),
        extra=group[0].extra,
    )


def _buyer(group: Sequence[Parsed]) -> str:
    """By number and name, where the sheet has them; by it a buyer is told from the others."""
    told = {(parsed.get["buyer_name"] or "", parsed.get["buyer_code"] or "") for parsed in group}
    if len(told) > 1:
        raise _about("buyer_code", _("differs between the rows of one invoice"))
    name, code = told.pop()
    return f"{name} ({code})" if name and code else name or code


def _lines(
    group: Sequence[Parsed], *, credit: bool
) -> tuple[list[InvoiceLineFacts], list[LeftOut]]:
    free = not any(parsed.get["unit_price"] for parsed in group)
    lines: list[InvoiceLineFacts] = []
    left_out: list[LeftOut] = []
    for at, parsed in enumerate(group, 1):
        if why := _no_line(parsed.get, credit=credit, free=free):
            left_out.append(LeftOut(parsed.number, why))
        else:
            lines.append(_line(parsed, at))
    return lines, left_out


def _no_line(get: Mapping[str, Any], *, credit: bool, free: bool) -> str:
    """Why this row is no line; raises BadValue where it contradicts its document."""
    if _TEST.match(get["item_code"]):
        return _("a row of a test")
    if get["unit_price"] < 0:
        raise _about("unit_price", _("is below zero"))
    if credit and get["quantity"] > 0:
        raise _about("quantity", _("is above zero on a credit note"))
    if not credit and get["quantity"] < 0:
        if get["unit_price"]:
            raise _about(
                "quantity", _("is below zero on an invoice; the number of a credit note has a C")
            )
        return _("a stock write-off: pieces below zero at no price are no sale")
    if free:
        return _("nothing on it has a price: a movement of stock, no invoice")
    if credit and not get["unit_price"]:
        return _("credits nothing: it has no price")
    return ""


def _line(parsed: Parsed, at: int) -> InvoiceLineFacts:
    get = parsed.get
    amount = cents(get["quantity"] * get["unit_price"])
    return InvoiceLineFacts(
        line_no=at,
        row=parsed.number,
        title=get["title"] or get["item_code"],
        item_code=get["item_code"],
        quantity=get["quantity"],
        unit_price=get["unit_price"],
        amount=amount,
        rate="0",
        tax=ZERO,
        gross=amount,
    )


def _about(field: str, message: str) -> BadValue:
    error = BadValue("bad_value", message)
    error.column = field  # type: ignore[attr-defined]  # names the cell to mend
    return error


def _columns() -> Iterator[Column]:
    names: Mapping[str, tuple[values.Parser, str]] = {
        "number": (values.identifier, "InvoiceNo|Invoice|Invoice Number|发票号码"),
        "item_code": (values.identifier, "StockCode|Stock Code|SKU|Item Code|货号"),
        "title": (values.text, "Description|品名"),
        "quantity": (quantity, "Quantity|Qty|数量"),
        "issued_at": (values.moment, "InvoiceDate|Invoice Date|开票日期"),
        "unit_price": (values.decimal, "UnitPrice|Unit Price|Price|单价"),
        "buyer_code": (customer, "CustomerID|Customer ID|Customer|客户编号"),
        "buyer_name": (values.text, "CustomerName|Customer Name|客户名称"),
        "country": (values.text, "Country|国家"),
        "currency": (values.text, "Currency|币种"),
    }
    for field, (parse, printed) in names.items():
        yield Column(field, tuple(printed.split("|")), later(parse))


def _key(get: Mapping[str, Any]) -> Any:
    return get["number"]


FOREIGN_SHEET: Final = Dialect(
    code="foreign",
    kind=INVOICES,
    platform=None,
    columns=tuple(_columns()),
    required=_REQUIRED,
    blank_ok=frozenset(_REQUIRED),  # `whole` asks for them
    build=_build,
    key=_key,
)
