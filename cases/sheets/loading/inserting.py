"""Many new rows in one go: COPY on PostgreSQL, executemany on SQLite; keys are known beforehand."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import repeat
from typing import Any, Final

from django.db import connection, models

from cases.models.money import MoneyField


def take_keys(model: type[models.Model], count: int) -> list[int]:
    """Primary keys nobody else will be given, in ascending order.

    On SQLite the caller's transaction holds the only write lock (IMMEDIATE), so the next ones in
    the table's own series are his.
    """
    table = model._meta.db_table
    if not count:
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [table, count],
            )
            return sorted(key for (key,) in cursor.fetchall())
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
        last = int(found[0]) if found else 0
        return list(range(last + 1, last + 1 + count))


def insert_columns(
    model: type[models.Model], columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any]
) -> None:
    """Insert rows given as columns of Python values (by attname); ``same``: alike in every row.

    By the column, because what a field makes of its values is then asked once and not per cell.
    """
    count = len(next(iter(columns.values())))
    if not count:
        return
    fields = [model._meta.get_field(name.removesuffix("_id")) for name in (*columns, *same)]
    ready = [
        _prepared(field, column) for field, column in zip(fields, columns.values(), strict=False)
    ]
    for field, value in zip(fields[len(columns) :], same.values(), strict=True):
        (once,) = _prepared(field, [value])
        ready.append(repeat(once, count))
    rows = zip(*ready, strict=True)
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    names = ", ".join(quote(str(field.column)) for field in fields)  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Errors of COPY come past Django's cursor, so they are translated here.
            with (
                connection.wrap_database_errors,
                cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
            ):
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(fields))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(rows))  # noqa: S608


def _prepared(field: Any, column: Sequence[Any]) -> Iterable[Any]:
    """The column's values as the database driver takes them."""
    convert = converter(field)
    return column if convert is None else map(convert, column)


Convert = Callable[[Any], Any]


def converter(field: Any) -> Convert | None:
    """How a value of the field goes into the database; None where it goes as it is."""
    if isinstance(field, MoneyField):
        return fen
    if isinstance(field, models.JSONField):
        return _json
    if not type(field).__module__.startswith("django."):
        return lru_cache(maxsize=65_536)(field.get_prep_value)  # a field of an app's own
    return None if connection.vendor == "postgresql" else _for_sqlite(field)


def _for_sqlite(field: Any) -> Convert | None:
    if isinstance(field, models.DateTimeField):
        return _naive
    return _decimal if isinstance(field, models.DecimalField) else None


@lru_cache(maxsize=65_536)
def fen(amount: Decimal | None) -> int | None:
    """Yuan with at most two decimals, which the merging made sure of."""
    return None if amount is None else int(amount.scaleb(2))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if value else _EMPTY


_EMPTY: Final = "{}"


def _naive(moment: datetime | None) -> str | None:
    """As Django keeps times on SQLite: UTC without saying so ("+00:00" taken off)."""
    return None if moment is None else moment.astimezone(UTC).isoformat(" ")[:-6]


def _decimal(number: Decimal | None) -> str | None:
    return None if number is None else format(number, "f")
