"""The one locked counter per order line and payment, and what must hold at every door.

``load`` locks the orders of a batch (the order row is the lock for its lines and payments), so
that what is left of pieces and money is true until the transaction ends. ``decide_money`` works
out what a step would refund; ``book`` moves the counters after the step ran, before it is written.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from cases.flow import writing
from cases.flow.door import Move
from cases.flow.hooks import booking, guard, preparation
from cases.models import (
    Case,
    CaseLine,
    Goods,
    Kind,
    Order,
    OrderLine,
    Payment,
    Remedy,
    State,
)
from cases.models.kinds import MONEY_REMEDIES, TERMINAL, usual_remedy
from cases.models.money import ZERO, cents, shares

FLOW = "cases.Case"
#: Steps that settle an amount.
MONEY_STEPS = (
    "accept",
    "accept_by_silence",
    "agree_proposal",
    "propose",
    "revise",
    "convert",
    "intercept_succeed",
    "refund_after_intercept",
    "refund_by_silence",
    "pass_inspection",
    "pass_by_silence",
    "record_diagnosis",
    "rule_for_buyer",
    "rule_split",
    "record_platform_outcome",
    "reopen",
)
#: Columns of an order that no counter depends on; read only if somebody asks.
_NO_CONCERN = (
    "buyer",
    "receiver",
    "phone",
    "address",
    "phone_hash",
    "phone_tail",
    "extra",
    "facts_hash",
    "created_at",
    "updated_at",
)
#: Steps after which the case's money is really out.
PAYING = frozenset({"pay", "record_platform_outcome", "adopt"})


def load(moves: list[Move]) -> None:
    """Put ``order``, ``lines`` and ``payments`` into the facts of each move; locks the orders.

    Objects are shared by the moves of a batch, so that one sees the bookings of another.
    """
    missing = [m for m in moves if "lines" not in m.facts]
    if not missing:
        return
    shared = missing[0].shared
    orders = shared.setdefault("orders", {})
    new = sorted({m.subject.order_id for m in missing} - set(orders))
    if new:
        _load_orders(shared, new, dry=missing[0].dry)
    of_case: dict[int, list[CaseLine]] = {}
    known = [m.subject.pk for m in missing if m.subject.pk]
    for case_line in CaseLine.objects.filter(case_id__in=known).order_by("case_id", "id"):
        of_case.setdefault(case_line.case_id, []).append(case_line)
    for move in missing:
        facts, pk = move.facts, move.subject.order_id
        facts["order"], facts["order_lines"] = orders[pk], shared["order_lines"].get(pk, {})
        facts["lines"] = of_case.get(move.subject.pk, [])
        for case_line in facts["lines"]:
            case_line.order_line = facts["order_lines"][case_line.order_line_id]


@preparation(FLOW)
def load_orders(cases: list[Any], shared: dict[str, Any]) -> None:
    """The orders of cases that a sweep has locked, whatever is done with each of them."""
    shared["orders"] = {}
    _load_orders(shared, sorted({case.order_id for case in cases}), dry=False)


def _load_orders(shared: dict[str, Any], pks: list[int], *, dry: bool) -> None:
    rows = Order.objects.order_by("pk").filter(pk__in=pks).defer(*_NO_CONCERN)
    shared["orders"].update({o.pk: o for o in (rows if dry else rows.select_for_update())})
    lines = shared.setdefault("order_lines", {})
    found = OrderLine.objects.filter(order_id__in=pks).order_by("order_id", "line_no")
    for line in found.defer("title", "serials", "unit_price", "discount", "promises", "extra"):
        lines.setdefault(line.order_id, {})[line.pk] = line


def _payments(move: Move) -> list[Payment]:
    """Payments of the case's order; read for the whole batch when the first is asked for."""
    shared = move.shared
    payments: dict[int, list[Payment]] = shared.setdefault("payments", {})
    new = [pk for pk in shared["orders"] if pk not in payments]
    payments.update({pk: [] for pk in new})
    for payment in Payment.objects.filter(order_id__in=new).order_by("order_id", "id"):
        payments[payment.order_id].append(payment)
    return payments[move.facts["order"].pk]


