"""The start command: comes up whole, survives a kill, leaves nothing behind, goes on next time."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.faults.running import (
    answers,
    environment_of,
    last_json,
    processes_of,
    run,
    running_office,
    wait_until,
)

# Each starts an embedded office of its own.
pytestmark = pytest.mark.any_database


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    return environment_of(tmp_path)


@pytest.fixture
def office(environment, own_sqlite) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with running_office({**environment, "DATABASE_URL": own_sqlite}) as started:
        yield started


def test_start_once_shows_a_working_site_and_a_second_time_the_same_data(environment, tmp_path):
    first = run(environment, "start", "--once", "--no-demo")
    assert first.returncode == 0, first.stderr
    shown = last_json(first)
    second = run(environment, "start", "--once", "--no-demo")

    assert shown["database"] == "sqlite"
    assert shown["broker"] == "memory"
    assert (shown["orders"], shown["cases"]) == (0, 0)
    assert [one["username"] for one in shown["users"]] == ["admin"]
    again = last_json(second)
    assert again["users"] == shown["users"]  # signed in with the same password over HTTP
    assert processes_of(tmp_path) == set()


def test_ctrl_c_stops_everything(office, tmp_path):
    process, url = office
    assert answers(url)
    assert len(processes_of(tmp_path)) >= 3

    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=30) == 0
    assert processes_of(tmp_path) == set()
    assert not answers(url)


def test_a_killed_start_command_leaves_no_process_behind(office, tmp_path):
    process, _ = office

    process.kill()
    process.wait()

    assert wait_until(lambda: processes_of(tmp_path) == set(), 30)


def test_a_killed_worker_and_a_killed_web_server_come_back(office, tmp_path):
    process, url = office
    before = processes_of(tmp_path) - {process.pid}

    for pid in before:
        os.kill(pid, signal.SIGKILL)

    assert wait_until(lambda: len(processes_of(tmp_path) - before) >= 4)
    assert wait_until(lambda: answers(url))
    assert process.poll() is None


def test_a_taken_port_is_refused_before_anything_happens(environment, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        result = run(environment, "start", "--once", "--port", str(port))

    assert result.returncode == 2
    refusal = last_json(result)
    assert refusal["code"] == "bad_value"
    assert re.search(rf"--port {port + 1}\b", refusal["refused"])
    assert not (tmp_path / "db.sqlite3").exists()
