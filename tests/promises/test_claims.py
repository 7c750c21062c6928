"""Claims from breach to money: every promise, every edge, silence, debts, and what is refused."""

from datetime import timedelta
from decimal import Decimal

import pytest

from cases.flow import clock
from cases.flow.door import allowed
from cases.flow.sweep import enforce
from cases.models import Case, Payment, Reason
from promises import verbs
from promises.models import Claim, ClaimEvent, Deposit, Entry, ShopNotice, Term, TopUpDuty
from promises.terms import Code
from promises.verbs import Demand
from tests.factories import DAY, T0
from tests.promises.counter import Counter, books_are_clean, refusal, written

pytestmark = pytest.mark.django_db


@pytest.fixture
def counter() -> Counter:
    return Counter()


NAMED = {"named_courier": "YTO", "courier": "SF"}
LATE_ARRIVAL = {"promised_arrival": T0 - 3 * DAY}
#: promise, facts of the order, inputs, amount, paid of ¥333.33 for the line.
PROMISES = [
    ("fake_triple", {}, {"freight_out": "8.00", "freight_back": "12.00"}, "1019.99"),
    ("quality", {}, {"amount": "350.00"}, "350.00"),
    ("quality", {}, {}, "333.33"),
    ("ship_on_time", {}, {}, "16.67"),
    ("free_return", {}, {"freight_out": "8.00", "freight_back": "12.00"}, "353.33"),
    ("free_return", {"shipped_free": True}, {"freight_out": "8.00", "freight_back": "12.00"},
     "345.33"),
    ("damage_resend", {}, {"freight_back": "6.00"}, "6.00"),
    ("named_courier", NAMED, {"amount": "5.00"}, "5.00"),
    ("arrive_on_time", LATE_ARRIVAL, {"amount": "7.50"}, "7.50"),
]  # fmt: skip


@pytest.mark.parametrize(("promise", "facts", "inputs", "amount"), PROMISES)
def test_each_promise_is_paid_when_the_seller_accepts(counter, promise, facts, inputs, amount):
    counter.pay_in("2000.00")
    order = counter.sold("333.33", promises=f"quality;{promise}", **facts)
    given = {name: Decimal(value) for name, value in inputs.items()}

    claim = counter.file(order, promise, **given)
    done = counter.act(claim, "accept")

    assert (done.state, str(done.amount), str(done.paid)) == ("paid", amount, amount)
    assert done.working["result"] == amount
    assert counter.kinds[1:] == [("pay", amount)]
    left = Decimal("2000.00") - Decimal(amount)
    assert counter.accounts == (str(left), "0.00", amount, "0.00")
    assert books_are_clean(counter.now)


@pytest.mark.parametrize(("promise", "facts", "inputs", "amount"), PROMISES)
def test_each_promise_is_paid_when_the_platform_upholds_it(counter, promise, facts, inputs, amount):
    counter.pay_in("2000.00")
    order = counter.sold("333.33", promises=promise, **facts)
    given = {name: Decimal(value) for name, value in inputs.items()}

    claim = counter.handed_over(order, promise, **given)
    assert (claim.state, str(claim.frozen)) == ("adjudicating", amount)
    assert counter.accounts[1] == amount
    done = counter.act(claim, "uphold", report="质检 2026-17")

    assert (done.state, str(done.paid), done.frozen) == ("paid", amount, 0)
    assert counter.kinds[1:] == [("freeze", amount), ("pay", amount)]
    assert counter.accounts[1:] == ("0.00", amount, "0.00")
    assert books_are_clean(counter.now)


def test_the_clock_of_a_claim_is_the_sellers_three_days(counter):
    claim = counter.file(counter.sold())

    assert (claim.clock_on, claim.on_expiry) == ("seller", "contest")
    assert claim.due_at == claim.filed_at + 3 * DAY


def test_silence_contests_then_hands_over_then_calls_a_supervisor(counter):
    counter.pay_in("100.00")
    claim = counter.file(counter.sold())
    filed = claim.filed_at

    enforce(filed + 3 * DAY - timedelta(seconds=1))
    assert Claim.objects.get().state == "filed"
    enforce(filed + 3 * DAY)
    assert Claim.objects.get().state == "contested"
    enforce(filed + 6 * DAY)
    now = Claim.objects.get()
    assert (now.state, str(now.frozen)) == ("adjudicating", "5.00")
    assert (now.clock_on, now.due_at) == ("platform", filed + 11 * DAY)
    enforce(filed + 11 * DAY)
    enforce(filed + 12 * DAY)

    last = Claim.objects.get()
    assert (last.state, last.escalated_at) == ("adjudicating", filed + 11 * DAY)
    assert ShopNotice.objects.filter(kind="escalation").count() == 1
    verbs = ClaimEvent.objects.order_by("seq").values_list("verb", flat=True)
    assert list(verbs) == ["file_claim", "contest", "adjudicate", "escalate"]
    assert books_are_clean(filed + 12 * DAY)


