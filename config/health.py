"""Whether the office works: 200 only when the database and the broker answer."""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from config.celery import app


def ask_database() -> str:
    """Return the kind of database that answered; DatabaseError where none did."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return str(connection.vendor)


def ask_broker() -> str:
    """Return the broker's transport; OperationalError where it does not answer in two seconds."""
    if settings.IS_EMBEDDED_BROKER:
        return "memory"  # it lives inside the worker: there is nothing outside to ask
    with app.connection_for_read(connect_timeout=2) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        return str(broker.transport.driver_type)


def ask(question: Callable[[], str], *expected: type[Exception]) -> tuple[str, bool]:
    try:
        return question(), True
    except expected as fault:
        return f"no answer ({type(fault).__name__})", False


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """`{"status", "database", "broker"}`; 503 and "down" where one of them does not answer."""
    database, database_up = ask(ask_database, DatabaseError)
    broker, broker_up = ask(ask_broker, OperationalError, OSError)
    well = database_up and broker_up
    return JsonResponse(
        {"status": "ok" if well else "down", "database": database, "broker": broker},
        status=200 if well else 503,
    )
