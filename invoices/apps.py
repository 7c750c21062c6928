"""Invoices as a Django app: what it adds to the trunk's registries, found in one place."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvoicesConfig(AppConfig):
    name = "invoices"
    verbose_name = _("Invoices")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from cases.sheets import registry  # noqa: PLC0415 - models are ready only now
        from invoices.sheets.kind import SHEET  # noqa: PLC0415

        registry.add(SHEET)
