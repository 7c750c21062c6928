"""kill -9 in the middle of a batch, and a broker that forgets: nothing is lost, nothing doubled."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from kombu import Connection

from tests.faults.processes import due_office, every_case_moved_once, start_sweep
from tests.faults.running import ROOT, environment_of, last_json, run, wait_until

pytestmark = pytest.mark.postgres

KILLS = 5
ROWS = 2_500
WORKER = [sys.executable, "-m", "celery", "-A", "config", "worker", "-B", "-c", "1", "-l", "ERROR"]


@contextmanager
def watcher(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True, application_name="watcher") as connection:
        yield connection


def is_in_a_batch(seen: psycopg.Connection[Any]) -> bool:
    """Somebody has locked due cases and has not committed yet."""
    found = seen.execute(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name <> 'watcher' AND xact_start IS NOT NULL"
        " AND state <> 'idle' AND query ~ 'cases_(case|order|caseline)'"
    ).fetchone()
    return found is not None


def moved(seen: psycopg.Connection[Any]) -> int:
    row = seen.execute("SELECT count(*) FROM cases_caseevent WHERE channel = 'clock'").fetchone()
    assert row is not None
    return int(row[0])


def kill_in_a_batch(process: subprocess.Popen[Any], seen: psycopg.Connection[Any]) -> None:
    """At a random moment of a batch; the process and all its children."""
    deadline = time.monotonic() + 60
    while not is_in_a_batch(seen):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(random.uniform(0, 0.1))
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_sweep_killed_in_the_middle_again_and_again_moves_each_case_once(own_postgres, tmp_path):
    environment = environment_of(
        tmp_path, DATABASE_URL=own_postgres, DJANGO_SETTINGS_MODULE="config.settings"
    )
    due_office(environment, ROWS)
    with watcher(own_postgres) as seen:
        for _kill in range(KILLS):
            kill_in_a_batch(start_sweep(environment), seen)
        before = moved(seen)

    last = last_json(run(environment, "enforce"))

    assert before < ROWS  # the kills really stopped work
    assert last["acted"] == ROWS - before
    assert last["failed"] == 0
    every_case_moved_once(environment, ROWS)


@pytest.fixture
def broker() -> str:
    """A database of Redis that no other story uses."""
    url = os.environ.get("REDIS_URL") or os.environ.get("BROKER_URL", "")
    if not url.startswith(("redis", "valkey")):
        pytest.skip("no Redis is named by REDIS_URL or BROKER_URL")
    own = urlsplit(url)._replace(path="/11").geturl()
    flush(own)
    return own


def flush(url: str) -> None:
    """The broker loses everything it had."""
    with Connection(url) as connection:
        connection.default_channel.client.flushdb()


def start_worker(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with Path(environment["VAR_DIR"], "worker.log").open("a") as log:
        return subprocess.Popen(
            WORKER, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )


def test_a_worker_killed_again_and_again_and_a_lost_broker_lose_nothing(
    own_postgres, broker, tmp_path
):
    environment = environment_of(
        tmp_path,
        DATABASE_URL=own_postgres,
        BROKER_URL=broker,
        SWEEP_SECONDS="1",
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    due_office(environment, ROWS)
    with watcher(own_postgres) as seen:
        for number in range(KILLS):
            kill_in_a_batch(start_worker(environment), seen)
            if number % 2:
                flush(broker)
        assert moved(seen) < ROWS
        flush(broker)
        worker = start_worker(environment)
        try:
            assert wait_until(lambda: moved(seen) >= ROWS, 90)
        finally:
            worker.terminate()
            worker.wait(timeout=30)

    every_case_moved_once(environment, ROWS)
