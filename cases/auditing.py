"""Recomputes every invariant of the trunk from the rows (trust.md, Invariants).

Sums are set-based SQL over all rows; event chains are streamed, so memory stays flat. Everything
reads one snapshot: what happens meanwhile neither disturbs nor is held up.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.auditsql import CHECKS, OVERDUE, Check
from cases.differences import judge, whole_orders
from cases.flow import clock, hooks
from cases.flow.events import Event, expected_triggers, standing_triggers
from cases.flow.states import Stateful, StepInfo
from cases.models.money import to_yuan

#: How long after a deadline (and after the last act was recorded) the sweep may take to come by.
GRACE = timedelta(hours=1)
#: So many violations of one kind are listed; more tell nothing new.
MOST = 200
#: What other apps look at in the same snapshot: (result, now, digest of heads), by their name.
CHECKERS: dict[str, Callable[["Audit", datetime, Any], None]] = {}
#: Channels without a person that are the house's own clock, not a platform's sheet.
CLOCKS = frozenset({"clock", "command"})

_COLUMNS = (
    "root_pk",
    "seq",
    "at",
    "recorded_at",
    "verb",
    "source",
    "target",
    "user_id",
    "channel",
    "inputs",
    "note",
    "key",
    "due_before",
    "late",
    "prev",
    "hash",
)


class EventRow(NamedTuple):
    """An event as far as its seal needs it; models are too slow for millions."""

    root_pk: int
    seq: int
    at: datetime
    recorded_at: datetime
    verb: str
    source: str
    target: str
    user_id: int | None
    channel: str
    inputs: dict[str, Any]
    note: str
    key: str | None
    due_before: datetime | None
    late: bool
    prev: str
    hash: str


@dataclass
class Audit:
    """What was looked at and what is wrong: ``violations`` are ``{what, object, detail}``.

    ``heads``: one digest over the last hash of every event chain; kept elsewhere it proves later
    that no history was cut off or written anew.
    """

    checked: int = 0
    violations: list[dict[str, str]] = field(default_factory=list)
    heads: str = ""
    _counts: dict[str, int] = field(default_factory=dict, repr=False)

    def found(self, what: str, label: object, detail: str) -> None:
        self._counts[what] = self._counts.get(what, 0) + 1
        if self._counts[what] <= MOST:
            self.violations.append({"what": what, "object": str(label), "detail": detail})

    def as_dict(self) -> dict[str, Any]:
        return {"checked": self.checked, "violations": self.violations, "heads": self.heads}


def audit(now: datetime | None = None) -> Audit:
    """Look at everything; ``now`` is the moment by which clocks are judged."""
    result = Audit()
    _check_triggers(result)
    with snapshot():
        for check in CHECKS:
            run(result, check)
        run(result, OVERDUE, overdue_since(now or clock.now()))
        _check_differences(result)
        digest = hashlib.sha256()
        for model in hooks.flows():
            _check_chains(result, model, digest)
        for look in CHECKERS.values():
            look(result, now or clock.now(), digest)
        result.heads = digest.hexdigest()
    return result


@contextmanager
def snapshot() -> Iterator[None]:
    """One consistent view of all rows, without holding up anybody who writes."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
            yield
    else:
        with connection.cursor() as cursor:
            # Not atomic(): that begins IMMEDIATE here and would lock every writer out.
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def _check_triggers(result: Audit) -> None:
    missing = expected_triggers(connection.vendor) - standing_triggers(connection)
    result.checked += len(expected_triggers(connection.vendor))
    for name in sorted(missing):
        result.found(
            "trigger_missing",
            name,
            _("This table can be changed afterwards. Run migrate, which puts the trigger back."),
        )


