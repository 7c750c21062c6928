"""Two people on one invoice at the same moment: one wins, and no line is ever above its blue."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db.models import Sum

from cases.auditing import audit
from invoices.authority import deliver
from invoices.models import (
    AuthorityCall,
    Balance,
    Invoice,
    RedEvent,
    RedPart,
    RedRequest,
    Reversal,
    Standing,
)
from tests.faults.racing import at_once, no_fences, refusals, take_out_the_locks
from tests.invoices.office import Office

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
RULES = (Balance, Invoice, RedEvent, RedPart, RedRequest, Reversal, Standing)


@dataclass
class Race:
    """Acts that cannot both be, and how many of them came about."""

    acts: tuple[Callable[[], Any], Callable[[], Any]]
    effects: Callable[[], int]


def pieces_taken() -> int:
    rows = Reversal.objects.filter(kind="reserve")
    return sum(int(q) for q in rows.values_list("quantity", flat=True))


def two_parts_above_the_rest(office: Office) -> Race:
    blue = office.issued((3, "100.00"))
    return Race(
        (
            lambda: office.request(blue, units={1: 2}),
            lambda: office.request(blue, units={1: 2}, by="supervisor"),
        ),
        lambda: pieces_taken() // 2,
    )


def one_red_entered_twice(office: Office) -> Race:
    blue = office.issued((3, "100.00"))
    office.request(blue, units={1: 2})
    return Race(
        (
            lambda: office.record(blue, "26310000000000000091"),
            lambda: office.record(blue, "26310000000000000092", by="supervisor"),
        ),
        lambda: Invoice.objects.filter(direction="red").count(),
    )


def the_same_serial_sent_twice(office: Office) -> Race:
    blue = office.issued((3, "100.00"))
    office.request(blue, units={1: 2})
    office.tax_office.code = "01"

    def send() -> Any:
        return deliver(office.tax_office, office.now)

    return Race((send, send), lambda: len(office.tax_office.calls))


RACES = [two_parts_above_the_rest, one_red_entered_twice, the_same_serial_sent_twice]


@pytest.mark.parametrize("race_of", RACES, ids=lambda f: f.__name__)
def test_one_of_two_wins(race_of):
    office = Office()
    race = race_of(office)

    answers = at_once(*race.acts)

    assert race.effects() == 1
    assert all(r.code in {"already_requested", "wrong_state", "stale"} for r in refusals(answers))
    assert audit(office.now).violations == []


@pytest.mark.parametrize("race_of", RACES[:2], ids=lambda f: f.__name__)
def test_without_the_lock_the_fences_hold(race_of, monkeypatch):
    office = Office()
    race = race_of(office)
    take_out_the_locks(monkeypatch)

    answers = at_once(*race.acts)

    assert race.effects() == 1
    assert [r.code for r in refusals(answers)] == ["stale"]
    assert audit(office.now).violations == []


# A red entered twice is held off by yet another fence: the unique key of what it lets go.
@pytest.mark.parametrize("race_of", [RACES[0], RACES[2]], ids=lambda f: f.__name__)
def test_without_lock_and_fences_both_happen_so_these_tests_would_see_it(race_of, monkeypatch):
    office = Office()
    race = race_of(office)
    take_out_the_locks(monkeypatch)
    with no_fences(monkeypatch, RULES):
        at_once(*race.acts)

        assert race.effects() == 2


def test_however_often_a_serial_is_sent_there_is_one_red(monkeypatch):
    """Two workers send it at once although neither lock nor lease holds them up."""
    office = Office()
    race = the_same_serial_sent_twice(office)
    take_out_the_locks(monkeypatch)

    at_once(*race.acts)

    assert race.effects() == 2
    assert len(office.tax_office.forms) == 1
    assert Invoice.objects.filter(direction="red").count() == 1
    assert AuthorityCall.objects.get().attempts == 1
    assert (
        Balance.objects.aggregate(sum=Sum("reversed_gross"))["sum"]
        == RedRequest.objects.get().gross
    )
