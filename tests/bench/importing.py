"""Importing orders from our own CSV: every row checked, orders, lines and payments written.

Ours is ``import_sheet``'s function. Stock is what one would write with django-import-export: a
ModelResource that is run twice, for the preview and for good; it is measured on at most 5,000
rows and extrapolated by the row. The floor reads the same file and writes the same three tables
without asking anything.
"""

import csv
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import tablib
from django.db import connection, transaction
from import_export import fields, resources, widgets

from cases import privacy
from cases.flow.door import Actor
from cases.models import Order, OrderLine, Payment, Shop
from cases.models.money import MoneyField
from cases.sheets.facts import ORDERS
from cases.sheets.loading import import_file
from cases.sheets.writer import LAYOUTS
from tests.bench import stand

STOCK_ROWS = 5000
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
        )
        for line in lines:
            if line.get("who") == "stock":
                whole_time = round(line["seconds"] / some * rows, 1)
                line |= {"extrapolated_from": some, "seconds_extrapolated": whole_time}
            yield line


def open_shop() -> None:
    Shop.objects.create(code="bench", name="bench", platform="taobao")


def write_orders(path: Path, rows: int) -> None:
    """Paid, shipped and finished orders; every field is filled that a real one has."""
    names = LAYOUTS[ORDERS].fields
    began = datetime(2026, 1, 1)  # noqa: DTZ001 - a sheet's times have no zone
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write = csv.writer(file).writerow
        write(names)
        for n in range(rows):
            cells = cells_of(n, began + timedelta(seconds=n * 200))
            write([cells.get(name, "") for name in names])


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


ORDER_COLUMNS = (
    *("id", "shop_id", "platform", "order_no", "status", "paid_amount", "freight_paid"),
    *("freight_reserved", "freight_refunded", "external_refunded", "reported_refunded"),
    *TIMES,
    *("ship_by", "courier", "waybill", "named_courier", "shipped_free", "buyer", "receiver"),
    *("phone", "address", "phone_hash", "phone_tail", "extra", "facts_hash", "has_lines"),
    *("created_at", "updated_at"),
)
LINE_COLUMNS = (
    *("id", "order_id", "line_no", "sub_order_no", "sku", "title", "category", "serials"),
    *("quantity", "unit_price", "discount", "paid_amount", "ship_by", "promises"),
    *("no_return_agreed", "extra", "held", "gone", "reserved", "refunded"),
)
PAYMENT_COLUMNS = ("id", "order_id", "number", "method", "amount", "paid_at", "refunded")


def floor(path: Path) -> int:
    """No question asked: cells go straight into three tables."""
    shop = Shop.objects.get(code="bench").pk
    batch, done = 5000, 0
    orders: list[tuple[Any, ...]] = []
    lines: list[tuple[Any, ...]] = []
    payments: list[tuple[Any, ...]] = []
    with path.open(encoding="utf-8-sig", newline="") as file, transaction.atomic():
        for n, row in enumerate(csv.DictReader(file), 1):
            fen = int(row["paid_amount"].replace(".", ""))
            times = [f"{row[name]}+08:00" if row[name] else None for name in TIMES]
            orders.append(
                (
                    *(n, shop, row["platform"], row["order_no"], row["status"], fen, 0, 0, 0, 0, 0),
                    *times,
                    *(None, row["courier"], row["waybill"], "", True, row["buyer"]),
                    *(row["receiver"], row["phone"], row["address"], "", "", "{}", "", True),
                    *(times[0], times[0]),
                )
            )
            lines.append(
                (
                    *(n, n, row["line_no"], "", row["sku"], row["title"], row["category"], ""),
                    *(row["quantity"], row["unit_price"], 0, fen, None, row["promises"]),
                    *(False, "{}", 0, 0, 0, 0),
                )
            )
            payments.append((n, n, "", "", fen, times[1], 0))
            if n % batch == 0:
                _pour(orders, lines, payments)
            done = n
        _pour(orders, lines, payments)
    return done


def _pour(*tables: list[tuple[Any, ...]]) -> None:
    models = ((Order, ORDER_COLUMNS), (OrderLine, LINE_COLUMNS), (Payment, PAYMENT_COLUMNS))
    for (model, columns), rows in zip(models, tables, strict=True):
        table, names = model._meta.db_table, ", ".join(columns)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                marks = ", ".join(["%s"] * len(columns))
                sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
                cursor.executemany(sql, rows)
        rows.clear()
