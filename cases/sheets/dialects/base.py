"""What a dialect declares, and how rows become facts by its declaration."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from cases.sheets import values
from cases.sheets.facts import NO_EXTRA, BadRow, Facts, Remark
from cases.sheets.headers import ERROR_COLUMNS, is_unnamed, loose, normal
from cases.sheets.values import BadValue, Native, Parser

if TYPE_CHECKING:
    from cases.sheets.reader import Row


@dataclass(frozen=True, slots=True)
class Column:
    """A field, the header names it goes by (the best first) and how its cells are read."""

    field: str
    names: tuple[str, ...]
    parse: Parser = values.text


@dataclass(frozen=True, slots=True)
class Dialect:
    """A family of sheets; `required` fields need a column, and a value in each row.

    Of each group in `any_of` one column must be there. `blank_ok` are required columns whose
    cells may be empty. `others` are columns the platform writes and we only keep. `words` are
    the staff's own: field → word as `headers.normal` has it → ours. `own` are the headers of a
    mapping the staff made and `name` is its name. `generic` goes by the names many sheets share
    and gives way to any other.
    """

    code: str
    kind: str
    platform: str | None
    columns: tuple[Column, ...]
    required: tuple[str, ...]
    build: Callable[[Sequence["Parsed"]], Facts]
    key: Callable[[Mapping[str, Any]], Hashable] | None = None
    any_of: tuple[tuple[str, ...], ...] = ()
    blank_ok: frozenset[str] = frozenset()
    others: tuple[str, ...] = ()
    follows: Callable[[], Callable[[Facts], Facts]] | None = None
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    name: str = ""
    generic: bool = False

    @property
    def title(self) -> str:
        """What a person tells it from the others by."""
        return self.name or f"{self.code} {self.kind}"

    def header(self, field_: str) -> str:
        return next(column.names[0] for column in self.columns if column.field == field_)


@dataclass(frozen=True, slots=True)
class Options:
    """What the person who imports may choose: three-decimal amounts refused or rounded half up."""

    round_half_up: bool = False


@dataclass(frozen=True, slots=True)
class Recognition:
    """A dialect laid over the headers of one sheet: which column is which field."""

    dialect: Dialect
    headers: tuple[str, ...]
    positions: Mapping[str, int]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def columns(self) -> dict[str, str]:
        """Field → header as it stands in the sheet."""
        return {name: self.headers[at] for name, at in self.positions.items()}


class Disagreement(BadValue):
    """Rows of one order or case contradict each other."""

    def __init__(self, column: str, first: str, second: str) -> None:
        message = _("the rows of one order disagree: “%(first)s” and “%(second)s”") % {
            "first": first,
            "second": second,
        }
        super().__init__("rows_disagree", message)
        self.column = column


@dataclass(slots=True)
class Parsed:
    """One row, its cells read; `get` has every field of the dialect, None where nothing stands."""

    number: int
    get: dict[str, Any]
    extra: Mapping[str, str]
    row: "Row"
    where: Recognition
    remarks: list[Remark] = field(default_factory=list)

    def remark(self, field_: str | None, code: str, problem: str) -> None:
        column, value = self.cell(field_)
        said = describe(self.number, column, value, problem)
        self.remarks.append(Remark(self.number, column, value, code, said, field_ or ""))

    def cell(self, field_: str | None) -> tuple[str | None, str]:
        at = self.where.positions.get(field_) if field_ else None
        if at is None:
            return (field_ and self.where.dialect.header(field_)), ""
        return self.where.headers[at], values.shown(self.row.values[at])

    def word(self, field_: str, words: Mapping[str, str]) -> str | None:
        """Our word for the platform's; an unknown one is remarked and says nothing."""
        found = self.get[field_]
        if not found:
            return None
        ours = self.own_word(field_)
        if ours is None:
            ours = words.get(normal(found))
        if ours is None:
            self.remark(field_, "unknown_word", _("is a word we do not know yet"))
        return ours or None

    def own_word(self, field_: str) -> str | None:
        """What the staff say the word of this cell means; None where they say nothing."""
        own = self.where.dialect.words
        if not own or field_ not in own:
            return None
        return own[field_].get(normal(self.get[field_] or ""))


