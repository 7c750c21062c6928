"""Promises found broken by the timestamps of orders: what is proposed, and what cannot be judged.

The rows are worked out from orders by promises.breaches and follow them until a person decides.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models import Order, OrderLine, Shop
from cases.models.money import ZERO, MoneyField
from cases.models.shops import shop_ids_of
from promises.models.claim import Claim
from promises.models.terms import Term
from promises.terms import Code

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Before everything else: the facts of the order are news.
AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)


class BreachState(models.TextChoices):
    """What has come of a breach."""

    PROPOSED = "proposed", _("Claim proposed")
    EXCEPTION = "exception", _("Something is missing")
    LAPSED = "lapsed", _("Too late to claim")
    FILED = "filed", _("Claim filed")
    DISMISSED = "dismissed", _("Put aside")


#: Nobody has decided: these rows follow the order.
UNDECIDED = (BreachState.PROPOSED, BreachState.EXCEPTION, BreachState.LAPSED)


class BreachQuerySet(models.QuerySet["Breach"]):
    def visible_to(self, user: "User") -> Self:
        ids = shop_ids_of(user)
        return self if ids is None else self.filter(shop_id__in=ids)


class Breach(models.Model):
    """One promise of one order line that is broken, or cannot be judged for want of a fact.

    ``since``: broken from then on (None: not known). ``until``: the first moment too late to
    claim (None: no end in sight). ``amount``: yuan, None where nothing can be worked out; then
    ``missing`` names the fact (promises.terms.Missing).
    """

    # Without indexes of their own: others below begin with these columns.
    shop = models.ForeignKey(
        Shop, models.PROTECT, related_name="breaches", db_index=False, verbose_name=_("shop")
    )
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="breaches", verbose_name=_("order")
    )
    line = models.ForeignKey(
        OrderLine,
        models.PROTECT,
        related_name="breaches",
        db_index=False,
        verbose_name=_("order line"),
    )
    promise = models.CharField(_("promise"), max_length=20, choices=Code.choices)
    term = models.ForeignKey(Term, models.PROTECT, related_name="+", verbose_name=_("terms"))
    state = models.CharField(_("state"), max_length=10, choices=BreachState.choices)
    since = models.DateTimeField(_("broken since"), null=True)
    until = models.DateTimeField(_("to be claimed before"), null=True)
    amount = MoneyField(_("amount"), null=True)
    working = models.JSONField(_("working"), null=True)
    missing = models.CharField(_("missing"), max_length=20, blank=True, default="")
    found_at = models.DateTimeField(_("found at"))
    #: The house has tried to file it by itself, and what it was told.
    tried_at = models.DateTimeField(_("tried at"), null=True)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    claim = models.ForeignKey(
        Claim, models.PROTECT, null=True, related_name="breaches", verbose_name=_("claim")
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)

    objects = BreachQuerySet.as_manager()

    class Meta:
        verbose_name = _("broken promise")
        verbose_name_plural = _("broken promises")
        ordering = ["-id"]
        permissions = [("dismiss_breach", "Can put a broken promise aside, with a reason")]
        constraints = [
            models.UniqueConstraint(fields=["line", "promise"], name="breach_once_per_line"),
            models.CheckConstraint(
                condition=Q(state__in=[str(s) for s in BreachState]), name="breach_state_known"
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gt=ZERO), name="breach_amount_none_or"
            ),
            # Neither zero nor the floor is invented: what is proposed has its amount.
            models.CheckConstraint(
                condition=~Q(state="proposed")
                | Q(amount__isnull=False, since__isnull=False, missing=""),
                name="breach_proposed_with_amount",
            ),
            models.CheckConstraint(
                condition=~Q(state="exception") | ~Q(missing=""), name="breach_exception_says_why"
            ),
            models.CheckConstraint(
                condition=~Q(state="filed") | Q(claim__isnull=False), name="breach_filed_by_claim"
            ),
        ]
        indexes = [
            models.Index(fields=["shop", "state", "until"], name="breach_queue"),
            models.Index(
                fields=["shop"],
                name="breach_to_file",
                condition=Q(state="proposed", tried_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order} · {self.get_promise_display()}"


class Lookout(models.Model):
    """When the promises of an order have to be looked at (again); no row: nothing can change.

    Written in the transaction that changes the order's facts, so nothing is overlooked, and moved
    on to the next deadline by who has looked, so that old orders are not read again.
    """

    order = models.OneToOneField(
        Order, models.CASCADE, primary_key=True, related_name="lookout", verbose_name=_("order")
    )
    due_at = models.DateTimeField(_("due"), default=AT_ONCE)

    class Meta:
        verbose_name = _("lookout")
        verbose_name_plural = _("lookouts")
        indexes = [models.Index(fields=["due_at", "order"], name="lookout_due")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.due_at:%Y-%m-%d %H:%M}"


class BreachSetting(models.Model):
    """What the house does with a breach that it has found in the orders of a shop."""

    class Act(models.TextChoices):
        PROPOSE = "propose", _("Propose the claim, a person files it")
        FILE = "file", _("File the claim, a person decides on it")

    shop = models.OneToOneField(
        Shop, models.CASCADE, related_name="breach_setting", verbose_name=_("shop")
    )
    act = models.CharField(
        _("what is done"),
        max_length=8,
        choices=Act.choices,
        default=Act.PROPOSE,
        help_text=_("Nothing is paid without a person or the platform's ruling."),
    )

    class Meta:
        verbose_name = _("handling of broken promises")
        verbose_name_plural = _("handling of broken promises")

    def __str__(self) -> str:
        return f"{self.shop} · {self.get_act_display()}"
