"""Writes the changed columns of a batch in one go, repeating the old state and version.

Measured on both databases: ``executemany`` on SQLite, ``UPDATE … FROM unnest`` on PostgreSQL;
Django's ``bulk_update`` is as slow as row by row.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.db import connection, connections, models

if TYPE_CHECKING:
    from cases.flow.door import Move
    from cases.flow.states import Stateful


class Stale(Exception):
    """A row was no longer as it had been read; the whole batch is rolled back."""


def write(model: type["Stateful"], moves: list["Move"]) -> None:
    """Write every column that differs from ``move.before``; all rows must still be as they were."""
    names = [f.attname for f in model._meta.concrete_fields if not f.primary_key]
    differing: set[str] = set()
    for move in moves:
        was, now = move.before, move.subject.__dict__
        differing.update(n for n in names if was[n] is not now[n] and was[n] != now[n])
    changed = [f for f in model._meta.concrete_fields if f.attname in differing]
    columns = _columns([m.subject for m in moves], changed)
    rows = [
        [m.subject.pk, m.source, m.before["version"], *values]
        for m, *values in zip(moves, *columns, strict=True)
    ]
    update_rows(model, changed, rows, guards=("state", "version"))


def insert_rows(model: type[models.Model], rows: Sequence[Any]) -> None:
    """INSERT all rows in one go and give them their keys; several times faster than bulk_create.

    For models without fields that fill themselves when saved (auto_now).
    """
    if not rows:
        return
    fields = [f for f in model._meta.concrete_fields if not f.primary_key]
    columns = _columns(rows, fields)
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(f.column)) for f in fields)
    into = f"INSERT INTO {quote(model._meta.db_table)} ({names})"
    insert = _insert_unnest if connection.vendor == "postgresql" else _insert_one_by_one
    for row, pk in zip(rows, insert(model, into, fields, columns), strict=True):
        row.pk = pk
        row._state.adding = False
        row._state.db = connection.alias


def _insert_one_by_one(
    model: type[models.Model], into: str, fields: list[Any], columns: list[list[Any]]
) -> list[int]:
    places = ", ".join(["%s"] * len(fields))
    rows = list(zip(*columns, strict=True))
    with connection.cursor() as cursor:
        cursor.executemany(f"{into} VALUES ({places})", rows)
        cursor.execute("SELECT last_insert_rowid()")
        last = int(cursor.fetchone()[0])
    # SQLite has one writer, so the keys of one statement follow each other.
    return list(range(last - len(rows) + 1, last + 1))


def _insert_unnest(
    model: type[models.Model], into: str, fields: list[Any], columns: list[list[Any]]
) -> list[int]:
    arrays = ", ".join(f"%s::{_kind(f)}[]" for f in fields)
    key = connection.ops.quote_name(_key(model))
    # In the order of the arrays: nothing sorts or splits a single scan of them.
    sql = f"{into} SELECT * FROM unnest({arrays}) RETURNING {key}"  # noqa: S608 - names of our models
    with connection.cursor() as cursor:
        cursor.execute(sql, columns)
        return [int(pk) for (pk,) in cursor.fetchall()]


def update_rows(
    model: type[models.Model],
    columns: list[Any],
    rows: list[list[Any]],
    guards: tuple[str, ...] = (),
) -> None:
    """UPDATE by primary key with a value per row; ``rows``: [pk, *guard values, *new values].

    A row counts only where its guard columns still hold the given values; raises Stale else.
    """
    if not rows or not columns:
        return
    named = [model._meta.get_field(name) for name in guards]
    run = _unnest if connection.vendor == "postgresql" else _one_by_one
    if run(model, columns, named, rows) != len(rows):
        raise Stale(model._meta.label)


def values_for(fields: list[Any], values: list[Any]) -> list[Any]:
    """Values as the database wants them, field by field."""
    return [f.get_db_prep_save(v, connection) for f, v in zip(fields, values, strict=True)]


def rows_of(objects: Sequence[Any], fields: Sequence[Any]) -> list[list[Any]]:
    """[pk, *values of the fields] of each object, as update_rows takes them."""
    columns = _columns(objects, fields)
    return [[one.pk, *values] for one, *values in zip(objects, *columns, strict=True)]


def _columns(rows: Sequence[Any], fields: Sequence[Any]) -> list[list[Any]]:
    """Per field the values of all rows, as the database wants them."""
    database = connections[connection.alias]  # the proxy looks itself up at every question
    out = []
    for field in fields:
        values = [row.__dict__[field.attname] for row in rows]
        # Most values of a batch are alike; what a field makes of them is asked once each.
        try:
            made = {v: field.get_db_prep_save(v, database) for v in set(values)}
            out.append([made[v] for v in values])
        except TypeError:  # a JSON value cannot be looked up
            out.append([field.get_db_prep_save(v, database) for v in values])
    return out


def _one_by_one(
    model: type[models.Model], columns: list[Any], named: list[Any], rows: list[list[Any]]
) -> int:
    quote = connection.ops.quote_name
    sets = ", ".join(f"{quote(f.column)} = %s" for f in columns)
    where = "".join(f" AND {quote(f.column)} = %s" for f in named)
    table, key = quote(model._meta.db_table), quote(_key(model))
    sql = f"UPDATE {table} SET {sets} WHERE {key} = %s{where}"  # noqa: S608 - names of our models
    fixed = 1 + len(named)
    with connection.cursor() as cursor:
        cursor.executemany(sql, [[*row[fixed:], *row[:fixed]] for row in rows])
        return int(cursor.rowcount)


def _unnest(
    model: type[models.Model], columns: list[Any], named: list[Any], rows: list[list[Any]]
) -> int:
    quote = connection.ops.quote_name
    kinds = ["bigint", *(_kind(f) for f in (*named, *columns))]
    names = ["k", *(f"g{i}" for i in range(len(named))), *(f"v{i}" for i in range(len(columns)))]
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
    sets = ", ".join(f"{quote(f.column)} = d.v{i}" for i, f in enumerate(columns))
    where = "".join(f" AND t.{quote(f.column)} = d.g{i}" for i, f in enumerate(named))
    table, key = quote(model._meta.db_table), quote(_key(model))
    sql = (
        f"UPDATE {table} t SET {sets} FROM unnest({arrays}) "  # noqa: S608 - names of our models
        f"AS d({', '.join(names)}) WHERE t.{key} = d.k{where}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(column) for column in zip(*rows, strict=True)])
        return int(cursor.rowcount)


def _key(model: type[models.Model]) -> str:
    return str(cast(Any, model._meta.pk).column)


def _kind(field: Any) -> str:
    kind = str(field.db_type(connection))
    return kind.split("(", maxsplit=1)[0] if kind.startswith("varchar") else kind
