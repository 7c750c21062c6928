"""The demo's Douyin reports: sub-orders and after-sales."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from config.demo import layouts, words
from config.demo.files import Cells, day_time, write_tabbed, yuan
from config.demo.world import NOTHING, DemoCase, DemoOrder

ORDER_TEXTS = {
    "主订单编号",
    "子订单编号",
    "选购商品",
    "商品规格",
    "商品ID",
    "商家编码",
    "收件人",
    "收件人手机号",
    "详细地址",
    "买家留言",
    "订单提交时间",
    "商家备注",
    "订单完成时间",
    "支付完成时间",
    "承诺发货时间",
    "发货时间",
    "序列号",
    "发货SN码",
}
CASE_TEXTS = {
    "售后单号",
    "订单号",
    "商品单号",
    "商品名称",
    "商品ID",
    "售后申请时间",
    "退货物流单号",
    "退货发货时间",
    "自动处理截止时间",
    "发货物流单号",
    "商家编码",
    "用户售后说明",
}


def _sealed(text: str) -> str:
    """Recipients leave Douyin only sealed; ours are sealed beyond opening."""
    return f"##{hashlib.sha256(text.encode()).hexdigest()[:28]}##"


def _order_rows(order: DemoOrder) -> Iterator[Cells]:
    buyer = order.buyer
    for line in order.lines:
        yield {
            "主订单编号": order.order_no,
            "子订单编号": line.sub_order_no,
            "选购商品": line.goods.title,
            "商品规格": line.goods.spec,
            "商品数量": str(line.quantity),
            "商品ID": line.product_id,
            "商家编码": line.goods.sku,
            "商品单价": yuan(line.goods.price),
            "订单应付金额": yuan(line.paid),
            "运费": yuan(order.freight),
            "优惠总金额": yuan(line.discount),
            "平台优惠": yuan(NOTHING),
            "商家优惠": yuan(line.discount),
            "支付方式": "抖音支付" if order.paid_at else "-",
            "收件人": _sealed(buyer.name),
            "收件人手机号": _sealed(buyer.phone),
            "省": buyer.province,
            "市": buyer.city,
            "区": buyer.district,
            "街道": buyer.street,
            "详细地址": _sealed(buyer.detail),
            "是否修改过地址": "否",
            "买家留言": order.buyer_note or "-",
            "订单提交时间": day_time(order.ordered_at, "-"),
            "商家备注": order.seller_note or "-",
            "订单完成时间": day_time(order.finished_at, "-"),
            "支付完成时间": day_time(order.paid_at, "-"),
            "APP渠道": "抖音",
            "流量来源": "直播" if line.line_no == 1 else "商品卡",
            "订单状态": words.DOUYIN_ORDER[order.status],
            "承诺发货时间": day_time(order.ship_by, "-"),
            "订单类型": "普通订单",
            "售后状态": "已全额退款" if order.status == "closed" and order.refunded else "-",
            "取消原因": "-" if order.status != "closed" or order.refunded else "超时未支付",
            "序列号": ";".join(line.serials) or "-",
            "发货主体": "商家",
            "发货时间": day_time(order.shipped_at, "-"),
            "降价类优惠": yuan(NOTHING),
            "平台实际承担优惠金额": yuan(NOTHING),
            "商家实际承担优惠金额": yuan(line.discount),
            "达人实际承担优惠金额": yuan(NOTHING),
            "预计送达时间": day_time(order.promised_arrival, "-"),
            "发货SN码": ";".join(line.serials) if order.shipped_at and line.serials else "-",
        }


def _case_row(case: DemoCase) -> Cells:
    order, wish, shop = case.order, case.wish, case.order.shop
    ended = day_time(case.ended_at, "-")
    refunded = wish.state == "refunded"
    status = words.DOUYIN_DONE[wish.kind] if wish.state == "done" else words.DOUYIN_CASE[wish.state]
    agreed = wish.state not in {"applied", "refused", "closed"}
    # Where the goods are decides what an "已发货仅退款" is about.
    arrived = "已签收" if order.signed_at else "运输中"
    return {
        "售后单号": case.case_no,
        "订单号": order.order_no,
        "商品单号": case.line.sub_order_no,
        "商品名称": case.line.goods.title,
        "商品ID": case.line.product_id,
        "应付金额（元）": yuan(case.line.paid),
        "商品运费（元）": yuan(order.freight),
        "支付优惠（元）": yuan(NOTHING),
        "商品税费（元）": yuan(NOTHING),
        "商品发货状态": "已发货" if order.shipped_at else "未发货",
        "售后类型": words.DOUYIN_KIND[wish.kind],
        "退商品金额（元）": yuan(case.amount),
        "退运费金额（元）": yuan(NOTHING),
        "退支付优惠（元）": yuan(NOTHING),
        "退税费金额（元）": yuan(NOTHING),
        "售后状态": status,
        "售后申请时间": day_time(case.applied_at, "-"),
        "退款方式": "原路退回" if refunded else "-",
        "售后原因": words.REASONS[wish.reason],
        "退货物流单号": case.waybill or "-",
        "退货发货时间": day_time(case.sent_back_at, "-"),
        "退货物流公司": case.courier or "-",
        "自动处理截止时间": day_time(case.due_at, "-"),
        "同意售后申请时间": day_time(case.applied_at + timedelta(hours=4), "-") if agreed else "-",
        "商家退款时间": ended if refunded else "-",
        "用户到账时间": ended if refunded else "-",
        "售后关闭时间": ended if wish.state == "closed" else "-",
        "商家退货地址": shop.return_address if case.sent_back_at else "-",
        "商家退货联系人姓名": shop.return_name if case.sent_back_at else "-",
        "商家退货联系人电话": shop.return_phone if case.sent_back_at else "-",
        "是否极速退款": "否",
        "是否拒签后退款": "否",
        "发货物流单号": order.waybill or "-",
        "发货物流状态": arrived if order.shipped_at else "-",
        "售后完结时间": ended,
        "订单备注": order.seller_note or "-",
        "用户售后说明": wish.text or "-",
        "商家编码": case.line.goods.sku,
        "门店名称": shop.name,
    }


def write_orders(path: Path, orders: list[DemoOrder]) -> None:
    rows = (row for order in orders for row in _order_rows(order))
    write_tabbed(path, layouts.DOUYIN_ORDERS, rows, ORDER_TEXTS)


def write_aftersales(path: Path, cases: list[DemoCase]) -> None:
    write_tabbed(path, layouts.DOUYIN_AFTERSALES, map(_case_row, cases), CASE_TEXTS)
