"""The floor of the import: one straight script, the same checks and tables, no more than that.

What it leaves out is what a library adds: recognising the sheet, any other way of writing a cell,
a word about what is wrong, older exports, order lines that stand in, rows told apart one by one.
"""
# ruff: noqa: S608 - the statements are put together from constants of this file

import csv
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from cases.models import Shop
from cases.sheets.dialects import words
from cases.sheets.headers import normal

BATCH = 5000
#: Columns of the tables that the sheet fills or that must not be NULL; Django sets no defaults.
ORDER = (
    *("platform", "order_no", "shop_id", "status", "paid_amount", "freight_paid"),
    *("ordered_at", "paid_at", "shipped_at", "signed_at", "finished_at", "promised_arrival"),
    *("ship_by", "courier", "waybill", "named_courier", "buyer", "receiver", "phone", "address"),
    *("phone_hash", "phone_tail", "facts_hash", "shipped_free"),
)
ORDER_SAME = {
    **dict.fromkeys(("freight_reserved", "freight_refunded", "external_refunded"), "0"),
    "reported_refunded": "0",
    "extra": "'{}'",
    "has_lines": "true",
}
LINE = (
    *("line_no", "sku", "title", "category", "serials", "quantity", "unit_price", "discount"),
    *("paid_amount", "ship_by", "promises"),
)
LINE_SAME = {
    **dict.fromkeys(("held", "gone", "reserved", "refunded"), "0"),
    "sub_order_no": "''",
    "extra": "'{}'",
    "no_return_agreed": "false",
}
PAYMENT = ("amount", "paid_at")
PAYMENT_SAME = {"number": "''", "method": "''", "refunded": "0"}

Rows = list[tuple[Any, ...]]


class Cells:
    """One row of the sheet by the names of its columns, checked."""

    def __init__(self, header: list[str], *, as_text: bool) -> None:
        self.at = {name: position for position, name in enumerate(header)}
        self.as_text = as_text
        self.shops = dict(Shop.objects.values_list("code", "pk"))
        self.key = str(settings.PHONE_HASH_KEY).encode()
        self.tail = lru_cache(10_000)(self.keyed)

    def keyed(self, text: str) -> str:
        return hmac.digest(self.key, text.encode(), "sha256").hex()

    def phone(self, text: str) -> tuple[str, str]:
        if not (text.isascii() and text.isdigit() and 7 <= len(text) <= 20):
            return "", ""
        return self.keyed(f"phone:{text}"), self.tail(f"tail:{text[-4:]}")

    def time(self, text: str) -> datetime | str | None:
        """A real day of this century; SQLite wants a text in UTC."""
        if not text:
            return None
        moment = datetime.fromisoformat(f"{text}+08:00")
        assert 2000 <= moment.year <= 2100, text
        return str(moment.astimezone(UTC))[:-6] if self.as_text else moment

    def of(self, row: list[str]) -> tuple[tuple[Any, ...], tuple[Any, ...], int]:
        """(what the order says, what the line says, what was paid for the line in fen)."""
        at = self.at
        cell = {name: row[position].strip() for name, position in at.items()}
        assert "".join(row).isprintable()
        number, pieces = cell["order_no"], int(cell["quantity"])
        assert 0 < len(number) <= 64
        assert cell["line_no"]
        assert 0 < pieces <= 1_000_000
        paid, freight = fen(cell["paid_amount"]), fen(cell["freight_paid"] or "0")
        price, discount = cell["unit_price"], fen(cell["discount"] or "0")
        assert fen(price) * pieces - discount == paid, number
        times = {name: self.time(cell[name]) for name in TIMES}
        stamp = hashlib.blake2b("\x1f".join(row).encode(), digest_size=32).hexdigest()
        order = (
            *(PLATFORMS[cell["platform"]], number, self.shops[cell["shop"]]),
            *(STATUSES[cell["status"]], paid + freight, freight, *times.values()),
            *(cell["courier"][:60], cell["waybill"][:64], cell["named_courier"][:60]),
            *(cell["buyer"][:100], cell["receiver"][:100], cell["phone"], cell["address"][:400]),
            *(*self.phone(cell["phone"]), stamp, cell["shipped_free"] == "yes"),
        )
        line = (
            *(int(cell["line_no"]), cell["sku"][:100], cell["title"][:300]),
            *(CATEGORIES[cell["category"]], cell["serials"], pieces, price, discount, paid),
            *(times["ship_by"], promises(cell["promises"])),
        )
        return order, line, paid


TIMES = (
    *("ordered_at", "paid_at", "shipped_at", "signed_at", "finished_at", "promised_arrival"),
    "ship_by",
)


@lru_cache(65_536)
def fen(text: str) -> int:
    whole, _point, rest = text.partition(".")
    assert len(rest) <= 2, text
    amount = int(whole) * 100 + int(rest.ljust(2, "0"))
    assert amount >= 0, text
    return amount


@lru_cache(1024)
def promises(text: str) -> str:
    parts = [part.strip() for part in text.split(";") if part.strip()]
    return ";".join(words.PROMISES.get(normal(part), part) for part in parts)


class Words(dict[str, str]):
    """Our word for the sheet's, normalised once each."""

    def __init__(self, known: Any) -> None:
        super().__init__()
        self.known = known

    def __missing__(self, word: str) -> str:
        self[word] = self.known[normal(word)]
        return self[word]


STATUSES, CATEGORIES, PLATFORMS = (
    Words(known) for known in (words.NATIVE_STATUS, words.CATEGORIES, words.PLATFORMS)
)


def floor(path: Path) -> int:
    """Read, check, write; rows of one order stand together."""
    pour = Postgres() if connection.vendor == "postgresql" else SQLite()
    done = 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        cells = Cells(next(rows), as_text=connection.vendor == "sqlite")
        for orders, lines, payments in batches(cells, rows):
            with transaction.atomic():
                pour(orders, lines, payments)
            done += len(lines)
    return done


