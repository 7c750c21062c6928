"""How a difference between the platform's payouts and us is settled: adopted, linked, put aside.

What is adopted goes the usual ways: a claim by its steps, goodwill by the case's. The payout is
looked at again under its lock, after those of cases, orders, claims: of two who press one is told.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from cases.flow import clock
from cases.flow.door import Actor, NotPermitted, Refused, once_more, perform
from cases.models import Case, Compensation, Order
from cases.models.shops import shop_ids_of
from promises.models import Claim, ClaimState, Payout, PayoutDifference, PayoutNote
from promises.models.claim import UNDECIDED
from promises.payouts import Paid, amount_of, judge, link, linked, paid_on
from promises.sheets.claims import way_to

Way = PayoutNote.Way
PERMISSION: Final = "promises.settle_payout"


@dataclass
class Matter:
    """A payout with what it may pay on its order. ``claim``, ``case``: what adopting would move."""

    payout: Payout
    claim: Claim | None = None
    case: Case | None = None
    choices: list[Paid] = field(default_factory=list)

    @property
    def steps(self) -> list[str]:
        """The steps of the claim by which the platform's outcome is adopted."""
        if self.claim is None:
            return []
        return way_to(str(self.claim.state), str(ClaimState.PAID)) or []


def matter_of(payout: Payout) -> Matter:
    """What belongs to the payout, without locks; for pages."""
    if payout.order_id is None:
        return Matter(payout)
    undecided = Claim.objects.filter(
        order_id=payout.order_id, state__in=[str(s) for s in UNDECIDED]
    ).order_by("filed_at", "pk")
    claims = list(undecided)
    same = [claim for claim in claims if claim.amount == payout.amount]
    claim = same[0] if same else (claims[0] if len(claims) == 1 else None)
    case = Case.objects.filter(order_id=payout.order_id).order_by("-pk").first()
    return Matter(payout, claim, case, paid_on(payout.order_id))


def ways_of(actor: Actor, matter: Matter) -> list[str]:
    """The ways open to this person; what there is nothing to settle in has none."""
    row = matter.payout
    if not row.open or actor.user is None or not actor.user.has_perm(PERMISSION):
        return []
    ways = [str(Way.NOTE)]
    if row.number and matter.choices and row.difference != PayoutDifference.NOT_THERE:
        ways.insert(0, str(Way.LINK))
    can_move = matter.case is not None or (matter.claim and matter.claim.amount == row.amount)
    if row.difference == PayoutDifference.NOT_HERE and can_move and linked(row) is None:
        ways.insert(0, str(Way.ADOPT))
    return ways


def settle(actor: Actor, pk: int, way: str, *, text: str = "", paid: Paid | None = None) -> None:
    """Settle one difference; Refused where it cannot be, or somebody was faster.

    ``paid``: the claim or compensation it is linked to. ``text``: why, where amounts differ.
    """
    if actor.user is None or not actor.user.has_perm(PERMISSION):
        raise NotPermitted(_("You may not settle payouts. Ask a lead or finance."))

    def unit(_nothing: None) -> None:
        with transaction.atomic():
            _settle(actor, _locked(actor, pk), way, text, paid)

    once_more(unit, None)


def _locked(actor: Actor, pk: int) -> Payout:
    """Cases, the order and its claims first, as everywhere; then the payout."""
    found = Payout.objects.filter(pk=pk)
    ids = shop_ids_of(actor.user) if actor.user else None
    if ids is not None:
        found = found.filter(shop_id__in=ids)
    seen = found.first()
    if seen is None:
        raise Refused(_("There is no such payout."), "unknown")
    if seen.order_id:
        cases = Case.objects.filter(order_id=seen.order_id)
        list(cases.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
        list(Order.objects.select_for_update(of=("self",)).filter(pk=seen.order_id))
        claims = Claim.objects.filter(order_id=seen.order_id).order_by("pk")
        Claim.locked(list(claims.values_list("pk", flat=True)))
    beside = ("order", "claim", "compensation", "shop")
    rows = Payout.objects.select_for_update(of=("self",)).select_related(*beside)
    return rows.get(pk=pk)


def _settle(actor: Actor, row: Payout, way: str, text: str, paid: Paid | None) -> None:
    matter = matter_of(row)
    if way not in ways_of(actor, matter):
        raise Refused(
            _("Someone has settled it meanwhile, or it is not settled this way. Look again."),
            "stale",
        )
    note = PayoutNote(
        payout=row,
        way=way,
        difference=row.difference,
        theirs=row.amount,
        ours=row.ours,
        text=text,
        by=actor.user,
        at=clock.now(),
    )
    if way == Way.NOTE:
        _need(text)
        row.explained = True
        row.open = False
        row.save(update_fields=["explained", "open"])
    elif way == Way.LINK:
        _link(matter, paid, text)
    else:
        _adopt(actor, matter, text)
    note.save()


def _need(text: str) -> None:
    if not text.strip():
        raise Refused(_("Say why, so that the next one need not ask."), "reason_required")


def _link(matter: Matter, paid: Paid | None, text: str) -> None:
    row = matter.payout
    if paid is None or paid not in matter.choices:
        raise Refused(
            _("Choose what it pays among the claims and goodwill of the order."), "unknown"
        )
    if amount_of(paid) != row.amount:
        _need(text)
    alone = Payout.objects.filter(number="", explained=False)
    alone.filter(**{_field_of(paid): paid.pk}).delete()
    link(row, paid)
    judge(row)
    # The amounts were looked at by a person, who has said why.
    row.explained, row.open = bool(row.difference), False
    row.save()


def _field_of(paid: Paid) -> str:
    return "claim" if isinstance(paid, Claim) else "compensation"


def _adopt(actor: Actor, matter: Matter, text: str) -> None:
    """The claim takes the steps that pay it, or the order's last case gets it as goodwill.

    The link is made by the followers of claims and cases, as for any payment.
    """
    row = matter.payout
    words = text or _("as the platform paid under %(no)s") % {"no": row.number}
    if matter.claim is not None and matter.claim.amount == row.amount:
        claim = matter.claim
        for name in matter.steps:
            more: dict[str, Any] = {"report": row.number} if name == "uphold" else {}
            key = f"payout:{row.number}:{name}"
            claim = perform(actor, claim, getattr(Claim, name), key=key, text=words, **more)
    elif matter.case is not None:
        perform(
            actor,
            matter.case,
            Case.compensate,
            key=f"payout:{row.number}",
            kind=str(Compensation.Kind.CASH),
            amount=row.amount,
            text=words,
        )
    row.refresh_from_db()
    if row.open:
        raise Refused(
            _("What was paid does not equal the payout; link it, or put it aside with the reason."),
            "amount_exceeded",
        )


def choice_of(matter: Matter, word: str) -> Paid | None:
    """``claim:pk`` or ``compensation:pk`` among what the payout may pay."""
    return next((paid for paid in matter.choices if word_of(paid) == word), None)


def word_of(paid: Paid) -> str:
    """How a form names it."""
    return f"{_field_of(paid)}:{paid.pk}"
