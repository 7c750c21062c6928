"""Endorsements: which unit of an invoice line was exchanged for which, and until when it is sound.

A unit's serials are a chain; its end is stored and unique over all units. Only
``invoices.papers.endorsing`` writes these tables.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.flow.events import AppendOnly
from cases.models import Case, OrderLine, Shop
from invoices.models.invoice import Invoice, InvoiceLine


class Where(models.TextChoices):
    """Where the endorsement stands; electronic invoices have no back."""

    BACK = "invoice_back", _("Back of the invoice")
    CARD = "warranty_card", _("Warranty card")
    VOUCHER = "voucher", _("Exchange voucher")


class Unit(models.Model):
    """One piece that was exchanged at least once: the end of its chain of serials."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="units", verbose_name=_("shop"))
    line = models.ForeignKey(
        InvoiceLine, models.PROTECT, related_name="units", verbose_name=_("invoice line")
    )
    order_line = models.ForeignKey(
        OrderLine,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="units",
        verbose_name=_("order line"),
    )
    first_serial = models.CharField(_("first serial no."), max_length=100)
    serial = models.CharField(_("serial no."), max_length=100, unique=True)
    seq = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("exchanged piece")
        verbose_name_plural = _("exchanged pieces")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.first_serial} → {self.serial}"


class Endorsement(AppendOnly):
    """One link of a unit's chain: old serial → new serial, and from when the warranty runs anew."""

    number = models.CharField(_("number"), max_length=32, unique=True)
    shop = models.ForeignKey(
        Shop, models.PROTECT, related_name="endorsements", verbose_name=_("shop")
    )
    case = models.ForeignKey(
        Case, models.PROTECT, related_name="endorsements", verbose_name=_("case")
    )
    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="endorsements", verbose_name=_("invoice")
    )
    line = models.ForeignKey(
        InvoiceLine, models.PROTECT, related_name="endorsements", verbose_name=_("invoice line")
    )
    unit = models.ForeignKey(
        Unit, models.PROTECT, related_name="endorsements", verbose_name=_("exchanged piece")
    )
    seq = models.PositiveIntegerField(_("sequence"))
    old_serial = models.CharField(_("old serial no."), max_length=100)
    new_serial = models.CharField(_("new serial no."), max_length=100)
    exchanged_on = models.DateField(_("exchanged on"))
    warranty_from = models.DateField(_("warranty from"))
    seal = models.CharField(_("seal"), max_length=100, blank=True, default="")
    where = models.CharField(_("place of the endorsement"), max_length=14, choices=Where.choices)
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("operator")
    )
    at = models.DateTimeField(_("at"))
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now)
    key = models.CharField(_("key"), max_length=120, null=True, unique=True)  # noqa: DJ001 - many have none
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("endorsement")
        verbose_name_plural = _("endorsements")
        ordering = ["-id"]
        permissions = [
            ("endorse", "Can endorse an exchange on an invoice"),
            ("review_endorsement", "Can review an endorsement of another"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["unit", "seq"], name="endorsement_seq"),
            models.CheckConstraint(
                condition=~Q(old_serial=F("new_serial")), name="endorsement_changes_the_serial"
            ),
        ]
        indexes = [
            models.Index(fields=["old_serial"], name="endorsement_old_serial"),
            models.Index(fields=["shop", "-id"], name="endorsement_shop"),
        ]

    def __str__(self) -> str:
        return self.number


class EndorsementReview(AppendOnly):
    """Another person has looked at it; never its operator."""

    endorsement = models.OneToOneField(
        Endorsement, models.PROTECT, related_name="review", verbose_name=_("endorsement")
    )
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("operator")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("reviewer")
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("review of an endorsement")
        verbose_name_plural = _("reviews of endorsements")
        constraints = [
            models.CheckConstraint(
                condition=~Q(by=F("operator")), name="endorsement_review_by_another"
            )
        ]

    def __str__(self) -> str:
        return f"{self.endorsement_id} {self.by_id}"


class WarrantyExtension(AppendOnly):
    """A repair's days do not count: the warranty ends so many days later."""

    case = models.ForeignKey(
        Case, models.PROTECT, related_name="warranty_extensions", verbose_name=_("case")
    )
    order_line = models.ForeignKey(
        OrderLine,
        models.PROTECT,
        related_name="warranty_extensions",
        verbose_name=_("order line"),
    )
    received_at = models.DateTimeField(_("received at"))
    sent_at = models.DateTimeField(_("sent back at"))
    days = models.PositiveIntegerField(_("days"))

    class Meta:
        verbose_name = _("extension of a warranty")
        verbose_name_plural = _("extensions of warranties")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "order_line", "sent_at"], name="warranty_extension_once"
            )
        ]

    def __str__(self) -> str:
        return f"+{self.days}"
