"""Two at one broken promise at the same moment: it is found once, and decided once."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError

from cases.changes import orders_changed
from cases.flow import clock
from cases.flow.door import Refused
from cases.models import Order
from promises.breaches import deciding
from promises.breaches.finding import find
from promises.models import Breach, Claim, Lookout
from tests.faults.racing import at_once, refusals, take_out_the_locks
from tests.promises.counter import Counter, books_are_clean

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def counter() -> Counter:
    return Counter()


def changed(counter: Counter, count: int = 1) -> None:
    """Orders that were shipped late, and nobody has looked at them."""
    orders = [counter.sold() for _ in range(count)]
    orders_changed.send(sender=Order, order_ids=[order.pk for order in orders])


def found(counter: Counter) -> Breach:
    changed(counter)
    find(NOW)
    return Breach.objects.select_related("order__shop", "line").get()


def filing(counter: Counter, breach: Breach, who: str):
    def act():
        with clock.standing_at(NOW + timedelta(seconds=1)):
            return deciding.file(counter.house.actor(who), breach)

    return act


def test_two_who_look_at_once_find_each_breach_once(counter):
    changed(counter, 3)

    counts = at_once(lambda: find(NOW), lambda: find(NOW))

    assert sum(count["proposed"] for count in counts) == 3
    assert Breach.objects.count() == 3
    assert Lookout.objects.count() == 0


def test_without_the_lock_only_the_key_would_keep_them_apart(counter, monkeypatch):
    """The negative control: both look at the same orders, and one fails."""
    changed(counter, 3)
    take_out_the_locks(monkeypatch)

    with pytest.raises(IntegrityError):
        at_once(lambda: find(NOW), lambda: find(NOW))


def test_two_who_file_at_once_make_one_claim(counter):
    breach = found(counter)

    claims = at_once(filing(counter, breach, "agent"), filing(counter, breach, "lead"))

    assert len({claim.pk for claim in claims if not isinstance(claim, Refused)}) == 1
    assert Claim.objects.count() == 1
    assert books_are_clean(NOW)


def test_one_files_while_another_puts_it_aside(counter):
    breach = found(counter)
    lead = counter.house.actor("lead")

    answers = at_once(
        filing(counter, breach, "agent"), lambda: deciding.dismiss(lead, breach, text="不赔")
    )

    assert [refusal.code for refusal in refusals(answers)] == ["stale"]
    row = Breach.objects.get()
    assert (row.state == "filed") == (Claim.objects.count() == 1)
    assert books_are_clean(NOW)


def test_one_files_while_the_finder_looks_again(counter):
    breach = found(counter)
    orders_changed.send(sender=Order, order_ids=[breach.order_id])

    at_once(filing(counter, breach, "agent"), lambda: find(NOW))
    find(NOW + timedelta(minutes=1))

    assert Breach.objects.get().claim == Claim.objects.get()
    assert Lookout.objects.count() == 0
    assert books_are_clean(NOW)
