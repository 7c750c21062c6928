"""The demo's promises: three deposits, claims in every state, a payout sheet with its differences.

Told after the cases, in the order of time, through what staff use: sheets, pages' forms, the door.
One shop is rich, one is tight, one owes and does not bring it in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User

from cases.flow import clock, sweep
from cases.flow.door import Actor, perform
from cases.models import Order, OrderLine, Shop
from cases.resources import ListData
from cases.verbs import record_signature
from config.demo.desk import take
from config.demo.files import day_time, write_native, yuan
from config.demo.people import AGENT_SHOPS
from config.demo.telling import LATENESS
from promises import verbs
from promises.couriers import Couriers
from promises.facts import facts_of
from promises.forms import CLAIM_FORMS
from promises.models import Claim, Term, TermBook, TopUpDuty
from promises.resources import TERMS, TermResource
from promises.sheets.claimsheet import HEADERS
from promises.terms import Missing, NotEligible, eligibility

#: Shop: required, put in; yuan, sixty days ago.
DEPOSITS: Final = {
    "yunzhi": ("5000.00", "20000.00"),
    "jizhou": ("200.00", "300.00"),
    "shanye": ("1000.00", "20.00"),
}
_DAY: Final = 24.0
#: So long before the claim the buyer signed, where no sheet says when.
SIGNED: Final = timedelta(hours=4)
PAYOUT_HEADER: Final = (
    *("打款单号", "订单编号", "打款类型", "打款金额", "打款时间", "打款状态", "备注"),
)


@dataclass(frozen=True, slots=True)
class Deed:
    """One step of a claim: hours before the demo's moment, by whom, with what."""

    before: float
    by: str
    step: str
    inputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """One claim: shop, promise, filed so many hours before the moment, and what came of it."""

    shop: str
    promise: str
    before: float
    text: str = ""
    deeds: tuple[Deed, ...] = ()


_NO = {"text": "商家不认可，已附聊天记录"}
_TO_PLATFORM = (Deed(90, "lead", "contest", _NO), Deed(80, "lead", "adjudicate"))
# fmt: off
#: Of each shop the oldest first, so that they find the oldest orders.
WISHES: Final = (
    Wish("yunzhi", "quality", 100, "用了两天就坏了", _TO_PLATFORM),
    Wish("yunzhi", "quality", 98, "开线",
         (Deed(90, "lead", "accept"), Deed(30, "supervisor", "reverse", {"text": "平台改判"}))),
    Wish("yunzhi", "free_return", 96, "说不是全新",
         (*_TO_PLATFORM, Deed(20, "lead", "dismiss", {"text": "平台认定已使用"}))),
    Wish("yunzhi", "free_return", 70, "不喜欢", (Deed(60, "lead", "accept"),)),
    Wish("yunzhi", "free_return", 60, "要退", (Deed(40, "agent", "withdraw"),)),
    Wish("yunzhi", "free_return", 50, "色差大，要求退货", (Deed(30, "lead", "contest", _NO),)),
    Wish("yunzhi", "free_return", 20.5, "尺寸不合适，想退"),
    Wish("jizhou", "quality", 99, "充不进电", _TO_PLATFORM),
    Wish("jizhou", "free_return", 71.2, "不想要了"),
    Wish("shanye", "fake_triple", 112, "与专柜的不同", (Deed(109, "supervisor", "accept"),)),
    Wish("shanye", "fake_triple", 10.3, "没有防伪码"),
)
# fmt: on


def tell(
    folder: Path, moment: datetime, people: dict[str, User]
) -> tuple[list[dict[str, Any]], int]:
    """Everything that happened with promises up to the moment: (the sheets taken, the steps)."""
    teller = _Teller(folder, moment, people)
    teller.terms()
    teller.deposits()
    sheets = teller.claims()
    steps = teller.deeds()
    return [*sheets, teller.payouts()], steps


