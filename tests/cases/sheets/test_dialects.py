"""The platforms' sheets become facts, whatever order and selection of columns they come in."""

import random
from datetime import datetime
from decimal import Decimal

import pytest

from cases.sheets import registry
from cases.sheets.dialects import by_code, known_names, lay_over, mapped, read_facts, recognise
from cases.sheets.dialects.base import Options
from cases.sheets.facts import CASES, ORDER_LINES, ORDERS, BadRow
from cases.sheets.reader import open_sheet
from cases.sheets.values import ZONE
from tests.cases.sheets.files import makers
from tests.cases.sheets.files.makers import (
    DOUYIN_AFTER_SALES,
    DOUYIN_ORDERS,
    JD_ORDERS,
    NATIVE_CASES,
    NATIVE_ORDER,
    NATIVE_ORDERS,
    PDD_ORDERS,
    TAOBAO_DETAILS,
    TAOBAO_ORDER,
    TAOBAO_ORDERS,
    TAOBAO_ORDERS_NEW,
    TAOBAO_REFUNDS_2017,
    TAOBAO_REFUNDS_2024,
)

PRINTED = [
    pytest.param(TAOBAO_ORDERS, "taobao", ORDERS, id="taobao orders 2018"),
    pytest.param(TAOBAO_ORDERS_NEW, "taobao", ORDERS, id="taobao orders newer"),
    pytest.param(TAOBAO_DETAILS, "taobao", ORDER_LINES, id="taobao details"),
    pytest.param(TAOBAO_REFUNDS_2017, "taobao", CASES, id="taobao refunds 2017"),
    pytest.param(TAOBAO_REFUNDS_2024, "taobao", CASES, id="taobao refunds 2024"),
    pytest.param(DOUYIN_ORDERS, "douyin", ORDERS, id="douyin orders"),
    pytest.param(DOUYIN_AFTER_SALES, "douyin", CASES, id="douyin after-sales"),
    pytest.param(PDD_ORDERS, "pdd", ORDERS, id="pinduoduo orders"),
    pytest.param(JD_ORDERS[:-1], "jd", ORDERS, id="jd orders"),
    pytest.param(NATIVE_ORDERS, "native", ORDERS, id="native orders"),
    pytest.param(NATIVE_CASES, "native", CASES, id="native cases"),
]

DOUYIN_ORDER = {
    "主订单编号": "\t6920000000000000001",
    "子订单编号": "\t6920000000000000002",
    "选购商品": "\t保温杯",
    "商品规格": "\t白色",
    "商品数量": "2",
    "商家编码": "\tCUP-W",
    "商品单价": "50.00",
    "订单应付金额": "90.00",
    "运费": "0.00",
    "优惠总金额": "10.00",
    "收件人": "\t##aBc",
    "收件人手机号": "\t$$1##",
    "省": "浙江省",
    "市": "杭州市",
    "订单提交时间": "2025-01-05 08:00:00",
    "支付完成时间": "2025-01-05 08:01:00",
    "订单状态": "已发货",
    "承诺发货时间": "2025-01-07 08:01:00",
    "发货时间": "2025-01-06 10:00:00",
    "序列号": "-",
}
TAOBAO_REFUND = {
    "订单编号": "351234567890123456",
    "退款编号": "99001",
    "宝贝标题": "纯棉短袖",
    "买家退款金额": "99.50",
    "退款的申请时间": "2025-01-08 10:00:00",
    "超时时间": "2025-01-10 10:00:00",
    "退款状态": "买家已经申请退款，等待卖家同意",
    "货物状态": "已收到货",
    "买家退款原因": "质量问题",
    "售中或售后": "售中",
}
DOUYIN_CASE = {
    "售后单号": "\t7100000000000000001",
    "订单号": "\t6920000000000000001",
    "商品单号": "\t6920000000000000002",
    "商品发货状态": "已发货",
    "售后类型": "退货退款",
    "退商品金额（元）": "80.00",
    "退运费金额（元）": "10.00",
    "售后状态": "待商家处理",
    "售后申请时间": "2025-01-08 10:00:00",
    "售后原因": "7天无理由退货",
    "自动处理截止时间": "2025-01-10 10:00:00",
}
NATIVE_CASE = {
    "case_no": "C1",
    "order_no": "A1",
    "line_no": "1",
    "quantity": "1",
    "kind": "return_refund",
    "reason": "no_reason",
    "amount": "49.90",
    "applied_at": "2025-01-08 10:00:00",
    "state": "applied",
}


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.fixture
def read(tmp_path):
    """Feeds rows through a real file, the reader and the dialect its headers show."""

    def read(headers, *rows, options=None, among=None):
        filled = makers.rows_of(headers, *rows)
        path = makers.csv_file(tmp_path / "a.csv", [headers, *filled], encoding="utf-8-sig")
        with open_sheet(path) as table:
            where = recognise(table.headers) if among is None else lay_over(among, table.headers)
            assert where is not None
            assert not where.missing
            return list(read_facts(table, where, options))

    return read


