"""The least that a test needs: reference data, a shop with its people, orders, cases in any state.

Everything a case goes through on its way to a state goes through the door, as it does in the
office. Business time is explicit and far from today: nothing here reads the wall clock.
"""

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any

import factory
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Count, Max
from PIL import Image

from cases import verbs
from cases.files import SafeFile, inspect
from cases.flow.door import Actor, Refused, perform
from cases.models import (
    Case,
    ClockPolicy,
    Membership,
    Order,
    OrderLine,
    Payment,
    Reason,
    RefusalReason,
    RoleLimit,
    Shop,
    Window,
)
from cases.seeding import roles, writer

#: A Monday, 10:00 in Shanghai.
T0 = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_numbers = count(1)


class ShopFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Shop

    code = factory.Sequence(lambda n: f"shop{n}")
    name = factory.LazyAttribute(lambda o: o.code)
    platform = "taobao"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")

    @factory.post_generation
    def role(self, create, extracted, **kwargs):
        if extracted:
            self.groups.add(Group.objects.get(name=extracted))

    @factory.post_generation
    def shop(self, create, extracted, **kwargs):
        if extracted:
            Membership.objects.create(user=self, shop=extracted)


class OrderFactory(factory.django.DjangoModelFactory):
    """Signed for, not yet confirmed; the lines and payments are the caller's (paid_order)."""

    class Meta:
        model = Order

    shop = factory.SubFactory(ShopFactory)
    platform = factory.LazyAttribute(lambda o: o.shop.platform)
    order_no = factory.Sequence(lambda n: f"T{n:06}")
    status = "signed"
    paid_at = T0 - 5 * DAY
    shipped_at = T0 - 4 * DAY
    signed_at = T0 - 2 * DAY
    courier = "SF"
    waybill = factory.Sequence(lambda n: f"SFOUT{n}")


#: Who works in the house, beside the outsider who belongs to another shop.
STAFF = {
    "agent": "agent",
    "agent2": "agent",
    "lead": "lead",
    "lead2": "lead",
    "warehouse": "warehouse",
    "finance": "finance",
    "supervisor": "supervisor",
    "supervisor2": "supervisor",
    "auditor": "auditor",
}
_SEEDED = (Group, Group.permissions.through, Reason, RefusalReason, ClockPolicy, Window, RoleLimit)
_PEOPLE = (Shop, User, User.groups.through, Membership)
_kept: dict[str, list[tuple[Any, list[Any]]]] = {}


def reference_data() -> None:
    """What ``seed`` writes and the lifecycle reads; the same rows again are quick to put in."""
    for write in (
        roles.seed_roles,
        writer._reasons,
        writer._refusals,
        writer._clocks,
        writer._windows,
        writer._role_limits,
    ):
        write()


def _people() -> None:
    shop = ShopFactory(code="shop", platform="taobao")
    for username, role in STAFF.items():
        UserFactory(username=username, role=role, shop=shop)
    UserFactory(username="outsider", role="agent", shop=ShopFactory(code="elsewhere"))
    UserFactory(username="boss", is_superuser=True)


def furnished() -> "House":
    """Reference data, a shop and its people; written by the seed once, copied afterwards."""
    mark = str(sorted(Permission.objects.aggregate(Max("pk"), Count("pk")).items()))
    if mark not in _kept:
        reference_data()
        _people()
        _kept[mark] = [(m, list(m._default_manager.order_by("pk"))) for m in _SEEDED + _PEOPLE]
        _house.cache_clear()
    else:
        for model, rows in _kept[mark]:
            model._default_manager.bulk_create(rows)
    return _house(mark)


@cache
def _house(mark: str) -> "House":
    people = {u.username: u for u in User.objects.all()}
    return House(Shop.objects.get(code="shop"), people)


@cache
def picture() -> SafeFile:
    """A picture that came in by the front door."""
    out = io.BytesIO()
    Image.new("RGB", (4, 4), "white").save(out, "PNG")
    return inspect(out, name="proof.png")


