"""Invoices of a sheet, a chunk at a time: looked up at once, checked, written in bulk.

A blue invoice is written as it stands. A red one that names its blue one is taken off it; one that
names nothing is kept as a credit note, and compared with the invoices after the last row.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.models import Order, OrderLine, Shop
from cases.models.money import ZERO
from cases.sheets.loading.outcomes import Impossible, Outcome
from cases.sheets.registry import Intake
from invoices import booking, crediting, entering, ledger
from invoices.booking import Red
from invoices.models import CreditLine, CreditNote, Direction, Invoice, InvoiceKind, InvoiceLine
from invoices.rules import NewInvoice, NewLine, Problem, check, refuse_wrong
from invoices.sheets import reversing
from invoices.sheets.comparing import compare
from invoices.sheets.facts import InvoiceFacts, InvoiceLineFacts

#: Direction, code, number: an invoice is known by them over all shops.
Key = tuple[str, str, str]
_PRICE: Final = Decimal("0.00000001")
_LONGEST: Final = {"seller_name": 200, "buyer_name": 200, "remark": 300}


@dataclass
class InvoiceLoader:
    """Takes chunks of invoice facts."""

    intake: Intake

    def take(self, chunk: Sequence[InvoiceFacts]) -> list[Outcome]:
        """Write one chunk inside the caller's transaction; rows left out have their own outcome."""
        told = [_Told(facts) for facts in chunk]
        _Chunk(self.intake, told).take()
        return [outcome for one in told for outcome in one.outcomes()]


class _Told:
    """One invoice or credit note of the sheet, what it is to be, and what became of it."""

    def __init__(self, facts: InvoiceFacts) -> None:
        self.facts = facts
        out = {row.row for row in facts.left_out}
        rows = tuple(row for row in facts.rows if row not in out)
        warnings = tuple(remark.message for remark in facts.warnings)
        self.done = Outcome(rows, "unchanged", label=facts.number, warnings=warnings)
        self.new: NewInvoice | None = None
        self.note: CreditNote | None = None
        self.lines: list[Any] = []
        #: What is doubtful and stays with the invoice.
        self.doubts: list[str] = []

    @property
    def said(self) -> Any:
        """The header, as whatever it is to be."""
        return self.note or self.new

    @property
    def key(self) -> Key:
        facts = self.facts
        return (Direction.RED if facts.is_red else Direction.BLUE, facts.code, facts.number)

    @property
    def failed(self) -> bool:
        return self.done.what == "failed"

    def warn(self, texts: Iterable[str]) -> None:
        self.done.warnings += tuple(self.done.told(text) for text in texts)

    def attempt(self, act: Callable[["_Told"], None]) -> None:
        """What stands against it is its outcome, not the chunk's."""
        if self.failed or not self.done.rows:
            return
        try:
            act(self)
        except (Impossible, Refused) as problem:
            self.done.what, self.done.code = "failed", problem.code
            self.done.message = self.done.told(problem.message)

    def outcomes(self) -> Iterator[Outcome]:
        if self.done.rows:
            yield self.done
        for row in self.facts.left_out:
            yield Outcome((row.row,), "skipped", row.why, label=self.facts.number)


