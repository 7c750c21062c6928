"""Service promises as a Django app: what it adds to the trunk's registries, found in one place."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate  # noqa: TID251 - triggers belong to the schema
from django.utils.translation import gettext_lazy as _


def install_triggers(using: str = "default", **_kwargs: Any) -> None:
    """After every migrate: SQLite drops triggers whenever a table is remade."""
    from promises.models.triggers import install  # noqa: PLC0415 - models are ready only now

    install(connections[using])


class PromisesConfig(AppConfig):
    name = "promises"
    verbose_name = _("Service promises")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from cases import auditing, reports, showing  # noqa: PLC0415 - models are ready only now
        from cases.management import objects  # noqa: PLC0415
        from cases.seeding import roles, writer  # noqa: PLC0415
        from promises import desk, effects, followers, guards  # noqa: F401, PLC0415 - they register
        from promises import reports as our_reports  # noqa: PLC0415
        from promises import seeding as ours  # noqa: PLC0415
        from promises.auditing import check_promises  # noqa: PLC0415
        from promises.couriers import seed_couriers  # noqa: PLC0415
        from promises.sheets import kinds  # noqa: F401, PLC0415 - it registers
        from promises.showing import breaches_of, claims_of  # noqa: PLC0415

        post_migrate.connect(install_triggers, sender=self, dispatch_uid="promises.triggers")
        objects.KINDS.update({"claim": desk.CLAIM, "deposit": desk.DEPOSIT})
        objects.ORDER_ACTS["file_claim"] = desk.FILE_CLAIM
        showing.PARTS_OF_ORDER.update({"claims": claims_of, "breaches": breaches_of})
        roles.BESIDES_STEPS_OF["promises"] = ours.RIGHTS
        writer.WRITERS.update(
            {
                "terms": ours.seed_terms,
                "claim_limits": ours.seed_limits,
                "couriers": seed_couriers,
            }
        )
        reports.MEASURES["breaches"] = our_reports.breaches
        auditing.CHECKERS["promises"] = check_promises
