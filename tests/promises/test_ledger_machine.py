"""Any acts in any order on claims and a deposit: every cent stays explained.

Claims under all promises, every step by anybody, money in and out, repeated keys, time jumps with
sweeps, changed terms, and acts that die before they are committed. After each act everything is
recomputed from the rows.
"""

from contextlib import suppress
from decimal import Decimal
from random import Random

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
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
from cases.flow import clock
from cases.flow.door import Refused
from cases.flow.sweep import enforce
from promises import verbs
from promises.models import Claim, Deposit, Entry, Term
from promises.models.deposit import ACCOUNTS
from promises.terms import Code
from tests.factories import DAY, HOUR, T0
from tests.promises.counter import Counter

WHO = ("boss",) * 6 + ("agent", "lead", "lead2", "finance", "supervisor", "outsider", "clock")
AMOUNTS = tuple(Decimal(x) for x in ("0.01", "1.00", "4.99", "16.67", "100.00", "333.34"))
#: What often comes next; every second time people are sensible.
NEXT = {
    "filed": ("accept", "contest", "contest"),
    "contested": ("adjudicate", "adjudicate", "accept"),
    "adjudicating": ("uphold", "uphold", "dismiss"),
    "paid": ("reverse",),
}
SEED = st.integers(0, 2**32)


class Crash(Exception):
    """The process dies before it commits."""


class Treasury(RuleBasedStateMachine):
    """Claims and money, moved by people who do not know the rules."""

    counter: Counter

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.counter.now = T0
        self.drawn = ""
        self.keyed = []

    def chance(self, seed):
        """Never the same twice, though seeds repeat; the same again when the example is."""
        self.drawn = f"{self.drawn[-400:]}/{seed}"
        return Random(self.drawn)

    def teardown(self):
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @initialize(seed=SEED)
    def the_shop_opens(self, seed):
        chance = self.chance(seed)
        facts = {
            "named_courier": "YTO",
            "promised_arrival": T0 - 3 * DAY,
            "promises": ";".join(Code.values),
        }
        self.orders = [
            self.counter.sold(paid, lines=2, **facts) for paid in ("100.00", "333.33", "0.03")
        ]
        self.counter.pay_in(str(chance.choice(AMOUNTS)))

    def attempt(self, chance, act, *args, **kwargs):
        """One act: done, refused by a rule, or dead before the commit."""
        try:
            with transaction.atomic():
                act(*args, **kwargs)
                if chance.random() < 0.1:
                    raise Crash
        except Refused as refusal:
            self.spoken(refusal)
            return False
        except Crash:
            return False
        return True

    def spoken(self, refusal):
        """A rule said no, not the database."""
        assert refusal.code != "stale", refusal

    @rule(seed=SEED)
    def somebody_files_a_claim(self, seed):
        chance = self.chance(seed)
        promise = chance.choice(Code.values)
        needs = promise in ("named_courier", "arrive_on_time")
        amount = chance.choice(AMOUNTS) if needs or chance.random() < 0.05 else None
        self.attempt(
            chance,
            self.counter.file,
            chance.choice(self.orders),
            promise,
            by=chance.choice(WHO),
            line=chance.choice([1, 1, 2, 3]),
            amount=amount,
            freight_back=chance.choice([None, Decimal("8.00")]),
            key=chance.choice([None, None, "f1"]),
        )

    @rule(seed=SEED, times=st.sampled_from([4, 2]))
    def somebody_works_on_a_claim(self, seed, times):
        chance = self.chance(seed)
        claims = list(Claim.objects.order_by("pk"))
        if not claims:
            return
        pk = chance.choice(claims).pk
        for _time in range(times):
            claim = Claim.objects.get(pk=pk)
            steps = [name for name in Claim.steps() if name != "settle"]
            step = chance.choice(steps)
            if chance.random() < 0.8:
                step = chance.choice(NEXT.get(claim.state, steps))
            inputs = {"text": "x"} if step in ("reverse", "contest") else {}
            if step == "uphold":
                inputs["report"] = chance.choice(["R1", "R1", ""])
            self.attempt(chance, self.counter.act, claim, step, chance.choice(WHO), **inputs)

    @rule(seed=SEED)
    def money_moves(self, seed):
        chance = self.chance(seed)
        act = chance.choice([self.counter.pay_in, self.counter.pay_in, self.counter.take_out])
        amount, key = str(chance.choice(AMOUNTS)), f"m{chance.randint(0, 30)}"
        before = self.balances()
        if self.attempt(chance, act, amount, "finance", key=key):
            if (act, amount, key) in self.keyed:
                assert self.balances() == before
            self.keyed.append((act, amount, key))

    @rule(seed=SEED)
    def time_passes(self, seed):
        self.counter.now += self.chance(seed).choice([1, 20, 72, 120, 300]) * HOUR
        tally = enforce(self.counter.now)
        assert (tally["failed"], tally["skipped"]) == (0, 0)
        again = enforce(self.counter.now)
        assert (again["acted"], again["escalated"], again["reminded"]) == (0, 0, 0)

    @rule(seed=SEED)
    def terms_change(self, seed):
        chance = self.chance(seed)
        before = list(Claim.objects.order_by("pk").values_list("pk", "amount", "term", "version"))
        term = chance.choice(list(Term.objects.order_by("pk")))
        begins = self.counter.now + chance.choice([1, 50]) * HOUR
        with suppress(Refused, ValidationError), clock.standing_at(self.counter.now):
            verbs.change_terms(
                self.counter.house.actor("supervisor"),
                term,
                valid_from=begins,
                floor=chance.choice([None, *AMOUNTS]),
            )
        after = list(Claim.objects.order_by("pk").values_list("pk", "amount", "term", "version"))
        assert after == before

    def balances(self):
        return list(Deposit.objects.values_list(*ACCOUNTS))

    @invariant()
    def the_books_are_clean(self):
        assert audit(self.counter.now).violations == []

    @invariant()
    def balances_are_the_sum_of_entries(self):
        sums = Entry.objects.aggregate(
            **{name: Sum(f"to_{name}", default=Decimal(0)) for name in ACCOUNTS},
            shop=Sum("from_shop", default=Decimal(0)),
        )
        for row in self.balances():
            assert list(row) == [sums[name] for name in ACCOUNTS]
            assert min(row) >= 0
            assert sum(row) == sums["shop"]

    @invariant()
    def every_claim_is_explained_by_its_entries(self):
        for claim in Claim.objects.all():
            paid = claim.entries.aggregate(sum=Sum("to_paid", default=Decimal(0)))["sum"]
            assert paid == claim.paid
            if claim.state in ("paid", "owed"):
                assert claim.deducted + claim.paid + claim.owed == claim.amount


@pytest.mark.django_db
def test_whatever_is_done_every_cent_stays_explained():
    Treasury.counter = Counter()
    run_state_machine_as_test(
        Treasury,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # Chance of our own does not shrink; the first failure is told at once.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
