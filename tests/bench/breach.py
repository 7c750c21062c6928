"""Finding broken promises: of all orders a twentieth was sent too late, or not to this day.

Ours is what the beat calls. Stock is the loop a user would write with the ORM: line by line,
a get_or_create for each breach. The floor is one INSERT … SELECT without rules, working or a memory
of what was looked at. All must find exactly the same lines with the same amounts.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from cases.models import Order, OrderLine, Payment, Shop
from cases.models.money import cents
from promises.breaches.finding import find, watch
from promises.models import Breach, Term
from tests.bench import stand

CHUNK = 2_000
EVERY = 20
HOURS = timedelta(hours=48)


def run(rows: int, database: str) -> Iterator[dict[str, Any]]:
    """``rows`` orders of one line each."""
    now = timezone.now().replace(microsecond=0)
    stand.in_child(fill, rows, now.isoformat())
    stand.keep(database)
    yield from stand.in_turn(
        "breach",
        database,
        {
            "ours": lambda: ours(now, rows),
            "stock": lambda: stock(now),
            "floor": lambda: floor(now, rows),
        },
        same=lambda: outcome(rows),
    )


def fill(rows: int, now: str) -> int:
    at = datetime.fromisoformat(now)
    shops = [
        Shop.objects.create(code=f"b{i}", name=f"店{i}", platform=platform)
        for i, platform in enumerate(("taobao", "douyin", "pdd"))
    ]
    numbers = iter(range(rows))
    while part := list(islice(numbers, CHUNK)):
        with transaction.atomic():
            _chunk(part, at, shops)
    return rows


def _chunk(part: list[int], at: datetime, shops: list[Shop]) -> None:
    orders = Order.objects.bulk_create(_order(i, at, shops[i % len(shops)]) for i in part)
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            line_no=1,
            sku="CUP",
            title="一只杯子",
            paid_amount=order.paid_amount,
            promises="ship_on_time;quality",
        )
        for order in orders
    )
    Payment.objects.bulk_create(
        Payment(order=o, number=f"P{o.order_no}", amount=o.paid_amount, paid_at=o.paid_at)
        for o in orders
    )
    watch(order.pk for order in orders)


def _order(i: int, at: datetime, shop: Shop) -> Order:
    paid = at - timedelta(days=10, seconds=i % 3600)
    is_late = i % EVERY == 0
    sent = None if is_late and i % (2 * EVERY) else paid + HOURS + timedelta(seconds=is_late)
    return Order(
        shop=shop,
        platform=shop.platform,
        order_no=f"L{i:08d}",
        status="shipped" if sent else "paid",
        paid_amount=Decimal(1000 + i * 37 % 99_000).scaleb(-2),
        ordered_at=paid,
        paid_at=paid,
        shipped_at=sent,
        waybill=f"W{i}" if sent else "",
        courier="SF" if sent else "",
    )


def ours(now: datetime, rows: int) -> int:
    counts = find(now)
    assert counts["looked"] == rows, counts
    return counts["looked"]


def stock(now: datetime) -> int:
    """Terms are read once, payments along with the lines: no slower than it must be."""
    term = Term.objects.get(promise="ship_on_time")
    lines = OrderLine.objects.filter(promises__contains="ship_on_time").select_related("order")
    done = 0
    for line in lines.prefetch_related("order__payments").iterator(chunk_size=CHUNK):
        done += 1
        order = line.order
        if order.paid_at is None or not order.payments.all():
            continue
        deadline = line.ship_by or order.ship_by or order.paid_at + HOURS
        if (order.shipped_at or now) <= deadline:
            continue
        amount = min(max(cents(line.paid_amount * 5 / 100), term.floor), term.cap)
        Breach.objects.get_or_create(
            line=line,
            promise="ship_on_time",
            defaults={
                "shop_id": order.shop_id,
                "order": order,
                "term": term,
                "state": "proposed",
                "since": deadline,
                "amount": amount,
                "working": {"base": str(line.paid_amount), "result": str(amount)},
                "found_at": now,
            },
        )
    return done


def floor(now: datetime, rows: int) -> int:
    if connection.vendor == "postgresql":
        later, least, most = "o.paid_at + interval '48 hours'", "GREATEST", "LEAST"
    else:
        later, least, most = "datetime(o.paid_at, '+48 hours')", "MAX", "MIN"
    deadline = f"COALESCE(l.ship_by, o.ship_by, {later})"
    working = json.dumps({"rule": "rate"})
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO promises_breach (shop_id, order_id, line_id, promise, term_id, state, since,
                                         amount, working, missing, found_at, note)
            SELECT o.shop_id, o.id, l.id, 'ship_on_time', t.id, 'proposed', {deadline},
                   {most}({least}((l.paid_amount * 5 + 50) / 100, 100), 3000), %s, '', %s, ''
            FROM cases_orderline l JOIN cases_order o ON o.id = l.order_id
            JOIN promises_term t ON t.promise = 'ship_on_time'
            WHERE l.promises LIKE '%%ship_on_time%%' AND COALESCE(o.shipped_at, %s) > {deadline}
              AND EXISTS (SELECT 1 FROM cases_payment p WHERE p.order_id = o.id)
            """,  # noqa: S608 - constants of this function
            [working, now, now],
        )
    return rows


def outcome(rows: int) -> dict[str, Any]:
    """Exactly every twentieth order, with its amount to the cent."""
    found = Breach.objects.filter(state="proposed", promise="ship_on_time")
    numbers = found.order_by("order__order_no").values_list("order__order_no", flat=True)
    assert list(numbers) == [f"L{i:08d}" for i in range(0, rows, EVERY)]
    sums = found.aggregate(rows=Count("pk"), amount=Sum("amount"))
    return {"rows": sums["rows"], "amount": str(sums["amount"])}


__all__ = ["run"]
