"""An invoice made from an order, as a draft: what was really paid, and is not refunded or invoiced.

Discounts over lines by largest remainder: a gift line never turns negative.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import cast

from django.db.models import Sum
from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.models import Order, OrderLine
from cases.models.money import ZERO, cents, shares
from invoices.arithmetic import without_tax
from invoices.models import (
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Nature,
    Policy,
    SellerProfile,
    Standing,
    Treatment,
    policy,
    rate_of,
)
from invoices.rules import NewInvoice, NewLine

#: The item of the line that carries the freight.
FREIGHT = "freight"


def from_order(  # noqa: PLR0913, PLR0917 - what stands in a header
    order: Order, kind: str, number: str, code: str, at: datetime, rate: str = ""
) -> NewInvoice:
    """What is to be invoiced of an order; Refused where nothing is left of what was paid."""
    rate = rate or policy(Policy.Of.DEFAULT_RATE, order.shop, at)
    lines = list(order.lines.order_by("line_no"))
    due = _due(order, lines)
    news: list[NewLine] = []
    for line, gross in due:
        news += _lines_of(line, gross, rate, len(news) + 1)
    freight = _freight_due(order, sum((gross for _l, gross in due), ZERO))
    if freight > 0:
        news.append(replace(_line(len(news) + 1, _("Freight"), freight, rate), item_code=FREIGHT))
    if not news:
        raise Refused(
            _(
                "Nothing of order %(order)s is left to be invoiced: ¥%(paid)s was paid, what is "
                "not refunded stands on its invoices already."
            )
            % {"order": order, "paid": order.paid_amount},
            "amount_exceeded",
            limit="0.00",
        )
    return with_parties(
        NewInvoice(
            shop=order.shop,
            order=order,
            kind=kind,
            number=number,
            code=code,
            issued_at=at,
            lines=news,
            source="order",
        ),
        order,
    )


def with_parties(new: NewInvoice, order: Order | None) -> NewInvoice:
    """The shop's own particulars; the buyer as a person, unless a title was given."""
    seller = SellerProfile.objects.filter(shop=new.shop).first()
    new.seller_name = new.seller_name or (seller.name if seller else new.shop.name)
    new.seller_tax_no = new.seller_tax_no or (seller.tax_no if seller else "")
    if order is not None:
        new.buyer_name = new.buyer_name or order.receiver or order.buyer
    return new


def _due(order: Order, lines: Sequence[OrderLine]) -> list[tuple[OrderLine, Decimal]]:
    """What of each line was paid and is neither refunded nor on an invoice; positive ones only."""
    paid = _paid(order, lines)
    invoiced = standing_on_lines(order)
    due = [
        (line, part - line.refunded - invoiced.get(line.pk, ZERO))
        for line, part in zip(lines, paid, strict=True)
    ]
    return [(line, gross) for line, gross in due if gross > 0]


def _paid(order: Order, lines: Sequence[OrderLine]) -> list[Decimal]:
    """The lines' own amounts; where the order was paid with less, its discount over the lines."""
    own = [line.paid_amount for line in lines]
    goods = max(order.paid_amount - order.freight_paid, ZERO)
    over = sum(own, ZERO) - goods
    if over <= 0:
        return own
    return [part - less for part, less in zip(own, shares(over, own), strict=True)]


def standing_on_lines(order: Order) -> dict[int, Decimal]:
    """What of each order line stands on blue invoices that are not reversed or voided, in yuan."""
    found: dict[int, Decimal] = {}
    rows = InvoiceLine.objects.filter(
        invoice__order=order, balance__isnull=False, order_line__isnull=False
    ).filter(balance__standing__voided_at__isnull=True)
    for line in rows.select_related("balance"):
        left = line.balance.gross - line.balance.reversed_gross
        key = line.order_line_id or 0
        found[key] = found.get(key, ZERO) + left
    return found


