"""Orders in the admin: found by any number, read with masked data, and where cases are opened."""

import uuid
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from cases import panels, verbs
from cases.admin.exports import ExportPages
from cases.admin.filters import OrderedFilter, OrderStatusFilter, ShopFilter
from cases.admin.scope import ReadOnly, ShopScoped, person, sees_money
from cases.admin.search import OneSearch, find_orders
from cases.admin.sheets import SheetPages
from cases.admin.steps import CHANNEL, KEY, dress
from cases.flow.door import Actor, Refused, unit
from cases.forms import OpenCaseForm
from cases.looks import countdown, moment, now_of, span_in_words, state_label, yuan_text
from cases.models import Case, Order, OrderStatus, Reason, Reveal
from cases.models.money import ZERO
from cases.panels import panels_of
from cases.privacy import mask_address, mask_name, mask_phone
from cases.sheets.facts import ORDERS
from cases.windows import auto_confirm

#: The columns a person may ask to see in clear, one at a time.
REVEALABLE = {"receiver": _("Receiver"), "phone": _("Phone"), "address": _("Address")}
MASKS = {"receiver": mask_name, "phone": mask_phone, "address": mask_address}
STATUS_TONES = {
    OrderStatus.UNPAID: "default",
    OrderStatus.PAID: "warning",
    OrderStatus.SHIPPED: "info",
    OrderStatus.SIGNED: "primary",
    OrderStatus.FINISHED: "success",
    OrderStatus.CLOSED: "default",
}


class RevealForm(forms.Form):
    """Which datum, and why."""

    field = forms.ChoiceField(choices=list(REVEALABLE.items()))
    reason = forms.CharField(max_length=200, min_length=2)


def reveal(user: User, order: Order, name: str, reason: str) -> str:
    """One datum in clear, written down first; Refused above the day's limit."""
    limit = getattr(settings, "REVEALS_PER_DAY", 50)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    with unit():
        User.objects.select_for_update().get(pk=user.pk)  # two windows count as one person
        today = Reveal.objects.filter(user=user, at__gte=midnight).count()
        if today >= limit:
            raise Refused(
                gettext("You have seen %(limit)s data in clear today; that is the limit of a day.")
                % {"limit": limit},
                "not_permitted",
            )
        Reveal.objects.create(order=order, field=name, user=user, reason=reason)
    return str(getattr(order, name))


