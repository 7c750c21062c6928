"""What a kind of file is, and the two lists all kinds stand in: sheets and evidence."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Make = Callable[[], bytes]


@dataclass(frozen=True)
class Kind:
    """One kind of file and what becomes of it.

    ``code`` and the two messages are those of the refusal of the whole file, or of the first row
    that fails where the file is read; then ``counts`` are the rows by outcome.
    """

    name: str
    make: Make
    ending: str
    code: str = ""
    english: str = ""
    chinese: str = ""
    counts: dict[str, int] | None = None
    #: Rows that fail, as (row, code).
    failures: tuple[tuple[int, str], ...] = ()
    #: What must be so of the safe file, of evidence that is taken.
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def is_refused(self) -> bool:
        return self.counts is None and not self.kept


#: Fed to the import of sheets.
SHEETS: dict[str, Kind] = {}
#: Fed to the intake of evidence.
EVIDENCE: dict[str, Kind] = {}


def _named(make: Make) -> str:
    return make.__name__.replace("_", "-")


def refused(
    ending: str, code: str, english: str, chinese: str, among: dict[str, Kind] = SHEETS
) -> Callable[[Make], Make]:
    """The file as a whole is refused with this code and in these words."""

    def add(make: Make) -> Make:
        name = _named(make)
        among[name] = Kind(name, make, ending, code, english, chinese)
        return make

    return add


def read(ending: str, **counts: int) -> Callable[[Make], Make]:
    """Every row is taken: rows by outcome."""

    def add(make: Make) -> Make:
        name = _named(make)
        SHEETS[name] = Kind(name, make, ending, counts=counts)
        return make

    return add


def failing(
    ending: str,
    failures: list[tuple[int, str]],
    english: str,
    chinese: str,
    **counts: int,
) -> Callable[[Make], Make]:
    """The file is read and some rows fail; the words are those of the first of them."""

    def add(make: Make) -> Make:
        name = _named(make)
        counted = counts | {"failed": len(failures)}
        SHEETS[name] = Kind(
            name, make, ending, failures[0][1], english, chinese, counted, tuple(failures)
        )
        return make

    return add


def kept(ending: str, **what: Any) -> Callable[[Make], Make]:
    """Evidence that is taken, cleaned."""

    def add(make: Make) -> Make:
        name = _named(make)
        EVIDENCE[name] = Kind(name, make, ending, kept=what)
        return make

    return add
