"""The seven promises: when one is broken, until when it is claimed, what is owed; pure functions.

Everything follows from the terms in force when the order was paid and from facts with times
(domain.md 3). A fact that is not there raises Missing: neither zero nor the floor is invented.
Windows are half-open and to the second, whole days in the shop's zone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.flow.businesstime import SHANGHAI, end_of_day_window
from cases.models.money import ZERO, cents


class Code(models.TextChoices):
    """The services a shop promises."""

    FAKE_TRIPLE = "fake_triple", gettext_lazy("Fake: three times the price")
    QUALITY = "quality", gettext_lazy("Quality")
    SHIP_ON_TIME = "ship_on_time", gettext_lazy("Shipped on time")
    FREE_RETURN = "free_return", gettext_lazy("Return without worry")
    DAMAGE_RESEND = "damage_resend", gettext_lazy("Broken: sent again")
    NAMED_COURIER = "named_courier", gettext_lazy("Named courier")
    ARRIVE_ON_TIME = "arrive_on_time", gettext_lazy("Arrives on time")


class Since(models.TextChoices):
    """The event from which a window counts."""

    PAID = "paid", gettext_lazy("Payment")
    SHIPPED = "shipped", gettext_lazy("Shipping")
    SIGNED = "signed", gettext_lazy("Signature")
    FINISHED = "finished", gettext_lazy("Confirmation of the order")


class Counted(models.TextChoices):
    """How a window is counted."""

    HOURS = "hours", gettext_lazy("Hours from the event")
    DAYS = "days", gettext_lazy("Days of 24 hours from the event")
    CALENDAR = "calendar", gettext_lazy("Whole days, from the day after the event")


class Side(models.TextChoices):
    """Who bears the freight of both ways."""

    SELLER = "seller", gettext_lazy("Seller")
    BUYER = "buyer", gettext_lazy("Buyer")


#: Promises under which the goods are given back or replaced: their refund is part of the claim.
WITH_REFUND = frozenset({Code.FAKE_TRIPLE, Code.QUALITY, Code.FREE_RETURN, Code.DAMAGE_RESEND})
#: Broken by an event that has not happened in time, not by what the buyer finds.
BY_THE_CLOCK = frozenset({Code.SHIP_ON_TIME, Code.ARRIVE_ON_TIME, Code.NAMED_COURIER})
#: So often a line may be claimed under the promise: a resend, then the return.
TIMES = {Code.DAMAGE_RESEND: 2}


class Missing(Exception):
    """A fact or payment without which nothing can be said; ``fact`` names it."""

    def __init__(self, fact: str, message: str) -> None:
        super().__init__(message)
        self.fact, self.message = fact, message


class NotEligible(Exception):
    """The promise does not hold here; the text says why and what would be allowed."""

    def __init__(self, message: str, code: str = "not_eligible") -> None:
        super().__init__(message)
        self.message, self.code = message, code


@dataclass(frozen=True)
class Terms:
    """One dated row of terms. Amounts in yuan, ``rate`` in percent of what was paid for the line.

    ``hours``: promised time from payment to shipping. ``window`` units of ``counted`` from
    ``since``; None: no end, or the confirmation of the order (quality).
    """

    promise: str
    row: str = ""
    rate: Decimal | None = None
    fixed: Decimal | None = None
    floor: Decimal | None = None
    cap: Decimal | None = None
    multiplier: Decimal | None = None
    minimum_extra: Decimal | None = None
    hours: int | None = None
    window: int | None = None
    since: str = Since.SIGNED
    counted: str = Counted.CALENDAR
    freight_side: str = Side.SELLER

    @property
    def has_rule(self) -> bool:
        """Whether the compensation follows from the row alone."""
        return self.promise in WITH_REFUND or self.rate is not None or self.fixed is not None

    @property
    def takes_amount(self) -> bool:
        """Whether an amount is entered: none is named, or one is agreed beyond the price."""
        return not self.has_rule or _is_agreed(self)


@dataclass(frozen=True)
class Facts:
    """What is known of an order line. ``paid``: yuan for all its pieces, None without payment.

    ``left``, ``arrived``, ``done``: reports say so, perhaps without a time. ``earlier``: claims
    under this promise on this line that were granted. ``given``: the amount somebody entered.
    """

    paid: Decimal | None
    paid_at: datetime | None = None
    ship_by: datetime | None = None
    shipped_at: datetime | None = None
    promised_arrival: datetime | None = None
    signed_at: datetime | None = None
    finished_at: datetime | None = None
    left: bool = False
    arrived: bool = False
    done: bool = False
    closed: bool = False
    courier: str = ""
    named_courier: str = ""
    shipped_free: bool = False
    freight_out: Decimal | None = None
    freight_back: Decimal | None = None
    earlier: int = 0
    given: Decimal | None = None
    zone: tzinfo = SHANGHAI


@dataclass(frozen=True)
class Verdict:
    """Broken since ``since``, to be claimed before ``until`` (None: no end).

    ``remedy``: what the buyer gets: compensation, resend or return.
    """

    since: datetime
    until: datetime | None
    remedy: str = "compensation"


@dataclass(frozen=True)
class Working:
    """How an amount came about, in yuan. ``raw``: before rounding; ``clamp``: floor, cap or none.

    ``parts`` add up to ``result``: refund, compensation, freight_out, freight_back.
    """

    terms: Terms
    rule: str
    base: Decimal
    raw: Decimal
    rounded: Decimal
    clamp: str
    compensation: Decimal
    parts: tuple[tuple[str, Decimal], ...]

    @property
    def result(self) -> Decimal:
        return sum((amount for _name, amount in self.parts), ZERO)

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it; amounts are texts, ``raw`` with all its decimals."""
        row = {
            name: _plain(name, value)
            for name, value in self.terms.__dict__.items()
            if name not in {"row", "promise"}
        }
        return {
            "terms": {"row": self.terms.row, "promise": str(self.terms.promise), **row},
            "rule": self.rule,
            "base": f"{self.base:.2f}",
            "raw": f"{self.raw.normalize():f}",
            "rounded": f"{self.rounded:.2f}",
            "clamp": self.clamp or None,
            "compensation": f"{self.compensation:.2f}",
            "parts": {name: f"{amount:.2f}" for name, amount in self.parts},
            "result": f"{self.result:.2f}",
        }


