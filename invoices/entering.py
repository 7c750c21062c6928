"""Writes invoices: the only way in, one by one or by the thousand; what is written stays.

Callers check first (``invoices.rules``) and lock what they must; here rows, lines, standings and
balances are made with statements that grow with batches.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from cases.flow import writing
from cases.flow.door import Actor
from cases.models.money import cents
from invoices import ledger
from invoices.arithmetic import NONE, Part
from invoices.models import (
    Direction,
    Invoice,
    InvoiceAct,
    InvoiceLine,
    Nature,
    Standing,
)
from invoices.models.quantity import exact
from invoices.rules import NewInvoice, NewLine

_PRICE = Decimal("0.00000001")


def write(
    actor: Actor,
    news: Sequence[NewInvoice],
    at: datetime,
    *,
    warnings: Sequence[list[str]] = (),
) -> list[Invoice]:
    """Write invoices that were checked, with their lines and, of blue ones, their books."""
    by_id = actor.user.pk if actor.user else None
    invoices = [
        _row(new, by_id, notes)
        for new, notes in zip(news, warnings or [[]] * len(news), strict=True)
    ]
    writing.insert_rows(Invoice, invoices)
    lines = [
        [_line(invoice, line) for line in new.lines]
        for invoice, new in zip(invoices, news, strict=True)
    ]
    writing.insert_rows(InvoiceLine, [line for group in lines for line in group])
    for invoice, group in zip(invoices, lines, strict=True):
        # Kept at hand for who writes on: their keys are known, and nothing of them changes.
        invoice.__dict__["_prefetched_objects_cache"] = {"lines": group}
    ledger.begin(
        [
            (
                Standing(
                    invoice_id=invoice.pk,
                    gross=invoice.gross,
                    buyer_used=new.buyer_used,
                    booked=new.booked,
                ),
                netted(group),
            )
            for invoice, new, group in zip(invoices, news, lines, strict=True)
            if new.direction == Direction.BLUE
        ]
    )
    return invoices


def _row(new: NewInvoice, by_id: int | None, warnings: list[str]) -> Invoice:
    return Invoice(
        shop_id=new.shop.pk,
        order_id=new.order.pk if new.order else None,
        direction=new.direction,
        kind=new.kind,
        code=new.code,
        number=new.number,
        issued_at=new.issued_at,
        currency=new.currency,
        seller_name=new.seller_name,
        seller_tax_no=new.seller_tax_no,
        buyer_name=new.buyer_name,
        buyer_tax_no=new.buyer_tax_no,
        amount=new.total("amount"),
        tax=new.total("tax"),
        gross=new.total("gross"),
        blue_id=new.blue.pk if new.blue else None,
        remark=new.remark,
        source=new.source,
        warnings=warnings,
        extra=new.extra,
        entered_by_id=by_id,
    )


def _line(invoice: Invoice, new: NewLine) -> InvoiceLine:
    price = new.unit_price
    return InvoiceLine(
        invoice_id=invoice.pk,
        line_no=new.line_no,
        nature=new.nature,
        order_line_id=new.order_line_id,
        blue_line_id=new.blue_line_id,
        title=new.title[:300],
        item_code=new.item_code[:100],
        spec=new.spec[:100],
        unit=new.unit[:20],
        tax_class=new.tax_class,
        quantity=None if new.quantity is None else exact(new.quantity),
        unit_price=None if price is None else price.quantize(_PRICE),
        amount=cents(new.amount),
        tax_rate=new.tax_rate,
        tax=cents(new.tax),
        gross=cents(new.gross),
    )


def netted(lines: Sequence[Any]) -> list[tuple[Any, Part]]:
    """Each line that can be reversed, together with the discount that follows it."""
    out: list[tuple[Any, Part]] = []
    for line in lines:
        part = Part(line.quantity or NONE, line.gross, line.tax)
        if line.nature == Nature.DISCOUNT and out:
            owner, whole = out[-1]
            out[-1] = (owner, whole + part)
        else:
            out.append((line, part))
    return out


def tell(  # noqa: PLR0913, PLR0917 - an act has these and no more
    actor: Actor,
    invoice: Invoice,
    verb: str,
    at: datetime,
    text: str = "",
    key: str | None = None,
    digest: str = "",
) -> None:
    """Keep in the invoice's timeline who did what."""
    InvoiceAct.objects.create(
        invoice=invoice,
        verb=verb,
        at=at,
        by=actor.user,
        channel=actor.channel,
        text=text[:300],
        key=key,
        digest=digest,
    )
