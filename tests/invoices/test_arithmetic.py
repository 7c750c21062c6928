"""Splitting to the cent: the literal table of the trade, and what holds for any line whatever."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.models.money import ZERO, cents, shares
from invoices.arithmetic import Part, TooMuch, allowance, pieces, rest, without_tax

NOTHING = Part()


def blue_of(quantity: str, gross: str, rate: str = "0.13") -> Part:
    amount, tax = without_tax(Decimal(gross), Decimal(rate))
    return Part(Decimal(quantity), amount + tax, tax)


TABLE = [
    (
        ("3", "99.99"),
        ("88.49", "11.50"),
        [("1", "33.33", "29.50", "3.83"), ("1", "33.33", "29.49", "3.84"),
         ("1", "33.33", "29.50", "3.83")],
    ),
    (
        ("3", "100.00"),
        ("88.50", "11.50"),
        [("1", "33.33", "29.50", "3.83"), ("1", "33.34", "29.50", "3.84"),
         ("1", "33.33", "29.50", "3.83")],
    ),
    (
        ("10", "701.25"),
        ("620.58", "80.67"),
        [("1", "70.13", "62.06", "8.07"), ("4", "280.50", "248.23", "32.27"),
         ("5", "350.62", "310.29", "40.33")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("line", "totals", "steps"), TABLE)
def test_the_table_of_the_trade(line, totals, steps):
    blue = blue_of(*line)
    assert (str(blue.net), str(blue.tax)) == totals
    before = NOTHING

    for units, gross, net, tax in steps:
        part = pieces(blue, before, Decimal(units))
        assert (str(part.gross), str(part.net), str(part.tax)) == (gross, net, tax)
        before += part

    assert before == blue


def test_the_remainder_is_the_blue_line_less_what_came_back():
    blue = blue_of("3", "100.00")

    assert str(rest(blue, pieces(blue, NOTHING, Decimal(1))).gross) == "66.67"


def test_an_allowance_goes_straight_into_the_cumulative_value():
    blue = blue_of("3", "100.00")

    first = allowance(blue, NOTHING, Decimal("10.00"))
    second = allowance(blue, first, Decimal("90.00"), Decimal(3))

    assert (str(first.gross), str(first.tax), first.quantity) == ("10.00", "1.15", 0)
    assert first + second == blue


@pytest.mark.parametrize("units", ["-1", "4", "3.000001"])
def test_more_than_is_left_is_refused_with_what_is_left(units):
    blue = blue_of("3", "100.00")

    with pytest.raises(TooMuch) as refusal:
        pieces(blue, NOTHING, Decimal(units))

    assert refusal.value.left == blue


@pytest.mark.parametrize("gross", ["-0.01", "100.01"])
def test_an_allowance_above_what_is_left_is_refused(gross):
    with pytest.raises(TooMuch):
        allowance(blue_of("3", "100.00"), NOTHING, Decimal(gross))


MONEY = st.integers(0, 10**9).map(lambda n: Decimal(n).scaleb(-2))
RATES = st.sampled_from(["0.17", "0.16", "0.13", "0.09", "0.06", "0.05", "0.03", "0.01", "0"])
LINES = st.tuples(st.integers(1, 400), MONEY, RATES).map(
    lambda t: blue_of(str(t[0]), str(t[1]), t[2])
)


@st.composite
def partitions(draw):
    """A line and its pieces in steps that together are all of them."""
    blue = draw(LINES)
    left, steps = int(blue.quantity), []
    while left:
        units = draw(st.integers(1, left)) if len(steps) < 11 else left
        steps.append(Decimal(units))
        left -= units
    return blue, steps


@given(partitions())
def test_any_partition_leaves_nothing_and_is_never_negative(case):
    blue, steps = case
    before = NOTHING

    for units in steps:
        part = pieces(blue, before, units)
        assert part.gross >= 0
        assert part.tax >= 0
        assert part.net >= 0
        before += part
        # A cent at most from what the line's own share of tax would be.
        exact = blue.tax * before.gross / blue.gross if blue.gross else ZERO
        assert abs(before.tax - exact) <= Decimal("0.005")
        assert abs(part.tax - (blue.tax * part.gross / blue.gross if blue.gross else 0)) <= Decimal(
            "0.01"
        )
        assert before + rest(blue, before) == blue

    assert before == blue


@given(partitions(), st.randoms())
def test_what_is_reached_does_not_depend_on_the_way(case, random):
    blue, steps = case
    shuffled = list(steps)
    random.shuffle(shuffled)
    reached = {}
    for way in (steps, shuffled, [sum(steps, Decimal(0))]):
        before = NOTHING
        for units in way:
            before += pieces(blue, before, units)
            known = reached.setdefault(before.quantity, before)
            assert before == known


@given(LINES, st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_allowances_and_pieces_in_any_mixture_stay_within_the_line(blue, numbers):
    before = NOTHING
    for number in numbers:
        left = rest(blue, before)
        if number % 2 and left.quantity:
            part = pieces(blue, before, 1 + number % left.quantity)
        else:
            part = allowance(blue, before, min(Decimal(number).scaleb(-2), left.gross))
        assert min(part.gross, part.tax, part.net) >= 0
        before += part
        assert min(rest(blue, before).gross, rest(blue, before).tax, rest(blue, before).net) >= 0
    last = rest(blue, before)
    before += allowance(blue, before, last.gross, last.quantity)

    assert before == blue


@given(LINES, st.data())
def test_figures_of_an_authority_a_cent_beside_ours_are_evened_out_at_the_end(blue, data):
    """Its figures count; what follows makes up for them and still ends at the blue's."""
    units = Decimal(data.draw(st.integers(0, int(blue.quantity))))
    ours = pieces(blue, NOTHING, units)
    shift = Decimal(data.draw(st.sampled_from(["-0.01", "0", "0.01"])))
    theirs = Part(units, ours.gross, min(max(ours.tax + shift, ZERO), ours.gross, blue.tax))
    if theirs.net > blue.net:
        return

    last = pieces(blue, theirs, blue.quantity - units)

    assert min(last.gross, last.tax, last.net) >= 0
    assert theirs + last == blue


@given(MONEY, st.lists(MONEY, min_size=1, max_size=30))
def test_a_discount_over_lines_adds_up_and_never_makes_a_gift_negative(total, weights):
    parts = shares(total, weights)

    assert sum(parts) == total
    assert all(part >= 0 for part in parts)
    if sum(weights):
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - total * weight / sum(weights)) < Decimal("0.01")
            assert weight or part == 0 or total > sum(weights)


@given(MONEY, RATES)
def test_a_total_splits_into_amount_and_tax_within_the_tolerance(gross, rate):
    amount, tax = without_tax(gross, Decimal(rate))

    assert amount + tax == gross
    assert abs(cents(amount * Decimal(rate)) - tax) <= Decimal("0.06")
