"""What the rows of a platform's sheet say, put down as the platform's word whatever we make of it.

A row that our case could not follow is kept as well: that is where the two differ.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cases.differences import Figure, Telling
from cases.models import Case, Order, OrderLine, PlatformRecord
from cases.sheets.facts import CaseFacts, OrderFacts
from cases.sheets.loading.casebook import Bundle, CaseBook, summed
from cases.sheets.loading.merging import reported_by
from cases.sheets.loading.outcomes import Impossible, Outcome


@dataclass
class Spoken:
    """The rows of one application whose order we know, and what became of them."""

    bundle: Bundle
    order: Order
    done: Outcome
    case: Case | None = None


def tellings(spoken: Iterable[Spoken], book: CaseBook, source: str, now: datetime) -> list[Telling]:
    """One per application that has a number on the platform."""
    return [
        Telling(
            _record(one, book, source, now),
            one.case.moved_at if one.case else None,
            older=one.done.what == "skipped",
        )
        for one in spoken
        if 0 < len(one.bundle.facts.platform_case_no) <= 64
    ]


def _record(one: Spoken, book: CaseBook, source: str, now: datetime) -> PlatformRecord:
    facts, parts = one.bundle.facts, one.bundle.parts
    return PlatformRecord(
        shop_id=one.order.shop_id,
        order_id=one.order.pk,
        line=_line(facts, one.order, book),
        case=one.case,
        number=facts.platform_case_no,
        kind=facts.kind or "",
        reason=facts.reason or "",
        quantity=facts.quantity,
        word=facts.state_word[:100],
        state=facts.state or "",
        outcome=facts.outcome or "",
        requested=summed(part.amount for part in parts),
        freight=facts.freight,
        refunded=summed(part.refunded_amount for part in parts),
        applied_at=facts.applied_at,
        ended_at=facts.seen_at if facts.outcome else None,
        told_at=facts.seen_at or facts.applied_at or now,
        source=source,
    )


def _line(facts: CaseFacts, order: Order, book: CaseBook) -> OrderLine | None:
    try:
        return book.line_of(facts, order)
    except Impossible:
        return None


def figure_of(facts: OrderFacts, shop_id: int) -> Figure | None:
    """What the row says was refunded of the order; None where it does not say."""
    amount = reported_by(facts)
    if amount is None:
        return None
    times = (facts.paid_at, facts.shipped_at, facts.signed_at, facts.finished_at)
    return Figure(shop_id, amount, max((t for t in times if t is not None), default=None))
