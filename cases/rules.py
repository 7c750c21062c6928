"""Who may decide how much, what has to be proven, what is possible when: guards of the steps."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.utils.translation import gettext as _

from cases.flow import clock
from cases.flow.door import Actor, Move
from cases.flow.hooks import blocker, guard
from cases.guards import FLOW, load
from cases.models import (
    Approval,
    Case,
    CaseEvent,
    CaseLine,
    Compensation,
    Evidence,
    Goods,
    Kind,
    Membership,
    Order,
    Reason,
    Refund,
    RefusalReason,
    RoleLimit,
    State,
)
from cases.models.clocks import PolicyBook, kind_of, platforms_of, variant_of
from cases.models.kinds import GOODS_REMEDIES, MONEY_REMEDIES
from cases.models.money import ZERO
from cases.models.shops import roles_of
from cases.windows import aftersale_until, window_text

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


# Limits and the second person


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
    for move in moves:
        if move.actor.user is None or move.dry:
            continue
        amount = move.inputs["amount"]
        if amount <= 0:
            move.refuse("bad_value", _("An amount must be above ¥0.00."))
            continue
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
            continue
        day = highest(move.actor, "compensation_day", table)
        if day is not None:
            given = Compensation.objects.filter(
                by=move.actor.user, at__gte=_midnight(move.at), at__lte=move.at
            ).aggregate(sum=Sum("amount", default=ZERO))["sum"]
            if given + amount > day:
                move.refuse(
                    "needs_approval",
                    _("You gave ¥%(given)s today; your limit per day is ¥%(limit)s.")
                    % {"given": given, "limit": day},
                )


# Proof


@guard(FLOW, "accept")
def evidence_is_there(moves: list[Move]) -> None:
    """What the reason demands must be there, or a written waiver."""
    asked = [m for m in moves if not (m.actor.kind == "sheet" and m.actor.user is None)]
    asked = [m for m in asked if not (m.inputs.get("waiver") or m.subject.waiver)]
    if not asked:
        return
    reasons = Reason.objects.in_bulk({m.subject.reason_id for m in asked})
    proven = set(
        Evidence.objects.filter(case_id__in=[m.subject.pk for m in asked]).values_list(
            "case_id", flat=True
        )
    )
    for move in asked:
        reason = reasons[move.subject.reason_id]
        if not reason.demands_evidence or move.subject.pk in proven:
            continue
        if reason.evidence == Reason.Evidence.TRACKING:
            load([move])
            if move.facts["order"].waybill:
                continue
        move.refuse(
            "evidence_required",
            _(
                "“%(reason)s” asks for evidence: %(what)s. "
                "Add it, or say in writing why you do without (waiver)."
            )
            % {"reason": reason, "what": reason.get_evidence_display()},
        )


@guard(FLOW, "refuse", "fail_inspection")
def refusal_is_founded(moves: list[Move]) -> None:
    for move in moves:
        if move.dry:
            continue
        reason: RefusalReason = move.inputs["reason"]
        if not str(move.inputs.get("text") or "").strip():
            move.refuse("reason_required", _("Say in words why; the buyer reads it."))
        elif reason.needs_evidence:
            ours = Evidence.objects.filter(case_id=move.subject.pk).exclude(party="buyer")
            if not ours.exists():
                move.refuse(
                    "evidence_required",
                    _("“%(reason)s” can only be used with evidence of ours. Add pictures first.")
                    % {"reason": reason},
                )


# What is possible where the goods and the parcel are


@guard(FLOW, "intercept")
def not_signed(moves: list[Move]) -> None:
    load(moves)
    for move in moves:
        signed = move.facts["order"].signed_at
        if signed is not None and signed <= move.at:
            move.refuse(
                "wrong_state", _("The parcel was signed for: it cannot be intercepted any more.")
            )


@blocker(FLOW, "withdraw", "close_by_silence")
def goods_lie_with_us(cases: list[Any]) -> dict[int, str]:
    """Goods that lie with us must first be on their way back."""
    here = {c.pk for c in cases if c.goods == Goods.RETURNED}
    rows = CaseLine.objects.filter(case_id__in=[c.pk for c in cases], received__gt=0)
    waiting: dict[int, int] = {}
    for row in rows:
        # What was exchanged stays here for good; only what was not accepted goes back then.
        pieces = row.with_us if row.case_id in here else row.to_hand_back
        if pieces > 0:
            waiting[row.case_id] = waiting.get(row.case_id, 0) + pieces
    return {
        pk: _("%(pieces)s pieces still lie with us: hand them back first.") % {"pieces": pieces}
        for pk, pieces in waiting.items()
    }


@guard(FLOW, "receive")
def pieces_are_of_this_case(moves: list[Move]) -> None:
    for move in moves:
        if move.inputs.get("line"):
            load([move])
            _only_own_lines(move)


def _only_own_lines(move: Move) -> None:
    own = {x.order_line_id for x in move.facts["lines"]}
    for pk, pieces in move.inputs["line"].items():
        if pk not in own:
            move.refuse("unknown", _("This line is not part of the case."))
        elif pieces < 0:
            move.refuse("bad_value", _("Pieces cannot be negative."))


@guard(FLOW, "pass_inspection")
def accepted_within_received(moves: list[Move]) -> None:
    for move in moves:
        given = move.inputs.get("line")
        load([move])
        if not any(x.received is None or x.received for x in move.facts["lines"]):
            move.refuse("wrong_state", _("No piece arrived: use “Inspection failed”."))
        if not given:
            continue
        _only_own_lines(move)
        for x in move.facts["lines"]:
            most = min(x.quantity if x.received is None else x.received, x.quantity)
            if given.get(x.order_line_id, 0) > most:
                move.refuse(
                    "quantity_exceeded",
                    _("Line %(line)s: at most %(most)s pieces can be accepted.")
                    % {"line": x.order_line.line_no, "most": most},
                    limit=most,
                )
        if not any(given.values()):
            move.refuse("bad_value", _("No piece accepted: use “Inspection failed”."))


@guard(FLOW, "hand_back")
def something_to_hand_back(moves: list[Move]) -> None:
    """Pieces with us that were not accepted; all of them once the case is refused or closed."""
    for move in moves:
        load([move])
        back = pieces_to_hand_back(move.subject, move.facts["lines"])
        if move.inputs.get("line"):
            _only_own_lines(move)
            for pk, pieces in move.inputs["line"].items():
                if pieces > back.get(pk, 0):
                    move.refuse(
                        "quantity_exceeded",
                        _("At most %(most)s pieces lie here to be handed back.")
                        % {"most": back.get(pk, 0)},
                    )
            back = dict(move.inputs["line"])
        if not any(back.values()):
            move.refuse("wrong_state", _("No piece lies with us that has to go back."))
        move.facts["back"] = back
        move.facts["emptied"] = all(
            x.with_us <= back.get(x.order_line_id, 0) for x in move.facts["lines"]
        )


def pieces_to_hand_back(case: Any, lines: Iterable[CaseLine]) -> dict[int, int]:
    """Pieces per order line that must go back to the buyer."""
    ended = case.state in (State.REFUSED, State.CLOSED) and case.goods == Goods.RETURNED
    return {x.order_line_id: x.with_us if ended else x.to_hand_back for x in lines}


@guard(FLOW, "dispatch")
def serials_are_of_this_case(moves: list[Move]) -> None:
    for move in moves:
        given = move.inputs.get("serial")
        if not given:
            continue
        load([move])
        pieces = {x.order_line_id: x.quantity for x in move.facts["lines"]}
        for pk, serials in given.items():
            if pk not in pieces:
                move.refuse("unknown", _("This line is not part of the case."))
            elif len(serials) > pieces[pk]:
                move.refuse(
                    "quantity_exceeded",
                    _("%(given)s serial numbers for %(pieces)s pieces.")
                    % {"given": len(serials), "pieces": pieces[pk]},
                )


@guard(FLOW, "convert", "propose")
def remedy_makes_sense(moves: list[Move]) -> None:
    for move in moves:
        if move.dry:
            continue
        remedy, amount = move.inputs.get("remedy"), move.inputs.get("amount")
        if move.step == "propose" and not remedy and amount is None:
            move.refuse("bad_value", _("Propose another remedy or an amount."))
        if move.step == "convert" and remedy == move.subject.remedy and amount is None:
            move.refuse("bad_value", _("The case is on this remedy already."))
        if remedy in GOODS_REMEDIES:
            load([move])
            if (
                not move.facts["order"].is_shipped(move.at)
                and move.subject.kind == Kind.REFUND_UNSHIPPED
            ):
                move.refuse("wrong_state", _("Nothing was shipped that could come back."))


@guard(FLOW, "revise")
def reason_fits_new_kind(moves: list[Move]) -> None:
    for move in moves:
        kind = move.inputs.get("kind")
        if kind and not Reason.objects.get(pk=move.subject.reason_id).is_for(kind):
            move.refuse("bad_value", _("The reason of this case cannot be used for that kind."))


# Money out


@guard(FLOW, "pay")
def payout_matches(moves: list[Move]) -> None:
    for move in moves:
        if move.dry:
            continue
        if not str(move.inputs.get("reference") or "").strip():
            move.refuse("bad_value", _("Give the reference of the payout."))
        amount, due = move.inputs.get("amount"), move.subject.total_approved
        if amount is not None and amount != due:
            code = "amount_exceeded" if amount > due else "bad_value"
            move.refuse(
                code,
                _("To be paid are exactly ¥%(due)s, not ¥%(amount)s.")
                % {"due": due, "amount": amount},
                limit=str(due),
            )


@guard(FLOW, "record_platform_outcome")
def outcome_is_new(moves: list[Move]) -> None:
    numbers = [str(m.inputs.get("number") or "") for m in moves if not m.dry]
    known = set(
        Refund.objects.filter(platform_number__in=[n for n in numbers if n]).values_list(
            "platform_number", flat=True
        )
    )
    seen: set[str] = set()
    for move in moves:
        number = str(move.inputs.get("number") or "")
        if move.dry:
            continue
        if not number.strip():
            move.refuse("bad_value", _("Give the platform's refund number."))
        elif number in known or number in seen:
            move.refuse(
                "key_reused",
                _("The platform's refund %(number)s is recorded already.") % {"number": number},
            )
        seen.add(number)


# Clocks and people


@guard(FLOW, "request_mediation")
def time_that_is_left(moves: list[Move]) -> None:
    """The case's own clock stands still: remember what is left of it."""
    book = PolicyBook.load(moves[0].at)
    platforms = platforms_of(m.subject for m in moves)
    for move in moves:
        spec = book.spec(move.subject, platforms[move.subject.shop_id])
        move.facts["left"] = clock.time_left(move.subject, move.at, spec)


