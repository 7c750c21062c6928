"""What staff add to the dialects, per shop: column names, words, whole mappings; used and saved.

    among = dialects_for(shop)     # once a run: three queries, whatever the sheet
    save("门店日报", shop, "orders", {"单子": "order_no", "花了": "paid_amount"}, by=user)

A shop's own rows go before those that hold for all shops.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from cases.flow.door import NotPermitted, Refused
from cases.models import (
    Category,
    Goods,
    HeaderAlias,
    Kind,
    OrderStatus,
    Reason,
    SheetMapping,
    Shop,
    State,
    WordAlias,
)
from cases.models.kinds import TERMINAL
from cases.models.mappings import LONGEST
from cases.models.shops import shop_ids_of
from cases.sheets import dialects
from cases.sheets.dialects import Dialect
from cases.sheets.dialects.native import CASE_HEADERS, ORDER_HEADERS
from cases.sheets.dialects.words import CLOSED, DONE, REFUNDED
from cases.sheets.facts import CASES, ORDER_LINES, ORDERS
from cases.sheets.headers import normal

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.utils.functional import _StrOrPromise

F = WordAlias.Field
Words = Mapping[str, Mapping[str, str]]
#: The fields of a dialect whose words each of our lists is for.
_FIELDS_OF: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    ORDERS: {F.ORDER_STATUS: ("status",), F.CATEGORY: ("category",)},
    ORDER_LINES: {F.ORDER_STATUS: ("status",)},
    CASES: {
        F.CASE_STATUS: ("status", "state"),
        F.KIND: ("kind",),
        F.GOODS: ("goods",),
        F.REASON: ("reason",),
    },
}
#: What a platform tells of a case that has ended, beside our own open states.
_ENDS: Final = (
    (REFUNDED, gettext_lazy("Completed, refunded by the platform")),
    (DONE, gettext_lazy("Completed, goods sent")),
    (CLOSED, State.CLOSED.label),
)


def dialects_for(shop: Shop | None) -> tuple[Dialect, ...]:
    """Every dialect with what the staff added for this shop's files, their mappings first."""
    aliases = list(_own_last(HeaderAlias.objects.for_shop(shop)))
    said = list(_own_last(WordAlias.objects.for_shop(shop)))
    ours = tuple(_taught(dialect, aliases, said) for dialect in dialects.ALL)
    saved = {row.name: row for row in _own_last(SheetMapping.objects.for_shop(shop))}
    return (*(_of(row, said) for row in saved.values()), *ours)


def named(name: str, shop: Shop | None) -> Dialect:
    """The saved mapping of this name; raises Refused where this shop has none."""
    saved = {row.name: row for row in _own_last(SheetMapping.objects.for_shop(shop))}
    if name not in saved:
        told = {"name": name, "names": ", ".join(sorted(saved)) or "–"}
        message = _("There is no mapping “%(name)s”, as a file or saved; saved are: %(names)s.")
        raise Refused(message % told, "unknown")
    return _of(saved[name], list(_own_last(WordAlias.objects.for_shop(shop))))


def from_file(found: Mapping[str, Any], kind: str | None) -> Dialect:
    """The user's own columns: {"kind", "platform", "columns", "words"}, or the columns alone."""
    apart = {"kind", "platform", "columns", "words"}
    said = found.get("columns") or {k: v for k, v in found.items() if k not in apart}
    wanted = kind if kind in {ORDERS, CASES} else str(found.get("kind") or ORDERS)
    columns, words = in_codes(wanted, said, found.get("words") or {})
    check_mapping(wanted, columns, words)
    return dialects.mapped(
        wanted, columns, platform=found.get("platform"), words=_by_field(wanted, words)
    )


def _of(row: SheetMapping, said: Sequence[WordAlias]) -> Dialect:
    words = {**_words_of(row.kind, "mapped", said)}
    for field, more in _by_field(row.kind, row.words).items():
        words[field] = {**words.get(field, {}), **more}
    return dialects.mapped(
        row.kind, row.columns, platform=row.platform or None, words=words, name=row.name
    )


def _own_last(rows: Any) -> list[Any]:
    return sorted(rows, key=lambda row: (row.shop_id is not None, row.pk))


def _taught(dialect: Dialect, aliases: Iterable[HeaderAlias], said: Sequence[WordAlias]) -> Dialect:
    names: dict[str, list[str]] = defaultdict(list)
    for row in aliases:
        if (row.dialect, row.kind) == (dialect.code, dialect.kind):
            names[row.field].append(row.name)
    words = _words_of(dialect.kind, dialect.code, said)
    if not names and not words:
        return dialect
    columns = tuple(
        replace(column, names=(*column.names, *names[column.field]))
        if column.field in names
        else column
        for column in dialect.columns
    )
    return replace(dialect, columns=columns, words=words)


