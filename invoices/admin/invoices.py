"""Invoices in the admin: the list with its queues, and everything about one of them on a page."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from cases.admin.exports import ExportPages
from cases.admin.filters import ChoiceFilter, ShopFilter
from cases.admin.scope import ReadOnly, ShopScoped, person, sees_money
from cases.admin.search import OneSearch, tidy
from cases.admin.sheets import SheetPages
from cases.files import response_for
from cases.looks import countdown, moment, now_of, yuan_text
from cases.models import Case, Order
from cases.panels import panels_of
from invoices import ledger, panels
from invoices.admin import acts
from invoices.admin.counts import ALL, invoice_counts
from invoices.admin.looks import blue_label, red_label, timeline, treatment_label
from invoices.admin.months import months_page
from invoices.models import (
    Invoice,
    InvoiceFile,
    InvoiceKind,
    RedRequest,
    Treatment,
    TreatmentState,
)
from invoices.models.quantity import shown
from invoices.panels import TABS
from invoices.sheets.facts import INVOICES
from invoices.showing import buyer_of


class KindFilter(ChoiceFilter):
    title = _("invoice kind")
    parameter_name = column = "kind"
    choices_of = InvoiceKind.choices


class DirectionFilter(ChoiceFilter):
    title = _("blue or red")
    parameter_name = column = "direction"
    choices_of = (("blue", _("Blue")), ("red", _("Red")))


class Queue(ChangeList):
    """The list narrowed to a tab; a search looks everywhere, whatever tab it was typed in."""

    def get_filters_params(self, params: Any = None) -> Any:
        lookups = super().get_filters_params(params)
        lookups.pop("tab", None)
        return lookups

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        slug = request.GET.get("tab", ALL)
        tab = next((t for t in TABS if t.slug == slug), None)
        if self.query or tab is None:
            return queryset
        narrowed = Invoice.objects.filter(tab.condition).order_by().values("pk")
        return queryset.filter(pk__in=narrowed)


def find_invoices(invoices: QuerySet[Any], term: str) -> list[int]:
    """Primary keys of the invoices a number, order, case, request or form belongs to."""
    term = tidy(term)
    if not term:
        return []
    requests = RedRequest.objects.filter(
        Q(request_no=term) | Q(serial=term) | Q(form_no=term)
    ).values("blue_id")
    orders = Order.objects.filter(
        Q(order_no=term) | Q(pk__in=Case.objects.filter(case_no=term).values("order_id"))
    )
    code, dash, number = term.rpartition("-")
    exact = Q(number=term) | Q(pk__in=requests) | Q(order_id__in=orders.values("pk"))
    if dash:
        exact |= Q(code=code, number=number)
    found = list(invoices.filter(exact).order_by().values_list("pk", flat=True)[:200])
    begins = invoices.filter(number__startswith=term)
    return found or list(begins.order_by().values_list("pk", flat=True)[:200])


@admin.register(Invoice)
class InvoiceAdmin(ExportPages, SheetPages, OneSearch, ReadOnly, ShopScoped, ModelAdmin):
    export_kind = INVOICES
    find = staticmethod(find_invoices)
    list_display = [
        "number_shown", "kind", "state_shown", "total", "reversed", "order_link", "buyer",
        "issued", "shop",
    ]  # fmt: skip
    list_select_related = ["standing", "order", "shop"]
    list_filter = [KindFilter, DirectionFilter, ShopFilter]
    list_before_template = "cases/tabs.html"
    search_fields = ["number"]
    search_help_text = _("Invoice, order, case, red request or form")
    list_fullwidth = True
    ordering = ["-issued_at", "-pk"]
    sortable_by = ["issued"]

    def get_urls(self) -> Any:
        wrap = self.admin_site.admin_view
        return [
            path("<int:object_id>/do/<str:verb>/", wrap(self.act_view), name="invoices_invoice_do"),
            path("issue/<int:order_id>/", wrap(self.issue_view), name="invoices_invoice_issue"),
            path("files/<int:file_id>/", wrap(self.file_view), name="invoices_invoice_file"),
            path("months/", wrap(self.months_view), name="invoices_invoice_months"),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return Queue

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("invoices.issue_invoice"))

    def get_list_display(self, request: HttpRequest) -> Any:
        names = super().get_list_display(request)
        if sees_money(request.user):
            return names
        return [name for name in names if name not in ("total", "reversed")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        term = request.GET.get("q", "").strip()
        if term and request.method == "GET" and not request.GET.get("p"):
            found = self.found(request, term)
            if len(found) == 1:
                return HttpResponseRedirect(reverse("admin:invoices_invoice_change", args=found))
        here, counts = request.GET.get("tab", ALL), invoice_counts(request)
        tabs: list[dict[str, Any]] = [
            {"slug": ALL, "label": _("All"), "count": None, "here": here == ALL}
        ]
        tabs += [
            {"slug": t.slug, "label": t.label, "count": counts[t.slug], "here": t.slug == here}
            for t in TABS
        ]
        context = {"queue_tabs": tabs, "title": _("Invoices"), **(extra_context or {})}
        return super().changelist_view(request, context)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Enter an invoice that was issued elsewhere."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return acts.enter_page(self, request)

    def issue_view(self, request: HttpRequest, order_id: int) -> HttpResponse:
        """Issue one on an order, drafted from what was paid."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        orders = Order.objects.visible_to(request.user).select_related("shop")
        order = orders.filter(pk=order_id).first()
        if order is None:
            raise Http404
        return acts.issue_page(self, request, order)

    def act_view(self, request: HttpRequest, object_id: int, verb: str) -> HttpResponse:
        """``…/<pk>/do/<verb>/``: what it does stands before the button."""
        if verb not in acts.PAGES:
            raise Http404
        invoice = self.get_or_404(request, str(object_id), "shop", "order", "standing", "blue")
        if not self.has_view_permission(request, invoice):
            raise PermissionDenied
        return acts.act_page(self, request, invoice, verb)

    def months_view(self, request: HttpRequest) -> HttpResponse:
        """Sales and reversals by month and rate."""
        return months_page(self, request)

    def file_view(self, request: HttpRequest, file_id: int) -> HttpResponseBase:
        """The file of an invoice to who may see the invoice."""
        row = InvoiceFile.objects.filter(pk=file_id).first()
        if row is None:
            raise Http404
        invoice = self.get_or_404(request, str(row.invoice_id))
        if not self.has_view_permission(request, invoice):
            raise PermissionDenied
        return response_for(row)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        invoice = self.get_or_404(request, object_id, "shop", "order", "standing", "blue")
        if not self.has_view_permission(request, invoice):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])  # what was issued is not edited
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": invoice,
            "title": str(invoice),
            **page_of(request, invoice),
        }
        return TemplateResponse(request, "invoices/invoice.html", context)

    @display(description=_("invoice no."), ordering="number")
    def number_shown(self, invoice: Invoice) -> SafeString:
        return format_html('<span class="sh-number">{}</span>', invoice)

    @display(description=_("state"))
    def state_shown(self, invoice: Invoice) -> SafeString:
        return blue_label(invoice)

    @display(description=_("total with tax"))
    def total(self, invoice: Invoice) -> str:
        return yuan_text(invoice.gross)

    @display(description=_("already red"))
    def reversed(self, invoice: Invoice) -> str:
        return yuan_text(invoice.standing.reversed_gross or None) if invoice.is_blue else "–"

    @display(description=_("order"))
    def order_link(self, invoice: Invoice) -> SafeString | str:
        if invoice.order is None:
            return "–"
        url = reverse("admin:cases_order_change", args=[invoice.order_id])
        return format_html('<a class="sh-number" href="{}">{}</a>', url, invoice.order.order_no)

    @display(description=_("buyer's name"))
    def buyer(self, invoice: Invoice) -> str:
        return buyer_of(invoice) or "–"

    @display(description=_("issued at"), ordering="issued_at")
    def issued(self, invoice: Invoice) -> str:
        return moment(invoice.issued_at)


