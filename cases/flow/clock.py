"""The clocks of flow rows: business now, start, stop, hold, resume, extend.

``now()`` is the only source of business time. The arithmetic (pauses, working hours) is pure and
lives in businesstime; what starts here is written by the door together with the step.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.db import connection
from django.utils import timezone

from cases.flow.businesstime import Days, deadline, elapsed
from cases.flow.states import Stateful

Pauses = Sequence[tuple[datetime, datetime]]
_override: ContextVar[datetime | None] = ContextVar("business_now", default=None)


@contextmanager
def standing_at(moment: datetime) -> Iterator[None]:
    """Business time stands at ``moment`` inside the block (``--now``, ``--at``, tests)."""
    token = _override.set(moment)
    try:
        yield
    finally:
        _override.reset(token)


def now() -> datetime:
    """Business now: an override, else the database's clock, else this machine's."""
    moment = _override.get()
    if moment is not None:
        return moment
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement_timestamp()")
            return cast(datetime, cursor.fetchone()[0])
    return timezone.now()


@dataclass(frozen=True)
class ClockSpec:
    """What a policy says of one state: who must act, within what, what happens then.

    ``reminders``: percentages of the time, ascending, as "50,90". ``days``: None counts elapsed
    time, a calendar counts working time.
    """

    on: str
    length: timedelta
    on_expiry: str
    reminders: str = ""
    days: Days | None = None
    pauses: Pauses = ()


def start(  # noqa: PLR0913 - a clock has these and no more
    row: Stateful,
    at: datetime,
    spec: ClockSpec,
    *,
    since: datetime | None = None,
    cap: datetime | None = None,
    due: datetime | None = None,
) -> None:
    """Start a fresh clock.

    ``since``: time counts from there; ``cap``: never due later than that; ``due``: the platform's
    own deadline, which wins over the policy.
    """
    began = since or at
    result = deadline(began, spec.length, pauses=spec.pauses, days=spec.days)
    due_at, provisional = result.at, result.provisional
    if cap is not None and cap < due_at:
        due_at, provisional = cap, False
    if due is not None:
        due_at, provisional = due, False
    exact = due_at == result.at
    row.clock_on, row.on_expiry = spec.on, spec.on_expiry
    row.clock_started_at, row.due_at, row.provisional = began, due_at, provisional
    # 0: the deadline does not follow from a length and is never worked out again.
    row.clock_seconds = int(spec.length.total_seconds()) if exact else 0
    row.clock_working = spec.days is not None
    row.reminders = spec.reminders
    row.extensions = row.extended_seconds = row.sweep_failures = 0
    row.escalated_at = None
    set_wake(row, at)


def set_wake(row: Stateful, after: datetime) -> None:
    """The next time the sweep must look: a reminder still ahead, else the deadline."""
    if row.due_at is None or row.clock_started_at is None:
        row.wake_at = None
        return
    ahead = []
    span = row.due_at - row.clock_started_at
    for percent in [int(p) for p in row.reminders.split(",") if p]:
        moment = row.clock_started_at + span * percent / 100
        if moment > after:
            ahead.append((moment, percent))
    row.reminders = ",".join(str(p) for _, p in ahead)
    row.wake_at = min(ahead[0][0], row.due_at) if ahead else row.due_at


def stop(row: Stateful) -> None:
    """No clock runs: the flow ended, or the state has none."""
    row.due_at = row.wake_at = row.clock_started_at = row.escalated_at = None
    row.clock_on = row.on_expiry = row.reminders = ""
    row.clock_seconds = row.extensions = row.extended_seconds = row.sweep_failures = 0
    row.clock_working = row.provisional = False


def time_left(row: Stateful, at: datetime, spec: ClockSpec | None) -> timedelta:
    """What is left of the running clock at ``at``; nothing when it is past."""
    if row.due_at is None or row.due_at <= at:
        return timedelta(0)
    pauses, days = (spec.pauses, spec.days) if spec else ((), None)
    return elapsed(at, row.due_at, pauses=pauses, days=days)


def extend(row: Stateful, at: datetime, by: timedelta) -> None:
    """Move the deadline; the reminders follow the longer time."""
    if row.due_at is not None:
        row.due_at += by
        seconds = int(by.total_seconds())
        if row.clock_working:
            row.extended_seconds += seconds
        elif row.clock_seconds:
            row.clock_seconds += seconds
        row.extensions += 1
        row.escalated_at = None
        set_wake(row, at)
