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

    Call inside a transaction. A figure that is not above the last one changes nothing (refunds
    never shrink); external = the report's figure - ours, and never falls by a report.
    """
    latest: dict[int, Reported] = {}
    for row in rows:
        if row.order_id not in latest or row.amount > latest[row.order_id].amount:
            latest[row.order_id] = row
    orders = list(Order.objects.select_for_update().filter(pk__in=latest).order_by("pk"))
    ours = dict(
        OrderLine.objects.filter(order_id__in=latest)
        .values_list("order_id")
        .annotate(sum=Sum("refunded", default=ZERO))
    )
    names = ["reported_refunded", "external_refunded"]
    fields = [Order._meta.get_field(n) for n in names]
    changes, fresh = [], []
    for order in orders:
        row = latest[order.pk]
        if row.amount <= order.reported_refunded:
            continue
        own = ours.get(order.pk, ZERO) + order.freight_refunded
        external = max(order.external_refunded, row.amount - own)
        if external > order.external_refunded:
            fresh.append(
                ExternalRefund(
                    order=order,
                    source=row.source[:60],
                    amount=external - order.external_refunded,
                    at=row.at,
                )
            )
        changes.append([order.pk, *writing.values_for(fields, [row.amount, external])])
    writing.update_rows(Order, fields, changes)
    ExternalRefund.objects.bulk_create(fresh)
    return len(changes)
