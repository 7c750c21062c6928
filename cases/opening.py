"""How cases begin, in batches: opened by staff, or adopted from a platform's sheet in any state.

Both go the way of the door: lock the orders, ask, book the counters, write row, clock and the
first event, tell the followers.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import numbers
from cases.amounts import entitled, fits, load, spread
from cases.flow import clock, door, writing
from cases.flow.door import Actor, Move, NotPermitted, Refused
from cases.flow.events import digest_of, plain
from cases.flow.states import StepInfo
from cases.guards import Booked, apply
from cases.models import (
    Case,
    CaseEvent,
    CaseLine,
    Goods,
    Kind,
    Order,
    OrderLine,
    Parcel,
    Phase,
    Reason,
    Remedy,
    Responsible,
    State,
)
from cases.models.kinds import (
    GOODS_REMEDIES,
    MONEY_REMEDIES,
    TERMINAL,
    FreightPayer,
    usual_remedy,
)
from cases.models.money import ZERO
from cases.windows import refusal_to_open

#: The two beginnings, as the timeline names them.
OPENING = {
    name: StepInfo(
        name=name,
        label=label,
        sources=(),
        targets=(),
        by=frozenset(by),
        conditions=(),
        moves=True,
        rearm=False,
        danger=False,
        help="",
    )
    for name, label, by in (
        ("open_case", gettext_lazy("Opened"), "AL"),
        ("adopt", gettext_lazy("Adopted from a sheet"), "P"),
    )
}
#: In these states the goods lie with us.
_WITH_US = frozenset({State.INSPECTING, State.DIAGNOSING, State.REPAIRING, State.QUALITY_CHECK})
#: In these they do where the remedy wanted them back.
_HAD_THEM = frozenset({State.REFUNDING, State.AWAITING_DISPATCH})
#: In these the seller has agreed already.
_AGREED = frozenset(
    {State.AWAITING_RETURN, State.RETURNING, State.REFUNDING, State.AWAITING_DISPATCH}
    | {State.AWAITING_RECEIPT, State.COMPLETED}
    | _WITH_US
)


@dataclass
class NewCase:
    """What is known of a case we do not have yet. ``lines``: (line_no or sub-order no., pieces).

    ``at``: the fact's time in a sheet, the moment of acting else. ``since``: since when the state
    holds, if known; its clock counts from there. ``amount`` is goods, ``freight`` apart (yuan);
    both are worked out where they are None. ``whole``: the platform names one sum, of which what
    is beyond the goods is freight.
    """

    order: Order
    kind: str
    reason: Reason
    lines: list[tuple[int | str, int]]
    amount: Decimal | None = None
    freight: Decimal | None = None
    text: str = ""
    reason_words: str = ""
    case_no: str = ""
    platform_case_no: str = ""
    platform_due_at: datetime | None = None
    applied_at: datetime | None = None
    at: datetime | None = None
    since: datetime | None = None
    state: str = State.APPLIED
    key: str | None = None
    courier: str = ""
    waybill: str = ""
    refund_number: str = ""
    refunded_amount: Decimal | None = None
    goods: str = ""
    whole: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


def adopt_cases(actor: Actor, entries: list[NewCase]) -> list[Case | Refused]:
    """Take over cases from a sheet in whatever state they are; one answer per entry.

    The first event is ``adopt`` at the fact's time. Pieces and money are guarded as always.
    """
    return begin(actor, "adopt", entries)


def begin(actor: Actor, verb: str, entries: list[NewCase]) -> list[Case | Refused]:
    """Create cases in batches; each entry answers with its case or its refusal, in order."""
    size = door.BATCH.get(connection.vendor, 100)
    answers: list[Case | Refused] = []
    for start in range(0, len(entries), size):
        part = entries[start : start + size]
        answers += door.once_more(lambda some: _split(actor, verb, some), part)
    return answers


def _split(actor: Actor, verb: str, entries: list[NewCase]) -> list[Case | Refused]:
    try:
        with transaction.atomic():
            return _begin(actor, verb, entries)
    except (IntegrityError, writing.Stale, Refused) as error:
        if len(entries) == 1:
            return [error if isinstance(error, Refused) else _collision(entries[0], error)]
    middle = len(entries) // 2
    return [*_split(actor, verb, entries[:middle]), *_split(actor, verb, entries[middle:])]


def _collision(entry: NewCase, error: Exception) -> Refused:
    text = str(error)
    if "case_no" in text:
        return Refused(_("The case number %(no)s is taken.") % {"no": entry.case_no}, "bad_value")
    if "open" in text or "order_line" in text:
        return Refused(_("Another open case holds one of these order lines."), "open_case_exists")
    return Refused(_("Someone else changed it at the same moment. Try again."), "stale")


def _begin(actor: Actor, verb: str, entries: list[NewCase]) -> list[Case | Refused]:
    info, now = OPENING[verb], clock.now()
    shared: dict[str, Any] = {}
    known = _known_keys(entries)
    answers: dict[int, Case | Refused] = {}
    moves: list[tuple[int, NewCase, Move]] = []
    for i, entry in enumerate(entries):
        if entry.key and entry.key in known:
            answers[i] = _first_answer(entry, known[entry.key])
            continue
        case = _row(entry, now)
        at = cast(datetime, case.moved_at)
        move = Move(case, info, actor, at, _inputs(entry), entry.key, shared=shared)
        move.before = {"state": "", "version": 0}
        if not case.in_scope_of(actor):
            answers[i] = NotPermitted(
                _("This belongs to a shop you are not a member of."), "not_in_your_shop"
            )
            continue
        moves.append((i, entry, move))
    load([m for _i, _e, m in moves])
    for i, entry, move in moves:
        _prepare(entry, move)
        if move.refusal is None:
            apply(move, Booked())
        if move.refusal is not None:
            answers[i] = move.refusal
    done = [(i, entry, move) for i, entry, move in moves if move.refusal is None]
    if done:
        _write(info, [m for _i, _e, m in done], [e for _i, e, _m in done], now)
    answers.update({i: cast(Case, move.subject) for i, _e, move in done})
    return [answers[i] for i in range(len(entries))]


def _known_keys(entries: list[NewCase]) -> dict[str, CaseEvent]:
    keys = [e.key for e in entries if e.key]
    if not keys:
        return {}
    # Locked before we look: whoever sends the same key at this moment waits, and finds our case.
    pks = {e.order.pk for e in entries}
    list(Order.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk"))
    events = CaseEvent.objects.filter(key__in=keys).select_related("case")
    return {str(e.key): e for e in events}


def _first_answer(entry: NewCase, event: CaseEvent) -> Case | Refused:
    if event.digest == digest_of(event.verb, plain(_inputs(entry))):
        return event.case
    return Refused(
        _("The key %(key)s was used for another act (%(verb)s). Take a new key.")
        % {"key": entry.key, "verb": event.verb},
        "key_reused",
    )


def _inputs(entry: NewCase) -> dict[str, Any]:
    number = {"number": entry.refund_number} if entry.refund_number else {}
    return {
        **number,
        "order": entry.order.order_no,
        "kind": entry.kind,
        "reason": entry.reason,
        "line": [[str(no), pieces] for no, pieces in entry.lines],
        "amount": entry.amount,
        "freight": entry.freight,
        "text": entry.text,
    }


def _row(entry: NewCase, now: datetime) -> Case:
    """The case's own row, not yet written."""
    order, reason = entry.order, entry.reason
    applied = entry.applied_at or entry.at or now
    at = entry.at or applied
    finished = order.finished_at is not None and order.finished_at <= applied
    state = entry.state
    ended = state in TERMINAL
    case = Case(
        case_no=entry.case_no,
        platform_case_no=entry.platform_case_no,
        shop_id=order.shop_id,
        order=order,
        kind=entry.kind,
        remedy=usual_remedy(entry.kind),
        state=state,
        phase=Phase.AFTERSALE if finished else Phase.ONSALE,
        goods=_goods(entry),
        reason=reason,
        reason_words=entry.reason_words,
        responsible=reason.responsible,
        freight_payer=_freight_payer(entry.kind, reason),
        text=entry.text,
        applied_at=applied,
        platform_due_at=entry.platform_due_at,
        moved_at=at,
        finished_at=at if ended else None,
        ended_by="platform" if ended else "",
    )
    _as_if_it_had_come_here(case, at)
    return case


