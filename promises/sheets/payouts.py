"""The platforms' payout sheets (小额打款): by the platform's number, compared with what we paid.

A number once told keeps what it said: only its status goes on, from under way to paid or not paid.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from cases.flow import clock
from cases.models import Order, Shop
from cases.models.money import ZERO
from cases.sheets import values
from cases.sheets.dialects.base import Column, Dialect, Parsed
from cases.sheets.dialects.words import table
from cases.sheets.facts import NO_EXTRA, Remark
from cases.sheets.loading.changes import shown
from cases.sheets.loading.outcomes import Impossible, Outcome
from cases.sheets.loading.shopfinder import ShopFinder
from cases.sheets.registry import Intake
from cases.sheets.values import BadValue
from promises.models import Payout
from promises.payouts import look_for_untold, reconcile

PAYOUTS: Final = "payouts"
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "number": (
        *("打款单号", "打款流水号", "小额打款单号", "打款编号", "打款流水", "流水号"),
        *("支付流水号", "payout_no"),
    ),
    "order_no": ("订单编号", "订单号", "主订单编号", "平台订单号", "order_no"),
    "amount": ("打款金额", "小额打款金额", "打款金额(元)", "实际打款金额", "赔付金额", "amount"),
    "reason": ("打款原因", "打款类型", "小额打款类型", "赔付类型", "补偿原因", "原因", "reason"),
    "paid_at": ("打款时间", "打款完成时间", "打款成功时间", "到账时间", "paid_at"),
    "asked_at": ("申请时间", "发起时间", "创建时间"),
    "status": ("打款状态", "状态", "处理状态", "status"),
    "text": ("备注", "打款备注", "打款说明", "商家备注", "留言", "text"),
    "shop": ("店铺代码", "店铺编码", "shop"),
    "shop_name": ("店铺名称", "店铺"),
}
_PARSERS: Final[Mapping[str, values.Parser]] = (
    dict.fromkeys(("number", "order_no", "shop"), values.identifier)
    | dict.fromkeys(("paid_at", "asked_at"), values.moment)
    | {"amount": values.money}
)
_STATUS: Final = table(
    {
        "打款成功|成功|已打款|已完成|已到账|已支付|交易成功|paid|success": "paid",
        "打款中|处理中|待打款|待处理|审核中|待审核|进行中|pending": "pending",
        "打款失败|失败|已关闭|已取消|已退回|已驳回|已撤销|failed|closed": "failed",
    }
)


@dataclass(frozen=True, slots=True)
class PayoutFacts:
    """One payout as its row tells it, in yuan; ``status`` as in Payout, "" where it is unknown."""

    number: str
    order_no: str
    amount: Decimal
    reason: str = ""
    status: str = ""
    word: str = ""
    paid_at: datetime | None = None
    text: str = ""
    shop_code: str | None = None
    shop_name: str | None = None
    platform: str | None = None
    rows: tuple[int, ...] = ()
    extra: Mapping[str, str] = field(default_factory=lambda: NO_EXTRA)
    warnings: tuple[Remark, ...] = ()


def _payout(group: Sequence[Parsed]) -> PayoutFacts:
    (parsed,) = group
    get = parsed.get
    if get["amount"] <= ZERO:
        error = BadValue("bad_value", _("is not above zero"))
        error.column = "amount"  # type: ignore[attr-defined]  # names the cell to mend
        raise error
    has_status = "status" in parsed.where.positions
    status = parsed.word("status", _STATUS) if has_status else "paid" if get["paid_at"] else None
    return PayoutFacts(
        number=get["number"],
        order_no=get["order_no"],
        amount=get["amount"],
        reason=(get["reason"] or "")[:200],
        status=status or "",
        word=(get["status"] or "")[:60],
        paid_at=get["paid_at"] or get["asked_at"],
        text=(get["text"] or "")[:300],
        shop_code=get["shop"] or None,
        shop_name=get["shop_name"] or None,
        rows=(parsed.number,),
        extra=parsed.extra,
        warnings=tuple(parsed.remarks),
    )


PAYOUT_SHEET: Final = Dialect(
    code="platform",
    kind=PAYOUTS,
    platform=None,
    columns=tuple(
        Column(name, names, _PARSERS.get(name, values.text)) for name, names in _NAMES.items()
    ),
    required=("number", "order_no", "amount"),
    any_of=(("paid_at", "asked_at"),),
    build=_payout,
)


@dataclass
class PayoutLoader:
    """Takes chunks of payouts. ``told``: the numbers of this file and the row of each."""

    shops: ShopFinder
    told: dict[str, int] = field(default_factory=dict)
    spans: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)

    @classmethod
    def of(cls, intake: Intake) -> "PayoutLoader":
        return cls(intake.shops)

    def take(self, chunk: Sequence[PayoutFacts]) -> list[Outcome]:
        """Work through one chunk inside the caller's transaction; an outcome per row."""
        now = clock.now()
        often = Counter(facts.number for facts in chunk)
        orders, known = self._orders(chunk), _known(chunk)
        outcomes: list[Outcome] = []
        rows: dict[str, Payout] = {}
        shops: dict[int, Shop] = {}
        for facts in chunk:
            warned = tuple(remark.message for remark in facts.warnings)
            done = Outcome(facts.rows, "unchanged", label=facts.number, warnings=warned)
            outcomes.append(done)
            try:
                self._check_number(facts, often)
                order, shop = self._place(facts, orders)
                shops[shop.pk] = shop
                found = known.get((shop.platform, facts.number))
                row = _new(facts, shop, order, now) if found is None else _again(facts, found, done)
            except Impossible as problem:
                done.what, done.code = "failed", problem.code
                done.message = done.told(problem.message)
                continue
            if found is None:
                done.what = "created"
                if order is None:
                    text = _("order %(no)s is not here yet; import the orders, then this again")
                    done.warnings += (done.told(text % {"no": facts.order_no}),)
            row.order = row.order or order
            rows[facts.number] = row
        self._write(list(rows.values()))
        self._untold(list(rows.values()), shops, now)
        return outcomes

    def _orders(self, chunk: Sequence[PayoutFacts]) -> dict[str, list[Order]]:
        orders = Order.objects.filter(order_no__in={facts.order_no for facts in chunk})
        if self.shops.visible is not None:
            orders = orders.filter(shop_id__in=self.shops.visible)
        found: dict[str, list[Order]] = {}
        for order in orders.select_related("shop"):
            found.setdefault(order.order_no, []).append(order)
        return found

    def _check_number(self, facts: PayoutFacts, often: Counter[str]) -> None:
        earlier = self.told.setdefault(facts.number, facts.rows[0])
        if often[facts.number] > 1 or earlier != facts.rows[0]:
            said = {"no": facts.number}
            message = _("the number %(no)s stands twice in the file; keep the row that is right")
            raise Impossible("bad_value", message % said)
        if len(facts.number) > 64 or len(facts.order_no) > 64:
            raise Impossible("bad_value", _("a number is longer than 64 signs"))

    def _place(
        self, facts: PayoutFacts, orders: Mapping[str, list[Order]]
    ) -> tuple[Order | None, Shop]:
        """The order and its shop; an order we do not have yet needs the shop to be named."""
        try:
            order = self.shops.order_of(facts, orders.get(facts.order_no, ()))
        except Impossible as problem:
            shop = self.shops.of(facts) if problem.code == "unknown" else None
            if shop is None:
                raise
            return None, shop
        return order, order.shop

    def _write(self, rows: list[Payout]) -> None:
        told = [row for row in rows if row.pk]
        Payout.objects.bulk_create(row for row in rows if not row.pk)
        fields = ["order", "status", "word", "paid_at", "heard_at"]
        Payout.objects.bulk_update(told, fields, batch_size=200)
        reconcile(rows)

    def _untold(self, rows: list[Payout], shops: Mapping[int, Shop], now: datetime) -> None:
        """What we paid in the time this file tells of, and it does not tell of."""
        for row in rows:
            if row.paid_at is not None and row.status == Payout.Status.PAID:
                first, last = self.spans.get(row.shop_id, (row.paid_at, row.paid_at))
                self.spans[row.shop_id] = min(first, row.paid_at), max(last, row.paid_at)
        for pk, shop in sorted(shops.items()):
            if pk in self.spans:
                look_for_untold(shop, *self.spans[pk], now)


