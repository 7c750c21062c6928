"""Claims in the admin: the queue by clock, the page with its working, a page per step."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from cases.admin.exports import ExportPages
from cases.admin.scope import ReadOnly, ShopScoped, person, scoped
from cases.admin.sheets import SheetPages
from cases.admin.steps import CHANNEL
from cases.flow import clock
from cases.flow.door import Actor, Refused, allowed, once_more, perform
from cases.flow.states import StepInfo
from cases.looks import SIDES, countdown, label, moment, now_of, yuan_text
from cases.models import Order, OrderLine
from promises import verbs
from promises.admin.pages import ActPages, Page, Row, no_duty
from promises.forms import CLAIM_FORMS, FileClaimForm
from promises.guards import foreseen
from promises.models import Claim, ClaimEvent, ClaimState
from promises.models.claim import PERSON_STEPS
from promises.offers import Known, offers_on
from promises.sheets.claimsheet import CLAIMS
from promises.terms import Code

TONES = {
    ClaimState.FILED: "warning",
    ClaimState.CONTESTED: "info",
    ClaimState.ADJUDICATING: "danger",
    ClaimState.OWED: "danger",
    ClaimState.PAID: "success",
    ClaimState.DISMISSED: "",
    ClaimState.WITHDRAWN: "",
    ClaimState.REVERSED: "",
}
#: What is done first in a state; the other steps stand beside it.
USUAL = {
    ClaimState.FILED: "accept",
    ClaimState.CONTESTED: "adjudicate",
    ClaimState.ADJUDICATING: "uphold",
}
#: The names under which a working is read.
WORDS = {
    "refund": _("Refund of the price"),
    "compensation": _("Compensation"),
    "freight_out": _("Freight to the buyer"),
    "freight_back": _("Freight back to us"),
    "rate": _("Rate of what was paid"),
    "fixed": _("Set amount"),
    "multiplier": _("Multiple of the price"),
    "agreed": _("As agreed"),
    "none": _("Nothing on top"),
    "floor": _("raised to the floor"),
    "cap": _("cut to the cap"),
}


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return ClaimState.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(state=self.value()) if self.value() else queryset


class PromiseFilter(admin.SimpleListFilter):
    title = _("promise")
    parameter_name = "promise"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return Code.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(promise=self.value()) if self.value() else queryset


class ClaimList(ChangeList):
    """The page is drawn for one moment; asking PostgreSQL's clock per row is a query each."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for claim in self.result_list:
            claim.looked_at = now_of(request)


