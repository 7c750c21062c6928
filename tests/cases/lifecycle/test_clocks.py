"""Every cell of the clock table: whose time runs, how long, what happens then, who is told."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from domain_tables import KINDS, TURN, expiry, length
from edges import CONVERT, FAIL, LARGE, PARCEL, SEND_BACK

from cases import calendars
from cases.clockwork import recompute
from cases.flow import clock
from cases.flow.sweep import enforce
from cases.models import CalendarDay, Case, ClockPolicy, PlatformPause, Shop
from tests.factories import DAY, HOUR, T0, path_to

SECOND = timedelta(seconds=1)

CELLS = (
    *(("applied", kind) for kind in KINDS),
    ("negotiating", "return_refund"),
    ("refused", "return_refund"),
    ("intercepting", "refund_in_transit"),
    *((s, k) for s in ("awaiting_return", "returning") for k in ("return_refund", "exchange")),
    *((s, "repair") for s in ("awaiting_return", "returning", "diagnosing", "repairing")),
    *(("inspecting", kind) for kind in ("return_refund", "exchange", "repair")),
    ("quality_check", "repair"),
    *((s, k) for s in ("awaiting_dispatch", "awaiting_receipt") for k in KINDS[-3:]),
    ("awaiting_approval", "return_refund"),
    *(("refunding", kind) for kind in KINDS[:4]),
    ("mediating", "return_refund"),
)


def again(case):
    return Case.objects.get(pk=case.pk)


def counts(now, **expected):
    found = enforce(now)
    assert found.pop("now") == now.isoformat()
    zero = dict.fromkeys(("due", "acted", "reminded", "escalated", "skipped", "failed"), 0)
    assert found == {**zero, **expected}


@pytest.mark.parametrize(("state", "kind"), CELLS, ids=lambda x: x)
def test_a_clock_runs_its_length_and_then_acts_once(house, state, kind):
    case = house.case_in(state, kind)
    long = length(state, case.kind, case.remedy)
    began = case.received_at if state == "repairing" else case.moved_at
    assert (case.clock_on, case.clock_started_at) == (TURN[state], began)
    assert case.due_at == began + long
    seq = case.seq

    counts(began + long * 50 / 100, reminded=1)
    counts(began + long * 50 / 100)
    counts(began + long * 90 / 100 - SECOND)
    counts(began + long * 90 / 100, reminded=1)
    counts(began + long - SECOND)
    sent = case.notices.filter(kind="reminder", side=TURN[state]).order_by("id")
    assert [n.at for n in sent] == [began + long * p / 100 for p in (50, 90)]
    assert again(case).seq == seq  # a reminder is a notice, not an event

    verb, then = expiry(state, case.remedy)
    done = {"escalated": 1} if verb == "escalate" else {"acted": 1}
    counts(case.due_at, due=1, **done)
    after = again(case)
    last = after.events.last()
    assert (last.verb, last.source, last.target, after.state) == (verb, state, then, then)
    assert (last.at, last.channel, last.user, last.late) == (case.due_at, "clock", None, False)
    counts(case.due_at)
    assert again(case).seq == seq + 1


ESCALATED = [cell for cell in CELLS if expiry(cell[0], cell[1])[0] == "escalate"]


@pytest.mark.parametrize(("state", "kind"), ESCALATED, ids=lambda x: x)
def test_an_escalated_case_stays_and_the_supervisor_is_told_once(house, state, kind):
    case = house.case_in(state, kind)
    late = case.due_at + DAY
    counts(late, due=1, escalated=1)
    after = again(case)
    assert (after.state, after.escalated_at, after.due_at) == (state, late, case.due_at)
    notice = case.notices.get(kind="escalation")
    assert (notice.side, notice.due_at) == ("supervisor", case.due_at)
    assert after.events.last().late
    for days in (1, 10, 100):
        counts(late + days * DAY)
    assert after.refunded == 0


def test_nothing_pays_by_itself(house):
    case = house.case_in("refunding")
    for days in range(1, 60, 7):
        enforce(case.due_at + days * DAY)
    assert again(case).state == "refunding"


def test_the_evidence_phase_ends_on_what_is_there_and_a_late_ruling_is_escalated(house):
    case = house.case_in("mediating")
    counts(case.due_at, due=1, acted=1)
    deciding = again(case)
    assert (deciding.state, deciding.mediation_phase) == ("mediating", "decision")
    assert deciding.due_at == case.due_at + 48 * HOUR
    counts(deciding.due_at, due=1, escalated=1)
    counts(deciding.due_at + DAY)
    assert again(case).state == "mediating"


def test_after_an_outage_the_sweep_acts_in_due_order_and_the_next_clock_runs_from_then(house):
    cases = [house.opened("return_refund", at=T0 + n * HOUR) for n in (3, 1, 2)]
    now = T0 + 30 * DAY
    counts(now, due=3, acted=3)
    events = [c.events.last() for c in cases]
    in_order = sorted(zip(events, cases, strict=True), key=lambda pair: pair[0].pk)
    assert [c.applied_at for _e, c in in_order] == [T0 + n * HOUR for n in (1, 2, 3)]
    assert {(e.at, e.late) for e in events} == {(now, True)}
    assert {again(c).due_at for c in cases} == {now + 7 * DAY}


def test_after_an_outage_one_reminder_is_enough(house):
    case = house.opened()
    counts(case.due_at - SECOND, reminded=1)
    counts(case.due_at - SECOND)
    assert case.notices.count() == 1


def test_silence_over_a_large_amount_is_not_held_but_a_supervisor_is_told(house):
    order = house.paid_order((1, "5000.00"), freight="0.01")
    small, large = (
        house.opened("refund_received", house.paid_order((1, "5000.00"), freight="0.00")),
        house.opened("refund_received", order, freight=Decimal("0.01")),
    )
    enforce(small.due_at)
    assert again(small).state == again(large).state == "refunding"
    assert not small.notices.filter(kind="escalation").exists()
    assert large.notices.filter(kind="escalation").count() == 1
    assert again(large).cleared == Decimal("5000.01")


def test_a_person_who_escalates_does_not_stop_the_clock(house):
    case = house.act(house.opened(), "escalate", text="请主管看")
    counts(case.due_at, due=1, acted=1)
    assert again(case).state == "awaiting_return"


def test_what_a_person_escalated_the_clock_does_not_escalate_again(house):
    case = house.act(house.case_in("refunding"), "escalate", text="催")
    counts(case.due_at + DAY)
    assert case.notices.filter(kind="escalation").count() == 1


# Goods on their way


def test_surface_post_has_thirty_days(house):
    case = house.case_in("awaiting_return")
    case = house.act(case, "ship_back", **PARCEL, surface=True)
    assert case.due_at == case.moved_at + 30 * DAY
    assert case.parcels.get().surface


@pytest.mark.parametrize("kind", ["return_refund", "exchange", "repair"])
def test_a_receipt_by_hand_never_gives_more_time_than_the_returning_limit(house, kind):
    case = house.case_in("returning", kind)
    limit = case.due_at
    assert house.act(case, "receive", at=limit - 47 * HOUR).due_at == limit


def test_a_receipt_in_good_time_gives_forty_eight_hours(house):
    case = house.case_in("returning")
    at = case.due_at - 49 * HOUR
    assert house.act(case, "receive", at=at).due_at == at + 48 * HOUR


@pytest.mark.parametrize("kind", ["exchange", "repair"])
def test_taken_as_received_gives_a_fresh_forty_eight_hours(house, kind):
    case = house.case_in("returning", kind)
    counts(case.due_at, due=1, acted=1)
    after = again(case)
    assert (after.state, after.due_at) == ("inspecting", case.due_at + 48 * HOUR)
    assert [x.received for x in after.lines.all()] == [2]
    assert after.parcels.get().received_at == case.due_at


def test_a_repair_has_thirty_days_from_the_receipt_however_often_it_fails(house):
    case = house.case_in("quality_check")
    received = case.received_at
    case = house.act(case, "fail_quality_check", "warehouse", at=received + 20 * DAY)
    assert case.due_at == received + 30 * DAY


# Answers of the buyer


def test_a_resubmission_starts_a_fresh_clock_and_keeps_the_first_application(house):
    case = house.case_in("refused")
    case = house.act(case, "revise", at=T0 + 4 * DAY)
    assert case.due_at == T0 + 7 * DAY
    assert (case.applied_at, case.resubmissions) == (T0, 1)
    assert case.clock_on == "seller"


def test_a_clock_looks_up_the_new_kind_after_a_resubmission(house):
    case = house.act(house.case_in("refused"), "revise", kind="exchange")
    assert case.due_at == case.moved_at + 5 * DAY


def test_goods_that_lie_with_us_keep_a_refused_case_open(house):
    case = house.walk(house.case_in("inspecting"), FAIL)
    counts(case.due_at, due=1, escalated=1)
    counts(case.due_at + DAY)
    assert house.refused(case, "withdraw", at=case.due_at + DAY).code == "blocked"
    handed = house.act(case, "hand_back", "warehouse", at=case.due_at + DAY, **PARCEL)
    assert (handed.state, handed.due_at) == ("refused", case.due_at + 6 * DAY)
    counts(handed.due_at, due=1, acted=1)
    closed = again(case)
    assert (closed.state, closed.ended_by) == ("closed", "silence")
    assert closed.parcels.get(direction="out").purpose == "hand_back"


def test_handing_back_in_time_does_not_lengthen_the_buyers_clock(house):
    case = house.walk(house.case_in("inspecting"), FAIL)
    handed = house.act(case, "hand_back", "warehouse", at=case.moved_at + DAY, **PARCEL)
    assert handed.due_at == case.due_at


@pytest.mark.parametrize("state", ["inspecting", "repairing", "quality_check"])
def test_what_is_sent_back_starts_afresh(house, state):
    kind = "repair" if state != "inspecting" else "exchange"
    order = house.paid_order((2, LARGE))
    case = house.walk(house.opened(kind, order), *path_to(state, kind), CONVERT)
    case = house.act(case, "send_back", "supervisor", **SEND_BACK)
    began = case.received_at if state == "repairing" else case.moved_at
    assert case.due_at == began + length(state, kind, case.remedy)


# Pauses


def test_mediation_stops_the_clock_and_calling_it_off_resumes_what_was_left(house):
    case = house.case_in("awaiting_return")
    began, due = case.moved_at, case.due_at
    counts(began + 84 * HOUR, reminded=1)
    case = house.act(case, "request_mediation", at=began + 100 * HOUR, party="buyer")
    counts(due + SECOND, reminded=1)  # the platform's own clock: 3 d, reminded at half of it
    back = house.act(case, "cancel_mediation", "lead", at=due + 10 * HOUR)
    assert back.due_at == due + 10 * HOUR + 68 * HOUR
    ninety = back.due_at - 168 * HOUR / 10
    enforce(ninety + HOUR)
    # Half of the time was announced before; what is left announces the last tenth alone.
    assert case.notices.filter(kind="reminder", side="buyer").count() == 2
    counts(back.due_at, due=1, acted=1)
    assert again(case).state == "closed"


def test_a_repair_resumes_with_what_was_left_too(house):
    case = house.case_in("repairing")
    left = case.due_at - (case.moved_at + DAY)
    case = house.act(case, "request_mediation", at=case.moved_at + DAY, party="buyer")
    back = house.act(case, "cancel_mediation", "lead", at=case.moved_at + 2 * DAY)
    assert back.due_at == back.moved_at + left


def test_a_festival_stops_every_clock_of_its_platform_and_of_no_other(house):
    pause = PlatformPause.objects.create(
        platform="taobao", starts_at=T0 + 20 * HOUR, ends_at=T0 + 60 * HOUR
    )
    assert house.opened().due_at == T0 + 72 * HOUR + 40 * HOUR
    during = T0 + 30 * HOUR
    assert house.opened(at=during).due_at == pause.ends_at + 72 * HOUR
    assert house.opened(at=pause.ends_at).due_at == pause.ends_at + 72 * HOUR
    Shop.objects.filter(pk=house.shop.pk).update(platform="jd")
    assert house.opened().due_at == T0 + 72 * HOUR


def test_a_festival_entered_later_moves_the_clocks_that_run(house):
    case, other = house.opened(), house.opened("exchange")
    PlatformPause.objects.create(
        platform="taobao", starts_at=T0 + 71 * HOUR, ends_at=T0 + 81 * HOUR
    )
    with clock.standing_at(T0 + DAY):
        assert recompute("jd") == 0
        assert recompute("taobao") == 2
        assert recompute("taobao") == 0
    assert again(case).due_at == case.due_at + 10 * HOUR
    assert again(other).due_at == other.due_at + 10 * HOUR
    counts(case.due_at, reminded=2)
    counts(case.due_at + 10 * HOUR, due=1, acted=1)


# Extensions


@pytest.mark.parametrize("who", ["agent", "lead", "supervisor"])
@pytest.mark.parametrize("days", [3, 5, 7])
def test_the_seller_extends_the_return_clock_once(house, who, days):
    case = house.case_in("awaiting_return")
    longer = house.act(case, "extend", who, days=days, text="买家出差")
    assert longer.due_at == case.due_at + days * DAY
    assert house.refused(longer, "extend", who, days=3).code == "wrong_state"
    counts(case.due_at, reminded=1)
    counts(longer.due_at, due=1, acted=1)


@pytest.mark.parametrize("days", [0, 1, 4, 8, -3])
def test_other_lengths_are_refused(house, days):
    assert house.refused(house.case_in("awaiting_return"), "extend", days=days).code == "bad_value"


@pytest.mark.parametrize("state", [s for s in TURN if s != "awaiting_return"])
def test_no_other_clock_is_extended(house, state):
    assert house.refused(house.case_in(state), "extend", days=3).code == "wrong_state"


def test_who_may_extend_is_the_policys_to_say(house):
    ClockPolicy.objects.filter(state="awaiting_return").update(extend_by="S")
    case = house.case_in("awaiting_return")
    assert house.refused(case, "extend", days=3).code == "not_permitted"
    assert house.act(case, "extend", "supervisor", days=3).extensions == 1


# Policies


def test_the_platforms_own_deadline_wins_for_its_state_only(house):
    due = T0 + 5 * HOUR
    case = house.act(house.opened(), "set_platform_due", due_at=due)
    assert case.due_at == due
    counts(due, due=1, acted=1)
    assert again(case).due_at == due + 7 * DAY


def test_the_most_particular_policy_in_force_wins(house):
    kind = {"state": "applied", "kind": "return_refund"}
    ClockPolicy.objects.create(**kind, platform="jd", hours=1)
    ClockPolicy.objects.create(**kind, platform="taobao", hours=10, valid_from=T0)
    ClockPolicy.objects.create(
        **kind, platform="taobao", hours=20, valid_from=T0 - DAY, valid_to=T0
    )
    assert house.opened(at=T0 - HOUR).due_at == T0 + 19 * HOUR
    assert house.opened(at=T0).due_at == T0 + 10 * HOUR


def working(state, hours=9):
    ClockPolicy.objects.filter(state=state).update(unit="working", hours=hours)


def test_a_deadline_in_a_year_without_a_calendar_moves_no_money(house):
    working("applied")
    case = house.opened("refund_received")
    # 10:00 on a Monday: eight hours that day, one the next.
    assert (case.due_at, case.provisional) == (T0 + 24 * HOUR, True)
    counts(case.due_at, due=1, escalated=1)
    counts(case.due_at + 30 * DAY)
    assert again(case).state == "applied"


def test_a_deadline_in_a_year_without_a_calendar_may_still_close(house):
    working("negotiating")
    case = house.case_in("negotiating")
    assert case.provisional
    counts(case.due_at, due=1, acted=1)
    assert again(case).state == "closed"


def test_a_calendar_that_arrives_makes_the_deadline_certain(house):
    working("applied", hours=18)
    friday = datetime(2026, 4, 3, 1, 0, tzinfo=UTC)  # 9:00; Qingming is 4 to 6 April
    case = house.opened("refund_received", at=friday)
    assert (case.due_at, case.provisional) == (friday + 3 * DAY + 9 * HOUR, True)
    CalendarDay.objects.bulk_create(calendars.calendar_rows([2026]))
    recompute()
    sure = again(case)
    assert (sure.due_at, sure.provisional) == (friday + 4 * DAY + 9 * HOUR, False)
    counts(sure.due_at, due=1, acted=1)
    assert again(case).state == "refunding"
