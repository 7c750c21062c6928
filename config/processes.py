"""The processes of the office and their supervisor: none is lost, none is left behind."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from django.conf import settings

#: A process that dies this often within a minute will not heal by being started again.
HOPELESS = 4


class Broken(Exception):
    """A process cannot be kept alive; the text says which."""


def web_command(host: str, port: int) -> list[str]:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    # SQLite has one writer at a time: threads of one process wait for it most cheaply.
    workers = 1 if settings.IS_SQLITE else 2
    options = ["--workers", str(workers), "--worker-class", "gthread", "--threads", "8"]
    limits = ["--timeout", "120", "--graceful-timeout", "10", "--log-level", "warning"]
    command = [sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", address]
    return [*command, *options, *limits, "--no-control-socket"]


def worker_command(queue: str = "celery") -> list[str]:
    """The worker of a queue: the clock's tasks, or ``jobs``, which may take hours."""
    command = [sys.executable, "-m", "celery", "-A", "config", "-q", "worker"]
    quiet = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    if settings.IS_EMBEDDED_BROKER:
        # One process, beat included: nobody else can hear a broker that lives in memory. At
        # most two of its threads have jobs in hand (cases.tasks), the others are the clock's.
        return [*command, *quiet, "--queues", "celery,jobs", "--pool", "threads", "-c", "4"]
    # Each worker of a host needs a name of its own: on RabbitMQ the second would be turned away.
    mine = ["--hostname", f"{queue}@%h", "--queues", queue]
    return [*command, *quiet, *mine, "--pool", "prefork", "--concurrency", "2"]


def beat_command() -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "config", "-q", "beat", "--loglevel", "WARNING"]


def office_commands(host: str, port: int) -> dict[str, list[str]]:
    commands = {"web": web_command(host, port), "worker": worker_command()}
    if not settings.IS_EMBEDDED_BROKER:
        commands["jobs"] = worker_command("jobs")
        commands["beat"] = beat_command()
    return commands


def die_with_parent() -> Callable[[], None] | None:
    """On Linux: a child is told to end when its parent is killed without a chance to say so."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    pr_set_pdeathsig = 1

    def arrange() -> None:
        libc.prctl(pr_set_pdeathsig, signal.SIGTERM)

    return arrange


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@dataclass
class Child:
    """One process in a group of its own, so that stopping it stops what it started too."""

    name: str
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] = field(init=False)
    deaths: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
            self.command,
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,  # standard output belongs to the command's one JSON line
            start_new_session=True,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - one prctl call, before any thread
        )

    def revive(self) -> None:
        """Start again what died; Broken where that does not help."""
        code = self.process.returncode
        now = time.monotonic()
        self.deaths = [moment for moment in self.deaths if now - moment < 60] + [now]
        self.signal(signal.SIGKILL)  # whatever of its group still lives
        if len(self.deaths) >= HOPELESS:
            raise Broken(f"{self.name}: exit code {code}")
        self.start()

    def signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def has_ended(self) -> bool:
        return self.process.poll() is not None


class Office:
    """Starts web, worker and clock, keeps them alive, and stops all of them."""

    def __init__(self, host: str, port: int, environment: dict[str, str]) -> None:
        self.ready_file = Path(settings.VAR_DIR) / f"worker-ready-{os.getpid()}"
        self.ready_file.unlink(missing_ok=True)
        environment = {
            **environment,
            "WORKER_READY_FILE": str(self.ready_file),
            # In a container everything is root; Celery's page-long warning would hide the rest.
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        }
        commands = office_commands(host, port)
        self.children = [Child(name, command, environment) for name, command in commands.items()]
        self.stopping = False

    def start(self) -> None:
        for child in self.children:
            child.start()

    def tend(self) -> None:
        """Look after every process once; Broken where one cannot be kept alive."""
        for child in self.children:
            if child.has_ended() and not self.stopping:
                child.revive()

    def is_worker_ready(self) -> bool:
        return self.ready_file.exists()

    def stop(self, patience: float = 20.0) -> None:
        """Ask all to end, wait, then end them; afterwards none of their processes is left."""
        self.stopping = True
        for child in self.children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and not all(c.has_ended() for c in self.children):
            time.sleep(0.05)
        for child in self.children:
            child.signal(signal.SIGKILL)
            child.process.wait()
        self.ready_file.unlink(missing_ok=True)


@contextmanager
def stop_signals(office: Office) -> Iterator[None]:
    """Within: Ctrl-C, SIGTERM and a closed terminal only say that it is time to stop."""

    def stop(number: int, frame: FrameType | None) -> None:
        office.stopping = True

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
