"""Sheets of platforms and shop systems without a dialect of their own, by the names they share.

These give way to every dialect that explains a sheet as well. An amount is the line's or the
order's: the column's name says so (商品实付, 订单总额), else the rows do. On one row it is the
whole order. On several it is the line's where it differs or equals unit price × quantity less the
discount, and the order's where it stands on one row only or is what all lines come to. Where
neither shows, the rows are refused: 50.00 twice is 50 or 100. An order's amount has its freight in
it; a line's has not. An order whose time of payment is empty was never paid.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from cases.sheets import values
from cases.sheets.dialects import aftersale, words
from cases.sheets.dialects.aftersale import text_or_none
from cases.sheets.dialects.base import Column, Dialect, Parsed, agreed, latest
from cases.sheets.dialects.taobao import numbering
from cases.sheets.facts import CASES, ORDERS, LineFacts, OrderFacts
from cases.sheets.headers import normal
from cases.sheets.values import BadValue

NO_MONEY: Final = Decimal("0.00")
_ORDER_LEVEL: Final = (
    *("shop_name", "platform", "status", "ordered_at", "paid_at", "finished_at", "total"),
    *("buyer", "receiver", "phone", "payment_number"),
)
_PAID_STATES: Final = frozenset({"paid", "shipped", "signed", "finished"})


def _order(group: Sequence[Parsed]) -> OrderFacts:
    said = agreed(group, _ORDER_LEVEL)
    first = group[0]
    status = first.word("status", words.ANY_STATUS)
    never_paid = _never_paid(first, said, status)
    total, each = (NO_MONEY, None) if never_paid else _money(group, said)
    refunded = _refunded(group, each)
    all_refunded = normal(said["status"] or "") in words.ALL_REFUNDED
    if refunded is None and all_refunded and not never_paid:
        refunded = total
    return OrderFacts(
        order_no=said["order_no"],
        platform=first.word("platform", words.PLATFORMS),
        shop_name=said["shop_name"] or None,
        status=status,
        fully_refunded=all_refunded and not never_paid,
        total_paid=total,
        freight_paid=NO_MONEY if never_paid else _freight(group),
        reported_refunded=None if never_paid else refunded,
        ordered_at=said["ordered_at"],
        paid_at=said["paid_at"],
        ship_by=latest(*_all(group, "ship_by")),
        shipped_at=latest(*_all(group, "shipped_at")),
        signed_at=latest(*_all(group, "signed_at")),
        finished_at=said["finished_at"],
        courier=said["courier"] or "",
        waybill=said["waybill"] or "",
        buyer=said["buyer"] or "",
        receiver=said["receiver"] or "",
        phone=said["phone"] or "",
        address="".join(said[part] or "" for part in _ADDRESS),
        payment_number=said["payment_number"] or "",
        payment_method=said["payment_method"] or "",
        lines=_lines(group, each, status),
        rows=tuple([parsed.number for parsed in group]),
        warnings=tuple(remark for parsed in group for remark in parsed.remarks),
    )


_ADDRESS: Final = ("province", "city", "district", "street", "address")


def _never_paid(first: Parsed, said: Mapping[str, Any], status: str | None) -> bool:
    if said["paid_at"] is None and "paid_at" in first.where.positions:
        if status in _PAID_STATES:
            first.remark("status", "no_paid_at", _("but no time of payment: taken as never paid"))
        return True
    return status == "unpaid"


def _all(group: Sequence[Parsed], name: str) -> list[Any]:
    return [found for parsed in group if (found := parsed.get[name]) is not None]


def _money(
    group: Sequence[Parsed], said: Mapping[str, Any]
) -> tuple[Decimal | None, list[Decimal | None] | None]:
    """What the order came to, freight in it; else what was paid for each line."""
    if _all(group, "line_paid"):
        return None, [parsed.get["line_paid"] for parsed in group]
    if not (amounts := _all(group, "amount")):
        return _with_freight(group, said["total"]), None
    if len(group) == 1 or len(amounts) == 1:
        return _with_freight(group, amounts[0]), None
    if len(set(amounts)) > 1 or amounts == [_goods(parsed) for parsed in group]:
        return None, [parsed.get["amount"] for parsed in group]
    goods = [found for parsed in group if (found := _goods(parsed)) is not None]
    if amounts[0] in {said["total"], sum(goods), sum(goods) + (_freight(group) or NO_MONEY)}:
        return _with_freight(group, amounts[0]), None
    if sum(amounts) == said["total"]:
        return None, list(amounts)
    problem = BadValue("bad_value", _("may be the line's or the order's; map the column yourself"))
    problem.column = "amount"  # type: ignore[attr-defined]  # names the cell to mend
    raise problem


def _goods(parsed: Parsed) -> Decimal | None:
    get = parsed.get
    if get["unit_price"] is None:
        return None
    goods = get["unit_price"] * (get["quantity"] or 1) - abs(get["discount"] or NO_MONEY)
    return Decimal(goods).quantize(values.CENT)


def _with_freight(group: Sequence[Parsed], total: Decimal | None) -> Decimal | None:
    """The order's amount; where it is exactly that of the goods, the freight comes on top."""
    freight, goods = _freight(group), [_goods(parsed) for parsed in group]
    if total is None or not freight or None in goods:
        return total
    return total + freight if sum(filter(None, goods)) == total else total


