"""The invented world: every buyer, order and case of the demo, the same again for the same seed.

Pure: no database, no clock. Times are aware, in Asia/Shanghai; money is Decimal yuan.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from config.demo import goods as tables
from config.demo.goods import DemoShop, Goods
from config.demo.plan import WISHES, Wish

ZONE = ZoneInfo("Asia/Shanghai")
CENT = Decimal("0.01")
NOTHING = Decimal("0.00")
#: How many orders each shop has in all, those with cases included.
ORDERS_PER_SHOP = {"yunzhi": 130, "jizhou": 100, "shanye": 70}


@dataclass(frozen=True, slots=True)
class Buyer:
    """An invented person; the phone is of a block that is not given out."""

    nick: str
    name: str
    phone: str
    province: str
    city: str
    district: str
    street: str
    detail: str

    @property
    def address(self) -> str:
        return " ".join((self.province, self.city, self.district, self.street, self.detail))


@dataclass(frozen=True, slots=True)
class DemoLine:
    """One order line; `paid` is what was really paid for all pieces of it."""

    line_no: int
    sub_order_no: str
    product_id: str
    goods: Goods
    quantity: int
    discount: Decimal
    paid: Decimal
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """One order with its times; `refunded` is what the platform's report shows as refunded."""

    shop: DemoShop
    order_no: str
    payment_no: str
    buyer: Buyer
    lines: tuple[DemoLine, ...]
    freight: Decimal
    status: str
    ordered_at: datetime
    paid_at: datetime | None = None
    ship_by: datetime | None = None
    shipped_at: datetime | None = None
    promised_arrival: datetime | None = None
    signed_at: datetime | None = None
    finished_at: datetime | None = None
    courier: str = ""
    waybill: str = ""
    named_courier: str = ""
    refunded: Decimal = NOTHING
    buyer_note: str = ""
    seller_note: str = ""

    @property
    def goods_total(self) -> Decimal:
        return sum((line.paid for line in self.lines), NOTHING)

    @property
    def total(self) -> Decimal:
        return self.goods_total + self.freight


@dataclass(frozen=True, slots=True)
class DemoCase:
    """One application of a buyer as the platform's report shows it."""

    wish: Wish
    case_no: str
    order: DemoOrder
    line: DemoLine
    amount: Decimal
    applied_at: datetime
    due_at: datetime | None = None
    ended_at: datetime | None = None
    courier: str = ""
    waybill: str = ""
    sent_back_at: datetime | None = None


@dataclass(slots=True)
class World:
    """All of it, in the order in which the sheets are written."""

    moment: datetime
    orders: list[DemoOrder] = field(default_factory=list)
    cases: list[DemoCase] = field(default_factory=list)

    def orders_of(self, shop: str) -> list[DemoOrder]:
        return [order for order in self.orders if order.shop.code == shop]

    def cases_of(self, shop: str) -> list[DemoCase]:
        return [case for case in self.cases if case.order.shop.code == shop]


