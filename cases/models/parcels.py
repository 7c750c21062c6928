"""Parcels in and out, by courier and waybill."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.kinds import FreightPayer
from cases.models.lifecycle import Case
from cases.models.money import MoneyField
from cases.models.orders import Order


class Parcel(models.Model):
    """One parcel on the way to us or to the buyer."""

    class Direction(models.TextChoices):
        IN = "in", _("To us")
        OUT = "out", _("To the buyer")

    class Purpose(models.TextChoices):
        ORDER = "order", _("The order")
        RETURN = "return", _("Return")
        REPLACEMENT = "replacement", _("Replacement")
        RESEND = "resend", _("Resend")
        REPAIRED = "repaired", _("Repaired goods")
        HAND_BACK = "hand_back", _("Handed back")

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="parcels", verbose_name=_("order")
    )
    case = models.ForeignKey(
        Case, models.PROTECT, null=True, blank=True, related_name="parcels", verbose_name=_("case")
    )
    direction = models.CharField(_("direction"), max_length=4, choices=Direction.choices)
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose.choices)
    courier = models.CharField(_("courier"), max_length=60)
    waybill = models.CharField(_("waybill"), max_length=64, db_index=True)
    surface = models.BooleanField(_("surface post"), default=False)
    freight = MoneyField(_("freight"), null=True, blank=True)
    payer = models.CharField(
        _("paid by"), max_length=8, choices=FreightPayer.choices, blank=True, default=""
    )
    sent_at = models.DateTimeField(_("sent at"))
    received_at = models.DateTimeField(_("received at"), null=True, blank=True)

    class Meta:
        verbose_name = _("parcel")
        verbose_name_plural = _("parcels")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.courier} {self.waybill}"
