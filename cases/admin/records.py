"""What the house wrote by itself, read only: refunds, notices, events, evidence, parcels."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from cases.admin.filters import (
    CaseShopFilter,
    ChoiceFilter,
    OpenDifferenceFilter,
    OrderShopFilter,
)
from cases.admin.scope import ReadOnly, ShopScoped
from cases.admin.timeline import who_acted
from cases.files import response_for
from cases.looks import SIDES, STATES, label, moment, yuan_text
from cases.models import (
    Approval,
    Case,
    CaseEvent,
    Compensation,
    Evidence,
    ExternalRefund,
    Mediation,
    Note,
    Notice,
    Parcel,
    Refund,
    Reveal,
)
from cases.opening import OPENING


class OfCase(ReadOnly, ShopScoped, ModelAdmin):
    """Rows that belong to a case; each leads to its page."""

    shop_path = "case__shop"
    list_select_related = ["case"]
    ordering = ["-pk"]

    @display(description=_("case"))
    def case_link(self, row: Any) -> SafeString:
        url = reverse("admin:cases_case_change", args=[row.case_id])
        return format_html('<a class="sh-number" href="{}">{}</a>', url, row.case.case_no)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        cases = Case.objects.filter(case_no=term) | Case.objects.filter(order__order_no=term)
        found = queryset.filter(case__in=cases.values("pk"))
        for name in self.search_fields[1:]:
            found = found | queryset.filter(**{name: term})
        return found, False


class RefundStateFilter(ChoiceFilter):
    title = _("state")
    parameter_name = column = "state"
    choices_of = Refund.State.choices


@admin.register(Refund)
class RefundAdmin(OfCase):
    """Also the work list of payouts that failed."""

    list_display = [
        "number",
        "case_link",
        "state_shown",
        "total",
        "method",
        "attempts",
        "failure",
        "since",
        "paid",
    ]
    list_filter = [RefundStateFilter, CaseShopFilter]
    search_fields = ["case__case_no", "number", "reference", "platform_number"]
    readonly_fields = ["state"]

    @display(
        description=_("state"), label={"due": "primary", "failed": "danger", "paid": "success"}
    )
    def state_shown(self, row: Refund) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description=_("amount"))
    def total(self, row: Refund) -> str:
        return yuan_text(row.amount + row.freight)

    @display(description=_("due since"))
    def since(self, row: Refund) -> str:
        return moment(row.at)

    @display(description=_("paid at"))
    def paid(self, row: Refund) -> str:
        return moment(row.paid_at)


class NoticeKindFilter(ChoiceFilter):
    title = _("kind")
    parameter_name = column = "kind"
    choices_of = Notice.Kind.choices


class SeenFilter(admin.SimpleListFilter):
    title = _("seen")
    parameter_name = "seen"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", str(_("Not yet"))), ("yes", str(_("Seen")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(seen_at__isnull=value == "no") if value else queryset


@admin.register(Notice)
class NoticeAdmin(OfCase):
    list_display = [
        "when",
        "kind",
        "case_link",
        "state_of_case",
        "side_shown",
        "text",
        "due",
        "seen",
    ]
    list_display_links = None
    list_filter = [SeenFilter, NoticeKindFilter, CaseShopFilter]
    search_fields = ["case__case_no"]
    actions = ["mark_seen"]

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_see_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # An auditor reads all and changes nothing.
        return request.user.has_perm("cases.add_note_case")

    @action(description=_("Mark as seen"), permissions=["see"])
    def mark_seen(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = queryset.filter(seen_at=None).update(seen_at=timezone.now())
        text = ngettext("%(n)s notice marked as seen.", "%(n)s notices marked as seen.", count)
        messages.success(request, text % {"n": count})

    @display(description=_("at"), ordering="pk")
    def when(self, row: Notice) -> str:
        return moment(row.at)

    @display(description=_("state"))
    def state_of_case(self, row: Notice) -> Any:
        return STATES.get(str(row.case.state), "")

    @display(description=_("for"))
    def side_shown(self, row: Notice) -> Any:
        return SIDES.get(row.side, row.side or "–")

    @display(description=_("due"))
    def due(self, row: Notice) -> str:
        return moment(row.due_at)

    @display(description=_("seen"))
    def seen(self, row: Notice) -> str:
        return moment(row.seen_at)


@admin.register(CaseEvent)
class EventAdmin(OfCase):
    """Append-only: the database itself refuses changes."""

    list_display = [
        "when",
        "case_link",
        "verb_shown",
        "from_state",
        "to_state",
        "who",
        "late_shown",
    ]
    list_display_links = None
    list_select_related = ["case", "user"]
    list_filter = [CaseShopFilter]
    search_fields = ["case__case_no"]
    # The raw inputs may hold amounts: they are told on the case's page, to who may see them.
    fields = ["case", "seq", "at", "recorded_at", "verb_shown", "from_state", "to_state", "who"]

    @display(description=_("at"), ordering="pk")
    def when(self, row: CaseEvent) -> str:
        return moment(row.at)

    @display(description=_("step"))
    def verb_shown(self, row: CaseEvent) -> str:
        info = Case.steps().get(row.verb) or OPENING.get(row.verb)
        return str(info.label) if info else row.verb

    @display(description=_("deadline"))
    def late_shown(self, row: CaseEvent) -> str:
        return label(_("Missed"), "danger") if row.late else "–"

    @display(description=_("from"))
    def from_state(self, row: CaseEvent) -> Any:
        return STATES.get(row.source, "–")

    @display(description=_("to"))
    def to_state(self, row: CaseEvent) -> Any:
        return STATES.get(row.target, "–")

    @display(description=_("who"))
    def who(self, row: CaseEvent) -> str:
        return who_acted(row)


@admin.register(Evidence)
class EvidenceAdmin(OfCase):
    list_display = ["name", "case_link", "party", "kind_shown", "size", "when"]
    search_fields = ["case__case_no"]
    list_filter = [CaseShopFilter]
    fields = ["case", "party", "kind_shown", "mime", "original_name", "size", "at", "by"]

    def get_urls(self) -> Any:
        wrap = self.admin_site.admin_view
        return [
            path("<int:object_id>/file/", wrap(self.file_view), name="cases_evidence_file"),
            *super().get_urls(),
        ]

    def file_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The file itself; its place on the disk has no address of its own."""
        row = self.get_or_404(request, str(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        response: Any = response_for(row)
        return response  # type: ignore[no-any-return]

    @display(description=_("kind of file"), ordering="kind")
    def kind_shown(self, row: Evidence) -> str:
        return row.kind_in_words

    @display(description=_("file"))
    def name(self, row: Evidence) -> SafeString:
        url = reverse("admin:cases_evidence_file", args=[row.pk])
        return format_html('<a href="{}">{}</a>', url, str(row))

    @display(description=_("at"), ordering="pk")
    def when(self, row: Evidence) -> str:
        return moment(row.at)


@admin.register(Parcel)
class ParcelAdmin(ReadOnly, ShopScoped, ModelAdmin):
    shop_path = "order__shop"
    list_display = ["waybill", "courier", "direction", "purpose", "order_link", "sent", "received"]
    list_select_related = ["order", "case"]
    list_filter = [OrderShopFilter]
    search_fields = ["=waybill", "=order__order_no", "=case__case_no"]
    ordering = ["-pk"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = ["order", "case", "direction", "purpose", "courier", "waybill", "surface"]
        if request.user.has_perm("cases.see_money_case"):
            shown += ["freight", "payer"]
        return [*shown, "sent_at", "received_at"]

    @display(description=_("order"))
    def order_link(self, row: Parcel) -> SafeString:
        url = reverse("admin:cases_order_change", args=[row.order_id])
        return format_html('<a class="sh-number" href="{}">{}</a>', url, row.order.order_no)

    @display(description=_("sent"), ordering="pk")
    def sent(self, row: Parcel) -> str:
        return moment(row.sent_at)

    @display(description=_("received"))
    def received(self, row: Parcel) -> str:
        return moment(row.received_at)


@admin.register(ExternalRefund)
class ExternalRefundAdmin(ReadOnly, ShopScoped, ModelAdmin):
    shop_path = "order__shop"
    list_display = ["order_link", "source", "total", "explained_shown", "when"]
    list_display_links = None
    list_select_related = ["order"]
    list_filter = [OpenDifferenceFilter, OrderShopFilter]
    search_fields = ["=order__order_no"]
    ordering = ["-pk"]

    @display(description=_("order"))
    def order_link(self, row: ExternalRefund) -> SafeString:
        url = reverse("admin:cases_order_change", args=[row.order_id])
        return format_html('<a class="sh-number" href="{}">{}</a>', url, row.order.order_no)

    @display(description=_("amount"))
    def total(self, row: ExternalRefund) -> str:
        return yuan_text(row.amount)

    @display(description=_("explained by cases"))
    def explained_shown(self, row: ExternalRefund) -> str:
        return yuan_text(row.explained)

    @display(description=_("at"), ordering="pk")
    def when(self, row: ExternalRefund) -> str:
        return moment(row.at)


@admin.register(Approval)
class ApprovalAdmin(OfCase):
    list_display = ["when", "case_link", "total", "granted", "entered_by", "by", "text"]
    list_display_links = None
    list_select_related = ["case", "entered_by", "by"]
    list_filter = [CaseShopFilter]
    search_fields = ["case__case_no"]

    @display(description=_("at"), ordering="pk")
    def when(self, row: Approval) -> str:
        return moment(row.at)

    @display(description=_("amount"))
    def total(self, row: Approval) -> str:
        return yuan_text(row.amount)


@admin.register(Compensation)
class CompensationAdmin(OfCase):
    list_display = ["when", "case_link", "kind", "total", "by", "text"]
    list_display_links = None
    list_select_related = ["case", "by"]
    list_filter = [CaseShopFilter]
    search_fields = ["case__case_no"]

    @display(description=_("at"), ordering="pk")
    def when(self, row: Compensation) -> str:
        return moment(row.at)

    @display(description=_("amount"))
    def total(self, row: Compensation) -> str:
        return yuan_text(row.amount)


@admin.register(Mediation)
class MediationAdmin(OfCase):
    list_display = ["when", "case_link", "party", "outcome", "closed"]
    list_display_links = None
    list_filter = [CaseShopFilter]
    search_fields = ["case__case_no"]
    fields = ["case", "party", "text", "opened_at", "closed_at", "outcome"]

    @display(description=_("opened at"), ordering="pk")
    def when(self, row: Mediation) -> str:
        return moment(row.opened_at)

    @display(description=_("closed at"))
    def closed(self, row: Mediation) -> str:
        return moment(row.closed_at)


@admin.register(Note)
class NoteAdmin(OfCase):
    list_display = ["when", "case_link", "kind", "by", "text"]
    list_display_links = None
    list_select_related = ["case", "by"]
    list_filter = [CaseShopFilter]
    search_fields = ["case__case_no"]

    @display(description=_("at"), ordering="pk")
    def when(self, row: Note) -> str:
        return moment(row.at)


@admin.register(Reveal)
class RevealAdmin(ReadOnly, ShopScoped, ModelAdmin):
    """Who saw which personal datum, when and why."""

    shop_path = "order__shop"
    list_display = ["when", "user", "field", "order_link", "reason"]
    list_display_links = None
    list_select_related = ["order", "user"]
    list_filter = [OrderShopFilter]
    search_fields = ["=order__order_no", "=user__username"]
    ordering = ["-pk"]

    @display(description=_("at"), ordering="pk")
    def when(self, row: Reveal) -> str:
        return moment(row.at)

    @display(description=_("order"))
    def order_link(self, row: Reveal) -> SafeString:
        url = reverse("admin:cases_order_change", args=[row.order_id])
        return format_html('<a class="sh-number" href="{}">{}</a>', url, row.order.order_no)