def entitled(line: OrderLine, quantity: int, *, own: Decimal = ZERO) -> Decimal:
    """What ``quantity`` pieces of a line are worth, in yuan, from what was really paid for it.

    Cumulative rounding, so that pieces refunded one by one add up to the cent and the last ones
    take all that is left. ``own``: what this very case holds reserved already.
    """
    left = line.refundable + own
    if line.gone + quantity >= line.quantity:
        return max(left, ZERO)
    after = cents(line.paid_amount * (line.gone + quantity) / line.quantity)
    before = cents(line.paid_amount * line.gone / line.quantity)
    return max(min(after - before, left), ZERO)


def spread(amount: Decimal, weights: list[Decimal], caps: list[Decimal]) -> list[Decimal]:
    """Split by weights, largest remainder, no part above its cap; the caller checked the sum."""
    parts = shares(amount, weights)
    over = ZERO
    for i, cap in enumerate(caps):
        if parts[i] > cap:
            over += parts[i] - cap
            parts[i] = cap
    for i, cap in enumerate(caps):
        extra = min(over, cap - parts[i])
        parts[i] += extra
        over -= extra
    return parts


def order_left(facts: dict[str, Any], case: Case | None = None) -> Decimal:
    """What may still be refunded on the whole order, goods and freight, in yuan.

    ``case``: its own reservation counts as free.
    """
    order: Order = facts["order"]
    taken = order.external_refunded + order.freight_refunded + order.freight_reserved
    taken += sum((x.refunded + x.reserved for x in facts["order_lines"].values()), ZERO)
    own = ZERO
    if case is not None:
        own = case.freight_reserved + sum((x.reserved for x in facts["lines"]), ZERO)
    left: Decimal = order.paid_amount - taken + own
    return left


@guard(FLOW, *MONEY_STEPS)
def decide_money(moves: list[Move]) -> None:
    """Work out goods amount, freight and shares per line of what the step would refund."""
    load(moves)
    for move in moves:
        _decide(move)


def _decide(move: Move) -> None:
    facts = move.facts
    lines: list[CaseLine] = facts["lines"]
    caps = [x.order_line.refundable + x.reserved for x in lines]
    worth = [entitled(x.order_line, x.quantity, own=x.reserved) for x in lines]
    given = _given_amount(move)
    remedy = _remedy_after(move)
    freight = _freight_after(move)
    if move.step == "record_platform_outcome":
        given, freight = _platform_amounts(move, given, sum(caps, ZERO))
    pieces = _accepted_share(move)
    amount = sum(worth, ZERO) if given is None else given
    if given is None and (standing := _standing_amount(move)) is not None:
        amount = standing
    weights = [x.amount for x in lines] if any(x.amount for x in lines) else worth
    if pieces is not None and given is None:
        parts = [
            cents(part * share) for part, share in zip(shares(amount, weights), pieces, strict=True)
        ]
        amount = sum(parts, ZERO)
        weights = parts
    facts["amount"], facts["freight"] = amount, freight
    if remedy not in MONEY_REMEDIES and move.step != "record_platform_outcome":
        facts["shares"] = None
        if given:
            move.refuse("bad_value", _("This remedy pays no money: leave the amount out."))
        return
    if not fits(move, amount, freight, caps):
        return
    facts["shares"] = spread(amount, weights, caps) if lines else []


def _standing_amount(move: Move) -> Decimal | None:
    """What was agreed to or asked for so far; None where it has to be worked out anew."""
    case = move.subject
    if case.remedy not in MONEY_REMEDIES or (move.step == "revise" and move.inputs.get("kind")):
        return None
    anew = move.step in ("revise", "reopen") or case.amount_approved is None
    amount: Decimal = case.amount_requested if anew else case.amount_approved
    return amount


def _given_amount(move: Move) -> Decimal | None:
    if move.step == "agree_proposal":
        proposed: Decimal | None = move.subject.proposed_amount
        return proposed
    amount: Decimal | None = move.inputs.get("amount")
    return amount


def _remedy_after(move: Move) -> str:
    case = move.subject
    if move.step in ("convert", "propose"):
        return move.inputs.get("remedy") or str(case.remedy)
    if move.step == "agree_proposal":
        return str(case.proposed_remedy)
    if move.step in ("rule_for_buyer", "rule_split"):
        return str(Remedy.REFUND)
    if move.step == "revise" and move.inputs.get("kind"):
        return usual_remedy(move.inputs["kind"])
    return str(case.remedy)