def describe(row: int, column: str | None, value: str, problem: str) -> str:
    """One sentence a clerk understands."""
    if column is None:
        return _("Row %(row)s: %(problem)s") % {"row": row, "problem": problem}
    said = {"row": row, "column": column, "value": value[:60], "problem": problem}
    return _("Row %(row)s: %(column)s “%(value)s” %(problem)s") % said


def lay_over(dialect: Dialect, headers: Sequence[str]) -> Recognition:
    """Finds each field's column by name, wherever it stands."""
    positions = _positions(dialect, headers)
    taken = set(positions.values())
    known = {spelling(name) for name in dialect.others for spelling in (normal, loose)}
    unknown = tuple(
        name
        for at, name in enumerate(headers)
        if at not in taken
        and normal(name) not in ERROR_COLUMNS
        and known.isdisjoint((normal(name), loose(name)))
        and not is_unnamed(name)
    )
    return Recognition(dialect, tuple(headers), positions, unknown, _missing(dialect, positions))


def _positions(dialect: Dialect, headers: Sequence[str]) -> dict[str, int]:
    """Of a field's names the best that is there; one only alike must be no other field's name."""
    there = list(enumerate(headers))[::-1]  # of two alike the first counts
    printed = {normal(name) for column in dialect.columns for name in column.names}
    exact = {normal(name): at for at, name in there if name}
    alike = {loose(name): at for at, name in there if name and normal(name) not in printed}
    positions: dict[str, int] = {}
    taken: set[int] = set()
    for column in dialect.columns:
        for name in column.names:
            at = exact.get(normal(name), alike.get(loose(name)))
            if at is not None and at not in taken:
                positions[column.field] = at
                taken.add(at)
                break
    return positions


def corrected(where: Recognition, columns: Mapping[str, str]) -> Recognition:
    """The same dialect with the columns a person chose: header → field, "" for not used.

    Headers that are not named stay as they were recognised; a field moves to where it is named.
    """
    at_of = {name: at for at, name in enumerate(where.headers)}
    named = {at_of[name]: field_ for name, field_ in columns.items() if name in at_of}
    moved = {field_ for field_ in named.values() if field_}
    positions = {
        field_: at
        for field_, at in where.positions.items()
        if at not in named and field_ not in moved
    }
    known = {column.field for column in where.dialect.columns}
    positions.update({field_: at for at, field_ in named.items() if field_ in known})
    taken = set(positions.values())
    loose = {*where.positions.values(), *(at_of[name] for name in where.unknown)} - taken
    unknown = tuple(name for name in where.headers if at_of[name] in loose)
    return replace(
        where,
        positions=positions,
        unknown=unknown,
        missing=_missing(where.dialect, positions),
    )


def _missing(dialect: Dialect, positions: Mapping[str, int]) -> tuple[str, ...]:
    missing = [dialect.header(name) for name in dialect.required if name not in positions]
    missing.extend(
        " / ".join(dialect.header(name) for name in group)
        for group in dialect.any_of
        if not any(name in positions for name in group)
    )
    return tuple(missing)


