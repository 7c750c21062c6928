"""What cases ask of invoices, as a queue; each row leads to its invoice or ends with a reason."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from cases.admin.filters import ChoiceFilter, ShopFilter
from cases.admin.pages import Page
from cases.admin.scope import ReadOnly, ShopScoped, person
from cases.admin.steps import CHANNEL
from cases.flow.door import Actor, NotPermitted, perform
from cases.looks import countdown, now_of
from invoices.admin.looks import treatment_label
from invoices.forms import TreatmentForm
from invoices.models import Treatment, TreatmentKind, TreatmentState

#: Steps with a page.
STEPS = ("finish", "waive")


class KindFilter(ChoiceFilter):
    title = _("what is to be done")
    parameter_name = column = "kind"
    choices_of = TreatmentKind.choices


class StateFilter(ChoiceFilter):
    title = _("state")
    parameter_name = column = "state"
    choices_of = TreatmentState.choices


class Treatments(ChangeList):
    """The page is drawn for one moment; asking PostgreSQL's clock per row is a query each."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for row in self.result_list:
            row.looked_at = now_of(request)


@admin.register(Treatment)
class TreatmentAdmin(ReadOnly, ShopScoped, ModelAdmin):
    list_display = [
        "kind", "state_shown", "deadline", "invoice_link", "case_link", "order_link", "shop",
    ]  # fmt: skip
    list_select_related = ["invoice", "case", "order", "shop"]
    list_filter = [KindFilter, StateFilter, ShopFilter]
    search_fields = ["=invoice__number", "=case__case_no", "=order__order_no"]
    search_help_text = _("Invoice, case or order")
    list_fullwidth = True
    ordering = [F("due_at").asc(nulls_last=True), "-pk"]
    sortable_by = ["deadline"]

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.step_view)
        name = "invoices_treatment_do"
        return [path("<int:object_id>/do/<str:step>/", view, name=name), *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return Treatments

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": _("Invoices of cases"), **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[no-any-return]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A treatment has no page of its own: it stands on its invoice's."""
        row = self.get_or_404(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return HttpResponseRedirect(
            reverse("admin:invoices_invoice_change", args=[row.invoice_id])
            if row.invoice_id
            else reverse("admin:invoices_treatment_changelist")
        )

    def step_view(self, request: HttpRequest, object_id: int, step: str) -> HttpResponse:
        """``…/<pk>/do/<step>/``: done, or waived with a reason."""
        if step not in STEPS:
            raise Http404
        row = self.get_or_404(request, str(object_id), "invoice", "case", "shop")
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        actor, info = Actor.person(person(request), CHANNEL), Treatment.steps()[step]
        back = reverse("admin:invoices_invoice_change", args=[row.invoice_id])

        def go(form: Any, key: str | None) -> str:
            perform(actor, row, getattr(Treatment, step), key=key, **form.inputs())
            return back

        page = Page(
            title=str(info.label),
            form=TreatmentForm,
            go=go,
            back=back,
            done=gettext("%(no)s: “%(step)s” is done.") % {"no": row, "step": info.label},
            facts=[
                (gettext("Invoice"), str(row.invoice), ""),
                (gettext("What is to be done"), str(row.get_kind_display()), ""),
                (gettext("Case"), str(row.case or "–"), ""),
            ],
            obstacle=None
            if actor.may(Treatment, info)
            else NotPermitted(
                gettext("“%(step)s” is not among your duties.") % {"step": info.label}
            ),
            danger=info.danger,
        )
        return page.answer(self, request)

    @display(description=_("state"))
    def state_shown(self, row: Treatment) -> SafeString:
        return treatment_label(row)

    @display(description=_("deadline"), ordering=F("due_at").asc(nulls_last=True))
    def deadline(self, row: Treatment) -> SafeString:
        seen: Any = row
        return countdown(row.due_at, seen.looked_at)

    @display(description=_("invoice"))
    def invoice_link(self, row: Treatment) -> SafeString | str:
        return _link("invoices_invoice", row.invoice_id, row.invoice)

    @display(description=_("case"))
    def case_link(self, row: Treatment) -> SafeString | str:
        return _link("cases_case", row.case_id, row.case)

    @display(description=_("order"))
    def order_link(self, row: Treatment) -> SafeString | str:
        return _link("cases_order", row.order_id, row.order)


def _link(model: str, pk: int | None, text: object) -> SafeString | str:
    if pk is None:
        return "–"
    url = reverse(f"admin:{model}_change", args=[pk])
    return format_html('<a class="sh-number" href="{}">{}</a>', url, text)
