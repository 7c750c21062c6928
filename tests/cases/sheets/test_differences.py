"""What the platform's sheets say and we do not: each kind of difference comes and goes."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from cases import reconciling
from cases.flow import clock
from cases.flow.door import Actor, Refused
from cases.models import Case, Explanation, ExternalRefund, Membership, PlatformRecord
from cases.reconciling import Choice, settle
from tests.cases.sheets.files.makers import TAOBAO_ORDERS_NEW, TAOBAO_REFUNDS_2024
from tests.cases.sheets.loading_desk import NOW, TAOBAO, counts, order
from tests.cases.sheets.test_loading_cases import AFTER_SALE, AS, DOUYIN_ORDER
from tests.factories import DAY, HOUR, T0

NO = TAOBAO["订单编号"]
REFUND = {
    "订单编号": NO,
    "退款编号": "555001",
    "售后类型": "仅退款",
    "货物状态": "未收到货",
    "买家退款金额": "110.00",
    "退款的申请时间": "2026-03-08 10:00:00",
    "退款状态": "买家已经申请退款，等待卖家同意",
    "买家退款原因": "不想要了",
}
PAID = REFUND | {"退款状态": "退款成功", "退款完结时间": "2026-03-09 10:00:00"}
CLOSED = REFUND | {"退款状态": "退款关闭", "完结时间": "2026-03-09 10:00:00"}
FINISHED = TAOBAO | {"订单状态": "交易成功", "确认收货时间": "2026-03-10 08:00:00"}


def money(text: str) -> Decimal:
    return Decimal(text)


@pytest.fixture
def shop(desk):
    """A Taobao order of three pieces for 110 yuan, freight included."""
    desk.taobao(TAOBAO)
    return desk


def refunds(desk, *rows, **choices):
    return desk.take(desk.file(TAOBAO_REFUNDS_2024, *rows, encoding="gbk"), **choices)


def waiting() -> list[tuple[str, str]]:
    found = PlatformRecord.objects.waiting().order_by("pk")
    return [(row.number, row.difference) for row in found]


def record(number: str = "555001") -> PlatformRecord:
    return PlatformRecord.objects.get(number=number)


def everything() -> list[dict]:
    """All that a second import of the same must leave as it is."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Case, PlatformRecord, ExternalRefund)
    ]


def paid_by_us(desk, kind="refund_in_transit", amount="110.00", at=T0 + 5 * DAY):
    """Our own case on the order, paid out by finance before the platform said anything."""
    case = desk.house.opened(kind, order(NO), at=at)
    case = desk.house.act(case, "accept", "lead", amount=money(amount) - 10, freight=money("10"))
    return desk.house.act(case, "pay", "finance", reference="R1")


# What is kept


def test_the_platforms_word_is_kept_beside_the_case(shop):
    refunds(shop, REFUND)
    found = record()

    assert (found.order.order_no, found.case.platform_case_no) == (NO, "555001")
    assert (found.kind, found.reason, found.state) == (
        "refund_in_transit",
        "not_wanted",
        "applied",
    )
    assert found.word == "买家已经申请退款，等待卖家同意"
    assert (found.requested, found.refunded) == (money("110.00"), None)
    assert found.told_at == datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
    assert found.source == "taobao"
    assert waiting() == []


def test_no_personal_data_is_kept(shop):
    refunds(shop, REFUND | {"买家退款说明": "我叫张三 13800001111"})
    kept = str(PlatformRecord.objects.values())
    assert "张三" not in kept
    assert "13800001111" not in kept


def test_an_older_export_changes_nothing(shop):
    refunds(shop, REFUND)
    refunds(shop, PAID)
    before = everything()

    assert counts(refunds(shop, REFUND)) == {"skipped": 1}
    assert everything() == before


def test_rows_of_one_time_are_told_apart_by_how_far_they_are(shop):
    refunds(shop, REFUND | {"退款状态": "卖家已经同意退款，等待买家退货", "售后类型": "退货退款"})
    refunds(shop, REFUND | {"售后类型": "退货退款"})
    assert record().state == "awaiting_return"


