"""What has to be done to an invoice because of a case: a row with a queue, a clock, an end.

Followers open it when the case's remedy is settled; the case itself completes in its own time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from cases.flow import clock, hooks
from cases.flow.events import Event
from cases.flow.states import Stateful, step
from cases.models import Case, Order, Shop
from cases.models.money import MoneyField
from cases.models.shops import shop_ids_of
from invoices.models.invoice import Invoice, InvoiceLine
from invoices.models.policies import Policy, policy
from invoices.models.quantity import NONE, QuantityField

if TYPE_CHECKING:
    from cases.flow.door import Actor, Move


class TreatmentKind(models.TextChoices):
    RED = "red", _("Red reversal")
    REISSUE = "reissue", _("Issue the remainder anew")
    ENDORSE = "endorse", _("Endorse")
    GIVE_BACK = "give_back", _("Give the original back")
    HAND_BACK = "hand_back", _("Hand the paper back")
    NOTE = "note", _("No invoice, or one for less")


class TreatmentState(models.TextChoices):
    OPEN = "open", _("To be done")
    DONE = "done", _("Done")
    WAIVED = "waived", _("Waived")
    SUPERSEDED = "superseded", _("Replaced by another")


T = TreatmentState
PERSON_STEPS = ("finish", "waive", "escalate")


class Treatment(Stateful):
    """What one case (or one red request) asks of one invoice; ``lines`` say of what of it."""

    shop = models.ForeignKey(
        Shop, models.PROTECT, related_name="treatments", verbose_name=_("shop")
    )
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="treatments",
        verbose_name=_("order"),
    )
    case = models.ForeignKey(
        Case,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="treatments",
        verbose_name=_("case"),
    )
    invoice = models.ForeignKey(
        Invoice,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="treatments",
        verbose_name=_("invoice"),
    )
    kind = models.CharField(_("what is to be done"), max_length=10, choices=TreatmentKind.choices)
    state = FSMField(_("state"), default=T.OPEN, choices=T.choices, protected=True)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    opened_at = models.DateTimeField(_("treatment opened at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, editable=False)
    #: The invoice that finished it: the remainder issued anew.
    result = models.ForeignKey(
        Invoice,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="results_of",
        verbose_name=_("result"),
    )

    event_root = "treatment_id"
    terminal = frozenset({str(T.DONE), str(T.WAIVED), str(T.SUPERSEDED)})
    openings = frozenset({"open_treatment"})

    class Meta:
        verbose_name = _("treatment of an invoice")
        verbose_name_plural = _("treatments of invoices")
        ordering = ["-id"]
        permissions = [(f"{name}_treatment", f"Can take the step {name}") for name in PERSON_STEPS]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[str(s) for s in T]), name="treatment_state_known"
            ),
            models.UniqueConstraint(
                fields=["case", "invoice", "kind"],
                condition=Q(state="open"),
                name="treatment_once_open",
            ),
        ]
        indexes = [
            models.Index(
                fields=["wake_at", "id"], name="treatment_wake", condition=Q(wake_at__isnull=False)
            ),
            models.Index(fields=["shop", "state", "kind"], name="treatment_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    def in_scope_of(self, actor: "Actor") -> bool:
        ids = shop_ids_of(actor.user) if actor.user else None
        return ids is None or self.shop_id in ids

    @step(source=[T.OPEN], target=T.DONE, by="F S W C P", label=_("Done"))
    def finish(self, *, result: Any = None, text: str = "") -> None:
        """What was to be done is done."""
        self.result = result or self.result
        self.finished_at = self.acting.at

    @step(source=[T.OPEN], target=T.WAIVED, by="S", label=_("Waive"), danger=True)
    def waive(self, *, text: str) -> None:
        """It is left undone; ``text`` says why, for whoever asks later."""
        self.finished_at = self.acting.at

    @step(source=[T.OPEN], target=T.SUPERSEDED, by="C P", label=_("Replaced"))
    def supersede(self, *, text: str = "") -> None:
        """The case was settled otherwise: another treatment takes its place."""
        self.finished_at = self.acting.at

    @step(source=[T.OPEN], target=None, by="L F S C", label=_("Escalate"))
    def escalate(self, *, text: str = "") -> None:
        """A supervisor has to look; once per clock."""
        self.escalated_at = self.acting.at
        if self.due_at is None or self.due_at <= self.acting.at or self.on_expiry == "escalate":
            self.wake_at = None

    @classmethod
    def arm(cls, moves: "list[Move]") -> None:
        rows = list(Policy.objects.filter(of=Policy.Of.TREATMENT_HOURS))
        shops = Shop.objects.in_bulk({m.subject.shop_id for m in moves})
        for move in moves:
            row = move.subject
            if row.state != T.OPEN:
                clock.stop(row)
                continue
            hours = int(policy(Policy.Of.TREATMENT_HOURS, shops[row.shop_id], move.at, rows))
            spec = clock.ClockSpec("finance", timedelta(hours=hours), "escalate", "50,90")
            clock.start(row, move.at, spec)

    @classmethod
    def notify(cls, rows: Sequence[Any], kind: str, at: datetime) -> None:
        notice: Any = apps.get_model("invoices", "InvoiceNotice")
        notice.objects.bulk_create(
            notice(shop_id=r.shop_id, treatment=r, kind=kind, at=at, due_at=r.due_at) for r in rows
        )


class TreatmentLine(models.Model):
    """Pieces and money of one invoice line that a treatment is about, as the case settled them."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="lines")
    line = models.ForeignKey(InvoiceLine, models.PROTECT, related_name="treated")
    quantity = QuantityField(_("quantity"), default=NONE)
    #: What is refunded of it; empty: what the pieces are worth on the invoice.
    gross = MoneyField(_("total with tax"), null=True, blank=True)
    tax = MoneyField(_("tax"), null=True, blank=True)

    class Meta:
        verbose_name = _("line of a treatment")
        verbose_name_plural = _("lines of treatments")
        ordering = ["treatment_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["treatment", "line"], name="treatment_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.treatment_id}/{self.line_id}"


class TreatmentEvent(Event):
    """The timeline of a treatment."""

    treatment = models.ForeignKey(
        Treatment, models.PROTECT, related_name="events", verbose_name=_("treatment")
    )

    class Meta:
        verbose_name = _("event of a treatment")
        verbose_name_plural = _("events of treatments")
        ordering = ["treatment_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["treatment", "seq"], name="treatment_event_seq"),
            models.UniqueConstraint(fields=["treatment", "prev"], name="treatment_event_prev"),
        ]

    @property
    def root_pk(self) -> int:
        return self.treatment_id


Treatment.event_model = TreatmentEvent
hooks.flow(Treatment)