def _as_if_it_had_come_here(case: Case, at: datetime) -> None:
    """Fill what the steps that we did not see would have set."""
    if case.state in _AGREED:
        case.accepted_at = at
    if case.state == State.RETURNING:
        case.sent_back_at = at
    if case.goods == Goods.RETURNED:
        case.received_at = at
    if case.state == State.NEGOTIATING:
        case.proposed_from, case.proposed_remedy = State.APPLIED, case.remedy
    if case.state == State.MEDIATING:
        case.mediated_from, case.mediation_phase = State.APPLIED, "evidence"
        case.mediation_party = "buyer"
    if case.state == State.AWAITING_APPROVAL:
        case.approval_from, case.approvals_needed = State.APPLIED, 1
        case.going_to = State.REFUNDING if case.remedy == Remedy.REFUND else State.AWAITING_RETURN


def _goods(entry: NewCase) -> str:
    if entry.goods:
        return entry.goods
    wants_goods = usual_remedy(entry.kind) in GOODS_REMEDIES
    if entry.state in _WITH_US or (wants_goods and entry.state in _HAD_THEM):
        return str(Goods.RETURNED)
    if entry.kind in (Kind.REFUND_UNSHIPPED, Kind.REFUND_IN_TRANSIT):
        return str(Goods.NOT_RECEIVED)
    return str(Goods.RECEIVED)


