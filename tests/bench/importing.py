"""Importing orders from our own CSV: every row checked, orders, lines and payments written.

Ours is ``import_sheet``'s function. Stock is what one would write with django-import-export: a
ModelResource that is run twice, for the preview and for good; it is measured on at most 5,000
rows and extrapolated by the row. The floor is a straight script with the same checks that writes
the same tables (``floor_import``). The first orders must come out alike, cell for cell. Then the
same file once more, to find that nothing is new, and the rows as a workbook.
"""

import csv
import hashlib
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import tablib
from import_export import fields, resources, widgets

from cases import privacy
from cases.flow.door import Actor
from cases.models import Order, OrderLine, Payment, Shop
from cases.models.money import MoneyField
from cases.sheets.loading import import_file
from cases.sheets.writer import NATIVE_ORDERS, new_workbook
from tests.bench import stand
from tests.bench.floor_import import floor

STOCK_ROWS = 5000
WORKBOOK_ROWS = 200_000
LINE = ("line_no", "sku", "title", "category", "quantity", "unit_price", "paid_amount", "promises")
PAYMENT = ("number", "method", "amount", "paid_at", "refunded")
TIMES = ("ordered_at", "paid_at", "shipped_at", "signed_at", "finished_at", "promised_arrival")


def run(rows: int, database: str) -> Iterator[dict[str, Any]]:
    """``rows`` new orders of one line each."""
    some = min(rows, STOCK_ROWS)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        whole, part = Path(folder) / "orders.csv", Path(folder) / "part.csv"
        write_orders(whole, rows)
        write_orders(part, some)
        stand.in_child(open_shop)
        stand.keep(database)
        lines = stand.in_turn(
            "import",
            database,
            {
                "ours": lambda: ours(whole),
                "stock": lambda: stock(part),
                "floor": lambda: floor(whole),
            },
            same=lambda: outcome(some, rows),
            turns=stand.TURNS if rows < stand.LARGE else 1,
        )
        for line in lines:
            if line.get("who") == "stock":
                whole_time = round(line["seconds"] / some * rows, 1)
                line |= {"extrapolated_from": some, "seconds_extrapolated": whole_time}
            yield line
        stand.restore(database)
        stand.in_child(stand.measured, lambda: ours(whole))
        again = stand.in_child(stand.measured, lambda: once_more(whole))
        yield {"name": "import", "database": database, "who": "ours, the same file again", **again}
        sheet = Path(folder) / "orders.xlsx"
        stand.in_child(write_workbook, whole, sheet)
        stand.restore(database)
        taken = stand.in_child(stand.measured, lambda: ours(sheet))
        yield {"name": "import", "database": database, "who": "ours, XLSX", **taken}


def outcome(some: int, rows: int) -> str:
    """A digest of what stands in the tables for the first orders; all must have been written."""
    last = f"35{some - 1:017}"
    orders = Order.objects.filter(order_no__lte=last).order_by("order_no")
    told = hashlib.sha256()
    for queryset, names in (
        (orders, ("shop_id", "order_no", "status", "paid_amount", *TIMES, "waybill", "courier")),
        (orders, ("freight_paid", "buyer", "receiver", "phone", "address", "shipped_free")),
        (orders, ("phone_hash", "phone_tail")),
        (OrderLine.objects.filter(order__in=orders).order_by("order__order_no"), LINE),
        (Payment.objects.filter(order__in=orders).order_by("order__order_no"), PAYMENT),
    ):
        for row in queryset.values_list(*names):
            told.update(repr(row).encode())
    for model in (Order, OrderLine, Payment):
        assert model._default_manager.count() in {some, rows}, model
    return told.hexdigest()


def open_shop() -> None:
    Shop.objects.create(code="bench", name="bench", platform="taobao")


def write_orders(path: Path, rows: int) -> None:
    """Paid, shipped and finished orders; every field is filled that a real one has."""
    names = NATIVE_ORDERS.fields
    began = datetime(2026, 1, 1)  # noqa: DTZ001 - a sheet's times have no zone
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write = csv.writer(file).writerow
        write(names)
        for n in range(rows):
            cells = cells_of(n, began + timedelta(seconds=n * 200))
            write([cells.get(name, "") for name in names])


def write_workbook(sheet: Path, path: Path) -> None:
    """The same rows as a workbook, at most 200,000 of them; every cell is a text."""
    with sheet.open(encoding="utf-8-sig", newline="") as file, new_workbook(path) as book:
        page = book.add_worksheet()
        for at, row in enumerate(islice(csv.reader(file), WORKBOOK_ROWS + 1)):
            for column, cell in enumerate(row):
                if cell:
                    page.write_string(at, column, cell)


