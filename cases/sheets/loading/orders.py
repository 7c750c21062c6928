"""Orders of a sheet, a chunk at a time: looked up at once, merged in memory, written in bulk."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.changes import orders_changed
from cases.differences import Figure, hear_of_orders
from cases.external import Reported, report
from cases.flow import clock, writing
from cases.models import Order, OrderLine, Payment, Platform
from cases.sheets.facts import LineFacts, OrderFacts
from cases.sheets.loading.changes import Change, differences, of_lines
from cases.sheets.loading.inserting import insert_columns, take_keys
from cases.sheets.loading.merging import (
    NEW_LINE,
    NEW_ORDER,
    NEW_PAYMENT,
    OrderRecord,
    Record,
    Values,
    merge,
    merge_lines,
)
from cases.sheets.loading.outcomes import Impossible, Outcome
from cases.sheets.loading.platformwords import figure_of
from cases.sheets.loading.shopfinder import ShopFinder, family

_COUNTERS: Final = frozenset({"freight_reserved", "freight_refunded", "reported_refunded"})
_LINE_COUNTERS: Final = frozenset({"held", "gone", "reserved", "refunded"})
_ORDER_NAMES: Final = tuple(name for name in NEW_ORDER if name not in _COUNTERS)
_NEW_ORDER_NAMES: Final = ("platform", "order_no", "shop_id", *_ORDER_NAMES)
_LINE_NAMES: Final = tuple(name for name in NEW_LINE if name not in _LINE_COUNTERS)
_PAYMENT_NAMES: Final = tuple(name for name in NEW_PAYMENT if name != "refunded")
#: Columns no sheet fills, for inserts past the ORM.
_ORDER_ZERO: Final = {
    "freight_reserved": Decimal("0.00"),
    "freight_refunded": Decimal("0.00"),
    "external_refunded": Decimal("0.00"),
    "reported_refunded": Decimal("0.00"),
}
_LINE_ZERO: Final = {
    "no_return_agreed": False,
    "held": 0,
    "gone": 0,
    "reserved": Decimal("0.00"),
    "refunded": Decimal("0.00"),
}

Key = tuple[str, str]


@dataclass
class OrderLoader:
    """Takes chunks of order facts. ``columns``: fields for which the sheet has a column."""

    shops: ShopFinder
    columns: frozenset[str]
    source: str

    def __post_init__(self) -> None:
        self.spoken = " ".join(sorted(self.columns))

    def take(self, chunk: Sequence[OrderFacts]) -> list[Outcome]:
        """Write one chunk inside the caller's transaction; an outcome per facts, in order."""
        book = _Chunk(self, chunk)
        outcomes = book.outcomes()
        book.write()
        hear_of_orders(book.figures(outcomes), self.source)
        return outcomes

    def place(self, facts: OrderFacts) -> tuple[Key, int]:
        """Platform and number, and the shop; raises Impossible where the shop is not known."""
        shop = self.shops.of(facts)
        if shop is None:
            message = _("the sheet does not say which shop it is from; name the shop")
            raise Impossible("bad_value", message)
        return (shop.platform, facts.order_no), shop.pk

    def stamp(self, facts: OrderFacts) -> str:
        """The same facts from the same columns have the same stamp (64 hex digits)."""
        told = [self.spoken, *_order_told(facts), *sorted(facts.extra.items())]
        for line in facts.lines:
            told += _line_told(line)
            told += sorted(line.extra.items())
        # The separator stands in no cell: reading takes control signs out.
        text = "\x1f".join(map(str, told))
        return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def _told(kind: type[Any], *but: str) -> Callable[[Any], tuple[Any, ...]]:
    """Everything a sheet says but where it stands in the sheet."""
    return attrgetter(*[name for name in kind.__dataclass_fields__ if name not in but])


_order_told = _told(OrderFacts, "rows", "warnings", "extra", "lines")
_line_told = _told(LineFacts, "row", "extra")


@dataclass(slots=True)
class _Told:
    """The facts of one order and what had to be known before they are merged."""

    facts: OrderFacts
    key: Key
    shop_id: int
    stamp: str
    problem: Impossible | None = None


