"""A shop's deposit: its accounts, the entries that explain them, and the duty to top it up.

Only promises.ledger writes accounts and entries.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from cases.flow import clock, hooks
from cases.flow.events import AppendOnly, Event, canonical, plain
from cases.flow.states import Stateful, step
from cases.models import Shop
from cases.models.clocks import PolicyBook
from cases.models.money import ZERO, MoneyField
from cases.models.shops import shop_ids_of
from promises.models.terms import Limit, length_of

if TYPE_CHECKING:
    from cases.flow.door import Actor, Move

#: The four accounts; what they hold together came from the shop.
ACCOUNTS = ("available", "frozen", "paid", "owed")


class Deposit(models.Model):
    """What a shop has put in for its promises, in yuan.

    ``available``: free; ``frozen``: held for claims the platform decides; ``paid``: paid out to
    buyers; ``owed``: granted to buyers and not covered. Never below zero, whoever writes.
    """

    shop = models.OneToOneField(
        Shop, models.PROTECT, related_name="deposit", verbose_name=_("shop")
    )
    required = MoneyField(_("required"), default=ZERO)
    available = MoneyField(_("available"), default=ZERO, editable=False)
    frozen = MoneyField(_("frozen"), default=ZERO, editable=False)
    paid = MoneyField(_("paid out"), default=ZERO, editable=False)
    owed = MoneyField(_("owed"), default=ZERO, editable=False)
    seq = models.PositiveIntegerField(default=0, editable=False)
    head = models.CharField(max_length=64, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("deposit")
        verbose_name_plural = _("deposits")
        ordering = ["shop__code"]
        permissions = [
            ("top_up_deposit", "Can enter money put into a deposit"),
            ("withdraw_deposit", "Can take free money out of a deposit"),
            ("require_deposit", "Can set the sum a deposit must hold"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    available__gte=ZERO,
                    frozen__gte=ZERO,
                    paid__gte=ZERO,
                    owed__gte=ZERO,
                    required__gte=ZERO,
                ),
                name="deposit_never_below_zero",
            )
        ]

    def __str__(self) -> str:
        return str(self.shop)

    @property
    def withdrawable(self) -> Decimal:
        """What may be taken out: not what is required, nor what is owed to buyers."""
        free: Decimal = self.available - self.required - self.owed
        return max(free, ZERO)


class Entry(AppendOnly):
    """One movement with both its sides: what each account gained is what came from the shop.

    Amounts in yuan; a loss is negative. ``key``: one effect, one entry. ``digest``: what a
    repeated key is compared by. Chained by hash per deposit.
    """

    class Kind(models.TextChoices):
        TOP_UP = "top_up", _("Topped up")
        WITHDRAW = "withdraw", _("Withdrawn")
        FREEZE = "freeze", _("Frozen")
        RELEASE = "release", _("Released")
        PAY = "pay", _("Paid out")
        SETTLE = "settle", _("Debt paid")
        REVERSE = "reverse", _("Reversed")

    deposit = models.ForeignKey(
        Deposit, models.PROTECT, related_name="entries", verbose_name=_("deposit")
    )
    seq = models.PositiveIntegerField(_("sequence"))
    at = models.DateTimeField(_("at"))
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    amount = MoneyField(_("amount"))
    to_available = MoneyField(_("to available"), default=ZERO)
    to_frozen = MoneyField(_("to frozen"), default=ZERO)
    to_paid = MoneyField(_("to paid out"), default=ZERO)
    to_owed = MoneyField(_("to owed"), default=ZERO)
    from_shop = MoneyField(_("from the shop"), default=ZERO)
    available_after = MoneyField(_("available after"))
    frozen_after = MoneyField(_("frozen after"))
    paid_after = MoneyField(_("paid out after"))
    owed_after = MoneyField(_("owed after"))
    claim = models.ForeignKey(
        "promises.Claim",
        models.PROTECT,
        null=True,
        related_name="entries",
        verbose_name=_("claim"),
    )
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="reversed_by", verbose_name=_("reverses")
    )
    reference = models.CharField(_("reference"), max_length=100, blank=True, default="")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    key = models.CharField(_("key"), max_length=120, unique=True)
    digest = models.CharField(max_length=64)
    prev = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        ordering = ["deposit_id", "seq"]
        permissions = [("export_entry", "Can export the statements of deposits")]
        constraints = [
            models.UniqueConstraint(fields=["deposit", "seq"], name="entry_seq"),
            models.UniqueConstraint(fields=["deposit", "prev"], name="entry_prev"),
            models.CheckConstraint(
                condition=Q(
                    from_shop=F("to_available") + F("to_frozen") + F("to_paid") + F("to_owed")
                ),
                name="entry_has_two_sides",
            ),
            models.CheckConstraint(
                condition=Q(
                    amount__gt=ZERO,
                    available_after__gte=ZERO,
                    frozen_after__gte=ZERO,
                    paid_after__gte=ZERO,
                    owed_after__gte=ZERO,
                ),
                name="entry_never_below_zero",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.seq} {self.kind} {self.amount}"

    def seal(self) -> str:
        """The hash of this row over the one before it (hex SHA-256)."""
        names = [
            *("deposit_id", "seq", "kind", "amount", "from_shop", "claim_id", "reverses_id"),
            *(f"to_{a}" for a in ACCOUNTS),
            *(f"{a}_after" for a in ACCOUNTS),
            *("reference", "by_id", "key", "digest", "prev"),
        ]
        times = [t.astimezone(UTC).isoformat() for t in (self.at, self.recorded_at)]
        body = [plain(getattr(self, name)) for name in names] + times
        return sha256(canonical(body).encode()).hexdigest()


class DutyState(models.TextChoices):
    """How far a debt has come that the shop does not settle."""

    NOTIFIED = "notified", _("Notified")
    SUSPENDED = "suspended", _("Promises suspended")
    BLOCKED = "blocked", _("Shop blocked")
    MET = "met", _("Topped up")


_OPEN = [DutyState.NOTIFIED, DutyState.SUSPENDED, DutyState.BLOCKED]


class TopUpDuty(Stateful):
    """The duty to bring in what is owed; its clock suspends promises, then blocks the shop."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="duties", verbose_name=_("shop"))
    state = FSMField(
        _("state"), default=DutyState.NOTIFIED, choices=DutyState.choices, protected=True
    )
    notified_at = models.DateTimeField(_("notified at"))
    suspended_at = models.DateTimeField(_("suspended at"), null=True, editable=False)
    blocked_at = models.DateTimeField(_("blocked at"), null=True, editable=False)
    met_at = models.DateTimeField(_("topped up at"), null=True, editable=False)

    event_root = "duty_id"
    terminal = frozenset({str(DutyState.MET)})
    openings = frozenset({"open_duty"})

    class Meta:
        verbose_name = _("duty to top up")
        verbose_name_plural = _("duties to top up")
        ordering = ["-id"]
        permissions = [("escalate_topupduty", "Can take the step escalate")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[str(s) for s in DutyState]), name="duty_state_known"
            ),
            models.UniqueConstraint(
                fields=["shop"], condition=~Q(state="met"), name="one_duty_per_shop"
            ),
        ]
        indexes = [
            models.Index(
                fields=["wake_at", "id"], name="duty_wake", condition=Q(wake_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"{self.shop} {self.notified_at:%Y-%m-%d}"

    def in_scope_of(self, actor: "Actor") -> bool:
        ids = shop_ids_of(actor.user) if actor.user else None
        return ids is None or self.shop_id in ids

    @step(
        source=[DutyState.NOTIFIED],
        target=DutyState.SUSPENDED,
        by="C",
        label=_("Promises suspended"),
        danger=True,
    )
    def suspend(self) -> None:
        """What is paid from now on carries no promise, until the debt is settled."""
        self.suspended_at = self.acting.at

    @step(
        source=[DutyState.SUSPENDED],
        target=DutyState.BLOCKED,
        by="C",
        label=_("Shop blocked"),
        danger=True,
    )
    def block(self) -> None:
        """The platform closes the shop until the debt is settled."""
        self.blocked_at = self.acting.at

    # Not the clock alone: the money may come before the time is up.
    @step(source=_OPEN, target=DutyState.MET, by="C P", label=_("Topped up"))
    def meet(self) -> None:
        """Nothing is owed any more: suspension and block end."""
        self.met_at = self.acting.at

    @step(source=_OPEN, target=None, by="S C", label=_("Escalate"))
    def escalate(self, *, text: str = "") -> None:
        """A supervisor has to look; once per clock."""
        self.escalated_at = self.acting.at
        self.wake_at = None

    @classmethod
    def arm(cls, moves: "list[Move]") -> None:
        rows = list(Limit.objects.all())
        pauses = PolicyBook.load(moves[0].at).pauses
        for move in moves:
            arm_duty(move.subject, move.at, rows, pauses)

    @classmethod
    def notify(cls, rows: Sequence[Any], kind: str, at: datetime) -> None:
        ShopNotice.objects.bulk_create(
            ShopNotice(shop_id=r.shop_id, duty=r, kind=kind, at=at, due_at=r.due_at) for r in rows
        )


def arm_duty(duty: Any, at: datetime, rows: list[Limit], pauses: Any) -> None:
    """Both limits count from the notice; after an outage the second from the first act."""
    platform = duty.shop.platform
    suspends, reminders = length_of(Limit.Of.SUSPENDED, platform, at, rows)
    blocks, _none = length_of(Limit.Of.BLOCKED, platform, at, rows)
    lengths = {
        DutyState.NOTIFIED: ("suspend", suspends),
        DutyState.SUSPENDED: ("block", max(blocks - suspends, timedelta(0))),
    }
    if duty.state not in lengths:
        clock.stop(duty)
        return
    expiry, length = lengths[duty.state]
    spec = clock.ClockSpec("seller", length, expiry, reminders, pauses=pauses.get(platform, ()))
    clock.start(duty, at, spec)


class DutyEvent(Event):
    """The timeline of a duty to top up."""

    duty = models.ForeignKey(
        TopUpDuty, models.PROTECT, related_name="events", verbose_name=_("duty to top up")
    )

    class Meta:
        verbose_name = _("event of a duty")
        verbose_name_plural = _("events of duties")
        ordering = ["duty_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["duty", "seq"], name="duty_event_seq"),
            models.UniqueConstraint(fields=["duty", "prev"], name="duty_event_prev"),
        ]

    @property
    def root_pk(self) -> int:
        return self.duty_id


class ShopNotice(models.Model):
    """One thing about claims or the deposit that somebody of the shop should look at."""

    class Kind(models.TextChoices):
        REMINDER = "reminder", _("Reminder")
        ESCALATION = "escalation", _("Escalation")
        DUTY = "duty", _("Duty to top up")

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="notices", verbose_name=_("shop"))
    claim = models.ForeignKey(
        "promises.Claim", models.CASCADE, null=True, related_name="notices", verbose_name=_("claim")
    )
    duty = models.ForeignKey(
        TopUpDuty,
        models.CASCADE,
        null=True,
        related_name="notices",
        verbose_name=_("duty to top up"),
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    at = models.DateTimeField(_("at"))
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    seen_at = models.DateTimeField(_("seen"), null=True, blank=True)

    class Meta:
        verbose_name = _("notice of a shop")
        verbose_name_plural = _("notices of shops")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.shop_id}"


TopUpDuty.event_model = DutyEvent
hooks.flow(TopUpDuty)
