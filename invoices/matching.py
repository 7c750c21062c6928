"""Which invoice a credit note means that names none: certain where one can be meant, else ranked.

Pure: ``match`` takes what one buyer was sold and was credited, and gives a verdict on each part of
each note. An invoice can be meant where it was issued to the same buyer, not after the note, and
has enough pieces left of the same goods at the same price. A red reverses one blue, so a note is
asked about as a whole first; only one that no single invoice can take is told goods by goods.

What is left falls with each match, which may leave another note one invoice only; that goes on
until nothing follows any more, so matching once more finds nothing new.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Final

#: So many invoices are shown to choose from.
MOST_CHOICES: Final = 5

Pieces = Decimal | int
#: Stock code and price.
Goods = tuple[str, Decimal]


class Why(StrEnum):
    """What is known of a part of a note: the one invoice, several, or why none can be meant."""

    ONE = "one"
    SEVERAL = "several"
    TOO_MUCH = "too_much"
    LATER = "later"
    OTHER_PRICE = "other_price"
    NEVER_SOLD = "never_sold"


@dataclass(frozen=True, slots=True)
class Sold:
    """A line of an invoice: ``left`` pieces of it are not reversed yet."""

    line: Hashable
    invoice: Hashable
    goods: Goods
    at: datetime
    left: Pieces


@dataclass(frozen=True, slots=True)
class Credited:
    """A line of a credit note that is not settled; ``pieces`` above zero.

    ``split``: another part of the note is settled, so it is known to mean several invoices.
    """

    line: Hashable
    note: Hashable
    goods: Goods
    at: datetime
    pieces: Pieces
    split: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """An invoice that can be meant.

    ``fits``: how many of the note's goods it can take, of how many there are (``of``); ``exact``:
    of how many of them it has just these pieces left.
    """

    invoice: Hashable
    at: datetime
    fits: int
    of: int
    exact: int


@dataclass(frozen=True, slots=True)
class Share:
    """So many pieces of a credited line against a line of an invoice."""

    credited: Hashable
    sold: Hashable
    pieces: Pieces


@dataclass(frozen=True, slots=True)
class Verdict:
    """On a part of a note, its credited ``lines``.

    ``choices``: the likeliest first; one alone is certain and has its ``shares``. ``left``: where
    too much is credited, the most pieces that one invoice has left.
    """

    note: Hashable
    lines: tuple[Hashable, ...]
    why: Why
    choices: tuple[Choice, ...] = ()
    shares: tuple[Share, ...] = ()
    left: Pieces = 0


def match(sold: Iterable[Sold], credited: Iterable[Credited]) -> list[Verdict]:
    """Verdicts on everything credited to one buyer, on each line exactly one; the certain first.

    Time grows with the lines, not with their product: goods are found by dictionary, of the
    invoices that have them the latest are asked first, and no more than can be shown.
    """
    return _Matching(sold, credited).verdicts()


@dataclass(slots=True)
class _Stock:
    """What one invoice has left of one kind of goods, by line."""

    invoice: Hashable
    at: datetime
    parts: dict[Hashable, Pieces] = field(default_factory=dict)
    left: Pieces = 0

    def take(self, pieces: Pieces) -> Iterator[tuple[Hashable, Pieces]]:
        """From the line that has just as many, else the first that has enough, else from each."""
        self.left -= pieces
        exact = [line for line, left in self.parts.items() if left == pieces]
        enough = [line for line, left in self.parts.items() if left > pieces]
        for line in [*exact, *enough, *self.parts]:
            if some := min(pieces, self.parts[line]):
                self.parts[line] -= some
                pieces -= some
                yield line, some


@dataclass(slots=True)
class _Note:
    """A note's unsettled lines and pieces, by goods."""

    number: Hashable
    at: datetime
    split: bool = False
    lines: dict[Goods, list[Credited]] = field(default_factory=dict)
    need: dict[Goods, Pieces] = field(default_factory=dict)

    def add(self, line: Credited) -> None:
        self.at = min(self.at, line.at)
        self.split |= line.split
        self.lines.setdefault(line.goods, []).append(line)
        self.need[line.goods] = self.need.get(line.goods, 0) + line.pieces

    def keys(self, wanted: Iterable[Goods]) -> tuple[Hashable, ...]:
        return tuple(line.line for goods in wanted for line in self.lines[goods])


