"""Spreadsheets out: streamed, text stays text, and no spreadsheet program runs any of it.

CSV is UTF-8 with a BOM and CRLF, as Excel and WPS open it; a text that looks like a formula gets
a `'` that our reader takes off again. XLSX keeps every text cell a text.
"""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from cases.sheets.dialects.native import CASE_HEADERS, ORDER_HEADERS
from cases.sheets.values import ZONE, protect

Language = Literal["en", "zh"]
Cell = str | int | bool | Decimal | datetime | date | Sequence[str] | None
Progress = Callable[[int], None]
Form = Callable[[Any], str]

MOST_XLSX_ROWS: Final = 1_048_575  # below the header
LONGEST_CELL: Final = 32_767
_WIDE: Final = frozenset({"title", "address", "text", "receiver", "promises"})


class TooManyRows(Exception):
    """An .xlsx sheet holds 1,048,576 rows; a CSV holds any number."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of an export, in order: (field, English header, Chinese header)."""

    columns: tuple[tuple[str, str, str], ...]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(field for field, _english, _chinese in self.columns)

    def headers(self, language: Language) -> tuple[str, ...]:
        return tuple(
            english if language == "en" else chinese for _field, english, chinese in self.columns
        )


NATIVE_ORDERS: Final = Layout(ORDER_HEADERS)
NATIVE_CASES: Final = Layout(CASE_HEADERS)


def write_sheet(
    path: Path | str,
    layout: Layout,
    rows: Iterable[Sequence[Cell]],
    *,
    language: Language = "en",
    progress: Progress | None = None,
) -> int:
    """Writes rows (cells in the layout's order) as the name of the file says; their count."""
    path = Path(path)
    write = {".csv": _write_csv, ".xlsx": _write_xlsx}.get(path.suffix.lower())
    if write is None:
        raise ValueError(path.suffix)
    return write(path, layout, rows, language, progress)


def plain(value: Cell) -> str:
    """A cell as text: two decimals, times of Beijing, yes and no, lists with semicolons."""
    return (_FORMS.get(type(value)) or _form(value, _FORMS))(value)


def _form(value: Cell, forms: Mapping[type, Form]) -> Form:
    """For a class derived from one of those (a choice, a safe text), or a list."""
    return next((form for kind, form in forms.items() if isinstance(value, kind)), ";".join)


def _moment(value: datetime) -> str:
    return str(value.astimezone(ZONE))[:19]  # strftime takes three times as long


#: By the very class of the cell: there are a hundred million of them in a large export.
_FORMS: Final[Mapping[type, Form]] = {
    str: str,
    int: str,
    bool: lambda value: "yes" if value else "no",
    Decimal: lambda value: format(value, "f"),
    datetime: _moment,
    date: str,
    type(None): lambda _value: "",
}


def _safe(value: Cell) -> str:
    """Only texts can be formulas: a negative amount stays a number."""
    return (_SAFE.get(type(value)) or _form(value, _SAFE))(value)


#: A list of texts begins with the first of them.
_SAFE: Final[Mapping[type, Form]] = {
    **_FORMS,
    str: protect,
    tuple: lambda value: protect(";".join(value)),
    list: lambda value: protect(";".join(value)),
}


def _write_csv(
    path: Path,
    layout: Layout,
    rows: Iterable[Sequence[Cell]],
    language: Language,
    progress: Progress | None,
) -> int:
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write = csv.writer(file).writerow
        write(layout.headers(language))
        for count, row in enumerate(rows, 1):
            write([_safe(cell) for cell in row])
            if progress and count % 1000 == 0:
                progress(count)
    return count


def new_workbook(path: Path) -> xlsxwriter.Workbook:
    """A workbook that streams to the disk and makes no formula, link or number out of a text."""
    return xlsxwriter.Workbook(
        str(path),
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "yyyy-mm-dd hh:mm:ss",
        },
    )


def _write_xlsx(
    path: Path,
    layout: Layout,
    rows: Iterable[Sequence[Cell]],
    language: Language,
    progress: Progress | None,
) -> int:
    count = 0
    with new_workbook(path) as book:
        sheet = book.add_worksheet()
        money = book.add_format({"num_format": "0.00"})
        bold = book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for at, field in enumerate(layout.fields):
            sheet.set_column(at, at, 30 if field in _WIDE else 18)
        for at, header in enumerate(layout.headers(language)):
            sheet.write_string(0, at, header, bold)
        for count, row in enumerate(rows, 1):
            if count > MOST_XLSX_ROWS:
                raise TooManyRows
            for at, cell in enumerate(row):
                _put(sheet, (count, at), cell, money)
            if progress and count % 1000 == 0:
                progress(count)
    return count


def _put(sheet: Worksheet, place: tuple[int, int], cell: Cell, money: Format) -> None:
    if isinstance(cell, Decimal):
        # A double holds 15 digits: two decimals come back exactly up to 10^13 yuan.
        sheet.write_number(*place, float(cell), money)
    elif isinstance(cell, int) and not isinstance(cell, bool):
        sheet.write_number(*place, cell)
    elif text := plain(cell):
        sheet.write_string(*place, text[:LONGEST_CELL])
