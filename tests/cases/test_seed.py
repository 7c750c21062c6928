"""The reference data: whole, made once, and never taken away from staff."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from cases.flow import clock
from cases.flow.states import ROLES
from cases.models import (
    CalendarDay,
    Case,
    ClockPolicy,
    Kind,
    Reason,
    RefusalReason,
    Role,
    RoleLimit,
    SopStep,
    State,
    Window,
)
from cases.models.kinds import OPEN
from cases.seeding import reasons, roles, seed, sops

pytestmark = pytest.mark.django_db

REASONS = [
    "not_wanted",
    "wrong_purchase",
    "address_error",
    "out_of_stock",
    "late_dispatch",
    "not_arrived",
    "empty_parcel",
    "no_reason",
    "missing_parts",
    "wrong_item",
    "damaged",
    "not_as_described",
    "quality",
    "counterfeit",
    "allergy",
    "expiry",
    "invoice_problem",
    "freight_refund",
    "agreed",
    "other",
]


def test_a_second_seed_makes_nothing(capsys):
    call_command("seed")
    first = json.loads(capsys.readouterr().out.splitlines()[-1])["created"]
    call_command("seed")
    second = json.loads(capsys.readouterr().out.splitlines()[-1])["created"]

    assert all(first.values())
    assert not any(second.values())


def test_what_staff_changed_stays_as_they_left_it():
    seed()
    Reason.objects.filter(code="quality").update(name="品质不良", evidence="none", active=False)
    ClockPolicy.objects.filter(state="refunding").update(hours=Decimal(12))
    RoleLimit.objects.filter(role="agent").update(refund_act=Decimal("300.00"))
    SopStep.objects.filter(reason__code="damaged").update(guidance="先看图")
    SopStep.objects.filter(reason__code="damaged").last().delete()
    Window.objects.filter(code="no_reason_days").update(value=10)
    Group.objects.get(name="agent").permissions.remove(
        Permission.objects.get(codename="compensate_case")
    )

    made = seed()

    assert not any(made.values())
    quality = Reason.objects.get(code="quality")
    assert (quality.name, quality.evidence, quality.active) == ("品质不良", "none", False)
    assert ClockPolicy.objects.get(state="refunding").hours == 12
    assert RoleLimit.objects.get(role="agent").refund_act == Decimal("300.00")
    assert [s.guidance for s in SopStep.objects.filter(reason__code="damaged")] == ["先看图"]
    assert Window.objects.get(code="no_reason_days").value == 10
    agent = Group.objects.get(name="agent")
    assert not agent.permissions.filter(codename="compensate_case").exists()


def test_a_right_that_nobody_holds_yet_reaches_the_groups_that_are_there():
    seed()
    Permission.objects.get(codename="escalate_case").group_set.clear()

    assert seed()["rights"] == 3

    holders = set(Group.objects.filter(permissions__codename="escalate_case").values_list("name"))
    assert holders == {("agent",), ("lead",), ("supervisor",)}


def test_each_role_may_take_exactly_the_steps_its_letter_stands_at():
    seed()

    for role in Role.values:
        held = set(Group.objects.get(name=role).permissions.values_list("codename", flat=True))
        for name, info in Case.steps().items():
            may = role in {ROLES[letter] for letter in info.by}
            assert (f"{name}_case" in held) == may, (role, name)


def test_the_warehouse_sees_no_money_and_the_auditor_changes_nothing():
    seed()
    held = {
        role: set(Group.objects.get(name=role).permissions.values_list("codename", flat=True))
        for role in ("warehouse", "auditor")
    }

    assert not held["warehouse"] & roles.MONEY
    assert {name.split("_")[0] for name in held["auditor"]} <= {"view", "see", "export"}


def test_every_right_that_is_named_exists():
    known = set(Permission.objects.values_list("codename", flat=True))

    for role in Role.values:
        assert roles.rights_of(role) <= known


def test_the_reasons_are_those_that_the_contract_names():
    seed()

    in_use = Reason.objects.filter(active=True)
    assert sorted(in_use.values_list("code", flat=True)) == sorted(REASONS)
    assert set(RefusalReason.objects.values_list("code", flat=True)) == {
        *("sent_already", "signed_already", "affects_resale", "not_our_goods", "waybill_wrong"),
        *("buyer_mistake_agreed", "other"),
    }
    demanding = RefusalReason.objects.filter(needs_evidence=True)
    assert set(demanding.values_list("code", flat=True)) == {"affects_resale", "not_our_goods"}


@pytest.mark.parametrize(
    ("code", "kinds", "side", "goods", "evidence", "promise"),
    [
        (
            "not_wanted",
            "refund_unshipped;refund_in_transit;return_refund;exchange",
            *("buyer", "if_shipped", "none", ""),
        ),
        ("address_error", "refund_unshipped;refund_in_transit", "buyer", "intercept", "none", ""),
        ("out_of_stock", "refund_unshipped", "seller", "no", "none", "ship_on_time"),
        ("not_arrived", "refund_in_transit", "courier", "no", "tracking", "arrive_on_time"),
        ("empty_parcel", "refund_received;resend", "courier", "no", "unpacking", ""),
        ("wrong_item", "return_refund;exchange;resend;refund_received", "seller", "yes",
         "pictures", ""),
        ("quality", "refund_received;return_refund;exchange;repair", "manufacturer", "yes",
         "pictures", "quality"),
        ("counterfeit", "return_refund", "seller", "yes", "report", "fake_triple"),
        ("allergy", "return_refund", "undetermined", "yes", "medical", ""),
        ("other", "", "undetermined", "agreed", "none", ""),
    ],
)  # fmt: skip
def test_a_reason_says_what_it_entails(code, kinds, side, goods, evidence, promise):
    seed()

    row = Reason.objects.get(code=code)

    assert (row.kinds, row.responsible, row.goods_back) == (kinds, side, goods)
    assert (row.evidence, row.promise) == (evidence, promise)


def test_only_seven_days_without_a_reason_asks_for_pictures_without_demanding_them():
    seed()

    asked = Reason.objects.exclude(evidence="none").filter(evidence_demanded=False)

    assert list(asked.values_list("code", flat=True)) == ["no_reason"]


def test_every_open_state_of_every_kind_has_a_time_limit():
    seed()
    hours = {(row.state, row.kind, row.variant): row.hours for row in ClockPolicy.objects.all()}

    applied = {kind: hours["applied", kind, ""] for kind in Kind.values}
    assert applied == {
        "refund_unshipped": 24,
        "refund_in_transit": 36,
        "refund_received": 72,
        "return_refund": 72,
        "exchange": 120,
        "repair": 72,
        "resend": 72,
    }
    assert {state for state in OPEN if state != State.APPLIED} == {
        state for state, kind, variant in hours if not kind and not variant
    }
    assert hours["returning", "", "surface"] == 30 * 24
    assert hours["mediating", "", "decision"] == 48
    assert hours["awaiting_dispatch", "resend", ""] == 5 * 24


def test_every_time_limit_says_whose_rule_it_is():
    seed()

    assert not ClockPolicy.objects.exclude(source__startswith="[").exists()
    assert not Window.objects.exclude(source__startswith="[").exists()


def test_every_open_state_has_guidance_whose_step_is_possible_there():
    seed()
    steps = Case.steps()

    assert set(SopStep.objects.values_list("state", flat=True)) == set(OPEN)
    for row in SopStep.objects.exclude(verb=""):
        assert row.state in steps[row.verb].sources, row


def test_guidance_by_reason_is_for_reasons_that_exist():
    assert {row.reason for row in sops.BY_REASON} <= {row.code for row in reasons.REASONS}


def test_the_calendar_has_the_year_around_now():
    seed()

    year = (clock.now() + timedelta(hours=8)).year
    assert CalendarDay.objects.filter(day__year=year).exists()