class _Matching:
    def __init__(self, sold: Iterable[Sold], credited: Iterable[Credited]) -> None:
        #: What is left of each kind of goods, by invoice, the earliest first.
        self.stocks: dict[Goods, dict[Hashable, _Stock]] = defaultdict(dict)
        #: When each kind of goods was first sold, and the stock codes that were.
        self.first: dict[Goods, datetime] = {}
        self.codes: set[str] = set()
        for line in sorted(sold, key=lambda one: (one.at, str(one.invoice))):
            self._put(line)
        self.notes: dict[Hashable, _Note] = {}
        for one in credited:
            self.notes.setdefault(one.note, _Note(one.note, one.at)).add(one)
        self.certain: list[Verdict] = []

    def _put(self, line: Sold) -> None:
        self.codes.add(line.goods[0])
        self.first.setdefault(line.goods, line.at)
        if line.left > 0:
            stocks = self.stocks[line.goods]
            stock = stocks.setdefault(line.invoice, _Stock(line.invoice, line.at))
            stock.parts[line.line] = line.left
            stock.left += line.left

    def verdicts(self) -> list[Verdict]:
        told: dict[Hashable, list[Verdict]] = {}
        waiting = sorted(self.notes.values(), key=lambda note: (note.at, str(note.number)))
        while waiting:
            touched: set[Goods] = set()
            for note in waiting:
                told[note.number] = list(self._settle(note, touched))
            waiting = [
                note for note in waiting if told[note.number] and not touched.isdisjoint(note.need)
            ]
        return [*self.certain, *(one for open_ in told.values() for one in open_)]

    def _settle(self, note: _Note, touched: set[Goods]) -> Iterator[Verdict]:
        """What stays open of the note; what is certain is taken from what is left."""
        everything = list(note.need)
        whole = not note.split and self._choices(note, everything)
        for wanted in [everything] if whole else [[goods] for goods in everything]:
            choices = whole or self._choices(note, wanted)
            if len(choices) == 1:
                self._take(note, wanted, choices[0])
                touched.update(wanted)
            elif choices:
                yield Verdict(note.number, note.keys(wanted), Why.SEVERAL, choices)
            else:
                yield self._none(note, wanted[0])

    def _choices(self, note: _Note, wanted: Sequence[Goods]) -> tuple[Choice, ...]:
        """Invoices that can take all of ``wanted``; sought where the fewest have the goods."""
        rare = min(wanted, key=lambda goods: len(self.stocks[goods]))
        able = (
            self._choice(note, stock)
            for stock in reversed(self.stocks[rare].values())
            if stock.at <= note.at
            and all(self._left(goods, stock.invoice) >= note.need[goods] for goods in wanted)
        )
        return _ranked(islice(able, MOST_CHOICES))

    def _choice(self, note: _Note, stock: _Stock) -> Choice:
        over = [self._left(goods, stock.invoice) - need for goods, need in note.need.items()]
        fits = sum(rest >= 0 for rest in over)
        return Choice(stock.invoice, stock.at, fits, len(over), sum(rest == 0 for rest in over))

    def _left(self, goods: Goods, invoice: Hashable) -> Pieces:
        stock = self.stocks[goods].get(invoice)
        return stock.left if stock else 0

    def _take(self, note: _Note, wanted: Sequence[Goods], choice: Choice) -> None:
        keys, shares = note.keys(wanted), []
        for goods in wanted:
            stock = self.stocks[goods][choice.invoice]
            for line in note.lines.pop(goods):
                taken = stock.take(line.pieces)
                shares += [Share(line.line, sold, pieces) for sold, pieces in taken]
            if not stock.left:
                del self.stocks[goods][choice.invoice]
            del note.need[goods]
        note.split = True
        self.certain.append(Verdict(note.number, keys, Why.ONE, (choice,), tuple(shares)))

    def _none(self, note: _Note, goods: Goods) -> Verdict:
        keys, first = note.keys([goods]), self.first.get(goods)
        if first is None:
            why = Why.OTHER_PRICE if goods[0] in self.codes else Why.NEVER_SOLD
            return Verdict(note.number, keys, why)
        if first > note.at:
            return Verdict(note.number, keys, Why.LATER)
        stocks = self.stocks[goods].values()
        left = max((stock.left for stock in stocks if stock.at <= note.at), default=0)
        return Verdict(note.number, keys, Why.TOO_MUCH, left=left)


def _ranked(found: Iterable[Choice]) -> tuple[Choice, ...]:
    """Who can take most of the note, then who has just these pieces left, then the latest."""
    order = sorted(found, key=lambda one: (one.fits, one.exact, one.at), reverse=True)
    return tuple(order)
