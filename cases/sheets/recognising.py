"""Which sheet this is: by the shop's dialects, by the user's choice, or the question to ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.models import Shop
from cases.sheets import dialects, mappings
from cases.sheets.dialects import Candidate, Dialect, Recognition


@dataclass(frozen=True)
class Recogniser:
    """What a file may be.

    ``kind``: what is asked for; a sheet of another kind is told from it all the same.
    ``shop_named``: the sheet need not name one.
    """

    among: tuple[Dialect, ...]
    kind: str | None
    own: Dialect | None
    platform: str | None
    shop_named: bool

    @property
    def names(self) -> frozenset[str]:
        """Headers, normalised: how the header row is found."""
        return dialects.names_of((*self.among, self.own) if self.own else self.among)

    def candidates(self, headers: Sequence[str]) -> list[Candidate]:
        """The likeliest first; a mapping or the one dialect the user named has no rival."""
        chosen = [self.own] if self.own else self.among
        if len(chosen) == 1:
            return [Candidate(dialects.lay_over(chosen[0], headers), 1.0)]
        return dialects.candidates(headers, chosen, platform=self.platform)

    def lay(self, headers: Sequence[str]) -> Recognition:
        """The likeliest dialect over the headers, whatever it lacks; Refused where none is."""
        return self._first(self.candidates(headers), headers).where

    def recognise(
        self, headers: Sequence[str], columns: Mapping[str, str] | None = None
    ) -> Recognition:
        """The sheet's dialect over its headers; Refused with the question where it is not sure.

        ``columns``: header → field, as a person who looked at the sheet corrected it.
        """
        if columns:
            return self.complete(dialects.corrected(self.lay(headers), columns))
        ranked = self.candidates(headers)
        first = self._first(ranked, headers)
        rivals = dialects.rivals(ranked)
        if ranked[0] is not first and first not in rivals:
            raise Refused(_other_kind(ranked[0]), "bad_value")
        if len(equal := [one for one in rivals if self._takes(one)]) > 1:
            raise Refused(_which(equal), "bad_value")
        return self.complete(first.where, [one for one in ranked if one is not first])

    def complete(self, where: Recognition, others: Sequence[Candidate] = ()) -> Recognition:
        """Refused where columns are missing; ``others`` are named as what it may be instead."""
        needs_shop = self.shop_named and "shop" in where.dialect.required
        given = where.dialect.header("shop") if needs_shop else None
        if missing := [name for name in where.missing if name != given]:
            raise Refused(_lacking(where, missing, others), "bad_value")
        return where

    def _first(self, ranked: Sequence[Candidate], headers: Sequence[str]) -> Candidate:
        for one in ranked:
            if self._takes(one):
                return one
        raise Refused(_other_kind(ranked[0]) if ranked else _unknown(headers), "bad_value")

    def _takes(self, one: Candidate) -> bool:
        return self.kind in {None, one.dialect.kind}


def recogniser(
    *,
    shop: str | None = None,
    kind: str | None = None,
    dialect: str = "auto",
    mapping: Mapping[str, Any] | str | None = None,
    visible: frozenset[int] | None = None,
) -> Recogniser:
    """``shop``: a code; ``visible``: primary keys of the shops the person may know of, None = all.

    ``mapping``: the user's own columns, or the name of a mapping that was saved.
    """
    for_shop = _shop(shop, visible)
    known = mappings.dialects_for(for_shop)
    asked = None if kind in {"", "auto"} else kind
    fitting = dialects.by_code(dialect, asked, known)
    if not mapping and not fitting:
        raise Refused(_no_dialect(dialect, kind, known), "bad_value")
    return Recogniser(
        # Whoever names dialect and kind has decided; else other kinds are looked at, to be told.
        among=known if dialect == "auto" else fitting,
        kind=asked,
        own=_own(mapping, kind, for_shop),
        platform=for_shop.platform if for_shop and shop else None,
        shop_named=bool(shop),
    )


def _shop(code: str | None, visible: frozenset[int] | None) -> Shop | None:
    """The shop whose names and words hold; who works in one shop only need not name it."""
    shops = Shop.objects.all() if visible is None else Shop.objects.filter(pk__in=visible)
    if code:
        return shops.filter(code=code).first()
    return shops.first() if visible is not None and len(visible) == 1 else None


def _own(
    mapping: Mapping[str, Any] | str | None, kind: str | None, shop: Shop | None
) -> Dialect | None:
    if not mapping:
        return None
    return (
        mappings.named(mapping, shop)
        if isinstance(mapping, str)
        else mappings.from_file(mapping, kind)
    )


def _unknown(headers: Sequence[str]) -> str:
    message = _(
        "No known kind of sheet has these columns (%(seen)s). Choose the dialect (--dialect), or "
        "give a mapping of the columns (--mapping)."
    )
    return message % {"seen": ", ".join(name for name in headers[:8])}


def _other_kind(best: Candidate) -> str:
    message = _(
        "These are the columns of “%(title)s”, which is not asked for here. Import it as what it "
        "is, or name dialect and kind (--dialect, --kind)."
    )
    return message % {"title": best.dialect.title}


def _which(equal: Sequence[Candidate]) -> str:
    """The columns do not decide, so a person must."""
    message = _(
        "These columns fit several kinds of sheets equally well: %(titles)s. Say which one it is "
        "(--dialect %(code)s --kind %(kind)s)."
    )
    first = equal[0].dialect
    titles = ", ".join(one.dialect.title for one in equal)
    return message % {"titles": titles, "code": first.code, "kind": first.kind}


def _lacking(where: Recognition, missing: Sequence[str], others: Sequence[Candidate]) -> str:
    message = _(
        "Columns are missing for a sheet of “%(dialect)s”: %(names)s. Add them, or choose another "
        "dialect (--dialect), or give a mapping of the columns (--mapping)."
    )
    said = message % {"names": ", ".join(missing), "dialect": where.dialect.title}
    next_ = ", ".join(one.dialect.title for one in others[:2])
    return f"{said} {_('Next likely: %(titles)s.') % {'titles': next_}}" if next_ else said


def _no_dialect(dialect: str, kind: str | None, known: Sequence[Dialect]) -> str:
    said = {
        "dialect": dialect,
        "kind": kind or "–",
        "known": ", ".join(sorted({f"{one.code} {one.kind}" for one in known})),
    }
    message = _("There is no dialect “%(dialect)s” for the kind “%(kind)s”; there are: %(known)s.")
    return message % said
