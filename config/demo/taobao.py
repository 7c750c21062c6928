"""The demo's Taobao/Tmall reports: orders, their details, and refunds."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from config.demo import layouts, words
from config.demo.files import Cells, day_time, write_gbk, write_xlsx, yuan
from config.demo.world import NOTHING, DemoCase, DemoOrder


def _wrapped(number: str) -> str:
    """`="351…"`, which is how the report keeps Excel from eating digits."""
    return f'="{number}"'


def _status(order: DemoOrder) -> str:
    if order.status == "closed" and order.refunded:
        return words.TAOBAO_REFUNDED
    return words.TAOBAO_ORDER[order.status]


def _close_reason(order: DemoOrder) -> str:
    if order.status != "closed":
        return "订单未关闭"
    return "退款" if order.refunded else "买家未付款"


def _order_row(order: DemoOrder) -> Cells:
    buyer = order.buyer
    paid = order.total - order.refunded if order.paid_at else NOTHING
    return {
        "订单编号": _wrapped(order.order_no),
        "买家会员名": buyer.nick,
        "支付单号": _wrapped(order.payment_no if order.paid_at else ""),
        "买家应付货款": yuan(order.goods_total),
        "买家应付邮费": yuan(order.freight),
        "买家支付积分": "0",
        "总金额": yuan(order.total),
        "返点积分": "0",
        "买家实际支付金额": yuan(paid),
        "买家实际支付积分": "0",
        "订单状态": _status(order),
        "买家留言": order.buyer_note,
        "收货人姓名": buyer.name,
        "收货地址 ": buyer.address,
        "运送方式": "快递",
        "联系手机": f"'{buyer.phone}",
        "订单创建时间": day_time(order.ordered_at),
        "订单付款时间 ": day_time(order.paid_at),
        "宝贝标题 ": "，".join(line.goods.title for line in order.lines),
        "宝贝种类 ": str(len(order.lines)),
        "物流单号 ": f"No:{order.waybill}" if order.waybill else "",
        "物流公司": order.courier,
        "订单备注": order.seller_note,
        "宝贝总数量": str(sum(line.quantity for line in order.lines)),
        "店铺Id": "0",
        "店铺名称": order.shop.name,
        "订单关闭原因": _close_reason(order),
        "卖家服务费": "0",
        "买家服务费": "0元",
        "是否手机订单": "手机订单",
        "退款金额": yuan(order.refunded),
        "确认收货时间": day_time(order.finished_at),
        "打款商家金额": f"{yuan(paid if order.finished_at else NOTHING)}元",
    }


def _detail_rows(order: DemoOrder) -> Iterator[Cells]:
    for line in order.lines:
        yield {
            "订单编号": _wrapped(order.order_no),
            "标题": line.goods.title,
            "价格": yuan(line.goods.price),
            "购买数量": str(line.quantity),
            "外部系统编号": line.goods.sku,
            "商品属性": line.goods.spec,
            "备注": order.seller_note,
            "订单状态": _status(order),
            "商家编码": line.goods.sku,
        }


def _refund_row(case: DemoCase) -> Cells:
    order, wish = case.order, case.wish
    kind, goods = words.TAOBAO_KIND[wish.kind]
    refunded = wish.state == "refunded"
    ended = day_time(case.ended_at)
    whole: Decimal = order.total
    return {
        "订单编号": order.order_no,
        "退款编号": case.case_no,
        "支付单号": order.payment_no,
        "订单付款时间": day_time(order.paid_at),
        "商品 id": case.line.product_id,
        "商品编码": case.line.goods.sku,
        "退款完结时间": ended if refunded else "",
        "买家实际支付金额": yuan(whole),
        "宝贝标题": case.line.goods.title,
        "买家退款金额": yuan(case.amount),
        "手工退款/系统退款": "手工退款" if refunded else "",
        "售后类型": kind,
        "退款的申请时间": day_time(case.applied_at),
        "超时时间": day_time(case.due_at),
        "退款状态": words.TAOBAO_CASE[wish.state],
        "货物状态": "买家已退货" if case.sent_back_at else goods,
        "退货物流信息": f"{case.courier}，{case.waybill}" if case.waybill else "",
        "发货物流信息": f"{order.courier}，{order.waybill}" if order.waybill else "",
        "客服介入状态": "客服未介入",
        "卖家真实姓名": order.shop.return_name if case.sent_back_at else "",
        "卖家退货地址": order.shop.return_address if case.sent_back_at else "",
        "卖家手机": order.shop.return_phone if case.sent_back_at else "",
        "退货物流单号": case.waybill,
        "退货物流公司": case.courier,
        "买家退款原因": words.REASONS[wish.reason],
        "买家退款说明": wish.text,
        "买家退货时间": day_time(case.sent_back_at),
        "责任方": "卖家责任" if wish.reason in words.SELLER_FAULT else "",
        "售中或售后": "售后" if order.finished_at else "售中",
        "商家备注": order.seller_note,
        "完结时间": ended,
        "部分退款/全部退款": "全部退款" if case.amount == whole else "部分退款",
        "是否零秒响应": "否",
        "退款操作人": order.shop.return_name if refunded else "",
        "业务类型": "普通退款",
    }


def write_orders(path: Path, orders: list[DemoOrder]) -> None:
    write_gbk(path, layouts.TAOBAO_ORDERS, map(_order_row, orders))


def write_details(path: Path, orders: list[DemoOrder]) -> None:
    rows = (row for order in orders for row in _detail_rows(order))
    write_gbk(path, layouts.TAOBAO_DETAILS, rows, trailing_comma=True)


def write_refunds(path: Path, cases: list[DemoCase]) -> None:
    write_xlsx(path, layouts.TAOBAO_REFUNDS, map(_refund_row, cases), "退款报表")