def _freight(group: Sequence[Parsed]) -> Decimal | None:
    """Freight that repeats alike is the order's; different parts of it add up."""
    freights = _all(group, "freight")
    if not freights:
        return None
    return freights[0] if len(set(freights)) == 1 else sum(freights, NO_MONEY)


def _refunded(group: Sequence[Parsed], each: list[Decimal | None] | None) -> Decimal | None:
    """As the amounts paid stand: with the lines, or repeated for the order."""
    refunds = _all(group, "refunded")
    if not refunds:
        return None
    return sum(refunds, NO_MONEY) if each or len(set(refunds)) > 1 else refunds[0]


def _lines(
    group: Sequence[Parsed], each: list[Decimal | None] | None, status: str | None
) -> tuple[LineFacts, ...]:
    paid = each or [None] * len(group)
    return tuple(
        _line(parsed, at, amount, status)
        for at, (parsed, amount) in enumerate(zip(group, paid, strict=True), 1)
    )


def _line(parsed: Parsed, at: int, paid: Decimal | None, status: str | None) -> LineFacts:
    get = parsed.get
    sub_order_no = get["sub_order_no"] or ""
    return LineFacts(
        line_no=get["line_no"] or (None if sub_order_no else at),
        sub_order_no=sub_order_no,
        sku=get["sku"] or get["product_id"] or "",
        title=f"{get['title'] or ''} {get['variant'] or ''}".strip(),
        category=None,
        serials=get["serials"] or (),
        quantity=get["quantity"] or 1,
        unit_price=get["unit_price"],
        discount=get["discount"],
        paid_amount=paid,
        ship_by=get["ship_by"],
        promises=(),
        status=status,
        row=parsed.number,
        extra=parsed.extra,
    )


def _by_order(get: Mapping[str, Any]) -> tuple[str, Any]:
    return str(get["order_no"]), get["shop_name"]


def _column(field: str, names: str, parse: values.Parser = text_or_none) -> Column:
    return Column(field, tuple(names.split("|")), parse)


