"""Writing the invented world in the platforms' own encodings, quotings and container formats."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import xlsxwriter

from config.demo.world import ZONE

#: A workbook says when it was made; the same day must give the same bytes.
XLSX_MADE_AT = datetime(2026, 1, 1, tzinfo=ZONE).replace(tzinfo=None)

Cells = Mapping[str, str]


def day_time(moment: datetime | None, missing: str = "") -> str:
    """`2026-11-22 10:00:00` in the platforms' zone."""
    return moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S") if moment else missing


def yuan(amount: Decimal) -> str:
    return f"{amount:.2f}"


def rows_in_order(header: Sequence[str], rows: Iterable[Cells], blank: str) -> Iterable[list[str]]:
    """Rows as lists in the header's order; a name that the header lacks is our mistake."""
    known = set(header)
    for row in rows:
        if strangers := row.keys() - known:
            message = f"No such column: {sorted(strangers)}"
            raise ValueError(message)
        yield [row.get(name, blank) for name in header]


def write_gbk(
    path: Path, header: Sequence[str], rows: Iterable[Cells], *, trailing_comma: bool = False
) -> None:
    """As Taobao's seller centre writes: GBK, commas, CRLF, every text quoted."""
    with path.open("w", encoding="gbk", newline="") as file:
        file.write(",".join(header) + "\r\n")
        out = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        extra = [""] if trailing_comma else []
        out.writerows(cells + extra for cells in rows_in_order(header, rows, ""))


def write_tabbed(path: Path, header: Sequence[str], rows: Iterable[Cells], texts: set[str]) -> None:
    """As Douyin's shop centre writes: UTF-8 with BOM, text cells beginning with a TAB."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        out.writerow(header)
        for cells in rows_in_order(header, rows, "-"):
            out.writerow(
                [
                    "\t" + cell if name in texts else cell
                    for name, cell in zip(header, cells, strict=True)
                ]
            )


def write_native(path: Path, header: Sequence[str], rows: Iterable[Cells]) -> None:
    """Our own layout: UTF-8 with BOM, so that Excel opens it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file, lineterminator="\r\n")
        out.writerow(header)
        out.writerows(rows_in_order(header, rows, ""))


def write_xlsx(path: Path, header: Sequence[str], rows: Iterable[Cells], sheet: str) -> None:
    """A workbook of text cells, as the refund report comes."""
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": XLSX_MADE_AT})
    page = book.add_worksheet(sheet)
    for number, cells in enumerate([list(header), *rows_in_order(header, rows, "")]):
        page.write_row(number, 0, cells)
    book.close()
