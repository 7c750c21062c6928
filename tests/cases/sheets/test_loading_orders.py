"""Orders come in by the rules of the house: whole, split to the cent, never older than we know."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cases.flow.door import Refused
from cases.models import ExternalRefund, Order, Payment
from tests.cases.sheets.loading_desk import ORDER, SIGNED, TAOBAO, counts, lines, order
from tests.factories import T0

NO = TAOBAO["订单编号"]


def test_a_new_order_has_its_line_payment_and_times(desk):
    assert counts(desk.orders(ORDER | {"phone": "19900001234"})) == {"created": 1}

    found = order()
    assert (found.status, found.paid_amount, found.freight_paid) == (
        "paid",
        Decimal("110.00"),
        Decimal("10.00"),
    )
    assert found.paid_at == datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
    assert lines() == [(1, 2, Decimal("100.00"))]
    assert [p.amount for p in found.payments.all()] == [Decimal("110.00")]
    assert len(found.phone_hash) == len(found.phone_tail) == 64


def test_the_same_file_again_changes_nothing(desk):
    rows = [ORDER, ORDER | {"line_no": "2", "paid_amount": "5.00"}, ORDER | {"order_no": "A2"}]
    assert counts(desk.orders(*rows)) == {"created": 3}
    before = list(Order.objects.order_by("pk").values())

    assert counts(desk.orders(*rows)) == {"unchanged": 3}
    assert list(Order.objects.order_by("pk").values()) == before
    assert Payment.objects.count() == 2


def test_an_unpaid_order_carries_no_money_until_it_is_paid(desk):
    desk.orders(ORDER | {"paid_at": "", "status": "unpaid"})
    assert order().paid_amount == 0
    assert lines() == [(1, 2, Decimal("0.00"))]
    assert Payment.objects.count() == 0

    assert counts(desk.orders(ORDER)) == {"updated": 1}
    assert order().paid_amount == Decimal("110.00")
    assert Payment.objects.get().amount == Decimal("110.00")


@pytest.mark.parametrize(
    ("older", "why"),
    [
        (ORDER, "a status rank never falls"),
        (SIGNED | {"signed_at": ""}, "a time once set is never blanked"),
        (SIGNED | {"paid_at": "", "paid_amount": "0"}, "a payment once known is not forgotten"),
    ],
)
def test_an_older_export_is_skipped_with_a_warning(desk, older, why):
    desk.orders(SIGNED)
    before = Order.objects.values().get()

    result = desk.orders(older)

    assert counts(result) == {"skipped": 1}, why
    assert result.warnings[0].startswith("Row 2: ")
    assert Order.objects.values().get() == before


def test_a_sheet_that_does_not_speak_of_a_time_leaves_it(desk):
    desk.orders(SIGNED)
    headers = ["shop", "order_no", "line_no", "quantity", "paid_amount", "status", "title"]
    row = {k: SIGNED[k] for k in headers} | {"title": "长袖"}

    assert counts(desk.take(desk.file(headers, row))) == {"updated": 1}
    assert order().signed_at is not None
    assert order().lines.get().title == "长袖"


def test_refunds_of_a_report_never_shrink(desk):
    desk.taobao(TAOBAO | {"退款金额": "30.00"})
    result = desk.taobao(TAOBAO | {"退款金额": "20.00"})

    assert counts(result) == {"skipped": 1}
    assert order(NO).external_refunded == Decimal("30.00")


def test_a_reported_refund_is_external_once_and_grows_with_the_report(desk):
    desk.taobao(TAOBAO | {"退款金额": "30.00"})
    desk.taobao(TAOBAO | {"退款金额": "30.00", "物流公司": "中通"})
    assert [e.amount for e in ExternalRefund.objects.all()] == [Decimal("30.00")]

    desk.taobao(TAOBAO | {"退款金额": "50.00"})
    assert order(NO).external_refunded == Decimal("50.00")
    assert [e.amount for e in ExternalRefund.objects.order_by("id")] == [
        Decimal("30.00"),
        Decimal("20.00"),
    ]


def test_what_our_cases_refunded_is_not_external(desk):
    desk.taobao(TAOBAO)
    case = desk.house.case_in("completed", "refund_received", order=order(NO), at=T0)
    paid = case.refunded

    desk.taobao(TAOBAO | {"退款金额": str(paid + 5)})

    assert paid > 0
    assert order(NO).external_refunded == Decimal("5.00")


def test_an_order_without_lines_gets_one_that_the_lines_replace(desk):
    desk.taobao(TAOBAO)
    assert lines(NO) == [(1, 3, Decimal("100.00"))]

    result = desk.details(
        {"订单编号": NO, "标题": "短袖", "价格": "50.00", "购买数量": "1"},
        {"订单编号": NO, "标题": "长袖", "价格": "35.00", "购买数量": "2"},
    )

    assert counts(result) == {"updated": 2}
    assert lines(NO) == [(1, 1, Decimal("41.67")), (2, 2, Decimal("58.33"))]
    assert counts(desk.taobao(TAOBAO)) == {"unchanged": 1}


def test_lines_weigh_anew_when_the_total_changes(desk):
    desk.taobao(TAOBAO)
    desk.details(
        {"订单编号": NO, "标题": "甲", "价格": "10.00", "购买数量": "1"},
        {"订单编号": NO, "标题": "乙", "价格": "10.00", "购买数量": "2"},
    )
    desk.taobao(TAOBAO | {"总金额": "100.00", "买家实际支付金额": "100.00"})

    assert lines(NO) == [(1, 1, Decimal("30.00")), (2, 2, Decimal("60.00"))]


def test_lines_of_an_unknown_order_fail_with_what_to_do(desk):
    result = desk.details({"订单编号": "77", "标题": "甲", "价格": "1", "购买数量": "1"})

    assert counts(result) == {"failed": 1}
    assert result.failures == [
        (2, "unknown", "Row 2: there is no order 77; import the order list first")
    ]


def test_a_status_without_a_word_is_read_from_the_times(desk):
    desk.orders(SIGNED | {"status": ""}, ORDER | {"status": "", "order_no": "A2"})
    assert [order("A1").status, order("A2").status] == ["signed", "paid"]


def test_rows_of_one_order_may_stand_apart(desk):
    second = ORDER | {"line_no": "2", "paid_amount": "7.00"}
    assert counts(desk.orders(ORDER, ORDER | {"order_no": "A2"}, second)) == {
        "created": 2,
        "updated": 1,
    }
    assert order().paid_amount == Decimal("117.00")
    assert counts(desk.orders(ORDER, ORDER | {"order_no": "A2"}, second)) == {"unchanged": 3}


def test_masked_data_says_nothing_about_clear_data(desk):
    clear = ORDER | {"receiver": "张三丰", "phone": "19900001234", "address": "杭州市文三路1号"}
    desk.orders(clear)
    masked = ORDER | {"receiver": "张**", "phone": "199****1234", "address": "杭州市****"}

    assert counts(desk.orders(masked)) == {"unchanged": 1}
    assert order().phone == "19900001234"


def test_nothing_may_fall_below_what_cases_hold(desk):
    desk.orders(SIGNED)
    desk.house.opened("return_refund", order(), at=T0)
    before = lines()

    few = desk.orders(SIGNED | {"quantity": "1"})
    cheap = desk.orders(SIGNED | {"paid_amount": "99.99"})

    assert [few.failures[0][1], cheap.failures[0][1]] == ["quantity_exceeded", "amount_exceeded"]
    assert "¥100.00" in cheap.failures[0][2]
    assert lines() == before


def test_columns_nobody_knows_are_kept_and_named(desk):
    headers = [*TAOBAO_HEADERS, "神秘列"]
    result = desk.take(desk.file(headers, TAOBAO | {"神秘列": "x"}))

    assert result.unknown_columns == ["神秘列"]
    assert order(NO).extra["神秘列"] == "x"


def test_a_trial_run_counts_and_writes_nothing(desk):
    result = desk.orders(ORDER, ORDER | {"order_no": "A2", "paid_amount": "x"}, dry_run=True)

    assert counts(result) == {"created": 1, "failed": 1}
    assert Order.objects.count() == 0


def test_a_third_decimal_is_refused_or_rounded_by_choice(desk):
    row = ORDER | {"paid_amount": "10.005"}
    assert counts(desk.orders(row)) == {"failed": 1}
    assert counts(desk.orders(row, round_half_up=True)) == {"created": 1}
    assert lines() == [(1, 2, Decimal("10.01"))]


def test_a_text_that_is_too_long_is_cut_and_told(desk):
    result = desk.orders(ORDER | {"title": "长" * 400})
    assert counts(result) == {"created": 1}
    assert "300" in result.warnings[0]


def test_more_freight_than_money_is_refused(desk):
    result = desk.taobao(TAOBAO | {"总金额": "5.00", "买家实际支付金额": "5.00"})
    assert result.failures[0][1] == "amount_exceeded"


def test_a_sheet_of_another_platform_is_not_taken_into_the_shop(desk):
    with pytest.raises(Refused) as refusal:
        desk.douyin(shop="shop")
    assert refusal.value.code == "bad_value"


TAOBAO_HEADERS = list(TAOBAO)