# When a promise is broken, and until when it can be claimed


def eligibility(terms: Terms, facts: Facts, at: datetime) -> Verdict:
    """Whether the promise can be claimed at ``at``; raises NotEligible or Missing."""
    if facts.paid_at is None or facts.paid is None:
        raise Missing("payment", _("There is no payment: no amount can be worked out."))
    if at < facts.paid_at:
        raise NotEligible(_("At that time the order was not paid."))
    found = _JUDGES[Code(terms.promise)](terms, facts, at)
    if at < found.since:
        raise NotEligible(
            _("This can be claimed from %(since)s on.") % {"since": _local(found.since, facts)},
            "window_closed",
        )
    if found.until is not None and at >= found.until:
        raise NotEligible(
            _("This could be claimed before %(until)s.") % {"until": _local(found.until, facts)},
            "window_closed",
        )
    return found


def shipping_deadline(terms: Terms, facts: Facts) -> datetime:
    """Until when the goods must have left: the line's own limit beats payment + hours."""
    if facts.ship_by is not None:
        return facts.ship_by
    if facts.paid_at is None:
        raise Missing("payment", _("There is no payment: no deadline can be worked out."))
    if terms.hours is None:
        raise Missing("hours", _("The terms name no promised hours, the order no deadline."))
    return _utc(facts.paid_at) + timedelta(hours=terms.hours)


def end_of(terms: Terms, facts: Facts) -> datetime | None:
    """The first moment that is too late to claim; None while there is no end in sight."""
    if terms.promise == Code.QUALITY and terms.window is None:
        return _time_of(Since.FINISHED, facts)
    if terms.window is None:
        return None
    began = _time_of(terms.since, facts)
    if began is None:
        return None
    if terms.counted == Counted.CALENDAR:
        return end_of_day_window(began, terms.window, facts.zone)
    unit = timedelta(hours=1) if terms.counted == Counted.HOURS else timedelta(days=1)
    return _utc(began) + terms.window * unit


def _time_of(event: str, facts: Facts) -> datetime | None:
    """When it happened, None if it has not; Missing where it has but nobody says when."""
    times = {
        Since.PAID: (facts.paid_at, facts.paid_at is not None),
        Since.SHIPPED: (facts.shipped_at, facts.left),
        Since.SIGNED: (facts.signed_at, facts.arrived),
        Since.FINISHED: (facts.finished_at, facts.done),
    }
    moment, happened = times[Since(event)]
    if moment is None and happened:
        raise Missing(
            f"{event}_at",
            _("The time is missing: %(event)s.") % {"event": Since(event).label},
        )
    return moment


@dataclass(frozen=True)
class Standing:
    """How a promise that the clock breaks stands: ``since`` when it is broken, None: kept so far.

    ``is_open``: it has not happened yet, and the first moment after ``deadline`` breaks it.
    """

    deadline: datetime | None
    since: datetime | None
    is_open: bool = False


def standing(terms: Terms, facts: Facts, at: datetime) -> Standing:
    """How a promise of BY_THE_CLOCK stands at ``at``, whatever was paid; raises Missing.

    Equal time is not late; what has not happened yet is judged by ``at``.
    """
    return _STANDINGS[Code(terms.promise)](terms, facts, at)


