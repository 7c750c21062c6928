"""The paper of an invoice in the admin: its way on the invoice's page, moving it, the list."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from cases.admin.filters import ChoiceFilter, ShopFilter
from cases.admin.scope import ReadOnly, ShopScoped
from cases.flow.door import Actor
from cases.looks import label, moment
from cases.panels import Panel
from invoices import panels
from invoices.admin import acts
from invoices.admin.acts import ActPage
from invoices.models import Invoice, Paper, Place, TreatmentKind, TreatmentState
from invoices.papers.custody import move_paper, paper_of, where_it_is
from invoices.papers.printing import stages

TONES: dict[str, str] = {
    Place.IN_TRANSIT_IN: "info",
    Place.RECEIVED: "warning",
    Place.HELD: "warning",
    Place.LENT: "primary",
    Place.IN_TRANSIT_OUT: "info",
    Place.LOST: "danger",
    Place.MISSING_AT_DOCK: "danger",
    Place.ARCHIVED: "success",
}


def _move(actor: Actor, invoice: Invoice, key: str | None, given: dict[str, Any]) -> object:
    return move_paper(actor, invoice, given["entered"], key=key)


acts.PAGES["move_paper"] = ActPage(
    _("Move the paper"),
    "invoices.move_paper",
    _move,
    _("From hand to hand: what is entered stays, and says who has it now."),
)
_BACK = Q(
    treatments__kind__in=[TreatmentKind.GIVE_BACK, TreatmentKind.HAND_BACK],
    treatments__state=TreatmentState.OPEN,
)
panels.TABS.append(panels.Tab("back", _("Paper to send back"), _BACK))


def of_invoice(request: HttpRequest, invoice: Invoice) -> list[Panel]:
    """Where the paper is, and how it came there; nothing where there is no paper."""
    if not invoice.is_paper or not invoice.is_blue:
        return []
    if not request.user.has_perm("invoices.view_paper"):
        return []
    paper = paper_of(invoice)
    moves = list(invoice.paper_moves.select_related("case", "by").order_by("-seq"))
    facts = {
        "stages": stages(invoice, paper),
        "where": where_it_is(paper),
        "tone": TONES.get(paper.place, ""),
        "moves": moves,
    }
    return [Panel("invoices/paper.html", facts)]


panels.OF_INVOICE.append(of_invoice)


class PlaceFilter(ChoiceFilter):
    title = _("place")
    parameter_name = column = "place"
    choices_of = Place.choices


@admin.register(Paper)
class PaperAdmin(ReadOnly, ShopScoped, ModelAdmin):
    """Papers that were ever moved: who has them."""

    list_display = [
        "invoice_shown", "place_shown", "holder", "holder_name", "waybill", "case_link", "since",
        "shop",
    ]  # fmt: skip
    list_display_links = None
    list_select_related = ["invoice", "case", "shop"]
    list_filter = [PlaceFilter, ShopFilter]
    search_fields = ["=invoice__number", "=waybill", "=case__case_no"]
    search_help_text = _("Invoice, waybill or case")
    list_fullwidth = True
    ordering = ["moved_at", "pk"]
    sortable_by = ["since"]

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": _("Papers of invoices"), **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[no-any-return]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A paper has no page of its own: it stands on its invoice's."""
        row = self.get_or_404(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:invoices_invoice_change", args=[row.invoice_id]))

    @display(description=_("invoice"))
    def invoice_shown(self, row: Paper) -> SafeString:
        url = reverse("admin:invoices_invoice_change", args=[row.invoice_id])
        return format_html('<a class="sh-number" href="{}">{}</a>', url, row.invoice)

    @display(description=_("place"))
    def place_shown(self, row: Paper) -> SafeString:
        return label(row.get_place_display(), TONES.get(row.place, ""))

    @display(description=_("case"))
    def case_link(self, row: Paper) -> SafeString | str:
        if row.case is None:
            return "–"
        url = reverse("admin:cases_case_change", args=[row.case_id])
        return format_html('<a class="sh-number" href="{}">{}</a>', url, row.case)

    @display(description=_("since"), ordering="moved_at")
    def since(self, row: Paper) -> str:
        return moment(row.moved_at)
