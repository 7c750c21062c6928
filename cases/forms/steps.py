"""The inputs of every step, as contract.md lists them; the table STEP_FORMS at the end."""

from typing import Any, cast

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.forms.base import StepForm
from cases.forms.fields import (
    CodeField,
    EvidenceField,
    MomentField,
    PiecesField,
    SerialsField,
    SuggestedField,
    WordField,
    YuanField,
)
from cases.forms.words import AMOUNT, COURIER, TEXT, WAYBILL, NumberField
from cases.models import (
    Case,
    CaseLine,
    Compensation,
    Kind,
    Party,
    Refund,
    RefusalReason,
    Remedy,
    ReturnAddress,
)
from cases.models.kinds import GOODS_REMEDIES

NOTHING = [("", "—")]


class NoInputForm(StepForm):
    """A step that takes nothing."""


class TextForm(StepForm):
    """A step with nothing but a remark."""

    text = TEXT()


class SaidForm(StepForm):
    """A step that has to be explained."""

    text = TEXT(required=True)


class ShipOrderForm(StepForm):
    courier = COURIER()
    waybill = WAYBILL()


class AcceptForm(StepForm):
    amount = AMOUNT(help_text=gettext_lazy("Goods, in yuan; empty: what was asked for."))
    freight = YuanField(
        label=gettext_lazy("freight"), help_text=gettext_lazy("In yuan; empty: by who is at fault.")
    )
    return_address = forms.ModelChoiceField(
        ReturnAddress.objects.none(), required=False, label=gettext_lazy("return address")
    )
    waiver = forms.CharField(
        required=False,
        max_length=500,
        label=gettext_lazy("waiver of evidence"),
        help_text=gettext_lazy("Why it is accepted without the evidence the reason asks for."),
    )
    text = TEXT()

    def prepare(self, case: Case, lines: list[CaseLine]) -> None:
        field = cast("forms.ModelChoiceField[ReturnAddress]", self.fields["return_address"])
        field.queryset = ReturnAddress.objects.filter(shop_id=case.shop_id)
        if case.remedy not in GOODS_REMEDIES:
            # Nothing comes back: where it should go to is no question on the page.
            field.widget = forms.HiddenInput()
            return
        default = ReturnAddress.objects.filter(shop_id=case.shop_id, default=True).first()
        self.initial.setdefault("return_address", default and default.pk)
        self.default_address = default

    def clean_return_address(self) -> ReturnAddress | None:
        given: ReturnAddress | None = self.cleaned_data["return_address"]
        return given or getattr(self, "default_address", None)


class ProposeForm(StepForm):
    remedy = WordField(
        choices=[*NOTHING, *Remedy.choices], required=False, label=gettext_lazy("remedy")
    )
    amount = AMOUNT()
    text = TEXT()

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not self.errors and not given.get("remedy") and given.get("amount") is None:
            raise forms.ValidationError(
                _("Say what is proposed: another remedy, an amount, or both."), code="bad_value"
            )
        return given


class RefusalForm(StepForm):
    reason = CodeField(
        RefusalReason.objects.filter(active=True), label=gettext_lazy("refusal reason")
    )
    text = TEXT(required=True, help_text=gettext_lazy("The buyer reads this."))


class ReviseForm(StepForm):
    kind = WordField(choices=[*NOTHING, *Kind.choices], required=False, label=gettext_lazy("kind"))
    amount = AMOUNT()
    text = TEXT()


class ShipBackForm(StepForm):
    courier = COURIER()
    waybill = WAYBILL()
    surface = forms.BooleanField(required=False, label=gettext_lazy("surface post"))
    text = TEXT()


class ReceiveForm(StepForm):
    line = PiecesField(
        zero=True,
        required=False,
        label=gettext_lazy("received pieces"),
        help_text=gettext_lazy("Only where fewer or more came than was announced."),
    )
    text = TEXT()


class PassInspectionForm(StepForm):
    line = PiecesField(
        zero=True,
        required=False,
        label=gettext_lazy("accepted pieces"),
        help_text=gettext_lazy("Only where not all are accepted; the rest goes back to the buyer."),
    )
    disposition = SuggestedField(
        [
            ("restock", gettext_lazy("Back to stock")),
            ("second_hand", gettext_lazy("Second hand")),
            ("repair", gettext_lazy("To be repaired")),
            ("supplier", gettext_lazy("Back to the supplier")),
            ("scrap", gettext_lazy("Scrap")),
        ],
        required=False,
        max_length=20,
        label=gettext_lazy("disposition"),
    )
    text = TEXT()


