"""What the platform's sheets say, kept beside our cases, and in what the two differ.

Sheets tell (``hear``, ``hear_of_orders``); every step of a case looks again (``compare``), so a
difference is gone by itself once both sides agree. Locks: cases, orders, then records, by pk.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db.models import Max, Sum

from cases.amounts import FLOW
from cases.flow import clock, writing
from cases.flow.door import Move
from cases.flow.hooks import effect
from cases.models import Case, Difference, Order, OrderLine, PlatformRecord, Refund, State
from cases.models.kinds import MONEY_REMEDIES, TERMINAL
from cases.models.money import ZERO
from cases.models.platformrecords import Outcome

#: States that are an answer: the other side has nothing to wait for.
_ANSWERED: Final = TERMINAL | {State.REFUSED}
#: How far an application is on the platform; of two rows that show the same time the further
#: one is the newer.
_RANK: Final = {
    str(state): rank
    for rank, states in enumerate(
        (
            ("", State.APPLIED),
            (State.REFUSED, State.AWAITING_RETURN),
            (State.RETURNING, State.MEDIATING),
            (State.AWAITING_DISPATCH,),
            (State.AWAITING_RECEIPT,),
            (State.COMPLETED, State.CLOSED),
        )
    )
    for state in states
}
#: What a row tells of how the application stands; told together or not at all.
_STANDING: Final = ("word", "state", "outcome", "refunded", "ended_at")
#: What it tells beside that; a blank says nothing.
_BESIDES: Final = ("kind", "reason", "quantity", "requested", "freight", "applied_at", "line_id")
#: What brings an explained difference back when it changes.
_NEWS: Final = ("word", "state", "outcome", "refunded", "requested")
_WRITTEN: Final = (
    *_STANDING,
    *_BESIDES,
    *("case_id", "told_at", "heard_at", "source", "explained"),
)


class Ours(NamedTuple):
    """A case as far as it is compared; amounts in yuan, ``refunded`` with freight."""

    pk: int
    state: str
    remedy: str
    refunded: Decimal
    moved_at: datetime | None
    requested: Decimal
    freight_requested: Decimal
    approved: Decimal | None
    freight_approved: Decimal | None

    @property
    def asked(self) -> Decimal:
        """What the buyer is to get as things stand, freight included."""
        if self.approved is None:
            return self.requested + self.freight_requested
        return self.approved + (self.freight_approved or ZERO)


class Whole(NamedTuple):
    """What our cases refunded of a whole order, in yuan, and when they paid last."""

    refunded: Decimal
    paid_at: datetime | None


@dataclass
class Telling:
    """One after-sale row of a platform's sheet, as a record that is not written yet.

    ``moved_at``: our case's last move. ``older``: the loader found the row older than our case.
    """

    record: PlatformRecord
    moved_at: datetime | None = None
    older: bool = False


@dataclass(frozen=True)
class Figure:
    """What an order report says was refunded of an order in all, in yuan."""

    shop_id: int
    amount: Decimal
    told_at: datetime | None


# What differs


def of_after_sale(row: PlatformRecord, case: Ours | None) -> str:
    """In what the platform's word on one application differs from our case; empty: in nothing.

    What we did after the platform's sheet was made is no difference yet: a newer sheet decides.
    """
    if row.outcome == Outcome.REFUNDED:
        return _of_refund(row, case)
    if case is None:
        # An application the platform closed, and that we never had, is nobody's work.
        return "" if row.state in {"", State.CLOSED} else str(Difference.STATE)
    heard_later = case.moved_at is None or row.heard_at > case.moved_at
    if case.refunded:
        return str(Difference.REFUNDED_HERE) if row.state and heard_later else ""
    if difference := _of_state(row.state, case.state, heard_later=heard_later):
        return difference
    return _of_request(row, case) if heard_later else ""


def _of_request(row: PlatformRecord, case: Ours) -> str:
    """The buyer changed on the platform what he asks for, or staff entered another amount."""
    waiting = not {row.state, case.state} & _ANSWERED and row.state
    if not waiting or row.requested is None or case.remedy not in MONEY_REMEDIES:
        return ""
    goods = case.requested if case.approved is None else case.approved
    there = {row.requested, row.requested + (row.freight or ZERO)}
    return "" if there & {case.asked, goods} else str(Difference.AMOUNT)


def _of_refund(row: PlatformRecord, case: Ours | None) -> str:
    if case is None or not case.refunded:
        return str(Difference.REFUNDED_THERE)
    same = row.refunded is None or row.refunded == case.refunded
    return "" if same else str(Difference.AMOUNT)


def _of_state(there: str, here: str, *, heard_later: bool) -> str:
    """Two open applications go each their own small steps; only an answer makes a difference."""
    if not there or there == here or not {there, here} & _ANSWERED:
        return ""
    final = there in TERMINAL
    return str(Difference.STATE) if final or heard_later else ""


def of_order(row: PlatformRecord, own: Whole, others: Sequence[PlatformRecord]) -> str:
    """In what the order report's figure differs from the refunds of all our cases of the order.

    ``others``: the order's after-sale records; what they show already is not told twice.
    """
    figure = row.refunded or ZERO
    if figure > own.refunded + sum((not_here(other) for other in others), ZERO):
        return str(Difference.AMOUNT if own.refunded else Difference.REFUNDED_THERE)
    if figure >= own.refunded or own.paid_at is None or row.heard_at <= own.paid_at:
        return ""
    confirmed = sum((other.refunded or ZERO for other in others), ZERO)
    told = any(other.difference == Difference.REFUNDED_HERE for other in others)
    return "" if told or confirmed >= own.refunded else str(Difference.REFUNDED_HERE)


def not_here(row: PlatformRecord) -> Decimal:
    """What an after-sale record shows as refunded and our case has not, in yuan."""
    if row.outcome != Outcome.REFUNDED:
        return ZERO
    return max((row.refunded or ZERO) - (row.ours or ZERO), ZERO)


def compare(order_ids: Iterable[int]) -> None:
    """Work out anew in what the records of these orders differ from us; at most five statements.

    Call inside a transaction, after the rows of cases and orders are written.
    """
    if rows := locked_of(order_ids):
        _write(judge(rows), _JUDGED)


def locked_of(order_ids: Iterable[int]) -> list[PlatformRecord]:
    """All records of these orders, locked before our side is read: whoever else compares waits."""
    rows = PlatformRecord.objects.select_for_update(of=("self",))
    return list(rows.filter(order_id__in=list(order_ids)).order_by("pk"))


def whole_orders(size: int = 2000) -> Iterator[list[PlatformRecord]]:
    """All records in batches that part no order, for who looks at everything."""
    batch: list[PlatformRecord] = []
    rows = PlatformRecord.objects.order_by("order_id", "pk")
    for row in rows.iterator(chunk_size=size):
        if len(batch) >= size and row.order_id != batch[-1].order_id:
            yield batch
            batch = []
        batch.append(row)
    yield batch


_JUDGED: Final = ("difference", "ours", "explained", "open")


def judge(rows: Sequence[PlatformRecord]) -> list[PlatformRecord]:
    """Set in memory what each record differs in; those that changed. All rows of each order."""
    cases = _cases({row.case_id for row in rows if row.case_id})
    wholes = _wholes({row.order_id for row in rows if row.is_of_order})
    of_orders: dict[int, list[PlatformRecord]] = defaultdict(list)
    changed: list[PlatformRecord] = []
    for row in rows:
        if not row.is_of_order:
            case = cases.get(row.case_id or 0)
            changed += _judged(row, *_verdict(row, case))
            of_orders[row.order_id].append(row)
    for row in rows:
        if row.is_of_order:
            own = wholes[row.order_id]
            changed += _judged(row, of_order(row, own, of_orders[row.order_id]), own.refunded)
    return changed


def _verdict(row: PlatformRecord, case: Ours | None) -> tuple[str, Decimal | None]:
    """The difference, and the amount on our side that belongs to it."""
    difference = of_after_sale(row, case)
    if case is None:
        return difference, None
    asked = difference == Difference.AMOUNT and not case.refunded
    return difference, case.asked if asked else case.refunded


def _judged(row: PlatformRecord, difference: str, ours: Decimal | None) -> Iterator[PlatformRecord]:
    """The row where the verdict is another one; an explanation holds for the old one only."""
    explained = row.explained if (difference, ours) == (row.difference, row.ours) else ""
    explained = explained if difference else ""
    new = (difference, ours, explained, bool(difference) and not explained)
    if new != (row.difference, row.ours, row.explained, row.open):
        row.difference, row.ours, row.explained, row.open = new
        yield row


def _cases(pks: set[int]) -> dict[int, Ours]:
    if not pks:
        return {}
    found = Case.objects.filter(pk__in=pks).order_by()
    names = (
        *("pk", "state", "remedy", "refunded", "moved_at"),
        *("amount_requested", "freight_requested", "amount_approved", "freight_approved"),
    )
    return {values[0]: Ours(*values) for values in found.values_list(*names)}


def _wholes(pks: set[int]) -> dict[int, Whole]:
    if not pks:
        return {}
    paid = last_paid(pks)
    freight = Order.objects.filter(pk__in=pks).order_by().values_list("pk", "freight_refunded")
    lines = OrderLine.objects.filter(order_id__in=pks).order_by().values_list("order_id")
    goods = dict(lines.annotate(sum=Sum("refunded", default=ZERO)))
    return {pk: Whole(out + goods.get(pk, ZERO), paid.get(pk)) for pk, out in freight}


def last_paid(order_ids: Iterable[int]) -> dict[int, datetime]:
    """When a case of ours refunded the buyer last, of the orders where one did."""
    paid = Refund.objects.filter(order_id__in=list(order_ids), state=Refund.State.PAID)
    return dict(paid.order_by().values_list("order_id").annotate(last=Max("paid_at")))


@effect(FLOW)
def differences_are_looked_at(moves: list[Move]) -> None:
    """A case that moved may agree with the platform now, or no longer."""
    if orders := {move.subject.order_id for move in moves if move.info.moves}:
        compare(orders)


# What sheets tell


def hear(tellings: Sequence[Telling], now: datetime) -> None:
    """Keep what after-sale rows tell; an older row changes nothing. Inside a transaction."""
    if not tellings:
        return
    known = {
        (row.order_id, row.number): row
        for row in locked_of({telling.record.order_id for telling in tellings})
    }
    fresh: list[PlatformRecord] = []
    changed: list[PlatformRecord] = []
    for telling in tellings:
        new = telling.record
        old = known.get((new.order_id, new.number))
        if old is None:
            new.heard_at = now
            fresh.append(new)
            known[new.order_id, new.number] = new
        elif old.pk and _heard(old, telling, now):
            changed.append(old)
    _keep(fresh, changed)


def _heard(old: PlatformRecord, telling: Telling, now: datetime) -> bool:
    """Take over what is news; returns whether anything is to be written."""
    new = telling.record
    linked = bool(new.case_id) and old.case_id != new.case_id
    if linked:
        old.case_id = new.case_id
    if new.told_at < old.told_at:
        return linked
    moved = telling.moved_at is not None and telling.moved_at >= old.heard_at
    told = _is_newer(old, telling) and _take_over(old, new)
    if told or moved:
        old.heard_at = now
    return linked or told or moved


def _is_newer(old: PlatformRecord, telling: Telling) -> bool:
    """Rows of one time are told apart by how far the application is."""
    new = telling.record
    if new.told_at > old.told_at:
        return True
    return not telling.older and _RANK.get(new.state, 0) >= _RANK.get(old.state, 0)


def _take_over(old: PlatformRecord, new: PlatformRecord) -> bool:
    before = {name: getattr(old, name) for name in (*_STANDING, *_BESIDES, "told_at")}
    old.told_at = new.told_at
    if new.word or new.state:
        for name in _STANDING:
            setattr(old, name, getattr(new, name))
    for name in _BESIDES:
        if (told := getattr(new, name)) not in {None, ""}:
            setattr(old, name, told)
    if all(getattr(old, name) == was for name, was in before.items()):
        return False
    old.source = new.source
    if any(getattr(old, name) != before[name] for name in _NEWS):
        old.explained = ""
    return True


def hear_of_orders(figures: Mapping[int, Figure], source: str) -> None:
    """Keep what an order report says of refunds, by order; only where there are any.

    The loader has skipped rows of an older report. Inside a transaction.
    """
    if not (news := _news(figures)):
        return
    now = clock.now()
    known = {row.order_id: row for row in locked_of(news) if row.is_of_order}
    for order_id, row in known.items():
        figure = figures[order_id]
        if row.refunded != figure.amount:
            row.refunded, row.told_at, row.explained = figure.amount, figure.told_at or now, ""
            row.outcome = Outcome.REFUNDED if figure.amount else ""
        row.heard_at = now
    fresh = [
        PlatformRecord(
            shop_id=figure.shop_id,
            order_id=order_id,
            outcome=Outcome.REFUNDED if figure.amount else "",
            refunded=figure.amount,
            told_at=figure.told_at or now,
            heard_at=now,
            source=source,
        )
        for order_id, figure in news.items()
        if order_id not in known
    ]
    _keep(fresh, list(known.values()))


def _news(figures: Mapping[int, Figure]) -> dict[int, Figure]:
    """Figures that are new, or heard again after a case of ours paid."""
    if not figures:
        return {}
    rows = PlatformRecord.objects.filter(number="", order_id__in=list(figures)).order_by()
    known = {
        pk: (told, heard)
        for pk, told, heard in rows.values_list("order_id", "refunded", "heard_at")
    }
    paid = last_paid(figures)
    news = {}
    for order_id, figure in figures.items():
        told, heard_at = known.get(order_id, (ZERO, None))
        paid_at = paid.get(order_id)
        heard_since = heard_at is not None and (paid_at is None or paid_at < heard_at)
        if told != figure.amount or (paid_at is not None and not heard_since):
            news[order_id] = figure
    return news


def _keep(fresh: list[PlatformRecord], changed: list[PlatformRecord]) -> None:
    writing.insert_rows(PlatformRecord, fresh)
    _write(changed, _WRITTEN)
    if fresh or changed:
        compare({row.order_id for row in (*fresh, *changed)})


def _write(rows: Sequence[PlatformRecord], names: Sequence[str]) -> None:
    fields: list[Any] = [PlatformRecord._meta.get_field(name.removesuffix("_id")) for name in names]
    rows = sorted(rows, key=lambda row: row.pk)
    writing.update_rows(PlatformRecord, fields, writing.rows_of(rows, fields))