def test_the_same_sheets_twice_leave_all_as_it_was(shop):
    refunds(shop, REFUND)
    refunds(shop, PAID)
    shop.taobao(FINISHED | {"退款金额": "110.00", "买家实际支付金额": "0.00"})
    before = everything()

    refunds(shop, PAID)
    shop.taobao(FINISHED | {"退款金额": "110.00", "买家实际支付金额": "0.00"})
    assert everything() == before
    assert waiting() == []


def test_a_trial_run_keeps_nothing(shop):
    refunds(shop, REFUND, dry_run=True)
    assert not PlatformRecord.objects.exists()


def test_a_word_nobody_knows_is_kept_and_compared_with_nothing(shop):
    refunds(shop, REFUND | {"退款状态": "平台审核中"})
    assert (record().word, record().state) == ("平台审核中", "")
    assert waiting() == []


def test_orders_without_refunds_on_either_side_have_no_record(shop):
    shop.taobao(FINISHED)
    assert not PlatformRecord.objects.exists()


# Refunded there, not here


def test_a_refund_our_case_could_not_follow_is_adopted(shop):
    """An agent may import, but not record what the platform decided: a lead presses."""
    refunds(shop, REFUND)
    result = refunds(shop, PAID, actor=shop.house.actor("agent"))
    assert counts(result) == {"failed": 1}
    assert waiting() == [("555001", "refunded_there")]

    settle(shop.house.actor("lead"), record().pk, reconciling.ADOPT)

    done = Case.objects.get()
    assert (done.state, done.refunded, done.ended_by) == ("completed", money("110.00"), "platform")
    assert done.finished_at == datetime(2026, 3, 9, 2, 0, tzinfo=UTC)
    assert waiting() == []
    assert record().ours == money("110.00")


def test_who_may_not_record_the_outcome_changes_nothing(shop):
    refunds(shop, REFUND)
    refunds(shop, PAID, actor=shop.house.actor("agent"))
    before = everything()

    with pytest.raises(Refused) as refusal:
        settle(shop.house.actor("finance"), record().pk, reconciling.ADOPT)
    assert refusal.value.code == "not_permitted"
    with pytest.raises(Refused) as refusal:
        settle(shop.house.actor("agent"), record().pk, reconciling.EXPLAIN, Choice(text="看过"))
    assert refusal.value.code == "not_permitted"
    assert everything() == before


def test_a_refund_without_a_case_opens_one(shop):
    """The row does not say where the goods are, so no case could be made of it."""
    result = refunds(shop, PAID | {"货物状态": ""})
    assert counts(result) == {"failed": 1}
    assert waiting() == [("555001", "refunded_there")]
    assert record().case is None
    with pytest.raises(Refused) as refusal:
        settle(shop.house.actor("finance"), record().pk, reconciling.OPEN_CASE)
    assert refusal.value.code == "bad_value"

    choice = Choice(kind="refund_in_transit")
    settle(shop.house.actor("finance"), record().pk, reconciling.OPEN_CASE, choice)

    made = Case.objects.get()
    assert (made.case_no, made.state, made.refunded) == ("555001", "completed", money("110.00"))
    assert made.reason.code == "not_wanted"
    assert made.applied_at == datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
    assert record().case == made
    assert waiting() == []
    refunds(shop, PAID | {"货物状态": ""})  # brings the buyer's own words
    assert counts(refunds(shop, PAID | {"货物状态": ""})) == {"unchanged": 1}
    assert Case.objects.get().pk == made.pk


def test_a_refund_may_stand_outside_our_cases(shop):
    refunds(shop, PAID | {"货物状态": ""})
    settle(shop.house.actor("finance"), record().pk, reconciling.EXTERNAL)

    external = ExternalRefund.objects.get()
    assert (external.amount, external.source) == (money("110.00"), "taobao")
    assert order(NO).external_refunded == money("110.00")
    assert waiting() == []
    assert Explanation.objects.get().by == shop.house.users["finance"]

    # The order report that tells of it later adds nothing.
    shop.taobao(FINISHED | {"退款金额": "110.00", "买家实际支付金额": "0.00"})
    assert order(NO).external_refunded == money("110.00")
    assert waiting() == []


