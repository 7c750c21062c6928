"""What people do to invoices: enter, issue, reissue, void, request and record reds, waive."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases import numbers
from cases.files import random_name
from cases.flow import clock, writing
from cases.flow.door import Actor, NotPermitted, Refused, once_more, perform
from cases.flow.events import digest_of, plain
from cases.models import Case, Order, Shop
from cases.models.money import ZERO
from cases.models.shops import shop_ids_of
from invoices import drafting, entering, ledger
from invoices.handling import reason_for
from invoices.ledger import Kind, Movement
from invoices.models import (
    Direction,
    Invoice,
    InvoiceAct,
    InvoiceFile,
    RedEvent,
    RedPart,
    RedRequest,
    RedState,
    Standing,
    Treatment,
    TreatmentKind,
    TreatmentState,
)
from invoices.opening import begin
from invoices.planning import Plan, Wish, check_is_blue, plan
from invoices.rules import NewInvoice, check, refuse_wrong

T = TypeVar("T")
Verb = InvoiceAct.Verb
#: Other reasons why a paper invoice cannot be voided (custody adds its own): a sentence or "".
VOID_OBSTACLES: list[Callable[[Invoice], str]] = []


def check_right(actor: Actor, shop: Shop, right: str) -> None:
    """Only a member of the shop's staff with the right acts here; raises NotPermitted."""
    if actor.user is None:
        raise NotPermitted(_("%(who)s may not do this. Say who with --as.") % {"who": actor})
    ids = shop_ids_of(actor.user)
    if ids is not None and shop.pk not in ids:
        raise NotPermitted(_("This belongs to a shop you are not a member of."), "not_in_your_shop")
    if not actor.user.has_perm(f"invoices.{right}"):
        raise NotPermitted(_("%(who)s may not do this.") % {"who": actor})


def in_one_go(unit: Callable[[], T]) -> T:
    """One transaction, tried again after a deadlock or a time-out."""

    def run(_nothing: Any) -> T:
        try:
            with transaction.atomic():
                return unit()
        except (IntegrityError, writing.Stale) as error:
            raise Refused(
                _("Someone else changed it at the same moment. Look again."), "stale"
            ) from error

    done: T = once_more(run, None)
    return done


def time_of(at: datetime | None) -> datetime:
    """The one moment of the act; a future one is refused."""
    now = clock.now()
    if at is not None and at > now:
        raise Refused(_("This cannot happen in the future."), "bad_value")
    return at or now


# Blue invoices


def enter(
    actor: Actor,
    new: NewInvoice,
    *,
    issuing: bool = False,
    at: datetime | None = None,
    key: str | None = None,
) -> Invoice:
    """Write one blue invoice; a repeated ``key`` answers with the first.

    Raises Refused: bad_value (by line and field), already_there, amount_exceeded, key_reused.
    """
    check_right(actor, new.shop, "issue_invoice")
    moment = time_of(at)
    return in_one_go(lambda: _enter(actor, lambda: new, moment, key, issuing=issuing))


def issue(  # noqa: PLR0913 - what issuing needs to know
    actor: Actor,
    order: Order,
    *,
    number: str,
    kind: str = "",
    code: str = "",
    rate: str = "",
    buyer_name: str = "",
    buyer_tax_no: str = "",
    at: datetime | None = None,
    key: str | None = None,
) -> Invoice:
    """Issue an invoice on an order: the open remainder of a red one, else what it still lacks."""
    check_right(actor, order.shop, "issue_invoice")
    moment = time_of(at)

    def make() -> NewInvoice:
        Order.objects.select_for_update().get(pk=order.pk)
        treatment = open_reissue(order=order)
        if treatment is not None:
            return drafting.of_remainder(treatment, kind, number, code, moment)
        new = drafting.from_order(
            order, kind or drafting.kind_of(order), number, code, moment, rate
        )
        new.buyer_name = buyer_name or new.buyer_name
        new.buyer_tax_no = buyer_tax_no
        return new

    about = {
        "order": order.order_no, "number": number, "kind": kind, "code": code, "rate": rate,
        "buyer_name": buyer_name, "buyer_tax_no": buyer_tax_no,
    }  # fmt: skip

    def act() -> Invoice:
        invoice = _enter(actor, make, moment, key, issuing=True, about=about)
        _finish_reissue(actor, invoice, open_reissue(order=order), moment)
        return invoice

    return in_one_go(act)


