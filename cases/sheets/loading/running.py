"""Importing a file: open, recognise, take it chunk by chunk, tell what became of each row."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol

from django.db import DataError, IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from cases.flow.door import Actor, NotPermitted, Refused, once_more
from cases.flow.writing import Stale
from cases.models.shops import shop_ids_of
from cases.sheets import dialects
from cases.sheets.dialects import Options, Recognition
from cases.sheets.facts import CASES, ORDER_LINES, ORDERS, BadRow, Facts
from cases.sheets.headers import normal
from cases.sheets.loading.aftersales import CaseLoader
from cases.sheets.loading.orders import LineLoader, OrderLoader
from cases.sheets.loading.outcomes import ErrorFile, Outcome, Result, Watch
from cases.sheets.loading.shopfinder import ShopFinder, family
from cases.sheets.reader import Row, Table, Unreadable, open_sheet

#: Rows per transaction: SQLite has one writer, so its transactions are short.
CHUNK: Final = {"sqlite": 200, "postgresql": 2000}
#: Cases go through the door, which costs more than writing orders.
CASE_CHUNK: Final = {"sqlite": 100, "postgresql": 500}
#: A trial run writes nothing, so it may look at this many rows together.
TRIAL_CHUNK: Final = 2000
_PERMISSION: Final = {
    ORDERS: "cases.import_order",
    ORDER_LINES: "cases.import_order",
    CASES: "cases.import_case",
}

Progress = Callable[[int], None]


class Loader(Protocol):
    """Takes the facts of one chunk inside the caller's transaction."""

    def take(self, chunk: Sequence[Any]) -> list[Outcome]:
        """An outcome per facts, in their order."""


class _Rollback(Exception):
    """Ends the transaction of a trial run."""


def import_file(  # noqa: PLR0913 - each is a choice of the person who imports
    path: Path | str,
    *,
    actor: Actor,
    shop: str | None = None,
    kind: str | None = None,
    kinds: Sequence[str] | None = None,
    dialect: str = "auto",
    mapping: Mapping[str, Any] | None = None,
    sheet: str | None = None,
    dry_run: bool = False,
    errors: Path | str | None = None,
    may_create_shop: bool = False,
    visible_shops: frozenset[int] | None = None,
    round_half_up: bool = False,
    progress: Progress | None = None,
    watch: Watch | None = None,
    most_rows: int | None = None,
) -> Result:
    """Take a spreadsheet in; the counts of what it did.

    ``shop``: code of the shop of sheets that name none. ``kinds``: what may be taken in at all.
    ``mapping``: the user's own columns,
    ``{"kind": …, "columns": {header: field}}``. ``errors``: where to write the rows that failed.
    ``visible_shops``: primary keys the importer may know of (None: the actor's own; all where
    nobody stands behind the sheet). ``progress``: called with the rows done. ``watch``: called
    with every outcome. ``most_rows``: refuse longer sheets.

    Raises Unreadable where the file is no spreadsheet and Refused where it cannot be begun with.
    """
    began = time.monotonic()
    if visible_shops is None and actor.user is not None:
        visible_shops = shop_ids_of(actor.user)
    own = _own_dialect(mapping, kind)
    known = frozenset(normal(name) for name in _columns(mapping)) if mapping else None
    with open_sheet(path, sheet=sheet, known=known) as table:
        if own:
            where = _complete(dialects.lay_over(own, table.headers), shop)
        else:
            among = dialects.by_code(dialect, kind)
            if not among:
                raise Refused(_no_dialect(dialect, kind), "bad_value")
            fitting = [one for one in among if not kinds or one.kind in kinds]
            where = _recognise(table, fitting, shop)
        _may(actor, where.dialect.kind)
        named = where.dialect.platform
        shops = ShopFinder(shop, named, visible_shops, may_create_shop)
        run = _Run(
            loader=_loader(where, shops, actor),
            shops=shops,
            result=Result(
                where.dialect.code, where.dialect.kind, unknown_columns=list(where.unknown)
            ),
            errors=ErrorFile(errors, where.headers),
            dry_run=dry_run,
            progress=progress,
            watch=watch,
            most_rows=most_rows,
        )
        try:
            run.over(table, where, Options(round_half_up=round_half_up))
        finally:
            run.result.error_file = run.errors.close()
    run.result.seconds = time.monotonic() - began
    return run.result


