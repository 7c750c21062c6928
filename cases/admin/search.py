"""One search for whatever the caller reads out; exact numbers first, each by its own index."""

import unicodedata
from typing import Any

from django.db.models import Q, QuerySet

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
