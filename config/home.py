"""The workbench: what waits for whom, the sidebar's badges, and the search from every page."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.admin.counts import OTHER_SIDES, desk_counts
from cases.admin.filters import lines_to_hand_back
from cases.admin.reconciliation import WAITING, difference_counts
from cases.admin.scope import sees_money
from cases.admin.search import find_cases, find_orders
from cases.looks import countdown, now_of
from cases.models import Case, Kind, Notice, Order, Refund, Shop
from cases.models.kinds import OPEN
from config.unfold import item
from invoices.admin.counts import invoice_counts
from invoices.admin.credits import credit_counts
from promises.admin.counts import breach_counts, payout_counts

DAYS = 14


def environment(request: HttpRequest) -> list[str] | None:
    """A label that nobody mistakes: an office on one machine, or the real one."""
    if settings.IS_PRODUCTION:
        return None
    return [_("Trial office"), "warning"]


def shops(request: HttpRequest) -> list[dict[str, Any]]:
    """The switch between shops: the queue of one of them, or of all; where lists are looked at."""
    match, user = request.resolver_match, request.user
    page = match.url_name if match else ""
    if not page or not (page == "index" or page.endswith("_changelist")):
        return []
    rows = list(Shop.objects.visible_to(user).filter(active=True)[:30])
    if len(rows) < 2 or not user.has_perm("cases.view_case"):
        return []
    cases = _list("case")
    return [
        {"title": _("All shops"), "link": cases, "icon": "storefront"},
        *(
            {"title": str(shop), "link": f"{cases}?{urlencode({'shop': shop.code})}"}
            for shop in rows
        ),
    ]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of pages; badges from the one aggregate of the request."""
    n = desk_counts(request) if request.user.has_perm("cases.view_case") else defaultdict(int)
    differences = difference_counts(request)
    cases, orders = _list("case"), _list("order")
    return [
        {
            "title": None,
            "items": [
                item(_("Workbench"), "home", reverse("admin:index")),
                item(_("Cases"), "assignment_return", cases, "cases.view_case", n["open"]),
                item(_("Orders"), "receipt_long", orders, "cases.view_order"),
                item(
                    _("Reconciliation"),
                    "compare_arrows",
                    _list("platformrecord"),
                    "cases.view_platformrecord",
                    differences["waiting"],
                    "warning",
                ),
                item(_("Imports"), "upload", _list("importjob"), "cases.view_importjob"),
                item(_("Exports"), "download", _list("exportjob"), "cases.export_order"),
            ],
        },
        {
            "title": _("Queues"),
            "items": [
                _queue(_("Mine"), "person", "owner=me", n["mine"]),
                _queue(_("Overdue"), "alarm", "due=over", n["overdue"], "danger"),
                _queue(_("To approve"), "approval", "tab=approval", n["approval"], "warning"),
                _queue(_("To pay out"), "payments", "tab=payout", n["payout"], "warning"),
                _queue(_("Mediation"), "gavel", "tab=mediation", n["mediation"], "danger"),
                _queue(_("On the way to us"), "local_shipping", "state=returning", n["returning"]),
                _queue(_("To inspect"), "fact_check", "state=inspecting", n["inspecting"]),
                _queue(_("To dispatch"), "outbox", "state=awaiting_dispatch", n["dispatch"]),
            ],
        },
        {
            "title": _("Service promises"),
            "collapsible": True,
            "items": [
                item(_("Claims"), "verified", _of("claim"), "promises.view_claim"),
                item(
                    _("Broken promises"),
                    "running_with_errors",
                    _of("breach"),
                    "promises.view_breach",
                    breach_counts(request)["proposed"],
                    "warning",
                ),
                item(_("Deposits"), "savings", _of("deposit"), "promises.view_deposit"),
                item(
                    _("Platform's payouts"),
                    "price_check",
                    _of("payout"),
                    "promises.view_payout",
                    payout_counts(request)[WAITING],
                    "warning",
                ),
                item(_("Terms"), "contract", _of("term"), "promises.view_term"),
                item(_("Limits of claims"), "timer", _of("limit"), "promises.view_limit"),
                item(
                    _("Handling of broken promises"),
                    "rule_settings",
                    _of("breachsetting"),
                    "promises.view_breachsetting",
                ),
                item(
                    _("Names of couriers"),
                    "local_shipping",
                    _of("couriername"),
                    "promises.view_couriername",
                ),
            ],
        },
        {
            "title": _("Invoices"),
            "collapsible": True,
            "items": [
                item(
                    _("Invoices"),
                    "receipt",
                    reverse("admin:invoices_invoice_changelist"),
                    "invoices.view_invoice",
                    invoice_counts(request)["waiting"]
                    if request.user.has_perm("invoices.view_invoice")
                    else 0,
                    "warning",
                ),
                item(
                    _("Invoices of cases"),
                    "assignment",
                    f"{reverse('admin:invoices_treatment_changelist')}?state=open",
                    "invoices.view_treatment",
                ),
                item(
                    _("Papers of invoices"),
                    "move_to_inbox",
                    reverse("admin:invoices_paper_changelist"),
                    "invoices.view_paper",
                ),
                item(
                    _("Endorsements"),
                    "history_edu",
                    reverse("admin:invoices_endorsement_changelist"),
                    "invoices.view_endorsement",
                ),
                item(
                    _("Print jobs"),
                    "print",
                    reverse("admin:invoices_printjob_changelist"),
                    "invoices.view_treatment",
                ),
                item(
                    _("Credit notes"),
                    "quick_reference_all",
                    reverse("admin:invoices_creditnote_changelist"),
                    "invoices.view_creditnote",
                    credit_counts(request)["decide"],
                    "warning",
                ),
                item(
                    _("Sales and reversals"),
                    "bar_chart",
                    reverse("admin:invoices_invoice_months"),
                    "cases.see_money_case",
                ),
                item(
                    _("Invoice policies"),
                    "policy",
                    reverse("admin:invoices_policy_changelist"),
                    "invoices.view_policy",
                ),
                item(
                    _("Sellers on invoices"),
                    "badge",
                    reverse("admin:invoices_sellerprofile_changelist"),
                    "invoices.view_sellerprofile",
                ),
            ],
        },
        {
            "title": _("Records"),
            "collapsible": True,
            "items": [
                item(_("Refunds"), "currency_yuan", _list("refund"), "cases.view_refund"),
                item(
                    _("External refunds"),
                    "sync_problem",
                    _list("externalrefund"),
                    "cases.view_externalrefund",
                ),
                item(_("Notices"), "notifications", _list("notice"), "cases.view_notice"),
                item(_("Parcels"), "package_2", _list("parcel"), "cases.view_parcel"),
                item(_("Evidence"), "photo_library", _list("evidence"), "cases.view_evidence"),
                item(_("Events"), "history", _list("caseevent"), "cases.view_caseevent"),
                item(_("Reveals"), "visibility", _list("reveal"), "cases.view_reveal"),
                item(
                    _("Clear exports"),
                    "lock_open",
                    _list("clearexport"),
                    "cases.view_clearexport",
                ),
            ],
        },
        {
            "title": _("Settings"),
            "collapsible": True,
            "items": [
                item(_("Shops and staff"), "storefront", _list("shop"), "cases.change_shop"),
                item(_("Reasons"), "help", _list("reason"), "cases.view_reason"),
                item(
                    _("Refusal reasons"),
                    "block",
                    _list("refusalreason"),
                    "cases.view_refusalreason",
                ),
                item(_("SOP"), "checklist", _list("sopstep"), "cases.view_sopstep"),
                item(_("Time limits"), "timer", _list("clockpolicy"), "cases.view_clockpolicy"),
                item(
                    _("Pauses"), "pause_circle", _list("platformpause"), "cases.view_platformpause"
                ),
                item(
                    _("Calendar"), "calendar_month", _list("calendarday"), "cases.view_calendarday"
                ),
                item(_("Windows"), "date_range", _list("window"), "cases.view_window"),
                item(
                    _("Column names"), "view_column", _list("headeralias"), "cases.view_headeralias"
                ),
                item(_("Words of sheets"), "translate", _list("wordalias"), "cases.view_wordalias"),
                item(
                    _("Sheet mappings"),
                    "table_chart",
                    _list("sheetmapping"),
                    "cases.view_sheetmapping",
                ),
                item(_("Limits of roles"), "speed", _list("rolelimit"), "cases.view_rolelimit"),
            ],
        },
        {
            "title": _("Accounts"),
            "collapsible": True,
            "items": [
                item(_("Users"), "group", reverse("admin:auth_user_changelist"), "auth.view_user"),
                item(
                    _("Roles"), "badge", reverse("admin:auth_group_changelist"), "auth.view_group"
                ),
                item(
                    _("Authenticators"),
                    "phonelink_lock",
                    reverse("admin:otp_totp_totpdevice_changelist"),
                    "otp_totp.view_totpdevice",
                ),
                item(
                    _("Failed sign-ins"),
                    "lock",
                    reverse("admin:axes_accessattempt_changelist"),
                    "axes.view_accessattempt",
                ),
            ],
        },
    ]


