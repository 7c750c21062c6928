"""The forms of what is done to an order: open a case, say that it was shipped or signed for."""

from typing import Any

from django.utils.translation import gettext_lazy

from cases.flow.door import Actor
from cases.forms.base import InputForm, order_lines
from cases.forms.fields import CodeField, MomentField, PiecesField, WordField, YuanField
from cases.forms.words import COURIER, TEXT, WAYBILL
from cases.models import Kind, Order, Reason


class OrderForm(InputForm):
    """The inputs of one act on an order."""

    def __init__(
        self, data: Any = None, files: Any = None, *, order: Order, actor: Actor, **kwargs: Any
    ) -> None:
        super().__init__(data, files, **kwargs)
        self.order = order
        self.actor = actor
        self._know_lines(order_lines(order), order.shop.zone)


class OpenCaseForm(OrderForm):
    """An application; ``inputs()`` is what ``cases.verbs.open_case`` takes."""

    kind = WordField(choices=[("", "—"), *Kind.choices], label=gettext_lazy("kind"))
    reason = CodeField(Reason.objects.filter(active=True), label=gettext_lazy("reason"))
    line = PiecesField(
        label=gettext_lazy("lines"), help_text=gettext_lazy("How many pieces of each line.")
    )
    amount = YuanField(
        label=gettext_lazy("amount"),
        help_text=gettext_lazy("Goods, in yuan; empty: what was paid for these pieces."),
    )
    freight = YuanField(
        label=gettext_lazy("freight"), help_text=gettext_lazy("Freight to be refunded, in yuan.")
    )
    text = TEXT(label=gettext_lazy("buyer's words"))
    applied_at = MomentField(
        required=False, label=gettext_lazy("applied at"), help_text=gettext_lazy("Empty: now.")
    )

    def inputs(self) -> dict[str, Any]:
        """As given, with ``lines`` as pairs of line number and pieces."""
        given = super().inputs()
        numbers = {c.pk: c.line_no for c in order_lines(self.order)}
        given["lines"] = [(numbers[pk], pieces) for pk, pieces in given.pop("line").items()]
        return given


class ShipmentForm(OrderForm):
    """The order went out."""

    courier = COURIER()
    waybill = WAYBILL()


class SignatureForm(OrderForm):
    """The buyer signed for the order."""
