"""Random lives of invoices: requests, crashes, late and repeated answers; audit after every step.

The authority of this machine loses calls, answers late and repeats itself; people send the same key
twice. Whatever comes, the books hold, and every red the authority issued is booked exactly once.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from cases.flow.door import Refused
from invoices import ledger
from invoices.models import Invoice, RedRequest, RedState, Standing
from tests.invoices.office import Office, books_are_clean

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
LINES = [
    [(3, "100.00")],
    [(1, "0.01"), (7, "99.99")],
    [(10, "701.25"), (2, "0.00"), (1, "8.08")],
]


class Crash(Exception):
    """The process died: nothing of its transaction happened."""


class Requests(RuleBasedStateMachine):
    """Two invoices, one authority, and everything that can go wrong between them."""

    blues = Bundle("blues")

    def __init__(self) -> None:
        super().__init__()
        self.point = transaction.atomic()
        self.point.__enter__()
        self.office = Office()
        self.office.tax_office.code = "02"
        self.keys = 0
        self.issued: set[str] = set()

    @initialize(target=blues, lines=st.sampled_from(LINES))
    def first(self, lines):
        return self.office.issued(*lines)

    @rule(target=blues, lines=st.sampled_from(LINES), used=st.booleans())
    def another(self, lines, used):
        blue = self.office.issued(*lines)
        Standing.objects.filter(invoice=blue).update(buyer_used=used)
        return blue

    def _try(self, act, *args, **kwargs):
        try:
            with transaction.atomic():
                return act(*args, **kwargs)
        except Refused as refused:
            return refused

    @rule(blue=blues, line=st.integers(1, 4), units=st.integers(1, 11), twice=st.booleans())
    def ask_for_pieces(self, blue, line, units, twice):
        self.keys += 1
        answers = [
            self._try(self.office.request, blue, units={line: units}, key=f"k{self.keys}")
            for _ in range(1 + twice)
        ]
        found = [a.pk for a in answers if isinstance(a, RedRequest)]
        assert len(set(found)) <= 1
        assert len(found) in {0, len(answers)}

    @rule(blue=blues, fen=st.integers(1, 80_000))
    def ask_for_money(self, blue, fen):
        amount = str(Decimal(fen).scaleb(-2))
        self._try(self.office.request, blue, reason="allowance", amount=amount)

    @rule(blue=blues, units=st.integers(1, 3))
    def ask_and_die(self, blue, units):
        """Killed before the commit: not a trace."""
        before = ledger.look([blue.pk]).of(blue.pk)
        try:
            with transaction.atomic():
                self.office.request(blue, units={1: units})
                raise Crash
        except (Crash, Refused):
            pass
        after = ledger.look([blue.pk]).of(blue.pk)
        assert [ledger.taken(b) for b in after] == [ledger.taken(b) for b in before]

    @rule(words=st.lists(st.sampled_from(["ok", "lost", "late", "reject"]), max_size=3))
    def call(self, words):
        self.office.tax_office.script = list(words)
        self.office.call(timedelta(hours=2))

    @rule(
        code=st.sampled_from(["01", "04", "02", "05", "07", "10", "99"]),
        number=st.integers(0, 5),
        comes=st.booleans(),
    )
    def the_authority_decides(self, code, number, comes):
        """Of one of the forms it knows; the red invoice may come with the word or not."""
        forms = sorted(self.office.tax_office.forms)
        if not forms:
            return
        serial = forms[number % len(forms)]
        if comes and code in {"01", "04"} and not self.office.tax_office.forms[serial].red_number:
            self.office.tax_office.set(serial, red_number=self.office.number())
        self.office.tax_office.set(serial, code=code)

    @rule(hours=st.sampled_from([1, 25, 80]))
    def time_goes_by(self, hours):
        self.office.sweep(timedelta(hours=hours))

    @rule(blue=blues, code=st.sampled_from(["02", "04", "05", "07", "77"]), twice=st.booleans())
    def a_clerk_enters_an_answer(self, blue, code, twice):
        for _ in range(1 + twice):
            self._try(self.office.answer, blue, code)

    @rule(blue=blues, twice=st.booleans(), off=st.sampled_from([0, 0, 1, 500]))
    def a_clerk_enters_a_red(self, blue, twice, off):
        request = blue.red_requests.order_by("-pk").first()
        if request is None:
            return
        number = self.office.number()
        amount = request.gross - Decimal(off).scaleb(-2)
        given = {"amount": amount, "tax": min(request.tax, amount)} if amount > 0 else {}
        answers = [self._try(self.office.record, blue, number, **given) for _ in range(1 + twice)]
        if isinstance(answers[0], RedRequest):
            self.issued.add(number)
            assert all(isinstance(a, RedRequest) for a in answers)

    @invariant()
    def every_red_is_booked_once_and_the_books_hold(self):
        booked = list(Invoice.objects.filter(direction="red").values_list("number", flat=True))
        assert len(booked) == len(set(booked))
        assert self.issued <= set(booked)
        assert RedRequest.objects.filter(state=RedState.ISSUED).count() == len(booked)
        assert books_are_clean(self.office.now)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.point.__exit__(None, None, None)


def test_whatever_comes_the_books_hold():
    run_state_machine_as_test(
        Requests,
        settings=settings(
            max_examples=8,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