def test_a_refund_in_the_order_report_opens_a_case(shop):
    shop.taobao(FINISHED | {"退款金额": "30.00", "买家实际支付金额": "80.00"})
    assert waiting() == [("", "refunded_there")]
    assert order(NO).external_refunded == money("30.00")

    settle(shop.house.actor("lead"), record("").pk, reconciling.OPEN_CASE)

    made = Case.objects.get()
    assert (made.state, made.kind, made.refunded) == (
        "completed",
        "refund_received",
        money("30.00"),
    )
    assert order(NO).external_refunded == money("0.00")
    assert waiting() == []


def test_a_refund_in_the_order_report_may_stand_and_comes_back_when_it_grows(shop):
    shop.taobao(FINISHED | {"退款金额": "30.00", "买家实际支付金额": "80.00"})
    settle(shop.house.actor("finance"), record("").pk, reconciling.EXTERNAL)
    assert waiting() == []
    assert order(NO).external_refunded == money("30.00")

    shop.taobao(FINISHED | {"退款金额": "50.00", "买家实际支付金额": "60.00"})
    assert waiting() == [("", "refunded_there")]
    assert order(NO).external_refunded == money("50.00")


def test_what_the_after_sale_row_shows_is_not_told_twice(shop):
    refunds(shop, PAID | {"货物状态": ""})
    shop.taobao(FINISHED | {"退款金额": "110.00", "买家实际支付金额": "0.00"})
    assert waiting() == [("555001", "refunded_there")]


def test_the_order_reports_refund_ends_our_open_case(shop):
    case = shop.house.opened("refund_in_transit", order(NO), at=T0 + 5 * DAY)
    shop.taobao(FINISHED | {"退款金额": "110.00", "买家实际支付金额": "0.00"})
    assert waiting() == [("", "refunded_there")]

    settle(shop.house.actor("lead"), record("").pk, reconciling.ADOPT)
    assert Case.objects.get(pk=case.pk).refunded == money("110.00")
    assert waiting() == []


def test_it_is_gone_by_itself_when_our_case_is_settled(shop):
    refunds(shop, REFUND)
    refunds(shop, PAID, actor=shop.house.actor("agent"))
    case = Case.objects.get()
    shop.house.act(case, "record_platform_outcome", "lead", number="555001", at=NOW)
    assert waiting() == []


# Refunded here, not there


def test_what_we_paid_and_the_platform_does_not_know(shop):
    paid_by_us(shop)
    shop.taobao(FINISHED | {"退款金额": "0.00"})
    assert waiting() == [("", "refunded_here")]
    assert record("").ours == money("110.00")

    text = "线下转账"
    settle(shop.house.actor("finance"), record("").pk, reconciling.EXPLAIN, Choice(text=text))
    assert waiting() == []
    said = Explanation.objects.get()
    assert (said.text, said.by.username, said.at) == (text, "finance", NOW)
    assert (said.theirs, said.ours) == (money("0.00"), money("110.00"))


def test_the_report_that_catches_up_takes_it_away(shop):
    paid_by_us(shop)
    shop.taobao(FINISHED | {"退款金额": "0.00"})
    shop.taobao(FINISHED | {"退款金额": "110.00", "买家实际支付金额": "0.00"})
    assert waiting() == []


def test_a_report_heard_before_we_paid_says_nothing_against_us(shop):
    with clock.standing_at(T0 + 4 * DAY):
        shop.taobao(FINISHED | {"退款金额": "10.00", "买家实际支付金额": "100.00"})
    paid_by_us(shop, amount="100.00")
    assert record("").difference == ""

    # The very same row again, after we paid: now it does.
    shop.taobao(FINISHED | {"退款金额": "10.00", "买家实际支付金额": "100.00"})
    assert waiting() == [("", "refunded_here")]


