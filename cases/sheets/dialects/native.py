"""Our own sheets, as we export them; their headers may be English or Chinese.

Orders have one row per order line and cases one row per case line. What belongs to the whole
order repeats on its rows and must agree there. An empty `paid_at` says the order was never paid,
so it carries no money; a sheet without such a column leaves that open.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from django.utils.translation import gettext as _

from cases.sheets import values
from cases.sheets.dialects import words
from cases.sheets.dialects.aftersale import outcome_of
from cases.sheets.dialects.base import Column, Dialect, Parsed, agreed, latest
from cases.sheets.facts import CASES, ORDERS, CaseFacts, LineFacts, OrderFacts
from cases.sheets.headers import normal
from cases.sheets.values import BadValue

NO_MONEY: Final = Decimal("0.00")

#: (field, English header, Chinese header): the order of the columns in our exports.
ORDER_HEADERS: Final = (
    ("shop", "shop", "店铺代码"),
    ("platform", "platform", "平台"),
    ("order_no", "order_no", "订单编号"),
    ("line_no", "line_no", "订单行号"),
    ("sku", "sku", "商品编码"),
    ("title", "title", "商品名称"),
    ("category", "category", "商品类目"),
    ("serials", "serials", "序列号"),
    ("quantity", "quantity", "数量"),
    ("unit_price", "unit_price", "单价"),
    ("discount", "discount", "优惠金额"),
    ("paid_amount", "paid_amount", "实付金额"),
    ("freight_paid", "freight_paid", "运费"),
    ("ordered_at", "ordered_at", "下单时间"),
    ("paid_at", "paid_at", "付款时间"),
    ("ship_by", "ship_by", "承诺发货时间"),
    ("shipped_at", "shipped_at", "发货时间"),
    ("courier", "courier", "物流公司"),
    ("waybill", "waybill", "物流单号"),
    ("named_courier", "named_courier", "指定快递"),
    ("promised_arrival", "promised_arrival", "承诺送达时间"),
    ("signed_at", "signed_at", "签收时间"),
    ("finished_at", "finished_at", "完成时间"),
    ("status", "status", "订单状态"),
    ("buyer", "buyer", "买家"),
    ("receiver", "receiver", "收货人"),
    ("phone", "phone", "联系电话"),
    ("address", "address", "收货地址"),
    ("shipped_free", "shipped_free", "是否包邮"),
    ("promises", "promises", "服务承诺"),
)
CASE_HEADERS: Final = (
    ("case_no", "case_no", "售后单号"),
    ("shop", "shop", "店铺代码"),
    ("order_no", "order_no", "订单编号"),
    ("line_no", "line_no", "订单行号"),
    ("quantity", "quantity", "数量"),
    ("kind", "kind", "售后类型"),
    ("reason", "reason", "售后原因"),
    ("amount", "amount", "退款金额"),
    ("freight", "freight", "退运费"),
    ("applied_at", "applied_at", "申请时间"),
    ("platform_due_at", "platform_due_at", "平台截止时间"),
    ("state", "state", "状态"),
    ("text", "text", "说明"),
    ("courier", "courier", "退货物流公司"),
    ("waybill", "waybill", "退货物流单号"),
    ("platform_case_no", "platform_case_no", "平台售后单号"),
)
_MORE_NAMES: Final = {
    "shop": ("店铺编码", "店铺"),
    "order_no": ("订单号",),
    "line_no": ("商品行号", "明细行号"),
    "applied_at": ("售后申请时间",),
    "kind": ("类型",),
    "reason": ("原因",),
}
_PARSERS: Final[Mapping[str, values.Parser]] = (
    dict.fromkeys(
        ("ordered_at", "paid_at", "ship_by", "shipped_at", "promised_arrival", "signed_at"),
        values.moment,
    )
    | dict.fromkeys(("finished_at", "applied_at", "platform_due_at"), values.moment)
    | dict.fromkeys(("paid_amount", "freight_paid", "amount", "freight"), values.money)
    | dict.fromkeys(("unit_price", "discount"), values.decimal)
    | dict.fromkeys(("line_no", "quantity"), values.pieces)
    | dict.fromkeys(
        ("shop", "order_no", "case_no", "platform_case_no", "waybill", "phone", "sku"),
        values.identifier,
    )
    | dict.fromkeys(("serials", "promises"), values.listed)
    | {"shipped_free": values.truth}
)

#: What an order has once; the waybill may differ where it went in several parcels.
_ORDER_LEVEL: Final = (
    *("shop", "platform", "freight_paid", "ordered_at", "paid_at", "shipped_at"),
    *("named_courier", "promised_arrival", "signed_at", "finished_at", "status"),
    *("buyer", "receiver", "phone", "address", "shipped_free"),
)
_PAID_STATES: Final = frozenset({"paid", "shipped", "signed", "finished"})
_UNKNOWN: Final = "unknown_word"


def columns(headers: Sequence[tuple[str, str, str]]) -> tuple[Column, ...]:
    return tuple(
        Column(
            field,
            (english, chinese, *_MORE_NAMES.get(field, ())),
            _PARSERS.get(field, values.text),
        )
        for field, english, chinese in headers
    )


def _order_key(get: Mapping[str, Any]) -> tuple[Any, ...]:
    return get["order_no"], get["platform"], get["shop"]


def _order(group: Sequence[Parsed]) -> OrderFacts:
    said = agreed(group, _ORDER_LEVEL)
    first = group[0]
    status = first.word("status", words.NATIVE_STATUS)
    never_paid = said["paid_at"] is None and "paid_at" in first.where.positions
    if never_paid and status in _PAID_STATES:
        first.remark("status", "no_paid_at", _("but no time of payment: taken as never paid"))
    lines = tuple(
        _line(parsed, at, status, never_paid=never_paid) for at, parsed in enumerate(group, 1)
    )
    _lines_differ(lines)
    _other_parcels(group)
    freight = said["freight_paid"]
    return OrderFacts(
        order_no=said["order_no"],
        platform=first.word("platform", words.PLATFORMS),
        shop_code=said["shop"] or None,
        status=status,
        total_paid=NO_MONEY if never_paid else None,
        freight_paid=NO_MONEY if never_paid and freight is not None else freight,
        ordered_at=said["ordered_at"],
        paid_at=said["paid_at"],
        ship_by=min((line.ship_by for line in lines if line.ship_by), default=None),
        shipped_at=said["shipped_at"],
        promised_arrival=said["promised_arrival"],
        signed_at=said["signed_at"],
        finished_at=said["finished_at"],
        courier=said["courier"] or "",
        waybill=said["waybill"] or "",
        named_courier=said["named_courier"] or "",
        shipped_free=said["shipped_free"],
        buyer=said["buyer"] or "",
        receiver=said["receiver"] or "",
        phone=said["phone"] or "",
        address=said["address"] or "",
        lines=lines,
        rows=tuple([parsed.number for parsed in group]),
        extra=first.extra,
        warnings=_remarks(group),
    )


def _line(parsed: Parsed, at: int, status: str | None, *, never_paid: bool) -> LineFacts:
    get = parsed.get
    category = parsed.word("category", words.CATEGORIES) if get["category"] else None
    if not never_paid:
        _check_price(parsed)
    return LineFacts(
        line_no=get["line_no"] or at,
        sub_order_no="",
        sku=get["sku"] or "",
        title=get["title"] or "",
        category=category,
        serials=get["serials"] or (),
        quantity=get["quantity"] or 1,
        unit_price=get["unit_price"],
        discount=get["discount"],
        paid_amount=NO_MONEY if never_paid else get["paid_amount"],
        ship_by=get["ship_by"],
        promises=_promises(get["promises"]) if get["promises"] else (),
        status=status,
        row=parsed.number,
        extra=parsed.extra,
    )


@lru_cache(maxsize=1024)  # a sheet repeats the same few cells
def _promises(said: tuple[str, ...]) -> tuple[str, ...]:
    """Terms are the users' own table, so a code we do not know passes as it is."""
    return tuple(dict.fromkeys(words.PROMISES.get(normal(word), word) for word in said))