@dataclass
class _Teller:
    folder: Path
    moment: datetime
    people: dict[str, User]
    #: Wish → number of its claim.
    numbers: dict[Wish, str] = field(default_factory=dict)
    couriers: Couriers = field(default_factory=Couriers)

    def at(self, hours: float) -> datetime:
        """So many hours before the moment."""
        return self.moment - timedelta(minutes=round(hours * 60))

    def actor(self, role: str) -> Actor:
        return Actor.person(self.people[role], "admin")

    def terms(self) -> None:
        """Two shops promise on every line; the third says it line by line in its orders."""
        begins = day_time(self.at(58 * _DAY))
        data = ListData([english for _field, english, _chinese in TERMS])
        plain = {str(t.promise): t for t in Term.objects.filter(shop=None, platform="")}
        for shop in sorted(AGENT_SHOPS):
            for promise in ("free_return", "quality"):
                said: dict[str, Any] = {
                    "promise": promise,
                    "shop": shop,
                    "valid_from": begins,
                    "offer": Term.Offer.ALL,
                    "window": plain[promise].window or "",
                    "evidence": plain[promise].evidence,
                    "source": "店铺公告",
                }
                data.append([str(said.get(name, "")) for name, *_names in TERMS])
                data.numbers.append(len(data) + 1)
        with clock.standing_at(self.at(60 * _DAY)):
            resource = TermResource(user=self.people["supervisor"])
            resource.import_data(data, raise_errors=True, rollback_on_validation_errors=True)

    def deposits(self) -> None:
        """Put in by finance; the supervisor says what must be in it."""
        begun = self.at(59 * _DAY)
        for code, (required, put_in) in DEPOSITS.items():
            shop = Shop.objects.get(code=code)
            verbs.require(self.actor("supervisor"), shop, amount=Decimal(required))
            verbs.top_up(
                self.actor("finance"),
                shop,
                amount=Decimal(put_in),
                reference=f"BZJ{begun:%Y%m%d}{shop.pk:02}",
                at=begun,
            )

    def claims(self) -> list[dict[str, Any]]:
        """The claims of each shop in a sheet of our own, imported by who works there."""
        book, taken = TermBook.load(), set[int]()
        sheets = []
        for code in DEPOSITS:
            rows = []
            for wish in (one for one in WISHES if one.shop == code):
                line = self._line(wish, book, taken)
                taken.add(line.order_id)
                number = f"PF{self.moment:%y%m%d}{len(self.numbers) + 1:03}"
                self.numbers[wish] = number
                cells = {
                    "claim_no": number,
                    "shop": code,
                    "order_no": line.order.order_no,
                    "line_no": str(line.line_no),
                    "promise": wish.promise,
                    "filed_at": day_time(self.at(wish.before)),
                    "state": "filed",
                    "text": wish.text,
                }
                rows.append(cells)
            clerk = self.people["agent" if code in AGENT_SHOPS else "lead"]
            path = self.folder / f"claims_{code}.csv"
            write_native(path, [name for name, *_names in HEADERS], rows)
            sheets.append(take(path, clerk, code))
        return sheets

    def _line(self, wish: Wish, book: TermBook, taken: set[int]) -> OrderLine:
        """The first line without a case on which the buyer could claim this then."""
        at = self.at(wish.before)
        lines = OrderLine.objects.filter(
            order__shop__code=wish.shop, order__cases=None, order__paid_at__lt=at - 2 * SIGNED
        ).exclude(order__in=taken)
        lines = lines.filter(paid_amount__gt=Decimal("20.00"), paid_amount__lt=Decimal(600))
        for line in lines.select_related("order__shop").order_by("-order__paid_at", "line_no"):
            if self._could_be(wish, line, book, at):
                if line.order.signed_at is None:
                    record_signature(self.actor("warehouse"), line.order, at=at - SIGNED)
                return line
        message = f"The demo has no line for {wish}."
        raise RuntimeError(message)

    def _could_be(self, wish: Wish, line: OrderLine, book: TermBook, at: datetime) -> bool:
        """Platforms' sheets without signatures leave those to the desk, which then enters them."""
        order = line.order
        term = book.pick(wish.promise, order.shop, order.paid_at or at)
        ended = order.finished_at is not None and order.finished_at <= at
        if term is None or not term.is_offered_on(line) or not order.is_shipped(at - SIGNED):
            return False
        if order.signed_at is None and not ended:
            order.signed_at = at - SIGNED
            facts = facts_of(order, line, has_payment=True, couriers=self.couriers)
            order.signed_at = None
        else:
            facts = facts_of(order, line, has_payment=True, couriers=self.couriers)
        try:
            eligibility(term.as_terms(), facts, at)
        except (NotEligible, Missing):
            return False
        return order.signed_at is not None or not ended

    def deeds(self) -> int:
        """The steps in the order of time, the clocks running meanwhile."""
        acts = sorted(self._acts(), key=lambda act: (-act[1].before, act[0]))
        for number, deed in acts:
            self._let_time_run(self.at(deed.before))
            claim = Claim.objects.get(claim_no=number)
            actor = self.actor(deed.by)
            form = CLAIM_FORMS[deed.step](dict(deed.inputs), claim=claim, actor=actor)
            if not form.is_valid():
                raise form.refusal()
            key = f"demo/{number}/{deed.step}"
            step = getattr(Claim, deed.step)
            perform(actor, claim, step, at=self.at(deed.before), key=key, **form.inputs())
        self._let_time_run(self.moment)
        return len(acts)

    def _acts(self) -> Iterator[tuple[str, Deed]]:
        for wish, number in self.numbers.items():
            yield from ((number, deed) for deed in wish.deeds)

    def _let_time_run(self, until: datetime) -> None:
        """Sweep as often as a clock of a claim or a duty rings until then."""
        while True:
            waiting = [
                model.objects.filter(wake_at__lte=until).order_by("wake_at").first()
                for model in (Claim, TopUpDuty)
            ]
            times = [row.wake_at for row in waiting if row is not None and row.wake_at]
            if not times:
                return
            sweep.enforce(min(min(times) + LATENESS, until))

    def payouts(self) -> dict[str, Any]:
        """What the platform says it paid: one as here, one we know nothing of, one under way."""
        paid = Claim.objects.filter(shop__code="yunzhi", state="paid").select_related("order")[0]
        strangers = Order.objects.filter(shop__code="yunzhi", claims=None, cases=None)
        first, second = strangers.exclude(paid_at=None).order_by("order_no")[:2]
        said = (
            (paid.order, paid.paid, 58.0, "打款成功", "退货承诺赔付"),
            (first, Decimal("8.88"), 26.0, "打款成功", "客服补偿"),
            (second, Decimal("5.00"), 2.0, "打款中", "运费补偿"),
        )
        rows = [
            {
                "打款单号": f"XE{self.moment:%Y%m%d}{number:04}",
                "订单编号": order.order_no,
                "打款类型": reason,
                "打款金额": yuan(amount),
                "打款时间": day_time(self.at(hours)),
                "打款状态": word,
            }
            for number, (order, amount, hours, word, reason) in enumerate(said, 1)
        ]
        path = self.folder / "小额打款明细.csv"
        write_native(path, PAYOUT_HEADER, rows)
        return take(path, self.people["finance"], "yunzhi")
