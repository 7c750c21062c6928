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
from cases.sheets.cellerrors import error_cells
from cases.sheets.guard import MOST_ROWS, Unreadable, no_such_place
from cases.sheets.values import Native

MEMORY: Final = 2 * 2**30
#: What the child may use of the processor: a file made to keep it busy is small, an honest one
#: that takes longer is large.
CPU_SECONDS: Final = 15
CPU_MOST: Final = 120
_BYTES_A_SECOND: Final = 2**19
_READ: Final = 2**18
_LONGEST: Final = 16 * 2**20  # of one answer
_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG")

Cells = list[Native]


class Book:
    """One opened workbook; a context manager, because a process hangs on it."""

    def __init__(self, path: Path, *, memory: int = MEMORY, wait: float | None = None) -> None:
        self.path = path
        seconds = _seconds(path)
        #: How long we wait for all answers together; on a busy machine longer than it computes.
        self.left = 3.0 * seconds if wait is None else wait
        self._buffer = bytearray()
        command = [sys.executable, "-P", child.__file__, str(path), str(memory), str(seconds)]
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
        by_row = self._errors(sheet)
        self._ask({"rows": sheet})
        number = 0
        while (batch := self._answer()) is not None:
            if number + len(batch) > MOST_ROWS:
                raise no_such_place()
            for cells in batch:
                number += 1
                if wrong := by_row.pop(number, None):
                    _put_back(cells, wrong)
                yield number, cells
        for number in sorted(number_ for number_ in by_row if number_ > number):
            cells = []
            _put_back(cells, by_row[number])
            yield number, cells

    def _errors(self, sheet: str) -> dict[int, dict[int, str]]:
        position = [name for name, _visible in self.sheets].index(sheet)
        by_row: dict[int, dict[int, str]] = {}
        for (row, column), shown in error_cells(self.path, sheet, position).items():
            by_row.setdefault(row, {})[column] = shown
        return by_row

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
            if found["error"] == "too_big":
                raise Unreadable("too_big", _("The workbook holds too much; save it as CSV."))
            raise Unreadable("damaged", _("The workbook is damaged; export it again."))
        return found

    def _line(self) -> bytes:
        assert self._process.stdout is not None  # noqa: S101  # opened as a pipe above
        pipe = self._process.stdout.fileno()
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            began = time.monotonic()
            ready, _w, _x = select.select([pipe], [], [], max(0.0, self.left))
            self.left -= time.monotonic() - began
            if not ready:
                raise Unreadable("too_big", _("Reading the workbook took too long."))
            piece = os.read(pipe, _READ)
            if not piece or searched > _LONGEST:
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


def _seconds(path: Path) -> int:
    return min(CPU_MOST, CPU_SECONDS + path.stat().st_size // _BYTES_A_SECOND)


def _put_back(cells: Cells, wrong: dict[int, str]) -> None:
    for column, shown in wrong.items():
        cells.extend([""] * (column + 1 - len(cells)))
        if cells[column] == "":
            cells[column] = shown


def _native(found: dict[str, Any]) -> Any:
    said = found.get("t")
    if said is None or len(found) > 1:
        return found
    if "T" in said:
        return datetime.fromisoformat(said)
    return clock_time.fromisoformat(said) if ":" in said else date.fromisoformat(said)