def _check_price(parsed: Parsed) -> None:
    get = parsed.get
    price, discount, paid = get["unit_price"], get["discount"], get["paid_amount"]
    if price is None or discount is None or paid is None:
        return
    if (price * (get["quantity"] or 1) - abs(discount)).quantize(values.CENT) != paid:
        parsed.remark(
            "paid_amount", "price_differs", _("is not unit price × quantity less the discount")
        )


def _lines_differ(lines: Sequence[LineFacts]) -> None:
    numbers = [line.line_no for line in lines]
    if len(lines) > 1 and len(set(numbers)) < len(numbers):
        error = BadValue("bad_value", _("the same line number stands twice in one order"))
        error.column = "line_no"  # type: ignore[attr-defined]  # names the cell to mend
        raise error


def _other_parcels(group: Sequence[Parsed]) -> None:
    waybill = group[0].get["waybill"]
    for parsed in group[1:]:
        other = parsed.get["waybill"]
        if other and waybill and other != waybill:
            parsed.remark("waybill", "several_parcels", _("is a second parcel of the order"))


def _remarks(group: Sequence[Parsed]) -> tuple[Any, ...]:
    if len(group) == 1:
        return tuple(group[0].remarks)
    return tuple(remark for parsed in group for remark in parsed.remarks)