def reissue(  # noqa: PLR0913 - what stands in a header
    actor: Actor,
    treatment: Treatment,
    *,
    number: str,
    kind: str = "",
    code: str = "",
    at: datetime | None = None,
    key: str | None = None,
) -> Invoice:
    """Issue what was left of an invoice that was reversed as a whole, and end the task."""
    check_right(actor, treatment.shop, "issue_invoice")
    moment = time_of(at)
    about = {"treatment": treatment.pk, "number": number, "kind": kind, "code": code}

    def act() -> Invoice:
        invoice = _enter(
            actor,
            lambda: drafting.of_remainder(treatment, kind, number, code, moment),
            moment,
            key,
            issuing=True,
            about=about,
        )
        fresh = Treatment.objects.get(pk=treatment.pk)
        _finish_reissue(actor, invoice, fresh, moment)
        return invoice

    return in_one_go(act)


def open_reissue(**about: Any) -> Treatment | None:
    """The oldest remainder that is still to be issued anew."""
    rows = Treatment.objects.filter(
        kind=TreatmentKind.REISSUE, state=TreatmentState.OPEN, **about
    ).select_related("invoice__shop", "invoice__order", "shop")
    return rows.order_by("pk").first()


def _finish_reissue(
    actor: Actor, invoice: Invoice, treatment: Treatment | None, at: datetime
) -> None:
    is_it = invoice.source == "reissue" and treatment is not None
    if is_it and treatment is not None and treatment.state == TreatmentState.OPEN:
        perform(
            Actor.system("invoices"),
            treatment,
            Treatment.finish,
            at=max(at, treatment.moved_at or at),
            result=invoice,
            text=str(actor),
        )


def _enter(  # noqa: PLR0913 - an entry has these and no more
    actor: Actor,
    make: Callable[[], NewInvoice],
    at: datetime,
    key: str | None,
    *,
    issuing: bool,
    about: dict[str, Any] | None = None,
) -> Invoice:
    verb = Verb.ISSUE if issuing else Verb.ENTER
    new = make() if about is None else None
    digest = digest_of(verb, plain(about or _facts(new)))
    if key and (known := _known(key, digest)) is not None:
        return known
    new = new or make()
    problems = check(new, issuing=issuing)
    warnings = [*refuse_wrong(problems), *_above_the_order(new, issuing=issuing)]
    _check_is_new(new)
    (invoice,) = entering.write(actor, [new], at, warnings=[warnings])
    entering.tell(actor, invoice, verb, at, "; ".join(warnings), key, digest if key else "")
    return invoice


def _facts(new: NewInvoice | None) -> dict[str, Any]:
    if new is None:
        return {}
    lines = [plain(line.__dict__) for line in new.lines]
    return {"number": new.number, "code": new.code, "kind": new.kind, "lines": lines}


def _known(key: str, digest: str) -> Invoice | None:
    act = InvoiceAct.objects.filter(key=key).select_related("invoice").first()
    if act is None:
        return None
    if act.digest != digest:
        raise Refused(
            _("The key %(key)s was used for another act (%(verb)s). Take a new key.")
            % {"key": key, "verb": act.get_verb_display()},
            "key_reused",
        )
    return act.invoice


def _check_is_new(new: NewInvoice) -> None:
    rows = Invoice.objects.filter(direction=new.direction, code=new.code, number=new.number)
    other = rows.select_related("shop").first()
    if other is not None:
        raise Refused(
            _("Invoice %(no)s is there already, issued %(at)s.")
            % {"no": other, "at": timezone.localtime(other.issued_at).strftime("%Y-%m-%d")},
            "already_there",
        )


def _above_the_order(new: NewInvoice, *, issuing: bool) -> list[str]:
    """More invoiced than was paid: not issued; recorded, it is doubtful."""
    if new.order is None or new.direction == Direction.RED:
        return []
    standing, total = drafting.standing_total(new.order), new.total("gross")
    if standing + total <= new.order.paid_amount:
        return []
    text = _(
        "Order %(order)s was paid with ¥%(paid)s; ¥%(standing)s stands on its invoices, with "
        "¥%(total)s more it would be above."
    ) % {
        "order": new.order,
        "paid": new.order.paid_amount,
        "standing": standing,
        "total": total,
    }
    if issuing:
        raise Refused(text, "amount_exceeded", limit=str(new.order.paid_amount - standing))
    return [text]


def void(actor: Actor, invoice: Invoice, *, text: str, at: datetime | None = None) -> Invoice:
    """Void a paper invoice of this month whose original is back and that nobody has booked."""
    check_right(actor, invoice.shop, "void_invoice")
    moment = time_of(at)

    def act() -> Invoice:
        standing = ledger.lock([invoice.pk]).standings.get(invoice.pk)
        if standing is None:
            raise Refused(_("A red invoice is not voided."), "wrong_state")
        if obstacle := void_obstacle(standing, moment):
            raise Refused(obstacle, "wrong_state")
        changed = Standing.objects.filter(pk=standing.pk, voided_at__isnull=True)
        changed.update(voided_at=moment, voided_by=actor.user, void_reason=text[:300])
        entering.tell(actor, invoice, Verb.VOID, moment, text)
        return invoice

    return in_one_go(act)


