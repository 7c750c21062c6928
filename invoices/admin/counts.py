"""The numbers on the tabs and in the sidebar, from one statement per request."""

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest

from cases.models.shops import shop_ids_of
from invoices.models import Invoice, InvoiceNotice, RedRequest, Treatment
from invoices.panels import TABS

ALL = "all"


def invoice_counts(request: HttpRequest) -> dict[str, int]:
    """How many invoices of this person's shops stand in each queue."""
    known: dict[str, int] | None = getattr(request, "_invoice_counts", None)
    if known is None:
        user: Any = request.user
        rows = Invoice.objects.visible_to(user)
        counts = {tab.slug: Count("pk", filter=tab.condition, distinct=True) for tab in TABS}
        # Only invoices that something is to be done to: the others are in no queue.
        busy = rows.filter(
            Q(pk__in=_busy(Treatment.objects.filter(state="open"), "invoice_id"))
            | Q(pk__in=_busy(RedRequest.objects.exclude(state__in=["issued", "dead"]), "blue_id"))
            | Q(pk__in=_busy(RedRequest.objects.filter(held__gt=""), "blue_id"))
        )
        known = {slug: int(n) for slug, n in busy.aggregate(**counts).items()}
        known["waiting"] = sum(known[tab.slug] for tab in TABS)
        request._invoice_counts = known  # type: ignore[attr-defined]
    return known


def _busy(rows: Any, column: str) -> Any:
    return rows.order_by().values(column)


def unseen_notices(request: HttpRequest) -> int:
    """Notices about invoices nobody has looked at."""
    user: Any = request.user
    ids = shop_ids_of(user)
    rows = InvoiceNotice.objects.filter(seen_at=None)
    return (rows if ids is None else rows.filter(shop_id__in=ids)).count()
