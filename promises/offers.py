"""Claims that an order's lines could be filed for right now, with their amounts worked out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cases.models import Order, OrderLine
from promises.facts import Carried, Entered, facts_of
from promises.models import Claim, Term
from promises.models.claim import STANDING, UNDECIDED, ClaimState
from promises.terms import TIMES, Missing, NotEligible, compensation, eligibility


@dataclass(frozen=True)
class Offer:
    """``amount`` (yuan) and ``working``: None where the amount must be agreed first."""

    line: OrderLine
    promise: str
    until: datetime | None
    remedy: str
    amount: Decimal | None
    working: dict[str, Any] | None


def offers_on(
    order: Order,
    at: datetime,
    *,
    promises: Iterable[str],
    lines: Iterable[int] | None = None,
) -> list[Offer]:
    """What verbs.file_claim would take at ``at``; ``lines``: only these numbers.

    The same few statements however many lines there are.
    """
    wanted = list(promises)
    if not wanted or order.paid_at is None:
        return []
    carried = Carried.load(wanted)
    rows = order.lines.order_by("line_no")
    found = list(rows if lines is None else rows.filter(line_no__in=list(lines)))
    carrying = [(x, p, t) for x in found for p in wanted if (t := carried.term(order, x, p))]
    if not carrying:
        return []
    has_payment, claims = order.payments.exists(), _Claims(order)
    offers = []
    for line, promise, term in carrying:
        if claims.stand_in_the_way(line, promise, term):
            continue
        entered = Entered(earlier=claims.granted[line.pk, promise])
        facts = facts_of(
            order, line, has_payment=has_payment, couriers=carried.couriers, entered=entered
        )
        offer = _offer(line, promise, carried.terms(term), facts, at)
        if offer is not None:
            offers.append(offer)
    return offers


def _offer(line: OrderLine, promise: str, terms: Any, facts: Any, at: datetime) -> Offer | None:
    try:
        verdict = eligibility(terms, facts, at)
        working = compensation(terms, facts)
    except NotEligible:
        return None
    except Missing as missing:
        # Only an amount can be entered in the form; every other fact must be known.
        if missing.fact != "amount":
            return None
        return Offer(line, promise, verdict.until, verdict.remedy, None, None)
    worked_out = working.as_dict()
    return Offer(line, promise, verdict.until, verdict.remedy, working.result, worked_out)


class _Claims:
    """The claims of the order as verbs.file_claim asks for them."""

    def __init__(self, order: Order) -> None:
        rows = Claim.objects.filter(order=order, state__in=[str(s) for s in STANDING])
        self.rows = list(rows.values_list("order_line_id", "promise", "state"))
        self.granted = Counter((line, promise) for line, promise, _state in self.rows)

    def stand_in_the_way(self, line: OrderLine, promise: str, term: Term) -> bool:
        if term.once_per_order and any((x, p) != (line.pk, promise) for x, p, _s in self.rows):
            return True
        blocking = (*UNDECIDED, ClaimState.OWED) if promise in TIMES else STANDING
        return any((x, p) == (line.pk, promise) and s in blocking for x, p, s in self.rows)