def test_an_application_the_platform_closed_and_we_paid(shop):
    refunds(shop, REFUND)
    case = Case.objects.get()
    case = shop.house.act(case, "accept", "lead", waiver="看过")
    shop.house.act(case, "pay", "finance", reference="R1")

    result = refunds(shop, CLOSED)
    assert counts(result) == {"failed": 1}
    assert waiting() == [("555001", "refunded_here")]
    with pytest.raises(Refused):
        settle(shop.house.actor("lead"), record().pk, reconciling.ADOPT)
    with pytest.raises(Refused) as refusal:
        settle(shop.house.actor("lead"), record().pk, reconciling.EXPLAIN, Choice(text=" "))
    assert refusal.value.code == "reason_required"
    settle(shop.house.actor("lead"), record().pk, reconciling.EXPLAIN, Choice(text="已退款给买家"))
    assert waiting() == []


def test_an_explained_difference_comes_back_when_the_platform_says_something_new(shop):
    test_an_application_the_platform_closed_and_we_paid(shop)
    newer = {"退款状态": "退款成功", "退款完结时间": "2026-03-10 10:00:00", "买家退款金额": "60.00"}
    refunds(shop, REFUND | newer)
    assert waiting() == [("555001", "amount")]


# Other amount


def test_another_amount_is_taken_over_as_external(shop):
    case = shop.house.opened("refund_in_transit", order(NO), at=T0 + 7 * DAY)
    case = shop.house.act(case, "accept", "lead", amount=money("80"), freight=money("0"))
    shop.house.act(case, "pay", "finance", reference="R1")
    refunds(shop, REFUND)  # no open case of ours is there to be linked
    Case.objects.filter(pk=case.pk).update(platform_case_no="555001")
    refunds(shop, PAID)
    assert waiting() == [("555001", "amount")]

    settle(shop.house.actor("finance"), record().pk, reconciling.EXTERNAL)
    assert order(NO).external_refunded == money("30.00")
    assert waiting() == []


def test_another_amount_is_asked_for_there(shop):
    """Staff entered 50 yuan, the platform's application says 110."""
    mine = shop.house.opened(
        "refund_in_transit", order(NO), at=T0 + 6 * DAY, amount=money("50"), freight=money("0")
    )
    refunds(shop, REFUND)
    assert waiting() == [("555001", "amount")]
    assert (record().requested, record().ours) == (money("110.00"), money("50.00"))
    assert record().case == mine

    lead = shop.house.actor("lead")
    assert reconciling.ways_of(lead, reconciling.matter_of(record())) == ["explain"]
    shop.house.act(mine, "accept", "lead", amount=money("100"), freight=money("10"), at=NOW)
    assert waiting() == []


def test_the_freight_within_the_platforms_one_amount_is_no_difference(shop):
    refunds(shop, REFUND)
    case = Case.objects.get()
    assert (case.amount_requested, case.freight_requested) == (money("100.00"), money("10.00"))
    assert waiting() == []


# Other state


def test_douyin_closed_what_is_open_here(desk):
    """The importing agent may not end a case by the platform's word."""
    desk.douyin(DOUYIN_ORDER, shop="dy", may_create_shop=True)
    desk.after_sales(AFTER_SALE)
    agent = User.objects.get(username="agent")
    agent.memberships.create(shop=order("6900000000000000001").shop)
    closed = AFTER_SALE | {"售后状态": "售后关闭", "售后关闭时间": "2026-03-11 10:00:00"}
    desk.after_sales(closed, actor=Actor.person(agent, "test"))
    assert waiting() == [(AS, "state")]

    boss = desk.house.actor("boss")
    settle(boss, record(AS).pk, reconciling.ADOPT)
    assert Case.objects.get().state == "closed"
    assert waiting() == []


def test_an_exchange_done_there_is_done_here(desk):
    desk.douyin(DOUYIN_ORDER, shop="dy", may_create_shop=True)
    exchange = AFTER_SALE | {"售后类型": "换货", "商品发货状态": "已发货"}
    desk.after_sales(exchange)
    done = exchange | {"售后状态": "换货成功", "售后完结时间": "2026-03-11 10:00:00"}
    assert counts(desk.after_sales(done)) == {"failed": 1}
    assert waiting() == [(AS, "state")]

    settle(desk.house.actor("boss"), record(AS).pk, reconciling.ADOPT)
    assert (Case.objects.get().state, Case.objects.get().refunded) == ("completed", money("0.00"))
    assert waiting() == []


