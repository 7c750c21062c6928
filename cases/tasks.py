"""Background work on cases; every task may run twice, late, or in parallel with itself."""

import logging

from celery import shared_task

from cases.flow.sweep import enforce

log = logging.getLogger(__name__)


@shared_task
def sweep_clocks() -> dict[str, object]:
    """Act on every clock that ran out (beat: every 30 s, 2 s embedded); returns the counts."""
    counts = enforce()
    if counts["due"]:
        log.info("sweep: %s", counts)
    return counts
