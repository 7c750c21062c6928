"""What credit notes become: reds of the invoices they mean, or a list for people.

The only writer of credit notes. A note that names no invoice waits until ``settle_pending`` has
compared it with what its buyer was sold: what is certain becomes a red invoice, the rest is ranked
or told why not. A person settles a part of a note with ``accept``, or puts it aside.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.flow import writing
from cases.flow.door import Actor, NotPermitted, Refused, once_more, unit
from cases.models import Order, Shop
from cases.models.shops import shop_ids_of
from invoices import booking, ledger, matching
from invoices.arithmetic import NONE, Part, TooMuch, pieces
from invoices.booking import Red
from invoices.matching import Credited, Goods, Sold, Verdict
from invoices.models import Balance, CreditLine, CreditNote, Direction, Invoice, InvoiceKind
from invoices.models.quantity import shown
from invoices.rules import NewInvoice, NewLine

State, Why = CreditLine.State, CreditLine.Why
#: So many notes are compared in one transaction, with all others of their buyers.
NOTES: Final = 100
#: So much a credited line may differ from what the invoice makes of its pieces.
CENT: Final = Decimal("0.01")
SOURCE: Final = "matched"

#: Shop, tax number, name: by what a buyer is told from the shop's others.
Buyer = tuple[int, str, str]


def buyer_of(row: Any) -> Buyer | None:
    """Whose this invoice or note is; None where nothing tells."""
    if row.buyer_tax_no:
        return row.shop_id, row.buyer_tax_no, ""
    if row.kind == InvoiceKind.FOREIGN and row.buyer_name:
        return row.shop_id, "", row.buyer_name
    return None


def _of(buyers: Iterable[Buyer], path: str = "") -> Q:
    """Rows of these buyers; ``path``: where they are seen from."""
    found = Q(pk__in=[])
    by_shop: dict[int, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for shop, tax_no, name in buyers:
        (by_shop[shop][0] if tax_no else by_shop[shop][1]).add(tax_no or name)
    for shop, (tax_nos, names) in by_shop.items():
        same = {f"{path}shop_id": shop}
        if tax_nos:
            found |= Q(**same, **{f"{path}buyer_tax_no__in": sorted(tax_nos)})
        if names:
            by_name = {f"{path}buyer_name__in": sorted(names), f"{path}buyer_tax_no": ""}
            found |= Q(**same, **by_name, **{f"{path}kind": InvoiceKind.FOREIGN})
    return found


# What comes in


def keep(notes: Sequence[tuple[CreditNote, Sequence[CreditLine]]]) -> None:
    """Write new notes with their lines; they wait to be compared."""
    writing.insert_rows(CreditNote, [note for note, _lines in notes])
    for note, lines in notes:
        unknown = buyer_of(note) is None
        for line in lines:
            line.note_id = note.pk
            told = line.quantity is not None and line.unit_price is not None
            line.why = Why.NO_BUYER if unknown else "" if told else Why.NO_PIECES
    writing.insert_rows(CreditLine, [line for _note, lines in notes for line in lines])


def ask_again(buyers: Iterable[Buyer]) -> None:
    """These were invoiced something: what their open notes credit may be among it."""
    buyers = set(buyers)
    if buyers:
        _with_open_lines(_of(buyers)).filter(pending=False).update(pending=True)


def _with_open_lines(which: Q) -> Any:
    open_ = CreditLine.objects.filter(note=OuterRef("pk"), state=State.OPEN)
    return CreditNote.objects.filter(which).filter(Exists(open_))


# What is certain


def settle_pending(
    actor: Actor, *, shops: frozenset[int] | None = None, passing: Callable[[], None] | None = None
) -> Counter[str]:
    """Compare every note that waits, of these shops (None: all); how many lines were settled.

    Batches in transactions of their own; ``passing`` is called between them. To run it twice, or
    to be killed in between, changes nothing.
    """
    done: Counter[str] = Counter()
    while (found := once_more(lambda scope: _settle_some(actor, scope), shops)) is not None:
        done += found
        if passing:
            passing()
        if found["stale"] and not found["lines"]:
            break  # another hand is at work on the same invoices: whoever comes next goes on
    return done


def _settle_some(actor: Actor, shops: frozenset[int] | None) -> Counter[str] | None:
    waiting = CreditNote.objects.filter(pending=True)
    if shops is not None:
        waiting = waiting.filter(shop_id__in=shops)
    first = list(waiting.order_by("pk")[:NOTES])
    if not first:
        return None
    with transaction.atomic():  # `once_more` stands in line already
        desk = _Desk(actor, {buyer for note in first if (buyer := buyer_of(note))})
        desk.decide()
        # All notes of these buyers were compared, not only those that came first.
        seen = {note.pk for note in first} | set(desk.notes)
        CreditNote.objects.filter(pk__in=seen).update(pending=False)
        CreditNote.objects.filter(pk__in=desk.stale).update(pending=True)
    return desk.settled


@dataclass
class _Desk:
    """Everything open of some buyers: notes locked in pk order, then what they were sold."""

    actor: Actor
    buyers: set[Buyer]
    notes: dict[int, CreditNote] = field(default_factory=dict)
    lines: dict[int, CreditLine] = field(default_factory=dict)
    #: Notes whose invoice was changed by another hand meanwhile: they go on waiting.
    stale: set[int] = field(default_factory=set)
    settled: Counter[str] = field(default_factory=Counter)

    def decide(self) -> None:
        locked = _with_open_lines(_of(self.buyers)).select_for_update(of=("self",))
        self.notes = {note.pk: note for note in locked.order_by("pk")}
        mine = CreditLine.objects.filter(note_id__in=self.notes).order_by("note_id", "line_no")
        self.lines = {line.pk: line for line in mine}
        verdicts = compared(self.notes, list(self.lines.values()))
        open_ = [one for one in verdicts if one.why is not matching.Why.ONE]
        sure = [one for one in verdicts if one.why is matching.Why.ONE]
        settlement = Settlement(self.actor, self.notes, self.lines)
        settlement.settle(sure)
        self.stale = settlement.stale
        self.settled.update(lines=settlement.count, stale=len(self.stale))
        _tell(open_, settlement.differing, self.lines)


def compared(notes: dict[int, CreditNote], lines: Sequence[CreditLine]) -> list[Verdict]:
    """What can be meant by each open line, given all lines of these notes."""
    split = {line.note_id for line in lines if line.state == State.SETTLED}
    credited: dict[Buyer, list[Credited]] = defaultdict(list)
    for line in lines:
        note = notes[line.note_id]
        buyer = buyer_of(note)
        if buyer and line.state == State.OPEN and line.why not in {Why.NO_BUYER, Why.NO_PIECES}:
            credited[buyer].append(_credited(note, line, split=line.note_id in split))
    sold = _sold(credited)
    return [
        verdict for buyer, mine in credited.items() for verdict in matching.match(sold[buyer], mine)
    ]


def _credited(note: CreditNote, line: CreditLine, *, split: bool = False) -> Credited:
    assert line.quantity is not None  # noqa: S101  # told apart by Why.NO_PIECES
    return Credited(line.pk, note.pk, goods_of(line), note.issued_at, line.quantity, split)


def goods_of(line: Any) -> Goods:
    """What two lines must have alike to be about the same goods."""
    return (line.item_code or line.title).casefold(), line.unit_price


_SOLD: Final = (
    *("line_id", "line__invoice_id", "line__item_code", "line__title", "line__unit_price"),
    *("line__invoice__issued_at", "quantity", "reversed_quantity", "reserved_quantity"),
    *("line__invoice__shop_id", "line__invoice__buyer_tax_no", "line__invoice__buyer_name"),
)


def _sold(credited: dict[Buyer, list[Credited]]) -> dict[Buyer, list[Sold]]:
    """What these buyers were sold of the goods they were credited, and what is left of it."""
    wanted = {one.goods[0] for mine in credited.values() for one in mine}
    names = {spelt for code in wanted for spelt in (code, code.upper(), code.lower())}
    found = Balance.objects.filter(
        _of(credited, "line__invoice__"),
        Q(line__item_code__in=names) | Q(line__item_code="", line__title__in=names),
        standing__voided_at=None,
        quantity__gt=NONE,
    )
    sold: dict[Buyer, list[Sold]] = defaultdict(list)
    for row in found.order_by("line_id").values_list(*_SOLD):
        line, invoice, code, title, price, at, whole, gone, spoken_for, shop, tax_no, name = row
        goods = (code or title).casefold(), price
        buyer = (shop, tax_no, "" if tax_no else name)
        sold[buyer].append(Sold(line, invoice, goods, at, whole - gone - spoken_for))
    return sold


def _tell(
    verdicts: Sequence[Verdict], differing: Sequence[Verdict], lines: dict[int, CreditLine]
) -> None:
    """Keep with each open line what is known of it."""
    told = [(one, Why(one.why.value), one.left) for one in verdicts]
    told += [(one, Why.AMOUNT, 0) for one in differing]
    changed = []
    for verdict, why, most in told:
        left = Decimal(most) if why == Why.TOO_MUCH else None
        for pk in verdict.lines:
            line = lines[pk]  # type: ignore[index]  # the keys that went in
            if (line.why, line.left) != (why, left):
                line.why, line.left = why, left
                changed.append(line)
    _write(changed, "why", "left")


def _write(lines: Sequence[CreditLine], *names: str) -> None:
    fields = [CreditLine._meta.get_field(name) for name in names]
    writing.update_rows(CreditLine, fields, writing.rows_of(lines, fields))


@dataclass
class Settlement:
    """Certain parts of notes become red invoices, a batch at a time."""

    actor: Actor
    notes: dict[int, CreditNote]
    lines: dict[int, CreditLine]
    stale: set[int] = field(default_factory=set)
    #: Parts whose amount is not what the invoice makes of the pieces.
    differing: list[Verdict] = field(default_factory=list)
    count: int = 0

    def settle(self, verdicts: Sequence[Verdict]) -> list[Invoice]:
        """Lock the invoices that are meant, and book what is still as it was."""
        if not verdicts:
            return []
        book = ledger.lock(one.choices[0].invoice for one in verdicts)  # type: ignore[misc]
        balances = {row.line_id: row for rows in book.balances.values() for row in rows}
        shops = Shop.objects.in_bulk({note.shop_id for note in self.notes.values()})
        orders = Order.objects.in_bulk(
            {s.invoice.order_id for s in book.standings.values() if s.invoice.order_id}
        )
        reds, settled = [], []
        for verdict in verdicts:
            standing = book.standings[verdict.choices[0].invoice]  # type: ignore[index]
            if parts := self._parts(verdict, balances):
                note = self.notes[verdict.note]  # type: ignore[index]
                blue = standing.invoice
                new = _red(note, blue, shops[note.shop_id], orders.get(blue.order_id), parts)
                reds.append(Red(new, parts))
                settled.append(verdict)
        if not reds:
            return []
        self._number(reds, settled)
        invoices = booking.book(self.actor, reds, timezone.now())
        for verdict, red in zip(settled, invoices, strict=True):
            self._done(verdict, red)
        _write([line for line in self.lines.values() if line.red_id], *_DONE)
        return invoices

    def _parts(
        self, verdict: Verdict, balances: dict[int, Balance]
    ) -> list[tuple[Balance, Part]] | None:
        """What each share reverses; None where something stands against it."""
        parts: list[tuple[Balance, Part]] = []
        planned: dict[int, Part] = {}
        sums: dict[Any, Decimal] = defaultdict(Decimal)
        shares: Counter[Any] = Counter()
        for share in verdict.shares:
            balance = balances[share.sold]  # type: ignore[index]
            before = ledger.taken(balance) + planned.get(balance.pk, Part())
            try:
                part = pieces(ledger.whole(balance), before, Decimal(share.pieces))
            except TooMuch:
                self.stale.add(verdict.note)  # type: ignore[arg-type]
                return None
            planned[balance.pk] = planned.get(balance.pk, Part()) + part
            parts.append((balance, part))
            sums[share.credited] += part.gross
            shares[share.credited] += 1
        if any(abs(self.lines[pk].gross - total) > CENT * shares[pk] for pk, total in sums.items()):
            self.differing.append(verdict)
            return None
        return parts

    def _number(self, reds: list[Red], verdicts: Sequence[Verdict]) -> None:
        """A note that becomes several reds: the second has the code 2, and so on."""
        made: dict[Any, set[int]] = defaultdict(set)
        for line in self.lines.values():
            if line.red_id:
                made[line.note_id].add(line.red_id)
        count = {note: len(reds_) for note, reds_ in made.items()}
        for red, verdict in zip(reds, verdicts, strict=True):
            count[verdict.note] = at = count.get(verdict.note, 0) + 1
            red.new.code = str(at) if at > 1 else self.notes[verdict.note].code  # type: ignore[index]

    def _done(self, verdict: Verdict, red: Invoice) -> None:
        for pk in verdict.lines:
            line = self.lines[pk]  # type: ignore[index]
            line.state, line.why, line.left = State.SETTLED, Why.ONE, None
            line.red_id, line.settled_at = red.pk, red.recorded_at
            line.settled_by_id = self.actor.user.pk if self.actor.user else None
            self.count += 1


_DONE: Final = ("state", "why", "left", "red", "settled_at", "settled_by")


def _red(
    note: CreditNote,
    blue: Invoice,
    shop: Shop,
    order: Order | None,
    parts: Sequence[tuple[Balance, Part]],
) -> NewInvoice:
    """The red invoice a part of a note is, with the invoice's own figures for its pieces."""
    lines = [
        NewLine(
            line_no=at,
            amount=-part.net,
            tax_rate=balance.line.tax_rate,
            tax=-part.tax,
            title=balance.line.title,
            item_code=balance.line.item_code,
            spec=balance.line.spec,
            unit=balance.line.unit,
            tax_class=balance.line.tax_class,
            quantity=-part.quantity,
            unit_price=balance.line.unit_price,
            order_line_id=balance.line.order_line_id,
            blue_line_id=balance.line_id,
        )
        for at, (balance, part) in enumerate(parts, 1)
    ]
    return NewInvoice(
        shop=shop,
        kind=note.kind,
        number=note.number,
        issued_at=note.issued_at,
        lines=lines,
        order=order,
        direction=Direction.RED,
        blue=blue,
        currency=note.currency,
        seller_name=note.seller_name or blue.seller_name,
        seller_tax_no=note.seller_tax_no or blue.seller_tax_no,
        buyer_name=note.buyer_name,
        buyer_tax_no=note.buyer_tax_no,
        remark=note.remark,
        source=SOURCE,
    )


