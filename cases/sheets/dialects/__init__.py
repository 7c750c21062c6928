"""The families of sheets we know; which one a sheet is, its headers say."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from cases.sheets.dialects import douyin, jd, native, pdd, taobao
from cases.sheets.dialects.base import (
    Column,
    Dialect,
    Options,
    Recognition,
    lay_over,
    read_facts,
)
from cases.sheets.facts import CASES, ORDERS
from cases.sheets.headers import normal

__all__ = [
    "ALL",
    "Dialect",
    "Options",
    "Recognition",
    "by_code",
    "known_names",
    "lay_over",
    "mapped",
    "read_facts",
    "recognise",
]

ALL: Final = (
    native.ORDERS_SHEET,
    native.CASES_SHEET,
    taobao.ORDER_LIST,
    taobao.DETAILS,
    taobao.REFUNDS,
    douyin.ORDER_ROWS,
    douyin.AFTER_SALES,
    pdd.ORDER_LIST,
    jd.ORDER_ROWS,
)

#: Fewer known columns than this are a coincidence.
_FEWEST = 3


def recognise(headers: Sequence[str], among: Sequence[Dialect] = ALL) -> Recognition | None:
    """The dialect that explains the headers best, in whatever order they stand.

    One that lacks nothing it needs goes before one that does; what it lacks is in `missing`.
    None: no dialect knows these columns.
    """
    found = [lay_over(dialect, headers) for dialect in among]
    found = [where for where in found if len(where.positions) >= _FEWEST]
    return max(found, key=_fit, default=None)


def _fit(where: Recognition) -> tuple[bool, int, int]:
    return not where.missing, len(where.positions) - len(where.unknown), len(where.positions)


def by_code(code: str, kind: str | None = None) -> tuple[Dialect, ...]:
    """The dialects of a name, or those of one kind of sheet; `auto` is every name."""
    return tuple(
        dialect
        for dialect in ALL
        if code in {"auto", dialect.code} and kind in {None, "", "auto", dialect.kind}
    )


def mapped(kind: str, columns: Mapping[str, str], *, platform: str | None = None) -> Dialect:
    """A dialect of the user's own: header → field of our native sheet of that kind.

    Orders then need a number only: lines without a number are numbered as they stand and one
    without a count is one piece.
    """
    base = {ORDERS: native.ORDERS_SHEET, CASES: native.CASES_SHEET}[kind]
    fields = {column.field for column in base.columns}
    if strange := sorted(set(columns.values()) - fields):
        raise KeyError(", ".join(strange))
    names: dict[str, list[str]] = {}
    for header, field in columns.items():
        names.setdefault(field, []).append(header)
    mine = tuple(
        Column(column.field, (*names.get(column.field, ()), *column.names), column.parse)
        for column in base.columns
    )
    required = ("order_no",) if kind == ORDERS else ("order_no", "kind", "applied_at")
    return replace(base, code="mapped", platform=platform, columns=mine, required=required)


@cache
def known_names() -> frozenset[str]:
    """Every header any dialect knows, normalised: how the header row is found."""
    names = {normal(name) for dialect in ALL for column in dialect.columns for name in column.names}
    return frozenset(names | {normal(name) for dialect in ALL for name in dialect.others})
