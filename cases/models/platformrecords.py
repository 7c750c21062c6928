"""What a platform last told of an after-sale application or an order, beside what we have."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.flow.events import AppendOnly
from cases.models.kinds import Kind, State
from cases.models.lifecycle import Case
from cases.models.money import MoneyField
from cases.models.orders import Order, OrderLine
from cases.models.shops import Shop, shop_ids_of


class Difference(models.TextChoices):
    """In what the platform and we do not agree."""

    REFUNDED_THERE = "refunded_there", _("Refunded there, not here")
    REFUNDED_HERE = "refunded_here", _("Refunded here, not there")
    AMOUNT = "amount", _("Other amount")
    STATE = "state", _("Other state")


class Outcome(models.TextChoices):
    """What the platform did by itself."""

    REFUNDED = "refunded", _("Refunded")
    DONE = "done", _("Done without money")
    CLOSED = "closed", _("Closed")


class Explained(models.TextChoices):
    """How a difference was put aside; it comes back when either side says something new."""

    WORDS = "words", _("Explained")
    EXTERNAL = "external", _("Taken over as an external refund")


class PlatformRecordQuerySet(models.QuerySet["PlatformRecord"]):
    def visible_to(self, user: Any) -> Self:
        ids = shop_ids_of(user)
        return self if ids is None else self.filter(shop_id__in=ids)

    def waiting(self) -> Self:
        """Differences that nobody has settled or explained."""
        return self.filter(open=True)


class PlatformRecord(models.Model):
    """The platform's last word; amounts in yuan, personal data is not kept.

    One row per after-sale number of an order; the row without a number holds what the order
    report says was refunded in all. ``told_at``: the newest time the platform's row shows;
    ``heard_at``: when we heard it last, as far as it matters. ``difference``, ``ours`` (what we
    refunded, or are asked for where only that differs) and ``open`` are worked out by
    ``cases.differences`` alone.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", verbose_name=_("shop"))
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="platform_records", verbose_name=_("order")
    )
    line = models.ForeignKey(
        OrderLine, models.PROTECT, null=True, related_name="+", verbose_name=_("order line")
    )
    case = models.ForeignKey(
        Case, models.PROTECT, null=True, related_name="platform_records", verbose_name=_("case")
    )
    number = models.CharField(
        _("platform's case no."), max_length=64, blank=True, default="", db_index=True
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=40, blank=True, default="")
    quantity = models.PositiveIntegerField(_("quantity"), null=True)
    word = models.CharField(_("platform's word"), max_length=100, blank=True, default="")
    state = models.CharField(
        _("state there"), max_length=24, choices=State.choices, blank=True, default=""
    )
    outcome = models.CharField(
        _("outcome there"), max_length=10, choices=Outcome.choices, blank=True, default=""
    )
    requested = MoneyField(_("asked for"), null=True)
    freight = MoneyField(_("freight asked for"), null=True)
    refunded = MoneyField(_("refunded there"), null=True)
    applied_at = models.DateTimeField(_("applied at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    told_at = models.DateTimeField(_("told at"))
    heard_at = models.DateTimeField(_("heard at"))
    source = models.CharField(_("kind of sheet"), max_length=40)
    difference = models.CharField(
        _("difference"), max_length=16, choices=Difference.choices, blank=True, default=""
    )
    ours = MoneyField(_("refunded here"), null=True)
    explained = models.CharField(
        _("explained"), max_length=10, choices=Explained.choices, blank=True, default=""
    )
    open = models.BooleanField(default=False)

    objects = PlatformRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("platform's record")
        verbose_name_plural = _("platform's records")
        ordering = ["-told_at", "-id"]
        permissions = [("settle_platformrecord", "Can settle differences with the platform")]
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="platform_record_once"),
            models.CheckConstraint(
                condition=Q(open=False) | (~Q(difference="") & Q(explained="")),
                name="platform_record_open_is_a_difference",
            ),
        ]
        indexes = [
            models.Index(
                fields=["shop", "difference", "-told_at", "-id"],
                name="platform_record_waiting",
                condition=Q(open=True),
            ),
            models.Index(
                fields=["-told_at", "-id"],
                name="platform_record_newest",
                condition=Q(open=True),
            ),
        ]

    def __str__(self) -> str:
        return self.number or str(self.order_id)

    @property
    def is_of_order(self) -> bool:
        """The order report's own figure, not an after-sale application."""
        return not self.number


class Explanation(AppendOnly):
    """Why a difference was put aside, by whom and when; amounts as both sides stood then."""

    record = models.ForeignKey(
        PlatformRecord, models.PROTECT, related_name="explanations", verbose_name=_("record")
    )
    difference = models.CharField(_("difference"), max_length=16, choices=Difference.choices)
    way = models.CharField(_("explained"), max_length=10, choices=Explained.choices)
    theirs = MoneyField(_("refunded there"), null=True)
    ours = MoneyField(_("refunded here"), null=True)
    text = models.CharField(_("reason"), max_length=300)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("explained by"),
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("explanation")
        verbose_name_plural = _("explanations")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.record_id} {self.way}"
