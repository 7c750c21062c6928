"""Invoices as frozen copies: header, parties, lines; written once, never changed (invoices.md).

What changes later about a blue invoice (what is reversed, who holds it, whether the buyer has used
it) stands in rows of its own (standing.py). Only ``invoices.entering`` writes these tables.
"""

from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.flow.events import AppendOnly
from cases.models import Order, OrderLine, Shop
from cases.models.money import ZERO, MoneyField
from cases.models.shops import shop_ids_of
from invoices.models.quantity import QuantityField


class Direction(models.TextChoices):
    BLUE = "blue", _("Blue")
    RED = "red", _("Red")


class InvoiceKind(models.TextChoices):
    """Our own words; outside codes are mapped at the edge (contract.md)."""

    PAPER_SPECIAL = "paper_special", _("Special invoice, paper")
    PAPER_GENERAL = "paper_general", _("General invoice, paper")
    TAX_CONTROL_E = "tax_control_e", _("E-invoice of the tax control system")
    DIGITAL_SPECIAL = "digital_special", _("Digital special invoice")
    DIGITAL_GENERAL = "digital_general", _("Digital general invoice")
    DIGITAL_PAPER_SPECIAL = "digital_paper_special", _("Digital special invoice on paper")
    DIGITAL_PAPER_GENERAL = "digital_paper_general", _("Digital general invoice on paper")
    FOREIGN = "foreign", _("Foreign invoice")


K = InvoiceKind
#: There is a sheet of paper that travels.
PAPER = frozenset(
    {K.PAPER_SPECIAL, K.PAPER_GENERAL, K.DIGITAL_PAPER_SPECIAL, K.DIGITAL_PAPER_GENERAL}
)
SPECIAL = frozenset({K.PAPER_SPECIAL, K.DIGITAL_SPECIAL, K.DIGITAL_PAPER_SPECIAL})

#: The rates of today, then those of old invoices, as the contract writes them.
RATES = ("0.13", "0.09", "0.06", "0.03", "0.01", "0", "exempt")
OLD_RATES = ("0.17", "0.16", "0.11", "0.10", "0.05", "0.015")
EXEMPT = "exempt"


def rate_of(code: str) -> Decimal:
    """The rate as a factor; nothing where it is exempt."""
    return Decimal(0) if code == EXEMPT else Decimal(code)


class Nature(models.TextChoices):
    NORMAL = "normal", _("Normal line")
    DISCOUNT = "discount", _("Discount")
    DISCOUNTED = "discounted", _("Line with a discount")


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def visible_to(self, user: Any) -> Self:
        ids = shop_ids_of(user)
        return self if ids is None else self.filter(shop_id__in=ids)

    def blue(self) -> Self:
        return self.filter(direction=Direction.BLUE)


