"""A first look at an uploaded sheet: what layout it seems to be, which column is which field.

What a person then corrects is kept with the job as ``choices``; nothing is read twice or guessed
later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.utils.translation import get_language, gettext_lazy

from cases import privacy
from cases.models import Shop
from cases.sheets import dialects, mappings, registry
from cases.sheets.dialects import Dialect, Recognition
from cases.sheets.facts import CASES, ORDERS
from cases.sheets.reader import open_sheet
from cases.sheets.recognising import recogniser

SAMPLES: Final = 3
OWN: Final = "own"
#: Before the name of a mapping that was saved.
SAVED: Final = "saved:"
_PLATFORMS: Final = {
    "taobao": gettext_lazy("Taobao, Tmall"),
    "douyin": gettext_lazy("Douyin"),
    "pdd": gettext_lazy("Pinduoduo"),
    "jd": gettext_lazy("JD"),
    "native": gettext_lazy("Our own layout"),
    "generic": gettext_lazy("Any other layout"),
    OWN: gettext_lazy("A sheet of my own"),
}
#: Nobody needs the buyer's phone to see which column it is in.
_MASKS: Final = {
    **dict.fromkeys(("buyer", "receiver"), privacy.mask_name),
    **dict.fromkeys(("phone", "mobile"), privacy.mask_phone),
    **dict.fromkeys(("address", "new_address", "street"), privacy.mask_address),
}


@dataclass(frozen=True)
class Column:
    """One column of the sheet: header, a few of its cells, and the field it is ("" = not used)."""

    header: str
    samples: list[str]
    field: str

    @property
    def is_blank(self) -> bool:
        """Nothing in its first rows, and nothing we know it as."""
        return not self.field and not any(self.samples)


@dataclass(frozen=True)
class Look:
    """``layout``: as in ``layouts()``. ``sure``: whether the headers themselves told it.

    ``rivals``: the layouts that fit as well, by their names, where more than one does.
    """

    where: Recognition
    layout: str
    sure: bool
    rivals: list[str]
    sheet: str | None
    sheets: list[str]
    header_row: int
    columns: list[Column]

    @property
    def recognised(self) -> dict[str, str]:
        return {header: name for name, header in self.where.columns.items()}

    def fields(self) -> list[tuple[str, str]]:
        """What a column may be: (field, name), those that are needed first."""
        dialect = self.where.dialect
        names = field_names(dialect)
        needed = [*dialect.required, *(name for group in dialect.any_of for name in group)]
        known = [column.field for column in dialect.columns]
        order = dict.fromkeys([*needed, *known])
        return [(name, names[name]) for name in order]

    def missing(self, columns: Mapping[str, str], shop: str | None) -> list[str]:
        """What would still be missing with these corrections, in the words of the layout."""
        where = dialects.corrected(self.where, columns)
        given = where.dialect.header("shop") if shop and "shop" in where.dialect.required else None
        return [name for name in where.missing if name != given]


def layouts(shop: Shop | None = None) -> list[tuple[str, str]]:
    """Every layout a person may choose for this shop's file: ("platform/kind", name)."""
    known = dict.fromkeys(_code_of(one) for one in mappings.dialects_for(shop))
    pairs = [*known, (OWN, ORDERS), (OWN, CASES)]
    return [(f"{code}/{kind}", layout_name(code, kind)) for code, kind in pairs]


def layout_name(code: str, kind: str) -> str:
    """As the list and the pages say it."""
    code = OWN if code == "mapped" else code.removeprefix(SAVED)
    return f"{_PLATFORMS.get(code, code)} · {registry.label_of(kind)}"


def field_names(dialect: Dialect) -> dict[str, str]:
    """Field → its name: the platform's own header, or ours in the page's language."""
    names = {column.field: column.names[0] for column in dialect.columns}
    if dialect.code in {"native", "mapped", "generic"} and dialect.kind in registry.outgoing():
        chinese = (get_language() or "zh").startswith("zh")
        for name, english, han in registry.to_export(dialect.kind).layout.columns:
            if name in names:
                names[name] = han if chinese else english
    return names


