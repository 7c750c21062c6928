"""Work running clocks out again after a pause or a calendar was entered."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from cases.flow import clock, writing
from cases.flow.businesstime import deadline
from cases.flow.door import once_more
from cases.models import Case
from cases.models.clocks import PolicyBook, platforms_of, shop_days

CHUNK = 500


def recompute(platform: str | None = None, *, guessed: bool = False) -> int:
    """Deadlines that follow from a length are worked out anew; returns how many changed.

    ``platform``: only that platform's; ``guessed``: only those of a year without a calendar.

    The platform's own deadlines and those cut short by another limit stay. No event is written:
    nothing happened to the case, only the calendar is better known.
    """
    at = clock.now()
    chosen = Q(due_at__isnull=False, clock_seconds__gt=0)
    if platform:
        chosen &= Q(shop__platform=platform)
    if guessed:
        chosen &= Q(provisional=True)
    moved, last = 0, 0
    while True:
        part: tuple[int, int, bool] = once_more(lambda pk: _chunk(chosen, pk, at), last)
        count, last, done = part
        moved += count
        if done:
            return moved


def _chunk(chosen: Q, after: int, at: Any) -> tuple[int, int, bool]:
    with transaction.atomic():
        rows = Case.objects.select_for_update(of=("self",)).filter(chosen, pk__gt=after)
        cases = list(rows.order_by("pk")[:CHUNK])
        if not cases:
            return 0, after, True
        book = PolicyBook.load(at)
        platforms = platforms_of(cases)
        days: dict[int, Any] = {}
        names = ["due_at", "wake_at", "provisional", "reminders", "version"]
        fields = [Case._meta.get_field(n) for n in names]
        changes = []
        for case in cases:
            if case.clock_working and case.shop_id not in days:
                days[case.shop_id] = shop_days(case.shop)
            result = deadline(
                case.clock_started_at,
                timedelta(seconds=case.clock_seconds),
                pauses=book.pauses.get(platforms[case.shop_id], ()),
                days=days[case.shop_id] if case.clock_working else None,
            )
            due = result.at + timedelta(seconds=case.extended_seconds)
            if (due, result.provisional) == (case.due_at, case.provisional):
                continue
            case.due_at, case.provisional = due, result.provisional
            asleep = case.wake_at is None
            clock.set_wake(case, at)
            if asleep and case.due_at <= at:
                case.wake_at = None  # it was escalated; it is not called again
            case.version += 1
            values = writing.values_for(fields, [getattr(case, n) for n in names])
            changes.append([case.pk, *values])
        writing.update_rows(Case, fields, changes)
        return len(changes), cases[-1].pk, len(cases) < CHUNK
