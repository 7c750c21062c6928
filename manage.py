#!/usr/bin/env python3
"""Every command of the office; on a bare machine it first makes its own environment.

`python3 manage.py start` brings up the whole site, `python3 manage.py test` passes the tests.
Where Django cannot be imported, a `.venv` is made beside this file from the pinned, hashed
lists in config/requirements, and the command goes on inside it.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LISTS = ROOT / "config" / "requirements"
OLDEST = (3, 11)


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_inside() -> bool:
    return VENV.is_dir() and Path(sys.prefix).resolve() == VENV.resolve()


def is_importable(*names: str) -> bool:
    return all(importlib.util.find_spec(name) is not None for name in names)


def install(name: str) -> None:
    """Bring .venv to the named list; nothing is done where it already holds exactly that list."""
    wanted = LISTS / f"{name}.txt"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    mark = VENV / f"installed-{name}"
    if mark.is_file() and mark.read_text() == digest:
        return
    say(f"正在安装 / Installing {wanted.relative_to(ROOT)} into .venv (once, under a minute) …")
    python = os.fspath(venv_python())
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-q"]
    command = [*pip, "--require-hashes", "-r", os.fspath(wanted)]
    # Our own pinned list, no shell.
    result = subprocess.run(command, stdout=sys.stderr, check=False)  # noqa: S603
    if result.returncode:
        say("The packages could not be installed: see pip's words above, then run this again.")
        raise SystemExit(1)
    mark.write_text(digest)


def make_environment(name: str) -> None:
    if not venv_python().exists():
        say("正在准备环境 / Making the environment .venv …")
        command = [sys.executable, "-m", "venv", os.fspath(VENV)]
        result = subprocess.run(command, stdout=sys.stderr, check=False)  # noqa: S603
        if result.returncode:
            say(
                "Python's venv module does not work here. "
                "On Debian or Ubuntu: apt-get install python3-venv, then run this again."
            )
            raise SystemExit(1)
    install(name)


def enter_environment(*, testing: bool) -> None:
    """Return inside an environment that has what the command needs, or start it over there."""
    needed = ("django", "pytest_django", "hypothesis", "xdist") if testing else ("django",)
    if not is_inside() and is_importable(*needed):
        return  # somebody else's environment, prepared on purpose
    make_environment("dev" if testing else "base")
    if is_inside():
        return
    python = os.fspath(venv_python())
    command = [python, os.fspath(ROOT / "manage.py"), *sys.argv[1:]]
    if os.name == "nt":
        raise SystemExit(subprocess.run(command, check=False).returncode)  # noqa: S603
    os.execv(python, command)  # noqa: S606


def main() -> None:
    if sys.version_info < OLDEST:
        say(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {sys.version.split()[0]}. "
            "Start it with a newer one, for example: python3.12 manage.py start"
        )
        raise SystemExit(2)
    testing = sys.argv[1:2] == ["test"]
    enter_environment(testing=testing)
    if testing:
        # A worker per core; `-n 0` runs them one after the other, for a debugger.
        side_by_side = ["--numprocesses=auto", "--dist=loadgroup"]
        command = [sys.executable, "-m", "pytest", *side_by_side, *sys.argv[2:]]
        raise SystemExit(subprocess.run(command, cwd=ROOT, check=False).returncode)  # noqa: S603
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Only now: Django may have been installed a moment ago.
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
