"""The floor of the sweep: set-based SQL without rules, guards and hashes."""
# ruff: noqa: S608 - the statements are put together from constants of this file

from datetime import datetime
from typing import Any

from django.db import connection, transaction

#: From which state which silence leads where, by remedy; the hours of the next clock.
EDGES = (
    ("accept_by_silence", "applied", "refund", "refunding", 24),
    ("accept_by_silence", "applied", "return_refund", "awaiting_return", 168),
    ("accept_by_silence", "applied", "exchange", "awaiting_return", 168),
    ("close_by_silence", "awaiting_return", "return_refund", "closed", None),
    ("refund_by_silence", "returning", "return_refund", "refunding", 24),
    ("confirm_receipt", "awaiting_receipt", "exchange", "completed", None),
)
DUE = "state = %s AND remedy = %s AND wake_at IS NOT NULL AND wake_at <= %s"


def sweep(now: datetime) -> int:
    moved = 0
    with transaction.atomic(), connection.cursor() as cursor:
        for edge in EDGES:
            moved += _edge(cursor, now, *edge)
    return moved


def _edge(
    cursor: Any, now: datetime, verb: str, source: str, remedy: str, target: str, hours: int | None
) -> int:
    given, no = [source, remedy, now], "false" if connection.vendor == "postgresql" else "0"
    cursor.execute(
        "INSERT INTO cases_caseevent (case_id, seq, at, recorded_at, verb, source, target,"
        " channel, inputs, note, digest, due_before, late, prev, hash)"
        " SELECT id, seq + 1, %s, %s, %s, state, %s, 'clock', '{}', '', '', due_at,"
        f" {no}, head, %s FROM cases_case WHERE {DUE}",
        [now, now, verb, target, "0" * 64, *given],
    )
    moved = int(cursor.rowcount)
    if target == "refunding":
        cursor.execute(
            "INSERT INTO cases_refund (number, case_id, order_id, state, amount, freight,"
            " method, payee, reference, platform_number, attempts, failure, at)"
            " SELECT 'RF' || id, id, order_id, 'due', amount_requested, 0, '', '', '', '',"
            f" 0, '', %s FROM cases_case WHERE {DUE}",
            [now, *given],
        )
    if hours is None:
        mine = f"case_id IN (SELECT id FROM cases_case WHERE {DUE})"
        lines = f"id IN (SELECT order_line_id FROM cases_caseline WHERE {mine})"
        cursor.execute(
            f"UPDATE cases_orderline SET held = held - 1, reserved = 0 WHERE {lines}", given
        )
        cursor.execute(
            f"UPDATE cases_caseline SET held = 0, reserved = 0, open = {no} WHERE {mine}", given
        )
    due = _later(hours)
    cursor.execute(
        f"UPDATE cases_case SET state = %s, due_at = {due}, wake_at = {due},"
        f" seq = seq + 1, version = version + 1, head = %s WHERE {DUE}",
        [target, *([] if hours is None else [now, now]), "0" * 64, *given],
    )
    return moved


def _later(hours: int | None) -> str:
    if hours is None:
        return "NULL"
    if connection.vendor == "postgresql":
        return f"CAST(%s AS timestamptz) + interval '{hours} hours'"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', %s, '+{hours} hours')"
