"""Any spreadsheet as a table: its header found, its rows streamed, nothing dropped unsaid.

    with open_sheet(path) as table:
        for row in table: ...

The header is the row among the first that names most columns we know. Rows above it, empty rows
and totals are left out and counted in `table.skipped`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from cases.sheets import values
from cases.sheets.book import Book
from cases.sheets.cellerrors import refuse_repetition
from cases.sheets.csvfile import CsvFile
from cases.sheets.dialects import known_names
from cases.sheets.guard import MOST_COLUMNS, Unreadable, kind_of
from cases.sheets.headers import duplicates, normal
from cases.sheets.values import Native

__all__ = ["Row", "Table", "Unreadable", "open_sheet"]

#: Titles, notes and empty rows may stand above the header, but no more than this.
HEAD_ROWS: Final = 40
_FEWEST_KNOWN: Final = 3
_TOTAL: Final = re.compile(
    r"(?:总计|合计|小计|共计|汇总|total|subtotal)(?:[:：\s(（\d]|共|$)", re.IGNORECASE
)
_TOTAL_STARTS: Final = frozenset("总合小共汇tTsS")

Cells = Sequence[Native]


@dataclass(slots=True)
class Row:
    """One data row: its number as the spreadsheet program shows it, and a cell per header."""

    number: int
    values: Cells
    headers: Sequence[str]
    problem: str = ""

    @property
    def cells(self) -> dict[str, str]:
        """Header → the cell as a person reads it."""
        return {
            header: values.shown(value)
            for header, value in zip(self.headers, self.values, strict=False)
        }


class Table:
    """One sheet of one file."""

    def __init__(
        self, source: CsvFile | Book, sheet: str | None, head: Sequence[Cells], header_row: int
    ) -> None:
        self.source = source
        self.sheet = sheet
        self.encoding = source.encoding if isinstance(source, CsvFile) else None
        self.sheets = [name for name, _seen in source.sheets] if isinstance(source, Book) else []
        self.skipped: Counter[str] = Counter()
        self.header_row = header_row
        if not 1 <= header_row <= len(head):
            raise Unreadable("no_header", _("No header row was found in the first rows."))
        self._names = _named(head[header_row - 1], trim=isinstance(source, CsvFile))
        self._width = len(self._names)
        if self._width > MOST_COLUMNS:
            raise Unreadable("too_big", _("The sheet has more than 16,384 columns."))
        self._keep = self._columns_to_keep()
        self.headers: tuple[str, ...] = tuple(self._names[at] for at in self._keep)

    def __enter__(self) -> "Table":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        if isinstance(self.source, Book):
            self.source.close()

    @property
    def other_sheets(self) -> list[str]:
        return [name for name in self.sheets if name != self.sheet]

    def _columns_to_keep(self) -> list[int]:
        """Columns that stand twice with the same cells are one; else the file is refused."""
        twice = duplicates(self._names)
        drop = {at for positions in twice.values() for at in positions[1:]}
        if twice:
            self._must_be_same(twice)
        return [at for at in range(self._width) if at not in drop]

    def _must_be_same(self, twice: Mapping[str, Sequence[int]]) -> None:
        for number, cells, _problem in self._records():
            if number <= self.header_row:
                continue
            for first, *more in twice.values():
                mine = _at(cells, first)
                if any(_at(cells, at) != mine for at in more):
                    said = {"name": self._names[first], "row": number}
                    message = _(
                        "The column “%(name)s” stands twice with different cells (row %(row)s); "
                        "rename or delete one."
                    )
                    raise Unreadable("duplicate_headers", message % said)

    def _records(self) -> Iterator[tuple[int, Cells, str]]:
        if isinstance(self.source, CsvFile):
            yield from self.source.records(self._width)
            return
        assert self.sheet is not None  # noqa: S101  # a workbook's table has one
        for number, cells in self.source.rows(self.sheet):
            yield number, cells, ""

    def __iter__(self) -> Iterator[Row]:
        width, headers, keep = self._width, self.headers, self._keep
        all_kept = len(keep) == width
        self.skipped.clear()
        for number, cells, problem in self._records():
            if number <= self.header_row:
                if number < self.header_row:
                    self.skipped["title" if any(cells) else "empty"] += 1
                continue
            if not problem and (reason := self._is_no_row(cells)):
                self.skipped[reason] += 1
                continue
            row, wrong = (cells, problem) if len(cells) == width else _fitted(cells, width, problem)
            yield Row(number, row if all_kept else [row[at] for at in keep], headers, wrong)

    def _is_no_row(self, cells: Cells) -> str:
        """Empty, a line of totals, or the header once more."""
        first = cells[0] if cells else ""
        if not isinstance(first, str) or (first[:1].isdigit() and first.isascii()):
            return ""
        first = values.clean(first)
        if not first:
            first = next((found for cell in cells if (found := _text(cell))), "")
            if not first:
                return "empty"
        if first[0] in _TOTAL_STARTS and _TOTAL.match(first):
            return "totals"
        if first == self.headers[0] and [*map(_text, cells)][: self._width] == [
            *map(_text, self._names)
        ]:
            return "header again"
        return ""


def open_sheet(
    path: Path | str,
    *,
    sheet: str | None = None,
    header_row: int | None = None,
    known: frozenset[str] | None = None,
) -> Table:
    """Opens a CSV, XLSX, XLS or ODS; raises Unreadable with a message for the user.

    Without `sheet` the first visible sheet with a header we know is taken, else the first that is
    not empty; `table.other_sheets` names the rest.
    """
    path = Path(path)
    known = known_names() if known is None else known | known_names()
    kind = kind_of(path)
    if kind == "csv":
        source = CsvFile(path, known, head=HEAD_ROWS)
        head: list[Cells] = list(source.head(HEAD_ROWS))
        if len(head) < HEAD_ROWS and not any(_text(cell) for row in head for cell in row):
            raise Unreadable("empty", _("The file is empty."))
        return Table(source, None, head, header_row or _header(head, known))
    if kind == "ods":
        refuse_repetition(path)
    book = Book(path)
    try:
        name, head = _pick(book, sheet, known)
        return Table(book, name, head, header_row or _header(head, known))
    except BaseException:
        book.close()
        raise


def _header(head: Sequence[Cells], known: frozenset[str]) -> int:
    found = find_header(head, known)
    if found is None:
        raise Unreadable("no_header", _("No header row was found in the first rows."))
    return found


def _pick(book: Book, wanted: str | None, known: frozenset[str]) -> tuple[str, list[Cells]]:
    names = [name for name, _visible in book.sheets]
    if wanted is not None:
        if wanted not in names:
            said = {"name": wanted, "names": ", ".join(names)}
            message = _("There is no sheet “%(name)s”; there are: %(names)s.") % said
            raise Unreadable("no_such_sheet", message)
        return wanted, list(book.head(wanted, HEAD_ROWS))
    filled: list[tuple[str, list[Cells]]] = []
    for name in [name for name, visible in book.sheets if visible] or names:
        head: list[Cells] = list(book.head(name, HEAD_ROWS))
        if max((_known(row, known) for row in head), default=0) >= _FEWEST_KNOWN:
            return name, head
        if any(any(_text(cell) for cell in row) for row in head):
            filled.append((name, head))
    if not filled:
        raise Unreadable("empty", _("The workbook is empty."))
    return filled[0]


def find_header(head: Sequence[Cells], known: frozenset[str]) -> int | None:
    """The number of the row that names the columns."""
    best = max(range(len(head)), key=lambda at: _known(head[at], known), default=None)
    if best is None:
        return None
    if _known(head[best], known) >= 2:
        return best + 1
    # A sheet of the user's own: the first row that is as wide as the sheet and holds names only.
    filled = [[text for cell in row if (text := _text(cell))] for row in head]
    widest = max(map(len, filled))
    for at, (row, texts) in enumerate(zip(head, filled, strict=True)):
        names_only = all(isinstance(cell, str) for cell in row) and len({*texts}) == len(texts)
        if len(texts) >= max(1, 0.6 * widest) and names_only:
            return at + 1
    return None


def _known(row: Cells, known: frozenset[str]) -> int:
    return len({name for cell in row if (name := normal(_text(cell)[:80])) in known})


def _named(cells: Cells, *, trim: bool) -> list[str]:
    """Header names as a person reads them; a column without one is called by its number.

    A CSV header may end in commas that mean no column; notes beside the table of a workbook stay.
    """
    names = [_text(cell) for cell in cells]
    while trim and names and not names[-1]:
        names.pop()
    return [name or f"({at})" for at, name in enumerate(names, 1)]


def _fitted(cells: Cells, width: int, problem: str) -> tuple[Cells, str]:
    if len(cells) < width:
        return [*cells, *[""] * (width - len(cells))], problem
    if any(_text(cell) for cell in cells[width:]) and not problem:
        problem = _("has more cells than the header; a comma or a quotation mark may be misplaced")
    return cells[:width], problem


def _text(cell: Native) -> str:
    return values.text(cell)


def _at(cells: Cells, at: int) -> str:
    return _text(cells[at]) if at < len(cells) else ""
