"""A case of every kind from the application to the end, as people in a shop would tell it."""

from decimal import Decimal

import pytest
from domain_tables import STATES
from edges import FAIL, PARCEL

from cases.flow.sweep import enforce
from cases.models import Case
from cases.seeding import writer
from cases.sop import next_action
from tests.factories import DAY, picture

D = Decimal


def told(case):
    return [(e.verb, e.target) for e in case.events.order_by("seq")]


def test_an_order_that_never_left_is_refunded_with_its_freight(house):
    case = house.opened("refund_unshipped", reason="out_of_stock")
    case = house.act(case, "accept")
    case = house.act(case, "pay", "finance", reference="2026030200001")
    assert (case.state, case.refunded, case.freight_refunded) == ("completed", 110, 10)
    assert told(case) == [
        ("open_case", "applied"),
        ("accept", "refunding"),
        ("pay", "completed"),
    ]


def test_a_parcel_on_its_way_is_turned_round(house):
    case = house.opened("refund_in_transit")
    case = house.act(case, "intercept", "warehouse")
    case = house.act(case, "intercept_fail", "warehouse", text="派件中")
    case = house.act(case, "intercept", "warehouse")
    case = house.act(case, "intercept_succeed", "warehouse")
    assert house.act(case, "pay", "finance", reference="R").refunded == 100


def test_broken_goods_are_partly_refunded_and_kept(house):
    case = house.opened("refund_received", reason="damaged", amount=D("100.00"))
    case = house.act(case, "add_evidence", party="buyer", evidence=picture())
    case = house.act(case, "propose", amount=D("35.00"), text="补偿三成，商品留用")
    case = house.act(case, "agree_proposal")
    assert (case.state, case.amount_approved) == ("refunding", 35)
    case = house.act(case, "pay", "finance", reference="R")
    line = case.lines.get().order_line
    assert (case.refunded, line.quantity_left, line.refundable) == (35, 2, 65)


def test_a_return_that_is_refused_revised_mediated_and_won_by_the_buyer(house):
    case = house.opened("return_refund", reason="quality")
    case = house.act(case, "refuse", reason=house.refusal_reason(), text="看不出瑕疵")
    case = house.act(case, "revise", text="补充了照片")
    case = house.act(case, "request_mediation", party="buyer", text="卖家不同意")
    enforce(case.due_at)
    case = Case.objects.get(pk=case.pk)
    case = house.act(case, "rule_for_buyer", "lead")
    case = house.act(case, "extend", "lead", days=3)
    case = house.act(case, "ship_back", **PARCEL)
    case = house.act(case, "receive", "warehouse")
    case = house.act(case, "pass_inspection", "warehouse", disposition="supplier")
    case = house.act(case, "pay", "finance", reference="R")
    assert [verb for verb, _target in told(case)] == [
        "open_case",
        "refuse",
        "revise",
        "request_mediation",
        "end_evidence",
        "rule_for_buyer",
        "extend",
        "ship_back",
        "receive",
        "pass_inspection",
        "pay",
    ]
    assert (case.refunded, case.disposition, case.resubmissions) == (110, "supplier", 1)


def test_a_wrong_item_is_replaced_at_once_and_comes_back_later(house):
    case = house.opened("exchange", reason="wrong_item")
    case = house.act(case, "accept", waiver="发错货属实")
    case = house.act(case, "dispatch_ahead", "warehouse", courier="SF", waybill="NEW")
    case = house.act(case, "ship_back", **PARCEL)
    case = house.act(case, "receive", "warehouse")
    case = house.act(case, "pass_inspection", "warehouse")
    case = house.act(case, "confirm_receipt")
    assert case.state == "completed"
    assert sorted(p.purpose for p in case.parcels.all()) == ["replacement", "return"]
    assert case.freight_payer == "seller"


def test_a_repair_that_fails_its_check_once(house):
    case = house.case_in("diagnosing")
    case = house.act(case, "record_diagnosis", "warehouse", verdict="confirmed")
    case = house.act(case, "finish_repair", cost=D("18.00"))
    case = house.act(case, "fail_quality_check", "warehouse", text="仍有异响")
    case = house.act(case, "finish_repair", cost=D("25.00"))
    case = house.act(case, "pass_quality_check", "warehouse")
    case = house.act(case, "dispatch", "warehouse", **PARCEL)
    assert case.lines.get().with_us == 0
    enforce(case.due_at)
    case = Case.objects.get(pk=case.pk)
    assert (case.state, case.repair_cost, case.refunded) == ("completed", 25, 0)


