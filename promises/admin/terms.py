"""Terms in the admin: every row with its time; a change is a new row, and touches nothing paid."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from cases.admin.listsheets import ListSheets
from cases.admin.scope import ShopScoped, person
from cases.admin.steps import CHANNEL
from cases.flow import clock
from cases.flow.door import Actor, Refused
from cases.forms.fields import MomentField
from cases.looks import moment
from cases.models.shops import shop_ids_of
from promises import verbs
from promises.admin.pages import Page
from promises.duties import check_not_blocked
from promises.models import Limit, Term
from promises.resources import TermResource

#: What a change may set anew; promise, platform and shop are what the row is about.
CHANGEABLE = [
    "offer", "rate", "fixed", "floor", "cap", "multiplier", "minimum_extra", "hours", "window",
    "since", "counted", "freight_side", "evidence", "once_per_order", "source",
]  # fmt: skip


class NewTermForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row of its own begins in the future: what is paid already keeps its terms."""

    def clean_valid_from(self) -> Any:
        begins = self.cleaned_data["valid_from"]
        if begins is None or begins <= clock.now():
            raise forms.ValidationError(
                gettext("Enter a moment to come: what is paid already keeps its terms.")
            )
        return begins

    def clean_shop(self) -> Any:
        shop = self.cleaned_data["shop"]
        if shop is not None:
            try:
                check_not_blocked(shop)
            except Refused as refusal:
                raise forms.ValidationError(refusal.message) from refusal
        return shop


class ChangeForm(forms.ModelForm):  # type: ignore[type-arg]
    """The new values, and from when they hold."""

    valid_from = MomentField(label=_("valid from"))

    class Meta:
        model = Term
        fields = ["valid_from", *CHANGEABLE]

    def _post_clean(self) -> None:
        """The new row is checked when it is made; the old one is not touched by this form."""


@admin.register(Term)
class TermAdmin(ListSheets, ShopScoped, ModelAdmin):
    resource_classes = [TermResource]
    form = NewTermForm
    list_display = [
        "promise", "place", "rule", "hours", "window", "counted", "freight_side", "offer",
        "from_shown", "to_shown", "change_link",
    ]  # fmt: skip
    list_select_related = ["shop"]
    list_filter = ["promise", "platform"]
    ordering = ["promise", "platform", "shop", "-valid_from"]
    list_fullwidth = True

    def get_queryset(self, request: HttpRequest) -> Any:
        """The shop's own rows and those that hold for every shop."""
        ids = shop_ids_of(person(request))
        rows = ModelAdmin.get_queryset(self, request)
        if ids is None:
            return rows
        return rows.filter(shop=None) | rows.filter(shop__in=ids)

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.change_terms_view)
        name = "promises_term_change_terms"
        return [path("<int:object_id>/change-terms/", view, name=name), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A row that stands is read; changes are rows of their own."""
        return [f.name for f in Term._meta.fields if f.name != "id"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_terms_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        term = self.get_or_404(request, str(object_id), "shop")
        if not self.has_change_permission(request, term):
            raise PermissionDenied
        actor = Actor.person(person(request), CHANNEL)
        back = reverse("admin:promises_term_changelist")
        seen = verbs.touched(term)

        def go(form: Any, _key: str | None) -> str:
            begins = form.cleaned_data["valid_from"]
            values = {name: form.cleaned_data[name] for name in CHANGEABLE}
            verbs.change_terms(actor, term, valid_from=begins, **values)
            return back

        page = Page(
            title=gettext("Change %(term)s") % {"term": term},
            form=lambda data: ChangeForm(data, instance=term, initial={"valid_from": None}),
            go=go,
            back=back,
            done=gettext("The new terms are entered."),
            help=gettext("The row ends then and a new one begins."),
            rows=[
                (gettext("Open claims that keep these terms"), str(len(seen.claims)), "strong"),
                (gettext("Orders not finished that keep them"), str(seen.orders), "strong"),
                *((claim.claim_no, claim.order.order_no, "") for claim in seen.claims[:10]),
            ],
            facts=[
                (gettext("In force from"), moment(term.valid_from), ""),
                (gettext("until"), moment(term.valid_to), ""),
                (gettext("Source"), term.source or "–", ""),
            ],
            obstacle=None
            if term.valid_to is None or term.valid_to > clock.now()
            else Refused(gettext("These terms have ended. Change those that are in force.")),
        )
        return page.answer(self, request)

    @display(description=_("where"))
    def place(self, term: Term) -> str:
        return str(term.shop or term.get_platform_display() or gettext("everywhere"))

    @display(description=_("amount"))
    def rule(self, term: Term) -> str:
        parts = []
        if term.rate is not None:
            parts.append(f"{term.rate.normalize():f}%")
        if term.fixed is not None:
            parts.append(f"¥{term.fixed}")
        if term.multiplier is not None:
            parts.append(f"× {term.multiplier.normalize():f}")
        if term.floor is not None or term.cap is not None:
            low = "" if term.floor is None else f"¥{term.floor}"
            parts.append(f"{low}–{'' if term.cap is None else f'¥{term.cap}'}")
        return " · ".join(parts) or "–"

    @display(description=_("valid from"), ordering="valid_from")
    def from_shown(self, term: Term) -> str:
        return moment(term.valid_from)

    @display(description=_("valid to"), ordering="valid_to")
    def to_shown(self, term: Term) -> str:
        return moment(term.valid_to)

    @display(description=_("change"))
    def change_link(self, term: Term) -> SafeString:
        url = reverse("admin:promises_term_change_terms", args=[term.pk])
        return format_html('<a class="sh-link" href="{}">{}</a>', url, gettext("Change"))


@admin.register(Limit)
class LimitAdmin(ModelAdmin):
    list_display = ["of", "platform", "hours", "reminders", "valid_from", "valid_to"]
    ordering = ["of", "platform"]