REASONS = {
    "refund_unshipped": "not_wanted",
    "refund_in_transit": "not_wanted",
    "refund_received": "freight_refund",
    "return_refund": "not_wanted",
    "exchange": "not_wanted",
    "repair": "agreed",
    "resend": "agreed",
}


@dataclass
class House:
    """A shop, its people, and short words for what they do. ``act`` goes through the door."""

    shop: Shop
    users: dict[str, User]

    def actor(self, name: str) -> Actor:
        """``clock`` and ``platform`` are no people."""
        if name == "clock":
            return Actor.system()
        if name == "platform":
            return Actor.sheet()
        return Actor.person(self.users[name], "test")

    def paid_order(
        self,
        *lines: tuple[int, str],
        freight: str = "10.00",
        payments: tuple[str, ...] = (),
        **fields: Any,
    ) -> Order:
        """``lines``: (pieces, yuan paid for all of them); one payment of everything by default."""
        lines = lines or ((2, "100.00"),)
        goods = sum(Decimal(paid) for _n, paid in lines)
        total = goods + Decimal(freight)
        category = fields.pop("category", "general")
        if fields.get("shipped_at", T0) is None:
            fields = {"signed_at": None, "status": "paid", "courier": "", "waybill": "", **fields}
        order = OrderFactory(
            **{
                "shop": self.shop,
                "paid_amount": total,
                "freight_paid": Decimal(freight),
                **fields,
            }
        )
        for number, (pieces, paid) in enumerate(lines, start=1):
            OrderLine.objects.create(
                order=order,
                line_no=number,
                quantity=pieces,
                paid_amount=Decimal(paid),
                category=category,
            )
        for number, amount in enumerate(payments or (str(total),), start=1):
            Payment.objects.create(order=order, number=f"p{number}", amount=Decimal(amount))
        return order

    def order_for(self, kind: str, *lines: tuple[int, str], **fields: Any) -> Order:
        """An order on which a case of that kind can be opened."""
        if kind == "refund_unshipped":
            fields = {"shipped_at": None, **fields}
        elif kind == "refund_in_transit":
            fields = {"signed_at": None, "status": "shipped", **fields}
        return self.paid_order(*lines, **fields)

    def opened(
        self,
        kind: str = "return_refund",
        order: Order | None = None,
        *,
        by: str = "agent",
        reason: str = "",
        lines: tuple[tuple[int, int], ...] = (),
        at: datetime = T0,
        **inputs: Any,
    ) -> Case:
        """A fresh case; on all pieces of a new order unless order or lines are named."""
        order = order or self.order_for(kind)
        chosen = list(lines) or [(x.line_no, x.quantity_left) for x in order.lines.all()]
        return verbs.open_case(
            self.actor(by),
            order,
            kind=kind,
            reason=Reason.objects.get(code=reason or REASONS[kind]),
            lines=chosen,
            at=at,
            **inputs,
        )

    def act(
        self, case: Case, step: str, by: str = "agent", *, at: datetime | None = None, **inputs: Any
    ) -> Case:
        """One step, an hour after the last one unless ``at`` says otherwise."""
        moment = at or case.moved_at + HOUR
        info = getattr(Case, step)
        return perform(self.actor(by), case, info, at=moment, **inputs)

    def refused(self, case: Case, step: str, by: str = "agent", **inputs: Any) -> Refused:
        """The refusal of a step that must be refused."""
        try:
            self.act(case, step, by, **inputs)
        except Refused as refusal:
            return refusal
        raise AssertionError(f"{step} was not refused")

    def refused_to_open(self, *args: Any, **kwargs: Any) -> Refused:
        try:
            self.opened(*args, **kwargs)
        except Refused as refusal:
            return refusal
        raise AssertionError("the case was opened")

    def refusal_reason(self, code: str = "other") -> RefusalReason:
        return RefusalReason.objects.get(code=code)

    def case_in(self, state: str, kind: str = "", **opening: Any) -> Case:
        """A case in that state, brought there by the people whose work it is."""
        kind = kind or USUAL_KIND.get(state, "return_refund")
        if state == "awaiting_approval" and "order" not in opening:
            opening["order"] = self.order_for(kind, (2, "800.00"))
        return self.walk(self.opened(kind, **opening), *path_to(state, kind))

    def walk(self, case: Case, *steps: tuple[str, str, dict[str, Any]]) -> Case:
        """Step after step: (step, by, inputs)."""
        for step, by, inputs in steps:
            given = {k: v(self) if callable(v) else v for k, v in inputs.items()}
            case = self.act(case, step, by, **given)
        return case


