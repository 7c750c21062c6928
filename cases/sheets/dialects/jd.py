"""JD (京东): orders and services (售后服务单).

Orders have one row per SKU; the order's amounts repeat on each row and are never summed.

What the buyer paid is 应付金额 plus 余额支付 (what his balance paid before), 运费金额 included. An
order paid at the door has no 付款确认时间; it is paid when it is finished.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from cases.sheets import values
from cases.sheets.dialects import words
from cases.sheets.dialects.aftersale import columns, plain_case
from cases.sheets.dialects.base import Column, Dialect, Parsed, agreed, spaced
from cases.sheets.dialects.taobao import numbering
from cases.sheets.facts import CASES, ORDERS, LineFacts, OrderFacts

NO_MONEY: Final = Decimal("0.00")
_ORDER_LEVEL: Final = (
    *("ordered_at", "payable", "balance", "freight", "status", "buyer", "receiver", "phone"),
    *("address", "paid_at", "finished_at", "payment_method"),
)


def _order(group: Sequence[Parsed]) -> OrderFacts:
    said = agreed(group, _ORDER_LEVEL)
    first = group[0]
    status = first.word("status", words.JD_STATUS)
    paid_at = said["paid_at"] or (said["finished_at"] if status == "finished" else None)
    never_paid = paid_at is None
    if (
        never_paid
        and status in {"paid", "shipped"}
        and "货到付款" not in (said["payment_method"] or "")
    ):
        first.remark("status", "no_paid_at", _("but no time of payment: taken as never paid"))
    total = None if said["payable"] is None else said["payable"] + (said["balance"] or NO_MONEY)
    return OrderFacts(
        order_no=said["order_no"],
        platform="jd",
        status=status,
        total_paid=NO_MONEY if never_paid else total,
        freight_paid=NO_MONEY if never_paid else said["freight"],
        ordered_at=said["ordered_at"],
        paid_at=paid_at,
        finished_at=said["finished_at"],
        buyer=said["buyer"] or "",
        receiver=said["receiver"] or "",
        phone=said["phone"] or "",
        address=said["address"] or "",
        payment_method=said["payment_method"] or "",
        lines=tuple(_line(parsed, at, status) for at, parsed in enumerate(group, 1)),
        rows=tuple([parsed.number for parsed in group]),
        warnings=tuple(remark for parsed in group for remark in parsed.remarks),
    )


def _line(parsed: Parsed, at: int, status: str | None) -> LineFacts:
    get = parsed.get
    return LineFacts(
        line_no=at,
        sub_order_no="",
        sku=get["article"] or get["sku"] or "",
        title=get["title"] or "",
        category=None,
        serials=(),
        quantity=get["quantity"],
        unit_price=get["unit_price"],
        discount=None,
        paid_amount=None,
        ship_by=None,
        promises=(),
        status=status,
        row=parsed.number,
        extra=parsed.extra,
    )


def _by_order(get: Mapping[str, Any]) -> str:
    return str(get["order_no"])


ORDER_ROWS: Final = Dialect(
    code="jd",
    kind=ORDERS,
    platform="jd",
    columns=(
        Column("order_no", ("订单号",), values.identifier),
        Column("sku", ("商品ID",), values.identifier),
        Column("article", ("货号",)),
        Column("title", ("商品名称",)),
        Column("quantity", ("订购数量",), values.pieces),
        Column("unit_price", ("京东价",), values.decimal),
        Column("payment_method", ("支付方式",)),
        Column("ordered_at", ("下单时间",), values.moment),
        Column("payable", ("应付金额",), values.money),
        Column("balance", ("余额支付",), values.money),
        Column("freight", ("运费金额",), values.money),
        Column("status", ("订单状态",)),
        Column("buyer", ("下单帐号", "下单账号")),
        Column("receiver", ("客户姓名",)),
        Column("address", ("客户地址",)),
        Column("phone", ("联系电话",), values.identifier),
        Column("paid_at", ("付款确认时间",), values.moment),
        Column("finished_at", ("订单完成时间",), values.moment),
    ),
    required=("order_no", "quantity", "payable"),
    blank_ok=frozenset({"payable"}),
    build=_order,
    key=_by_order,
    follows=numbering,
    others=spaced(
        """
        订单金额 结算金额 订单类型 订单备注 发票类型 发票抬头 发票内容 商家备注
        商家备注等级（等级1-5为由高到低） 增值税发票 订单来源 订单渠道
        """
    ),
)
#: No export of this kind is at hand: the headers are the words of the platform's service pages.
SERVICES: Final = Dialect(
    code="jd",
    kind=CASES,
    platform="jd",
    columns=columns(
        {
            "platform_case_no": "服务单号|售后服务单号|服务单编号",
            "order_no": "订单号|订单编号",
            "title": "商品名称",
            "sku": "货号",
            "product_id": "商品编号|商品ID|SKU编码",
            "quantity": "申请数量|商品数量|售后数量",
            "kind": "服务类型|售后类型|申请类型|期望处理方式",
            "status": "服务单状态|审核状态|售后状态",
            "result": "处理结果|实际处理方式",
            "goods": "货物状态|商品状态",
            "amount": "退款金额|实际退款金额",
            "applied_at": "申请时间|服务单申请时间",
            "platform_due_at": "审核截止时间|处理截止时间",
            "accepted_at": "审核时间",
            "returned_at": "客户发货时间|取件时间",
            "refunded_at": "退款时间",
            "finished_at": "完成时间|关单时间|处理完成时间",
            "reason": "申请原因|售后原因",
            "text": "问题描述|客户描述",
            "courier": "客户发货快递公司|退货物流公司",
            "waybill": "客户发货运单号|退货物流单号|客户发货单号",
        }
    ),
    required=("platform_case_no", "order_no"),
    any_of=(("status", "applied_at", "result"),),
    build=plain_case("jd", words.JD_SERVICE),
    others=spaced(
        """
        客户账号 客户姓名 联系电话 客户地址 审核人 审核意见 处理人 商家备注 取件方式 返回方式
        订单类型 下单时间 京东价 应付金额
        """
    ),
)