#: What an order that was closed before the event leaves open.
_CLOSED_BEFORE = {
    Since.SHIPPED: gettext_lazy(
        "The order was closed unshipped; whether that was in time is not known."
    ),
    Since.SIGNED: gettext_lazy(
        "The order was closed before it arrived; whether that was in time is not known."
    ),
}


def _by_a_deadline(deadline: datetime, event: Since, facts: Facts, at: datetime) -> Standing:
    known = facts.shipped_at if event == Since.SHIPPED else facts.signed_at
    if (known or at) <= deadline:
        return Standing(deadline, None, is_open=known is None)
    if _time_of(event, facts) is None and facts.closed:
        raise Missing("closed_at", str(_CLOSED_BEFORE[event]))
    return Standing(deadline, deadline)


def _shipping(terms: Terms, facts: Facts, at: datetime) -> Standing:
    return _by_a_deadline(shipping_deadline(terms, facts), Since.SHIPPED, facts, at)


def _arrival(terms: Terms, facts: Facts, at: datetime) -> Standing:
    if facts.promised_arrival is None:
        raise Missing("promised_arrival", _("No time of arrival was promised."))
    return _by_a_deadline(facts.promised_arrival, Since.SIGNED, facts, at)


def _courier(terms: Terms, facts: Facts, at: datetime) -> Standing:
    if not facts.named_courier.strip():
        raise Missing("named_courier", _("No courier was named for this order."))
    shipped = _time_of(Since.SHIPPED, facts)
    if shipped is None:
        return Standing(None, None)
    if not facts.courier.strip():
        raise Missing("courier", _("Nobody says by which courier it was sent."))
    same = facts.courier.strip().casefold() == facts.named_courier.strip().casefold()
    return Standing(None, None if same else shipped)


_STANDINGS = {
    Code.SHIP_ON_TIME: _shipping,
    Code.ARRIVE_ON_TIME: _arrival,
    Code.NAMED_COURIER: _courier,
}


def _judge_by_the_clock(terms: Terms, facts: Facts, at: datetime) -> Verdict:
    found = standing(terms, facts, at)
    if found.since is None:
        raise NotEligible(_kept_so_far(terms, facts, found))
    return Verdict(found.since, end_of(terms, facts))


def _kept_so_far(terms: Terms, facts: Facts, found: Standing) -> str:
    if found.deadline is not None:
        words = {
            Code.SHIP_ON_TIME: _("It was to be shipped by %(deadline)s, and that is kept so far."),
            Code.ARRIVE_ON_TIME: _("It was to arrive by %(deadline)s, and that is kept so far."),
        }
        return words[Code(terms.promise)] % {"deadline": _local(found.deadline, facts)}
    if facts.shipped_at is None:
        return _("It is not shipped yet; no courier has it.")
    return _("It was sent by the named courier, %(courier)s.") % {"courier": facts.courier}


def _judge_after_signature(terms: Terms, facts: Facts, at: datetime) -> Verdict:
    signed = _time_of(Since.SIGNED, facts)
    if signed is None:
        raise NotEligible(_("The goods were not signed for yet."))
    remedy = {Code.FREE_RETURN: "return", Code.DAMAGE_RESEND: "resend"}
    return Verdict(signed, end_of(terms, facts), remedy.get(Code(terms.promise), "compensation"))


def _judge_damage(terms: Terms, facts: Facts, at: datetime) -> Verdict:
    if facts.earlier >= TIMES[Code.DAMAGE_RESEND]:
        raise NotEligible(_("It was sent again and then refunded; a third time nothing is sent."))
    found = _judge_after_signature(terms, facts, at)
    if facts.earlier:
        return Verdict(found.since, None, "return")
    return found


_JUDGES = {
    Code.FAKE_TRIPLE: _judge_after_signature,
    Code.QUALITY: _judge_after_signature,
    Code.SHIP_ON_TIME: _judge_by_the_clock,
    Code.FREE_RETURN: _judge_after_signature,
    Code.DAMAGE_RESEND: _judge_damage,
    Code.NAMED_COURIER: _judge_by_the_clock,
    Code.ARRIVE_ON_TIME: _judge_by_the_clock,
}


# What is owed


def compensation(terms: Terms, facts: Facts) -> Working:
    """What is owed under the terms and how it comes about; raises Missing or NotEligible."""
    if facts.paid is None or facts.paid_at is None:
        raise Missing("payment", _("There is no payment: no amount can be worked out."))
    if facts.paid <= ZERO:
        raise Missing("payment", _("Nothing was paid for this line: no amount can be worked out."))
    _check_given(terms, facts)
    rule, raw = _rule(terms, facts, facts.paid)
    rounded = cents(raw)
    extra, clamp = _clamped(terms, rule, rounded)
    parts = (("refund", _refund(terms, facts)), ("compensation", extra), *_freight(terms, facts))
    kept = tuple((name, amount) for name, amount in parts if amount or name == "compensation")
    return Working(terms, rule, facts.paid, raw, rounded, clamp, extra, kept)


