"""What `manage.py check` must refuse beyond Django's own checks."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def production_shares_its_rows(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Several processes and hosts need a database and a broker that all of them reach."""
    if not settings.IS_PRODUCTION:
        return []
    found: list[CheckMessage] = []
    if settings.IS_SQLITE:
        found.append(
            Error(
                "SQLite is for one machine; the production profile runs on several.",
                hint="Set DATABASE_URL to a PostgreSQL database.",
                id="office.E001",
            )
        )
    if settings.IS_EMBEDDED_BROKER:
        found.append(
            Error(
                "A broker in memory is heard by its own process only.",
                hint="Set BROKER_URL to Redis or RabbitMQ.",
                id="office.E002",
            )
        )
    return found


@register(deploy=True)
def personal_data_has_its_own_key(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    if len(settings.PHONE_HASH_KEY) >= 32:
        return []
    hint = "Set PHONE_HASH_KEY to at least 32 random characters, or leave it out."
    return [Error("PHONE_HASH_KEY is too short to protect phone numbers.", hint, id="office.E003")]