def _list(model: str) -> str:
    return reverse(f"admin:cases_{model}_changelist")


def _of(model: str) -> str:
    return reverse(f"admin:promises_{model}_changelist")


def _queue(title: str, icon: str, query: str, count: int, variant: str = "info") -> dict[str, Any]:
    entry = item(title, icon, f"{_list('case')}?{query}", "cases.view_case", count, variant)
    entry["active"] = lambda request: query in request.GET.urlencode().split("&")
    return entry


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Tiles with counts and links, the first due, the chart; scoped to the person's shops."""
    if not request.user.has_perm("cases.view_case"):
        return {**context, "tiles": [], "title": _("Workbench")}
    user, now = request.user, now_of(request)
    mine = (
        Case.objects.visible_to(user)
        .filter(state__in=[str(s) for s in OPEN], due_at__isnull=False)
        .exclude(clock_on__in=OTHER_SIDES)
        .filter(Q(owner_id=user.pk) | Q(owner=None))
    )
    first = mine.select_related("order", "shop", "reason").order_by("due_at", "pk")[:10]
    return {
        **context,
        "title": _("Workbench"),
        "tiles": _tiles(request),
        "first": [(case, countdown(case.due_at, now)) for case in first],
        "chart": _chart(request),
    }


def _tiles(request: HttpRequest) -> list[dict[str, Any]]:
    n, cases = desk_counts(request), _list("case")
    rows: list[tuple[str, int, str, str]] = [
        (_("Mine"), n["mine"], f"{cases}?owner=me", ""),
        (_("Nobody's"), n["nobodys"], f"{cases}?owner=nobody", ""),
        (_("Overdue"), n["overdue"], f"{cases}?due=over", "late"),
        (_("Due soon"), n["soon"], f"{cases}?due=soon", "soon"),
        (_("New applications"), n["new"], f"{cases}?state=applied", ""),
        (_("Waiting for the other side"), n["others"], f"{cases}?turn=others", ""),
        (_("Escalated"), n["escalated"], f"{cases}?due=escalated", "late"),
        (_("To approve"), n["approval"], f"{cases}?tab=approval", ""),
        (_("Goods to hand back"), _to_hand_back(request), f"{cases}?goods=back&tab=all", ""),
        (_("Notices"), _unseen(request), f"{_list('notice')}?seen=no", ""),
    ]
    if sees_money(request.user):
        failed = Refund.objects.filter(
            state=Refund.State.FAILED, case__in=Case.objects.visible_to(request.user)
        ).count()
        rows.insert(8, (_("Failed payouts"), failed, f"{_list('refund')}?state=failed", "late"))
    if request.user.has_perm("cases.view_platformrecord"):
        name, differences = _("Differences with the platform"), difference_counts(request)
        rows.append((name, differences["waiting"], _list("platformrecord"), "soon"))
    if request.user.has_perm("promises.view_breach"):
        n, url = breach_counts(request), _of("breach")
        rows.append((_("Broken promises, claim proposed"), n["proposed"], url, "soon"))
        rows.append(
            (_("Promises not to be judged"), n["exception"], f"{url}?tab=exception", "soon")
        )
    return [
        {"name": name, "count": count, "url": url, "tone": tone if count else "none"}
        for name, count, url, tone in rows
    ]


