"""How a flow row begins: row, clock, first event and what follows, in the caller's transaction."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise

from cases.flow import door, writing
from cases.flow.door import Actor, Move
from cases.flow.states import Stateful, StepInfo


def opening(name: str, label: str | Promise, by: str) -> StepInfo:
    """A beginning as timelines name it; it is no step, and leads from nowhere."""
    return StepInfo(
        name=name,
        label=label,
        sources=(),
        targets=(),
        by=frozenset(by.split()),
        conditions=(),
        moves=True,
        rearm=False,
        danger=False,
        help="",
    )


def begin(  # noqa: PLR0913, PLR0917 - a beginning has these and no more
    info: StepInfo,
    actor: Actor,
    row: Any,
    at: datetime,
    inputs: dict[str, Any] | None = None,
    key: str | None = None,
) -> Any:
    """Write a row that is not there yet, with its clock, its first event and what follows."""
    model: type[Stateful] = type(row)
    row.moved_at = at
    move = Move(row, info, actor, at, inputs or {}, key)
    model.arm([move])
    model._default_manager.bulk_create([row])
    move.pk = row.pk
    move.before = {"state": "", "version": 0}
    door.append(model, move, timezone.now())
    fields = [model._meta.get_field(n) for n in ("seq", "head", "version")]
    values = writing.values_for(fields, [row.seq, row.head, row.version])
    writing.update_rows(model, fields, [[row.pk, *values]])
    door.finish(model, [move])
    return row
