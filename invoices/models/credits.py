"""Credit notes that name no invoice: what they credit waits here until it is known.

A line that is settled became a red invoice's; the rest is a list for people. ``invoices.crediting``
alone writes here.
"""

from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.models import Shop
from cases.models.money import MoneyField
from cases.models.shops import shop_ids_of
from invoices.models.invoice import Invoice, InvoiceKind
from invoices.models.quantity import QuantityField, shown


class CreditNoteQuerySet(models.QuerySet["CreditNote"]):
    def visible_to(self, user: Any) -> Self:
        ids = shop_ids_of(user)
        return self if ids is None else self.filter(shop_id__in=ids)


class CreditNote(models.Model):
    """The header as it came. ``pending``: to be compared with the invoices (again).

    Whose it is the tax number tells, of a foreign one the name; without it nothing is meant.
    """

    shop = models.ForeignKey(
        Shop, models.PROTECT, related_name="credit_notes", verbose_name=_("shop")
    )
    kind = models.CharField(_("kind"), max_length=24, choices=InvoiceKind.choices)
    code = models.CharField(_("invoice code"), max_length=12, blank=True, default="")
    number = models.CharField(_("credit note no."), max_length=30)
    issued_at = models.DateTimeField(_("issued at"))
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="")
    seller_name = models.CharField(_("seller"), max_length=200, blank=True, default="")
    seller_tax_no = models.CharField(_("seller's tax no."), max_length=20, blank=True, default="")
    buyer_name = models.CharField(_("buyer"), max_length=200, blank=True, default="")
    buyer_tax_no = models.CharField(_("buyer's tax no."), max_length=20, blank=True, default="")
    remark = models.CharField(_("remark"), max_length=300, blank=True, default="")
    source = models.CharField(_("source"), max_length=16)
    extra = models.JSONField(_("other columns"), default=dict, blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("entered by"),
    )
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now)
    pending = models.BooleanField(_("to be compared"), default=True)

    objects = CreditNoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("credit note")
        verbose_name_plural = _("credit notes")
        ordering = ["issued_at", "id"]
        permissions = [("match_creditnote", "Can say which invoice a credit note means")]
        constraints = [
            models.UniqueConstraint(fields=["code", "number"], name="credit_note_number_once")
        ]
        indexes = [
            models.Index(fields=["shop", "buyer_tax_no", "buyer_name"], name="credit_note_buyer"),
            models.Index(fields=["id"], name="credit_note_pending", condition=Q(pending=True)),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.number}".strip()


class CreditLine(models.Model):
    """One line of a note; pieces and amounts above zero.

    ``left``: where too much is credited, the most pieces that one invoice has left.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        SETTLED = "settled", _("Reversed")
        PUT_ASIDE = "put_aside", _("Put aside")

    class Why(models.TextChoices):
        """What is known of it (invoices.matching.Why), and what keeps it from being compared."""

        ONE = "one", _("One invoice can be meant")
        SEVERAL = "several", _("Several invoices can be meant")
        TOO_MUCH = "too_much", _("More is credited than is left")
        LATER = "later", _("Sold only after the credit note")
        OTHER_PRICE = "other_price", _("Sold at another price only")
        NEVER_SOLD = "never_sold", _("Never sold to this buyer")
        NO_BUYER = "no_buyer", _("The buyer is not told")
        NO_PIECES = "no_pieces", _("Pieces or price are not told")
        AMOUNT = "amount", _("The amount is not what the invoice says")

    note = models.ForeignKey(
        CreditNote, models.PROTECT, related_name="lines", verbose_name=_("credit note")
    )
    line_no = models.PositiveIntegerField(_("line"))
    item_code = models.CharField(_("item code"), max_length=100, blank=True, default="")
    title = models.CharField(_("goods or service"), max_length=300, blank=True, default="")
    quantity = QuantityField(_("quantity"), null=True, blank=True)
    unit_price = models.DecimalField(
        _("unit price without tax"), max_digits=20, decimal_places=8, null=True, blank=True
    )
    amount = MoneyField(_("amount without tax"))
    tax_rate = models.CharField(_("tax rate"), max_length=8)
    tax = MoneyField(_("tax"))
    gross = MoneyField(_("total with tax"))
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.OPEN, editable=False
    )
    why = models.CharField(
        _("what is known"), max_length=12, choices=Why.choices, blank=True, default=""
    )
    left = QuantityField(_("left"), null=True, blank=True)
    red = models.ForeignKey(
        Invoice,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="credit_lines",
        verbose_name=_("red invoice"),
    )
    settled_at = models.DateTimeField(_("settled at"), null=True, editable=False)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("settled by"),
    )
    text = models.CharField(_("reason"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("line of a credit note")
        verbose_name_plural = _("lines of credit notes")
        ordering = ["note_id", "line_no"]
        constraints = [
            models.UniqueConstraint(fields=["note", "line_no"], name="credit_line_once"),
            models.CheckConstraint(
                condition=Q(state="settled", red__isnull=False)
                | (~Q(state="settled") & Q(red__isnull=True)),
                name="credit_line_settled_has_its_red",
            ),
            models.CheckConstraint(
                condition=Q(gross=F("amount") + F("tax")), name="credit_line_total"
            ),
        ]
        indexes = [
            models.Index(fields=["why", "note"], name="credit_line_open", condition=Q(state="open"))
        ]

    def __str__(self) -> str:
        return f"{self.note_id}/{self.line_no}"

    @property
    def pieces(self) -> str:
        """As people write them; a minus sign is the page's."""
        return shown(self.quantity)

    @property
    def price(self) -> str:
        """Without the zeros the database keeps."""
        return "" if self.unit_price is None else f"{self.unit_price.normalize() + 0:f}"

    @property
    def credited(self) -> Decimal:
        """With its minus sign."""
        return Decimal(-self.gross)