def batches(cells: Cells, rows: Iterator[list[str]]) -> Iterator[tuple[Rows, Rows, Rows]]:
    while batch := list(islice(rows, BATCH)):
        found: dict[tuple[str, str], list[Any]] = {}
        lines: Rows = []
        for row in batch:
            order, line, paid = cells.of(row)
            key = order[:2]
            if (had := found.get(key)) is None:
                found[key] = [*order]
            else:
                had[4] += paid
            lines.append((*key, *line))
        orders = [tuple(order) for order in found.values()]
        paid_at = ORDER.index("paid_at")
        payments = [(*order[:2], order[4], order[paid_at]) for order in orders if order[4]]
        yield orders, lines, payments


def held(pairs: str) -> str:
    """Lines of which cases hold more than the sheet would leave."""
    return (
        f"SELECT count(*) FROM {pairs} JOIN cases_order o ON o.platform = i.platform"
        " AND o.order_no = i.order_no JOIN cases_orderline l ON l.order_id = o.id"
        " AND l.line_no = i.line_no WHERE l.held + l.gone > i.quantity"
        " OR l.reserved + l.refunded > i.paid_amount"
    )


def upsert(columns: tuple[str, ...], keys: tuple[str, ...], extra: str = "") -> str:
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}{extra}"


class Postgres:
    """COPY into staging tables, then one INSERT … ON CONFLICT per table."""

    def __init__(self) -> None:
        for name, table, key, columns in (
            ("orders_in", "cases_order", (), ORDER),
            ("lines_in", "cases_orderline", ("platform", "order_no"), LINE),
            ("payments_in", "cases_payment", ("platform", "order_no"), PAYMENT),
        ):
            keys = "".join(f"''::text AS {one}, " for one in key)
            self._run(
                f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} AS SELECT {keys}{', '.join(columns)}"
                f" FROM {table} LIMIT 0"
            )

    def _run(self, sql: str, *values: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchone() if cursor.description else None

    def __call__(self, orders: Rows, lines: Rows, payments: Rows) -> None:
        for name, rows in (("orders_in", orders), ("lines_in", lines), ("payments_in", payments)):
            self._run(f"TRUNCATE {name}")
            with connection.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        assert self._run(held("lines_in i")) == (0,)
        same, now = ORDER_SAME, timezone.now()
        names = ", ".join((*ORDER, *same, "created_at", "updated_at"))
        self._run(
            f"INSERT INTO cases_order ({names}) SELECT {', '.join(ORDER)},"
            f" {', '.join(same.values())}, %s, %s FROM orders_in"
            + upsert((*ORDER, "updated_at"), ("platform", "order_no"))
            + " WHERE cases_order.facts_hash <> excluded.facts_hash",
            *(now, now),
        )
        self._lines("cases_orderline", "lines_in", LINE, LINE_SAME, "line_no")
        self._lines("cases_payment", "payments_in", PAYMENT, PAYMENT_SAME, "number")

    def _lines(
        self, table: str, staged: str, columns: tuple[str, ...], same: dict[str, str], key: str
    ) -> None:
        self._run(
            f"INSERT INTO {table} (order_id, {', '.join((*columns, *same))}) SELECT o.id,"
            f" {', '.join(f'i.{name}' for name in columns)}, {', '.join(same.values())}"
            f" FROM {staged} i JOIN cases_order o ON o.platform = i.platform"
            " AND o.order_no = i.order_no" + upsert(columns, ("order_id", key))
        )


class SQLite:
    """executemany … ON CONFLICT; one query asks for what cases hold of the batch."""

    def __call__(self, orders: Rows, lines: Rows, payments: Rows) -> None:
        now = str(timezone.now())[:-6]
        of = "(SELECT id FROM cases_order WHERE platform = %s AND order_no = %s)"
        with connection.cursor() as cursor:
            self._check(cursor, lines)
            marks = ", ".join(["%s"] * len(ORDER))
            cursor.executemany(
                f"INSERT INTO cases_order ({', '.join((*ORDER, *ORDER_SAME))}, created_at,"
                f" updated_at) VALUES ({marks}, {', '.join(ORDER_SAME.values())}, '{now}', '{now}')"
                + upsert((*ORDER, "updated_at"), ("platform", "order_no"))
                + " WHERE facts_hash <> excluded.facts_hash",
                orders,
            )
            for table, columns, same, key, rows in (
                ("cases_orderline", LINE, LINE_SAME, "line_no", lines),
                ("cases_payment", PAYMENT, PAYMENT_SAME, "number", payments),
            ):
                marks = ", ".join(["%s"] * len(columns))
                cursor.executemany(
                    f"INSERT INTO {table} (order_id, {', '.join((*columns, *same))})"
                    f" VALUES ({of}, {marks}, {', '.join(same.values())})"
                    + upsert(columns, ("order_id", key)),
                    rows,
                )

    @staticmethod
    def _check(cursor: Any, lines: Rows) -> None:
        """SQLite binds so many values at once, so the numbers go in as one text of JSON."""
        import json  # noqa: PLC0415 - one of the two databases needs it

        paid, pieces = 2 + LINE.index("paid_amount"), 2 + LINE.index("quantity")
        told = json.dumps([(*line[:3], line[pieces], line[paid]) for line in lines])
        pairs = (
            "(SELECT value ->> 0 AS platform, value ->> 1 AS order_no, value ->> 2 AS line_no,"
            " value ->> 3 AS quantity, value ->> 4 AS paid_amount FROM json_each(%s)) i"
        )
        cursor.execute(held(pairs), [told])
        assert cursor.fetchone() == (0,)