def _to_hand_back(request: HttpRequest) -> int:
    lines = lines_to_hand_back().filter(case__in=Case.objects.visible_to(request.user))
    return lines.values("case_id").distinct().count()


def _unseen(request: HttpRequest) -> int:
    rows = Notice.objects.filter(seen_at=None, case__in=Case.objects.visible_to(request.user))
    return len(rows.values_list("pk", flat=True)[:1000])


def _chart(request: HttpRequest) -> dict[str, Any]:
    """New applications per day and kind, as numbers for the drawing and the table under it."""
    today = timezone.localdate(now_of(request))
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    since = timezone.localtime(now_of(request)).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = (
        Case.objects.visible_to(request.user)
        .filter(applied_at__gte=since - timedelta(days=DAYS - 1))
        .annotate(day=TruncDate("applied_at"))
        .values_list("day", "kind")
        .annotate(n=Count("pk"))
        .order_by("day", "kind")
    )
    found: dict[tuple[date, str], int] = {(day, kind): n for day, kind, n in rows}
    kinds = [(str(kind), str(kind.label)) for kind in Kind]
    totals = [sum(found.get((day, kind), 0) for kind, _name in kinds) for day in days]
    top = max([*totals, 4])
    return {
        "kinds": [(name, index) for index, (_kind, name) in enumerate(kinds)],
        "bars": _bars(days, kinds, found, top),
        "lines": [(round(150 - 130 * part / 4), round(top * part / 4)) for part in range(1, 5)],
        "table": [
            (day, [found.get((day, kind), 0) for kind, _name in kinds], total)
            for day, total in zip(days, totals, strict=True)
        ],
        "total": sum(totals),
    }