@guard(FLOW, "extend")
def extension_allowed(moves: list[Move]) -> None:
    book = PolicyBook.load(moves[0].at)
    platforms = platforms_of(m.subject for m in moves)
    for move in moves:
        case = move.subject
        policy = book.pick(platforms[case.shop_id], kind_of(case), case.state, variant_of(case))
        _ask_extension(move, policy)


def _ask_extension(move: Move, policy: Any) -> None:
    case = move.subject
    letters = {"agent": "A", "lead": "L", "supervisor": "S"}
    mine = {letters.get(r, "") for r in roles_of(move.actor.user)} if move.actor.user else {"A"}
    if policy is None or not policy.extend_times or case.due_at is None:
        move.refuse("wrong_state", _("This time limit cannot be extended."))
    elif not mine & set(policy.extend_by.split()):
        move.refuse(
            "not_permitted",
            _("This time limit may be extended by: %(who)s.") % {"who": policy.extend_by},
        )
    elif case.extensions >= policy.extend_times:
        move.refuse(
            "wrong_state",
            _("It was extended %(times)s times already; the limit is %(limit)s.")
            % {"times": case.extensions, "limit": policy.extend_times},
        )
    elif not move.dry and str(move.inputs["days"]) not in policy.extend_days.split(","):
        move.refuse(
            "bad_value",
            _("It can be extended by %(days)s days.") % {"days": policy.extend_days},
        )


@guard(FLOW, "assign")
def owner_works_in_the_shop(moves: list[Move]) -> None:
    for move in moves:
        user = move.inputs.get("user")
        if user is None or user.is_superuser:
            continue
        if not Membership.objects.filter(user=user, shop_id=move.subject.shop_id).exists():
            move.refuse(
                "not_in_your_shop", _("%(user)s is not a member of this shop.") % {"user": user}
            )


@guard(FLOW, "reopen")
def inside_the_window(moves: list[Move]) -> None:
    load(moves)
    platforms = platforms_of(m.subject for m in moves)
    for move in moves:
        order: Order = move.facts["order"]
        until = aftersale_until(order, platforms[move.subject.shop_id], move.at)
        if until is not None and move.at >= until:
            move.refuse("window_closed", window_text(until))
        for x in move.facts["lines"]:
            other = CaseLine.objects.filter(order_line_id=x.order_line_id, open=True)
            if other.exclude(case_id=move.subject.pk).exists():
                move.refuse(
                    "open_case_exists", _("Another open case holds one of these order lines.")
                )