@admin.register(Claim)
class ClaimAdmin(SheetPages, ExportPages, ActPages, ReadOnly, ShopScoped, ModelAdmin):
    export_kind = CLAIMS
    acts = PERSON_STEPS
    beside = ("order__shop", "order_line", "shop", "case", "term")
    list_display = [
        "claim_no", "promise", "state_shown", "turn", "deadline", "order_link", "amount_shown",
        "paid_shown", "owed_shown", "shop",
    ]  # fmt: skip
    list_select_related = ["order", "shop"]
    list_filter = [StateFilter, PromiseFilter]
    search_fields = ["claim_no", "order__order_no"]
    search_help_text = _("Claim or order")
    list_fullwidth = True
    ordering = [F("due_at").asc(nulls_last=True), "-pk"]
    sortable_by = ["claim_no", "deadline"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return ClaimList

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("promises.file_claim"))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": _("Claims"), **(extra_context or {})}
        return super().changelist_view(request, context)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """File a claim on an order of the person's shops."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        actor = Actor.person(person(request), CHANNEL)

        def form(data: Any) -> Any:
            order = self._order(request, data)
            return _FileForm(data, order=order, actor=actor, given=request.GET)

        def go(form: Any, key: str | None) -> str:
            claim = verbs.file_claim(actor, form.order, key=key, **form.inputs())
            return self.row_url(claim)

        page = Page(
            title=gettext("File a claim"),
            form=form,
            go=go,
            back=reverse("admin:promises_claim_changelist"),
            done=gettext("The claim is filed."),
            help=gettext("The amount is worked out by the terms of the day of payment."),
            rows=self._foreseen(request),
        )
        return page.answer(self, request)

    def _foreseen(self, request: HttpRequest) -> list[Row]:
        """How the amount of an offer comes about, where the address names promise and line."""
        order, line = self._order(request, None), request.GET.get("line", "")
        if order is None or not line.isdigit() or len(line) > 9:
            return []
        promise = request.GET.get("promise", "")
        wanted = order.lines.filter(line_no=int(line))
        found = offers_on(
            order, now_of(request), promises=[promise], lines=wanted, known=Known.of(order)
        )
        return rows_of_working(found[0].working) if found and found[0].working else []

    def _order(self, request: HttpRequest, data: Any) -> Order | None:
        number = (data or request.GET).get("order_no", "").strip()
        orders = scoped(Order.objects.select_related("shop"), request.user, "shop")
        found: Order | None = orders.filter(order_no=number).first() if number else None
        return found

    def shown(self, request: HttpRequest, claim: Claim) -> dict[str, Any]:
        actor, now = Actor.person(person(request), CHANNEL), now_of(request)
        with clock.standing_at(now):
            steps = allowed(actor, claim)
        info = Claim.steps()
        usual = USUAL.get(claim.state, "")
        return {
            "claim": claim,
            "title": claim.claim_no,
            "state": state_of(claim),
            "turn": SIDES.get(claim.clock_on, ""),
            "countdown": countdown(claim.due_at, now),
            "due": moment(claim.due_at),
            "expiry": info[claim.on_expiry].label if claim.on_expiry in info else "",
            "primary": (self.do_url(claim, usual), info[usual].label) if usual in steps else None,
            "others": [(self.do_url(claim, n), info[n].label) for n in steps if n != usual],
            "working": working_rows(claim),
            "money": money_rows(claim),
            "facts": fact_rows(claim),
            "entries": _entries(request, claim),
            "timeline": [_event(event) for event in claim.events.select_related("user")],
        }

    def act_page(self, request: HttpRequest, claim: Claim, step: str, actor: Actor) -> Page:
        """What it does to the deposit stands before the button."""
        info, back = Claim.steps()[step], self.row_url(claim)

        def go(form: Any, key: str | None) -> str:
            _act(request, actor, claim, info, key, form.inputs())
            return back

        return Page(
            title=str(info.label),
            form=lambda data: CLAIM_FORMS[step](data, claim=claim, actor=actor),
            go=go,
            back=back,
            done=gettext("%(claim)s: “%(step)s” is done.") % {"claim": claim, "step": info.label},
            rows=consequences(claim, step),
            facts=[(gettext("Claim"), claim.claim_no, ""), *fact_rows(claim)],
            obstacle=_obstacle(request, actor, claim, info),
            version=claim.version,
            danger=info.danger,
        )

    @display(description=_("state"), label={str(s): t or "default" for s, t in TONES.items()})
    def state_shown(self, claim: Claim) -> tuple[str, str]:
        return str(claim.state), str(ClaimState(claim.state).label)

    @display(description=_("whose turn"))
    def turn(self, claim: Claim) -> Any:
        return SIDES.get(claim.clock_on, "–")

    @display(description=_("deadline"), ordering=F("due_at").asc(nulls_last=True))
    def deadline(self, claim: Claim) -> SafeString:
        seen: Any = claim
        return countdown(claim.due_at, seen.looked_at)

    @display(description=_("order"))
    def order_link(self, claim: Claim) -> SafeString:
        url = reverse("admin:cases_order_change", args=[claim.order_id])
        return format_html('<a class="sh-number" href="{}">{}</a>', url, claim.order.order_no)

    @display(description=_("amount"))
    def amount_shown(self, claim: Claim) -> str:
        return yuan_text(claim.amount)

    @display(description=_("paid out"))
    def paid_shown(self, claim: Claim) -> str:
        return yuan_text(claim.paid or None)

    @display(description=_("owed"))
    def owed_shown(self, claim: Claim) -> str:
        return yuan_text(claim.owed or None)


class _FileForm(FileClaimForm):
    """The form of the act, and the number of the order it is on."""

    order_no = forms.CharField(max_length=64, label=_("order no."))
    field_order = ["order_no", "promise", "line"]

    def __init__(self, data: Any = None, *, order: Order | None, actor: Actor, given: Any) -> None:
        if order is None:
            forms.Form.__init__(self, data)
            self.actor = actor
        else:
            super().__init__(data, order=order, actor=actor)
            self.initial["order_no"] = order.order_no
        self.initial.update({n: given[n] for n in ("promise", "line") if n in given})
        self.found = order
        self.order_fields(self.field_order)

    def clean_order_no(self) -> str:
        number = str(self.cleaned_data["order_no"])
        if self.found is None:
            raise forms.ValidationError(gettext("There is no order %(no)s.") % {"no": number})
        return number

    def inputs(self) -> dict[str, Any]:
        self.cleaned_data.pop("order_no", None)
        return super().inputs()


def state_of(claim: Claim) -> SafeString:
    state = ClaimState(claim.state)
    return label(state.label, TONES[state])


def _act(  # noqa: PLR0913, PLR0917 - a step has these and no more
    request: HttpRequest,
    actor: Actor,
    claim: Claim,
    info: StepInfo,
    key: str | None,
    inputs: dict[str, Any],
) -> None:
    """The step, once per page drawn, and only on the claim as it was drawn."""
    version = request.POST.get("_version", "")

    def unit(_nothing: Any) -> None:
        with transaction.atomic():
            locked: Any = Claim.locked([claim.pk])[0]
            repeated = key is not None and ClaimEvent.objects.filter(key=key).exists()
            if not repeated and version != str(locked.version):
                raise Refused(
                    gettext("Someone changed it meanwhile. Look at it again, then decide."), "stale"
                )
            perform(actor, claim, getattr(Claim, info.name), key=key, **inputs)

    once_more(unit, None)


def _obstacle(request: HttpRequest, actor: Actor, claim: Claim, info: StepInfo) -> Refused | None:
    if not actor.may(Claim, info):
        return no_duty(info.label)
    if claim.state not in info.sources and request.method != "POST":
        return Refused(
            gettext("The claim is “%(state)s”: this step is not open now.")
            % {"state": ClaimState(claim.state).label}
        )
    return None


def consequences(claim: Claim, step: str) -> list[Row]:
    """What the step does to the deposit, before the button."""
    if step in {"accept", "uphold"}:
        cover = foreseen(claim)
        rows = [
            (gettext("Claimed"), yuan_text(claim.amount), ""),
            (gettext("Refunded already"), yuan_text(cover.deducted), ""),
            (gettext("To be paid"), yuan_text(cover.due), "strong"),
            (gettext("Out of what is frozen"), yuan_text(cover.from_frozen), ""),
            (gettext("Out of what is available"), yuan_text(cover.from_available), ""),
        ]
        if cover.owed:
            rows.append((gettext("Owed until the next top-up"), yuan_text(cover.owed), "late"))
        return rows
    if step == "adjudicate":
        cover = foreseen(claim)
        return [(gettext("Frozen in the deposit"), yuan_text(cover.from_available), "strong")]
    if step in {"dismiss", "withdraw"}:
        return [(gettext("Free again in the deposit"), yuan_text(claim.frozen), "strong")]
    if step == "reverse":
        return [(gettext("Back into the deposit"), yuan_text(claim.paid), "strong")]
    return []


def working_rows(claim: Claim) -> list[Row]:
    """The arithmetic as the claim stores it, line by line."""
    return rows_of_working(claim.working)


def rows_of_working(found: dict[str, Any]) -> list[Row]:
    """What terms.Working.as_dict() tells, line by line."""
    terms = found["terms"]
    rule = found["rule"]
    by_what = {"rate": "rate", "multiplier": "multiplier"}.get(rule)
    shown = f" {terms[by_what]}{'%' if rule == 'rate' else ' ×'}" if by_what else ""
    rows = [
        (gettext("Terms"), f"{terms['row']}", ""),
        (gettext("Paid for the line"), f"¥{found['base']}", ""),
        (f"{WORDS[rule]}{shown}", f"¥{found['raw']}", ""),
        (gettext("Rounded to the cent"), f"¥{found['rounded']}", ""),
    ]
    if found["clamp"]:
        rows.append((str(WORDS[found["clamp"]]), f"¥{found['compensation']}", "late"))
    rows += [(str(WORDS[name]), f"¥{amount}", "") for name, amount in found["parts"].items()]
    return [*rows, (gettext("Owed in all"), f"¥{found['result']}", "strong")]


def money_rows(claim: Claim) -> list[Row]:
    return [
        (gettext("Claimed"), yuan_text(claim.amount), "strong"),
        (gettext("Refunded already"), yuan_text(claim.deducted), ""),
        (gettext("Paid"), yuan_text(claim.paid), ""),
        (gettext("Owed"), yuan_text(claim.owed), "late" if claim.owed else ""),
        (gettext("Frozen"), yuan_text(claim.frozen), ""),
    ]


def fact_rows(claim: Claim) -> list[Row]:
    return rows_of_facts(claim.order, claim.order_line)


def rows_of_facts(order: Order, line: OrderLine) -> list[Row]:
    """The times a promise is judged by."""
    rows = [
        (gettext("Shop"), str(order.shop), ""),
        (gettext("Order no."), order.order_no, ""),
        (gettext("Line"), f"{line.line_no} {line.title}".strip(), ""),
        (gettext("Paid at"), moment(order.paid_at), ""),
        (gettext("Ship by"), moment(line.ship_by or order.ship_by), ""),
        (gettext("Shipped at"), moment(order.shipped_at), ""),
        (gettext("Promised arrival"), moment(order.promised_arrival), ""),
        (gettext("Signed at"), moment(order.signed_at), ""),
        (gettext("Named courier"), order.named_courier, ""),
        (gettext("Courier"), order.courier, ""),
    ]
    return [row for row in rows if row[1] not in {"", "–"}]


def _entries(request: HttpRequest, claim: Claim) -> Any:
    if not request.user.has_perm("promises.view_entry"):
        return []
    return [
        (moment(e.at), e.get_kind_display(), yuan_text(e.amount), yuan_text(e.available_after))
        for e in claim.entries.order_by("seq")
    ]


def _event(event: Any) -> dict[str, Any]:
    info = Claim.steps().get(event.verb)
    states = dict(ClaimState.choices)
    return {
        "at": event.at,
        "when": moment(event.at),
        "title": info.label if info else gettext("Filed"),
        "target": states.get(event.target, ""),
        "text": event.note,
        "who": event.user or gettext("system"),
    }