# What a person decides


def accept(actor: Actor, note_pk: int, lines: Sequence[int], invoice_no: str) -> Invoice:
    """Put these open lines of a note to this invoice; the red that comes of it.

    Refused where the invoice has not enough left, in words that say what it has.
    """
    with unit():
        note, mine = _in_hand(actor, note_pk, lines)
        blue = _named(note, invoice_no)
        if unfit := [line.line_no for line in mine if line.quantity is None or not line.unit_price]:
            said = {"lines": ", ".join(map(str, unfit))}
            message = _("Line %(lines)s tells no pieces or no price; enter its red by hand.")
            raise Refused(message % said, "bad_value")
        credited = [_credited(note, line) for line in mine]
        verdicts = matching.match(_sold_on(blue), credited)
        if len(verdicts) > 1 or verdicts[0].why is not matching.Why.ONE:
            raise Refused(*_does_not_fit(blue, verdicts, {row.pk: row for row in mine}))
        everything = CreditLine.objects.filter(note=note)
        settlement = Settlement(actor, {note.pk: note}, {row.pk: row for row in everything})
        reds = settlement.settle(verdicts)
        if settlement.stale:
            message = _("Someone has just reversed something of %(invoice)s; look at it again.")
            raise Refused(message % {"invoice": blue}, "stale")
        if not reds:
            message = _("The amounts of the note are not what %(invoice)s says; enter it by hand.")
            raise Refused(message % {"invoice": blue}, "bad_value")
        # What is left of the note and of the buyer's others may be certain now.
        CreditNote.objects.filter(pk=note.pk).update(pending=True)
        return reds[0]