def _may(actor: Actor, kind: str) -> None:
    permission = _PERMISSION[kind]
    if actor.user is not None and not actor.user.has_perm(permission):
        raise NotPermitted(_("You may not import such sheets. Ask a lead or a supervisor."))


def _columns(mapping: Mapping[str, Any] | None) -> Mapping[str, str]:
    found: Mapping[str, str] = (mapping or {}).get("columns") or {
        str(name): str(field_)
        for name, field_ in (mapping or {}).items()
        if name not in {"kind", "platform", "columns"}
    }
    return found


def _own_dialect(mapping: Mapping[str, Any] | None, kind: str | None) -> dialects.Dialect | None:
    if not mapping:
        return None
    wanted = kind if kind in {ORDERS, CASES} else mapping.get("kind", ORDERS)
    try:
        return dialects.mapped(wanted, _columns(mapping), platform=mapping.get("platform"))
    except KeyError as error:
        said = {"names": error.args[0]}
        message = _("The mapping names what is no field or kind of sheet: %(names)s.") % said
        raise Refused(message, "bad_value") from error


def _recognise(table: Table, among: Sequence[dialects.Dialect], shop: str | None) -> Recognition:
    where = dialects.recognise(table.headers, among) if among else None
    if where is None:
        seen = ", ".join(name for name in table.headers[:8])
        message = _(
            "No known kind of sheet has these columns (%(seen)s). Choose the dialect, or give a "
            "mapping of the columns."
        )
        raise Refused(message % {"seen": seen}, "bad_value")
    return _complete(where, shop)


def _complete(where: Recognition, shop: str | None) -> Recognition:
    """Refuse a sheet that lacks what its rows need; a shop named apart is not asked for."""
    given = where.dialect.header("shop") if shop and "shop" in where.dialect.required else None
    if missing := [name for name in where.missing if name != given]:
        said = {"names": ", ".join(missing), "dialect": where.dialect.code}
        message = _("Columns are missing for a sheet of “%(dialect)s”: %(names)s.") % said
        raise Refused(message, "bad_value")
    return where


def _loader(where: Recognition, shops: ShopFinder, actor: Actor) -> Loader:
    dialect = where.dialect
    columns = frozenset(where.positions)
    if dialect.kind == ORDERS:
        return OrderLoader(shops, columns, dialect.code)
    if dialect.kind == ORDER_LINES:
        return LineLoader(shops, family(dialect.platform))
    return CaseLoader(shops, actor, dialect.code, columns)


