"""The families of sheets we know; which one a sheet is, its headers say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from cases.sheets.dialects import douyin, generic, jd, native, pdd, ranking, taobao
from cases.sheets.dialects.base import (
    Column,
    Dialect,
    Options,
    Recognition,
    corrected,
    lay_over,
    read_facts,
)
from cases.sheets.dialects.ranking import Candidate, rivals
from cases.sheets.facts import CASES, ORDERS
from cases.sheets.headers import normal

__all__ = [
    "ALL",
    "Candidate",
    "Dialect",
    "Options",
    "Recognition",
    "by_code",
    "candidates",
    "corrected",
    "known_names",
    "lay_over",
    "mapped",
    "names_of",
    "needed",
    "read_facts",
    "recognise",
    "rivals",
]

#: The trunk's; apps add those of their own kinds (cases.sheets.registry).
ALL: Final = [
    native.ORDERS_SHEET,
    native.CASES_SHEET,
    taobao.ORDER_LIST,
    taobao.DETAILS,
    taobao.REFUNDS,
    douyin.ORDER_ROWS,
    douyin.AFTER_SALES,
    pdd.ORDER_LIST,
    pdd.AFTER_SALES,
    jd.ORDER_ROWS,
    jd.SERVICES,
    generic.ORDERS_SHEET,
    generic.CASES_SHEET,
]


def candidates(
    headers: Sequence[str], among: Sequence[Dialect] = ALL, *, platform: str | None = None
) -> list[Candidate]:
    """The dialects the headers may be of, in whatever order they stand; the likeliest first."""
    return ranking.candidates(headers, among, platform)


def recognise(headers: Sequence[str], among: Sequence[Dialect] = ALL) -> Recognition | None:
    """The dialect that explains the headers best; None where no dialect knows these columns.

    What it lacks is in `missing`; `rivals` tells whether others fit as well.
    """
    ranked = candidates(headers, among)
    return ranked[0].where if ranked else None


def by_code(
    code: str, kind: str | None = None, among: Sequence[Dialect] = ALL
) -> tuple[Dialect, ...]:
    """The dialects of a name, or those of one kind of sheet; `auto` is every name."""
    return tuple(
        dialect
        for dialect in among
        if code in {"auto", dialect.code} and kind in {None, "", "auto", dialect.kind}
    )


def mapped(
    kind: str,
    columns: Mapping[str, str],
    *,
    platform: str | None = None,
    words: Mapping[str, Mapping[str, str]] | None = None,
    name: str = "",
) -> Dialect:
    """A dialect of the user's own: header → field of our native sheet of that kind.

    A header whose field is empty is known and not used. Orders then need a number only: lines
    without a number are numbered as they stand and one without a count is one piece.
    """
    base = {ORDERS: native.ORDERS_SHEET, CASES: native.CASES_SHEET}[kind]
    fields = {column.field for column in base.columns}
    if strange := sorted(set(filter(None, columns.values())) - fields):
        raise KeyError(", ".join(strange))
    names: dict[str, list[str]] = {}
    for header, field in columns.items():
        names.setdefault(field, []).append(header)
    mine = tuple(
        Column(column.field, (*names.get(column.field, ()), *column.names), column.parse)
        for column in base.columns
    )
    return replace(
        base,
        code="mapped",
        platform=platform,
        columns=mine,
        required=needed(kind),
        others=tuple(names.get("", ())),
        words=words or {},
        own=tuple(columns),
        name=name,
    )


def needed(kind: str) -> tuple[str, ...]:
    """The fields a mapping of this kind cannot do without."""
    return ("order_no",) if kind == ORDERS else ("order_no", "kind", "applied_at")


def names_of(dialects: Iterable[Dialect]) -> frozenset[str]:
    """Every header these dialects know, normalised."""
    return frozenset(
        normal(name)
        for dialect in dialects
        for names in (dialect.others, *(column.names for column in dialect.columns))
        for name in names
    )


@cache
def known_names() -> frozenset[str]:
    """Every header any dialect knows: how the header row is found."""
    return names_of(ALL)
