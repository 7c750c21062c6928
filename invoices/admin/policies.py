"""Policies of invoicing and who the seller of a shop is, kept by the supervisor."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from cases.admin.scope import ShopScoped, person
from cases.looks import moment
from cases.models.shops import shop_ids_of
from invoices.models import Policy, SellerProfile


@admin.register(Policy)
class PolicyAdmin(ShopScoped, ModelAdmin):
    list_display = ["of", "value_shown", "place", "from_shown", "to_shown", "source"]
    list_select_related = ["shop"]
    ordering = ["of", "platform", "shop", "valid_from"]
    list_fullwidth = True

    def get_queryset(self, request: HttpRequest) -> Any:
        """The shop's own rows and those that hold for every shop."""
        ids = shop_ids_of(person(request))
        rows = ModelAdmin.get_queryset(self, request)
        return rows if ids is None else rows.filter(shop=None) | rows.filter(shop__in=ids)

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["value_shown"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever may only look reads words, not what is stored."""
        may = self.has_change_permission(request, obj)
        hidden = "value_shown" if may else "value"
        return [name for name in super().get_fields(request, obj) if name != hidden]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a policy ends by its date: what was decided under it can still be explained

    @display(description=_("value"))
    def value_shown(self, row: Policy) -> str:
        return row.value_in_words

    @display(description=_("where"))
    def place(self, row: Policy) -> str:
        return str(row.shop or row.get_platform_display() or gettext("everywhere"))

    @display(description=_("valid from"))
    def from_shown(self, row: Policy) -> str:
        return moment(row.valid_from)

    @display(description=_("valid to"))
    def to_shown(self, row: Policy) -> str:
        return moment(row.valid_to)


@admin.register(SellerProfile)
class SellerProfileAdmin(ShopScoped, ModelAdmin):
    list_display = ["shop", "name", "tax_no", "kind"]
    list_select_related = ["shop"]
    ordering = ["shop__code"]

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