class _Plan:
    """What to do with each row, worked out once for a sheet."""

    def __init__(self, where: Recognition, options: Options) -> None:
        self.where = where
        dialect = where.dialect
        parsers = {column.field: column.parse for column in dialect.columns}
        self.blank: dict[str, Any] = dict.fromkeys(parsers)
        self.steps = [(name, at, parsers[name]) for name, at in where.positions.items()]
        if options.round_half_up:
            self.steps = [
                (name, at, values.money_rounded if parse is values.money else parse)
                for name, at, parse in self.steps
            ]
        self.needed = [
            name
            for name in dialect.required
            if name not in dialect.blank_ok and name in where.positions
        ]
        taken = set(where.positions.values())
        self.others = [
            (name, at)
            for at, name in enumerate(where.headers)
            if at not in taken and normal(name) not in ERROR_COLUMNS
        ]

    def read(self, row: "Row") -> Parsed | BadRow:
        if row.problem:
            return bad_row(row, None, "", "bad_value", row.problem)
        cells = row.values
        get = self.blank.copy()
        try:
            for name, at, parse in self.steps:
                cell = cells[at]
                if cell != "":
                    get[name] = parse(cell)
        except BadValue:
            return self._all_that_is_wrong(row)
        for name in self.needed:
            if get[name] is None or get[name] == "":
                return self._all_that_is_wrong(row)
        extra = NO_EXTRA
        if self.others:
            extra = {name: text for name, at in self.others if (text := _kept(cells[at]))}
        return Parsed(row.number, get, extra, row, self.where)

    def _all_that_is_wrong(self, row: "Row") -> BadRow:
        """A clerk mends a row once, so it is told everything about it."""
        wrong: list[tuple[str, str, str, str]] = []
        for name, at, parse in self.steps:
            cell, header = row.values[at], self.where.headers[at]
            try:
                found = parse(cell) if cell != "" else None
            except BadValue as error:
                wrong.append((header, values.shown(cell), error.code, error.message))
            else:
                if name in self.needed and found in {None, ""}:
                    wrong.append((header, values.shown(cell), "missing", _("is missing")))
        column, value, code, _problem = wrong[0]
        said = [describe(row.number, header, cell, problem) for header, cell, _c, problem in wrong]
        return BadRow(row.number, column, value, code, " ".join(said), row.cells)


def _kept(cell: Native) -> str:
    return values.text(cell) if cell != "" else ""


def bad_row(row: "Row", column: str | None, value: str, code: str, problem: str) -> BadRow:
    said = describe(row.number, column, value, problem)
    return BadRow(row.number, column, value, code, said, row.cells)


def read_facts(
    rows: Iterable["Row"], where: Recognition, options: Options | None = None
) -> Iterator[Facts | BadRow]:
    """Rows to facts; neighbours with one key are one order, and memory holds only those."""
    plan = _Plan(where, options or Options())
    dialect = where.dialect
    finish = dialect.follows() if dialect.follows else None
    group: list[Parsed] = []
    key: Hashable = None
    for row in rows:
        parsed = plan.read(row)
        if isinstance(parsed, BadRow):
            yield parsed
            continue
        now = dialect.key(parsed.get) if dialect.key else row.number
        if group and now != key:
            yield from _built(dialect, group, finish)
            group = []
        key = now
        group.append(parsed)
    if group:
        yield from _built(dialect, group, finish)


def _built(
    dialect: Dialect, group: list[Parsed], finish: Callable[[Facts], Facts] | None
) -> Iterator[Facts | BadRow]:
    try:
        facts = dialect.build(group)
    except BadValue as error:
        column = getattr(error, "column", None)
        for parsed in group:
            header, value = parsed.cell(column)
            yield bad_row(parsed.row, header, value, error.code, error.message)
    else:
        yield finish(facts) if finish else facts


def agreed(group: Sequence[Parsed], fields: Iterable[str]) -> dict[str, Any]:
    """The order's own values, which repeat on each of its rows: they must be one and the same."""
    first = group[0].get
    if len(group) == 1:
        return first
    said = first.copy()
    for parsed in group[1:]:
        other = parsed.get
        for name in fields:
            mine = said[name]
            if (mine is None or mine == "") and other[name] is not None:
                said[name] = other[name]
            elif mine != other[name] and other[name] is not None and other[name] != "":
                raise Disagreement(name, *_both(group, name, parsed))
    return said


def _both(group: Sequence[Parsed], name: str, later: Parsed) -> tuple[str, str]:
    earlier = next(parsed for parsed in group if parsed.get[name] not in {None, ""})
    return earlier.cell(name)[1], later.cell(name)[1]


def spaced(names: str) -> tuple[str, ...]:
    """A long list of header names as it is read best."""
    return tuple(names.split())


def latest(*times: Any) -> Any:
    """The last of the times that are known."""
    return max((time for time in times if time is not None), default=None)