def put_aside(actor: Actor, note_pk: int, lines: Sequence[int], text: str) -> None:
    """These open lines will not become a red here; ``text`` says why."""
    if not text.strip():
        raise Refused(_("Say why these lines are put aside."), "reason_required")
    with unit():
        _note, mine = _in_hand(actor, note_pk, lines)
        for line in mine:
            line.state, line.text = State.PUT_ASIDE, text.strip()[:300]
            line.settled_at = timezone.now()
            line.settled_by_id = actor.user.pk if actor.user else None
        _write(mine, "state", "text", "settled_at", "settled_by")


def take_up(actor: Actor, note_pk: int, lines: Sequence[int]) -> None:
    """Lines that were put aside are looked at again."""
    with unit():
        note, mine = _in_hand(actor, note_pk, lines, State.PUT_ASIDE)
        for line in mine:
            line.state, line.settled_at, line.settled_by_id = State.OPEN, None, None
        _write(mine, "state", "settled_at", "settled_by")
        CreditNote.objects.filter(pk=note.pk).update(pending=True)


def choices_of(note: CreditNote) -> list[Verdict]:
    """What its open lines can mean as things stand; nothing is locked or written."""
    buyer = buyer_of(note)
    if buyer is None:
        return []
    notes = {row.pk: row for row in _with_open_lines(_of([buyer]))}
    lines = CreditLine.objects.filter(note_id__in=notes).order_by("note_id", "line_no")
    return [one for one in compared(notes, list(lines)) if one.note == note.pk]


