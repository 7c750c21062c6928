"""The single door: every step of every flow goes through perform(), one object or a batch.

One transaction: lock the rows in pk order, re-read, ask state, person and guards, run the steps
in memory, arm the clocks, book shared counters, write with statements that repeat the old state,
append the events, write what belongs to the step, tell the followers once.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from cases.flow import clock, hooks, writing
from cases.flow.actor import Actor, NotPermitted, Refused
from cases.flow.events import Event, digest_of, plain
from cases.flow.onewriter import OneWriter
from cases.flow.signals import transitioned
from cases.flow.states import Stateful, StepInfo

log = logging.getLogger("cases.flow")
S = TypeVar("S", bound=Stateful)

#: How many objects one transaction holds, by database: SQLite has one writer, so short ones.
BATCH = {"sqlite": 500, "postgresql": 500}
RETRIES = 4
_sqlite_door = OneWriter()


@dataclass
class Act:
    """One object's part of a batch; ``at`` and ``key`` as in perform()."""

    pk: int
    inputs: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    at: datetime | None = None


@dataclass(eq=False)
class Move:
    """One object on its way through the door; ``facts``: what guards found for step and effects."""

    subject: Any
    info: StepInfo
    actor: Actor
    at: datetime
    inputs: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    pk: int = 0
    #: What the moves of one batch have in common, so that they see each other's bookings.
    shared: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    refusal: Refused | None = None
    event: Event | None = None
    repeated: bool = False
    #: Only asked whether the step could be taken: inputs are not there yet.
    dry: bool = False

    @property
    def step(self) -> str:
        return self.info.name

    @property
    def target(self) -> str:
        return str(self.subject.state)

    @property
    def due_before(self) -> datetime | None:
        return self.before.get("due_at")

    def refuse(self, code: str, message: str | Promise, **detail: Any) -> None:
        """Keep the first refusal; the object drops out of the batch."""
        if self.refusal is None:
            kind = NotPermitted if code == "not_permitted" else Refused
            self.refusal = kind(message, code, **detail)


@dataclass
class Report:
    """What came of a batch: moves done, refusals and faults by pk, in the order asked."""

    done: list[Move] = field(default_factory=list)
    refused: list[tuple[int, Refused]] = field(default_factory=list)
    failed: list[tuple[int, Exception]] = field(default_factory=list)


def perform(
    actor: Actor,
    subject: S,
    step: Callable[..., Any],
    *,
    at: datetime | None = None,
    key: str | None = None,
    **inputs: Any,
) -> S:
    """Take one step on one object; returns the fresh object, the caller's copy is stale.

    ``at``: business time of the act, not before the object's last move. ``key``: the same key with
    the same inputs again changes nothing. Raises Refused (``code`` as in the contract).
    """
    report = perform_many(actor, type(subject), [Act(subject.pk, inputs, key, at)], step)
    if report.refused:
        raise report.refused[0][1]
    if report.failed:
        raise report.failed[0][1]
    return cast(S, report.done[0].subject)


def perform_many(
    actor: Actor,
    model: type[Stateful],
    acts: Iterable[Act | int],
    step: Callable[..., Any] | str,
    *,
    at: datetime | None = None,
    **inputs: Any,
) -> Report:
    """Take one step on many objects, a transaction per batch; each is done, refused or failed.

    ``inputs`` hold for all, an Act's own come on top. One bad row never stops the others.
    """
    info = model.steps()[step if isinstance(step, str) else step.__name__]
    size = BATCH.get(connection.vendor, 100)
    wanted: list[Act] = [a if isinstance(a, Act) else Act(a) for a in acts]
    for act in wanted:
        act.inputs = {**inputs, **act.inputs}
        act.at = act.at or at
    report = Report()
    for start in range(0, len(wanted), size):
        batch = wanted[start : start + size]
        moves: dict[int, Move] = {}
        for part in _rounds(batch):
            answers = once_more(lambda acts: _split(actor, model, info, acts), part)
            moves.update(zip(map(id, part), answers, strict=True))
        _sort_out([moves[id(act)] for act in batch], report)
    return report


