"""What people do to promises: file a claim, move a deposit, change terms."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cases import numbers
from cases.flow import clock, door, writing
from cases.flow.door import Actor, NotPermitted, Refused, perform
from cases.flow.events import digest_of, plain
from cases.models import Case, Order, OrderLine, Shop
from cases.models.money import ZERO, cents
from cases.models.shops import shop_ids_of
from promises import ledger
from promises.couriers import Couriers
from promises.duties import check_not_blocked, duties_of, was_suspended_at
from promises.facts import Entered, facts_of
from promises.models import Claim, ClaimEvent, ClaimState, Deposit, Term, TermBook, TopUpDuty
from promises.models.claim import STANDING, UNDECIDED
from promises.models.deposit import DutyState
from promises.opening import begin
from promises.terms import (
    TIMES,
    Facts,
    Missing,
    NotEligible,
    compensation,
    eligibility,
)

T = TypeVar("T")


# Claims


@dataclass(frozen=True)
class Demand:
    """What somebody enters to file a claim; amounts in yuan, ``line``: its number.

    ``told``: all that is owed as a sheet has it: what was agreed where the terms name no amount,
    else it must be what they work out.
    """

    promise: str
    line: int
    amount: Decimal | None = None
    freight_out: Decimal | None = None
    freight_back: Decimal | None = None
    text: str = ""
    told: Decimal | None = None

    def inputs(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if value not in (None, "")}


def file_claim(  # noqa: PLR0913 - a claim is filed with these and no more
    actor: Actor,
    order: Order,
    demand: Demand,
    *,
    at: datetime | None = None,
    key: str | None = None,
    number: str | None = None,
) -> Claim:
    """File a claim on a line of an order; a repeated ``key`` answers with the first claim.

    ``number``: the claim's, where it has one already.

    Raises Refused: not_eligible, already_claimed, window_closed, bad_value, unknown, key_reused,
    not_permitted, not_in_your_shop.
    """
    _may(actor, order.shop, "file_claim", system=actor.channel == "breaches")
    now = clock.now()
    if at is not None and at > now:
        raise Refused(_("A claim cannot be filed in the future."), "bad_value")
    moment = at or now
    return _in_one_go(lambda: _file(actor, order, demand, moment, key, number))


def _file(  # noqa: PLR0913, PLR0917 - as file_claim
    actor: Actor,
    order: Order,
    demand: Demand,
    at: datetime,
    key: str | None,
    number: str | None,
) -> Claim:
    line = _line(order, demand.line)
    case = _open_case(line)
    fresh = Order.objects.select_for_update(of=("self",)).select_related("shop").get(pk=order.pk)
    if key and (known := _filed_before(order, demand, key)) is not None:
        return known
    line = OrderLine.objects.get(pk=line.pk)
    term = _term(fresh, line, demand.promise)
    earlier = _earlier(line, demand.promise, term)
    if demand.told is not None and term.as_terms().takes_amount:
        demand = replace(demand, amount=demand.told)
    facts = facts_of(
        fresh,
        line,
        has_payment=fresh.payments.exists(),
        couriers=Couriers(),
        entered=Entered(demand.amount, demand.freight_out, demand.freight_back, earlier),
    )
    verdict, working = _judged(term, facts, at)
    _check_told(demand, working.result)
    claim = Claim(
        claim_no=number or _fresh_number(at),
        shop_id=fresh.shop_id,
        order=fresh,
        order_line=line,
        case=case,
        promise=demand.promise,
        term=term,
        remedy=verdict.remedy,
        amount=working.result,
        working=working.as_dict(),
        text=demand.text,
        filed_at=at,
        filed_by=actor.user,
    )
    inputs = {"order": order.order_no, **demand.inputs()}
    filed: Claim = begin("file_claim", actor, claim, at, inputs, key)
    return filed


def _fresh_number(at: datetime) -> str:
    """The next of our numbers that no sheet has brought before."""
    while True:
        (number,) = numbers.take("claim", "CP", at)
        if not Claim.objects.filter(claim_no=number).exists():
            return number


def _check_told(demand: Demand, owed: Decimal) -> None:
    if demand.told not in {None, owed}:
        raise Refused(
            _(
                "The terms work out ¥%(owed)s, not ¥%(told)s. Leave the amount empty, or add what "
                "is missing (freight)."
            )
            % {"owed": owed, "told": demand.told},
            "bad_value",
        )


def _line(order: Order, number: int) -> OrderLine:
    line = OrderLine.objects.filter(order_id=order.pk, line_no=number).first()
    if line is None:
        known = ", ".join(str(n) for n in order.lines.values_list("line_no", flat=True))
        raise Refused(
            _("Order %(order)s has no line %(line)s; it has: %(lines)s.")
            % {"order": order, "line": number, "lines": known},
            "unknown",
        )
    return line


def _open_case(line: OrderLine) -> Case | None:
    """The open case on the line, locked before the order as everywhere."""
    found = Case.objects.filter(lines__order_line=line, lines__open=True)
    pk = found.values_list("pk", flat=True).first()
    return None if pk is None else Case.objects.select_for_update(of=("self",)).get(pk=pk)


def _filed_before(order: Order, demand: Demand, key: str) -> Claim | None:
    event = ClaimEvent.objects.filter(key=key).select_related("claim").first()
    if event is None:
        return None
    inputs = plain({"order": order.order_no, **demand.inputs()})
    if event.digest != digest_of("file_claim", inputs):
        raise Refused(
            _("The key %(key)s was used for another act (%(verb)s). Take a new key.")
            % {"key": key, "verb": event.verb},
            "key_reused",
        )
    return event.claim


def _term(order: Order, line: OrderLine, promise: str) -> Term:
    """The terms in force when the order was paid, if the line carries the promise."""
    if order.paid_at is None:
        raise Refused(
            _("Order %(order)s was never paid: nothing was promised.") % {"order": order},
            "not_eligible",
        )
    term = TermBook.load([promise]).pick(promise, order.shop, order.paid_at)
    if term is None or not term.is_offered_on(line):
        offered = ", ".join(code for code in line.promises.split(";") if code)
        raise Refused(
            _("Line %(line)s does not carry this promise. It carries: %(offered)s.")
            % {"line": line.line_no, "offered": offered or _("none")},
            "not_eligible",
        )
    if was_suspended(order.shop_id, order.paid_at):
        raise Refused(
            _("When the order was paid, the shop's promises were suspended."), "not_eligible"
        )
    return term


def was_suspended(shop_id: int, at: datetime) -> bool:
    """Whether an unmet duty to top up had suspended the shop's promises at that time."""
    return was_suspended_at(duties_of(shop_id), at)


