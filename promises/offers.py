"""Claims that an order's lines could be filed for right now, with their amounts worked out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from cases.models import Order, OrderLine, Reason
from promises.duties import duties_of
from promises.facts import Carried, Entered, facts_of
from promises.models import Claim, Term, TopUpDuty
from promises.models.claim import STANDING, UNDECIDED, ClaimState
from promises.terms import TIMES, Code, Missing, NotEligible, compensation, eligibility

#: Promises that a reason leads to where its own row names none (domain.md 2.5 leaves it open).
USUAL = {
    "no_reason": Code.FREE_RETURN,
    "not_wanted": Code.FREE_RETURN,
    "wrong_purchase": Code.FREE_RETURN,
    "missing_parts": Code.DAMAGE_RESEND,
}


def promise_of(reason: Reason) -> str:
    """The promise a case of this reason may be claimed under; empty where there is none."""
    return reason.promise or str(USUAL.get(reason.code, ""))


@dataclass(frozen=True)
class Offer:
    """``amount`` (yuan) and ``working``: None where the amount must be agreed first."""

    line: OrderLine
    promise: str
    until: datetime | None
    remedy: str
    amount: Decimal | None
    working: dict[str, Any] | None


@dataclass(frozen=True)
class Known:
    """What the offers of an order and the rest of its page share, read once."""

    duties: list[TopUpDuty]
    claims: list[Claim]

    @classmethod
    def of(cls, order: Order) -> "Known":
        claims = order.claims.select_related("order_line").order_by("pk")
        return cls(duties_of(order.shop_id), list(claims))


def offers_on(
    order: Order,
    at: datetime,
    *,
    promises: Iterable[str],
    lines: QuerySet[OrderLine],
    known: Known,
) -> list[Offer]:
    """What verbs.file_claim would take of these lines of the order at ``at``.

    The same few statements however many lines there are.
    """
    wanted = list(promises)
    if not wanted or order.paid_at is None:
        return []
    carried = Carried.load(wanted, known.duties)
    rows = list(lines.order_by("line_no"))
    carrying = [(x, p, t) for x in rows for p in wanted if (t := carried.term(order, x, p))]
    if not carrying:
        return []
    has_payment = order.payments.exists()
    standing = _Claims(known.claims)
    offers = []
    for line, promise, term in carrying:
        if standing.stand_in_the_way(line, promise, term):
            continue
        entered = Entered(earlier=standing.granted[line.pk, promise])
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
    except (NotEligible, Missing):
        return None
    try:
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

    def __init__(self, claims: Iterable[Claim]) -> None:
        found = [claim for claim in claims if claim.state in STANDING]
        self.rows = [(claim.order_line_id, claim.promise, claim.state) for claim in found]
        self.granted = Counter((line, promise) for line, promise, _state in self.rows)

    def stand_in_the_way(self, line: OrderLine, promise: str, term: Term) -> bool:
        if term.once_per_order and any((x, p) != (line.pk, promise) for x, p, _s in self.rows):
            return True
        blocking = (*UNDECIDED, ClaimState.OWED) if promise in TIMES else STANDING
        return any((x, p) == (line.pk, promise) and s in blocking for x, p, s in self.rows)
