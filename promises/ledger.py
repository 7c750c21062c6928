"""The deposits' ledger: the only writer of accounts and entries.

Lock the deposits first (last of all locks: they are the hot rows), draft movements against the
locked rows, post them in one go. An entry's unique key makes an effect happen once; the UPDATE of
the accounts repeats what it was drafted from and never goes below zero, and so say the database's
own rules.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.flow import writing
from cases.flow.door import Refused
from cases.flow.events import digest_of
from cases.models.money import ZERO, yuan
from promises.models import Deposit, Entry
from promises.models.deposit import ACCOUNTS

Kind = Entry.Kind


@dataclass(frozen=True)
class Movement:
    """One entry to be. ``gains``: what each account gains (yuan, negative: loses)."""

    deposit: Deposit
    kind: str
    amount: Decimal
    gains: dict[str, Decimal]
    key: str
    at: datetime
    claim_id: int | None = None
    reverses_id: int | None = None
    reference: str = ""
    by_id: int | None = None

    @property
    def digest(self) -> str:
        """What the same key again is compared by."""
        inputs = {"shop": self.deposit.shop_id, "amount": str(self.amount), "claim": self.claim_id}
        return digest_of(str(self.kind), {**inputs, "reference": self.reference})


@dataclass(frozen=True)
class Cover:
    """How what is due is covered: ``due`` = from_frozen + from_available + owed (yuan).

    ``deducted``: refunded elsewhere already; ``refund``: what of the price is given back here.
    """

    due: Decimal
    from_frozen: Decimal
    from_available: Decimal
    owed: Decimal
    deducted: Decimal = ZERO
    refund: Decimal = ZERO

    @property
    def paid(self) -> Decimal:
        return self.from_frozen + self.from_available


@dataclass
class Book:
    """Deposits locked by this transaction, as they will stand after what was drafted so far."""

    deposits: dict[int, Deposit] = field(default_factory=dict)
    left: dict[int, Decimal] = field(default_factory=dict)

    def take(self, shop_id: int, wanted: Decimal) -> Decimal:
        """What of ``wanted`` yuan is still available, now spoken for."""
        part = min(wanted, self.left[shop_id])
        self.left[shop_id] -= part
        return part

    def cover(self, shop_id: int, due: Decimal, frozen: Decimal, **more: Decimal) -> Cover:
        """First what is frozen for it, then what is available; the rest is owed."""
        from_frozen = min(frozen, due)
        # What was frozen beyond the due is free again in the same act.
        self.left[shop_id] += frozen - from_frozen
        from_available = self.take(shop_id, due - from_frozen)
        owed = due - from_frozen - from_available
        return Cover(due, from_frozen, from_available, owed, **more)


def lock(shop_ids: Iterable[int]) -> Book:
    """The deposits of these shops, locked in pk order; a shop without one gets an empty one."""
    wanted = sorted(set(shop_ids))
    known = set(Deposit.objects.filter(shop_id__in=wanted).values_list("shop_id", flat=True))
    if missing := [pk for pk in wanted if pk not in known]:
        Deposit.objects.bulk_create([Deposit(shop_id=pk) for pk in missing], ignore_conflicts=True)
    rows = Deposit.objects.select_for_update(of=("self",)).filter(shop_id__in=wanted)
    found = {row.shop_id: row for row in rows.order_by("pk")}
    return Book(found, {pk: row.available for pk, row in found.items()})


def freeze(deposit: Deposit, amount: Decimal, **more: Any) -> Movement:
    """Hold ``amount`` for a claim that the platform decides."""
    gains = {"available": -amount, "frozen": amount}
    return Movement(deposit, Kind.FREEZE, amount, gains, **more)


def release(deposit: Deposit, amount: Decimal, **more: Any) -> Movement:
    """What was held is free again."""
    gains = {"available": amount, "frozen": -amount}
    return Movement(deposit, Kind.RELEASE, amount, gains, **more)


def pay(deposit: Deposit, cover: Cover, **more: Any) -> Movement:
    """Pay a claim as covered; what the deposit lacks is owed."""
    gains = {
        "available": -cover.from_available,
        "frozen": -cover.from_frozen,
        "paid": cover.paid,
        "owed": cover.owed,
    }
    return Movement(deposit, Kind.PAY, cover.due, gains, **more)


def settle(deposit: Deposit, amount: Decimal, **more: Any) -> Movement:
    """Pay ``amount`` of a debt out of what is available."""
    gains = {"available": -amount, "paid": amount, "owed": -amount}
    return Movement(deposit, Kind.SETTLE, amount, gains, **more)


def reverse(deposit: Deposit, amount: Decimal, **more: Any) -> Movement:
    """The counter-entry of what was paid out: the money is available again."""
    gains = {"available": amount, "paid": -amount}
    return Movement(deposit, Kind.REVERSE, amount, gains, **more)


def top_up(deposit: Deposit, amount: Decimal, **more: Any) -> Movement:
    """Money the shop has put in."""
    return Movement(deposit, Kind.TOP_UP, amount, {"available": amount}, **more)


def withdraw(deposit: Deposit, amount: Decimal, **more: Any) -> Movement:
    """Free money the shop takes out; refused where it is required, frozen or owed."""
    free = deposit.withdrawable
    if amount > free:
        raise Refused(
            _(
                "¥%(free)s can be withdrawn: ¥%(available)s is available, ¥%(required)s must stay "
                "in the deposit, ¥%(owed)s is owed to buyers."
            )
            % {
                "free": free,
                "available": deposit.available,
                "required": deposit.required,
                "owed": deposit.owed,
            },
            "insufficient_deposit",
            limit=str(free),
        )
    return Movement(deposit, Kind.WITHDRAW, amount, {"available": -amount}, **more)


def known(key: str, movement: Movement) -> Entry | None:
    """The entry that bears this key already; refused where it was another movement."""
    entry = Entry.objects.filter(key=key).first()
    if entry is not None and entry.digest != movement.digest:
        raise Refused(
            _("The key %(key)s was used for another act (%(verb)s). Take a new key.")
            % {"key": key, "verb": entry.get_kind_display()},
            "key_reused",
        )
    return entry


def post(movements: Sequence[Movement]) -> list[Entry]:
    """Write entries and accounts of locked deposits; the deposits stand as afterwards.

    Call inside the transaction that locked them. Raises Stale where an account is not as drafted.
    """
    entries: list[Entry] = []
    before: dict[int, tuple[Deposit, int, dict[str, Decimal]]] = {}
    recorded_at = timezone.now()
    for movement in movements:
        deposit = movement.deposit
        before.setdefault(deposit.pk, (deposit, deposit.seq, _accounts(deposit)))
        entries.append(_entry(movement, recorded_at))
    writing.insert_rows(Entry, entries)
    for _pk, (deposit, seq, accounts) in sorted(before.items()):
        _move_accounts(deposit, seq, accounts)
    return entries


def _accounts(deposit: Deposit) -> dict[str, Decimal]:
    return {name: getattr(deposit, name) for name in ACCOUNTS}


def _entry(movement: Movement, recorded_at: datetime) -> Entry:
    """The entry of a movement, chained to the one before; moves the accounts in memory."""
    deposit, gains = movement.deposit, {name: movement.gains.get(name, ZERO) for name in ACCOUNTS}
    for name, gain in gains.items():
        setattr(deposit, name, getattr(deposit, name) + gain)
    deposit.seq += 1
    entry = Entry(
        deposit_id=deposit.pk,
        seq=deposit.seq,
        at=movement.at,
        recorded_at=recorded_at,
        kind=movement.kind,
        amount=movement.amount,
        from_shop=sum(gains.values(), ZERO),
        claim_id=movement.claim_id,
        reverses_id=movement.reverses_id,
        reference=movement.reference,
        by_id=movement.by_id,
        key=movement.key,
        digest=movement.digest,
        prev=deposit.head,
        **{f"to_{name}": gain for name, gain in gains.items()},
        **{f"{name}_after": value for name, value in _accounts(deposit).items()},
    )
    entry.hash = entry.seal()
    deposit.head = entry.hash
    return entry


def _move_accounts(deposit: Deposit, seq: int, was: dict[str, Decimal]) -> None:
    """UPDATE … WHERE available + gain >= 0, and nobody has posted since the deposit was read."""
    gains = {name: getattr(deposit, name) - was[name] for name in ACCOUNTS}
    lost = {f"{name}__gte": -gain for name, gain in gains.items() if gain < ZERO}
    rows = Deposit.objects.filter(pk=deposit.pk, seq=seq, **lost)
    changes = {name: F(name) + yuan(gain) for name, gain in gains.items() if gain}
    if rows.update(seq=deposit.seq, head=deposit.head, **changes) != 1:
        raise writing.Stale(Deposit._meta.label)


__all__ = [
    "Book",
    "Cover",
    "Movement",
    "freeze",
    "known",
    "lock",
    "pay",
    "post",
    "release",
    "reverse",
    "settle",
    "top_up",
    "withdraw",
]
