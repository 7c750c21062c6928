"""What an order is after a sheet has spoken of it: pure rules on plain values, no database.

An older export never wins: a status never falls back, a time once known is never blanked, refunds
never shrink; such rows are skipped. Masked personal data never overwrites clear data. Nothing may
fall below what the cases of the order already hold.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from cases import privacy
from cases.models.money import ZERO, cents, shares
from cases.models.orders import STATUS_RANK, OrderStatus
from cases.sheets.facts import LineFacts, OrderFacts
from cases.sheets.loading.outcomes import Impossible

PERSONAL: Final = ("buyer", "receiver", "phone", "address")
PLAIN_TEXTS: Final = ("courier", "waybill", "named_courier")
#: What has happened; a sheet that has the column and leaves it blank knows less than we do.
MILESTONES: Final = ("ordered_at", "paid_at", "shipped_at", "signed_at", "finished_at")
PLANS: Final = ("ship_by", "promised_arrival")

Values = dict[str, Any]

#: A new order before its sheet has spoken.
NEW_ORDER: Final[Values] = {
    "status": "",
    "paid_amount": ZERO,
    "freight_paid": ZERO,
    "freight_reserved": ZERO,
    "freight_refunded": ZERO,
    "reported_refunded": ZERO,
    **dict.fromkeys((*MILESTONES, *PLANS)),
    **dict.fromkeys((*PLAIN_TEXTS, *PERSONAL), ""),
    "phone_hash": "",
    "phone_tail": "",
    "shipped_free": False,
    "extra": {},
    "facts_hash": "",
    "has_lines": False,
}
NEW_LINE: Final[Values] = {
    "line_no": 0,
    "sub_order_no": "",
    "sku": "",
    "title": "",
    "category": "general",
    "serials": "",
    "quantity": 1,
    "unit_price": None,
    "discount": None,
    "paid_amount": ZERO,
    "ship_by": None,
    "promises": "",
    "extra": {},
    "held": 0,
    "gone": 0,
    "reserved": ZERO,
    "refunded": ZERO,
}
NEW_PAYMENT: Final[Values] = {
    "number": "",
    "method": "",
    "amount": ZERO,
    "paid_at": None,
    "refunded": ZERO,
}


@dataclass(slots=True)
class Record:
    """A row in the making: its key (None: new), what stands in the database, what shall stand."""

    pk: int | None
    before: Values | None
    values: Values


@dataclass(slots=True)
class OrderRecord:
    """An order with its lines and payments. ``reported``: a refund figure higher than before."""

    order: Record
    lines: list[Record]
    payments: list[Record]
    shop_id: int
    reported: Decimal | None = None
    reported_at: datetime | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def is_new(self) -> bool:
        """Whether nothing was told of it yet, by no earlier sheet and no earlier row."""
        return not self.order.values["status"]


def older(record: OrderRecord, facts: OrderFacts, columns: frozenset[str]) -> str:
    """Why these facts are older than what we know; empty where they are not."""
    if record.is_new:
        return ""
    known = record.order.values
    here, there = STATUS_RANK[known["status"]], STATUS_RANK.get(facts.status or "", None)
    if there is not None and there < here:
        said = {"known": _status(known["status"]), "told": _status(facts.status)}
        return (
            _("an older export: the order is “%(known)s” already, the row says “%(told)s”") % said
        )
    if (there is None or there == here) and (blank := _blanked(known, facts, columns)):
        said = {"field": blank}
        return _("an older export: the column “%(field)s” is blank and we know the time") % said
    reported = reported_by(facts)
    if reported is not None and reported < known["reported_refunded"]:
        amounts = {"known": known["reported_refunded"], "told": reported}
        return (
            _("an older export: ¥%(known)s was refunded already, the row says ¥%(told)s") % amounts
        )
    return ""


def _status(code: str | None) -> str:
    return str(OrderStatus(code).label) if code else ""


def _blanked(known: Values, facts: OrderFacts, columns: frozenset[str]) -> str:
    for name in MILESTONES:
        if name in columns and known[name] is not None and getattr(facts, name) is None:
            return name
    return ""


def reported_by(facts: OrderFacts) -> Decimal | None:
    """What the report says was refunded so far, in yuan."""
    if facts.reported_refunded is None and facts.fully_refunded:
        return facts.total_paid
    return facts.reported_refunded


def merge(record: OrderRecord, facts: OrderFacts, columns: frozenset[str]) -> str:
    """Let the facts speak; returns why they were not heard (an older export), or nothing.

    Raises Impossible, and then the record is as it was.
    """
    reason = older(record, facts, columns)
    values = {**record.order.values}
    lines = [Record(line.pk, line.before, {**line.values}) for line in record.lines]
    if reason:
        # Rows of one order may stand apart in a sheet: lines we do not have are news.
        if not values["has_lines"] or not any(_find(lines, told) is None for told in facts.lines):
            return reason
    else:
        _take_order(values, facts)
        _take_status(values, facts)
    _take_money(values, lines, facts, record)
    check_holdings(values, lines)
    payments = _payments(record.payments, values, facts)
    reported = None if reason else _refunds(values, facts)
    record.order.values, record.lines, record.payments = values, lines, payments
    if reported is not None:
        record.reported = reported
        record.reported_at = facts.finished_at or facts.signed_at or facts.paid_at
    return ""


def merge_lines(record: OrderRecord, facts: OrderFacts) -> None:
    """A sheet of lines only: what each line is, and the order's money split over them."""
    values = {**record.order.values}
    lines = [Record(line.pk, line.before, {**line.values}) for line in record.lines]
    _take_money(values, lines, facts, record)
    check_holdings(values, lines)
    record.order.values, record.lines = values, lines


