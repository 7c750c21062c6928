"""What must hold before a step of a claim, and the facts about money that the steps need.

Lock order: cases, orders, claims (Claim.locked), then the deposits, here.
"""

from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from cases.flow.door import Move
from cases.flow.hooks import booking, guard
from cases.limits import highest, limits
from cases.models import Order, OrderLine, Reason
from cases.models.money import ZERO
from promises import ledger
from promises.ledger import Book, Cover
from promises.models import Claim, Deposit, Term
from promises.models.claim import GRANTED

FLOW = "promises.Claim"
CASES = "cases.Case"


@guard(FLOW, "accept", "uphold")
def another_person(moves: list[Move]) -> None:
    """Nobody grants what he filed."""
    for move in moves:
        user = move.actor.user
        if user is not None and move.subject.filed_by_id == user.pk:
            move.refuse("same_person", _("You filed this claim yourself. Another must decide."))


@guard(FLOW, "accept")
def within_limit(moves: list[Move]) -> None:
    """Whom the claim's amount is too high for leaves it to a supervisor, or to the platform."""
    table = limits()
    for move in moves:
        limit = highest(move.actor, "refund_act", table) if move.actor.user else None
        if limit is not None and move.subject.amount > limit:
            move.refuse(
                "needs_approval",
                _(
                    "¥%(amount)s is above your limit of ¥%(limit)s. "
                    "Ask a supervisor to accept it, or leave it to the platform."
                )
                % {"amount": move.subject.amount, "limit": limit},
                limit=str(limit),
            )


@guard(FLOW, "uphold")
def with_the_report(moves: list[Move]) -> None:
    """Some promises are decided by an expert's or a quality report; the terms say which."""
    terms = Term.objects.in_bulk({m.subject.term_id for m in moves})
    for move in moves:
        claim = move.subject
        demanded = terms[claim.term_id].evidence == Reason.Evidence.REPORT
        if demanded and not (claim.report or move.inputs.get("report")):
            move.refuse(
                "evidence_required",
                _("“%(promise)s” is decided by a report: enter its number.")
                % {"promise": claim.get_promise_display()},
            )


@guard(FLOW, "reverse", "settle", "dismiss", "withdraw")
def deposit_locked(moves: list[Move]) -> None:
    """These move what the claim itself holds; the deposit must stand still meanwhile."""
    _book(moves)


@guard(FLOW, "adjudicate")
def what_can_be_frozen(moves: list[Move]) -> None:
    """What is there of the amount; the rest is looked for when the platform has ruled."""
    book = _book(moves)
    if book is None:
        return
    elsewhere = Elsewhere([m.subject for m in moves])
    for move in moves:
        claim = move.subject
        wanted = claim.amount - elsewhere.of(claim)[0]
        move.facts["freeze"] = book.take(claim.shop_id, wanted)


@guard(FLOW, "accept", "uphold")
def what_covers_it(moves: list[Move]) -> None:
    """The last guard: what it speaks for in the deposit is spent by the step."""
    book = _book(moves)
    if book is None:
        return
    elsewhere = Elsewhere([m.subject for m in moves])
    for move in moves:
        claim = move.subject
        deducted, refund = elsewhere.of(claim)
        due = claim.amount - deducted
        frozen = claim.frozen
        move.facts["cover"] = book.cover(
            claim.shop_id, due, frozen, deducted=deducted, refund=refund
        )


def _book(moves: list[Move]) -> Book | None:
    """The locked deposits of a batch; None where only the question is asked."""
    if not moves or moves[0].dry:
        return None
    book: Book = moves[0].shared.setdefault("deposits", Book())
    new = {m.subject.shop_id for m in moves} - set(book.deposits)
    if new:
        more = ledger.lock(new)
        book.deposits.update(more.deposits)
        book.left.update(more.left)
    return book


class Elsewhere:
    """What of the claims of a batch was refunded already; read once, kept up to date by them.

    The price is given back once, whoever does it: cases, one claim or another one of the line.
    """

    def __init__(self, claims: list[Claim]) -> None:
        lines = OrderLine.objects.filter(pk__in={c.order_line_id for c in claims})
        sums = refunded_by_claims([c.order_line_id for c in claims])
        self.left = {
            pk: paid - refunded - sums.get(pk, ZERO)
            for pk, paid, refunded in lines.values_list("pk", "paid_amount", "refunded")
        }
        orders = Order.objects.filter(pk__in={c.order_id for c in claims})
        self.freight = dict(orders.values_list("pk", "freight_refunded"))

    def of(self, claim: Claim) -> tuple[Decimal, Decimal]:
        """(what of the claim was refunded already, what of the price it gives back itself)."""
        parts = {name: Decimal(text) for name, text in claim.working.get("parts", {}).items()}
        price, freight = parts.get("refund", ZERO), parts.get("freight_out", ZERO)
        refund = min(price, max(self.left[claim.order_line_id], ZERO))
        self.left[claim.order_line_id] -= refund
        returned = min(freight, self.freight[claim.order_id])
        return price - refund + returned, refund


def foreseen(claim: Claim) -> Cover:
    """What granting the claim would do to the deposit as it stands; nothing is locked."""
    deposit = Deposit.objects.filter(shop=claim.shop_id).first()
    book = Book(left={claim.shop_id: deposit.available if deposit else ZERO})
    deducted, refund = Elsewhere([claim]).of(claim)
    due = claim.amount - deducted
    return book.cover(claim.shop_id, due, claim.frozen, deducted=deducted, refund=refund)


def refunded_by_claims(line_ids: list[int]) -> dict[int, Decimal]:
    """What claims gave back of the price of each line (owed counts as given), in yuan."""
    rows = Claim.objects.filter(order_line_id__in=line_ids, state__in=[str(s) for s in GRANTED])
    sums = rows.order_by().values_list("order_line_id")
    return dict(sums.annotate(sum=Sum("refund", default=ZERO)))


@booking(CASES, "pay")
def not_paid_by_a_claim(moves: list[Move]) -> None:
    """A case does not refund again what a claim on the line has given back."""
    lines = {x.order_line_id: x.order_line for m in moves for x in m.facts.get("lines", ())}
    given = refunded_by_claims(list(lines)) if lines else {}
    for move in moves:
        for x in move.facts.get("lines", ()):
            line, claimed = x.order_line, given.get(x.order_line_id, ZERO)
            if claimed and line.refunded + claimed > line.paid_amount:
                move.refuse(
                    "amount_exceeded",
                    _(
                        "A claim has given back ¥%(claimed)s of line %(line)s already; with this "
                        "refund it would be more than the ¥%(paid)s paid."
                    )
                    % {"claimed": claimed, "line": line.line_no, "paid": line.paid_amount},
                )
