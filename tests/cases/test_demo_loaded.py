"""The loaded demo: every kind and state at work, clocks running, and nothing twice."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import override_settings

from cases.auditing import audit
from cases.flow import clock, sweep
from cases.models import (
    Case,
    CaseEvent,
    Compensation,
    Evidence,
    ExternalRefund,
    Kind,
    Mediation,
    Membership,
    Note,
    Order,
    OrderStatus,
    Parcel,
    Refund,
    ReturnAddress,
    Shop,
    State,
)
from cases.models.kinds import OPEN
from config.demo.load import load
from config.demo.plan import WISHES
from config.demo.world import ZONE

MOMENT = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)
ROLES = {"agent", "lead", "warehouse", "finance", "supervisor", "auditor"}


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker, tmp_path_factory):
    media = tmp_path_factory.mktemp("media")
    with (
        django_db_blocker.unblock(),
        override_settings(MEDIA_ROOT=media),
        transaction.atomic(),
    ):
        yield load(MOMENT)
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def in_the_loaded_office(demo, db):
    with clock.standing_at(MOMENT):
        yield


def fingerprint():
    events = CaseEvent.objects.order_by("pk").values_list("pk", "case_id", "seq", "at")
    cases = Case.objects.order_by("pk").values_list("case_no", "state", "due_at", "version")
    orders = Order.objects.order_by("pk").values_list("order_no", "status", "updated_at")
    return list(events), list(cases), list(orders), Evidence.objects.count()


def test_every_row_of_every_sheet_was_taken(demo):
    for sheet in demo["sheets"]:
        assert sheet["created"] == sheet["rows"] or sheet["kind"] == "order_lines", sheet
        assert sheet["failed"] == 0
        assert sheet["unknown_columns"] == []
    assert demo["orders"] == Order.objects.count() == 300
    assert demo["cases"] == Case.objects.count() == len(WISHES)


def test_every_state_and_every_kind_is_there(demo):
    assert set(demo["states"]) == set(State)
    assert demo["kinds"] == dict(sorted(Counter(wish.kind for wish in WISHES).items()))
    assert set(demo["kinds"]) == set(Kind)


def test_orders_of_every_status_are_there():
    assert set(Order.objects.values_list("status", flat=True)) >= {
        OrderStatus.UNPAID,
        OrderStatus.PAID,
        OrderStatus.SHIPPED,
        OrderStatus.SIGNED,
        OrderStatus.FINISHED,
        OrderStatus.CLOSED,
    }
    assert not Order.objects.filter(paid_at=None).exclude(paid_amount=0).exists()
    assert ExternalRefund.objects.filter(explained=Decimal(0)).exists()


def test_every_open_case_has_a_clock_and_some_are_due_soon():
    running = Case.objects.filter(state__in=OPEN)

    assert not running.filter(due_at=None).exists()
    soon = running.filter(due_at__gt=MOMENT, due_at__lte=MOMENT + timedelta(hours=2))
    assert soon.count() >= 6
    assert soon.values_list("state", flat=True).distinct().count() >= 3


def test_what_is_overdue_is_escalated_and_nothing_else():
    overdue = Case.objects.filter(state__in=OPEN, due_at__lte=MOMENT)

    assert set(overdue.values_list("state", flat=True)) >= {
        State.REFUNDING,
        State.AWAITING_DISPATCH,
        State.REPAIRING,
        State.AWAITING_APPROVAL,
        State.MEDIATING,
        State.QUALITY_CHECK,
        State.DIAGNOSING,
    }
    assert not overdue.filter(escalated_at=None).exists()


def test_the_audit_finds_nothing_wrong():
    found = audit(MOMENT)

    assert found.violations == []
    assert found.checked > 3000


def test_another_sweep_finds_nothing_to_do():
    found = sweep.enforce(MOMENT)

    assert (found["due"], found["acted"], found["escalated"], found["failed"]) == (0, 0, 0, 0)


def test_the_desk_shows_what_a_desk_shows():
    assert Evidence.objects.filter(kind="image").count() >= 20
    assert Note.objects.count() >= 20
    assert set(Parcel.objects.values_list("direction", flat=True)) == {"in", "out"}
    assert Refund.objects.filter(state=Refund.State.FAILED).count() == 1
    assert Refund.objects.filter(state=Refund.State.PAID).count() >= 8
    assert Compensation.objects.count() == 2
    assert set(
        Case.objects.filter(state="mediating").values_list("mediation_phase", flat=True)
    ) == {
        "evidence",
        "decision",
    }
    assert set(Mediation.objects.exclude(outcome="").values_list("outcome", flat=True)) == {
        "rule_for_buyer",
        "rule_for_seller",
        "rule_split",
    }


def test_one_receipt_was_partial():
    part = [
        line
        for case in Case.objects.filter(state=State.INSPECTING).prefetch_related("lines")
        for line in case.lines.all()
        if line.received is not None and line.received < line.quantity
    ]

    assert [(line.quantity, line.received) for line in part] == [(2, 1)]


def test_acts_are_told_by_the_people_whose_work_they_are():
    by_role = Counter(CaseEvent.objects.exclude(user=None).values_list("user__username", flat=True))

    assert set(by_role) >= {"agent", "lead", "warehouse", "finance"}
    agents_shops = set(
        CaseEvent.objects.filter(user__username="agent").values_list("case__shop__code", flat=True)
    )
    assert agents_shops == {"yunzhi", "jizhou"}


def test_no_event_lies_in_the_future_or_before_the_one_before_it():
    last = {}
    for case, at in CaseEvent.objects.order_by("case_id", "seq").values_list("case_id", "at"):
        assert at <= MOMENT
        assert at >= last.get(case, at)
        last[case] = at


def test_the_agent_belongs_to_two_shops_and_the_others_to_three():
    shops = {user: Membership.objects.filter(user__username=user).count() for user in sorted(ROLES)}

    assert Shop.objects.count() == 3
    assert shops == {role: 2 if role == "agent" else 3 for role in sorted(ROLES)}
    assert ReturnAddress.objects.filter(default=True).count() == 3
    assert User.objects.filter(is_superuser=True).exists()
    assert not any(u.has_usable_password() for u in User.objects.filter(username__in=ROLES))


def test_loading_again_changes_nothing(demo):
    before = fingerprint()

    again = load(MOMENT + timedelta(days=1))

    assert again["loaded"] is False
    assert {k: again[k] for k in ("orders", "cases", "states", "kinds")} == {
        k: demo[k] for k in ("orders", "cases", "states", "kinds")
    }
    assert fingerprint() == before
