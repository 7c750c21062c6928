"""Pinduoduo (拼多多): orders, one row per order with one product, and after-sales.

用户实付金额 is what the buyer paid, 邮费 included. 订单成交时间 is the time of payment; where a
paid order leaves it blank, its day is the one its number begins with (YYMMDD).
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from cases.sheets import values
from cases.sheets.dialects import words
from cases.sheets.dialects.aftersale import columns, plain_case
from cases.sheets.dialects.base import Column, Dialect, Parsed, spaced
from cases.sheets.facts import CASES, ORDERS, LineFacts, OrderFacts
from cases.sheets.headers import normal
from cases.sheets.values import BadValue

NO_MONEY: Final = Decimal("0.00")


def _order(group: Sequence[Parsed]) -> OrderFacts:
    (parsed,) = group
    get = parsed.get
    status = parsed.word("status", words.PDD_STATUS)
    paid_at = get["paid_at"] or _day_of_number(parsed)
    never_paid = status == "unpaid" or (status == "closed" and get["paid_at"] is None)
    total = NO_MONEY if never_paid else get["paid"]
    freight = NO_MONEY if never_paid else get["freight"]
    refunded = "退款成功" in normal(get["after_sale"] or "") and not never_paid
    if not never_paid and get["paid_at"] is None and paid_at is not None:
        parsed.remark(
            "paid_at", "day_of_number", _("is blank: the day of the order number is taken")
        )
    return OrderFacts(
        order_no=get["order_no"],
        platform="pdd",
        status=status,
        fully_refunded=refunded,
        total_paid=total,
        freight_paid=freight,
        reported_refunded=total if refunded else None,
        ordered_at=paid_at,
        paid_at=None if never_paid else paid_at,
        shipped_at=get["shipped_at"],
        finished_at=get["finished_at"],
        courier=get["courier"] or "",
        waybill=get["waybill"] or "",
        title=get["title"] or "",
        lines=(_line(parsed, total, freight, status),),
        rows=(parsed.number,),
        warnings=tuple(parsed.remarks),
    )


def _line(
    parsed: Parsed, total: Decimal | None, freight: Decimal | None, status: str | None
) -> LineFacts:
    get = parsed.get
    quantity, goods = get["quantity"] or 1, get["goods"]
    return LineFacts(
        line_no=1,
        sub_order_no="",
        sku=get["sku"] or get["product_sku"] or get["product_id"] or "",
        title=f"{get['title'] or ''} {get['variant'] or ''}".strip(),
        category=None,
        serials=(),
        quantity=quantity,
        unit_price=None if goods is None else goods / quantity,
        discount=None,
        paid_amount=None if total is None else max(total - (freight or NO_MONEY), NO_MONEY),
        ship_by=None,
        promises=(),
        status=status,
        row=parsed.number,
        extra=parsed.extra,
    )


def _day_of_number(parsed: Parsed) -> datetime | None:
    digits = parsed.get["order_no"][:6]
    if not digits.isdigit():
        return None
    try:
        return values.moment(f"20{digits}")
    except BadValue:
        return None


ORDER_LIST: Final = Dialect(
    code="pdd",
    kind=ORDERS,
    platform="pdd",
    columns=(
        Column("order_no", ("订单号",), values.identifier),
        Column("paid_at", ("订单成交时间",), values.moment),
        Column("title", ("商品",)),
        Column("status", ("订单状态",)),
        Column("goods", ("商品总价(元)",), values.money),
        Column("freight", ("邮费(元)",), values.money),
        Column("paid", ("用户实付金额(元)",), values.money),
        Column("quantity", ("商品数量(件)",), values.pieces),
        Column("shipped_at", ("发货时间",), values.moment),
        Column("finished_at", ("确认收货时间",), values.moment),
        Column("product_id", ("商品id",)),
        Column("variant", ("商品规格",)),
        Column("sku", ("商家编码-规格维度",)),
        Column("product_sku", ("商家编码-商品维度",)),
        Column("after_sale", ("售后状态",)),
        Column("waybill", ("快递单号",), values.identifier),
        Column("courier", ("快递公司",)),
    ),
    required=("order_no", "paid"),
    blank_ok=frozenset({"paid"}),
    build=_order,
    others=spaced(
        """
        店铺优惠折扣(元) 平台优惠折扣(元) 多多支付立减金额(元) 商家实收金额(元) 样式ID 商家备注
        """
    ),
)
#: No export of this kind is at hand: the statuses are those of the platform's open interface,
#: the headers those of the order export and of the words sellers read on its pages.
AFTER_SALES: Final = Dialect(
    code="pdd",
    kind=CASES,
    platform="pdd",
    columns=columns(
        {
            "platform_case_no": "售后编号|售后单编号|售后id",
            "order_no": "订单编号|订单号",
            "title": "商品名称|商品",
            "sku": "商家编码-规格维度|商家编码",
            "product_id": "商品ID",
            "quantity": "售后商品数量(件)|商品数量(件)|退货数量",
            "kind": "售后类型",
            "status": "售后状态",
            "goods": "发货状态|收货状态|货物状态",
            "amount": "退款金额(元)|申请退款金额(元)",
            "applied_at": "申请时间|售后申请时间|申请售后时间",
            "platform_due_at": "处理截止时间|逾期时间",
            "refunded_at": "退款时间|退款成功时间",
            "finished_at": "售后完结时间|完结时间",
            "reason": "售后原因|申请原因",
            "text": "售后描述|问题描述|售后说明",
            "courier": "退货快递公司|退货物流公司",
            "waybill": "退货快递单号|退货物流单号",
        }
    ),
    required=("platform_case_no", "order_no"),
    any_of=(("status", "applied_at"),),
    build=plain_case("pdd", words.PDD_AFTERSALE),
    others=spaced(
        """
        订单状态 订单成交时间 交易金额(元) 用户实付金额(元) 商品规格 样式ID 商家编码-商品维度
        快递单号 快递公司 商家备注 平台介入状态 订单成团时间 订单折扣金额(元) 商品价格(元)
        """
    ),
)