@pytest.mark.parametrize(("headers", "code", "kind"), PRINTED)
def test_a_printed_header_is_recognised_wholly(headers, code, kind):
    where = recognise(headers)

    assert (where.dialect.code, where.dialect.kind) == (code, kind)
    assert where.unknown == ()
    assert where.missing == ()


@pytest.mark.parametrize(
    "headers",
    [
        [*TAOBAO_ORDERS, "是否信用购", "体验期结束时间", "前N有礼", "配送类型", "主订单编号"],
        TAOBAO_ORDERS[: TAOBAO_ORDERS.index("修改后的sku")],
        TAOBAO_ORDERS[: TAOBAO_ORDERS.index("店铺Id")],
    ],
)
def test_later_and_older_files_of_taobao_are_recognised_wholly(headers):
    where = recognise(headers)

    assert (where.dialect.code, where.dialect.kind) == ("taobao", ORDERS)
    assert (where.unknown, where.missing) == ((), ())


@pytest.mark.parametrize(("headers", "code", "kind"), PRINTED)
@pytest.mark.parametrize("seed", range(5))
def test_columns_may_stand_in_any_order_with_some_missing_and_some_more(headers, code, kind, seed):
    dice = random.Random(seed)
    dialect = recognise(headers).dialect
    positions = set(lay_over(dialect, headers).positions.values())
    needed = {
        header
        for name in (*dialect.required, *(group[0] for group in dialect.any_of))
        for header in [headers[lay_over(dialect, headers).positions[name]]]
    }
    optional = [header for header in headers if header not in needed]
    dice.shuffle(optional)
    some = [*needed, *optional[: len(optional) * 2 // 3], "新增的列"]
    dice.shuffle(some)
    assert positions

    where = recognise(some)

    assert (where.dialect.code, where.dialect.kind) == (code, kind)
    assert where.unknown == ("新增的列",)
    assert where.missing == ()


@pytest.mark.parametrize(("headers", "code", "kind"), PRINTED)
def test_a_missing_required_column_is_named(headers, code, kind):
    dialect = recognise(headers).dialect
    lost = headers[lay_over(dialect, headers).positions[dialect.required[0]]]

    where = recognise([header for header in headers if header != lost], by_code(code, kind))

    assert where.missing
    assert dialect.header(dialect.required[0]) in where.missing


@pytest.mark.parametrize("change", [str.upper, str.lower, lambda name: f" {name}\u3000"])
@pytest.mark.parametrize(("headers", "code", "kind"), PRINTED)
def test_case_blanks_and_brackets_of_a_header_do_not_matter(headers, code, kind, change):
    table = str.maketrans("（）", "()")

    where = recognise([change(header).translate(table) for header in headers])

    assert (where.dialect.code, where.dialect.kind, where.unknown) == (code, kind, ())


def test_columns_nobody_knows_are_no_dialect():
    assert recognise(["姓名", "年龄", "城市"]) is None


def test_the_chinese_headers_of_our_own_sheets_are_ours():
    for kind, sheet in registry.outgoing().items():
        if kind not in registry.incoming():
            continue  # a statement only goes out
        where = recognise(sheet.layout.headers("zh"))
        assert (where.dialect.code, where.dialect.kind, where.unknown) == ("native", kind, ())


def test_the_columns_of_the_error_workbook_are_no_columns():
    where = recognise(["行号", "错误", *TAOBAO_ORDERS])

    assert where.unknown == ()
    assert where.headers[where.positions["order_no"]] == "订单编号"


def test_every_printed_header_helps_to_find_the_header_row():
    assert len(known_names()) > 200


def test_a_taobao_order_says_what_was_paid(read):
    (order,) = read(TAOBAO_ORDERS, TAOBAO_ORDER)

    assert order.order_no == "351234567890123456"
    assert order.platform == "taobao"
    assert order.shop_name == "某某旗舰店"
    assert order.status == "finished"
    assert order.total_paid == Decimal("209.00")
    assert order.freight_paid == Decimal("10.00")
    assert order.reported_refunded == Decimal("0.00")
    assert order.paid_at == at("2025-01-05 08:01:10")
    assert order.finished_at == at("2025-01-12 09:00:00")
    assert order.phone == "19900001234"
    assert order.address == "浙江省 杭州市 西湖区 某街道1号"
    assert order.waybill == "SF0012345"
    assert order.line_count_hint == 2
    assert order.title == "纯棉短袖 夏季新款"
    assert order.lines == ()
    assert order.rows == (2,)
    assert order.extra["订单备注"] == "'发顺丰"
    assert order.warnings == ()


def test_a_taobao_order_never_paid_carries_no_money(read):
    (order,) = read(TAOBAO_ORDERS, TAOBAO_ORDER | {"订单付款时间": "", "订单状态": "交易关闭"})

    assert order.status == "closed"
    assert order.total_paid == 0
    assert order.freight_paid == 0
    assert order.reported_refunded is None


def test_what_remains_after_a_refund_is_not_what_was_paid(read):
    (order,) = read(
        TAOBAO_ORDERS, TAOBAO_ORDER | {"买家实际支付金额": "159.00", "退款金额": "50.00"}
    )

    assert order.total_paid == Decimal("209.00")
    assert order.reported_refunded == Decimal("50.00")
    assert order.warnings == ()


def test_sums_that_do_not_add_up_are_remarked_and_taken(read):
    (order,) = read(
        TAOBAO_ORDERS, TAOBAO_ORDER | {"买家实际支付金额": "150.00", "退款金额": "50.00"}
    )

    assert order.total_paid == Decimal("209.00")
    assert [remark.code for remark in order.warnings] == ["sum_differs"]


def test_a_report_without_a_refund_column_shows_the_refund_by_what_remains(read):
    headers = [header for header in TAOBAO_ORDERS if header != "退款金额"]
    row = {name: cell for name, cell in TAOBAO_ORDER.items() if name != "退款金额"}

    (order,) = read(headers, row | {"买家实际支付金额": "150.00"})

    assert order.reported_refunded == Decimal("59.00")


@pytest.mark.parametrize("comma", ["，", ","])
def test_a_closed_order_whose_refund_succeeded_is_fully_refunded(read, comma):
    status = f"付款以后用户退款成功{comma}交易自动关闭"

    (order,) = read(
        TAOBAO_ORDERS, TAOBAO_ORDER | {"订单状态": status, "买家实际支付金额": "0", "退款金额": ""}
    )

    assert (order.status, order.fully_refunded) == ("closed", True)
    assert order.reported_refunded == Decimal("209.00")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("等待买家付款", "unpaid"),
        ("买家已付款，等待卖家发货", "paid"),
        ("买家已付款,等待卖家发货", "paid"),
        ("卖家已发货，等待买家确认", "shipped"),
        ("交易成功", "finished"),
        ("交易关闭", "closed"),
    ],
)
def test_the_words_of_taobao_are_known(read, words, status):
    (order,) = read(TAOBAO_ORDERS, TAOBAO_ORDER | {"订单状态": words})

    assert order.status == status


