"""Who may decide how much alone, and when another person has to agree."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.utils.translation import gettext as _

from cases.amounts import FLOW
from cases.flow.door import Actor, Move
from cases.flow.hooks import guard
from cases.models import (
    Approval,
    Case,
    CaseEvent,
    Compensation,
    RoleLimit,
    State,
)
from cases.models.kinds import MONEY_REMEDIES
from cases.models.money import ZERO
from cases.models.shops import roles_of

#: Steps by which a person settles an amount; above his limit it waits for another.
SETTLING = (
    "accept",
    "intercept_succeed",
    "pass_inspection",
    "record_diagnosis",
    "agree_proposal",
    "convert",
    "rule_for_buyer",
    "rule_split",
)


def limits() -> dict[str, RoleLimit]:
    return {row.role: row for row in RoleLimit.objects.all()}


def highest(actor: Actor, name: str, table: dict[str, RoleLimit]) -> Decimal | None:
    """The largest amount the actor's roles allow, None for any; a role without a row: nothing."""
    roles = roles_of(actor.user) if actor.user else ()
    amounts = [getattr(table[r], name) for r in roles if r in table]
    return None if None in amounts else max(amounts, default=ZERO)


@guard(FLOW, *SETTLING)
def within_limit(moves: list[Move]) -> None:
    """How many other people must agree to the amount: 0, 1, or 2 above the supervisor's limit."""
    asked = [
        m  # else it is the platform's or the buyer's fact; nobody of ours decided it
        for m in moves
        if m.actor.user is not None and m.facts["amount"] + m.facts["freight"] > m.subject.cleared
    ]
    table = limits() if asked else {}
    spent = ZERO  # by this very batch: its rows are not written yet
    for move in asked:
        total = move.facts["amount"] + move.facts["freight"]
        act, day = (highest(move.actor, n, table) for n in ("refund_act", "refund_day"))
        fits_act = act is None or total <= act
        if fits_act and (day is None or spent + _decided_today(move) + total <= day):
            spent += total
        else:
            move.facts["approvals"] = _approvals(move.actor, total, table)


def _approvals(actor: Actor, total: Decimal, table: dict[str, RoleLimit]) -> int:
    """One more person; above the supervisor's own limit two supervisors in all."""
    top = highest_of("supervisor", table)
    supervisor = actor.user is not None and "supervisor" in roles_of(actor.user)
    return 2 if top is not None and total > top and not supervisor else 1


def highest_of(role: str, table: dict[str, RoleLimit]) -> Decimal | None:
    return table[role].refund_act if role in table else None


def _decided_today(move: Move) -> Decimal:
    """What the actor settled alone since midnight, beside this case."""
    settled = CaseEvent.objects.filter(
        user=move.actor.user, verb__in=SETTLING, at__gte=_midnight(move.at), at__lte=move.at
    )
    today = (
        Case.objects.filter(entered_by=move.actor.user, pk__in=settled.values("case_id"))
        .exclude(pk=move.subject.pk)
        .exclude(state=State.AWAITING_APPROVAL)
        .exclude(pk__in=Approval.objects.filter(granted=True).values("case_id"))
    )
    sums = today.aggregate(
        goods=Sum("amount_approved", default=ZERO), freight=Sum("freight_approved", default=ZERO)
    )
    return Decimal(sums["goods"] + sums["freight"])


def _midnight(at: datetime) -> datetime:
    local = at.astimezone(ZoneInfo("Asia/Shanghai"))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


@guard(FLOW, "accept_by_silence")
def silence_above_the_leads_limit(moves: list[Move]) -> None:
    """Accepting by silence is not held for approval, but a supervisor is told of large amounts."""
    money = [m for m in moves if m.subject.remedy in MONEY_REMEDIES]
    if not money:
        return
    lead = RoleLimit.objects.filter(role="lead").first()
    if lead is None or lead.refund_act is None:
        return
    for move in money:
        if move.facts["amount"] + move.facts["freight"] > lead.refund_act:
            move.facts["escalate"] = True


@guard(FLOW, "approve", "send_back")
def another_person(moves: list[Move]) -> None:
    """Nobody approves what he entered or changed, nor twice the same amount."""
    for move in moves:
        user = move.actor.user
        if user is None:
            continue
        before = Approval.objects.filter(case_id=move.subject.pk, granted=True).order_by("-id")
        earlier = list(before.values_list("by_id", flat=True)[: move.subject.approvals])
        if move.subject.entered_by_id == user.pk or user.pk in earlier:
            move.refuse(
                "same_person",
                _("You entered or approved this amount yourself. Another supervisor must decide."),
            )


@guard(FLOW, "compensate")
def compensation_within_limit(moves: list[Move]) -> None:
    table = limits()
    spent = ZERO  # by this very batch: its rows are not written yet
    for move in [m for m in moves if not m.dry]:
        amount = move.inputs["amount"]
        if amount <= 0:
            move.refuse("bad_value", _("An amount must be above ¥0.00."))
        elif move.actor.user is not None and _may_give(move, amount, spent, table):
            spent += amount


def _may_give(move: Move, amount: Decimal, spent: Decimal, table: dict[str, RoleLimit]) -> bool:
    limit = highest(move.actor, "compensation_act", table)
    if limit is not None and amount > limit:
        move.refuse(
            "needs_approval",
            _(
                "¥%(amount)s is above your limit of ¥%(limit)s for a compensation. "
                "Ask a lead or supervisor to grant it."
            )
            % {"amount": amount, "limit": limit},
            limit=str(limit),
        )
        return False
    day = highest(move.actor, "compensation_day", table)
    if day is None:
        return True
    today = Compensation.objects.filter(
        by=move.actor.user, at__gte=_midnight(move.at), at__lte=move.at
    )
    given = spent + today.aggregate(sum=Sum("amount", default=ZERO))["sum"]
    if given + amount > day:
        move.refuse(
            "needs_approval",
            _("You gave ¥%(given)s today; your limit per day is ¥%(limit)s.")
            % {"given": given, "limit": day},
        )
    return bool(given + amount <= day)
