"""Deposits in the admin: accounts, the duty to top up, the statement, money in and out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from cases.admin.scope import ReadOnly, ShopScoped, person
from cases.admin.steps import CHANNEL
from cases.flow.door import Actor
from cases.looks import countdown, label, moment, now_of, yuan_text
from cases.models import Shop
from promises import verbs
from promises.admin.pages import ActPages, Page, Row, no_duty
from promises.admin.statements import balance_chart, balance_lines, statement_url
from promises.forms import DEPOSIT_FORMS, MoneyForm
from promises.models import Deposit, DutyState, TopUpDuty

TITLES = {
    "top_up": _("Enter a top-up"),
    "withdraw": _("Enter a withdrawal"),
    "require": _("Set the required sum"),
}
TONES = {
    DutyState.NOTIFIED: "warning",
    DutyState.SUSPENDED: "danger",
    DutyState.BLOCKED: "danger",
    DutyState.MET: "success",
}
#: The newest entries stand on the page; the whole statement is in ``show deposit``.
MOST_ENTRIES = 200


class FirstMoneyForm(MoneyForm):
    """The first money of a shop that has no deposit yet."""

    shop = forms.ModelChoiceField(Shop.objects.none(), label=_("shop"))
    field_order = ["shop", "amount", "reference"]

    def __init__(self, data: Any = None, *, shops: Any) -> None:
        super().__init__(data)
        field: Any = self.fields["shop"]
        field.queryset = shops
        self.order_fields(self.field_order)


@admin.register(Deposit)
class DepositAdmin(ActPages, ReadOnly, ShopScoped, ModelAdmin):
    acts = TITLES
    beside = ("shop",)
    list_display = [
        "shop", "available_shown", "frozen_shown", "paid_shown", "owed_shown", "required_shown",
        "status",
    ]  # fmt: skip
    list_select_related = ["shop"]
    search_fields = ["shop__code", "shop__name"]
    ordering = ["shop__code"]
    sortable_by = ["shop"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("promises.top_up_deposit"))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": _("Deposits"), **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[no-any-return]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The first top-up of a shop opens its deposit."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        actor = Actor.person(person(request), CHANNEL)
        shops = Shop.objects.visible_to(person(request)).filter(deposit=None)

        def go(form: Any, key: str | None) -> str:
            deposit = verbs.top_up(actor, key=key, **form.inputs())
            return self.row_url(deposit)

        page = Page(
            title=gettext("First top-up of a shop"),
            form=lambda data: FirstMoneyForm(data, shops=shops),
            go=go,
            back=reverse("admin:promises_deposit_changelist"),
            done=gettext("The top-up is entered."),
        )
        return page.answer(self, request)

    def shown(self, request: HttpRequest, deposit: Deposit) -> dict[str, Any]:
        duties = list(TopUpDuty.objects.filter(shop=deposit.shop).order_by("-pk")[:10])
        entries = deposit.entries.select_related("claim", "by").order_by("-seq")
        newest = list(entries[:MOST_ENTRIES])
        lines = balance_lines(newest[::-1])
        return {
            "deposit": deposit,
            "title": gettext("Deposit of %(shop)s") % {"shop": deposit.shop},
            "tiles": account_rows(deposit),
            "duties": [_duty(d, request) for d in duties],
            "acts": [
                (self.do_url(deposit, verb), title)
                for verb, title in TITLES.items()
                if request.user.has_perm(f"promises.{verb}_deposit")
            ],
            "entries": [_entry(e) for e in newest],
            "more": deposit.seq > MOST_ENTRIES,
            "chart": balance_chart(deposit, lines),
            "lines": lines,
            "sheet": statement_url(deposit)
            if request.user.has_perm("promises.export_entry")
            else "",
        }

    def act_page(self, request: HttpRequest, deposit: Deposit, verb: str, actor: Actor) -> Page:
        back, title = self.row_url(deposit), str(TITLES[verb])

        def go(form: Any, key: str | None) -> str:
            if verb == "require":
                verbs.require(actor, deposit.shop, **form.inputs())
            else:
                act = verbs.top_up if verb == "top_up" else verbs.withdraw
                act(actor, deposit.shop, key=key, **form.inputs())
            return back

        may = request.user.has_perm(f"promises.{verb}_deposit")
        return Page(
            title=title,
            form=DEPOSIT_FORMS[verb],
            go=go,
            back=back,
            done=gettext("%(what)s: done.") % {"what": title},
            help=gettext("Debts are paid first, the oldest first.") if verb == "top_up" else "",
            facts=[(gettext("Shop"), str(deposit.shop), ""), *account_rows(deposit)],
            obstacle=None if may else no_duty(title),
            danger=verb == "withdraw",
        )

    @display(description=_("available"))
    def available_shown(self, deposit: Deposit) -> str:
        return yuan_text(deposit.available)

    @display(description=_("frozen"))
    def frozen_shown(self, deposit: Deposit) -> str:
        return yuan_text(deposit.frozen)

    @display(description=_("paid out"))
    def paid_shown(self, deposit: Deposit) -> str:
        return yuan_text(deposit.paid)

    @display(description=_("owed"))
    def owed_shown(self, deposit: Deposit) -> str:
        return yuan_text(deposit.owed or None)

    @display(description=_("required"))
    def required_shown(self, deposit: Deposit) -> str:
        return yuan_text(deposit.required)

    @display(description=_("duty to top up"))
    def status(self, deposit: Deposit) -> Any:
        return label(gettext("owes"), "danger") if deposit.owed else "–"


def account_rows(deposit: Deposit) -> list[Row]:
    return [
        (gettext("Available"), yuan_text(deposit.available), "strong"),
        (gettext("Frozen"), yuan_text(deposit.frozen), ""),
        (gettext("Paid out"), yuan_text(deposit.paid), ""),
        (gettext("Owed"), yuan_text(deposit.owed), "late" if deposit.owed else ""),
        (gettext("Required"), yuan_text(deposit.required), ""),
        (gettext("Can be withdrawn"), yuan_text(deposit.withdrawable), ""),
    ]


def _duty(duty: TopUpDuty, request: HttpRequest) -> dict[str, Any]:
    state = DutyState(duty.state)
    info = TopUpDuty.steps()
    return {
        "state": label(state.label, TONES[state]),
        "since": moment(duty.notified_at),
        "countdown": countdown(duty.due_at, now_of(request)) if duty.due_at else "",
        "then": info[duty.on_expiry].label if duty.on_expiry in info else "",
        "met": moment(duty.met_at) if duty.met_at else "",
    }


def _entry(entry: Any) -> dict[str, Any]:
    return {
        "row": entry,
        "at": moment(entry.at),
        "amount": yuan_text(entry.amount),
        "balances": [
            yuan_text(getattr(entry, f"{name}_after"))
            for name in ("available", "frozen", "paid", "owed")
        ],
    }
