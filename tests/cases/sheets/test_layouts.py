"""Layouts never seen before are taken by the names they share, or a question is asked."""

from datetime import datetime
from decimal import Decimal

import pytest

from cases.models import Shop
from cases.sheets.dialects import ALL, by_code, candidates, lay_over, read_facts, recognise, rivals
from cases.sheets.facts import CASES, ORDERS, BadRow
from cases.sheets.reader import open_sheet
from cases.sheets.values import ZONE
from tests.cases.sheets.files import makers
from tests.cases.sheets.loading_desk import case, counts, order

pytestmark = pytest.mark.any_database

#: Invented, in the manner of the families: (headers, cells), what kind they are, what they say.
KUAISHOU = {
    "订单号": "2502500012345678",
    "订单创建时间": "2025-01-05 08:00:00",
    "订单支付时间": "",
    "支付时间": "2025-01-05 08:01:00",
    "商品名称": "保温杯",
    "商品规格": "白色",
    "SKU编码": "CUP-W",
    "商品单价": "50.00",
    "成交数量": "2",
    "运费": "10.00",
    "实付款": "110.00",
    "订单状态": "已发货",
    "快递公司": "顺丰速运",
    "快递单号": "SF001",
    "收货人姓名": "张*",
    "达人ID": "7788",
}
XIAOHONGSHU = {
    "订单编号": "P700001",
    "订单状态": "已完成",
    "下单时间": "2025/1/5 8:00",
    "支付时间": "2025/1/5 8:01",
    "商品名称": "面霜",
    "规格": "50ml",
    "商品数量": "1",
    "商品总价（元）": "88",
    "实付金额（元）": "80",
    "薯券优惠（元）": "8",
    "物流单号": "YT001",
}
WECHAT = {
    "订单ID": "37100000001",
    "下单日期": "2025-01-05",
    "付款日期": "2025-01-05",
    "商品标题": "茶叶",
    "商品编码": "TEA",
    "件数": "3件",
    "订单实付金额": "¥1,090.00",
    "订单状态": "待发货",
    "手机号": "19900001234",
    "视频号昵称": "某某",
}
YOUZAN = {
    "Order number": "E20250105001",
    "Order time": "2025-01-05 08:00:00",
    "Payment time": "2025-01-05 08:01:00",
    "Product name": "Cup",
    "Item SKU": "CUP",
    "Qty": "2",
    "Order total": "20.00",
    "Tracking number": "SF9",
    "Order status": "shipped",
    "Loyalty points": "20",
}
#: A shop system writes a row per line; the order's amount repeats.
JUSHUITAN = [
    {
        "内部订单号": "100",
        "线上订单号": "350001",
        "店铺": "某某旗舰店",
        "订单日期": "2025-01-05 08:00:00",
        "付款日期": "2025-01-05 08:01:00",
        "应付金额": "30.00",
        "已付金额": "30.00",
        "运费": "5.00",
        "商品编码": code,
        "数量": "1",
        "单价": price,
        "线上子订单编号": sub,
        "状态": "已发货",
        "快递公司": "中通",
        "快递单号": "ZT1",
    }
    for code, price, sub in (("A", "10.00", "1"), ("B", "15.00", "2"))
]
#: Another writes what was paid for each line.
WANGDIANTONG = [
    {
        "原始单号": "350002",
        "店铺名称": "某某旗舰店",
        "订单状态": "已发货",
        "交易时间": "2025-01-05 08:00:00",
        "付款时间": "2025-01-05 08:01:00",
        "货品名称": name,
        "商家编码": name,
        "下单数量": "1",
        "货品成交总价": paid,
        "邮费": "5.00",
        "客户网名": "某某",
    }
    for name, paid in (("甲", "10.00"), ("乙", "15.00"))
]
YOUZAN_CHINESE = {
    "订单号": "E20250105002",
    "订单状态": "交易完成",
    "买家": "某某",
    "订单创建时间": "2025年1月5日 8时00分",
    "买家付款时间": "2025年1月5日 8时01分",
    "订单实付金额": "128元",
    "商品名称": "礼盒",
    "规格编码": "GIFT",
    "商品件数": "1",
    "交易成功时间": "2025-01-12",
    "分销员": "小李",
}
#: A shop keeps its orders by hand.
BY_HAND = {"单号": "", "订单编号": "H1", "支付日期": "2025-01-05", "实付": "66", "快递单号": "YD1"}
KUAISHOU_CASE = {
    "售后单号": "K1",
    "订单编号": "2502500012345678",
    "商品名称": "保温杯",
    "退款类型": "退货退款",
    "售后状态": "待商家处理",
    "申请时间": "2025-01-08 10:00:00",
    "退款金额": "50.00",
    "退款原因": "质量问题",
    "达人昵称": "某某",
}
ERP_CASE = {
    "退换单号": "R1",
    "原始单号": "350001",
    "退款金额": "15.00",
    "是否需要退货": "是",
    "退款状态": "退款成功",
    "退款时间": "2025-01-09 10:00:00",
    "申请时间": "2025-01-08 10:00:00",
    "退货快递单号": "SF77",
    "仓库": "一号仓",
}
ENGLISH_CASE = {
    "Return ID": "RMA-1",
    "Order number": "E20250105001",
    "Product": "Cup",
    "Type": "换货",
    "Status": "待处理",
    "Requested at": "2025-01-08 10:00",
    "Reason": "破损",
    "Warehouse bin": "A-1",
}
ORDER_LAYOUTS = [
    pytest.param([KUAISHOU], "110.00", "10.00", "shipped", {"达人ID", "订单支付时间"}, id="快手"),
    pytest.param(
        [XIAOHONGSHU], "80.00", None, "finished", {"商品总价（元）", "薯券优惠（元）"}, id="小红书"
    ),
    pytest.param([WECHAT], "1090.00", None, "paid", {"视频号昵称"}, id="视频号"),
    pytest.param([YOUZAN], "20.00", None, "shipped", {"Loyalty points"}, id="in English"),
    pytest.param(JUSHUITAN, "30.00", "5.00", "shipped", {"内部订单号", "应付金额"}, id="聚水潭"),
    pytest.param(
        [YOUZAN_CHINESE], "128.00", None, "finished", {"交易成功时间", "分销员"}, id="有赞"
    ),
    pytest.param([BY_HAND], "66.00", None, None, {"单号"}, id="by hand"),
    pytest.param(WANGDIANTONG, None, "5.00", "shipped", set(), id="旺店通"),
]
CASE_LAYOUTS = [
    pytest.param(KUAISHOU_CASE, ("return_refund", "applied", None), {"达人昵称"}, id="快手"),
    pytest.param(
        ERP_CASE, ("return_refund", "completed", "refunded"), {"仓库"}, id="a shop system"
    ),
]