def test_an_unknown_status_is_remarked_and_the_rest_is_taken(read):
    (order,) = read(TAOBAO_ORDERS, TAOBAO_ORDER | {"订单状态": "外星人已签收"})

    assert order.status is None
    assert order.total_paid == Decimal("209.00")
    (remark,) = order.warnings
    assert (remark.row, remark.column, remark.value) == (2, "订单状态", "外星人已签收")
    assert "2" in remark.message


def test_the_newer_report_says_the_same(read):
    (order,) = read(
        TAOBAO_ORDERS_NEW,
        {
            "订单编号": "351",
            "订单付款时间": "2025-01-05 08:01:10",
            "发货时间": "2025-01-06 08:00:00",
            "订单状态": "交易成功",
            "买家实付金额": "100.00",
            "退款金额": "无退款申请",
            "总金额": "100.00",
            "买家应付邮费": "8.00",
            "商品标题": "保温杯",
            "宝贝总数量": "1",
        },
    )

    assert order.total_paid == Decimal("100.00")
    assert order.freight_paid == Decimal("8.00")
    assert not order.reported_refunded
    assert order.shipped_at == at("2025-01-06 08:00:00")
    assert order.title == "保温杯"
    assert order.warnings == ()


def test_order_details_are_lines_numbered_as_they_stand(read):
    def detail(order_no, title):
        return {
            "订单编号": order_no,
            "标题": title,
            "价格": "9.90",
            "购买数量": "2",
            "商家编码": "S",
        }

    facts = read(
        TAOBAO_DETAILS,
        detail('="1"', "甲"),
        detail('="1"', "乙"),
        detail('="2"', "丙"),
        detail('="1"', "丁"),
    )

    assert [
        (order.order_no, [(line.line_no, line.title) for line in order.lines]) for order in facts
    ] == [("1", [(1, "甲"), (2, "乙")]), ("2", [(1, "丙")]), ("1", [(3, "丁")])]
    line = facts[0].lines[0]
    assert (line.quantity, line.unit_price, line.paid_amount) == (2, Decimal("9.90"), None)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ({"售后类型": "仅退款", "货物状态": "未发货"}, "refund_unshipped"),
        ({"售后类型": "仅退款", "货物状态": "未收到货"}, "refund_in_transit"),
        ({"售后类型": "仅退款", "货物状态": "买家已收到货"}, "refund_received"),
        ({"售后类型": "退货退款", "货物状态": "已收到货"}, "return_refund"),
        ({"售后类型": "换货"}, "exchange"),
        ({"售后类型": "补寄"}, "resend"),
        ({"售后类型": "维修"}, "repair"),
    ],
)
def test_the_kind_of_a_taobao_refund(read, cells, kind):
    (case,) = read(TAOBAO_REFUNDS_2024, TAOBAO_REFUND | cells)

    assert case.kind == kind
    assert case.warnings == ()


