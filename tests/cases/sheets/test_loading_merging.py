"""Rules of merging, told by real layouts: what repeats is not summed, what is newer stays."""

from decimal import Decimal
from itertools import permutations

import pytest

from cases.models import ExternalRefund, Order, PlatformRecord
from tests.cases.sheets.files.makers import JD_ORDERS, PDD_ORDERS
from tests.cases.sheets.loading_desk import TAOBAO, counts, lines, order
from tests.factories import T0

NO = TAOBAO["订单编号"]
JD = {
    "订单号": "300001",
    "商品ID": "7001",
    "商品名称": "电饭煲",
    "订购数量": "1",
    "下单时间": "2026-03-01 08:00:00",
    "京东价": "199.00",
    "余额支付": "50.00",
    "应付金额": "250.00",
    "订单状态": "等待确认收货",
    "运费金额": "6.00",
    "付款确认时间": "2026-03-01 08:01:00",
}
SECOND = JD | {"商品ID": "7002", "商品名称": "勺子", "京东价": "98.00"}
PDD = {
    "订单成交时间": "2026-03-01 08:00:00\t",
    "商品": "保温杯\t",
    "订单号": "260301-123456789012345\t",
    "订单状态": "已发货，待收货\t",
    "商品总价(元)": "100.00",
    "邮费(元)": "6.00",
    "用户实付金额(元)": "96.00",
    "商品数量(件)": "2",
    "售后状态": "无售后或售后取消\t",
}


def jd(desk, *rows):
    return desk.take(desk.file(JD_ORDERS, *rows), shop="jd", may_create_shop=True)


def pdd(desk, *rows):
    return desk.take(desk.file(PDD_ORDERS, *rows), shop="pdd", may_create_shop=True)


def test_the_amounts_of_a_jd_order_stand_once_though_they_repeat(desk):
    jd(desk, JD, SECOND)
    assert order("300001").paid_amount == Decimal("300.00")
    assert order("300001").freight_paid == Decimal("6.00")
    assert lines("300001") == [(1, 1, Decimal("196.99")), (2, 1, Decimal("97.01"))]
    assert order("300001").payments.get().amount == Decimal("300.00")
    assert counts(jd(desk, JD, SECOND)) == {"unchanged": 2}


@pytest.mark.parametrize("between", [1, 450])
def test_rows_of_a_jd_order_may_stand_apart(desk, between):
    """Other orders stand between them, also so many that they fall into another chunk."""
    others = [JD | {"订单号": f"4{n:05}"} for n in range(between)]
    jd(desk, JD, *others, SECOND)

    assert order("300001").paid_amount == Decimal("300.00")
    assert [line for line, _n, _paid in lines("300001")] == [1, 2]
    assert Order.objects.count() == between + 1
    before = list(Order.objects.order_by("pk").values("order_no", "paid_amount"))
    jd(desk, JD, *others, SECOND)
    assert list(Order.objects.order_by("pk").values("order_no", "paid_amount")) == before


def test_a_refund_pinduoduo_made_is_external_and_a_difference_once(desk):
    pdd(desk, PDD)
    refunded = PDD | {"订单状态": "已取消\t", "售后状态": "退款成功\t"}
    pdd(desk, refunded)
    pdd(desk, refunded)

    assert [e.amount for e in ExternalRefund.objects.all()] == [Decimal("96.00")]
    assert PlatformRecord.objects.waiting().get().refunded == Decimal("96.00")


def test_a_closed_and_refunded_taobao_order_needs_no_refund_column(desk):
    """The status word alone says that all went back."""
    headers = ["订单编号", "总金额", "订单状态", "订单付款时间", "店铺名称"]
    row = {name: TAOBAO[name] for name in headers}
    desk.taobao(TAOBAO)
    closed = row | {"订单状态": "付款以后用户退款成功，交易自动关闭"}
    desk.take(desk.file(headers, closed), dialect="taobao", kind="orders")

    assert order(NO).external_refunded == Decimal("110.00")
    assert PlatformRecord.objects.waiting().get().difference == "refunded_there"


def test_a_case_on_the_stand_in_keeps_its_line_when_the_lines_arrive(desk):
    desk.taobao(TAOBAO)
    case = desk.house.opened("refund_received", order(NO), lines=((1, 1),), at=T0)
    desk.details(
        {"订单编号": NO, "标题": "短袖", "价格": "50.00", "购买数量": "1"},
        {"订单编号": NO, "标题": "长袖", "价格": "35.00", "购买数量": "2"},
    )

    assert case.lines.get().order_line.line_no == 1
    assert lines(NO) == [(1, 1, Decimal("41.67")), (2, 2, Decimal("58.33"))]


@pytest.mark.parametrize("seen", list(permutations(("0.00", "30.00", "50.00"))))
def test_whatever_order_reports_come_in_the_highest_figure_stands(desk, seen):
    """An older export lies about less; what our case refunded is never counted twice."""
    desk.taobao(TAOBAO)
    case = desk.house.opened("refund_received", order(NO), amount=Decimal("20.00"), at=T0)
    case = desk.house.act(case, "accept", "lead")
    desk.house.act(case, "pay", "finance", reference="R1")
    for figure in seen:
        desk.taobao(TAOBAO | {"退款金额": figure})

    assert order(NO).reported_refunded == Decimal("50.00")
    assert order(NO).external_refunded == Decimal("30.00")
    record = PlatformRecord.objects.get()
    assert (record.refunded, record.ours) == (Decimal("50.00"), Decimal("20.00"))
    assert record.difference == "amount"


def test_an_older_row_of_the_same_sheet_beats_nothing(desk):
    """As if the two rows had come in two files."""
    done = TAOBAO | {"订单状态": "交易成功", "确认收货时间": "2026-03-09 10:00:00"}
    before = TAOBAO | {
        "订单状态": "卖家已发货，等待买家确认",
        "确认收货时间": "",
        "物流单号": "OLD1",
    }

    assert counts(desk.taobao(done, before, shop="shop")) == {"created": 1, "skipped": 1}
    assert order(NO).status == "finished"
    assert order(NO).waybill != "OLD1"
