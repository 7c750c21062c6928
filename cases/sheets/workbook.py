"""The error workbook: the rows that failed, as they came, to be mended and fed again.

Two columns stand before the sheet's own: 行号 (the row in the original file) and 错误 (why). The
reader takes them for no columns, so the mended workbook is an ordinary sheet of its dialect.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cases.sheets.facts import BadRow
from cases.sheets.writer import LONGEST_CELL, MOST_XLSX_ROWS, new_workbook

ROW_HEADER: Final = "行号"
ERROR_HEADER: Final = "错误"


class ErrorBook:
    """Collects failed rows on the disk as they come; memory stays flat."""

    def __init__(self, path: Path | str, headers: Sequence[str]) -> None:
        own = {ROW_HEADER, ERROR_HEADER}
        self.path = Path(path)
        self.count = 0
        self._headers = [header for header in headers if header not in own]
        self._book = new_workbook(self.path)
        self._sheet = self._book.add_worksheet(ERROR_HEADER)
        self._red = self._book.add_format({"font_color": "#9C0006", "text_wrap": True})
        bold = self._book.add_format({"bold": True})
        self._sheet.freeze_panes(1, 2)
        self._sheet.set_column(0, 0, 8)
        self._sheet.set_column(1, 1, 60)
        self._sheet.set_column(2, 1 + len(self._headers), 18)
        for at, header in enumerate([ROW_HEADER, ERROR_HEADER, *self._headers]):
            self._sheet.write_string(0, at, header, bold)

    def __enter__(self) -> "ErrorBook":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def add(self, bad: BadRow) -> None:
        self.add_cells(bad.row, bad.message, bad.cells)

    def add_cells(self, row: int, message: str, cells: Mapping[str, str]) -> None:
        """Every cell is a text, digit for digit; rows beyond what a sheet holds are counted."""
        self.count += 1
        if self.count > MOST_XLSX_ROWS:
            return
        self._sheet.write_number(self.count, 0, row)
        self._sheet.write_string(self.count, 1, message[:LONGEST_CELL], self._red)
        for at, header in enumerate(self._headers, 2):
            if value := cells.get(header):
                self._sheet.write_string(self.count, at, value[:LONGEST_CELL])

    def close(self) -> None:
        self._book.close()
