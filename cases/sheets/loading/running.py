"""Importing a file: open, recognise, take it chunk by chunk, tell what became of each row."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.db import DataError, IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from cases.flow.door import Actor, NotPermitted, once_more
from cases.flow.onewriter import has_company
from cases.flow.writing import Stale
from cases.models.shops import shop_ids_of
from cases.sheets import dialects, registry
from cases.sheets.dialects import Options, Recognition
from cases.sheets.facts import BadRow, Facts
from cases.sheets.loading.outcomes import ErrorFile, Outcome, Result, Sink
from cases.sheets.loading.shopfinder import ShopFinder
from cases.sheets.reader import Row, Table, Unreadable, open_sheet
from cases.sheets.recognising import recogniser
from cases.sheets.registry import Intake, Loader

#: Rows per transaction: SQLite has one writer, and whoever saves a note waits for one chunk.
CHUNK: Final = {"sqlite": 2000, "postgresql": 2000}
#: So there a chunk holds these while others write too; alone, small chunks only cost.
SHARED_CHUNK: Final = 100
#: Seconds after which nobody seems to write beside us any more.
ALONE_AFTER: Final = 60
#: What goes through the door costs more than writing orders.
DOOR_CHUNK: Final = {"sqlite": 100, "postgresql": 500}
#: A trial run writes nothing, so it may look at this many rows together.
TRIAL_CHUNK: Final = 2000

Progress = Callable[[int], None]
Item = Facts | BadRow


class _Rollback(Exception):
    """Ends the transaction of a trial run."""


def import_file(  # noqa: PLR0913 - each is a choice of the person who imports
    path: Path | str,
    *,
    actor: Actor,
    shop: str | None = None,
    kind: str | None = None,
    dialect: str = "auto",
    mapping: Mapping[str, Any] | str | None = None,
    columns: Mapping[str, str] | None = None,
    sheet: str | None = None,
    header_row: int | None = None,
    dry_run: bool = False,
    errors: Path | str | None = None,
    may_create_shop: bool = False,
    visible_shops: frozenset[int] | None = None,
    round_half_up: bool = False,
    progress: Progress | None = None,
    sink: Sink | None = None,
    after: int = 0,
) -> Result:
    """Take a spreadsheet in; the counts of what it did.

    ``shop``: code of the shop of sheets that name none. ``mapping``: the user's own columns,
    ``{"kind": …, "columns": {header: field}}``, or the name of a mapping that was saved.
    ``columns``: corrections to what is recognised, header → field, "" for a column that is not
    to be used. ``errors``: where to write the rows that failed. ``visible_shops``: primary keys
    the importer may know of (None: the actor's own; all where nobody stands behind the sheet).
    ``progress``: called with the rows done. ``sink``: hears of each chunk in its transaction.
    ``after``: the last row an earlier attempt committed.

    Raises Unreadable where the file is no spreadsheet and Refused where it cannot be begun with.
    """
    began = time.monotonic()
    if visible_shops is None and actor.user is not None:
        visible_shops = shop_ids_of(actor.user)
    sink = sink or Sink()
    known = recogniser(
        shop=shop, kind=kind, dialect=dialect, mapping=mapping, visible=visible_shops
    )
    with open_sheet(path, sheet=sheet, header_row=header_row, known=known.names) as table:
        where = known.recognise(table.headers, columns)
        may_import(actor, where.dialect.kind)
        sink.begin(where)
        named = where.dialect.platform
        shops = ShopFinder(shop, named, visible_shops, may_create_shop)
        incoming, intake = registry.incoming()[where.dialect.kind], Intake(where, shops, actor)
        run = _Run(
            loader=incoming.loader(intake),
            shops=shops,
            result=Result(
                where.dialect.code, where.dialect.kind, unknown_columns=list(where.unknown)
            ),
            errors=ErrorFile(errors, where.headers),
            sink=sink,
            dry_run=dry_run,
            progress=progress,
            after=after,
            finish=incoming.finish and partial(incoming.finish, intake, sink.passing),
        )
        try:
            run.over(table, where, Options(round_half_up=round_half_up))
        finally:
            run.result.error_file = run.errors.close()
    run.result.seconds = time.monotonic() - began
    return run.result


def may_import(actor: Actor, kind: str) -> None:
    """Raises NotPermitted where this person may not take in sheets of this kind."""
    permission = registry.incoming()[kind].right
    if actor.user is not None and not actor.user.has_perm(permission):
        raise NotPermitted(_("You may not import such sheets. Ask a lead or a supervisor."))


@dataclass
class _Run:
    """One pass over a sheet. ``after``: rows up to this one were dealt with before."""

    loader: Loader
    shops: ShopFinder
    result: Result
    errors: ErrorFile
    sink: Sink
    dry_run: bool
    progress: Progress | None
    after: int = 0
    finish: Callable[[], list[str]] | None = None
    #: Rows that were read and of which no facts have come yet, ascending.
    unread: dict[int, Row] = field(default_factory=dict)
    #: Rows of the chunk in hand: whichever fails goes back with its cells.
    rows: dict[int, Row] = field(default_factory=dict)

    def over(self, table: Table, where: Recognition, options: Options) -> None:
        kind = where.dialect.kind
        size = self._size(kind)
        chunk: list[Item] = []
        waiting = last = 0
        for item in self._items(table, where, options):
            rows = _rows_of(item)
            if not isinstance(item, BadRow):
                self.result.note_words(item.warnings)
            if rows[-1] <= self.after:
                self._forget(rows)
                self.sink.passing()
                continue
            if waiting >= size and not _belongs(chunk[-1], item) and self._is_clean(last, rows):
                self._flush(chunk)
                chunk, waiting, size = [], 0, self._size(kind)
            chunk.append(item)
            waiting += len(rows)
            last = max(last, rows[-1])
        self._flush(chunk)
        told = [*self._left_out(table), *self._finished()]
        for text in told:
            self.result.warn(text)
        self.sink.end(told, self.result.unknown_words)

    def _finished(self) -> list[str]:
        """What follows from the file as a whole; a trial writes nothing, so nothing follows."""
        return self.finish() if self.finish and not self.dry_run else []

    def _size(self, kind: str) -> int:
        if self.dry_run:
            return TRIAL_CHUNK
        sizes = DOOR_CHUNK if registry.incoming()[kind].by_door else CHUNK
        size = sizes.get(connection.vendor, 200)
        if connection.vendor == "sqlite" and has_company(ALONE_AFTER):
            return min(size, SHARED_CHUNK)
        return size

    def _is_clean(self, last: int, rows: Sequence[int]) -> bool:
        """Whether all rows up to ``last`` are in hand: only there may a later attempt go on."""
        return last < min(rows[0], next(iter(self.unread), rows[0]))

    def _items(self, table: Table, where: Recognition, options: Options) -> Iterator[Item]:
        """What breaks off in the middle of a file is told; the rows before it are taken."""
        number = 0
        broken: Unreadable | None = None

        def noted() -> Iterator[Row]:
            nonlocal number, broken
            try:
                for row in table:
                    number = row.number
                    self.unread[number] = row
                    yield row
            except Unreadable as problem:
                if not number:
                    raise
                broken = problem

        for item in dialects.read_facts(noted(), where, options):
            for row in _rows_of(item):
                self.rows[row] = self.unread.pop(row)
            yield item
        if broken is not None:
            yield BadRow(number + 1, None, "", broken.code, broken.message)

    def _left_out(self, table: Table) -> list[str]:
        """No row is left out in silence."""
        told = []
        count = sum(number for what, number in table.skipped.items() if what != "empty")
        if count:
            said = {"count": count}
            told.append(_("%(count)s rows of titles or totals were left out.") % said)
        if table.other_sheets:
            names = {"names": ", ".join(table.other_sheets), "sheet": table.sheet}
            text = _("Only the sheet “%(sheet)s” was read; there are also: %(names)s.")
            told.append(text % names)
        return told

    def _flush(self, chunk: Sequence[Item]) -> None:
        if not chunk:
            return
        for outcome in self._safely(chunk):
            self.errors.add(outcome)
            self.result.add(outcome)
        for item in chunk:  # rows of the next chunk may have been read already
            self._forget(_rows_of(item))
        for text in self.shops.warnings:
            self.result.warn(text)
        self.shops.warnings.clear()
        if self.progress:
            self.progress(self.result.rows)

    def _forget(self, rows: Sequence[int]) -> None:
        for row in rows:
            self.rows.pop(row, None)

    def _safely(self, chunk: Sequence[Item]) -> list[Outcome]:
        """Where the database refuses a chunk, halve it until the bad row stands alone."""
        try:
            return once_more(self._take, chunk)  # type: ignore[no-any-return]
        except (IntegrityError, DataError, Stale) as error:
            self.shops.forget_made()
            if len(chunk) > 1:
                middle = len(chunk) // 2
                return [*self._safely(chunk[:middle]), *self._safely(chunk[middle:])]
            refused = _refused_by_database(chunk[0], error)
            return once_more(lambda one: self._noted(one, [refused]), chunk)  # type: ignore[no-any-return]

    def _take(self, chunk: Sequence[Item]) -> list[Outcome]:
        """One transaction: the data of a chunk, and what became of it."""
        facts = [item for item in chunk if not isinstance(item, BadRow)]
        bad = [_bad(item) for item in chunk if isinstance(item, BadRow)]
        return self._noted(chunk, bad, facts)

    def _noted(
        self, chunk: Sequence[Item], outcomes: list[Outcome], facts: Sequence[Facts] = ()
    ) -> list[Outcome]:
        with transaction.atomic():
            self.sink.enter(sum(len(_rows_of(item)) for item in chunk))
            if facts:
                outcomes = [*outcomes, *self._loaded(facts)]
            for outcome in outcomes:
                self._give_cells(outcome)
            outcomes.sort(key=lambda outcome: outcome.rows[0])
            self.sink.note(outcomes, self.shops.warnings)
        return outcomes

    def _loaded(self, facts: Sequence[Facts]) -> list[Outcome]:
        if not self.dry_run:
            return self.loader.take(facts)
        outcomes: list[Outcome] = []
        try:
            with transaction.atomic():
                outcomes = self.loader.take(facts)
                raise _Rollback
        except _Rollback:
            self.shops.forget_made()
        return outcomes

    def _give_cells(self, outcome: Outcome) -> None:
        if outcome.what == "failed" and not outcome.cells:
            found = {row: self.rows[row].cells for row in outcome.rows if row in self.rows}
            outcome.cells = found


def _rows_of(item: Item) -> tuple[int, ...]:
    return (item.row,) if isinstance(item, BadRow) else item.rows


def _bad(row: BadRow) -> Outcome:
    return Outcome((row.row,), "failed", row.message, row.code, cells={row.row: row.cells})


def _belongs(before: Item, item: Item) -> bool:
    """Rows of one case stay together."""
    mine, other = getattr(before, "case_no", None), getattr(item, "case_no", None)
    return mine is not None and mine == other


def _refused_by_database(item: Item, error: Exception) -> Outcome:
    label = getattr(item, "order_no", "")
    outcome = Outcome(_rows_of(item), "failed", code="bad_value", label=label)
    text = _("the database refused the row; someone may have changed the order at the same moment")
    outcome.message = f"{outcome.told(text)} ({type(error).__name__})"
    return outcome
