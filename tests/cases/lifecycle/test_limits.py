"""Who decides how much alone, who must agree, and that nobody agrees with himself."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from edges import PARCEL

from cases.flow.door import Act, perform_many
from cases.models import Approval, Case, Membership, RoleLimit
from tests.factories import DAY, HOUR, T0, UserFactory

D = Decimal


def accepted(house, amount, by="agent", at=T0 + HOUR, freight="0.00"):
    order = house.paid_order((1, amount), freight=freight)
    given = D(freight) or None
    case = house.opened("refund_received", order, by=by, freight=given)
    return house.act(case, "accept", by, at=at)


@pytest.mark.parametrize(
    ("who", "amount", "state"),
    [
        ("agent", "500.00", "refunding"),
        ("agent", "500.01", "awaiting_approval"),
        ("lead", "5000.00", "refunding"),
        ("lead", "5000.01", "awaiting_approval"),
        ("boss", "20000.00", "refunding"),
        ("boss", "20000.01", "awaiting_approval"),
    ],
)
def test_everybody_decides_up_to_his_limit(house, who, amount, state):
    case = accepted(house, amount, who)
    assert case.state == state
    assert case.entered_by == house.users[who]


def test_goods_and_freight_count_together(house):
    assert accepted(house, "495.00", freight="5.00").state == "refunding"
    assert accepted(house, "495.00", freight="5.01").state == "awaiting_approval"


@pytest.mark.parametrize(
    ("who", "amount", "needed"),
    [
        ("agent", "20000.00", 1),
        ("agent", "20000.01", 2),
        ("lead", "20000.01", 2),
        ("boss", "20000.01", 1),
    ],
)
def test_above_the_supervisors_limit_two_supervisors_decide(house, who, amount, needed):
    case = accepted(house, amount, who)
    assert case.approvals_needed == needed
    for supervisor in ("supervisor", "supervisor2")[:needed]:
        assert case.state == "awaiting_approval"
        case = house.act(case, "approve", supervisor)
    assert (case.state, case.cleared) == ("refunding", D(amount))
    assert Approval.objects.filter(case=case, granted=True, amount=D(amount)).count() == needed


def test_the_same_supervisor_does_not_approve_twice(house):
    case = house.act(accepted(house, "30000.00"), "approve", "supervisor")
    assert house.refused(case, "approve", "supervisor").code == "same_person"
    assert house.refused(case, "send_back", "supervisor", text="x").code == "same_person"


def test_nobody_approves_what_he_entered(house):
    case = accepted(house, "30000.00", "boss")
    assert house.refused(case, "approve", "boss").code == "same_person"
    assert house.refused(case, "send_back", "boss", text="x").code == "same_person"
    assert house.act(case, "approve", "supervisor").state == "refunding"


def test_nobody_approves_what_he_changed(house):
    both = UserFactory(role="lead", shop=house.shop)
    both.groups.add(Group.objects.get(name="supervisor"))
    house.users["both"] = both
    case = accepted(house, "800.00")
    case = house.act(house.act(case, "send_back", "supervisor", text="少"), "accept", "both")
    assert case.state == "refunding"  # within his own limit: nothing to approve
    case = accepted(house, "25000.00", "both")
    assert case.state == "awaiting_approval"
    assert house.refused(case, "approve", "both").code == "same_person"
    del house.users["both"]


def test_the_database_knows_it_too(house):
    case = accepted(house, "800.00")
    agent = house.users["agent"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.create(
            case=case, amount=800, granted=True, entered_by=agent, by=agent, at=T0
        )


def test_what_is_approved_once_is_not_asked_again_at_the_inspection(house):
    order = house.paid_order((2, "800.00"))
    case = house.act(house.opened("return_refund", order), "accept")
    case = house.act(case, "approve", "supervisor")
    case = house.act(case, "ship_back", **PARCEL)
    case = house.act(case, "receive", "warehouse")
    case = house.act(case, "pass_inspection", "warehouse")
    assert case.state == "refunding"


def test_a_ruling_within_the_leads_limit_is_not_asked_again_at_the_inspection(house):
    case = house.act(house.case_in("mediating"), "rule_for_buyer", "lead")
    case = house.act(case, "ship_back", **PARCEL)
    case = house.act(case, "receive", "warehouse")
    assert house.act(case, "pass_inspection", "warehouse").state == "refunding"


def test_a_ruling_above_the_leads_limit_is_asked_at_the_inspection(house):
    order = house.paid_order((1, "6000.00"))
    case = house.act(house.opened("return_refund", order), "request_mediation", party="buyer")
    case = house.act(case, "rule_for_buyer", "lead")
    assert (case.state, case.cleared) == ("awaiting_return", 0)
    case = house.act(case, "ship_back", **PARCEL)
    case = house.act(case, "receive", "warehouse")
    case = house.act(case, "pass_inspection", "warehouse")
    assert case.state == "awaiting_approval"


def test_more_than_was_cleared_is_asked_again(house):
    order = house.paid_order((2, "800.00"))
    case = house.act(house.opened("return_refund", order), "accept", amount=D("400.00"))
    assert case.state == "awaiting_return"
    case = house.act(case, "convert", remedy="refund", amount=D("600.00"))
    assert (case.state, case.going_to) == ("awaiting_approval", "refunding")
    case = house.act(case, "send_back", "supervisor", text="按原方案")
    assert (case.state, case.remedy) == ("awaiting_return", "return_refund")


def test_the_platforms_word_is_nobodys_to_approve(house):
    order = house.paid_order((1, "30000.00"))
    case = house.act(house.opened("refund_received", order), "accept", "platform")
    assert case.state == "refunding"


@pytest.mark.parametrize("step", ["accept", "convert"])
def test_a_day_has_its_limit_too(house, step):
    RoleLimit.objects.filter(role="agent").update(refund_day=D("700.00"))
    accepted(house, "400.00")
    over = house.opened("refund_received", house.paid_order((1, "301.00"), freight="0.00"))
    if step == "convert":
        over = house.opened("exchange", house.paid_order((1, "301.00"), freight="0.00"))
    inputs = {"remedy": "refund"} if step == "convert" else {}
    fresh = house.act(over, step, at=T0 + 2 * HOUR, **inputs)
    assert fresh.state == "awaiting_approval"
    house.act(fresh, "approve", "supervisor")
    # What another approved is not on the agent's account; 300 are left of the day.
    assert accepted(house, "300.00", at=T0 + 4 * HOUR).state == "refunding"
    assert accepted(house, "0.01", at=T0 + 5 * HOUR).state == "awaiting_approval"
    # 10:00 plus 14 hours is midnight in Shanghai.
    assert accepted(house, "0.01", at=T0 + 14 * HOUR - HOUR / 3600).state == "awaiting_approval"
    assert accepted(house, "500.00", at=T0 + 14 * HOUR).state == "refunding"


def test_a_batch_does_not_slip_past_the_limit_of_the_day(house):
    RoleLimit.objects.filter(role="agent").update(refund_day=D("700.00"))
    cases = [
        house.opened("refund_received", house.paid_order((1, "300.00"), freight="0.00"))
        for _n in range(4)
    ]
    report = perform_many(
        house.actor("agent"), Case, [Act(c.pk) for c in cases], Case.accept, at=T0 + HOUR
    )
    assert [m.target for m in report.done] == ["refunding"] * 2 + ["awaiting_approval"] * 2


def test_an_empty_limit_is_no_limit(house):
    RoleLimit.objects.filter(role="agent").update(refund_act=None)
    assert accepted(house, "90000.00").state == "refunding"


def test_a_role_without_a_row_decides_nothing(house):
    RoleLimit.objects.filter(role="agent").delete()
    assert accepted(house, "0.01").state == "awaiting_approval"


# Compensation


@pytest.mark.parametrize(
    ("who", "amount"), [("agent", "20.00"), ("lead", "100.00"), ("supervisor", "99999.00")]
)
def test_a_compensation_within_the_limit_is_kept(house, who, amount):
    case = house.opened()
    due = case.due_at
    case = house.act(case, "compensate", who, kind="coupon", amount=D(amount), text="致歉")
    row = case.compensations.get()
    assert (row.amount, row.by, case.compensation) == (D(amount), house.users[who], D(amount))
    assert (case.state, case.due_at, case.refunded) == ("applied", due, 0)


@pytest.mark.parametrize(("who", "amount"), [("agent", "20.01"), ("lead", "100.01")])
def test_a_larger_compensation_is_somebody_elses(house, who, amount):
    case = house.opened()
    refusal = house.refused(case, "compensate", who, kind="cash", amount=D(amount))
    assert refusal.code == "needs_approval"
    assert not case.compensations.exists()


@pytest.mark.parametrize("who", ["agent", "platform"])
@pytest.mark.parametrize("amount", ["0.00", "-1.00"])
def test_a_compensation_is_something(house, who, amount):
    refusal = house.refused(house.opened(), "compensate", who, kind="cash", amount=D(amount))
    assert refusal.code == "bad_value"


def test_a_batch_of_compensations_does_not_slip_past_the_limit_of_the_day(house):
    RoleLimit.objects.filter(role="agent").update(compensation_day=D("30.00"))
    acts = [Act(house.opened().pk, {"kind": "coupon", "amount": D("15.00")}) for _n in range(3)]
    report = perform_many(house.actor("agent"), Case, acts, Case.compensate, at=T0 + HOUR)
    assert len(report.done) == 2
    assert [r.code for _pk, r in report.refused] == ["needs_approval"]


def test_compensations_of_a_day_add_up(house):
    RoleLimit.objects.filter(role="agent").update(compensation_day=D("30.00"))
    case = house.act(house.opened(), "compensate", kind="coupon", amount=D("20.00"))
    refusal = house.refused(case, "compensate", kind="coupon", amount=D("10.01"))
    assert refusal.code == "needs_approval"
    case = house.act(case, "compensate", kind="coupon", amount=D("10.00"))
    midnight = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
    case = house.act(case, "compensate", kind="coupon", amount=D("20.00"), at=midnight)
    assert case.compensation == 50


def test_compensation_is_possible_after_the_end_and_counts_against_no_line(house):
    case = house.case_in("completed")
    case = house.act(case, "compensate", kind="red_packet", amount=D("5.00"))
    assert (case.compensation, case.refunded, case.lines.get().order_line.refundable) == (5, 100, 0)


# Whose case


def test_a_case_belongs_to_a_member_of_its_shop(house):
    case = house.opened()
    stranger = house.users["outsider"]
    assert house.refused(case, "assign", user=stranger).code == "not_in_your_shop"
    assert house.act(case, "assign", user=house.users["agent2"]).owner == house.users["agent2"]
    assert house.act(case, "assign", user=None).owner is None


def test_who_left_the_shop_does_nothing_more_there(house):
    leaver = UserFactory(role="agent", shop=house.shop)
    Membership.objects.filter(user=leaver).delete()
    house.users["leaver"] = type(leaver).objects.get(pk=leaver.pk)
    assert house.refused(house.opened(), "accept", "leaver").code == "not_in_your_shop"
    del house.users["leaver"]


def test_the_window_to_reopen_is_the_orders(house):
    order = house.paid_order((1, "100.00"), finished_at=T0 - 10 * DAY, status="finished")
    case = house.act(house.opened("return_refund", order), "withdraw")
    end = T0 + 5 * DAY
    assert house.refused(case, "reopen", "supervisor", at=end, text="x").code == "window_closed"
    again = house.act(case, "reopen", "supervisor", at=end - HOUR / 3600, text="新证据")
    assert (again.state, again.reopened, again.ended_by) == ("applied", 1, "")


def test_a_line_claimed_anew_meanwhile_keeps_the_old_case_closed(house):
    case = house.act(house.opened(), "withdraw")
    house.opened("exchange", case.order)
    refusal = house.refused(case, "reopen", "supervisor", text="x")
    assert refusal.code == "open_case_exists"
