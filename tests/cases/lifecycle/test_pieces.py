"""Pieces: held, gone, claimable again, handed back; one counter over all kinds of case."""

import pytest
from edges import FAIL, PARCEL

from cases.models import OrderLine
from tests.factories import DAY, HOUR, T0, path_to


def line_of(order, number=1):
    return OrderLine.objects.get(order=order, line_no=number)


def counters(order, number=1):
    line = line_of(order, number)
    return line.held, line.gone, line.quantity_left


@pytest.mark.parametrize("kind", ["refund_in_transit", "refund_received", "return_refund"])
def test_no_more_pieces_are_claimed_than_were_bought(house, kind):
    order = house.order_for(kind, (3, "90.00"))
    assert house.refused_to_open(kind, order, lines=((1, 4),)).code == "quantity_exceeded"
    house.opened(kind, order, lines=((1, 3),))
    assert counters(order) == (3, 0, 0)


def test_returned_pieces_are_gone_and_the_rest_can_still_be_claimed(house):
    order = house.paid_order((3, "90.00"))
    house.walk(
        house.opened("return_refund", order, lines=((1, 2),)),
        *path_to("completed", "return_refund"),
    )
    assert counters(order) == (0, 2, 1)
    refusal = house.refused_to_open("exchange", order, lines=((1, 2),))
    assert refusal.code == "quantity_exceeded"
    assert refusal.code == "quantity_exceeded"
    assert {"3", "2", "1"} <= set(refusal.message)  # bought, asked for, free
    house.opened("exchange", order, lines=((1, 1),))


@pytest.mark.parametrize("kind", ["exchange", "repair", "resend"])
def test_what_was_exchanged_repaired_or_resent_can_be_claimed_again(house, kind):
    order = house.paid_order((2, "100.00"))
    house.walk(house.opened(kind, order), *path_to("completed", kind))
    assert counters(order) == (0, 0, 2)
    again = house.opened("return_refund", order)
    again = house.walk(again, *path_to("completed", "return_refund"))
    assert again.refunded == 110 - 10  # not wanted: the freight stays
    assert counters(order) == (0, 2, 0)


@pytest.mark.parametrize("kind", ["refund_unshipped", "refund_in_transit"])
def test_what_never_arrived_is_gone_with_the_refund(house, kind):
    order = house.order_for(kind, (2, "100.00"))
    house.walk(house.opened(kind, order), *path_to("completed", kind))
    assert counters(order) == (0, 2, 0)


def test_a_refund_that_leaves_the_goods_takes_money_not_pieces(house):
    order = house.paid_order((2, "100.00"))
    case = house.opened("refund_received", order, amount=30)
    case = house.walk(case, *path_to("completed", "refund_received"))
    assert counters(order) == (0, 0, 2)
    case = house.opened("return_refund", order)
    assert case.amount_requested == 70
    house.walk(case, *path_to("completed", "return_refund"))
    assert (line_of(order).refunded, line_of(order).gone) == (100, 2)


def test_a_line_is_in_one_open_case_at_a_time(house):
    order = house.paid_order((2, "100.00"), (1, "50.00"))
    first = house.opened("return_refund", order, lines=((1, 1),))
    refusal = house.refused_to_open("exchange", order, lines=((1, 1),))
    assert refusal.code == "open_case_exists"
    assert first.case_no in refusal.message
    house.opened("exchange", order, lines=((2, 1),))
    house.act(first, "withdraw")
    house.opened("exchange", order, lines=((1, 1),))


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (((9, 1),), "unknown"),
        (((1, 0),), "bad_value"),
        (((1, -1),), "bad_value"),
        (((1, 1), (1, 1)), "bad_value"),
    ],
    ids=["no-such-line", "no-piece", "less-than-none", "named-twice"],
)
def test_lines_that_make_no_sense_are_refused(house, lines, code):
    order = house.paid_order((2, "100.00"))
    assert house.refused_to_open("return_refund", order, lines=lines).code == code
    assert not order.cases.exists()


