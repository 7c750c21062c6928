"""Filters of the lists: few, in the words of the desk, and never beyond the person's shops."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.flow import clock
from cases.looks import DUE_SOON
from cases.models import CaseLine, Kind, OrderStatus, Shop, State


class ShopFilter(admin.SimpleListFilter):
    """The shops of this person; others are not even named."""

    title = _("shop")
    parameter_name = "shop"
    shop_path = "shop"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(s.code, str(s)) for s in Shop.objects.visible_to(request.user)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{f"{self.shop_path}__code": value}) if value else queryset


class CaseShopFilter(ShopFilter):
    """For rows that belong to a case."""

    shop_path = "case__shop"


class OrderShopFilter(ShopFilter):
    """For rows that belong to an order."""

    shop_path = "order__shop"


class ChoiceFilter(admin.SimpleListFilter):
    """One value of a column with choices."""

    choices_of: Any = ()
    column = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(str(value), str(text)) for value, text in self.choices_of]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{self.column: value}) if value else queryset


class StateFilter(ChoiceFilter):
    title = _("state")
    parameter_name = column = "state"
    choices_of = State.choices


class KindFilter(ChoiceFilter):
    title = _("kind")
    parameter_name = column = "kind"
    choices_of = Kind.choices


class OrderStatusFilter(ChoiceFilter):
    title = _("status")
    parameter_name = column = "status"
    choices_of = OrderStatus.choices


class OwnerFilter(admin.SimpleListFilter):
    """Mine, nobody's, or a colleague's of the same shops."""

    title = _("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        shops = Shop.objects.visible_to(request.user).values("pk")
        me = request.user.get_username()
        people = User.objects.filter(is_active=True, memberships__shop__in=shops)
        people = people.exclude(username=me)
        names = people.distinct().order_by("username").values_list("pk", "username")[:60]
        return [
            ("me", str(_("Mine"))),
            ("nobody", str(_("Nobody's"))),
            *((str(pk), name) for pk, name in names),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        if value == "me":
            return queryset.filter(owner_id=request.user.pk)
        if value == "nobody":
            return queryset.filter(owner=None)
        return queryset.filter(owner_id=int(value)) if value.isdigit() else queryset


class DueFilter(admin.SimpleListFilter):
    title = _("deadline")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            ("over", str(_("Overdue"))),
            ("soon", str(_("Due soon"))),
            ("today", str(_("Due within 24 hours"))),
            ("escalated", str(_("Escalated"))),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now, value = clock.now(), self.value()
        if value == "over":
            return queryset.filter(due_at__lte=now)
        if value == "soon":
            return queryset.filter(due_at__gt=now, due_at__lte=now + DUE_SOON)
        if value == "today":
            return queryset.filter(due_at__gt=now, due_at__lte=now + timedelta(days=1))
        return queryset.filter(escalated_at__isnull=False) if value == "escalated" else queryset


class TurnFilter(admin.SimpleListFilter):
    title = _("whose turn")
    parameter_name = "turn"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("us", str(_("Ours"))), ("others", str(_("The other side's")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        others = Q(clock_on__in=["buyer", "platform", "vendor"])
        if self.value() == "us":
            return queryset.filter(due_at__isnull=False).exclude(others)
        return queryset.filter(others) if self.value() == "others" else queryset


class GoodsBackFilter(admin.SimpleListFilter):
    """Cases that ended or were refused while the buyer's pieces still lie with us."""

    title = _("goods")
    parameter_name = "goods"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("back", str(_("To hand back")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "back":
            return queryset
        return queryset.filter(pk__in=lines_to_hand_back().values("case_id"))


def lines_to_hand_back() -> QuerySet[Any]:
    """Case lines whose pieces must go back to the buyer (as cases.rules.pieces_to_hand_back)."""
    lie_here = Q(
        case__state__in=[str(State.REFUSED), str(State.CLOSED)], received__gt=F("handed_back")
    )
    not_ours = Q(case__state=str(State.COMPLETED)) & (
        Q(rejected__gt=F("handed_back")) | Q(received__gt=F("quantity") + F("handed_back"))
    )
    return CaseLine.objects.filter(lie_here | not_ours)


class DaysFilter(admin.SimpleListFilter):
    """Whole days of the office's zone; unfold's own range filter drops the last day."""

    title = _("date")
    parameter_name = "days"
    column = "applied_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            ("0", str(_("Today"))),
            ("1", str(_("Since yesterday"))),
            ("6", str(_("7 days"))),
            ("29", str(_("30 days"))),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        if not value.isdigit() or len(value) > 4:
            return queryset
        midnight = timezone.localtime(clock.now()).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        return queryset.filter(**{f"{self.column}__gte": midnight - timedelta(days=int(value))})


class AppliedFilter(DaysFilter):
    title = _("applied")


class OrderedFilter(DaysFilter):
    title = _("ordered")
    column = "ordered_at"


class OpenDifferenceFilter(admin.SimpleListFilter):
    """External refunds that no case explains yet."""

    title = _("explained")
    parameter_name = "explained"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("no", str(_("Not yet"))), ("yes", str(_("Fully")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "no":
            return queryset.filter(amount__gt=F("explained"))
        return queryset.filter(amount=F("explained")) if self.value() == "yes" else queryset
