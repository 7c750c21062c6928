"""Money that goes to the buyer: refunds, their parts, approvals, compensations, mediation."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.flow.events import AppendOnly
from cases.models.case import CaseLine
from cases.models.lifecycle import Case
from cases.models.money import ZERO, MoneyField
from cases.models.orders import Order, Payment


class Refund(models.Model):
    """One payout of a case under our own number; tried again it keeps the number."""

    class State(models.TextChoices):
        DUE = "due", _("To be paid")
        FAILED = "failed", _("Failed")
        PAID = "paid", _("Paid")
        VOID = "void", _("No longer due")

    class Method(models.TextChoices):
        ORIGINAL = "original", _("Back the way it was paid")
        ALIPAY = "alipay", _("Alipay")
        BANK = "bank", _("Bank transfer")
        PLATFORM = "platform", _("By the platform")

    number = models.CharField(_("refund no."), max_length=32, unique=True)
    case = models.ForeignKey(Case, models.PROTECT, related_name="refunds", verbose_name=_("case"))
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="refunds", verbose_name=_("order")
    )
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.DUE)
    amount = MoneyField(_("goods"))
    freight = MoneyField(_("freight"), default=ZERO)
    method = models.CharField(
        _("way"), max_length=10, choices=Method.choices, blank=True, default=""
    )
    payee = models.CharField(_("payee"), max_length=200, blank=True, default="")
    reference = models.CharField(_("reference"), max_length=100, blank=True, default="")
    platform_number = models.CharField(
        _("platform's refund no."), max_length=100, blank=True, default=""
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    failure = models.CharField(_("why it failed"), max_length=300, blank=True, default="")
    at = models.DateTimeField(_("due since"))
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    paid_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("paid by whom"),
    )

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gte=ZERO, freight__gte=ZERO), name="refund_amounts_not_negative"
            ),
            models.UniqueConstraint(
                fields=["case"], condition=~Q(state="paid"), name="one_refund_due_per_case"
            ),
            models.UniqueConstraint(
                fields=["platform_number"],
                condition=~Q(platform_number=""),
                name="platform_refund_once",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class RefundPart(AppendOnly):
    """What of a paid refund came from which order line (or freight) and which payment."""

    refund = models.ForeignKey(Refund, models.PROTECT, related_name="parts")
    case_line = models.ForeignKey(
        CaseLine,
        models.PROTECT,
        null=True,
        related_name="refund_parts",
        help_text=_("Empty: freight."),
    )
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="refund_parts")
    amount = MoneyField(_("amount"))

    class Meta:
        verbose_name = _("part of a refund")
        verbose_name_plural = _("parts of refunds")
        ordering = ["refund_id", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=ZERO), name="refund_part_positive")
        ]

    def __str__(self) -> str:
        return f"{self.refund_id}: {self.amount}"


class Approval(AppendOnly):
    """A second person's decision on an amount; never the one who entered it."""

    case = models.ForeignKey(
        Case, models.PROTECT, related_name="approval_rows", verbose_name=_("case")
    )
    amount = MoneyField(_("amount"))
    granted = models.BooleanField(_("granted"))
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("entered by"),
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    at = models.DateTimeField(_("at"))
    text = models.TextField(_("text"), blank=True, default="")

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(entered_by__isnull=True) | ~Q(by=models.F("entered_by")),
                name="nobody_approves_what_he_entered",
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.amount}"


class Compensation(AppendOnly):
    """Goodwill beyond the refund, in the order of the ladder: benefits first, then cash kinds."""

    class Kind(models.TextChoices):
        COUPON = "coupon", _("Coupon")
        MEMBER = "member", _("Member benefit")
        RED_PACKET = "red_packet", _("Red packet")
        GIFT = "gift", _("Gift")
        CASH = "cash", _("Cash")

    case = models.ForeignKey(
        Case, models.PROTECT, related_name="compensations", verbose_name=_("case")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    amount = MoneyField(_("amount"))
    text = models.CharField(_("text"), max_length=300, blank=True, default="")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("granted by"),
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("compensation")
        verbose_name_plural = _("compensations")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=ZERO), name="compensation_positive")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"


class Mediation(models.Model):
    """One intervention of the platform in a case and how it ended."""

    case = models.ForeignKey(
        Case, models.PROTECT, related_name="mediations", verbose_name=_("case")
    )
    party = models.CharField(_("asked for by"), max_length=8)
    text = models.TextField(_("text"), blank=True, default="")
    opened_at = models.DateTimeField(_("opened at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=24, blank=True, default="")
    amount = MoneyField(_("amount"), null=True, blank=True)

    class Meta:
        verbose_name = _("mediation")
        verbose_name_plural = _("mediations")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(closed_at__isnull=True),
                name="one_open_mediation_per_case",
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.party}"


class Counter(models.Model):
    """The last number given out of a series; locked while numbers are taken."""

    name = models.CharField(max_length=40, unique=True)
    value = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("number series")
        verbose_name_plural = _("number series")

    def __str__(self) -> str:
        return f"{self.name} {self.value}"
