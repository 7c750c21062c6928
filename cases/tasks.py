"""Background work on cases; every task may run twice, late, or in parallel with itself."""

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db.models import QuerySet

from cases.admin.listing import listed
from cases.flow.sweep import enforce
from cases.models import ExportJob
from cases.sheets import exportjobs, jobs, registry

log = logging.getLogger(__name__)
#: Jobs at once in one process.
_room = threading.BoundedSemaphore(2)


@shared_task
def sweep_clocks() -> dict[str, object]:
    """Act on every clock that ran out (beat: every 30 s, 2 s embedded); returns the counts."""
    counts = enforce()
    if counts["due"]:
        log.info("sweep: %s", counts)
    return counts


@shared_task(
    acks_late=False,  # the job's row is what is handed out again, not the message
    time_limit=settings.JOB_TIME_LIMIT,
    soft_time_limit=settings.JOB_TIME_LIMIT - 60,
)
def run_jobs() -> int:
    """Work on imports that wait or whose worker died (beat); returns how many it took in hand."""
    return _work(jobs.waiting(), jobs.work)


@shared_task(
    acks_late=False,
    time_limit=settings.JOB_TIME_LIMIT,
    soft_time_limit=settings.JOB_TIME_LIMIT - 60,
)
def run_exports() -> int:
    """The same for exports, which do not queue up behind a long import."""
    return _work(exportjobs.waiting(), lambda pk: exportjobs.work(pk, _rows_of))


def _work(waiting: Iterable[int], work: Callable[[int], bool]) -> int:
    """In the embedded worker jobs are threads beside the clock's: never so many that it waits."""
    if not _room.acquire(blocking=False):
        return 0
    try:
        return sum(work(pk) for pk in waiting)
    finally:
        _room.release()


def _rows_of(job: ExportJob) -> QuerySet[Any]:
    """What the list shows the job's maker now."""
    model = registry.kind_of(job.kind).model
    rows: QuerySet[Any] = listed(model, job.query, job.created_by).queryset
    return rows


@shared_task
def remove_old_files() -> int:
    """Remove exported and imported files that were kept long enough (beat: hourly)."""
    return exportjobs.remove_old() + jobs.remove_old()
