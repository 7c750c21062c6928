"""The inputs of moving a paper and of endorsing, as text or by form."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.forms.fields import CodeField, WordField, YuanField
from cases.models import Case
from invoices.forms import InvoiceForm
from invoices.models import Holder, InvoiceLine, Place, Proof, Where
from invoices.models.custody import WAYS
from invoices.papers.custody import Going, paper_of
from invoices.papers.endorsing import Exchange, ends_of


class ReviewForm(InvoiceForm):
    """Looking at an endorsement of another."""

    number = forms.CharField(
        max_length=32,
        required=False,
        label=gettext_lazy("endorsement no."),
        help_text=gettext_lazy("Empty: the last one."),
    )


class EnteringForm(InvoiceForm):
    """An act for a case; ``value``: what is entered, as one object."""

    value: ClassVar[type[Any]]
    #: Shown on the page only where there is something to choose.
    case = CodeField(Case.objects.none(), by="case_no", required=False, label=gettext_lazy("case"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["case"]
        field.queryset = Case.objects.filter(order_id=self.invoice.order_id or 0)
        if self.actor.channel == "admin":
            self.fit_page()

    def fit_page(self) -> None:
        """Offer what is possible, where the form is a page and not a command's words."""

    def inputs(self) -> dict[str, Any]:
        return {"entered": self.value(**super().inputs())}


class MovePaperForm(EnteringForm):
    """Where the paper goes."""

    value = Going
    to = WordField(choices=Place.choices, label=gettext_lazy("handed over to"))
    waybill = forms.CharField(
        max_length=64,
        required=False,
        label=gettext_lazy("waybill"),
        help_text=gettext_lazy("Needed for what is on its way."),
    )
    holder_name = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("name of the holder"),
        help_text=gettext_lazy("Vendor, courier or person who has it then."),
    )
    proof = WordField(
        choices=[("", "—"), *Proof.choices],
        required=False,
        label=gettext_lazy("proof"),
        help_text=gettext_lazy("What stands for a lost paper."),
    )
    evidence = forms.CharField(
        max_length=300,
        required=False,
        label=gettext_lazy("evidence"),
        help_text=gettext_lazy("Number of the proof, or what shows the move."),
    )
    from_holder = WordField(
        choices=[("", "—"), *Holder.choices], required=False, label=gettext_lazy("from holder")
    )
    field_order = ["to", "waybill", "holder_name", "proof", "evidence", "case", "from_holder"]

    def fit_page(self) -> None:
        """The page offers only where it can go from here, and knows who holds it."""
        paper = paper_of(self.invoice)
        ways = WAYS[paper.place]
        to: Any = self.fields["to"]
        to.choices = [(p, Place(p).label) for p in ways]
        self.fields["from_holder"].widget = forms.HiddenInput()
        self.initial["from_holder"] = paper.holder
        for name, places in {
            "proof": {Place.SUBSTITUTED},
            "waybill": {Place.IN_TRANSIT_IN, Place.IN_TRANSIT_OUT},
        }.items():
            if not places & set(ways):
                self.fields.pop(name)


class EndorseForm(EnteringForm):
    """One exchange, old serial number to new."""

    value = Exchange
    line = forms.IntegerField(min_value=1, label=gettext_lazy("line"))
    old_serial = forms.CharField(max_length=100, label=gettext_lazy("old serial no."))
    new_serial = forms.CharField(max_length=100, label=gettext_lazy("new serial no."))
    where = WordField(
        choices=[("", "—"), *Where.choices],
        required=False,
        label=gettext_lazy("place of the endorsement"),
        help_text=gettext_lazy("Empty: on the paper if it is here, else on a voucher."),
    )
    seal = forms.CharField(max_length=100, required=False, label=gettext_lazy("seal"))
    exchanged_on = forms.DateField(required=False, label=gettext_lazy("exchanged on"))
    warranty_from = forms.DateField(required=False, label=gettext_lazy("warranty from"))
    spec = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("model of the replacement"),
        help_text=gettext_lazy("Only if it differs; then a new invoice is needed instead."),
    )
    price = YuanField(label=gettext_lazy("price of the replacement"))
    tax_class = forms.CharField(
        max_length=19, required=False, label=gettext_lazy("tax class of the replacement")
    )
    field_order = ["line", "old_serial", "new_serial", "where", "seal"]

    def fit_page(self) -> None:
        """The lines and their serial numbers as they are now are offered, not typed."""
        lines = [
            x
            for x in InvoiceLine.objects.filter(invoice=self.invoice)
            .select_related("order_line")
            .order_by("line_no")
            if x.quantity is not None
        ]
        self.fields["line"].widget = forms.Select(
            choices=[(x.line_no, f"{x.line_no} · {x.title}") for x in lines]
        )
        known = [f"{x.line_no}: {', '.join(ends)}" for x in lines if (ends := ends_of(x))]
        if known:
            self.fields["old_serial"].help_text = _("Now: %(known)s") % {"known": "; ".join(known)}


PAPER_FORMS: dict[str, type[InvoiceForm]] = {
    "move_paper": MovePaperForm,
    "endorse": EndorseForm,
    "review_endorsement": ReviewForm,
}
