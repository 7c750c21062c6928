"""Our own sheet of invoices, as we export it; a row per line, headers English or Chinese.

What belongs to the whole invoice repeats on its rows and must agree there. A red invoice names its
blue one in ``blue_number`` (its code before it where numbers repeat) and has negative amounts.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from cases.sheets import values
from cases.sheets.dialects.base import Column, Dialect, Parsed, agreed
from cases.sheets.values import BadValue
from invoices.models import Nature
from invoices.sheets.cells import kind_of, later, nature_of, quantity, rate, signed, whole
from invoices.sheets.facts import INVOICES, InvoiceFacts, InvoiceLineFacts

#: (field, English header, Chinese header): the order of the columns in our exports.
HEADERS: Final = (
    ("number", "number", "发票号码"),
    ("code", "code", "发票代码"),
    ("kind", "kind", "发票种类"),
    ("order_no", "order_no", "订单编号"),
    ("issued_at", "issued_at", "开票时间"),
    ("seller_tax_no", "seller_tax_no", "销方税号"),
    ("buyer_name", "buyer_name", "购方名称"),
    ("buyer_tax_no", "buyer_tax_no", "购方税号"),
    ("buyer_used", "buyer_used", "购方已用"),
    ("line_no", "line_no", "行号"),
    ("nature", "nature", "行性质"),
    ("title", "title", "商品名称"),
    ("tax_class", "tax_class", "税收分类编码"),
    ("quantity", "quantity", "数量"),
    ("unit_price", "unit_price", "单价"),
    ("amount", "amount", "不含税金额"),
    ("tax_rate", "tax_rate", "税率"),
    ("tax", "tax", "税额"),
    ("gross", "gross", "价税合计"),
    ("blue_number", "blue_number", "对应蓝票号码"),
)
_MORE_NAMES: Final = {
    "issued_at": ("开票日期",),
    "kind": ("票种",),
    "amount": ("金额",),
    "blue_number": ("红票对应蓝票",),
}
_PARSERS: Final[Mapping[str, values.Parser]] = (
    dict.fromkeys(
        ("number", "code", "order_no", "seller_tax_no", "buyer_tax_no", "tax_class", "blue_number"),
        values.identifier,
    )
    | dict.fromkeys(("amount", "tax", "gross"), signed)
    | {
        "issued_at": values.moment,
        "buyer_used": values.truth,
        "line_no": values.pieces,
        "quantity": quantity,
        "unit_price": values.decimal,
        "tax_rate": rate,
    }
)
_REQUIRED: Final = ("number", "kind", "issued_at", "amount", "tax_rate", "tax")
#: What an invoice has once.
HEADER_LEVEL: Final = (
    *("number", "code", "kind", "order_no", "issued_at", "seller_tax_no"),
    *("buyer_name", "buyer_tax_no", "buyer_used", "blue_number"),
)


def _build(group: Sequence[Parsed]) -> InvoiceFacts:
    whole(group, _REQUIRED)
    said = agreed(group, HEADER_LEVEL)
    return InvoiceFacts(
        number=said["number"],
        code=said["code"] or "",
        kind=kind_of(group[0], "kind"),
        order_no=said["order_no"] or "",
        issued_at=said["issued_at"],
        seller_tax_no=said["seller_tax_no"] or "",
        buyer_name=said["buyer_name"] or "",
        buyer_tax_no=said["buyer_tax_no"] or "",
        buyer_used=said["buyer_used"],
        blue_number=said["blue_number"] or "",
        credit=not said["blue_number"] and _below_zero(group),
        lines=_lines(group),
        rows=tuple(parsed.number for parsed in group),
        extra=group[0].extra,
        warnings=remarks(group),
    )


def _below_zero(group: Sequence[Parsed]) -> bool:
    """A red one that names nothing: what is credited by it has to be found."""
    return bool(sum(parsed.get["amount"] for parsed in group) < 0)


def _lines(group: Sequence[Parsed]) -> tuple[InvoiceLineFacts, ...]:
    lines = tuple(_line(parsed, at) for at, parsed in enumerate(group, 1))
    once(lines)
    return lines


def once(lines: Iterable[InvoiceLineFacts]) -> None:
    """Raises BadValue where a line number stands twice."""
    numbers = [line.line_no for line in lines]
    if len(set(numbers)) < len(numbers):
        error = BadValue("bad_value", _("the same line number stands twice on one invoice"))
        error.column = "line_no"  # type: ignore[attr-defined]  # names the cell to mend
        raise error


def _line(parsed: Parsed, at: int) -> InvoiceLineFacts:
    get = parsed.get
    return InvoiceLineFacts(
        line_no=get["line_no"] or at,
        row=parsed.number,
        nature=nature_of(parsed, "nature") or Nature.NORMAL.value,
        title=get["title"] or "",
        tax_class=get["tax_class"] or "",
        quantity=get["quantity"],
        unit_price=get["unit_price"],
        amount=get["amount"],
        rate=get["tax_rate"],
        tax=get["tax"],
        gross=get["gross"],
    )


def remarks(group: Sequence[Parsed]) -> tuple[Any, ...]:
    return tuple(remark for parsed in group for remark in parsed.remarks)


def columns(
    headers: Iterable[tuple[str, ...]], parsers: Mapping[str, values.Parser]
) -> tuple[Column, ...]:
    """A field and its names each; what is wrong with a cell is told with the whole invoice."""
    return tuple(
        Column(field, tuple(names), later(parsers.get(field, values.text)))
        for field, *names in headers
    )


def by_number(get: Mapping[str, Any]) -> Any:
    """Neighbours with one code and number are one invoice."""
    return get["code"], get["number"]


INVOICES_SHEET: Final = Dialect(
    code="native",
    kind=INVOICES,
    platform=None,
    columns=columns([(*names, *_MORE_NAMES.get(names[0], ())) for names in HEADERS], _PARSERS),
    required=_REQUIRED,
    blank_ok=frozenset(_REQUIRED),  # `whole` asks for them
    build=_build,
    key=by_number,
)