def _freight_after(move: Move) -> Decimal:
    case = move.subject
    given = move.inputs.get("freight")
    if given is not None:
        return Decimal(given)
    return Decimal(
        case.freight_approved if case.freight_approved is not None else case.freight_requested
    )


def _platform_amounts(
    move: Move, given: Decimal | None, goods_left: Decimal
) -> tuple[Decimal | None, Decimal]:
    """The platform names one sum: goods first, what is beyond them is freight."""
    if move.inputs.get("outcome", "refunded") != "refunded":
        return ZERO, ZERO
    if given is None:
        return None, _freight_after(move)
    goods = min(given, goods_left)
    return goods, given - goods


def _accepted_share(move: Move) -> list[Decimal] | None:
    """At inspection: which part of each line's pieces is accepted (1 = all that were asked for)."""
    if move.step not in ("pass_inspection", "pass_by_silence", "record_diagnosis"):
        return None
    accepted = accepted_pieces(move)
    return [Decimal(accepted[x.order_line_id]) / x.quantity for x in move.facts["lines"]]


def accepted_pieces(move: Move) -> dict[int, int]:
    """Pieces accepted per order line: as entered, else all that came and were asked for."""
    given = move.inputs.get("line") if move.step == "pass_inspection" else None
    out = {}
    for x in move.facts["lines"]:
        came = x.quantity if x.received is None else x.received
        default = 0 if given else min(came, x.quantity)
        out[x.order_line_id] = (given or {}).get(x.order_line_id, default)
    return out


def fits(move: Move, amount: Decimal, freight: Decimal, caps: list[Decimal]) -> bool:
    case, facts = move.subject, move.facts
    order: Order = facts["order"]
    if amount < 0 or freight < 0:
        move.refuse("bad_value", _("An amount cannot be negative."))
        return False
    room = sum(caps, ZERO)
    whole = order_left(facts, case)
    if move.step in ("record_platform_outcome", "adopt"):
        whole += order.external_refunded  # what the report showed is what is recorded now
    limit = max(min(room, whole - freight), ZERO)
    if amount > limit:
        paid = sum((x.order_line.paid_amount for x in facts["lines"]), ZERO)
        move.refuse(
            "amount_exceeded",
            _(
                "¥%(amount)s is more than can be refunded on these lines: ¥%(paid)s was paid, "
                "¥%(limit)s is left. What goes beyond is a compensation."
            )
            % {"amount": amount, "paid": paid, "limit": limit},
            limit=str(limit),
        )
        return False
    freight_room = order.freight_paid - order.freight_refunded - order.freight_reserved
    freight_room += case.freight_reserved
    if freight > freight_room:
        move.refuse(
            "amount_exceeded",
            _("¥%(freight)s freight is more than is left of it: ¥%(limit)s of ¥%(paid)s paid.")
            % {"freight": freight, "limit": freight_room, "paid": order.freight_paid},
            limit=str(freight_room),
        )
        return False
    return True


@dataclass
class Booked:
    """Rows whose counters a batch has moved, to be written once."""

    case_lines: dict[int, CaseLine] = field(default_factory=dict)
    order_lines: dict[int, OrderLine] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    payments: dict[int, Payment] = field(default_factory=dict)

    def write(self) -> None:
        """Orders, lines, payments in pk order; the order rows are locked already."""
        _write(Order, self.orders, ["freight_reserved", "freight_refunded", "external_refunded"])
        _write(OrderLine, self.order_lines, ["held", "gone", "reserved", "refunded"])
        _write(Payment, self.payments, ["refunded"])
        _write(
            CaseLine, self.case_lines, ["amount", "held", "gone", "reserved", "refunded", "open"]
        )


def _write(model: type[Any], rows: dict[int, Any], names: list[str]) -> None:
    fields = [model._meta.get_field(n) for n in names]
    writing.update_rows(model, fields, writing.rows_of([rows[pk] for pk in sorted(rows)], fields))