def page_of(request: HttpRequest, invoice: Invoice) -> dict[str, Any]:
    """Everything the template shows; the number of queries does not depend on the rows."""
    now, money = now_of(request), sees_money(request.user)
    requests = list(
        invoice.red_requests.select_related("red", "case", "requested_by")
        .prefetch_related("parts__balance__line")
        .order_by("-pk")
    )
    treatments = list(
        invoice.treatments.select_related("case", "result", "invoice")
        .prefetch_related("lines__line")
        .order_by("-pk")
    )
    offered = acts.offered(person(request), invoice, requests, treatments)
    standing = invoice.standing if invoice.is_blue else None
    return {
        "invoice": invoice,
        "standing": standing,
        "money": money,
        "state": blue_label(invoice),
        "buyer": buyer_of(invoice),
        "total": yuan_text(invoice.gross) if money else "",
        "primary": offered[0] if offered and offered[0].primary else None,
        "others": [one for one in offered if not one.primary],
        "clock": _clock(requests, treatments, now),
        "lines": _lines(invoice),
        "sums": _sums(invoice) if money else [],
        "facts": _facts(invoice),
        "reds": list(invoice.reds.order_by("issued_at", "pk")) if invoice.is_blue else [],
        "requests": [_request(r, now) for r in requests],
        "treatments": [_treatment(request, t, now) for t in treatments],
        "files": list(invoice.files.all()),
        "timeline": timeline(invoice),
        "buttons": [button for show in panels.BUTTONS for button in show(request, invoice)],
        **panels_of(panels.OF_INVOICE, request, invoice),
    }