@dataclass
class _Chunk:
    intake: Intake
    told: list[_Told]
    #: Those of this chunk that are new, by key: the same one again is compared with it.
    fresh: dict[Key, _Told] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = {one.facts.number for one in self.told}
        self.invoices: dict[Key, Invoice] = {
            (row.direction, row.code, row.number): row
            for row in Invoice.objects.filter(number__in=numbers)
        }
        self.notes: dict[Key, CreditNote] = {
            (Direction.RED, row.code, row.number): row
            for row in CreditNote.objects.filter(number__in=numbers)
        }
        self.lines = _lines_of(self.invoices.values(), self.notes.values())
        self._find_orders({one.facts.order_no for one in self.told} - {""})

    def _here(self, one: _Told) -> Any:
        """What has its number already: a credit note, where that is what it is."""
        note, invoice = self.notes.get(one.key), self.invoices.get(one.key)
        return (note or invoice) if one.facts.credit else invoice

    def _find_orders(self, numbers: set[str]) -> None:
        found = Order.objects.filter(order_no__in=numbers).select_related("shop")
        if self.intake.shops.visible is not None:
            found = found.filter(shop_id__in=self.intake.shops.visible)
        self.orders: dict[str, list[Order]] = defaultdict(list)
        for order in found if numbers else ():
            self.orders[order.order_no].append(order)
        ids = [order.pk for orders in self.orders.values() for order in orders]
        self.order_lines: dict[int, list[OrderLine]] = defaultdict(list)
        for line in OrderLine.objects.filter(order_id__in=ids) if ids else ():
            self.order_lines[line.order_id].append(line)

    def take(self) -> None:
        for act in (self._read, self._check, self._compare):
            for one in self.told:
                one.attempt(act)
        fresh = [one for one in self.fresh.values() if not one.failed]
        self._write_blues([one for one in fresh if one.new and not one.facts.is_red])
        self._write_reds([one for one in fresh if one.new and one.facts.is_red])
        crediting.keep([(one.note, one.lines) for one in fresh if one.note])

    # What a row is to be

    def _read(self, one: _Told) -> None:
        shop, order = self._place(one)
        if one.facts.credit and not isinstance(self._here(one), Invoice):
            one.note = self._note(one.facts, shop)
            one.lines = [_credit_line(line) for line in one.facts.lines]
            return
        one.new = self._invoice(one.facts, shop, order)
        one.lines = one.new.lines

    def _place(self, one: _Told) -> tuple[Shop, Order | None]:
        """The shop the sheet, its order or what is here already names; Impossible without."""
        facts, here = one.facts, self._here(one)
        shop = self.intake.shops.of(facts)
        orders = [o for o in self.orders[facts.order_no] if shop in {None, o.shop}]
        order = orders[0] if len(orders) == 1 else None
        if facts.order_no and order is None:
            one.warn(
                [_("there is no order %(no)s here; taken without it") % {"no": facts.order_no}]
            )
        if shop is None and order is not None:
            shop = order.shop
        if shop is None and here is not None and self._visible(here.shop_id):
            shop = here.shop
        if shop is None:
            message = _("neither the sheet nor the order says which shop it is of; name the shop")
            raise Impossible("bad_value", message)
        if here is not None and here.shop_id != shop.pk:
            message = _("the invoice %(no)s is not one of this shop; check the shop and the number")
            raise Impossible("unknown", message % {"no": facts.number})
        return shop, order

    def _visible(self, shop_id: int) -> bool:
        visible = self.intake.shops.visible
        return visible is None or shop_id in visible

    def _common(self, facts: InvoiceFacts) -> dict[str, Any]:
        """What an invoice and a credit note have alike."""
        foreign = facts.kind == InvoiceKind.FOREIGN
        told = {name: getattr(facts, name)[:most] for name, most in _LONGEST.items()}
        return told | {
            "kind": facts.kind,
            "code": facts.code,
            "number": facts.number,
            "issued_at": facts.issued_at,
            "currency": facts.currency or ("" if foreign else "CNY"),
            "seller_tax_no": facts.seller_tax_no,
            "buyer_tax_no": facts.buyer_tax_no,
            "source": self.intake.where.dialect.code,
            "extra": dict(facts.extra),
        }

    def _note(self, facts: InvoiceFacts, shop: Shop) -> CreditNote:
        user = self.intake.actor.user
        return CreditNote(
            **self._common(facts), shop_id=shop.pk, entered_by_id=user.pk if user else None
        )

    def _invoice(self, facts: InvoiceFacts, shop: Shop, order: Order | None) -> NewInvoice:
        found = self.order_lines[order.pk] if order else []
        return NewInvoice(
            **self._common(facts),
            shop=shop,
            order=order,
            direction=Direction.RED if facts.is_red else Direction.BLUE,
            buyer_used=bool(facts.buyer_used),
            lines=[_line(line, found) for line in facts.lines],
            totals={n: v for n, v in (("tax", facts.tax), ("gross", facts.gross)) if v is not None},
        )

    # What stands against it

    def _check(self, one: _Told) -> None:
        if one.new is None or self._here(one) is not None:
            return
        if one.key in self.notes:
            message = _("%(no)s is here as a credit note; put it to its invoice there")
            raise Impossible("bad_value", message % {"no": one.facts.number})
        one.doubts = refuse_wrong([*check(one.new, issuing=False), *_gross(one.facts)])
        one.warn(one.doubts)

    def _compare(self, one: _Told) -> None:
        """The same again changes nothing; something else under its number is refused."""
        here = self._here(one)
        if here is not None:
            blue = getattr(here, "blue", None)
            if blue and one.facts.blue_number:
                _same_blue(blue, one.facts)
            one.warn(compare(here, self.lines[type(here), here.pk], one.said, one.lines))
            return
        twin = self.fresh.setdefault(one.key, one)
        if twin is not one:
            one.warn(compare(twin.said, twin.lines, one.said, one.lines))
            return
        one.done.what = "created"

    # What is written

    def _write_blues(self, blues: list[_Told]) -> None:
        news = [one.new for one in blues if one.new]
        if news:
            doubts = [one.doubts for one in blues]
            found = entering.write(self.intake.actor, news, timezone.now(), warnings=doubts)
            buyers = (crediting.buyer_of(row) for row in found)
            crediting.ask_again(buyer for buyer in buyers if buyer)

    def _write_reds(self, reds: list[_Told]) -> None:
        if not reds:
            return
        blues = self._blues_of(reds)
        for one in reds:
            one.attempt(lambda one: self._name(one, blues))
        book = ledger.lock(one.new.blue.pk for one in reds if one.new and one.new.blue)
        taken: list[Red] = []
        for one in reds:
            one.attempt(lambda one: taken.append(self._reversed(one, book, taken)))
        booking.book(self.intake.actor, taken, timezone.now())

    def _blues_of(self, reds: list[_Told]) -> dict[tuple[int, str], list[Invoice]]:
        """By shop and number."""
        names = {name for one in reds for _code, name in _readings(one.facts.blue_number)}
        found: dict[tuple[int, str], list[Invoice]] = defaultdict(list)
        for row in Invoice.objects.blue().filter(number__in=names).select_related("shop"):
            found[row.shop_id, row.number].append(row)
        return found

    def _name(self, one: _Told, blues: dict[tuple[int, str], list[Invoice]]) -> None:
        """The one blue invoice of its shop that it names."""
        assert one.new is not None  # noqa: S101  # a red one that names its blue one
        said, shop = one.facts.blue_number, one.new.shop.pk
        found = {
            row.pk: row
            for code, number in _readings(said)
            for row in blues[shop, number]
            if code in {"", row.code}
        }
        if len(found) != 1:
            message = (
                _("several invoices have the number %(no)s; write the code before it")
                if found
                else _("there is no blue invoice %(no)s in this shop; import it first")
            )
            raise Impossible("bad_value" if found else "unknown", message % {"no": said})
        (one.new.blue,) = found.values()
        if one.new.blue.issued_at.date() > one.new.issued_at.date():
            message = _("it is dated before %(no)s, which it reverses")
            raise Impossible("bad_value", message % {"no": one.new.blue})
        if one.new.order is None:
            one.new.order = one.new.blue.order

    def _reversed(self, one: _Told, book: ledger.Book, before: list[Red]) -> Red:
        assert one.new is not None and one.new.blue is not None  # noqa: S101, PT018  # see _name
        if book.standings[one.new.blue.pk].voided_at:
            message = _("%(no)s was voided: there is nothing to reverse")
            raise Impossible("bad_value", message % {"no": one.new.blue})
        parts = reversing.parts_of(one.new, book, before)
        return Red(one.new, parts, tuple(one.doubts))