@pytest.mark.parametrize(
    ("goods_back", "goods", "kind"),
    [
        ("是", "买家已收到货", "return_refund"),
        ("否", "买家已收到货", "refund_received"),
        ("否", "未发货", "refund_unshipped"),
        ("", "买家未收到货", "refund_in_transit"),
    ],
)
def test_the_older_export_says_whether_goods_come_back(read, goods_back, goods, kind):
    (case,) = read(
        TAOBAO_REFUNDS_2017, TAOBAO_REFUND | {"是否需要退货": goods_back, "货物状态": goods}
    )

    assert case.kind == kind


def test_a_refund_that_does_not_say_where_the_goods_are_is_not_guessed(read):
    (case,) = read(TAOBAO_REFUNDS_2024, TAOBAO_REFUND | {"售后类型": "仅退款", "货物状态": ""})

    assert case.kind is None
    assert [remark.code for remark in case.warnings] == ["kind_unknown"]


@pytest.mark.parametrize(
    ("words", "state", "outcome"),
    [
        ("买家已经申请退款，等待卖家同意", "applied", None),
        ("卖家已经同意退款,等待买家退货", "awaiting_return", None),
        ("买家已经退货，等待卖家确认收货", "returning", None),
        ("卖家拒绝退款", "refused", None),
        ("退款关闭", "closed", "closed"),
        ("退款成功", "completed", "refunded"),
    ],
)
def test_the_state_of_a_taobao_refund(read, words, state, outcome):
    (case,) = read(
        TAOBAO_REFUNDS_2024,
        TAOBAO_REFUND
        | {"售后类型": "仅退款", "退款状态": words, "退款完结时间": "2025-01-09 12:00:00"},
    )

    assert (case.state, case.outcome) == (state, outcome)
    refunded = outcome == "refunded"
    assert case.refunded_amount == (Decimal("99.50") if refunded else None)
    assert case.refunded_at == (at("2025-01-09 12:00:00") if refunded else None)
    assert case.refund_number == ("99001" if refunded else "")


def test_a_taobao_refund_says_all_else(read):
    (case,) = read(
        TAOBAO_REFUNDS_2024, TAOBAO_REFUND | {"售后类型": "退货退款", "商品编码": "SKU-1"}
    )

    assert case.platform_case_no == "99001"
    assert case.order_no == "351234567890123456"
    assert case.amount == Decimal("99.50")
    assert case.applied_at == at("2025-01-08 10:00:00")
    assert case.platform_due_at == at("2025-01-10 10:00:00")
    assert case.seen_at == at("2025-01-08 10:00:00")
    assert (case.reason, case.reason_words) == ("quality", "质量问题")
    assert (case.phase, case.goods, case.sku) == ("onsale", "received", "SKU-1")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("多拍/错拍/不想要", {"not_wanted", "wrong_purchase"}),
        ("拍多/拍错/不想要", {"not_wanted", "wrong_purchase"}),
        ("七天无理由退换货", {"no_reason"}),
        ("7天无理由退货", {"no_reason"}),
        ("未按约定时间发货", {"late_dispatch"}),
        ("缺货", {"out_of_stock"}),
        ("快递一直未送到", {"not_arrived"}),
        ("物流一直未收到", {"not_arrived"}),
        ("空包裹", {"empty_parcel"}),
        ("少件/漏发", {"missing_parts"}),
        ("卖家发错货", {"wrong_item"}),
        ("商品破损/污渍", {"damaged"}),
        ("描述不符", {"not_as_described"}),
        ("尺寸与商品描述不符", {"not_as_described"}),
        ("材质/面料不符", {"not_as_described"}),
        ("质量问题", {"quality"}),
        ("假冒品牌", {"counterfeit"}),
        ("过敏", {"allergy"}),
        ("生产日期/保质期不符", {"expiry"}),
        ("发票问题", {"invoice_problem"}),
        ("退运费", {"freight_refund"}),
        ("协商一致退款", {"agreed"}),
        ("地址/电话信息填写错误", {"address_error"}),
    ],
)
def test_the_buyers_reasons_are_known(read, words, code):
    (case,) = read(TAOBAO_REFUNDS_2024, TAOBAO_REFUND | {"售后类型": "换货", "买家退款原因": words})

    assert case.reason in code
    assert case.reason_words == words
    assert case.warnings == ()


