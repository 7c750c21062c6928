"""Offices that really run beside the tests: their environment, processes and answers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, "manage.py"]
#: What this test run was told and an office of its own must not hear.
OURS = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "BROKER_URL", "SECRET_KEY", "DATABASE_POOL"}


def environment_of(var_dir: Path, **more: str) -> dict[str, str]:
    """An office of its own on an empty folder; nothing of this test run leaks into it."""
    kept = {key: value for key, value in os.environ.items() if key not in OURS}
    return {**kept, "VAR_DIR": str(var_dir), "ENV_FILE": os.devnull, **more}


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


def wait_until(what: Callable[[], bool], seconds: float = 150) -> bool:
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


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """One command of manage.py, with its output."""
    return subprocess.run(
        [*MANAGE, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def last_json(result: subprocess.CompletedProcess[str]) -> Any:
    """The one JSON object a command ends with."""
    assert result.stdout, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


@contextmanager
def running_office(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The start command without a demo, and its address; killed whole afterwards."""
    var_dir = Path(environment["VAR_DIR"])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*MANAGE, "start", "--no-demo", "--port", str(port)]
    with (var_dir / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            assert wait_until(lambda: "/admin/" in (var_dir / "log").read_text())
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()
            for pid in processes_of(var_dir):
                os.kill(pid, signal.SIGKILL)
