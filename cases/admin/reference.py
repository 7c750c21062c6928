"""Settings people keep up to date: shops, staff, reasons, SOPs, time limits, calendars."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from cases import clockwork, panels
from cases.admin.listsheets import ListSheets
from cases.admin.scope import ShopScoped, person
from cases.looks import STATES
from cases.models import (
    CalendarDay,
    Case,
    ClockPolicy,
    Kind,
    Membership,
    Platform,
    PlatformPause,
    Reason,
    RefusalReason,
    ReturnAddress,
    RoleLimit,
    Shop,
    SopStep,
    State,
    Window,
)
from cases.models.lifecycle import PERSON_STEPS
from cases.panels import panels_of
from cases.resources import CalendarDayResource


class MembershipInline(TabularInline):
    model = Membership
    extra = 0
    hide_title = True


class ReturnAddressInline(TabularInline):
    model = ReturnAddress
    extra = 0
    hide_title = True


@admin.register(Shop)
class ShopAdmin(ShopScoped, ModelAdmin):
    shop_path = "pk"
    list_display = ["name", "code", "platform", "zone", "active"]
    search_fields = ["code", "name"]
    fields = ["code", "name", "platform", "zone", "opens", "closes", "active"]
    inlines = [MembershipInline, ReturnAddressInline]
    ordering = ["code"]
    change_form_before_template = "cases/warnings.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        pks = [int(object_id)] if object_id.isdigit() and len(object_id) < 19 else []
        shop = self.get_queryset(request).filter(pk__in=pks).first()
        told = panels_of(panels.OF_SHOP, request, shop) if shop is not None else {}
        context = {**told, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)  # type: ignore[no-any-return]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Orders are unique per platform, cases hang on both: neither changes under them.
        return ["code", "platform"] if obj is not None else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a shop is switched off; its orders stay

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        super().save_related(request, form, formsets, change)
        if not change and not person(request).is_superuser:
            # Whoever makes a shop works in it, else it would be gone from his sight at once.
            Membership.objects.get_or_create(shop=form.instance, user=person(request))


def step_choices() -> list[tuple[str, Any]]:
    """Steps people may take, by name; none where the line only says what to think of."""
    steps = Case.steps()
    return [("", "–"), *((name, steps[name].label) for name in PERSON_STEPS)]


@admin.register(ReturnAddress)
class ReturnAddressAdmin(ShopScoped, ModelAdmin):
    list_display = ["shop", "name", "phone", "address", "default"]
    list_select_related = ["shop"]
    search_fields = ["name", "address"]


class SopForm(forms.ModelForm):  # type: ignore[type-arg]
    """States and steps are chosen by their names, not typed by their codes."""

    state = forms.ChoiceField(
        label=_("state"), choices=State.choices, widget=UnfoldAdminSelectWidget
    )
    verb = forms.ChoiceField(
        label=_("step"), choices=step_choices, required=False, widget=UnfoldAdminSelectWidget
    )


class SopInline(TabularInline):
    model = SopStep
    form = SopForm
    extra = 0
    hide_title = True
    fields = ["position", "state", "kind", "verb", "guidance", "guidance_en"]


class NamedAdmin(ModelAdmin):
    """Reference rows are switched off, not deleted: old cases point at them."""

    ordering = ["position", "code"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["code"] if obj is not None else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReasonForm(forms.ModelForm):  # type: ignore[type-arg]
    """The kinds a reason is for are ticked; the table keeps them as one word list."""

    kinds = forms.MultipleChoiceField(
        label=_("kinds"),
        choices=Kind.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None ticked: for every kind."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["kinds"] = [k for k in str(self.initial.get("kinds") or "").split(";") if k]

    def clean_kinds(self) -> str:
        return ";".join(self.cleaned_data["kinds"])


@admin.register(Reason)
class ReasonAdmin(NamedAdmin):
    form = ReasonForm
    list_display = ["name", "code", "responsible", "goods_back", "evidence", "active", "position"]
    list_filter = ["active"]
    search_fields = ["code", "name", "name_en"]
    inlines = [SopInline]


@admin.register(RefusalReason)
class RefusalReasonAdmin(NamedAdmin):
    list_display = ["name", "code", "needs_evidence", "active", "position"]
    search_fields = ["code", "name", "name_en"]


@admin.register(SopStep)
class SopStepAdmin(ModelAdmin):
    form = SopForm
    list_display = ["guidance", "state_shown", "reason", "kind", "verb_shown", "position"]
    list_display_links = ["guidance"]
    list_select_related = ["reason"]
    list_filter = ["reason"]
    search_fields = ["guidance", "verb"]
    autocomplete_fields = ["reason"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who only reads has no form that would put codes into words."""
        if self.has_change_permission(request, obj):
            return super().get_fields(request, obj)
        return ["reason", "kind", "state_shown", "verb_shown", "guidance", "position"]

    @admin.display(description=_("state"), ordering="state")
    def state_shown(self, row: SopStep) -> Any:
        return STATES.get(row.state, row.state)

    @admin.display(description=_("step"), ordering="verb")
    def verb_shown(self, row: SopStep) -> Any:
        info = Case.steps().get(row.verb)
        return info.label if info else "–"


