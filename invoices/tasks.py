"""Background work on invoices; it may run twice, late, or in parallel with itself."""

from celery import shared_task
from django.conf import settings

from invoices.authority import authority, deliver
from invoices.papers import printjobs


@shared_task
def call_the_authority() -> int:
    """Say to the tax authority what rows ask for (beat); returns how many calls were answered."""
    return deliver(authority())


@shared_task(
    acks_late=False,  # the job's row is what is handed out again, not the message
    time_limit=settings.JOB_TIME_LIMIT,
    soft_time_limit=settings.JOB_TIME_LIMIT - 60,
)
def run_prints() -> int:
    """Print jobs that wait or whose worker died (beat); returns how many it took in hand."""
    return sum(printjobs.work(pk) for pk in printjobs.waiting())


@shared_task
def remove_old_prints() -> int:
    """Remove printed files that were kept long enough (beat: hourly)."""
    return printjobs.remove_old()
