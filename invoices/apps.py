"""Invoices as a Django app: what it adds to the trunk's registries, found in one place."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvoicesConfig(AppConfig):
    name = "invoices"
    verbose_name = _("Invoices")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from cases import auditing, reports, showing  # noqa: PLC0415 - models are ready only now
        from cases.management import objects  # noqa: PLC0415
        from cases.seeding import roles, writer  # noqa: PLC0415
        from cases.sheets import registry  # noqa: PLC0415
        from invoices import desk, effects, followers, guards  # noqa: F401, PLC0415 - they register
        from invoices import seeding as ours  # noqa: PLC0415
        from invoices.auditing import check_invoices  # noqa: PLC0415
        from invoices.papers import ready  # noqa: PLC0415
        from invoices.reports import invoices as invoice_sums  # noqa: PLC0415
        from invoices.sheets.kind import SHEET  # noqa: PLC0415
        from invoices.showing import handling_of, invoices_of  # noqa: PLC0415

        objects.KINDS["invoice"] = desk.INVOICE
        objects.ORDER_ACTS["issue_invoice"] = desk.ISSUE
        showing.PARTS_OF_ORDER["invoices"] = invoices_of
        showing.PARTS_OF_CASE["invoice_handling"] = handling_of
        roles.BESIDES_STEPS_OF["invoices"] = ours.RIGHTS
        writer.WRITERS["invoice_policies"] = ours.seed_policies
        auditing.CHECKERS["invoices"] = check_invoices
        ready.register()
        registry.add(SHEET)
        reports.MEASURES["invoices"] = invoice_sums