def _freight_payer(kind: str, reason: Reason) -> str:
    """Return freight (domain.md 2.5): whoever is at fault; exchange and repair the seller."""
    if reason.freight_payer:
        return reason.freight_payer
    if reason.responsible == Responsible.BUYER:
        return str(FreightPayer.BUYER)
    if reason.responsible in (Responsible.SELLER, Responsible.COURIER, Responsible.MANUFACTURER):
        return str(FreightPayer.SELLER)
    swap = kind in (Kind.EXCHANGE, Kind.REPAIR, Kind.RESEND)
    return str(FreightPayer.SELLER if swap else FreightPayer.BUYER)


def _prepare(entry: NewCase, move: Move) -> None:
    """Lines, guards and amounts of one entry; refuses what does not fit."""
    case, facts = move.subject, move.facts
    chosen = _chosen(entry, move)
    if move.refusal is not None:
        return
    if move.step == "open_case":
        why = refusal_to_open(facts["order"], entry.kind, entry.reason, chosen, case.applied_at)
        if why is not None:
            move.refuse(*why)
            return
    facts["lines"] = [CaseLine(case=case, order_line=line, quantity=n) for line, n in chosen]
    for x in facts["lines"]:
        if case.goods == Goods.RETURNED:
            x.received = x.quantity
    _amounts(entry, move)


def _chosen(entry: NewCase, move: Move) -> list[tuple[OrderLine, int]]:
    lines = list(move.facts["order_lines"].values())
    if not entry.lines:
        return [(line, line.quantity) for line in lines]
    chosen: list[tuple[OrderLine, int]] = []
    for name, pieces in entry.lines:
        found = [
            x for x in lines if str(x.line_no) == str(name) or x.sub_order_no == str(name) != ""
        ]
        if not found:
            numbers_there = ", ".join(str(x.line_no) for x in lines)
            move.refuse(
                "unknown",
                _("Order %(order)s has no line %(line)s; it has: %(lines)s.")
                % {"order": entry.order, "line": name, "lines": numbers_there},
            )
        elif pieces < 1:
            move.refuse("bad_value", _("At least one piece must be claimed."))
        elif any(line.pk == found[0].pk for line, _n in chosen):
            move.refuse("bad_value", _("Line %(line)s is named twice.") % {"line": name})
        else:
            chosen.append((found[0], pieces))
    return chosen


