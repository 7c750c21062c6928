"""What has to be proven, and what is possible when: guards of the steps."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from cases.amounts import FLOW, load
from cases.flow import clock
from cases.flow.door import Move
from cases.flow.hooks import blocker, guard
from cases.models import (
    CaseLine,
    Evidence,
    Goods,
    Kind,
    Membership,
    Order,
    Reason,
    Refund,
    RefusalReason,
    State,
)
from cases.models.clocks import PolicyBook, kind_of, platforms_of, variant_of
from cases.models.kinds import GOODS_REMEDIES
from cases.models.shops import roles_of
from cases.windows import aftersale_until, window_text

# Proof


@guard(FLOW, "accept")
def evidence_is_there(moves: list[Move]) -> None:
    """What the reason demands must be there, or a written waiver."""
    asked = [m for m in moves if not (m.actor.kind == "sheet" and m.actor.user is None)]
    asked = [m for m in asked if not (m.inputs.get("waiver") or m.subject.waiver)]
    lacking = evidence_lacking([m.subject for m in asked])
    for move in asked:
        if (reason := lacking.get(move.subject.pk)) is not None:
            move.refuse(
                "evidence_required",
                _(
                    "“%(reason)s” asks for evidence: %(what)s. "
                    "Add it, or say in writing why you do without (waiver)."
                )
                % {"reason": reason, "what": reason.get_evidence_display()},
            )


def evidence_lacking(cases: list[Any]) -> dict[int, Reason]:
    """Cases whose reason demands evidence of which nothing is there yet, with that reason.

    Tracking is proven by the order's waybill too.
    """
    reasons = Reason.objects.in_bulk({c.reason_id for c in cases}) if cases else {}
    demanding = [c for c in cases if reasons[c.reason_id].demands_evidence]
    if not demanding:
        return {}
    proven = set(
        Evidence.objects.filter(case__in=[c.pk for c in demanding]).values_list("case", flat=True)
    )
    tracked = [c.order_id for c in demanding if reasons[c.reason_id].evidence == "tracking"]
    if tracked:
        known = set(
            Order.objects.filter(pk__in=tracked).exclude(waybill="").values_list("pk", flat=True)
        )
        proven |= {
            c.pk
            for c in demanding
            if reasons[c.reason_id].evidence == "tracking" and c.order_id in known
        }
    return {c.pk: reasons[c.reason_id] for c in demanding if c.pk not in proven}


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
    if moves[0].dry:
        return
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