@dataclass
class _Chunk:
    """The orders a chunk speaks of, found at once."""

    loader: OrderLoader
    facts: Sequence[OrderFacts]
    told: list[_Told] = field(default_factory=list)
    heads: dict[Key, tuple[int, int, str]] = field(default_factory=dict)
    records: dict[Key, OrderRecord] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.told = [self._told(facts) for facts in self.facts]
        self.heads = heads = find_heads(told.key for told in self.told if told.problem is None)
        changed = {
            told.key
            for told in self.told
            if told.problem is None and told.key in heads and heads[told.key][2] != told.stamp
        }
        found = read_orders(heads[key][0] for key in changed)
        self.records = {key: found[heads[key][0]] for key in changed}

    def _told(self, facts: OrderFacts) -> _Told:
        try:
            key, shop_id = self.loader.place(facts)
        except Impossible as problem:
            return _Told(facts, ("", ""), 0, "", problem)
        return _Told(facts, key, shop_id, self.loader.stamp(facts))

    def outcomes(self) -> list[Outcome]:
        return [self._one(told) for told in self.told]

    def _one(self, told: _Told) -> Outcome:
        facts = told.facts
        warnings = tuple([remark.message for remark in facts.warnings])
        done = Outcome(facts.rows, "unchanged", label=facts.order_no, warnings=warnings)
        try:
            if told.problem is not None:
                raise told.problem
            self._check(told)
            self._merge(told, done)
        except Impossible as problem:
            done.what, done.code = "failed", problem.code
            done.message = done.told(problem.message)
            return done
        return done

    def _check(self, told: _Told) -> None:
        number = told.facts.order_no
        head = self.heads.get(told.key)
        if head is not None and head[1] != told.shop_id:
            message = _("the order %(no)s is not one of this shop; check the shop and the number")
            raise Impossible("unknown", message % {"no": number})
        if len(number) > 64:
            raise Impossible("bad_value", _("the order number is longer than 64 signs"))

    def _merge(self, told: _Told, done: Outcome) -> None:
        record = self.records.get(told.key)
        if record is None and told.key in self.heads:
            return  # the same facts as the last time
        fresh = record is None
        if record is None:
            platform, number = told.key
            new = {**NEW_ORDER, "platform": platform, "order_no": number, "shop_id": told.shop_id}
            record = OrderRecord(Record(None, None, new), [], [], told.shop_id)
        was = (record.order.values, record.lines, record.payments)
        reason = merge(record, told.facts, self.loader.columns)
        if reason:
            done.what, done.message = "skipped", reason
            return
        if fresh:
            self.records[told.key] = record
        if fresh or changed(was, record):
            record.order.values["facts_hash"] = told.stamp
            done.what = "created" if fresh else "updated"
            if not fresh:
                done.changes = _changes(was, record)
            if cuts := fit(record):
                done.warnings += tuple([done.told(text) for text in cuts])

    def figures(self, outcomes: Sequence[Outcome]) -> dict[int, Figure]:
        """What rows that were heard say of refunds, by order."""
        found: dict[int, Figure] = {}
        for told, done in zip(self.told, outcomes, strict=True):
            if done.what in {"skipped", "failed"}:
                continue
            record, head = self.records.get(told.key), self.heads.get(told.key)
            pk = record.order.pk if record else head and head[0]
            if pk and (figure := figure_of(told.facts, told.shop_id)):
                found[pk] = figure
        return found

    def write(self) -> None:
        write_records(list(self.records.values()), self.loader.source)


def find_heads(keys: Iterable[Key]) -> dict[Key, tuple[int, int, str]]:
    """Key, shop and stamp of the orders we have, by platform and number."""
    keys = set(keys)
    if not keys:
        return {}
    rows = Order.objects.filter(
        platform__in={platform for platform, _no in keys}, order_no__in=[no for _p, no in keys]
    ).values_list("platform", "order_no", "id", "shop_id", "facts_hash")
    found = {(platform, no): (pk, shop, stamp) for platform, no, pk, shop, stamp in rows}
    return {key: found[key] for key in keys if key in found}


