"""Service promises as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PromisesConfig(AppConfig):
    name = "promises"
    verbose_name = _("Service promises")
    default_auto_field = "django.db.models.BigAutoField"
