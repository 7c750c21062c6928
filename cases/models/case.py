"""What belongs to a case: its lines, its events, its notices are elsewhere."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cases.flow import hooks
from cases.flow.events import Event
from cases.flow.reading import BulkRead
from cases.models.lifecycle import Case
from cases.models.money import ZERO, MoneyField
from cases.models.orders import OrderLine


class CaseLine(BulkRead):
    """Pieces of one order line in one case, and what this case holds of the line's counters.

    ``quantity`` applied for; ``received`` by us; of these ``accepted`` or ``rejected`` at
    inspection; ``handed_back`` to the buyer. ``held``, ``gone``, ``reserved``, ``refunded``: this
    case's part of the order line's counters (cases.guards writes both).
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="lines", db_index=False)
    order_line = models.ForeignKey(OrderLine, models.PROTECT, related_name="case_lines")
    quantity = models.PositiveIntegerField(_("quantity"))
    amount = MoneyField(_("amount"), default=ZERO)
    received = models.PositiveIntegerField(_("received"), null=True, blank=True)
    accepted = models.PositiveIntegerField(_("accepted"), null=True, blank=True)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    handed_back = models.PositiveIntegerField(_("handed back"), default=0)
    new_serials = models.TextField(_("new serial numbers"), blank=True, default="")
    held = models.PositiveIntegerField(default=0, editable=False)
    gone = models.PositiveIntegerField(default=0, editable=False)
    reserved = MoneyField(default=ZERO, editable=False)
    refunded = MoneyField(_("refunded"), default=ZERO, editable=False)
    open = models.BooleanField(default=True, editable=False)

    class Meta:
        verbose_name = _("case line")
        verbose_name_plural = _("case lines")
        ordering = ["case_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "order_line"], name="case_line_once"),
            models.UniqueConstraint(
                fields=["order_line"], condition=Q(open=True), name="one_open_case_per_order_line"
            ),
            models.CheckConstraint(
                condition=Q(
                    quantity__gte=1, amount__gte=ZERO, refunded__gte=ZERO, reserved__gte=ZERO
                ),
                name="case_line_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(received__isnull=True)
                | (Q(received__gte=F("rejected")) & Q(received__gte=F("handed_back"))),
                name="case_line_outcome_within_received",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.order_line_id} × {self.quantity}"

    @property
    def with_us(self) -> int:
        """Pieces that lie with us and are not on their way back."""
        return (self.received or 0) - self.handed_back

    @property
    def to_hand_back(self) -> int:
        """Pieces that were not accepted, or not asked for, and are not on their way back."""
        surplus = max((self.received or 0) - self.quantity, 0)
        return max(max(self.rejected, surplus) - self.handed_back, 0)


class CaseEvent(Event):
    """The timeline of a case."""

    case = models.ForeignKey(
        Case, models.PROTECT, related_name="events", verbose_name=_("case"), db_index=False
    )

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["case_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["case", "seq"], name="case_event_seq"),
            models.UniqueConstraint(fields=["case", "prev"], name="case_event_prev"),
        ]
        indexes = [models.Index(fields=["at"], name="case_event_at")]

    @property
    def root_pk(self) -> int:
        return self.case_id


Case.event_model = CaseEvent
hooks.flow(Case)
