"""The inputs of what is done to invoices and red requests, as text or by form."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.flow.door import Actor
from cases.forms.base import InputForm
from cases.forms.fields import LineChoice, MomentField, PiecesField, WordField, YuanField
from cases.forms.opening import OrderForm
from cases.forms.words import TEXT, NumberField
from invoices import ledger
from invoices.files import InvoiceFilesField
from invoices.models import OLD_RATES, RATES, Invoice, InvoiceKind, RedReason
from invoices.models.quantity import exact, shown
from invoices.models.reds import CODES
from invoices.planning import Wish

KINDS = [("", "—"), *InvoiceKind.choices]
_RATES = [("", "—"), *((r, r) for r in (*RATES, *OLD_RATES))]


class UnitsField(PiecesField):
    """Pieces per invoice line, with decimals where goods are sold by weight or length."""

    wanted = gettext_lazy("LINE:PIECES, for example 1:2")

    def _count(self, choice: LineChoice, text: str) -> Any:
        try:
            count = exact(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text) else Decimal(0)
        except ValueError:
            count = Decimal(0)
        if count <= 0:
            raise ValidationError(
                _("“%(text)s” pieces of line %(line)s cannot be: more than 0, up to 6 decimals."),
                code="bad_value",
                params={"text": text, "line": choice.line_no},
            )
        return count


class IssueForm(OrderForm):
    """An invoice on an order; ``inputs()`` is what invoices.verbs.issue takes."""

    number = NumberField(max_length=30, label=gettext_lazy("invoice no."))
    kind = WordField(required=False, choices=KINDS, label=gettext_lazy("invoice kind"))
    code = NumberField(required=False, max_length=12, label=gettext_lazy("invoice code"))
    rate = WordField(
        required=False,
        choices=_RATES,
        label=gettext_lazy("tax rate"),
        help_text=gettext_lazy("Empty: the usual one."),
    )
    buyer_name = forms.CharField(
        required=False,
        max_length=200,
        label=gettext_lazy("buyer's name"),
        help_text=gettext_lazy("Empty: the receiver, as a person."),
    )
    buyer_tax_no = forms.CharField(
        required=False, max_length=20, label=gettext_lazy("buyer's tax no.")
    )


class InvoiceForm(InputForm):
    """The inputs of one act on an invoice."""

    def __init__(
        self, data: Any = None, files: Any = None, *, invoice: Invoice, actor: Actor, **kwargs: Any
    ) -> None:
        super().__init__(data, files, **kwargs)
        self.invoice, self.actor = invoice, actor
        lines = reversible_lines(invoice) if "line" in self.fields else []
        self._know_lines(lines, invoice.shop.zone)


def reversible_lines(invoice: Invoice) -> list[LineChoice]:
    """The lines of a blue invoice as a form names them, with what is left of each."""
    choices = []
    for balance in ledger.look([invoice.pk]).of(invoice.pk):
        line, left = balance.line, ledger.left(balance)
        text = f"{line.line_no} · {line.title} × {shown(left.quantity)} · ¥{left.gross}"
        choices.append(LineChoice(balance.pk, line.line_no, "", text, int(left.quantity)))
    return choices


class RequestRedForm(InvoiceForm):
    """What is to be reversed; ``inputs()`` holds a Wish."""

    reason = WordField(choices=[("", "—"), *RedReason.choices], label=gettext_lazy("reason"))
    line = UnitsField(
        required=False,
        label=gettext_lazy("lines"),
        help_text=gettext_lazy("Pieces of each line; all empty: everything that is left."),
    )
    amount = YuanField(
        least="0.01",
        label=gettext_lazy("amount"),
        help_text=gettext_lazy("With tax, in yuan; empty: what the pieces are worth."),
    )
    text = TEXT(label=gettext_lazy("text"))

    def inputs(self) -> dict[str, Any]:
        given = super().inputs()
        numbers = {c.pk: c.line_no for c in self.fields["line"].lines}  # type: ignore[attr-defined]
        units = {numbers[pk]: n for pk, n in given.pop("line", {}).items()}
        wish = Wish(given.pop("reason"), units, given.pop("amount", None))
        return {"wish": wish, **given}


class SignedYuanField(YuanField):
    """An amount as it stands on a red invoice: its minus sign may be copied or left out."""

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        return super().to_python(text[1:] if text[:1] in {"-", "−", "－"} else text)


class RecordRedForm(InvoiceForm):
    """The red invoice that was issued; without figures it is as planned."""

    number = NumberField(max_length=30, label=gettext_lazy("number of the red invoice"))
    code = NumberField(required=False, max_length=12, label=gettext_lazy("invoice code"))
    amount = SignedYuanField(
        label=gettext_lazy("amount"),
        help_text=gettext_lazy("As on the red invoice, with tax; empty: as planned."),
    )
    tax = SignedYuanField(label=gettext_lazy("tax"))
    issued_at = MomentField(
        required=False, label=gettext_lazy("issued at"), help_text=gettext_lazy("Empty: now.")
    )


class AnswerForm(InvoiceForm):
    """What the authority says of the request: its raw state code, known or not."""

    state = forms.CharField(
        max_length=20,
        label=gettext_lazy("authority's code"),
        widget=forms.TextInput(attrs={"list": "id_state_suggestions"}),
    )
    entered_at = MomentField(
        required=False,
        label=gettext_lazy("entered at the authority"),
        help_text=gettext_lazy("The 72 hours count from there. Empty: now."),
    )
    form_no = NumberField(
        required=False, max_length=40, label=gettext_lazy("number of the red form")
    )
    text = TEXT(label=gettext_lazy("text"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = ", ".join(f"{code} {words}" for code, (_s, words) in CODES.items())
        self.fields["state"].help_text = known


class ReasonForm(InvoiceForm):
    """An act whose reason must be said."""

    text = TEXT(required=True, label=gettext_lazy("text"))


class ReissueForm(InvoiceForm):
    """The remainder of an invoice that was reversed as a whole."""

    number = NumberField(max_length=30, label=gettext_lazy("invoice no."))
    kind = WordField(
        required=False,
        choices=KINDS,
        label=gettext_lazy("invoice kind"),
        help_text=gettext_lazy("Empty: as before."),
    )
    code = NumberField(required=False, max_length=12, label=gettext_lazy("invoice code"))


class NoteForm(InvoiceForm):
    """An act that may be explained."""

    text = TEXT(label=gettext_lazy("text"))


class FileForm(InvoiceForm):
    """The invoice as a file."""

    evidence = InvoiceFilesField(
        label=gettext_lazy("files"), help_text=gettext_lazy("PDF, OFD, XML or pictures.")
    )


#: Verbs of ``do invoice`` and the forms that read their words; other modules add theirs.
INVOICE_FORMS: dict[str, type[InvoiceForm]] = {
    "request_red": RequestRedForm,
    "record_red": RecordRedForm,
    "confirm_red": AnswerForm,
    "settle_review": ReasonForm,
    "reissue": ReissueForm,
    "void": ReasonForm,
    "mark_used": NoteForm,
    "mark_unused": NoteForm,
    "mark_booked": NoteForm,
}


class TreatmentForm(InputForm):
    """A step of a treatment, explained."""

    text = TEXT(required=True, label=gettext_lazy("text"))
