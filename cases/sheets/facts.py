"""What a spreadsheet says about an order or a case, in our words, before any of it is stored.

A fact that a sheet does not tell is None (or an empty text): it says nothing, it does not
say "none". Times are aware, in Asia/Shanghai; money is Decimal yuan with two places.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

ORDERS = "orders"
ORDER_LINES = "order_lines"
CASES = "cases"

NO_EXTRA: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a person should look at, though the row is taken."""

    row: int
    column: str | None
    value: str
    code: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row (or every row of one order) that is not taken, with all its cells as they came."""

    row: int
    column: str | None
    value: str
    code: str
    message: str
    cells: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)  # not frozen: that makes a million of them five times as slow to build
class LineFacts:
    """One line of an order; `line_no` is None where only `sub_order_no` tells lines apart."""

    line_no: int | None
    sub_order_no: str
    sku: str
    title: str
    category: str | None
    serials: tuple[str, ...]
    quantity: int
    unit_price: Decimal | None
    discount: Decimal | None
    paid_amount: Decimal | None
    ship_by: datetime | None
    promises: tuple[str, ...]
    status: str | None
    row: int
    extra: Mapping[str, str] = field(default_factory=lambda: NO_EXTRA)


@dataclass(slots=True)
class OrderFacts:
    """One order, or the part of it that adjacent rows tell.

    `total_paid` is what the buyer paid in all, freight included and before any refund; None
    where the sheet has only the lines' amounts (each line then says its own) or was never paid.
    The same order may come again later in the file: the loader merges line by line.
    """

    order_no: str
    platform: str | None = None
    shop_code: str | None = None
    shop_name: str | None = None
    status: str | None = None
    fully_refunded: bool = False
    total_paid: Decimal | None = None
    freight_paid: Decimal | None = None
    reported_refunded: Decimal | None = None
    ordered_at: datetime | None = None
    paid_at: datetime | None = None
    ship_by: datetime | None = None
    shipped_at: datetime | None = None
    promised_arrival: datetime | None = None
    signed_at: datetime | None = None
    finished_at: datetime | None = None
    courier: str = ""
    waybill: str = ""
    named_courier: str = ""
    title: str = ""
    shipped_free: bool | None = None
    buyer: str = ""
    receiver: str = ""
    phone: str = ""
    address: str = ""
    payment_number: str = ""
    payment_method: str = ""
    line_count_hint: int | None = None
    lines: tuple[LineFacts, ...] = ()
    rows: tuple[int, ...] = ()
    extra: Mapping[str, str] = field(default_factory=lambda: NO_EXTRA)
    warnings: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One after-sales application on one line of an order, as a sheet tells it.

    `seen_at` is the latest time the row itself shows: of two exports of one case the one with
    the later `seen_at` is the newer. `state_word` is the state as the platform writes it;
    `outcome` is what the platform has done by itself: "refunded", "done" (goods sent, nothing
    refunded) or "closed".
    """

    order_no: str
    case_no: str | None = None
    platform_case_no: str = ""
    platform: str | None = None
    shop_code: str | None = None
    shop_name: str | None = None
    line_no: int | None = None
    sub_order_no: str = ""
    sku: str = ""
    title: str = ""
    quantity: int | None = None
    kind: str | None = None
    reason: str | None = None
    reason_words: str = ""
    amount: Decimal | None = None
    freight: Decimal | None = None
    applied_at: datetime | None = None
    platform_due_at: datetime | None = None
    state: str | None = None
    state_word: str = ""
    outcome: str | None = None
    refunded_amount: Decimal | None = None
    refunded_at: datetime | None = None
    refund_number: str = ""
    text: str = ""
    courier: str = ""
    waybill: str = ""
    goods: str | None = None
    phase: str | None = None
    seen_at: datetime | None = None
    rows: tuple[int, ...] = ()
    extra: Mapping[str, str] = field(default_factory=lambda: NO_EXTRA)
    warnings: tuple[Remark, ...] = ()


class Facts(Protocol):
    """What facts of every kind tell, so that an import can follow them without knowing the kind."""

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows of the sheet that told them."""

    @property
    def warnings(self) -> tuple[Remark, ...]:
        """What a person should look at."""

    @property
    def shop_code(self) -> str | None:
        """The code of the shop, where the sheet names one."""

    @property
    def shop_name(self) -> str | None:
        """Or by its name."""

    @property
    def platform(self) -> str | None:
        """The platform the row names."""