#: The kind by which a state is most simply reached.
USUAL_KIND = {
    "refunding": "refund_received",
    "intercepting": "refund_in_transit",
    "diagnosing": "repair",
    "repairing": "repair",
    "quality_check": "repair",
    "awaiting_dispatch": "exchange",
    "awaiting_receipt": "exchange",
    "completed": "refund_received",
}
_PARCEL = {"courier": "SF", "waybill": "SF1"}
_REFUSE = {"reason": lambda house: house.refusal_reason(), "text": "不符合条件"}

Step = tuple[str, str, dict[str, Any]]
_ACCEPT: Step = ("accept", "lead", {"waiver": "看过"})
_GOODS_IN: tuple[Step, ...] = (
    _ACCEPT,
    ("ship_back", "agent", _PARCEL),
    ("receive", "warehouse", {}),
)
_REPAIRED: tuple[Step, ...] = (*_GOODS_IN, ("start_repair", "warehouse", {"vendor": "V"}))


def path_to(state: str, kind: str) -> tuple[Step, ...]:
    """The steps from a fresh case to that state."""
    paths: dict[str, tuple[Step, ...]] = {
        "applied": (),
        "negotiating": (("propose", "agent", {"amount": Decimal("10.00"), "remedy": "refund"}),),
        "refused": (("refuse", "agent", _REFUSE),),
        "intercepting": (("intercept", "agent", {}),),
        "awaiting_return": (_ACCEPT,),
        "returning": _GOODS_IN[:2],
        "inspecting": _GOODS_IN,
        "diagnosing": (
            *_GOODS_IN,
            ("send_for_diagnosis", "warehouse", {"place": "service_point", "vendor": "V"}),
        ),
        "repairing": _REPAIRED,
        "quality_check": (*_REPAIRED, ("finish_repair", "warehouse", {})),
        "awaiting_dispatch": _to_dispatch(kind),
        "awaiting_receipt": (*_to_dispatch(kind), ("dispatch", "warehouse", _PARCEL)),
        "awaiting_approval": (("accept", "agent", {"waiver": "看过"}),),
        "refunding": _to_refund(kind),
        "mediating": (("request_mediation", "agent", {"party": "buyer"}),),
        "closed": (("withdraw", "agent", {}),),
    }
    if state == "completed":
        if kind in ("exchange", "repair", "resend"):
            return (*paths["awaiting_receipt"], ("confirm_receipt", "agent", {}))
        return (*paths["refunding"], ("pay", "finance", {"reference": "R1"}))
    return paths[state]


def _to_dispatch(kind: str) -> tuple[Step, ...]:
    if kind == "resend":
        return (_ACCEPT,)
    if kind == "repair":
        return (
            *_REPAIRED,
            ("finish_repair", "warehouse", {}),
            ("pass_quality_check", "warehouse", {}),
        )
    return (*_GOODS_IN, ("pass_inspection", "warehouse", {}))


def _to_refund(kind: str) -> tuple[Step, ...]:
    if kind == "return_refund":
        return (*_GOODS_IN, ("pass_inspection", "warehouse", {}))
    if kind in ("exchange", "repair", "resend"):
        return (("convert", "lead", {"remedy": "refund"}),)
    return (_ACCEPT,)
