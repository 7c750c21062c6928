"""All numbers on tabs, badges and the home page, from one aggregate per request."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Count, Expression, F, Q, QuerySet, Value
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.looks import DUE_SOON, now_of
from cases.models import Case, Kind, Side, State
from cases.models.kinds import OPEN, REFUND_KINDS

OPEN_STATES = [str(s) for s in OPEN]
OTHER_SIDES = [str(s) for s in (Side.BUYER, Side.PLATFORM, Side.VENDOR)]


@dataclass(frozen=True)
class Tab:
    """One queue: its word in the address, its name, and which open cases stand in it."""

    slug: str
    label: str | Promise
    condition: Q


TABS = (
    Tab("open", _("In progress"), Q()),
    Tab("refund", _("Refunds"), Q(kind__in=[str(k) for k in REFUND_KINDS])),
    Tab("return", _("Returns"), Q(kind=str(Kind.RETURN_REFUND))),
    Tab("exchange", _("Exchanges"), Q(kind=str(Kind.EXCHANGE))),
    Tab("repair", _("Repairs"), Q(kind=str(Kind.REPAIR))),
    Tab("resend", _("Resends"), Q(kind=str(Kind.RESEND))),
    Tab("mediation", _("Mediation"), Q(state=str(State.MEDIATING))),
    Tab("approval", _("To approve"), Q(state=str(State.AWAITING_APPROVAL))),
    Tab("payout", _("To pay out"), Q(state=str(State.REFUNDING))),
)
ALL = "all"


def tab_name(slug: str) -> str | Promise:
    """What a tab is called; an unknown word is the first tab."""
    if slug == ALL:
        return _("All")
    return next((t.label for t in TABS if t.slug == slug), TABS[0].label)


def narrow(queryset: QuerySet[Any], slug: str) -> QuerySet[Any]:
    """The cases of one tab; an unknown word is the first tab."""
    if slug == ALL:
        return queryset
    tab = next((t for t in TABS if t.slug == slug), TABS[0])
    return queryset.filter(tab.condition, state__in=OPEN_STATES)


def desk_counts(request: HttpRequest) -> dict[str, int]:
    """How many open cases of this person's shops stand in each queue; one query per request."""
    known: dict[str, int] | None = getattr(request, "_desk_counts", None)
    if known is not None:
        return known
    user, now = request.user, now_of(request)
    due = Q(due_at__isnull=False)
    lists = {
        "mine": Q(owner_id=user.pk),
        "nobodys": Q(owner=None),
        "overdue": due & Q(due_at__lte=now),
        "soon": due & Q(due_at__gt=now, due_at__lte=now + DUE_SOON),
        "new": Q(state=str(State.APPLIED)),
        "others": Q(clock_on__in=OTHER_SIDES),
        "escalated": Q(escalated_at__isnull=False),
        "dispatch": Q(state=str(State.AWAITING_DISPATCH)),
        "returning": Q(state=str(State.RETURNING)),
        "inspecting": Q(state=str(State.INSPECTING)),
        **{t.slug: t.condition for t in TABS},
    }
    rows = Case.objects.visible_to(user).filter(state__in=OPEN_STATES)
    found = rows.aggregate(
        **{f"n_{name}": Count("pk", filter=q) if q else Count("pk") for name, q in lists.items()}
    )
    counts = {name.removeprefix("n_"): int(number) for name, number in found.items()}
    request._desk_counts = counts  # type: ignore[attr-defined]
    return counts


#: What else is counted for the sidebar, by every app: each answers with ``counted(…)`` queries for
#: what this person may see, and all of them become one statement.
GROUPS: list[Callable[[HttpRequest], Iterable[Any]]] = []


def counted(what: str, rows: Any, tab: Expression | F, number: Count | None = None) -> Any:
    """Rows of one list by the tab they stand in."""
    told = rows.order_by().annotate(what=Value(what, CharField()), tab=tab)
    return told.values_list("what", "tab").annotate(n=number or Count("pk"))


def group_counts(request: HttpRequest) -> dict[str, dict[str, int]]:
    """``{what: {tab: number}}`` of all groups; one query per request."""
    known: dict[str, dict[str, int]] | None = getattr(request, "_group_counts", None)
    if known is None:
        known = defaultdict(lambda: defaultdict(int))
        parts = [part for group in GROUPS for part in group(request)]
        if parts:
            for what, tab, number in parts[0].union(*parts[1:], all=True):
                known[what][tab] = number
        request._group_counts = known  # type: ignore[attr-defined]
    return known
