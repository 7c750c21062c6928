"""The numbers on the tabs and in the sidebar; asked for with those of the other apps."""

from typing import Any

from django.db.models import F
from django.http import HttpRequest

from cases.admin.counts import GROUPS, counted, group_counts
from cases.admin.reconciliation import WAITING
from promises.models import Breach, BreachState, Payout, PayoutDifference


def breach_counts(request: HttpRequest) -> dict[str, int]:
    """How many breaches of this person's shops stand in each tab."""
    found = group_counts(request)["breach"]
    return {str(state): found[str(state)] for state in BreachState}


def payout_counts(request: HttpRequest) -> dict[str, int]:
    """How many differences of each kind wait in this person's shops."""
    found = group_counts(request)["payout"]
    known = {str(kind): found[str(kind)] for kind in PayoutDifference}
    return {WAITING: sum(known.values()), **known}


def _of_promises(request: HttpRequest) -> list[Any]:
    user: Any = request.user
    parts = []
    if user.has_perm("promises.view_breach"):
        parts.append(counted("breach", Breach.objects.visible_to(user), F("state")))
    if user.has_perm("promises.view_payout"):
        open_ones = Payout.objects.visible_to(user).filter(open=True)
        parts.append(counted("payout", open_ones, F("difference")))
    return parts


GROUPS.append(_of_promises)
