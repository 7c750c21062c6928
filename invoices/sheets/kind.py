"""Invoices as a kind of sheet, for ``cases.sheets.registry``."""

from collections.abc import Callable
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.sheets.registry import Incoming, Intake, Outgoing, Sheet
from invoices import crediting
from invoices.models import CreditLine, Invoice
from invoices.sheets import exporting
from invoices.sheets.alibaba import ALIBABA_SHEET
from invoices.sheets.facts import INVOICES
from invoices.sheets.foreign import FOREIGN_SHEET
from invoices.sheets.loading import InvoiceLoader
from invoices.sheets.native import INVOICES_SHEET


def finish(intake: Intake, passing: Callable[[], None]) -> list[str]:
    """Compare the credit notes that wait with the invoices, and tell what came of it."""
    shops = intake.shops.visible
    settled = crediting.settle_pending(intake.actor, shops=shops, passing=passing)["lines"]
    told = []
    if settled:
        text = _("%(count)s lines of credit notes were put to the one invoice they can mean.")
        told.append(text % {"count": settled})
    open_ = CreditLine.objects.filter(state=CreditLine.State.OPEN)
    if shops is not None:
        open_ = open_.filter(note__shop_id__in=shops)
    if count := open_.count():
        text = _("%(count)s lines of credit notes wait for a person: see the list of credit notes.")
        told.append(text % {"count": count})
    return told


SHEET: Final = Sheet(
    INVOICES,
    gettext_lazy("Invoices"),
    Invoice,
    "number",
    incoming=Incoming(
        "invoices.import_invoice",
        InvoiceLoader,
        dialects=(INVOICES_SHEET, ALIBABA_SHEET, FOREIGN_SHEET),
        finish=finish,
    ),
    outgoing=Outgoing(
        "invoices.export_invoice",
        exporting.LAYOUT,
        exporting.rows,
        exporting.lines,
        filters=exporting.FILTERS,
        money=exporting.MONEY,
        personal=exporting.PERSONAL,
        needed=INVOICES_SHEET.required,
    ),
)
