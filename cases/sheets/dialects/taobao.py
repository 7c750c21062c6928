"""Taobao and Tmall: the order list (2018 and the newer report), its details, and refunds.

总金额 is what the buyer paid in all, freight included; 买家实际支付金额 is what is left of it after
refunds once the order is finished. An order without 订单付款时间 was never paid: no money.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from cases.sheets import values
from cases.sheets.dialects import words
from cases.sheets.dialects.aftersale import kind_by_goods, outcome_of, reason_of
from cases.sheets.dialects.base import Column, Dialect, Parsed, latest, spaced
from cases.sheets.facts import (
    CASES,
    ORDER_LINES,
    ORDERS,
    CaseFacts,
    Facts,
    LineFacts,
    OrderFacts,
)
from cases.sheets.headers import normal

NO_MONEY: Final = Decimal("0.00")
_SETTLED: Final = frozenset({"finished", "closed"})
_PAID_STATES: Final = frozenset({"paid", "shipped", "finished"})
_NUMBERED_ORDERS: Final = 100_000


def _order(group: Sequence[Parsed]) -> OrderFacts:
    (parsed,) = group
    get = parsed.get
    status = parsed.word("status", words.TAOBAO_STATUS)
    all_refunded = bool(get["status"]) and normal(get["status"]) == words.REFUNDED_AND_CLOSED
    total, freight, refunded = _money(parsed, status, all_refunded=all_refunded)
    return OrderFacts(
        order_no=get["order_no"],
        platform="taobao",
        shop_name=get["shop_name"] or None,
        status=status,
        fully_refunded=all_refunded,
        total_paid=total,
        freight_paid=freight,
        reported_refunded=refunded,
        ordered_at=get["ordered_at"],
        paid_at=get["paid_at"],
        shipped_at=get["shipped_at"],
        finished_at=get["finished_at"],
        courier=get["courier"] or "",
        waybill=get["waybill"] or "",
        title=get["title"] or "",
        buyer=get["buyer"] or "",
        receiver=get["receiver"] or "",
        phone=get["mobile"] or get["phone"] or "",
        address=get["new_address"] or get["address"] or "",
        payment_number=get["payment_number"] or "",
        line_count_hint=get["count"],
        rows=(parsed.number,),
        extra=parsed.extra,
        warnings=tuple(parsed.remarks),
    )


def _money(
    parsed: Parsed, status: str | None, *, all_refunded: bool
) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Total paid, freight in it, refunded so far."""
    get = parsed.get
    if get["paid_at"] is None and "paid_at" in parsed.where.positions:
        if status in _PAID_STATES or all_refunded:
            parsed.remark("status", "no_paid_at", _("but no time of payment: taken as never paid"))
        return NO_MONEY, NO_MONEY, None
    total, left, refunded = get["total"], get["left"], _refunded(parsed)
    if total is None:
        # Some reports leave the total out; then it is what remains and what went back.
        total = None if left is None else left + (refunded or NO_MONEY)
    if total is None:
        return None, get["freight"], refunded
    settled = status in _SETTLED and left is not None
    if refunded is None and all_refunded:
        refunded = total
    elif refunded is None and settled and "refunded" not in parsed.where.positions:
        refunded = max(total - left, NO_MONEY)
    elif settled and total != left + (refunded or NO_MONEY):
        parsed.remark(
            "total", "sum_differs", _("is not what the buyer paid plus what was refunded")
        )
    return total, get["freight"], refunded


def _refunded(parsed: Parsed) -> Decimal | None:
    """The newer report says in words that nothing was refunded; a blank cell says nothing."""
    told: Decimal | None = parsed.get["refunded"]
    if told is None and normal(parsed.cell("refunded")[1]) == "无退款申请":
        return NO_MONEY
    return told


def _detail(group: Sequence[Parsed]) -> OrderFacts:
    lines = tuple(_detail_line(parsed, at) for at, parsed in enumerate(group, 1))
    return OrderFacts(
        order_no=group[0].get["order_no"],
        platform="taobao",
        lines=lines,
        rows=tuple([parsed.number for parsed in group]),
        warnings=tuple(remark for parsed in group for remark in parsed.remarks),
    )


