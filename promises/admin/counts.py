"""The numbers on the tabs and in the sidebar, from one statement per request."""

from collections import defaultdict
from typing import Any

from django.db.models import CharField, Count, F, Value
from django.http import HttpRequest

from cases.admin.reconciliation import WAITING
from promises.models import Breach, BreachState, Payout, PayoutDifference


def breach_counts(request: HttpRequest) -> dict[str, int]:
    """How many breaches of this person's shops stand in each tab."""
    found = _found(request)["breach"]
    return {str(state): found[str(state)] for state in BreachState}


def payout_counts(request: HttpRequest) -> dict[str, int]:
    """How many differences of each kind wait in this person's shops."""
    found = _found(request)["payout"]
    known = {str(kind): found[str(kind)] for kind in PayoutDifference}
    return {WAITING: sum(known.values()), **known}


def _found(request: HttpRequest) -> dict[str, dict[str, int]]:
    known: dict[str, dict[str, int]] | None = getattr(request, "_promise_counts", None)
    if known is None:
        user: Any = request.user
        parts = []
        if user.has_perm("promises.view_breach"):
            parts.append(_grouped("breach", Breach.objects.visible_to(user), "state"))
        if user.has_perm("promises.view_payout"):
            open_ones = Payout.objects.visible_to(user).filter(open=True)
            parts.append(_grouped("payout", open_ones, "difference"))
        known = defaultdict(lambda: defaultdict(int))
        if parts:
            for what, tab, number in parts[0].union(*parts[1:], all=True):
                known[what][tab] = number
        request._promise_counts = known  # type: ignore[attr-defined]
    return known


def _grouped(name: str, rows: Any, column: str) -> Any:
    told = rows.order_by().annotate(what=Value(name, CharField()), tab=F(column))
    return told.values_list("what", "tab").annotate(n=Count("pk"))