def _rounds(acts: list[Act]) -> list[list[Act]]:
    """In rounds that hold an object once: its second act finds what the first left behind."""
    rounds: list[list[Act]] = []
    times: Counter[int] = Counter()
    for act in acts:
        if times[act.pk] == len(rounds):
            rounds.append([])
        rounds[times[act.pk]].append(act)
        times[act.pk] += 1
    return rounds


@dataclass
class Locked:
    """Rows that the caller's transaction has just locked, and what the acts on them share."""

    rows: Sequence[Stateful]
    shared: dict[str, Any]


def perform_locked(
    actor: Actor, locked: Locked, step: str, *, at: datetime, **inputs: Any
) -> Report:
    """As perform_many, for rows the caller's transaction has just locked (the sweep)."""
    model = type(locked.rows[0])
    info = model.steps()[step]
    acts = [Act(row.pk, dict(inputs), None, at) for row in locked.rows]
    report = Report()
    _sort_out(_split(actor, model, info, acts, locked), report)
    return report


def allowed(actor: Actor, subject: Stateful, *, at: datetime | None = None) -> list[str]:
    """The steps that state, person, guards and blockers permit now, in order of declaration."""
    model, facts = type(subject), cast("dict[str, Any]", {})
    if not subject.in_scope_of(actor):
        return []
    now = at or clock.now()
    names = []
    for name, info in model.steps().items():
        if subject.state not in info.sources or not actor.may(model, info):
            continue
        move = Move(subject, info, actor, now, facts=facts, source=subject.state, dry=True)
        _ask(model, [move], info)
        if move.refusal is None or move.refusal.code in _MISSING_INPUT:
            names.append(name)
    return names


#: A dry run has no inputs: a refusal for want of one does not mean that the step is closed.
_MISSING_INPUT = {"reason_required", "bad_value", "evidence_required"}


def once_more(unit: Callable[[Any], Any], argument: Any) -> Any:
    """Run a whole unit of work again after a deadlock, lock time-out or lost connection.

    Inside a surrounding transaction there is nothing to repeat: the outermost unit does it.
    """
    if connection.in_atomic_block:
        return unit(argument)
    for attempt in range(RETRIES):
        try:
            with _sqlite_door if connection.vendor == "sqlite" else nullcontext():
                return unit(argument)
        except OperationalError:
            if attempt == RETRIES - 1:
                raise
            connection.close_if_unusable_or_obsolete()
            time.sleep(0.05 * 2**attempt)
    return None


def _sort_out(moves: list[Move], report: Report) -> None:
    for move in moves:
        if move.refusal is not None:
            report.refused.append((move.pk, move.refusal))
        elif (fault := move.facts.get("fault")) is not None:
            report.failed.append((move.pk, fault))
        else:
            report.done.append(move)


def _split(
    actor: Actor,
    model: type[Stateful],
    info: StepInfo,
    acts: list[Act],
    locked: Locked | None = None,
) -> list[Move]:
    """Try the batch; where a write fails, roll back and halve until the bad one stands alone."""
    try:
        with transaction.atomic():
            return _through(actor, model, info, acts, locked)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - one bad row must not stop a sweep or an import
        if locked is not None:
            locked.shared.clear()  # it tells of what was rolled back
        if len(acts) == 1:
            return [_alone(actor, info, acts[0], error)]
    middle = len(acts) // 2
    halves = (acts[:middle], acts[middle:])
    return [move for part in halves for move in _split(actor, model, info, part)]


def _alone(actor: Actor, info: StepInfo, act: Act, error: Exception) -> Move:
    move = Move(None, info, actor, act.at or clock.now(), act.inputs, act.key, act.pk)
    if isinstance(error, Refused):
        move.refusal = error
    elif isinstance(error, TransitionNotAllowed):
        move.refuse("wrong_state", str(error))
    elif isinstance(error, IntegrityError) and "open" in str(error):
        move.refuse("open_case_exists", _("Another open case holds one of these order lines."))
    elif isinstance(error, (IntegrityError, writing.Stale)):
        move.refuse("stale", _("Someone else changed it at the same moment. Look again."))
        log.warning("%s on %s refused as stale: %s", info.name, act.pk, type(error).__name__)
    else:
        log.error("%s on %s failed", info.name, act.pk, exc_info=error)
        move.facts["fault"] = error
    return move