@booking(FLOW)
def book(moves: list[Move]) -> None:
    """Move the counters of lines, freight and payments to what the cases now hold."""
    touched = [m for m in moves if m.info.moves and _moves_counters(m)]
    if not touched:
        return
    load(touched)
    booked = Booked()
    for move in touched:
        apply(move, booked)
    booked.write()


def _moves_counters(move: Move) -> bool:
    case, before = move.subject, move.before
    if (case.state in TERMINAL) != (move.source in TERMINAL) or move.step == "revise":
        return True
    return _money_of(case) != _money_of(before)


def _money_of(case: Any) -> tuple[Any, ...]:
    """What the reservation depends on, of a case or of its row as it was."""
    get = case.get if isinstance(case, dict) else lambda name: getattr(case, name)
    money = get("remedy") in MONEY_REMEDIES
    amount = get("amount_approved")
    freight = get("freight_approved")
    return (
        money,
        (get("amount_requested") if amount is None else amount) if money else None,
        (get("freight_requested") if freight is None else freight) if money else None,
    )


def apply(move: Move, booked: Booked) -> None:
    """Move one case's part of the counters in memory; refuses what would not fit."""
    case, order = move.subject, move.facts["order"]
    was = _counters_of(order)
    money = _line_money(move)
    is_open = case.state not in TERMINAL
    if move.refusal is not None or (is_open and not _pieces_free(move)):
        return
    paid = case.state == State.COMPLETED and move.step in PAYING and _is_paid(move)
    if paid and _paid_elsewhere(move):
        return
    if paid:
        _explain_external(move, money)
    for x, amount in zip(move.facts["lines"], money, strict=True):
        _book_line(move, x, amount, is_open=is_open, paid=paid)
        booked.order_lines[x.order_line_id] = x.order_line
        if x.pk:
            booked.case_lines[x.pk] = x
    _book_freight(move, is_open=is_open, paid=paid)
    if _counters_of(order) != was:
        booked.orders[order.pk] = order
    if paid:
        _book_payments(move, money, booked)


def _book_line(move: Move, x: CaseLine, amount: Decimal, *, is_open: bool, paid: bool) -> None:
    held = x.quantity if is_open else 0
    gone = 0 if is_open else x.gone
    if paid:
        gone = gone_pieces(move.subject, x, move)
    reserved = amount if is_open else ZERO
    refunded = x.refunded + (amount if paid else ZERO)
    line = x.order_line
    line.held += held - x.held
    line.gone += gone - x.gone
    line.reserved += reserved - x.reserved
    line.refunded += refunded - x.refunded
    x.held, x.gone, x.reserved, x.refunded, x.open = held, gone, reserved, refunded, is_open
    if is_open or paid:
        x.amount = amount


def _book_payments(move: Move, money: list[Decimal], booked: Booked) -> None:
    move.facts["parts"] = _parts(move, list(zip(move.facts["lines"], money, strict=True)))
    for _line, payment, _amount in move.facts["parts"]:
        if payment is not None:
            booked.payments[payment.pk] = payment
    move.subject.refunded += sum(money, ZERO) + move.facts["freight_out"]


def _paid_elsewhere(move: Move) -> bool:
    """A report has shown meanwhile that the platform refunded: paying again would pay twice."""
    left = order_left(move.facts, move.subject)
    due = move.subject.total_approved
    if move.step != "pay" or due <= left:
        return False
    external = move.facts["order"].external_refunded
    move.refuse(
        "amount_exceeded",
        _(
            "¥%(due)s is due, but only ¥%(left)s of the order is left: the platform's report shows "
            "¥%(external)s refunded outside our cases. Record the platform's outcome instead."
        )
        % {"due": due, "left": max(left, ZERO), "external": external},
        limit=str(left),
    )
    return True


def _counters_of(order: Order) -> tuple[Decimal, ...]:
    return order.freight_reserved, order.freight_refunded, order.external_refunded


def _is_paid(move: Move) -> bool:
    if move.step == "pay":
        return True
    outcome = move.facts.get("outcome") or move.inputs.get("outcome") or "refunded"
    return bool(outcome == "refunded" and move.subject.total_approved > 0)


