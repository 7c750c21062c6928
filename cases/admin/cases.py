"""Cases in the admin: the queue with tabs and search, the case page, steps one by one or many."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from cases.admin import bulk, casepage, steps
from cases.admin.counts import ALL, TABS, desk_counts, narrow, tab_name
from cases.admin.exports import ExportPages
from cases.admin.filters import (
    AppliedFilter,
    DueFilter,
    GoodsBackFilter,
    KindFilter,
    OwnerFilter,
    ShopFilter,
    StateFilter,
    TurnFilter,
)
from cases.admin.scope import ReadOnly, ShopScoped, sees_money
from cases.admin.search import OneSearch, find_cases
from cases.admin.sheets import SheetPages
from cases.looks import SIDES, STATE_TONES, countdown, now_of, yuan_text
from cases.models import Case, State
from cases.sheets.facts import CASES


class Queue(ChangeList):
    """The list narrowed to a tab; a search looks everywhere, whatever tab it was typed in."""

    tab_in_words: Any = ""

    def get_filters_params(self, params: Any = None) -> Any:
        lookups = super().get_filters_params(params)
        lookups.pop("tab", None)
        return lookups

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        if self.query:
            return queryset
        slug = request.GET.get("tab", "")
        self.tab_in_words = tab_name(slug)
        return narrow(queryset, slug)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for case in self.result_list:
            case.looked_at = now_of(request)


@admin.register(Case)
class CaseAdmin(ExportPages, SheetPages, OneSearch, ReadOnly, ShopScoped, ModelAdmin):
    find = staticmethod(find_cases)
    export_kind = CASES
    list_display = [
        "number",
        "kind_shown",
        "state_shown",
        "turn",
        "deadline",
        "order_link",
        "amount",
        "reason",
        "owner",
    ]
    list_display_links = ["number"]
    list_select_related = ["order", "shop", "reason", "owner"]
    list_filter = [
        OwnerFilter,
        DueFilter,
        TurnFilter,
        ShopFilter,
        KindFilter,
        StateFilter,
        GoodsBackFilter,
        AppliedFilter,
    ]
    search_fields = ["case_no"]
    search_help_text = _(
        "Case, order, waybill, phone or its last 4 digits, buyer, serial, refund no."
    )
    list_before_template = "cases/tabs.html"
    list_fullwidth = True
    list_filter_sheet = True
    ordering = [F("due_at").asc(nulls_last=True), "-pk"]
    sortable_by = ["number", "deadline", "order_link", "amount"]

    def get_urls(self) -> Any:
        wrap = self.admin_site.admin_view
        return [
            path("next/", wrap(self.next_view), name="cases_case_next"),
            path("bulk/<str:step>/", wrap(self.bulk_view), name="cases_case_bulk"),
            path("<int:object_id>/do/<str:step>/", wrap(self.step_view), name="cases_case_do"),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return Queue

    def get_ordering(self, request: HttpRequest) -> Any:
        """First due first; where ended cases stand among the others, the newest first."""
        return ["-pk"] if request.GET.get("tab") == ALL else self.ordering

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return shown if sees_money(request.user) else [name for name in shown if name != "amount"]

    def get_actions(self, request: HttpRequest) -> Any:
        if "_popup" in request.GET or not self.has_view_permission(request):
            return {}
        return bulk.bulk_actions(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        term = request.GET.get("q", "").strip()
        if term and request.method == "GET" and not request.GET.get("p"):
            found = self.found(request, term)
            if len(found) == 1:  # a scanner's Enter goes straight to the case
                return HttpResponseRedirect(reverse("admin:cases_case_change", args=found))
        here = request.GET.get("tab", TABS[0].slug)
        counts = desk_counts(request)
        tabs: list[dict[str, Any]] = [
            {"slug": t.slug, "label": t.label, "count": counts[t.slug], "here": t.slug == here}
            for t in TABS
        ]
        tabs.append({"slug": ALL, "label": tab_name(ALL), "count": None, "here": here == ALL})
        context = {"queue_tabs": tabs, "title": _("Cases"), **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        related = ("order", "shop", "reason", "owner", "refusal", "return_address")
        case = self.get_or_404(request, object_id, *related)
        if not self.has_view_permission(request, case):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])  # a case moves by its steps only
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "cases/case.html", casepage.page(self, request, case))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        case = self.get_or_404(request, object_id)
        page = reverse("admin:cases_case_change", args=[case.pk])
        return HttpResponseRedirect(f"{page}#timeline")

    def step_view(self, request: HttpRequest, object_id: int, step: str) -> HttpResponse:
        return steps.step_view(self, request, str(object_id), step)

    def next_view(self, request: HttpRequest) -> HttpResponse:
        """The first due case of this person's queue, other than the one just looked at."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        after = request.GET.get("after", "")
        but = int(after) if after.isdigit() and len(after) < 19 else 0
        case = steps.next_due(request, but)
        if case is not None:
            return HttpResponseRedirect(reverse("admin:cases_case_change", args=[case.pk]))
        messages.info(request, gettext("Nothing else is due in your queue."))
        return HttpResponseRedirect(reverse("admin:cases_case_changelist"))

    def bulk_view(self, request: HttpRequest, step: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return bulk.bulk_view(self, request, step)

    @display(description=_("case no."), ordering="case_no")
    def number(self, case: Case) -> str:
        return case.case_no

    @display(description=_("kind"))
    def kind_shown(self, case: Case) -> str:
        return str(case.get_kind_display())

    @display(
        description=_("state"),
        label={str(state): tone or "default" for state, tone in STATE_TONES.items()},
    )
    def state_shown(self, case: Case) -> tuple[str, str]:
        return str(case.state), str(State(case.state).label)

    @display(description=_("whose turn"))
    def turn(self, case: Case) -> Any:
        return SIDES.get(case.clock_on, "–")

    @display(description=_("deadline"), ordering=F("due_at").asc(nulls_last=True))
    def deadline(self, case: Case) -> SafeString:
        seen: Any = case
        shown = countdown(case.due_at, seen.looked_at)
        if case.escalated_at is None:
            return shown
        return format_html('{} <span class="sh-flag" title="{}">!</span>', shown, _("Escalated"))

    @display(description=_("order"), ordering="order__order_no")
    def order_link(self, case: Case) -> SafeString:
        url = reverse("admin:cases_order_change", args=[case.order_id])
        return format_html('<a class="sh-number" href="{}">{}</a>', url, case.order.order_no)

    @display(description=_("amount"), ordering="amount_requested")
    def amount(self, case: Case) -> str:
        if case.amount_approved is not None:
            return yuan_text(case.total_approved or None)
        return yuan_text((case.amount_requested + case.freight_requested) or None)
