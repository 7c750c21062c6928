"""Cases of a sheet: unknown ones are taken in any state, known ones go through the door."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cases.models import Case, CaseEvent, Parcel
from tests.cases.sheets.files.makers import TAOBAO_REFUNDS_2024
from tests.cases.sheets.loading_desk import CASE, SIGNED, TAOBAO, case, counts, order
from tests.factories import T0

NO = TAOBAO["订单编号"]
DOUYIN_ORDER = {
    "主订单编号": "\t6900000000000000001",
    "子订单编号": "\t6900000000000000011",
    "选购商品": "\t面霜",
    "商品数量": "1",
    "商品单价": "80.00",
    "订单应付金额": "80.00",
    "运费": "0.00",
    "订单提交时间": "2026-03-01 08:00:00",
    "支付完成时间": "2026-03-01 08:01:00",
    "发货时间": "2026-03-02 08:00:00",
    "订单状态": "已发货",
}
AFTER_SALE = {
    "售后单号": "\t7300000000000000001",
    "订单号": "\t6900000000000000001",
    "商品单号": "\t6900000000000000011",
    "商品发货状态": "已发货",
    "售后类型": "退货退款",
    "退商品金额（元）": "80.00",
    "售后状态": "待商家处理",
    "售后申请时间": "2026-03-10 10:00:00",
    "售后原因": "不想要了",
    "自动处理截止时间": "2026-03-13 10:00:00",
}
AS = "7300000000000000001"


def events(no: str) -> list[tuple[str, str, str]]:
    found = CaseEvent.objects.filter(case__case_no=no).order_by("seq")
    return [(e.verb, e.source, e.target) for e in found]


@pytest.fixture
def shop(desk):
    """A desk with one signed order of two pieces for 100 yuan."""
    desk.orders(SIGNED)
    return desk


def test_an_unknown_number_makes_a_case_under_it(shop):
    assert counts(shop.cases(CASE)) == {"created": 1}

    found = case()
    assert (found.state, found.kind, found.reason.code) == (
        "applied",
        "return_refund",
        "not_wanted",
    )
    assert found.applied_at == datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
    assert events("C1") == [("adopt", "", "applied")]
    assert counts(shop.cases(CASE)) == {"unchanged": 1}


@pytest.mark.parametrize(
    "state", ["applied", "refused", "awaiting_return", "returning", "refunding", "closed"]
)
def test_a_case_may_come_in_any_state(shop, state):
    parcel = {"courier": "SF", "waybill": "SF9"} if state == "returning" else {}
    assert counts(shop.cases(CASE | {"state": state} | parcel)) == {"created": 1}
    assert case().state == state
    assert counts(shop.cases(CASE | {"state": state} | parcel)) == {"unchanged": 1}


def test_a_case_without_any_number_is_known_again(shop):
    row = CASE | {"case_no": ""}
    assert counts(shop.cases(row)) == {"created": 1}
    assert counts(shop.cases(row)) == {"unchanged": 1}
    assert Case.objects.count() == 1


def test_several_rows_with_one_number_are_one_case(desk):
    desk.orders(SIGNED, SIGNED | {"line_no": "2", "paid_amount": "40.00"})
    rows = [CASE | {"amount": "50.00"}, CASE | {"line_no": "2", "amount": "20.00"}]

    assert counts(desk.cases(*rows)) == {"created": 2}
    assert case().amount_requested == Decimal("70.00")
    assert case().lines.count() == 2
    assert counts(desk.cases(*rows)) == {"unchanged": 2}


@pytest.mark.parametrize(
    ("cells", "steps"),
    [
        ({"state": "awaiting_return"}, ["accept"]),
        (
            {"state": "returning", "courier": "中通", "waybill": "ZT1"},
            ["accept", "ship_back"],
        ),
        ({"state": "refused", "text": "已使用"}, ["refuse"]),
        ({"state": "closed"}, ["withdraw"]),
        ({"state": "completed", "platform_case_no": "P1"}, ["record_platform_outcome"]),
        ({"state": "mediating"}, ["request_mediation"]),
    ],
)
def test_another_state_is_reached_through_the_door(shop, cells, steps):
    shop.cases(CASE)
    assert counts(shop.cases(CASE | cells)) == {"updated": 1}
    assert case().state == cells["state"]
    assert [verb for verb, _from, _to in events("C1")] == ["adopt", *steps]
    assert counts(shop.cases(CASE | cells)) == {"unchanged": 1}


def test_goods_sent_back_have_their_parcel(shop):
    shop.cases(CASE)
    shop.cases(CASE | {"state": "returning", "courier": "中通", "waybill": "ZT1"})
    assert [p.waybill for p in case().parcels.all()] == ["ZT1"]

    shop.cases(CASE | {"state": "returning", "courier": "中通", "waybill": "ZT2"})
    assert set(Parcel.objects.values_list("waybill", flat=True)) == {"ZT1", "ZT2"}


def test_what_no_step_can_reach_is_refused_with_the_reason(shop):
    shop.cases(CASE | {"state": "closed"})
    result = shop.cases(CASE | {"state": "completed"})

    assert counts(result) == {"failed": 1}
    assert result.failures[0][1] == "wrong_state"
    assert "C1" in result.failures[0][2]
    assert case().state == "closed"


def test_a_way_that_stops_half_way_moves_nothing(shop):
    """The second step is refused: the first is taken back."""
    shop.cases(CASE)
    result = shop.cases(CASE | {"state": "refunding"})

    assert counts(result) == {"failed": 1}
    assert case().state == "applied"
    assert len(events("C1")) == 1


def test_the_doors_own_words_are_the_rows_refusal(shop):
    unshipped = CASE | {"kind": "refund_unshipped"}
    shop.cases(unshipped)
    result = shop.cases(unshipped | {"state": "refused"})

    assert counts(result) == {"failed": 1}
    assert "A refund before shipping cannot be refused outright" in result.failures[0][2]


def test_an_older_export_of_a_case_is_skipped(shop):
    shop.cases(CASE)
    shop.cases(CASE | {"state": "returning", "courier": "中通", "waybill": "ZT1"})
    before = Case.objects.values().get()

    result = shop.cases(CASE | {"state": "awaiting_return"})

    assert counts(result) == {"skipped": 1}
    assert "C1" in result.warnings[0]
    assert Case.objects.values().get() == before


def test_plain_facts_change_without_a_step(shop):
    shop.cases(CASE)
    assert counts(shop.cases(CASE | {"text": "颜色不对"})) == {"updated": 1}
    assert case().text == "颜色不对"
    assert len(events("C1")) == 1


def test_the_platforms_deadline_wins_and_is_taken_once(shop):
    shop.cases(CASE)
    row = CASE | {"platform_due_at": "2026-03-15 12:00:00"}

    assert counts(shop.cases(row)) == {"updated": 1}
    assert case().due_at == datetime(2026, 3, 15, 4, 0, tzinfo=UTC)
    assert counts(shop.cases(row)) == {"unchanged": 1}


def test_more_pieces_than_bought_are_refused_with_the_limit(shop):
    result = shop.cases(CASE | {"quantity": "3"})
    assert result.failures[0][1] == "quantity_exceeded"
    assert "2 are free" in result.failures[0][2]


def test_more_money_than_paid_is_refused_with_the_limit(shop):
    result = shop.cases(CASE | {"amount": "100.01"})
    assert result.failures[0][1] == "amount_exceeded"
    assert "100.00" in result.failures[0][2]
    assert Case.objects.count() == 0


def test_a_reason_for_other_kinds_is_refused(shop):
    result = shop.cases(CASE | {"reason": "invoice_problem"})
    assert result.failures[0][1] == "bad_value"


def test_a_case_staff_opened_is_found_by_the_platforms_sheet(desk):
    desk.taobao(TAOBAO)
    mine = desk.house.opened("refund_in_transit", order(NO), at=T0)
    row = {
        "订单编号": NO,
        "退款编号": "555001",
        "售后类型": "仅退款",
        "货物状态": "未收到货",
        "买家退款金额": "110.00",
        "退款的申请时间": "2026-03-02 10:00:00",
        "退款状态": "买家已经申请退款，等待卖家同意",
        "买家退款原因": "不想要了",
    }
    result = desk.take(desk.file(TAOBAO_REFUNDS_2024, row, encoding="gbk"))

    assert counts(result) == {"updated": 1}
    assert Case.objects.get().platform_case_no == "555001"
    assert Case.objects.get().pk == mine.pk


def test_after_sales_of_douyin_follow_the_platform(desk):
    """Ids with a TAB, amounts under full-width brackets; each export a step further."""
    desk.douyin(DOUYIN_ORDER, shop="dy", may_create_shop=True)
    assert counts(desk.after_sales(AFTER_SALE)) == {"created": 1}
    found = case(AS)
    assert (found.platform_case_no, found.amount_requested) == (AS, Decimal("80.00"))
    assert found.due_at == datetime(2026, 3, 13, 2, 0, tzinfo=UTC)

    back = AFTER_SALE | {
        "售后状态": "待商家收货",
        "退货物流公司": "中通",
        "退货物流单号": "\tZT1",
        "退货发货时间": "2026-03-10 20:00:00",
    }
    done = back | {"售后状态": "同意退款，退款成功", "商家退款时间": "2026-03-11 10:00:00"}
    assert counts(desk.after_sales(back)) == {"updated": 1}
    assert counts(desk.after_sales(done)) == {"updated": 1}
    assert counts(desk.after_sales(done)) == {"unchanged": 1}
    assert counts(desk.after_sales(back)) == {"skipped": 1}

    assert [verb for verb, _from, _to in events(AS)] == [
        "adopt",
        "accept",
        "ship_back",
        "record_platform_outcome",
    ]
    assert case(AS).refunded == Decimal("80.00")
    assert CaseEvent.objects.get(verb="record_platform_outcome").at == datetime(
        2026, 3, 11, 2, 0, tzinfo=UTC
    )


def test_a_status_nobody_knows_is_told_and_not_guessed(desk):
    desk.douyin(DOUYIN_ORDER, shop="dy", may_create_shop=True)
    result = desk.after_sales(AFTER_SALE | {"售后状态": "平台审核中"})

    assert counts(result) == {"created": 1}
    assert "平台审核中" in result.warnings[0]
    assert case(AS).state == "applied"

    desk.after_sales(AFTER_SALE | {"售后状态": "待买家退货"})
    assert counts(desk.after_sales(AFTER_SALE | {"售后状态": "平台审核中"})) == {"unchanged": 1}
    assert case(AS).state == "awaiting_return"


def test_a_refund_the_platform_made_is_taken_as_it_is(desk):
    desk.douyin(DOUYIN_ORDER, shop="dy", may_create_shop=True)
    row = AFTER_SALE | {"售后状态": "退款成功", "商家退款时间": "2026-03-11 10:00:00"}

    assert counts(desk.after_sales(row)) == {"created": 1}
    assert (case(AS).state, case(AS).refunded) == ("completed", Decimal("80.00"))


def test_the_same_case_twice_in_a_sheet_is_one(shop):
    other = CASE | {"case_no": "C2", "state": "closed"}
    assert counts(shop.cases(CASE, other, CASE)) == {"created": 3}
    assert Case.objects.count() == 2
    assert case().lines.get().quantity == 1


def test_rows_of_one_case_that_contradict_each_other_fail_together(shop):
    result = shop.cases(CASE, CASE | {"state": "returning"})
    assert counts(result) == {"failed": 2}
    assert Case.objects.count() == 0


def test_a_trial_run_of_cases_moves_nothing(shop):
    shop.cases(CASE)
    result = shop.cases(CASE | {"state": "awaiting_return"}, CASE | {"case_no": "C2"}, dry_run=True)

    assert counts(result) == {"updated": 1, "failed": 1}
    assert result.failures[0][1] == "open_case_exists"
    assert case().state == "applied"
    assert len(events("C1")) == 1