def _line_money(move: Move) -> list[Decimal]:
    """The goods money of each case line: as the step decided, else as it stood."""
    case, lines = move.subject, move.facts["lines"]
    if case.remedy not in MONEY_REMEDIES and not (
        case.state == State.COMPLETED and move.step in PAYING and _is_paid(move)
    ):
        return [ZERO for _x in lines]
    if move.facts.get("shares") is not None:
        decided: list[Decimal] = move.facts["shares"]
        return decided
    total = case.amount_requested if case.amount_approved is None else case.amount_approved
    caps = [x.order_line.refundable + x.reserved for x in lines]
    if total > sum(caps, ZERO):
        move.refuse(
            "amount_exceeded", _("¥%(limit)s is left on these lines.") % {"limit": sum(caps, ZERO)}
        )
        return [ZERO for _x in lines]
    weights = [x.amount for x in lines]
    return spread(total, weights, caps)


def _pieces_free(move: Move) -> bool:
    for x in move.facts["lines"]:
        line = x.order_line
        free = line.quantity_left + x.held
        if x.quantity > free:
            move.refuse("quantity_exceeded", too_many(line, x.quantity, free), limit=free)
            return False
    return move.refusal is None


def too_many(line: OrderLine, asked: int, free: int) -> str:
    return _(
        "Line %(line)s: %(asked)s pieces asked for, %(free)s are free "
        "(%(bought)s bought, %(held)s in open cases, %(gone)s returned or refunded)."
    ) % {
        "line": line.line_no,
        "asked": asked,
        "free": max(free, 0),
        "bought": line.quantity,
        "held": line.held,
        "gone": line.gone,
    }


def gone_pieces(case: Case, x: CaseLine, move: Move) -> int:
    """Pieces that are gone for good when the case is paid: never shipped, lost, or kept by us."""
    if case.remedy == Remedy.REFUND and case.kind in (
        Kind.REFUND_UNSHIPPED,
        Kind.REFUND_IN_TRANSIT,
    ):
        return x.quantity
    if x.received is not None:
        if case.goods != Goods.RETURNED:
            return 0  # handed back, or sent out again
        kept = x.accepted if x.accepted is not None else min(x.received, x.quantity)
        return max(min(kept, x.received - x.handed_back), 0)
    came_back = move.source in (State.RETURNING, State.INSPECTING) or move.step == "adopt"
    return x.quantity if case.remedy == Remedy.RETURN_REFUND and came_back else 0


def _book_freight(move: Move, *, is_open: bool, paid: bool) -> None:
    case, order = move.subject, move.facts["order"]
    freight = ZERO
    if case.remedy in MONEY_REMEDIES or paid:
        freight = case.freight_requested if case.freight_approved is None else case.freight_approved
    reserved = freight if is_open else ZERO
    order.freight_reserved += reserved - case.freight_reserved
    case.freight_reserved = reserved
    move.facts["freight_out"] = freight if paid else ZERO
    if paid:
        order.freight_refunded += freight
        case.freight_refunded += freight


def _explain_external(move: Move, money: list[Decimal]) -> None:
    """A refund by the platform that a report had shown before is no longer unexplained."""
    order: Order = move.facts["order"]
    move.facts["explained"] = ZERO
    if move.step == "pay" or not order.external_refunded:
        return
    case = move.subject
    total = sum(money, ZERO) + (case.freight_approved or ZERO)
    explained = min(order.external_refunded, total)
    order.external_refunded -= explained
    move.facts["explained"] = explained


def _parts(
    move: Move, goods: list[tuple[CaseLine, Decimal]]
) -> list[tuple[CaseLine | None, Payment | None, Decimal]]:
    """Which line's money goes back to which payment, oldest payment first; books the payments."""
    sources: list[tuple[CaseLine | None, Decimal]] = [*goods, (None, move.facts["freight_out"])]
    payments = list(_payments(move))
    parts: list[tuple[CaseLine | None, Payment | None, Decimal]] = []
    for line, amount in sources:
        rest = amount
        while rest > 0:
            while payments and payments[0].amount <= payments[0].refunded:
                payments.pop(0)
            payment = payments[0] if payments else None
            take = rest if payment is None else min(rest, payment.amount - payment.refunded)
            if payment is not None:
                payment.refunded += take
            parts.append((line, payment, take))
            rest -= take
    return parts
