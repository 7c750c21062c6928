"""One cell to one value: text, numbers, money, times, as platforms and spreadsheets write them.

A blank cell is None (or an empty text) everywhere. What cannot be read for certain raises
BadValue; nothing is guessed and no amount ever passes through binary floating point.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

Native = str | int | float | bool | datetime | date | time | timedelta

#: All the platforms write the time of Beijing, without saying so.
ZONE: Final = ZoneInfo("Asia/Shanghai")

CENT: Final = Decimal("0.01")
MOST_MONEY: Final = Decimal(10) ** 11
MOST_PIECES: Final = 1_000_000
EXACT_DIGITS: Final = 15  # a double holds no more of them for certain
LONGEST: Final = 64  # no number or date is longer; and the caches below stay small
NUMBER_CELL: Final = (int, float)

#: Words that say "no amount" or "no time" in the columns of the platforms.
NONE_WORDS: Final = frozenset(
    {"-", "--", "---", "—", "——", "/", "无", "无退款申请", "暂无", "null", "none", "n/a"}
)

_FIRST_YEAR, _LAST_YEAR = 2000, 2100
#: Full-width digits and signs are the same ones typed wide; `²` or `①` is no digit.
_HALF_WIDTH = {at: at - 0xFEE0 for at in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0xFFE5: "¥"}
_OFFSET = "+08:00"
_EPOCH = datetime(1899, 12, 30, tzinfo=ZONE)
#: Control signs (a NUL breaks databases) and zero-width ones; the joiner of emoji stays.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
)
_WRAPPED = re.compile(r'="([^"]*)"\Z')
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d+\Z")
_AMOUNT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?\Z")
_WHOLE = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.0*)?[件个套只台双]?\Z")
_DATE = re.compile(
    r"(\d{4})(?P<s>[-/.])(\d{1,2})(?P=s)(\d{1,2})"
    r"(?:[ T]?\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?)?\Z"
)
_CHINESE_DATE = re.compile(
    r"(\d{4})年(\d{1,2})月(\d{1,2})日"
    r"(?:\s*(\d{1,2})[:时点](?:(\d{1,2})(?:[:分](?:(\d{1,2})秒?)?)?)?)?\Z"
)
_COMPACT_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d))?\Z")
_OFFSET_DATE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)\Z"
)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?\Z")
_AMBIGUOUS = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?:\D.*)?\Z")
_CELL_ERRORS = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"}
)

#: Signs that make a spreadsheet program take a text for a formula (with their full-width forms).
_DANGEROUS = frozenset("=+-@\t\r\n\0＝＋－＠")
_GUARDED = _DANGEROUS | frozenset("'0123456789")


class BadValue(ValueError):
    """A cell that cannot be read; the message follows the column's name and the cell."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def clean(text: str) -> str:
    """Text as a person sees it: without wrapping, guards, TABs, NBSP and zero-width signs."""
    text = text.strip()
    if not text.isprintable():
        text = _INVISIBLE.sub("", text).strip()
    first = text[:1]
    if first == "=":
        wrapped = _WRAPPED.match(text)
        return clean(wrapped[1]) if wrapped else text
    if first == "'":
        return unprotect(text)
    return text


def protect(text: str) -> str:
    """A text for CSV that no spreadsheet program runs; `unprotect` gives the same text back."""
    return "'" + text if text[:1] in _DANGEROUS_OR_QUOTE else text


def unprotect(text: str) -> str:
    """Takes the guard off again (and the one before phones and ids), and no other quote."""
    return text[1:] if text[:1] == "'" and text[1:2] in _GUARDED_OR_END else text


_DANGEROUS_OR_QUOTE = _DANGEROUS | {"'"}
_GUARDED_OR_END = _GUARDED | {""}


