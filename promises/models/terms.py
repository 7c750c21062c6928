"""Terms as dated rows, per platform and shop; and how long each side of a claim may take.

A row that was in force is never changed: what was paid under it keeps it. A change is a new row
from a day on (promises.verbs.change_terms); triggers refuse rows that overlap and edits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import OrderLine, Reason, Shop
from cases.models.money import ZERO, MoneyField
from cases.models.policy import Dated
from promises.terms import Code, Counted, Side, Since, Terms


class Term(Dated):
    """What one promise means from a moment on; the shop's own row beats the platform's."""

    class Offer(models.TextChoices):
        SHEET = "sheet", gettext_lazy("As the order's sheet says")
        ALL = "all", gettext_lazy("Every line carries it")
        NONE = "none", gettext_lazy("Not offered")

    promise = models.CharField(gettext_lazy("promise"), max_length=20, choices=Code.choices)
    shop = models.ForeignKey(
        Shop,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="terms",
        verbose_name=gettext_lazy("shop"),
        help_text=gettext_lazy("Empty: every shop of the platform."),
    )
    offer = models.CharField(
        gettext_lazy("offered"), max_length=8, choices=Offer.choices, default=Offer.SHEET
    )
    rate = models.DecimalField(
        gettext_lazy("rate, percent"),
        max_digits=8,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=gettext_lazy("Of what was paid for the line."),
    )
    fixed = MoneyField(gettext_lazy("set amount"), null=True, blank=True)
    floor = MoneyField(gettext_lazy("not under"), null=True, blank=True)
    cap = MoneyField(gettext_lazy("not over"), null=True, blank=True)
    multiplier = models.DecimalField(
        gettext_lazy("times the price"),
        max_digits=6,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=gettext_lazy("Paid on top of the refund."),
    )
    minimum_extra = MoneyField(gettext_lazy("least on top of the refund"), null=True, blank=True)
    hours = models.PositiveIntegerField(
        gettext_lazy("promised hours"),
        null=True,
        blank=True,
        help_text=gettext_lazy("From payment to shipping, where the order names no deadline."),
    )
    window = models.PositiveIntegerField(
        gettext_lazy("to be claimed within"),
        null=True,
        blank=True,
        help_text=gettext_lazy("Empty: no end; for quality until the buyer confirms."),
    )
    since = models.CharField(
        gettext_lazy("counted from"), max_length=10, choices=Since.choices, default=Since.SIGNED
    )
    counted = models.CharField(
        gettext_lazy("counted in"), max_length=10, choices=Counted.choices, default=Counted.CALENDAR
    )
    freight_side = models.CharField(
        gettext_lazy("freight borne by"), max_length=8, choices=Side.choices, default=Side.SELLER
    )
    evidence = models.CharField(
        gettext_lazy("evidence"),
        max_length=12,
        choices=Reason.Evidence.choices,
        default=Reason.Evidence.NONE,
    )
    once_per_order = models.BooleanField(
        gettext_lazy("one payment per order"),
        default=False,
        help_text=gettext_lazy("Not paid where another promise of the order is claimed already."),
    )

    class Meta:
        verbose_name = gettext_lazy("terms of a promise")
        verbose_name_plural = gettext_lazy("terms of promises")
        ordering = ["promise", "platform", "shop_id", "-valid_from"]
        permissions = [
            ("import_term", "Can import terms"),
            ("export_term", "Can export terms"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_to__isnull=True)
                | Q(valid_from__lt=F("valid_to")),
                name="term_dates_in_order",
            ),
            models.CheckConstraint(
                condition=Q(floor__isnull=True) | Q(cap__isnull=True) | Q(floor__lte=F("cap")),
                name="term_floor_not_above_cap",
            ),
            models.CheckConstraint(
                condition=(Q(rate__isnull=True) | Q(rate__gte=0))
                & (Q(multiplier__isnull=True) | Q(multiplier__gte=0))
                & (Q(fixed__isnull=True) | Q(fixed__gte=ZERO))
                & (Q(floor__isnull=True) | Q(floor__gte=ZERO))
                & (Q(cap__isnull=True) | Q(cap__gte=ZERO))
                & (Q(minimum_extra__isnull=True) | Q(minimum_extra__gte=ZERO)),
                name="term_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(rate__isnull=True) | Q(fixed__isnull=True), name="term_one_rule"
            ),
            models.CheckConstraint(
                condition=Q(shop__isnull=True) | Q(platform=""), name="term_of_shop_or_platform"
            ),
        ]

    def __str__(self) -> str:
        where = self.shop or self.get_platform_display() or "*"
        return f"{self.get_promise_display()} · {where} · #{self.pk}"

    def clean(self) -> None:
        """Say in words what the database refuses."""
        if wrong := {**self._wrong_amounts(), **self._wrong_dates()}:
            raise ValidationError(wrong)
        if (other := self.overlapping().first()) is not None:
            raise ValidationError(
                _("%(other)s is in force at that time already. End it first.") % {"other": other}
            )

    def _wrong_amounts(self) -> dict[str, str]:
        wrong = {}
        for name in ("rate", "multiplier", "fixed", "floor", "cap", "minimum_extra"):
            value = getattr(self, name)
            if value is not None and value < 0:
                wrong[name] = _("It cannot be negative.")
        if self.rate is not None and self.fixed is not None:
            wrong["fixed"] = _("Give a rate or a set amount, not both.")
        if self.floor is not None and self.cap is not None and self.floor > self.cap:
            wrong["cap"] = _("The floor of ¥%(floor)s is above the cap of ¥%(cap)s.") % {
                "floor": self.floor,
                "cap": self.cap,
            }
        return wrong

    def _wrong_dates(self) -> dict[str, str]:
        wrong = {}
        if self.valid_from and self.valid_to and self.valid_from >= self.valid_to:
            wrong["valid_to"] = _("It ends before it begins.")
        if self.shop_id and self.platform:
            wrong["platform"] = _("A shop is on one platform; leave this empty.")
        return wrong

    def overlapping(self) -> "models.QuerySet[Term]":
        """Other rows of the same promise and place that are in force at some time of this one."""
        rows = Term.objects.filter(promise=self.promise, platform=self.platform, shop=self.shop_id)
        if self.valid_from is not None:
            rows = rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=self.valid_from))
        if self.valid_to is not None:
            rows = rows.filter(Q(valid_from__isnull=True) | Q(valid_from__lt=self.valid_to))
        return rows.exclude(pk=self.pk)

    def holds_at(self, at: datetime) -> bool:
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_to is None or at < self.valid_to
        )

    def is_offered_on(self, line: OrderLine) -> bool:
        """Whether this line carries the promise: the shop's word, else the sheet's."""
        if self.offer == Term.Offer.SHEET:
            return self.promise in [code.strip() for code in line.promises.split(";")]
        return self.offer == Term.Offer.ALL

    def as_terms(self) -> Terms:
        """What the arithmetic needs of this row."""
        names = [n for n in Terms.__dataclass_fields__ if n != "row"]
        return Terms(row=f"#{self.pk}", **{n: getattr(self, n) for n in names})


@dataclass
class TermBook:
    """All terms, read once per batch."""

    rows: list[Term]

    @classmethod
    def load(cls, promises: Iterable[str] = ()) -> "TermBook":
        rows = Term.objects.all()
        return cls(list(rows.filter(promise__in=promises) if promises else rows))

    def rows_for(self, promise: str, shop: Shop) -> list[Term]:
        """Rows of every date that may hold for the shop: its own, its platform's, everyone's."""
        fitting = [
            t
            for t in self.rows
            if t.promise == promise
            and t.shop_id in (None, shop.pk)
            and t.platform in ("", shop.platform)
        ]
        return sorted(fitting, key=lambda t: (t.shop_id is None, t.platform == ""))

    def pick(self, promise: str, shop: Shop, at: datetime) -> Term | None:
        """The row in force at ``at`` (when the order was paid): shop, platform, then everyone."""
        return next((t for t in self.rows_for(promise, shop) if t.holds_at(at)), None)


class Limit(Dated):
    """How long a side has before the clock goes on with a claim, or with a duty to top up."""

    class Of(models.TextChoices):
        FILED = "filed", gettext_lazy("A claim is answered")
        CONTESTED = "contested", gettext_lazy("A contested claim is negotiated")
        ADJUDICATING = "adjudicating", gettext_lazy("The platform decides")
        SUSPENDED = "suspended", gettext_lazy("Promises suspended, after the notice")
        BLOCKED = "blocked", gettext_lazy("Shop blocked, after the notice")

    of = models.CharField(gettext_lazy("limit"), max_length=16, choices=Of.choices)
    hours = models.PositiveIntegerField(gettext_lazy("hours"))
    reminders = models.CharField(
        gettext_lazy("reminders"),
        max_length=40,
        blank=True,
        default="50,90",
        help_text=gettext_lazy("Percent of the time."),
    )

    class Meta:
        verbose_name = gettext_lazy("time limit of claims and duties")
        verbose_name_plural = gettext_lazy("time limits of claims and duties")
        ordering = ["of", "platform", "valid_from"]

    def __str__(self) -> str:
        return f"{self.get_of_display()} · {self.hours} h"


def length_of(of: str, platform: str, at: datetime, rows: list[Limit]) -> tuple[timedelta, str]:
    """The time and the reminders in force; the named platform beats every platform."""
    fitting: list[Any] = [
        r
        for r in rows
        if r.of == of
        and r.platform in ("", platform)
        and (r.valid_from is None or r.valid_from <= at)
        and (r.valid_to is None or at < r.valid_to)
    ]
    best = max(fitting, key=lambda r: (r.platform != "", r.valid_from is not None), default=None)
    if best is None:
        return timedelta(hours=DEFAULT_HOURS[of]), ""
    return timedelta(hours=best.hours), best.reminders


#: As seeded; what holds where somebody has taken the rows away.
DEFAULT_HOURS = {"filed": 72, "contested": 72, "adjudicating": 120, "suspended": 72, "blocked": 120}
