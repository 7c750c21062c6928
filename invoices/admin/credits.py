"""Credit notes in the admin: a list by what is known of them, and a page to settle each part."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Sum, Value
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from cases.admin.counts import GROUPS, counted, group_counts
from cases.admin.filters import ShopFilter
from cases.admin.scope import ReadOnly, ShopScoped, person, sees_money
from cases.admin.search import OneSearch, tidy
from cases.admin.steps import CHANNEL
from cases.flow.door import Actor, NotPermitted, Refused
from cases.looks import moment, yuan_text
from invoices import crediting
from invoices.matching import Choice, Verdict
from invoices.models import CreditLine, CreditNote, Invoice
from invoices.models.quantity import shown
from invoices.showing import buyer_of

State, Why = CreditLine.State, CreditLine.Why
DECIDE, REST, ASIDE, DONE, ALL = "decide", "rest", "aside", "done", "all"
TAB_NAMES: dict[str, Promise] = {
    DECIDE: _("To choose"),
    REST: _("No invoice found"),
    ASIDE: _("Put aside"),
    DONE: _("Reversed"),
    ALL: _("All"),
}
#: A note stands in each tab that one of its lines belongs to.
TAB_LINES: dict[str, Q] = {
    DECIDE: Q(state=State.OPEN, why=Why.SEVERAL),
    REST: Q(state=State.OPEN) & ~Q(why=Why.SEVERAL),
    ASIDE: Q(state=State.PUT_ASIDE),
    DONE: Q(state=State.SETTLED),
}
ACCEPT, PUT_ASIDE, TAKE_UP = "accept", "put_aside", "take_up"


def credit_counts(request: HttpRequest) -> dict[str, int]:
    """How many notes of this person's shops stand in each tab."""
    found = group_counts(request)["credit"]
    return {tab: found[tab] for tab in TAB_LINES}


def _by_tab(request: HttpRequest) -> list[Any]:
    if not request.user.has_perm("invoices.view_creditnote"):
        return []
    notes: QuerySet[Any] = CreditNote.objects.visible_to(request.user)
    rows = CreditLine.objects.filter(note__in=notes.order_by().values("pk"))
    each_note = Count("note", distinct=True)
    return [
        counted("credit", rows.filter(which), Value(tab, CharField()), each_note)
        for tab, which in TAB_LINES.items()
    ]


GROUPS.append(_by_tab)


class Notes(ChangeList):
    """The list narrowed to a tab; a search looks everywhere, whatever tab it was typed in."""

    def get_filters_params(self, params: Any = None) -> Any:
        lookups = super().get_filters_params(params)
        lookups.pop("tab", None)
        return lookups

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        which = TAB_LINES.get(request.GET.get("tab", DECIDE))
        if self.query or which is None:
            return queryset
        mine = CreditLine.objects.filter(which, note=OuterRef("pk"))
        narrowed: QuerySet[Any] = queryset.filter(Exists(mine))
        return narrowed


def find_notes(notes: QuerySet[Any], term: str) -> list[int]:
    """Primary keys of the notes of this number, or whose red reverses the invoice of it."""
    term = tidy(term)
    if not term:
        return []
    mine = CreditLine.objects.filter(red__blue__number=term).values("note_id")
    found = notes.filter(Q(number__iexact=term) | Q(pk__in=mine)).order_by()
    return list(found.values_list("pk", flat=True)[:200])