def test_five_applications_per_line_and_no_sixth(house):
    order = house.paid_order((2, "100.00"), (1, "50.00"))
    for _time in range(5):
        house.act(house.opened("return_refund", order, lines=((1, 1),)), "withdraw")
    refusal = house.refused_to_open("return_refund", order, lines=((1, 1),))
    assert refusal.code == "window_closed"
    house.opened("return_refund", order, lines=((2, 1),))


# Receipt and inspection


def received(house, counted, pieces=3, kind="return_refund", paid="90.00"):
    order = house.paid_order((pieces, paid))
    case = house.walk(house.opened(kind, order), *path_to("returning", kind))
    line = line_of(order)
    return order, house.act(case, "receive", "warehouse", line={line.pk: counted})


def test_fewer_pieces_are_recorded_and_refunded_in_part(house):
    order, case = received(house, 2)
    case = house.act(case, "pass_inspection", "warehouse")
    assert (case.amount_approved, case.lines.get().accepted) == (60, 2)
    house.act(case, "pay", "finance", reference="R")
    # One piece never came: it is still with the buyer and may be claimed.
    assert counters(order) == (0, 2, 1)
    assert house.opened("return_refund", order, lines=((1, 1),)).amount_requested == 30


def test_a_surplus_piece_goes_back_to_the_buyer(house):
    order, case = received(house, 4)
    case = house.act(case, "pass_inspection", "warehouse")
    case = house.act(case, "pay", "finance", reference="R")
    assert (case.refunded, counters(order)) == (90, (0, 3, 0))
    assert case.lines.get().to_hand_back == 1
    case = house.act(case, "hand_back", "warehouse", **PARCEL)
    assert case.lines.get().to_hand_back == 0
    assert house.refused(case, "hand_back", "warehouse", **PARCEL).code == "wrong_state"
    assert counters(order) == (0, 3, 0)


def test_rejected_pieces_are_not_refunded_and_go_back(house):
    order, case = received(house, 3)
    line = line_of(order)
    case = house.act(case, "pass_inspection", "warehouse", line={line.pk: 1})
    row = case.lines.get()
    assert (row.received, row.accepted, row.rejected) == (3, 1, 2)
    assert case.amount_approved == 30
    case = house.act(case, "hand_back", "warehouse", **PARCEL)
    case = house.act(case, "pay", "finance", reference="R")
    assert (case.refunded, counters(order)) == (30, (0, 1, 2))


def test_more_pieces_than_came_are_not_accepted(house):
    order, case = received(house, 2)
    refusal = house.refused(case, "pass_inspection", "warehouse", line={line_of(order).pk: 3})
    assert refusal.code == "quantity_exceeded"


def test_an_inspection_that_accepts_nothing_has_failed(house):
    order, case = received(house, 2)
    line = line_of(order)
    assert house.refused(case, "pass_inspection", "warehouse", line={line.pk: 0}).code
    _order, empty = received(house, 0)
    refusal = house.refused(empty, "pass_inspection", "warehouse")
    assert refusal.code == "wrong_state"
    house.walk(empty, FAIL)


def test_pieces_of_another_order_are_not_received(house):
    stranger = line_of(house.paid_order())
    case = house.case_in("returning")
    refusal = house.refused(case, "receive", "warehouse", line={stranger.pk: 1})
    assert refusal.code == "unknown"
    own = case.lines.get().order_line_id
    assert house.refused(case, "receive", "warehouse", line={own: -1}).code == "bad_value"


@pytest.mark.parametrize("state", ["refused", "applied"])
def test_a_case_does_not_close_while_its_goods_lie_with_us(house, state):
    case = house.walk(house.case_in("inspecting"), FAIL)
    if state == "applied":
        case = house.act(case, "revise")
    refusal = house.refused(case, "withdraw")
    assert refusal.code == "blocked"
    assert "2" in refusal.message
    if state == "applied":
        case = house.act(case, "refuse", reason=house.refusal_reason(), text="不")
    case = house.act(case, "hand_back", "warehouse", **PARCEL)
    assert house.act(case, "withdraw").state == "closed"