def _earlier(line: OrderLine, promise: str, term: Term) -> int:
    """How often the line was claimed before under the promise; refused where that is enough."""
    standing = [str(s) for s in STANDING]
    claims = Claim.objects.filter(order_line=line, promise=promise, state__in=standing)
    undecided = claims.filter(state__in=[str(s) for s in (*UNDECIDED, ClaimState.OWED)])
    found = undecided.first() if promise in TIMES else claims.first()
    if found is not None:
        raise Refused(
            _("Line %(line)s is claimed under this promise already: %(claim)s.")
            % {"line": line.line_no, "claim": found},
            "already_claimed",
        )
    if term.once_per_order:
        other = Claim.objects.filter(order_id=line.order_id, state__in=standing).first()
        if other is not None and (other.order_line_id, other.promise) != (line.pk, promise):
            raise Refused(
                _("One payment per order: %(claim)s stands already.") % {"claim": other},
                "already_claimed",
            )
    return claims.count()


def _judged(term: Term, facts: Facts, at: datetime) -> Any:
    """Verdict and working, or the refusal in the codes that users know."""
    terms = term.as_terms()
    try:
        return eligibility(terms, facts, at), compensation(terms, facts)
    except NotEligible as refusal:
        raise Refused(refusal.message, refusal.code) from refusal
    except Missing as missing:
        code = "bad_value" if missing.fact == "amount" else "not_eligible"
        raise Refused(missing.message, code, missing=missing.fact) from missing


# Deposits


