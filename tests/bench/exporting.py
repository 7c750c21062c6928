"""Exporting orders and cases as CSV: ours masks personal data and makes no cell a formula.

Stock is django-import-export's ModelResource over the same columns, measured on at most 5,000 rows
and extrapolated by the row. The floor is ``values_list`` into a ``csv.writer``: nothing masked, no
cell looked at.
"""

import csv
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.utils import timezone
from import_export import fields, resources

from cases.flow.door import Actor
from cases.models import CaseLine, Order, OrderLine
from cases.sheets.exports import CASE_CELLS, ORDER_CELLS, export
from cases.sheets.facts import CASES, ORDERS
from cases.sheets.loading import import_file
from tests.bench import importing, office, stand

CELLS = {ORDERS: ORDER_CELLS, CASES: CASE_CELLS}
LINES: dict[str, Any] = {ORDERS: OrderLine, CASES: CaseLine}


def run(rows: int, database: str) -> Iterator[dict[str, Any]]:
    """``rows`` orders of one line, and a tenth as many cases; one XLSX of at most 200,000 rows."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        stand.in_child(fill, rows, folder)
        stand.keep(database)
        for kind in (ORDERS, CASES):
            yield from compared(kind, database, Path(folder))
        sheet = stand.in_child(stand.measured, lambda: workbook(Path(folder) / "orders.xlsx"))
        yield {"name": "export", "database": database, "who": "ours, XLSX", **sheet}


def fill(rows: int, folder: str) -> None:
    sheet = Path(folder) / "in.csv"
    importing.write_orders(sheet, rows)
    importing.open_shop()
    import_file(sheet, actor=Actor.sheet())
    office.fill(max(rows // 10, 10), 0, timezone.now().isoformat())


def compared(kind: str, database: str, folder: Path) -> Iterator[dict[str, Any]]:
    # In a child: a connection of ours would keep the database from being restored.
    count = stand.in_child(LINES[kind].objects.count)
    some = min(importing.STOCK_ROWS, count)
    out = folder / f"{kind}.csv"
    works: dict[str, Callable[[], int]] = {
        "ours": lambda: export(kind, out).rows,
        "stock": lambda: stock(kind, some, folder / "stock.csv"),
        "floor": lambda: floor(kind, folder / "floor.csv"),
    }
    turns = stand.TURNS if count < stand.LARGE else 1
    for line in stand.in_turn("export", database, works, turns=turns):
        yield line | {"kind": kind}


def stock(kind: str, rows: int, path: Path) -> int:
    """A resource with our columns; the library makes the whole file in memory."""
    columns = {name: fields.Field(cell, name) for name, cell in CELLS[kind].items()}
    meta = type("Meta", (), {"model": LINES[kind], "fields": tuple(columns)})
    resource = type("StockExport", (resources.ModelResource,), {**columns, "Meta": meta})()
    joined = {
        ORDERS: ("order__shop",),
        CASES: ("case__order", "case__shop", "case__reason", "order_line"),
    }
    chosen = LINES[kind].objects.select_related(*joined[kind]).order_by("pk")[:rows]
    path.write_text(resource.export(chosen).csv, encoding="utf-8-sig")
    return rows


def floor(kind: str, path: Path) -> int:
    done = 0
    lines = LINES[kind].objects.order_by("pk").values_list(*CELLS[kind].values())
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write = csv.writer(file).writerow
        write(CELLS[kind])
        for row in lines.iterator(2000):
            write(row)
            done += 1
    return done


def workbook(path: Path) -> int:
    some = Order.objects.order_by("pk")[:200_000].values("pk")
    return export(ORDERS, path, queryset=Order.objects.filter(pk__in=some)).rows
