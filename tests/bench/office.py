"""A shop's after-sales desk of any size: orders with one case each, a tenth of them due.

Written past the door, but so that the audit finds nothing: this is the state from which benches
and fault stories start.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from django.utils import timezone

from cases.flow import door
from cases.flow.door import Actor, Move
from cases.models import Case, CaseEvent, CaseLine, Order, OrderLine, Payment, Reason, Shop
from cases.models.clocks import expiry_of
from cases.models.kinds import MONEY_REMEDIES, TERMINAL, State, usual_remedy
from cases.opening import OPENING

S = State
ZERO = Decimal("0.00")
#: Of ten cases: kind and state. The clock takes every one of them further when it is due.
MIX = (
    ("refund_unshipped", S.APPLIED),
    ("refund_received", S.APPLIED),
    ("refund_in_transit", S.APPLIED),
    ("refund_unshipped", S.APPLIED),
    ("return_refund", S.APPLIED),
    ("exchange", S.APPLIED),
    ("return_refund", S.AWAITING_RETURN),
    ("return_refund", S.AWAITING_RETURN),
    ("return_refund", S.RETURNING),
    ("exchange", S.AWAITING_RECEIPT),
)
SIDES = {S.APPLIED: "seller", S.RETURNING: "seller"}
CHUNK = 2_000


def fill(
    rows: int, due: int, now: datetime | str | None = None, first: int = 0, together: int = 1
) -> int:
    """Make ``rows`` cases numbered from ``first``; the first ``due``, of all kinds, are overdue.

    ``together``: so many cases, of different kinds, are of one order.
    """
    at = datetime.fromisoformat(now) if isinstance(now, str) else now or timezone.now()
    shops = [
        Shop.objects.get_or_create(code=f"b{i}", defaults={"name": f"店{i}", "platform": platform})[
            0
        ]
        for i, platform in enumerate(("taobao", "douyin", "pdd"))
    ]
    reason = Reason.objects.get(code="agreed")
    numbers = iter(range(first, first + rows))
    while part := list(islice(numbers, CHUNK)):
        _chunk(part, first + due, at, shops, reason, together)
    return rows


def _chunk(
    part: list[int], due: int, at: datetime, shops: list[Shop], reason: Any, together: int
) -> None:
    made = [_order(i, at, shops[i % len(shops)], together) for i in part[::together]]
    Order.objects.bulk_create(made)
    orders = [order for order in made for _case in range(together)][: len(part)]
    lines = [
        OrderLine(
            order=order,
            line_no=i % together + 1,
            sku="CUP",
            title="一只杯子",
            quantity=2,
            paid_amount=Decimal("100.00"),
            held=1,
            reserved=Decimal("50.00") if _is_money(i) else ZERO,
        )
        for i, order in zip(part, orders, strict=True)
    ]
    OrderLine.objects.bulk_create(lines)
    Payment.objects.bulk_create(
        Payment(order=o, number=f"P{o.order_no}", amount=o.paid_amount, paid_at=o.paid_at)
        for o in made
    )
    moves = [_move(i, o, due, at, reason) for i, o in zip(part, orders, strict=True)]
    Case.objects.bulk_create([m.subject for m in moves])
    for move in moves:
        door.append(Case, move, at)
    _heads(moves)
    CaseEvent.objects.bulk_create([m.event for m in moves])
    CaseLine.objects.bulk_create(
        CaseLine(
            case=m.subject,
            order_line=line,
            quantity=1,
            amount=line.reserved,
            held=1,
            reserved=line.reserved,
        )
        for m, line in zip(moves, lines, strict=True)
    )


def _is_money(i: int) -> bool:
    return usual_remedy(MIX[i % len(MIX)][0]) in MONEY_REMEDIES


def _order(i: int, at: datetime, shop: Shop, together: int) -> Order:
    return Order(
        shop=shop,
        platform=shop.platform,
        order_no=f"B{i:08d}",
        status="signed",
        paid_amount=Decimal(100 * together + 10),
        freight_paid=Decimal("10.00"),
        ordered_at=at - timedelta(days=30),
        paid_at=at - timedelta(days=30),
        shipped_at=at - timedelta(days=29),
        signed_at=at - timedelta(days=26),
        buyer=f"买家{i}",
    )


def _move(i: int, order: Order, due: int, at: datetime, reason: Any) -> Move:
    kind, state = MIX[i % len(MIX)]
    began = at - timedelta(days=11)
    is_due = i < due
    due_at = at - timedelta(minutes=1 + i % 50) if is_due else at + timedelta(days=1 + i % 9)
    case = Case(
        case_no=f"AS{i:08d}",
        shop_id=order.shop_id,
        order=order,
        kind=kind,
        remedy=usual_remedy(kind),
        state=state,
        reason=reason,
        responsible=reason.responsible,
        goods="not_received" if kind in ("refund_unshipped", "refund_in_transit") else "received",
        applied_at=began,
        moved_at=began,
        amount_requested=Decimal("50.00") if _is_money(i) else ZERO,
        amount_approved=Decimal("50.00") if _is_money(i) and state != S.APPLIED else None,
        freight_approved=ZERO if _is_money(i) and state != S.APPLIED else None,
        clock_started_at=began,
        clock_on=SIDES.get(state, "buyer"),
        due_at=due_at,
        wake_at=due_at,
        text="杯子碎了，请尽快处理",
    )
    assert state not in TERMINAL
    case.on_expiry = expiry_of(case)
    move = Move(case, OPENING["adopt"], Actor.sheet(), began)
    move.before = {"state": "", "version": 0}
    return move


def _heads(moves: list[Move]) -> None:
    from cases.flow import writing  # noqa: PLC0415

    fields = [Case._meta.get_field(n) for n in ("seq", "head", "version")]
    values = [(m.subject.seq, m.subject.head, m.subject.version) for m in moves]
    writing.update_rows(
        Case,
        fields,
        [
            [m.subject.pk, *writing.values_for(fields, list(v))]
            for m, v in zip(moves, values, strict=True)
        ],
    )
