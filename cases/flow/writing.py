"""Writes the changed columns of a batch in one go, repeating the old state and version.

Measured on both databases: ``executemany`` on SQLite, ``UPDATE … FROM unnest`` on PostgreSQL;
Django's ``bulk_update`` is as slow as row by row.
"""

from typing import TYPE_CHECKING, Any, cast

from django.db import connection, models

if TYPE_CHECKING:
    from cases.flow.door import Move
    from cases.flow.states import Stateful


class Stale(Exception):
    """A row was no longer as it had been read; the whole batch is rolled back."""


def write(model: type["Stateful"], moves: list["Move"]) -> None:
    """Write every column that differs from ``move.before``; all rows must still be as they were."""
    fields = [f for f in model._meta.concrete_fields if not f.primary_key]
    changed = [f for f in fields if any(_differs(m, f.attname) for m in moves)]
    rows = [
        [m.subject.pk, m.source, m.before["version"], *_values(m.subject, changed)] for m in moves
    ]
    update_rows(model, changed, rows, guards=("state", "version"))


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


def _differs(move: "Move", name: str) -> bool:
    return bool(move.before.get(name) != move.subject.__dict__.get(name))


def _values(row: models.Model, fields: list[Any]) -> list[Any]:
    return [f.get_db_prep_save(row.__dict__[f.attname], connection) for f in fields]


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
