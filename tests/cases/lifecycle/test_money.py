"""Money: per line, freight, order, payments, to the cent; what reports show outside our cases."""

from decimal import Decimal

import pytest
from django.db import transaction
from edges import FAIL, PARCEL

from cases.external import Reported, report
from cases.flow.sweep import enforce
from cases.models import Order, OrderLine, Refund, RefundPart, Window
from cases.models.money import shares
from tests.factories import T0, path_to

D = Decimal


def paid_out(house, kind, order, **opening):
    case = house.opened(kind, order, by="lead", **opening)
    return house.walk(case, *path_to("completed", kind))


def lines(order):
    return list(OrderLine.objects.filter(order=order).order_by("line_no"))


def reported(order, amount, source="月报"):
    with transaction.atomic():
        return report([Reported(order.pk, D(amount), T0, source)])


def test_a_line_is_never_refunded_above_what_was_paid_for_it(house):
    order = house.paid_order((1, "40.00"), (1, "60.00"), freight="0.00")
    refusal = house.refused_to_open("refund_received", order, lines=((1, 1),), amount=D("40.01"))
    assert refusal.code == "amount_exceeded"
    assert "40.00" in refusal.message
    house.opened("refund_received", order, lines=((1, 1),), amount=D("40.00"))


def test_an_amount_over_several_lines_is_spread_and_each_stays_within_its_own(house):
    order = house.paid_order((1, "10.00"), (1, "90.00"), freight="0.00")
    house.walk(
        house.opened("refund_received", order, lines=((1, 1),), amount=D("8.00")),
        *path_to("completed", "refund_received"),
    )
    paid_out(house, "refund_received", order, amount=D("91.99"))
    assert [x.refunded for x in lines(order)] == [D("10.00"), D("89.99")]


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        ("100.00", (1, 1, 1), ("33.34", "33.33", "33.33")),
        ("0.01", (1, 1), ("0.01", "0.00")),
        ("0.05", (3, 2, 2), ("0.02", "0.02", "0.01")),
        ("10.00", (0, 0), ("5.00", "5.00")),
        ("99.99", (0, 1), ("0.00", "99.99")),
    ],
)
def test_the_largest_remainder_gets_the_odd_fen(total, weights, parts):
    assert shares(D(total), [D(w) for w in weights]) == [D(p) for p in parts]


@pytest.mark.parametrize(("pieces", "paid"), [(3, "100.00"), (7, "0.05"), (6, "99.99")])
def test_pieces_refunded_one_by_one_empty_the_order_to_the_cent(house, pieces, paid):
    order = house.paid_order((pieces, paid), freight="6.66")
    Window.objects.filter(code="applications").update(value=pieces)
    for piece in range(1, pieces + 1):
        freight = D("6.66") if piece == pieces else None
        paid_out(house, "return_refund", order, lines=((1, 1),), freight=freight)
    order.refresh_from_db()
    assert lines(order)[0].refunded == D(paid)
    assert order.freight_refunded == D("6.66")
    assert sum(p.refunded for p in order.payments.all()) == order.paid_amount


def test_freight_is_refunded_once_and_never_above_what_was_paid(house):
    order = house.paid_order((1, "50.00"), (1, "50.00"), freight="10.00")
    refusal = house.refused_to_open(
        "refund_received", order, lines=((1, 1),), amount=D(0), freight=D("10.01")
    )
    assert refusal.code == "amount_exceeded"
    paid_out(house, "refund_received", order, lines=((1, 1),), amount=D(0), freight=D("7.00"))
    refusal = house.refused_to_open(
        "refund_received", order, lines=((2, 1),), amount=D(0), freight=D("3.01")
    )
    assert refusal.code == "amount_exceeded"
    case = paid_out(house, "refund_received", order, lines=((2, 1),), amount=D(0), freight=D(3))
    assert case.refunded == 3
    assert Order.objects.get(pk=order.pk).freight_refunded == 10


def test_outbound_freight_comes_back_with_the_last_of_an_order_that_never_left(house):
    order = house.order_for("refund_unshipped", (1, "50.00"), (1, "50.00"))
    first = paid_out(house, "refund_unshipped", order, lines=((1, 1),))
    last = paid_out(house, "refund_unshipped", order, lines=((2, 1),))
    assert (first.refunded, last.refunded) == (50, 60)


