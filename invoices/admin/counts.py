"""The numbers on the tabs and in the sidebar, from one statement per request."""

from typing import Any

from django.db.models import CharField, Count, Q, Value
from django.http import HttpRequest

from cases.admin.counts import GROUPS, counted, group_counts
from cases.models.shops import shop_ids_of
from invoices.models import Invoice, InvoiceNotice, RedRequest, Treatment
from invoices.panels import TABS

ALL = "all"


def invoice_counts(request: HttpRequest) -> dict[str, int]:
    """How many invoices of this person's shops stand in each queue."""
    found = group_counts(request)["invoice"]
    known = {tab.slug: found[tab.slug] for tab in TABS}
    return {**known, "waiting": sum(known.values())}


def _by_queue(request: HttpRequest) -> list[Any]:
    user: Any = request.user
    # Only invoices that something is to be done to: the others are in no queue.
    busy = Invoice.objects.visible_to(user).filter(
        Q(pk__in=_busy(Treatment.objects.filter(state="open"), "invoice_id"))
        | Q(pk__in=_busy(RedRequest.objects.exclude(state__in=["issued", "dead"]), "blue_id"))
        | Q(pk__in=_busy(RedRequest.objects.filter(held__gt=""), "blue_id"))
    )
    each = Count("pk", distinct=True)
    return [
        counted("invoice", busy.filter(tab.condition), Value(tab.slug, CharField()), each)
        for tab in TABS
    ]


GROUPS.append(_by_queue)


def _busy(rows: Any, column: str) -> Any:
    return rows.order_by().values(column)


def unseen_notices(request: HttpRequest) -> int:
    """Notices about invoices nobody has looked at."""
    user: Any = request.user
    ids = shop_ids_of(user)
    rows = InvoiceNotice.objects.filter(seen_at=None)
    return (rows if ids is None else rows.filter(shop_id__in=ids)).count()