def top_up(  # noqa: PLR0913 - a payment has these and no more
    actor: Actor,
    shop: Shop,
    *,
    amount: Decimal,
    reference: str,
    at: datetime | None = None,
    key: str | None = None,
) -> Deposit:
    """Enter money that the shop has put in; debts are paid first, the oldest first."""
    _may(actor, shop, "top_up_deposit")
    return _moved(actor, shop, ledger.top_up, amount, reference, at, key)


def withdraw(  # noqa: PLR0913 - a payment has these and no more
    actor: Actor,
    shop: Shop,
    *,
    amount: Decimal,
    reference: str,
    at: datetime | None = None,
    key: str | None = None,
) -> Deposit:
    """Enter money that the shop takes out.

    Refused insufficient_deposit where it must stay, blocked where the shop is blocked.
    """
    _may(actor, shop, "withdraw_deposit")
    check_not_blocked(shop)
    return _moved(actor, shop, ledger.withdraw, amount, reference, at, key)


def require(actor: Actor, shop: Shop, *, amount: Decimal) -> Deposit:
    """Set the sum the deposit must hold; below it nothing is withdrawn."""
    _may(actor, shop, "require_deposit")
    _check_amount(amount, least=ZERO)

    def set_it() -> Deposit:
        deposit = ledger.lock([shop.pk]).deposits[shop.pk]
        deposit.required = amount
        deposit.save(update_fields=["required"])
        return deposit

    return _in_one_go(set_it)


def _moved(  # noqa: PLR0913, PLR0917 - a payment has these and no more
    actor: Actor,
    shop: Shop,
    draft: Callable[..., ledger.Movement],
    amount: Decimal,
    reference: str,
    at: datetime | None,
    key: str | None,
) -> Deposit:
    _check_amount(amount, least=Decimal("0.01"))
    now = clock.now()
    if at is not None and at > now:
        raise Refused(_("Money is not moved in the future."), "bad_value")

    def move() -> Deposit:
        debts = _debts(shop)
        Claim.locked([pk for pk, _owed in debts])
        deposit = ledger.lock([shop.pk]).deposits[shop.pk]
        name = key or f"{shop.code}/{draft.__name__}/{deposit.seq + 1}"
        about = {"key": name, "at": at or now, "reference": reference}
        if key and ledger.known(key, _asked(draft, deposit, amount, about)) is not None:
            return deposit
        _check_order(deposit, at)
        by_id = actor.user.pk if actor.user else None
        ledger.post([draft(deposit, amount, by_id=by_id, **about)])
        if draft is ledger.top_up:
            _settle(shop, deposit.available, at or now)
        return Deposit.objects.get(pk=deposit.pk)

    return _in_one_go(move)


def _asked(draft: Any, deposit: Deposit, amount: Decimal, about: dict[str, Any]) -> Any:
    """The movement a key is compared by; whether it is possible now does not matter."""
    return ledger.Movement(deposit, draft.__name__, amount, {}, **about)


def _check_order(deposit: Deposit, at: datetime | None) -> None:
    last = deposit.entries.order_by("-seq").values_list("at", flat=True).first()
    if at is not None and last is not None and at < last:
        raise Refused(
            _("%(at)s is before the last entry (%(last)s). Give a later time.")
            % {"at": at.isoformat(), "last": last.isoformat()},
            "bad_value",
        )


def _check_amount(amount: Decimal, *, least: Decimal) -> None:
    if amount < least or amount != cents(amount):
        raise Refused(
            _("¥%(amount)s: enter an amount of at least ¥%(least)s with two decimals.")
            % {"amount": amount, "least": least},
            "bad_value",
        )


def _debts(shop: Shop) -> list[tuple[int, Decimal]]:
    owed = Claim.objects.filter(shop=shop, state=ClaimState.OWED)
    return list(owed.order_by("granted_at", "pk").values_list("pk", "owed"))


def _settle(shop: Shop, available: Decimal, at: datetime) -> None:
    """Pay debts as far as the money goes; a duty to top up ends with the last of them."""
    actor = Actor.system()
    for pk, owed in _debts(shop):
        part = min(available, owed)
        if not part:
            break
        claim = Claim.objects.get(pk=pk)
        perform(actor, claim, Claim.settle, at=_not_before(claim, at), amount=part)
        available -= part
    still = Deposit.objects.values_list("owed", flat=True).get(shop=shop)
    duty = TopUpDuty.objects.filter(shop=shop).exclude(state=DutyState.MET).first()
    if duty is not None and not still:
        perform(actor, duty, TopUpDuty.meet, at=_not_before(duty, at))