class Invoice(AppendOnly):
    """One invoice as issued. Amounts in its currency: ``amount`` without tax, ``gross`` with it.

    A red one names its blue one in ``blue`` and carries negative amounts, as on the paper.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="invoices", verbose_name=_("shop"))
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="invoices",
        verbose_name=_("order"),
    )
    direction = models.CharField(_("blue or red"), max_length=4, choices=Direction.choices)
    kind = models.CharField(_("invoice kind"), max_length=24, choices=InvoiceKind.choices)
    code = models.CharField(_("invoice code"), max_length=12, blank=True, default="")
    number = models.CharField(_("invoice no."), max_length=30)
    issued_at = models.DateTimeField(_("issued at"))
    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    seller_name = models.CharField(_("seller's name"), max_length=200, blank=True, default="")
    seller_tax_no = models.CharField(_("seller's tax no."), max_length=20, blank=True, default="")
    buyer_name = models.CharField(_("buyer's name"), max_length=200, blank=True, default="")
    buyer_tax_no = models.CharField(_("buyer's tax no."), max_length=20, blank=True, default="")
    amount = MoneyField(_("amount without tax"))
    tax = MoneyField(_("tax"))
    gross = MoneyField(_("total with tax"))
    blue = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reds",
        verbose_name=_("blue invoice"),
    )
    remark = models.CharField(_("remark"), max_length=300, blank=True, default="")
    source = models.CharField(_("source"), max_length=16, default="form")
    #: What was doubtful when it was recorded: warnings that did not stop it.
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    #: Columns of the sheet that no field of ours holds, and outside codes as they came.
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

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["-issued_at", "-id"]
        permissions = [
            ("issue_invoice", "Can enter an invoice that was issued"),
            ("void_invoice", "Can void a paper invoice of this month"),
            ("request_red_invoice", "Can request a red invoice"),
            ("mark_used_invoice", "Can say that the buyer has used an invoice"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["direction", "code", "number"], name="invoice_number_once"
            ),
            models.CheckConstraint(
                condition=Q(gross=F("amount") + F("tax")), name="invoice_total_is_amount_and_tax"
            ),
            models.CheckConstraint(
                condition=Q(direction="blue", blue__isnull=True, gross__gte=ZERO, tax__gte=ZERO)
                | Q(direction="red", blue__isnull=False, gross__lte=ZERO, tax__lte=ZERO),
                name="invoice_red_names_its_blue",
            ),
        ]
        indexes = [
            models.Index(fields=["shop", "-issued_at", "-id"], name="invoice_shop_newest"),
            models.Index(fields=["number"], name="invoice_number_lookup"),
            models.Index(fields=["direction", "issued_at"], name="invoice_month"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.number}".strip()

    @property
    def is_blue(self) -> bool:
        return self.direction == Direction.BLUE

    @property
    def is_paper(self) -> bool:
        return self.kind in PAPER


class InvoiceLine(AppendOnly):
    """One printed line. A discount line follows its ``discounted`` line directly, same rate."""

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="lines", verbose_name=_("invoice")
    )
    line_no = models.PositiveIntegerField(_("line"))
    nature = models.CharField(
        _("nature"), max_length=10, choices=Nature.choices, default=Nature.NORMAL
    )
    #: Whose pieces these are; a red line says it through its blue line.
    order_line = models.ForeignKey(
        OrderLine,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="invoice_lines",
        verbose_name=_("order line"),
    )
    #: What a red line reverses.
    blue_line = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="red_lines",
        verbose_name=_("blue line"),
    )
    title = models.CharField(_("goods or service"), max_length=300, blank=True, default="")
    item_code = models.CharField(_("item code"), max_length=100, blank=True, default="")
    spec = models.CharField(_("model"), max_length=100, blank=True, default="")
    unit = models.CharField(_("unit"), max_length=20, blank=True, default="")
    tax_class = models.CharField(_("tax class"), max_length=19, blank=True, default="")
    quantity = QuantityField(_("quantity"), null=True, blank=True)
    unit_price = models.DecimalField(
        _("unit price without tax"), max_digits=20, decimal_places=8, null=True, blank=True
    )
    amount = MoneyField(_("amount without tax"))
    tax_rate = models.CharField(_("tax rate"), max_length=8)
    tax = MoneyField(_("tax"))
    gross = MoneyField(_("total with tax"))

    class Meta:
        verbose_name = _("invoice line")
        verbose_name_plural = _("invoice lines")
        ordering = ["invoice_id", "line_no"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "line_no"], name="invoice_line_once"),
            models.CheckConstraint(
                condition=Q(gross=F("amount") + F("tax")),
                name="invoice_line_total_is_amount_and_tax",
            ),
            models.CheckConstraint(
                condition=~Q(nature="discount") | Q(quantity__isnull=True),
                name="invoice_discount_has_no_quantity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id}/{self.line_no}"


def invoice_file_path(instance: Any, filename: str) -> str:
    """Random names: what a file was called outside is kept in its row only."""
    return f"invoices/{filename[:2]}/{filename}"


class InvoiceFile(models.Model):
    """The invoice as a file (PDF, OFD, XML, picture), checked by content before it came in."""

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="files", verbose_name=_("invoice")
    )
    mime = models.CharField(_("type"), max_length=60)
    file = models.FileField(_("file"), upload_to=invoice_file_path, max_length=200)
    original_name = models.CharField(_("name"), max_length=200, blank=True, default="")
    size = models.PositiveBigIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("entered by"),
    )

    class Meta:
        verbose_name = _("file of an invoice")
        verbose_name_plural = _("files of invoices")
        ordering = ["invoice_id", "id"]

    def __str__(self) -> str:
        return self.original_name or str(self.file.name)


class InvoiceAct(AppendOnly):
    """Something people did to an invoice that is no step of a flow: entered, voided, used."""

    class Verb(models.TextChoices):
        ENTER = "enter", _("Entered")
        ISSUE = "issue", _("Issued")
        USE = "use", _("Used by the buyer")
        UNUSE = "unuse", _("Not used by the buyer")
        BOOK = "book", _("In our books")
        VOID = "void", _("Voided")
        FILE = "file", _("File added")

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="acts", verbose_name=_("invoice")
    )
    verb = models.CharField(_("step"), max_length=8, choices=Verb.choices)
    at = models.DateTimeField(_("at"))
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    channel = models.CharField(_("channel"), max_length=16)
    text = models.CharField(_("text"), max_length=300, blank=True, default="")
    key = models.CharField(max_length=120, null=True, unique=True)  # noqa: DJ001 - many have none
    digest = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        verbose_name = _("act on an invoice")
        verbose_name_plural = _("acts on invoices")
        ordering = ["invoice_id", "id"]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.verb}"
