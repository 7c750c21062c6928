"""Broken promises in the admin: a queue by what is to be done, one press per row or for many."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from cases.admin.filters import ShopFilter
from cases.admin.scope import ReadOnly, ShopScoped, person
from cases.admin.steps import CHANNEL, dress
from cases.flow.door import Actor, NotPermitted, Refused
from cases.looks import countdown, label, moment, now_of, span_in_words, yuan_text
from cases.models.money import ZERO
from promises.admin.claims import PromiseFilter, rows_of_facts, rows_of_working, state_of
from promises.admin.counts import breach_counts
from promises.admin.pages import Page
from promises.breaches import deciding, finding
from promises.breaches.deciding import DISMISS, FILE, RIGHTS
from promises.forms import FileBreachForm, ReasonForm
from promises.models import Breach, BreachSetting, BreachState, CourierName
from promises.models.breach import UNDECIDED

S = BreachState
TONES = {
    S.PROPOSED: "warning",
    S.EXCEPTION: "danger",
    S.FILED: "success",
    S.DISMISSED: "",
    S.LAPSED: "",
}
EVERYTHING = "all"
TABS = (S.PROPOSED, S.EXCEPTION, S.FILED, S.DISMISSED, S.LAPSED)
WAY_NAMES: dict[str, Promise] = {FILE: _("File the claim"), DISMISS: _("Put aside")}
WAY_HELP: dict[str, Promise] = {
    FILE: _("The claim is filed as worked out; nothing is paid before somebody else accepts it."),
    DISMISS: _("It is not proposed again; the reason stays with it."),
}
#: So many at once: each goes through the door by itself.
MOST = 300
#: What is missing (promises.terms.Missing), and the next thing to do about it.
MISSING: dict[str, tuple[Promise, Promise]] = {
    "payment": (
        _("No payment is known."),
        _("Import an order list that has the payment and its time; then the amount follows."),
    ),
    "shipped_at": (
        _("It was sent, but the time is not known."),
        _("Import an order list that has the shipping times."),
    ),
    "signed_at": (
        _("It was signed for, but the time is not known."),
        _("Import an order list that has the times of signature."),
    ),
    "finished_at": (
        _("It was confirmed, but the time is not known: until when it can be claimed is open."),
        _("Import an order list that has the times of confirmation."),
    ),
    "promised_arrival": (
        _("No time of arrival was promised."),
        _("Import an order list that has the promised arrival, or put this aside."),
    ),
    "closed_at": (
        _("It was closed before it was sent or arrived; when is not known."),
        _("Look the order up on the platform; put this aside if it was closed in time."),
    ),
    "courier": (
        _("Nobody says by which courier it was sent."),
        _("Import an order list that has the courier."),
    ),
    "named_courier": (
        _("No courier was named."),
        _("Import an order list that has the named courier, or put this aside."),
    ),
    "hours": (
        _("The terms name no promised hours, the order no deadline."),
        _("Let a supervisor set the promised hours, or import the order's own deadline."),
    ),
    "amount": (
        _("It is broken; the terms work out no amount."),
        _("Agree an amount with the buyer and file the claim with it."),
    ),
}


class Breaches(ChangeList):
    """The list narrowed to a tab; a search looks everywhere, whatever tab it was typed in."""

    def get_filters_params(self, params: Any = None) -> Any:
        lookups = super().get_filters_params(params)
        lookups.pop("tab", None)
        return lookups

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        tab = request.GET.get("tab", str(S.PROPOSED))
        if self.query or tab == EVERYTHING:
            return rows
        return rows.filter(state=tab if tab in S.values else S.PROPOSED)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for breach in self.result_list:
            breach.looked_at = now_of(request)


@admin.register(Breach)
class BreachAdmin(ReadOnly, ShopScoped, ModelAdmin):
    list_display = [
        "promise_shown", "order_shown", "since_shown", "late", "amount_shown", "deadline", "what",
        "press", "shop",
    ]  # fmt: skip
    list_display_links = ["promise_shown"]
    list_select_related = ["order", "line", "shop", "claim"]
    list_filter = [ShopFilter, PromiseFilter]
    list_before_template = "cases/tabs.html"
    list_fullwidth = True
    search_fields = ["order__order_no"]
    search_help_text = _("Order")
    # What can be claimed no more soonest, then what is broken longest.
    ordering = [F("until").asc(nulls_last=True), F("since").asc(nulls_last=True), "pk"]
    sortable_by: list[str] = []

    def get_urls(self) -> Any:
        wrap = self.admin_site.admin_view
        return [
            path("bulk/<str:way>/", wrap(self.bulk_view), name="promises_breach_bulk"),
            path("<int:object_id>/do/<str:way>/", wrap(self.do_view), name="promises_breach_do"),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return Breaches

    def get_actions(self, request: HttpRequest) -> Any:
        return {
            f"do_{way}": (_chosen(way), f"do_{way}", str(name))
            for way, name in WAY_NAMES.items()
            if request.user.has_perm(RIGHTS[way])
        }

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        here, counts = request.GET.get("tab", str(S.PROPOSED)), breach_counts(request)
        tabs: list[tuple[str, Any, int | None]] = [(s, s.label, counts[s]) for s in TABS]
        tabs.append((EVERYTHING, _("All"), None))
        context = {
            "title": _("Broken promises"),
            "queue_tabs": [
                {"slug": str(slug), "label": name, "count": count, "here": slug == here}
                for slug, name, count in tabs
            ],
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)  # type: ignore[no-any-return]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        breach = self._row(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        words = MISSING.get(breach.missing)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": breach,
            "breach": breach,
            "title": str(breach),
            "state": label(S(breach.state).label, TONES[S(breach.state)]),
            "since": moment(breach.since),
            "until": countdown(breach.until, now_of(request)) if breach.until else "",
            "missing": words[0] if words else "",
            "advice": words[1] if words and breach.state == S.EXCEPTION else "",
            "working": rows_of_working(breach.working) if breach.working else [],
            "facts": rows_of_facts(breach.order, breach.line),
            "presses": [(_do(breach, way), WAY_NAMES[way]) for way in _ways(request, breach)],
            "claim_state": state_of(breach.claim) if breach.claim else "",
            "decided": moment(breach.decided_at) if breach.decided_at else "",
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "promises/breach.html", context)

    def do_view(self, request: HttpRequest, object_id: int, way: str) -> HttpResponse:
        """``…/<pk>/do/file/`` and ``…/dismiss/``: GET shows what it means, POST does it."""
        if way not in WAY_NAMES:
            raise Http404
        breach = self._row(request, str(object_id))
        actor = Actor.person(person(request), CHANNEL)
        back = reverse("admin:promises_breach_changelist")

        def go(form: Any, _key: str | None) -> str:
            if way == DISMISS:
                deciding.dismiss(actor, breach, **form.inputs())
                return back
            claim = deciding.file(actor, breach, **form.inputs())
            return reverse("admin:promises_claim_change", args=[claim.pk])

        page = Page(
            title=str(WAY_NAMES[way]),
            form=lambda data: _form(way, data, breach),
            go=go,
            back=back,
            done=gettext("%(breach)s: “%(way)s” is done.")
            % {"breach": breach, "way": WAY_NAMES[way]},
            help=str(WAY_HELP[way]),
            rows=rows_of_working(breach.working) if breach.working else [],
            facts=[
                (gettext("Promise"), breach.get_promise_display(), ""),
                (gettext("Broken since"), moment(breach.since), ""),
                *rows_of_facts(breach.order, breach.line),
            ],
            obstacle=_obstacle(request, breach, way),
        )
        return page.answer(self, request)

    def bulk_view(self, request: HttpRequest, way: str) -> HttpResponse:
        """``…/bulk/<way>/``: acts on POST only; asked for otherwise it leads back to the list."""
        back = reverse("admin:promises_breach_changelist")
        if way not in WAY_NAMES:
            raise Http404
        if request.method != "POST":
            return HttpResponseRedirect(back)
        if not request.user.has_perm(RIGHTS[way]):
            raise PermissionDenied
        pks = _numbers(request.POST.getlist("pk"))[:MOST]
        rows = self._rows_of(request, pks)
        form = ReasonForm(request.POST) if way == DISMISS else None
        if form is not None and not form.is_valid():
            return self.confirm(request, way, pks, form)
        text = str(form.cleaned_data["text"]) if form is not None else ""
        done, refused = deciding.many(Actor.person(person(request), CHANNEL), rows, way, text)
        fresh = {row.pk: row for row in self._rows_of(request, [row.pk for row in done])}
        context = {
            **self._common(request, way),
            "done": [fresh[row.pk] for row in done],
            "refused": [(row, refusal.message) for row, refusal in refused],
            "summary": gettext("%(done)s done, %(refused)s refused")
            % {"done": len(done), "refused": len(refused)},
        }
        return TemplateResponse(request, "promises/breaches_done.html", context)

    def confirm(
        self, request: HttpRequest, way: str, pks: list[int], form: forms.Form | None = None
    ) -> HttpResponse:
        """The page between choosing and doing: which breaches, and what will be done."""
        rows = self._rows_of(request, pks[:MOST])
        fitting = [row for row in rows if row.state in UNDECIDED and (way == DISMISS or row.amount)]
        if way == DISMISS and form is None:
            form = ReasonForm()
        context = {
            **self._common(request, way),
            "way": way,
            "help": WAY_HELP[way],
            "rows": [(row, yuan_text(row.amount), moment(row.since)) for row in rows[:100]],
            "more": max(len(rows) - 100, 0),
            "pks": [row.pk for row in rows],
            "fitting": len(fitting),
            "chosen": len(rows),
            "sum": yuan_text(sum((row.amount or ZERO for row in fitting), ZERO)),
            "too_many": len(pks) > MOST,
            "most": MOST,
            "form": dress(form) if form is not None else None,
        }
        return TemplateResponse(request, "promises/breaches_bulk.html", context)

    def _common(self, request: HttpRequest, way: str) -> dict[str, Any]:
        request.current_app = self.admin_site.name
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": WAY_NAMES[way],
            "back": reverse("admin:promises_breach_changelist"),
        }

    def _row(self, request: HttpRequest, object_id: str) -> Breach:
        related = ("order__shop", "line", "claim", "decided_by")
        breach: Breach = self.get_or_404(request, object_id, *related)
        if not self.has_view_permission(request, breach):
            raise PermissionDenied
        return breach

    def _rows_of(self, request: HttpRequest, pks: Iterable[int]) -> list[Breach]:
        """Only rows of this person's shops; others are as unknown as numbers never given."""
        rows = self.get_queryset(request).filter(pk__in=list(pks))
        return list(rows.select_related("order__shop", "line", "claim").order_by("pk"))

    @display(description=_("promise"), ordering="promise")
    def promise_shown(self, breach: Breach) -> str:
        return str(breach.get_promise_display())

    @display(description=_("order"))
    def order_shown(self, breach: Breach) -> SafeString:
        url = reverse("admin:cases_order_change", args=[breach.order_id])
        return format_html(
            '<a class="sh-number" href="{}">{}</a>&nbsp;<span class="sh-quiet">{}</span>',
            *(url, breach.order.order_no, breach.line.line_no),
        )

    @display(description=_("broken since"))
    def since_shown(self, breach: Breach) -> str:
        return moment(breach.since)

    @display(description=_("late by"))
    def late(self, breach: Breach) -> str:
        """How much later it happened; until now where it has not happened yet."""
        seen: Any = breach
        order, since = breach.order, breach.since
        if since is None or breach.promise == "named_courier":
            return "–"
        happened = order.shipped_at if breach.promise == "ship_on_time" else order.signed_at
        return span_in_words((happened or seen.looked_at) - since)

    @display(description=_("amount"))
    def amount_shown(self, breach: Breach) -> str:
        return yuan_text(breach.amount)

    @display(description=_("to be claimed before"))
    def deadline(self, breach: Breach) -> SafeString | str:
        seen: Any = breach
        return countdown(breach.until, seen.looked_at) if breach.until else "–"

    @display(description=_("what there is to know"))
    def what(self, breach: Breach) -> Any:
        if breach.claim is not None:
            url = reverse("admin:promises_claim_change", args=[breach.claim_id])
            link = format_html('<a class="sh-number" href="{}">{}</a>', url, breach.claim.claim_no)
            return format_html("{} {}", link, state_of(breach.claim))
        if breach.missing:
            return MISSING[breach.missing][0]
        return breach.note or "–"

    @display(description=_("next step"))
    def press(self, breach: Breach) -> Any:
        if breach.state not in UNDECIDED or breach.state == S.LAPSED:
            return "–"
        fileable = breach.state == S.PROPOSED or breach.missing == "amount"
        url = _do(breach, FILE) if fileable else _page(breach)
        text = WAY_NAMES[FILE] if fileable else _("See what is missing")
        return format_html('<a class="sh-link" href="{}">{}</a>', url, text)


