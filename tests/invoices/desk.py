"""A shop whose orders have paper invoices, and short words for what is done to the papers."""

from datetime import datetime
from typing import Any

from cases.auditing import audit
from cases.flow import clock
from cases.flow.door import Refused
from cases.models import Case
from invoices.models import Endorsement, Invoice, Paper
from invoices.papers import custody, endorsing
from invoices.papers.custody import Going
from invoices.papers.endorsing import Exchange
from tests.invoices.office import Office


class PaperDesk(Office):
    """The house with paper invoices; ``now`` moves on by an hour with each act."""

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
        self.given += 1
        if "digital" in kind:
            return self.issued(order=order, kind=kind)
        number, code = f"{self.given:08}", "044001234500"
        return self.issued(order=order, kind=kind, number=number, code=code)

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
