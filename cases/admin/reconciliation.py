"""What differs between the platforms' sheets and us: a queue with one press per row."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
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

from cases.admin.consequences import Row, next_rows
from cases.admin.counts import GROUPS, counted, group_counts
from cases.admin.filters import DaysFilter, KindFilter, ShopFilter
from cases.admin.scope import ReadOnly, ShopScoped, person, sees_money
from cases.admin.search import OneSearch, tidy
from cases.admin.steps import CHANNEL, dress
from cases.flow import clock
from cases.flow.door import Actor, Refused
from cases.looks import STATES, label, moment, now_of, state_label, yuan_text
from cases.models import Case, Difference, Kind, Order, OrderLine, PlatformRecord, Reason
from cases.models.money import ZERO
from cases.reconciling import (
    ADOPT,
    EXPLAIN,
    EXTERNAL,
    OPEN_CASE,
    PERMISSION,
    WAYS,
    Choice,
    Matter,
    matter_of,
    reason_of,
    settle,
    settle_many,
    steps_of,
    usual_kind,
    ways_of,
)

TONES = {
    Difference.REFUNDED_THERE: "danger",
    Difference.REFUNDED_HERE: "danger",
    Difference.AMOUNT: "warning",
    Difference.STATE: "info",
}
WAY_NAMES: dict[str, Promise] = {
    ADOPT: _("Adopt the platform's outcome"),
    OPEN_CASE: _("Open a case from it"),
    EXTERNAL: _("Take over as an external refund"),
    EXPLAIN: _("Put aside as explained"),
}
WAITING, EXPLAINED, EVERYTHING = "waiting", "explained", "all"
#: So many at once: each goes through the door by itself.
MOST = 300


def difference_counts(request: HttpRequest) -> dict[str, int]:
    """How many differences of each kind wait in this person's shops."""
    found = group_counts(request)["difference"]
    known = {str(kind): found[str(kind)] for kind in Difference}
    return {WAITING: sum(known.values()), **known}


def _by_difference(request: HttpRequest) -> list[Any]:
    if not request.user.has_perm("cases.view_platformrecord"):
        return []
    rows = PlatformRecord.objects.visible_to(request.user).waiting()
    return [counted("difference", rows, F("difference"))]


GROUPS.append(_by_difference)


class ToldFilter(DaysFilter):
    title = _("told")
    column = "told_at"


class Differences(ChangeList):
    """The list narrowed to a tab; a search looks everywhere, whatever tab it was typed in."""

    def get_filters_params(self, params: Any = None) -> Any:
        lookups = super().get_filters_params(params)
        lookups.pop("tab", None)
        return lookups

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        queryset = super().get_queryset(request, exclude_parameters)
        return queryset if self.query else narrow(queryset, request.GET.get("tab", WAITING))


def narrow(queryset: QuerySet[Any], tab: str) -> QuerySet[Any]:
    """The records of one tab; an unknown word is the first tab."""
    if tab == EVERYTHING:
        return queryset
    if tab == EXPLAINED:
        return queryset.exclude(explained="")
    rows = queryset.filter(open=True)
    return rows.filter(difference=tab) if tab in Difference.values else rows


class TextForm(forms.Form):
    """Why, in the person's own words."""

    text = forms.CharField(max_length=300, required=False, label=_("reason"))


class OpenForm(TextForm):
    """What the platform's record may not say of the case that is opened."""

    kind = forms.ChoiceField(label=_("kind"), choices=[("", "—"), *Kind.choices])
    reason = forms.ModelChoiceField(Reason.objects.none(), label=_("reason"))
    line = forms.ModelChoiceField(OrderLine.objects.none(), label=_("order line"))
    field_order = ["kind", "reason", "line", "text"]

    def __init__(self, data: Any, matter: Matter) -> None:
        record, order = matter.record, matter.order
        lines = list(order.lines.all())
        only = lines[0].pk if len(lines) == 1 else None
        initial = {
            "kind": record.kind or (usual_kind(order) if record.is_of_order else ""),
            "reason": reason_of(record).pk,
            "line": record.line_id or only,
        }
        super().__init__(data, initial=initial)
        choose: Any = self.fields["reason"]
        choose.queryset = Reason.objects.filter(active=True)
        choose = self.fields["line"]
        choose.queryset = order.lines.all()
        choose.label_from_instance = _line_text
        self.fields["text"].label = _("note")


def _line_text(line: OrderLine) -> str:
    paid = yuan_text(line.paid_amount)
    return f"{line.line_no} · {line.title or line.sku} × {line.quantity} · {paid}"


