"""How a worker takes a job in hand: lease, language, what happens when it fails or is stopped.

Imports and exports alike. The work itself is a function of the job; it renews the lease with every
piece it commits (``renew``) and stops where ``Stopped`` is raised.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.models.jobs import ATTEMPTS, ENDED, WORK, Job, JobStatus
from cases.sheets.reader import Unreadable

log = logging.getLogger(__name__)


#: Set when this process is told to end: jobs are put down after the piece in hand.
_ending = threading.Event()


class Stopped(Exception):
    """The job was cancelled, or another worker has it: whatever is not committed is rolled back."""


def renew(job: Job, rows: int = 0, *, seconds: int | None = None) -> None:
    """Keep the job in hand and count ``rows`` more; raises Stopped where it is no longer ours.

    Called first in a piece's transaction it locks the job's row, so the piece is committed only
    by whoever holds the job.
    """
    length = timedelta(seconds=seconds or settings.JOB_LEASE_SECONDS)
    news: dict[str, Any] = {"lease_until": timezone.now() + length}
    if rows:
        news.update(rows_done=F("rows_done") + rows, attempts=0)
    if _ending.is_set() or not type(job).objects.held(job).update(**news):
        raise Stopped


def finish(job: Job, status: str, **news: Any) -> None:
    """The job's end, or the end of one of its phases; raises Stopped where it is not ours."""
    ended = {"finished_at": timezone.now()} if status in ENDED else {}
    rest = {"status": status, "lease_until": None, "run_token": "", "attempts": 0, "problem": ""}
    if not type(job).objects.held(job).update(**rest, **ended, **news):
        raise Stopped
    job.refresh_from_db()


def waiting(model: type[Job]) -> Iterator[int]:
    """Jobs to work on, the oldest first; asked anew after each."""
    passed, rows = 0, model.objects.waiting().values_list("pk", flat=True)
    while pk := rows.filter(pk__gt=passed).first():
        yield pk
        passed = pk


def times_of(job: Job, *names: str) -> dict[str, str | None]:
    """Moments of a job as JSON has them, in the office's zone."""
    found = {name: getattr(job, name) for name in names}
    zone = timezone.get_default_timezone()
    return {name: at.astimezone(zone).isoformat() if at else None for name, at in found.items()}


def work_on(model: type[Job], pk: int, do: Callable[[Any], object]) -> bool:
    """Take the job in hand and do it; False where there was nothing to take.

    A refusal and an unreadable file end it, with their words. Anything unforeseen leaves it to the
    next attempt, which goes on where this one stopped.
    """
    job = model.objects.claim(pk)
    if job is None:
        _put_aside(model, pk)
        return False
    with translation.override(job.language):
        try:
            do(job)
        except Stopped:
            put_down(job)
        except (Unreadable, Refused) as problem:
            fail(job, problem.message)
        except OperationalError:
            connection.close_if_unusable_or_obsolete()
            _note(job, _("The database was not to be reached."))
        except Exception as fault:
            # Its text may hold what stood in a row: only its kind goes to the page.
            log.exception("job %s", job.job_no)
            said = {"fault": type(fault).__name__}
            _note(job, _("A fault of ours (%(fault)s); it is in the log.") % said)
    return True


def cancel(job: Job) -> None:
    """Stop it: at once where nobody works on it, else after the piece that is being written."""
    jobs = type(job).objects.filter(pk=job.pk).exclude(status__in=ENDED)
    jobs.update(cancel_asked=True)
    _put_aside(type(job), job.pk)
    job.refresh_from_db()


def _put_aside(model: type[Job], pk: int) -> None:
    """End what is to be stopped and in nobody's hand, and what was begun too often."""
    rows = model.objects.filter(pk=pk)
    ended = {"finished_at": timezone.now(), "lease_until": None, "run_token": ""}
    idle = rows.filter(cancel_asked=True).exclude(status__in=[*ENDED, *WORK])
    for stopped in (idle, rows.waiting().order_by().filter(cancel_asked=True)):
        stopped.update(status=JobStatus.CANCELLED, **ended)
    for job in rows.waiting().filter(attempts__gte=ATTEMPTS):
        with translation.override(job.language):
            again = _("Begun three times without getting any further, and given up.")
        text = " ".join(filter(None, [again, job.problem]))
        still = rows.waiting().order_by().filter(attempts__gte=ATTEMPTS)
        still.update(status=JobStatus.FAILED, problem=text, **ended)


def fail(job: Job, text: str) -> None:
    """The end, with what a person must know to make it better."""
    ended = {"finished_at": timezone.now(), "lease_until": None, "run_token": ""}
    mine = type(job).objects.filter(pk=job.pk, run_token=job.run_token, status__in=WORK)
    mine.update(status=JobStatus.FAILED, problem=text, **ended)


def end_soon() -> None:
    """Put down what is in hand after its current piece: this process is told to end."""
    _ending.set()


def put_down(job: Job) -> None:
    """Let go of it at once, for whoever comes next."""
    mine = type(job).objects.filter(pk=job.pk, run_token=job.run_token, status__in=WORK)
    mine.update(lease_until=None, run_token="", attempts=0)
    _put_aside(type(job), job.pk)


def _note(job: Job, text: str) -> None:
    """The lease is left to run out, so the next attempt comes after a pause."""
    mine = type(job).objects.filter(pk=job.pk, run_token=job.run_token, status__in=WORK)
    mine.update(problem=text)
