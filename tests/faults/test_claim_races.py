"""Two people on one claim, line or deposit at the same moment: one wins, nothing doubles."""

from datetime import timedelta
from decimal import Decimal

import pytest

from cases.flow import clock
from promises import verbs
from promises.models import Claim, Deposit, Entry, TopUpDuty
from promises.verbs import Demand
from tests.faults.racing import at_once, refusals
from tests.promises.counter import Counter, books_are_clean

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def counter() -> Counter:
    return Counter()


def filing(counter, order, key=None):
    moment = counter.now + timedelta(hours=1)

    def act():
        with clock.standing_at(moment):
            demand = Demand("ship_on_time", 1)
            return verbs.file_claim(counter.house.actor("agent"), order, demand, key=key)

    return act


def test_one_line_is_claimed_once(counter):
    order = counter.sold()

    answers = at_once(filing(counter, order), filing(counter, order))

    (refusal,) = refusals(answers)
    assert refusal.code == "already_claimed"
    assert Claim.objects.count() == 1
    assert books_are_clean(counter.now + timedelta(hours=1))


def test_one_key_files_one_claim(counter):
    order = counter.sold()

    first, second = at_once(*[filing(counter, order, "k")] * 2)

    assert first.pk == second.pk
    assert Claim.objects.count() == 1


def test_accepting_and_withdrawing_at_once_ends_one_way(counter):
    counter.pay_in("100.00")
    claim = counter.file(counter.sold())
    at = counter.tick()

    answers = at_once(
        lambda: counter.act(claim, "accept", "lead", at),
        lambda: counter.act(claim, "withdraw", "agent", at),
    )

    (refusal,) = refusals(answers)
    assert refusal.code == "wrong_state"
    assert Claim.objects.get().state in {"paid", "withdrawn"}
    assert books_are_clean(at)


def test_the_last_money_is_taken_out_or_paid_but_not_both(counter):
    counter.pay_in("5.00")
    claim = counter.file(counter.sold())
    at, finance = counter.tick(), counter.house.actor("finance")

    def withdrawal():
        with clock.standing_at(at):
            return verbs.withdraw(finance, counter.shop, amount=Decimal("5.00"), reference="W")

    answers = at_once(lambda: counter.act(claim, "accept", "lead", at), withdrawal)

    deposit, claim = Deposit.objects.get(), Claim.objects.get()
    assert deposit.available == 0
    assert (len(refusals(answers)), claim.state) in {(1, "paid"), (0, "owed")}
    assert books_are_clean(at)


def test_two_debts_at_once_are_one_duty(counter):
    claims = [counter.file(counter.sold()) for _ in range(2)]
    at = counter.tick()

    at_once(*[lambda c=c: counter.act(c, "accept", "lead", at) for c in claims])

    assert TopUpDuty.objects.count() == 1
    assert Deposit.objects.get().owed == Decimal("10.00")
    assert Entry.objects.count() == 2
    assert books_are_clean(at)