@pytest.fixture
def read(tmp_path):
    """The dialect taken, and the facts of a real file with these rows."""

    def read(rows):
        headers = list(rows[0])
        path = makers.csv_file(
            tmp_path / "a.csv", [headers, *(list(row.values()) for row in rows)], encoding="gb18030"
        )
        with open_sheet(path) as table:
            ranked = candidates(table.headers)
            assert ranked
            assert not rivals(ranked)
            where = ranked[0].where
            assert not where.missing
            return where, list(read_facts(table, where))

    return read


@pytest.mark.parametrize(("rows", "total", "freight", "status", "unknown"), ORDER_LAYOUTS)
def test_orders_of_a_layout_never_seen_are_taken_by_name(
    read, rows, total, freight, status, unknown
):
    where, (order,) = read(rows)

    assert (where.dialect.code, where.dialect.kind) == ("generic", ORDERS)
    assert set(where.unknown) == unknown
    assert order.total_paid == (total and Decimal(total))
    assert order.freight_paid == (freight and Decimal(freight))
    assert order.status == status
    assert order.paid_at.date().isoformat() == "2025-01-05"
    assert len(order.lines) == len(rows)
    assert order.warnings == ()
    assert all(name in order.lines[0].extra for name in unknown if rows[0][name])


def test_an_amount_that_repeats_is_the_orders_and_one_by_line_is_the_lines(read):
    _where, (repeated,) = read(JUSHUITAN)
    _where, (by_line,) = read(WANGDIANTONG)

    assert [line.paid_amount for line in repeated.lines] == [None, None]
    assert [(line.line_no, line.sub_order_no) for line in repeated.lines] == [
        (None, "1"),
        (None, "2"),
    ]
    assert [line.paid_amount for line in by_line.lines] == [Decimal("10.00"), Decimal("15.00")]
    assert [line.line_no for line in by_line.lines] == [1, 2]


