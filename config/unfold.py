"""How the admin looks: names, colours, sidebar with badges (django-unfold's settings).

Settings import this before any app is ready: everything that asks the database is named by its
dotted path and called per request.
"""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("After-sales"),
    "SITE_HEADER": _("After-sales"),
    "SITE_SYMBOL": "assignment_return",
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": False,
    "SITE_DROPDOWN": "config.home.shops",
    "ENVIRONMENT": "config.home.environment",
    "DASHBOARD_CALLBACK": "config.home.dashboard",
    "LOGIN": {"form": "config.second_factor.LoginForm"},
    # A palette over models would cache what it found for five minutes and ignore the shop scope.
    "COMMAND": {"search_models": False, "show_history": False},
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("cases/favicon.svg"),
        }
    ],
    "STYLES": [lambda request: static("cases/desk.css")],
    "SCRIPTS": [lambda request: static("cases/desk.js")],
    "COLORS": {
        "primary": {
            "50": "#eef4ff",
            "100": "#dbe6fe",
            "200": "#bfd3fe",
            "300": "#93b4fd",
            "400": "#6090fa",
            "500": "#5b86ff",
            "600": "#2450dc",
            "700": "#1d40b5",
            "800": "#1e3992",
            "900": "#1e3474",
            "950": "#172147",
        }
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "config.home.sidebar",
    },
}


def item(  # noqa: PLR0913, PLR0917 - an entry is one line in the sidebar's table
    title: Any, icon: str, link: str, permission: str = "", badge: int = 0, variant: str = "info"
) -> dict[str, Any]:
    """One entry of the sidebar; ``permission``: who may not open the page does not see it."""

    def may_open(request: HttpRequest) -> bool:
        return not permission or bool(request.user.has_perm(permission))

    entry: dict[str, Any] = {"title": title, "icon": icon, "link": link, "permission": may_open}
    if badge:
        entry.update(badge=badge, badge_variant=variant, badge_style="light")
    return entry
