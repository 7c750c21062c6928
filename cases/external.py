"""Refunds that a platform's report shows and no case of ours explains (domain.md 2.4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from cases.flow import writing
from cases.models import ExternalRefund, Order, OrderLine
from cases.models.money import ZERO


@dataclass(frozen=True)
class Reported:
    """What one report says of one order: ``amount`` refunded in all, in yuan."""

    order_id: int
    amount: Decimal
    at: datetime
    source: str


def report(rows: Iterable[Reported]) -> int:
    """Keep what reports show beyond our own refunds as external; returns how many orders changed.

    External = the report's figure - ours, never counted twice; where our cases explain by now what
    stood open, the oldest open rows are closed. A figure below the last one changes nothing
    (refunds never shrink). Call inside a transaction; locks the orders in pk order.
    """
    latest: dict[int, Reported] = {}
    for row in rows:
        if row.order_id not in latest or row.amount >= latest[row.order_id].amount:
            latest[row.order_id] = row
    orders = list(Order.objects.select_for_update().filter(pk__in=latest).order_by("pk"))
    ours = dict(
        OrderLine.objects.filter(order_id__in=latest)
        .order_by()
        .values_list("order_id")
        .annotate(sum=Sum("refunded", default=ZERO))
    )
    fields = [Order._meta.get_field(n) for n in ("reported_refunded", "external_refunded")]
    changes, fresh = [], []
    for order in orders:
        row = latest[order.pk]
        own = ours.get(order.pk, ZERO) + order.freight_refunded
        external = max(row.amount - own, ZERO)
        more = external - order.external_refunded
        if row.amount < order.reported_refunded or (
            not more and row.amount == order.reported_refunded
        ):
            continue
        if more > 0:
            source = row.source[:60]
            fresh.append(ExternalRefund(order=order, source=source, amount=more, at=row.at))
        elif more < 0:
            explain(order.pk, -more)
        changes.append([order.pk, *writing.values_for(fields, [row.amount, external])])
    writing.update_rows(Order, fields, changes)
    ExternalRefund.objects.bulk_create(fresh)
    return len(changes)


def take_over(order: Order, amount: Decimal, at: datetime, source: str) -> None:
    """Somebody takes over a refund by the platform, ``amount`` yuan, that no order report showed.

    Call inside a transaction that holds the order's lock; the caller checked what is left.
    """
    order.external_refunded += amount
    fields = [Order._meta.get_field("external_refunded")]
    writing.update_rows(Order, fields, writing.rows_of([order], fields))
    ExternalRefund.objects.create(order=order, source=source[:60], amount=amount, at=at)


def explain(order_id: int, amount: Decimal) -> None:
    """Close open external refunds of an order up to ``amount`` yuan, oldest first."""
    for row in ExternalRefund.objects.filter(order_id=order_id).order_by("id"):
        part = min(amount, row.amount - row.explained)
        if part > 0:
            row.explained += part
            row.save(update_fields=["explained"])
            amount -= part