def read_orders(ids: Iterable[int]) -> dict[int, OrderRecord]:
    """The orders with lines and payments, locked in pk order (the order row locks its lines)."""
    pks = sorted(ids)
    if not pks:
        return {}
    names = [*NEW_ORDER, "platform", "order_no", "shop_id"]
    locked = Order.objects.order_by("pk").select_for_update().filter(pk__in=pks)
    records = {}
    for row in locked.values("id", *names):
        pk = row.pop("id")
        records[pk] = OrderRecord(Record(pk, row, row), [], [], row["shop_id"])
    lines = OrderLine.objects.filter(order_id__in=pks).order_by("order_id", "line_no")
    for row in lines.values("id", "order_id", *NEW_LINE):
        pk, order = row.pop("id"), row.pop("order_id")
        records[order].lines.append(Record(pk, row, row))
    payments = Payment.objects.filter(order_id__in=pks).order_by("order_id", "id")
    for row in payments.values("id", "order_id", *NEW_PAYMENT):
        pk, order = row.pop("id"), row.pop("order_id")
        records[order].payments.append(Record(pk, row, row))
    return records


Before = tuple[Values, list[Record], list[Record]]


def _changes(was: Before, record: OrderRecord) -> tuple[Change, ...]:
    """What the preview tells of an update; payments follow from the order's amounts."""
    lines = [line.values for line in was[1]], [line.values for line in record.lines]
    return (*differences(was[0], record.order.values), *of_lines(*lines))


def changed(was: Before, record: OrderRecord) -> bool:
    values, lines, payments = was
    return (
        values != record.order.values
        or [line.values for line in lines] != [line.values for line in record.lines]
        or [one.values for one in payments] != [one.values for one in record.payments]
    )


def _limits(model: type[models.Model], names: Sequence[str]) -> list[tuple[str, int]]:
    fields = [(name, model._meta.get_field(name)) for name in names]
    return [
        (n, f.max_length) for n, f in fields if isinstance(f, models.CharField) and f.max_length
    ]


_LIMITS: Final = [
    (
        _limits(Order, [name for name in _ORDER_NAMES if not name.startswith("phone_")]),
        _limits(OrderLine, _LINE_NAMES),
        _limits(Payment, _PAYMENT_NAMES),
    )
]


def fit(record: OrderRecord) -> list[str]:
    """Cut texts that are longer than their column; each cut is told."""
    order, line, payment = _LIMITS[0]
    told: list[str] = []
    for limits, records in (
        (order, [record.order]),
        (line, record.lines),
        (payment, record.payments),
    ):
        for one in records:
            _fit(one.values, limits, told)
    return told


def _fit(values: Values, limits: list[tuple[str, int]], told: list[str]) -> None:
    for name, most in limits:
        text = values[name]
        if len(text) > most:
            values[name] = text[:most]
            said = {"field": name, "most": most}
            told.append(_("“%(field)s” was cut to %(most)s signs") % said)


def write_records(records: list[OrderRecord], source: str) -> None:
    """New rows in bulk, changed rows by their changed columns, refund figures to the guards."""
    new = [record for record in records if record.order.pk is None]
    _insert_orders(new)
    _update(Order, [r.order for r in records if r.order.before is not None], _ORDER_NAMES)
    _save(OrderLine, [(r, line) for r in records for line in r.lines], _LINE_NAMES, _LINE_ZERO)
    _save(
        Payment,
        [(r, one) for r in records for one in r.payments],
        _PAYMENT_NAMES,
        {"refunded": Decimal("0.00")},
    )
    reported = [
        Reported(r.order.pk, r.reported, r.reported_at or clock.now(), source)
        for r in records
        if r.reported is not None and r.order.pk is not None
    ]
    if reported:
        report(reported)
    if written := [r.order.pk for r in records if r.order.pk is not None]:
        orders_changed.send(sender=Order, order_ids=written)


