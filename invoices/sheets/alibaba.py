"""Alibaba's export of invoices: a row per line; 红票对应蓝票 names what a red one reverses.

总金额 is a line's total with tax; 发票总金额 and 总税额 are the invoice's and repeat on its rows.
The amounts of red ones may be written above zero: 发票类型 says that they are red.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from django.utils.translation import gettext as _

from cases.sheets import values
from cases.sheets.dialects.base import Dialect, Parsed, agreed
from cases.sheets.dialects.words import table
from cases.sheets.headers import normal
from invoices.models import InvoiceKind, Nature
from invoices.sheets.cells import KINDS, quantity, rate, signed, whole
from invoices.sheets.facts import INVOICES, InvoiceFacts, InvoiceLineFacts
from invoices.sheets.native import by_number, columns, remarks

_HEADERS: Final = (
    ("order_no", "订单id", "订单编号", "订单号"),
    ("issued_at", "开票日期", "开票时间"),
    ("shop_name", "店铺名称"),
    ("kind", "发票种类"),
    ("colour", "发票类型"),
    ("number", "发票号码"),
    ("code", "发票代码"),
    ("seller_tax_no", "税号", "销方税号"),
    ("seller_name", "企业名称", "销方名称"),
    ("buyer_name", "发票抬头", "购方名称"),
    ("buyer_tax_no", "付款人税号", "购方税号"),
    ("total_tax", "总税额"),
    ("total", "发票总金额"),
    ("blue_number", "红票对应蓝票"),
    ("remark", "备注"),
    ("title", "商品名称"),
    ("spec", "商品型号"),
    ("unit", "商品单位"),
    ("unit_price", "单价"),
    ("quantity", "数量"),
    ("amount", "不含税金额"),
    ("tax", "税额"),
    ("gross", "总金额"),
    ("tax_rate", "税率"),
)
_PARSERS: Final[Mapping[str, values.Parser]] = (
    dict.fromkeys(
        ("order_no", "number", "code", "seller_tax_no", "buyer_tax_no", "blue_number"),
        values.identifier,
    )
    | dict.fromkeys(("total_tax", "total", "amount", "tax", "gross"), signed)
    | {
        "issued_at": values.moment,
        "quantity": quantity,
        "unit_price": values.decimal,
        "tax_rate": rate,
    }
)
_REQUIRED: Final = ("number", "issued_at", "amount", "tax", "tax_rate")
_HEADER_LEVEL: Final = (
    *("order_no", "issued_at", "shop_name", "kind", "colour", "number", "code"),
    *("seller_tax_no", "seller_name", "buyer_name", "buyer_tax_no"),
    *("total_tax", "total", "blue_number", "remark"),
)
_COLOURS: Final = table({"蓝票|蓝字发票|蓝字|蓝": "blue", "红票|红字发票|红字|红": "red"})


def _build(group: Sequence[Parsed]) -> InvoiceFacts:
    whole(group, _REQUIRED)
    said = agreed(group, _HEADER_LEVEL)
    first = group[0]
    red = _is_red(first, said, group)
    # The sign of the paper, whichever way the sheet writes it.
    turn = -1 if red and sum(parsed.get["amount"] for parsed in group) > 0 else 1
    lines = [_line(parsed, at, turn) for at, parsed in enumerate(group, 1)]
    _name_discounts(lines, red=red)
    return InvoiceFacts(
        number=said["number"],
        code=said["code"] or "",
        kind=_kind(first, said),
        issued_at=said["issued_at"],
        shop_name=said["shop_name"] or None,
        order_no=said["order_no"] or "",
        seller_name=said["seller_name"] or "",
        seller_tax_no=said["seller_tax_no"] or "",
        buyer_name=said["buyer_name"] or "",
        buyer_tax_no=said["buyer_tax_no"] or "",
        blue_number=said["blue_number"] or "",
        credit=red and not said["blue_number"],
        remark=said["remark"] or "",
        tax=_turned(said["total_tax"], turn),
        gross=_turned(said["total"], turn),
        lines=tuple(lines),
        rows=tuple(parsed.number for parsed in group),
        extra=_extra(first, said),
        warnings=remarks(group),
    )


def _is_red(first: Parsed, said: Mapping[str, Any], group: Sequence[Parsed]) -> bool:
    if said["blue_number"] or sum(parsed.get["amount"] for parsed in group) < 0:
        return True
    return first.word("colour", _COLOURS) == "red"


def _kind(first: Parsed, said: Mapping[str, Any]) -> str:
    """An outside word we do not know is told, kept, and taken by the form of the number."""
    known = KINDS.get(normal(said["kind"] or ""))
    if known:
        return _modern(known) if len(said["number"]) == 20 else known
    digital = len(said["number"]) == 20
    taken = InvoiceKind.DIGITAL_GENERAL if digital else InvoiceKind.TAX_CONTROL_E
    if said["kind"]:
        words = {"kind": taken.label}
        first.remark(
            "kind", "unknown_word", _("is a kind we do not know: taken as “%(kind)s”") % words
        )
    return taken.value


#: A number of 20 digits is a digital invoice's, by whatever older name the sheet calls it.
_DIGITAL: Final[Mapping[str, InvoiceKind]] = {
    InvoiceKind.PAPER_SPECIAL: InvoiceKind.DIGITAL_SPECIAL,
    InvoiceKind.PAPER_GENERAL: InvoiceKind.DIGITAL_GENERAL,
    InvoiceKind.TAX_CONTROL_E: InvoiceKind.DIGITAL_GENERAL,
}


def _modern(kind: str) -> str:
    return _DIGITAL[kind].value if kind in _DIGITAL else kind


def _extra(first: Parsed, said: Mapping[str, Any]) -> Mapping[str, str]:
    """The platform's own words for the kind stay with the invoice."""
    words = {first.cell(name)[0] or name: said[name] for name in ("kind", "colour") if said[name]}
    return {**first.extra, **words}


def _turned(amount: Decimal | None, turn: int) -> Decimal | None:
    return None if amount is None else amount * turn


def _line(parsed: Parsed, at: int, turn: int) -> InvoiceLineFacts:
    get = parsed.get
    return InvoiceLineFacts(
        line_no=at,
        row=parsed.number,
        title=get["title"] or "",
        spec=get["spec"] or "",
        unit=get["unit"] or "",
        quantity=_turned(get["quantity"], turn),
        unit_price=get["unit_price"],
        amount=get["amount"] * turn,
        rate=get["tax_rate"],
        tax=_turned(get["tax"], turn),
        gross=_turned(get["gross"], turn),
    )


def _name_discounts(lines: Sequence[InvoiceLineFacts], *, red: bool) -> None:
    """A line without pieces and of the other sign is a discount on the line before it."""
    for before, line in pairwise(lines):
        amount = line.amount or 0
        if line.quantity is None and (amount > 0 if red else amount < 0):
            before.nature, line.nature = Nature.DISCOUNTED.value, Nature.DISCOUNT.value


ALIBABA_SHEET: Final = Dialect(
    code="alibaba",
    kind=INVOICES,
    platform=None,
    columns=columns(_HEADERS, _PARSERS),
    required=_REQUIRED,
    blank_ok=frozenset(_REQUIRED),  # `whole` asks for them
    build=_build,
    key=by_number,
)