@admin.register(CreditNote)
class CreditNoteAdmin(OneSearch, ReadOnly, ShopScoped, ModelAdmin):
    find = staticmethod(find_notes)
    list_display = ["number_shown", "buyer", "issued", "open_lines", "total", "shop", "press"]
    list_select_related = ["shop"]
    list_filter = [ShopFilter]
    list_before_template = "cases/tabs.html"
    search_fields = ["number"]
    search_help_text = _("Credit note or invoice")
    list_fullwidth = True
    ordering = ["issued_at", "pk"]
    sortable_by = ["issued"]

    def get_urls(self) -> Any:
        wrap = self.admin_site.admin_view
        settle = path(
            "<int:object_id>/settle/", wrap(self.settle_view), name="invoices_creditnote_settle"
        )
        return [settle, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        notes: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = notes.annotate(
            count_open=Count("lines", filter=Q(lines__state=State.OPEN)),
            count_lines=Count("lines"),
            sum_gross=Sum("lines__gross"),
        )
        return counted

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return Notes

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def get_list_display(self, request: HttpRequest) -> Any:
        names = super().get_list_display(request)
        return names if sees_money(request.user) else [n for n in names if n != "total"]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        here, counts = request.GET.get("tab", DECIDE), credit_counts(request)
        tabs = [
            {"slug": slug, "label": name, "count": counts.get(slug), "here": slug == here}
            for slug, name in TAB_NAMES.items()
        ]
        context = {"queue_tabs": tabs, "title": _("Credit notes"), **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[no-any-return]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        note = self.get_or_404(request, object_id, "shop")
        if not self.has_view_permission(request, note):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])  # each part is settled at its own address
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": note,
            "title": _("Credit note %(number)s") % {"number": note},
            "may_match": request.user.has_perm("invoices.match_creditnote"),
            "money": sees_money(request.user),
            **page_of(note),
        }
        return TemplateResponse(request, "invoices/credit_note.html", context)

    def settle_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Puts the chosen lines to an invoice, or aside, or takes them up again."""
        note = self.get_or_404(request, str(object_id))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            messages.success(request, _settle(person(request), note, request.POST))
        except NotPermitted as refused:
            raise PermissionDenied(str(refused)) from refused
        except Refused as refused:
            messages.error(request, refused.message)
        return HttpResponseRedirect(reverse("admin:invoices_creditnote_change", args=[note.pk]))

    @display(description=_("credit note no."), ordering="number")
    def number_shown(self, note: CreditNote) -> SafeString:
        return format_html('<span class="sh-number">{}</span>', note)

    @display(description=_("buyer"))
    def buyer(self, note: CreditNote) -> str:
        return _buyer(note)

    @display(description=_("issued at"), ordering="issued_at")
    def issued(self, note: CreditNote) -> str:
        return moment(note.issued_at)

    @display(description=_("open lines"))
    def open_lines(self, note: Any) -> str:
        return f"{note.count_open} / {note.count_lines}"

    @display(description=_("total with tax"))
    def total(self, note: Any) -> str:
        return yuan_text(-note.sum_gross if note.sum_gross else None)

    @display(description="")
    def press(self, note: Any) -> SafeString:
        url = reverse("admin:invoices_creditnote_change", args=[note.pk])
        text = gettext("Settle") if note.count_open else gettext("Look")
        return format_html('<a class="sh-button sh-button--small" href="{}">{}</a>', url, text)


def _settle(user: Any, note: CreditNote, given: Any) -> str:
    """Does what a button of the page asks for; what came of it."""
    actor = Actor.person(user, CHANNEL)
    lines = [int(word) for word in given.get("lines", "").split(",") if word.isdigit()]
    act = given.get("act")
    if act == PUT_ASIDE:
        crediting.put_aside(actor, note.pk, lines, given.get("text", ""))
        return gettext("Put aside.")
    if act == TAKE_UP:
        crediting.take_up(actor, note.pk, lines)
    elif act == ACCEPT:
        red = crediting.accept(actor, note.pk, lines, given.get("invoice", ""))
        said = {"red": red, "blue": red.blue}
        crediting.settle_pending(actor, shops=frozenset({note.shop_id}))
        return gettext("%(red)s reverses %(blue)s now.") % said
    crediting.settle_pending(actor, shops=frozenset({note.shop_id}))
    return gettext("Compared again.")


@dataclass(frozen=True)
class Offer:
    """An invoice that can be meant, as the page shows it."""

    invoice: Invoice
    why: str
    buyer: str


@dataclass(frozen=True)
class Group:
    """Lines that are settled together: a part of the note, or what waits for one reason."""

    title: str
    why: str
    keys: str
    lines: list[CreditLine]
    offers: Sequence[Offer] = ()


def page_of(note: CreditNote) -> dict[str, Any]:
    """The note's parts with what each can mean; the number of queries is the same for any note."""
    lines = list(note.lines.select_related("red__blue", "settled_by").order_by("line_no"))
    open_ = {line.pk: line for line in lines if line.state == State.OPEN}
    verdicts = crediting.choices_of(note) if open_ else []
    meant = {choice.invoice for one in verdicts for choice in one.choices}
    invoices = Invoice.objects.in_bulk(meant)
    return {
        "note": note,
        "buyer": _buyer(note),
        "total": yuan_text(-sum((line.gross for line in lines), Decimal(0))),
        "groups": _groups(verdicts, open_, invoices),
        "settled": [line for line in lines if line.state == State.SETTLED],
        "aside": [line for line in lines if line.state == State.PUT_ASIDE],
    }


def _groups(
    verdicts: list[Verdict], open_: dict[int, CreditLine], invoices: dict[Any, Invoice]
) -> list[Group]:
    """First what there is a choice for; the rest by its reason."""
    groups: list[Group] = []
    told: set[int] = set()
    for one in sorted(verdicts, key=lambda v: not v.choices):
        mine = [open_[pk] for pk in one.lines if pk in open_]
        offers = [
            Offer(invoices[c.invoice], _why(c), buyer_of(invoices[c.invoice]) or "–")
            for c in one.choices
        ]
        groups.append(_group(mine, Why(one.why.value), offers, Decimal(one.left)))
        told.update(line.pk for line in mine)
    for line in open_.values():
        if line.pk not in told:
            why = Why(line.why) if line.why else None
            groups.append(_group([line], why, [], line.left))
    return groups


def _group(
    lines: list[CreditLine], why: Any, offers: Sequence[Offer], left: Decimal | None
) -> Group:
    said = str(why.label) if why else gettext("Not compared yet")
    if why == Why.TOO_MUCH:
        said = gettext("%(why)s: at most %(left)s on one invoice") % {
            "why": said,
            "left": shown(left or Decimal(0)),
        }
    numbers = ", ".join(str(line.line_no) for line in lines)
    title = gettext("Line %(lines)s") % {"lines": numbers}
    return Group(title, said, ",".join(str(line.pk) for line in lines), lines, offers)


def _why(choice: Choice) -> str:
    """Why it stands where it stands in the ranking."""
    said = [
        gettext("has all goods of the note")
        if choice.fits == choice.of
        else gettext("has %(fits)s of %(of)s goods of the note")
        % {"fits": choice.fits, "of": choice.of}
    ]
    if choice.exact:
        said.append(gettext("of %(count)s exactly these pieces are left") % {"count": choice.exact})
    said.append(gettext("issued %(at)s") % {"at": moment(choice.at)})
    return " · ".join(said)


def _buyer(note: CreditNote) -> str:
    """Masked where it is a person, as on invoices; a customer's number is no name."""
    if note.buyer_name.isdigit():
        return note.buyer_name
    return buyer_of(note) or "–"  # type: ignore[arg-type]  # it has the same columns
