"""What other modules show on the page of an invoice, and the queues they add; filled in ready()."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.panels import Panel
from invoices.models import Invoice, RedState, TreatmentKind, TreatmentState
from invoices.models.reds import OPEN

#: Panels for the right column of an invoice's page (custody, endorsements).
OF_INVOICE: list[Callable[[HttpRequest, Invoice], list[Panel]]] = []
#: Buttons of an invoice's page: [(address, text)] (print a slip, move the paper).
BUTTONS: list[Callable[[HttpRequest, Invoice], list[tuple[str, str]]]] = []


@dataclass(frozen=True)
class Tab:
    """One queue of invoices: its word in the address, its name, which invoices stand in it."""

    slug: str
    label: str | Promise
    condition: Q


def treated(kind: str) -> Q:
    """Invoices with an open treatment of this kind."""
    return Q(treatments__kind=kind, treatments__state=TreatmentState.OPEN)


TABS: list[Tab] = [
    Tab("red", _("To reverse"), treated(TreatmentKind.RED)),
    Tab(
        "confirm",
        _("Waiting for confirmation"),
        Q(red_requests__state__in=[str(s) for s in OPEN if s != RedState.EFFECTIVE]),
    ),
    Tab("effective", _("Red invoice to come"), Q(red_requests__state=RedState.EFFECTIVE)),
    Tab("reissue", _("To issue anew"), treated(TreatmentKind.REISSUE)),
    Tab("held", _("To look at"), Q(red_requests__held__gt="")),
]