def _detail_line(parsed: Parsed, at: int) -> LineFacts:
    get = parsed.get
    return LineFacts(
        line_no=at,
        sub_order_no="",
        sku=get["sku"] or get["outer_sku"] or "",
        title=get["title"] or "",
        category=None,
        serials=(),
        quantity=get["quantity"],
        unit_price=get["unit_price"],
        discount=None,
        paid_amount=None,
        ship_by=None,
        promises=(),
        status=parsed.word("status", words.TAOBAO_STATUS),
        row=parsed.number,
        extra=parsed.extra,
    )


def numbering() -> Callable[[Facts], Facts]:
    """Line numbers go on where an order comes again further down the file.

    Only the last orders are remembered, so that memory stays flat: the platform writes the
    lines of an order together.
    """
    last: OrderedDict[str, int] = OrderedDict()

    def go_on(facts: Facts) -> Facts:
        if not isinstance(facts, OrderFacts):
            return facts
        start = last.pop(facts.order_no, 0)
        last[facts.order_no] = start + len(facts.lines)
        if len(last) > _NUMBERED_ORDERS:
            last.popitem(last=False)
        if not start:
            return facts
        lines = tuple(replace(line, line_no=start + at) for at, line in enumerate(facts.lines, 1))
        return replace(facts, lines=lines)

    return go_on


def _refund(group: Sequence[Parsed]) -> CaseFacts:
    (parsed,) = group
    get = parsed.get
    state, outcome = outcome_of(parsed.word("status", words.TAOBAO_REFUND))
    goods = parsed.word("goods", words.GOODS)
    done_at = get["refunded_at"] or get["closed_at"]
    refunded = outcome == "refunded"
    code, said = reason_of(parsed)
    return CaseFacts(
        order_no=get["order_no"],
        platform_case_no=get["platform_case_no"],
        platform="taobao",
        sku=get["sku"] or "",
        title=get["title"] or "",
        kind=_kind(parsed, goods),
        reason=code,
        reason_words=said,
        amount=get["amount"],
        applied_at=get["applied_at"],
        platform_due_at=get["platform_due_at"],
        state=state,
        state_word=get["status"] or "",
        outcome=outcome,
        refunded_amount=get["amount"] if refunded else None,
        refunded_at=done_at if refunded else None,
        refund_number=get["platform_case_no"] if refunded else "",
        text=get["text"] or "",
        courier=get["courier"] or "",
        waybill=get["waybill"] or "",
        goods=goods if goods != "unshipped" else "not_received",
        phase={"售中": "onsale", "售后": "aftersale"}.get(normal(get["phase"] or "")),
        seen_at=latest(get["applied_at"], get["returned_at"], done_at),
        rows=(parsed.number,),
        extra=parsed.extra,
        warnings=tuple(parsed.remarks),
    )


def _kind(parsed: Parsed, goods: str | None) -> str | None:
    """What the buyer asks, from 售后类型 (newer) or 是否需要退货 (older) and the goods."""
    said = parsed.word("kind", words.KINDS)
    if said is None and parsed.get["goods_back"]:
        said = "return_refund"
    if said is None and (parsed.get["kind"] is None or parsed.get["goods_back"] is False):
        said = "refund"
    return kind_by_goods(parsed, said, goods)


def _waybill(value: values.Native) -> str:
    """Written `No:123` in some years."""
    return values.identifier(value).removeprefix("No:").strip()


def _by_order(get: Mapping[str, Any]) -> str:
    return str(get["order_no"])