@dataclass
class _Run:
    """One pass over a sheet."""

    loader: Loader
    shops: ShopFinder
    result: Result
    errors: ErrorFile
    dry_run: bool
    progress: Progress | None
    watch: Watch | None
    most_rows: int | None
    rows: dict[int, Row] = field(default_factory=dict)

    def over(self, table: Table, where: Recognition, options: Options) -> None:
        sizes = CASE_CHUNK if where.dialect.kind == CASES else CHUNK
        size = TRIAL_CHUNK if self.dry_run else sizes.get(connection.vendor, 200)
        chunk: list[Facts] = []
        waiting = 0
        for item in self._facts(table, where, options):
            if isinstance(item, BadRow):
                self._bad(item)
                continue
            if waiting >= size and not _belongs(chunk[-1], item):
                self._flush(chunk)
                chunk, waiting = [], 0
            chunk.append(item)
            waiting += len(item.rows)
        self._flush(chunk)
        self._left_out(table)

    def _facts(
        self, table: Table, where: Recognition, options: Options
    ) -> Iterator[Facts | BadRow]:
        """What breaks off in the middle of a file is told; the rows before it are taken."""
        number = 0

        def noted(rows: Iterable[Row]) -> Iterator[Row]:
            nonlocal number
            keep = self.errors.path is not None
            for row in rows:
                number = row.number
                if keep:
                    self.rows[number] = row
                yield row

        try:
            yield from dialects.read_facts(noted(self._bounded(table)), where, options)
        except Unreadable as problem:
            if not number:
                raise
            yield BadRow(number + 1, None, "", problem.code, problem.message)

    def _bounded(self, table: Table) -> Iterable[Row]:
        """All rows; where they are bounded, none is taken before they have been counted."""
        if self.most_rows is None:
            return table
        rows = list(islice(table, self.most_rows + 1))
        if len(rows) > self.most_rows:
            raise Refused(_too_long(self.most_rows), "bad_value")
        return rows

    def _left_out(self, table: Table) -> None:
        """No row is left out in silence."""
        count = sum(number for what, number in table.skipped.items() if what != "empty")
        if count:
            said = {"count": count}
            self.result.warn(_("%(count)s rows of titles or totals were left out.") % said)
        if table.other_sheets:
            names = {"names": ", ".join(table.other_sheets), "sheet": table.sheet}
            text = _("Only the sheet “%(sheet)s” was read; there are also: %(names)s.")
            self.result.warn(text % names)

    def _bad(self, bad: BadRow) -> None:
        outcome = Outcome((bad.row,), "failed", bad.message, bad.code)
        self.errors.add(bad)
        self.rows.pop(bad.row, None)
        self._tell(outcome)

    def _flush(self, chunk: Sequence[Facts]) -> None:
        if not chunk:
            return
        for outcome in self._safely(chunk):
            for row in outcome.rows if outcome.what == "failed" else ():
                cells = self.rows[row].cells if row in self.rows else {}
                self.errors.add(BadRow(row, None, "", outcome.code, outcome.message, cells))
            self._tell(outcome)
        for facts in chunk:  # rows of the next chunk may have been read already
            for row in facts.rows:
                self.rows.pop(row, None)
        for text in self.shops.warnings:
            self.result.warn(text)
        self.shops.warnings.clear()
        if self.progress:
            self.progress(self.result.rows)

    def _tell(self, outcome: Outcome) -> None:
        self.result.add(outcome)
        if self.watch:
            self.watch(outcome)

    def _safely(self, chunk: Sequence[Facts]) -> list[Outcome]:
        """Where the database refuses a chunk, halve it until the bad row stands alone."""
        try:
            return once_more(self._take, chunk)  # type: ignore[no-any-return]
        except (IntegrityError, DataError, Stale) as error:
            self.shops.forget_made()
            if len(chunk) > 1:
                middle = len(chunk) // 2
                return [*self._safely(chunk[:middle]), *self._safely(chunk[middle:])]
            return [_refused_by_database(chunk[0], error)]

    def _take(self, chunk: Sequence[Facts]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        try:
            with transaction.atomic():
                outcomes = self.loader.take(chunk)
                if self.dry_run:
                    raise _Rollback
        except _Rollback:
            self.shops.forget_made()
        return outcomes


def _belongs(before: Facts, item: Facts) -> bool:
    """Rows of one case stay together."""
    mine, other = getattr(before, "case_no", None), getattr(item, "case_no", None)
    return mine is not None and mine == other


def _no_dialect(dialect: str, kind: str | None) -> str:
    said = {
        "dialect": dialect,
        "kind": kind or "–",
        "known": ", ".join(sorted({f"{one.code} {one.kind}" for one in dialects.ALL})),
    }
    message = _("There is no dialect “%(dialect)s” for the kind “%(kind)s”; there are: %(known)s.")
    return message % said


def _too_long(most: int) -> str:
    message = _("The sheet has more than %(most)s rows; import it by command, in the background.")
    return message % {"most": most}


def _refused_by_database(facts: Facts, error: Exception) -> Outcome:
    outcome = Outcome(facts.rows, "failed", code="bad_value", label=facts.order_no)
    text = _("the database refused the row; someone may have changed the order at the same moment")
    outcome.message = f"{outcome.told(text)} ({type(error).__name__})"
    return outcome