def void_obstacle(standing: Standing, at: datetime) -> str:
    """Why it cannot be voided, in words; empty where it can."""
    invoice = standing.invoice
    month = [timezone.localtime(t).strftime("%Y-%m") for t in (invoice.issued_at, at)]
    questions = (
        (standing.voided_at is not None, _("It is voided already.")),
        (not invoice.is_paper, _("Only paper is voided; an electronic invoice is reversed.")),
        (month[0] != month[1], _("It was issued in another month: reverse it.")),
        (standing.booked, _("It is in our books already: reverse it.")),
        (standing.buyer_used, _("The buyer has used it already: reverse it.")),
        (standing.reversed_gross > ZERO, _("A red invoice stands against it.")),
        (standing.reserved_gross > ZERO, _("A red request is open on it.")),
    )
    found = next((str(text) for stops, text in questions if stops), "")
    return found or next(filter(None, (ask(invoice) for ask in VOID_OBSTACLES)), "")


def mark(actor: Actor, invoice: Invoice, verb: str, *, text: str = "") -> Invoice:
    """Say that the buyer has used the invoice or has not (``use``, ``unuse``); or ``book`` it."""
    check_right(actor, invoice.shop, "mark_used_invoice")
    values = {
        Verb.USE: {"buyer_used": True},
        Verb.UNUSE: {"buyer_used": False},
        Verb.BOOK: {"booked": True},
    }[Verb(verb)]

    def act() -> Invoice:
        standing = ledger.lock([invoice.pk]).standings.get(invoice.pk)
        if standing is None:
            raise Refused(_("This is said of blue invoices only."), "wrong_state")
        if any(getattr(standing, name) != value for name, value in values.items()):
            Standing.objects.filter(pk=standing.pk).update(**values)
            entering.tell(actor, invoice, verb, clock.now(), text)
        return invoice

    return in_one_go(act)


def add_files(actor: Actor, invoice: Invoice, *, evidence: Sequence[Any]) -> Invoice:
    """Keep files of the invoice that were checked by the form."""
    check_right(actor, invoice.shop, "mark_used_invoice")

    def act() -> Invoice:
        at = clock.now()
        for kept in evidence:
            row = InvoiceFile(
                invoice=invoice,
                mime=kept.mime,
                original_name=kept.name[:200],
                size=len(kept.content),
                sha256=kept.sha256_in,
                at=at,
                by=actor.user,
            )
            row.file.save(random_name(kept.extension), ContentFile(kept.content), save=True)
            entering.tell(actor, invoice, Verb.FILE, at, row.original_name)
        return invoice

    return in_one_go(act)


# Reds


def wish_of(treatment: Treatment) -> Wish:
    """What a case's treatment asks to reverse: its pieces, and what was refunded of them."""
    rows = list(treatment.lines.select_related("line"))
    units = {x.line.line_no: x.quantity for x in rows if x.quantity}
    amounts = {x.line.line_no: x.gross for x in rows if x.gross is not None}
    return Wish(reason_for(treatment.case), units, amounts=amounts)


def reverse_for(
    actor: Actor,
    treatment: Treatment,
    *,
    text: str = "",
    at: datetime | None = None,
    key: str | None = None,
) -> RedRequest:
    """Request the red invoice that a case asks for."""
    return request_red(
        actor,
        cast(Invoice, treatment.invoice),
        wish_of(treatment),
        case=treatment.case,
        treatment=treatment,
        text=text,
        at=at,
        key=key,
    )


def request_red(  # noqa: PLR0913 - what a request needs to know
    actor: Actor,
    invoice: Invoice,
    wish: Wish,
    *,
    case: Case | None = None,
    treatment: Treatment | None = None,
    text: str = "",
    at: datetime | None = None,
    key: str | None = None,
) -> RedRequest:
    """Plan, reserve, draft and submit a red request; a repeated ``key`` answers with the first.

    Raises Refused: wrong_state, already_requested, quantity_exceeded, amount_exceeded, unknown,
    bad_value, key_reused, not_permitted, not_in_your_shop.
    """
    check_right(actor, invoice.shop, "request_red_invoice")
    check_is_blue(invoice)
    moment = time_of(at)
    if moment < invoice.issued_at:
        raise Refused(
            _("It cannot be reversed before it was issued (%(at)s).")
            % {"at": timezone.localtime(invoice.issued_at).strftime("%Y-%m-%d %H:%M")},
            "bad_value",
        )
    inputs = {"invoice": str(invoice), **wish.inputs(), "text": text}

    def act() -> RedRequest:
        if key and (known := _requested_before(key, inputs)) is not None:
            return known
        book = ledger.lock([invoice.pk])
        planned = plan(book.standings[invoice.pk], book.of(invoice.pk), wish, moment)
        request = _drafted(actor, invoice, wish, planned, moment)
        request.case, request.treatment, request.text = case, treatment, text
        begin("request_red", actor, request, moment, inputs, key)
        _reserve(request, planned, moment)
        return perform(actor, request, RedRequest.submit, at=moment)

    return in_one_go(act)


