"""The door itself: one step one by one, the same as a batch, and a user's own loop.

Every case of the bench is taken from application to its next state by the platform's sheet; the
floor is one UPDATE and one INSERT for all.
"""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from cases.flow.door import Actor, perform, perform_many
from cases.models import Case
from tests.bench import bare_sql, office, stand, stock
from tests.bench.sweep import outcome


def run(rows: int, database: str) -> Iterator[dict[str, Any]]:
    """``rows`` cases, all taken one step further."""
    now = timezone.now()
    stand.in_child(office.fill, rows, rows, now.isoformat())
    stand.keep(database)
    yield from stand.in_turn(
        "door",
        database,
        {
            "ours": lambda: batches(now),
            "ours, one by one": lambda: one_by_one(now),
            "stock": lambda: stock.sweep(now),
            "floor": lambda: bare_sql.sweep(now),
        },
        same=outcome,
    )


def _by_step() -> dict[str, list[int]]:
    steps: dict[str, list[int]] = {}
    for pk, step in Case.objects.order_by("pk").values_list("pk", "on_expiry"):
        steps.setdefault(step, []).append(pk)
    return steps


def batches(now: Any) -> int:
    clock = Actor.system()
    return sum(
        len(perform_many(clock, Case, pks, step, at=now).done) for step, pks in _by_step().items()
    )


def one_by_one(now: Any) -> int:
    clock, done = Actor.system(), 0
    for step, pks in _by_step().items():
        for case in Case.objects.filter(pk__in=pks).order_by("pk").iterator(chunk_size=500):
            perform(clock, case, getattr(Case, step), at=now)
            done += 1
    return done