def _check_given(terms: Terms, facts: Facts) -> None:
    for amount in (facts.given, facts.freight_out, facts.freight_back):
        if amount is not None and (amount < ZERO or amount != cents(amount)):
            raise NotEligible(
                _("¥%(amount)s: an amount is not negative and has at most two decimals.")
                % {"amount": amount},
                "bad_value",
            )
    if facts.given is not None and not terms.takes_amount:
        raise NotEligible(_("The terms work out the amount themselves; enter none."), "bad_value")


def _is_agreed(terms: Terms) -> bool:
    """Quality without a rate or a sum: what is paid beyond the price was agreed with the buyer."""
    return terms.promise == Code.QUALITY and terms.rate is None and terms.fixed is None


def _rule(terms: Terms, facts: Facts, paid: Decimal) -> tuple[str, Decimal]:
    """The name of the rule and the raw compensation beyond refund and freight."""
    if terms.promise == Code.FAKE_TRIPLE:
        times = Decimal(2) if terms.multiplier is None else terms.multiplier
        return "multiplier", paid * times
    if terms.fixed is not None:
        return "fixed", terms.fixed
    if terms.rate is not None:
        return "rate", paid * terms.rate / 100
    if _is_agreed(terms):
        return "agreed", _beyond_the_price(paid, facts.given)
    if terms.promise in WITH_REFUND:
        return "none", ZERO
    if facts.given is None:
        raise Missing("amount", _("The terms name no amount for this: enter what was agreed."))
    return "agreed", facts.given


def _beyond_the_price(paid: Decimal, given: Decimal | None) -> Decimal:
    if given is None:
        return ZERO
    if given < paid:
        raise NotEligible(
            _("¥%(given)s is less than the price of ¥%(paid)s, which is owed in any case.")
            % {"given": given, "paid": paid},
            "bad_value",
        )
    return given - paid


def _clamped(terms: Terms, rule: str, rounded: Decimal) -> tuple[Decimal, str]:
    """Floor and cap hold for the compensation, after rounding; so does the least extra."""
    least, most = terms.floor, terms.cap
    if terms.promise == Code.FAKE_TRIPLE and terms.minimum_extra is not None:
        least = max(terms.minimum_extra, least or ZERO)
    if rule == "none" or (rule == "agreed" and not rounded):
        return rounded, ""
    if least is not None and rounded < least:
        return least, "floor"
    if most is not None and rounded > most:
        return most, "cap"
    return rounded, ""


def _refund(terms: Terms, facts: Facts) -> Decimal:
    """The price, where goods go back; the first breakage is made good by a resend."""
    paid = facts.paid or ZERO
    if terms.promise == Code.DAMAGE_RESEND:
        return paid if facts.earlier else ZERO
    return paid if terms.promise in WITH_REFUND else ZERO


def _freight(terms: Terms, facts: Facts) -> tuple[tuple[str, Decimal], ...]:
    """What the buyer laid out for freight and the seller bears.

    Shipped free, the buyer has paid nothing for the first way: it stays with the seller.
    """
    with_freight = terms.promise in {Code.FAKE_TRIPLE, Code.FREE_RETURN, Code.DAMAGE_RESEND}
    if not with_freight or (terms.freight_side == Side.BUYER and terms.promise != Code.FAKE_TRIPLE):
        return ()
    out = ZERO if facts.shipped_free else facts.freight_out or ZERO
    return ("freight_out", out), ("freight_back", facts.freight_back or ZERO)


def _plain(name: str, value: Any) -> str | None:
    """A column of the row as text: factors without their trailing zeros."""
    if isinstance(value, Decimal) and name in {"rate", "multiplier"}:
        return f"{value.normalize():f}"
    return None if value is None else str(value)


def _utc(moment: datetime) -> datetime:
    """In UTC, because adding to a local time would count its clock changes as time."""
    return moment.astimezone(UTC)


def _local(moment: datetime, facts: Facts) -> str:
    return f"{moment.astimezone(facts.zone):%Y-%m-%d %H:%M:%S}"


__all__ = [
    "BY_THE_CLOCK",
    "TIMES",
    "WITH_REFUND",
    "Code",
    "Counted",
    "Facts",
    "Missing",
    "NotEligible",
    "Side",
    "Since",
    "Standing",
    "Terms",
    "Verdict",
    "Working",
    "compensation",
    "eligibility",
    "end_of",
    "shipping_deadline",
    "standing",
]