@admin.register(Order)
class OrderAdmin(ExportPages, SheetPages, OneSearch, ReadOnly, ShopScoped, ModelAdmin):
    find = staticmethod(find_orders)
    export_kind = ORDERS
    list_display = [
        "order_no",
        "shop",
        "status_shown",
        "paid",
        "refunded",
        "buyer",
        "waybill",
        "ordered",
        "finished",
    ]
    list_select_related = ["shop"]
    list_filter = [OrderStatusFilter, ShopFilter, OrderedFilter]
    search_fields = ["order_no"]
    search_help_text = _("Order, waybill, payment, case, phone or its last 4 digits, buyer, serial")
    list_fullwidth = True
    ordering = ["-pk"]
    sortable_by = ["order_no", "ordered"]

    def get_urls(self) -> Any:
        wrap = self.admin_site.admin_view
        return [
            path("<int:object_id>/open-case/", wrap(self.open_view), name="cases_order_open"),
            path("<int:object_id>/reveal/", wrap(self.reveal_view), name="cases_order_reveal"),
            *super().get_urls(),
        ]

    def get_actions(self, request: HttpRequest) -> Any:
        return {}  # orders are facts: nothing is done to many at once

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        if sees_money(request.user):
            return shown
        return [name for name in shown if name not in ("paid", "refunded")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        term = request.GET.get("q", "").strip()
        if term and request.method == "GET" and not request.GET.get("p"):
            found = self.found(request, term)
            if len(found) == 1:
                return HttpResponseRedirect(reverse("admin:cases_order_change", args=found))
        context = {"title": _("Orders"), **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        order = self.get_or_404(request, object_id, "shop")
        if not self.has_view_permission(request, order):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        return self._page(request, order)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        order = self.get_or_404(request, object_id)
        return HttpResponseRedirect(reverse("admin:cases_order_change", args=[order.pk]))

    def reveal_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """One datum in clear for this one answer: it stands in no address and no session."""
        order = self.get_or_404(request, str(object_id), "shop")
        if not request.user.has_perm("cases.reveal_order"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = RevealForm(request.POST)
        if not form.is_valid():
            messages.error(request, gettext("Say which datum you need and why."))
            return HttpResponseRedirect(reverse("admin:cases_order_change", args=[order.pk]))
        name = form.cleaned_data["field"]
        try:
            clear = reveal(person(request), order, name, form.cleaned_data["reason"])
        except Refused as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(reverse("admin:cases_order_change", args=[order.pk]))
        response = self._page(request, order, clear={name: clear})
        response["Cache-Control"] = "no-store, private"
        return response

    def open_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """An application is entered; the new case's page follows."""
        order = self.get_or_404(request, str(object_id), "shop")
        if not request.user.has_perm("cases.open_case_order"):
            raise PermissionDenied
        actor = Actor.person(person(request), CHANNEL)
        posted = request.method == "POST"
        data = request.POST if posted else None
        lines = self._lines(order)
        only = lines[0]["line"] if len(lines) == 1 and lines[0]["left"] == 1 else None
        initial = {"line": {only.pk: 1}} if only else {}
        form = OpenCaseForm(data, order=order, actor=actor, initial=initial)
        refusal = None
        given = request.POST.get("_key", "")
        key = given if KEY.match(given) else uuid.uuid4().hex
        if posted and form.is_valid():
            try:
                case = verbs.open_case(actor, order, key=f"open:{key}", **form.inputs())
            except Refused as error:
                refusal = error
            else:
                messages.success(request, gettext("Case %(case)s is open.") % {"case": case})
                return HttpResponseRedirect(reverse("admin:cases_case_change", args=[case.pk]))
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": order,
            "order": order,
            "title": _("Open a case"),
            "form": dress(form),
            "refusal": refusal,
            "key": key,
            "lines": lines,
            "reason_kinds": Reason.objects.filter(active=True).values_list("code", "kinds"),
            "money": sees_money(request.user),
            "back": reverse("admin:cases_order_change", args=[order.pk]),
        }
        return TemplateResponse(request, "cases/open_case.html", context)

    def _page(
        self, request: HttpRequest, order: Order, clear: dict[str, str] | None = None
    ) -> HttpResponse:
        request.current_app = self.admin_site.name
        now = now_of(request)
        cases = list(order.cases.select_related("reason", "owner").order_by("-pk"))
        money = sees_money(request.user)
        shown = clear or {}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": order,
            "order": order,
            "title": order.order_no,
            "money": money,
            "status": order.get_status_display(),
            "tone": STATUS_TONES.get(OrderStatus(order.status), ""),
            "sums": _sums(order) if money else [],
            "times": [*_times(order), *_auto_confirm(order, cases, now)],
            "lines": self._lines(order),
            "payments": list(order.payments.all()) if money else [],
            "external": list(order.external_refunds.all()) if money else [],
            "parcels": list(order.parcels.select_related("case").order_by("pk")),
            "cases": [
                (case, state_label(str(case.state)), countdown(case.due_at, now)) for case in cases
            ],
            "personal": [
                (name, text, shown.get(name) or MASKS[name](getattr(order, name)), name in shown)
                for name, text in REVEALABLE.items()
                if getattr(order, name)
            ],
            **panels_of(panels.OF_ORDER, request, order),
            "may_reveal": request.user.has_perm("cases.reveal_order"),
            "may_open": request.user.has_perm("cases.open_case_order"),
            "open_url": reverse("admin:cases_order_open", args=[order.pk]),
            "reveal_url": reverse("admin:cases_order_reveal", args=[order.pk]),
        }
        return TemplateResponse(request, "cases/order.html", context)

    @staticmethod
    def _lines(order: Order) -> list[dict[str, Any]]:
        return [
            {
                "line": line,
                "left": line.quantity_left,
                "paid": yuan_text(line.paid_amount),
                "refunded": yuan_text(line.refunded),
                "refundable": yuan_text(line.refundable),
                "promises": line.promises.replace(";", "、"),
            }
            for line in order.lines.order_by("line_no")
        ]

    @display(description=_("status"), label={str(s): tone for s, tone in STATUS_TONES.items()})
    def status_shown(self, order: Order) -> tuple[str, str]:
        return order.status, str(OrderStatus(order.status).label)

    @display(description=_("paid"))
    def paid(self, order: Order) -> str:
        return yuan_text(order.paid_amount)

    @display(description=_("reported refunds"))
    def refunded(self, order: Order) -> str:
        return yuan_text(order.reported_refunded) if order.reported_refunded else "–"

    @display(description=_("ordered"), ordering="ordered_at")
    def ordered(self, order: Order) -> str:
        return moment(order.ordered_at)

    @display(description=_("finished"))
    def finished(self, order: Order) -> str:
        return moment(order.finished_at)


def _sums(order: Order) -> list[tuple[str, str, str]]:
    lines = order.lines.all()
    goods = sum((x.refunded for x in lines), ZERO)
    rows = [
        (gettext("Paid"), yuan_text(order.paid_amount), "strong"),
        (gettext("of it freight"), yuan_text(order.freight_paid), ""),
        (gettext("Refunded by cases"), yuan_text(goods + order.freight_refunded), ""),
        (gettext("Refunds in the platform's report"), yuan_text(order.reported_refunded), ""),
    ]
    if order.external_refunded:
        rows.append((gettext("of it unexplained"), yuan_text(order.external_refunded), "late"))
    return rows


def _auto_confirm(order: Order, cases: list[Case], now: datetime) -> list[tuple[str, str]]:
    found = auto_confirm(order, cases, now)
    if found is None:
        return []
    name = gettext("Confirms by itself")
    if found.due_at is None:
        left = gettext("stopped by an open case, %(time)s left")
        return [(name, left % {"time": span_in_words(found.left)})]
    return [(name, moment(found.due_at))]


def _times(order: Order) -> list[tuple[str, str]]:
    rows = [
        (gettext("Ordered at"), order.ordered_at),
        (gettext("Paid at"), order.paid_at),
        (gettext("Ship by"), order.ship_by),
        (gettext("Shipped at"), order.shipped_at),
        (gettext("Promised arrival"), order.promised_arrival),
        (gettext("Signed for at"), order.signed_at),
        (gettext("Finished at"), order.finished_at),
    ]
    return [(name, moment(at)) for name, at in rows if at]
