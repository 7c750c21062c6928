"""Orders and cases out, in the columns of our own sheets; streamed, so memory stays flat.

A masked cell (****) says nothing when it comes back in, so a masked export changes nothing either.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.core.exceptions import FieldError, ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases import privacy
from cases.flow.door import Refused
from cases.models import CaseLine, OrderLine, Parcel
from cases.sheets import registry
from cases.sheets.writer import Cell, Language, Layout, TooManyRows, write_sheet

#: Rows read at a time.
_PAGE: Final = 2000

#: Field of our sheet → where it stands, seen from the order line.
ORDER_CELLS: Final = {
    "shop": "order__shop__code",
    "platform": "order__platform",
    "order_no": "order__order_no",
    "line_no": "line_no",
    "sku": "sku",
    "title": "title",
    "category": "category",
    "serials": "serials",
    "quantity": "quantity",
    "unit_price": "unit_price",
    "discount": "discount",
    "paid_amount": "paid_amount",
    "freight_paid": "order__freight_paid",
    "ordered_at": "order__ordered_at",
    "paid_at": "order__paid_at",
    "ship_by": "ship_by",
    "shipped_at": "order__shipped_at",
    "courier": "order__courier",
    "waybill": "order__waybill",
    "named_courier": "order__named_courier",
    "promised_arrival": "order__promised_arrival",
    "signed_at": "order__signed_at",
    "finished_at": "order__finished_at",
    "status": "order__status",
    "buyer": "order__buyer",
    "receiver": "order__receiver",
    "phone": "order__phone",
    "address": "order__address",
    "shipped_free": "order__shipped_free",
    "promises": "promises",
}
#: The same from the case line; the parcel back is looked up apart.
CASE_CELLS: Final = {
    "case_no": "case__case_no",
    "shop": "case__shop__code",
    "order_no": "case__order__order_no",
    "line_no": "order_line__line_no",
    "quantity": "quantity",
    "kind": "case__kind",
    "reason": "case__reason__code",
    "amount": "amount",
    "freight": "case__freight_requested",
    "applied_at": "case__applied_at",
    "platform_due_at": "case__platform_due_at",
    "state": "case__state",
    "text": "case__text",
    "courier": "case_id",
    "waybill": "case_id",
    "platform_case_no": "case__platform_case_no",
}
_OF_PARCEL: Final = ("courier", "waybill")
_MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "buyer": privacy.mask_name,
    "receiver": privacy.mask_name,
    "phone": privacy.mask_phone,
    "address": privacy.mask_address,
}
#: Fields that only who may see them in clear gets unmasked.
PERSONAL: Final = frozenset(_MASKS)
#: What a filter may be called beside the columns themselves.
ORDER_FILTERS: Final = {
    "shop": "shop__code",
    **{n: n for n in ("id", "platform", "order_no", "status")},
}
CASE_FILTERS: Final = {
    "shop": "shop__code",
    "order_no": "order__order_no",
    "reason": "reason__code",
    "owner": "owner__username",
    **{n: n for n in ("id", "case_no", "kind", "remedy", "state", "platform_case_no")},
}


@dataclass(frozen=True, slots=True)
class Exported:
    rows: int
    file: str
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """The JSON of ``export_sheet``."""
        return {"rows": self.rows, "file": self.file, "seconds": round(self.seconds, 3)}


def export(  # noqa: PLR0913 - each is a choice of the person who exports
    kind: str,
    out: Path | str,
    *,
    queryset: QuerySet[Any] | None = None,
    filters: Mapping[str, str] | None = None,
    clear: bool = False,
    language: Language = "en",
    columns: Sequence[str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Exported:
    """Write the rows of a kind of sheet to ``out`` (.csv or .xlsx).

    ``queryset``: rows of the kind's model, scoped by the caller (all if not given). ``clear``:
    personal data unmasked. ``columns``: fields of the kind's layout, in this order (all if not
    given).
    Raises Refused for an unknown kind, filter, column or ending.
    """
    began = time.monotonic()
    out = Path(out)
    sheet = registry.to_export(kind)
    layout = layout_of(kind, columns)
    if queryset is None:
        queryset = registry.kind_of(kind).model._default_manager.all()
    chosen = filtered(kind, queryset, filters or {})
    found = sheet.rows(chosen, layout.fields, clear)
    rows = written(out, layout, found, language=language, progress=progress)
    return Exported(rows, str(out), time.monotonic() - began)


def written(
    out: Path,
    layout: Layout,
    rows: Iterator[Sequence[Cell]],
    *,
    language: Language,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the file and count its rows; what keeps it from being written is Refused in words."""
    try:
        return write_sheet(out, layout, rows, language=language, progress=progress)
    except ValueError as problem:
        if str(problem) != out.suffix:
            raise
        message = _("The name of the file must end in .csv or .xlsx.")
        raise Refused(message, "bad_value") from problem
    except TooManyRows as problem:
        message = _("More rows than an .xlsx sheet holds; export a .csv file.")
        raise Refused(message, "bad_value") from problem
    except OSError as problem:
        said = {"file": out.name, "problem": problem.strerror or str(problem)}
        message = _("%(file)s cannot be written: %(problem)s") % said
        raise Refused(message, "bad_value") from problem


