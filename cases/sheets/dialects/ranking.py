"""Which dialect a sheet is of: every one that may be meant, the likeliest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cases.sheets.dialects.base import Dialect, Recognition, lay_over
from cases.sheets.headers import ERROR_COLUMNS, is_unnamed, normal

#: Fewer known columns than this are a coincidence.
_FEWEST: Final = 3
#: Scores that differ by less are about equal: a person is asked. Orders are told from cases by
#: few columns, and taking the one for the other does the most harm.
_CLOSE: Final = 0.1
_CLOSE_KINDS: Final = 0.2
#: So much better must the names many sheets share explain a sheet, to go before a platform's.
_LEAD: Final = 0.15
#: So much less likely is a sheet of another platform than that of the shop it is for.
_FOREIGN: Final = 0.25
_ANYWHERE: Final = frozenset({None, "other"})
_FAMILIES: Final = {"tmall": "taobao"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A dialect laid over the headers. `score`: from 0 to 1, the part of them it explains.

    A dialect of another platform than the shop's has `_FOREIGN` less.
    """

    where: Recognition
    score: float

    @property
    def dialect(self) -> Dialect:
        return self.where.dialect

    @property
    def missing(self) -> tuple[str, ...]:
        return self.where.missing

    @property
    def is_whole(self) -> bool:
        """Lacks no column, but for the shop's, which may be named apart from the sheet."""
        shop = {column.names[0] for column in self.dialect.columns if column.field == "shop"}
        return shop.issuperset(self.missing)

    @property
    def unknown(self) -> tuple[str, ...]:
        return self.where.unknown

    @property
    def is_own(self) -> bool:
        """A mapping of the staff."""
        return bool(self.dialect.own)


def candidates(
    headers: Sequence[str], among: Sequence[Dialect], platform: str | None = None
) -> list[Candidate]:
    """Every dialect the headers may be of, the likeliest first; empty where none knows them.

    ``platform``: that of the shop the sheet is for. One that lacks nothing goes before one that
    does; the generic ones give way to all that explain about as much. A mapping of the staff is
    meant where every header it names is there.
    """
    there = set(map(normal, headers))
    named = _named(headers)
    found = [
        where
        for dialect in among
        if there.issuperset(map(normal, dialect.own))
        and _is_enough(where := lay_over(dialect, headers), named)
    ]
    scored = []
    for where in found:
        foreign = _FOREIGN if _is_foreign(where.dialect, platform) else 0.0
        explained = (named - len(where.unknown)) / named
        scored.append(Candidate(where, max(explained - foreign, 0.0)))
    return _ranked(scored)


def rivals(ranked: Sequence[Candidate]) -> list[Candidate]:
    """Those between which the headers do not decide; empty where the first is sure."""
    if not ranked or not ranked[0].is_whole:
        return []
    first = ranked[0]
    equal = [
        one
        for one in ranked
        if one.is_whole
        and one.is_own == first.is_own
        and one.dialect.generic == first.dialect.generic
        and first.score - one.score
        < (_CLOSE if one.dialect.kind == first.dialect.kind else _CLOSE_KINDS)
    ]
    return equal if len(equal) > 1 else []


def _ranked(scored: Sequence[Candidate]) -> list[Candidate]:
    whole = [
        one.score for one in scored if one.is_whole and not one.dialect.generic and not one.is_own
    ]
    # A platform's sheet that lacks a column must not be taken for another: its names mislead.
    partly = [one.score for one in scored if one.dialect.platform and not one.dialect.generic]
    best = max([0.0, *partly, *whole]) + (_LEAD if whole else 0.0)

    def key(one: Candidate) -> tuple[bool, bool, float, int]:
        own = one.is_own and one.score >= max(whole, default=0.0)
        sure = one.is_whole and (not one.dialect.generic or one.score > best)
        return own, sure, one.score, len(one.where.positions)

    return sorted(scored, key=key, reverse=True)


def _is_foreign(dialect: Dialect, platform: str | None) -> bool:
    if {dialect.platform, platform} & _ANYWHERE:
        return False
    return _FAMILIES.get(str(platform), platform) != dialect.platform


def _is_enough(where: Recognition, named: int) -> bool:
    """Three columns, or a sheet of two that says all that is needed and nothing else."""
    fields, known = len(where.positions), named - len(where.unknown)
    return fields >= 2 and (known >= _FEWEST or (not where.missing and not where.unknown))


def _named(headers: Sequence[str]) -> int:
    return sum(
        bool(name) and not is_unnamed(name) and normal(name) not in ERROR_COLUMNS
        for name in headers
    )