@pytest.mark.parametrize(("step", "state"), [("dismiss", "dismissed"), ("withdraw", "withdrawn")])
def test_what_was_frozen_is_free_again_when_the_claim_falls(counter, step, state):
    counter.pay_in("100.00")
    claim = counter.handed_over(counter.sold())

    done = counter.act(claim, step)

    assert (done.state, done.frozen, done.due_at) == (state, 0, None)
    assert counter.accounts == ("100.00", "0.00", "0.00", "0.00")
    assert counter.kinds == [("top_up", "100.00"), ("freeze", "5.00"), ("release", "5.00")]
    assert books_are_clean(counter.now)


def test_an_empty_deposit_freezes_what_is_there_and_pays_from_what_came_since(counter):
    counter.pay_in("3.00")
    claim = counter.handed_over(counter.sold())
    assert str(claim.frozen) == "3.00"
    counter.pay_in("1.00")

    done = counter.act(claim, "uphold")

    assert (done.state, str(done.paid), str(done.owed)) == ("owed", "4.00", "1.00")
    assert counter.accounts == ("0.00", "0.00", "4.00", "1.00")
    assert books_are_clean(counter.now)


def test_an_overturned_ruling_is_undone_by_counter_entries(counter):
    counter.pay_in("100.00")
    claim = counter.act(counter.file(counter.sold()), "accept")

    done = counter.act(claim, "reverse", "supervisor", text="平台改判")

    assert (done.state, done.paid) == ("reversed", 0)
    assert counter.kinds == [("top_up", "100.00"), ("pay", "5.00"), ("reverse", "5.00")]
    assert Entry.objects.get(kind="reverse").reverses == Entry.objects.get(kind="pay")
    assert counter.accounts == ("100.00", "0.00", "0.00", "0.00")
    assert counter.file(claim.order).state == "filed"  # it can be claimed again
    assert books_are_clean(counter.now)


def test_a_debt_that_was_paid_in_parts_is_reversed_part_by_part(counter):
    counter.pay_in("2.00")
    claim = counter.act(counter.file(counter.sold()), "accept")
    counter.pay_in("1.00")
    counter.pay_in("10.00")
    assert Claim.objects.get().state == "paid"

    counter.act(claim, "reverse", "supervisor", text="平台改判")

    assert [k for k in counter.kinds if k[0] == "reverse"] == [
        ("reverse", "2.00"), ("reverse", "1.00"), ("reverse", "2.00"),
    ]  # fmt: skip
    assert counter.accounts == ("13.00", "0.00", "0.00", "0.00")
    assert books_are_clean(counter.now)


# Debts and the duty to top up


def test_what_the_deposit_lacks_is_owed_and_the_oldest_debt_is_paid_first(counter):
    counter.pay_in("4.00")
    first, second = (counter.file(counter.sold()) for _ in range(2))
    first, second = counter.act(first, "accept"), counter.act(second, "accept")
    assert [(c.state, str(c.paid), str(c.owed)) for c in (first, second)] == [
        ("owed", "4.00", "1.00"),
        ("owed", "0.00", "5.00"),
    ]
    assert counter.accounts == ("0.00", "0.00", "4.00", "6.00")

    counter.pay_in("3.00")

    first, second = Claim.objects.order_by("pk")
    assert (first.state, str(first.paid), str(first.owed)) == ("paid", "5.00", "0.00")
    assert (second.state, str(second.paid), str(second.owed)) == ("owed", "2.00", "3.00")
    assert counter.duty.state == "notified"

    counter.pay_in("10.00")

    assert Claim.objects.get(pk=second.pk).state == "paid"
    assert counter.accounts == ("7.00", "0.00", "10.00", "0.00")
    assert counter.duty.state == "met"
    assert books_are_clean(counter.now)


