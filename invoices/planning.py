"""What a red request would reverse of each line, as asked for and as the policy has it.

Questions to locked (or only read) books; nothing is written here.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.models.money import ZERO, cents, shares
from invoices import ledger
from invoices.arithmetic import NONE, Part, TooMuch, allowance, pieces
from invoices.models import (
    Balance,
    Invoice,
    InvoiceKind,
    Policy,
    RedReason,
    RedRequest,
    Standing,
    policy,
)
from invoices.models.quantity import shown
from invoices.models.reds import OPEN


@dataclass(frozen=True)
class Wish:
    """What somebody wants reversed: pieces by line number (all that is left if none), an amount.

    ``amounts``: yuan with tax by line number; ``amount``: for all named lines together.
    """

    reason: str
    units: dict[int, Decimal] = field(default_factory=dict)
    amount: Decimal | None = None
    amounts: dict[int, Decimal] = field(default_factory=dict)

    def inputs(self) -> dict[str, object]:
        given: dict[str, object] = {"reason": self.reason}
        if self.units:
            given["line"] = {str(no): shown(n) for no, n in self.units.items()}
        if self.amount is not None:
            given["amount"] = self.amount
        if self.amounts:
            given["amounts"] = {str(no): str(n) for no, n in self.amounts.items()}
        return given


@dataclass(frozen=True)
class Planned:
    """One line: ``part`` is reversed, of it ``asked`` was asked for; the rest is issued anew."""

    balance: Balance
    part: Part
    asked: Part


@dataclass(frozen=True)
class Plan:
    """All lines; ``whole_instead``: the policy reverses the whole where a part was asked for."""

    lines: list[Planned]
    whole_instead: bool

    def total(self, name: str) -> Decimal:
        zero = NONE if name == "quantity" else ZERO
        return sum((getattr(p.part, name) for p in self.lines), zero)

    @property
    def remainder(self) -> Decimal:
        """What is to be issued anew, with tax."""
        return sum((p.part.gross - p.asked.gross for p in self.lines), ZERO)


def plan(standing: Standing, balances: list[Balance], wish: Wish, at: datetime) -> Plan:
    """What the request reverses, line by line; raises Refused with what is left or allowed."""
    check_can_be_reversed(standing)
    asked = _asked(balances, wish)
    if sum((p.gross for _b, p in asked), ZERO) <= ZERO:
        raise Refused(_("Nothing is reversed by that: name pieces or an amount."), "bad_value")
    rest = {b.pk: ledger.left(b) for b in balances}
    chosen = {b.pk: p for b, p in asked}
    is_whole = all(chosen.get(pk, Part()).gross == part.gross for pk, part in rest.items())
    if wish.reason == RedReason.ERROR and not is_whole:
        raise Refused(
            _(
                "What was issued in error is reversed as a whole: ¥%(left)s. Leave lines and "
                "amount out, or take another reason."
            )
            % {"left": sum((p.gross for p in rest.values()), ZERO)},
            "bad_value",
        )
    if is_whole or not forbids_parts(standing, at):
        return Plan([Planned(b, p, p) for b, p in asked if p != Part()], whole_instead=False)
    lines = [Planned(b, rest[b.pk], chosen.get(b.pk, Part())) for b in balances]
    return Plan([line for line in lines if line.part != Part()], whole_instead=True)


def forbids_parts(standing: Standing, at: datetime) -> bool:
    """A part cannot be reversed while the buyer has not used the invoice, where the policy says so.

    A foreign credit note always names what it credits.
    """
    invoice = standing.invoice
    if standing.buyer_used or invoice.kind == InvoiceKind.FOREIGN:
        return False
    return policy(Policy.Of.PARTIAL_RED, invoice.shop, at) == "forbid"


def check_can_be_reversed(standing: Standing) -> None:
    """Refused where nothing may be reversed at all: voided, already red, already asked for."""
    invoice = standing.invoice
    if standing.voided_at is not None:
        raise Refused(
            _("Invoice %(no)s is voided; there is nothing to reverse.") % {"no": invoice},
            "wrong_state",
        )
    request = RedRequest.objects.filter(blue=invoice, state__in=[str(s) for s in OPEN]).first()
    if request is not None:
        raise Refused(
            _("Request %(no)s is open on this invoice (%(state)s). One at a time: finish it first.")
            % {"no": request, "state": request.get_state_display()},
            "already_requested",
        )
    if standing.reversed_gross >= standing.gross:
        raise Refused(
            _("Invoice %(no)s is fully reversed: nothing is left of ¥%(gross)s.")
            % {"no": invoice, "gross": standing.gross},
            "amount_exceeded",
            limit="0.00",
        )


def check_is_blue(invoice: Invoice) -> None:
    if not invoice.is_blue:
        raise Refused(
            _("%(no)s is a red invoice: it cannot be reversed. Issue a new blue one.")
            % {"no": invoice},
            "wrong_state",
        )


def _asked(balances: list[Balance], wish: Wish) -> list[tuple[Balance, Part]]:
    by_no = {b.line.line_no: b for b in balances}
    named = [*wish.units, *(no for no in wish.amounts if no not in wish.units)]
    if unknown := [no for no in named if no not in by_no]:
        raise Refused(
            _("There is no line %(line)s here that can be reversed. Lines: %(known)s.")
            % {"line": unknown[0], "known": ", ".join(map(str, by_no))},
            "unknown",
        )
    chosen = [by_no[no] for no in named] or list(balances)
    if wish.reason == RedReason.ALLOWANCE and wish.amount is None and not wish.amounts:
        raise Refused(_("An allowance needs its amount."), "bad_value")
    amounts = _amounts(chosen, wish)
    return [(b, _part(b, wish, amounts.get(b.line.line_no))) for b in chosen]


def _amounts(chosen: list[Balance], wish: Wish) -> dict[int, Decimal]:
    """The amount of each line, where amounts are given: by worth, none above what is left."""
    for amount in [*wish.amounts.values(), *([] if wish.amount is None else [wish.amount])]:
        if amount != cents(amount):
            raise Refused(
                _("%(value)s yuan has more than two decimals; the smallest unit is 0.01.")
                % {"value": amount},
                "bad_value",
            )
    if wish.amount is None:
        return dict(wish.amounts)
    room = [ledger.left(b).gross for b in chosen]
    if wish.amount > sum(room, ZERO):
        raise _too_much(wish.amount, sum(room, ZERO))
    parts = spread(wish.amount, [_worth(b, wish) for b in chosen], room)
    return {b.line.line_no: part for b, part in zip(chosen, parts, strict=True)}


def _worth(balance: Balance, wish: Wish) -> Decimal:
    units = wish.units.get(balance.line.line_no)
    room = ledger.left(balance)
    if units is None or wish.reason == RedReason.ALLOWANCE or not 0 < units <= room.quantity:
        return room.gross
    return pieces(ledger.whole(balance), ledger.taken(balance), units).gross


def spread(total: Decimal, weights: list[Decimal], room: list[Decimal]) -> list[Decimal]:
    """Largest remainder; what does not fit into a line goes to the next that has room."""
    parts = shares(total, weights)
    over = ZERO
    for i, most in enumerate(room):
        over += max(parts[i] - most, ZERO)
        parts[i] = min(parts[i], most)
    for i, most in enumerate(room):
        more = min(over, most - parts[i])
        parts[i] += more
        over -= more
    return parts


def _part(balance: Balance, wish: Wish, amount: Decimal | None) -> Part:
    whole, before = ledger.whole(balance), ledger.taken(balance)
    units = wish.units.get(balance.line.line_no)
    room = whole - before
    try:
        if amount is not None:
            return allowance(whole, before, amount, _units_with(wish, units, amount, room))
        if units is None:
            return room
        return pieces(whole, before, units)
    except TooMuch as refusal:
        raise _line_too_much(balance, units, amount, refusal.left) from refusal


def _units_with(wish: Wish, units: Decimal | None, amount: Decimal, room: Part) -> Decimal:
    """The pieces that go with an amount: an allowance leaves them, unless it takes everything."""
    if amount == room.gross and (units is None or wish.reason == RedReason.ALLOWANCE):
        return room.quantity
    return NONE if wish.reason == RedReason.ALLOWANCE else units or NONE


def _line_too_much(
    balance: Balance, units: Decimal | None, amount: Decimal | None, rest: Part
) -> Refused:
    if units is not None and not 0 <= units <= rest.quantity:
        return Refused(
            _("Line %(line)s: %(units)s pieces are more than is left, which is %(left)s of %(of)s.")
            % {
                "line": balance.line.line_no,
                "units": shown(units),
                "left": shown(rest.quantity),
                "of": shown(balance.quantity),
            },
            "quantity_exceeded",
            limit=shown(rest.quantity),
        )
    return _too_much(amount or ZERO, rest.gross, balance.line.line_no)


def _too_much(amount: Decimal, limit: Decimal, line_no: int | None = None) -> Refused:
    text = (
        _("Line %(line)s: ¥%(amount)s is more than is left to reverse, which is ¥%(limit)s.")
        if line_no is not None
        else _("¥%(amount)s is more than is left to reverse, which is ¥%(limit)s.")
    )
    return Refused(
        text % {"line": line_no, "amount": amount, "limit": limit},
        "amount_exceeded",
        limit=str(limit),
    )
