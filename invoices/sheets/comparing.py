"""What a sheet says of an invoice that is here already: the same, or what differs.

An issued invoice never changes. What differs in figures, day, kind or what is reversed contradicts
it; another wording of a name or a title is only told.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from cases.sheets.loading.outcomes import Impossible
from invoices.rules import FIELDS

#: Sheets tell times of Beijing, to the second or by the day.
_ZONE: Final = ZoneInfo("Asia/Shanghai")
_FIGURES: Final = ("nature", "quantity", "unit_price", "amount", "tax_rate", "tax")
_WORDS: Final = ("title", "tax_class")
_PARTIES: Final = ("seller_tax_no", "seller_name", "buyer_name", "buyer_tax_no")
#: A double of SQLite holds 15 digits.
_EXACT: Final = Decimal("1e-14")

Difference = tuple[str, Any, Any]


def compare(here: Any, lines: Sequence[Any], said: Any, said_lines: Sequence[Any]) -> list[str]:
    """What is worded otherwise; raises Impossible where the figures contradict what is here.

    ``here`` and ``said`` are headers (Invoice, CreditNote, NewInvoice), with their lines by number.
    """
    for name, old, new in _contradictions(here, lines, said, said_lines):
        told = {"number": said.number, "field": name, "old": _shown(old), "new": _shown(new)}
        message = _(
            "%(number)s is here already with %(field)s %(old)s, not %(new)s; what was issued never "
            "changes: a correction is a red invoice."
        )
        raise Impossible("bad_value", message % told)
    wording = [*_parties(here, said), *_wording(lines, said_lines)]
    return [
        _("%(field)s stays “%(old)s”; the sheet says “%(new)s”.")
        % {"field": name, "old": _shown(old), "new": _shown(new)}
        for name, old, new in wording
    ]


def _contradictions(
    here: Any, lines: Sequence[Any], said: Any, said_lines: Sequence[Any]
) -> Iterator[Difference]:
    if here.kind != said.kind:
        yield _("kind"), here.kind, said.kind
    if not same_moment(here.issued_at, said.issued_at):
        yield _("issued at"), here.issued_at, said.issued_at
    if len(lines) != len(said_lines):
        yield _("lines"), len(lines), len(said_lines)
    for old, new in zip(lines, said_lines, strict=False):
        for name in ("line_no", *_FIGURES):
            mine, theirs = getattr(old, name, None), getattr(new, name, None)
            if not _alike(mine, theirs):
                words = {"line": old.line_no, "field": FIELDS.get(name, name)}
                yield _("line %(line)s, %(field)s") % words, mine, theirs


def _alike(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, Decimal) and isinstance(theirs, Decimal):
        return abs(mine - theirs) <= _EXACT * max(abs(mine), Decimal(1))
    return bool(mine == theirs)


def same_moment(here: datetime, said: datetime) -> bool:
    """Alike to the second; a sheet that tells midnight tells the day."""
    here, said = here.astimezone(_ZONE), said.astimezone(_ZONE)
    if said.time() == time():
        return here.date() == said.date()
    return here.replace(microsecond=0) == said.replace(microsecond=0)


def _parties(here: Any, said: Any) -> Iterator[Difference]:
    for name in _PARTIES:
        mine, theirs = getattr(here, name), getattr(said, name)
        if theirs and "*" not in theirs and mine != theirs:
            yield str(FIELDS.get(name, name)), mine, theirs


def _wording(lines: Sequence[Any], said_lines: Sequence[Any]) -> Iterator[Difference]:
    for old, new in zip(lines, said_lines, strict=True):
        for name in _WORDS:
            mine, theirs = getattr(old, name, ""), getattr(new, name, "")
            if theirs and mine != theirs[:300]:
                yield (
                    _("line %(line)s, %(field)s") % {"line": old.line_no, "field": name},
                    mine,
                    theirs,
                )


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(_ZONE):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, Decimal):
        return f"{value.normalize() + 0:f}"
    return "–" if value in (None, "") else str(value)
