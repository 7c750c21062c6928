"""The sweep of due clocks: a tenth of the cases is due and really moves, with its events.

Ours is ``enforce``. Stock is the loop a user would write: lock one row, run its django-fsm method,
save, write the event and what follows. The floor is set-based SQL without rules and hashes.
"""

from collections import Counter as Tally
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone

from cases.flow.sweep import enforce
from cases.models import Case, CaseEvent, CaseLine, OrderLine, Refund
from tests.bench import bare_sql, office, stand, stock


def run(rows: int, database: str) -> Iterator[dict[str, Any]]:
    """``rows`` cases, a tenth of them due."""
    due = rows // 10
    now = timezone.now()
    stand.in_child(office.fill, rows, due, now.isoformat())
    stand.keep(database)
    yield from stand.in_turn(
        "sweep",
        database,
        {
            "ours": lambda: ours(now),
            "stock": lambda: stock.sweep(now),
            "floor": lambda: bare_sql.sweep(now),
        },
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
