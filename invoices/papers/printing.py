"""Fills in the printed forms from rows: handling slip, exchange voucher, papers back, red form.

Each maker answers with one Form; rows are read in a constant number of queries per form.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.looks import moment
from cases.models.money import ZERO
from invoices import verbs
from invoices.documents import A4, Column, Form, Stage
from invoices.ledger import look
from invoices.models import (
    Endorsement,
    Invoice,
    Paper,
    RedRequest,
    Treatment,
    TreatmentKind,
    WarrantyExtension,
)
from invoices.models.custody import STRIP, Place
from invoices.models.quantity import shown
from invoices.numerals import capital
from invoices.papers.custody import paper_of, where_it_is
from invoices.planning import plan
from invoices.showing import buyer_of

#: The action as clerks say it.
_RED = (TreatmentKind.RED, TreatmentKind.REISSUE)


@dataclass(frozen=True)
class Setting:
    """Of a whole job: who prints, when, where records are found, whether he sees money."""

    who: str
    at: datetime
    base: str = ""
    money: bool = True

    def link(self, invoice: Invoice | None) -> str:
        """The address of the record, for the QR code."""
        if invoice is None or not self.base:
            return ""
        path = reverse("admin:invoices_invoice_change", args=[invoice.pk])
        return f"{self.base.rstrip('/')}{path}"

    @property
    def foot(self) -> str:
        return _("Printed %(at)s · %(who)s") % {"at": moment(self.at), "who": self.who}


@dataclass(frozen=True)
class _Row:
    """One line with what is done to it, as printed: reversed figures are negative."""

    number: int
    title: str
    quantity: Decimal | None
    net: Decimal | None = None
    rate: str = ""
    tax: Decimal | None = None
    gross: Decimal | None = None


def slip(treatment: Treatment, setting: Setting) -> Form:
    """What is to be done to one invoice for one case, for everyone whose hands it goes through."""
    invoice, case = treatment.invoice, treatment.case
    number = case.case_no if case else str(treatment.pk)
    facts = [
        (_("Case"), number),
        (_("Order"), treatment.order.order_no if treatment.order else "–"),
        (_("What is to be done"), str(treatment.get_kind_display())),
        (_("State"), str(treatment.get_state_display())),
        *(_invoice_facts(invoice) if invoice else ()),
        (_("Reason"), str(case.reason) if case else "–"),
        (_("Note"), treatment.note),
    ]
    return Form(
        title=_("Invoice handling slip"),
        number=number,
        shop=str(treatment.shop),
        mark=_mark(),
        facts=tuple((name, value) for name, value in facts if value),
        **_table(_rows_of(treatment, setting.at), money=setting.money),
        **_strip(invoice),
        signatures=(_("Handled by"), _("Checked by"), _("Finance")),
        **_link(setting, invoice),
        foot=setting.foot,
    )


def voucher(endorsement: Endorsement, setting: Setting) -> Form:
    """The buyer's copy of an exchange: the piece, its old and new number, the warranty."""
    line, invoice = endorsement.line, endorsement.invoice
    extended = WarrantyExtension.objects.filter(
        order_line=line.order_line_id, sent_at__date__gte=endorsement.exchanged_on
    ).aggregate(days=Sum("days", default=0))["days"]
    review = getattr(endorsement, "review", None)
    facts = [
        (_("Endorsement no."), endorsement.number),
        (_("Case"), endorsement.case.case_no),
        *_invoice_facts(invoice),
        (_("Exchanged on"), endorsement.exchanged_on.isoformat()),
        (_("Warranty from"), endorsement.warranty_from.isoformat()),
        (_("Warranty extended by"), _("%(days)s d") % {"days": extended} if extended else ""),
        (_("Place of the endorsement"), str(endorsement.get_where_display())),
        (_("Seal"), endorsement.seal),
        (_("Operator"), endorsement.operator.get_username()),
        (_("Reviewer"), review.by.get_username() if review else "–"),
    ]
    columns = (
        Column(_("Line"), 6),
        Column(_("Goods"), 34),
        Column(_("Model"), 14),
        Column(_("Old serial no."), 24),
        Column(_("New serial no."), 24),
    )
    rows = (
        (str(line.line_no), line.title, line.spec, endorsement.old_serial, endorsement.new_serial),
    )
    return Form(
        title=_("Exchange voucher"),
        number=endorsement.number,
        shop=str(endorsement.shop),
        mark=_mark(),
        facts=tuple((name, value) for name, value in facts if value),
        columns=columns,
        rows=rows,
        text=_(
            "The piece was exchanged for one of the same model, price and tax class. The invoice "
            "stays valid; its warranty runs anew from the day named. Keep this voucher with it."
        ),
        signatures=(_("Handled by"), _("Checked by"), _("Customer")),
        **_link(setting, invoice),
        foot=setting.foot,
    )


