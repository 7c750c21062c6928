"""What became of each row of a sheet, counted and said in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from django.utils.translation import gettext as _

from cases.sheets.dialects import Recognition
from cases.sheets.facts import Remark
from cases.sheets.workbook import ErrorBook

What = Literal["created", "updated", "unchanged", "skipped", "failed"]

#: So many warnings are told one by one; a sheet of a million rows may hold a million.
MOST_WARNINGS: Final = 200
MOST_FAILURES: Final = 2000
MOST_WORDS: Final = 50


class Impossible(Exception):
    """Facts that cannot be taken as they are; ``code`` as in the contract."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class Outcome:
    """What became of the rows of one order or case. ``label`` is its number."""

    rows: tuple[int, ...]
    what: What
    message: str = ""
    code: str = ""
    label: str = ""
    warnings: tuple[str, ...] = ()
    #: What an update changed: (field, old, new), personal data masked.
    changes: tuple[tuple[str, str, str], ...] = ()
    #: Of failed rows the cells as they came, by row: header → text.
    cells: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def told(self, text: str) -> str:
        """The sentence with the row it is about."""
        return _("Row %(row)s: %(problem)s") % {"row": self.rows[0], "problem": text}


@dataclass
class Result:
    """The count of an import; the counts are rows and add up to ``rows``."""

    dialect: str
    kind: str
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    warnings: list[str] = field(default_factory=list)
    more_warnings: int = 0
    unknown_columns: list[str] = field(default_factory=list)
    error_file: str | None = None
    seconds: float = 0.0
    #: The first failures: (row, code, message).
    failures: list[tuple[int, str, str]] = field(default_factory=list)
    #: Words of cells nobody knows yet: (field, word).
    unknown_words: list[tuple[str, str]] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        setattr(self, outcome.what, getattr(self, outcome.what) + len(outcome.rows))
        self.rows += len(outcome.rows)
        for text in outcome.warnings:
            self.warn(text)
        if outcome.what == "skipped":
            self.warn(outcome.told(outcome.message))
        if outcome.what == "failed" and len(self.failures) < MOST_FAILURES:
            for row in outcome.rows:
                self.failures.append((row, outcome.code, outcome.message))

    def add_counts(self, counts: Mapping[str, int]) -> None:
        """Rows by what became of them, counted elsewhere."""
        for what, rows in counts.items():
            setattr(self, what, getattr(self, what) + rows)
            self.rows += rows

    def note_words(self, remarks: Iterable[Remark]) -> None:
        """Keep each unknown word once, so that staff can say what it means."""
        for remark in remarks:
            said = (remark.field, remark.value.strip())
            if (
                remark.code == "unknown_word"
                and said not in self.unknown_words
                and len(self.unknown_words) < MOST_WORDS
            ):
                self.unknown_words.append(said)

    def warn(self, text: str) -> None:
        if len(self.warnings) < MOST_WARNINGS:
            self.warnings.append(text)
        else:
            self.more_warnings += 1

    def as_dict(self) -> dict[str, Any]:
        """The JSON of ``import_sheet``."""
        warnings = list(self.warnings)
        if self.more_warnings:
            warnings.append(_("… and %(count)s more warnings.") % {"count": self.more_warnings})
        return {
            "dialect": self.dialect,
            "kind": self.kind,
            "rows": self.rows,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "skipped": self.skipped,
            "failed": self.failed,
            "warnings": warnings,
            "unknown_columns": self.unknown_columns,
            "error_file": self.error_file,
            "seconds": round(self.seconds, 3),
        }


class Sink:
    """Hears of each chunk inside the transaction that writes it; this one keeps nothing.

    What a sink writes stands or falls with the data of its chunk.
    """

    def begin(self, where: Recognition) -> None:
        """What kind of sheet it is, before the first row."""

    def passing(self) -> None:
        """A row that an earlier attempt has dealt with goes by."""

    def enter(self, rows: int) -> None:
        """First thing in the transaction of a chunk of so many rows; an exception stops all."""

    def note(self, outcomes: Sequence[Outcome], warnings: Sequence[str]) -> None:
        """Last thing in it: what became of each row, and what to know of the chunk as a whole."""

    def end(self, warnings: Sequence[str], words: Sequence[tuple[str, str]]) -> None:
        """After the last row: what to know of the file as a whole, and words nobody knows."""


class ErrorFile:
    """The error workbook, made when the first row fails, with every cell as it came."""

    def __init__(self, path: Path | str | None, headers: tuple[str, ...]) -> None:
        self.path = Path(path) if path else None
        self._headers = headers
        self._book: ErrorBook | None = None

    def add(self, outcome: Outcome) -> None:
        """The rows of what failed."""
        if self.path is None or outcome.what != "failed":
            return
        if self._book is None:
            self._book = ErrorBook(self.path, self._headers)
        for row in outcome.rows:
            self._book.add_cells(row, outcome.message, outcome.cells.get(row, {}))

    def close(self) -> str | None:
        """The file's name where there is one."""
        if self._book is None:
            return None
        self._book.close()
        return str(self.path)
