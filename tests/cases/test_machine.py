"""Any steps in any order with any inputs: the books stay clean, and nothing happens half.

Orders with several lines and payments, cases of every kind on them, staff, clock, platform and
reports; time jumps with sweeps, repeated keys, batches. After each act the audit recomputes
everything from the rows. A refusal called "stale" would mean that only a constraint of the
database held where a rule should have spoken: nobody else is at work here.
"""

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from cases.auditing import audit
from cases.external import Reported, report
from cases.flow.door import Act, Refused, perform_many
from cases.flow.sweep import enforce
from cases.models import Case, Order, OrderLine, Reason
from cases.models.kinds import Kind, Remedy, State
from cases.verbs import NewCase, adopt_cases, open_case, record_shipment, record_signature
from tests.factories import HOUR, T0, furnished, picture

#: Who is asked; the boss may do everything a person may.
WHO = (*("boss",) * 8, "agent", "lead", "warehouse", "finance", "supervisor", "supervisor2")
ANYBODY = (*WHO, "auditor", "outsider", "clock", "platform")

AMOUNTS = tuple(Decimal(x) for x in ("0.00", "0.01", "7.77", "16.66", "33.33", "50.00", "600.00"))
OPTIONAL = (None,) * 12 + AMOUNTS
WORDS = ("已与买家沟通",) * 5 + ("",)
PARCEL = {"courier": ("SF",), "waybill": ("SF1", "SF2")}
#: What may be entered, by step; one of each is drawn.
INPUTS = {
    "ship_order": PARCEL,
    "accept": {"amount": OPTIONAL, "freight": OPTIONAL, "waiver": WORDS},
    "send_back": {"text": WORDS},
    "propose": {"remedy": ("", *Remedy.values), "amount": OPTIONAL},
    "refuse": {"text": WORDS},
    "revise": {"kind": ("",) * 7 + tuple(Kind.values), "amount": OPTIONAL},
    "ship_back": {**PARCEL, "surface": (False, True)},
    "fail_inspection": {"text": WORDS},
    "send_for_diagnosis": {"place": ("supplier",), "vendor": ("V",)},
    "record_diagnosis": {"verdict": ("confirmed", "not_found", "user_damage")},
    "start_repair": {"vendor": ("V",)},
    "dispatch": PARCEL,
    "dispatch_ahead": PARCEL,
    "hand_back": PARCEL,
    "pay": {"reference": ("R",), "amount": OPTIONAL},
    "fail_payout": {"text": WORDS},
    "convert": {"remedy": Remedy.values, "amount": OPTIONAL},
    "request_mediation": {"party": ("buyer", "seller")},
    "rule_for_buyer": {"amount": OPTIONAL},
    "rule_split": {"amount": AMOUNTS},
    "record_platform_outcome": {
        "number": tuple(f"P{n}" for n in range(20)),
        "outcome": ("refunded", "refunded", "closed", "done"),
        "amount": OPTIONAL,
    },
    "extend": {"days": (3, 5, 7, 4)},
    "reopen": {"text": ("新证据",)},
    "add_note": {"text": ("记一笔",)},
    "log_contact": {"text": ("已致电",)},
    "tag": {"tags": ("急件",)},
    "compensate": {"kind": ("coupon",), "amount": AMOUNTS},
}
#: What often comes next; every second time the office is sensible.
NEXT = {
    "applied": ("accept", "accept", "intercept", "propose", "refuse"),
    "awaiting_approval": ("approve", "approve", "send_back"),
    "awaiting_return": ("ship_back",),
    "returning": ("receive",),
    "inspecting": ("pass_inspection", "send_for_diagnosis", "start_repair", "fail_inspection"),
    "diagnosing": ("record_diagnosis", "start_repair"),
    "repairing": ("finish_repair",),
    "quality_check": ("pass_quality_check", "fail_quality_check"),
    "awaiting_dispatch": ("dispatch", "convert"),
    "awaiting_receipt": ("confirm_receipt", "request_mediation"),
    "refused": ("hand_back", "revise"),
    "negotiating": ("agree_proposal", "decline_proposal"),
    "intercepting": ("intercept_succeed", "intercept_fail"),
    "refunding": ("pay", "fail_payout", "record_platform_outcome"),
    "mediating": ("rule_for_buyer", "rule_split", "cancel_mediation"),
    "closed": ("hand_back", "reopen"),
    "completed": ("hand_back",),
}
#: Steps that take pieces per order line.
COUNTED = {"receive", "pass_inspection", "hand_back"}
#: Drawn less often than what moves a case on.
RECORDS = {name for name, info in Case.steps().items() if not info.moves} | {"escalate", "assign"}
#: Cases of goods that the buyer has, and of goods that he has not.
RECEIVED = ("return_refund", "exchange", "repair", "refund_received", "resend")
MOVING = ("refund_unshipped", "refund_in_transit")
#: Hypothesis draws the order of events and a seed each; what follows from a seed is chance of our
#: own, because draws by Hypothesis alone are so alike that cases hardly leave their first state.
SEED = st.integers(0, 2**32)


