"""What a step will do, told before the button: money with its limits, the next state and clock."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from cases.flow import clock, hooks
from cases.flow.door import Actor, Move, NotPermitted, Refused
from cases.flow.states import ROLES, StepInfo
from cases.looks import SIDES, STATES, yuan_text
from cases.models import Case, Goods, Order, Remedy, Role, RoleLimit, State
from cases.models.clocks import TURN, PolicyBook
from cases.models.kinds import MONEY_REMEDIES, TERMINAL
from cases.models.money import ZERO
from cases.models.policy import ClockPolicy
from cases.models.shops import roles_of

#: What a dry question lacks is no obstacle: the form asks for it.
MISSING_INPUT = frozenset({"reason_required", "bad_value", "evidence_required"})
#: Steps after which money is asked for, promised or out.
MONEY_STEPS = frozenset(
    {
        "accept",
        "approve",
        "propose",
        "agree_proposal",
        "convert",
        "revise",
        "intercept_succeed",
        "pass_inspection",
        "record_diagnosis",
        "rule_for_buyer",
        "rule_split",
        "pay",
        "fail_payout",
        "record_platform_outcome",
        "compensate",
    }
)


def why_not(actor: Actor, case: Case, info: StepInfo) -> Refused | None:
    """Why this step is not open to this person now, in words; None where it is."""
    if not actor.may(Case, info):
        names = dict(Role.choices)
        roles = [str(names[ROLES[x]]) for x in sorted(info.by) if ROLES[x] in names]
        return NotPermitted(
            _("“%(step)s” is not among your duties. Ask someone of: %(roles)s.")
            % {"step": info.label, "roles": "、".join(roles) or "–"}
        )
    if case.state not in info.sources:
        sources = "、".join(str(STATES[s]) for s in info.sources[:8])
        return Refused(
            _("The case is “%(state)s”; “%(step)s” is possible in: %(states)s.")
            % {"state": STATES[str(case.state)], "step": info.label, "states": sources}
        )
    for condition in info.conditions:
        if not condition(case):
            return Refused(getattr(condition, "message", _("This step is not open here.")))
    return _asked_of_hooks(actor, case, info)


def _asked_of_hooks(actor: Actor, case: Case, info: StepInfo) -> Refused | None:
    label = Case.flow_label()
    for blocker in hooks.blockers_of(label, info.name):
        stops = blocker([case])
        if case.pk in stops:
            return Refused(stops[case.pk], "blocked")
    move = Move(case, info, actor, clock.now(), source=str(case.state), pk=case.pk, dry=True)
    for guard in hooks.guards_of(label, info.name):
        guard([move])
        if move.refusal is not None:
            return None if move.refusal.code in MISSING_INPUT else move.refusal
    return None


@dataclass(frozen=True)
class Row:
    """One line of the box beside the button."""

    name: str | Promise
    value: str
    tone: str = ""


def money_rows(case: Case, lines: list[Any], user: Any) -> list[Row]:
    """Paid, refunded, left, and what this person may decide alone; ``lines`` with order lines."""
    order: Order = case.order
    paid = sum((x.order_line.paid_amount for x in lines), ZERO)
    refunded = sum((x.order_line.refunded for x in lines), ZERO)
    left = sum((x.order_line.refundable + x.reserved for x in lines), ZERO)
    freight_left = order.freight_paid - order.freight_refunded - order.freight_reserved
    freight_left += case.freight_reserved
    rows = [
        Row(_("Paid for these lines"), yuan_text(paid)),
        Row(_("Refunded on them so far"), yuan_text(refunded)),
        Row(_("Can still be refunded"), yuan_text(left), "strong"),
        Row(_("Freight that can still be refunded"), yuan_text(freight_left)),
        Row(_("Asked for"), yuan_text(case.amount_requested + case.freight_requested)),
    ]
    if case.amount_approved is not None:
        rows.append(Row(_("Agreed"), yuan_text(case.total_approved), "strong"))
    if order.external_refunded:
        rows.append(
            Row(_("Refunded elsewhere, by the report"), yuan_text(order.external_refunded), "late")
        )
    limit = refund_limit(user)
    if limit is not None:
        rows.append(Row(_("You decide alone up to"), yuan_text(limit)))
    return rows


def refund_limit(user: Any) -> Decimal | None:
    """The highest refund per act of the person's roles; None where a role has no limit."""
    rows = RoleLimit.objects.filter(role__in=roles_of(user)).values_list("refund_act", flat=True)
    limits = list(rows)
    if not limits or any(limit is None for limit in limits):
        return None
    highest: Decimal = max(limit for limit in limits if limit is not None)
    return highest