def layout_of(kind: str, columns: Sequence[str] | None = None) -> Layout:
    """The columns of an export; Refused where one is unknown, doubled, or none is left."""
    layout = registry.to_export(kind).layout
    if columns is None:
        return layout
    known = {column[0]: column for column in layout.columns}
    wrong = [name for name in columns if name not in known or columns.count(name) > 1]
    if wrong or not columns:
        said = {"name": ", ".join(dict.fromkeys(wrong)) or "–", "known": ", ".join(known)}
        message = _("“%(name)s” cannot be chosen as columns; there are, each once: %(known)s.")
        raise Refused(message % said, "bad_value")
    return Layout(tuple(known[name] for name in columns))


def filtered(kind: str, queryset: QuerySet[Any], filters: Mapping[str, str]) -> QuerySet[Any]:
    """Narrow by ``field=value``; the value of one field may be several, with commas between."""
    known = registry.to_export(kind).filters
    model = queryset.model
    plain = {field.name for field in model._meta.concrete_fields if not field.is_relation}
    for name, value in filters.items():
        base = name.split("__")[0]
        path = known.get(name) or (name if base in plain else None)
        if path is None:
            said = {"name": name, "known": ", ".join([*known, *sorted(plain - set(known))])}
            message = _("There is no field “%(name)s” to filter by; there are: %(known)s.") % said
            raise Refused(message, "bad_value")
        several = value.split(",") if "," in value and "__" not in name else None
        try:
            queryset = queryset.filter(**({f"{path}__in": several} if several else {path: value}))
        except (FieldError, ValueError, ValidationError) as problem:
            said = {"name": name, "value": value}
            message = _("“%(value)s” is no value for the field “%(name)s”.") % said
            raise Refused(message, "bad_value") from problem
    return queryset


def count_rows(kind: str, queryset: QuerySet[Any], *, most: int) -> int:
    """How many rows an export of this queryset has; counted up to ``most``."""
    rows = registry.to_export(kind).lines(queryset)
    return int(rows.order_by()[:most].count())


def order_lines(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """The lines of these orders: a row each."""
    return OrderLine.objects.filter(order__in=_keys(queryset))


def case_lines(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """The lines of these cases: a row each."""
    return CaseLine.objects.filter(case__in=_keys(queryset))


def order_rows(
    queryset: QuerySet[Any],
    fields: Sequence[str],
    clear: bool,  # noqa: FBT001 - as the registry calls it
) -> Iterator[Sequence[Cell]]:
    """Rows of cells in the order of ``fields``, a row per order line."""
    hidden = [] if clear else [(at, name) for at, name in enumerate(fields) if name in _MASKS]
    # Towns and first names repeat; what is kept of them ends with the export.
    masks = [(at, lru_cache(maxsize=4096)(_MASKS[name])) for at, name in hidden]
    lines = OrderLine.objects.order_by("order_id", "line_no")
    rows = lines.values_list(*[ORDER_CELLS[name] for name in fields])
    for keys in pages(queryset):
        for row in rows.filter(order_id__in=keys):
            if not masks:
                yield row
                continue
            cells = list(row)
            for at, mask in masks:
                cells[at] = mask(cells[at])
            yield cells


def case_rows(
    queryset: QuerySet[Any],
    fields: Sequence[str],
    clear: bool,  # noqa: FBT001 - as the registry calls it; nothing here is personal
) -> Iterator[Sequence[Cell]]:
    """The same of cases, a row per case line."""
    # The first cell is the case's key, by which its parcel is found.
    lines = CaseLine.objects.order_by("case_id", "id")
    rows = lines.values_list("case_id", *[CASE_CELLS[name] for name in fields])
    for keys in pages(queryset):
        yield from _with_parcels([list(row) for row in rows.filter(case_id__in=keys)], fields)


def pages(queryset: QuerySet[Any]) -> Iterator[list[int]]:
    """Primary keys, ascending, a page at a time.

    No statement lasts as long as the export: a cursor over everything would keep SQLite's log from
    being taken up and make PostgreSQL put all the rows aside first.
    """
    keys, last = queryset.order_by("pk").values_list("pk", flat=True), 0
    while page := list(keys.filter(pk__gt=last)[:_PAGE]):
        yield page
        last = page[-1]


def _with_parcels(page: list[list[Any]], fields: Sequence[str]) -> Iterator[list[Any]]:
    """The rows without their keys; with the last parcel back of each, in one query per page."""
    places = [(at, _OF_PARCEL.index(f)) for at, f in enumerate(fields, 1) if f in _OF_PARCEL]
    last: dict[int, Sequence[str]] = {}
    if places:
        found = Parcel.objects.filter(
            case_id__in={row[0] for row in page}, direction=Parcel.Direction.IN
        ).order_by("id")
        last = {case: told for case, *told in found.values_list("case_id", *_OF_PARCEL)}
    for row in page:
        parcel = last.get(row[0], ("", ""))
        for at, which in places:
            row[at] = parcel[which]
        yield row[1:]


def _keys(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Primary keys as a subquery; the order of the rows is the export's own."""
    return queryset.order_by().values("pk")
