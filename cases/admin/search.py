"""One search for whatever the caller reads out; exact numbers first, each by its own index."""

import unicodedata
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from cases.models import Case, Order, OrderLine, Parcel, Payment, Refund
from cases.privacy import phone_hash, phone_tail_hash

#: More hits than this are no answer; the person is asked for more of the number.
MOST = 200


def tidy(term: str) -> str:
    """What was typed, pasted or scanned, without full-width digits, blanks and a sheet's quote."""
    return unicodedata.normalize("NFKC", term).strip().strip("'`\t").strip()


def find_orders(orders: QuerySet[Any], term: str) -> list[int]:
    """Primary keys of the orders a number, phone, waybill or nick belongs to."""
    term = tidy(term)
    if not term:
        return []
    lines = OrderLine.objects.filter(sub_order_no=term).values("order_id")
    branches = [
        orders.filter(order_no=term),
        orders.filter(waybill=term),
        orders.filter(buyer=term),
        orders.filter(pk__in=Payment.objects.filter(number=term).values("order_id")),
        orders.filter(pk__in=Parcel.objects.filter(waybill=term).values("order_id")),
        orders.filter(
            pk__in=Case.objects.filter(Q(case_no=term) | Q(platform_case_no=term)).values(
                "order_id"
            )
        ),
        orders.filter(pk__in=lines),
        *_by_phone(orders, term),
    ]
    found = _union(branches)
    if found:
        return found
    serial = OrderLine.objects.filter(serials__contains=term).values("order_id")
    return _union(
        [
            orders.filter(Q(order_no__startswith=term) | Q(buyer__startswith=term)),
            orders.filter(pk__in=serial),
        ]
    )


def find_cases(cases: QuerySet[Any], term: str) -> list[int]:
    """Primary keys of the cases a number, phone, waybill or nick belongs to."""
    term = tidy(term)
    if not term:
        return []
    refunds = Refund.objects.filter(
        Q(number=term) | Q(platform_number=term) | Q(reference=term)
    ).values("case_id")
    orders = Order.objects.all()
    of_orders = [
        orders.filter(order_no=term),
        orders.filter(waybill=term),
        orders.filter(buyer=term),
        orders.filter(pk__in=Payment.objects.filter(number=term).values("order_id")),
        orders.filter(pk__in=OrderLine.objects.filter(sub_order_no=term).values("order_id")),
        *_by_phone(orders, term),
    ]
    branches = [
        cases.filter(case_no=term),
        cases.filter(platform_case_no=term),
        cases.filter(pk__in=Parcel.objects.filter(waybill=term).values("case_id")),
        cases.filter(pk__in=refunds),
        *(cases.filter(order_id__in=rows.values("pk")) for rows in of_orders),
    ]
    found = _union(branches)
    if found:
        return found
    serial = OrderLine.objects.filter(serials__contains=term).values("order_id")
    new_serial = Q(lines__new_serials__contains=term)
    return _union(
        [
            cases.filter(
                Q(case_no__startswith=term)
                | Q(order__order_no__startswith=term)
                | Q(order__buyer__startswith=term)
            ),
            cases.filter(order_id__in=serial),
            cases.filter(new_serial),
        ]
    )


def _by_phone(orders: QuerySet[Any], term: str) -> list[QuerySet[Any]]:
    """Phones are kept as keyed hashes: a whole number or its last four digits."""
    if whole := phone_hash(term):
        return [orders.filter(phone_hash=whole)]
    if len(term) == 4 and (tail := phone_tail_hash(term)):
        return [orders.filter(phone_tail=tail)]
    return []


def _union(branches: list[QuerySet[Any]]) -> list[int]:
    """One statement whose parts each use their own index (an OR over joins would scan)."""
    first, *others = (b.order_by().values_list("pk", flat=True) for b in branches)
    return sorted(first.union(*others)[:MOST])


class OneSearch:
    """A list whose search field takes any number; ``find`` is asked once per request."""

    @staticmethod
    def find(rows: QuerySet[Any], term: str, /) -> list[int]:
        raise NotImplementedError

    if TYPE_CHECKING:

        def get_queryset(self, request: HttpRequest) -> QuerySet[Any]: ...

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        return queryset.filter(pk__in=self.found(request, search_term)), False

    def found(self, request: HttpRequest, term: str) -> list[int]:
        """Primary keys of what the term finds, within the shops this person may know of."""
        known: dict[str, list[int]] = request.__dict__.setdefault("_found", {})
        if term.strip() not in known:
            known[term.strip()] = self.find(self.get_queryset(request), term)
        return known[term.strip()]