def likely_targets(case: Case, info: StepInfo, limit: Decimal | None) -> list[str]:
    """Where the step may lead, as far as the case says it already; ``limit``: decided alone."""
    back = {
        "cancel_mediation": case.mediated_from,
        "send_back": case.approval_from,
        "decline_proposal": case.proposed_from,
        "approve": case.going_to if case.approvals + 1 >= case.approvals_needed else "",
    }.get(info.name)
    if back:
        return [back]
    targets = _fitting(case, info)
    if State.REFUNDING in targets and State.AWAITING_APPROVAL in targets:
        asked = case.total_approved or case.amount_requested + case.freight_requested
        unfit = State.REFUNDING if limit is not None and asked > limit else State.AWAITING_APPROVAL
        targets = [t for t in targets if t != unfit]
    return targets


def _fitting(case: Case, info: StepInfo) -> list[str]:
    """The declared targets that the remedy and the place of the goods leave open."""
    targets = [str(t) for t in info.targets]
    if info.name in ("convert", "agree_proposal") or len(targets) < 2:
        return targets
    with_us = case.goods == Goods.RETURNED
    onward: dict[str, set[str]] = {
        Remedy.REFUND: {State.REFUNDING},
        Remedy.RETURN_REFUND: {State.REFUNDING if with_us else State.AWAITING_RETURN},
        Remedy.EXCHANGE: {
            (State.AWAITING_RECEIPT if case.ahead else State.AWAITING_DISPATCH)
            if with_us
            else State.AWAITING_RETURN
        },
        Remedy.REPAIR: {State.REPAIRING if with_us else State.AWAITING_RETURN},
        Remedy.RESEND: {State.AWAITING_DISPATCH},
    }
    ways = {str(state) for state in onward[str(case.remedy)]}
    if case.remedy in MONEY_REMEDIES:
        ways.add(str(State.AWAITING_APPROVAL))
    if info.name == "record_diagnosis":
        ways.add(str(State.INSPECTING))
    return [t for t in targets if t in ways] or targets


def next_rows(case: Case, info: StepInfo, user: Any) -> list[Row]:
    """The state after the step and whose clock will run there for how long."""
    if not info.moves:
        return [Row(_("Afterwards"), _("State and clock stay as they are."))]
    asks_limit = State.AWAITING_APPROVAL in info.targets and case.remedy in MONEY_REMEDIES
    targets = likely_targets(case, info, refund_limit(user) if asks_limit else None)
    if not targets:
        text = _("The state stays; a fresh clock starts.") if info.rearm else _("The state stays.")
        return [Row(_("Afterwards"), text)]
    book = PolicyBook.load(clock.now())
    name = _("Afterwards") if len(targets) == 1 else _("Afterwards, one of")
    return [Row(name, _after(case, state, book)) for state in targets]


def _after(case: Case, state: str, book: PolicyBook) -> str:
    if state in TERMINAL:
        return _("%(state)s; no clock runs any more.") % {"state": STATES[state]}
    kind = case.kind if state == State.APPLIED or case.remedy == Remedy.REFUND else case.remedy
    policy = book.pick(case.shop.platform, kind, state)
    if policy is None:
        return str(STATES[state])
    words = {
        "state": STATES[state],
        "side": SIDES[TURN[state]],
        "hours": f"{policy.hours.normalize():f}",
    }
    if policy.unit == ClockPolicy.Unit.WORKING:
        return _("%(state)s; %(side)s has %(hours)s working hours.") % words
    return _("%(state)s; %(side)s has %(hours)s hours.") % words
