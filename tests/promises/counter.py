"""A shop whose orders carry promises, its deposit, and short words for what is done to claims."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from cases.auditing import audit
from cases.flow import clock
from cases.flow.door import Refused, perform
from cases.models import Order
from promises import verbs
from promises.models import Claim, Deposit, Entry, TopUpDuty
from promises.seeding import seed_limits, seed_terms
from promises.verbs import Demand
from tests.factories import DAY, HOUR, T0, House, furnished

#: Shipped three days after payment: a day too late for the 48 hours.
LATE = {"shipped_at": T0 - 2 * DAY, "signed_at": T0 - DAY}


class Counter:
    """The house with promises; ``now`` moves on by an hour with each act."""

    def __init__(self) -> None:
        self.house: House = furnished()
        seed_terms()
        seed_limits()
        self.now = T0

    @property
    def shop(self):
        return self.house.shop

    def tick(self, by: timedelta = HOUR) -> datetime:
        self.now += by
        return self.now

    def sold(
        self, paid: str = "100.00", promises: str = "ship_on_time", lines: int = 1, **fields: Any
    ) -> Order:
        """A paid order whose lines carry the promises; shipped late unless said otherwise."""
        order = self.house.paid_order(*[(1, paid)] * lines, **{**LATE, **fields})
        order.lines.update(promises=promises)
        return order

    def file(
        self,
        order: Order,
        promise: str = "ship_on_time",
        *,
        by: str = "agent",
        line: int = 1,
        at: datetime | None = None,
        key: str | None = None,
        **more: Any,
    ) -> Claim:
        moment = at or self.tick()
        demand = Demand(promise, line, **more)
        with clock.standing_at(max(moment, self.now)):
            return verbs.file_claim(self.house.actor(by), order, demand, at=moment, key=key)

    def act(
        self, claim: Claim, step: str, by: str = "lead", at: datetime | None = None, **inputs: Any
    ) -> Claim:
        moment = at or self.tick()
        fresh = Claim.objects.get(pk=claim.pk)
        return perform(self.house.actor(by), fresh, getattr(Claim, step), at=moment, **inputs)

    def pay_in(self, amount: str, by: str = "finance", key: str | None = None) -> Deposit:
        moment = self.tick()
        with clock.standing_at(moment):
            return verbs.top_up(
                self.house.actor(by),
                self.shop,
                amount=Decimal(amount),
                reference="T1",
                at=moment,
                key=key,
            )

    def take_out(self, amount: str, by: str = "finance", key: str | None = None) -> Deposit:
        moment = self.tick()
        with clock.standing_at(moment):
            return verbs.withdraw(
                self.house.actor(by),
                self.shop,
                amount=Decimal(amount),
                reference="W1",
                at=moment,
                key=key,
            )

    def handed_over(self, order: Order, promise: str = "ship_on_time", **more: Any) -> Claim:
        """A claim on which the platform has to decide."""
        claim = self.file(order, promise, **more)
        self.act(claim, "contest", text="不认可")
        return self.act(claim, "adjudicate")

    @property
    def accounts(self) -> tuple[str, ...]:
        """available, frozen, paid, owed."""
        row = Deposit.objects.get(shop=self.shop)
        return tuple(str(getattr(row, n)) for n in ("available", "frozen", "paid", "owed"))

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return [(e.kind, str(e.amount)) for e in Entry.objects.order_by("deposit_id", "seq")]

    @property
    def duty(self) -> TopUpDuty:
        return TopUpDuty.objects.get()


def refusal(act: Any, *args: Any, **kwargs: Any) -> Refused:
    """The refusal of what must be refused."""
    try:
        act(*args, **kwargs)
    except Refused as refused:
        return refused
    raise AssertionError("it was not refused")


def written() -> tuple[int, int, int]:
    """What a refusal must leave as it was."""
    return Claim.objects.count(), Entry.objects.count(), sum(c.seq for c in Claim.objects.all())


def books_are_clean(at: datetime) -> bool:
    violations = audit(at).violations
    assert violations == [], violations
    return True
