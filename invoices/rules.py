"""What an invoice must be like (invoices.md, Kinds and identity): numbers, lines, sums, parties.

Pure questions to an invoice that is not written yet; each answer names its line and field.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum.cn import uscc

from cases.flow.door import Refused
from cases.models import Order, Shop
from cases.models.money import ZERO, cents
from invoices.models import OLD_RATES, RATES, Direction, Invoice, InvoiceKind, Nature, rate_of

K = InvoiceKind
#: How far quantity × price and amount × rate may lie from what stands on the line.
PRICE_TOLERANCE = Decimal("0.01")
TAX_TOLERANCE = Decimal("0.06")
#: Invoices with a code and a number of eight digits; the others have one number of twenty.
CODED = frozenset({K.PAPER_SPECIAL, K.PAPER_GENERAL, K.TAX_CONTROL_E})
BOTH = frozenset({K.DIGITAL_PAPER_SPECIAL, K.DIGITAL_PAPER_GENERAL})
_CODE = re.compile(r"[0-9]{10}(?:[0-9]{2})?")
_EIGHT = re.compile(r"[0-9]{8}")
_TWENTY = re.compile(r"[0-9]{20}")
_FOREIGN = re.compile(r"[0-9A-Za-z/_.-]{1,30}")
#: Numbers of taxpayers from before the unified code; nothing in them can be checked.
_OLD_TAX_NO = re.compile(r"(?:[0-9A-Z]{15}|[0-9A-Z]{17}|[0-9A-Z]{20})")


@dataclass
class NewLine:
    """A line to be; amounts of a red one are negative."""

    line_no: int
    amount: Decimal
    tax_rate: str
    tax: Decimal
    nature: str = Nature.NORMAL
    title: str = ""
    item_code: str = ""
    spec: str = ""
    unit: str = ""
    tax_class: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    order_line_id: int | None = None
    blue_line_id: int | None = None

    @property
    def gross(self) -> Decimal:
        return self.amount + self.tax


@dataclass
class NewInvoice:
    """An invoice to be; ``totals``: what its header says, where it says anything."""

    shop: Shop
    kind: str
    number: str
    issued_at: datetime
    lines: list[NewLine]
    code: str = ""
    order: Order | None = None
    direction: str = Direction.BLUE
    blue: Invoice | None = None
    currency: str = "CNY"
    seller_name: str = ""
    seller_tax_no: str = ""
    buyer_name: str = ""
    buyer_tax_no: str = ""
    remark: str = ""
    source: str = "form"
    buyer_used: bool = False
    booked: bool = False
    totals: dict[str, Decimal] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    def total(self, name: str) -> Decimal:
        """The exact sum of the lines' ``amount``, ``tax`` or ``gross``."""
        return sum((getattr(line, name) for line in self.lines), ZERO)


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where; ``blocking``: it cannot be written like this."""

    field: str
    text: str
    line_no: int | None = None
    blocking: bool = True

    def __str__(self) -> str:
        names = {**FIELDS}
        place = str(names.get(self.field, self.field))
        if self.line_no is not None:
            place = _("line %(line)s, %(field)s") % {"line": self.line_no, "field": place}
        return f"{place}: {self.text}"


FIELDS: dict[str, str | Promise] = {
    "number": gettext_lazy("invoice no."),
    "code": gettext_lazy("invoice code"),
    "kind": gettext_lazy("invoice kind"),
    "lines": gettext_lazy("lines"),
    "nature": gettext_lazy("nature"),
    "quantity": gettext_lazy("quantity"),
    "unit_price": gettext_lazy("unit price without tax"),
    "amount": gettext_lazy("amount without tax"),
    "tax_rate": gettext_lazy("tax rate"),
    "tax": gettext_lazy("tax"),
    "gross": gettext_lazy("total with tax"),
    "seller_tax_no": gettext_lazy("seller's tax no."),
    "buyer_tax_no": gettext_lazy("buyer's tax no."),
}


def check(new: NewInvoice, *, issuing: bool) -> list[Problem]:
    """All that is wrong. ``issuing``: a wrong tax number stops it; recorded, it is a warning."""
    found = [
        *_identity(new),
        *_parties(new, issuing=issuing),
        *_order_of_lines(new.lines),
        *(problem for line in new.lines for problem in _line(new, line)),
    ]
    if not any(p.field in {"amount", "tax"} for p in found):
        found += _sums(new)
    return found


def refuse_wrong(problems: list[Problem]) -> list[str]:
    """Raise Refused with all that blocks; the warnings in words."""
    if blocking := [str(p) for p in problems if p.blocking]:
        raise Refused("; ".join(blocking), "bad_value")
    return [str(p) for p in problems]


def _identity(new: NewInvoice) -> Iterator[Problem]:
    if new.kind not in InvoiceKind.values:
        known = ", ".join(InvoiceKind.values)
        yield Problem(
            "kind",
            _("“%(value)s” is not known here. Known: %(known)s.")
            % {"value": new.kind, "known": known},
        )
        return
    if new.kind == K.FOREIGN:
        if not _FOREIGN.fullmatch(new.number):
            yield Problem("number", _("Letters, digits and / _ . - only, up to 30."))
        return
    coded = new.kind in CODED or (new.kind in BOTH and bool(new.code))
    if coded and not _CODE.fullmatch(new.code):
        yield Problem(
            "code", _("“%(value)s”: it has 10 or 12 digits.") % {"value": new.code or "–"}
        )
    if not coded and new.code:
        yield Problem("code", _("A digital invoice has no code: leave it empty."))
    digits, form = (8, _EIGHT) if coded else (20, _TWENTY)
    if not form.fullmatch(new.number):
        yield Problem(
            "number",
            _("“%(value)s”: it has %(digits)s digits, not %(given)s characters.")
            % {"value": new.number, "digits": digits, "given": len(new.number)},
        )


def _parties(new: NewInvoice, *, issuing: bool) -> Iterator[Problem]:
    if new.kind == K.FOREIGN:
        return
    for name in ("seller_tax_no", "buyer_tax_no"):
        value = getattr(new, name)
        if value and (text := wrong_tax_no(value)):
            yield Problem(name, text, blocking=issuing)


def wrong_tax_no(value: str) -> str:
    """What is wrong with a taxpayer's number; empty where nothing is (GB 32100 for 18 digits)."""
    if len(value) == 18:
        if uscc.is_valid(value):
            return ""
        return _("“%(value)s”: its check character does not fit; a digit is wrong.") % {
            "value": value
        }
    if _OLD_TAX_NO.fullmatch(value):
        return ""
    return _("“%(value)s”: it has 18 characters (old ones 15, 17 or 20), not %(given)s.") % {
        "value": value,
        "given": len(value),
    }


