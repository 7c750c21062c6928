"""Two workers at one import at the same moment: one has it, each row is told and written once."""

import threading
from typing import Any

import pytest
from django.db import connection

from cases.models import ImportJob, Order
from cases.sheets import jobs
from cases.sheets.loading import running
from tests.cases.sheets.files.makers import NATIVE_ORDERS, csv_file, rows_of
from tests.cases.sheets.job_desk import fresh, hand_in, rows_told
from tests.cases.sheets.loading_desk import ORDER
from tests.factories import furnished

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROWS = 400


@pytest.fixture
def job(tmp_path, monkeypatch):
    furnished()
    monkeypatch.setitem(running.CHUNK, "postgresql", 10)
    rows = [ORDER | {"order_no": f"R{n}"} for n in range(ROWS)]
    path = csv_file(tmp_path / "race.csv", [NATIVE_ORDERS, *rows_of(NATIVE_ORDERS, *rows)])
    job = hand_in(path)
    jobs.check(job)
    jobs.work(job.pk)
    jobs.confirm(fresh(job), None)
    return fresh(job)


def at_once(*acts: Any) -> list[Any]:
    start, answers = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int) -> None:
        try:
            start.wait(10)
            answers[number] = acts[number]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_workers_that_ask_together_one_gets_the_job(job):
    answers = at_once(*[lambda: jobs.work(job.pk)] * 4)

    assert sorted(answers) == [False, False, False, True]
    assert len(rows_told(fresh(job))) == Order.objects.count() == ROWS


def test_workers_who_each_take_the_other_for_dead_write_nothing_twice(job):
    def impatient() -> None:
        for _turn in range(30):
            ImportJob.objects.filter(pk=job.pk).update(lease_until=None)
            jobs.work(job.pk)

    at_once(impatient, impatient)
    if fresh(job).status == "failed":  # taken three times from one who had got nowhere yet
        assert "三次" in fresh(job).problem
        jobs.go_on(fresh(job))
        jobs.work(job.pk)

    assert fresh(job).status == "done"
    told = rows_told(fresh(job))
    assert list(told) == list(range(2, ROWS + 2))
    assert set(told.values()) == {"created"}
    assert Order.objects.count() == ROWS