def _insert_orders(new: list[OrderRecord]) -> None:
    if not new:
        return
    keys = take_keys(Order, len(new))
    for record, pk in zip(new, keys, strict=True):
        record.order.pk = pk
    now = timezone.now()
    columns = _columns([record.order for record in new], _NEW_ORDER_NAMES)
    same = {**_ORDER_ZERO, "created_at": now, "updated_at": now}
    insert_columns(Order, {"id": keys, **columns}, same)


def _columns(rows: list[Record], names: Sequence[str]) -> dict[str, list[Any]]:
    values = [row.values for row in rows]
    return {name: [one[name] for one in values] for name in names}


def _save(
    model: type[models.Model],
    rows: list[tuple[OrderRecord, Record]],
    names: Sequence[str],
    zero: dict[str, Any],
) -> None:
    """Lines or payments: those without a key are new."""
    _update(model, [row for _owner, row in rows if row.before is not None], names)
    new = [(owner, row) for owner, row in rows if row.pk is None]
    if not new:
        return
    keys = take_keys(model, len(new))
    for (_owner, row), pk in zip(new, keys, strict=True):
        row.pk = pk
    owners = [owner.order.pk for owner, _row in new]
    columns = _columns([row for _owner, row in new], names)
    insert_columns(model, {"id": keys, "order_id": owners, **columns}, zero)


def _update(model: type[models.Model], rows: list[Record], names: Sequence[str]) -> None:
    """Rows that differ, grouped by which columns do."""
    groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for row in rows:
        before = row.before or {}
        differing = tuple(name for name in names if before[name] != row.values[name])
        if differing:
            groups[differing].append(row)
    stamped = model is Order
    for differing, members in sorted(groups.items()):
        wanted = [*differing, "updated_at"] if stamped else [*differing]
        fields = [model._meta.get_field(name) for name in wanted]
        extra: list[Any] = [timezone.now()] if stamped else []
        writing.update_rows(
            model,
            fields,
            [
                [r.pk, *writing.values_for(fields, [*(r.values[n] for n in differing), *extra])]
                for r in sorted(members, key=lambda r: r.pk or 0)
            ],
        )


@dataclass
class LineLoader:
    """Takes chunks of order lines for orders that are known already (Taobao's details)."""

    shops: ShopFinder
    platform: str

    def take(self, chunk: Sequence[OrderFacts]) -> list[Outcome]:
        found = self._find({facts.order_no for facts in chunk})
        records = read_orders(found.values())
        outcomes = [self._one(facts, found, records) for facts in chunk]
        write_records(list(records.values()), "")
        return outcomes

    def _find(self, numbers: set[str]) -> dict[str, int]:
        rows = Order.objects.filter(order_no__in=numbers)
        if self.shops.visible is not None:
            rows = rows.filter(shop_id__in=self.shops.visible)
        if self.shops.named:
            rows = rows.filter(shop__code=self.shops.named)
        told = rows.order_by("pk").values_list("order_no", "id", "platform")
        own = {no: pk for no, pk, platform in told if family(platform) == self.platform}
        # Shops of no known platform may have the platform's orders too.
        other = {no: pk for no, pk, platform in told if platform == Platform.OTHER}
        return {**other, **own}

    def _one(
        self, facts: OrderFacts, found: dict[str, int], records: dict[int, OrderRecord]
    ) -> Outcome:
        told = tuple(remark.message for remark in facts.warnings)
        done = Outcome(facts.rows, "unchanged", label=facts.order_no, warnings=told)
        record = records.get(found.get(facts.order_no, 0))
        if record is None:
            said = {"no": facts.order_no}
            message = _("there is no order %(no)s; import the order list first") % said
            done.what, done.code, done.message = "failed", "unknown", done.told(message)
            return done
        was = (record.order.values, record.lines, record.payments)
        try:
            merge_lines(record, facts)
        except Impossible as problem:
            done.what, done.code = "failed", problem.code
            done.message = done.told(problem.message)
            return done
        if changed(was, record):
            done.what, done.changes = "updated", _changes(was, record)
            done.warnings += tuple(done.told(text) for text in fit(record))
        return done