def papers_back(papers: Sequence[Paper], setting: Setting) -> Form:
    """The list that goes with originals on their way back to customers."""
    columns = (
        Column("#", 4),
        Column(_("Case"), 17),
        Column(_("Invoice kind"), 20),
        Column(_("Invoice"), 26),
        Column(_("Buyer"), 20),
        Column(_("Place"), 12),
        Column(_("Waybill"), 18),
    )
    rows = tuple(
        (
            str(number),
            paper.case.case_no if paper.case else "–",
            str(paper.invoice.get_kind_display()),
            str(paper.invoice),
            buyer_of(paper.invoice) or "–",
            str(paper.get_place_display()),
            paper.waybill or "–",
        )
        for number, paper in enumerate(papers, start=1)
    )
    shops = sorted({str(paper.shop) for paper in papers})
    return Form(
        title=_("Originals given back"),
        number=f"L{timezone.localtime(setting.at):%y%m%d%H%M%S}",
        shop=", ".join(shops),
        mark=_mark(),
        facts=((_("Papers"), str(len(papers))), (_("Date"), moment(setting.at))),
        columns=columns,
        rows=rows,
        signatures=(_("Given out by"), _("Taken by"), _("Date")),
        foot=setting.foot,
        size=A4,
    )


def red_form(request: RedRequest, setting: Setting) -> Form:
    """A copy of what was asked of the authority, with its answer so far."""
    answer = f"{request.code} {request.code_in_words}".strip() if request.code else "–"
    parts = request.parts.select_related("balance__line").order_by("balance__line__line_no")
    rows = [
        _Row(
            part.balance.line.line_no,
            part.balance.line.title,
            -part.quantity if part.quantity else None,
            part.tax - part.gross,
            part.balance.line.tax_rate,
            -part.tax,
            -part.gross,
        )
        for part in parts
    ]
    facts = [
        (_("Request"), request.request_no),
        (_("State"), str(request.get_state_display())),
        (_("Reason of the reversal"), str(request.get_reason_display())),
        (_("Number of the red form"), request.form_no or "–"),
        (_("Serial no."), request.serial),
        (_("Authority's answer"), answer),
        (_("Case"), request.case.case_no if request.case else "–"),
        (_("Red invoice"), str(request.red) if request.red else "–"),
        *_invoice_facts(request.blue),
    ]
    return Form(
        title=_("Red form, copy"),
        number=request.request_no,
        shop=str(request.shop),
        mark=_mark(),
        facts=tuple(facts),
        **_table(rows, money=setting.money),
        signatures=(_("Handled by"), _("Checked by"), _("Finance")),
        **_link(setting, request.blue),
        foot=setting.foot,
    )


def _mark() -> str:
    return _("Internal document, no invoice")


def _link(setting: Setting, invoice: Invoice | None) -> dict[str, Any]:
    link = setting.link(invoice)
    return {"link": link, "link_note": _("Scan for the record") if link else ""}


def _invoice_facts(invoice: Invoice) -> list[tuple[str, str]]:
    return [
        (_("Invoice"), f"{invoice.get_kind_display()} {invoice}"),
        (_("Issued at"), moment(invoice.issued_at)),
        (_("Buyer"), f"{buyer_of(invoice)} {invoice.buyer_tax_no}".strip() or "–"),
    ]