@pytest.mark.parametrize(
    ("reason", "refund"),
    [("not_wanted", 100), ("quality", 110), ("damaged", 110), ("allergy", 100)],
)
def test_who_is_at_fault_pays_the_way_out(house, reason, refund):
    case = house.opened("return_refund", reason=reason)
    assert case.amount_requested + case.freight_requested == refund
    fault = {"not_wanted": "buyer", "allergy": "buyer"}.get(reason, "seller")
    assert case.freight_payer == fault


@pytest.mark.parametrize("kind", ["exchange", "resend"])
def test_nobody_at_fault_the_seller_pays_an_exchanges_way_back(house, kind):
    assert house.opened(kind, reason="agreed").freight_payer == "seller"
    assert house.opened("return_refund", reason="agreed").freight_payer == "buyer"


def test_money_goes_back_to_the_payments_it_came_from_oldest_first(house):
    order = house.paid_order((2, "100.00"), freight="10.00", payments=("60.00", "50.00"))
    paid_out(house, "refund_received", order, amount=D("50.00"))
    assert [p.refunded for p in order.payments.order_by("id")] == [50, 0]
    case = paid_out(house, "refund_received", order, amount=D("50.00"), freight=D("10.00"))
    assert [p.refunded for p in order.payments.order_by("id")] == [60, 50]
    parts = RefundPart.objects.filter(refund__case=case).order_by("id")
    assert [(p.case_line_id is None, p.payment.number, p.amount) for p in parts] == [
        (False, "p1", 10),
        (False, "p2", 40),
        (True, "p2", 10),
    ]


@pytest.mark.parametrize("amount", ["-0.01", "100.01"])
def test_an_amount_out_of_bounds_is_refused_at_every_step(house, amount):
    case = house.opened("return_refund")
    code = "bad_value" if amount.startswith("-") else "amount_exceeded"
    for step, inputs in (
        ("accept", {"waiver": "x"}),
        ("propose", {"remedy": "refund"}),
        ("convert", {"remedy": "refund"}),
    ):
        assert house.refused(case, step, amount=D(amount), **inputs).code == code
    refused = house.case_in("refused")
    assert house.refused(refused, "revise", amount=D(amount)).code == code
    mediating = house.case_in("mediating")
    for step in ("rule_for_buyer", "rule_split"):
        assert house.refused(mediating, step, "lead", amount=D(amount)).code == code


def test_a_remedy_without_money_takes_no_amount(house):
    case = house.opened("exchange")
    assert house.refused(case, "accept", amount=D(5)).code == "bad_value"
    assert house.refused(case, "propose", amount=D(5)).code == "bad_value"
    assert house.act(case, "accept", "lead").amount_approved is None


def test_a_payout_is_exactly_what_is_due(house):
    case = house.case_in("refunding")
    assert house.refused(case, "pay", "finance", reference="R", amount=D("99.99")).code == (
        "bad_value"
    )
    assert house.refused(case, "pay", "finance", reference="R", amount=D("110.01")).code == (
        "amount_exceeded"
    )
    assert house.refused(case, "pay", "finance", reference="  ").code == "bad_value"
    due = case.total_approved
    case = house.act(case, "pay", "finance", reference="R", amount=due, method="bank", payee="某")
    row = case.refunds.get()
    assert (row.state, row.amount + row.freight, row.reference) == ("paid", due, "R")
    assert (row.method, row.payee, row.paid_by) == ("bank", "某", house.users["finance"])


def test_a_failed_payout_stands_in_a_list_and_keeps_our_number(house):
    case = house.case_in("refunding")
    number = case.refunds.get().number
    for attempt in (1, 2):
        case = house.act(case, "fail_payout", "finance", text="账户已注销")
        row = case.refunds.get()
        assert (row.state, row.failure, row.attempts) == ("failed", "账户已注销", attempt)
    case = house.act(case, "pay", "finance", reference="R", method="alipay")
    row = case.refunds.get()
    assert (row.number, row.state, row.attempts, row.failure) == (number, "paid", 3, "")


