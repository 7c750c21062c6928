"""A shop with staff and orders, and the commands as a script would call them."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group, User
from django.core.management import call_command

from cases.models import Membership, Order, OrderLine, OrderStatus, Payment, Role, Shop
from cases.seeding import seed

ZONE = ZoneInfo("Asia/Shanghai")
DAY1 = datetime(2026, 3, 1, 10, 0, tzinfo=ZONE)


def at(day: int, hour: int = 10, minute: int = 0) -> str:
    """A moment in March 2026, Shanghai, as an option takes it."""
    return datetime(2026, 3, day, hour, minute, tzinfo=ZONE).isoformat()


def make_staff(*shops: Shop) -> None:
    """One person per role, who belongs to these shops."""
    for role in Role.values:
        user = User.objects.create(username=role, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        for shop in shops:
            Membership.objects.create(shop=shop, user=user)


def open_shop(code: str = "s1", platform: str = "taobao") -> Shop:
    return Shop.objects.create(code=code, name=code, platform=platform)


def open_office() -> Shop:
    """Reference data, one shop, one person per role and a second supervisor."""
    seed()
    shop = open_shop()
    make_staff(shop)
    other = User.objects.create(username="supervisor2", is_staff=True)
    other.groups.add(Group.objects.get(name="supervisor"))
    Membership.objects.create(shop=shop, user=other)
    return shop


def sell(
    shop: Shop,
    order_no: str = "E1",
    *,
    lines: tuple[tuple[int, str], ...] = ((2, "200.00"),),
    freight: str = "10.00",
    status: str = OrderStatus.SIGNED,
    category: str = "general",
) -> Order:
    """An order paid on 1 March, shipped on the 2nd, signed on the 4th if ``status`` says so."""
    total = sum((Decimal(amount) for _pieces, amount in lines), Decimal(freight))
    shipped = status not in (OrderStatus.UNPAID, OrderStatus.PAID)
    signed = status in (OrderStatus.SIGNED, OrderStatus.FINISHED)
    order = Order.objects.create(
        shop=shop,
        platform=shop.platform,
        order_no=order_no,
        status=status,
        paid_amount=total,
        freight_paid=Decimal(freight),
        ordered_at=DAY1,
        paid_at=None if status == OrderStatus.UNPAID else DAY1,
        shipped_at=DAY1 + timedelta(days=1) if shipped else None,
        waybill="SF100" if shipped else "",
        courier="SF" if shipped else "",
        signed_at=DAY1 + timedelta(days=3) if signed else None,
        finished_at=DAY1 + timedelta(days=13) if status == OrderStatus.FINISHED else None,
    )
    for number, (pieces, amount) in enumerate(lines, start=1):
        OrderLine.objects.create(
            order=order,
            line_no=number,
            sub_order_no=f"{order_no}-S{number}",
            sku=f"SKU{number}",
            title=f"Cup {number}",
            quantity=pieces,
            paid_amount=Decimal(amount),
            category=category,
        )
    if status != OrderStatus.UNPAID:
        Payment.objects.create(order=order, number="P1", amount=total, paid_at=DAY1)
    return order


def run(*words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of a command."""
    out = StringIO()
    code = 0
    try:
        call_command(*words, stdout=out, stderr=StringIO())
    except SystemExit as end:
        code = int(end.code or 0)
    return code, json.loads(out.getvalue().splitlines()[-1])


def do(*words: str) -> dict[str, Any]:
    """The result of ``do``, which must have been done."""
    code, result = run("do", *words)
    assert code == 0, result
    return result


def refused(*words: str) -> dict[str, Any]:
    """The refusal of ``do``, which must have been refused."""
    code, result = run("do", *words)
    assert code == 2, result
    assert set(result) == {"refused", "code"}
    return result


def apply_for(order: Order, kind: str, reason: str, *lines: str, day: int = 5, **more: str) -> str:
    """Open a case as the agent; its number."""
    words = [f"line={line}" for line in lines or ("1:1",)]
    words += [f"kind={kind}", f"reason={reason}", *(f"{k}={v}" for k, v in more.items())]
    shown = do(
        "order", order.order_no, "open_case", "--as", "agent", "--at", at(day), "--set", *words
    )
    return str(shown["case_no"])


class Walk:
    """One case on its way: each call is one ``do``; the result is the case as shown."""

    def __init__(self, case_no: str) -> None:
        self.case_no = case_no
        self.day = 6
        self.shown: dict[str, Any] = {}

    def __call__(self, verb: str, who: str = "agent", **inputs: str) -> dict[str, Any]:
        words = ["case", self.case_no, verb, "--at", at(self.day), "--as", who]
        if inputs:
            words += ["--set", *(f"{k}={v}" for k, v in inputs.items())]
        self.shown = do(*words)
        self.day += 1
        return self.shown

    @property
    def verbs(self) -> list[str]:
        return [event["verb"] for event in self.shown["events"]]
