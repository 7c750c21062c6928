"""The form by which an invoice is typed from its paper: header and lines."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.forms.base import InputForm
from cases.forms.fields import MomentField, WordField
from cases.forms.words import NumberField
from cases.models import Order, Shop
from invoices.forms import KINDS
from invoices.models import OLD_RATES, RATES, Nature
from invoices.rules import FIELDS, NewInvoice, NewLine

#: The cells of one line, in the order of the paper.
COLUMNS = ("nature", "title", "quantity", "unit_price", "amount", "tax_rate", "tax")
_NAMES = {**FIELDS, "title": gettext_lazy("goods or service")}
_CHOICES: dict[str, Any] = {
    "nature": Nature.choices,
    "tax_rate": [(rate, rate) for rate in (*RATES, *OLD_RATES)],
}
#: Lines drawn at first; as many empty ones come again below those that are filled.
EMPTY = 4


class LinesInput(forms.Widget):
    """A table of lines; empty rows are left out."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        rows = []
        for number in range(1, 201):
            row = {c: str(data.get(f"{name}_{number}_{c}", "")).strip() for c in COLUMNS}
            if row["title"] or row["amount"]:
                rows.append(row)
        return rows

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not self.value_from_datadict(data, files, name)

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        rows = [*(value or []), *([{}] * EMPTY)]
        head = format_html_join("", '<th scope="col">{}</th>', ((_NAMES[c],) for c in COLUMNS))
        body = format_html_join(
            "",
            "<tr>{}</tr>",
            ((self._row(name, number, row),) for number, row in enumerate(rows, start=1)),
        )
        return format_html(
            '<div class="sh-scroll" tabindex="0"><table class="sh-table sh-typed">'
            "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
            head,
            body,
        )

    def _row(self, name: str, number: int, row: dict[str, str]) -> SafeString:
        return format_html_join(
            "",
            "<td>{}</td>",
            ((self._cell(f"{name}_{number}_{c}", c, number, row.get(c, "")),) for c in COLUMNS),
        )

    @staticmethod
    def _cell(name: str, column: str, number: int, value: str) -> SafeString:
        label = _("line %(line)s, %(field)s") % {"line": number, "field": _NAMES[column]}
        if column not in _CHOICES:
            return format_html(
                '<input name="{}" value="{}" aria-label="{}" class="sh-input">', name, value, label
            )
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                (code, SafeString(" selected") if code == value else "", words)
                for code, words in _CHOICES[column]
            ),
        )
        return format_html(
            '<select name="{}" aria-label="{}" class="sh-input">{}</select>', name, label, options
        )


class LinesField(forms.Field):
    """Lines as typed: ``[NewLine]``; each error names its line and field."""

    widget = LinesInput

    def to_python(self, value: Any) -> list[NewLine]:
        return [self._line(number, row) for number, row in enumerate(value or [], start=1)]

    def _line(self, number: int, row: dict[str, str]) -> NewLine:
        def decimal(column: str, *, needed: bool) -> Decimal | None:
            text = row[column].replace(",", "").replace("−", "-")
            try:
                found = Decimal(text) if text or needed else None
            except InvalidOperation:
                found = Decimal("NaN")
            if found is not None and not found.is_finite():
                raise ValidationError(
                    _("line %(line)s, %(field)s: “%(value)s” is no number."),
                    code="bad_value",
                    params={"line": number, "field": _NAMES[column], "value": row[column]},
                )
            return found

        return NewLine(
            line_no=number,
            nature=row["nature"] or Nature.NORMAL,
            title=row["title"],
            quantity=decimal("quantity", needed=False),
            unit_price=decimal("unit_price", needed=False),
            amount=decimal("amount", needed=True) or Decimal("0.00"),
            tax_rate=row["tax_rate"],
            tax=decimal("tax", needed=True) or Decimal("0.00"),
        )


class EntryForm(InputForm):
    """Header and lines; ``new()`` after ``is_valid()``."""

    shop = forms.ModelChoiceField(Shop.objects.none(), label=gettext_lazy("shop"))
    order_no = forms.CharField(required=False, max_length=64, label=gettext_lazy("order no."))
    kind = WordField(choices=KINDS, label=gettext_lazy("invoice kind"))
    code = NumberField(required=False, max_length=12, label=gettext_lazy("invoice code"))
    number = NumberField(max_length=30, label=gettext_lazy("invoice no."))
    issued_at = MomentField(label=gettext_lazy("issued at"))
    seller_name = forms.CharField(
        required=False, max_length=200, label=gettext_lazy("seller's name")
    )
    seller_tax_no = forms.CharField(
        required=False, max_length=20, label=gettext_lazy("seller's tax no.")
    )
    buyer_name = forms.CharField(required=False, max_length=200, label=gettext_lazy("buyer's name"))
    buyer_tax_no = forms.CharField(
        required=False, max_length=20, label=gettext_lazy("buyer's tax no.")
    )
    buyer_used = forms.BooleanField(required=False, label=gettext_lazy("used by the buyer"))
    lines = LinesField(label=gettext_lazy("lines"))

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        self.user = user
        field: Any = self.fields["shop"]
        field.queryset = Shop.objects.visible_to(user)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        number, shop = given.get("order_no"), given.get("shop")
        given["order"] = None
        if number and shop is not None:
            orders = Order.objects.visible_to(self.user).select_related("shop")
            given["order"] = orders.filter(shop=shop, order_no=number).first()
            if given["order"] is None:
                self.add_error("order_no", _("There is no order %(no)s.") % {"no": number})
        return given

    def new(self) -> NewInvoice:
        """The invoice as typed."""
        given = {k: v for k, v in self.cleaned_data.items() if k != "order_no"}
        return NewInvoice(**given)