def _page(breach: Breach) -> str:
    return reverse("admin:promises_breach_change", args=[breach.pk])


def _do(breach: Breach, way: str) -> str:
    return reverse("admin:promises_breach_do", args=[breach.pk, way])


def _ways(request: HttpRequest, breach: Breach) -> list[str]:
    """What this person can do about it now; what is to be done first stands first."""
    return [way for way in WAY_NAMES if _obstacle(request, breach, way) is None]


def _obstacle(request: HttpRequest, breach: Breach, way: str) -> Refused | None:
    if not request.user.has_perm(RIGHTS[way]):
        step = {"step": WAY_NAMES[way]}
        return NotPermitted(gettext("“%(step)s” is not among your duties.") % step)
    if request.method == "POST":
        return None  # the door says what is in the way
    if breach.state not in UNDECIDED:
        text = gettext("%(breach)s is decided already: %(state)s.")
        return Refused(text % {"breach": breach, "state": breach.get_state_display()})
    if way == FILE and breach.missing not in {"", "amount"}:
        what, advice = MISSING[breach.missing]
        return Refused(f"{what} {advice}")
    return None


def _form(way: str, data: Any, breach: Breach) -> forms.Form:
    if way == DISMISS:
        return ReasonForm(data)
    return FileBreachForm(data, with_amount=breach.missing == "amount")


def _chosen(way: str) -> Any:
    def action(
        model_admin: BreachAdmin, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse:
        if request.POST.get("select_across") == "1":
            pks = list(queryset.values_list("pk", flat=True)[: MOST + 1])
        else:
            pks = _numbers(request.POST.getlist("_selected_action"))
        return model_admin.confirm(request, way, pks)

    return action


def _numbers(words: list[str]) -> list[int]:
    return [int(word) for word in words if word.isdigit() and len(word) < 19]


@admin.register(BreachSetting)
class BreachSettingAdmin(ShopScoped, ModelAdmin):
    list_display = ["shop", "act"]
    list_select_related = ["shop"]
    ordering = ["shop__code"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CourierName)
class CourierNameAdmin(ModelAdmin):
    list_display = ["name", "courier"]
    search_fields = ["name", "courier"]
    ordering = ["courier", "name"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        super().save_model(request, obj, form, change)
        finding.couriers_changed()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        finding.couriers_changed()

    def get_actions(self, request: HttpRequest) -> Any:
        return {}  # each is taken out by itself, so that orders are looked at again


__all__ = ["BreachAdmin", "BreachSettingAdmin", "CourierNameAdmin"]
