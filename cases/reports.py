"""The measures of the trunk (domain.md 2.8): each a query with its formula in the docstring.

Periods are whole days of Shanghai, both ends included. Rates are shares of 1, times are hours.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.models import (
    Case,
    CaseEvent,
    Mediation,
    Order,
    OrderLine,
    PlatformRecord,
    Remedy,
)
from cases.models.kinds import GOODS_REMEDIES, TERMINAL
from cases.models.money import ZERO

ZONE = ZoneInfo("Asia/Shanghai")
#: What cases may be grouped by, and orders.
OF_CASE = {
    "shop": "shop__code",
    "reason": "reason__code",
    "sku": "lines__order_line__sku",
    "agent": "owner__username",
}
OF_ORDER = {"shop": "shop__code", "sku": "lines__sku"}
#: Steps by which the seller answers an application.
ANSWERS = ("accept", "propose", "refuse", "ship_order", "intercept", "convert", "log_contact")

Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """Over which days (None: open) and by what: shop, reason, sku, agent, or nothing."""

    since: date | None = None
    until: date | None = None
    by: str = ""

    def within(self, name: str) -> Q:
        """The rows whose moment ``name`` lies in the period."""
        found = Q()
        if self.since is not None:
            found &= Q(**{f"{name}__gte": _midnight(self.since)})
        if self.until is not None:
            found &= Q(**{f"{name}__lt": _midnight(self.until + timedelta(days=1))})
        return found


def orders(question: Question) -> list[Row]:
    """Counts and sums of orders by the day they were paid, or else placed.

    ``gross_paid``: paid amounts of paid orders · ``refunded``: refunds of our cases (goods and
    freight) + external refunds · ``net_paid`` = gross_paid - refunded · ``refunded_full``: orders
    whose refunds reach the paid amount, ``refunded_part``: those with less · ``external_refunds``:
    yuan that a report shows and no case explains.
    """
    found = Order.objects.annotate(day=Coalesce("paid_at", "ordered_at", "created_at"))
    found = found.filter(question.within("day"))
    if question.by and question.by != "shop":
        raise _not_by(question.by, ["shop"])
    refunds = _refunds_of_lines(found)
    sums: dict[str, _OrderSums] = defaultdict(_OrderSums)
    rows = found.order_by("pk").values_list(
        "pk", "shop__code", "paid_at", "paid_amount", "freight_refunded", "external_refunded"
    )
    goods = next(refunds, None)
    if not question.by:
        sums[""] = _OrderSums()
    for pk, shop, paid_at, paid, freight, external in rows.iterator(chunk_size=5000):
        refunded = freight + external
        while goods is not None and goods[0] <= pk:
            refunded += goods[1] if goods[0] == pk else ZERO
            goods = next(refunds, None)
        group = sums[shop if question.by else ""]
        group.add(paid if paid_at is not None else None, refunded, external)
    return [
        {**({question.by: name} if question.by else {}), **sums[name].as_row()}
        for name in sorted(sums)
    ]


def _refunds_of_lines(found: QuerySet[Order]) -> Iterator[tuple[int, Decimal]]:
    lines = OrderLine.objects.filter(order__in=found, refunded__gt=ZERO).order_by("order_id")
    sums = lines.values("order_id").annotate(goods=Sum("refunded"))
    return sums.values_list("order_id", "goods").iterator(chunk_size=5000)


@dataclass
class _OrderSums:
    orders: int = 0
    paid_orders: int = 0
    gross: Decimal = ZERO
    refunded: Decimal = ZERO
    full: int = 0
    part: int = 0
    external: Decimal = ZERO

    def add(self, paid: Decimal | None, refunded: Decimal, external: Decimal) -> None:
        """One order; ``paid``: None where it was never paid."""
        self.orders += 1
        self.refunded += refunded
        self.external += external
        if paid is not None:
            self.paid_orders += 1
            self.gross += paid
        if refunded > 0:
            is_full = refunded >= (paid or ZERO)
            self.full += is_full
            self.part += not is_full

    def as_row(self) -> Row:
        return {
            "orders": self.orders,
            "paid_orders": self.paid_orders,
            "unpaid_orders": self.orders - self.paid_orders,
            "gross_paid": f"{self.gross:.2f}",
            "refunded": f"{self.refunded:.2f}",
            "net_paid": f"{self.gross - self.refunded:.2f}",
            "refunded_full": self.full,
            "refunded_part": self.part,
            "external_refunds": f"{self.external:.2f}",
        }


def first_response(question: Question) -> list[Row]:
    """Hours from the application to the seller's first answer or contact by a person.

    Cases applied for in the period and answered; the first application counts, also where the
    buyer revised it.
    """
    answers = CaseEvent.objects.filter(case=OuterRef("pk"), verb__in=ANSWERS, user__isnull=False)
    cases = Case.objects.filter(question.within("applied_at")).annotate(
        answered=answers.values("case").annotate(first=Min("at")).values("first")[:1]
    )
    rows = _grouped(cases.filter(answered__isnull=False), question, "applied_at", "answered")
    return _times(question, ((group, ended - began) for group, began, ended in rows))


def handling_time(question: Question) -> list[Row]:
    """Hours of work on cases that finished in the period.

    Without return: applied → finished, a closed one to its first refusal. With return: applied →
    accepted, plus received → finished; the transport between is not ours.
    """
    refusals = CaseEvent.objects.filter(case=OuterRef("pk"), target="refused").exclude(
        source="refused"
    )
    cases = Case.objects.filter(question.within("finished_at"), state__in=TERMINAL).annotate(
        refused_first=refusals.values("case").annotate(first=Min("at")).values("first")[:1]
    )
    columns = ("remedy", "state", "applied_at", "accepted_at", "received_at", "finished_at")
    rows = _grouped(cases, question, *columns, "refused_first")
    return _times(question, ((row[0], _worked(*row[1:])) for row in rows))


def _worked(  # noqa: PLR0913, PLR0917 - the moments of one case
    remedy: str,
    state: str,
    applied: datetime,
    accepted: datetime | None,
    received: datetime | None,
    finished: datetime,
    refused: datetime | None,
) -> timedelta:
    if remedy in GOODS_REMEDIES and accepted is not None and received is not None:
        return (accepted - applied) + (finished - received)
    if state == "closed" and refused is not None:
        return refused - applied
    return finished - applied


def refund_rate(question: Question) -> list[Row]:
    """Refunded cases that finished in the period ÷ orders paid in the period.

    By shop and SKU over that shop's or SKU's orders, else over all of them.
    """
    cases = Case.objects.filter(question.within("finished_at"), refunded__gt=ZERO)
    return _rates(question, _counts(cases, question), _orders_paid(question))


def quality_refund_rate(question: Question) -> list[Row]:
    """As the refund rate, of cases whose reason counts for quality."""
    cases = Case.objects.filter(
        question.within("finished_at"), refunded__gt=ZERO, reason__counts_for_quality=True
    )
    return _rates(question, _counts(cases, question), _orders_paid(question))


def mediation_rate(question: Question) -> list[Row]:
    """Cases the platform stepped into ÷ cases, of those applied for in the period."""
    cases = Case.objects.filter(question.within("applied_at"))
    mediated = cases.filter(Exists(Mediation.objects.filter(case=OuterRef("pk"))))
    return _rates(question, _counts(mediated, question), _counts(cases, question))


def dispute_rate(question: Question) -> list[Row]:
    """Cases the platform ruled for the buyer ÷ cases, of those applied for in the period."""
    cases = Case.objects.filter(question.within("applied_at"))
    lost = Mediation.objects.filter(case=OuterRef("pk"), outcome="rule_for_buyer")
    return _rates(question, _counts(cases.filter(Exists(lost)), question), _counts(cases, question))


def self_settled(question: Question) -> list[Row]:
    """Cases that ended without the platform ÷ cases that ended in the period."""
    cases = Case.objects.filter(question.within("finished_at"), state__in=TERMINAL)
    alone = cases.exclude(ended_by="platform").exclude(
        Exists(Mediation.objects.filter(case=OuterRef("pk")))
    )
    return _rates(question, _counts(alone, question), _counts(cases, question))


def repair_share(question: Question) -> list[Row]:
    """Repairs ÷ (returns + exchanges + repairs), of cases completed in the period."""
    cases = Case.objects.filter(
        question.within("finished_at"), state="completed", remedy__in=GOODS_REMEDIES
    )
    repairs = cases.filter(remedy=Remedy.REPAIR)
    return _rates(question, _counts(repairs, question), _counts(cases, question))


def on_time(question: Question) -> list[Row]:
    """Steps taken before their deadline ÷ steps that had one, per step, by the day they were taken.

    What the clock did by itself counts as late: nobody acted in time.
    """
    events = CaseEvent.objects.filter(question.within("at"), due_before__isnull=False)
    events = events.exclude(source=F("target"))  # to assign or to extend is to settle nothing
    group = {name: f"case__{path}" for name, path in OF_CASE.items()}.get(question.by)
    columns = ["pk", "verb", "late", "user_id", "channel", *([group] if group else [])]
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    rows = events.order_by().values_list(*columns).distinct()
    for _pk, verb, late, user, channel, *rest in rows.iterator(chunk_size=5000):
        pair = sums[str(rest[0] or "") if rest else "", verb]
        pair[0] += not (late or (user is None and channel == "clock"))
        pair[1] += 1
    return [
        {**({question.by: name} if question.by else {}), "step": verb, **_rate(*pair)}
        for (name, verb), pair in sorted(sums.items())
    ]


def reconciliation(question: Question) -> list[Row]:
    """Open differences with the platform by shop and kind, of the days they were told.

    ``amount``: yuan by which refunds there and here are apart, summed without their signs.
    """
    if question.by and question.by != "shop":
        raise _not_by(question.by, ["shop"])
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    rows = PlatformRecord.objects.waiting().filter(question.within("told_at")).order_by()
    columns = ("shop__code", "difference", "refunded", "ours")
    for shop, kind, there, here in rows.values_list(*columns).iterator(chunk_size=5000):
        sums[shop, kind].append(abs((there or ZERO) - (here or ZERO)))
    return [
        {"shop": shop, "kind": kind, "count": len(found), "amount": str(sum(found, ZERO))}
        for (shop, kind), found in sorted(sums.items())
    ]


MEASURES: dict[str, Callable[[Question], list[Row]]] = {
    measure.__name__: measure
    for measure in (
        orders,
        first_response,
        handling_time,
        on_time,
        refund_rate,
        quality_refund_rate,
        mediation_rate,
        dispute_rate,
        self_settled,
        repair_share,
        reconciliation,
    )
}


def _grouped(cases: QuerySet[Any], question: Question, *columns: str) -> Iterator[tuple[Any, ...]]:
    """``(group, *columns)`` per case; a case of several SKUs once for each of them."""
    path = OF_CASE.get(question.by)
    names = [*columns, *([path] if path else [])]
    rows = cases.order_by().values_list("pk", *names).distinct()
    for row in rows.iterator(chunk_size=5000):
        group = str(row[-1] or "") if path else ""
        yield (group, *row[1 : 1 + len(columns)])


def _counts(cases: QuerySet[Any], question: Question) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for (group,) in _grouped(cases, question):
        counts[group] += 1
    return counts


def _orders_paid(question: Question) -> dict[str, int]:
    """Paid orders per group; one number for all groups where orders cannot be told apart by it."""
    found = Order.objects.filter(question.within("paid_at"), paid_at__isnull=False)
    path = OF_ORDER.get(question.by)
    if path is None:
        count = found.count()
        return defaultdict(lambda: count) if question.by else {"": count}
    counts: dict[str, int] = defaultdict(int)
    rows = found.order_by().annotate(group=F(path)).values_list("pk", "group").distinct()
    for _pk, group in rows.iterator(chunk_size=5000):
        counts[str(group or "")] += 1
    return counts


def _rates(question: Question, part: dict[str, int], whole: dict[str, int]) -> list[Row]:
    if not question.by:
        return [_rate(part.get("", 0), whole.get("", 0))]
    names = sorted({*part, *whole})
    return [{question.by: name, **_rate(part.get(name, 0), whole[name])} for name in names]


def _rate(part: int, whole: int) -> Row:
    rate = None if not whole else str(_places(Decimal(part) / whole, "0.0001"))
    return {"count": part, "of": whole, "rate": rate}


def _times(question: Question, spans: Iterable[tuple[str, timedelta]]) -> list[Row]:
    seconds: dict[str, list[float]] = defaultdict(list)
    for group, span in spans:
        seconds[group].append(span.total_seconds())
    if not question.by and not seconds:
        return [{"cases": 0, "mean_hours": None, "median_hours": None}]
    return [
        {
            **({question.by: group} if question.by else {}),
            "cases": len(values),
            "mean_hours": _hours(sum(values) / len(values)),
            "median_hours": _hours(median(values)),
        }
        for group, values in sorted(seconds.items())
    ]


def _hours(seconds: float) -> str:
    return str(_places(Decimal(round(seconds)) / 3600, "0.01"))


def _places(value: Decimal, places: str) -> Decimal:
    return value.quantize(Decimal(places), rounding=ROUND_HALF_UP)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZONE)


def _not_by(by: str, known: list[str]) -> Refused:
    return Refused(
        _("This report is not made by %(by)s. Known: %(known)s.")
        % {"by": by, "known": ", ".join(known)},
        "bad_value",
    )
