"""Every edge of the table of transitions: who takes it from where to where, and what is left."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from domain_tables import BY, FROM, OPEN, STATES, TURN, length
from edges import ACCEPT, EDGES, LARGE, PARCEL

from cases.flow.door import NotPermitted, Refused, allowed
from cases.models import Case, Reason
from cases.seeding.roles import rights_of
from tests.factories import HOUR, T0, path_to

#: Steps that keep the clock as it is where the state stays.
KEEPS_CLOCK = {
    "dispatch_ahead",
    "fail_payout",
    "escalate",
    "assign",
    "approve",
    "extend",
}


def at_the_source(house, edge):
    order = house.order_for(edge.kind, (2, edge.paid))
    via = edge.via or path_to(edge.source, edge.kind)
    return house.walk(house.opened(edge.kind, order), *via)


def inputs_of(house, edge):
    return {k: v(house) if callable(v) else v for k, v in edge.inputs.items()}


@pytest.mark.parametrize("edge", EDGES, ids=str)
def test_edge(house, edge):
    before = at_the_source(house, edge)
    assert before.state == edge.source
    given = inputs_of(house, edge)
    if edge.step == "accept":
        given["waiver"] = "看过"
    at = before.moved_at + HOUR
    if edge.by == "clock":
        at = before.due_at
    case = house.act(before, edge.step, edge.by, at=at, **given)

    assert case.state == Case.objects.get(pk=case.pk).state == edge.target
    last = case.events.last()
    assert (last.verb, last.source, last.target) == (edge.step, edge.source, edge.target)
    assert (last.at, last.seq) == (at, before.seq + 1)
    assert last.user == house.users.get(edge.by)
    assert last.due_before == before.due_at
    assert_clock(edge, before, case, at)


def assert_clock(edge, before, case, at):
    if edge.target in ("completed", "closed"):
        assert (case.due_at, case.wake_at, case.clock_on, case.on_expiry) == (None, None, "", "")
        assert case.finished_at == at
        return
    assert case.finished_at is None
    assert case.clock_on == TURN[edge.target]
    if edge.step == "extend":
        assert case.due_at == before.due_at + timedelta(days=edge.inputs["days"])
    elif edge.source == edge.target and edge.step in KEEPS_CLOCK:
        assert case.due_at == before.due_at
    elif case.mediation_phase == "decision":
        assert case.due_at == at + 48 * HOUR
    elif edge.step == "cancel_mediation":
        left = before.events.get(verb="request_mediation")
        assert case.due_at == at + (left.due_before - left.at)
    elif edge.target == "repairing":
        assert case.due_at == case.received_at + length("repairing", "", "")
    else:
        assert case.due_at == at + length(edge.target, case.kind, case.remedy)


def test_every_row_of_the_table_is_walked_from_every_place():
    walked = {}
    for edge in EDGES:
        walked.setdefault(edge.step, set()).add(edge.source)
    walked["extend"] = FROM["extend"]  # per policy: test_clocks tells where
    assert {step: walked[step] for step in FROM} == FROM


def test_the_declared_steps_are_those_of_the_table():
    declared = {
        name: (set(info.sources), set(info.by) - {"P"}) for name, info in Case.steps().items()
    }
    table = {name: (FROM[name], set(BY[name].split())) for name in FROM}
    assert {name: declared[name] for name in table} == table
    # Beside the table: what only the clock does, and records that change neither state nor clock.
    for name in set(declared) - set(table):
        info = Case.steps()[name]
        assert info.by == {"C"} or not info.targets


ROLE_OF = {
    "A": "agent",
    "L": "lead",
    "W": "warehouse",
    "F": "finance",
    "S": "supervisor",
    "C": "clock",
}


@pytest.mark.parametrize("step", BY)
def test_only_those_of_the_table_may_take(house, step):
    edge = next(e for e in EDGES if e.step == step and e.by != "clock")
    case = at_the_source(house, edge)
    given = inputs_of(house, edge)
    if step == "accept":
        given["waiver"] = "看过"
    may = {ROLE_OF[letter] for letter in BY[step].split()}
    for name in (*ROLE_OF.values(), "auditor"):
        before = case.seq
        with transaction.atomic():
            if name in may:
                assert house.act(case, step, name, **given).seq == before + 1
            else:
                with pytest.raises(NotPermitted) as refusal:
                    house.act(case, step, name, **given)
                assert refusal.value.code == "not_permitted"
            transaction.set_rollback(True)
    refusal = house.refused(case, step, "outsider", **given)
    assert refusal.code == "not_in_your_shop"


@pytest.mark.parametrize("state", STATES)
def test_elsewhere_the_step_is_refused(house, state):
    case = house.case_in(state)
    before = vars(Case.objects.get(pk=case.pk))
    for step, sources in FROM.items():
        if state in sources:
            continue
        # Who asks does not matter: the state is asked first.
        refusal = house.refused(case, step, "boss")
        assert (step, refusal.code) == (step, "wrong_state")
        assert case.case_no in refusal.message
    after = vars(Case.objects.get(pk=case.pk))
    assert {k: v for k, v in after.items() if k != "_state"} == {
        k: v for k, v in before.items() if k != "_state"
    }
    assert case.events.count() == case.seq


def test_the_clocks_own_steps_are_nobodys(house):
    own = {name for name, info in Case.steps().items() if info.by == {"C"}}
    assert own == {
        "accept_by_silence",
        "close_by_silence",
        "refund_after_intercept",
        "receive_by_silence",
        "refund_by_silence",
        "pass_by_silence",
    }
    case = house.case_in("applied")
    for name in house.users:
        if name not in ("outsider", "boss"):
            assert house.refused(case, "accept_by_silence", name).code == "not_permitted"


def test_the_seed_gives_each_role_the_steps_of_the_table():
    for letter, role in ROLE_OF.items():
        if letter == "C":
            continue
        steps = {r.removesuffix("_case") for r in rights_of(role)} & set(BY)
        assert steps == {name for name, who in BY.items() if letter in who.split()}


@pytest.mark.parametrize("kind", ["refund_in_transit", "refund_received", "return_refund"])
def test_only_an_unshipped_order_is_shipped_instead(house, kind):
    refusal = house.refused(house.opened(kind), "ship_order", **PARCEL)
    assert refusal.code == "wrong_state"


def test_a_refund_before_shipping_cannot_be_refused_outright(house):
    case = house.opened("refund_unshipped")
    refusal = house.refused(case, "refuse", reason=house.refusal_reason(), text="不")
    assert refusal.code == "wrong_state"


@pytest.mark.parametrize("kind", ["refund_unshipped", "refund_received", "return_refund"])
def test_only_a_parcel_in_transit_is_intercepted(house, kind):
    assert house.refused(house.opened(kind), "intercept").code == "wrong_state"


@pytest.mark.parametrize("kind", ["return_refund", "repair"])
def test_only_an_exchange_is_sent_ahead(house, kind):
    case = house.case_in("awaiting_return", kind)
    assert house.refused(case, "dispatch_ahead", **PARCEL).code == "wrong_state"


def test_a_replacement_is_sent_ahead_once(house):
    case = house.act(house.case_in("returning", "exchange"), "dispatch_ahead", **PARCEL)
    assert case.parcels.get(direction="out").purpose == "replacement"
    assert case.notices.get(kind="ahead")
    assert house.refused(case, "dispatch_ahead", **PARCEL).code == "wrong_state"


@pytest.mark.parametrize("kind", ["return_refund", "exchange"])
def test_only_a_repair_is_repaired(house, kind):
    case = house.case_in("inspecting", kind)
    assert house.refused(case, "start_repair", vendor="V").code == "wrong_state"


def test_the_buyer_hears_the_verdict_at_once(house):
    case = house.case_in("diagnosing")
    case = house.act(case, "record_diagnosis", "warehouse", verdict="not_found")
    assert case.notices.get().kind == "tell_buyer"
    assert case.notices.get().at == case.moved_at


def test_the_goods_of_a_case_that_nobody_shipped_cannot_come_back(house):
    refusal = house.refused(house.opened("refund_unshipped"), "convert", remedy="exchange")
    assert refusal.code == "wrong_state"


def test_a_conversion_must_change_something(house):
    case = house.opened("exchange")
    assert house.refused(case, "convert", remedy="exchange").code == "bad_value"
    assert house.refused(case, "propose").code == "bad_value"


def test_a_reason_for_another_kind_is_refused(house):
    refusal = house.refused_to_open("refund_received", reason="no_reason")
    assert refusal.code == "bad_value"
    heading = Reason.objects.get(code="group_other")
    assert house.refused_to_open("refund_received", reason=heading.code).code == "bad_value"


def test_a_case_that_is_sent_back_twice_comes_back_to_what_it_was_each_time(house):
    order = house.paid_order((2, LARGE))
    case = house.walk(house.opened("exchange", order), ACCEPT)
    for _time in range(2):
        case = house.act(case, "convert", remedy="return_refund")
        assert (case.state, case.remedy) == ("awaiting_approval", "return_refund")
        case = house.act(case, "send_back", "supervisor", text="不同意")
        assert (case.state, case.remedy) == ("awaiting_return", "exchange")


def test_every_step_that_a_state_allows_is_offered_and_no_other(house):
    for state in OPEN:
        case = house.case_in(state)
        offered = set(allowed(house.actor("boss"), case, at=case.moved_at)) & set(FROM)
        assert offered <= {step for step, sources in FROM.items() if state in sources}
        assert offered >= {"escalate", "assign"}


def test_refusing_leaves_no_trace(house):
    case = house.case_in("awaiting_return")
    for step, by, inputs in (
        ("pay", "finance", {"reference": "x"}),
        ("extend", "agent", {"days": 4}),
        ("convert", "agent", {"remedy": "refund", "amount": Decimal("100.01")}),
    ):
        with pytest.raises(Refused):
            house.act(case, step, by, at=T0 + 9 * HOUR, **inputs)
    same = Case.objects.get(pk=case.pk)
    assert (same.seq, same.version, same.due_at) == (case.seq, case.version, case.due_at)