def test_a_closed_case_holds_neither_pieces_nor_money(house):
    case = house.case_in("awaiting_return")
    order = case.order
    assert lines(order)[0].reserved == 100
    house.act(case, "withdraw")
    line = lines(order)[0]
    assert (line.held, line.reserved, line.refunded) == (0, 0, 0)


def test_what_is_held_follows_what_is_agreed(house):
    case = house.opened("return_refund", amount=D("80.00"))
    order = case.order
    assert lines(order)[0].reserved == 80
    case = house.act(case, "accept", "lead", amount=D("60.00"), waiver="x")
    assert lines(order)[0].reserved == 60
    case = house.act(case, "convert", remedy="exchange")
    assert lines(order)[0].reserved == 0
    case = house.act(case, "convert", remedy="refund", amount=D("70.00"))
    assert (case.state, lines(order)[0].reserved) == ("refunding", 70)


def test_a_resubmission_holds_what_is_asked_for_now(house):
    case = house.walk(
        house.opened("return_refund", amount=D("80.00")), *path_to("refused", "return_refund")
    )
    same = house.act(case, "revise")
    assert (same.amount_requested, lines(same.order)[0].reserved) == (80, 80)
    case = house.act(same, "refuse", reason=house.refusal_reason(), text="不")
    less = house.act(case, "revise", amount=D("30.00"))
    assert (less.amount_requested, lines(less.order)[0].reserved) == (30, 30)


def test_a_reopened_case_holds_again_what_was_asked_for(house):
    case = house.opened("return_refund", amount=D("80.00"))
    case = house.act(case, "accept", "lead", amount=D("60.00"), waiver="x")
    case = house.act(house.act(case, "withdraw"), "reopen", "supervisor", text="新证据")
    assert (case.amount_approved, case.cleared) == (None, 0)
    assert lines(case.order)[0].reserved == 80


def test_a_failed_inspection_revised_holds_what_was_asked_for(house):
    case = house.opened("return_refund", amount=D("80.00"))
    case = house.act(case, "accept", "lead", amount=D("60.00"), waiver="x")
    case = house.walk(case, *path_to("inspecting", "return_refund")[1:], FAIL)
    case = house.act(case, "revise")
    assert (case.amount_requested, lines(case.order)[0].reserved) == (80, 80)


# What reports show outside our cases


def test_a_report_counts_what_our_cases_do_not_explain(house):
    order = house.paid_order((2, "100.00"), freight="0.00")
    paid_out(house, "refund_received", order, amount=D("30.00"))
    assert reported(order, "30.00") == 1
    assert Order.objects.get(pk=order.pk).external_refunded == 0
    reported(order, "75.00")
    reported(order, "75.00")
    reported(order, "50.00")  # refunds never shrink
    order.refresh_from_db()
    assert (order.external_refunded, order.reported_refunded) == (45, 75)
    assert [r.amount for r in order.external_refunds.all()] == [45]


def test_external_refunds_count_against_the_whole_order(house):
    order = house.paid_order((1, "60.00"), (1, "40.00"), freight="0.00")
    reported(order, "70.00")
    refusal = house.refused_to_open("refund_received", order, lines=((1, 1),), amount=D("30.01"))
    assert refusal.code == "amount_exceeded"
    house.opened("refund_received", order, lines=((1, 1),), amount=D("30.00"))


def test_silence_does_not_refund_what_the_platform_refunded_already(house):
    order = house.paid_order((1, "100.00"), freight="0.00")
    case = house.opened("refund_received", order)
    reported(order, "100.00")
    assert enforce(case.due_at)["escalated"] == 1
    case = type(case).objects.get(pk=case.pk)
    assert case.state == "applied"
    assert "100.00" in case.notices.get().text


def test_what_a_report_shows_as_refunded_meanwhile_is_not_paid_again(house):
    order = house.paid_order((1, "100.00"), freight="0.00")
    case = house.walk(
        house.opened("refund_received", order), *path_to("refunding", "refund_received")
    )
    reported(order, "100.00")
    refusal = house.refused(case, "pay", "finance", reference="R")
    assert (refusal.code, refusal.detail["limit"]) == ("amount_exceeded", "0.00")
    case = house.act(case, "record_platform_outcome", "lead", number="P1", amount=D("100.00"))
    order.refresh_from_db()
    assert (case.refunded, order.external_refunded) == (100, 0)
    assert order.external_refunds.get().explained == 100