def _known(chunk: Sequence[PayoutFacts]) -> dict[tuple[str, str], Payout]:
    """Payouts with these numbers, locked in pk order; a platform's number is one anywhere."""
    rows = Payout.objects.filter(number__in={facts.number for facts in chunk})
    locked = rows.select_for_update(of=("self",)).order_by("pk")
    beside = ("order", "claim", "compensation")
    return {(row.platform, row.number): row for row in locked.select_related(*beside)}


def _new(facts: PayoutFacts, shop: Shop, order: Order | None, now: datetime) -> Payout:
    return Payout(
        shop=shop,
        platform=shop.platform,
        number=facts.number,
        order_no=facts.order_no,
        order=order,
        amount=facts.amount,
        reason=facts.reason,
        status=facts.status,
        word=facts.word,
        paid_at=facts.paid_at,
        text=facts.text,
        extra=dict(facts.extra),
        heard_at=now,
    )


def _again(facts: PayoutFacts, row: Payout, done: Outcome) -> Payout:
    """A number we know; raises Impossible where it says something else than it said."""
    if (facts.amount, facts.order_no) != (row.amount, row.order_no):
        said = {
            "no": facts.number,
            "amount": shown(row.amount),
            "order": row.order_no,
        }
        message = _("%(no)s is known with ¥%(amount)s for order %(order)s; check both")
        raise Impossible("key_reused", message % said)
    ended = {Payout.Status.PAID, Payout.Status.FAILED}
    if not facts.status or facts.status == row.status:
        return row
    if row.status in ended and facts.status not in ended:
        done.what = "skipped"
        done.message = _("an older export: %(no)s is “%(here)s” already") % {
            "no": facts.number,
            "here": row.get_status_display(),
        }
        return row
    done.what = "updated"
    done.changes = (("status", str(row.status), facts.status),)
    row.status, row.word = facts.status, facts.word
    row.paid_at, row.heard_at = facts.paid_at or row.paid_at, clock.now()
    return row
