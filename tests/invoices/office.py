"""A shop that issues invoices, its finance, an authority of our own, and short words for acts."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from cases.auditing import audit
from cases.flow import clock
from cases.flow.door import Refused, perform
from cases.flow.sweep import enforce
from cases.models import Case, Order
from invoices import ledger, verbs
from invoices.authority import Simulated, deliver
from invoices.models import (
    Invoice,
    InvoiceNotice,
    Policy,
    RedRequest,
    Reversal,
    Treatment,
)
from invoices.planning import Wish
from invoices.rules import NewInvoice, NewLine
from invoices.seeding import seed_policies
from tests.factories import HOUR, T0, House, furnished

#: Sellers and buyers whose check character fits, and one whose does not.
GOOD_TAX_NO = "91110000600037341L"
WRONG_TAX_NO = "91110000600037341M"


class Office:
    """The house with invoices; ``now`` moves on by an hour with each act."""

    def __init__(self, *, parts: str = "allow") -> None:
        self.house: House = furnished()
        seed_policies()
        Policy.objects.filter(of=Policy.Of.PARTIAL_RED).update(value=parts)
        self.now = T0
        self.given = 0
        self.tax_office = Simulated(now=lambda: self.now, code="")

    @property
    def shop(self):
        return self.house.shop

    def tick(self, by: timedelta = HOUR) -> datetime:
        self.now += by
        return self.now

    def number(self) -> str:
        """A fresh number of a digital invoice."""
        self.given += 1
        return f"2631{self.given:016d}"

    def issued(
        self,
        *lines: tuple[int, str],
        freight: str = "0.00",
        by: str = "finance",
        order: Order | None = None,
        **inputs: Any,
    ) -> Invoice:
        """An invoice on a new order with these (pieces, yuan paid) lines."""
        order = order or self.house.paid_order(*(lines or ((3, "100.00"),)), freight=freight)
        given = {"number": self.number(), "kind": "digital_general", **inputs}
        moment = self.tick()
        with clock.standing_at(moment):
            return verbs.issue(self.house.actor(by), order, at=moment, **given)

    def request(
        self,
        invoice: Invoice,
        *,
        reason: str = "return",
        units: dict[int, Any] | None = None,
        amount: str | None = None,
        by: str = "finance",
        key: str | None = None,
        **more: Any,
    ) -> RedRequest:
        wish = Wish(
            reason,
            {no: Decimal(str(n)) for no, n in (units or {}).items()},
            None if amount is None else Decimal(amount),
        )
        moment = self.tick()
        with clock.standing_at(moment):
            return verbs.request_red(
                self.house.actor(by), invoice, wish, at=moment, key=key, **more
            )

    def record(self, invoice: Invoice, number: str = "", by: str = "finance", **more: Any) -> Any:
        moment = self.tick()
        with clock.standing_at(moment):
            return verbs.record_red(
                self.house.actor(by), invoice, number=number or self.number(), at=moment, **more
            )

    def answer(self, invoice: Invoice, state: str, by: str = "finance", **more: Any) -> RedRequest:
        moment = self.tick()
        with clock.standing_at(moment):
            return verbs.answer(self.house.actor(by), invoice, state=state, at=moment, **more)

    def reverse(self, invoice: Invoice, units: dict[int, Any] | None = None, **more: Any) -> Any:
        """Requested and issued as planned."""
        self.request(invoice, units=units, **more)
        return self.record(invoice)

    def call(self, by: timedelta = HOUR) -> int:
        """The sweep that makes the calls."""
        moment = self.tick(by)
        with clock.standing_at(moment):
            return deliver(self.tax_office, moment)

    def sweep(self, by: timedelta) -> dict[str, Any]:
        return enforce(self.tick(by))

    def act(self, row: Any, step: str, by: str = "finance", **inputs: Any) -> Any:
        fresh = type(row).objects.get(pk=row.pk)
        verb = getattr(type(row), step)
        return perform(self.house.actor(by), fresh, verb, at=self.tick(), **inputs)

    def step(self, case: Case, name: str, by: str, **inputs: Any) -> Case:
        """One step of a case, an hour on."""
        fresh = Case.objects.get(pk=case.pk)
        return self.house.act(fresh, name, by, at=self.tick(), **inputs)

    def state(self, invoice: Invoice) -> str:
        return str(Invoice.objects.get(pk=invoice.pk).standing.state)

    def books(self, invoice: Invoice) -> list[tuple[str, str, str, str]]:
        """Per line: pieces reversed, reversed, tax reversed, spoken for."""
        return [
            (
                str(b.reversed_quantity),
                str(b.reversed_gross),
                str(b.reversed_tax),
                str(b.reserved_gross),
            )
            for b in ledger.look([invoice.pk]).of(invoice.pk)
        ]

    def reds(self, invoice: Invoice) -> list[tuple[str, str, str]]:
        """Gross, net, tax of each red, oldest first."""
        rows = Invoice.objects.filter(blue=invoice).order_by("pk")
        return [(str(r.gross), str(r.amount), str(r.tax)) for r in rows]

    def alarms(self, kind: str = "alarm") -> list[str]:
        return [n.text for n in InvoiceNotice.objects.filter(kind=kind).order_by("pk")]

    def treatments(self, **about: Any) -> list[tuple[str, str]]:
        rows = Treatment.objects.filter(**about).order_by("pk")
        return [(t.kind, t.state) for t in rows]


def made(shop: Any, number: str = "26310000000000000001", **more: Any) -> NewInvoice:
    """The least valid invoice; ``lines`` and everything else by name."""
    lines = more.pop("lines", None) or [
        NewLine(1, Decimal("88.50"), "0.13", Decimal("11.50"), title="T 恤")
    ]
    return NewInvoice(
        **{
            "shop": shop,
            "kind": "digital_general",
            "number": number,
            "issued_at": T0,
            "lines": lines,
            **more,
        }
    )


def refusal(act: Any, *args: Any, **kwargs: Any) -> Refused:
    """The refusal of what must be refused; nothing of it was written."""
    before = written()
    try:
        act(*args, **kwargs)
    except Refused as refused:
        assert written() == before
        return refused
    raise AssertionError("it was not refused")


def written() -> tuple[int, ...]:
    """What a refusal must leave as it was."""
    return (
        Invoice.objects.count(),
        Reversal.objects.count(),
        RedRequest.objects.count(),
        sum(RedRequest.objects.values_list("seq", flat=True)),
        sum(Treatment.objects.values_list("seq", flat=True)),
    )


def books_are_clean(at: datetime) -> bool:
    violations = audit(at).violations
    assert violations == [], violations
    return True
