"""How the admin looks: names, colours, sidebar (django-unfold's settings)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("After-sales"),
    "SITE_HEADER": _("After-sales"),
    "SITE_SYMBOL": "assignment_return",
    "SITE_URL": "/admin/",
    "SHOW_LANGUAGES": True,
    "LOGIN": {"form": "config.second_factor.LoginForm"},
    "COMMAND": {"search_models": False, "show_history": False},
}
