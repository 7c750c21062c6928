"""The ledger in the admin: every entry, a period of it as a sheet, and balances drawn over time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from cases.admin.exports import ExportPages
from cases.admin.filters import ShopFilter
from cases.admin.scope import ReadOnly, ShopScoped
from cases.charts import Line, Mark, line_chart
from cases.flow import clock
from cases.looks import moment, yuan_text
from promises.models import Deposit, Entry
from promises.sheets.statements import STATEMENTS

#: What is drawn of a deposit: account, its name, a colour of the desk.
DRAWN: Final = (
    ("available", _("Available"), 1),
    ("frozen", _("Frozen"), 2),
    ("owed", _("Owed"), 4),
)
MONTHS: Final = 24


def balance_lines(entries: Sequence[Entry]) -> list[Line]:
    """The accounts over time; frozen and owed only where there ever was anything in them."""
    ordered = sorted(entries, key=lambda entry: (entry.at, entry.seq))
    lines = []
    for account, name, tone in DRAWN:
        points = [(entry.at, getattr(entry, f"{account}_after")) for entry in ordered]
        if account == "available" or any(value for _at, value in points):
            lines.append(Line(str(name), points, tone))
    return lines


def balance_chart(deposit: Deposit, lines: Sequence[Line]) -> SafeString:
    """The accounts as lines and the required sum as a level; the statement is its table."""
    text = gettext("Available ¥%(available)s, frozen ¥%(frozen)s, owed ¥%(owed)s now.")
    said = {name: getattr(deposit, name) for name in ("available", "frozen", "owed")}
    required = [Mark(gettext("Required"), deposit.required)] if deposit.required else []
    return line_chart(
        "balances",
        gettext("Balances of the deposit over time"),
        text % said,
        lines,
        required,
    )


def statement_url(deposit: Deposit) -> str:
    """Where a period of this deposit is chosen and taken out."""
    url = reverse("admin:promises_entry_changelist")
    return f"{url}?{urlencode({'shop': deposit.shop.code})}"


class EntryShopFilter(ShopFilter):
    shop_path = "deposit__shop"


class PeriodFilter(admin.SimpleListFilter):
    """Whole months of the office's zone: what statements are asked for by."""

    title = _("period")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        begins = _month(clock.now())
        for _number in range(MONTHS):
            yield begins.strftime("%Y-%m"), begins.strftime("%Y-%m")
            begins = _month(begins, -1)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            begins = datetime.strptime(self.value() or "", "%Y-%m")  # noqa: DTZ007 - made aware
        except ValueError:
            return queryset
        begins = timezone.make_aware(begins)
        return queryset.filter(at__gte=begins, at__lt=_month(begins, 1))


def _month(at: datetime, by: int = 0) -> datetime:
    """Where the month begins that is so many after that of ``at``."""
    local = timezone.localtime(at)
    number = local.year * 12 + local.month - 1 + by
    year, month = divmod(number, 12)
    return timezone.make_aware(datetime(year, month + 1, 1))  # noqa: DTZ001 - made aware


@admin.register(Entry)
class EntryAdmin(ExportPages, ReadOnly, ShopScoped, ModelAdmin):
    """Every movement of the deposits of one's shops; a period of them goes out as a sheet."""

    change_list_template = "cases/sheet_list.html"
    export_kind = STATEMENTS
    shop_path = "deposit__shop"
    list_display = [
        "deposit_link", "seq", "when", "kind", "amount_shown", "available_shown", "frozen_shown",
        "paid_shown", "owed_shown", "claim_link", "reference", "by",
    ]  # fmt: skip
    list_display_links = None
    list_select_related = ["deposit__shop", "claim", "by"]
    list_filter = [EntryShopFilter, PeriodFilter]
    list_fullwidth = True
    ordering = ["-pk"]
    sortable_by: list[str] = []

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": _("Entries of the deposits"), **(extra_context or {})}
        return super().changelist_view(request, context)

    @display(description=_("deposit"))
    def deposit_link(self, entry: Entry) -> SafeString:
        url = reverse("admin:promises_deposit_change", args=[entry.deposit_id])
        return format_html('<a class="sh-link" href="{}">{}</a>', url, entry.deposit.shop)

    @display(description=_("at"))
    def when(self, entry: Entry) -> str:
        return moment(entry.at)

    @display(description=_("amount"))
    def amount_shown(self, entry: Entry) -> str:
        return yuan_text(entry.amount)

    @display(description=_("available"))
    def available_shown(self, entry: Entry) -> str:
        return yuan_text(entry.available_after)

    @display(description=_("frozen"))
    def frozen_shown(self, entry: Entry) -> str:
        return yuan_text(_or_none(entry.frozen_after))

    @display(description=_("paid out"))
    def paid_shown(self, entry: Entry) -> str:
        return yuan_text(_or_none(entry.paid_after))

    @display(description=_("owed"))
    def owed_shown(self, entry: Entry) -> str:
        return yuan_text(_or_none(entry.owed_after))

    @display(description=_("claim"))
    def claim_link(self, entry: Entry) -> SafeString | str:
        if entry.claim is None:
            return "–"
        url = reverse("admin:promises_claim_change", args=[entry.claim_id])
        return format_html('<a class="sh-link sh-number" href="{}">{}</a>', url, entry.claim)


def _or_none(amount: Decimal) -> Decimal | None:
    return amount or None