@dataclass(frozen=True)
class Press:
    """One way to settle, with its form and what it will do."""

    way: str
    label: str | Promise
    form: forms.Form
    rows: list[Row]


@admin.register(PlatformRecord)
class PlatformRecordAdmin(OneSearch, ReadOnly, ShopScoped, ModelAdmin):
    list_display = [
        "difference_shown",
        "order_and_case",
        "number_shown",
        "theirs",
        "ours_shown",
        "states",
        "told",
        "press",
    ]
    list_display_links = ["difference_shown"]
    list_select_related = ["order", "case"]
    list_filter = [ShopFilter, KindFilter, ToldFilter]
    list_before_template = "cases/tabs.html"
    list_fullwidth = True
    list_filter_sheet = True
    search_fields = ["number"]
    search_help_text = _("Order, case, or the platform's number")
    ordering = ["-told_at", "-pk"]
    sortable_by = ["told"]

    @staticmethod
    def find(rows: QuerySet[Any], term: str, /) -> list[int]:
        """Primary keys of the records an order, a case or a platform's number belongs to."""
        term = tidy(term)
        orders = Order.objects.filter(order_no=term).values("pk")
        cases = Case.objects.filter(case_no=term).values("pk")
        parts = [
            rows.filter(number=term),
            rows.filter(order_id__in=orders),
            rows.filter(case_id__in=cases),
        ]
        first, *others = (part.order_by().values_list("pk", flat=True) for part in parts)
        return sorted(first.union(*others)[:200])

    def get_urls(self) -> Any:
        wrap = self.admin_site.admin_view
        return [
            path("bulk/<str:way>/", wrap(self.bulk_view), name="cases_platformrecord_bulk"),
            path(
                "<int:object_id>/settle/",
                wrap(self.settle_view),
                name="cases_platformrecord_settle",
            ),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return Differences

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        if sees_money(request.user):
            return shown
        return [name for name in shown if name not in ("theirs", "ours_shown")]

    def get_actions(self, request: HttpRequest) -> Any:
        if "_popup" in request.GET or not request.user.has_perm(PERMISSION):
            return {}
        return {f"do_{way}": (_chosen(way), f"do_{way}", str(WAY_NAMES[way])) for way in WAYS}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        here = request.GET.get("tab", WAITING)
        counts = difference_counts(request)
        tabs: list[tuple[str, Any, int | None]] = [(WAITING, _("All open"), counts[WAITING])]
        tabs += [(str(kind), kind.label, counts[str(kind)]) for kind in Difference]
        tabs += [(EXPLAINED, _("Explained"), None), (EVERYTHING, _("All records"), None)]
        context = {
            "title": _("Reconciliation with the platform"),
            "queue_tabs": [
                {"slug": slug, "label": name, "count": count, "here": slug == here}
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
        record = self.get_or_404(request, object_id, "order", "shop", "line")
        if not self.has_view_permission(request, record):
            raise PermissionDenied
        return self._page(request, record)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        record = self.get_or_404(request, object_id)
        return HttpResponseRedirect(reverse("admin:cases_platformrecord_change", args=[record.pk]))

    def settle_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Acts on POST; asked for otherwise it leads to the record's page."""
        record = self.get_or_404(request, str(object_id), "order", "shop", "line")
        if request.method != "POST":
            page = reverse("admin:cases_platformrecord_change", args=[record.pk])
            return HttpResponseRedirect(page)
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        way = request.POST.get("way", "")
        if way not in WAYS:
            raise Http404
        form = _form(way, matter_of(record), request.POST)
        if not form.is_valid():
            return self._page(request, record, entered=(way, form))
        try:
            settle(Actor.person(person(request), CHANNEL), record.pk, way, _choice(form))
        except Refused as refusal:
            record = self.get_or_404(request, str(object_id), "order", "shop", "line")
            return self._page(request, record, entered=(way, form), refusal=refusal)
        said = {"number": record.number or record.order.order_no, "way": WAY_NAMES[way]}
        messages.success(request, gettext("%(number)s: “%(way)s” is done.") % said)
        query = f"?tab={record.difference}" if record.difference else ""
        return HttpResponseRedirect(reverse("admin:cases_platformrecord_changelist") + query)

    def _page(
        self,
        request: HttpRequest,
        record: PlatformRecord,
        *,
        entered: tuple[str, forms.Form] | None = None,
        refusal: Refused | None = None,
    ) -> HttpResponse:
        matter, user = matter_of(record), person(request)
        actor = Actor.person(user, CHANNEL)
        presses = []
        with clock.standing_at(now_of(request)):
            for way in ways_of(actor, matter):
                known = entered is not None and entered[0] == way
                form = entered[1] if entered and known else _form(way, matter)
                presses.append(Press(way, WAY_NAMES[way], dress(form), _rows(way, matter, user)))
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": record,
            "record": record,
            "matter": matter,
            "title": _("Reconciliation with the platform"),
            "difference": difference_label(record),
            "sides": _sides(matter, money=sees_money(user)),
            "presses": presses,
            "refusal": refusal,
            "explanations": record.explanations.select_related("by"),
            "back": reverse("admin:cases_platformrecord_changelist"),
        }
        return TemplateResponse(request, "cases/platform_record.html", context)

    def bulk_view(self, request: HttpRequest, way: str) -> HttpResponse:
        """``…/bulk/<way>/``: acts on POST only; asked for otherwise it leads back to the list."""
        back = reverse("admin:cases_platformrecord_changelist")
        if way not in WAYS:
            raise Http404
        if request.method != "POST":
            return HttpResponseRedirect(back)
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        pks = _numbers(request.POST.getlist("pk"))[:MOST]
        actor, text = Actor.person(person(request), CHANNEL), request.POST.get("text", "")
        done, refused = settle_many(actor, pks, way, text)
        known = {row.pk: row for row in self._rows_of(request, pks)}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": WAY_NAMES[way],
            "done": [known[row.pk] for row in done if row.pk in known],
            "refused": [(known.get(pk), pk, refusal.message) for pk, refusal in refused],
            "summary": gettext("%(done)s done, %(refused)s refused")
            % {"done": len(done), "refused": len(refused)},
            "back": back,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "cases/platform_bulk_done.html", context)

    def confirm(self, request: HttpRequest, way: str, pks: list[int]) -> HttpResponse:
        """The page between choosing and doing: which records, and what will be done."""
        rows = self._rows_of(request, pks[:MOST])
        waiting = [row for row in rows if row.open]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": WAY_NAMES[way],
            "way": way,
            "help": WAY_HELP[way],
            "rows": [(row, difference_label(row)) for row in rows],
            "pks": [row.pk for row in rows],
            "waiting": len(waiting),
            "chosen": len(rows),
            "theirs": yuan_text(sum((row.refunded or ZERO for row in waiting), ZERO)),
            "money": sees_money(request.user),
            "too_many": len(pks) > MOST,
            "most": MOST,
            "form": dress(_text_form(way)),
            "back": reverse("admin:cases_platformrecord_changelist"),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "cases/platform_bulk.html", context)

    def _rows_of(self, request: HttpRequest, pks: Iterable[int]) -> list[PlatformRecord]:
        rows = self.get_queryset(request).filter(pk__in=list(pks))
        return list(rows.select_related("order", "case").order_by("-told_at", "-pk"))

    @display(description=_("difference"))
    def difference_shown(self, row: PlatformRecord) -> SafeString:
        return difference_label(row)

    @display(description=_("order and case"))
    def order_and_case(self, row: PlatformRecord) -> SafeString:
        url = reverse("admin:cases_order_change", args=[row.order_id])
        shown = format_html('<a class="sh-number" href="{}">{}</a>', url, row.order.order_no)
        if row.case is None:
            return shown
        url = reverse("admin:cases_case_change", args=[row.case_id])
        linked = '{}<br><a class="sh-number sh-small" href="{}">{}</a>'
        return format_html(linked, shown, url, row.case.case_no)

    @display(description=_("platform's no."))
    def number_shown(self, row: PlatformRecord) -> Any:
        return row.number or _("Order report")

    @display(description=_("amount there"))
    def theirs(self, row: PlatformRecord) -> str:
        asked = row.difference == Difference.AMOUNT and row.refunded is None
        return yuan_text(row.requested if asked else row.refunded)

    @display(description=_("amount here"))
    def ours_shown(self, row: PlatformRecord) -> str:
        return yuan_text(row.ours)

    @display(description=_("state there and here"))
    def states(self, row: PlatformRecord) -> Any:
        there = row.word or STATES.get(row.state, "–")
        if row.case is None:
            return there
        return format_html("{}<br>{}", there, state_label(str(row.case.state)))

    @display(description=_("told"), ordering=F("told_at"))
    def told(self, row: PlatformRecord) -> str:
        return moment(row.told_at)

    @display(description="")
    def press(self, row: PlatformRecord) -> SafeString:
        url = reverse("admin:cases_platformrecord_change", args=[row.pk])
        text = gettext("Settle") if row.open else gettext("Look")
        return format_html('<a class="sh-button sh-button--small" href="{}">{}</a>', url, text)