def _through(
    actor: Actor,
    model: type[Stateful],
    info: StepInfo,
    acts: list[Act],
    locked: Locked | None,
) -> list[Move]:
    if locked is None:
        locked = Locked(model.locked([act.pk for act in acts]), {})
    moves = _moves_of(actor, model, acts, info, locked)
    pending = _left([m for m in moves if not m.repeated])
    pending = _ask(model, pending, info)
    for move in pending:
        _run(move)
    pending = _left(pending)
    if info.moves:
        rearm = [m for m in pending if m.subject.state != m.source or info.rearm]
        if rearm:
            model.arm(rearm)
    pending = _book(model, pending, info)
    if pending:
        commit(model, pending)
    return moves


def _moves_of(
    actor: Actor, model: type[Stateful], acts: list[Act], info: StepInfo, locked: Locked
) -> list[Move]:
    """A move per act: the locked row, or why it is not to be touched, or the first answer again."""
    found = {row.pk: row for row in locked.rows}
    repeats = _repeated(model, acts)
    now = clock.now() if any(act.at is None for act in acts) else None
    moves = []
    for act in acts:
        row = found.get(act.pk)
        moment = act.at or cast(datetime, now)
        move = Move(row, info, actor, moment, dict(act.inputs), act.key, act.pk, locked.shared)
        moves.append(move)
        if row is None:
            move.refuse("unknown", _("There is no such object."))
        elif not row.in_scope_of(actor):
            move.refuse("not_in_your_shop", _("This belongs to a shop you are not a member of."))
        elif act.key in repeats:
            _answer_again(move, repeats[act.key])
        else:
            move.source = row.state
            move.before = row.__dict__.copy()
            _check_time(move, explicit=act.at is not None)
    return moves


def _book(model: type[Stateful], moves: list[Move], info: StepInfo) -> list[Move]:
    """Let each booking move its counters; the moves that fitted."""
    for number, booking in enumerate(hooks.bookings_of(model.flow_label(), info.name)):
        booking(moves)
        if number and (late := [m for m in moves if m.refusal is not None]):
            # An earlier booking has written already: roll back and split.
            raise cast(Refused, late[0].refusal)
        moves = _left(moves)
    return moves


def commit(model: type[Stateful], moves: list[Move]) -> None:
    """Write rows and events of steps that ran, then their effects, then tell the followers."""
    recorded_at = timezone.now()
    for move in moves:
        append(model, move, recorded_at)
    writing.write(model, moves)
    finish(model, moves)


def finish(model: type[Stateful], moves: list[Move]) -> None:
    """Events in, effects out, followers told: the second half of commit, shared with openings."""
    events = [cast(Event, m.event) for m in moves]
    writing.insert_rows(model.event_model, events)
    for effect in hooks.effects_of(model.flow_label(), moves[0].step):
        effect(moves)
    transitioned.send(sender=model, moves=moves)


def _left(moves: list[Move]) -> list[Move]:
    return [m for m in moves if m.refusal is None]


def _repeated(model: type[Stateful], acts: list[Act]) -> dict[str | None, Event]:
    keys = [a.key for a in acts if a.key]
    if not keys:
        return {}
    manager = cast(Any, model.event_model)._default_manager
    return {e.key: e for e in manager.filter(key__in=keys)}


def _answer_again(move: Move, event: Event) -> None:
    same = event.root_pk == move.subject.pk and event.digest == digest_of(
        move.step, plain(move.inputs)
    )
    if same:
        move.repeated, move.event = True, event
        return
    move.refuse(
        "key_reused",
        _("The key %(key)s was used for another act (%(verb)s). Take a new key.")
        % {"key": move.key, "verb": event.verb},
    )


def _check_time(move: Move, *, explicit: bool) -> None:
    last = move.subject.moved_at
    if last is None or move.at >= last:
        return
    if not explicit:
        move.at = last
        return
    move.refuse(
        "bad_value",
        _("%(at)s is before the last event (%(last)s). Give a later time.")
        % {"at": move.at.isoformat(), "last": last.isoformat()},
    )