def rows_paid(*amounts, **more):
    return [
        {"订单号": "1", "付款时间": "2025-01-05", "实付金额": amount, "商品名称": f"货{at}"}
        | {name: cells[at] for name, cells in more.items()}
        for at, amount in enumerate(amounts)
    ]


@pytest.mark.parametrize(
    ("rows", "total", "each"),
    [
        (rows_paid("50.00"), "50.00", [None]),
        (rows_paid("50.00", "30.00"), None, ["50.00", "30.00"]),
        (rows_paid("80.00", ""), "80.00", [None, None]),
        (rows_paid("50", "50", 单价=("50", "50")), None, ["50.00", "50.00"]),
        (rows_paid("50", "50", 单价=("20", "30")), "50.00", [None, None]),
        (rows_paid("60", "60", 单价=("20", "30"), 运费=("10", "10")), "60.00", [None, None]),
        (rows_paid("50", "50", 订单金额=("100", "100")), None, ["50.00", "50.00"]),
        (rows_paid("50", "50", 订单金额=("50", "50")), "50.00", [None, None]),
        (rows_paid("50", "50", 商品实付=("20", "30")), None, ["20.00", "30.00"]),
    ],
)
def test_whether_an_amount_is_the_lines_or_the_orders_the_rows_show(read, rows, total, each):
    _where, (order,) = read(rows)

    assert order.total_paid == (total and Decimal(total))
    assert [line.paid_amount for line in order.lines] == [one and Decimal(one) for one in each]


def test_an_amount_that_may_be_either_is_refused_and_never_guessed(read):
    _where, facts = read(rows_paid("50.00", "50.00"))

    assert [type(one) for one in facts] == [BadRow, BadRow]
    assert [(bad.row, bad.column, bad.value) for bad in facts] == [
        (2, "实付金额", "50.00"),
        (3, "实付金额", "50.00"),
    ]


@pytest.mark.parametrize(
    ("cells", "paid", "refunded"),
    [
        ({"付款时间": ""}, "0.00", None),
        ({"订单状态": "待付款", "付款时间": ""}, "0.00", None),
        ({"订单状态": "已退款"}, "50.00", "50.00"),
        ({"退款金额": "20"}, "50.00", "20.00"),
    ],
)
def test_money_of_orders_never_paid_and_of_refunded_ones(read, cells, paid, refunded):
    row = {
        "订单号": "1",
        "付款时间": "2025-01-05",
        "实付金额": "50",
        "订单状态": "",
        "退款金额": "",
    }

    _where, (order,) = read([row | cells])

    assert order.total_paid == Decimal(paid)
    assert order.reported_refunded == (refunded and Decimal(refunded))


def test_freight_is_put_on_top_where_the_amount_is_exactly_that_of_the_goods(read):
    row = {
        "订单号": "1",
        "单价": "50",
        "数量": "2",
        "运费": "10",
        "订单总额": "100",
        "状态": "已发货",
    }

    _where, (order,) = read([row])

    assert order.total_paid == Decimal("110.00")


@pytest.mark.parametrize(("row", "told", "unknown"), CASE_LAYOUTS)
def test_cases_of_a_layout_never_seen_are_taken_by_name(read, row, told, unknown):
    where, (case,) = read([row])

    assert (where.dialect.code, where.dialect.kind) == ("generic", CASES)
    assert set(where.unknown) == unknown
    assert (case.kind, case.state, case.outcome) == told
    assert case.applied_at == datetime(2025, 1, 8, 10, tzinfo=ZONE)
    assert case.warnings == ()


