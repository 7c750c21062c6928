"""An office with two shops for the admin's tests: people of every role, orders, cases, files."""

import io
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.test import Client
from django.utils import timezone
from PIL import Image

from cases import verbs
from cases.differences import Telling, hear
from cases.files import inspect
from cases.flow.door import Actor, perform
from cases.models import (
    Case,
    Membership,
    Order,
    OrderLine,
    Payment,
    PlatformRecord,
    Reason,
    ReturnAddress,
    Shop,
)
from cases.privacy import phone_hash, phone_tail_hash
from cases.seeding import seed

PHONE = "13812345678"
ROLES = ("agent", "lead", "warehouse", "finance", "supervisor", "auditor")


@dataclass
class Office:
    """Shop A with its people, shop B with one agent of its own."""

    a: Shop
    b: Shop
    people: dict[str, User]
    stranger: User

    def client(self, role: str) -> Client:
        client = Client()
        client.force_login(self.stranger if role == "stranger" else self.people[role])
        return client


def office() -> Office:
    seed()
    a = Shop.objects.create(code="a", name="甲店", platform="taobao")
    b = Shop.objects.create(code="b", name="乙店", platform="douyin")
    people = {role: staff(role, role, a) for role in ROLES}
    stranger = staff("stranger", "supervisor", b)
    ReturnAddress.objects.create(
        shop=a, name="李收", phone="021-55556666", address="上海市嘉定区一号仓", default=True
    )
    return Office(a, b, people, stranger)


def staff(name: str, role: str, shop: Shop) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    Membership.objects.create(shop=shop, user=user)
    return user


def order(shop: Shop, number: str, *, lines: int = 1, status: str = "signed", **more: Any) -> Order:
    now = timezone.now()
    phone = more.pop("phone", PHONE)
    row = Order.objects.create(
        shop=shop,
        platform=shop.platform,
        order_no=number,
        status=status,
        paid_amount=Decimal(110) * lines + 10,
        freight_paid=Decimal(10),
        ordered_at=now - timedelta(days=6),
        paid_at=now - timedelta(days=6),
        shipped_at=None if status == "paid" else now - timedelta(days=5),
        signed_at=now - timedelta(days=2) if status == "signed" else None,
        courier="顺丰速运",
        waybill=f"SF{number}",
        buyer=f"nick_{number}",
        receiver="张三丰",
        phone=phone,
        phone_hash=phone_hash(phone),
        phone_tail=phone_tail_hash(phone),
        address="浙江省杭州市西湖区文三路 90 号 3 幢",
        **more,
    )
    for n in range(1, lines + 1):
        OrderLine.objects.create(
            order=row,
            line_no=n,
            sku=f"SKU-{n}",
            title=f"纯棉短袖 T 恤 第 {n} 款",
            quantity=2,
            paid_amount=Decimal(110),
            serials=f"SN{number}{n}",
        )
    Payment.objects.create(
        order=row, number=f"PAY{number}", method="支付宝", amount=row.paid_amount, paid_at=now
    )
    return row


def case(of: Order, *, kind: str = "return_refund", reason: str = "no_reason", **more: Any) -> Case:
    return verbs.open_case(
        Actor.sheet(),
        of,
        kind=kind,
        reason=Reason.objects.get(code=reason),
        lines=[(1, 1)],
        text="尺码不合适，想退。",
        **more,
    )


def refunded_there(of: Order, number: str, amount: str = "50.00", **more: Any) -> PlatformRecord:
    """The platform's sheet says it refunded the buyer."""
    now = timezone.now()
    told = PlatformRecord(
        order=of,
        shop_id=of.shop_id,
        number=number,
        kind="refund_received",
        reason="not_wanted",
        word="退款成功",
        state="completed",
        outcome="refunded",
        requested=Decimal(amount),
        refunded=Decimal(amount),
        applied_at=now - timedelta(days=2),
        ended_at=now - timedelta(hours=2),
        told_at=now - timedelta(hours=2),
        source="taobao",
        **more,
    )
    with transaction.atomic():
        hear([Telling(told)], now)
    return PlatformRecord.objects.get(number=number)


def step(row: Case, name: str, who: User | None = None, /, **inputs: Any) -> Case:
    actor = Actor.person(who, "admin") if who else Actor.sheet()
    return perform(actor, row, getattr(Case, name), **inputs)


def picture() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (240, 160), "#d97706").save(held, "PNG")
    return held.getvalue()


def evidence(row: Case, user: User) -> Case:
    """One checked picture of the buyer's on the case."""
    safe = inspect(io.BytesIO(picture()), name="photo.png")
    return step(row, "add_evidence", user, party="buyer", evidence=[safe])


def all_view_permissions() -> list[Permission]:
    """So that one person can be sent to every list."""
    return list(Permission.objects.filter(codename__startswith="view_"))