def test_goods_that_were_handed_back_must_come_again_before_they_are_refunded(house):
    case = house.walk(house.case_in("inspecting"), FAIL)
    case = house.act(case, "hand_back", "warehouse", **PARCEL)
    assert case.goods == "received"
    case = house.walk(case, ("revise", "agent", {}), *path_to("awaiting_return", "return_refund"))
    assert case.state == "awaiting_return"
    case = house.act(case, "ship_back", **PARCEL)
    case = house.act(case, "receive", "warehouse")
    row = case.lines.get()
    assert (row.received, row.accepted, row.handed_back, row.with_us) == (2, None, 0, 2)
    case = house.act(case, "pass_inspection", "warehouse")
    case = house.act(case, "pay", "finance", reference="R")
    assert counters(case.order) == (0, 2, 0)


def test_goods_accepted_after_all_stay_with_us(house):
    case = house.walk(house.case_in("inspecting"), FAIL, ("revise", "agent", {}))
    case = house.act(case, "accept", "lead", waiver="好")
    case = house.act(case, "pay", "finance", reference="R")
    assert counters(case.order) == (0, 2, 0)
    assert house.refused(case, "hand_back", "warehouse", **PARCEL).code == "wrong_state"


def test_goods_of_a_case_ruled_for_the_seller_are_handed_back_after_it(house):
    case = house.act(house.case_in("inspecting"), "request_mediation", party="buyer")
    case = house.act(case, "rule_for_seller", "lead")
    assert (case.state, counters(case.order)) == ("closed", (0, 0, 2))
    case = house.act(case, "hand_back", "warehouse", **PARCEL)
    assert (case.state, case.due_at, case.goods) == ("closed", None, "received")


def test_part_of_the_goods_can_be_handed_back(house):
    case = house.walk(house.case_in("inspecting"), FAIL)
    pk = case.lines.get().order_line_id
    refusal = house.refused(case, "hand_back", "warehouse", **PARCEL, line={pk: 3})
    assert refusal.code == "quantity_exceeded"
    case = house.act(case, "hand_back", "warehouse", **PARCEL, line={pk: 1})
    assert (case.goods, case.lines.get().with_us) == ("returned", 1)
    assert house.refused(case, "withdraw").code == "blocked"


def test_an_exchange_keeps_the_old_pieces_and_closes_after_a_ruling(house):
    case = house.case_in("awaiting_receipt", "exchange")
    case = house.act(case, "request_mediation", party="buyer")
    case = house.act(case, "rule_for_buyer", "lead")
    assert case.state == "awaiting_return"
    assert house.act(case, "withdraw").state == "closed"


def test_new_serials_belong_to_the_lines_of_the_case(house):
    case = house.case_in("awaiting_dispatch", "exchange")
    pk = case.lines.get().order_line_id
    too_many = {pk: ["A", "B", "C"]}
    assert (
        house.refused(case, "dispatch", "warehouse", **PARCEL, serial=too_many).code
        == "quantity_exceeded"
    )
    assert (
        house.refused(case, "dispatch", "warehouse", **PARCEL, serial={pk + 99: ["A"]}).code
        == "unknown"
    )
    case = house.act(case, "dispatch", "warehouse", **PARCEL, serial={pk: ["A", "B"]})
    assert case.lines.get().new_serials == "A\nB"


def test_a_parcel_that_was_signed_for_is_not_intercepted(house):
    order = house.order_for("refund_in_transit", signed_at=T0 + 5 * HOUR)
    case = house.opened("refund_in_transit", order)
    assert house.refused(case, "intercept", at=T0 + 5 * HOUR).code == "wrong_state"
    assert house.act(case, "intercept", at=T0 + 4 * HOUR).state == "intercepting"


def test_shipping_instead_of_refunding_ships_the_order(house):
    order = house.order_for("refund_unshipped")
    case = house.act(house.opened("refund_unshipped", order), "ship_order", at=T0 + DAY, **PARCEL)
    order.refresh_from_db()
    assert (order.status, order.shipped_at, order.waybill) == ("shipped", T0 + DAY, "SF9")
    assert (case.ended_by, case.parcels.get().purpose) == ("shipped", "order")
    assert counters(order) == (0, 0, 2)