class SendForDiagnosisForm(StepForm):
    place = SuggestedField(
        [
            ("service_point", gettext_lazy("Service point")),
            ("supplier", gettext_lazy("Supplier")),
            ("authorised_body", gettext_lazy("Authorised body")),
        ],
        max_length=60,
        label=gettext_lazy("place"),
    )
    vendor = forms.CharField(max_length=100, label=gettext_lazy("vendor"))
    text = TEXT()


class RecordDiagnosisForm(StepForm):
    verdict = WordField(
        choices=[
            *NOTHING,
            ("confirmed", gettext_lazy("The fault is confirmed")),
            ("not_found", gettext_lazy("No fault was found")),
            ("user_damage", gettext_lazy("Damaged by use")),
        ],
        label=gettext_lazy("verdict"),
    )
    text = TEXT()


class StartRepairForm(StepForm):
    vendor = forms.CharField(max_length=100, label=gettext_lazy("vendor"))
    quote = YuanField(label=gettext_lazy("repair quote"))
    text = TEXT()


class FinishRepairForm(StepForm):
    cost = YuanField(label=gettext_lazy("repair cost"))
    text = TEXT()


class DispatchForm(StepForm):
    courier = COURIER()
    waybill = WAYBILL()
    serial = SerialsField(
        required=False,
        label=gettext_lazy("new serial numbers"),
        help_text=gettext_lazy("Of the pieces sent in exchange; several with blanks between."),
    )
    text = TEXT()


class DispatchAheadForm(StepForm):
    courier = COURIER()
    waybill = WAYBILL()
    text = TEXT()


class PayForm(StepForm):
    reference = NumberField(
        max_length=100,
        label=gettext_lazy("reference"),
        help_text=gettext_lazy("The number the bank or the platform gave this payout."),
    )
    method = WordField(
        choices=[*NOTHING, *Refund.Method.choices], required=False, label=gettext_lazy("way")
    )
    amount = YuanField(
        label=gettext_lazy("amount"),
        help_text=gettext_lazy("Goods and freight, in yuan; empty: what is due."),
    )
    payee = forms.CharField(required=False, max_length=200, label=gettext_lazy("payee"))
    text = TEXT()


class ConvertForm(StepForm):
    remedy = WordField(choices=[*NOTHING, *Remedy.choices], label=gettext_lazy("remedy"))
    amount = AMOUNT()
    text = TEXT()


class RequestMediationForm(StepForm):
    party = WordField(
        choices=[*NOTHING, *((p, p.label) for p in (Party.BUYER, Party.SELLER))],
        label=gettext_lazy("asked for by"),
    )
    text = TEXT(required=True)


class RuleForBuyerForm(StepForm):
    amount = AMOUNT(help_text=gettext_lazy("Goods, in yuan; only if it differs."))
    text = TEXT()


class RuleSplitForm(StepForm):
    amount = AMOUNT(required=True, least="0.01", help_text=gettext_lazy("Goods, in yuan."))
    text = TEXT()


class PlatformOutcomeForm(StepForm):
    number = NumberField(max_length=100, label=gettext_lazy("platform's refund no."))
    outcome = WordField(
        choices=[
            *NOTHING,
            ("refunded", gettext_lazy("The platform refunded")),
            ("closed", gettext_lazy("The platform closed it")),
            ("done", gettext_lazy("Exchanged, repaired or resent")),
        ],
        required=False,
        label=gettext_lazy("outcome"),
    )
    amount = YuanField(
        label=gettext_lazy("amount"), help_text=gettext_lazy("What the platform refunded, in yuan.")
    )
    text = TEXT()


