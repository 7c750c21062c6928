"""The demo's invoices sheets: what was issued before the stories, and two reds that name nothing.

An invoice says of each line what the order's line was paid; a special one is a company's.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Final

from stdnum.cn import uscc

from cases.models import Order, OrderLine
from config.demo.files import Cells, day_time, write_native, yuan
from config.demo.telling import awake
from config.demo.world import CENT, World
from invoices.models.invoice import rate_of
from invoices.sheets.native import HEADERS

#: Between the payment and the invoice; whoever complains later has it already.
ISSUED_AFTER: Final = timedelta(hours=20)
_HEADER: Final = [english for _field, english, _chinese in HEADERS]
#: What is not at the usual 13 %.
_RATES: Final = {
    "SY-HNY-500": "0.09",
    "SY-MSH-250": "0.09",
    "SY-ORG-005": "exempt",
    "SY-BEE-008": "exempt",
}
_PRICE: Final = Decimal("0.00000001")
#: Shop → name and region of the seller, as the invoice's number begins.
SELLERS: Final = {
    "yunzhi": ("云织家居（示例）有限公司", "33"),
    "jizhou": ("极昼数码（示例）有限公司", "44"),
    "shanye": ("山野食集（示例）有限公司", "61"),
}
COMPANIES: Final = (
    *("晴川民宿（示例）有限公司", "松针设计（示例）工作室", "白鹭书店（示例）有限公司"),
    *("海棠会务（示例）有限公司", "星河软件（示例）有限公司", "橡树教育（示例）有限公司"),
)
#: Kinds with a code: its digits in front of and behind the region.
_CODES: Final = {
    "paper_special": ("", "00261130"),
    "paper_general": ("0", "002600104"),
    "tax_control_e": ("0", "002600111"),
}


@dataclass(frozen=True, slots=True)
class Blue:
    """One invoice: its shop, and whose order; ``nick`` is the case's story where there is one."""

    nick: str
    shop: str
    kind: str
    used: bool = False


@dataclass(frozen=True, slots=True)
class Company:
    name: str = ""
    tax_no: str = ""


#: On the orders whose cases are told; the followers open what is to be done as the cases move.
OF_CASES: Final = (
    Blue("returned_and_paid", "yunzhi", "digital_general", used=True),
    Blue("ruled_split", "yunzhi", "digital_general"),
    Blue("exchange_ready", "yunzhi", "paper_general"),
    Blue("exchange_late", "yunzhi", "digital_general"),
    Blue("received", "yunzhi", "paper_special"),
    Blue("received_part", "yunzhi", "digital_paper_general"),
    Blue("payout_failed", "jizhou", "digital_special", used=True),
    Blue("exchange_sent", "jizhou", "paper_special"),
    Blue("exchange_ahead", "jizhou", "digital_general"),
    Blue("repairing", "jizhou", "paper_general"),
    Blue("repaired", "jizhou", "paper_general"),
    Blue("repair_done", "jizhou", "paper_general"),
    Blue("quality_check", "jizhou", "digital_general"),
    Blue("ruled_for_buyer", "jizhou", "digital_special"),
    Blue("compensated", "shanye", "digital_general", used=True),
    Blue("to_pay", "shanye", "tax_control_e"),
)
#: On orders nobody complains about; `pieces`: the order has a line of two, `twin`: one of a pair.
OF_OTHERS: Final = (
    Blue("twin", "yunzhi", "digital_special"),
    Blue("twin", "yunzhi", "digital_special"),
    Blue("pieces", "yunzhi", "digital_general", used=True),
    Blue("denied", "yunzhi", "digital_special", used=True),
    Blue("held", "yunzhi", "digital_special", used=True),
    Blue("", "yunzhi", "paper_special"),
    Blue("", "yunzhi", "paper_general"),
    Blue("", "yunzhi", "tax_control_e"),
    *(Blue("", "yunzhi", "digital_general"),) * 4,
    Blue("whole", "jizhou", "tax_control_e"),
    Blue("", "jizhou", "paper_special"),
    Blue("", "jizhou", "digital_paper_general"),
    Blue("", "jizhou", "digital_special"),
    *(Blue("", "jizhou", "digital_general"),) * 2,
    Blue("", "shanye", "paper_general"),
    Blue("", "shanye", "tax_control_e"),
    Blue("", "shanye", "digital_paper_special"),
    *(Blue("", "shanye", "digital_general"),) * 4,
)