def test_a_repair_that_cannot_be_done_ends_in_a_refund(house):
    case = house.case_in("repairing")
    case = house.act(case, "propose", remedy="return_refund", text="配件停产")
    case = house.act(case, "agree_proposal")
    case = house.act(case, "pay", "finance", reference="R")
    line = case.lines.get().order_line
    assert (case.refunded, line.gone) == (100, 2)


def test_a_missing_part_is_sent_and_the_buyer_says_nothing(house):
    case = house.opened("resend", reason="missing_parts", lines=((1, 1),))
    enforce(case.due_at)
    case = Case.objects.get(pk=case.pk)
    case = house.act(case, "dispatch", "warehouse", **PARCEL)
    assert case.parcels.get().purpose == "resend"
    enforce(case.due_at)
    assert told(case) == [
        ("open_case", "applied"),
        ("accept_by_silence", "awaiting_dispatch"),
        ("dispatch", "awaiting_receipt"),
        ("confirm_receipt", "completed"),
    ]


def test_goods_that_are_not_as_they_must_be_go_back(house):
    case = house.walk(house.case_in("inspecting"), FAIL)
    case = house.act(case, "hand_back", "warehouse", courier="SF", waybill="BACK")
    enforce(case.due_at)
    case = Case.objects.get(pk=case.pk)
    assert (case.state, case.refunded) == ("closed", 0)
    assert case.lines.get().order_line.quantity_left == 2
    assert house.act(case, "reopen", "supervisor", text="买家举证").state == "applied"


def test_an_order_with_many_cases_ends_with_nothing_left(house):
    order = house.paid_order((2, "66.67"), (1, "33.33"), freight="8.00")
    first = house.opened("refund_received", order, lines=((2, 1),), amount=D("3.33"))
    house.walk(first, ("accept", "agent", {}), ("pay", "finance", {"reference": "1"}))
    for lines in (((1, 1),), ((1, 1), (2, 1))):
        case = house.opened("return_refund", order, reason="quality", lines=lines)
        case = house.act(case, "accept", "lead", waiver="属实")
        case = house.act(case, "ship_back", **PARCEL)
        case = house.act(case, "receive", "warehouse")
        case = house.act(case, "pass_inspection", "warehouse")
        house.act(case, "pay", "finance", reference="2")
    order.refresh_from_db()
    refunded = sum(x.refunded for x in order.lines.all()) + order.freight_refunded
    assert (refunded, order.paid_amount) == (108, 108)
    assert [x.quantity_left for x in order.lines.all()] == [0, 0]


@pytest.mark.parametrize("state", STATES)
def test_a_case_always_shows_one_next_action(house, state):
    writer._sops()
    case = house.case_in(state)
    action = next_action(case, house.actor("boss"))
    assert action["label"]
    if state in ("completed", "closed"):
        assert action["verb"] == ""
    else:
        assert action["verb"] in Case.steps()
        assert action["guidance"]


def test_the_next_action_can_be_taken_by_who_sees_it(house):
    writer._sops()
    for state, who in (("applied", "agent"), ("returning", "warehouse"), ("refunding", "finance")):
        case = house.case_in(state)
        verb = next_action(case, house.actor(who))["verb"]
        assert house.users[who].has_perm(f"cases.{verb}_case")
    waiting = next_action(house.case_in("refunding"), house.actor("warehouse"))
    assert waiting["verb"] == ""


def test_a_case_that_nobody_looks_after_still_ends(house):
    now = None
    cases = [house.opened(kind) for kind in ("return_refund", "exchange", "repair", "resend")]
    for _week in range(4):
        now = (now or cases[0].applied_at) + 8 * DAY
        enforce(now)
    states = {c.kind: Case.objects.get(pk=c.pk).state for c in cases}
    # Who never sent anything back gets nothing; what is ours to send stays, and was escalated.
    assert states == {
        "return_refund": "closed",
        "exchange": "closed",
        "repair": "closed",
        "resend": "awaiting_dispatch",
    }
