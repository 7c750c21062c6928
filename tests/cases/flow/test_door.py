"""The one door: batches, faults in the middle, stale copies, who may know of what."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from cases.flow import hooks
from cases.flow.door import (
    BATCH,
    Act,
    Actor,
    NotPermitted,
    Refused,
    allowed,
    perform,
    perform_many,
)
from cases.flow.signals import transitioned
from cases.flow.sweep import enforce
from cases.models import Case, OrderLine, Refund
from tests.factories import DAY, HOUR, T0, furnished


@pytest.fixture
def house(db):
    return furnished()


@pytest.fixture
def hooked():
    """Hooks that a test adds are taken off again."""
    tables = (hooks._guards, hooks._bookings, hooks._effects, hooks._blockers)
    before = [{key: list(value) for key, value in table.items()} for table in tables]
    yield hooks
    for table, rows in zip(tables, before, strict=True):
        table.clear()
        table.update(rows)


FLOW = "cases.Case"


def several(house, number=4, kind="refund_received"):
    return [house.opened(kind) for _n in range(number)]


def states(cases):
    found = dict(Case.objects.values_list("pk", "state"))
    return [found[c.pk] for c in cases]


def test_a_batch_takes_the_step_on_each_and_tells_the_followers_once(house):
    cases, told = several(house), []

    def follower(sender, moves, **kwargs):
        told.append([m.subject.pk for m in moves])

    transitioned.connect(follower, sender=Case)
    try:
        report = perform_many(
            house.actor("lead"), Case, [c.pk for c in cases], Case.accept, at=T0 + HOUR
        )
    finally:
        transitioned.disconnect(follower, sender=Case)
    assert [m.subject.pk for m in report.done] == [c.pk for c in cases]
    assert (report.refused, report.failed) == ([], [])
    assert told == [[c.pk for c in cases]]
    assert states(cases) == ["refunding"] * 4
    assert len(set(Refund.objects.values_list("number", flat=True))) == 4


def test_in_a_batch_one_refusal_does_not_stop_the_others(house):
    cases = several(house)
    house.act(cases[1], "withdraw")
    acts = [Act(c.pk, at=T0 + 2 * HOUR) for c in cases] + [Act(10**9, at=T0)]
    acts[2].inputs = {"amount": Decimal("999.00")}
    report = perform_many(house.actor("lead"), Case, acts, Case.accept)
    assert [m.subject.pk for m in report.done] == [cases[0].pk, cases[3].pk]
    assert [(pk, r.code) for pk, r in report.refused] == [
        (cases[1].pk, "wrong_state"),
        (cases[2].pk, "amount_exceeded"),
        (10**9, "unknown"),
    ]
    assert states(cases) == ["refunding", "closed", "applied", "refunding"]


def test_in_a_batch_one_fault_does_not_stop_the_others(house, hooked, caplog):
    cases = several(house, 5)

    @hooked.effect(FLOW, "accept")
    def breaks(moves):
        if any(m.pk == cases[2].pk for m in moves):
            raise ZeroDivisionError

    report = perform_many(
        house.actor("lead"), Case, [c.pk for c in cases], Case.accept, at=T0 + HOUR
    )
    assert len(report.done) == 4
    ((pk, fault),) = report.failed
    assert (pk, type(fault)) == (cases[2].pk, ZeroDivisionError)
    assert states(cases) == ["refunding"] * 2 + ["applied"] + ["refunding"] * 2
    assert cases[2].events.count() == 1
    assert not cases[2].refunds.exists()


def test_a_constraint_of_the_database_refuses_one_row_only(house, hooked):
    cases = several(house, 3)

    @hooked.effect(FLOW, "accept")
    def breaks_a_constraint(moves):
        for move in moves:
            if move.pk == cases[0].pk:
                OrderLine.objects.filter(order=move.subject.order).update(held=99)

    report = perform_many(
        house.actor("lead"), Case, [c.pk for c in cases], Case.accept, at=T0 + HOUR
    )
    assert [(pk, r.code) for pk, r in report.refused] == [(cases[0].pk, "stale")]
    assert states(cases) == ["applied", "refunding", "refunding"]


def test_the_same_object_twice_in_a_batch_moves_once(house):
    case = house.opened("refund_received")
    report = perform_many(house.actor("lead"), Case, [case.pk, case.pk], Case.accept, at=T0 + HOUR)
    assert (len(report.done), [r.code for _pk, r in report.refused]) == (1, ["wrong_state"])
    assert case.events.count() == 2


def test_the_same_key_twice_in_a_batch_acts_once_and_answers_twice(house):
    case, other = several(house, 2, "refund_received")
    acts = [Act(pk, {}, f"k{pk}", T0 + HOUR) for pk in (case.pk, other.pk, case.pk)]
    report = perform_many(house.actor("lead"), Case, acts, Case.accept)
    assert [(m.pk, m.repeated) for m in report.done] == [
        (case.pk, False),
        (other.pk, False),
        (case.pk, True),
    ]
    assert (report.refused, case.events.count()) == ([], 2)
    assert Refund.objects.filter(case=case).count() == 1


def test_a_batch_of_many_takes_few_queries(house):
    few, many = several(house, 2), several(house, 40)

    def queries(cases):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            perform_many(
                house.actor("lead"), Case, [c.pk for c in cases], Case.accept, at=T0 + HOUR
            )
        return len(captured)

    assert queries(many) - queries(few) <= 2


def test_the_row_in_hand_is_stale_and_the_answer_is_fresh(house):
    case = house.opened()
    after = house.act(case, "accept", "lead")
    assert (case.state, after.state) == ("applied", "awaiting_return")
    with pytest.raises(ConcurrentTransition), transaction.atomic():
        case.save()
    assert house.refused(case, "accept", "lead").code == "wrong_state"


def test_nothing_else_writes_the_state(house):
    case = house.opened()
    with pytest.raises(AttributeError):
        case.state = "completed"
    with pytest.raises(TypeError):
        case.refresh_from_db()
    with pytest.raises((TransitionNotAllowed, AttributeError)):
        Case.pay(case, {"reference": "x"})


def test_an_unknown_state_is_refused_by_the_database(house):
    case = house.opened()
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("UPDATE cases_case SET state = 'lost' WHERE id = %s", [case.pk])


def test_a_stranger_learns_nothing_and_changes_nothing(house):
    case, outsider = house.opened(), house.actor("outsider")
    assert allowed(outsider, case) == []
    with pytest.raises(Refused) as refusal:
        perform(outsider, case, Case.add_note, text="x", at=T0 + HOUR)
    assert refusal.value.code == "not_in_your_shop"


def test_who_is_not_signed_in_or_no_longer_active_does_nothing(house):
    gone = house.users["agent2"]
    gone.is_active = False
    for user in (None, AnonymousUser(), gone):
        with pytest.raises(NotPermitted):
            Actor.person(user, "admin")
    gone.is_active = True


def test_what_is_allowed_can_be_done_and_the_rest_cannot(house):
    case = house.opened("refund_unshipped")
    at = T0 + HOUR
    steps = allowed(house.actor("agent"), case, at=at)
    assert {"accept", "ship_order", "withdraw", "convert", "add_note"} <= set(steps)
    assert not {"refuse", "pay", "approve", "intercept", "reopen", "accept_by_silence"} & set(steps)
    finance = allowed(house.actor("finance"), house.case_in("refunding"), at=T0 + DAY)
    assert {"pay", "fail_payout"} <= set(finance)
    assert allowed(house.actor("auditor"), case, at=at) == []


def test_asking_what_is_allowed_writes_nothing(house):
    case = house.case_in("inspecting")
    before = Case.objects.filter(pk=case.pk).values().get()
    with CaptureQueriesContext(connection) as captured:
        allowed(house.actor("boss"), case)
    assert not [q for q in captured if not q["sql"].startswith("SELECT")]
    assert Case.objects.filter(pk=case.pk).values().get() == before


def test_a_blocker_of_another_app_stops_the_step_and_says_why(house, hooked):
    @hooked.blocker(FLOW, "accept")
    def invoices_wait(cases):
        return {c.pk: "先红冲发票" for c in cases}

    refusal = house.refused(house.opened(), "accept", "lead")
    assert (refusal.code, refusal.message) == ("blocked", "先红冲发票")


def test_a_row_that_always_fails_is_left_to_a_person_after_three_sweeps(house, hooked, caplog):
    bad, good = house.opened(), house.opened(at=T0 + HOUR)

    @hooked.effect(FLOW, "accept_by_silence")
    def breaks(moves):
        if any(m.pk == bad.pk for m in moves):
            raise ZeroDivisionError

    now = T0 + 10 * DAY
    for sweep in (1, 2, 3):
        tally = enforce(now + timedelta(minutes=sweep))
        assert tally["failed"] == 1
        assert Case.objects.get(pk=bad.pk).sweep_failures == sweep
    assert enforce(now + HOUR)["failed"] == 0
    assert states([bad, good]) == ["applied", "awaiting_return"]


def test_a_sweep_deals_with_more_rows_than_a_batch_holds(house, monkeypatch):
    monkeypatch.setitem(BATCH, connection.vendor, 50)
    cases = several(house, 110, "resend")
    tally = enforce(T0 + 3 * DAY)
    assert (tally["due"], tally["acted"], tally["failed"]) == (len(cases), len(cases), 0)
    assert enforce(T0 + 3 * DAY)["due"] == 0
