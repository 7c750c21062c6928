"""The start command: comes up whole, survives a kill, leaves nothing behind, goes on next time."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "manage.py", "start"]


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """An office of its own on an empty folder; nothing of this test run leaks into it."""
    ours = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "BROKER_URL", "SECRET_KEY", "DATABASE_POOL"}
    kept = {key: value for key, value in os.environ.items() if key not in ours}
    return {**kept, "VAR_DIR": str(tmp_path), "ENV_FILE": os.devnull}


def processes_of(var_dir: Path) -> set[int]:
    """Living processes that work on this folder, found by their environment."""
    mark = f"VAR_DIR={var_dir}".encode()
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "environ").read_bytes().split(b"\0")
            zombie = " Z " in (entry / "stat").read_text()
        except OSError:
            continue
        if mark in words and not zombie:
            found.add(int(entry.name))
    return found


def wait_until(what: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.1)
    return False


def answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/healthz", timeout=5) as response:  # noqa: S310 - our own address
            return response.status == 200
    except (URLError, OSError):
        return False


@pytest.fixture
def office(environment, tmp_path) -> Iterator[tuple[subprocess.Popen, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*COMMAND, "--no-demo", "--port", str(port)]
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        assert wait_until(lambda: "/admin/" in (tmp_path / "log").read_text()), log
        yield process, url
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pid in processes_of(tmp_path):
            os.kill(pid, signal.SIGKILL)
        log.close()


def once(environment, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--once", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_start_once_shows_a_working_site_and_a_second_time_the_same_data(environment, tmp_path):
    first = once(environment, "--no-demo")
    assert first.returncode == 0, first.stderr
    shown = json.loads(first.stdout.splitlines()[-1])
    second = once(environment, "--no-demo")

    assert shown["database"] == "sqlite"
    assert shown["broker"] == "memory"
    assert (shown["orders"], shown["cases"]) == (0, 0)
    assert [one["username"] for one in shown["users"]] == ["admin"]
    again = json.loads(second.stdout.splitlines()[-1])
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

        result = once(environment, "--port", str(port))

    assert result.returncode == 2
    refusal = json.loads(result.stdout.splitlines()[-1])
    assert refusal["code"] == "bad_value"
    assert re.search(rf"--port {port + 1}\b", refusal["refused"])
    assert not (tmp_path / "db.sqlite3").exists()