ORDERS_SHEET: Final = Dialect(
    code="generic",
    kind=ORDERS,
    platform="other",
    generic=True,
    columns=(
        _column(
            "order_no",
            "订单号|订单编号|主订单编号|线上订单号|线上单号|平台订单号|平台单号|原始单号|"
            "原始订单号|"
            "交易编号|交易号|订单ID|主订单号|外部订单号|网店订单号|order_no|order number|order id|"
            "order",
            values.identifier,
        ),
        _column(
            "sub_order_no",
            "子订单号|子订单编号|子单号|线上子订单编号|线上子订单号|子单原始单号|商品单号|"
            "sub_order_no|"
            "sub order number",
            values.identifier,
        ),
        _column("line_no", "行号|订单行号|明细行号|商品行号|line_no|line", values.pieces),
        _column("shop_name", "店铺名称|店铺|网店名称|网店|门店名称|店铺名|shop_name|shop|store"),
        _column("platform", "平台|来源平台|销售平台|平台名称|platform"),
        _column(
            "title",
            "商品名称|商品标题|宝贝标题|货品名称|商品|标题|商品名|平台商品名称|线上商品名称|品名|"
            "商品信息|选购商品|title|product|product name|item name|item",
        ),
        _column(
            "variant",
            "商品规格|规格名称|规格|平台规格名称|线上规格|颜色规格|商品属性|规格属性|颜色及规格|"
            "SKU名称|variant|option",
        ),
        _column(
            "sku",
            "商家编码|商品编码|规格编码|货号|sku编码|SKU|商品编号|商家sku|货品编号|款式编码|条码|"
            "商家商品编码|item sku",
        ),
        _column("product_id", "商品ID|平台商品ID|线上商品ID|货品ID|product_id|product id"),
        _column(
            "quantity",
            "数量|商品数量|购买数量|件数|下单数量|货品数量|订购数量|商品件数|成交数量|qty|quantity",
            values.pieces,
        ),
        _column(
            "unit_price",
            "单价|商品单价|销售单价|成交单价|售价|商品价格|价格|unit_price|unit price|price",
            values.decimal,
        ),
        _column(
            "discount",
            "优惠金额|优惠|商品优惠|优惠总金额|折扣金额|discount|discount amount",
            values.decimal,
        ),
        _column(
            "line_paid",
            "商品实付金额|商品实付款|商品实付|实付小计|小计|商品小计|明细实付金额|子订单实付金额|"
            "分摊后金额|分摊后总价|货品成交总价|商品成交金额|商品总成交价|line_paid|line total|"
            "item paid",
            values.money,
        ),
        _column(
            "amount",
            "实付金额|实付款|实付|实际支付金额|实付价|买家实付|买家实付金额|买家实付款|"
            "用户实付金额|"
            "用户实付|支付金额|付款金额|实收款|成交金额|金额|paid_amount|amount paid|amount",
            values.money,
        ),
        _column(
            "total",
            "订单实付金额|订单实付款|订单实付|订单实际支付金额|订单支付金额|实付总额|实付总金额|"
            "已付金额|已付|订单应付金额|应付总额|应付总金额|应付金额|应收金额|订单总额|订单总金额|"
            "订单总价|总金额|总价|订单金额|total_paid|order total|total paid|total",
            values.money,
        ),
        _column(
            "freight",
            "运费|邮费|运费金额|快递费|买家应付邮费|邮资|freight|shipping fee|shipping",
            values.money,
        ),
        _column(
            "refunded",
            "退款金额|已退款金额|退款总额|累计退款金额|refunded|refund amount",
            values.money,
        ),
        _column(
            "ordered_at",
            "下单时间|订单创建时间|创建时间|订单提交时间|拍单时间|下单日期|订单时间|订单日期|"
            "交易时间|拍下时间|ordered_at|order date|created at|order time",
            values.moment,
        ),
        _column(
            "paid_at",
            "付款时间|支付时间|订单付款时间|支付完成时间|付款日期|支付日期|买家付款时间|paid_at|"
            "paid at|payment time|payment date",
            values.moment,
        ),
        _column(
            "ship_by",
            "承诺发货时间|最晚发货时间|发货截止时间|应发货时间|ship_by|ship by",
            values.moment,
        ),
        _column(
            "shipped_at",
            "发货时间|订单发货时间|发货日期|出库时间|shipped_at|shipped at|ship date",
            values.moment,
        ),
        _column("signed_at", "签收时间|签收日期|送达时间|signed_at|delivered at", values.moment),
        _column(
            "finished_at",
            "完成时间|订单完成时间|交易完成时间|确认收货时间|成交时间|收货时间|订单完成日期|"
            "finished_at|completed at",
            values.moment,
        ),
        _column(
            "status",
            "订单状态|交易状态|状态|平台状态|线上状态|平台订单状态|订单当前状态|status|"
            "order status",
        ),
        _column("courier", "物流公司|快递公司|承运商|物流|快递|配送公司|courier|carrier"),
        _column(
            "waybill",
            "物流单号|快递单号|运单号|物流编号|快递运单号|面单号|waybill|tracking number|"
            "tracking no",
            values.identifier,
        ),
        _column(
            "buyer",
            "买家|买家昵称|买家账号|买家会员名|买家id|用户昵称|会员名|客户网名|下单账号|网名|"
            "客户账号|buyer",
        ),
        _column(
            "receiver",
            "收货人|收货人姓名|收件人|收件人姓名|客户姓名|姓名|receiver|recipient",
        ),
        _column(
            "phone",
            "联系电话|手机|手机号|收货人手机|收货人手机号|收件人手机|收件人手机号|收货人电话|"
            "收件人电话|"
            "联系手机|电话|手机号码|联系方式|收货电话|phone|mobile",
            values.identifier,
        ),
        _column("province", "省|省份|收货省份|收件省"),
        _column("city", "市|城市|收货城市|收件市"),
        _column("district", "区|区县|收货区县|区/县|收件区"),
        _column("street", "街道|乡镇|收货街道"),
        _column(
            "address",
            "收货地址|详细地址|地址|收件地址|收件人地址|收货人地址|客户地址|收货详细地址|"
            "shipping address|address",
        ),
        _column(
            "payment_number", "支付单号|支付流水号|交易流水号|payment number", values.identifier
        ),
        _column("payment_method", "支付方式|付款方式|payment method"),
        _column("serials", "序列号|SN码|SN|IMEI|serials|serial", values.listed),
    ),
    required=("order_no",),
    any_of=(("amount", "total", "line_paid"),),
    build=_order,
    key=_by_order,
    follows=numbering,
)
CASES_SHEET: Final = Dialect(
    code="generic",
    kind=CASES,
    platform="other",
    generic=True,
    columns=aftersale.columns(
        {
            "platform_case_no": "售后单号|售后编号|退款编号|退款单号|售后单编号|服务单号|退货单号|"
            "退换单号|退换货单号|售后单id|售后ID|退款单编号|退单编号|after-sale number|refund id|"
            "return id",
            "order_no": "订单号|订单编号|主订单编号|线上订单号|线上单号|平台订单号|平台单号|"
            "原始单号|"
            "交易编号|交易号|订单ID|原始订单号|主订单号|网店订单号|order number|order id|order_no",
            "sub_order_no": "子订单号|子订单编号|商品单号|子单号|线上子订单编号|sub order number",
            "line_no": "行号|订单行号|商品行号|明细行号|line|line_no",
            "title": "商品名称|商品标题|宝贝标题|货品名称|商品|品名|标题|退货商品|product|title",
            "sku": "商家编码|商品编码|规格编码|货号|sku编码|SKU|货品编号",
            "product_id": "商品ID|商品编号|平台商品ID|product id",
            "quantity": "数量|退货数量|售后数量|申请数量|退款数量|商品数量|售后商品数量|退货件数|"
            "quantity|qty",
            "kind": "售后类型|退款类型|服务类型|售后方式|退换类型|申请类型|退货类型|退单类型|类型|"
            "type|kind",
            "status": "售后状态|退款状态|售后单状态|处理状态|退货状态|服务单状态|审核状态|"
            "退款单状态|"
            "状态|status",
            "result": "处理结果|处理方式|实际处理方式",
            "goods": "货物状态|发货状态|收货状态|商品发货状态|订单发货状态|物流状态|商品状态",
            "goods_back": "是否需要退货|是否退货|需要退货",
            "amount": "退款金额|申请退款金额|实退金额|应退金额|实际退款金额|买家退款金额|"
            "退商品金额|"
            "退款总金额|申请金额|refund amount|amount",
            "freight": "退运费金额|退运费|退邮费|退款运费",
            "applied_at": "申请时间|售后申请时间|退款申请时间|退款的申请时间|申请日期|售后创建时间|"
            "退款创建时间|售后时间|登记时间|applied at|requested at",
            "platform_due_at": "自动处理截止时间|处理截止时间|截止时间|超时时间|逾期时间|due at",
            "accepted_at": "同意时间|审核时间|同意售后申请时间|确认时间",
            "returned_at": "买家退货时间|退货时间|退货发货时间|寄回时间",
            "refunded_at": "退款时间|退款成功时间|退款完结时间|退款完成时间|商家退款时间|打款时间|"
            "refunded at",
            "finished_at": "完结时间|售后完结时间|完成时间|售后完成时间|关闭时间",
            "reason": "售后原因|退款原因|申请原因|退货原因|问题类型|买家退款原因|reason",
            "text": "问题描述|售后说明|退款说明|申请说明|售后描述|买家说明|买家退款说明|"
            "用户售后说明|"
            "补充描述|描述|description|note",
            "courier": "退货物流公司|退货快递公司|退回物流公司|退货快递|return carrier",
            "waybill": "退货物流单号|退货快递单号|退回快递单号|退货运单号|退回物流单号|"
            "return tracking",
            "shop_name": "店铺名称|店铺|网店名称|网店|shop|store",
        }
    ),
    required=("order_no",),
    any_of=(
        ("platform_case_no", "applied_at"),
        ("kind", "goods", "goods_back"),
    ),
    build=aftersale.plain_case("other", words.ANY_AFTERSALE),
)
