"""What every test stands on."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings

from cases.flow.events import create_triggers, drop_triggers

# A loaded machine is slow, not wrong.
settings.register_profile(
    "office", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("office")

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-only",
        action="store_true",
        help="leave out what says the same with every database",
    )


def asks_the_database(item: pytest.Item) -> bool:
    """Whether another database could make another answer of it."""
    if "any_database" in item.keywords:
        return False
    if {"faults", "e2e"}.intersection(item.path.parts) or "django_db" in item.keywords:
        return True
    if issubclass(getattr(item, "cls", None) or object, TransactionTestCase):
        return True
    return bool({"db", "transactional_db"}.intersection(getattr(item, "fixturenames", ())))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    from django.conf import settings as site  # noqa: PLC0415 - configured only by now

    for item in items:
        # Side by side, what kills, races or draws has a worker to itself, or it would be slow.
        if together := {"faults", "e2e"}.intersection(item.path.parts):
            item.add_marker(pytest.mark.xdist_group(together.pop()))
        if "postgres" in item.keywords and site.IS_SQLITE:
            item.add_marker(pytest.mark.skip(reason="row locks and races need PostgreSQL"))
        if "browser" in item.keywords and CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="a story in a browser needs Chromium"))
    if site.IS_SQLITE:
        # The longest pieces of work first, or one worker would end long after the others. On
        # PostgreSQL they leave a database behind that only such stories can start from.
        items.sort(key=lambda item: "xdist_group" not in item.keywords)
    if config.getoption("--database-only"):
        left = [item for item in items if not asks_the_database(item)]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if asks_the_database(item)]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium; no downloads, and quiet about hosts it would otherwise ask."""
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}


@pytest.fixture(scope="session", autouse=True)
def flush_lifts_and_restores_the_append_only_triggers() -> Iterator[None]:
    """Transactional tests empty the tables afterwards, which those tables rightly refuse."""
    operations = type(connection.ops)
    original = operations.sql_flush

    def sql_flush(self: Any, style: Any, tables: list[str], **kwargs: Any) -> list[str]:
        flush = original(self, style, tables, **kwargs)
        if not flush:
            return flush
        vendor = self.connection.vendor
        return [*drop_triggers(vendor), *flush, *create_triggers(vendor)]

    operations.sql_flush = sql_flush
    yield
    operations.sql_flush = original