def _bars(
    days: list[date], kinds: list[tuple[str, str]], found: dict[tuple[date, str], int], top: int
) -> list[dict[str, Any]]:
    """One stacked bar per day in a drawing 760 wide; 150 is the ground, 20 the top."""
    bars = []
    for place, day in enumerate(days):
        ground, parts = 150.0, []
        for index, (kind, _name) in enumerate(kinds):
            height = 130 * found.get((day, kind), 0) / top
            if height:
                ground -= height
                parts.append((index, f"{ground:.1f}", f"{height:.1f}"))
        bars.append({"x": 40 + place * 51, "day": day, "parts": parts})
    return bars


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Whatever was read out or scanned: straight to the one case or order, else to the list."""
    term = request.GET.get("q", "").strip()
    case_admin, order_admin = admin.site._registry[Case], admin.site._registry[Order]
    cases: list[int] = []
    if term and case_admin.has_view_permission(request):
        cases = find_cases(case_admin.get_queryset(request), term)
        if len(cases) == 1:
            return HttpResponseRedirect(reverse("admin:cases_case_change", args=cases))
    if term and not cases and order_admin.has_view_permission(request):
        orders = find_orders(order_admin.get_queryset(request), term)
        if len(orders) == 1:
            return HttpResponseRedirect(reverse("admin:cases_order_change", args=orders))
        if orders:
            return HttpResponseRedirect(f"{_list('order')}?{urlencode({'q': term})}")
    if case_admin.has_view_permission(request):
        return HttpResponseRedirect(f"{_list('case')}?{urlencode({'q': term})}")
    return HttpResponseRedirect(reverse("admin:index"))
