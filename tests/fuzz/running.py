"""Feeds changed files and random rows for a while, and holds what comes back against the rules."""

import io
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from cases.files import FileRefused, inspect
from cases.flow.door import Actor, Refused
from cases.sheets.loading import Outcome, Result, Sink, import_file
from cases.sheets.reader import Unreadable, open_sheet
from tests.cases.sheets.files.makers import csv_text, xlsx_file
from tests.cases.sheets.test_dialects_hostile import NASTY
from tests.corpus.leftovers import readers_left
from tests.corpus.packing import COLUMNS, ods, ods_row, row
from tests.fuzz import samples
from tests.fuzz.mutations import mutated

LONGEST_SECONDS = 30


class Broken(AssertionError):
    """A rule that did not hold; the file is kept beside it."""

    def __init__(self, rule: str, name: str, content: bytes) -> None:
        super().__init__(rule)
        self.rule, self.name, self.content = rule, name, content


@dataclass
class Summary:
    seed: int
    files: int = 0
    examples_of_rows: int = 0
    rows: int = 0
    slowest: float = 0.0
    slowest_file: str = ""
    answers: Counter[str] = field(default_factory=Counter)
    finding: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            **vars(self),
            "slowest": round(self.slowest, 2),
            "answers": dict(self.answers.most_common()),
        }


