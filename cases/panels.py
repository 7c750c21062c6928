"""What other apps show on the pages of a case, an order and a shop; they add it in their admin.

Each function gets the request and the row and answers with panels, or none; it asks a constant
number of queries. A panel is drawn by its own template, which sees it as ``panel``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from cases.models import Case, Order, Shop


@dataclass(frozen=True)
class Panel:
    """``template`` draws it; ``facts`` is what it shows. ``on_top``: a warning before all else."""

    template: str
    facts: dict[str, Any] = field(default_factory=dict)
    on_top: bool = False


OF_CASE: list[Callable[[HttpRequest, Case], list[Panel]]] = []
OF_ORDER: list[Callable[[HttpRequest, Order], list[Panel]]] = []
OF_SHOP: list[Callable[[HttpRequest, Shop], list[Panel]]] = []


def panels_of(registered: list[Any], request: HttpRequest, row: Any) -> dict[str, list[Panel]]:
    """``warnings`` for the top of a page, ``panels`` for its column."""
    found = [panel for show in registered for panel in show(request, row)]
    return {
        "warnings": [panel for panel in found if panel.on_top],
        "panels": [panel for panel in found if not panel.on_top],
    }
