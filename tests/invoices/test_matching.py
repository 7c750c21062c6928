"""Credit notes that name no invoice: certain, ranked, or told why none can be meant."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoices.matching import MOST_CHOICES, Credited, Sold, Verdict, Why, match

DAY = datetime(2010, 12, 1, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
LAMP = ("85123A", Decimal("2.55"))
BAG = ("22112", Decimal("4.95"))


def sold(invoice: str, pieces: int, goods: Any = LAMP, day: int = 0, line: int = 1) -> Sold:
    return Sold((invoice, line), invoice, goods, DAY + timedelta(days=day), pieces)


def credited(
    note: str, pieces: int, goods: Any = LAMP, day: int = 9, line: int = 1, *, split: bool = False
) -> Credited:
    at = DAY + timedelta(days=day)
    return Credited((note, line), note, goods, at, pieces, split)


def told(found: list[Verdict]) -> list[tuple[Any, str, list[Any]]]:
    """Lines, why, invoices."""
    return [(one.lines, one.why.value, [c.invoice for c in one.choices]) for one in found]


def test_the_only_invoice_with_the_goods_is_meant() -> None:
    (one,) = match([sold("A", 6), sold("B", 6, BAG)], [credited("C1", 2)])
    assert (one.why, one.choices[0].invoice) == (Why.ONE, "A")
    assert [(s.credited, s.sold, s.pieces) for s in one.shares] == [(("C1", 1), ("A", 1), 2)]


def test_of_several_invoices_the_latest_with_the_same_pieces_is_named_first() -> None:
    (one,) = match(
        [sold("A", 6), sold("B", 2, day=1), sold("C", 6, day=2), sold("D", 2, day=3)],
        [credited("C1", 2)],
    )
    assert told([one]) == [((("C1", 1),), "several", ["D", "B", "C", "A"])]
    assert [(c.fits, c.of, c.exact) for c in one.choices][:3] == [(1, 1, 1), (1, 1, 1), (1, 1, 0)]


def test_an_invoice_that_takes_the_whole_note_goes_before_one_that_takes_part_of_it() -> None:
    found = match(
        [sold("A", 6), sold("A", 3, BAG, line=2), sold("B", 6, day=1)],
        [credited("C1", 1), credited("C1", 3, BAG, line=2)],
    )
    assert told(found) == [((("C1", 1), ("C1", 2)), "one", ["A"])]


def test_a_note_that_no_invoice_takes_whole_is_told_goods_by_goods() -> None:
    found = match(
        [sold("A", 6), sold("B", 3, BAG, day=1)],
        [credited("C1", 1), credited("C1", 3, BAG, line=2), credited("C1", 1, ("M", BAG[1]), 9, 3)],
    )
    assert told(found) == [
        ((("C1", 1),), "one", ["A"]),
        ((("C1", 2),), "one", ["B"]),
        ((("C1", 3),), "never_sold", []),
    ]


@pytest.mark.parametrize(
    ("credit", "why", "left"),
    [
        (credited("C1", 7), Why.TOO_MUCH, 6),
        (credited("C1", 1, day=-1), Why.LATER, 0),
        (credited("C1", 1, (LAMP[0], Decimal("2.10"))), Why.OTHER_PRICE, 0),
        (credited("C1", 1, BAG), Why.NEVER_SOLD, 0),
    ],
)
def test_where_no_invoice_can_be_meant_it_says_why(credit: Credited, why: Why, left: int) -> None:
    (one,) = match([sold("A", 6), sold("B", 4, day=1)], [credit])
    assert (one.why, one.choices, one.shares, one.left) == (why, (), (), left)


def test_an_invoice_of_the_same_moment_can_be_meant() -> None:
    (one,) = match([sold("A", 6, day=9)], [credited("C1", 6)])
    assert one.why is Why.ONE


def test_repeated_lines_share_what_is_credited() -> None:
    lines = [sold("A", 6), sold("A", 4, line=2), sold("A", 5, line=3)]
    for pieces, shares in (
        (4, {2: 4}),
        (6, {1: 6}),
        (3, {1: 3}),
        (12, {1: 6, 2: 4, 3: 2}),
    ):
        (one,) = match(lines, [credited("C1", pieces)])
        assert {s.sold[1]: s.pieces for s in one.shares} == shares  # type: ignore[index]


def test_what_one_note_takes_leaves_another_one_invoice_only() -> None:
    """C1 might mean either, until C2, which can only mean B, has used B up."""
    found = match(
        [sold("A", 2), sold("B", 2, day=1), sold("B", 1, BAG, day=1, line=2)],
        [credited("C1", 2, day=2), credited("C2", 2, day=3), credited("C2", 1, BAG, 3, 2)],
    )
    assert told(found) == [
        ((("C2", 1), ("C2", 2)), "one", ["B"]),
        ((("C1", 1),), "one", ["A"]),
    ]


def test_nothing_is_credited_beyond_what_is_left_however_often() -> None:
    found = match([sold("A", 5)], [credited(f"C{n}", 2, day=n) for n in (1, 2, 3)])
    assert [(one.note, one.why) for one in found] == [
        ("C1", Why.ONE),
        ("C2", Why.ONE),
        ("C3", Why.TOO_MUCH),
    ]


def test_the_rest_of_a_note_that_was_split_is_not_asked_about_as_a_whole() -> None:
    """Its other part went to one invoice, so nothing says that the rest is of one."""
    lines = [sold("A", 1), sold("A", 1, BAG, line=2), sold("B", 1), sold("D", 1, BAG)]
    rest = [credited("C1", 1), credited("C1", 1, BAG, line=2)]
    assert told(match(lines, rest)) == [((("C1", 1), ("C1", 2)), "one", ["A"])]
    found = match(lines, [replace(one, split=True) for one in rest])
    assert [(one.why, one.choices[0].invoice) for one in found] == [
        (Why.SEVERAL, "A"),
        (Why.SEVERAL, "A"),
    ]


GOODS = st.sampled_from([LAMP, BAG, (LAMP[0], Decimal("2.10")), ("POST", Decimal(18))])
SOLD = st.builds(
    lambda invoice, line, goods, pieces: sold(
        f"I{invoice}", pieces, goods, day=invoice % 5, line=line
    ),
    st.integers(0, 7),
    st.integers(1, 99),
    GOODS,
    st.integers(0, 6),
)
CREDITED = st.builds(
    lambda note, line, goods, pieces: credited(f"C{note}", pieces, goods, day=note, line=line),
    st.integers(0, 7),
    st.integers(1, 99),
    GOODS,
    st.integers(1, 8),
)
SALES = st.lists(SOLD, max_size=14, unique_by=lambda one: one.line)
CREDITS = st.lists(CREDITED, max_size=12, unique_by=lambda one: one.line)


@settings(max_examples=300, deadline=None)
@given(SALES, CREDITS)
def test_each_line_has_one_verdict_that_is_true(sales: list[Sold], notes: list[Credited]) -> None:
    found = match(sales, notes)
    assert sorted(map(str, (line for one in found for line in one.lines))) == sorted(
        str(one.line) for one in notes
    )
    left = _left_after(sales, found, {one.line: one for one in notes})
    for one in found:
        _is_true(one, left, {line.line: line for line in notes}, sales)


@settings(max_examples=200, deadline=None)
@given(SALES, CREDITS, st.randoms(use_true_random=False))
def test_matching_once_more_finds_nothing_and_the_order_of_rows_decides_nothing(
    sales: list[Sold], notes: list[Credited], random: Any
) -> None:
    found = match(sales, notes)
    shuffled, mixed = list(sales), list(notes)
    random.shuffle(shuffled)
    random.shuffle(mixed)
    assert _sums(match(shuffled, mixed)) == _sums(found)

    taken = {share.sold: 0 for one in found for share in one.shares}
    for one in found:
        for share in one.shares:
            taken[share.sold] += int(share.pieces)
    settled = {one.note for one in found if one.why is Why.ONE}
    done = {line for one in found if one.why is Why.ONE for line in one.lines}
    again = match(
        [replace(line, left=line.left - taken.get(line.line, 0)) for line in sales],
        [replace(line, split=line.note in settled) for line in notes if line.line not in done],
    )
    assert _sums(again) == _sums([one for one in found if one.why is not Why.ONE])


def _sums(found: list[Verdict]) -> set[Any]:
    return {
        (one.note, frozenset(one.lines), one.why, tuple(c.invoice for c in one.choices), one.left)
        for one in found
    }


def _left_after(sales: list[Sold], found: list[Verdict], lines: dict[Any, Credited]) -> Any:
    """By goods and invoice; shares are of the goods and add up to the pieces."""
    sold_lines = {line.line: line for line in sales}
    rest = {line.line: line.left for line in sales}
    given_: dict[Any, int] = defaultdict(int)
    for one in found:
        for share in one.shares:
            mine = sold_lines[share.sold]
            assert mine.goods == lines[share.credited].goods
            assert mine.invoice == one.choices[0].invoice
            assert mine.at <= lines[share.credited].at
            assert share.pieces > 0
            rest[share.sold] -= share.pieces
            given_[share.credited] += int(share.pieces)
        if one.why is Why.ONE:
            assert all(given_[line] == lines[line].pieces for line in one.lines)
    assert all(pieces >= 0 for pieces in rest.values())
    left: dict[Any, Any] = defaultdict(lambda: defaultdict(int))
    for line in sales:
        left[line.goods][line.invoice] += rest[line.line]
    return left


def _is_true(one: Verdict, left: Any, lines: dict[Any, Credited], sales: list[Sold]) -> None:
    mine = [lines[line] for line in one.lines]
    need: dict[Any, int] = defaultdict(int)
    for line in mine:
        need[line.goods] += int(line.pieces)
    at = {line.invoice: line.at for line in sales}
    able = {
        invoice
        for invoice in at
        if at[invoice] <= mine[0].at
        and all(left[goods][invoice] >= pieces for goods, pieces in need.items())
    }
    named = {choice.invoice for choice in one.choices}
    if one.why is Why.ONE:
        assert len(named) == 1
    elif one.why is Why.SEVERAL:
        assert 2 <= len(named) <= MOST_CHOICES
        assert named <= able
        assert len(named) == min(len(able), MOST_CHOICES)
    else:
        assert not able