def _ask(model: type[Stateful], moves: list[Move], info: StepInfo) -> list[Move]:
    """State, person, conditions, blockers, guards; returns the moves that nothing stops."""
    for move in moves:
        row = move.subject
        if row.state not in info.sources:
            move.refuse("wrong_state", _wrong_state(row, info))
        elif not move.actor.may(model, info):
            move.refuse("not_permitted", _not_permitted(move.actor, info))
        else:
            _ask_conditions(move)
    moves = _left(moves)
    _ask_blockers(model, moves, info)
    for guard in hooks.guards_of(model.flow_label(), info.name):
        moves = _left(moves)
        if moves:
            guard(moves)
    return _left(moves)


def _ask_blockers(model: type[Stateful], moves: list[Move], info: StepInfo) -> None:
    for blocker in hooks.blockers_of(model.flow_label(), info.name) if moves else ():
        stops = blocker([m.subject for m in moves])
        for move in moves:
            if move.subject.pk in stops:
                move.refuse("blocked", stops[move.subject.pk])


def _ask_conditions(move: Move) -> None:
    for condition in move.info.conditions:
        if not condition(move.subject):
            text = getattr(condition, "message", "") or _("This step is not open here.")
            move.refuse(getattr(condition, "code", "wrong_state"), text)
            return


def _wrong_state(row: Stateful, info: StepInfo) -> str:
    states = dict(cast(Any, row._meta).get_field("state").flatchoices)
    here = states.get(row.state, row.state)
    if len(info.sources) > 6:
        return _("%(what)s is %(state)s: “%(step)s” is not possible there.") % {
            "what": row,
            "state": here,
            "step": info.label,
        }
    return _("%(what)s is %(state)s: “%(step)s” is possible in %(states)s.") % {
        "what": row,
        "state": here,
        "step": info.label,
        "states": ", ".join(str(states.get(s, s)) for s in info.sources),
    }


def _not_permitted(actor: Actor, info: StepInfo) -> str:
    return _("%(who)s may not do “%(step)s”. Ask someone of: %(roles)s.") % {
        "who": actor,
        "step": info.label,
        "roles": ", ".join(sorted(info.by)),
    }


def _run(move: Move) -> None:
    row = move.subject
    row.acting = move
    try:
        getattr(row, move.step)(move.inputs)
    except Refused as refusal:
        move.refusal = refusal
    except TransitionNotAllowed:
        move.refuse("wrong_state", _wrong_state(row, move.info))
    if move.info.moves:
        row.moved_at = move.at


def append(model: type[Stateful], move: Move, recorded_at: datetime) -> None:
    """Make the event of a step that ran and link it to the row's chain, in memory.

    ``recorded_at``: the wall clock, one for the whole batch.
    """
    row = move.subject
    inputs = plain(move.inputs)
    note = str(inputs.pop("text", "") or "")
    due = move.due_before
    row.seq += 1
    row.version += 1
    event = cast(
        Event,
        model.event_model(
            **{model.event_root: row.pk},
            seq=row.seq,
            at=move.at,
            verb=move.step,
            source=move.source,
            target=row.state,
            recorded_at=recorded_at,
            user_id=move.actor.user.pk if move.actor.user else None,
            channel=move.actor.channel,
            inputs=inputs,
            note=note,
            key=move.key,
            digest=digest_of(move.step, plain(move.inputs)) if move.key else "",
            due_before=due if move.info.moves else None,
            late=bool(move.info.moves and due and move.at > due),
            prev=row.head,
        ),
    )
    event.hash = event.seal()
    row.head = event.hash
    move.event = event


@contextmanager
def unit() -> Iterator[None]:
    """One transaction for work around the door that is not a step (openings, records)."""
    outermost = not connection.in_atomic_block
    lock = _sqlite_door if outermost and connection.vendor == "sqlite" else nullcontext()
    with lock, transaction.atomic():
        yield


__all__ = [
    "Act",
    "Actor",
    "Move",
    "NotPermitted",
    "Refused",
    "Report",
    "allowed",
    "perform",
    "perform_locked",
    "perform_many",
]
