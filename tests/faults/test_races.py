"""Two people on the same thing at the same moment: one wins, the other is told, nothing doubles."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from cases.auditing import audit
from cases.models import Case, CaseEvent, RefundPart
from tests.factories import T0, House, furnished
from tests.faults.racing import at_once, no_fences, refusals, take_out_the_locks

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@dataclass
class Race:
    """Two acts that cannot both be, and how many of them came about."""

    acts: tuple[Callable[[], Any], Callable[[], Any]]
    effects: Callable[[], int]
    codes: frozenset[str]


def taken(case: Case, *steps: str) -> Callable[[], int]:
    return lambda: CaseEvent.objects.filter(case_id=case.pk, verb__in=steps).count()


def accept_and_refuse(house: House) -> Race:
    case = house.opened("refund_received")
    reason = house.refusal_reason()
    return Race(
        (
            lambda: house.act(case, "accept", "lead"),
            lambda: house.act(case, "refuse", "agent", reason=reason, text="不符合条件"),
        ),
        taken(case, "accept", "refuse"),
        frozenset({"wrong_state"}),
    )


def accept_twice(house: House) -> Race:
    case = house.opened("refund_received")
    return Race(
        (
            lambda: house.act(case, "accept", "lead"),
            lambda: house.act(case, "accept", "lead2"),
        ),
        taken(case, "accept"),
        frozenset({"wrong_state"}),
    )


def pay_twice(house: House) -> Race:
    case = house.case_in("refunding", order=house.paid_order((1, "30.00")))
    return Race(
        (
            lambda: house.act(case, "pay", "finance", reference="R1"),
            lambda: house.act(case, "pay", "finance", reference="R2"),
        ),
        lambda: int((RefundPart.objects.aggregate(sum=Sum("amount"))["sum"] or 0) / 30),
        frozenset({"wrong_state"}),
    )


def open_on_the_last_piece(house: House) -> Race:
    order = house.paid_order((1, "30.00"))
    return Race(
        (
            lambda: house.opened("refund_received", order, lines=((1, 1),)),
            lambda: house.opened("return_refund", order, lines=((1, 1),), by="agent2"),
        ),
        lambda: Case.objects.filter(order=order).count(),
        frozenset({"open_case_exists", "quantity_exceeded"}),
    )


def refund_the_freight_of_two_lines(house: House) -> Race:
    """Of ¥10 freight each case would give back all."""
    order = house.paid_order((1, "30.00"), (1, "50.00"), freight="10.00")
    first, second = (house.opened("refund_received", order, lines=((n, 1),)) for n in (1, 2))
    freight = Decimal("10.00")
    return Race(
        (
            lambda: house.act(first, "accept", "lead", freight=freight),
            lambda: house.act(second, "accept", "lead2", freight=freight),
        ),
        lambda: int(Case.objects.aggregate(sum=Sum("freight_reserved"))["sum"] / 10),
        frozenset({"amount_exceeded"}),
    )


RACES = [
    accept_and_refuse,
    accept_twice,
    pay_twice,
    open_on_the_last_piece,
    refund_the_freight_of_two_lines,
]


@pytest.fixture(params=RACES, ids=lambda race: race.__name__)
def race(request: pytest.FixtureRequest) -> Race:
    made: Race = request.param(furnished())
    return made


@pytest.fixture(params=RACES[:-1], ids=lambda race: race.__name__)
def fenced_race(request: pytest.FixtureRequest) -> Race:
    """Those with state, version and unique rules behind the lock; sums have only the lock."""
    made: Race = request.param(furnished())
    return made


def rows() -> tuple[int, ...]:
    return tuple(m.objects.count() for m in (Case, CaseEvent, RefundPart))


def test_one_comes_about_and_the_other_is_refused_and_leaves_no_row(race):
    before = rows()

    answers = at_once(*race.acts)

    assert race.effects() == 1
    (refusal,) = refusals(answers)
    assert refusal.code in race.codes
    assert refusal.message
    assert rows()[1] == before[1] + 1
    assert audit(T0).violations == []


def test_where_the_lock_is_missing_the_second_fence_still_holds(fenced_race, monkeypatch):
    take_out_the_locks(monkeypatch)
    before = rows()

    answers = at_once(*fenced_race.acts)

    assert fenced_race.effects() == 1
    assert len(refusals(answers)) == 1
    assert rows()[1] == before[1] + 1
    monkeypatch.undo()
    assert audit(T0).violations == []


def test_without_lock_and_fences_both_come_about_so_these_tests_would_see_it(race, monkeypatch):
    take_out_the_locks(monkeypatch)
    with no_fences(monkeypatch):
        answers = at_once(*race.acts)

        assert refusals(answers) == []
        assert race.effects() == 2


def test_one_key_sent_twice_at_once_is_one_payout_and_one_answer():
    house = furnished()
    case = house.case_in("refunding", order=house.paid_order((1, "30.00")))

    def pay() -> Case:
        return house.act(case, "pay", "finance", reference="R1", key="payout-1")

    answers = at_once(pay, pay)

    assert [a.state for a in answers] == ["completed", "completed"]
    assert taken(case, "pay")() == 1
    assert audit(T0).violations == []


def test_without_the_lock_one_key_sent_twice_is_not_answered_twice(monkeypatch):
    house = furnished()
    case = house.case_in("refunding", order=house.paid_order((1, "30.00")))
    take_out_the_locks(monkeypatch)

    def pay() -> Case:
        return house.act(case, "pay", "finance", reference="R1", key="payout-1")

    assert len(refusals(at_once(pay, pay))) == 1


def test_one_key_sent_twice_at_once_opens_one_case():
    house = furnished()
    order = house.paid_order((1, "30.00"))

    def open_it() -> Case:
        return house.opened("refund_received", order, key="application-1")

    first, second = at_once(open_it, open_it)

    assert first.pk == second.pk
    assert Case.objects.count() == 1
    assert audit(T0).violations == []