def _order_of_lines(lines: list[NewLine]) -> Iterator[Problem]:
    """A discount line follows its discounted line directly, at the same rate."""
    if not lines:
        yield Problem("lines", _("An invoice has at least one line."))
    for before, line in zip([None, *lines], [*lines, None], strict=True):
        wants = before is not None and before.nature == Nature.DISCOUNTED
        is_one = line is not None and line.nature == Nature.DISCOUNT
        if wants and not is_one and before is not None:
            yield Problem("nature", _("Its discount line has to follow directly."), before.line_no)
        if is_one and line is not None and not wants:
            yield Problem(
                "nature", _("A discount follows the line it is given on directly."), line.line_no
            )
        if wants and is_one and before is not None and line is not None:
            yield from _discount(before, line)


def _discount(before: NewLine, line: NewLine) -> Iterator[Problem]:
    if line.tax_rate != before.tax_rate:
        yield Problem(
            "tax_rate",
            _("A discount has the rate of its line (%(rate)s).") % {"rate": before.tax_rate},
            line.line_no,
        )
    if line.gross * before.gross > 0 or abs(line.gross) > abs(before.gross):
        yield Problem(
            "amount",
            _("A discount is negative and at most the line's %(most)s.") % {"most": before.gross},
            line.line_no,
        )


def _line(new: NewInvoice, line: NewLine) -> Iterator[Problem]:
    no = line.line_no
    if line.nature not in Nature.values:
        yield Problem("nature", _("“%(value)s” is not known here.") % {"value": line.nature}, no)
    for name in ("amount", "tax"):
        value = getattr(line, name)
        if value != cents(value):
            yield Problem(
                name,
                _("%(value)s has more than two decimals; the smallest unit is 0.01.")
                % {"value": value},
                no,
            )
    yield from _signs(new, line)
    yield from _price(line)
    if line.tax_rate not in RATES and line.tax_rate not in OLD_RATES:
        yield Problem(
            "tax_rate",
            _("“%(value)s” never was a rate. There are: %(known)s.")
            % {"value": line.tax_rate, "known": ", ".join((*RATES, *OLD_RATES))},
            no,
        )
    elif abs(line.amount * rate_of(line.tax_rate) - line.tax) > TAX_TOLERANCE:
        yield Problem(
            "tax",
            _("%(amount)s at %(rate)s makes %(exact)s, not %(tax)s; 0.06 may differ.")
            % {
                "amount": line.amount,
                "rate": line.tax_rate,
                "exact": cents(line.amount * rate_of(line.tax_rate)),
                "tax": line.tax,
            },
            no,
        )


def _signs(new: NewInvoice, line: NewLine) -> Iterator[Problem]:
    down = (new.direction == Direction.RED) != (line.nature == Nature.DISCOUNT)
    wrong = (line.amount > 0 or line.tax > 0) if down else (line.amount < 0 or line.tax < 0)
    if wrong:
        text = _("It is to be negative here.") if down else _("It cannot be negative here.")
        yield Problem("amount", text, line.line_no)


def _price(line: NewLine) -> Iterator[Problem]:
    no, quantity, price = line.line_no, line.quantity, line.unit_price
    if (quantity is None) != (price is None):
        name = "quantity" if quantity is None else "unit_price"
        yield Problem(name, _("Quantity and unit price: give both or neither."), no)
    elif quantity is not None and line.nature == Nature.DISCOUNT:
        yield Problem("quantity", _("A discount line has no quantity and no unit price."), no)
    elif quantity is not None and price is not None:
        if quantity == 0 or quantity * line.amount < 0:
            yield Problem("quantity", _("It cannot be %(value)s.") % {"value": quantity}, no)
        elif abs(quantity * price - line.amount) > PRICE_TOLERANCE:
            yield Problem(
                "amount",
                _("%(quantity)s × %(price)s makes %(exact)s, not %(amount)s; 0.01 may differ.")
                % {
                    "quantity": quantity,
                    "price": price,
                    "exact": cents(quantity * price),
                    "amount": line.amount,
                },
                no,
            )


def _sums(new: NewInvoice) -> Iterator[Problem]:
    for name, said in new.totals.items():
        total = new.total(name)
        if said != total:
            yield Problem(
                name,
                _("The header says %(said)s, the lines add up to %(sum)s.")
                % {"said": said, "sum": total},
            )