class ColleagueField(CodeField):
    """A member of the case's shop, by username."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except forms.ValidationError as error:
            if get_user_model().objects.filter(username=value).exists():
                raise forms.ValidationError(
                    _("%(user)s is not a member of this shop.") % {"user": value},
                    code="not_in_your_shop",
                ) from error
            raise


class AssignForm(StepForm):
    user = ColleagueField(
        get_user_model().objects.none(),
        by="username",
        required=False,
        label=gettext_lazy("owner"),
        help_text=gettext_lazy("Empty: nobody."),
    )

    def prepare(self, case: Case, lines: list[CaseLine]) -> None:
        field = cast("CodeField", self.fields["user"])
        people = get_user_model().objects.filter(is_active=True)
        field.queryset = people.filter(memberships__shop_id=case.shop_id).order_by("username")

    def clean(self) -> dict[str, Any]:
        # A page always sends the field; a command that leaves it out has forgotten it.
        if self.add_prefix("user") not in self.data:
            raise forms.ValidationError(
                {"user": forms.ValidationError(_("Say whose case it is."), code="bad_value")}
            )
        return self.cleaned_data


class ExtendForm(StepForm):
    days = forms.IntegerField(min_value=1, max_value=365, label=gettext_lazy("days"))
    text = TEXT()


class PlatformDueForm(StepForm):
    due_at = MomentField(label=gettext_lazy("platform's deadline"))


class HandBackForm(StepForm):
    courier = COURIER()
    waybill = WAYBILL()
    line = PiecesField(
        required=False,
        label=gettext_lazy("pieces"),
        help_text=gettext_lazy("Only where not all that lie with us go back."),
    )
    text = TEXT()


class LogContactForm(StepForm):
    way = SuggestedField(
        [
            ("chat", gettext_lazy("Chat")),
            ("phone", gettext_lazy("Phone")),
            ("sms", gettext_lazy("Text message")),
            ("mail", gettext_lazy("E-mail")),
        ],
        required=False,
        max_length=20,
        label=gettext_lazy("way"),
    )
    text = TEXT(required=True)


class AddEvidenceForm(StepForm):
    party = WordField(choices=[*NOTHING, *Party.choices], label=gettext_lazy("party"))
    evidence = EvidenceField(
        label=gettext_lazy("files"),
        help_text=gettext_lazy("JPEG, PNG, WEBP and PDF up to 10 MB, MP4 up to 50 MB."),
    )
    text = TEXT()


class TagForm(StepForm):
    tags = forms.CharField(
        max_length=300,
        label=gettext_lazy("tags"),
        help_text=gettext_lazy("Separated by commas; they replace the ones that are there."),
    )


class CompensateForm(StepForm):
    kind = WordField(choices=[*NOTHING, *Compensation.Kind.choices], label=gettext_lazy("kind"))
    amount = YuanField(
        required=True,
        least="0.01",
        label=gettext_lazy("amount"),
        help_text=gettext_lazy("In yuan; beyond the refund, within your limit."),
    )
    text = TEXT(required=True, max_length=300)


_OWN: dict[str, type[StepForm]] = {
    "ship_order": ShipOrderForm,
    "accept": AcceptForm,
    "send_back": SaidForm,
    "propose": ProposeForm,
    "refuse": RefusalForm,
    "revise": ReviseForm,
    "ship_back": ShipBackForm,
    "receive": ReceiveForm,
    "pass_inspection": PassInspectionForm,
    "fail_inspection": RefusalForm,
    "send_for_diagnosis": SendForDiagnosisForm,
    "record_diagnosis": RecordDiagnosisForm,
    "start_repair": StartRepairForm,
    "finish_repair": FinishRepairForm,
    "dispatch": DispatchForm,
    "dispatch_ahead": DispatchAheadForm,
    "pay": PayForm,
    "fail_payout": SaidForm,
    "convert": ConvertForm,
    "request_mediation": RequestMediationForm,
    "rule_for_buyer": RuleForBuyerForm,
    "rule_split": RuleSplitForm,
    "record_platform_outcome": PlatformOutcomeForm,
    "assign": AssignForm,
    "extend": ExtendForm,
    "set_platform_due": PlatformDueForm,
    "reopen": SaidForm,
    "hand_back": HandBackForm,
    "add_note": SaidForm,
    "log_contact": LogContactForm,
    "add_evidence": AddEvidenceForm,
    "tag": TagForm,
    "compensate": CompensateForm,
}
#: Steps that take nothing at all: those of the clock, and the end of the evidence phase.
_SILENT = frozenset(
    {
        "accept_by_silence",
        "close_by_silence",
        "refund_after_intercept",
        "receive_by_silence",
        "refund_by_silence",
        "pass_by_silence",
        "end_evidence",
    }
)

#: The form of each step of a case, in the order of declaration.
STEP_FORMS: dict[str, type[StepForm]] = {
    name: _OWN.get(name, NoInputForm if name in _SILENT else TextForm) for name in Case.steps()
}
