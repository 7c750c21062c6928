"""The one sweep: finds what is due, takes the expiry steps, sends reminders, marks what is stuck.

Rows are found and locked in one statement, so parallel sweeps share the work and no row is acted
on twice. The sweep may run late, twice or in parallel; the rows are the truth, not the knock.
"""

import gc
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from cases.flow import clock, hooks, writing
from cases.flow.door import BATCH, Actor, Locked, Refused, Report, once_more, perform_locked
from cases.flow.states import Stateful

log = logging.getLogger("cases.flow")
ATTEMPTS = 3


@dataclass
class Tally:
    """What one sweep did, as ``enforce`` prints it."""

    now: datetime
    due: int = 0
    acted: int = 0
    reminded: int = 0
    escalated: int = 0
    skipped: int = 0
    failed: int = 0
    seen: set[int] = field(default_factory=set, repr=False)

    def as_dict(self) -> dict[str, Any]:
        names = ("due", "acted", "reminded", "escalated", "skipped", "failed")
        return {"now": self.now.isoformat(), **{n: getattr(self, n) for n in names}}


def enforce(now: datetime | None = None) -> dict[str, Any]:
    """One sweep over every flow at ``now`` (default: the database's clock)."""
    at = now or clock.now()
    tally = Tally(at)
    with clock.standing_at(at), _unhurried_collector():
        for model in hooks.flows():
            tally.seen.clear()
            while once_more(lambda m: _batch(m, tally), model):
                pass
    return tally.as_dict()


@contextmanager
def _unhurried_collector() -> Iterator[None]:
    """Look for cycles less often: a quarter of a sweep went into it, and found next to nothing."""
    usual = gc.get_threshold()
    gc.set_threshold(50_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _batch(model: type[Stateful], tally: Tally) -> bool:
    """Lock and deal with one batch; False when nothing is left for this sweep."""
    size = BATCH.get(connection.vendor, 100)
    before = replace(tally, seen=set(tally.seen))
    try:
        with transaction.atomic():
            waiting = model._default_manager.filter(wake_at__isnull=False, wake_at__lte=tally.now)
            if tally.seen:
                waiting = waiting.exclude(pk__in=tally.seen)
            rows: list[Stateful] = list(
                waiting.select_for_update(skip_locked=True, of=("self",)).order_by("wake_at", "pk")[
                    :size
                ]
            )
            if rows:
                _deal_with(model, rows, tally)
    except BaseException:
        # Rolled back: nothing of it happened, so nothing of it is counted.
        tally.__dict__.update(before.__dict__)
        raise
    return bool(rows)


def _deal_with(model: type[Stateful], rows: list[Stateful], tally: Tally) -> None:
    due = [r for r in rows if r.due_at is not None and r.due_at <= tally.now]
    early = [r for r in rows if r.due_at is None or r.due_at > tally.now]
    if early:
        _remind(model, early, tally)
    tally.due += len(due)
    groups: dict[str, list[Stateful]] = defaultdict(list)
    for row in due:
        groups[row.on_expiry if _may_act(row) else "escalate"].append(row)
    shared: dict[str, Any] = {}
    acting = [row for name, group in groups.items() if name != "escalate" for row in group]
    if acting:
        hooks.prepare(model.flow_label(), acting, shared)
    for name, group in groups.items():
        _act(name, Locked(group, shared), tally)


def _may_act(row: Stateful) -> bool:
    """A provisional deadline triggers no money by itself: it only calls a person."""
    info = type(row).steps().get(row.on_expiry)
    return info is not None and not (row.provisional and "refunding" in info.targets)


def _act(name: str, locked: Locked, tally: Tally) -> None:
    clock_actor, model = Actor.system("clock"), type(locked.rows[0])
    report = perform_locked(clock_actor, locked, name, at=tally.now)
    if name == "escalate":
        tally.escalated += len(report.done)
    else:
        tally.acted += len(report.done)
    stuck = [pk for pk, refusal in report.refused if refusal.code != "stale"]
    if stuck and name != "escalate":
        # The step is refused (goods still lie with us, …): a person has to look, once per clock.
        fresh = Locked(model.locked(stuck), {})
        again = perform_locked(
            clock_actor, fresh, "escalate", at=tally.now, text=_reasons(report.refused)
        )
        tally.escalated += len(again.done)
        report = Report(report.done, again.refused, [*report.failed, *again.failed])
    tally.skipped += len(report.refused)
    tally.seen.update(pk for pk, _ in report.refused)
    _count_failures(model, report, tally)


def _reasons(refused: list[tuple[int, Refused]]) -> str:
    return "; ".join(dict.fromkeys(refusal.message for _, refusal in refused))


def _count_failures(model: type[Stateful], report: Report, tally: Tally) -> None:
    """A row that fails is tried again by later sweeps, three times; then it waits for a person."""
    for pk, error in report.failed:
        tally.failed += 1
        tally.seen.add(pk)
        row = model.locked([pk])[0]
        values = [
            row.sweep_failures + 1,
            None if row.sweep_failures + 1 >= ATTEMPTS else row.wake_at,
        ]
        fields = [model._meta.get_field("sweep_failures"), model._meta.get_field("wake_at")]
        writing.update_rows(model, fields, [[pk, *writing.values_for(fields, values)]])
        log.error("sweep: %s %s failed, attempt %s: %s", model.__name__, pk, values[0], error)


def _remind(model: type[Stateful], rows: list[Stateful], tally: Tally) -> None:
    """Reminders are notices, not events; each goes out once."""
    fields = [model._meta.get_field("wake_at"), model._meta.get_field("reminders")]
    changes = []
    for row in rows:
        clock.set_wake(row, tally.now)
        changes.append([row.pk, *writing.values_for(fields, [row.wake_at, row.reminders])])
    writing.update_rows(model, fields, changes)
    model.notify(rows, "reminder", tally.now)
    tally.reminded += len(rows)
