"""The months: what was invoiced and what was reversed, by rate, drawn and in figures."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.admin.scope import person, sees_money
from cases.charts import bar_chart
from cases.looks import now_of, yuan_text
from cases.models.money import ZERO
from cases.models.shops import shop_ids_of
from cases.reports import Question
from invoices.reports import summed

#: So many months are shown, the last one that of today or of ``until`` in the address.
MONTHS: Final = 12
_SUMS: Final = ("blue_gross", "red_gross", "red_tax", "net_gross", "unmatched_gross")
_BLUE, _RED = 1, 4


def months_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """For who may see invoices and amounts; of his shops only."""
    if not model_admin.has_view_permission(request) or not sees_money(request.user):
        raise PermissionDenied
    last = _month(request)
    question = Question(_moved(last, 1 - MONTHS), _last_day(last))
    rows = summed(question, shop_ids_of(person(request)))
    request.current_app = model_admin.admin_site.name
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("Sales and reversals by month"),
        "months": _table(rows),
        "charts": _charts(rows, last),
        "since": question.since,
        "until": question.until,
        "earlier": _moved(last, -MONTHS),
        "later": _moved(last, MONTHS) if _moved(last, MONTHS) <= _today(request) else None,
    }
    return TemplateResponse(request, "invoices/months.html", context)


def _today(request: HttpRequest) -> date:
    return timezone.localtime(now_of(request)).date()


def _month(request: HttpRequest) -> date:
    """The first of the last month that is shown."""
    try:
        asked = date.fromisoformat(f"{request.GET.get('until', '')[:7]}-01")
    except ValueError:
        asked = _today(request)
    return asked.replace(day=1)


def _moved(month: date, by: int) -> date:
    year, number = divmod(month.year * 12 + month.month - 1 + by, 12)
    return date(min(max(year, 1), 9999), number + 1, 1)


def _last_day(month: date) -> date:
    return _moved(month, 1) - timedelta(days=1)


def _table(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By month and rate, all kinds together; the latest month first."""
    found: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(
        lambda: dict.fromkeys(_SUMS, ZERO)
    )
    for row in rows:
        sums = found[row["month"], row["rate"]]
        for name in _SUMS:
            sums[name] += Decimal(row[name])
    return [
        {
            "month": month,
            "rate": gettext("exempt") if rate == "exempt" else f"{Decimal(rate) * 100:.4g}%",
            "share": _share(-sums["red_gross"], sums["blue_gross"]),
            **{name: yuan_text(amount) if amount else "–" for name, amount in sums.items()},
        }
        for (month, rate), sums in sorted(found.items(), reverse=True)
    ]


def _share(part: Decimal, whole: Decimal) -> str:
    return f"{part / whole * 100:.1f}%" if whole else "–"


def _charts(rows: list[dict[str, Any]], last: date) -> list[tuple[str, SafeString]]:
    """Sales and reversals by name, a bar a month; nothing where there was nothing."""
    months = [f"{_moved(last, by):%Y-%m}" for by in range(1 - MONTHS, 1)]
    drawn = []
    for name, words, tone in (
        ("blue_gross", gettext("Sales with tax by month"), _BLUE),
        ("red_gross", gettext("Reversed with tax by month"), _RED),
    ):
        sums = dict.fromkeys(months, ZERO)
        for row in rows:
            sums[row["month"]] += Decimal(row[name])
        if any(sums.values()):
            told = gettext("¥%(sum)s in all; the table below has each month.")
            text = told % {"sum": sum(sums.values(), ZERO)}
            bars = [(month[2:], amount) for month, amount in sums.items()]
            chart = bar_chart(name.replace("_", "-"), words, text, bars, tone)
            drawn.append((words, chart))
    return drawn