def _case(group: Sequence[Parsed]) -> CaseFacts:
    (parsed,) = group
    get = parsed.get
    code, said = _reason(parsed)
    kind = parsed.own_word("kind") or words.NATIVE_KINDS.get(normal(get["kind"]))
    state, _outcome = outcome_of(parsed.own_word("state"))
    if state is None and get["state"]:
        state = words.NATIVE_STATES.get(normal(get["state"]))
    for field, found in (("kind", kind), ("state", state)):
        if get[field] and found is None:
            error = BadValue("bad_value", _("is not one of our words"))
            error.column = field  # type: ignore[attr-defined]  # names the cell to mend
            raise error
    return CaseFacts(
        order_no=get["order_no"],
        case_no=get["case_no"] or None,
        platform_case_no=get["platform_case_no"] or "",
        shop_code=get["shop"] or None,
        line_no=get["line_no"],
        quantity=get["quantity"],
        kind=kind,
        reason=code,
        reason_words=said,
        amount=get["amount"],
        freight=get["freight"],
        applied_at=get["applied_at"],
        platform_due_at=get["platform_due_at"],
        state=state,
        text=get["text"] or "",
        courier=get["courier"] or "",
        waybill=get["waybill"] or "",
        seen_at=latest(get["applied_at"]),
        rows=(parsed.number,),
        extra=parsed.extra,
        warnings=tuple(parsed.remarks),
    )


def _reason(parsed: Parsed) -> tuple[str | None, str]:
    """Reasons are the users' own table, so what looks like a code passes as it is."""
    said = parsed.get["reason"] or ""
    if not said:
        return None, ""
    code = parsed.own_word("reason") or words.reason(said)
    if code is None and said.isascii() and said.isidentifier():
        return said, ""
    if code is None:
        parsed.remark("reason", _UNKNOWN, _("is a reason we do not know: taken as “other”"))
        return "other", said
    return code, "" if code == said else said


ORDERS_SHEET: Final = Dialect(
    code="native",
    kind=ORDERS,
    platform=None,
    columns=columns(ORDER_HEADERS),
    required=("shop", "order_no", "line_no", "quantity", "paid_amount"),
    blank_ok=frozenset({"shop"}),
    build=_order,
    key=_order_key,
)
CASES_SHEET: Final = Dialect(
    code="native",
    kind=CASES,
    platform=None,
    columns=columns(CASE_HEADERS),
    required=("order_no", "line_no", "kind", "applied_at"),
    build=_case,
)