def test_an_application_we_do_not_have_opens_a_case_in_its_state(shop):
    refunds(shop, REFUND | {"货物状态": "", "退款状态": "卖家拒绝退款"})
    assert waiting() == [("555001", "state")]

    settle(
        shop.house.actor("lead"),
        record().pk,
        reconciling.OPEN_CASE,
        Choice(kind="refund_received"),
    )
    made = Case.objects.get()
    assert (made.state, made.amount_requested, made.freight_requested) == (
        "refused",
        money("100.00"),
        money("10.00"),
    )
    assert waiting() == []


def test_a_case_of_another_kind_on_the_same_line_is_the_one_meant(shop):
    """Staff entered a return; the platform has a refund: the sheet could not match the two."""
    mine = shop.house.opened("return_refund", order(NO), at=T0 + 6 * DAY)
    assert counts(refunds(shop, PAID)) == {"failed": 1}
    assert waiting() == [("555001", "refunded_there")]

    settle(shop.house.actor("lead"), record().pk, reconciling.ADOPT)
    found = Case.objects.get()
    assert (found.pk, found.platform_case_no, found.refunded) == (
        mine.pk,
        "555001",
        money("110.00"),
    )
    refunds(shop, PAID)  # brings the buyer's own words
    assert counts(refunds(shop, PAID)) == {"unchanged": 1}


def test_what_we_closed_and_the_platform_has_open_is_reopened(shop):
    with clock.standing_at(NOW - DAY):
        refunds(shop, REFUND)
    case = Case.objects.get()
    shop.house.act(case, "withdraw", at=NOW - HOUR)
    assert waiting() == []  # the sheet was older than our act
    refunds(shop, REFUND)
    assert waiting() == [("555001", "state")]

    settle(shop.house.actor("boss"), record().pk, reconciling.ADOPT)
    assert Case.objects.get().state == "applied"
    assert waiting() == []


def test_steps_on_the_way_are_no_difference(shop):
    refunds(shop, REFUND | {"售后类型": "退货退款", "货物状态": "已收到货"})
    case = Case.objects.get()
    shop.house.act(case, "accept", "lead", at=NOW - HOUR)
    refunds(shop, REFUND | {"售后类型": "退货退款", "货物状态": "已收到货"})
    assert waiting() == []


# People


def test_two_presses_one_after_the_other(shop):
    refunds(shop, REFUND)
    refunds(shop, PAID, actor=shop.house.actor("agent"))
    settle(shop.house.actor("lead"), record().pk, reconciling.ADOPT)
    before = everything()

    with pytest.raises(Refused) as refusal:
        settle(shop.house.actor("lead2"), record().pk, reconciling.ADOPT)
    assert refusal.value.code == "stale"
    assert everything() == before


def test_another_shops_record_does_not_exist(shop):
    refunds(shop, PAID | {"货物状态": ""})
    Membership.objects.filter(user__username="lead").delete()
    stranger = Actor.person(User.objects.get(username="lead"), "test")
    answers = []
    for pk in (record().pk, 10_000_001):
        with pytest.raises(Refused) as refusal:
            settle(stranger, pk, reconciling.EXTERNAL)
        answers.append((refusal.value.code, refusal.value.message))
    assert answers[0] == answers[1]
    assert answers[0][0] == "unknown"


def test_no_refund_asked_for_in_the_newer_report_means_none_was_made(shop):
    paid_by_us(shop)
    row = {
        "订单编号": NO,
        "订单创建时间": "2026-03-01 07:00:00",
        "订单付款时间": "2026-03-01 08:00:00",
        "发货时间": "2026-03-02 08:00:00",
        "确认收货时间": "2026-03-10 08:00:00",
        "订单状态": "交易成功",
        "买家实付金额": "110.00",
        "退款金额": "无退款申请",
        "总金额": "110.00",
        "买家应付邮费": "10.00",
        "店铺名称": "shop",
    }
    shop.take(shop.file(TAOBAO_ORDERS_NEW, row, encoding="gb18030"))
    assert waiting() == [("", "refunded_here")]
