"""Splitting a blue line to the cent (invoices.md): pure, exact, half up on the magnitude.

Every red is the difference of cumulative values, so that no cent is left over in any partition or
order, nothing turns negative, and what is reached does not depend on the way there.
"""

from dataclasses import dataclass
from decimal import Decimal

from cases.models.money import ZERO, cents

NONE = Decimal(0)


@dataclass(frozen=True)
class Part:
    """Pieces and money of one line, positive: ``net`` = ``gross`` − ``tax``."""

    quantity: Decimal = NONE
    gross: Decimal = ZERO
    tax: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        return self.gross - self.tax

    def __add__(self, other: "Part") -> "Part":
        return Part(self.quantity + other.quantity, self.gross + other.gross, self.tax + other.tax)

    def __sub__(self, other: "Part") -> "Part":
        return Part(self.quantity - other.quantity, self.gross - other.gross, self.tax - other.tax)


class TooMuch(ValueError):
    """More than the line has left; ``left`` says what that is."""

    def __init__(self, left: Part) -> None:
        super().__init__(f"left: {left.quantity} pieces, {left.gross}")
        self.left = left


def gross_up_to(blue: Part, units: Decimal) -> Decimal:
    """Gcum(k) = round(G·k/Q); ``blue.quantity`` must not be 0."""
    return cents(blue.gross * units / blue.quantity)


def tax_up_to(blue: Part, gross: Decimal) -> Decimal:
    """Tcum = round(T·Gcum/G)."""
    return cents(blue.tax * gross / blue.gross) if blue.gross else ZERO


def pieces(blue: Part, before: Part, units: Decimal) -> Part:
    """The next red for ``units`` pieces, after ``before`` was reversed in all.

    Raises TooMuch. Where allowances have taken more than the pieces are worth, nothing is left of
    them but the pieces.
    """
    after = before.quantity + units
    if units < 0 or after > blue.quantity:
        raise TooMuch(blue - before)
    goal = max(gross_up_to(blue, after), before.gross) if blue.quantity else before.gross
    return Part(units, *_to(blue, before, goal))


def allowance(blue: Part, before: Part, gross: Decimal, units: Decimal = NONE) -> Part:
    """The next red for an agreed amount (with tax), put straight into the cumulative value.

    ``units``: pieces that go with it. Raises TooMuch.
    """
    goal = before.gross + gross
    if gross < 0 or goal > blue.gross or not 0 <= units <= blue.quantity - before.quantity:
        raise TooMuch(blue - before)
    return Part(units, *_to(blue, before, goal))


def _to(blue: Part, before: Part, goal: Decimal) -> tuple[Decimal, Decimal]:
    gross = goal - before.gross
    # What an authority's own figures have left over or taken in advance is evened out here, but a
    # part is never negative, neither in tax nor without it.
    tax = min(max(tax_up_to(blue, goal) - before.tax, ZERO), gross, blue.tax - before.tax)
    left = (blue - before).net
    return gross, max(tax, gross - left)


def rest(blue: Part, before: Part) -> Part:
    """All that is left of a line."""
    return blue - before


def without_tax(gross: Decimal, rate: Decimal) -> tuple[Decimal, Decimal]:
    """(amount, tax) of a total that was paid with tax inside it."""
    amount = cents(gross / (1 + rate))
    return amount, gross - amount