def _rows_of(treatment: Treatment, at: datetime) -> list[_Row]:
    """A reversal with its figures, as requested or else as planned; other actions by pieces."""
    if treatment.kind in _RED and treatment.invoice is not None:
        request = treatment.red_requests.order_by("-pk").first()
        parts = (
            [
                (p.balance.line, p.quantity, p.gross, p.tax)
                for p in request.parts.select_related("balance__line").order_by("balance")
            ]
            if request
            else _planned(treatment, at)
        )
        return [
            _Row(x.line_no, x.title, -q if q else None, t - g, x.tax_rate, -t, -g)
            for x, q, g, t in parts
        ]
    lines = treatment.lines.select_related("line").order_by("line__line_no")
    return [_Row(x.line.line_no, x.line.title, x.quantity or None) for x in lines]


def _planned(treatment: Treatment, at: datetime) -> Iterable[tuple[Any, Decimal, Decimal, Decimal]]:
    invoice: Any = treatment.invoice
    book = look([invoice.pk])
    try:
        found = plan(book.standings[invoice.pk], book.of(invoice.pk), verbs.wish_of(treatment), at)
    except Refused:
        return [  # nothing is left to reverse: what was asked for is still told
            (x.line, x.quantity, x.gross or ZERO, ZERO)
            for x in treatment.lines.select_related("line")
        ]
    return [(p.balance.line, p.part.quantity, p.part.gross, p.part.tax) for p in found.lines]


def _table(rows: Sequence[_Row], *, money: bool) -> dict[str, Any]:
    """The lines with their sums; without money for who does not see it."""
    has_money = money and any(row.gross is not None for row in rows)
    columns = [
        Column(_("Line"), 6),
        Column(_("Goods or service"), 34),
        Column(_("Quantity"), 9, right=True),
    ]
    if has_money:
        columns += [
            Column(_("Without tax"), 14, right=True),
            Column(_("Rate"), 8, right=True),
            Column(_("Tax"), 12, right=True),
            Column(_("With tax"), 14, right=True),
        ]
    table: dict[str, Any] = {
        "columns": tuple(columns),
        "rows": tuple(_cells(row, has_money=has_money) for row in rows),
    }
    if has_money:
        net, tax, gross = (
            sum((getattr(r, n) or ZERO for r in rows), ZERO) for n in ("net", "tax", "gross")
        )
        pieces = sum((r.quantity or Decimal(0) for r in rows), Decimal(0))
        sums = [f"{n:,.2f}" for n in (net, tax, gross)]
        table["total"] = ("", _("Total"), shown(pieces) if pieces else "", sums[0], "", *sums[1:])
        table["in_words"] = (_("Total with tax in words"), capital(gross))
    return table


def _cells(row: _Row, *, has_money: bool) -> tuple[str, ...]:
    first = (str(row.number), row.title, shown(row.quantity) or "–")
    if not has_money:
        return first
    return (*first, _yuan(row.net), _percent(row.rate), _yuan(row.tax), _yuan(row.gross))


def _yuan(amount: Decimal | None) -> str:
    return "–" if amount is None else f"{amount:,.2f}"


def _percent(rate: str) -> str:
    if rate == "exempt":
        return _("exempt")
    return f"{(Decimal(rate) * 100).normalize():f}%" if rate else "–"


def _strip(invoice: Invoice | None) -> dict[str, Any]:
    """The way of the paper with where it is; nothing where there is no paper."""
    if invoice is None or not invoice.is_paper or not invoice.is_blue:
        return {}
    paper = paper_of(invoice)
    return {"stages": tuple(stages(invoice, paper)), "stages_note": where_it_is(paper)}


def stages(invoice: Invoice, paper: Paper) -> list[Stage]:
    """The usual way, and at its end where the paper is if that is off the way."""
    been = set(invoice.paper_moves.values_list("place", flat=True)) | {Place.WITH_CUSTOMER}
    places = [*STRIP] if paper.place in STRIP else [*STRIP, paper.place]
    return [
        Stage(str(Place(p).label), here=p == paper.place, passed=p in been and p != paper.place)
        for p in places
    ]


__all__ = ["Setting", "papers_back", "red_form", "slip", "stages", "voucher"]
