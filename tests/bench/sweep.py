"""The sweep of due clocks: a tenth of the cases is due and really moves, with its events.

Ours is ``enforce``. Stock is the loop a user would write: lock one row, run its django-fsm method,
save, write the event and what follows. The floor is set-based SQL without rules and hashes.
"""

from collections import Counter as Tally
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from cases.flow.sweep import enforce
from cases.models import Case, CaseEvent, CaseLine, OrderLine, Refund
from tests.bench import office, stand, stock


def run(rows: int, database: str) -> Iterator[dict[str, Any]]:
    """``rows`` cases, a tenth of them due."""
    due = rows // 10
    now = timezone.now()
    stand.in_child(office.fill, rows, due, now.isoformat())
    stand.keep(database)
    yield from stand.in_turn(
        "sweep",
        database,
        {"ours": lambda: ours(now), "stock": lambda: stock.sweep(now), "floor": lambda: floor(now)},
        same=outcome,
    )


def ours(now: datetime) -> int:
    counts = enforce(now)
    assert not counts["failed"], counts
    return int(counts["acted"])


def outcome() -> dict[str, Any]:
    """What all three must have brought about."""
    return {
        "states": dict(Tally(Case.objects.values_list("state", flat=True))),
        "verbs": dict(Tally(CaseEvent.objects.values_list("verb", flat=True))),
        "refunds": Refund.objects.count(),
        "open_lines": CaseLine.objects.filter(open=True).count(),
        "held": sum(OrderLine.objects.values_list("held", flat=True)),
    }


#: From which state which silence leads where, by remedy; the hours of the next clock.
EDGES = (
    ("accept_by_silence", "applied", "refund", "refunding", 24),
    ("accept_by_silence", "applied", "return_refund", "awaiting_return", 168),
    ("accept_by_silence", "applied", "exchange", "awaiting_return", 168),
    ("close_by_silence", "awaiting_return", "return_refund", "closed", None),
    ("refund_by_silence", "returning", "return_refund", "refunding", 24),
    ("confirm_receipt", "awaiting_receipt", "exchange", "completed", None),
)


def floor(now: datetime) -> int:
    """The same end by set-based SQL: no rules, no locks, no hashes; what the disk itself asks."""
    pg = connection.vendor == "postgresql"
    moved = 0
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for verb, source, remedy, target, hours in EDGES:
            which = "state = %s AND remedy = %s AND wake_at IS NOT NULL AND wake_at <= %s"
            given = [source, remedy, now]
            cursor.execute(
                "INSERT INTO cases_caseevent (case_id, seq, at, recorded_at, verb, source, target,"
                " channel, inputs, note, digest, due_before, late, prev, hash)"
                f" SELECT id, seq + 1, %s, %s, %s, state, %s, 'clock', '{{}}', '', '', due_at,"
                f" {'false' if pg else '0'}, head, %s FROM cases_case WHERE {which}",
                [now, now, verb, target, "0" * 64, *given],
            )
            moved += cursor.rowcount
            if target == "refunding":
                cursor.execute(
                    "INSERT INTO cases_refund (number, case_id, order_id, state, amount, freight,"
                    " method, payee, reference, platform_number, attempts, failure, at)"
                    " SELECT 'RF' || id, id, order_id, 'due', amount_requested, 0, '', '', '', '',"
                    f" 0, '', %s FROM cases_case WHERE {which}",
                    [now, *given],
                )
            if hours is None:
                inside = f"case_id IN (SELECT id FROM cases_case WHERE {which})"
                lines = f"id IN (SELECT order_line_id FROM cases_caseline WHERE {inside})"
                cursor.execute(
                    f"UPDATE cases_orderline SET held = held - 1, reserved = 0 WHERE {lines}", given
                )
                cursor.execute(
                    f"UPDATE cases_caseline SET held = 0, reserved = 0, open = "
                    f"{'false' if pg else '0'} WHERE {inside}",
                    given,
                )
            due = "NULL"
            if hours is not None:
                due = (
                    f"CAST(%s AS timestamptz) + interval '{hours} hours'"
                    if pg
                    else f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', %s, '+{hours} hours')"
                )
            times = [] if hours is None else [now, now]
            cursor.execute(
                f"UPDATE cases_case SET state = %s, due_at = {due}, wake_at = {due},"
                f" seq = seq + 1, version = version + 1, head = %s WHERE {which}",
                [target, *times, "0" * 64, *given],
            )
        cursor.execute("COMMIT")
    return moved
