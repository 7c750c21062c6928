"""The platforms' payouts beside our claims and compensations: what pays what, and what differs.

The only writer of the links and of ``difference``, ``ours``, ``open``. Deposits are locked before
payouts; a link that somebody else made meanwhile is refused by its unique key.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Q

from cases.models import Compensation, Shop
from promises.models import Claim, Payout, PayoutDifference
from promises.models.claim import GRANTED

#: Goodwill that a platform's payout can be; benefits and presents move no money.
CASH: Final = (Compensation.Kind.RED_PACKET, Compensation.Kind.CASH)
D = PayoutDifference
Paid = Claim | Compensation


def amount_of(paid: Paid | None) -> Decimal | None:
    """What a claim or compensation gave the buyer, in yuan; owed counts as given."""
    if paid is None:
        return None
    if isinstance(paid, Claim):
        return Decimal(paid.paid + paid.owed)
    return Decimal(paid.amount)


def linked(payout: Payout) -> Paid | None:
    """What the payout pays."""
    return payout.claim or payout.compensation


def order_id_of(paid: Paid) -> int:
    return int(paid.order_id if isinstance(paid, Claim) else paid.case.order_id)


@dataclass
class _Candidates:
    """What was paid here on some orders, oldest first, without what a payout pays already."""

    free: dict[int, list[Paid]] = field(default_factory=lambda: defaultdict(list))
    #: The row that stands for it as paid here only.
    alone: dict[Paid, Payout] = field(default_factory=dict)

    @classmethod
    def of(cls, order_ids: Iterable[int]) -> "_Candidates":
        found = cls()
        wanted = set(order_ids)
        granted = [str(state) for state in GRANTED]
        unpaid = Q(payout__isnull=True) | Q(payout__number="")
        claims = Claim.objects.filter(unpaid, order_id__in=wanted, state__in=granted)
        goodwill = Compensation.objects.filter(unpaid, case__order__in=wanted, kind__in=CASH)
        rows: list[Paid] = [
            *claims.select_related("payout").order_by("granted_at", "pk"),
            *goodwill.select_related("payout", "case").order_by("at", "pk"),
        ]
        for row in rows:
            if amount_of(row):
                found.free[order_id_of(row)].append(row)
            if (alone := getattr(row, "payout", None)) is not None:
                found.alone[row] = alone
        return found

    def take(self, payout: Payout) -> Paid | None:
        """The one of the same amount, else the only one there is; it is taken now."""
        free = self.free[payout.order_id or 0]
        same = [row for row in free if amount_of(row) == payout.amount]
        chosen = same[0] if same else (free[0] if len(free) == 1 else None)
        if chosen is not None:
            free.remove(chosen)
        return chosen


def paid_on(order_id: int) -> list[Paid]:
    """What was paid on an order and no payout pays yet, the oldest first."""
    return _Candidates.of([order_id]).free[order_id]


def reconcile(payouts: Sequence[Payout]) -> None:
    """Find what each of these pays, and write down what differs; a handful of queries for all."""
    searching = [row for row in payouts if _searches(row)]
    found = _Candidates.of(row.order_id for row in searching if row.order_id)
    exact_first = sorted(searching, key=lambda row: not _fits(row, found))
    for row in exact_first:
        paid = found.take(row)
        if paid is not None:
            _absorb(found.alone.pop(paid, None))
            link(row, paid)
    for row in payouts:
        judge(row)
    fields = ["claim", "compensation", "ours", "difference", "explained", "open"]
    Payout.objects.bulk_update(payouts, fields, batch_size=200)


def _searches(row: Payout) -> bool:
    unlinked = row.claim_id is None and row.compensation_id is None
    return unlinked and bool(row.number) and bool(row.order_id) and _is_paid(row)


def _is_paid(row: Payout) -> bool:
    return row.status == Payout.Status.PAID


def _fits(row: Payout, found: _Candidates) -> bool:
    return any(amount_of(paid) == row.amount for paid in found.free[row.order_id or 0])


def _absorb(alone: Payout | None) -> None:
    """A sheet tells now of what only we had: the row that stood for it goes, or is closed.

    One that somebody has put aside keeps its note and no longer stands for anything.
    """
    if alone is None:
        return
    rows = Payout.objects.filter(pk=alone.pk)
    if alone.explained:
        rows.update(claim=None, compensation=None, difference="", open=False)
    else:
        rows.delete()


def link(row: Payout, paid: Paid) -> None:
    """Say what the payout pays; not saved."""
    if isinstance(paid, Claim):
        row.claim, row.compensation = paid, None
    else:
        row.claim, row.compensation = None, paid


def judge(row: Payout) -> None:
    """Work out in what the two sides differ; not saved. What was put aside comes back with news."""
    before = row.difference, row.ours
    row.ours = amount_of(linked(row))
    row.difference = _difference(row)
    row.explained = row.explained and before == (row.difference, row.ours)
    row.open = bool(row.difference) and not row.explained


def _difference(row: Payout) -> str:
    if not row.number:
        return str(D.NOT_THERE) if row.ours else ""
    if not _is_paid(row):
        # A payout that failed or is under way says nothing yet; what is linked was paid by us.
        failed = row.status == Payout.Status.FAILED and row.ours
        return str(D.NOT_THERE) if failed else ""
    if not row.ours:
        return str(D.NOT_HERE)
    return "" if row.ours == row.amount else str(D.AMOUNT)


def look_for_untold(shop: Shop, since: datetime, until: datetime, now: datetime) -> int:
    """Rows for what was paid here between the two times and no sheet told of; how many are new."""
    granted = [str(state) for state in GRANTED]
    claims = Claim.objects.filter(
        shop=shop, state__in=granted, granted_at__range=(since, until), payout__isnull=True
    ).select_related("order")
    goodwill = Compensation.objects.filter(
        case__shop=shop, kind__in=CASH, at__range=(since, until), payout__isnull=True
    ).select_related("case__order")
    rows = []
    here: list[Paid] = [*claims, *goodwill]
    for paid in here:
        if not amount_of(paid):
            continue
        order = paid.order if isinstance(paid, Claim) else paid.case.order
        row = Payout(
            shop=shop,
            platform=shop.platform,
            order_no=order.order_no,
            order=order,
            paid_at=paid.granted_at if isinstance(paid, Claim) else paid.at,
            heard_at=now,
        )
        link(row, paid)
        judge(row)
        rows.append(row)
    Payout.objects.bulk_create(rows)
    return len(rows)


def look_again(order_ids: Iterable[int]) -> None:
    """Something was paid, reversed or given on these orders: compare their payouts anew."""
    rows = Payout.objects.filter(order_id__in=set(order_ids))
    found = list(rows.select_related("claim", "compensation").order_by("pk"))
    if found:
        reconcile(found)