def _not_before(row: Any, at: datetime) -> datetime:
    return max(at, row.moved_at) if row.moved_at else at


# Terms


@dataclass(frozen=True)
class Touched:
    """What a change of terms would have touched if it held for the past; it touches none of it."""

    claims: list[Claim]
    orders: int


def touched(term: Term, since: datetime | None = None) -> Touched:
    """Open claims under these terms, and paid orders not finished that keep them."""
    claims = Claim.objects.filter(term=term, state__in=[str(s) for s in UNDECIDED])
    orders = Order.objects.filter(paid_at__isnull=False, finished_at__isnull=True)
    if term.shop_id:
        orders = orders.filter(shop=term.shop_id)
    elif term.platform:
        orders = orders.filter(platform=term.platform)
    begins = max((t for t in (term.valid_from, since) if t is not None), default=None)
    if begins is not None:
        orders = orders.filter(paid_at__gte=begins)
    if term.valid_to is not None:
        orders = orders.filter(paid_at__lt=term.valid_to)
    return Touched(list(claims.select_related("order").order_by("pk")), orders.count())


def change_terms(actor: Actor, term: Term, *, valid_from: datetime, **values: Any) -> Term:
    """End a row and let a new one begin: what was paid before keeps the old terms.

    ``values``: the fields that differ. Raises Refused bad_value for the past, ValidationError
    for terms that contradict themselves.
    """
    if actor.user is None or not actor.user.has_perm("promises.change_term"):
        raise NotPermitted(_("%(who)s may not change terms.") % {"who": actor})
    if term.shop is not None:
        _check_shop(actor, term.shop)
        check_not_blocked(term.shop)
    if valid_from <= clock.now():
        raise Refused(
            _("Terms change from a moment to come: what is paid already keeps its terms."),
            "bad_value",
        )

    def change() -> Term:
        old = Term.objects.select_for_update(of=("self",)).get(pk=term.pk)
        if not old.holds_at(valid_from):
            raise Refused(
                _("%(term)s is not in force at that time. Change the row that is.") % {"term": old},
                "bad_value",
            )
        fields = [f for f in Term._meta.concrete_fields if not f.primary_key]
        copied = {f.attname: getattr(old, f.attname) for f in fields}
        fresh = Term(**{**copied, **values, "valid_from": valid_from, "valid_to": old.valid_to})
        old.valid_to = valid_from
        old.save(update_fields=["valid_to"])
        fresh.full_clean()
        fresh.save()
        return fresh

    return _in_one_go(change)


# What they share


def _in_one_go(work: Callable[[], T]) -> T:
    """One transaction, tried again after a deadlock or a time-out."""

    def unit(_nothing: None) -> T:
        try:
            with transaction.atomic():
                return work()
        except (IntegrityError, writing.Stale) as error:
            raise Refused(
                _("Someone else changed it at the same moment. Try again."), "stale"
            ) from error

    done: T = door.once_more(unit, None)
    return done


def _may(actor: Actor, shop: Shop, right: str, *, system: bool = False) -> None:
    if actor.user is None:
        if system or (actor.kind == "sheet" and right == "file_claim"):
            return
        raise NotPermitted(_("The clock does not do this."))
    _check_shop(actor, shop)
    if not actor.user.has_perm(f"promises.{right}"):
        raise NotPermitted(_("%(who)s may not do this.") % {"who": actor})


def _check_shop(actor: Actor, shop: Shop) -> None:
    ids = shop_ids_of(actor.user) if actor.user else None
    if ids is not None and shop.pk not in ids:
        raise NotPermitted(_("This belongs to a shop you are not a member of."), "not_in_your_shop")


__all__ = [
    "Demand",
    "Touched",
    "change_terms",
    "file_claim",
    "require",
    "top_up",
    "touched",
    "was_suspended",
    "withdraw",
]