def _same_blue(blue: Invoice, facts: InvoiceFacts) -> None:
    if (blue.code, blue.number) not in {
        (code or blue.code, number) for code, number in _readings(facts.blue_number)
    }:
        words = {"no": facts.number, "blue": blue}
        message = _("%(no)s is here already and reverses %(blue)s; it never changes")
        raise Impossible("bad_value", message % words)


def _lines_of(
    invoices: Iterable[Invoice], notes: Iterable[CreditNote]
) -> dict[tuple[type[Any], int], list[Any]]:
    """The lines of what is here, by number."""
    found: dict[tuple[type[Any], int], list[Any]] = defaultdict(list)
    if ids := [row.pk for row in invoices]:
        mine = InvoiceLine.objects.filter(invoice_id__in=ids)
        for line in mine.order_by("invoice_id", "line_no"):
            found[Invoice, line.invoice_id].append(line)
    if ids := [row.pk for row in notes]:
        for credit in CreditLine.objects.filter(note_id__in=ids).order_by("note_id", "line_no"):
            found[CreditNote, credit.note_id].append(credit)
    return found


def _line(facts: InvoiceLineFacts, order_lines: Sequence[OrderLine]) -> NewLine:
    owner = _order_line(facts, order_lines)
    return NewLine(
        line_no=facts.line_no,
        amount=facts.amount or ZERO,
        tax_rate=facts.rate,
        tax=facts.tax or ZERO,
        nature=facts.nature,
        title=facts.title,
        item_code=facts.item_code,
        spec=facts.spec,
        unit=facts.unit,
        tax_class=facts.tax_class,
        quantity=facts.quantity,
        unit_price=_price(facts.unit_price),
        order_line_id=owner.pk if owner else None,
    )


