"""A shop whose orders have paper invoices, and short words for what is done to the papers."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from cases.auditing import audit
from cases.flow import clock
from cases.flow.door import Refused
from cases.models import Case, Order
from cases.models.money import cents
from invoices.models import Balance, Endorsement, Invoice, InvoiceLine, Paper, Standing
from invoices.papers import custody, endorsing
from invoices.papers.custody import Going
from invoices.papers.endorsing import Exchange
from tests.factories import HOUR, T0, House, furnished

RATE = Decimal("0.13")


class PaperDesk:
    """The house with invoices; ``now`` moves on by an hour with each act."""

    def __init__(self) -> None:
        self.house: House = furnished()
        self.now = T0 + 100 * HOUR
        self._numbers = iter(range(1, 10_000))

    def tick(self, by: timedelta = HOUR) -> datetime:
        self.now += by
        return self.now

    def sold(
        self,
        *lines: tuple[int, str],
        kind: str = "paper_general",
        serials: tuple[str, ...] = (),
        **fields: Any,
    ) -> Invoice:
        """A signed-for order with one invoice over all its lines; ``serials``: of each line."""
        order = self.house.paid_order(*(lines or ((1, "113.00"),)), freight="0.00", **fields)
        for line, text in zip(order.lines.order_by("line_no"), serials, strict=False):
            line.serials = text
            line.save()
        return self.invoiced(order, kind)

    def invoiced(self, order: Order, kind: str = "paper_general") -> Invoice:
        number = next(self._numbers)
        lines = list(order.lines.order_by("line_no"))
        taxes = [x.paid_amount - cents(x.paid_amount / (1 + RATE)) for x in lines]
        gross, tax = sum(x.paid_amount for x in lines), sum(taxes)
        invoice = Invoice.objects.create(
            shop=order.shop, order=order, direction="blue", kind=kind,
            code="0440012345" if "digital" not in kind else "",
            number=f"{number:08}" if "digital" not in kind else f"2644{number:016}",
            issued_at=T0, amount=gross - tax, tax=tax, gross=gross, buyer_name="某公司",
        )  # fmt: skip
        standing = Standing.objects.create(invoice=invoice, gross=gross)
        for line, line_tax in zip(lines, taxes, strict=True):
            row = InvoiceLine.objects.create(
                invoice=invoice, line_no=line.line_no, order_line=line, title="耳机", spec="X1",
                tax_class="1090000000000000000", quantity=Decimal(line.quantity),
                amount=line.paid_amount - line_tax, tax_rate="0.13", tax=line_tax,
                gross=line.paid_amount,
            )  # fmt: skip
            Balance.objects.create(
                standing=standing, line=row, quantity=row.quantity, gross=row.gross, tax=row.tax
            )
        return invoice

    def case(self, invoice: Invoice, state: str, kind: str) -> Case:
        """A case on the invoice's order, brought to that state."""
        case = self.house.case_in(state, kind, order=invoice.order)
        self.now = max(self.now, case.moved_at or self.now)
        return case

    def move(
        self, invoice: Invoice, to: str, waybill: str = "", *, by: str = "warehouse", **more: Any
    ) -> Paper:
        key, at = more.pop("key", None), more.pop("at", None) or self.tick()
        going = Going(to, waybill, **more)
        with clock.standing_at(max(at, self.now)):
            return custody.move_paper(self.house.actor(by), invoice, going, at=at, key=key)

    def arrive(self, invoice: Invoice, **more: Any) -> Paper:
        """The paper comes in with the goods."""
        self.move(invoice, "in_transit_in", "SFIN1", by="agent", **more)
        return self.move(invoice, "received")

    def endorse(
        self,
        invoice: Invoice,
        old: str,
        new: str,
        *,
        line: int = 1,
        by: str = "warehouse",
        key: str | None = None,
        **more: Any,
    ) -> Endorsement:
        at = self.tick()
        exchange = Exchange(line, old, new, **more)
        with clock.standing_at(at):
            return endorsing.endorse(self.house.actor(by), invoice, exchange, at=at, key=key)

    def reverse(self, invoice: Invoice, pieces: int, line: int = 1) -> None:
        """Say that so many pieces are red, as the ledger would."""
        balance = Balance.objects.get(line__invoice=invoice, line__line_no=line)
        part = cents(balance.gross * pieces / balance.quantity)
        tax = cents(balance.tax * part / balance.gross)
        Balance.objects.filter(pk=balance.pk).update(
            reversed_quantity=Decimal(pieces), reversed_gross=part, reversed_tax=tax
        )
        total = sum(Balance.objects.filter(standing=balance.standing).values_list(
            "reversed_gross", flat=True
        ))  # fmt: skip
        Standing.objects.filter(pk=balance.standing_id).update(reversed_gross=total)


def refusal(act: Any, *args: Any, **kwargs: Any) -> Refused:
    """The refusal of what must be refused."""
    try:
        act(*args, **kwargs)
    except Refused as refused:
        return refused
    raise AssertionError("it was not refused")


def found(at: datetime, *whats: str) -> set[str]:
    """What the audit finds, of these kinds or of any."""
    violations = {violation["what"] for violation in audit(at).violations}
    return violations & set(whats) if whats else violations
