"""The site as a Django app: commands, home page, texts; it owns no tables."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    name = "config"
