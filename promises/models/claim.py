"""A buyer's claim under a promise: its row and its steps on one page (domain.md 3).

Steps are pure on their own row. What they need of other rows stands in ``self.acting.facts``
(promises.guards); the money they move is written by promises.effects through the ledger.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from cases.flow import clock, hooks
from cases.flow.events import Event
from cases.flow.states import Stateful, step
from cases.models import Case, Order, OrderLine, Shop
from cases.models.clocks import PolicyBook
from cases.models.money import ZERO, MoneyField
from cases.models.shops import shop_ids_of
from promises.models.deposit import ShopNotice
from promises.models.terms import Limit, Term, length_of
from promises.terms import Code

if TYPE_CHECKING:
    from cases.flow.door import Actor, Move


class ClaimState(models.TextChoices):
    FILED = "filed", _("Waiting for the seller's answer")
    CONTESTED = "contested", _("Contested, being negotiated")
    ADJUDICATING = "adjudicating", _("The platform decides")
    OWED = "owed", _("Owed: the deposit is short")
    PAID = "paid", _("Paid")
    DISMISSED = "dismissed", _("Dismissed")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    REVERSED = "reversed", _("Reversed")


S = ClaimState
#: Somebody still has to decide.
UNDECIDED = (S.FILED, S.CONTESTED, S.ADJUDICATING)
#: These stand in the way of another claim on the same line under the same promise.
STANDING = (*UNDECIDED, S.OWED, S.PAID)
GRANTED = (S.OWED, S.PAID)
#: Whose clock runs in a state, and what happens then.
CLOCKS = {
    S.FILED: ("seller", "contest"),
    S.CONTESTED: ("seller", "adjudicate"),
    S.ADJUDICATING: ("platform", "escalate"),
}
#: Steps a person may take; each has a permission of its name.
PERSON_STEPS = (
    "accept",
    "contest",
    "adjudicate",
    "uphold",
    "dismiss",
    "withdraw",
    "reverse",
    "escalate",
)


class Claim(Stateful):
    """What a buyer demands of one order line under one promise; amounts in yuan.

    ``amount``: all that is owed under it, as ``working`` shows. When granted, ``deducted`` of it
    was refunded by cases or other claims already; of the rest ``paid`` went out and ``owed`` waits
    for a top-up. ``refund``: what this claim gives back of the price; ``frozen``: what the deposit
    holds for it.
    """

    claim_no = models.CharField(_("claim no."), max_length=32, unique=True)
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="claims", verbose_name=_("shop"))
    order = models.ForeignKey(Order, models.PROTECT, related_name="claims", verbose_name=_("order"))
    order_line = models.ForeignKey(
        OrderLine, models.PROTECT, related_name="claims", verbose_name=_("order line")
    )
    case = models.ForeignKey(
        Case, models.PROTECT, null=True, blank=True, related_name="claims", verbose_name=_("case")
    )
    promise = models.CharField(_("promise"), max_length=20, choices=Code.choices)
    term = models.ForeignKey(Term, models.PROTECT, related_name="claims", verbose_name=_("terms"))
    remedy = models.CharField(_("remedy"), max_length=16, default="compensation", editable=False)
    state = FSMField(_("state"), default=S.FILED, choices=S.choices, protected=True)
    amount = MoneyField(_("amount"))
    deducted = MoneyField(_("refunded already"), default=ZERO, editable=False)
    refund = MoneyField(_("refund of the price"), default=ZERO, editable=False)
    paid = MoneyField(_("paid"), default=ZERO, editable=False)
    owed = MoneyField(_("owed"), default=ZERO, editable=False)
    frozen = MoneyField(_("frozen"), default=ZERO, editable=False)
    working = models.JSONField(_("working"), default=dict, editable=False)
    text = models.TextField(_("text"), blank=True, default="")
    report = models.CharField(_("report"), max_length=200, blank=True, default="")
    filed_at = models.DateTimeField(_("filed at"))
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("filed by"),
    )
    granted_at = models.DateTimeField(_("granted at"), null=True, editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, editable=False)

    event_root = "claim_id"
    terminal = frozenset({str(S.PAID), str(S.DISMISSED), str(S.WITHDRAWN), str(S.REVERSED)})
    openings = frozenset({"file_claim"})

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        ordering = ["-id"]
        permissions = [
            ("file_claim", "Can file a claim on an order"),
            ("import_claim", "Can import claims"),
            ("export_claim", "Can export claims"),
            *((f"{name}_claim", f"Can take the step {name}") for name in PERSON_STEPS),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[str(s) for s in S]), name="claim_state_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    amount__gte=F("deducted") + F("paid") + F("owed"),
                    deducted__gte=ZERO,
                    refund__gte=ZERO,
                    paid__gte=ZERO,
                    owed__gte=ZERO,
                    frozen__gte=ZERO,
                ),
                name="claim_amounts_within_what_is_due",
            ),
            models.UniqueConstraint(
                fields=["order_line", "promise"],
                condition=Q(state__in=[str(s) for s in (*UNDECIDED, S.OWED)]),
                name="claim_once_per_line",
            ),
        ]
        indexes = [
            models.Index(
                fields=["wake_at", "id"], name="claim_wake", condition=Q(wake_at__isnull=False)
            ),
            models.Index(fields=["shop", "state"], name="claim_shop_state"),
        ]

    def __str__(self) -> str:
        return self.claim_no

    def in_scope_of(self, actor: "Actor") -> bool:
        ids = shop_ids_of(actor.user) if actor.user else None
        return ids is None or self.shop_id in ids

    @classmethod
    def locked(cls, pks: Sequence[int]) -> list[Stateful]:
        """Cases and orders first, as everywhere: what they refund is not paid again here."""
        found = cls.objects.filter(pk__in=pks).values_list("case_id", "order_id")
        cases = {case for case, _order in found if case is not None}
        orders = {order for _case, order in found}
        for model, wanted in ((Case, cases), (Order, orders)):
            rows = model._default_manager.select_for_update(of=("self",)).filter(pk__in=wanted)
            list(rows.order_by("pk").values_list("pk"))
        return super().locked(pks)

    @step(
        source=[S.FILED, S.CONTESTED],
        target=[S.PAID, S.OWED],
        by="L S",
        label=_("Accept and pay"),
    )
    def accept(self, *, text: str = "") -> str:
        """The seller agrees: it is paid in the same act, or owed where the deposit is short."""
        return self._granted()

    @step(source=[S.FILED], target=S.CONTESTED, by="L C", label=_("Contest"))
    def contest(self, *, text: str = "") -> None:
        """The seller objects, or has not answered in time."""

    @step(
        source=[S.CONTESTED],
        target=S.ADJUDICATING,
        by="L C",
        label=_("Hand to the platform"),
    )
    def adjudicate(self, *, text: str = "") -> None:
        """Negotiation failed: the platform decides, and the deposit holds what is there of it."""
        self.frozen = self.acting.facts["freeze"]

    @step(
        source=[S.ADJUDICATING],
        target=[S.PAID, S.OWED],
        by="L",
        label=_("The platform upheld it"),
    )
    def uphold(self, *, report: str = "", text: str = "") -> str:
        """The platform ruled for the buyer; ``report``: the number of the expert's report."""
        self.report = report or self.report
        return self._granted()

    @step(source=[S.ADJUDICATING], target=S.DISMISSED, by="L", label=_("The platform dismissed it"))
    def dismiss(self, *, text: str = "") -> None:
        """The platform ruled for the seller; what was held is free again."""
        self._ended()

    @step(source=UNDECIDED, target=S.WITHDRAWN, by="A L", label=_("Withdraw"))
    def withdraw(self, *, text: str = "") -> None:
        """The buyer gives it up; what was held is free again."""
        self._ended()

    @step(source=[S.PAID], target=S.REVERSED, by="S", label=_("Reverse"), danger=True)
    def reverse(self, *, text: str) -> None:
        """The ruling was overturned: counter-entries bring the money back, nothing is edited."""
        self.paid = self.deducted = self.refund = ZERO
        self.finished_at = self.acting.at

    @step(source=[S.OWED], target=[S.PAID, S.OWED], by="C", label=_("Debt settled"))
    def settle(self, *, amount: Decimal) -> str:
        """A top-up pays ``amount`` yuan of what is owed; the oldest debt comes first."""
        self.owed -= amount
        self.paid += amount
        if self.owed:
            return str(S.OWED)
        self.finished_at = self.acting.at
        return str(S.PAID)

    @step(source=UNDECIDED, target=None, by="L S C", label=_("Escalate"))
    def escalate(self, *, text: str = "") -> None:
        """A supervisor has to look; once per clock."""
        self.escalated_at = self.acting.at
        if self.due_at is None or self.due_at <= self.acting.at or self.on_expiry == "escalate":
            self.wake_at = None  # nothing is left for the clock to do

    def _granted(self) -> str:
        cover = self.acting.facts["cover"]
        self.deducted, self.refund = cover.deducted, cover.refund
        self.paid, self.owed = cover.paid, cover.owed
        self.frozen = ZERO
        self.granted_at = self.acting.at
        if self.owed:
            return str(S.OWED)
        self.finished_at = self.acting.at
        return str(S.PAID)

    def _ended(self) -> None:
        self.frozen = ZERO
        self.finished_at = self.acting.at

    @classmethod
    def arm(cls, moves: "list[Move]") -> None:
        rows = list(Limit.objects.all())
        pauses = PolicyBook.load(moves[0].at).pauses
        ids = {m.subject.shop_id for m in moves}
        platforms = dict(Shop.objects.filter(pk__in=ids).values_list("pk", "platform"))
        for move in moves:
            claim = move.subject
            if claim.state not in CLOCKS:
                clock.stop(claim)
                continue
            platform = platforms[claim.shop_id]
            on, expiry = CLOCKS[S(claim.state)]
            length, reminders = length_of(claim.state, platform, move.at, rows)
            spec = clock.ClockSpec(on, length, expiry, reminders, pauses=pauses.get(platform, ()))
            clock.start(claim, move.at, spec)

    @classmethod
    def notify(cls, rows: Sequence[Any], kind: str, at: datetime) -> None:
        ShopNotice.objects.bulk_create(
            ShopNotice(shop_id=r.shop_id, claim=r, kind=kind, at=at, due_at=r.due_at) for r in rows
        )


class ClaimEvent(Event):
    """The timeline of a claim."""

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="events", verbose_name=_("claim"))

    class Meta:
        verbose_name = _("event of a claim")
        verbose_name_plural = _("events of claims")
        ordering = ["claim_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["claim", "seq"], name="claim_event_seq"),
            models.UniqueConstraint(fields=["claim", "prev"], name="claim_event_prev"),
        ]

    @property
    def root_pk(self) -> int:
        return self.claim_id


Claim.event_model = ClaimEvent
hooks.flow(Claim)
