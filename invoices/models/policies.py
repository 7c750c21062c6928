"""Dated policies of invoicing, per platform and shop; and who the seller of a shop is."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import Shop
from cases.models.policy import Dated
from invoices.models.invoice import RATES, InvoiceKind


class Policy(Dated):
    """One rule of law or of the house from a day on; the shop's own row beats the platform's."""

    class Of(models.TextChoices):
        PARTIAL_RED = (
            "partial_red",
            gettext_lazy("Partial red while the buyer has not used the invoice"),
        )
        CONFIRM_HOURS = (
            "confirm_hours",
            gettext_lazy("Hours the other party has to confirm a red request"),
        )
        ANSWER_HOURS = ("answer_hours", gettext_lazy("Hours in which a red request is answered"))
        TREATMENT_HOURS = (
            "treatment_hours",
            gettext_lazy("Hours in which the invoice of a case is dealt with"),
        )
        MISSING_PAPER = ("missing_paper", gettext_lazy("A paper invoice that does not come back"))
        DEFAULT_RATE = ("default_rate", gettext_lazy("Tax rate of an invoice made from an order"))

    of = models.CharField(gettext_lazy("policy"), max_length=16, choices=Of.choices)
    shop = models.ForeignKey(
        Shop,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="invoice_policies",
        verbose_name=gettext_lazy("shop"),
        help_text=gettext_lazy("Empty: every shop of the platform."),
    )
    value = models.CharField(
        gettext_lazy("value"),
        max_length=16,
        help_text=gettext_lazy(
            "Partial red: forbid (reverse the whole, issue the remainder anew) or allow. "
            "Missing paper: require, proof or go_on. Else hours, or a tax rate. "
            "A source marked [L] was not confirmed: ask your tax adviser before you rely on it."
        ),
    )

    class Meta:
        verbose_name = gettext_lazy("invoice policy")
        verbose_name_plural = gettext_lazy("invoice policies")
        ordering = ["of", "platform", "shop_id", "valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_to__isnull=True)
                | Q(valid_from__lt=F("valid_to")),
                name="invoice_policy_dates_in_order",
            ),
            models.CheckConstraint(
                condition=Q(shop__isnull=True) | Q(platform=""),
                name="invoice_policy_of_shop_or_platform",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_of_display()}: {self.value_in_words}"

    @property
    def value_in_words(self) -> str:
        return str(IN_WORDS.get(self.value, self.value))

    def clean(self) -> None:
        words = WORDS.get(self.of)
        if words is None:
            if not (self.value.isascii() and self.value.isdigit() and 0 < int(self.value) <= 8760):
                raise ValidationError({"value": _("Enter hours, from 1 to 8760.")})
        elif self.value not in words:
            known = ", ".join(words)
            raise ValidationError({"value": _("One of: %(known)s.") % {"known": known}})


#: What a policy may say; those that are not here say hours.
WORDS: dict[str, tuple[str, ...]] = {
    Policy.Of.PARTIAL_RED: ("forbid", "allow"),
    Policy.Of.MISSING_PAPER: ("require", "proof", "go_on"),
    Policy.Of.DEFAULT_RATE: RATES,
}
IN_WORDS: dict[str, Any] = {
    "forbid": gettext_lazy("No: reverse the whole, issue the remainder anew"),
    "allow": gettext_lazy("Allowed, in parts"),
    "require": gettext_lazy("The refund waits for it"),
    "proof": gettext_lazy("Valid proof takes its place"),
    "go_on": gettext_lazy("Go on without it"),
    "exempt": gettext_lazy("Exempt"),
}
#: As seeded; what holds where somebody has taken the rows away.
DEFAULTS: dict[str, str] = {
    Policy.Of.PARTIAL_RED: "forbid",
    Policy.Of.CONFIRM_HOURS: "72",
    Policy.Of.ANSWER_HOURS: "24",
    Policy.Of.TREATMENT_HOURS: "72",
    Policy.Of.MISSING_PAPER: "proof",
    Policy.Of.DEFAULT_RATE: "0.13",
}


def policy(of: str, shop: Shop, at: datetime, rows: list[Policy] | None = None) -> str:
    """The value in force: the shop's own row, then the platform's, then everyone's.

    ``rows``: all rows of this policy, where many are asked for in one go.
    """
    found: list[Any] = rows if rows is not None else list(Policy.objects.filter(of=of))
    fitting = [
        r
        for r in found
        if r.of == of
        and r.shop_id in (None, shop.pk)
        and r.platform in ("", shop.platform)
        and (r.valid_from is None or r.valid_from <= at)
        and (r.valid_to is None or at < r.valid_to)
    ]
    best = max(
        fitting,
        key=lambda r: (r.shop_id is not None, r.platform != "", r.valid_from is not None),
        default=None,
    )
    return best.value if best else DEFAULTS[of]


class SellerProfile(models.Model):
    """Who a shop is on its invoices, and what it usually issues."""

    shop = models.OneToOneField(
        Shop, models.PROTECT, related_name="seller_profile", verbose_name=gettext_lazy("shop")
    )
    name = models.CharField(gettext_lazy("seller's name"), max_length=200)
    tax_no = models.CharField(gettext_lazy("seller's tax no."), max_length=20)
    kind = models.CharField(
        gettext_lazy("usual kind"),
        max_length=24,
        choices=InvoiceKind.choices,
        default=InvoiceKind.DIGITAL_GENERAL,
    )

    class Meta:
        verbose_name = gettext_lazy("seller on invoices")
        verbose_name_plural = gettext_lazy("sellers on invoices")
        ordering = ["shop__code"]

    def __str__(self) -> str:
        return self.name