def test_a_debt_suspends_the_promises_then_blocks_the_shop_until_it_is_settled(counter):
    claim = counter.act(counter.file(counter.sold()), "accept")
    began = claim.granted_at
    assert counter.duty.state == "notified"

    enforce(began + 3 * DAY - timedelta(seconds=1))
    assert counter.duty.state == "notified"
    enforce(began + 3 * DAY)
    assert counter.duty.state == "suspended"
    enforce(began + 5 * DAY - timedelta(seconds=1))
    assert counter.duty.state == "suspended"
    enforce(began + 5 * DAY)
    enforce(began + 6 * DAY)
    assert (counter.duty.state, counter.duty.blocked_at) == ("blocked", began + 5 * DAY)

    counter.now = began + 7 * DAY
    counter.pay_in("5.00")

    assert (counter.duty.state, counter.duty.due_at) == ("met", None)
    assert ShopNotice.objects.filter(kind="duty").count() == 4
    assert books_are_clean(counter.now)


def test_what_is_paid_while_promises_are_suspended_carries_none(counter):
    claim = counter.act(counter.file(counter.sold()), "accept")
    suspended = claim.granted_at + 3 * DAY
    enforce(suspended)
    counter.now = suspended + 2 * DAY
    counter.pay_in("5.00")
    met = counter.duty.met_at

    def paid_at(moment):
        facts = {"paid_at": moment, "shipped_at": moment + 4 * DAY, "signed_at": None}
        return counter.sold(**facts, status="shipped")

    later = met + 30 * DAY
    for moment in (suspended, met - timedelta(seconds=1)):
        assert refusal(counter.file, paid_at(moment), at=later).code == "not_eligible"
    for moment in (suspended - timedelta(seconds=1), met):
        assert counter.file(paid_at(moment), at=later).state == "filed"


def test_one_shop_has_one_duty_however_many_debts(counter):
    for _ in range(3):
        counter.act(counter.file(counter.sold()), "accept")

    assert TopUpDuty.objects.count() == 1
    counter.pay_in("15.00")
    counter.act(counter.file(counter.sold()), "accept")
    assert list(TopUpDuty.objects.order_by("pk").values_list("state", flat=True)) == [
        "met",
        "notified",
    ]
    assert books_are_clean(counter.now)


# Money is given back once


def test_what_a_case_refunded_is_deducted_when_the_claim_is_paid(counter):
    counter.pay_in("1000.00")
    order = counter.sold("100.00", promises="fake_triple")
    claim = counter.file(order, "fake_triple")
    case = counter.house.opened("refund_received", order, lines=((1, 1),), at=counter.tick())
    case = counter.house.act(case, "accept", "lead", amount=Decimal("60.00"), waiver="看过")
    counter.house.act(case, "pay", "finance", reference="R1")

    done = counter.act(claim, "accept")

    assert (str(done.amount), str(done.deducted), str(done.paid)) == ("300.00", "60.00", "240.00")
    assert str(done.refund) == "40.00"
    assert books_are_clean(counter.now + DAY)


def test_a_case_does_not_refund_again_what_a_claim_gave_back(counter):
    counter.pay_in("1000.00")
    order = counter.sold("100.00", promises="fake_triple")
    case = counter.house.opened("refund_received", order, lines=((1, 1),), at=counter.tick())
    case = counter.house.act(case, "accept", "lead", waiver="看过")
    claim = counter.file(order, "fake_triple")
    assert claim.case_id == case.pk
    counter.act(claim, "accept")

    refused = counter.house.refused(case, "pay", "finance", reference="R1")

    assert refused.code == "amount_exceeded"
    assert Case.objects.get(pk=case.pk).state == "refunding"
    assert books_are_clean(counter.now)


def test_two_promises_on_one_line_give_the_price_back_once(counter):
    counter.pay_in("1000.00")
    order = counter.sold("100.00", promises="fake_triple;free_return")
    counter.act(counter.file(order, "free_return"), "accept")

    done = counter.act(counter.file(order, "fake_triple"), "accept")

    assert (str(done.deducted), str(done.paid)) == ("100.00", "200.00")
    assert books_are_clean(counter.now)


def test_what_arrived_broken_is_sent_again_then_comes_back_and_a_third_time_is_refused(counter):
    counter.pay_in("500.00")
    order = counter.sold("100.00", promises="damage_resend")
    first = counter.file(order, "damage_resend")
    assert (first.remedy, first.amount) == ("resend", 0)
    assert counter.act(first, "accept").state == "paid"
    resend = Claim.objects.get(pk=first.pk).case
    assert (resend.kind, resend.state, resend.reason.code) == ("resend", "applied", "damaged")
    counter.house.act(resend, "withdraw", at=counter.tick())

    second = counter.file(order, "damage_resend")
    assert (second.remedy, str(second.amount)) == ("return", "100.00")
    done = counter.act(second, "accept")
    assert str(done.paid) == "100.00"
    back = Claim.objects.get(pk=second.pk).case
    assert (back.kind, back.amount_requested) == ("return_refund", 0)

    assert refusal(counter.file, order, "damage_resend").code == "not_eligible"
    assert books_are_clean(counter.now)


