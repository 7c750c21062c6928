"""Money: Decimal yuan in Python, whole fen in a BIGINT column; anything else is refused loudly."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django import forms
from django.core import exceptions
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.expressions import Combinable, register_combinable_fields
from django.utils.translation import gettext_lazy as _

ZERO = Decimal("0.00")
#: 14 digits: a sum over 92,000 such rows still fits BIGINT.
LIMIT = Decimal("999999999999.99")


def cents(value: Decimal) -> Decimal:
    """The one rounding rule: half up to 0.01 on the magnitude."""
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def shares(total: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Split ``total`` (yuan, not negative) by weights, largest remainder; the parts add up exactly.

    Equal weights are taken where all are zero. Ties go to the earlier part.
    """
    if not weights:
        return []
    whole = sum(weights)
    if whole <= 0:
        weights, whole = [Decimal(1)] * len(weights), Decimal(len(weights))
    fen = to_fen(total)
    raw = [fen * w / whole for w in weights]
    parts = [int(r) for r in raw]
    rest = fen - sum(parts)
    order = sorted(range(len(raw)), key=lambda i: (parts[i] - raw[i], i))
    for i in order[:rest]:
        parts[i] += 1
    return [to_yuan(p) for p in parts]


def to_fen(yuan: Any) -> int:
    """ValueError for a float, a third decimal, NaN, or text that is no number."""
    if isinstance(yuan, (float, bool)):
        raise ValueError(f"money is Decimal, not {type(yuan).__name__}")
    try:
        fen = Decimal(yuan).scaleb(2)
        if fen.is_finite() and fen == fen.to_integral_value():
            return int(fen)
    except (InvalidOperation, TypeError):
        pass
    raise ValueError(f"{yuan!r} is not a whole number of fen")


@lru_cache(maxsize=4096)  # most amounts of a batch are alike
def to_yuan(fen: Any) -> Decimal:
    if fen != int(fen):  # Avg, F * Decimal: round in Python, by the one rule
        raise ValueError(f"{fen!r} fen: divide or multiply money in Python")
    return Decimal(int(fen)).scaleb(-2)


class MoneyField(models.Field):  # type: ignore[type-arg]
    """Yuan as integer fen. Not a BigIntegerField: F("a") + F("b") would be 100 times too much."""

    description = "Yuan, stored as integer fen"
    default_validators = [MinValueValidator(-LIMIT), MaxValueValidator(LIMIT)]
    default_error_messages = {"invalid": _("Enter an amount in yuan with at most two decimals.")}

    def db_type(self, connection: Any) -> str:
        return "bigint"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Decimal | None:
        return None if value is None else to_yuan(value)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None:
            return None
        try:
            return to_yuan(to_fen(value))
        except ValueError as error:
            raise exceptions.ValidationError(
                self.error_messages["invalid"], code="invalid"
            ) from error

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value if value is None or hasattr(value, "resolve_expression") else to_fen(value)

    def get_db_prep_value(
        self,
        value: Any,
        connection: Any,
        prepared: bool = False,  # noqa: FBT001, FBT002 - Django's signature
    ) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        if hasattr(value, "resolve_expression"):
            return value
        return connection.ops.adapt_integerfield_value(value, "BigIntegerField")

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        # update(paid=F("paid") - 1) would take one fen
        if hasattr(value, "resolve_expression") and not isinstance(value.output_field, MoneyField):
            raise exceptions.FieldError(f"{value!r} is no money; write yuan(…)")
        return "%s"

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(self.to_python(value))

    def formfield(self, **kwargs: Any) -> Any:
        defaults = {"form_class": forms.DecimalField, "max_digits": 14, "decimal_places": 2}
        return super().formfield(**{**defaults, **kwargs})


for _op in (Combinable.ADD, Combinable.SUB):
    register_combinable_fields(MoneyField, _op, MoneyField, MoneyField)
register_combinable_fields(MoneyField, Combinable.MUL, models.IntegerField, MoneyField)
register_combinable_fields(models.IntegerField, Combinable.MUL, MoneyField, MoneyField)


def yuan(amount: Any) -> models.Value:
    """The only money literal in query expressions."""
    return models.Value(Decimal(amount), output_field=MoneyField())
