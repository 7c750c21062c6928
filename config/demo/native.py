"""The demo's sheets in our own layout, for the shop whose platform has no own one here."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from config.demo import layouts
from config.demo.files import Cells, write_native, yuan
from config.demo.world import ZONE, DemoCase, DemoOrder

#: Our states, where the plan speaks of what a platform has done.
STATES = {"refunded": "completed", "done": "completed"}


def _iso(moment: datetime | None) -> str:
    return moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") if moment else ""


def _order_rows(order: DemoOrder) -> Iterator[Cells]:
    buyer = order.buyer
    for line in order.lines:
        yield {
            "shop": order.shop.code,
            "platform": order.shop.platform,
            "order_no": order.order_no,
            "line_no": str(line.line_no),
            "sku": line.goods.sku,
            "title": f"{line.goods.title} {line.goods.spec}",
            "category": line.goods.category,
            "serials": ";".join(line.serials),
            "quantity": str(line.quantity),
            "unit_price": yuan(line.goods.price),
            "discount": yuan(line.discount),
            "paid_amount": yuan(line.paid),
            "freight_paid": yuan(order.freight),
            "ordered_at": _iso(order.ordered_at),
            "paid_at": _iso(order.paid_at),
            "ship_by": _iso(order.ship_by),
            "shipped_at": _iso(order.shipped_at),
            "courier": order.courier,
            "waybill": order.waybill,
            "named_courier": order.named_courier,
            "promised_arrival": _iso(order.promised_arrival),
            "signed_at": _iso(order.signed_at),
            "finished_at": _iso(order.finished_at),
            "status": order.status,
            "buyer": buyer.nick,
            "receiver": buyer.name,
            "phone": buyer.phone,
            "address": buyer.address,
            "shipped_free": "no" if order.freight else "yes",
            "promises": ";".join(line.goods.promises),
        }


def _case_row(case: DemoCase) -> Cells:
    wish = case.wish
    return {
        "case_no": case.case_no,
        "shop": case.order.shop.code,
        "order_no": case.order.order_no,
        "line_no": str(case.line.line_no),
        "quantity": str(wish.quantity),
        "kind": wish.kind,
        "reason": wish.reason,
        "amount": yuan(case.amount) if case.amount else "",
        "applied_at": _iso(case.applied_at),
        "platform_due_at": _iso(case.due_at),
        "state": STATES.get(wish.state, wish.state),
        "text": wish.text,
        "courier": case.courier,
        "waybill": case.waybill,
    }


def write_orders(path: Path, orders: list[DemoOrder]) -> None:
    rows = (row for order in orders for row in _order_rows(order))
    write_native(path, layouts.NATIVE_ORDERS, rows)


def write_cases(path: Path, cases: list[DemoCase]) -> None:
    write_native(path, layouts.NATIVE_CASES, map(_case_row, cases))