def _take_order(values: Values, facts: OrderFacts) -> None:
    for name in PLAIN_TEXTS:
        if told := getattr(facts, name):
            values[name] = told
    _take_personal(values, facts)
    for name in (*MILESTONES, *PLANS):
        told = getattr(facts, name)
        if told is not None and not same_moment(values[name], told):
            values[name] = told
    if facts.shipped_free is not None:
        values["shipped_free"] = facts.shipped_free
    if facts.extra:
        values["extra"] = {**values["extra"], **facts.extra}


def _take_personal(values: Values, facts: OrderFacts) -> None:
    for name in PERSONAL:
        told = getattr(facts, name)
        if not told or told == values[name] or (values[name] and is_masked(told)):
            continue
        values[name] = told
        if name == "phone":
            values["phone_hash"], values["phone_tail"] = privacy.phone_keys(told)


def is_masked(text: str) -> bool:
    """Stars and the platforms' cipher stand for something we may know in the clear."""
    return "*" in text or text.startswith("##")


def same_moment(known: datetime | None, told: datetime) -> bool:
    """Sheets write whole seconds: a fraction we know better is not another time."""
    if known is None:
        return False
    return known == told or (not told.microsecond and known.replace(microsecond=0) == told)


def _take_status(values: Values, facts: OrderFacts) -> None:
    told = facts.status or status_by_times(values, facts)
    if not values["status"] or STATUS_RANK[told] > STATUS_RANK[values["status"]]:
        values["status"] = told


def status_by_times(values: Values, facts: OrderFacts) -> str:
    """How far an order is whose status word is missing or unknown."""
    if values["finished_at"]:
        return str(OrderStatus.FINISHED)
    if values["signed_at"]:
        return str(OrderStatus.SIGNED)
    if values["shipped_at"] or values["waybill"]:
        return str(OrderStatus.SHIPPED)
    paid = facts.total_paid or any(line.paid_amount for line in facts.lines)
    return str(OrderStatus.PAID if values["paid_at"] or paid else OrderStatus.UNPAID)