def _clock(requests: list[RedRequest], treatments: list[Treatment], now: Any) -> dict[str, Any]:
    """The first deadline that runs on this invoice, and whose it is."""
    # While a request runs, the treatment that made it waits for its end.
    asked = [(row.due_at, row.clock_on) for row in requests if row.due_at]
    running = asked or [(row.due_at, row.clock_on) for row in treatments if row.due_at]
    if not running:
        return {}
    due_at, clock_on = min(running)
    waits = clock_on == "buyer"
    return {
        "countdown": countdown(due_at, now),
        "due": moment(due_at),
        "who": gettext("The other party confirms") if waits else gettext("We act"),
    }


def _lines(invoice: Invoice) -> list[dict[str, Any]]:
    """What the paper says, line by line; of a blue one with what is reversed and left."""
    if not invoice.is_blue:
        rows = invoice.lines.order_by("line_no")
        return [_printed(x) for x in rows]
    return [
        {
            **_printed(b.line),
            "gross": yuan_text(b.gross),
            "tax": yuan_text(b.tax),
            "netted": b.gross != b.line.gross,
            "reversed": yuan_text(-b.reversed_gross) if b.reversed_gross else "–",
            "reversed_quantity": shown(b.reversed_quantity) if b.reversed_quantity else "",
            "is_red": bool(b.reversed_gross),
            "reserved": yuan_text(-b.reserved_gross) if b.reserved_gross else "",
            "left": yuan_text(ledger.left(b).gross),
            "left_quantity": shown(ledger.left(b).quantity) if b.quantity else "",
        }
        for b in ledger.look([invoice.pk]).of(invoice.pk)
    ]


def _printed(line: Any) -> dict[str, Any]:
    return {
        "row": line,
        "quantity": shown(line.quantity),
        "gross": yuan_text(line.gross),
        "tax": yuan_text(line.tax),
        "rate": gettext("exempt") if line.tax_rate == "exempt" else _percent(line.tax_rate),
    }


def _percent(rate: str) -> str:
    return f"{(100 * float(rate)):g}%"


def _sums(invoice: Invoice) -> list[tuple[str, str, str]]:
    rows = [
        (gettext("Amount without tax"), yuan_text(invoice.amount), ""),
        (gettext("Tax"), yuan_text(invoice.tax), ""),
        (gettext("Total with tax"), yuan_text(invoice.gross), "strong"),
    ]
    if invoice.is_blue:
        s = invoice.standing
        left = s.gross - s.reversed_gross - s.reserved_gross
        rows += [
            (
                gettext("Already red"),
                yuan_text(-s.reversed_gross),
                "late" if s.reversed_gross else "",
            ),
            (gettext("Spoken for by a request"), yuan_text(-s.reserved_gross), ""),
            (gettext("Left"), yuan_text(left), "strong"),
        ]
    return rows


def _facts(invoice: Invoice) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = [
        (gettext("Invoice kind"), invoice.get_kind_display()),
        (gettext("Issued at"), moment(invoice.issued_at)),
        (gettext("Seller's name"), f"{invoice.seller_name} {invoice.seller_tax_no}".strip()),
        (gettext("Buyer's name"), f"{buyer_of(invoice)} {invoice.buyer_tax_no}".strip()),
        (gettext("Remark"), invoice.remark),
    ]
    if invoice.is_blue:
        s = invoice.standing
        used = gettext("yes") if s.buyer_used else gettext("no")
        rows += [
            (gettext("Used by the buyer"), used),
            (gettext("In our books"), gettext("yes") if s.booked else ""),
            (gettext("Voided"), f"{moment(s.voided_at)} {s.void_reason}" if s.voided_at else ""),
        ]
    return [(name, value) for name, value in rows if value]


def _request(row: RedRequest, now: Any) -> dict[str, Any]:
    return {
        "row": row,
        "state": red_label(row),
        "gross": yuan_text(-row.gross),
        "tax": yuan_text(-row.tax),
        "countdown": countdown(row.due_at, now) if row.due_at else "",
        "parts": [
            (
                part.balance.line.line_no,
                shown(part.quantity) if part.quantity else "",
                yuan_text(-part.gross),
                yuan_text(-part.asked_gross) if row.whole_instead else "",
            )
            for part in row.parts.all()
        ],
    }


def _treatment(request: HttpRequest, row: Treatment, now: Any) -> dict[str, Any]:
    is_open = row.state == TreatmentState.OPEN
    return {
        "row": row,
        "state": treatment_label(row),
        "countdown": countdown(row.due_at, now) if row.due_at else "",
        "lines": [
            (x.line.line_no, shown(x.quantity) if x.quantity else "", yuan_text(x.gross))
            for x in row.lines.all()
        ],
        "steps": acts.treatment_steps(request, row) if is_open else [],
    }
