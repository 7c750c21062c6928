"""One shop scope for every page of the admin: outside it the answer is "does not exist"."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin import ShowFacets
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import cached_property

from cases.models import Case, Order, ReturnAddress, Shop
from cases.models.shops import shop_ids_of

if TYPE_CHECKING:
    from unfold.admin import ModelAdmin as Base
else:
    Base = object

#: Where a model keeps its shop, for choices in forms of other models.
SHOP_OF: dict[type[Model], str] = {
    Shop: "pk",
    Order: "shop",
    Case: "shop",
    ReturnAddress: "shop",
}


#: Fields that no list shows in clear.
MASKED = frozenset({"receiver", "phone", "address", "phone_hash", "phone_tail", "extra"})


def scoped(queryset: QuerySet[Any], user: Any, shop_path: str) -> QuerySet[Any]:
    """The rows of the shops this person belongs to; ``shop_path`` leads from a row to its shop."""
    ids = shop_ids_of(user)
    return queryset if ids is None else queryset.filter(**{f"{shop_path}__in": ids})


def sees_money(user: Any) -> bool:
    """Warehouse people handle goods and see no amounts."""
    return bool(user.has_perm("cases.see_money_case"))


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to a limit: nobody turns to page 400, and counting millions takes seconds."""

    limit = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return int(rows.order_by()[: self.limit].count())


class ShopScoped(Base):
    """Mixin for a ModelAdmin whose rows belong to a shop; ``shop_path`` says where it is kept."""

    shop_path = "shop"
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 25
    list_max_show_all = 100
    # Counting every value of every filter takes a query each, on tables that grow.
    show_facets = ShowFacets.NEVER

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """No address of a list may guess, letter by letter, at what its pages mask."""
        if not MASKED.isdisjoint(lookup.split("__")):
            return False
        return bool(super().lookup_allowed(lookup, value, request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return scoped(super().get_queryset(request), request.user, self.shop_path)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        related = db_field.remote_field.model
        if "queryset" not in kwargs and related in SHOP_OF:
            rows = related._default_manager.all()
            kwargs["queryset"] = scoped(rows, request.user, SHOP_OF[related])
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str | None
    ) -> HttpResponse:
        raise Http404  # as for a number that was never given

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.get_or_404(request, object_id)
        response: HttpResponse = super().history_view(request, object_id, extra_context)
        return response

    def get_or_404(self, request: HttpRequest, object_id: str, *related: str) -> Any:
        """The row with what is asked for beside it; Http404 also where it is another shop's."""
        queryset = self.get_queryset(request)
        if related:
            queryset = queryset.select_related(*related)
        try:
            return queryset.get(pk=object_id)
        except (self.model.DoesNotExist, ValueError, OverflowError) as error:
            raise Http404 from error


class ReadOnly(Base):
    """Rows the house writes by itself: looked at, never entered, changed or deleted by a form."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def person(request: HttpRequest) -> User:
    """Whoever is signed in; admin_view has made sure that somebody is."""
    return cast(User, request.user)
