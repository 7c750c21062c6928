"""The Celery application; the clock's beat is a thread of the worker on the embedded broker."""

import os
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps
from celery.beat import EmbeddedService
from celery.signals import worker_ready, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("shouhou")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class EmbeddedBeat(bootsteps.StartStopStep):
    """Beat inside the worker: an in-memory broker is heard in its own process only."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self.enabled = str(worker.app.conf.broker_url).startswith("memory:")

    def include_if(self, worker: Any) -> bool:
        return bool(self.enabled)

    def create(self, worker: Any) -> Any:
        # Named here: a service by itself would keep its schedule in a file.
        scheduler = worker.app.conf.beat_scheduler
        return EmbeddedService(worker.app, thread=True, scheduler_cls=scheduler)


app.steps["worker"].add(EmbeddedBeat)


@worker_ready.connect
def say_ready(**kwargs: Any) -> None:
    """Tell the start command, which waits for it, that this worker takes tasks now."""
    if place := os.environ.get("WORKER_READY_FILE"):
        Path(place).touch()


@worker_shutting_down.connect
def put_jobs_down(**kwargs: Any) -> None:
    """Imports and exports in hand stop after their current rows; the next worker goes on."""
    from cases.sheets.working import end_soon  # noqa: PLC0415 - models are ready only now

    end_soon()
