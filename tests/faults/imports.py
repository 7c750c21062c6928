"""An import that is killed again and again, as a script that has a database of its own.

    python -m tests.faults.imports FILE KILLS

Each worker is a fork of this process, killed at a random moment after it has committed something
new; the last one is left alone. Prints what then stands in the database.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import django

django.setup()

from django.db import connections  # noqa: E402 - the settings come first

from cases.models import ImportJob  # noqa: E402
from cases.sheets import jobs  # noqa: E402
from cases.sheets.loading import running  # noqa: E402
from tests.cases.sheets.job_desk import digests, rows_told  # noqa: E402


def a_worker(pk: int) -> int:
    """The process id of a worker that has the job in hand."""
    connections.close_all()  # none is shared with a child
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            jobs.work(pk)
            status = 0
        finally:
            os._exit(status)
    return pid


def killed(pk: int) -> bool:
    """A worker killed after it has written something; False where it was done before that."""
    before = ImportJob.objects.values_list("rows_done", flat=True).get(pk=pk)
    pid = a_worker(pk)
    ended, status = 0, 0
    while not ended and ImportJob.objects.values_list("rows_done", flat=True).get(pk=pk) == before:
        time.sleep(0.005)
        ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        time.sleep(random.uniform(0, 0.05))
        os.kill(pid, signal.SIGKILL)
        _pid, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def main() -> None:
    path, kills = Path(sys.argv[1]), int(sys.argv[2])
    running.CHUNK.update(sqlite=200, postgresql=200)  # enough chunks to die in
    with path.open("rb") as file:
        job = jobs.begin(file, path.name, shop="shop", may_create_shop=True)
    jobs.check(job)
    assert killed(job.pk)  # a check may die too
    ImportJob.objects.update(lease_until=None)
    jobs.work(job.pk)
    job.refresh_from_db()
    jobs.confirm(job, None)
    deaths = 0
    for _kill in range(kills):
        deaths += killed(job.pk)
        ImportJob.objects.update(lease_until=None)  # as if its time had run out
    jobs.work(job.pk)
    job.refresh_from_db()
    rows = rows_told(job)
    print(  # noqa: T201 - a script
        json.dumps(
            {
                "status": job.status,
                "deaths": deaths,
                "rows": len(rows),
                "checked": sum(jobs.counts_of(job, "check").values()),
                "counts": jobs.counts_of(job, "run"),
                "tables": digests(),
            }
        )
    )


if __name__ == "__main__":
    main()
