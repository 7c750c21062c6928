"""What promises do when a claim or a case moves; connected when the app is ready."""

from typing import Any

from django.dispatch import receiver

from cases import opening
from cases.changes import orders_changed
from cases.flow.door import Actor, Move, Refused
from cases.flow.signals import transitioned
from cases.models import Case, Kind, OrderLine, Reason
from cases.models.money import ZERO
from cases.opening import NewCase
from promises import payouts
from promises.breaches import finding
from promises.models import Claim, ClaimState, TopUpDuty
from promises.models.claim import UNDECIDED
from promises.models.deposit import DutyState
from promises.opening import begin
from promises.terms import BY_THE_CLOCK, Code


@receiver(transitioned, sender=Claim, dispatch_uid="promises.debts_oblige")
def debts_oblige(moves: list[Move], **_kwargs: Any) -> None:
    """A claim that the deposit does not cover makes the shop liable to top it up.

    One duty per shop: the deposit's row is locked by the claim's own step, so no second begins.
    """
    short = {
        m.subject.shop_id: m
        for m in reversed(moves)
        if m.subject.state == ClaimState.OWED and m.source != ClaimState.OWED
    }
    open_duties = TopUpDuty.objects.filter(shop_id__in=short).exclude(state=DutyState.MET)
    for shop_id in open_duties.values_list("shop_id", flat=True):
        short.pop(shop_id)
    for shop_id, move in sorted(short.items()):
        duty = TopUpDuty(shop_id=shop_id, notified_at=move.at)
        begin("open_duty", Actor.system(), duty, move.at)


@receiver(transitioned, sender=Claim, dispatch_uid="promises.payouts_follow_claims")
def payouts_follow_claims(moves: list[Move], **_kwargs: Any) -> None:
    """What a claim pays or takes back may be what the platform's sheet told of."""
    moved = {m.subject.order_id for m in moves if m.source != m.subject.state}
    payouts.look_again(moved)


@receiver(transitioned, sender=Case, dispatch_uid="promises.payouts_follow_goodwill")
def payouts_follow_goodwill(moves: list[Move], **_kwargs: Any) -> None:
    """The same for goodwill, which has no flow of its own."""
    if given := {m.subject.order_id for m in moves if m.step == "compensate"}:
        payouts.look_again(given)


@receiver(transitioned, sender=Claim, dispatch_uid="promises.breakage_opens_a_case")
def breakage_opens_a_case(moves: list[Move], **_kwargs: Any) -> None:
    """What arrived broken is sent again by a case; broken again, it comes back by one.

    The order is locked by the claim's own step. A case that cannot be opened stops the step, with
    the reason: nothing was promised but the resend.
    """
    for move in moves:
        claim = move.subject
        granted = move.source in UNDECIDED and claim.state in (ClaimState.PAID, ClaimState.OWED)
        if granted and claim.promise == Code.DAMAGE_RESEND and claim.case_id is None:
            Claim.objects.filter(pk=claim.pk).update(case=_open_case(move))


@receiver(transitioned, sender=Claim, dispatch_uid="promises.breaches_are_claimed")
def breaches_are_claimed(moves: list[Move], **_kwargs: Any) -> None:
    """A claim settles the breach it is for, whoever filed it."""
    fresh = [m.subject for m in moves if m.step == "file_claim"]
    by_the_clock = [claim for claim in fresh if claim.promise in BY_THE_CLOCK]
    if by_the_clock:
        finding.filed(by_the_clock)


@receiver(orders_changed, dispatch_uid="promises.look_at_orders")
def look_at_orders(order_ids: list[int], **_kwargs: Any) -> None:
    """What is new of an order may break a promise, or show that none was broken."""
    finding.watch(order_ids)


def _open_case(move: Move) -> Case:
    claim = move.subject
    line = OrderLine.objects.select_related("order__shop").get(pk=claim.order_line_id)
    open_on_it: Case | None = Case.objects.filter(lines__order_line=line, lines__open=True).first()
    if open_on_it is not None:
        return open_on_it
    entry = NewCase(
        line.order,
        Kind.RESEND if claim.remedy == "resend" else Kind.RETURN_REFUND,
        Reason.objects.get(code="damaged"),
        [(line.line_no, line.quantity_left)],
        # The price is the claim's to give back; by the case only the goods come.
        amount=ZERO,
        freight=ZERO,
        text=claim.text,
        applied_at=move.at,
    )
    (answer,) = opening.begin(move.actor, "open_case", [entry])
    if isinstance(answer, Refused):
        raise answer
    return answer