PDD_CASE = {
    "售后编号": "90001",
    "订单编号": "250105-123",
    "商品名称": "杯",
    "售后类型": "退货退款",
    "售后状态": "退货退款，待商家处理",
    "售后原因": "质量问题",
    "退款金额(元)": "50.00",
    "申请时间": "2025-01-08 10:00:00",
    "退货快递单号": "SF1",
}
JD_SERVICE = {
    "服务单号": "800001",
    "订单号": "290001",
    "商品编号": "1000",
    "商品名称": "杯",
    "服务类型": "退货",
    "服务单状态": "待审核",
    "处理结果": "",
    "退款金额": "",
    "申请时间": "2025-01-08 10:00:00",
    "申请原因": "质量问题",
}


@pytest.mark.parametrize(
    ("row", "code", "cells", "told"),
    [
        (PDD_CASE, "pdd", {}, ("return_refund", "applied", None)),
        (PDD_CASE, "pdd", {"售后状态": "退款成功"}, ("return_refund", "completed", "refunded")),
        (
            PDD_CASE,
            "pdd",
            {"售后状态": "已同意退货退款,待用户发货"},
            ("return_refund", "awaiting_return", None),
        ),
        (
            PDD_CASE,
            "pdd",
            {"售后类型": "换货", "售后状态": "换货补寄成功"},
            ("exchange", "completed", "done"),
        ),
        (PDD_CASE, "pdd", {"售后状态": "平台处理中"}, ("return_refund", "mediating", None)),
        (PDD_CASE, "pdd", {"售后状态": "买家撤销"}, ("return_refund", "closed", "closed")),
        (JD_SERVICE, "jd", {}, ("return_refund", "applied", None)),
        (
            JD_SERVICE,
            "jd",
            {"服务单状态": "完成", "处理结果": "退款", "退款金额": "9"},
            ("return_refund", "completed", "refunded"),
        ),
        (
            JD_SERVICE,
            "jd",
            {"服务类型": "换货", "服务单状态": "完成"},
            ("exchange", "completed", "done"),
        ),
        (JD_SERVICE, "jd", {"服务单状态": "审核不通过"}, ("return_refund", "refused", None)),
    ],
)
def test_the_after_sales_of_pinduoduo_and_jd(read, row, code, cells, told):
    where, (case,) = read([row | cells])

    assert (where.dialect.code, where.dialect.kind) == (code, CASES)
    assert where.unknown == ()
    assert (case.kind, case.state, case.outcome) == told
    assert case.reason == "quality"
    assert case.warnings == ()


def test_a_service_that_is_done_without_a_word_of_the_money_is_not_guessed(read):
    _where, (case,) = read([JD_SERVICE | {"服务单状态": "完成"}])

    assert (case.state, case.outcome) == (None, None)
    assert [remark.code for remark in case.warnings] == ["outcome_unknown"]


def test_between_dialects_that_fit_alike_the_headers_do_not_decide():
    headers = ["订单号", "商品名称", "售后状态", "申请时间", "售后原因", "售后编号", "服务单号"]

    assert [one.dialect.code for one in rivals(candidates(headers))] == ["pdd", "jd"]
    for platform in ("jd", "pdd"):
        ranked = candidates(headers, platform=platform)
        assert ranked[0].dialect.platform == platform
        assert rivals(ranked) == []


def test_a_sheet_that_may_be_orders_or_cases_is_asked_about():
    headers = ["店铺代码", "订单编号", "订单行号", "数量", "实付金额", "售后类型", "申请时间"]

    ranked = candidates(headers)

    assert {one.dialect.title for one in rivals(ranked)} == {"native orders", "native cases"}


def test_a_platforms_sheet_that_lacks_what_it_needs_is_never_taken_as_any_other():
    """买家实际支付金额 is what refunds left: no common name may make it what was paid."""
    headers = [
        name for name in makers.TAOBAO_ORDERS if name.strip() not in {"订单状态", "订单付款时间"}
    ]

    first = candidates(headers)[0]

    assert (first.dialect.code, first.dialect.kind) == ("taobao", ORDERS)
    assert first.missing == ("订单付款时间 / 订单状态",)


