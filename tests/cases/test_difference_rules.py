"""What counts as a difference, whatever the two sides say: pure rules, no database."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cases.differences import Ours, Whole, of_after_sale, of_order
from cases.models import PlatformRecord, State
from tests.factories import T0

#: What sheets tell: (state, outcome).
WORDS = (
    ("applied", ""),
    ("awaiting_return", ""),
    ("returning", ""),
    ("refused", ""),
    ("completed", "refunded"),
    ("completed", "done"),
    ("closed", "closed"),
    ("", ""),
)
amounts = st.integers(1, 50).map(Decimal)
hours = st.integers(-3, 3).map(lambda n: timedelta(hours=n))


@st.composite
def records(draw):
    state, outcome = draw(st.sampled_from(WORDS))
    amount = draw(amounts)
    refunded = amount if outcome == "refunded" else None
    return PlatformRecord(
        number="R1",
        state=state,
        outcome=outcome,
        requested=amount,
        refunded=refunded,
        heard_at=T0 + draw(hours),
    )


@st.composite
def cases(draw):
    state = str(draw(st.sampled_from(list(State))))
    refunded = draw(amounts) if state == "completed" and draw(st.booleans()) else Decimal(0)
    asked = refunded or draw(amounts)
    return Ours(1, state, "refund", refunded, T0, asked, Decimal(0), None, None)


def same(record: PlatformRecord) -> Ours:
    """The case that has gone with the platform all the way."""
    refunded = record.refunded or Decimal(0)
    return Ours(
        1,
        record.state,
        "refund",
        refunded,
        T0,
        record.requested or refunded,
        Decimal(0),
        None,
        None,
    )


@given(records())
def test_who_says_the_same_does_not_differ(record):
    assert of_after_sale(record, same(record)) == ""


@given(records(), cases())
def test_the_kind_of_difference_says_who_refunded(record, case):
    found = of_after_sale(record, case)
    there, here = record.outcome == "refunded", bool(case.refunded)

    assert (found == "refunded_there") == (there and not here)
    if found == "refunded_here":
        assert here
        assert not there
    if there and here:
        assert found == ("" if record.refunded == case.refunded else "amount")


@given(records(), cases())
def test_an_older_word_that_ends_nothing_never_accuses_us(record, case):
    if record.heard_at <= T0 and record.state not in {"completed", "closed"}:
        assert of_after_sale(record, case) == ""


@given(records())
def test_without_a_case_only_what_the_platform_closed_is_nobodys_work(record):
    found = of_after_sale(record, None)
    assert (found == "") == (record.state in {"", "closed"})


@given(st.integers(0, 50), st.integers(0, 50), hours)
def test_the_order_reports_figure_against_our_refunds(figure, own, heard):
    record = PlatformRecord(refunded=Decimal(figure), heard_at=T0 + heard)
    paid = Whole(Decimal(own), T0 if own else None)
    found = of_order(record, paid, [])

    if figure > own:
        assert found == ("amount" if own else "refunded_there")
    elif figure < own and heard > timedelta(0):
        assert found == "refunded_here"
    else:
        assert found == ""