class Fuzz:
    """One run from one seed; the database it stands on is furnished and stays as it is."""

    def __init__(self, number: int) -> None:
        self.random = Random(number)
        self.summary = Summary(number)

    def run(self, seconds: float) -> Summary:
        """Raises Broken at the first rule that does not hold."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.rounds(1)
        return self.summary

    def rounds(self, count: int) -> Summary:
        for _ in range(count):
            for _ in range(20):
                self.one_sheet()
            for _ in range(5):
                self.one_piece_of_evidence()
            self.some_rows()
        return self.summary

    def one_sheet(self) -> None:
        name, sound = self.random.choice(sorted(samples.sheets().items()))
        content = mutated(name, sound, self.random)
        answer = fed(name, content, self.summary, dry_run=self.random.random() < 0.5)
        self.summary.files += 1
        self.summary.answers[answer if isinstance(answer, str) else "read"] += 1

    def one_piece_of_evidence(self) -> None:
        name, sound = self.random.choice(sorted(samples.evidence().items()))
        content = mutated(name, sound, self.random)
        with Watched(name, content, self.summary), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow says what it could not read
            try:
                inspect(io.BytesIO(content), name=name)
            except FileRefused as refusal:
                answer = refusal.code
            else:
                answer = "kept"
        self.summary.files += 1
        self.summary.answers[f"evidence {answer}"] += 1

    def some_rows(self) -> None:
        summary = self.summary

        @seed(self.random.randrange(2**32))
        @settings(
            max_examples=20,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(ROWS, max_size=8), st.sampled_from(sorted(FORMS)))
        def every_row_is_accounted_for(rows: list[list[Any]], form: str) -> None:
            content = FORMS[form]([list(COLUMNS), *rows])
            told: list[int] = []
            answer = fed(form, content, summary, told, dry_run=False, errors=True)
            summary.examples_of_rows += 1
            if isinstance(answer, str):
                summary.answers[f"rows {answer}"] += 1
                return
            summary.rows += answer.rows
            if sorted(told) != list(range(2, 2 + len(rows))) or answer.rows != len(rows):
                rule = f"{len(rows)} rows were given, {answer.rows} counted: {sorted(told)}"
                raise Broken(rule, form, content)

        every_row_is_accounted_for()


class Watched:
    """Whatever happens inside, the parent lives, in time, and nothing is left behind."""

    def __init__(self, name: str, content: bytes, summary: Summary) -> None:
        self.name, self.content, self.summary = name, content, summary

    def __enter__(self) -> Path:
        self.folder = tempfile.TemporaryDirectory(prefix="fuzz")
        self.before = tempfile.tempdir
        tempfile.tempdir = self.folder.name
        path = Path(self.folder.name) / f"upload.{self.name.rpartition('.')[2]}"
        path.write_bytes(self.content)
        self.path, self.began = path, time.monotonic()
        return path

    def __exit__(self, kind: Any, error: BaseException | None, _trace: Any) -> None:
        spent = time.monotonic() - self.began
        tempfile.tempdir = self.before
        left = [path.name for path in Path(self.folder.name).iterdir() if path != self.path]
        self.folder.cleanup()
        if isinstance(error, Exception):
            raise Broken(f"{type(error).__name__}: {error}", self.name, self.content) from error
        if spent > self.summary.slowest:
            self.summary.slowest, self.summary.slowest_file = spent, self.name
        if error is None:
            self._judge(spent, left)

    def _judge(self, spent: float, left: list[str]) -> None:
        rules = {
            f"it took {spent:.0f} seconds": spent > LONGEST_SECONDS,
            f"files are left: {left}": bool(left),
            f"processes are left: {readers_left()}": bool(readers_left()),
        }
        for rule, broken in rules.items():
            if broken:
                raise Broken(rule, self.name, self.content)


class _Heard(Sink):
    """Keeps the numbers of the rows that were told of."""

    def __init__(self, rows: list[int]) -> None:
        self.rows = rows

    def note(self, outcomes: Sequence[Outcome], warnings: Sequence[str]) -> None:
        self.rows.extend(row for outcome in outcomes for row in outcome.rows)


class _Undo(Exception):
    """Takes an import back."""


def fed(
    name: str,
    content: bytes,
    summary: Summary,
    told: list[int] | None = None,
    *,
    dry_run: bool,
    errors: bool = False,
) -> Result | str:
    """The result, or the code of the refusal; the database is as before."""
    answer: Result | str = ""
    heard = _Heard([] if told is None else told)
    with Watched(name, content, summary) as path:
        try:
            with transaction.atomic():
                answer = import_file(
                    path,
                    actor=Actor.sheet(),
                    dry_run=dry_run,
                    sink=heard,
                    errors=path.with_name("errors.xlsx") if errors else None,
                )
                if answer.error_file:
                    _compare(Path(answer.error_file), answer.failed)
                raise _Undo
        except _Undo:
            pass
        except (Unreadable, Refused) as refusal:
            if not refusal.code or not refusal.message:
                raise Broken("a refusal without words", name, content) from refusal
            answer = refusal.code
    if isinstance(answer, Result) and len(heard.rows) != answer.rows:
        raise Broken(f"{len(heard.rows)} rows were told, {answer.rows} counted", name, content)
    return answer


def _compare(file: Path, failed: int) -> None:
    """The workbook to mend holds each row that failed, and nothing else is left of it."""
    with open_sheet(file) as table:
        found = sum(1 for _row in table)
    file.unlink()
    if found != failed:
        raise AssertionError(f"{failed} rows failed, {found} stand in the workbook to mend")


# --- rows ----------------------------------------------------------------------------------------

_TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
).filter(lambda text: text.count(",") + text.count("\t") + text.count(";") < 4)
_CELLS = (
    st.sampled_from([cell for cell in NASTY if isinstance(cell, str) and "\0" not in cell]) | _TEXTS
)


@st.composite
def _rows(draw: Any) -> list[str]:
    """A sound order some of whose cells are not; the shop is named, so the row is one."""
    cells = row(draw(st.integers(1, 5)), line_no=str(draw(st.integers(1, 3))))
    for at in draw(st.sets(st.integers(1, len(COLUMNS) - 1), max_size=4)):
        cells[at] = draw(_CELLS)
    return cells


ROWS = _rows()


def _xlsx(rows: list[list[str]]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return xlsx_file(Path(folder) / "rows.xlsx", rows).read_bytes()


def _ods(rows: list[list[str]]) -> bytes:
    """XML has no control signs."""
    clean = [["".join(sign for sign in cell if sign >= " ") for cell in cells] for cells in rows]
    return ods("".join(map(ods_row, clean[1:])))


def _semicolons(rows: list[list[str]]) -> bytes:
    """With such ends of lines Python's writer leaves a bare carriage return unquoted."""
    clean = [[cell.replace("\r", " ") for cell in cells] for cells in rows]
    return csv_text(clean, delimiter=";", end="\n").encode()


FORMS = {
    "rows.ods": _ods,
    "rows.xlsx": _xlsx,
    "utf8.csv": lambda rows: csv_text(rows).encode("utf-8-sig"),
    "gbk.csv": lambda rows: csv_text(rows).encode("gb18030"),
    "wide.csv": lambda rows: csv_text(rows, delimiter="\t").encode("utf-16"),
    "semicolon.csv": _semicolons,
}
