"""The site as a Django app: commands, home page, texts; it owns no tables."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import checks  # noqa: F401, PLC0415 - they register themselves
        from config.foreign_words import mark_words  # noqa: PLC0415 - models are there only now

        mark_words()
