"""Two people settle one difference at the same moment: one wins, the other is told."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from cases import reconciling
from cases.auditing import audit
from cases.differences import Telling, hear
from cases.flow.door import Actor
from cases.models import Case, CaseEvent, Explanation, ExternalRefund, Order, PlatformRecord, Refund
from cases.reconciling import Choice, settle
from tests.factories import DAY, T0, House, furnished
from tests.faults.racing import at_once, refusals, take_out_the_locks

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def house() -> House:
    return furnished()


def refunded_there(order: Order, case: Case | None = None) -> PlatformRecord:
    """The platform's sheet says that 50 yuan went back to the buyer."""
    told = PlatformRecord(
        order=order,
        shop_id=order.shop_id,
        case=case,
        number="R1",
        kind="refund_received",
        state="completed",
        outcome="refunded",
        requested=Decimal("50.00"),
        refunded=Decimal("50.00"),
        applied_at=T0,
        ended_at=T0 + DAY,
        told_at=T0 + DAY,
        source="taobao",
    )
    with transaction.atomic():
        hear([Telling(told)], T0 + DAY)
    return PlatformRecord.objects.get()


def pressing(house: House, record: PlatformRecord, *ways: str) -> list[Callable[[], Any]]:
    people = (house.users["lead"], house.users["lead2"])
    return [
        lambda user=user, way=way: settle(
            Actor.person(user, "admin"), record.pk, way, Choice(text="看过")
        )
        for user, way in zip(people, ways, strict=True)
    ]


def test_two_who_adopt_at_once(house):
    order = house.order_for("refund_received")
    case = house.opened("refund_received", order)
    record = refunded_there(order, case)

    told = refusals(at_once(*pressing(house, record, "adopt", "adopt")))

    assert [refusal.code for refusal in told] == ["stale"]
    assert CaseEvent.objects.filter(verb="record_platform_outcome").count() == 1
    assert Refund.objects.get().amount == Decimal("50.00")
    assert audit().violations == []


def test_two_who_open_a_case_at_once(house):
    record = refunded_there(house.order_for("refund_received"))

    told = refusals(at_once(*pressing(house, record, "open", "open")))

    assert [refusal.code for refusal in told] == ["stale"]
    assert Case.objects.get().refunded == Decimal("50.00")
    assert audit().violations == []


def test_one_opens_a_case_while_another_takes_it_over(house):
    record = refunded_there(house.order_for("refund_received"))

    told = refusals(at_once(*pressing(house, record, "open", "external")))

    assert [refusal.code for refusal in told] == ["stale"]
    assert Case.objects.count() + ExternalRefund.objects.count() == 1
    assert audit().violations == []


def test_a_press_and_a_step_of_the_case_at_once(house):
    """Whoever comes first, the record says in the end what both sides say."""
    order = house.order_for("refund_received")
    case = house.opened("refund_received", order)
    record = refunded_there(order, case)
    press, _other = pressing(house, record, "adopt", "adopt")

    answers = at_once(press, lambda: house.act(case, "withdraw", at=T0 + DAY * 2))

    assert len(refusals(answers)) <= 1
    assert audit().violations == []


def test_without_the_locks_both_would_be_written(house, monkeypatch):
    """The negative control: a difference is put aside twice."""
    record = refunded_there(house.order_for("refund_received"))
    take_out_the_locks(monkeypatch)
    at_once(*pressing(house, record, reconciling.EXPLAIN, reconciling.EXPLAIN))
    assert Explanation.objects.count() == 2


def test_with_the_locks_it_is_put_aside_once(house):
    record = refunded_there(house.order_for("refund_received"))
    told = refusals(at_once(*pressing(house, record, "explain", "explain")))
    assert [refusal.code for refusal in told] == ["stale"]
    assert Explanation.objects.count() == 1