def _words_of(kind: str, code: str, said: Iterable[WordAlias]) -> dict[str, dict[str, str]]:
    words: dict[str, dict[str, str]] = defaultdict(dict)
    for row in said:
        if row.dialect in {"", code}:
            for field in _FIELDS_OF.get(kind, {}).get(row.field, ()):
                words[field][row.key] = row.ours
    return dict(words)


def _by_field(kind: str, words: Words) -> dict[str, dict[str, str]]:
    """The words of a mapping as a dialect has them."""
    return {
        field: {normal(word): ours for word, ours in said.items()}
        for list_, said in words.items()
        for field in _FIELDS_OF[kind].get(list_, ())
    }


# What may be chosen


def list_of(kind: str, field: str) -> str:
    """The list of words (`WordAlias.Field`) for a field of a dialect; empty where it has none."""
    found = (name for name, fields in _FIELDS_OF.get(kind, {}).items() if field in fields)
    return next(found, "")


def families() -> list[str]:
    """Codes of the dialects that may get names and words of the staff's own."""
    return list(dict.fromkeys(dialect.code for dialect in dialects.ALL))


def fields_of(kind: str) -> list[tuple[str, str]]:
    """The fields a mapping of this kind may name, in the order of our own sheet: field, name."""
    headers = {ORDERS: ORDER_HEADERS, CASES: CASE_HEADERS}.get(kind, ())
    chinese = (get_language() or "zh").startswith("zh")
    return [(field, zh if chinese else en) for field, en, zh in headers]