def test_an_unknown_reason_is_other_with_its_words_kept(read):
    (case,) = read(
        TAOBAO_REFUNDS_2024, TAOBAO_REFUND | {"售后类型": "换货", "买家退款原因": "星星不亮"}
    )

    assert (case.reason, case.reason_words) == ("other", "星星不亮")
    assert [remark.column for remark in case.warnings] == ["买家退款原因"]


def test_a_douyin_order_gathers_its_sub_orders(read):
    second = DOUYIN_ORDER | {"子订单编号": "\t6920000000000000003", "订单应付金额": "90.00"}
    other = DOUYIN_ORDER | {"主订单编号": "\t6930000000000000001"}

    first, last = read(DOUYIN_ORDERS, DOUYIN_ORDER, second, other)

    assert first.order_no == "6920000000000000001"
    assert first.rows == (2, 3)
    assert [line.sub_order_no for line in first.lines] == [
        "6920000000000000002",
        "6920000000000000003",
    ]
    line = first.lines[0]
    assert line.paid_amount == Decimal("90.00")
    assert (line.sku, line.title, line.quantity) == ("CUP-W", "保温杯 白色", 2)
    assert line.serials == ()
    assert line.ship_by == at("2025-01-07 08:01:00")
    assert first.total_paid is None
    assert first.status == "shipped"
    assert first.address == "浙江省杭州市"
    assert first.receiver == "##aBc"
    assert last.order_no == "6930000000000000001"


@pytest.mark.parametrize(
    ("payable", "paid"),
    [("90.00", "90.00"), ("98.00", "90.00"), ("97.00", "89.00")],
    ids=["freight on top", "freight inside", "neither fits: inside"],
)
def test_the_arithmetic_of_a_douyin_row_says_where_its_freight_is(read, payable, paid):
    (order,) = read(DOUYIN_ORDERS, DOUYIN_ORDER | {"订单应付金额": payable, "运费": "8.00"})

    assert order.lines[0].paid_amount == Decimal(paid)
    assert order.freight_paid == Decimal("8.00")


@pytest.mark.parametrize(
    ("first", "second", "freight"),
    [("8.00", "8.00", "8.00"), ("8.00", "0", "8.00"), ("5", "3", "8")],
)
def test_freight_that_repeats_on_sub_orders_counts_once(read, first, second, freight):
    (order,) = read(
        DOUYIN_ORDERS,
        DOUYIN_ORDER | {"运费": first},
        DOUYIN_ORDER | {"运费": second, "子订单编号": "\t6920000000000000003"},
    )

    assert order.freight_paid == Decimal(freight)
    assert [line.paid_amount for line in order.lines] == [Decimal("90.00")] * 2


def test_a_douyin_order_never_paid_carries_no_money(read):
    (order,) = read(DOUYIN_ORDERS, DOUYIN_ORDER | {"支付完成时间": "-", "订单状态": "已关闭"})

    assert (order.total_paid, order.lines[0].paid_amount) == (0, 0)
    assert order.status == "closed"


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("已发货", "已完成", "shipped"),
        ("已关闭", "已完成", "finished"),
        ("已关闭", "已关闭", "closed"),
        ("备货中", "已发货", "paid"),
    ],
)
def test_a_douyin_order_is_as_far_as_its_last_sub_order(read, first, second, status):
    (order,) = read(
        DOUYIN_ORDERS,
        DOUYIN_ORDER | {"订单状态": first},
        DOUYIN_ORDER | {"订单状态": second, "子订单编号": "\t6920000000000000003"},
    )

    assert order.status == status


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ({"售后类型": "未发货仅退款", "商品发货状态": "未发货"}, "refund_unshipped"),
        ({"售后类型": "已发货仅退款"}, "refund_in_transit"),
        ({"售后类型": "已发货仅退款", "发货物流状态": "已签收"}, "refund_received"),
        ({"售后类型": "仅退款", "商品发货状态": "未发货"}, "refund_unshipped"),
        ({"售后类型": "仅退款", "商品发货状态": "已发货"}, "refund_in_transit"),
        ({"售后类型": "退货退款"}, "return_refund"),
        ({"售后类型": "换货"}, "exchange"),
        ({"售后类型": "补寄"}, "resend"),
        ({"售后类型": "维修"}, "repair"),
    ],
)
def test_the_kind_of_a_douyin_after_sale(read, cells, kind):
    (case,) = read(DOUYIN_AFTER_SALES, DOUYIN_CASE | cells)

    assert case.kind == kind