def look(  # noqa: PLR0913 - each is a choice of the person who imports
    path: Path | str,
    *,
    layout: str = "",
    sheet: str | None = None,
    header_row: int | None = None,
    shop: str | None = None,
    visible: frozenset[int] | None = None,
) -> Look:
    """Read the head of the sheet. Raises Unreadable where it is none.

    ``shop``, ``visible``: whose names and words hold, as ``recogniser`` takes them.
    """
    with open_sheet(path, sheet=sheet or None, header_row=header_row) as table:
        where, rivals = _laid(table.headers, layout, {"shop": shop, "visible": visible})
        rows = [row.cells for row in islice(table, SAMPLES)]
        code, kind = _code_of(where.dialect)
        of = {header: name for name, header in where.columns.items()}
        return Look(
            where=where,
            layout=f"{code}/{kind}",
            sure=bool(layout) or len(rivals) == 1,
            rivals=rivals if len(rivals) > 1 else [],
            sheet=table.sheet,
            sheets=table.sheets,
            header_row=table.header_row,
            columns=[
                Column(header, _samples(rows, header, of.get(header, "")), of.get(header, ""))
                for header in table.headers
            ],
        )


def _samples(rows: Sequence[Mapping[str, str]], header: str, field: str) -> list[str]:
    mask = _MASKS.get(field, str)
    return [mask(row.get(header, "").lstrip("'"))[:60] for row in rows]


def _code_of(dialect: Dialect) -> tuple[str, str]:
    """The layout's code and kind; a saved mapping goes by its name."""
    if dialect.code == "mapped":
        return (f"{SAVED}{dialect.name}" if dialect.name else OWN), dialect.kind
    return dialect.code, dialect.kind


def _laid(
    headers: Sequence[str], layout: str, whose: Mapping[str, Any]
) -> tuple[Recognition, list[str]]:
    """The layout over the headers, and the names of all that fit as well as it does."""
    code, _slash, kind = layout.rpartition("/")
    if code == OWN:
        return dialects.lay_over(_blank_mapping(kind), headers), []
    if code.startswith(SAVED):
        return recogniser(mapping=code.removeprefix(SAVED), **whose).lay(headers), []
    if layout:
        # One that a person chose is taken, however little of it the sheet has.
        among = recogniser(dialect=code, kind=kind, **whose).among
        laid = [dialects.lay_over(one, headers) for one in among]
        return max(laid, key=lambda one: len(one.positions)), []
    ranked = recogniser(**whose).candidates(headers)
    if not ranked:
        return dialects.lay_over(_blank_mapping(ORDERS), headers), []
    rivals = [layout_name(*_code_of(one.dialect)) for one in dialects.rivals(ranked)]
    return ranked[0].where, rivals


def _blank_mapping(kind: str) -> Dialect:
    return dialects.mapped(own_mapping(kind)["kind"], {})


def own_mapping(kind: str, columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """As ``import_sheet --mapping`` takes it."""
    chosen = {header: name for header, name in (columns or {}).items() if name}
    return {"kind": kind if kind in {ORDERS, CASES} else ORDERS, "columns": chosen}


def choices(seen: Look, columns: Mapping[str, str]) -> dict[str, Any]:
    """What a job keeps of a person's choices; only what differs from what was recognised."""
    code, _slash, kind = seen.layout.rpartition("/")
    known = seen.recognised
    differing = {h: name for h, name in columns.items() if known.get(h, "") != name}
    kept: dict[str, Any] = {
        "sheet": seen.sheet or "",
        "header_row": seen.header_row,
        "sheet_kind": kind,
        "dialect": code,
        "mapping": None,
        "columns": differing,
    }
    if code.startswith(SAVED):
        kept |= {"dialect": "auto", "mapping": code.removeprefix(SAVED)}
    if code == OWN:
        kept |= {"dialect": "auto", "mapping": own_mapping(kind, columns)}
        # A native header that is not to be used must be named, or it would be found again.
        kept["columns"] = {h: "" for h, name in columns.items() if not name and known.get(h)}
    return kept