def _price(price: Decimal | None) -> Decimal | None:
    return None if price is None else price.quantize(_PRICE)


def _order_line(facts: InvoiceLineFacts, lines: Sequence[OrderLine]) -> OrderLine | None:
    """The one line of the order that has these goods, else that has this number and the pieces."""
    for told, name in ((facts.item_code, "sku"), (facts.title, "title")):
        alike = [line for line in lines if told and getattr(line, name) == told]
        if len(alike) == 1:
            return alike[0]
    same = [x for x in lines if x.line_no == facts.line_no and x.quantity == facts.quantity]
    return same[0] if same else None


def _credit_line(facts: InvoiceLineFacts) -> CreditLine:
    """Pieces and amounts above zero."""
    amount, tax = -(facts.amount or ZERO), -(facts.tax or ZERO)
    return CreditLine(
        line_no=facts.line_no,
        item_code=facts.item_code[:100],
        title=facts.title[:300],
        quantity=None if facts.quantity is None else -facts.quantity,
        unit_price=_price(facts.unit_price),
        amount=amount,
        tax_rate=facts.rate,
        tax=tax,
        gross=amount + tax,
    )


def _gross(facts: InvoiceFacts) -> Iterator[Problem]:
    for line in facts.lines:
        total = (line.amount or ZERO) + (line.tax or ZERO)
        if line.gross is not None and line.gross != total:
            words = {"gross": line.gross, "total": total}
            text = _("%(gross)s is not amount + tax, which is %(total)s.") % words
            yield Problem("gross", text, line.line_no)


def _readings(said: str) -> Iterator[tuple[str, str]]:
    """(code, number) that may be meant: the code may stand before the number, apart or not."""
    yield "", said
    code, _dash, number = said.replace("-", " ").replace("/", " ").rpartition(" ")
    if code.strip():
        yield code.strip(), number
    elif said.isdigit() and len(said) in {18, 20}:
        yield said[:-8], said[-8:]