class Office(RuleBasedStateMachine):
    """A day in the office, by people who do not know the rules."""

    house = None

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.now = T0
        self.keyed = []
        self.drawn = ""

    def chance(self, seed):
        """Never the same twice, though seeds repeat; the same again when the example is."""
        self.drawn = f"{self.drawn[-400:]}/{seed}"
        return Random(self.drawn)

    def teardown(self):
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @initialize(seed=SEED)
    def the_day_begins(self, seed):
        chance = self.chance(seed)
        house, kinds = self.house, chance.sample(RECEIVED, 3)
        orders = [
            house.paid_order((2, "100.00"), (3, "0.05"), payments=("60.00", "50.05")),
            house.paid_order((1, "640.00"), (7, "33.33"), freight="0.00"),
            house.paid_order((4, "21000.00"), freight="0.00"),
            house.order_for("refund_unshipped", (2, "50.00"), (1, "510.00")),
            house.order_for("refund_in_transit", (2, "50.00"), freight="8.00"),
        ]
        self.orders = [o.pk for o in orders]
        for order, kind in zip(orders, [*kinds, *MOVING], strict=True):
            # The whole of an order takes its freight along.
            lines = ((1, 1),) if kind in RECEIVED else ()
            house.opened(kind, order, reason="agreed", lines=lines, at=self.tick())

    def spoken(self, refusal):
        """A rule said no, not the database."""
        assert refusal.code != "stale", refusal

    def cases(self):
        return list(Case.objects.order_by("pk"))

    def tick(self):
        self.now += timedelta(minutes=7)
        return self.now

    def application(self, chance):
        """An order, and pieces of some of its lines, or of all."""
        order = Order.objects.get(pk=chance.choice(self.orders))
        chosen = chance.choice([[1], [2], [1, 2], []])
        return order, [(no, chance.choice([1, 1, 2, 4])) for no in chosen]

    def a_buyer_applies(self, chance):
        order, lines = self.application(chance)
        reason = chance.choice(["agreed", "agreed", "quality", "no_reason"])
        try:
            open_case(
                self.house.actor(chance.choice(ANYBODY)),
                order,
                kind=chance.choice(Kind.values),
                reason=Reason.objects.get(code=reason),
                lines=lines,
                amount=chance.choice(OPTIONAL),
                at=self.tick(),
                key=chance.choice([None, "open1", "open2"]),
            )
        except Refused as refusal:
            self.spoken(refusal)

    def a_sheet_brings_a_case(self, chance):
        order, lines = self.application(chance)
        kind, state = chance.choice(Kind.values), chance.choice(State.values)
        at = self.tick()
        row = NewCase(
            order,
            kind,
            Reason.objects.get(code="other"),
            lines,
            state=state,
            at=at,
            applied_at=at,
            refund_number=f"S{at:%d%H%M}" if state == "completed" else "",
        )
        for answer in adopt_cases(self.house.actor("platform"), [row]):
            if isinstance(answer, Refused):
                self.spoken(answer)

    def inputs(self, chance, step, case):
        given = {name: chance.choice(pool) for name, pool in INPUTS.get(step, {}).items()}
        if step in ("refuse", "fail_inspection"):
            given["reason"] = self.house.refusal_reason()
        if step == "assign":
            given["user"] = self.house.users[chance.choice(WHO)]
        if step == "set_platform_due":
            given["due_at"] = self.now + chance.randint(-2, 60) * HOUR
        if step == "add_evidence":
            given |= {"party": "seller", "evidence": picture()}
        if step in COUNTED and chance.random() < 0.4:
            pks = [x.order_line_id for x in case.lines.all()]
            given["line"] = {pk: chance.choice([-1, 0, 1, 1, 2, 3]) for pk in pks}
        return given

    @rule(seed=SEED, times=st.sampled_from([3, 2]))
    def somebody_works_on_a_case(self, seed, times):
        chance = self.chance(seed)
        pk = chance.choice(self.cases()).pk
        for _time in range(times):
            self.one_step(chance, Case.objects.get(pk=pk))

    @rule(seed=SEED)
    def meanwhile(self, seed):
        """All else; one rule, so that it does not crowd out the work on the cases."""
        chance = self.chance(seed)
        happenings = (
            self.a_buyer_applies,
            self.a_sheet_brings_a_case,
            self.somebody_presses_twice,
            self.somebody_works_through_a_list,
            self.time_passes,
            self.a_report_shows_refunds,
            self.the_parcel_goes_on,
        )
        chance.choice(happenings)(chance)

    def one_step(self, chance, case):
        step = self.choose(chance, case)
        who = chance.choice(ANYBODY)
        if Case.steps()[step].by == {"C"}:
            who = "clock"
            self.now = max(self.now, case.due_at or self.now)
        key = f"k{case.pk}{step}" if chance.random() < 0.2 else None
        act = Act(case.pk, self.inputs(chance, step, case), key, self.tick())
        self.take(who, step, act, case)

    def choose(self, chance, case):
        luck = chance.random()
        if luck < 0.5:
            return chance.choice(NEXT[case.state])
        if luck < 0.55:
            return chance.choice(list(Case.steps()))
        names = [n for n, info in Case.steps().items() if case.state in info.sources]
        return chance.choice([n for n in names if n not in RECORDS or luck < 0.6] or names)

    def take(self, who, step, act, before):
        report = perform_many(self.house.actor(who), Case, [act], step)
        assert report.failed == []
        after = Case.objects.get(pk=act.pk)
        if report.refused:
            refusal = report.refused[0][1]
            assert refusal.code != "stale", (step, refusal)
            assert (after.version, after.seq) == (before.version, before.seq)
        elif report.done[0].repeated:
            assert (after.version, after.seq) == (before.version, before.seq)
        else:
            assert (after.version, after.seq) == (before.version + 1, before.seq + 1)
            if act.key:
                self.keyed.append((who, step, act))

    def somebody_presses_twice(self, chance):
        if not self.keyed:
            return
        who, step, act = chance.choice(self.keyed)
        before = Case.objects.get(pk=act.pk)
        again = Act(act.pk, act.inputs, act.key, self.tick())
        found = perform_many(self.house.actor(who), Case, [again], step)
        assert [m.repeated for m in found.done] == [True]
        after = Case.objects.get(pk=act.pk)
        assert (after.version, after.refunded) == (before.version, before.refunded)

    def somebody_works_through_a_list(self, chance):
        step = chance.choice(["accept", "pay", "receive", "pass_inspection"])
        inputs = {"pay": {"reference": "R"}, "accept": {"waiver": "x"}}.get(step, {})
        found = perform_many(
            self.house.actor("boss"),
            Case,
            [c.pk for c in self.cases()],
            step,
            at=self.tick(),
            **inputs,
        )
        assert found.failed == []
        assert "stale" not in {r.code for _pk, r in found.refused}

    def time_passes(self, chance):
        self.now += chance.choice([1, 12, 40, 75, 130, 250, 800]) * HOUR
        tally = enforce(self.now)
        assert (tally["failed"], tally["skipped"]) == (0, 0)
        again = enforce(self.now)
        assert (again["acted"], again["escalated"], again["reminded"]) == (0, 0, 0)

    def a_report_shows_refunds(self, chance):
        amount = chance.choice(["5.00", "40.00", "50.00"])
        order, _lines = self.application(chance)
        ours = sum(x.refunded for x in order.lines.all()) + order.freight_refunded
        shown = min(max(ours, order.reported_refunded) + Decimal(amount), order.paid_amount)
        report([Reported(order.pk, shown, self.tick(), "月报")])

    def the_parcel_goes_on(self, chance):
        verb = chance.choice([record_shipment, record_signature])
        order, _lines = self.application(chance)
        inputs = {"courier": "SF", "waybill": "1"} if verb is record_shipment else {}
        try:
            verb(self.house.actor("agent"), order, at=self.tick(), **inputs)
        except Refused as refusal:
            self.spoken(refusal)

    @invariant()
    def the_books_are_clean(self):
        assert audit(self.now).violations == []

    @invariant()
    def no_line_gives_more_than_was_bought(self):
        for line in OrderLine.objects.all():
            assert 0 <= line.held + line.gone <= line.quantity
            assert 0 <= line.reserved + line.refunded <= line.paid_amount


@pytest.mark.django_db
def test_whatever_people_do_the_books_stay_clean():
    Office.house = furnished()
    run_state_machine_as_test(
        Office,
        settings=settings(
            # The same rules once more on a slower database need fewer examples.
            max_examples=50 if connection.vendor == "sqlite" else 20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # Chance of our own does not shrink; the first failure is told at once.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
