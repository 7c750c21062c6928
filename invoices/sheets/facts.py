"""What a sheet says about an invoice or a credit note, in our words, before any of it is stored.

Amounts and pieces have the sign the sheet gives them: those of a red invoice are negative. What a
sheet does not tell is None, or an empty text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from cases.sheets.facts import NO_EXTRA, Remark

INVOICES = "invoices"


@dataclass(slots=True)
class InvoiceLineFacts:
    """One printed line. ``amount`` is without tax, ``rate`` in our words (``0.13``, ``exempt``)."""

    line_no: int
    row: int
    nature: str = "normal"
    title: str = ""
    item_code: str = ""
    spec: str = ""
    unit: str = ""
    tax_class: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    amount: Decimal | None = None
    rate: str = ""
    tax: Decimal | None = None
    gross: Decimal | None = None


@dataclass(slots=True)
class LeftOut:
    """A row that is no line of the invoice it stands with, and why."""

    row: int
    why: str


@dataclass(slots=True)
class InvoiceFacts:
    """One invoice, whole: all its rows or none of them are taken.

    ``blue_number`` names what a red one reverses; ``credit`` is a red one that names nothing.
    ``amount``, ``tax`` and ``gross`` are the header's, where the sheet tells them.
    """

    number: str
    code: str = ""
    kind: str = ""
    issued_at: datetime | None = None
    shop_code: str | None = None
    shop_name: str | None = None
    platform: str | None = None
    order_no: str = ""
    currency: str = ""
    seller_name: str = ""
    seller_tax_no: str = ""
    buyer_name: str = ""
    buyer_tax_no: str = ""
    buyer_used: bool | None = None
    blue_number: str = ""
    credit: bool = False
    remark: str = ""
    tax: Decimal | None = None
    gross: Decimal | None = None
    lines: tuple[InvoiceLineFacts, ...] = ()
    rows: tuple[int, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    extra: Mapping[str, str] = field(default_factory=lambda: NO_EXTRA)
    warnings: tuple[Remark, ...] = ()

    @property
    def is_red(self) -> bool:
        return self.credit or bool(self.blue_number)