def cells_of(n: int, began: datetime) -> dict[str, str]:
    pieces, price = n % 3 + 1, Decimal(500 + n * 37 % 49_500) / 100
    hours = {"ordered_at": 0, "paid_at": 1, "shipped_at": 20, "signed_at": 60, "finished_at": 200}
    return {
        "shop": "bench",
        "platform": "taobao",
        "order_no": f"35{n:017}",
        "line_no": "1",
        "sku": f"SKU-{n % 997}",
        "title": f"夏季新款纯棉短袖 {n % 997}",
        "category": "clothing",
        "quantity": str(pieces),
        "unit_price": f"{price:.2f}",
        "discount": "0.00",
        "paid_amount": f"{price * pieces:.2f}",
        "freight_paid": "0.00",
        "courier": "顺丰速运",
        "waybill": f"SF{n:012}",
        "status": "finished",
        "buyer": f"买家{n % 5000}",
        "receiver": f"张三{n % 100}",
        "phone": f"199{n % 10**8:08}",
        "address": f"浙江省杭州市西湖区文三路{n % 500}号",
        "shipped_free": "yes",
        "promises": "ship_on_time;quality",
        **{
            name: (began + timedelta(hours=after)).strftime("%Y-%m-%d %H:%M:%S")
            for name, after in hours.items()
        },
    }


def ours(path: Path) -> int:
    result = import_file(path, actor=Actor.sheet())
    assert result.created == result.rows, result.as_dict()
    return result.rows


def once_more(path: Path) -> int:
    result = import_file(path, actor=Actor.sheet())
    assert result.unchanged == result.rows, result.as_dict()
    return result.rows


class Yuan(widgets.DecimalWidget):
    """The one widget of ours: without it a MoneyField would be read as whole numbers."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        found = super().clean(value, row, **kwargs)
        return None if found is None else MoneyField().to_python(found)


class StockResource(resources.ModelResource):
    """A resource as the library's documentation shows it, lines and payments after each order."""

    shop = fields.Field("shop", "shop", widgets.ForeignKeyWidget(Shop, "code"))
    freight_paid = fields.Field("freight_paid", "freight_paid", Yuan())
    shipped_free = fields.Field("shipped_free", "shipped_free", widgets.BooleanWidget())
    ordered_at = fields.Field("ordered_at", "ordered_at", widgets.DateTimeWidget())
    paid_at = fields.Field("paid_at", "paid_at", widgets.DateTimeWidget())
    shipped_at = fields.Field("shipped_at", "shipped_at", widgets.DateTimeWidget())
    signed_at = fields.Field("signed_at", "signed_at", widgets.DateTimeWidget())
    finished_at = fields.Field("finished_at", "finished_at", widgets.DateTimeWidget())

    class Meta:
        model = Order
        import_id_fields = ("platform", "order_no")
        skip_unchanged = True
        fields = (
            *("shop", "platform", "order_no", "status", "freight_paid", "courier", "waybill"),
            *("ordered_at", "paid_at", "shipped_at", "signed_at", "finished_at", "shipped_free"),
            *("buyer", "receiver", "phone", "address"),
        )

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        row["shipped_free"] = "1" if row["shipped_free"] == "yes" else "0"

    def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        instance.paid_amount = Decimal(row["paid_amount"]) + instance.freight_paid
        instance.phone_hash = privacy.phone_hash(instance.phone)
        instance.phone_tail = privacy.phone_tail_hash(instance.phone)

    def after_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        OrderLine.objects.update_or_create(
            order=instance,
            line_no=int(row["line_no"]),
            defaults={
                "sku": row["sku"],
                "title": row["title"],
                "category": row["category"],
                "quantity": int(row["quantity"]),
                "unit_price": Decimal(row["unit_price"]),
                "discount": Decimal(row["discount"]),
                "paid_amount": Decimal(row["paid_amount"]),
                "promises": row["promises"],
            },
        )
        Payment.objects.update_or_create(
            order=instance,
            number="",
            defaults={"amount": instance.paid_amount, "paid_at": instance.paid_at},
        )


def stock(path: Path) -> int:
    """The preview, then the confirmation: each reads the file and goes through every row."""
    rows = 0
    for dry_run in (True, False):
        data = tablib.Dataset().load(path.read_bytes().decode("utf-8-sig"), format="csv")
        result = StockResource().import_data(data, dry_run=dry_run, use_transactions=True)
        assert not result.has_errors(), result.row_errors()[:1]
        assert not result.has_validation_errors(), result.invalid_rows[:1]
        rows = len(data)
    return rows
