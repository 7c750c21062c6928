"""The ledger of reversals: the only writer of standings, balances and their entries.

Lock the standings first (one row per blue invoice is the lock for all that is done to it), draft
movements against the balances read after that, post them in one go. Statements grow with batches,
not with lines. The database's own rules stand behind it: no line above its blue one, ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from cases.flow import writing
from cases.models.money import ZERO
from cases.sheets.loading.inserting import insert_columns
from invoices.arithmetic import Part
from invoices.models import Balance, Reversal, Standing

Kind = Reversal.Kind
_COUNTERS = ("quantity", "gross", "tax")
_COLUMNS = tuple(f"{what}_{name}" for what in ("reversed", "reserved") for name in _COUNTERS)
_SUMS = ("reversed_gross", "reserved_gross")


@dataclass(frozen=True)
class Movement:
    """One entry to be; ``part``: positive pieces and money."""

    balance: Balance
    kind: str
    part: Part
    key: str
    at: datetime
    request_id: int | None = None
    red_line_id: int | None = None


@dataclass
class Book:
    """Standings locked by this transaction, and the balances of their lines, by line no. order."""

    standings: dict[int, Standing] = field(default_factory=dict)
    balances: dict[int, list[Balance]] = field(default_factory=dict)

    def of(self, invoice_id: int) -> list[Balance]:
        return self.balances.get(invoice_id, [])


def lock(invoice_ids: Iterable[int]) -> Book:
    """The standings of these blue invoices in pk order, then their balances as they are now."""
    return _book(
        invoice_ids, Standing.objects.select_for_update(of=("self",)).select_related("invoice")
    )


def look(invoice_ids: Iterable[int]) -> Book:
    """The same without a lock, for pages and questions."""
    return _book(invoice_ids, Standing.objects.select_related("invoice"))


def _book(invoice_ids: Iterable[int], standings: Any) -> Book:
    rows = standings.filter(invoice_id__in=sorted(set(invoice_ids))).order_by("pk")
    book = Book({row.invoice_id: row for row in rows})
    by_pk = {row.pk: row for row in book.standings.values()}
    found = Balance.objects.filter(standing_id__in=by_pk).select_related("line")
    for balance in found.order_by("standing_id", "line__line_no"):
        balance.standing = by_pk[balance.standing_id]
        book.balances.setdefault(balance.standing.invoice_id, []).append(balance)
    return book


def whole(balance: Balance) -> Part:
    """The blue line itself, netted with its discount."""
    return Part(balance.quantity, balance.gross, balance.tax)


def reversed_part(balance: Balance) -> Part:
    """What of it is red."""
    return Part(balance.reversed_quantity, balance.reversed_gross, balance.reversed_tax)


def reserved_part(balance: Balance) -> Part:
    """What of it an open request speaks for."""
    return Part(balance.reserved_quantity, balance.reserved_gross, balance.reserved_tax)


def taken(balance: Balance) -> Part:
    """What is reversed or spoken for."""
    return reversed_part(balance) + reserved_part(balance)


def left(balance: Balance) -> Part:
    """What may still be reversed."""
    return whole(balance) - taken(balance)


_SIGNS = {Kind.RESERVE: (0, 1), Kind.RELEASE: (0, -1), Kind.BOOK: (1, 0)}


def post(movements: Sequence[Movement]) -> None:
    """Write entries, balances and standings of locked invoices; they stand as afterwards.

    Call inside the transaction that locked them. Raises Stale where a row is not as it was read,
    IntegrityError where a line would go above its blue one or an effect would happen twice.
    """
    before: dict[int, tuple[Balance, list[Any]]] = {}
    sums: dict[int, tuple[Standing, list[Any]]] = {}
    entries = []
    for movement in movements:
        balance, standing = movement.balance, movement.balance.standing
        before.setdefault(balance.pk, (balance, [getattr(balance, n) for n in _COLUMNS]))
        sums.setdefault(standing.pk, (standing, [getattr(standing, n) for n in _SUMS]))
        _move(movement)
        entries.append(_entry(movement))
    writing.insert_rows(Reversal, entries)
    _write(Balance, _COLUMNS, before)
    _write(Standing, _SUMS, sums)


def _move(movement: Movement) -> None:
    balance, part = movement.balance, movement.part
    for what, sign in zip(("reversed", "reserved"), _SIGNS[Kind(movement.kind)], strict=True):
        for name in _COUNTERS:
            column = f"{what}_{name}"
            setattr(balance, column, getattr(balance, column) + sign * getattr(part, name))
        standing, column = balance.standing, f"{what}_gross"
        setattr(standing, column, getattr(standing, column) + sign * part.gross)


def _entry(movement: Movement) -> Reversal:
    part = movement.part
    return Reversal(
        balance_id=movement.balance.pk,
        kind=movement.kind,
        request_id=movement.request_id,
        red_line_id=movement.red_line_id,
        quantity=part.quantity,
        gross=part.gross,
        tax=part.tax,
        at=movement.at,
        key=movement.key,
    )


def _write(model: Any, names: tuple[str, ...], before: dict[int, tuple[Any, list[Any]]]) -> None:
    """UPDATE … WHERE every counter is still as it was read, all rows in one statement."""
    fields = [model._meta.get_field(name) for name in names]
    rows = []
    for pk, (row, was) in sorted(before.items()):
        values = [getattr(row, name) for name in names]
        rows.append([pk, *writing.values_for(fields, was), *writing.values_for(fields, values)])
    writing.update_rows(model, fields, rows, guards=names)


def begin(rows: Sequence[tuple[Any, list[tuple[Any, Part]]]]) -> None:
    """Open the books of new blue invoices: (standing to be, [(its line, the netted part)])."""
    # Not insert_rows: a column of the standing is the database's own.
    standings = Standing.objects.bulk_create([standing for standing, _lines in rows])
    owned = [
        (standing.pk, line.pk, part)
        for standing, (_same, lines) in zip(standings, rows, strict=True)
        for line, part in lines
    ]
    if owned:
        # By the column: there is one for each line ever sold, and none is read here.
        insert_columns(
            Balance,
            {
                "standing_id": [standing for standing, _line, _part in owned],
                "line_id": [line for _standing, line, _part in owned],
                "quantity": [part.quantity for _standing, _line, part in owned],
                "gross": [part.gross for _standing, _line, part in owned],
                "tax": [part.tax for _standing, _line, part in owned],
            },
            dict.fromkeys(_COLUMNS, ZERO),
        )


def totals(balances: Iterable[Balance]) -> tuple[Decimal, Decimal]:
    """(gross, tax) that is left of all of them."""
    rest = [left(b) for b in balances]
    return sum((p.gross for p in rest), ZERO), sum((p.tax for p in rest), ZERO)
