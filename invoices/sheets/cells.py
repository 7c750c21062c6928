"""Cells of invoices: signed amounts, pieces with decimals, tax rates, kinds.

An invoice is taken whole, so a cell that cannot be read must not lose its row alone: ``later``
keeps what is wrong until all rows of the invoice are there, and ``whole`` then refuses them all.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from django.utils.translation import gettext as _

from cases.sheets import values
from cases.sheets.dialects.base import Parsed, describe
from cases.sheets.dialects.words import table
from cases.sheets.headers import normal
from cases.sheets.values import BadValue, Native, Parser
from invoices.models import OLD_RATES, RATES, Nature
from invoices.models.quantity import exact

#: What a rate is called beside the numbers.
_RATE_WORDS: Final = table({"免税|exempt|不征税|***": "exempt"})
_RATES: Final = {Decimal(code): code for code in (*RATES, *OLD_RATES) if code != "exempt"}

KINDS: Final = table(
    {
        "paper_special|增值税专用发票|纸质专票|专票|专用发票|增值税专用发票(纸质)": "paper_special",
        "paper_general|增值税普通发票|纸质普票|普票|普通发票|增值税普通发票(纸质)": "paper_general",
        "tax_control_e|增值税电子普通发票|电子普票|电子普通发票|电子发票|电票": "tax_control_e",
        "digital_special|数电专票|全电专票|电子发票(增值税专用发票)|数电票(增值税专用发票)": (
            "digital_special"
        ),
        "digital_general|数电普票|全电普票|数电票|电子发票(普通发票)|数电票(普通发票)": (
            "digital_general"
        ),
        "digital_paper_special|数电纸质专票|数电纸质发票(增值税专用发票)": "digital_paper_special",
        "digital_paper_general|数电纸质普票|数电纸质发票(普通发票)": "digital_paper_general",
        "foreign|境外发票|国外发票": "foreign",
    }
)
NATURES: Final = table(
    {
        "normal|正常行|正常商品行": Nature.NORMAL.value,
        "discount|折扣行": Nature.DISCOUNT.value,
        "discounted|被折扣行": Nature.DISCOUNTED.value,
    }
)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A cell that cannot be read, and why."""

    code: str
    message: str


def later(parse: Parser) -> Parser:
    """The same parser, whose complaint is a value."""

    def parsed(value: Native) -> object:
        try:
            return parse(value)
        except BadValue as error:
            return Wrong(error.code, error.message)

    return parsed


def whole(group: Sequence[Parsed], required: Iterable[str]) -> None:
    """Raises BadValue where any row of an invoice cannot be read or lacks what it needs."""
    needed = tuple(required)
    for parsed in group:
        for field, value in parsed.get.items():
            if isinstance(value, Wrong):
                raise _refused(group, parsed, field, value)
            if field in needed and (value is None or value == ""):
                raise _refused(group, parsed, field, Wrong("missing", _("is missing")))


def _refused(group: Sequence[Parsed], parsed: Parsed, field: str, wrong: Wrong) -> BadValue:
    column, cell = parsed.cell(field)
    if len(group) == 1:
        error = BadValue(wrong.code, wrong.message)
        error.column = field  # type: ignore[attr-defined]  # names the cell to mend
        return error
    said = describe(parsed.number, column, cell, wrong.message)
    message = _("the invoice is taken whole or not at all: %(problem)s") % {"problem": said}
    return BadValue(wrong.code, message)


def signed(value: Native) -> Decimal | None:
    """An amount with two places, also below zero; a third decimal is refused."""
    found = values.decimal(value)
    return None if found is None else _in_cents(found)


@lru_cache(maxsize=65536)
def _in_cents(amount: Decimal) -> Decimal:
    cents = amount.quantize(values.CENT)
    if cents != amount:
        raise BadValue("too_precise", _("has more than two decimals"))
    return cents


def quantity(value: Native) -> Decimal | None:
    """Pieces, or any unit with up to six decimals; also below zero, never zero."""
    found = values.decimal(value)
    return None if found is None else _exact(found)


@lru_cache(maxsize=8192)
def _exact(amount: Decimal) -> Decimal:
    try:
        found = exact(amount)
    except ValueError as error:
        raise BadValue("too_precise", _("has more than six decimals or is too large")) from error
    if not found:
        raise BadValue("bad_value", _("is zero"))
    return found


def rate(value: Native) -> str | None:
    """Our word for a tax rate: 0.13, 13 % and 13 are one."""
    return _rate(values.text(value))


@lru_cache(maxsize=256)
def _rate(text: str) -> str | None:
    if not text:
        return None
    if word := _RATE_WORDS.get(normal(text)):
        return word
    bare = text.replace("％", "%").removesuffix("%").strip()
    try:
        number = Decimal(bare)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():  # "nan" and "Infinity" are numbers to Python
        number = Decimal(-1)
    if number >= 1 or text != bare:
        number /= 100
    if number not in _RATES:
        known = {"known": ", ".join((*RATES, *OLD_RATES))}
        raise BadValue("bad_value", _("is no rate there ever was; there are: %(known)s") % known)
    return _RATES[number]


def worded(words: Mapping[str, str]) -> Callable[[Parsed, str], str]:
    """Our word in a row's field; raises BadValue with what there is."""

    def word(parsed: Parsed, field: str) -> str:
        found: Any = parsed.get[field]
        if not found:
            return ""
        ours = parsed.own_word(field) or words.get(normal(found))
        if ours is None:
            known = {"known": ", ".join(dict.fromkeys(words.values()))}
            error = BadValue("bad_value", _("is not one of our words: %(known)s") % known)
            error.column = field  # type: ignore[attr-defined]  # names the cell to mend
            raise error
        return ours

    return word


kind_of = worded(KINDS)
nature_of = worded(NATURES)
