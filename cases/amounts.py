"""What a step would refund: pieces' worth, freight and shares per line, and whether it fits.

``load`` locks the orders of a batch (the order row is the lock for its lines and payments), so
that what is left of pieces and money is true until the transaction ends.
"""

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases.flow.door import Move
from cases.flow.hooks import guard, preparation
from cases.models import Case, CaseLine, Order, OrderLine, Remedy
from cases.models.kinds import MONEY_REMEDIES, usual_remedy
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
#: What counters depend on, and what else guards ask an order; further columns are read on demand.
_COUNTED = (
    "shop_id",
    "order_no",
    "paid_amount",
    "freight_paid",
    "freight_reserved",
    "freight_refunded",
    "external_refunded",
)
_ASKED = ("platform", "status", "paid_at", "shipped_at", "signed_at", "finished_at", "waybill")
_OF_LINE = (
    "order_id",
    "line_no",
    "category",
    "quantity",
    "paid_amount",
    "no_return_agreed",
    "held",
    "gone",
    "reserved",
    "refunded",
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
        rows = Order.objects.only(*_COUNTED, *_ASKED)
        _load_orders(shared, new, rows if missing[0].dry else rows.select_for_update())
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
    rows = Order.objects.only(*_COUNTED).select_for_update()  # the clock asks for nothing else
    _load_orders(shared, sorted({case.order_id for case in cases}), rows)


def _load_orders(shared: dict[str, Any], pks: list[int], rows: QuerySet[Order]) -> None:
    shared["orders"].update({order.pk: order for order in rows.filter(pk__in=pks).order_by("pk")})
    lines = shared.setdefault("order_lines", {})
    found = OrderLine.objects.filter(order_id__in=pks).order_by("order_id", "line_no")
    for line in found.only(*_OF_LINE):
        lines.setdefault(line.order_id, {})[line.pk] = line


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
