"""Background work on promises; it may run twice, late, or in parallel with itself."""

import logging

from celery import shared_task

from promises.breaches.finding import find

log = logging.getLogger(__name__)


@shared_task
def find_breaches() -> dict[str, int]:
    """Look at the orders whose time has come (beat); returns the counts."""
    counts = find()
    if counts["looked"]:
        log.info("breaches: %s", counts)
    return counts
