"""Workbooks (.xlsx, .xls, .ods) through the guarded child process."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from datetime import time as clock_time
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _

from cases.sheets import child
from cases.sheets.guard import Unreadable, error_cells, sheet_part
from cases.sheets.values import Native

MEMORY: Final = 2 * 2**30
CPU_SECONDS: Final = 300
#: How long one answer may take; the time we spend with the rows ourselves does not count.
WAIT_SECONDS: Final = 300
_READ: Final = 2**18
_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG")

Cells = list[Native]


class Book:
    """One opened workbook; a context manager, because a process hangs on it."""

    def __init__(self, path: Path, *, memory: int = MEMORY, wait: float = WAIT_SECONDS) -> None:
        self.path = path
        self.wait = wait
        self._buffer = bytearray()
        command = [sys.executable, "-P", child.__file__, str(path), str(memory), str(CPU_SECONDS)]
        self._process = subprocess.Popen(  # noqa: S603  # our own script, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Our secrets stand in the environment; a parser of strangers' files needs none.
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )
        try:
            self.sheets: list[tuple[str, bool]] = [
                (str(name), bool(visible)) for name, visible in self._answer()["sheets"]
            ]
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        process = self._process
        for pipe in (process.stdin, process.stdout):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        if process.poll() is None:
            process.kill()
        process.wait()

    def head(self, sheet: str, count: int) -> list[Cells]:
        self._ask({"head": sheet, "count": count})
        found: list[Cells] = self._answer()
        return found

    def rows(self, sheet: str) -> Iterator[tuple[int, Cells]]:
        """Every row with its number; what the parser blanked because of an error is put back."""
        errors = self._errors(sheet)
        by_row: dict[int, list[tuple[int, str]]] = {}
        for (row, column), value in errors.items():
            by_row.setdefault(row, []).append((column, value))
        self._ask({"rows": sheet})
        number = 0
        while (batch := self._answer()) is not None:
            for cells in batch:
                number += 1
                for column, value in by_row.get(number, ()):
                    if column < len(cells) and cells[column] == "":
                        cells[column] = value
                yield number, cells

    def _errors(self, sheet: str) -> dict[tuple[int, int], str]:
        with self.path.open("rb") as file:
            if file.read(2) != b"PK":
                return {}
        try:
            part = sheet_part(self.path, [name for name, _visible in self.sheets].index(sheet))
        except KeyError:  # .ods has no such parts
            return {}
        return error_cells(self.path, part) if part else {}

    def _ask(self, question: dict[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101  # opened as a pipe above
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._died() from error

    def _answer(self) -> Any:
        line = self._line()
        found = json.loads(line, object_hook=_native)
        if isinstance(found, dict) and "error" in found:
            if found["error"] == "encrypted":
                message = _("The workbook is protected by a password; save it without one.")
                raise Unreadable("encrypted", message)
            raise Unreadable("damaged", _("The workbook is damaged; export it again."))
        return found

    def _line(self) -> bytes:
        assert self._process.stdout is not None  # noqa: S101  # opened as a pipe above
        pipe = self._process.stdout.fileno()
        until = time.monotonic() + self.wait
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            ready, _w, _x = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise Unreadable("too_big", _("Reading the workbook took too long."))
            piece = os.read(pipe, _READ)
            if not piece:
                raise self._died()
            self._buffer += piece
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _died(self) -> Unreadable:
        """Out of memory, out of time, or the parser gave up: the file's doing, not ours."""
        return Unreadable(
            "too_big", _("The workbook is damaged or too large to open; save it as CSV.")
        )


def _native(found: dict[str, Any]) -> Any:
    said = found.get("t")
    if said is None or len(found) > 1:
        return found
    if "T" in said:
        return datetime.fromisoformat(said)
    return clock_time.fromisoformat(said) if ":" in said else date.fromisoformat(said)
