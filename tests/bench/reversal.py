"""Reversing all lines of many invoices, three lines each: reds written, ledger and counters moved.

Ours is the batch by which sheets and credit notes are booked. Stock is the loop a user would write
with the ORM: lock one, write its red, its lines, its entries, save the counters; it is measured on
at most 300 invoices. The floor is one INSERT … SELECT or UPDATE per table, without any rule.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from cases.flow.door import Actor, unit
from cases.models import Shop
from invoices import booking, entering, ledger
from invoices.booking import Red
from invoices.models import Balance, Direction, Invoice, InvoiceLine, Reversal, Standing
from invoices.rules import NewInvoice, NewLine
from tests.bench import stand

STOCK_ROWS = 300
CHUNK = 500
LINES = (
    ("短袖", 3, "88.49", "11.50"),
    ("长裤", 1, "176.99", "23.01"),
    ("袜子", 10, "44.25", "5.75"),
)
SYSTEM = Actor.system()


def run(rows: int, database: str) -> Iterator[dict[str, Any]]:
    """``rows`` invoices of three lines."""
    some = min(rows, STOCK_ROWS)
    now = timezone.now()
    stand.in_child(fill, rows, now.isoformat())
    stand.keep(database)
    yield from stand.in_turn(
        "reversal",
        database,
        {
            "ours": lambda: ours(now),
            "stock": lambda: stock(some, now),
            "floor": lambda: floor(now),
        },
        same=lambda: outcome(some),
    )


def fill(rows: int, now: str) -> int:
    at = datetime.fromisoformat(now) - timedelta(days=1)
    shop = Shop.objects.create(code="bench", name="bench", platform="taobao")
    for first in range(0, rows, CHUNK):
        news = [_blue(shop, number, at) for number in range(first, min(first + CHUNK, rows))]
        with unit():
            entering.write(SYSTEM, news, at)
    return rows


def _blue(shop: Shop, number: int, at: datetime) -> NewInvoice:
    lines = [
        NewLine(n, Decimal(amount), "0.13", Decimal(tax), title=title, quantity=Decimal(pieces))
        for n, (title, pieces, amount, tax) in enumerate(LINES, 1)
    ]
    for line in lines:
        assert line.quantity is not None
        line.unit_price = line.amount / line.quantity
    return NewInvoice(shop, "digital_general", f"2631{number:016d}", at, lines)


def ours(now: datetime) -> int:
    keys = list(Invoice.objects.blue().order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(keys), CHUNK):
        with unit():
            book = ledger.lock(keys[first : first + CHUNK])
            reds = [
                _red(standing.invoice, book.of(pk), now) for pk, standing in book.standings.items()
            ]
            booking.book(SYSTEM, reds, now)
    return len(keys)


def _red(blue: Invoice, balances: list[Balance], now: datetime) -> Red:
    parts = [(balance, ledger.left(balance)) for balance in balances]
    lines = [
        NewLine(
            n,
            -part.net,
            balance.line.tax_rate,
            -part.tax,
            title=balance.line.title,
            quantity=-part.quantity,
            unit_price=balance.line.unit_price,
            blue_line_id=balance.line_id,
        )
        for n, (balance, part) in enumerate(parts, 1)
    ]
    shop = Shop(pk=blue.shop_id)
    number = _number(blue.number)
    new = NewInvoice(shop, blue.kind, number, now, lines, direction=Direction.RED, blue=blue)
    return Red(new, parts)


def _number(blue: str) -> str:
    return f"2632{blue[4:]}"


def stock(some: int, now: datetime) -> int:
    """Row by row, as one writes it at first; it is right, and locks what it must."""
    for pk in Invoice.objects.blue().order_by("pk").values_list("pk", flat=True)[:some]:
        with transaction.atomic():
            standing = Standing.objects.select_for_update().get(invoice_id=pk)
            blue = standing.invoice
            red = Invoice.objects.create(
                shop_id=blue.shop_id,
                direction=Direction.RED,
                kind=blue.kind,
                number=_number(blue.number),
                issued_at=now,
                amount=-blue.amount,
                tax=-blue.tax,
                gross=-blue.gross,
                blue=blue,
            )
            for balance in standing.balances.select_related("line").order_by("line__line_no"):
                _one_line(red, balance, now)
                standing.reversed_gross += balance.gross
            standing.save(update_fields=["reversed_gross"])
    return some


def _one_line(red: Invoice, balance: Balance, now: datetime) -> None:
    line = InvoiceLine.objects.create(
        invoice=red,
        line_no=balance.line.line_no,
        blue_line=balance.line,
        title=balance.line.title,
        quantity=-balance.quantity,
        unit_price=balance.line.unit_price,
        amount=balance.tax - balance.gross,
        tax_rate=balance.line.tax_rate,
        tax=-balance.tax,
        gross=-balance.gross,
    )
    Reversal.objects.create(
        balance=balance,
        kind=Reversal.Kind.BOOK,
        red_line=line,
        quantity=balance.quantity,
        gross=balance.gross,
        tax=balance.tax,
        at=now,
        key=f"red:{line.pk}",
    )
    balance.reversed_quantity += balance.quantity
    balance.reversed_gross += balance.gross
    balance.reversed_tax += balance.tax
    balance.save(update_fields=["reversed_quantity", "reversed_gross", "reversed_tax"])


_FLOOR = (
    """
    INSERT INTO invoices_invoice (shop_id, direction, kind, code, number, issued_at, currency,
        seller_name, seller_tax_no, buyer_name, buyer_tax_no, amount, tax, gross, blue_id, remark,
        source, warnings, extra, recorded_at)
    SELECT shop_id, 'red', kind, code, '2632' || substr(number, 5), %s, currency,
        seller_name, seller_tax_no, buyer_name, buyer_tax_no, -amount, -tax, -gross, id, remark,
        source, warnings, extra, %s
    FROM invoices_invoice WHERE direction = 'blue'
    """,
    """
    INSERT INTO invoices_invoiceline (invoice_id, line_no, nature, order_line_id, blue_line_id,
        title, item_code, spec, unit, tax_class, quantity, unit_price, amount, tax_rate, tax, gross)
    SELECT r.id, l.line_no, l.nature, l.order_line_id, l.id, l.title, l.item_code, l.spec, l.unit,
        l.tax_class, -l.quantity, l.unit_price, -l.amount, l.tax_rate, -l.tax, -l.gross
    FROM invoices_invoiceline l JOIN invoices_invoice r ON r.blue_id = l.invoice_id
    """,
    """
    INSERT INTO invoices_reversal (balance_id, kind, request_id, red_line_id, quantity, gross, tax,
        at, recorded_at, key)
    SELECT b.id, 'book', NULL, l.id, b.quantity, b.gross, b.tax, %s, %s, 'red:' || l.id
    FROM invoices_balance b JOIN invoices_invoiceline l ON l.blue_line_id = b.line_id
    """,
    """
    UPDATE invoices_balance SET reversed_quantity = quantity, reversed_gross = gross,
        reversed_tax = tax
    """,
    "UPDATE invoices_standing SET reversed_gross = gross",
)


def floor(now: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in _FLOOR:
            cursor.execute(statement, [now] * statement.count("%s"))
        return Invoice.objects.blue().count()


def outcome(some: int) -> list[Any]:
    """What all three must have brought about for the first invoices."""
    keys = list(Invoice.objects.blue().order_by("pk").values_list("pk", flat=True)[:some])
    balances = Balance.objects.filter(line__invoice_id__in=keys).order_by("pk")
    told = balances.values_list(
        "reversed_quantity",
        "reversed_gross",
        "reversed_tax",
        "line__red_lines__gross",
        "line__red_lines__reversal__gross",
        "standing__state",
        "line__red_lines__invoice__number",
    )
    return [[str(value) for value in row] for row in told]