WAY_HELP: dict[str, Promise] = {
    ADOPT: _("Each case takes the step that leads to where the platform is, with its amount."),
    OPEN_CASE: _("Each record without a case becomes one, with the platform's kind and amount."),
    EXTERNAL: _("The refunds count on their orders as made by the platform, outside our cases."),
    EXPLAIN: _("Nothing changes; a difference comes back when either side says something new."),
}


def _chosen(way: str) -> Any:
    def action(
        model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        if request.POST.get("select_across") == "1":
            pks = list(queryset.values_list("pk", flat=True)[: MOST + 1])
        else:
            pks = _numbers(request.POST.getlist("_selected_action"))
        response: HttpResponse = model_admin.confirm(request, way, pks)
        return response

    return action


def _numbers(words: list[str]) -> list[int]:
    return [int(word) for word in words if word.isdigit() and len(word) < 19]


def difference_label(row: PlatformRecord) -> SafeString:
    """The kind of difference, grey where it was explained."""
    if not row.difference:
        return label(gettext("Agrees"), "success")
    name = Difference(row.difference).label
    return label(name, TONES[Difference(row.difference)] if row.open else "")


def _form(way: str, matter: Matter, data: Any = None) -> forms.Form:
    return OpenForm(data, matter) if way == OPEN_CASE else _text_form(way, data)


def _text_form(way: str, data: Any = None) -> forms.Form:
    form = TextForm(data)
    form.fields["text"].required = way == EXPLAIN
    if way != EXPLAIN:
        form.fields["text"].label = _("note")
    return form


def _choice(form: forms.Form) -> Choice:
    return Choice(**{name: value for name, value in form.cleaned_data.items() if value})


def _sides(matter: Matter, *, money: bool) -> list[tuple[Any, Any, Any]]:
    """The two sides line by line: what, there, here."""
    record, case = matter.record, matter.case
    rows: list[tuple[Any, Any, Any]] = [
        (_("Number"), record.number or _("Order report"), _case_link(case)),
        (_("Kind"), record.get_kind_display() or "–", case.get_kind_display() if case else "–"),
        (
            _("State"),
            record.word or STATES.get(record.state, "–"),
            state_label(str(case.state)) if case else "–",
        ),
    ]
    if money:
        asked = case.amount_requested + case.freight_requested if case else None
        rows += [
            (_("Asked for"), yuan_text(record.requested), yuan_text(asked)),
            (_("Refunded"), yuan_text(record.refunded), yuan_text(_refunded_here(matter))),
        ]
    rows += [
        (_("Applied at"), moment(record.applied_at), moment(case.applied_at if case else None)),
        (_("Ended at"), moment(record.ended_at), moment(case.finished_at if case else None)),
    ]
    return rows


def _refunded_here(matter: Matter) -> Any:
    if matter.record.is_of_order:
        return matter.record.ours
    return matter.case.refunded if matter.case else None


def _case_link(case: Case | None) -> Any:
    if case is None:
        return _("no case")
    url = reverse("admin:cases_case_change", args=[case.pk])
    return format_html('<a class="sh-link sh-number" href="{}">{}</a>', url, case.case_no)


def _rows(way: str, matter: Matter, user: Any) -> list[Row]:
    """What the press will do, told before the button."""
    amount = yuan_text(matter.amount) if sees_money(user) else "–"
    if way == EXPLAIN:
        return [Row(_("Afterwards"), gettext("Money and states stay as they are."))]
    if way == EXTERNAL:
        return [
            Row(_("Counts as refunded by the platform"), amount, "strong"),
            Row(_("Afterwards"), gettext("No case is opened; the order's refunds include it.")),
        ]
    rows = [Row(_("Refund booked as made by the platform"), amount, "strong")]
    if matter.amount <= 0:
        rows = [Row(_("Refund"), gettext("No money moves."))]
    if way == OPEN_CASE:
        state = STATES["completed" if matter.amount > 0 else matter.record.state]
        return [*rows, Row(_("The new case is"), str(state))]
    steps = Case.steps()
    names = steps_of(matter)
    rows.append(Row(_("Steps"), "、".join(str(steps[name].label) for name in names)))
    if matter.case and names == ["record_platform_outcome"]:
        ended = "closed" if matter.record.outcome == "closed" else "completed"
        return [*rows, Row(_("Afterwards"), str(STATES[ended]))]
    if matter.case and len(names) == 1:
        rows += next_rows(matter.case, steps[names[0]], user)
    return rows