def standing_total(order: Order) -> Decimal:
    """What stands on the order's blue invoices after reversals, in yuan with tax."""
    rows = Standing.objects.filter(invoice__order=order, voided_at__isnull=True)
    sums = rows.aggregate(gross=Sum("gross", default=ZERO), red=Sum("reversed_gross", default=ZERO))
    gross: Decimal = sums["gross"] - sums["red"]
    return gross


def _freight_due(order: Order, goods: Decimal) -> Decimal:
    """Freight is on the invoice once: what the whole order still lacks, at most the freight."""
    freight = order.freight_paid - order.freight_refunded
    refunded = sum(order.lines.values_list("refunded", flat=True), ZERO)
    missing: Decimal = (
        order.paid_amount
        - refunded
        - order.freight_refunded
        - order.external_refunded
        - standing_total(order)
        - goods
    )
    due: Decimal = max(min(freight, missing), ZERO)
    return due


def _lines_of(line: OrderLine, gross: Decimal, rate: str, number: int) -> list[NewLine]:
    """One line; with its discount as a line of its own where the price before it is known."""
    before = ZERO if line.unit_price is None else cents(line.unit_price * line.quantity)
    whole = gross == line.paid_amount
    if not whole or before <= gross:
        return [_line(number, line.title or line.sku, gross, rate, line, whole=whole)]
    full = _line(number, line.title or line.sku, before, rate, line, whole=True)
    full.nature = Nature.DISCOUNTED
    net, tax = without_tax(gross, rate_of(rate))
    less = NewLine(
        line_no=number + 1,
        nature=Nature.DISCOUNT,
        amount=net - full.amount,
        tax=tax - full.tax,
        tax_rate=rate,
        title=full.title,
        order_line_id=line.pk,
    )
    return [full, less]


def _line(  # noqa: PLR0913 - what stands on a line
    number: int,
    title: str,
    gross: Decimal,
    rate: str,
    line: OrderLine | None = None,
    *,
    whole: bool = True,
) -> NewLine:
    net, tax = without_tax(gross, rate_of(rate))
    pieces = None if line is None else Decimal(line.quantity - (0 if whole else line.gone))
    return NewLine(
        line_no=number,
        amount=net,
        tax=tax,
        tax_rate=rate,
        title=title,
        item_code=line.sku if line else "",
        quantity=pieces or None,
        unit_price=net / pieces if pieces else None,
        order_line_id=line.pk if line else None,
    )


def of_remainder(
    treatment: Treatment, kind: str, number: str, code: str, at: datetime
) -> NewInvoice:
    """Blue − returned, line by line, as the treatment keeps it; parties as on the old invoice."""
    old = cast(Invoice, treatment.invoice)
    news = []
    for no, row in enumerate(treatment.lines.select_related("line").order_by("line__line_no"), 1):
        blue, pieces = row.line, row.quantity or None
        net = row.gross - row.tax
        news.append(
            NewLine(
                line_no=no,
                amount=net,
                tax=row.tax,
                tax_rate=blue.tax_rate,
                title=blue.title,
                item_code=blue.item_code,
                spec=blue.spec,
                unit=blue.unit,
                tax_class=blue.tax_class,
                quantity=pieces,
                unit_price=net / pieces if pieces else None,
                order_line_id=blue.order_line_id,
            )
        )
    return NewInvoice(
        shop=old.shop,
        order=old.order,
        kind=kind or old.kind,
        number=number,
        code=code,
        issued_at=at,
        lines=news,
        currency=old.currency,
        seller_name=old.seller_name,
        seller_tax_no=old.seller_tax_no,
        buyer_name=old.buyer_name,
        buyer_tax_no=old.buyer_tax_no,
        source="reissue",
        extra={"replaces": str(old)},
    )


def kind_of(order: Order) -> str:
    """The kind a shop usually issues."""
    seller = SellerProfile.objects.filter(shop=order.shop).first()
    return seller.kind if seller else InvoiceKind.DIGITAL_GENERAL