def _take_money(
    values: Values, lines: list[Record], facts: OrderFacts, record: OrderRecord
) -> None:
    """The order's total and freight, and each line's own share of what was paid."""
    freight = values["freight_paid"] if facts.freight_paid is None else facts.freight_paid
    own = all(line.paid_amount is not None for line in facts.lines)
    changed = _take_lines(values, lines, facts)
    if facts.lines and own:
        values["paid_amount"] = sum((line.values["paid_amount"] for line in lines), freight)
        values["freight_paid"] = freight
    else:
        _take_total(values, facts, freight, is_new=record.is_new)
        _split_total(values, lines, facts, changed=changed)
    if values["status"] == OrderStatus.UNPAID and values["paid_at"] is None:
        _never_paid(values, lines)


def _take_total(values: Values, facts: OrderFacts, freight: Decimal, *, is_new: bool) -> None:
    total = facts.total_paid
    if total is None:
        total = values["paid_amount"]
        if is_new and values["status"] != OrderStatus.UNPAID:
            raise Impossible("bad_value", _("the order's total or paid amount is missing"))
    if not total:
        freight = ZERO
    if freight > total:
        said = {"freight": freight, "total": total}
        message = _("freight of ¥%(freight)s is more than the whole amount of ¥%(total)s") % said
        raise Impossible("amount_exceeded", message)
    values["paid_amount"], values["freight_paid"] = total, freight


def _split_total(values: Values, lines: list[Record], facts: OrderFacts, *, changed: bool) -> None:
    """What was paid for goods, over the lines; one stands in where none is known."""
    if not lines:
        lines.append(_stand_in(facts))
    elif not facts.lines and not values["has_lines"]:
        _renew_stand_in(lines[0].values, facts)
    goods = values["paid_amount"] - values["freight_paid"]
    if changed or sum((line.values["paid_amount"] for line in lines), ZERO) != goods:
        for line, part in zip(lines, shares(goods, _weights(lines)), strict=True):
            line.values["paid_amount"] = part


def _weights(lines: list[Record]) -> list[Decimal]:
    """By price and count where the prices are known, else by what each had, else by count."""
    if all(line.values["unit_price"] is not None for line in lines):
        return [line.values["unit_price"] * line.values["quantity"] for line in lines]
    had = [line.values["paid_amount"] for line in lines]
    return had if any(had) else [Decimal(line.values["quantity"]) for line in lines]


def _stand_in(facts: OrderFacts) -> Record:
    """One line for an order whose lines we have not seen yet."""
    values = {**NEW_LINE, "line_no": 1}
    _renew_stand_in(values, facts)
    return Record(None, None, values)


def _renew_stand_in(values: Values, facts: OrderFacts) -> None:
    values["quantity"] = facts.line_count_hint or values["quantity"]
    values["title"] = facts.title or values["title"]


def _never_paid(values: Values, lines: list[Record]) -> None:
    values["paid_amount"] = values["freight_paid"] = ZERO
    for line in lines:
        line.values["paid_amount"] = ZERO


def _take_lines(values: Values, lines: list[Record], facts: OrderFacts) -> bool:
    """Returns whether a line came or weighs other than before."""
    if not facts.lines or (not values["has_lines"] and _is_stand_in(lines, facts.lines)):
        return False
    changed = False
    if not values["has_lines"]:
        values["has_lines"] = changed = True
        if lines:  # the stand-in, which cases may already point to, becomes the first line
            lines[0].values["line_no"] = facts.lines[0].line_no or 1
            lines[0].values["sub_order_no"] = facts.lines[0].sub_order_no
    for told in facts.lines:
        line = _find(lines, told)
        if line is None:
            line = Record(None, None, {**NEW_LINE, "line_no": told.line_no or _next_no(lines)})
            lines.append(line)
            changed = True
        before = (line.values["quantity"], line.values["unit_price"])
        _take_line(line.values, told)
        changed |= before != (line.values["quantity"], line.values["unit_price"])
    return changed


def _is_stand_in(lines: list[Record], told: tuple[LineFacts, ...]) -> bool:
    """Our own export of an order whose lines we have not seen comes back as it went."""
    if len(lines) != 1 or len(told) != 1:
        return False
    have, line = lines[0].values, told[0]
    return bool(
        line.line_no == have["line_no"]
        and line.quantity == have["quantity"]
        and line.paid_amount in {None, have["paid_amount"]}
        and line.title in {"", have["title"]}
        and not line.sku
        and line.unit_price is None
    )