@pytest.mark.parametrize(
    ("words", "state", "outcome"),
    [
        ("待商家处理", "applied", None),
        ("售后申请", "applied", None),
        ("待买家退货", "awaiting_return", None),
        ("待商家收货", "returning", None),
        ("待收退货", "returning", None),
        ("商家拒绝", "refused", None),
        ("售后已拒绝", "refused", None),
        ("待商家发货", "awaiting_dispatch", None),
        ("待买家收货", "awaiting_receipt", None),
        ("同意退款，退款成功", "completed", "refunded"),
        ("退款成功", "completed", "refunded"),
        ("换货成功", "completed", "done"),
        ("售后关闭", "closed", "closed"),
        ("量子纠缠中", None, None),
    ],
)
def test_the_state_of_a_douyin_after_sale(read, words, state, outcome):
    (case,) = read(
        DOUYIN_AFTER_SALES, DOUYIN_CASE | {"售后状态": words, "商家退款时间": "2025-01-09 10:00:00"}
    )

    assert (case.state, case.outcome) == (state, outcome)
    assert case.refunded_amount == (Decimal("90.00") if outcome == "refunded" else None)
    assert len(case.warnings) == (state is None)
    assert case.seen_at == at("2025-01-09 10:00:00")


def test_a_douyin_after_sale_names_its_sub_order(read):
    (case,) = read(DOUYIN_AFTER_SALES, DOUYIN_CASE)

    assert case.platform_case_no == "7100000000000000001"
    assert (case.order_no, case.sub_order_no) == ("6920000000000000001", "6920000000000000002")
    assert (case.amount, case.freight) == (Decimal("80.00"), Decimal("10.00"))
    assert case.platform_due_at == at("2025-01-10 10:00:00")
    assert case.reason == "no_reason"


def test_native_lines_of_one_order_are_gathered(read):
    facts = read(
        NATIVE_ORDERS,
        NATIVE_ORDER | {"freight_paid": "8", "promises": "quality;ship_on_time", "status": "paid"},
        NATIVE_ORDER | {"line_no": "2", "freight_paid": "8", "serials": "SN1;SN2", "quantity": "2"},
        NATIVE_ORDER | {"order_no": "A2"},
        NATIVE_ORDER | {"line_no": "3"},
    )

    assert [(order.order_no, order.rows) for order in facts] == [
        ("A1", (2, 3)),
        ("A2", (4,)),
        ("A1", (5,)),
    ]
    first = facts[0]
    assert first.freight_paid == Decimal("8.00")
    assert first.total_paid is None
    assert [line.line_no for line in first.lines] == [1, 2]
    assert first.lines[0].promises == ("quality", "ship_on_time")
    assert first.lines[1].serials == ("SN1", "SN2")
    assert (first.shop_code, first.platform, first.status) == ("S1", "other", "paid")


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("paid_at", "2025-01-06 08:00:00"),
        ("freight_paid", "9.00"),
        ("buyer", "另一人"),
        ("status", "closed"),
        ("finished_at", "2025-02-01"),
    ],
)
def test_rows_of_an_order_that_disagree_are_refused_together(read, field, other):
    said = {"freight_paid": "8.00", "buyer": "甲", "status": "paid", "finished_at": "2025-01-20"}

    facts = read(
        NATIVE_ORDERS,
        NATIVE_ORDER | said,
        NATIVE_ORDER | said | {"line_no": "2", field: other},
        NATIVE_ORDER | {"order_no": "A2"},
    )

    assert [type(fact) for fact in facts[:2]] == [BadRow, BadRow]
    assert [(bad.row, bad.column, bad.code) for bad in facts[:2]] == [
        (2, field, "rows_disagree"),
        (3, field, "rows_disagree"),
    ]
    assert facts[2].order_no == "A2"


def test_an_order_value_written_on_the_first_row_only_holds_for_all(read):
    (order,) = read(
        NATIVE_ORDERS,
        NATIVE_ORDER | {"buyer": "甲", "freight_paid": "8"},
        NATIVE_ORDER | {"line_no": "2", "paid_at": ""},
    )

    assert (order.buyer, order.freight_paid) == ("甲", Decimal("8.00"))
    assert order.paid_at == at("2025-01-05 08:00:00")


def test_the_same_line_twice_in_an_order_is_refused(read):
    facts = read(NATIVE_ORDERS, NATIVE_ORDER, NATIVE_ORDER)

    assert [bad.column for bad in facts] == ["line_no", "line_no"]


