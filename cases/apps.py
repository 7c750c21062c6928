"""The trunk as a Django app."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate  # noqa: TID251 - triggers belong to the schema
from django.utils.translation import gettext_lazy as _


def install_triggers(using: str = "default", **_kwargs: Any) -> None:
    """After every migrate: SQLite drops triggers whenever a table is remade."""
    from cases.flow.events import install_triggers  # noqa: PLC0415 - models are ready only now

    install_triggers(connections[using])


class CasesConfig(AppConfig):
    name = "cases"
    verbose_name = _("After-sales")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # They register with the door; what compares does so after what writes.
        from cases import effects, guards, limits, rules  # noqa: F401, PLC0415, I001
        from cases import differences  # noqa: F401, PLC0415
        from cases.sheets import ours  # noqa: F401, PLC0415 - its kinds of sheets

        post_migrate.connect(install_triggers, sender=self, dispatch_uid="cases.triggers")
