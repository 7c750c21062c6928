"""Where the paper of an invoice is and who holds it: one holder at any time, every move a row.

A paper nobody has moved yet is with the customer. Only ``invoices.papers.custody`` writes here.
"""

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.flow.events import AppendOnly
from cases.models import Case, Shop
from invoices.models.invoice import Invoice


class Place(models.TextChoices):
    """Where the paper is (invoices.md, Custody)."""

    WITH_CUSTOMER = "with_customer", _("With the customer")
    IN_TRANSIT_IN = "in_transit_in", _("In transit to us")
    RECEIVED = "received", _("Received by us")
    HELD = "held", _("Held by us")
    LENT = "lent", _("Lent to a vendor")
    IN_TRANSIT_OUT = "in_transit_out", _("On the way to the customer")
    RETURNED = "returned", _("Given back")
    ARCHIVED = "archived", _("Archived")
    LOST = "lost", _("Lost")
    MISSING_AT_DOCK = "missing_at_dock", _("Not in the parcel")
    SUBSTITUTED = "substituted", _("Replaced by a proof")


class Holder(models.TextChoices):
    CUSTOMER = "customer", _("Customer")
    COURIER = "courier", _("Courier")
    WAREHOUSE = "warehouse", _("Warehouse")
    FINANCE = "finance", _("Finance")
    VENDOR = "vendor", _("Vendor")
    ARCHIVE = "archive", _("Archive")
    NOBODY = "nobody", _("Nobody known")


class Proof(models.TextChoices):
    """What stands for a paper that is lost."""

    SEALED_COPY = "sealed_copy", _("Copy under the seal of its issuer")
    LOSS_STATEMENT = "loss_statement", _("Statement of loss")
    TAX_CERTIFICATE = "tax_certificate", _("Certificate of the tax office")


P = Place
#: Who holds it in a place; a vendor or courier is named beside.
HOLDERS: Final[dict[str, str]] = {
    P.WITH_CUSTOMER: Holder.CUSTOMER,
    P.IN_TRANSIT_IN: Holder.COURIER,
    P.RECEIVED: Holder.WAREHOUSE,
    P.HELD: Holder.FINANCE,
    P.LENT: Holder.VENDOR,
    P.IN_TRANSIT_OUT: Holder.COURIER,
    P.RETURNED: Holder.CUSTOMER,
    P.ARCHIVED: Holder.ARCHIVE,
    P.LOST: Holder.NOBODY,
    P.MISSING_AT_DOCK: Holder.NOBODY,
    P.SUBSTITUTED: Holder.FINANCE,
}
#: Where it may go from a place, the usual way first.
WAYS: Final[dict[str, tuple[str, ...]]] = {
    P.WITH_CUSTOMER: (P.IN_TRANSIT_IN, P.RECEIVED, P.MISSING_AT_DOCK, P.LOST),
    P.IN_TRANSIT_IN: (P.RECEIVED, P.MISSING_AT_DOCK, P.LOST),
    P.RECEIVED: (P.HELD, P.IN_TRANSIT_OUT, P.RETURNED, P.ARCHIVED, P.LENT, P.LOST),
    P.HELD: (P.IN_TRANSIT_OUT, P.LENT, P.ARCHIVED, P.RETURNED, P.LOST),
    P.LENT: (P.HELD, P.LOST),
    P.IN_TRANSIT_OUT: (P.RETURNED, P.RECEIVED, P.LOST),
    P.RETURNED: (P.IN_TRANSIT_IN, P.RECEIVED, P.MISSING_AT_DOCK, P.LOST),
    P.ARCHIVED: (),
    P.LOST: (P.SUBSTITUTED, P.RECEIVED),
    P.MISSING_AT_DOCK: (P.SUBSTITUTED, P.IN_TRANSIT_IN, P.RECEIVED, P.LOST),
    P.SUBSTITUTED: (P.ARCHIVED, P.RECEIVED),
}
IN_TRANSIT: Final = (P.IN_TRANSIT_IN, P.IN_TRANSIT_OUT)
#: With us or in our hands through another: a case of it does not close meanwhile.
WITH_US: Final = (P.RECEIVED, P.HELD, P.LENT)
#: The usual way, as the strip on pages and printouts shows it.
STRIP: Final = (P.WITH_CUSTOMER, P.IN_TRANSIT_IN, P.RECEIVED, P.HELD, P.IN_TRANSIT_OUT, P.RETURNED)