def _in_hand(
    actor: Actor, note_pk: int, lines: Sequence[int], state: str = State.OPEN
) -> tuple[CreditNote, list[CreditLine]]:
    """The note, locked, and those of its lines; outside the scope there is none."""
    if actor.user is not None and not actor.user.has_perm("invoices.match_creditnote"):
        raise NotPermitted(_("You may not say which invoice a credit note means."))
    note = CreditNote.objects.select_for_update(of=("self",)).filter(pk=note_pk).first()
    shops = shop_ids_of(actor.user) if actor.user else None
    if note is None or (shops is not None and note.shop_id not in shops):
        raise Refused(_("There is no such credit note."), "unknown")
    mine = list(note.lines.filter(pk__in=lines).order_by("line_no"))
    if not mine or len(mine) != len(set(lines)) or any(row.state != state for row in mine):
        message = _("Someone has settled these lines already; look at the note again.")
        raise Refused(message, "stale")
    return note, mine


def _named(note: CreditNote, invoice_no: str) -> Invoice:
    """The blue invoice of the note's shop that is called so."""
    code, _space, number = invoice_no.strip().rpartition(" ")
    found = Invoice.objects.blue().filter(shop_id=note.shop_id, number=number)
    blue = found.filter(code=code).first() or (None if code else found.first())
    if blue is None:
        message = _("This shop has no invoice %(number)s.")
        raise Refused(message % {"number": invoice_no.strip() or "–"}, "unknown")
    buyer = buyer_of(note)
    if buyer is not None and buyer != buyer_of(blue):
        message = _("%(invoice)s was issued to another buyer: %(buyer)s.")
        raise Refused(message % {"invoice": blue, "buyer": blue.buyer_name or "–"}, "bad_value")
    return blue


def _sold_on(blue: Invoice) -> list[Sold]:
    return [
        Sold(row.line_id, blue.pk, goods_of(row.line), blue.issued_at, ledger.left(row).quantity)
        for row in ledger.look([blue.pk]).of(blue.pk)
        if row.quantity
    ]


def _does_not_fit(
    blue: Invoice, verdicts: Sequence[Verdict], lines: dict[int, CreditLine]
) -> tuple[str, str]:
    """The first thing against it, and the contract's code."""
    wrong = next(one for one in verdicts if one.why is not matching.Why.ONE)
    line = lines[wrong.lines[0]]  # type: ignore[index]
    said = {
        "invoice": blue,
        "line": line.line_no,
        "title": line.title,
        "left": shown(Decimal(wrong.left)),
    }
    if wrong.why is matching.Why.TOO_MUCH:
        message = _("Line %(line)s, %(title)s: %(invoice)s has %(left)s pieces left.")
        return message % said, "quantity_exceeded"
    if wrong.why is matching.Why.LATER:
        return _("%(invoice)s was issued after the credit note.") % said, "bad_value"
    message = _("Line %(line)s: %(invoice)s has no %(title)s at this price.")
    return message % said, "bad_value"