def test_a_resend_that_no_case_can_take_up_is_not_granted(counter):
    order = counter.sold("100.00", promises="damage_resend")
    claim = counter.file(order, "damage_resend")
    type(order).objects.filter(pk=order.pk).update(finished_at=T0 - 20 * DAY)
    before = written()

    assert refusal(counter.act, claim, "accept").code == "window_closed"
    assert written() == before
    assert Case.objects.count() == 0


# What is refused, and leaves nothing behind


def code_of(counter, order, promise="ship_on_time", **more):
    before = written()
    code = refusal(counter.file, order, promise, **more).code
    assert written() == before
    return code


def test_a_claim_without_that_promise_is_refused(counter):
    assert code_of(counter, counter.sold(promises="quality")) == "not_eligible"
    assert code_of(counter, counter.sold(promises="")) == "not_eligible"


def test_a_claim_before_the_breach_or_after_its_window_is_refused(counter):
    in_time = counter.sold(shipped_at=T0 - 4 * DAY)
    assert code_of(counter, in_time) == "not_eligible"
    over = counter.sold(status="finished", finished_at=T0)
    assert code_of(counter, over, at=T0 + 15 * DAY) == "window_closed"
    assert counter.file(over, at=T0 + 15 * DAY - timedelta(seconds=1)).state == "filed"


def test_a_second_claim_is_refused_until_the_first_fell(counter):
    order = counter.sold()
    claim = counter.file(order)
    assert code_of(counter, order) == "already_claimed"
    counter.act(claim, "withdraw", "agent")
    again = counter.file(order)
    counter.pay_in("100.00")
    counter.act(again, "accept")
    assert code_of(counter, order) == "already_claimed"


def test_other_lines_and_other_promises_are_claims_of_their_own(counter):
    order = counter.sold(lines=2, promises="ship_on_time;quality")

    numbers = {
        counter.file(order).claim_no,
        counter.file(order, line=2).claim_no,
        counter.file(order, "quality").claim_no,
    }

    assert len(numbers) == 3


def test_one_payment_per_order_where_the_terms_say_so(counter):
    Term.objects.create(promise="ship_on_time", shop=counter.shop, rate=5, hours=48,
                        once_per_order=True)  # fmt: skip
    order = counter.sold(lines=2)
    counter.file(order)

    assert code_of(counter, order, line=2) == "already_claimed"


def test_another_shop_the_clock_and_people_without_the_right_file_nothing(counter):
    order = counter.sold()

    assert code_of(counter, order, by="outsider") == "not_in_your_shop"
    assert code_of(counter, order, by="clock") == "not_permitted"
    assert code_of(counter, order, by="warehouse") == "not_permitted"
    assert code_of(counter, order, by="finance") == "not_permitted"


def test_an_unpaid_order_and_one_without_a_payment_row_have_no_amount(counter):
    unpaid = counter.sold(paid_at=None, status="unpaid")
    assert code_of(counter, unpaid) == "not_eligible"
    order = counter.sold()
    Payment.objects.filter(order=order).delete()
    assert code_of(counter, order) == "not_eligible"


@pytest.mark.parametrize("amount", ["-1.00", "0.001", "3.00"])
def test_amounts_that_are_negative_over_precise_or_not_asked_for_are_refused(counter, amount):
    assert code_of(counter, counter.sold(), amount=Decimal(amount)) == "bad_value"


def test_where_the_terms_name_no_amount_one_must_be_entered(counter):
    order = counter.sold(promises="named_courier", **NAMED)

    assert code_of(counter, order, "named_courier") == "bad_value"


def test_unknown_lines_and_the_future_are_refused(counter):
    order = counter.sold()

    assert code_of(counter, order, line=7) == "unknown"
    demand, agent = Demand("ship_on_time", 1), counter.house.actor("agent")
    with clock.standing_at(T0):
        code = refusal(verbs.file_claim, agent, order, demand, at=T0 + DAY).code
    assert code == "bad_value"
    assert Claim.objects.count() == 0


def test_nobody_grants_what_he_filed(counter):
    claim = counter.file(counter.sold(), by="lead")
    before = written()

    assert refusal(counter.act, claim, "accept", "lead").code == "same_person"
    assert written() == before
    assert counter.act(claim, "accept", "lead2").state == "owed"