ORDER_LIST: Final = Dialect(
    code="taobao",
    kind=ORDERS,
    platform="taobao",
    columns=(
        Column("order_no", ("订单编号", "订单号"), values.identifier),
        Column("status", ("订单状态",)),
        Column("total", ("总金额",), values.money),
        Column("left", ("买家实际支付金额", "买家实付金额"), values.money),
        Column("freight", ("买家应付邮费",), values.money),
        Column("refunded", ("退款金额",), values.money),
        Column("ordered_at", ("订单创建时间",), values.moment),
        Column("paid_at", ("订单付款时间",), values.moment),
        Column("shipped_at", ("发货时间",), values.moment),
        Column("finished_at", ("确认收货时间",), values.moment),
        Column("courier", ("物流公司",)),
        Column("waybill", ("物流单号",), _waybill),
        Column("title", ("宝贝标题", "商品标题")),
        Column("count", ("宝贝总数量",), values.pieces),
        Column("shop_name", ("店铺名称",)),
        Column("buyer", ("买家会员名", "买家会员名称", "买家昵称")),
        Column("receiver", ("收货人姓名",)),
        Column("mobile", ("联系手机",), values.identifier),
        Column("phone", ("联系电话",), values.identifier),
        Column("address", ("收货地址",)),
        Column("new_address", ("修改后的收货地址",)),
        Column("payment_number", ("支付单号",), values.identifier),
    ),
    required=("order_no",),
    any_of=(("total", "left"), ("paid_at", "status")),
    build=_order,
    others=spaced(
        """
        买家支付宝账号 支付详情 买家应付货款 买家支付积分 返点积分 买家实际支付积分 买家留言
        收货地址 运送方式 宝贝种类 订单备注 店铺Id 订单关闭原因 卖家服务费 买家服务费
        发票抬头 是否手机订单 分阶段订单信息 特权订金订单id 是否上传合同照片 是否上传小票
        是否代付 定金排名 修改后的sku 异常信息 天猫卡券抵扣 集分宝抵扣
        是否是O2O交易 新零售交易类型 新零售导购门店名称 新零售导购门店id 新零售发货门店名称
        新零售发货门店id 预约门店 打款商家金额 含应开票给个人的个人红包 是否信用购
        体验期结束时间 前N有礼 配送类型 主订单编号 确认收货打款金额 商品属性SKU 商家备注
        """
    ),
)
DETAILS: Final = Dialect(
    code="taobao",
    kind=ORDER_LINES,
    platform="taobao",
    columns=(
        Column("order_no", ("订单编号",), values.identifier),
        Column("title", ("标题", "宝贝标题")),
        Column("unit_price", ("价格", "商品价格"), values.decimal),
        Column("quantity", ("购买数量",), values.pieces),
        Column("sku", ("商家编码",)),
        Column("outer_sku", ("外部系统编号",)),
        Column("status", ("订单状态",)),
    ),
    required=("order_no", "unit_price", "quantity"),
    build=_detail,
    key=_by_order,
    others=spaced("商品属性 套餐信息 备注"),
    follows=numbering,
)
REFUNDS: Final = Dialect(
    code="taobao",
    kind=CASES,
    platform="taobao",
    columns=(
        Column("order_no", ("订单编号",), values.identifier),
        Column("platform_case_no", ("退款编号",), values.identifier),
        Column("status", ("退款状态",)),
        Column("goods", ("货物状态",)),
        Column("kind", ("售后类型",)),
        Column("goods_back", ("是否需要退货",), values.truth),
        Column("amount", ("买家退款金额",), values.money),
        Column("applied_at", ("退款的申请时间",), values.moment),
        Column("platform_due_at", ("超时时间",), values.moment),
        Column("refunded_at", ("退款完结时间",), values.moment),
        Column("closed_at", ("完结时间",), values.moment),
        Column("returned_at", ("买家退货时间",), values.moment),
        Column("reason", ("买家退款原因",)),
        Column("text", ("买家退款说明",)),
        Column("courier", ("退货物流公司",)),
        Column("waybill", ("退货物流单号",), values.identifier),
        Column("title", ("宝贝标题",)),
        Column("sku", ("商家编码", "商品编码")),
        Column("phase", ("售中或售后",)),
    ),
    required=("order_no", "platform_case_no"),
    build=_refund,
    others=spaced(
        """
        支付宝交易号 支付单号 订单付款时间 商品id 买家会员名称 买家实际支付金额
        手工退款/系统退款 退货物流信息 发货物流信息 客服介入状态 卖家真实姓名 卖家退货地址
        卖家邮编 卖家电话 卖家手机 责任方 备注标签 商家备注 部分退款/全部退款 审核操作人
        举证超时 是否零秒响应 退款操作人 主数据编码 业务类型
        """
    ),
)