def test_a_native_order_never_paid_carries_no_money(read):
    (order,) = read(NATIVE_ORDERS, NATIVE_ORDER | {"paid_at": ""})

    assert (order.total_paid, order.lines[0].paid_amount) == (0, 0)


def test_price_and_discount_are_checked_only_when_both_are_there(read):
    fits, differs, alone = read(
        NATIVE_ORDERS,
        NATIVE_ORDER | {"unit_price": "59.90", "discount": "10"},
        NATIVE_ORDER | {"order_no": "A2", "unit_price": "59.90", "discount": "9"},
        NATIVE_ORDER | {"order_no": "A3", "unit_price": "59.90"},
    )

    assert (fits.warnings, alone.warnings) == ((), ())
    assert [remark.code for remark in differs.warnings] == ["price_differs"]


@pytest.mark.parametrize(
    ("field", "cell", "code"),
    [
        ("paid_amount", "abc", "bad_value"),
        ("paid_amount", "1.234", "too_precise"),
        ("paid_amount", "", "missing"),
        ("quantity", "1.5", "bad_value"),
        ("order_no", "3.51E+16", "lost_digits"),
        ("paid_at", "01/02/2025", "ambiguous_date"),
    ],
)
def test_one_bad_cell_costs_its_row_and_is_named(read, field, cell, code):
    facts = read(
        NATIVE_ORDERS,
        NATIVE_ORDER,
        NATIVE_ORDER | {"order_no": "A2", field: cell},
        NATIVE_ORDER | {"order_no": "A3"},
    )

    (bad,) = [fact for fact in facts if isinstance(fact, BadRow)]
    assert [fact.order_no for fact in facts if fact is not bad] == ["A1", "A3"]
    assert (bad.row, bad.column, bad.value, bad.code) == (3, field, cell, code)
    assert "3" in bad.message
    assert field in bad.message
    assert bad.cells["shop"] == "S1"
    assert set(bad.cells) == set(NATIVE_ORDERS)


def test_all_that_is_wrong_with_a_row_is_said_at_once(read):
    (bad,) = read(
        NATIVE_ORDERS, NATIVE_ORDER | {"paid_amount": "abc", "quantity": "", "paid_at": "x"}
    )

    for field in ("paid_amount", "quantity", "paid_at"):
        assert field in bad.message


def test_three_decimals_are_rounded_where_the_user_chose_so(read):
    (order,) = read(
        NATIVE_ORDERS, NATIVE_ORDER | {"paid_amount": "1.235"}, options=Options(round_half_up=True)
    )

    assert order.lines[0].paid_amount == Decimal("1.24")


def test_values_of_unknown_columns_are_kept_with_the_row(read):
    headers = [*NATIVE_ORDERS, "仓库", "备注"]

    (order,) = read(headers, NATIVE_ORDER | {"仓库": "东莞", "备注": "加急"})

    assert order.extra == {"仓库": "东莞", "备注": "加急"}


def test_a_row_with_too_many_cells_is_refused_with_its_cells(tmp_path):
    rows = makers.rows_of(NATIVE_ORDERS, NATIVE_ORDER, NATIVE_ORDER | {"order_no": "A2"})
    path = makers.csv_file(tmp_path / "a.csv", [NATIVE_ORDERS, [*rows[0], "", "oops"], rows[1]])

    with open_sheet(path) as table:
        bad, good = read_facts(table, recognise(table.headers))

    assert isinstance(bad, BadRow)
    assert bad.cells["order_no"] == "A1"
    assert good.order_no == "A2"


def test_a_native_case_is_read(read):
    (case,) = read(NATIVE_CASES, NATIVE_CASE)

    assert (case.case_no, case.order_no, case.line_no) == ("C1", "A1", 1)
    assert (case.kind, case.reason, case.state) == ("return_refund", "no_reason", "applied")
    assert case.amount == Decimal("49.90")
    assert case.applied_at == at("2025-01-08 10:00:00")


@pytest.mark.parametrize(
    ("field", "cell", "said"),
    [("kind", "退货退款", "return_refund"), ("state", "待买家退货", "awaiting_return")],
)
def test_a_native_case_may_speak_chinese(read, field, cell, said):
    (case,) = read(NATIVE_CASES, NATIVE_CASE | {field: cell})

    assert getattr(case, field) == said


@pytest.mark.parametrize("field", ["kind", "state"])
def test_a_word_that_is_not_ours_is_refused_in_our_own_sheet(read, field):
    (bad,) = read(NATIVE_CASES, NATIVE_CASE | {field: "whatever"})

    assert (bad.column, bad.value, bad.code) == (field, "whatever", "bad_value")


