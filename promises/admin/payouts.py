"""The platforms' payouts beside what we paid: tabs with counts, one press per difference."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
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

from cases.admin.filters import DaysFilter, ShopFilter
from cases.admin.reconciliation import EVERYTHING, EXPLAINED, WAITING, TextForm
from cases.admin.scope import ReadOnly, ShopScoped, person
from cases.admin.sheets import SheetPages
from cases.admin.steps import CHANNEL, dress
from cases.flow.door import Actor, Refused
from cases.looks import label, moment, yuan_text
from promises.admin.counts import payout_counts
from promises.admin.pages import Row
from promises.models import Claim, Payout, PayoutDifference
from promises.payouts import Paid, amount_of, linked
from promises.reconciling import (
    PERMISSION,
    Matter,
    Way,
    choice_of,
    matter_of,
    settle,
    ways_of,
    word_of,
)

MATCHED = "matched"
TONES = {
    PayoutDifference.NOT_HERE: "danger",
    PayoutDifference.NOT_THERE: "danger",
    PayoutDifference.AMOUNT: "warning",
}


def narrow(queryset: QuerySet[Any], tab: str) -> QuerySet[Any]:
    """The payouts of one tab; an unknown word is the first tab."""
    if tab == EVERYTHING:
        return queryset
    if tab == EXPLAINED:
        return queryset.filter(explained=True)
    if tab == MATCHED:
        return queryset.filter(difference="", ours__isnull=False)
    rows = queryset.filter(open=True)
    return rows.filter(difference=tab) if tab in PayoutDifference.values else rows


class Payouts(ChangeList):
    """The list narrowed to a tab; a search looks everywhere."""

    def get_filters_params(self, params: Any = None) -> Any:
        lookups = super().get_filters_params(params)
        lookups.pop("tab", None)
        return lookups

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        queryset = super().get_queryset(request, exclude_parameters)
        return queryset if self.query else narrow(queryset, request.GET.get("tab", WAITING))


class PaidFilter(DaysFilter):
    title = _("payout time")
    column = "paid_at"


class LinkForm(TextForm):
    """Which claim or goodwill of the order it pays."""

    paid = forms.ChoiceField(label=_("pays"))
    field_order = ["paid", "text"]

    def __init__(self, data: Any, matter: Matter) -> None:
        super().__init__(data)
        choose: Any = self.fields["paid"]
        choose.choices = [(word_of(paid), paid_text(paid)) for paid in matter.choices]
        self.fields["text"].help_text = _("Needed where the amounts differ.")


@dataclass(frozen=True)
class Press:
    """One way to settle, with its form and what it will do."""

    way: str
    label: str | Promise
    form: forms.Form
    rows: list[Row]


@admin.register(Payout)
class PayoutAdmin(SheetPages, ReadOnly, ShopScoped, ModelAdmin):
    list_display = [
        "difference_shown", "order_link", "number_shown", "theirs", "ours_shown", "pays",
        "status_shown", "reason", "paid_shown", "press",
    ]  # fmt: skip
    list_display_links = ["difference_shown"]
    list_select_related = ["order", "claim", "compensation__case"]
    list_filter = [ShopFilter, PaidFilter]
    list_before_template = "cases/tabs.html"
    list_fullwidth = True
    list_filter_sheet = True
    search_fields = ["=number", "=order_no", "=claim__claim_no"]
    search_help_text = _("Platform's number, order or claim")
    ordering = ["-paid_at", "-pk"]
    sortable_by = ["paid_shown"]

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.settle_view)
        name = "promises_payout_settle"
        return [path("<int:object_id>/settle/", view, name=name), *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return Payouts

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        here, counts = request.GET.get("tab", WAITING), payout_counts(request)
        tabs: list[tuple[str, Any, int | None]] = [(WAITING, _("All open"), counts[WAITING])]
        tabs += [(str(kind), kind.label, counts[str(kind)]) for kind in PayoutDifference]
        tabs += [(MATCHED, _("Agrees"), None), (EXPLAINED, _("Explained"), None)]
        tabs += [(EVERYTHING, _("All payouts"), None)]
        context = {
            "title": _("Platform's payouts"),
            "queue_tabs": [
                {"slug": slug, "label": name, "count": count, "here": slug == here}
                for slug, name, count in tabs
            ],
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self._page(request, self._of(request, object_id))

    def settle_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Acts on POST; asked for otherwise it leads to the payout's page."""
        row = self._of(request, str(object_id))
        page = reverse("admin:promises_payout_change", args=[row.pk])
        if request.method != "POST":
            return HttpResponseRedirect(page)
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        way = request.POST.get("way", "")
        if way not in Way.values:
            raise Http404
        matter = matter_of(row)
        form = _form(way, matter, request.POST)
        if not form.is_valid():
            return self._page(request, row, entered=(way, form))
        given = form.cleaned_data
        try:
            settle(
                Actor.person(person(request), CHANNEL),
                row.pk,
                way,
                text=given["text"],
                paid=choice_of(matter, given.get("paid", "")),
            )
        except Refused as refusal:
            row = self._of(request, str(object_id))
            return self._page(request, row, entered=(way, form), refusal=refusal)
        said = {"number": row.number or row.order_no, "way": Way(way).label}
        messages.success(request, gettext("%(number)s: “%(way)s” is done.") % said)
        query = f"?tab={row.difference}" if row.difference else ""
        return HttpResponseRedirect(reverse("admin:promises_payout_changelist") + query)

    def _of(self, request: HttpRequest, object_id: str) -> Payout:
        beside = ("order", "shop", "claim", "compensation__case")
        row: Payout = self.get_or_404(request, object_id, *beside)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def _page(
        self,
        request: HttpRequest,
        row: Payout,
        *,
        entered: tuple[str, forms.Form] | None = None,
        refusal: Refused | None = None,
    ) -> HttpResponse:
        matter = matter_of(row)
        presses = []
        for way in ways_of(Actor.person(person(request), CHANNEL), matter):
            known = entered is not None and entered[0] == way
            form = entered[1] if entered and known else _form(way, matter)
            presses.append(Press(way, Way(way).label, dress(form), _rows(way, matter)))
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "row": row,
            "title": _("Platform's payouts"),
            "difference": difference_label(row),
            "sides": _sides(row),
            "presses": presses,
            "refusal": refusal,
            "notes": row.notes.select_related("by"),
            "extra": sorted(row.extra.items()),
            "back": reverse("admin:promises_payout_changelist"),
        }
        return TemplateResponse(request, "promises/payout.html", context)

    @display(description=_("difference"))
    def difference_shown(self, row: Payout) -> SafeString:
        return difference_label(row)

    @display(description=_("order"))
    def order_link(self, row: Payout) -> SafeString | str:
        if row.order_id is None:
            return row.order_no
        url = reverse("admin:cases_order_change", args=[row.order_id])
        return format_html('<a class="sh-number" href="{}">{}</a>', url, row.order_no)

    @display(description=_("payout no."))
    def number_shown(self, row: Payout) -> str:
        return row.number or "–"

    @display(description=_("amount there"))
    def theirs(self, row: Payout) -> str:
        return yuan_text(row.amount)

    @display(description=_("amount here"))
    def ours_shown(self, row: Payout) -> str:
        return yuan_text(row.ours)

    @display(description=_("pays"))
    def pays(self, row: Payout) -> SafeString | str:
        return paid_link(linked(row))

    @display(description=_("status"))
    def status_shown(self, row: Payout) -> str:
        return str(row.get_status_display()) if row.number else "–"

    @display(description=_("payout time"), ordering="paid_at")
    def paid_shown(self, row: Payout) -> str:
        return moment(row.paid_at)

    @display(description="")
    def press(self, row: Payout) -> SafeString:
        url = reverse("admin:promises_payout_change", args=[row.pk])
        text = gettext("Settle") if row.open else gettext("Look")
        return format_html('<a class="sh-button sh-button--small" href="{}">{}</a>', url, text)


