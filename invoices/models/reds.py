"""A request for a red invoice: its row, its steps and the authority's codes on one page.

Steps are pure on their own row; what they need of other rows stands in ``self.acting.facts``
(invoices.guards), the ledger is written by invoices.effects. The authority decides: our clock only
asks, and the raw code of every answer is kept.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField

from cases.flow import clock, hooks
from cases.flow.events import AppendOnly, Event
from cases.flow.states import Stateful, step
from cases.models import Case, Shop
from cases.models.money import ZERO, MoneyField
from cases.models.shops import shop_ids_of
from invoices.models.invoice import Invoice
from invoices.models.policies import Policy, policy
from invoices.models.quantity import NONE, QuantityField
from invoices.models.standing import Balance, Standing
from invoices.models.treatments import Treatment

if TYPE_CHECKING:
    from cases.flow.door import Actor, Move


class RedReason(models.TextChoices):
    ERROR = "error", _("Issued in error")
    RETURN = "return", _("Goods returned")
    STOPPED = "stopped", _("Service stopped")
    ALLOWANCE = "allowance", _("Sales allowance")


class RedState(models.TextChoices):
    DRAFT = "draft", _("Drafted")
    SUBMITTED = "submitted", _("Submitted, no answer yet")
    WAITING = "waiting", _("Waiting for the other party to confirm")
    EFFECTIVE = "effective", _("In force, red invoice to be issued")
    ISSUED = "issued", _("Red invoice issued")
    DEAD = "dead", _("Dead")


S = RedState
OPEN = (S.DRAFT, S.SUBMITTED, S.WAITING, S.EFFECTIVE)
#: The authority's states of a red form, and what they make of our request.
CODES: dict[str, tuple[str, Any]] = {
    "01": (S.EFFECTIVE, _("no confirmation needed")),
    "02": (S.WAITING, _("waiting for the buyer")),
    "03": (S.WAITING, _("waiting for the seller")),
    "04": (S.EFFECTIVE, _("confirmed by the other party")),
    "05": (S.DEAD, _("denied by the buyer")),
    "06": (S.DEAD, _("denied by the seller")),
    "07": (S.DEAD, _("not confirmed in time")),
    "08": (S.DEAD, _("withdrawn by the seller")),
    "09": (S.DEAD, _("withdrawn by the buyer")),
    "10": (S.DEAD, _("blocked")),
    "11": (S.DEAD, _("blocked")),
    "12": (S.DEAD, _("blocked")),
    "13": (S.DEAD, _("blocked")),
}
#: How far a request has come: an answer that is behind what is known changes nothing.
RANK = {S.DRAFT: 0, S.SUBMITTED: 1, S.WAITING: 2, S.EFFECTIVE: 3, S.ISSUED: 4, S.DEAD: 4}
#: Steps a person may take; each has a permission of its name.
PERSON_STEPS = ("submit", "answer", "record_red", "settle_review", "escalate")


class RedRequest(Stateful):
    """One request to reverse a blue invoice, whole or in part; amounts are positive, in yuan.

    ``serial``: under which the authority is asked, stored before the first call and used again for
    every retry. ``code``: its last raw answer. ``held``: why a person has to look at it.
    ``whole_instead``: only a part was asked for, but the policy reverses the whole and has the
    remainder issued anew (``Remainder``).
    """

    request_no = models.CharField(_("request no."), max_length=32, unique=True)
    shop = models.ForeignKey(
        Shop, models.PROTECT, related_name="red_requests", verbose_name=_("shop")
    )
    blue = models.ForeignKey(
        Invoice, models.PROTECT, related_name="red_requests", verbose_name=_("blue invoice")
    )
    case = models.ForeignKey(
        Case,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="red_requests",
        verbose_name=_("case"),
    )
    treatment = models.ForeignKey(
        Treatment,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="red_requests",
        verbose_name=_("treatment"),
    )
    reason = models.CharField(_("reason"), max_length=10, choices=RedReason.choices)
    state = FSMField(_("state"), default=S.DRAFT, choices=S.choices, protected=True)
    serial = models.CharField(_("serial no."), max_length=40, unique=True)
    form_no = models.CharField(_("number of the red form"), max_length=40, blank=True, default="")
    code = models.CharField(_("authority's code"), max_length=20, blank=True, default="")
    entered_at = models.DateTimeField(_("entered at the authority"), null=True, editable=False)
    quantity = QuantityField(_("quantity"), default=NONE)
    gross = MoneyField(_("total with tax"))
    tax = MoneyField(_("tax"))
    whole_instead = models.BooleanField(_("the whole, remainder anew"), default=False)
    red = models.OneToOneField(
        Invoice,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="request",
        verbose_name=_("red invoice"),
    )
    held = models.CharField(_("to be looked at"), max_length=300, blank=True, default="")
    dead_reason = models.CharField(_("why it is dead"), max_length=300, blank=True, default="")
    text = models.TextField(_("text"), blank=True, default="")
    requested_at = models.DateTimeField(_("requested at"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("requested by"),
    )
    finished_at = models.DateTimeField(_("finished at"), null=True, editable=False)

    event_root = "request_id"
    terminal = frozenset({str(S.ISSUED), str(S.DEAD)})
    openings = frozenset({"request_red"})

    class Meta:
        verbose_name = _("red request")
        verbose_name_plural = _("red requests")
        ordering = ["-id"]
        permissions = [(f"{name}_redrequest", f"Can take the step {name}") for name in PERSON_STEPS]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[str(s) for s in S]), name="red_request_state_known"
            ),
            models.CheckConstraint(
                condition=Q(gross__gt=ZERO, tax__gte=ZERO, quantity__gte=NONE, gross__gte=F("tax")),
                name="red_request_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(state="issued", red__isnull=False)
                | (~Q(state="issued") & Q(red__isnull=True)),
                name="red_request_issued_has_its_red",
            ),
            models.UniqueConstraint(
                fields=["blue"],
                condition=Q(state__in=[str(s) for s in OPEN]),
                name="one_red_request_per_blue",
            ),
        ]
        indexes = [
            models.Index(
                fields=["wake_at", "id"],
                name="red_request_wake",
                condition=Q(wake_at__isnull=False),
            ),
            models.Index(fields=["shop", "state"], name="red_request_shop_state"),
        ]

    def __str__(self) -> str:
        return self.request_no

    @property
    def code_in_words(self) -> str:
        known = CODES.get(self.code)
        return str(known[1]) if known else self.code

    def in_scope_of(self, actor: "Actor") -> bool:
        ids = shop_ids_of(actor.user) if actor.user else None
        return ids is None or self.shop_id in ids

    @classmethod
    def locked(cls, pks: Sequence[int]) -> list[Stateful]:
        """The standing of the blue invoice first: it is the lock for all that is done to it."""
        blues = cls.objects.filter(pk__in=pks).values_list("blue_id", flat=True)
        rows = Standing.objects.select_for_update(of=("self",)).filter(invoice_id__in=set(blues))
        list(rows.order_by("pk").values_list("pk"))
        return super().locked(pks)

    @step(source=[S.DRAFT], target=S.SUBMITTED, by="A L F S", label=_("Submit"))
    def submit(self, *, text: str = "") -> None:
        """To the authority, under the serial number that stands already."""

    @step(
        source=list(S),
        target=[S.SUBMITTED, S.WAITING, S.EFFECTIVE, S.DEAD, S.ISSUED, S.DRAFT],
        by="F S C",
        label=_("Enter the authority's answer"),
    )
    def answer(
        self,
        *,
        state: str,
        entered_at: datetime | None = None,
        form_no: str = "",
        text: str = "",
    ) -> str:
        """``state``: the raw code. An answer behind what is known changes nothing.

        What nobody knows, or comes to a finished request, is put before a person.
        """
        here = S(self.state)
        self.form_no = form_no or self.form_no
        known = CODES.get(state)
        if known is None:
            self.code = state
            self.held = str(_("Unknown code %(code)s") % {"code": state})
            return str(here)
        goal, words = known
        if here in self.terminal:
            if goal != here and not (here == S.ISSUED and goal in (S.EFFECTIVE, S.WAITING)):
                self.held = str(
                    _("Late answer %(code)s: %(words)s") % {"code": state, "words": words}
                )
            self.code = state
            return str(here)
        if RANK[S(goal)] < RANK[here]:
            return str(here)
        self.code = state
        self.entered_at = entered_at or self.entered_at or self.acting.at
        if goal == S.DEAD:
            self._died(str(words))
        return str(goal)

    @step(
        source=[S.SUBMITTED],
        target=S.DEAD,
        by="C P",  # not the clock: the authority, whenever it answers
        label=_("The authority did not take it"),
        danger=True,
    )
    def reject(self, *, text: str = "") -> None:
        """Refused at the door: what was spoken for is free again. Silence is no refusal."""
        self._died(text)

    @step(
        source=[S.SUBMITTED, S.WAITING, S.EFFECTIVE, S.DEAD],
        target=S.ISSUED,
        by="F S C",
        label=_("Enter the red invoice"),
    )
    def record_red(  # noqa: PLR0913 - what stands on the red invoice
        self,
        *,
        number: str,
        code: str = "",
        amount: Any = None,
        tax: Any = None,
        issued_at: datetime | None = None,
        text: str = "",
    ) -> None:
        """The red invoice is there; its own figures count, also where they differ from ours."""
        # The red invoice itself is written and named by invoices.guards.red_is_booked.
        if self.acting.source == S.DEAD:
            self.held = str(_("A red invoice came although the request was dead"))
        self.finished_at = self.acting.at

    @step(
        source=[S.SUBMITTED, S.WAITING],
        target=None,
        by="C",
        label=_("Ask the authority"),
    )
    def ask(self) -> None:
        """The time is up: only the authority can say what became of it."""
        self.escalated_at = self.acting.at
        self.wake_at = None

    @step(source=OPEN, target=None, by="L F S C", label=_("Escalate"))
    def escalate(self, *, text: str = "") -> None:
        """A supervisor has to look; once per clock."""
        self.escalated_at = self.acting.at
        if self.due_at is None or self.due_at <= self.acting.at or self.on_expiry == "escalate":
            self.wake_at = None  # nothing is left for the clock to do

    @step(source=list(S), target=None, by="F S", label=_("Looked at"))
    def settle_review(self, *, text: str) -> None:
        """What was held was looked at; ``text`` says what came of it."""
        self.held = ""

    def _died(self, why: str) -> None:
        self.dead_reason = why[:300]
        self.finished_at = self.acting.at

    @classmethod
    def arm(cls, moves: "list[Move]") -> None:
        """The other party's time counts from the authority's entry; ours from the act."""
        rows = list(Policy.objects.filter(of__in=[Policy.Of.CONFIRM_HOURS, Policy.Of.ANSWER_HOURS]))
        ids = {m.subject.shop_id for m in moves}
        shops = Shop.objects.in_bulk(ids)
        for move in moves:
            request, at = move.subject, move.at
            if request.state in cls.terminal:
                clock.stop(request)
                continue
            waits = request.state == S.WAITING
            of = Policy.Of.CONFIRM_HOURS if waits else Policy.Of.ANSWER_HOURS
            hours = int(policy(of, shops[request.shop_id], at, rows))
            spec = clock.ClockSpec(
                "buyer" if waits else "finance",
                timedelta(hours=hours),
                "escalate" if request.state == S.EFFECTIVE else "ask",
                "50,90",
            )
            clock.start(request, at, spec, since=request.entered_at if waits else None)

    @classmethod
    def notify(cls, rows: Sequence[Any], kind: str, at: datetime) -> None:
        InvoiceNotice.objects.bulk_create(
            InvoiceNotice(shop_id=r.shop_id, request=r, kind=kind, at=at, due_at=r.due_at)
            for r in rows
        )


class RedEvent(Event):
    """The timeline of a red request."""

    request = models.ForeignKey(
        RedRequest, models.PROTECT, related_name="events", verbose_name=_("red request")
    )

    class Meta:
        verbose_name = _("event of a red request")
        verbose_name_plural = _("events of red requests")
        ordering = ["request_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["request", "seq"], name="red_event_seq"),
            models.UniqueConstraint(fields=["request", "prev"], name="red_event_prev"),
        ]

    @property
    def root_pk(self) -> int:
        return self.request_id


class RedPart(AppendOnly):
    """What a request reverses of one blue line, as planned; of it ``asked`` was really asked for.

    Where the whole is reversed instead of a part, the rest of each line is issued anew.
    """

    request = models.ForeignKey(
        RedRequest, models.PROTECT, related_name="parts", verbose_name=_("red request")
    )
    balance = models.ForeignKey(
        Balance, models.PROTECT, related_name="parts", verbose_name=_("line")
    )
    quantity = QuantityField(_("quantity"), default=NONE)
    gross = MoneyField(_("total with tax"))
    tax = MoneyField(_("tax"))
    asked_quantity = QuantityField(_("pieces asked for"), default=NONE)
    asked_gross = MoneyField(_("asked for"), default=ZERO)
    asked_tax = MoneyField(_("tax asked for"), default=ZERO)

    class Meta:
        verbose_name = _("part of a red request")
        verbose_name_plural = _("parts of red requests")
        ordering = ["request_id", "balance_id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "balance"], name="red_part_once_per_line"),
            models.CheckConstraint(
                condition=Q(
                    quantity__gte=NONE,
                    tax__gte=ZERO,
                    gross__gte=F("tax"),
                    asked_quantity__gte=NONE,
                    asked_tax__gte=ZERO,
                    asked_gross__gte=F("asked_tax"),
                    asked_gross__lte=F("gross"),
                    asked_tax__lte=F("tax"),
                    asked_quantity__lte=F("quantity"),
                ),
                name="red_part_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.gross}"


class AuthorityCall(models.Model):
    """One thing to be said to the authority, written with the step that wants it said.

    A sweep makes the calls; what is not answered is tried again under the same serial number.
    """

    class What(models.TextChoices):
        SUBMIT = "submit", _("Submit")
        ASK = "ask", _("Ask")

    class State(models.TextChoices):
        WAITING = "waiting", _("To be sent")
        DONE = "done", _("Answered")
        HALTED = "halted", _("Given up, a person has to look")

    request = models.ForeignKey(
        RedRequest, models.PROTECT, related_name="calls", verbose_name=_("red request")
    )
    what = models.CharField(_("call"), max_length=8, choices=What.choices)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    key = models.CharField(_("key"), max_length=80, unique=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    #: Not before then; moved on before each attempt, so that no two workers make the same one.
    try_at = models.DateTimeField(_("next attempt"))
    error = models.CharField(_("last error"), max_length=300, blank=True, default="")
    created_at = models.DateTimeField(_("written at"))
    done_at = models.DateTimeField(_("answered at"), null=True, blank=True)

    class Meta:
        verbose_name = _("call to the authority")
        verbose_name_plural = _("calls to the authority")
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["try_at", "id"], name="authority_call_due", condition=Q(state="waiting")
            )
        ]

    def __str__(self) -> str:
        return self.key


class InvoiceNotice(models.Model):
    """One thing about invoices that somebody of the shop should look at."""

    class Kind(models.TextChoices):
        REMINDER = "reminder", _("Reminder")
        ESCALATION = "escalation", _("Escalation")
        ALARM = "alarm", _("Alarm")

    shop = models.ForeignKey(
        Shop, models.CASCADE, related_name="invoice_notices", verbose_name=_("shop")
    )
    request = models.ForeignKey(
        RedRequest,
        models.CASCADE,
        null=True,
        related_name="notices",
        verbose_name=_("red request"),
    )
    treatment = models.ForeignKey(
        Treatment,
        models.CASCADE,
        null=True,
        related_name="notices",
        verbose_name=_("treatment"),
    )
    kind = models.CharField(_("notice kind"), max_length=12, choices=Kind.choices)
    text = models.CharField(_("text"), max_length=300, blank=True, default="")
    at = models.DateTimeField(_("at"))
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    seen_at = models.DateTimeField(_("seen"), null=True, blank=True)

    class Meta:
        verbose_name = _("notice about invoices")
        verbose_name_plural = _("notices about invoices")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.shop_id}"


RedRequest.event_model = RedEvent
hooks.flow(RedRequest)
