"""Refunds a platform's report shows: what no case of ours explains is external (domain.md 2.4)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from cases.flow import writing
from cases.models import ExternalRefund, Order, OrderLine
from cases.models.money import ZERO

#: Primary key of the order, the report's figure (yuan), when, which sheet.
Reported = tuple[int, Decimal, datetime, str]


def report_external(reports: Sequence[Reported]) -> None:
    """External = the report's figure less what our own cases refunded, never counted twice.

    The caller holds the locks on the orders. A figure that our cases explain by now closes the
    rows that stood open for it, oldest first.
    """
    ids = [pk for pk, _amount, _at, _source in reports]
    ours = {
        order["pk"]: order["freight_refunded"]
        for order in Order.objects.filter(pk__in=ids).values("pk", "freight_refunded")
    }
    goods = OrderLine.objects.filter(order_id__in=ids).values_list("order_id")
    for pk, refunded in goods.annotate(all=Sum("refunded", default=ZERO)).order_by():
        ours[pk] += refunded
    before = dict(Order.objects.filter(pk__in=ids).values_list("pk", "external_refunded"))
    rows, new = [], []
    fields = [Order._meta.get_field(name) for name in ("external_refunded", "reported_refunded")]
    for pk, figure, at, source in sorted(reports, key=lambda report: report[0]):
        external = max(figure - ours[pk], ZERO)
        rows.append([pk, *writing.values_for(fields, [external, figure])])
        if external > before[pk]:
            amount = external - before[pk]
            new.append(ExternalRefund(order_id=pk, source=source, amount=amount, at=at))
        elif external < before[pk]:
            _explain(pk, before[pk] - external)
    writing.update_rows(Order, fields, rows)
    ExternalRefund.objects.bulk_create(new)


def _explain(order: int, amount: Decimal) -> None:
    for row in ExternalRefund.objects.filter(order_id=order).order_by("id"):
        part = min(amount, row.amount - row.explained)
        if part > 0:
            row.explained += part
            row.save(update_fields=["explained"])
            amount -= part
