"""What is known of order lines and which promises they carry; read once for many orders."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from cases.models import Order, OrderLine, OrderStatus
from promises.couriers import Couriers
from promises.duties import was_suspended_at
from promises.models import Term, TopUpDuty
from promises.models.terms import TermBook
from promises.terms import Facts, Terms

_SHIPPED = frozenset({OrderStatus.SHIPPED, OrderStatus.SIGNED, OrderStatus.FINISHED})
_SIGNED = frozenset({OrderStatus.SIGNED, OrderStatus.FINISHED})
_zone = cache(ZoneInfo)


@dataclass(frozen=True)
class Entered:
    """What somebody enters to file a claim, in yuan, and how often the line was granted one."""

    given: Decimal | None = None
    freight_out: Decimal | None = None
    freight_back: Decimal | None = None
    earlier: int = 0


NOTHING = Entered()


def facts_of(
    order: Order,
    line: OrderLine,
    *,
    has_payment: bool,
    couriers: Couriers,
    entered: Entered = NOTHING,
) -> Facts:
    """What is known of a line; ``order.shop`` gives the zone."""
    named = order.named_courier
    return Facts(
        paid=line.paid_amount if has_payment else None,
        paid_at=order.paid_at,
        ship_by=line.ship_by or order.ship_by,
        shipped_at=order.shipped_at,
        promised_arrival=order.promised_arrival,
        signed_at=order.signed_at,
        finished_at=order.finished_at,
        left=order.status in _SHIPPED or bool(order.waybill),
        arrived=order.status in _SIGNED,
        done=order.status == OrderStatus.FINISHED,
        closed=order.status == OrderStatus.CLOSED,
        courier=couriers.one_name(order.courier) if named else order.courier,
        named_courier=couriers.one_name(named) if named else "",
        shipped_free=order.shipped_free,
        freight_out=entered.freight_out,
        freight_back=entered.freight_back,
        earlier=entered.earlier,
        given=entered.given,
        zone=_zone(order.shop.zone),
    )


@dataclass
class Carried:
    """Which lines carry which promises, under which terms; read once for a whole run."""

    book: TermBook
    #: Duties to top up by shop: while one suspended the promises, nothing carried any.
    duties: dict[int, list[TopUpDuty]]
    couriers: Couriers = field(default_factory=Couriers)
    _rows: dict[tuple[str, int], list[Term]] = field(default_factory=dict)
    _terms: dict[int, Terms] = field(default_factory=dict)

    @classmethod
    def load(
        cls, promises: Iterable[str] = (), duties: Iterable[TopUpDuty] | None = None
    ) -> "Carried":
        """``duties``: those of the shops in question, where they are known already."""
        rows = TopUpDuty.objects.filter(suspended_at__isnull=False) if duties is None else duties
        by_shop = defaultdict(list)
        for duty in rows:
            by_shop[duty.shop_id].append(duty)
        return cls(TermBook.load(promises), dict(by_shop))

    def term(self, order: Order, line: OrderLine, promise: str) -> Term | None:
        """The terms under which the line carries the promise: those in force when it was paid.

        Where nobody knows when that was, those of the day it was placed.
        """
        at = order.paid_at or order.ordered_at or order.created_at
        for term in self._of_shop(promise, order):
            if term.holds_at(at):
                carried = term.is_offered_on(line) and not self.is_suspended(order)
                return term if carried else None
        return None

    def is_suspended(self, order: Order) -> bool:
        """Whether it was paid for while an unmet duty to top up had suspended the promises."""
        duties = self.duties.get(order.shop_id)
        return bool(duties and order.paid_at and was_suspended_at(duties, order.paid_at))

    def terms(self, term: Term) -> Terms:
        if term.pk not in self._terms:
            self._terms[term.pk] = term.as_terms()
        return self._terms[term.pk]

    def _of_shop(self, promise: str, order: Order) -> list[Term]:
        """The shop's own rows first, then its platform's, then everybody's."""
        key = (promise, order.shop_id)
        if key not in self._rows:
            self._rows[key] = self.book.rows_for(promise, order.shop)
        return self._rows[key]
