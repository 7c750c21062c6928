"""Background work on invoices; it may run twice, late, or in parallel with itself."""

from celery import shared_task

from invoices.authority import authority, deliver


@shared_task
def call_the_authority() -> int:
    """Say to the tax authority what rows ask for (beat); returns how many calls were answered."""
    return deliver(authority())
