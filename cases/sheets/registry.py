"""The kinds of sheets there are: each app adds its own in ready().

    registry.add(Sheet("claims", _("Claims"), Claim, "claim_no", incoming=…, outgoing=…))

From then on the kind is recognised, imported by wizard and command, exported, and its rows link to
their pages; nothing else has to know of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from cases.flow.door import Actor, Refused
from cases.sheets import dialects
from cases.sheets.dialects import Dialect, Recognition
from cases.sheets.writer import Cell, Layout

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

    from cases.sheets.loading.outcomes import Outcome
    from cases.sheets.loading.shopfinder import ShopFinder


class Loader(Protocol):
    """Takes the facts of one chunk inside the caller's transaction."""

    def take(self, chunk: Sequence[Any]) -> "list[Outcome]":
        """An outcome per facts; of rows that are one thing, one for all of them."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What a loader works with: the sheet as it was recognised, its shops, who imports it."""

    where: Recognition
    shops: "ShopFinder"
    actor: Actor

    @property
    def columns(self) -> frozenset[str]:
        """Fields for which the sheet has a column."""
        return frozenset(self.where.positions)


@dataclass(frozen=True)
class Incoming:
    """How sheets of a kind come in.

    ``right``: the permission it takes. ``loader``: makes what takes the facts its dialects build;
    facts are as ``cases.sheets.facts.Facts``.
    ``dialects``: those the trunk does not have. ``by_door``: its rows take steps, which cost more
    than writing them, so fewer make a chunk. ``names_shop``: whether each row needs a shop,
    its own or the one given with the import. ``finish``: what follows from the file as a whole,
    after its last row, in transactions of its own that may be repeated; it calls what it is given
    now and then, and returns what to tell.
    """

    right: str
    loader: Callable[[Intake], Loader]
    dialects: tuple[Dialect, ...] = ()
    by_door: bool = False
    names_shop: bool = False
    finish: Callable[[Intake, Callable[[], None]], list[str]] | None = None


@dataclass(frozen=True)
class Outgoing:
    """How rows of a kind go out, of a queryset of its model.

    ``rows(queryset, fields, clear)``: cells in the order of ``fields``, streamed in pages; with
    ``clear`` personal data unmasked. ``lines``: the queryset whose rows are the rows of the sheet.
    ``filters``: name → lookup, beside the model's own columns. ``money``: fields only for who sees
    amounts; ``personal``: fields that are masked; ``needed``: without these nothing comes in again.
    """

    right: str
    layout: Layout
    rows: Callable[[QuerySet[Any], Sequence[str], bool], Iterator[Sequence[Cell]]]
    lines: Callable[[QuerySet[Any]], QuerySet[Any]]
    filters: Mapping[str, str] = field(default_factory=dict)
    money: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()
    needed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A kind of sheet; its rows are about rows of ``model``, called by the field ``number``."""

    code: str
    label: "_StrOrPromise"
    model: type[Model]
    number: str
    incoming: Incoming | None = None
    outgoing: Outgoing | None = None

    @property
    def list_page(self) -> str:
        """The name of the list's address in the admin."""
        return f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_changelist"

    @property
    def row_page(self) -> str:
        """The name of the address of one row."""
        return f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_change"


_KINDS: Final[dict[str, Sheet]] = {}


def add(kind: Sheet) -> None:
    """Make a kind known; once, in ready()."""
    if kind.code in _KINDS:
        raise ValueError(kind.code)
    _KINDS[kind.code] = kind
    if kind.incoming:
        dialects.ALL.extend(kind.incoming.dialects)
        dialects.known_names.cache_clear()


def kind_of(code: str) -> Sheet:
    """The kind of this code; KeyError where no app has added it."""
    return _KINDS[code]


def label_of(code: str) -> str:
    """As people call the kind; the code where it is none (any more)."""
    return str(_KINDS[code].label) if code in _KINDS else code


def incoming() -> dict[str, Incoming]:
    """The kinds that can be imported."""
    return {code: kind.incoming for code, kind in _KINDS.items() if kind.incoming}


def outgoing() -> dict[str, Outgoing]:
    """The kinds that can be exported."""
    return {code: kind.outgoing for code, kind in _KINDS.items() if kind.outgoing}


def to_export(code: str) -> Outgoing:
    """How this kind goes out; Refused where it does not."""
    known = outgoing()
    if code not in known:
        said = {"kind": code, "known": ", ".join(known)}
        message = _("“%(kind)s” cannot be exported; there are: %(known)s.") % said
        raise Refused(message, "unknown")
    return known[code]