def _find(lines: list[Record], told: LineFacts) -> Record | None:
    for line in lines:
        if told.line_no is not None:
            if line.values["line_no"] == told.line_no:
                return line
        elif told.sub_order_no and line.values["sub_order_no"] == told.sub_order_no:
            return line
    return None


def _next_no(lines: list[Record]) -> int:
    return max((int(line.values["line_no"]) for line in lines), default=0) + 1


def _take_line(values: Values, told: LineFacts) -> None:
    for name in ("sub_order_no", "sku", "title", "category"):
        if found := getattr(told, name):
            values[name] = found
    for name in ("serials", "promises"):
        if found := getattr(told, name):
            values[name] = ";".join(found)
    values["quantity"] = told.quantity
    _take_prices(values, told)
    if told.ship_by is not None and not same_moment(values["ship_by"], told.ship_by):
        values["ship_by"] = told.ship_by
    if told.extra:
        values["extra"] = {**values["extra"], **told.extra}


def _take_prices(values: Values, told: LineFacts) -> None:
    if told.unit_price is not None:
        values["unit_price"] = round(told.unit_price, 6)
    if told.discount is not None:
        values["discount"] = cents(told.discount)
    if told.paid_amount is not None:
        values["paid_amount"] = told.paid_amount


def check_holdings(values: Values, lines: list[Record]) -> None:
    """Raises Impossible where less would be left than the order's cases already hold."""
    for line in lines:
        got = line.values
        pieces, money = got["held"] + got["gone"], got["reserved"] + got["refunded"]
        if got["quantity"] < pieces:
            said = {"line": got["line_no"], "pieces": pieces, "told": got["quantity"]}
            message = _(
                "line %(line)s: after-sales cases hold %(pieces)s pieces of it, so its quantity "
                "cannot become %(told)s"
            )
            raise Impossible("quantity_exceeded", message % said)
        if got["paid_amount"] < money:
            said = {"line": got["line_no"], "money": money, "told": got["paid_amount"]}
            message = _(
                "line %(line)s: after-sales cases hold ¥%(money)s of it, so what was paid for it "
                "cannot become ¥%(told)s"
            )
            raise Impossible("amount_exceeded", message % said)
    freight = values["freight_reserved"] + values["freight_refunded"]
    if values["freight_paid"] < freight:
        said = {"money": freight, "told": values["freight_paid"]}
        message = _("cases hold ¥%(money)s of the freight, so it cannot become ¥%(told)s") % said
        raise Impossible("amount_exceeded", message)


def _payments(known: list[Record], values: Values, facts: OrderFacts) -> list[Record]:
    """A sheet tells of one payment; where we know of several, they stay as they are."""
    total = values["paid_amount"]
    if len(known) > 1 or (not known and not total):
        return known
    base = known[0] if known else Record(None, None, {**NEW_PAYMENT})
    got = {**base.values, "amount": total}
    got["number"] = facts.payment_number or got["number"]
    got["method"] = facts.payment_method or got["method"]
    if values["paid_at"] is not None:
        got["paid_at"] = values["paid_at"]
    if total < got["refunded"]:
        said = {"money": got["refunded"], "told": total}
        message = _("¥%(money)s was refunded already, so what was paid cannot become ¥%(told)s")
        raise Impossible("amount_exceeded", message % said)
    return [Record(base.pk, base.before, got)]


def _refunds(values: Values, facts: OrderFacts) -> Decimal | None:
    """The report's own figure of what was refunded, where it is news."""
    reported = reported_by(facts)
    if reported is None or reported == values["reported_refunded"]:
        return None
    if reported > values["paid_amount"]:
        said = {"told": reported, "paid": values["paid_amount"]}
        message = _("a refund of ¥%(told)s is more than the ¥%(paid)s that was paid") % said
        raise Impossible("amount_exceeded", message)
    values["reported_refunded"] = reported
    return reported