def test_above_the_limit_a_supervisor_accepts(counter):
    counter.pay_in("90000.00")
    claim = counter.file(counter.sold("2000.00", promises="fake_triple"), "fake_triple")
    before = written()

    assert refusal(counter.act, claim, "accept", "lead").code == "needs_approval"
    assert written() == before
    assert counter.act(claim, "accept", "supervisor").state == "paid"


def test_without_a_report_the_platforms_ruling_is_not_recorded(counter):
    counter.pay_in("900.00")
    claim = counter.handed_over(counter.sold(promises="quality"), "quality")
    before = written()

    assert refusal(counter.act, claim, "uphold").code == "evidence_required"
    assert written() == before
    assert counter.act(claim, "uphold", report="SGS-1").report == "SGS-1"


WHO_MAY = [
    ("accept", "filed", {"lead", "supervisor"}),
    ("contest", "filed", {"lead"}),
    ("withdraw", "filed", {"agent", "lead"}),
    ("adjudicate", "contested", {"lead"}),
    ("uphold", "adjudicating", {"lead"}),
    ("dismiss", "adjudicating", {"lead"}),
    ("reverse", "paid", {"supervisor"}),
]
PEOPLE = ("agent", "lead", "warehouse", "finance", "supervisor", "auditor", "outsider")


@pytest.mark.parametrize(("step", "state", "whom"), WHO_MAY)
def test_each_step_is_taken_by_those_it_names_and_nobody_else(counter, step, state, whom):
    counter.pay_in("100.00")
    claim = in_state(counter, state)

    offered = {who for who in PEOPLE if step in allowed(counter.house.actor(who), claim)}

    assert offered == whom
    for who in set(PEOPLE) - whom:
        before = written()
        code = refusal(counter.act, claim, step, who, text="x").code
        assert code in {"not_permitted", "not_in_your_shop"}
        assert written() == before


def in_state(counter, state):
    if state == "adjudicating":
        return counter.handed_over(counter.sold())
    claim = counter.file(counter.sold(), by="agent")
    if state == "contested":
        return counter.act(claim, "contest", text="不认可")
    return counter.act(claim, "accept") if state == "paid" else claim


STATES = ("filed", "contested", "adjudicating", "paid")
EDGES = {
    ("filed", "accept"), ("filed", "contest"), ("filed", "withdraw"), ("filed", "escalate"),
    ("contested", "accept"), ("contested", "adjudicate"), ("contested", "withdraw"),
    ("contested", "escalate"), ("adjudicating", "uphold"), ("adjudicating", "dismiss"),
    ("adjudicating", "withdraw"), ("adjudicating", "escalate"), ("paid", "reverse"),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", [name for name in Claim.steps() if name != "settle"])
def test_the_edges_are_those_of_the_trade_and_no_others(counter, state, step):
    counter.pay_in("100.00")
    claim = in_state(counter, state)
    before = written()

    inputs = {"text": "x"} if step == "reverse" else {}
    if (state, step) in EDGES:
        assert counter.act(claim, step, "boss", **inputs).seq > claim.seq
    else:
        assert refusal(counter.act, claim, step, "boss", **inputs).code == "wrong_state"
        assert written() == before


def test_a_key_answers_twice_with_one_claim_and_refuses_other_inputs(counter):
    order = counter.sold(lines=2)
    first = counter.file(order, key="k1")

    assert counter.file(order, key="k1").pk == first.pk
    assert Claim.objects.count() == 1
    assert refusal(counter.file, order, line=2, key="k1").code == "key_reused"


def test_the_terms_of_the_day_of_payment_hold(counter):
    seeded = Term.objects.get(promise="ship_on_time", shop=None)
    old, new = counter.sold(paid_at=T0 - 5 * DAY), counter.sold(paid_at=T0 - 5 * DAY)
    Term.objects.filter(pk=seeded.pk).update(valid_to=T0 - 5 * DAY)
    Term.objects.create(
        promise="ship_on_time", rate=10, hours=24, valid_from=T0 - 5 * DAY, floor=None
    )
    type(old).objects.filter(pk=old.pk).update(paid_at=T0 - 5 * DAY - timedelta(seconds=1))
    old = type(old).objects.get(pk=old.pk)

    claims = [counter.file(order) for order in (old, new)]

    assert [str(c.amount) for c in claims] == ["5.00", "10.00"]
    assert claims[0].working["terms"]["row"] == f"#{seeded.pk}"


def test_every_promise_has_a_reason_or_a_clock_that_leads_to_it(counter):
    named = set(Reason.objects.exclude(promise="").values_list("promise", flat=True))

    assert named <= set(Code.values)
    assert Deposit.objects.count() == 0  # nothing was made that nobody asked for