def _amounts(entry: NewCase, move: Move) -> None:
    """What is asked for: as given, else what the pieces are worth, and freight by fault."""
    case, facts = move.subject, move.facts
    lines: list[CaseLine] = facts["lines"]
    worth = [entitled(x.order_line, x.quantity) for x in lines]
    caps = [x.order_line.refundable for x in lines]
    money = case.remedy in MONEY_REMEDIES
    platform_total = entry.refunded_amount
    if platform_total is not None and case.state == State.COMPLETED:
        goods = min(platform_total, sum(caps, ZERO))
        amount, freight = goods, platform_total - goods
    else:
        amount = entry.amount if entry.amount is not None else (sum(worth, ZERO) if money else ZERO)
        freight = entry.freight if entry.freight is not None else _freight(move, worth)
        if entry.whole and entry.freight is None and amount > sum(caps, ZERO):
            amount, freight = sum(caps, ZERO), amount - sum(caps, ZERO)
    ended = case.state in TERMINAL
    if (money or amount or freight) and not (ended and case.state == State.CLOSED):
        _fit(move, amount, freight, caps)
        if move.refusal is not None:
            return
    case.amount_requested, case.freight_requested = amount, freight
    if case.state in _AGREED and money:
        case.amount_approved, case.freight_approved = amount, freight
        case.cleared = amount + freight
    facts["shares"] = None
    if money and case.state != State.CLOSED:
        weights = worth if any(worth) else [Decimal(1)] * len(worth)
        facts["shares"] = spread(amount, weights, caps)
    facts["freight"] = freight
    if case.state == State.COMPLETED and not (money and amount + freight > 0):
        facts["outcome"] = "done"


def _fit(move: Move, amount: Decimal, freight: Decimal, caps: list[Decimal]) -> None:
    if fits(move, amount, freight, caps) and move.subject.state == State.COMPLETED:
        move.subject.amount_approved = amount


def _freight(move: Move, worth: list[Decimal]) -> Decimal:
    """Outbound freight in yuan that comes back with the goods (domain.md 2.5).

    All that is left of it, when nothing was shipped or the buyer is not at fault, and the case
    takes all that is left of the order; else nothing.
    """
    case, facts = move.subject, move.facts
    order: Order = facts["order"]
    left = order.freight_paid - order.freight_refunded - order.freight_reserved
    if case.remedy not in MONEY_REMEDIES or left <= 0:
        return ZERO
    mine = {x.order_line.pk: x.quantity for x in facts["lines"]}
    rest = sum(x.quantity - x.gone - mine.get(x.pk, 0) for x in facts["order_lines"].values())
    blameless = case.responsible not in (Responsible.BUYER, Responsible.UNKNOWN)
    if rest > 0 or case.kind == Kind.REFUND_RECEIVED:
        return ZERO
    return left if case.kind == Kind.REFUND_UNSHIPPED or blameless else ZERO


def _write(info: StepInfo, moves: list[Move], entries: list[NewCase], now: datetime) -> None:
    """Rows, clocks, events, effects of entries that all fit."""
    unnumbered = [m for m in moves if not m.subject.case_no]
    fresh = numbers.take("case", "AS", now, len(unnumbered))
    for number, move in zip(fresh, unnumbered, strict=True):
        move.subject.case_no = number
    arming = []
    for move, entry in zip(moves, entries, strict=True):
        clock_at = entry.since or (move.at if move.subject.state == State.APPLIED else now)
        arming.append(replace(move, at=clock_at))
    Case.arm(arming)
    Case.objects.bulk_create([m.subject for m in moves])
    booked, recorded_at = Booked(), timezone.now()
    for move in moves:
        move.pk = move.subject.pk
        move.before["version"] = 0
        door.append(Case, move, recorded_at)
        for x in move.facts["lines"]:
            x.case = move.subject
            booked.order_lines[x.order_line_id] = x.order_line
        booked.orders[move.subject.order_id] = move.facts["order"]
        for _line, payment, _amount in move.facts.get("parts") or ():
            if payment is not None:
                booked.payments[payment.pk] = payment
    fields = [Case._meta.get_field(n) for n in ("seq", "head", "version")]
    writing.update_rows(
        Case,
        fields,
        [
            [m.pk, *writing.values_for(fields, [m.subject.seq, m.subject.head, m.subject.version])]
            for m in moves
        ],
    )
    CaseLine.objects.bulk_create([x for m in moves for x in m.facts["lines"]])
    booked.write()
    _parcels(moves, entries)
    door.finish(Case, moves)


def _parcels(moves: list[Move], entries: list[NewCase]) -> None:
    Parcel.objects.bulk_create(
        Parcel(
            order_id=m.subject.order_id,
            case=m.subject,
            direction=Parcel.Direction.IN,
            purpose=Parcel.Purpose.RETURN,
            courier=e.courier,
            waybill=e.waybill,
            payer=m.subject.freight_payer,
            sent_at=m.at,
        )
        for m, e in zip(moves, entries, strict=True)
        if e.waybill
    )
