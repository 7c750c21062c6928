"""How a blue invoice stands: what of each line is reversed or spoken for, and by which entry.

Only ``invoices.ledger`` writes here. The state of a blue invoice is a column the database derives.
"""

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.flow.events import AppendOnly
from cases.models.money import ZERO, MoneyField
from invoices.models.invoice import Invoice, InvoiceLine
from invoices.models.quantity import NONE, QuantityField


class BlueState(models.TextChoices):
    ISSUED = "issued", _("Issued")
    PARTLY_RED = "partly_red", _("Partly reversed")
    FULLY_RED = "fully_red", _("Fully reversed")
    VOIDED = "voided", _("Voided")


class Standing(models.Model):
    """One row per blue invoice: the lock for everything that is done to it.

    ``gross`` is the invoice's own total; ``reversed_gross`` of it is red, ``reserved_gross`` is
    spoken for by an open request. ``buyer_used``: used or booked by the buyer; ``booked``: in our
    own books, so that it is no longer voided.
    """

    invoice = models.OneToOneField(
        Invoice, models.PROTECT, related_name="standing", verbose_name=_("invoice")
    )
    gross = MoneyField(_("total with tax"))
    reversed_gross = MoneyField(_("reversed"), default=ZERO)
    reserved_gross = MoneyField(_("spoken for"), default=ZERO)
    buyer_used = models.BooleanField(_("used by the buyer"), default=False)
    booked = models.BooleanField(_("in our books"), default=False)
    voided_at = models.DateTimeField(_("voided at"), null=True, blank=True)
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("voided by"),
    )
    void_reason = models.CharField(_("why it was voided"), max_length=300, blank=True, default="")
    state = models.GeneratedField(
        verbose_name=_("state"),
        expression=Case(
            When(voided_at__isnull=False, then=Value("voided")),
            When(reversed_gross=0, then=Value("issued")),
            When(reversed_gross__lt=F("gross"), then=Value("partly_red")),
            default=Value("fully_red"),
        ),
        output_field=models.CharField(max_length=12, choices=BlueState.choices),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("standing of an invoice")
        verbose_name_plural = _("standings of invoices")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    reversed_gross__gte=ZERO,
                    reserved_gross__gte=ZERO,
                    gross__gte=F("reversed_gross") + F("reserved_gross"),
                ),
                name="standing_never_above_the_blue",
            ),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True) | Q(reversed_gross=ZERO, reserved_gross=ZERO),
                name="standing_void_has_no_red",
            ),
        ]
        indexes = [models.Index(fields=["state"], name="standing_state")]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.state}"


class Balance(models.Model):
    """What of one blue line (netted with its discount line) is reversed and spoken for.

    ``quantity`` is 0 where the line has none. All sums include ``reserved_*`` of open requests.
    """

    standing = models.ForeignKey(Standing, models.PROTECT, related_name="balances")
    line = models.OneToOneField(InvoiceLine, models.PROTECT, related_name="balance")
    quantity = QuantityField(_("quantity"), default=NONE)
    gross = MoneyField(_("total with tax"))
    tax = MoneyField(_("tax"))
    reversed_quantity = QuantityField(_("pieces reversed"), default=NONE)
    reversed_gross = MoneyField(_("reversed"), default=ZERO)
    reversed_tax = MoneyField(_("tax reversed"), default=ZERO)
    reserved_quantity = QuantityField(_("pieces spoken for"), default=NONE)
    reserved_gross = MoneyField(_("spoken for"), default=ZERO)
    reserved_tax = MoneyField(_("tax spoken for"), default=ZERO)

    class Meta:
        verbose_name = _("balance of a line")
        verbose_name_plural = _("balances of lines")
        ordering = ["standing_id", "line_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    gross__gte=F("tax"),
                    tax__gte=ZERO,
                    quantity__gte=NONE,
                    reversed_quantity__gte=NONE,
                    reserved_quantity__gte=NONE,
                    reversed_tax__gte=ZERO,
                    reserved_tax__gte=ZERO,
                    reversed_gross__gte=F("reversed_tax"),
                    reserved_gross__gte=F("reserved_tax"),
                ),
                name="balance_never_negative",
            ),
            models.CheckConstraint(
                condition=Q(
                    quantity__gte=F("reversed_quantity") + F("reserved_quantity"),
                    gross__gte=F("reversed_gross") + F("reserved_gross"),
                    tax__gte=F("reversed_tax") + F("reserved_tax"),
                ),
                name="balance_never_above_the_blue",
            ),
            models.CheckConstraint(
                condition=Q(
                    gross__gte=F("tax")
                    + F("reversed_gross")
                    - F("reversed_tax")
                    + F("reserved_gross")
                    - F("reserved_tax")
                ),
                name="balance_net_never_above_the_blue",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line_id}"


class Reversal(AppendOnly):
    """One movement of a balance: spoken for, let go again, or reversed for good.

    Pieces and amounts are positive. ``key``: one effect, one entry.
    """

    class Kind(models.TextChoices):
        RESERVE = "reserve", _("Spoken for")
        RELEASE = "release", _("Let go")
        BOOK = "book", _("Already red")

    balance = models.ForeignKey(
        Balance, models.PROTECT, related_name="entries", verbose_name=_("line")
    )
    kind = models.CharField(_("entry kind"), max_length=8, choices=Kind.choices)
    request = models.ForeignKey(
        "invoices.RedRequest",
        models.PROTECT,
        null=True,
        related_name="entries",
        verbose_name=_("red request"),
    )
    red_line = models.OneToOneField(
        InvoiceLine,
        models.PROTECT,
        null=True,
        related_name="reversal",
        verbose_name=_("line of the red invoice"),
    )
    quantity = QuantityField(_("quantity"), default=NONE)
    gross = MoneyField(_("total with tax"))
    tax = MoneyField(_("tax"))
    at = models.DateTimeField(_("at"))
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now)
    key = models.CharField(_("key"), max_length=120, unique=True)

    class Meta:
        verbose_name = _("reversal")
        verbose_name_plural = _("reversals")
        ordering = ["balance_id", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=NONE, tax__gte=ZERO, gross__gte=F("tax")),
                name="reversal_never_negative",
            ),
            models.CheckConstraint(
                condition=Q(kind="book", red_line__isnull=False)
                | (~Q(kind="book") & Q(red_line__isnull=True, request__isnull=False)),
                name="reversal_names_its_red",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.gross}"