def shown(value: Native | None) -> str:
    """The cell as a person would copy it from the screen."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, NUMBER_CELL):
        return _number_shown(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)


def _number_shown(value: float) -> str:
    """A number whose last digits are lost must not look whole when it is fed again."""
    if abs(value) >= 10**EXACT_DIGITS:
        return f"{value:.15G}"
    return str(int(value)) if value == value // 1 else repr(value)


def text(value: Native) -> str:
    """What a person reads; the short way is for the common cell, a million times."""
    if isinstance(value, str):
        found = value.strip()
        if found.isprintable() and found[:1] not in _MARKS:
            return found
        return clean(found)
    return shown(value)


_MARKS: Final = frozenset("='")


def identifier(value: Native) -> str:
    """A number that names something: digit for digit, or not at all."""
    if isinstance(value, str):
        return value if value.isdigit() and value.isascii() else _name(value)
    if isinstance(value, bool) or not isinstance(value, NUMBER_CELL):
        raise BadValue("bad_value", _("is not a number or a text"))
    if isinstance(value, float) and not value.is_integer():
        raise BadValue("bad_value", _("is not a whole number"))
    digits = str(int(value))
    if len(digits.lstrip("-")) > EXACT_DIGITS:
        raise _lost_digits()
    return digits


def _name(value: str) -> str:
    found = text(value)
    if found[:1].isdigit() and "E" in found.upper() and _SCIENTIFIC.match(found):
        raise _lost_digits()
    if not found.isascii() and found.isdigit():
        found = found.translate(_HALF_WIDTH)
    if found[:1] == "#":
        return _no_cell_error(found)
    return "" if found in _NO_NUMBER else found


_NO_NUMBER = frozenset({"-", "--", "/", "无", "null"})


def money(value: Native) -> Decimal | None:
    """Yuan with two places; a third decimal is refused."""
    if isinstance(value, str) and len(value) <= LONGEST:
        return _money(value)
    return _in_cents(decimal(value), rounding=False)


def money_rounded(value: Native) -> Decimal | None:
    """Yuan with two places; more decimals are rounded half up."""
    return _in_cents(decimal(value), rounding=True)


@lru_cache(maxsize=65536)
def _money(value: str) -> Decimal | None:
    return _in_cents(_amount(value), rounding=False)


def _in_cents(amount: Decimal | None, *, rounding: bool) -> Decimal | None:
    if amount is None:
        return None
    cents = amount.quantize(CENT, ROUND_HALF_UP)
    if cents != amount and not rounding:
        raise BadValue("too_precise", _("has more than two decimals"))
    if cents < 0:
        raise BadValue("bad_value", _("is below zero"))
    return cents


@lru_cache(maxsize=65536)
def _amount(value: str) -> Decimal | None:
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return _within(Decimal(value))
    found = clean(value)
    if not found.isascii():
        if found in NONE_WORDS:
            return None
        found = found.translate(_HALF_WIDTH)
    found = found.removesuffix("元").strip()
    sign = ""
    if found[:1] in {"-", "+"}:
        sign, found = found[0], found[1:].lstrip()
    found = sign + found.removeprefix("¥").removeprefix("CNY").removeprefix("RMB").strip()
    if not found or found.lower() in NONE_WORDS:
        return None
    if _SCIENTIFIC.match(found):
        raise _lost_digits()
    if not _AMOUNT.match(found) or not any(map(str.isdigit, found)):
        raise BadValue("bad_value", _("is not an amount of money"))
    return _within(Decimal(found.replace(",", "")))


def _number_cell(value: float) -> Decimal:
    # A spreadsheet program shows 15 digits; the rest is noise of binary fractions (0.1+0.2).
    return _within(Decimal(value if isinstance(value, int) else format(value, ".15g")))


def _within(amount: Decimal) -> Decimal:
    if amount.is_nan():
        raise BadValue("bad_value", _("is not an amount of money"))
    if abs(amount) > MOST_MONEY:
        raise BadValue("bad_value", _("is too large"))
    return amount


def decimal(value: Native) -> Decimal | None:
    """A unit price: no money yet, so it keeps its decimals."""
    if isinstance(value, str):
        return _amount(value) if len(value) <= LONGEST else _too_long()
    if isinstance(value, bool) or not isinstance(value, NUMBER_CELL):
        raise BadValue("bad_value", _("is not an amount of money"))
    return _number_cell(value)


def pieces(value: Native) -> int | None:
    """How many; whole and above zero."""
    if isinstance(value, str):
        return _pieces(value) if len(value) <= LONGEST else _too_long()
    if isinstance(value, bool) or not isinstance(value, NUMBER_CELL) or value % 1 != 0:
        raise BadValue("bad_value", _("is not a whole number"))
    return _some(int(value))


@lru_cache(maxsize=1024)
def _pieces(value: str) -> int | None:
    found = clean(value)
    if not found.isascii():
        found = found.translate(_HALF_WIDTH)
    if not found or found in NONE_WORDS:
        return None
    whole = _WHOLE.match(found)
    if not whole:
        raise BadValue("bad_value", _("is not a whole number"))
    return _some(int(whole[1].replace(",", "")[:12]))


def _some(number: int) -> int:
    if number <= 0:
        raise BadValue("bad_value", _("is not above zero"))
    if number > MOST_PIECES:
        raise BadValue("bad_value", _("is too large"))
    return number


_YES = frozenset({"yes", "y", "true", "t", "1", "是", "有", "√", "✓", "对"})
_NO = frozenset({"no", "n", "false", "f", "0", "否", "无", "没有", "×", "x", "-", "--"})


def truth(value: Native) -> bool | None:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    found = text(value).casefold()
    if not found:
        return None
    if found in _YES:
        return True
    if found in _NO:
        return False
    raise BadValue("bad_value", _("is neither yes nor no"))


def moment(value: Native) -> datetime | None:
    """A time of Beijing, aware; Excel serials, native cells and ISO offsets too."""
    if isinstance(value, str):
        # Nearly every cell is of this form; the rest takes the long way.
        if len(value) == 19 and value[4] == "-" and value[10] == " " and value[13] == ":":
            try:
                # Since 2000 Beijing keeps one offset; to read it is faster than to replace it.
                return _sane(datetime.fromisoformat(value + _OFFSET))
            except ValueError as error:
                if isinstance(error, BadValue):
                    raise
        return _moment(value) if len(value) <= LONGEST else _too_long()
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=ZONE) if value.tzinfo is None else value.astimezone(ZONE)
        return _sane(aware)
    if isinstance(value, date):
        return _sane(datetime(value.year, value.month, value.day, tzinfo=ZONE))
    if isinstance(value, NUMBER_CELL) and not isinstance(value, bool):
        return _serial(float(value))
    raise BadValue("bad_value", _("is not a date"))


@lru_cache(maxsize=8192)
def _moment(value: str) -> datetime | None:
    found = clean(value)
    if not found.isascii():
        found = found.translate(_HALF_WIDTH)
    if not found or found.lower() in NONE_WORDS or found.startswith("0000-00-00"):
        return None
    for form in (_DATE, _CHINESE_DATE, _COMPACT_DATE):
        if parts := form.match(found):
            return _calendar([int(part) for part in parts.groups() if (part or "").isdigit()])
    if _OFFSET_DATE.match(found):
        return _offset(found)
    if _SERIAL.match(found):
        return _serial(float(found))
    if _AMBIGUOUS.match(found):
        raise BadValue("ambiguous_date", _("is an ambiguous date; write 2025-01-31 08:00:00"))
    raise BadValue("bad_value", _("is not a date; write 2025-01-31 08:00:00"))


def _calendar(parts: list[int]) -> datetime:
    year, month, day, *clock = parts
    hour, minute, second = [*clock, 0, 0, 0][:3]
    try:
        return _sane(datetime(year, month, day, hour, minute, second, tzinfo=ZONE))
    except ValueError as error:
        if isinstance(error, BadValue):
            raise
        raise BadValue("bad_value", _("is a day or a time that does not exist")) from error


def _offset(found: str) -> datetime:
    try:
        return _sane(datetime.fromisoformat(found).astimezone(ZONE))
    except (ValueError, OverflowError) as error:
        if isinstance(error, BadValue):
            raise
        raise BadValue("bad_value", _("is a day or a time that does not exist")) from error


def _serial(days: float) -> datetime:
    """Days since 1899-12-30, as Excel counts, to the nearest second."""
    if not 36526 <= days < 73416:
        raise BadValue("bad_value", _("is not a date; write 2025-01-31 08:00:00"))
    return _sane(_EPOCH + timedelta(seconds=round(days * 86400)))


def _sane(moment_: datetime) -> datetime:
    if not _FIRST_YEAR <= moment_.year <= _LAST_YEAR:
        raise BadValue("bad_value", _("is not a year of this century"))
    return moment_


def listed(value: Native) -> tuple[str, ...]:
    """Several short texts in one cell, set apart by semicolons or commas."""
    found = text(value)
    return _parts(found) if len(found) <= LONGEST else _parts.__wrapped__(found)


_LIST = re.compile(r"[;；,，、|\n]")


@lru_cache(maxsize=1024)
def _parts(found: str) -> tuple[str, ...]:
    if not found or found in NONE_WORDS:
        return ()
    return tuple([part for part in map(str.strip, _LIST.split(found)) if part])


def _no_cell_error(found: str) -> str:
    if found[:1] == "#" and found.upper() in _CELL_ERRORS:
        raise BadValue("bad_value", _("is an error of the spreadsheet program"))
    return found


def _too_long() -> NoReturn:
    raise BadValue("bad_value", _("is too long"))


def _lost_digits() -> BadValue:
    return BadValue(
        "lost_digits",
        _("has lost digits (the spreadsheet program turned it into a number); export it again"),
    )


Parser = Callable[[Native], object]
