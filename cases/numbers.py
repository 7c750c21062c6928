"""Our own numbers for cases and refunds, from locked counters."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from cases.models import Counter


def take(series: str, prefix: str, at: datetime, count: int = 1) -> list[str]:
    """The next ``count`` numbers of a series, as prefix + day + running number.

    Numbers of a rolled-back act are given out again; the counter is locked until the end of the
    transaction, so take them as late as you can.
    """
    if count == 0:
        return []
    with transaction.atomic():
        row = Counter.objects.select_for_update().filter(name=series).first()
        if row is None:
            Counter.objects.bulk_create([Counter(name=series)], ignore_conflicts=True)
            row = Counter.objects.select_for_update().get(name=series)
        first = row.value + 1
        row.value += count
        row.save(update_fields=["value"])
    day = at.astimezone(ZoneInfo("Asia/Shanghai"))
    return [f"{prefix}{day:%y%m%d}{number:06d}" for number in range(first, first + count)]
