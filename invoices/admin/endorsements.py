"""Endorsements in the admin: the chain on the invoice's page, entering, reviewing, the list."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
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
from cases.panels import Panel
from invoices import panels
from invoices.admin import acts
from invoices.admin.acts import ActPage
from invoices.models import Endorsement, Invoice, TreatmentKind, Where
from invoices.papers import endorsing
from invoices.papers.showing import extensions_of


def _endorse(actor: Actor, invoice: Invoice, key: str | None, given: dict[str, Any]) -> object:
    return endorsing.endorse(actor, invoice, given["entered"], key=key)


def _review(actor: Actor, invoice: Invoice, _key: str | None, given: dict[str, Any]) -> object:
    row = endorsing.last_of(invoice, given.get("number", ""))
    return endorsing.review(actor, row)


acts.PAGES["endorse"] = ActPage(
    _("Endorse the exchange"),
    "invoices.endorse",
    _endorse,
    _("Same model, price and tax class: the invoice stays, the warranty runs anew."),
)
acts.PAGES["review_endorsement"] = ActPage(
    _("Review the endorsement"),
    "invoices.review_endorsement",
    _review,
    _("Another than who made it has looked at it."),
)
panels.TABS.append(panels.Tab("endorse", _("To endorse"), panels.treated(TreatmentKind.ENDORSE)))


def of_invoice(request: HttpRequest, invoice: Invoice) -> list[Panel]:
    """The links of every chain, and what repairs add to the warranty."""
    if not request.user.has_perm("invoices.view_endorsement"):
        return []
    rows = list(
        invoice.endorsements.select_related("case", "line", "operator", "review__by").order_by(
            "unit_id", "seq"
        )
    )
    extensions = extensions_of(invoice) if invoice.is_blue else []
    if not rows and not extensions:
        return []
    return [Panel("invoices/endorsements.html", {"rows": rows, "extensions": extensions})]


panels.OF_INVOICE.append(of_invoice)


class WhereFilter(ChoiceFilter):
    title = _("place of the endorsement")
    parameter_name = column = "where"
    choices_of = Where.choices


@admin.register(Endorsement)
class EndorsementAdmin(ReadOnly, ShopScoped, ModelAdmin):
    list_display = [
        "number", "invoice_shown", "old_serial", "new_serial", "exchanged_on", "where", "operator",
        "reviewer", "voucher", "shop",
    ]  # fmt: skip
    list_display_links = None
    list_select_related = ["invoice", "operator", "review__by", "shop"]
    list_filter = [WhereFilter, ShopFilter]
    search_fields = ["=number", "=old_serial", "=new_serial", "=invoice__number", "=case__case_no"]
    search_help_text = _("Endorsement, serial number, invoice or case")
    list_fullwidth = True
    ordering = ["-pk"]
    sortable_by: list[str] = []

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": _("Endorsements"), **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[no-any-return]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """An endorsement has no page of its own: it stands on its invoice's."""
        row = self.get_or_404(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:invoices_invoice_change", args=[row.invoice_id]))

    @display(description=_("invoice"))
    def invoice_shown(self, row: Endorsement) -> SafeString:
        url = reverse("admin:invoices_invoice_change", args=[row.invoice_id])
        return format_html('<a class="sh-number" href="{}">{}</a>', url, row.invoice)

    @display(description=_("reviewer"))
    def reviewer(self, row: Endorsement) -> str:
        return str(row.review.by) if hasattr(row, "review") else "–"

    @display(description=_("voucher"))
    def voucher(self, row: Endorsement) -> SafeString:
        url = reverse("admin:invoices_printjob_one", args=["vouchers", row.pk])
        return format_html('<a class="sh-link" href="{}">{}</a>', url, _("Print"))
