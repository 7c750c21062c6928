"""The pages of what is done to an invoice: which are offered, what they say, what they do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.admin.pages import Page, Row
from cases.admin.scope import person
from cases.admin.steps import CHANNEL
from cases.flow.door import Actor, NotPermitted, Refused, perform
from cases.looks import moment, now_of, yuan_text
from cases.models import Order
from invoices import drafting, ledger, verbs
from invoices.admin.entry import EntryForm
from invoices.forms import INVOICE_FORMS, FileForm, InvoiceForm, IssueForm, NoteForm
from invoices.models import (
    Invoice,
    InvoiceAct,
    RedRequest,
    RedState,
    Treatment,
    TreatmentKind,
    TreatmentState,
)
from invoices.models.quantity import shown
from invoices.models.reds import OPEN
from invoices.planning import Plan, check_is_blue, plan

Verb = InvoiceAct.Verb


@dataclass(frozen=True)
class ActPage:
    """One act: its name, the right it takes, what it does with a form's inputs."""

    title: str | Promise
    right: str
    go: Callable[[Actor, Invoice, str | None, dict[str, Any]], object]
    help: str | Promise = ""
    danger: bool = False


def _request_red(actor: Actor, invoice: Invoice, key: str | None, given: dict[str, Any]) -> object:
    return verbs.request_red(actor, invoice, key=key, **given)


def _for_case(actor: Actor, invoice: Invoice, key: str | None, given: dict[str, Any]) -> object:
    treatment = _open(invoice, TreatmentKind.RED)
    if treatment is None:
        raise Refused(gettext("No case asks for a reversal of this invoice now."), "stale")
    return verbs.reverse_for(actor, treatment, key=key, **given)


def _record(actor: Actor, invoice: Invoice, key: str | None, given: dict[str, Any]) -> object:
    return verbs.record_red(actor, invoice, key=key, **given)


def _answer(actor: Actor, invoice: Invoice, key: str | None, given: dict[str, Any]) -> object:
    return verbs.answer(actor, invoice, key=key, **given)


def _settle(actor: Actor, invoice: Invoice, key: str | None, given: dict[str, Any]) -> object:
    held = invoice.red_requests.filter(held__gt="").order_by("-pk").first()
    if held is None:
        raise Refused(gettext("Nothing is held on this invoice any more."), "stale")
    return perform(actor, held, RedRequest.settle_review, key=key, **given)


def _reissue(actor: Actor, invoice: Invoice, key: str | None, given: dict[str, Any]) -> object:
    treatment = _open(invoice, TreatmentKind.REISSUE)
    if treatment is None:
        raise Refused(gettext("Nothing of this invoice is to be issued anew now."), "stale")
    return verbs.reissue(actor, treatment, key=key, **given)


def _void(actor: Actor, invoice: Invoice, _key: str | None, given: dict[str, Any]) -> object:
    return verbs.void(actor, invoice, **given)


def _file(actor: Actor, invoice: Invoice, _key: str | None, given: dict[str, Any]) -> object:
    return verbs.add_files(actor, invoice, **given)


def _mark(verb: str) -> Callable[[Actor, Invoice, str | None, dict[str, Any]], object]:
    return lambda actor, invoice, _key, given: verbs.mark(actor, invoice, verb, **given)


