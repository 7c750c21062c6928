"""The one locked counter per order line, freight and payment, over all kinds of cases together.

``book`` moves the counters after a step ran in memory, before anything of it is written.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from cases.amounts import FLOW, PAYING, load, order_left, spread
from cases.flow import writing
from cases.flow.door import Move
from cases.flow.hooks import booking
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
from cases.models.kinds import MONEY_REMEDIES, TERMINAL
from cases.models.money import ZERO


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


def _payments(move: Move) -> list[Payment]:
    """Payments of the case's order; read for the whole batch when the first is asked for."""
    shared = move.shared
    payments: dict[int, list[Payment]] = shared.setdefault("payments", {})
    new = [pk for pk in shared["orders"] if pk not in payments]
    payments.update({pk: [] for pk in new})
    for payment in Payment.objects.filter(order_id__in=new).order_by("order_id", "id"):
        payments[payment.order_id].append(payment)
    return payments[move.facts["order"].pk]