def run(result: Audit, check: Check, parameters: list[Any] | None = None) -> None:
    """Ask one question of all rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {check.over}")  # noqa: S608 - a constant of ours
        result.checked += cursor.fetchone()[0]
        cursor.execute(f"{check.sql} LIMIT {MOST}", parameters or [])
        for label, *values in cursor.fetchall():
            shown = [to_yuan(v) if check.money and isinstance(v, int) else v for v in values]
            result.found(check.what, label, str(check.text) % tuple(shown))


def _check_differences(result: Audit) -> None:
    """Each record of a platform says of itself in what it differs from us."""
    for rows in whole_orders():
        result.checked += len(rows)
        for row in judge(rows):
            text = _("What differs from the platform is not what both sides say now.")
            result.found("difference_not_true", f"platformrecord {row.pk}", text)


def overdue_since(now: datetime) -> list[Any]:
    """Due before this business moment, and last written before this moment of the wall clock."""
    convert = connection.ops.adapt_datetimefield_value
    return [convert(now - GRACE), convert(timezone.now() - GRACE)]


@dataclass
class _Chain:
    """One root's events so far, folded."""

    prev: str = ""
    seq: int = 0
    state: str = ""
    moved_at: datetime | None = None
    broken: bool = False


def _check_chains(result: Audit, model: type[Stateful], digest: Any) -> None:
    """Every chain: unbroken, each step an allowed edge, and the state its fold."""
    manager = cast(Any, model)._default_manager
    roots = manager.order_by("pk").values_list("pk", "state", "seq", "head")
    events = _events(model)
    row = next(events, None)
    name = model._meta.model_name
    for pk, state, seq, head in roots.iterator(chunk_size=5000):
        chain = _Chain()
        result.checked += 1
        digest.update(f"{name}:{pk}:{head}\n".encode())
        while row is not None and row.root_pk == pk:
            result.checked += 1
            if not chain.broken:
                _follow(result, f"{name} {pk}", chain, row, model)
            row = next(events, None)
        if chain.broken:
            continue
        if (chain.seq, chain.prev) != (seq, head):
            result.found("chain_cut", f"{name} {pk}", _("The last events are missing."))
        elif chain.state != state:
            result.found(
                "state_not_folded",
                f"{name} {pk}",
                _("The state is %(state)s, the events lead to %(fold)s.")
                % {"state": state, "fold": chain.state},
            )


def _events(model: type[Stateful]) -> Iterator[EventRow]:
    manager = cast(Any, model.event_model)._default_manager
    rows = manager.annotate(root_pk=F(model.event_root)).order_by(model.event_root, "seq")
    return map(EventRow._make, rows.values_list(*_COLUMNS).iterator(chunk_size=5000))


def _follow(result: Audit, label: str, chain: _Chain, row: EventRow, model: type[Stateful]) -> None:
    """Take one event onto the chain; report what does not fit."""
    if row.seq != chain.seq + 1:
        chain.broken = True
        result.found("chain_cut", label, _("Event %(seq)s is missing.") % {"seq": chain.seq + 1})
        return
    if row.prev != chain.prev or row.hash != Event.seal(cast(Any, row)):
        chain.broken = True
        result.found("event_changed", label, _("Event %(seq)s was changed.") % {"seq": row.seq})
        return
    wrong = _wrong_edge(chain, row, model)
    if wrong:
        result.found(
            "edge_not_allowed",
            label,
            _("Event %(seq)s, %(verb)s from %(source)s to %(target)s: %(wrong)s")
            % {
                "seq": row.seq,
                "verb": row.verb,
                "source": row.source or "–",
                "target": row.target,
                "wrong": wrong,
            },
        )
    info = model.steps().get(row.verb)
    chain.seq, chain.prev, chain.state = row.seq, row.hash, row.target
    if info is None or info.moves:
        chain.moved_at = row.at


def _wrong_edge(chain: _Chain, row: EventRow, model: type[Stateful]) -> str:
    info = model.steps().get(row.verb)
    if chain.seq == 0 or info is None:
        fits = chain.seq == 0 and row.verb in model.openings
        return "" if fits else _("a life begins with its opening, and only once.")
    if row.source != chain.state or row.source not in info.sources:
        return _("the step does not begin there.")
    if row.target not in (info.targets or (row.source,)):
        return _("the step does not lead there.")
    if row.user_id is None and row.channel in CLOCKS and "C" not in info.by:
        return _("the clock may not do this.")
    return _wrong_time(chain, row, info)


def _wrong_time(chain: _Chain, row: EventRow, info: StepInfo) -> str:
    if info.moves and chain.moved_at is not None and row.at < chain.moved_at:
        return _("it lies before the event before it.")
    if info.by == {"C"} and row.due_before is not None and row.at < row.due_before:
        return _("it came before its time.")
    return ""