def share_out(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split `total` to the cent by weight, the largest remainders taking the odd cents."""
    whole = sum(weights, NOTHING)
    exact = [total * weight / whole for weight in weights]
    floors = [part.quantize(CENT, rounding="ROUND_DOWN") for part in exact]
    missing = int((total - sum(floors, NOTHING)) / CENT)
    by_remainder = sorted(range(len(exact)), key=lambda n: (floors[n] - exact[n], n))
    for n in by_remainder[:missing]:
        floors[n] += CENT
    return floors


class Maker:
    """Draws the world piece by piece from one seeded source."""

    def __init__(self, moment: datetime, seed: int) -> None:
        self.moment = moment.astimezone(ZONE).replace(second=0, microsecond=0)
        # A demo must repeat itself; nothing here is a secret.
        self.dice = random.Random(seed)  # noqa: S311
        self.used: set[str] = set()
        self.buyers = 0

    def number(self, head: str, digits: int) -> str:
        """A number never given before, `digits` long, beginning with `head`."""
        while True:
            tail = "".join(self.dice.choices("0123456789", k=digits - len(head)))
            if head + tail not in self.used:
                self.used.add(head + tail)
                return head + tail

    def buyer(self) -> Buyer:
        dice = self.dice
        self.buyers += 1
        place = dice.choice(tables.PLACES)
        detail = (
            f"{dice.choice(tables.ROADS)}{dice.randint(2, 388)}号"
            f"{dice.choice(tables.HOMES)}{dice.randint(1, 28)}幢"
            f"{dice.randint(1, 26)}0{dice.randint(1, 4)}室"
        )
        return Buyer(
            f"{dice.choice(tables.NICK_HEADS)}{dice.randint(10, 9999)}",
            dice.choice(tables.SURNAMES) + dice.choice(tables.GIVEN),
            f"1990000{self.buyers:04d}",
            *place,
            detail,
        )

    def lines(
        self, shop: DemoShop, order_no: str, basket: Sequence[tuple[Goods, int]], off: Decimal
    ) -> tuple[DemoLine, ...]:
        """The order's lines; `off`, the discount on the whole, is split to the cent over them."""
        gross = [article.price * quantity for article, quantity in basket]
        paid = share_out(sum(gross, NOTHING) - off, gross)
        lines = []
        for n, ((article, quantity), full, net) in enumerate(zip(basket, gross, paid, strict=True)):
            serials = tuple(
                article.serial_prefix + self.number("26", 9)
                for _ in range(quantity if article.serial_prefix else 0)
            )
            sub = order_no if n == 0 else self.number(order_no[:4], len(order_no))
            product = f"{70 + tables.SHOPS.index(shop)}{shop.goods.index(article):010d}"
            lines.append(DemoLine(n + 1, sub, product, article, quantity, full - net, net, serials))
        return tuple(lines)

    def order(
        self, shop: DemoShop, basket: Sequence[tuple[Goods, int]], *, shipped_free: bool = False
    ) -> DemoOrder:
        """An unpaid order without times: who bought what, for how much."""
        dice = self.dice
        head, digits = {"tmall": ("351", 19), "douyin": ("692", 19), "jd": ("3028", 12)}[
            shop.platform
        ]
        order_no = self.number(head, digits)
        gross = sum((article.price * quantity for article, quantity in basket), NOTHING)
        off = dice.choice((NOTHING, NOTHING, gross * Decimal("0.05"), gross // 100 * 8))
        off = off.quantize(CENT, rounding=ROUND_HALF_UP)
        lines = self.lines(shop, order_no, basket, off)
        free = shipped_free or gross - off >= shop.free_from
        return DemoOrder(
            shop=shop,
            order_no=order_no,
            payment_no=self.number("2026", 28),
            buyer=self.buyer(),
            lines=lines,
            freight=NOTHING if free else shop.freight,
            status="unpaid",
            ordered_at=self.moment,
            buyer_note=dice.choice(tables.BUYER_NOTES),
            seller_note=dice.choice(tables.SELLER_NOTES),
        )

    def basket(self, shop: DemoShop) -> list[tuple[Goods, int]]:
        count = self.dice.choices((1, 2, 3), weights=(70, 22, 8))[0]
        return [
            (article, 1 if article.price > 300 else self.dice.choices((1, 2, 3), (80, 15, 5))[0])
            for article in self.dice.sample(shop.goods, count)
        ]

    def timed(
        self, order: DemoOrder, ordered_at: datetime, upto: str, latest: datetime
    ) -> DemoOrder:
        """Let the order's life run from `ordered_at` to the stage `upto`, not past `latest`."""
        dice = self.dice
        if upto == "unpaid":
            return replace(order, status=upto, ordered_at=ordered_at)
        gaps = {
            "paid_at": timedelta(minutes=dice.randint(1, 25)),
            "shipped_at": timedelta(hours=dice.randint(5, 30), minutes=dice.randint(0, 59)),
            "signed_at": timedelta(hours=dice.randint(30, 80), minutes=dice.randint(0, 59)),
            "finished_at": timedelta(hours=dice.randint(20, 150), minutes=dice.randint(0, 59)),
        }
        names = list(gaps)[: ("paid", "shipped", "signed", "finished").index(upto) + 1]
        room = latest - ordered_at
        needed = sum((gaps[name] for name in names), timedelta())
        scale = min(1.0, room / needed)
        times, at = {}, ordered_at
        for name in names:
            at += timedelta(minutes=int(gaps[name] * scale / timedelta(minutes=1)))
            times[name] = at
        courier = dice.choice(tables.COURIERS)
        paid_at = times["paid_at"]
        order = replace(
            order,
            status=upto,
            ordered_at=ordered_at,
            paid_at=paid_at,
            shipped_at=times.get("shipped_at"),
            signed_at=times.get("signed_at"),
            finished_at=times.get("finished_at"),
            ship_by=paid_at + timedelta(hours=48),
            promised_arrival=paid_at + timedelta(days=5),
            named_courier=dice.choice(("", "", "", "顺丰速运")),
        )
        if "shipped_at" in times:
            waybill = self.number(tables.WAYBILL_HEADS[courier], 15)
            order = replace(order, courier=courier, waybill=waybill)
        return order

    def plain_order(self, shop: DemoShop) -> DemoOrder:
        """An order nobody complains about, at a stage that fits its age."""
        dice = self.dice
        # More of yesterday's than of last month's: a shop that grows.
        age = timedelta(minutes=40 + int(45 * 24 * 60 * dice.random() ** 1.8))
        order = self.order(shop, self.basket(shop))
        ordered_at = self.moment - age
        if dice.random() < 0.05:
            return replace(order, status="closed", ordered_at=ordered_at)
        days = age / timedelta(days=1)
        if days < 1 and dice.random() < 0.5:
            upto = "unpaid"
        elif days < 1.5:
            upto = "paid"
        elif days < 5:
            upto = "shipped"
        elif days < 11:
            upto = dice.choice(("signed", "finished"))
        else:
            upto = "finished"
        order = self.timed(order, ordered_at, upto, self.moment - timedelta(minutes=5))
        if upto == "finished" and shop.platform == "tmall" and dice.random() < 0.06:
            # Refunded on the platform, and no case in our sheets explains it.
            refund = (order.goods_total * Decimal("0.1")).quantize(CENT, rounding=ROUND_HALF_UP)
            order = replace(order, refunded=refund)
        return order

    def case(self, wish: Wish) -> DemoCase:
        """The order that the wished-for case needs, and the case on its first line."""
        shop = next(shop for shop in tables.SHOPS if shop.code == wish.shop)
        article = next(article for article in shop.goods if article.sku == wish.goods)
        basket = [(article, wish.bought)]
        if self.dice.random() < 0.25 and wish.state == "applied":
            other = self.dice.choice([item for item in shop.goods if item is not article])
            basket.append((other, 1))
        # One refund figure must be all goods, so what a report refunds was shipped free.
        order = self.order(shop, basket, shipped_free=wish.kind.startswith("refund_un"))
        applied = self.moment - timedelta(minutes=int(wish.applied * 60))
        order = self._life_before(order, wish, applied)
        line = order.lines[0]
        amount = NOTHING
        if wish.kind.startswith("refund") or wish.kind == "return_refund":
            share = wish.part * wish.quantity / line.quantity
            amount = (line.paid * share).quantize(CENT, rounding=ROUND_HALF_UP)
        head, digits = {"tmall": ("2298", 18), "douyin": ("1427", 19), "jd": ("SYSH26", 14)}[
            shop.platform
        ]
        case = DemoCase(wish, self.number(head, digits), order, line, amount, applied)
        if wish.due is not None:
            case = replace(case, due_at=self.moment + timedelta(minutes=int(wish.due * 60)))
        return self._brought_further(case)

    def _life_before(self, order: DemoOrder, wish: Wish, applied: datetime) -> DemoOrder:
        hours = self.dice.randint
        if wish.kind == "refund_unshipped":
            return self.timed(order, applied - timedelta(hours=hours(3, 60)), "paid", applied)
        if wish.kind == "refund_in_transit":
            before = timedelta(hours=hours(60, 110))
            return self.timed(order, applied - before, "shipped", applied - timedelta(hours=20))
        signed = applied - timedelta(hours=hours(10, 60), minutes=hours(0, 59))
        order = self.timed(order, signed - timedelta(hours=hours(60, 120)), "signed", signed)
        finished = signed + timedelta(hours=hours(6, 40))
        if finished < applied and self.dice.random() < 0.5:
            order = replace(order, status="finished", finished_at=finished)
        return order

    def _brought_further(self, case: DemoCase) -> DemoCase:
        """What the platform's report already shows beyond the application."""
        state, order = case.wish.state, case.order
        if state == "applied":
            return case
        kind, applied = case.wish.kind, case.applied_at
        if state in {"refunded", "closed", "done"}:
            case = replace(case, ended_at=applied + timedelta(hours=self.dice.randint(8, 60)))
        goods_moved = kind in {"return_refund", "exchange", "repair"}
        if goods_moved and state not in {"awaiting_return", "refused", "closed"}:
            courier = self.dice.choice(tables.COURIERS)
            case = replace(
                case,
                courier=courier,
                waybill=self.number(tables.WAYBILL_HEADS[courier], 15),
                sent_back_at=applied + timedelta(hours=self.dice.randint(6, 8)),
            )
        if state == "refunded":
            status = "closed" if case.amount == order.total else order.status
            finished = order.finished_at if status == "closed" else case.ended_at
            order = replace(order, refunded=case.amount, status=status, finished_at=finished)
            if status != "closed":
                order = replace(order, status="finished")
        return replace(case, order=order)


def make_world(moment: datetime, seed: int) -> World:
    """All orders and cases of the demo, as they stand at `moment` (aware)."""
    maker = Maker(moment, seed)
    world = World(maker.moment)
    world.cases = [maker.case(wish) for wish in WISHES]
    taken = {case.order.order_no: case.order for case in world.cases}
    for shop in tables.SHOPS:
        mine = [order for order in taken.values() if order.shop is shop]
        rest = ORDERS_PER_SHOP[shop.code] - len(mine)
        mine += [maker.plain_order(shop) for _ in range(rest)]
        world.orders += sorted(mine, key=lambda order: (order.ordered_at, order.order_no))
    return world