class ClockSetting(ModelAdmin):
    """Settings that decide how long clocks run; clocks that run already keep what they have."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        super().save_model(request, obj, form, change)
        self.tell_of_running_clocks(request)

    def tell_of_running_clocks(self, request: HttpRequest) -> None:
        messages.info(
            request,
            gettext(
                "Clocks that run already keep their deadlines. To work them out anew, use "
                "“Recompute running clocks” in the list."
            ),
        )

    def get_urls(self) -> Any:
        name = f"cases_{self.opts.model_name}_recompute"
        view = self.admin_site.admin_view(self.recompute_view)
        return [path("recompute/", view, name=name), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "recompute_url": reverse(f"admin:cases_{self.opts.model_name}_recompute"),
            "may_recompute": self.has_change_permission(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)  # type: ignore[no-any-return]

    list_before_template = "cases/recompute_link.html"

    def recompute_view(self, request: HttpRequest) -> HttpResponse:
        """GET asks, POST works running deadlines out anew for one platform or all."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            platform = request.POST.get("platform") or None
            if platform not in (None, *Platform.values):
                raise PermissionDenied
            moved = clockwork.recompute(platform)
            text = ngettext("%(n)s deadline moved.", "%(n)s deadlines moved.", moved)
            messages.success(request, text % {"n": moved})
            return HttpResponseRedirect(reverse(f"admin:cases_{self.opts.model_name}_changelist"))
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Recompute running clocks"),
            "platforms": Platform.choices,
            "back": reverse(f"admin:cases_{self.opts.model_name}_changelist"),
        }
        return TemplateResponse(request, "cases/recompute.html", context)


@admin.register(ClockPolicy)
class ClockPolicyAdmin(ClockSetting):
    list_display = [
        "state",
        "kind",
        "platform",
        "variant",
        "hours",
        "unit",
        "valid_from",
        "valid_to",
    ]
    list_filter = ["state", "platform"]
    ordering = ["state", "kind", "platform", "variant"]


@admin.register(PlatformPause)
class PlatformPauseAdmin(ClockSetting):
    list_display = ["platform", "name", "starts_at", "ends_at"]


@admin.register(CalendarDay)
class CalendarDayAdmin(ListSheets, ClockSetting):
    resource_classes = [CalendarDayResource]
    list_display = ["day", "working", "name"]
    list_filter = ["working"]
    search_fields = ["name"]
    ordering = ["-day"]

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        response = super().process_result(result, request)
        if result.totals["new"] or result.totals["update"]:
            self.tell_of_running_clocks(request)
        return response


@admin.register(Window)
class WindowAdmin(ModelAdmin):
    list_display = ["code", "platform", "value", "valid_from", "valid_to"]
    ordering = ["code", "platform"]


@admin.register(RoleLimit)
class RoleLimitAdmin(ModelAdmin):
    list_display = ["role", "refund_act", "refund_day", "compensation_act", "compensation_day"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).order_by("refund_act")  # type: ignore[no-any-return]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
