"""The columns of a case; its steps stand in lifecycle.py."""

from decimal import Decimal
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from cases.flow.door import Actor, Move
from cases.flow.states import Stateful
from cases.models import clocks
from cases.models.kinds import (
    TERMINAL,
    FreightPayer,
    Goods,
    Kind,
    Phase,
    Remedy,
    Responsible,
    State,
)
from cases.models.money import ZERO, MoneyField
from cases.models.orders import Order
from cases.models.reasons import Reason, RefusalReason
from cases.models.shops import ReturnAddress, Shop, shop_ids_of


class CaseQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> Self:
        ids = shop_ids_of(user)
        return self if ids is None else self.filter(shop_id__in=ids)

    def open(self) -> Self:
        return self.exclude(state__in=TERMINAL)


class CaseFields(Stateful):
    """What is known of one application. Amounts in yuan; "amount" is goods, freight stands apart.

    ``cleared``: up to this much (goods and freight) somebody entitled has agreed to.
    ``approval_from``, ``proposed_from``, ``mediated_from``: where to go back to.
    """

    case_no = models.CharField(_("case no."), max_length=64, unique=True)
    platform_case_no = models.CharField(
        _("platform's case no."), max_length=64, blank=True, default="", db_index=True
    )
    shop = models.ForeignKey(
        Shop, models.PROTECT, related_name="cases", verbose_name=_("shop"), db_index=False
    )
    order = models.ForeignKey(Order, models.PROTECT, related_name="cases", verbose_name=_("order"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    remedy = models.CharField(_("remedy"), max_length=20, choices=Remedy.choices)
    state = FSMField(
        _("state"), default=State.APPLIED, choices=State.choices, protected=True, max_length=24
    )
    phase = models.CharField(_("phase"), max_length=10, choices=Phase.choices, default=Phase.ONSALE)
    goods = models.CharField(
        _("goods"), max_length=14, choices=Goods.choices, default=Goods.NOT_RECEIVED
    )
    reason = models.ForeignKey(Reason, models.PROTECT, verbose_name=_("reason"))
    reason_words = models.CharField(_("platform's words"), max_length=200, blank=True, default="")
    responsible = models.CharField(
        _("responsible"), max_length=12, choices=Responsible.choices, default=Responsible.UNKNOWN
    )
    freight_payer = models.CharField(
        _("return freight"), max_length=8, choices=FreightPayer.choices, default=FreightPayer.SELLER
    )
    text = models.TextField(_("buyer's words"), blank=True, default="")
    applied_at = models.DateTimeField(_("applied at"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    platform_due_at = models.DateTimeField(_("platform's deadline"), null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="owned_cases",
        verbose_name=_("owner"),
    )
    amount_requested = MoneyField(_("asked for"), default=ZERO)
    freight_requested = MoneyField(_("freight asked for"), default=ZERO)
    amount_approved = MoneyField(_("agreed"), null=True, blank=True)
    freight_approved = MoneyField(_("freight agreed"), null=True, blank=True)
    cleared = MoneyField(default=ZERO, editable=False)
    freight_reserved = MoneyField(default=ZERO, editable=False)
    freight_refunded = MoneyField(_("freight refunded"), default=ZERO, editable=False)
    refunded = MoneyField(_("refunded"), default=ZERO, editable=False)
    compensation = MoneyField(_("compensation"), default=ZERO, editable=False)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    approvals = models.PositiveSmallIntegerField(default=0)
    approvals_needed = models.PositiveSmallIntegerField(default=0)
    approval_from = models.CharField(max_length=24, blank=True, default="")
    going_to = models.CharField(max_length=24, blank=True, default="")
    came_remedy = models.CharField(max_length=20, blank=True, default="")
    proposed_from = models.CharField(max_length=24, blank=True, default="")
    proposed_remedy = models.CharField(
        _("proposed remedy"), max_length=20, choices=Remedy.choices, blank=True, default=""
    )
    proposed_amount = MoneyField(_("proposed amount"), null=True, blank=True)
    mediated_from = models.CharField(max_length=24, blank=True, default="")
    mediation_phase = models.CharField(max_length=10, blank=True, default="")
    mediation_party = models.CharField(max_length=8, blank=True, default="")
    resume_left = models.PositiveBigIntegerField(null=True, blank=True)
    return_address = models.ForeignKey(
        ReturnAddress, models.PROTECT, null=True, blank=True, verbose_name=_("return address")
    )
    waiver = models.TextField(_("waiver of evidence"), blank=True, default="")
    refusal = models.ForeignKey(
        RefusalReason, models.PROTECT, null=True, blank=True, verbose_name=_("refusal reason")
    )
    surface = models.BooleanField(_("surface post"), default=False)
    ahead = models.BooleanField(_("replacement sent ahead"), default=False)
    disposition = models.CharField(_("disposition"), max_length=20, blank=True, default="")
    vendor = models.CharField(_("vendor"), max_length=100, blank=True, default="")
    verdict = models.CharField(_("verdict"), max_length=16, blank=True, default="")
    repair_quote = MoneyField(_("repair quote"), null=True, blank=True)
    repair_cost = MoneyField(_("repair cost"), null=True, blank=True)
    tags = models.CharField(_("tags"), max_length=300, blank=True, default="")
    first_response_at = models.DateTimeField(_("first response"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    refused_at = models.DateTimeField(_("refused at"), null=True, blank=True)
    sent_back_at = models.DateTimeField(_("sent back at"), null=True, blank=True)
    received_at = models.DateTimeField(_("received at"), null=True, blank=True)
    inspected_at = models.DateTimeField(_("inspected at"), null=True, blank=True)
    dispatched_at = models.DateTimeField(_("dispatched at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=20, blank=True, default="")
    resubmissions = models.PositiveSmallIntegerField(_("resubmissions"), default=0)
    reopened = models.PositiveSmallIntegerField(_("reopened"), default=0)

    objects = CaseQuerySet.as_manager()
    terminal: ClassVar[frozenset[str]] = TERMINAL
    openings: ClassVar[frozenset[str]] = frozenset({"open_case", "adopt", "adopted"})

    class Meta:
        abstract = True
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[str(s) for s in State]), name="case_state_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    amount_requested__gte=ZERO,
                    freight_requested__gte=ZERO,
                    refunded__gte=ZERO,
                    freight_refunded__gte=ZERO,
                    compensation__gte=ZERO,
                ),
                name="case_amounts_not_negative",
            ),
        ]
        indexes = [
            models.Index(
                fields=["wake_at", "id"], name="case_wake", condition=Q(wake_at__isnull=False)
            ),
            models.Index(
                fields=["shop", "due_at"], name="case_shop_due", condition=Q(due_at__isnull=False)
            ),
            models.Index(
                fields=["due_at", "id"], name="case_due", condition=Q(due_at__isnull=False)
            ),
            models.Index(fields=["state", "due_at"], name="case_state_due"),
            models.Index(fields=["shop", "state"], name="case_shop_state"),
        ]

    def __str__(self) -> str:
        return self.case_no

    @property
    def total_approved(self) -> Decimal:
        """Goods and freight that were agreed to, in yuan."""
        return (self.amount_approved or ZERO) + (self.freight_approved or ZERO)

    @property
    def is_open(self) -> bool:
        return self.state not in TERMINAL

    def in_scope_of(self, actor: Actor) -> bool:
        if actor.user is None:
            return True
        ids = shop_ids_of(actor.user)
        return ids is None or self.shop_id in ids

    @classmethod
    def arm(cls, moves: list[Move]) -> None:
        clocks.arm(moves)

    @classmethod
    def notify(cls, rows: Any, kind: str, at: Any) -> None:
        from cases.models.notices import Notice  # noqa: PLC0415 - a notice points at a case

        Notice.objects.bulk_create(
            Notice(case_id=r.pk, kind=kind, side=r.clock_on, at=at, due_at=r.due_at) for r in rows
        )