def test_a_platforms_outcome_explains_what_its_report_had_shown(house):
    order = house.paid_order((2, "100.00"), freight="10.00")
    case = house.case_in("awaiting_return", order=order)
    reported(order, "60.00")
    case = house.act(case, "record_platform_outcome", "lead", number="P1", amount=D("60.00"))
    order.refresh_from_db()
    assert (case.state, case.refunded, order.external_refunded) == ("completed", 60, 0)
    row = case.refunds.get()
    assert (row.state, row.method, row.platform_number) == ("paid", "platform", "P1")


def test_a_platforms_outcome_beyond_the_goods_is_freight(house):
    case = house.case_in("awaiting_return")
    case = house.act(case, "record_platform_outcome", "lead", number="P1", amount=D("104.00"))
    assert (case.amount_approved, case.freight_approved, case.freight_refunded) == (100, 4, 4)
    other = house.case_in("awaiting_return")
    refusal = house.refused(
        other, "record_platform_outcome", "lead", number="P2", amount=D("110.01")
    )
    assert refusal.code == "amount_exceeded"


def test_a_platforms_refund_number_counts_once_over_all_cases(house):
    first, second = house.case_in("awaiting_return"), house.case_in("awaiting_return")
    house.act(first, "record_platform_outcome", "lead", number="P1")
    refusal = house.refused(second, "record_platform_outcome", "lead", number="P1")
    assert refusal.code == "key_reused"
    assert house.refused(second, "record_platform_outcome", "lead", number=" ").code == "bad_value"
    assert Refund.objects.filter(platform_number="P1").count() == 1


@pytest.mark.parametrize("outcome", ["closed", "done"])
def test_a_refund_that_the_platform_made_void_is_not_due_any_more(house, outcome):
    case = house.act(house.case_in("refunding"), "fail_payout", "finance", text="账户错")
    number = case.refunds.get().number
    case = house.act(case, "record_platform_outcome", "lead", number="P1", outcome=outcome)
    assert (case.refunded, case.refunds.get().state) == (0, "void")
    if outcome == "closed":
        case = house.act(case, "reopen", "supervisor", text="平台改判")
        case = house.walk(case, *path_to("refunding", "refund_received"))
        row = case.refunds.get()
        assert (row.number, row.state) == (number, "due")
        assert house.act(case, "pay", "finance", reference="R").refunds.get().number == number


def test_a_ruling_in_part_leaves_the_goods_where_they_are(house):
    case = house.act(house.case_in("mediating"), "rule_split", "lead", amount=D("30.00"))
    case = house.act(case, "pay", "finance", reference="R")
    line = lines(case.order)[0]
    assert (case.refunded, line.refunded, line.gone) == (30, 30, 0)
    case = house.act(house.case_in("inspecting"), "request_mediation", party="buyer")
    case = house.act(case, "rule_split", "lead", amount=D("30.00"))
    case = house.act(case, "pay", "finance", reference="R")
    assert lines(case.order)[0].gone == 2


def test_mediation_is_kept_with_its_outcome_and_opens_again_when_the_ruling_is_sent_back(house):
    order = house.paid_order((1, "8000.00"))
    case = house.act(house.opened("refund_received", order), "request_mediation", party="buyer")
    case = house.act(case, "rule_for_buyer", "lead")
    row = case.mediations.get()
    assert (row.outcome, row.closed_at, row.amount) == ("rule_for_buyer", case.moved_at, 8000)
    case = house.act(case, "send_back", "supervisor", text="金额有误")
    row = case.mediations.get()
    assert (row.outcome, row.closed_at, row.amount) == ("", None, None)
    case = house.act(case, "rule_for_seller", "lead")
    assert case.mediations.get().outcome == "rule_for_seller"


def test_a_waybill_is_a_parcel_with_who_pays_it(house):
    case = house.case_in("awaiting_return")
    parcel = house.act(case, "ship_back", **PARCEL).parcels.get()
    assert (parcel.direction, parcel.purpose, parcel.payer) == ("in", "return", "buyer")