_TRAVELS_WITH_WAYBILL = ~Q(place__in=[str(p) for p in IN_TRANSIT]) | ~Q(waybill="")
_PLACE_AND_HOLDER = Q()
for _place, _holder in HOLDERS.items():
    _PLACE_AND_HOLDER |= Q(place=str(_place), holder=str(_holder))


class Paper(models.Model):
    """Where one paper is now: the end of its moves. ``case``: for whose sake it is on its way."""

    invoice = models.OneToOneField(
        Invoice, models.PROTECT, related_name="paper", verbose_name=_("invoice")
    )
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="papers", verbose_name=_("shop"))
    case = models.ForeignKey(
        Case, models.PROTECT, null=True, blank=True, related_name="papers", verbose_name=_("case")
    )
    place = models.CharField(_("place"), max_length=16, choices=Place.choices)
    holder = models.CharField(_("holder"), max_length=10, choices=Holder.choices)
    holder_name = models.CharField(_("name of the holder"), max_length=100, blank=True, default="")
    waybill = models.CharField(_("waybill"), max_length=64, blank=True, default="")
    moved_at = models.DateTimeField(_("moved at"))
    seq = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("paper of an invoice")
        verbose_name_plural = _("papers of invoices")
        ordering = ["-moved_at", "-id"]
        permissions = [("move_paper", "Can say where the paper of an invoice goes")]
        constraints = [
            models.CheckConstraint(condition=_PLACE_AND_HOLDER, name="paper_place_has_its_holder"),
            models.CheckConstraint(
                condition=_TRAVELS_WITH_WAYBILL, name="paper_travels_with_waybill"
            ),
        ]
        indexes = [
            models.Index(fields=["shop", "place", "moved_at"], name="paper_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.place}"


class PaperMove(AppendOnly):
    """One move: from whom, to whom, when, by whom, on what evidence."""

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="paper_moves", verbose_name=_("invoice")
    )
    seq = models.PositiveIntegerField(_("sequence"))
    case = models.ForeignKey(
        Case,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="paper_moves",
        verbose_name=_("case"),
    )
    from_place = models.CharField(_("from"), max_length=16, choices=Place.choices)
    from_holder = models.CharField(_("from holder"), max_length=10, choices=Holder.choices)
    place = models.CharField(_("handed over to"), max_length=16, choices=Place.choices)
    holder = models.CharField(_("to holder"), max_length=10, choices=Holder.choices)
    holder_name = models.CharField(_("name of the holder"), max_length=100, blank=True, default="")
    waybill = models.CharField(_("waybill"), max_length=64, blank=True, default="")
    proof = models.CharField(
        _("proof"), max_length=16, choices=Proof.choices, blank=True, default=""
    )
    evidence = models.CharField(_("evidence"), max_length=300, blank=True, default="")
    at = models.DateTimeField(_("at"))
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    key = models.CharField(_("key"), max_length=120, null=True, unique=True)  # noqa: DJ001 - many have none
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("move of a paper")
        verbose_name_plural = _("moves of papers")
        ordering = ["invoice_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "seq"], name="paper_move_seq"),
            models.CheckConstraint(
                condition=_PLACE_AND_HOLDER, name="paper_move_place_has_its_holder"
            ),
            models.CheckConstraint(
                condition=_TRAVELS_WITH_WAYBILL, name="paper_move_travels_with_waybill"
            ),
            models.CheckConstraint(
                condition=~Q(place="substituted") | (~Q(proof="") & ~Q(evidence="")),
                name="paper_move_substitute_is_proven",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_place} → {self.place}"
