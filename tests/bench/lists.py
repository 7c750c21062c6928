"""The lists of the admin as they grow: queries, seconds and size of one page at each size.

Ours is the changelist as staff see it. Stock is Django's own ModelAdmin over the same columns;
the floor is the page's rows by one SELECT.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.models import User
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.models import Case, Order
from tests.bench import office, stand

PAGES = {"case": "/admin/cases/case/", "order": "/admin/cases/order/"}


def run(rows: int, database: str) -> Iterator[dict[str, Any]]:
    """At 10, 100, … up to ``rows`` cases and as many orders."""
    stand.in_child(collect)
    size, made = 10, 0
    measured: list[dict[str, Any]] = []
    while size <= rows:
        stand.in_child(
            office.fill, size - made, (size - made) // 10, timezone.now().isoformat(), made
        )
        stand.in_child(_analyze)
        made = size
        for name, address in PAGES.items():
            for who, page in (("ours", ours), ("stock", stock), ("floor", floor)):
                taken = min(
                    (stand.in_child(page, name, address) for _turn in range(stand.TURNS)),
                    key=lambda one: one["seconds"],
                )
                measured.append(
                    {"name": "list", "database": database, "who": who, "page": name, "rows": size}
                    | taken
                )
                yield measured[-1]
        size *= 10
    yield {"name": "list", "database": database, "ratios": _ratios(measured)}


def _ratios(measured: list[dict[str, Any]]) -> dict[str, Any]:
    last = max(one["rows"] for one in measured)
    out: dict[str, Any] = {}
    for name in PAGES:
        mine = {m["rows"]: m for m in measured if m["page"] == name and m["who"] == "ours"}
        plain = next(
            m for m in measured if (m["page"], m["who"], m["rows"]) == (name, "stock", last)
        )
        out[f"{name}: stock/ours at {last}"] = round(plain["seconds"] / mine[last]["seconds"], 2)
        out[f"{name}: queries"] = sorted({m["queries"] for m in mine.values()})
    return out


def collect() -> None:
    """Pages name static files by their hashed names, as in production."""
    with redirect_stdout(sys.stderr):
        call_command("collectstatic", interactive=False, verbosity=0)


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _measure(work: Any) -> dict[str, Any]:
    work()  # templates are compiled, the content types known
    with CaptureQueriesContext(connection) as queries:
        began = time.perf_counter()
        size = work()
        seconds = time.perf_counter() - began
    in_sql = sum(float(q["time"]) for q in queries.captured_queries)
    return {
        "seconds": round(seconds, 4),
        "sql_seconds": round(in_sql, 4),
        "queries": len(queries),
        "kilobytes": round(size / 1024),
    }


def _boss() -> User:
    user, _made = User.objects.get_or_create(
        username="boss", defaults={"is_staff": True, "is_superuser": True}
    )
    return user


def ours(name: str, address: str) -> dict[str, Any]:
    client = Client(SERVER_NAME="localhost")
    client.force_login(_boss(), backend="django.contrib.auth.backends.ModelBackend")

    def page() -> int:
        response = client.get(address)
        assert response.status_code == 200, response.status_code
        return len(response.content)

    return _measure(page)


class StockCases(ModelAdmin):  # type: ignore[type-arg]
    list_display = ["case_no", "shop", "order", "kind", "state", "reason", "owner", "due_at"]
    list_filter = ["state", "kind", "shop"]
    search_fields = ["case_no", "order__order_no"]
    list_per_page = 25


class StockOrders(ModelAdmin):  # type: ignore[type-arg]
    list_display = ["order_no", "shop", "status", "paid_amount", "paid_at"]
    list_filter = ["status", "shop"]
    search_fields = ["order_no", "buyer"]
    list_per_page = 25


def stock(name: str, address: str) -> dict[str, Any]:
    """Django's own changelist: the same columns as a user would list them."""
    model, kind = (Case, StockCases) if name == "case" else (Order, StockOrders)
    admin: Any = kind(model, AdminSite())
    user = _boss()

    def page() -> int:
        request: Any = RequestFactory(SERVER_NAME="localhost").get(address)
        request.user, request.session = user, SessionStore()
        request._messages = FallbackStorage(request)
        return len(admin.changelist_view(request).render().content)

    return _measure(page)


def floor(name: str, address: str) -> dict[str, Any]:
    model = Case if name == "case" else Order

    def page() -> int:
        return len(str(list(model._default_manager.order_by("-pk").values_list()[:25])))

    return _measure(page)