PAGES: dict[str, ActPage] = {
    "reverse_for_case": ActPage(
        _("Request the red invoice of the case"),
        "invoices.request_red_invoice",
        _for_case,
        _("Exactly the accepted pieces, with what is refunded of them."),
    ),
    "request_red": ActPage(
        _("Request a red invoice"),
        "invoices.request_red_invoice",
        _request_red,
        _("What was issued in error is reversed as a whole; the other reasons in whole or part."),
    ),
    "confirm_red": ActPage(
        _("Enter the authority's answer"), "invoices.answer_redrequest", _answer
    ),
    "record_red": ActPage(
        _("Enter the red invoice"),
        "invoices.record_red_redrequest",
        _record,
        _("Its own figures count; more than a cent from the plan on a line is held for review."),
    ),
    "settle_review": ActPage(_("Looked at"), "invoices.settle_review_redrequest", _settle),
    "reissue": ActPage(_("Issue the remainder anew"), "invoices.issue_invoice", _reissue),
    "mark_used": ActPage(_("The buyer has used it"), "invoices.mark_used_invoice", _mark(Verb.USE)),
    "mark_unused": ActPage(
        _("The buyer has not used it"), "invoices.mark_used_invoice", _mark(Verb.UNUSE)
    ),
    "mark_booked": ActPage(_("It is in our books"), "invoices.issue_invoice", _mark(Verb.BOOK)),
    "add_file": ActPage(_("Add a file"), "invoices.mark_used_invoice", _file),
    "void": ActPage(
        _("Void"),
        "invoices.void_invoice",
        _void,
        _("Paper only, in the month of issue, with the original back and not booked."),
        danger=True,
    ),
}


#: Forms of acts that have a page and are no verbs of the command.
_PAGE_FORMS: dict[str, type[InvoiceForm]] = {"reverse_for_case": NoteForm, "add_file": FileForm}


@dataclass(frozen=True)
class Offer:
    """A button of the page."""

    url: str
    text: str | Promise
    primary: bool = False
    danger: bool = False


def offered(
    user: Any, invoice: Invoice, requests: list[RedRequest], treatments: list[Treatment]
) -> list[Offer]:
    """The acts that are open now to this person; the first may be the one next thing to do."""
    if not invoice.is_blue:
        return [_offer(invoice, "add_file")] if _may(user, "add_file") else []
    names = _names(invoice, requests, treatments)
    first = _first(requests, treatments)
    found = [_offer(invoice, name, primary=name == first) for name in names if _may(user, name)]
    return sorted(found, key=lambda one: not one.primary)


def _may(user: Any, name: str) -> bool:
    return bool(user.has_perm(PAGES[name].right))


def _offer(invoice: Invoice, name: str, *, primary: bool = False) -> Offer:
    page = PAGES[name]
    url = reverse("admin:invoices_invoice_do", args=[invoice.pk, name])
    return Offer(url, page.title, primary, page.danger)


def _first(requests: list[RedRequest], treatments: list[Treatment]) -> str:
    """One next thing: what is held, then what the authority's state asks for, then the cases."""
    if any(r.held for r in requests):
        return "settle_review"
    running = next((r for r in requests if r.state in OPEN), None)
    if running is not None:
        return "record_red" if running.state == RedState.EFFECTIVE else "confirm_red"
    kinds = {t.kind for t in treatments if t.state == TreatmentState.OPEN}
    if TreatmentKind.REISSUE in kinds:
        return "reissue"
    if TreatmentKind.RED in kinds:
        return "reverse_for_case"
    if TreatmentKind.ENDORSE in kinds:
        return "endorse"
    return "move_paper" if kinds & {TreatmentKind.GIVE_BACK, TreatmentKind.HAND_BACK} else ""


def _names(invoice: Invoice, requests: list[RedRequest], treatments: list[Treatment]) -> list[str]:
    standing = invoice.standing
    running = any(r.state in OPEN for r in requests)
    left = standing.voided_at is None and standing.reversed_gross < standing.gross
    kinds = {t.kind for t in treatments if t.state == TreatmentState.OPEN}
    tests = {
        "settle_review": any(r.held for r in requests),
        "reverse_for_case": TreatmentKind.RED in kinds and not running and left,
        "request_red": not running and left,
        "confirm_red": bool(requests),
        "record_red": running or any(r.state == RedState.DEAD for r in requests[:1]),
        "reissue": TreatmentKind.REISSUE in kinds,
        "endorse": left and (TreatmentKind.ENDORSE in kinds or bool(treatments)),
        "review_endorsement": invoice.endorsements.filter(review=None).exists(),
        "move_paper": invoice.is_paper,
        "mark_used": left and not standing.buyer_used,
        "mark_unused": left and standing.buyer_used,
        "mark_booked": not standing.booked,
        "add_file": True,
        "void": left and invoice.is_paper and not standing.reversed_gross and not running,
    }
    return [name for name, stands in tests.items() if stands]


