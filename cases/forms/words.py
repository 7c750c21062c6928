"""Fields that many steps share, so that they read and refuse alike everywhere."""

from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from cases.forms.fields import YuanField
from cases.sheets.values import BadValue, identifier


class NumberField(forms.CharField):
    """A number that names something (a waybill, a payout): digit for digit, or not at all."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        if not text:
            return ""
        try:
            return identifier(text)
        except BadValue as error:
            raise ValidationError(
                "“%(value)s” %(why)s",
                code="bad_value",
                params={"value": text, "why": error.message},
            ) from error


TEXT = partial(
    forms.CharField,
    required=False,
    max_length=2000,
    label=_("text"),
    widget=forms.Textarea(attrs={"rows": 3}),
)
COURIER = partial(forms.CharField, max_length=60, label=_("courier"))
WAYBILL = partial(NumberField, max_length=64, label=_("waybill"))
AMOUNT = partial(YuanField, label=_("amount"), help_text=_("Goods, in yuan; empty: as it stands."))
