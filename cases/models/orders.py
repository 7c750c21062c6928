"""Orders as the platforms export them, their lines and payments, and the counters on them."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cases.flow.reading import BulkRead
from cases.models.money import ZERO, MoneyField
from cases.models.shops import Platform, Shop, shop_ids_of


class OrderStatus(models.TextChoices):
    UNPAID = "unpaid", _("Unpaid")
    PAID = "paid", _("Paid")
    SHIPPED = "shipped", _("Shipped")
    SIGNED = "signed", _("Signed for")
    FINISHED = "finished", _("Finished")
    CLOSED = "closed", _("Closed")


#: A newer report never lowers the rank of a status.
STATUS_RANK = {status: rank for rank, status in enumerate(OrderStatus.values)}


class Category(models.TextChoices):
    GENERAL = "general", _("General")
    CLOTHING = "clothing", _("Clothing")
    ELECTRONICS = "electronics", _("Electronics")
    FOOD = "food", _("Food")
    COSMETICS = "cosmetics", _("Cosmetics")
    CUSTOM = "custom", _("Made to order")
    PERISHABLE = "perishable", _("Fresh or perishable")
    DIGITAL = "digital", _("Digital")
    PRESS = "press", _("Newspapers and magazines")


#: No return without a reason: consumer protection law, article 25 (domain.md 2.4).
NO_REASON_EXCLUDED = frozenset({"custom", "perishable", "digital", "press"})


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, user: Any) -> Self:
        ids = shop_ids_of(user)
        return self if ids is None else self.filter(shop_id__in=ids)


class Order(BulkRead):
    """One order of a shop. Amounts in yuan; ``paid_amount`` is all the buyer paid, with freight.

    ``freight_reserved``, ``freight_refunded`` and ``external_refunded`` are counters that only
    ``cases.guards`` writes; ``reported_refunded`` is the platform report's own figure.
    """

    # Where a key begins an index or constraint below, one of its own would only be written.
    shop = models.ForeignKey(
        Shop, models.PROTECT, related_name="orders", verbose_name=_("shop"), db_index=False
    )
    platform = models.CharField(_("platform"), max_length=10, choices=Platform.choices)
    order_no = models.CharField(_("order no."), max_length=64)
    status = models.CharField(
        _("status"), max_length=10, choices=OrderStatus.choices, default=OrderStatus.UNPAID
    )
    paid_amount = MoneyField(_("paid"), default=ZERO)
    freight_paid = MoneyField(_("freight paid"), default=ZERO)
    freight_reserved = MoneyField(default=ZERO, editable=False)
    freight_refunded = MoneyField(_("freight refunded"), default=ZERO, editable=False)
    external_refunded = MoneyField(_("external refunds"), default=ZERO, editable=False)
    reported_refunded = MoneyField(_("refunds in the report"), default=ZERO, editable=False)
    ordered_at = models.DateTimeField(_("ordered at"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    ship_by = models.DateTimeField(_("ship by"), null=True, blank=True)
    shipped_at = models.DateTimeField(_("shipped at"), null=True, blank=True)
    promised_arrival = models.DateTimeField(_("promised arrival"), null=True, blank=True)
    signed_at = models.DateTimeField(_("signed at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    courier = models.CharField(_("courier"), max_length=60, blank=True, default="")
    waybill = models.CharField(_("waybill"), max_length=64, blank=True, default="", db_index=True)
    named_courier = models.CharField(_("named courier"), max_length=60, blank=True, default="")
    shipped_free = models.BooleanField(_("shipped free"), default=False)
    buyer = models.CharField(_("buyer"), max_length=100, blank=True, default="", db_index=True)
    receiver = models.CharField(_("receiver"), max_length=100, blank=True, default="")
    phone = models.CharField(_("phone"), max_length=60, blank=True, default="")
    address = models.CharField(_("address"), max_length=400, blank=True, default="")
    phone_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    phone_tail = models.CharField(max_length=64, blank=True, default="", editable=False)
    #: Columns of the sheet that no field of ours holds, by their header.
    extra = models.JSONField(_("other columns"), default=dict, blank=True)
    #: Hash of the facts of the last import, so that the same facts again touch nothing.
    facts_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    #: False: the lines are one stand-in with the whole amount until the line sheet arrives.
    has_lines = models.BooleanField(default=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-id"]
        permissions = [
            ("import_order", "Can import orders"),
            ("export_order", "Can export orders"),
            ("export_clear_order", "Can export personal data in clear, with a reason"),
            ("reveal_order", "Can see one personal datum in clear, with a reason"),
            ("open_case_order", "Can open a case on an order"),
        ]
        constraints = [
            # The number first: people look for it without naming the platform.
            models.UniqueConstraint(fields=["order_no", "platform"], name="order_no_per_platform"),
            models.CheckConstraint(
                condition=Q(paid_amount__gte=ZERO, freight_paid__gte=ZERO),
                name="order_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(
                    freight_reserved__gte=ZERO,
                    freight_refunded__gte=ZERO,
                    external_refunded__gte=ZERO,
                    freight_paid__gte=F("freight_reserved") + F("freight_refunded"),
                ),
                name="order_freight_refunds_within_paid",
            ),
        ]
        indexes = [
            models.Index(fields=["shop", "-id"], name="order_shop_newest"),
            models.Index(
                fields=["phone_hash"], name="order_phone_hash", condition=~Q(phone_hash="")
            ),
            models.Index(
                fields=["phone_tail"], name="order_phone_tail", condition=~Q(phone_tail="")
            ),
        ]

    def __str__(self) -> str:
        return self.order_no

    def is_shipped(self, at: datetime) -> bool:
        """Whether it had left by ``at``; reports without a time say so by status or waybill."""
        if self.shipped_at is not None:
            return self.shipped_at <= at
        left = (OrderStatus.SHIPPED, OrderStatus.SIGNED, OrderStatus.FINISHED)
        return self.status in left or bool(self.waybill)


class OrderLine(BulkRead):
    """One SKU of an order with the *actual amount paid* for all its pieces.

    ``held`` (by open cases), ``gone`` (for good), ``reserved`` and ``refunded`` are the one
    locked counter over all kinds of case; only ``cases.guards`` writes them.
    """

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="lines", verbose_name=_("order"), db_index=False
    )
    line_no = models.PositiveIntegerField(_("line"))
    sub_order_no = models.CharField(_("sub-order no."), max_length=64, blank=True, default="")
    sku = models.CharField(_("SKU"), max_length=100, blank=True, default="")
    title = models.CharField(_("title"), max_length=300, blank=True, default="")
    category = models.CharField(
        _("category"), max_length=12, choices=Category.choices, default=Category.GENERAL
    )
    serials = models.TextField(_("serial numbers"), blank=True, default="")
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    unit_price = models.DecimalField(
        _("unit price"), max_digits=18, decimal_places=6, null=True, blank=True
    )
    discount = MoneyField(_("discount"), null=True, blank=True)
    paid_amount = MoneyField(_("paid"), default=ZERO)
    ship_by = models.DateTimeField(_("ship by"), null=True, blank=True)
    promises = models.CharField(_("promises"), max_length=200, blank=True, default="")
    #: The buyer confirmed at purchase that this piece cannot be returned without a reason.
    no_return_agreed = models.BooleanField(_("no return agreed"), default=False)
    extra = models.JSONField(_("other columns"), default=dict, blank=True)
    held = models.PositiveIntegerField(_("held by open cases"), default=0, editable=False)
    gone = models.PositiveIntegerField(_("gone for good"), default=0, editable=False)
    reserved = MoneyField(_("reserved"), default=ZERO, editable=False)
    refunded = MoneyField(_("refunded"), default=ZERO, editable=False)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["order_id", "line_no"]
        constraints = [
            models.UniqueConstraint(fields=["order", "line_no"], name="order_line_once"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, paid_amount__gte=ZERO),
                name="order_line_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=F("held") + F("gone")),
                name="order_line_pieces_within_bought",
            ),
            models.CheckConstraint(
                condition=Q(
                    reserved__gte=ZERO,
                    refunded__gte=ZERO,
                    paid_amount__gte=F("reserved") + F("refunded"),
                ),
                name="order_line_money_within_paid",
            ),
        ]
        indexes = [
            models.Index(
                fields=["sub_order_no"], name="order_line_sub_order", condition=~Q(sub_order_no="")
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.line_no}"

    @property
    def quantity_left(self) -> int:
        return self.quantity - self.held - self.gone

    @property
    def refundable(self) -> Decimal:
        left: Decimal = self.paid_amount - self.reserved - self.refunded
        return left


class Payment(models.Model):
    """How the buyer paid; an order may have several. ``refunded`` is written by guards only."""

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="payments", verbose_name=_("order"), db_index=False
    )
    number = models.CharField(_("payment no."), max_length=100, blank=True, default="")
    method = models.CharField(_("method"), max_length=40, blank=True, default="")
    amount = MoneyField(_("amount"))
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    refunded = MoneyField(_("refunded"), default=ZERO, editable=False)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["order_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="payment_once"),
            models.CheckConstraint(
                condition=Q(refunded__gte=ZERO, amount__gte=F("refunded")),
                name="payment_refunds_within_amount",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number or self.method} {self.amount}"


class ExternalRefund(models.Model):
    """What a platform report says was refunded and no case of ours explains; to be reconciled."""

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="external_refunds", verbose_name=_("order")
    )
    source = models.CharField(_("source"), max_length=60)
    amount = MoneyField(_("amount"))
    at = models.DateTimeField(_("at"))
    #: What a case explained later; open = amount - explained.
    explained = MoneyField(_("explained by cases"), default=ZERO, editable=False)

    class Meta:
        verbose_name = _("external refund")
        verbose_name_plural = _("external refunds")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(explained__gte=ZERO, amount__gte=F("explained")),
                name="external_refund_explained_within_amount",
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.amount}"