@pytest.mark.parametrize(
    ("cell", "code", "words"),
    [("our_own_code", "our_own_code", ""), ("星星不亮", "other", "星星不亮"), ("", None, "")],
)
def test_a_reason_of_our_own_table_passes_and_free_words_are_other(read, cell, code, words):
    (case,) = read(NATIVE_CASES, NATIVE_CASE | {"reason": cell})

    assert (case.reason, case.reason_words) == (code, words)


def test_a_sheet_of_the_users_own_is_read_by_a_mapping(read):
    dialect = mapped(ORDERS, {"单子": "order_no", "付了": "paid_amount", "货": "title"})

    orders = read(
        ["单子", "付了", "货"],
        {"单子": "B1", "付了": "10", "货": "甲"},
        {"单子": "B1", "付了": "20", "货": "乙"},
        among=dialect,
    )

    (order,) = orders
    assert [(line.line_no, line.quantity, line.paid_amount) for line in order.lines] == [
        (1, 1, Decimal("10.00")),
        (2, 1, Decimal("20.00")),
    ]


def test_a_mapping_to_a_field_that_does_not_exist_is_refused():
    with pytest.raises(KeyError):
        mapped(ORDERS, {"单子": "colour"})


PDD_ORDER = {
    "订单成交时间": "2025-01-05 08:00:00\t",
    "商品": "保温杯\t",
    "订单号": "250105-123456789012345\t",
    "订单状态": "已发货，待收货\t",
    "商品总价(元)": "100.00",
    "邮费(元)": "6.00",
    "用户实付金额(元)": "96.00",
    "商品数量(件)": "2",
    "商家编码-规格维度": "CUP-W\t",
    "售后状态": "无售后或售后取消\t",
}
JD_ORDER = {
    "订单号": "300001",
    "商品ID": "7001",
    "商品名称": "电饭煲",
    "订购数量": "1",
    "下单时间": "2025-01-05 08:00:00",
    "京东价": "199.00",
    "余额支付": "50.00",
    "应付金额": "250.00",
    "订单状态": "等待确认收货",
    "运费金额": "6.00",
    "付款确认时间": "2025-01-05 08:01:00",
}


def test_a_pinduoduo_order_below_a_title_and_above_a_total(tmp_path):
    rows = makers.rows_of(PDD_ORDERS, PDD_ORDER)
    path = makers.csv_file(tmp_path / "a.csv", [["订单导出"], PDD_ORDERS, *rows, ["总计", "1"]])

    with open_sheet(path) as table:
        (order,) = read_facts(table, recognise(table.headers))

    assert order.order_no == "250105-123456789012345"
    assert (order.status, order.total_paid) == ("shipped", Decimal("96.00"))
    assert order.paid_at == at("2025-01-05 08:00:00")
    (line,) = order.lines
    assert (line.sku, line.quantity, line.paid_amount) == ("CUP-W", 2, Decimal("90.00"))
    assert order.reported_refunded is None


def test_a_blank_deal_time_is_the_day_of_the_order_number(read):
    (order,) = read(PDD_ORDERS, PDD_ORDER | {"订单成交时间": "\t"})

    assert order.paid_at == at("2025-01-05 00:00:00")
    assert [remark.code for remark in order.warnings] == ["day_of_number"]


@pytest.mark.parametrize(
    ("cells", "refunded", "paid"),
    [
        ({"售后状态": "退款成功", "订单状态": "已取消"}, "96.00", "96.00"),
        ({"订单状态": "待付款", "订单成交时间": ""}, None, "0"),
        ({"订单状态": "已取消", "订单成交时间": ""}, None, "0"),
    ],
)
def test_the_money_of_a_pinduoduo_order_that_ended(read, cells, refunded, paid):
    (order,) = read(PDD_ORDERS, PDD_ORDER | cells)

    assert order.reported_refunded == (Decimal(refunded) if refunded else None)
    assert order.total_paid == Decimal(paid)


def test_the_amounts_of_a_jd_order_are_never_summed(read):
    (order,) = read(
        JD_ORDERS, JD_ORDER, JD_ORDER | {"商品ID": "7002", "京东价": "101.00", "订购数量": "1"}
    )

    assert (order.total_paid, order.freight_paid) == (Decimal("300.00"), Decimal("6.00"))
    assert [(line.line_no, line.sku, line.paid_amount) for line in order.lines] == [
        (1, "7001", None),
        (2, "7002", None),
    ]
    assert order.status == "shipped"


def test_a_jd_order_paid_at_the_door_is_paid_when_finished(read):
    (order,) = read(
        JD_ORDERS,
        JD_ORDER
        | {
            "付款确认时间": "",
            "支付方式": "货到付款",
            "订单状态": "完成",
            "订单完成时间": "2025-01-08 08:00:00",
        },
    )

    assert order.paid_at == at("2025-01-08 08:00:00")
    assert order.total_paid == Decimal("300.00")