def _open(invoice: Invoice, kind: str) -> Treatment | None:
    rows = invoice.treatments.filter(kind=kind, state=TreatmentState.OPEN)
    found: Treatment | None = rows.select_related("shop", "case", "invoice").order_by("pk").first()
    return found


def act_page(model_admin: Any, request: HttpRequest, invoice: Invoice, verb: str) -> HttpResponse:
    """GET shows the form with its consequences, POST acts through the same verbs as commands."""
    page, user = PAGES[verb], person(request)
    actor = Actor.person(user, CHANNEL)
    form_class: Any = {**INVOICE_FORMS, **_PAGE_FORMS}[verb]
    back = reverse("admin:invoices_invoice_change", args=[invoice.pk])

    def go(form: Any, key: str | None) -> str:
        page.go(actor, invoice, key, form.inputs())
        return back

    def form(data: Any) -> Any:
        return form_class(data, request.FILES or None, invoice=invoice, actor=actor)

    right = user.has_perm(page.right)
    rows, obstacle = _consequences(invoice, verb, now_of(request))
    shown_page = Page(
        title=str(page.title),
        form=form,
        go=go,
        back=back,
        done=gettext("%(no)s: “%(step)s” is done.") % {"no": invoice, "step": page.title},
        help=str(page.help),
        rows=rows,
        facts=facts_of(invoice),
        obstacle=obstacle if right else _no_right(page),
        danger=page.danger,
    )
    return shown_page.answer(model_admin, request)


def _no_right(page: ActPage) -> Refused:
    return NotPermitted(gettext("“%(step)s” is not among your duties.") % {"step": page.title})


def _consequences(invoice: Invoice, verb: str, at: Any) -> tuple[list[Row], Refused | None]:
    """What the act does, before the button; or why it cannot be done now."""
    try:
        if verb == "reverse_for_case":
            return _of_case(invoice, at), None
        if verb in {"request_red", "confirm_red", "record_red"}:
            check_is_blue(invoice)
        if verb == "reissue":
            return _of_remainder(invoice), None
        if verb in {"record_red", "confirm_red"}:
            return _of_request(verbs.request_for(invoice)), None
        if verb == "void" and (obstacle := verbs.void_obstacle(invoice.standing, at)):
            return [], Refused(obstacle)
    except Refused as refused:
        return [], refused
    return [], None


def _of_case(invoice: Invoice, at: Any) -> list[Row]:
    treatment = _open(invoice, TreatmentKind.RED)
    if treatment is None:
        return []
    book = ledger.look([invoice.pk])
    wish = verbs.wish_of(treatment)
    planned = plan(book.standings[invoice.pk], book.of(invoice.pk), wish, at)
    return [(gettext("Case"), str(treatment.case), ""), *rows_of_plan(planned)]


def rows_of_plan(planned: Plan) -> list[Row]:
    """Line by line with minus signs; what the policy has issued anew."""
    rows: list[Row] = [
        (
            gettext("Line %(line)s") % {"line": p.balance.line.line_no}
            + (f" × {shown(p.part.quantity)}" if p.part.quantity else ""),
            yuan_text(-p.part.gross),
            "",
        )
        for p in planned.lines
    ]
    rows.append((gettext("Reversed in all"), yuan_text(-planned.total("gross")), "strong"))
    rows.append((gettext("of it tax"), yuan_text(-planned.total("tax")), ""))
    if planned.whole_instead:
        rows.append(
            (
                gettext("The whole is reversed; to be issued anew"),
                yuan_text(planned.remainder),
                "late",
            )
        )
    return rows


def _of_remainder(invoice: Invoice) -> list[Row]:
    treatment = _open(invoice, TreatmentKind.REISSUE)
    if treatment is None:
        raise Refused(gettext("Nothing of this invoice is to be issued anew now."))
    rows: list[Row] = [
        (
            f"{x.line.line_no} {x.line.title} × {shown(x.quantity)}",
            yuan_text(x.gross),
            "",
        )
        for x in treatment.lines.select_related("line").order_by("line__line_no")
    ]
    return rows


