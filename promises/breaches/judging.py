"""Which promises of an order the timestamps break as of now, and what is owed; writes nothing.

A fact that is not there makes an exception that names it: neither zero nor the floor is invented.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q

from cases.models import Order, OrderLine, OrderStatus, Payment
from promises.facts import Carried, facts_of
from promises.models import Term
from promises.terms import BY_THE_CLOCK, Facts, Missing, compensation, end_of, standing

#: The promises broken by the clock, in one order everywhere.
PROMISES = tuple(sorted(str(code) for code in BY_THE_CLOCK))
#: The first moment after a deadline, as fine as databases keep time.
TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Finding:
    """One promise of one line that is broken (``since``), or cannot be judged (``missing``).

    ``amount`` (yuan) and ``working`` stand where the amount can be worked out; ``until``: the
    first moment too late to claim.
    """

    order: Order
    line: OrderLine
    promise: str
    term: Term
    since: datetime | None = None
    until: datetime | None = None
    amount: Decimal | None = None
    working: dict[str, Any] | None = None
    missing: str = ""


@dataclass
class Look:
    """What was found on one order; ``again_at``: when it may stand otherwise by itself."""

    order: Order
    findings: list[Finding] = field(default_factory=list)
    again_at: datetime | None = None

    def look_again(self, moment: datetime | None, at: datetime) -> None:
        if moment is not None and moment > at:
            self.again_at = min(moment, self.again_at or moment)


def carrying() -> Q:
    """Lines whose sheet names one of these promises; a word within a word does no harm here."""
    found = Q()
    for promise in PROMISES:
        found |= Q(promises__contains=promise)
    return found


def shops_promising_all(carried: Carried) -> bool:
    """Whether some terms are carried by every line, whatever its sheet says."""
    return any(t.offer == Term.Offer.ALL for t in carried.book.rows)


@dataclass
class Judge:
    """Looks at orders by the thousand: terms once, lines and payments once per batch."""

    carried: Carried

    @classmethod
    def load(cls) -> "Judge":
        return cls(Carried.load(PROMISES))

    def look(self, orders: list[Order], at: datetime) -> Iterator[Look]:
        """What stands at ``at``; ``orders`` come with their shops (three statements)."""
        pks = [order.pk for order in orders]
        rows = OrderLine.objects.filter(order_id__in=pks).order_by("order_id", "line_no")
        if not shops_promising_all(self.carried):
            rows = rows.filter(carrying())
        lines = defaultdict(list)
        for line in rows.defer("extra", "serials"):
            lines[line.order_id].append(line)
        paid = set(Payment.objects.filter(order_id__in=pks).values_list("order_id", flat=True))
        for order in orders:
            found = Look(order)
            for line in lines.get(order.pk, ()):
                self._line(found, line, at, has_payment=order.pk in paid)
            yield found

    def _line(self, found: Look, line: OrderLine, at: datetime, *, has_payment: bool) -> None:
        facts: Facts | None = None
        for promise in PROMISES:
            term = self.carried.term(found.order, line, promise)
            if term is None:
                continue
            if facts is None:
                couriers = self.carried.couriers
                facts = facts_of(found.order, line, has_payment=has_payment, couriers=couriers)
            if (finding := self._finding(found, line, term, facts, at)) is not None:
                found.findings.append(finding)

    def _finding(
        self, found: Look, line: OrderLine, term: Term, facts: Facts, at: datetime
    ) -> Finding | None:
        about = (found.order, line, str(term.promise), term)
        terms = self.carried.terms(term)
        try:
            stands = standing(terms, facts, at)
        except Missing as missing:
            return Finding(*about, missing=missing.fact) if _is_under_way(found.order) else None
        if stands.since is None:
            if stands.is_open and stands.deadline is not None:
                found.look_again(stands.deadline + TICK, at)
            return None
        missing_fact, amount, working, until = "", None, None, None
        try:
            until = end_of(terms, facts)
        except Missing as missing:
            missing_fact = missing.fact
        try:
            worked_out = compensation(terms, facts)
            amount, working = worked_out.result, worked_out.as_dict()
        except Missing as missing:
            missing_fact = missing.fact
        found.look_again(until, at)
        return Finding(*about, stands.since, until, amount, working, missing_fact)


def _is_under_way(order: Order) -> bool:
    """Whether anything is owed at all: an order nobody paid and nobody sent lacks nothing."""
    if order.shipped_at is not None or order.waybill:
        return True
    if order.paid_at is None:
        return order.status not in {OrderStatus.UNPAID, OrderStatus.CLOSED}
    return True


def with_shops(pks: Iterable[int]) -> list[Order]:
    """The orders with their shops, without what no promise asks for."""
    rows = Order.objects.filter(pk__in=list(pks)).select_related("shop").order_by("pk")
    return list(rows.defer("extra", "address", "receiver", "phone", "buyer"))
