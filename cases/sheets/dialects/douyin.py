"""Douyin (抖店): orders with one row per sub-order, and after-sales.

What was paid for a sub-order is 订单应付金额. Whether that has the freight in it is not written
anywhere, so the row's own arithmetic decides: 商品单价 × 商品数量 − 优惠总金额 equals it (then
运费 comes on top) or, with 运费 added, equals it (then it is inside, which is also taken where
neither fits). 运费 that repeats alike on every sub-order is the main order's and counts once;
where the sub-orders have different ones they are parts of it and add up. A sub-order without
支付完成时间 was never paid and carries no money.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from cases.sheets import values
from cases.sheets.dialects import words
from cases.sheets.dialects.aftersale import (
    kind_by_goods,
    outcome_of,
    reason_of,
    text_or_none,
)
from cases.sheets.dialects.base import Column, Dialect, Parsed, agreed, latest, spaced
from cases.sheets.facts import CASES, ORDERS, CaseFacts, LineFacts, OrderFacts

NO_MONEY: Final = Decimal("0.00")
_ORDER_LEVEL: Final = ("ordered_at", "paid_at", "receiver", "phone", "payment_method")
_RANK: Final = {state: rank for rank, state in enumerate(words.ORDER_STATES)}


def _order(group: Sequence[Parsed]) -> OrderFacts:
    said = agreed(group, _ORDER_LEVEL)
    first = group[0]
    never_paid = said["paid_at"] is None and "paid_at" in first.where.positions
    lines: list[LineFacts] = []
    freights: list[Decimal] = []
    for parsed in group:
        paid, freight = (NO_MONEY, NO_MONEY) if never_paid else _paid(parsed)
        lines.append(_line(parsed, paid))
        if freight is not None:
            freights.append(freight)
    return OrderFacts(
        order_no=said["order_no"],
        platform="douyin",
        shop_name=said["shop_name"] or None,
        status=_status(lines),
        total_paid=NO_MONEY if never_paid else None,
        freight_paid=_freight(freights),
        ordered_at=said["ordered_at"],
        paid_at=said["paid_at"],
        ship_by=min((line.ship_by for line in lines if line.ship_by), default=None),
        shipped_at=latest(*(parsed.get["shipped_at"] for parsed in group)),
        promised_arrival=latest(*(parsed.get["promised_arrival"] for parsed in group)),
        finished_at=_finished_at(group, lines),
        receiver=said["receiver"] or "",
        phone=said["phone"] or "",
        address="".join(said[part] or "" for part in _ADDRESS),
        payment_method=said["payment_method"] or "",
        lines=tuple(lines),
        rows=tuple([parsed.number for parsed in group]),
        warnings=tuple(remark for parsed in group for remark in parsed.remarks),
    )


_ADDRESS: Final = ("province", "city", "district", "street", "address")


def _line(parsed: Parsed, paid: Decimal | None) -> LineFacts:
    get = parsed.get
    title, variant = get["title"] or "", get["variant"] or ""
    serials = [part for name in _SERIALS for part in get[name] or ()]
    return LineFacts(
        line_no=None,
        sub_order_no=get["sub_order_no"],
        sku=get["sku"] or get["product_id"] or "",
        title=f"{title} {variant}".strip(),
        category=None,
        serials=tuple(dict.fromkeys(serials)),
        quantity=get["quantity"],
        unit_price=get["unit_price"],
        discount=get["discount"],
        paid_amount=paid,
        ship_by=get["ship_by"],
        promises=(),
        status=parsed.word("status", words.DOUYIN_STATUS),
        row=parsed.number,
        extra=parsed.extra,
    )


_SERIALS: Final = ("serials", "sent_sn", "imei_1", "imei_2")


def _paid(parsed: Parsed) -> tuple[Decimal | None, Decimal | None]:
    """What was paid for the goods of a sub-order, and its freight."""
    get = parsed.get
    payable, freight = get["payable"], get["freight"]
    if payable is None or not freight:
        return payable, freight
    if get["unit_price"] is not None:
        goods = get["unit_price"] * get["quantity"] - abs(get["discount"] or NO_MONEY)
        if goods == payable:
            return payable, freight
    inside = payable >= freight
    return (payable - freight if inside else payable), freight


def _freight(freights: Sequence[Decimal]) -> Decimal | None:
    if not freights:
        return None
    return freights[0] if len(set(freights)) == 1 else sum(freights, NO_MONEY)


def _status(lines: Sequence[LineFacts]) -> str | None:
    """The order is as far as its last sub-order; closed ones do not count while others live."""
    known = [line.status for line in lines if line.status]
    alive = [status for status in known if status != "closed"]
    if not known or len(known) < len(lines):
        return None
    return min(alive, key=_RANK.__getitem__) if alive else "closed"


def _finished_at(group: Sequence[Parsed], lines: Sequence[LineFacts]) -> Any:
    """订单完成时间 stands on closed orders too; only a finished order has finished."""
    times = [
        parsed.get["finished_at"]
        for parsed, line in zip(group, lines, strict=True)
        if line.status != "closed"
    ]
    return latest(*times) if all(times) else None


def _after_sale(group: Sequence[Parsed]) -> CaseFacts:
    (parsed,) = group
    get = parsed.get
    state, outcome = outcome_of(parsed.word("status", words.DOUYIN_AFTERSALE))
    goods = _goods(parsed)
    refunded = outcome == "refunded"
    refunded_at = get["refunded_at"] or get["credited_at"] or get["finished_at"]
    code, said = reason_of(parsed)
    return CaseFacts(
        order_no=get["order_no"],
        platform_case_no=get["platform_case_no"],
        platform="douyin",
        shop_name=get["shop_name"] or None,
        sub_order_no=get["sub_order_no"] or "",
        sku=get["sku"] or get["product_id"] or "",
        title=get["title"] or "",
        kind=_kind(parsed, goods),
        reason=code,
        reason_words=said,
        amount=get["amount"],
        freight=get["freight"],
        applied_at=get["applied_at"],
        platform_due_at=get["platform_due_at"],
        state=state,
        state_word=get["status"] or "",
        outcome=outcome,
        refunded_amount=_refunded(get) if refunded else None,
        refunded_at=refunded_at if refunded else None,
        refund_number=get["platform_case_no"] if refunded else "",
        text=get["text"] or "",
        courier=get["courier"] or "",
        waybill=get["waybill"] or "",
        goods="not_received" if goods == "unshipped" else goods,
        seen_at=latest(*(get[name] for name in _TIMES)),
        rows=(parsed.number,),
        extra=parsed.extra,
        warnings=tuple(parsed.remarks),
    )


_TIMES: Final = (
    *("applied_at", "accepted_at", "returned_at", "refunded_at"),
    *("credited_at", "closed_at", "finished_at"),
)


def _refunded(get: Mapping[str, Any]) -> Decimal | None:
    if get["amount"] is None:
        return None
    return Decimal(get["amount"] + (get["freight"] or NO_MONEY))


def _goods(parsed: Parsed) -> str | None:
    shipped = parsed.word("goods", words.GOODS)
    if shipped == "not_received" and "签收" in (parsed.get["parcel_status"] or ""):
        return "received"
    return shipped


def _kind(parsed: Parsed, goods: str | None) -> str | None:
    said = parsed.word("kind", words.KINDS)
    if said == "refund_shipped":
        return "refund_received" if goods == "received" else "refund_in_transit"
    return kind_by_goods(parsed, said, goods)


def _by_order(get: Mapping[str, Any]) -> str:
    return str(get["order_no"])


ORDER_ROWS: Final = Dialect(
    code="douyin",
    kind=ORDERS,
    platform="douyin",
    columns=(
        Column("order_no", ("主订单编号", "订单编号"), values.identifier),
        Column("sub_order_no", ("子订单编号",), values.identifier),
        Column("title", ("选购商品", "商品名称"), text_or_none),
        Column("variant", ("商品规格",), text_or_none),
        Column("quantity", ("商品数量",), values.pieces),
        Column("sku", ("商家编码",), text_or_none),
        Column("product_id", ("商品ID",), text_or_none),
        Column("unit_price", ("商品单价",), values.decimal),
        Column("payable", ("订单应付金额",), values.money),
        Column("freight", ("运费",), values.money),
        Column("discount", ("优惠总金额",), values.money),
        Column("payment_method", ("支付方式",), text_or_none),
        Column("receiver", ("收件人",), text_or_none),
        Column("phone", ("收件人手机号",), text_or_none),
        Column("province", ("省",), text_or_none),
        Column("city", ("市",), text_or_none),
        Column("district", ("区",), text_or_none),
        Column("street", ("街道",), text_or_none),
        Column("address", ("详细地址",), text_or_none),
        Column("ordered_at", ("订单提交时间",), values.moment),
        Column("finished_at", ("订单完成时间",), values.moment),
        Column("paid_at", ("支付完成时间",), values.moment),
        Column("ship_by", ("承诺发货时间",), values.moment),
        Column("shipped_at", ("发货时间",), values.moment),
        Column("promised_arrival", ("预计送达时间",), values.moment),
        Column("status", ("订单状态",), text_or_none),
        Column("shop_name", ("店铺名称", "门店名称"), text_or_none),
        Column("serials", ("序列号",), values.listed),
        Column("sent_sn", ("发货SN码",), values.listed),
        Column("imei_1", ("发货IMEI码1",), values.listed),
        Column("imei_2", ("发货IMEI码2",), values.listed),
    ),
    required=("order_no", "sub_order_no", "quantity", "payable"),
    build=_order,
    key=_by_order,
    others=spaced(
        """
        平台优惠 商家优惠 达人优惠 商家改价 支付优惠 红包抵扣 手续费 是否修改过地址
        地址修改时段 买家留言 旗帜颜色 商家备注 APP渠道 流量来源 订单类型 鲁班落地页ID
        达人ID 达人昵称 所属门店ID 售后状态 取消原因 预约发货时间 仓库ID 仓库名称 是否安心购
        广告渠道 流量类型 流量体裁 流量渠道 发货主体 发货主体明细 降价类优惠
        平台实际承担优惠金额 商家实际承担优惠金额 达人实际承担优惠金额 是否平台仓自流转 车型
        商品69码 预约送达时间 建议发货时间（起） 建议发货时间（止） 物流SN码 物流IMEI码1
        物流IMEI码2
        """
    ),
)
AFTER_SALES: Final = Dialect(
    code="douyin",
    kind=CASES,
    platform="douyin",
    columns=(
        Column("platform_case_no", ("售后单号",), values.identifier),
        Column("order_no", ("订单号", "主订单编号"), values.identifier),
        Column("sub_order_no", ("商品单号", "子订单编号"), values.identifier),
        Column("title", ("商品名称",), text_or_none),
        Column("sku", ("商家编码",), text_or_none),
        Column("product_id", ("商品ID",), text_or_none),
        Column("goods", ("商品发货状态",), text_or_none),
        Column("kind", ("售后类型",), text_or_none),
        Column("amount", ("退商品金额(元)",), values.money),
        Column("freight", ("退运费金额(元)",), values.money),
        Column("status", ("售后状态",), text_or_none),
        Column("applied_at", ("售后申请时间",), values.moment),
        Column("platform_due_at", ("自动处理截止时间",), values.moment),
        Column("accepted_at", ("同意售后申请时间",), values.moment),
        Column("returned_at", ("退货发货时间",), values.moment),
        Column("refunded_at", ("商家退款时间",), values.moment),
        Column("credited_at", ("用户到账时间",), values.moment),
        Column("closed_at", ("售后关闭时间",), values.moment),
        Column("finished_at", ("售后完结时间",), values.moment),
        Column("reason", ("售后原因",), text_or_none),
        Column("text", ("用户售后说明",), text_or_none),
        Column("courier", ("退货物流公司",), text_or_none),
        Column("waybill", ("退货物流单号",), values.identifier),
        Column("parcel_status", ("发货物流状态",), text_or_none),
        Column("shop_name", ("店铺名称", "门店名称"), text_or_none),
    ),
    required=("platform_case_no", "order_no"),
    build=_after_sale,
    others=spaced(
        """
        应付金额（元） 商品运费（元） 支付优惠（元） 商品税费（元） 退支付优惠（元）
        退税费金额（元） 退款方式 是否已上传退款凭证 售后原因标签 退货异常 商家退货地址
        商家退货联系人姓名 商家退货联系人电话 仲裁状态 纠纷责任方 是否极速退款
        是否拒签后退款 发货物流单号 换货物流单号 退货物流状态 订单备注 售后备注 操作人
        协商记录 换货商品信息
        """
    ),
)