def test_candidates_say_how_well_they_fit_and_what_they_lack():
    ranked = candidates(["订单编号", "标题", "价格", "备注二"])

    assert [0 <= one.score <= 1 for one in ranked] == [True] * len(ranked)
    best = ranked[0]
    assert (best.dialect.code, best.dialect.kind) == ("taobao", "order_lines")
    assert best.missing == ("购买数量",)
    assert best.unknown == ("备注二",)


def test_every_dialect_has_a_title_of_its_own():
    titles = [dialect.title for dialect in ALL]

    assert len(set(titles)) == len(titles)
    for dialect in ALL:
        assert dialect in by_code(dialect.code, dialect.kind)


def test_two_columns_that_say_all_are_a_sheet_and_three_strange_ones_are_none():
    assert recognise(["订单号", "实付金额"]).dialect.code == "generic"
    assert recognise(["订单号", "实付金额", "颜值", "心情"]) is None


@pytest.mark.parametrize(
    "name",
    [
        "商品总价",
        "商品总价（元）",
        " 商品总价 (元)*",
        "商品总价/元",
        "商品总价：",
        "商品总价(单位:元)",
    ],
)
def test_a_unit_and_marks_behind_a_name_do_not_matter(name):
    where = lay_over(by_code("pdd", ORDERS)[0], ["订单号", name])

    assert where.positions == {"order_no": 0, "goods": 1}


def test_a_name_as_printed_goes_before_one_that_is_only_alike():
    where = lay_over(
        by_code("native", ORDERS)[0], ["Order No.", "order_no", "金额", "实付金额(元)"]
    )

    assert where.positions == {"order_no": 1, "paid_amount": 3}
    assert where.unknown == ("Order No.", "金额")


def recent(row):
    """The same row in the month of the desk's orders."""
    return {name: cell.replace("2025-01-", "2026-03-") for name, cell in row.items()}


def test_a_shop_systems_orders_and_cases_arrive_in_the_books(desk):
    orders = [recent(row) | {"店铺": "shop"} for row in JUSHUITAN]
    sheet = desk.file(list(orders[0]), *orders)
    cells = recent(ERP_CASE) | {"商家编码": "B", "订单号": "350001"}
    cells.pop("原始单号")

    assert counts(desk.take(sheet)) == {"created": 2}
    assert counts(desk.take(sheet)) == {"unchanged": 2}
    (first, second) = order("350001").lines.order_by("pk")
    assert (first.paid_amount, second.paid_amount) == (Decimal("10.00"), Decimal("15.00"))
    assert order("350001").freight_paid == Decimal("5.00")

    result = desk.take(desk.file(list(cells), cells), shop="shop")
    assert counts(result) == {"created": 1}
    assert (case("R1").state, case("R1").refunded) == ("completed", Decimal("15.00"))


def test_after_sales_of_pinduoduo_move_the_case_they_made(desk):
    Shop.objects.create(code="pdd1", name="pdd1", platform="pdd")
    sold = {"订单号": "260305-1", "用户实付金额(元)": "50.00", "订单状态": "已收货"}
    sold |= {"订单成交时间": "2026-03-05 08:00:00", "商品": "杯", "商品数量(件)": "1"}
    applied = recent(PDD_CASE) | {"订单编号": "260305-1"}

    assert counts(desk.take(desk.file(list(sold), sold), shop="pdd1")) == {"created": 1}
    assert counts(desk.take(desk.file(list(applied), applied), shop="pdd1")) == {"created": 1}
    assert case("90001").state == "applied"
    done = applied | {"售后状态": "退款成功", "退款时间": "2026-03-09 08:00:00"}
    assert counts(desk.take(desk.file(list(done), done), shop="pdd1")) == {"updated": 1}
    assert (case("90001").state, case("90001").refunded) == ("completed", Decimal("50.00"))