def _requested_before(key: str, inputs: dict[str, Any]) -> RedRequest | None:
    event = RedEvent.objects.filter(key=key).select_related("request").first()
    if event is None:
        return None
    if event.digest != digest_of("request_red", plain(inputs)):
        raise Refused(
            _("The key %(key)s was used for another act (%(verb)s). Take a new key.")
            % {"key": key, "verb": event.verb},
            "key_reused",
        )
    return event.request


def _drafted(actor: Actor, invoice: Invoice, wish: Wish, planned: Plan, at: datetime) -> RedRequest:
    (number,) = numbers.take("red_request", "RR", at)
    return RedRequest(
        request_no=number,
        shop_id=invoice.shop_id,
        blue=invoice,
        reason=wish.reason,
        # Ours, and there before anybody is called: whatever happens, it is asked for under it.
        serial=f"SH{number}",
        quantity=planned.total("quantity"),
        gross=planned.total("gross"),
        tax=planned.total("tax"),
        whole_instead=planned.whole_instead,
        requested_at=at,
        requested_by=actor.user,
    )


def _reserve(request: RedRequest, planned: Plan, at: datetime) -> None:
    RedPart.objects.bulk_create(
        RedPart(
            request=request,
            balance=line.balance,
            quantity=line.part.quantity,
            gross=line.part.gross,
            tax=line.part.tax,
            asked_quantity=line.asked.quantity,
            asked_gross=line.asked.gross,
            asked_tax=line.asked.tax,
        )
        for line in planned.lines
    )
    ledger.post(
        [
            Movement(
                line.balance,
                Kind.RESERVE,
                line.part,
                f"{request.request_no}/reserve/{line.balance.pk}",
                at,
                request.pk,
            )
            for line in planned.lines
        ]
    )


def record_red(  # noqa: PLR0913 - what stands on a red invoice
    actor: Actor,
    invoice: Invoice,
    *,
    number: str,
    code: str = "",
    amount: Decimal | None = None,
    tax: Decimal | None = None,
    issued_at: datetime | None = None,
    at: datetime | None = None,
    key: str | None = None,
) -> RedRequest:
    """Enter the red invoice of this blue one's request; the same number again changes nothing."""
    request = request_for(invoice)
    if request.state == RedState.ISSUED and request.red is not None:
        if (request.red.code, request.red.number) == (code, number):
            return request
        raise Refused(
            _("Request %(no)s has its red invoice already: %(red)s.")
            % {"no": request, "red": request.red},
            "wrong_state",
        )
    given = {"number": number, "code": code, "amount": amount, "tax": tax, "issued_at": issued_at}
    inputs = {name: value for name, value in given.items() if value not in (None, "")}
    check_red_number(invoice, number, code)
    return perform(actor, request, RedRequest.record_red, at=at, key=key, **inputs)


def check_red_number(blue: Invoice, number: str, code: str) -> None:
    """The red's number has the form of the blue's kind."""
    probe = NewInvoice(
        shop=blue.shop, kind=blue.kind, number=number, code=code, issued_at=blue.issued_at, lines=[]
    )
    refuse_wrong([p for p in check(probe, issuing=True) if p.field in {"number", "code"}])


def answer(
    actor: Actor,
    invoice: Invoice,
    *,
    state: str,
    at: datetime | None = None,
    key: str | None = None,
    **more: Any,
) -> RedRequest:
    """Enter what the authority says of this blue invoice's newest request (its raw code)."""
    request = request_for(invoice)
    return perform(actor, request, RedRequest.answer, at=at, key=key, state=state, **more)


def request_for(invoice: Invoice) -> RedRequest:
    """The open request of a blue invoice, else its newest one."""
    check_is_blue(invoice)
    rows = invoice.red_requests.select_related("red")
    open_one = rows.exclude(state__in=RedRequest.terminal).first()
    request: RedRequest | None = open_one or rows.order_by("-pk").first()
    if request is None:
        raise Refused(
            _("No red request was made on invoice %(no)s. Make one first.") % {"no": invoice},
            "wrong_state",
        )
    return request