def in_codes(
    kind: str, columns: Mapping[str, Any], words: Words
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """A mapping as people write it, in names of either language, by the codes that are kept.

    What is no name is left as it is: `check_mapping` tells of it.
    """
    headers = {ORDERS: ORDER_HEADERS, CASES: CASE_HEADERS}.get(kind, ())
    fields = {normal(name): field for field, *names in headers for name in names}
    lists = {str(label): str(code) for code, label in F.choices}
    coded: dict[str, dict[str, str]] = {}
    for said, meant in words.items():
        list_ = lists.get(said, said)
        ours = {str(label): code for code, label in meanings(list_)}
        coded.setdefault(list_, {}).update({word: ours.get(x, x) for word, x in meant.items()})
    named = {
        header: fields.get(normal(field), field) if isinstance(field, str) else field
        for header, field in columns.items()
    }
    return named, coded


def in_words(
    kind: str, columns: Mapping[str, str], words: Words
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The other way round: as the reader calls it."""
    fields = dict(fields_of(kind))
    lists = {str(code): str(label) for code, label in F.choices}
    told = {header: fields.get(field, field) for header, field in columns.items()}
    spoken: dict[str, dict[str, str]] = {}
    for list_, meant in words.items():
        ours = {code: str(label) for code, label in meanings(list_)}
        spoken[lists.get(list_, list_)] = {word: ours.get(x, x) for word, x in meant.items()}
    return told, spoken


def columns_of(dialect: Dialect) -> list[tuple[str, str]]:
    """The columns that may get another name: field, and the name that is known best."""
    return [(column.field, _best_name(column.names)) for column in dialect.columns]


def _best_name(names: Sequence[str]) -> str:
    return next((name for name in names if not name.isascii()), names[0])


def meanings(field: str) -> "list[tuple[str, _StrOrPromise]]":
    """What a word of this list may mean: our code, and how people call it."""
    open_states = [(str(s.value), s.label) for s in State if s not in TERMINAL]
    lists: dict[str, Any] = {
        F.ORDER_STATUS: OrderStatus.choices,
        F.CASE_STATUS: [*open_states, *_ENDS],
        F.KIND: [*Kind.choices, ("refund", _("Refund, by where the goods are"))],
        F.GOODS: [("unshipped", _("Not shipped")), *Goods.choices],
        F.CATEGORY: Category.choices,
    }
    if field == F.REASON:
        return [(reason.code, str(reason)) for reason in Reason.objects.filter(active=True)]
    return list(lists.get(field, ()))


# What is refused


def check_header(code: str, kind: str, field: str, name: str) -> None:
    """Raises Refused where this cannot be another name of that column."""
    found = [one for one in dialects.ALL if (one.code, one.kind) == (code, kind)]
    if not found or field not in {column.field for column in found[0].columns}:
        raise Refused(_("There is no such column in sheets of this family."), "bad_value")
    key = normal(name)
    _check_text(name, key)
    for column in found[0].columns:
        if key in set(map(normal, column.names)):
            told = {"name": name, "column": _best_name(column.names)}
            message = (
                _("“%(name)s” is known already as a name of this column.")
                if column.field == field
                else _("“%(name)s” already means the column “%(column)s” and cannot mean another.")
            )
            raise Refused(message % told, "bad_value")


def check_word(field: str, word: str, ours: str) -> None:
    """Raises Refused where this word cannot mean that."""
    _check_text(word, normal(word))
    if ours not in {code for code, _label in meanings(field)}:
        told = {"ours": ours, "word": word}
        raise Refused(_("“%(word)s” cannot mean “%(ours)s” here.") % told, "bad_value")


def _check_text(text: str, key: str) -> None:
    if not key or len(text) > LONGEST:
        raise Refused(_("A name has 1 to %(most)s signs.") % {"most": LONGEST}, "bad_value")


def check_mapping(kind: str, columns: Mapping[str, str], words: Words) -> None:
    """Raises Refused where the mapping names what there is not, or leaves out what it needs."""
    if kind not in {ORDERS, CASES}:
        raise Refused(_("A mapping is for orders or for cases."), "bad_value")
    texts = [*columns, *columns.values()]
    if not columns or not all(isinstance(text, str) for text in texts):
        raise Refused(_("A mapping needs columns: header → field."), "bad_value")
    known = dict(fields_of(kind))
    used = [field for field in columns.values() if field]
    if strange := sorted(set(used) - set(known)):
        told = {"names": ", ".join(strange), "known": ", ".join(known)}
        message = _("The mapping names what is no field: %(names)s. There are: %(known)s.")
        raise Refused(message % told, "bad_value")
    _check_once(columns, used)
    lacking = [known[field] for field in dialects.needed(kind) if field not in used]
    if lacking:
        message = _("The mapping lacks what every row needs: %(names)s.")
        raise Refused(message % {"names": ", ".join(lacking)}, "bad_value")
    _check_words(kind, words)


def _check_once(columns: Mapping[str, str], used: Sequence[str]) -> None:
    if twice := sorted({field for field in used if used.count(field) > 1}):
        message = _("Two columns are mapped to the same field: %(names)s.")
        raise Refused(message % {"names": ", ".join(twice)}, "bad_value")
    keys = [normal(header) for header in columns]
    if twice := [header for header in columns if keys.count(normal(header)) > 1]:
        message = _("The same column stands twice in the mapping: %(names)s.")
        raise Refused(message % {"names": ", ".join(twice)}, "bad_value")


def _check_words(kind: str, words: Words) -> None:
    for field, said in words.items():
        if field not in _FIELDS_OF[kind]:
            told = {"name": field, "known": ", ".join(_FIELDS_OF[kind])}
            message = _("There are no words for “%(name)s”; there are some for: %(known)s.")
            raise Refused(message % told, "bad_value")
        for word, ours in said.items():
            check_word(field, word, ours)


# What is saved


def save(  # noqa: PLR0913 - a mapping has that many parts
    name: str,
    shop: Shop | None,
    kind: str,
    columns: Mapping[str, str],
    *,
    by: "User",
    platform: str = "",
    words: Words | None = None,
) -> SheetMapping:
    """Keep a mapping under its name, in place of an older one of that name in this shop.

    Raises Refused where it is none, NotPermitted where ``by`` may not keep it for this shop.
    """
    may(by, shop, "cases.add_sheetmapping", "cases.change_sheetmapping")
    if not name.strip():
        raise Refused(_("Give the mapping a name."), "bad_value")
    check_mapping(kind, columns, words or {})
    kept = {"kind": kind, "columns": dict(columns), "words": words or {}, "platform": platform}
    row, _made = SheetMapping.objects.update_or_create(
        shop=shop, name=name.strip()[:60], defaults=kept
    )
    return row


def may(user: "User", shop: Shop | None, *permissions: str) -> None:
    """Raises NotPermitted: who sees all shops may for all, others for those they belong to."""
    ids = shop_ids_of(user)
    if ids is not None and (shop is None or shop.pk not in ids):
        raise NotPermitted(_("You may keep this for your own shops only."))
    if not user.has_perms(permissions):
        raise NotPermitted(_("You may not change how sheets are read. Ask a lead."))