def _of_request(row: RedRequest) -> list[Row]:
    return [
        (gettext("Red request"), row.request_no, ""),
        (gettext("Serial no."), row.serial, ""),
        (gettext("Planned"), yuan_text(-row.gross), "strong"),
        (gettext("of it tax"), yuan_text(-row.tax), ""),
    ]


def facts_of(invoice: Invoice) -> list[Row]:
    """Which invoice this is, beside the form."""
    rows: list[Row] = [
        (gettext("Invoice"), str(invoice), ""),
        (gettext("Invoice kind"), str(invoice.get_kind_display()), ""),
        (gettext("Total with tax"), yuan_text(invoice.gross), "strong"),
        (gettext("Issued at"), moment(invoice.issued_at), ""),
    ]
    if invoice.is_blue:
        s = invoice.standing
        left = s.gross - s.reversed_gross - s.reserved_gross
        used = gettext("yes") if s.buyer_used else gettext("no")
        rows += [
            (gettext("Left"), yuan_text(left), "strong"),
            (gettext("Used by the buyer"), used, ""),
        ]
    return rows


def issue_page(model_admin: Any, request: HttpRequest, order: Order) -> HttpResponse:
    """A draft from the order: what is left of what was paid, line by line."""
    actor = Actor.person(person(request), CHANNEL)
    obstacle, rows = None, []
    treatment = verbs.open_reissue(order=order)
    try:
        draft = (
            drafting.of_remainder(treatment, "", "", "", now_of(request))
            if treatment is not None
            else drafting.from_order(order, "", "", "", now_of(request))
        )
        rows = [(f"{line.line_no} {line.title}", yuan_text(line.gross), "") for line in draft.lines]
        rows.append((gettext("Total with tax"), yuan_text(draft.total("gross")), "strong"))
    except Refused as refused:
        obstacle = refused

    def go(form: Any, key: str | None) -> str:
        made = verbs.issue(actor, order, key=key, **form.inputs())
        return reverse("admin:invoices_invoice_change", args=[made.pk])

    page = Page(
        title=gettext("Issue an invoice"),
        form=lambda data: IssueForm(data, order=order, actor=actor, initial=_usual(order)),
        go=go,
        back=reverse("admin:cases_order_change", args=[order.pk]),
        done=gettext("The invoice is entered."),
        help=gettext("What is left of what was paid, by the lines of the order."),
        rows=rows,
        facts=[(gettext("Order"), order.order_no, ""), (gettext("Shop"), str(order.shop), "")],
        obstacle=obstacle,
    )
    return page.answer(model_admin, request)


def _usual(order: Order) -> dict[str, str]:
    return {"kind": drafting.kind_of(order)}


def enter_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """An invoice issued elsewhere, typed from the paper."""
    user = person(request)
    actor = Actor.person(user, CHANNEL)

    def go(form: Any, key: str | None) -> str:
        made = verbs.enter(actor, form.new(), key=key)
        return reverse("admin:invoices_invoice_change", args=[made.pk])

    page = Page(
        title=gettext("Enter an invoice"),
        form=lambda data: EntryForm(data, user=user),
        go=go,
        back=reverse("admin:invoices_invoice_changelist"),
        done=gettext("The invoice is entered."),
        help=gettext("As it stands on the paper; it cannot be changed afterwards."),
        css="invoices/entry.css",
    )
    return page.answer(model_admin, request)


def treatment_steps(request: HttpRequest, row: Treatment) -> list[tuple[str, Any, bool]]:
    """The steps of a treatment that this person may take, as links to their pages."""
    names = [n for n in ("finish", "waive") if request.user.has_perm(f"invoices.{n}_treatment")]
    if row.kind in {TreatmentKind.RED, TreatmentKind.REISSUE}:
        names = [n for n in names if n != "finish"]  # the red or the new invoice ends it
    info = Treatment.steps()
    return [
        (
            reverse("admin:invoices_treatment_do", args=[row.pk, name]),
            info[name].label,
            info[name].danger,
        )
        for name in names
    ]
