"""What the steps of a claim write beside its own row: entries of the ledger, and notices."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import Q

from cases.flow.door import Move
from cases.flow.hooks import effect
from cases.models.money import ZERO
from promises import ledger
from promises.guards import FLOW
from promises.ledger import Movement
from promises.models import Claim, Deposit, Entry, ShopNotice

DUTY = "promises.TopUpDuty"


@effect(FLOW, "adjudicate")
def hold(moves: list[Move]) -> None:
    """The deposit holds what is there of the amount."""
    _post(moves, ledger.freeze, lambda m: m.facts["freeze"])


@effect(FLOW, "dismiss", "withdraw")
def let_go(moves: list[Move]) -> None:
    """What was held is free again."""
    _post(moves, ledger.release, lambda m: m.before["frozen"])


@effect(FLOW, "accept", "uphold")
def pay_out(moves: list[Move]) -> None:
    """What was held beyond the due is released, then the claim is paid as covered."""
    _post(moves, ledger.release, lambda m: m.before["frozen"] - m.facts["cover"].from_frozen)
    ledger.post(
        [
            ledger.pay(_deposit(m), m.facts["cover"], **_about(m, "pay"))
            for m in moves
            if m.facts["cover"].due
        ]
    )


@effect(FLOW, "settle")
def pay_the_debt(moves: list[Move]) -> None:
    """Several top-ups may pay one debt, each once."""
    ledger.post(
        [
            ledger.settle(_deposit(m), m.inputs["amount"], **_about(m, f"settle/{m.subject.seq}"))
            for m in moves
        ]
    )


@effect(FLOW, "reverse")
def bring_back(moves: list[Move]) -> None:
    """A counter-entry for each entry that paid something out; it names what it reverses."""
    paying = Q(kind__in=[Entry.Kind.PAY, Entry.Kind.SETTLE], to_paid__gt=ZERO)
    found = Entry.objects.filter(paying, claim_id__in=[m.pk for m in moves]).order_by("seq")
    of_claim: dict[int | None, list[Entry]] = {}
    for entry in found:
        of_claim.setdefault(entry.claim_id, []).append(entry)
    ledger.post(
        [
            ledger.reverse(
                _deposit(m),
                entry.to_paid,
                reverses_id=entry.pk,
                **_about(m, f"reverse/{entry.seq}"),
            )
            for m in moves
            for entry in of_claim.get(m.pk, ())
        ]
    )


@effect(FLOW, "escalate")
def tell_the_supervisor(moves: list[Move]) -> None:
    """A claim that nobody decided in time."""
    ShopNotice.objects.bulk_create(
        ShopNotice(
            shop_id=m.subject.shop_id,
            claim=m.subject,
            kind=ShopNotice.Kind.ESCALATION,
            at=m.at,
            due_at=m.subject.due_at,
        )
        for m in moves
    )


@effect(DUTY, "open_duty", "suspend", "block", "meet")
def tell_the_shop(moves: list[Move]) -> None:
    """Each stage of a duty to top up."""
    ShopNotice.objects.bulk_create(
        ShopNotice(
            shop_id=m.subject.shop_id,
            duty=m.subject,
            kind=ShopNotice.Kind.DUTY,
            at=m.at,
            due_at=m.subject.due_at,
        )
        for m in moves
    )


def _post(
    moves: list[Move],
    draft: Callable[..., Movement],
    amount_of: Callable[[Move], Decimal],
) -> None:
    """One movement per claim, where there is anything to move."""
    amounts = [(m, amount_of(m)) for m in moves]
    drafted = [
        draft(_deposit(m), amount, **_about(m, draft.__name__)) for m, amount in amounts if amount
    ]
    ledger.post(drafted)


def _deposit(move: Move) -> Deposit:
    found: Deposit = move.shared["deposits"].deposits[move.subject.shop_id]
    return found


def _about(move: Move, what: str) -> dict[str, Any]:
    """What every entry of a claim says: a claim freezes, pays, releases, … once."""
    claim: Claim = move.subject
    user = move.actor.user
    return {
        "key": f"{claim.claim_no}/{what}",
        "at": move.at,
        "claim_id": claim.pk,
        "by_id": user.pk if user else None,
    }