def tax_no(dice: random.Random, region: str) -> str:
    """A taxpayer's number nobody has, with the check character that fits it."""
    body = f"91{region}0000MA0" + "".join(dice.choices("0123456789", k=6))
    return body + str(uscc.calc_check_digit(body))


class Writer:
    """Writes the sheets, the same again for the same seed and moment; knows each number by nick."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        # Nothing here is a secret.
        self.dice = random.Random(seed)  # noqa: S311
        self.sellers = {code: tax_no(self.dice, where) for code, (_n, where) in SELLERS.items()}
        self.companies = [Company(name, tax_no(self.dice, "33")) for name in COMPANIES]
        self.numbers: dict[str, str] = {}
        self.twins: list[Order] = []
        self.taken = {case.order.order_no for case in world.cases}
        self.made = 0

    def blue(self, folder: Path) -> list[tuple[Path, str]]:
        """All blue invoices, a sheet per shop: (sheet, shop)."""
        sheets = []
        for code in SELLERS:
            mine = [one for one in (*OF_CASES, *OF_OTHERS) if one.shop == code]
            rows = [row for one in mine for row in self._invoice(one)]
            rows += self._foreign() if code == "jizhou" else []
            path = folder / f"invoices_{code}.csv"
            write_native(path, _HEADER, rows)
            sheets.append((path, code))
        return sheets

    def credits(self, folder: Path, at: datetime) -> tuple[Path, str]:
        """Two reds of one company that name no invoice: either of a pair is meant, or neither."""
        line = self.twins[0].lines.get()
        cells = [self._line_cells(line), {**self._line_cells(line), "title": "窗帘安装服务"}]
        rows = []
        for one in cells:
            minus = {name: f"-{one[name]}" for name in ("quantity", "amount", "tax", "gross")}
            blue = Blue("", "yunzhi", "digital_special")
            rows.append({**self._head(blue, at, self.companies[0]), **one, **minus})
        path = folder / "credits_yunzhi.csv"
        write_native(path, _HEADER, rows)
        return path, "yunzhi"

    def number(self, shop: str, kind: str) -> tuple[str, str]:
        """(code, number) never given before, in the form of the kind."""
        self.made += 1
        region = SELLERS[shop][1]
        if kind in _CODES:
            head, tail = _CODES[kind]
            return head + region + tail, f"{20610000 + self.made * 37}"
        year = f"{self.world.moment:%y}"
        return "", f"{year}{region}2000000{100000000 + self.made * 7919}"

    def _invoice(self, blue: Blue) -> Iterator[Cells]:
        order = self._order(blue)
        self.taken.add(order.order_no)
        special = blue.kind.endswith("special")
        # One platform brings its receivers' names as ciphers.
        buyer = Company("个人" if order.receiver.startswith("#") else order.receiver)
        if blue.nick == "twin":
            self.twins.append(order)
            buyer = self.companies[0]
        elif special:
            buyer = self.dice.choice(self.companies[1:])
        assert order.paid_at is not None  # noqa: S101  # `_order` finds only what was paid
        head = self._head(blue, awake(order.paid_at + ISSUED_AFTER), buyer)
        head["order_no"] = order.order_no
        number = 0
        for line in order.lines.order_by("line_no"):
            for cells in self._lines(line):
                number += 1
                yield {**head, **cells, "line_no": str(number)}

    def _head(self, blue: Blue, at: datetime, buyer: Company) -> dict[str, str]:
        code, number = self.number(blue.shop, blue.kind)
        if blue.nick:
            self.numbers[blue.nick] = number
        return {
            "number": number,
            "code": code,
            "kind": blue.kind,
            "issued_at": day_time(at),
            "seller_tax_no": self.sellers[blue.shop],
            "buyer_name": buyer.name,
            "buyer_tax_no": buyer.tax_no,
            "buyer_used": "yes" if blue.used else "no",
        }

    def _order(self, blue: Blue) -> Order:
        told = [case for case in self.world.cases if case.wish.story == blue.nick]
        if told and blue in OF_CASES:
            return Order.objects.get(order_no=told[0].order.order_no)
        orders = Order.objects.filter(shop__code=blue.shop, status="finished", cases=None)
        orders = orders.exclude(order_no__in=self.taken).prefetch_related("lines")
        for order in orders.order_by("paid_at", "order_no"):
            if self._fits(blue, order):
                return order
        message = f"The demo has no order for {blue}."
        raise RuntimeError(message)

    def _fits(self, blue: Blue, order: Order) -> bool:
        lines: list[OrderLine] = list(order.lines.all())
        if blue.nick == "pieces":
            return len(lines) == 1 and lines[0].quantity > 1
        if blue.nick == "twin":
            return len(lines) == 1 and lines[0].quantity == 1 and self._has_a_twin(lines[0])
        if blue.nick:
            return len(lines) == 1 and lines[0].paid_amount > Decimal(100)
        return True

    def _has_a_twin(self, line: OrderLine) -> bool:
        """Another finished order of one piece of the same at the same price."""
        if line.title != line.title.casefold():
            return False
        if self.twins:
            mine = self.twins[0].lines.get()
            return (mine.title, mine.unit_price) == (line.title, line.unit_price)
        others = OrderLine.objects.filter(
            title=line.title, unit_price=line.unit_price, quantity=1, order__status="finished"
        )
        others = others.filter(order__shop=line.order.shop_id, order__cases=None)
        alone = [o for o in others.exclude(pk=line.pk) if o.order.lines.count() == 1]
        return bool(alone)

    def _lines(self, line: OrderLine) -> Iterable[dict[str, str]]:
        """The line at its full price, and what came off it directly below."""
        yield self._line_cells(line)
        full = _full(line)
        if off := full - line.paid_amount:
            net, tax = parted(off, self._rate(line))
            yield {
                "nature": "discount",
                "title": line.title,
                "amount": yuan(-net),
                "tax_rate": self._rate(line),
                "tax": yuan(-tax),
                "gross": yuan(-off),
            }

    def _line_cells(self, line: OrderLine) -> dict[str, str]:
        full = _full(line)
        net, tax = parted(full, self._rate(line))
        return {
            "nature": "discounted" if full != line.paid_amount else "normal",
            "title": line.title,
            "quantity": str(line.quantity),
            "unit_price": str((net / line.quantity).quantize(_PRICE)),
            "amount": yuan(net),
            "tax_rate": self._rate(line),
            "tax": yuan(tax),
            "gross": yuan(full),
        }

    @staticmethod
    def _rate(line: OrderLine) -> str:
        return _RATES.get(line.sku, "0.13")

    def _foreign(self) -> list[Cells]:
        """Sold abroad without an order here: another form of number, and no tax."""
        head = self._head(
            replace(OF_OTHERS[0], nick="", shop="jizhou", kind="foreign"),
            self.world.moment - timedelta(days=21),
            Company("Example Travel Goods Pte. Ltd."),
        )
        head["number"] = f"JZ-EX-{self.world.moment:%Y}-0117"
        return [
            {
                **head,
                "line_no": "1",
                "nature": "normal",
                "title": "Folding charger 100 W",
                "quantity": "20",
                "unit_price": "21.50",
                "amount": "430.00",
                "tax_rate": "0",
                "tax": "0.00",
                "gross": "430.00",
            }
        ]


def _full(line: OrderLine) -> Decimal:
    """The price of all its pieces before anything came off it."""
    return line.paid_amount if line.unit_price is None else line.unit_price * line.quantity


def parted(gross: Decimal, rate: str) -> tuple[Decimal, Decimal]:
    """(amount without tax, tax) of a price with tax."""
    net = (gross / (1 + rate_of(rate))).quantize(CENT, rounding=ROUND_HALF_UP)
    return net, gross - net
