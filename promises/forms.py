"""The inputs of what is done to claims and deposits, as text or by form."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.flow.door import Actor
from cases.forms.base import InputForm
from cases.forms.fields import WordField, YuanField
from cases.forms.opening import OrderForm
from cases.forms.words import TEXT
from promises.models import Claim
from promises.terms import Code
from promises.verbs import Demand


class FileClaimForm(OrderForm):
    """A claim on one line; ``inputs()`` is what promises.verbs.file_claim takes."""

    promise = WordField(choices=[("", "—"), *Code.choices], label=_("promise"))
    line = forms.IntegerField(min_value=1, label=_("line"))
    amount = YuanField(
        label=_("amount"), help_text=_("Only where the terms do not work it out; in yuan.")
    )
    freight_out = YuanField(label=_("freight to the buyer"))
    freight_back = YuanField(label=_("freight back to us"))
    text = TEXT(label=_("buyer's words"))

    def inputs(self) -> dict[str, Any]:
        return {"demand": Demand(**super().inputs())}


class ClaimForm(InputForm):
    """The inputs of one step of a claim."""

    text = TEXT(label=_("text"))

    def __init__(
        self, data: Any = None, files: Any = None, *, claim: Claim, actor: Actor, **kwargs: Any
    ) -> None:
        super().__init__(data, files, **kwargs)
        self.claim, self.actor = claim, actor


class WithReasonForm(ClaimForm):
    """A step whose reason must be said."""

    text = TEXT(required=True, label=_("text"))


class UpholdForm(ClaimForm):
    """The platform's ruling for the buyer."""

    report = forms.CharField(
        max_length=200,
        required=False,
        label=_("number of the report"),
        help_text=_("Where the promise is decided by an expert's or a quality report."),
    )


CLAIM_FORMS: dict[str, type[ClaimForm]] = {
    "accept": ClaimForm,
    "contest": WithReasonForm,
    "adjudicate": ClaimForm,
    "uphold": UpholdForm,
    "dismiss": ClaimForm,
    "withdraw": ClaimForm,
    "reverse": WithReasonForm,
    "escalate": ClaimForm,
}


class FileBreachForm(InputForm):
    """The claim of a breach that was found; the amount only where the terms work out none."""

    amount = YuanField(least="0.01", required=True, label=_("amount agreed with the buyer"))
    text = TEXT(label=_("text"))

    def __init__(self, data: Any = None, *, with_amount: bool) -> None:
        super().__init__(data)
        if not with_amount:
            del self.fields["amount"]


class ReasonForm(InputForm):
    """Why, in the person's own words."""

    text = TEXT(required=True, label=_("reason"))


class MoneyForm(InputForm):
    """Money into or out of a deposit."""

    amount = YuanField(least="0.01", required=True, label=_("amount"))
    reference = forms.CharField(max_length=100, label=_("reference"))


class RequireForm(InputForm):
    """The sum a deposit must hold."""

    amount = YuanField(required=True, label=_("amount"))


DEPOSIT_FORMS: dict[str, type[InputForm]] = {
    "top_up": MoneyForm,
    "withdraw": MoneyForm,
    "require": RequireForm,
}
