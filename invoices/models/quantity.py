"""Quantities on invoices: exact Decimal in Python, whole millionths in the database."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core import exceptions
from django.db import models
from django.utils.translation import gettext_lazy as _

PLACES = 6
NONE = Decimal(0)
#: 12 digits before the point still fit BIGINT.
LIMIT = Decimal(10) ** 12


def exact(value: Any) -> Decimal:
    """A quantity without trailing zeros; ValueError for floats, NaN and a seventh decimal."""
    if isinstance(value, (float, bool)):
        raise ValueError(f"a quantity is Decimal, not {type(value).__name__}")
    try:
        number = Decimal(value)
        scaled = number.scaleb(PLACES)
        if number.is_finite() and abs(number) < LIMIT and scaled == scaled.to_integral_value():
            return Decimal(int(scaled)).scaleb(-PLACES).normalize() + 0
    except (InvalidOperation, TypeError):
        pass
    raise ValueError(f"{value!r} is no quantity of at most {PLACES} decimals")


def shown(quantity: Decimal | None) -> str:
    """As people write it: 3, 2.5."""
    return "" if quantity is None else f"{quantity.normalize() + 0:f}"


class QuantityField(models.Field):  # type: ignore[type-arg]
    """SQLite keeps decimals as floats; whole millionths add up and compare exactly everywhere.

    Sums of columns are right in conditions; select them in Python.
    """

    description = "A quantity, stored as integer millionths"
    default_error_messages = {"invalid": _("Enter a quantity with at most six decimals.")}

    def db_type(self, connection: Any) -> str:
        return "bigint"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Decimal | None:
        return None if value is None else exact(Decimal(int(value)).scaleb(-PLACES))

    def to_python(self, value: Any) -> Decimal | None:
        if value in (None, ""):
            return None
        try:
            return exact(value)
        except ValueError as error:
            raise exceptions.ValidationError(
                self.error_messages["invalid"], code="invalid"
            ) from error

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        if value is None or hasattr(value, "resolve_expression"):
            return value
        return int(exact(value).scaleb(PLACES))

    def formfield(self, **kwargs: Any) -> Any:
        defaults = {"form_class": forms.DecimalField, "max_digits": 18, "decimal_places": PLACES}
        return super().formfield(**{**defaults, **kwargs})


models.expressions.register_combinable_fields(
    QuantityField, models.expressions.Combinable.ADD, QuantityField, QuantityField
)
