"""What a platform's payout sheet (小额打款) told, beside the claim or compensation it pays."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.flow.events import AppendOnly
from cases.models import Compensation, Order, Platform, Shop
from cases.models.money import ZERO, MoneyField
from cases.models.shops import shop_ids_of
from promises.models.claim import Claim


class PayoutDifference(models.TextChoices):
    """In what the platform's payouts and our claims and compensations do not agree."""

    NOT_HERE = "not_here", _("Paid there, not here")
    NOT_THERE = "not_there", _("Paid here, not there")
    AMOUNT = "amount", _("Other amount")


class PayoutQuerySet(models.QuerySet["Payout"]):
    def visible_to(self, user: Any) -> Self:
        ids = shop_ids_of(user)
        return self if ids is None else self.filter(shop_id__in=ids)


class Payout(models.Model):
    """One payout under the platform's number; amounts in yuan.

    A row without a number is ours alone: paid here, in a time the sheets told of, and told by none.
    ``ours``: what the linked claim or compensation paid. ``difference``, ``ours`` and ``open`` are
    worked out by ``promises.payouts`` alone. ``extra``: what the row said in other columns.
    """

    class Status(models.TextChoices):
        PAID = "paid", _("Paid")
        PENDING = "pending", _("Under way")
        FAILED = "failed", _("Not paid")
        UNKNOWN = "", "–"

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", verbose_name=_("shop"))
    platform = models.CharField(_("platform"), max_length=10, choices=Platform.choices)
    number = models.CharField(_("payout no."), max_length=64, blank=True, default="")
    order_no = models.CharField(_("order no."), max_length=64)
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payouts",
        verbose_name=_("order"),
    )
    amount = MoneyField(_("amount there"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    status = models.CharField(
        _("status"), max_length=8, choices=Status.choices, blank=True, default=Status.UNKNOWN
    )
    word = models.CharField(_("platform's word"), max_length=60, blank=True, default="")
    paid_at = models.DateTimeField(_("payout time"), null=True, blank=True)
    text = models.CharField(_("text"), max_length=300, blank=True, default="")
    extra = models.JSONField(default=dict, blank=True, editable=False)
    heard_at = models.DateTimeField(_("heard at"))
    claim = models.OneToOneField(
        Claim,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payout",
        verbose_name=_("claim"),
    )
    compensation = models.OneToOneField(
        Compensation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payout",
        verbose_name=_("compensation"),
    )
    ours = MoneyField(_("amount here"), null=True, blank=True, editable=False)
    difference = models.CharField(
        _("difference"),
        max_length=10,
        choices=PayoutDifference.choices,
        blank=True,
        default="",
        editable=False,
    )
    explained = models.BooleanField(_("explained"), default=False, editable=False)
    open = models.BooleanField(default=False, editable=False)

    objects = PayoutQuerySet.as_manager()

    class Meta:
        verbose_name = _("platform's payout")
        verbose_name_plural = _("platform's payouts")
        ordering = ["-paid_at", "-id"]
        permissions = [
            ("import_payout", "Can import the platform's payouts"),
            ("settle_payout", "Can settle differences of payouts"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "number"], condition=~Q(number=""), name="payout_once"
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gt=ZERO), name="payout_positive"
            ),
            models.CheckConstraint(
                condition=Q(open=False) | (~Q(difference="") & Q(explained=False)),
                name="payout_open_is_a_difference",
            ),
            models.CheckConstraint(
                condition=Q(claim__isnull=True) | Q(compensation__isnull=True),
                name="payout_pays_one_thing",
            ),
        ]
        indexes = [
            models.Index(fields=["shop", "difference"], name="payout_open", condition=Q(open=True)),
            models.Index(fields=["shop", "-paid_at", "-id"], name="payout_newest"),
            models.Index(fields=["order_no"], name="payout_order_no"),
        ]

    def __str__(self) -> str:
        return self.number or self.order_no


class PayoutNote(AppendOnly):
    """How a difference was settled, by whom and why; amounts as both sides stood then."""

    class Way(models.TextChoices):
        ADOPT = "adopt", _("Adopt the platform's payout")
        LINK = "link", _("Link to what it pays")
        NOTE = "note", _("Put aside as explained")

    payout = models.ForeignKey(
        Payout, models.PROTECT, related_name="notes", verbose_name=_("platform's payout")
    )
    way = models.CharField(_("way"), max_length=8, choices=Way.choices)
    difference = models.CharField(
        _("difference"), max_length=10, choices=PayoutDifference.choices, blank=True
    )
    theirs = MoneyField(_("amount there"), null=True)
    ours = MoneyField(_("amount here"), null=True)
    text = models.CharField(_("reason"), max_length=300, blank=True, default="")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("who"),
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("note on a payout")
        verbose_name_plural = _("notes on payouts")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.payout_id} {self.way}"