def difference_label(row: Payout) -> SafeString:
    """The kind of difference, grey where it was put aside."""
    if row.difference:
        kind = PayoutDifference(row.difference)
        return label(kind.label, TONES[kind] if row.open else "")
    if row.ours is None:
        return label(gettext("Nothing to compare"), "")
    return label(gettext("Agrees"), "success")


def paid_text(paid: Paid) -> str:
    """A claim or goodwill as a person tells it from the others."""
    if isinstance(paid, Claim):
        name = f"{paid.claim_no} {paid.get_promise_display()}"
    else:
        name = f"{paid.case.case_no} {paid.get_kind_display()}"
    return f"{name} · {yuan_text(amount_of(paid))}"


def paid_link(paid: Paid | None) -> SafeString | str:
    if paid is None:
        return "–"
    if isinstance(paid, Claim):
        url, text = reverse("admin:promises_claim_change", args=[paid.pk]), paid.claim_no
    else:
        url, text = reverse("admin:cases_case_change", args=[paid.case_id]), paid.case.case_no
    return format_html('<a class="sh-link sh-number" href="{}">{}</a>', url, text)


def _form(way: str, matter: Matter, data: Any = None) -> forms.Form:
    if way == Way.LINK:
        return LinkForm(data, matter)
    form = TextForm(data)
    form.fields["text"].required = way == Way.NOTE
    return form


def _rows(way: str, matter: Matter) -> list[Row]:
    """What the press will do, told before the button."""
    amount = yuan_text(matter.payout.amount)
    if way == Way.NOTE:
        return [(gettext("Afterwards"), gettext("Money stays as it is; your reason is kept."), "")]
    if way == Way.LINK:
        return [(gettext("Amount there"), amount, "strong")]
    claim = matter.claim
    if claim is not None and claim.amount == matter.payout.amount:
        steps = Claim.steps()
        names = "、".join(str(steps[name].label) for name in matter.steps)
        return [
            (gettext("Paid out of the deposit"), amount, "strong"),
            (gettext("Claim"), claim.claim_no, ""),
            (gettext("Steps"), names, ""),
        ]
    case = matter.case.case_no if matter.case else "–"
    return [(gettext("Goodwill booked on the case"), amount, "strong"), (gettext("Case"), case, "")]


def _sides(row: Payout) -> list[tuple[Any, Any, Any]]:
    """The two sides line by line: what, there, here."""
    paid = linked(row)
    at = None if paid is None else paid.granted_at if isinstance(paid, Claim) else paid.at
    return [
        (_("Number"), row.number or "–", paid_link(paid)),
        (_("Amount"), yuan_text(row.amount), yuan_text(row.ours)),
        (_("Payout time"), moment(row.paid_at) if row.number else "–", moment(at)),
        (_("Status"), row.word or (row.get_status_display() if row.number else "–"), "–"),
        (_("Payout reason"), row.reason or "–", paid_text(paid) if paid else "–"),
        (_("Text"), row.text or "–", "–"),
    ]
