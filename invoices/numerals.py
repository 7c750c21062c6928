"""Amounts in capital numerals 大写 as Chinese vouchers bear them (invoices.md, Print)."""

from typing import Any

from cases.models.money import LIMIT, to_fen

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
#: Of four digits each, from the lowest; enough for the largest amount of money there is.
_GROUPS = ("", "万", "亿")
_NEGATIVE = "（负数）"


def capital(amount: Any) -> str:
    """1409.50 → 壹仟肆佰零玖圆伍角整; −0.05 → （负数）伍分.

    ``amount`` in yuan. ValueError for a float, a third decimal, or what no money column holds.
    """
    fen = to_fen(amount)
    if abs(fen) > to_fen(LIMIT):
        raise ValueError(f"{amount!r}: at most {LIMIT} is written in capital numerals")
    whole, small = divmod(abs(fen), 100)
    return (_NEGATIVE if fen < 0 else "") + _yuan(whole, small) + _small(whole, small)


def _yuan(whole: int, small: int) -> str:
    if not whole:
        return "" if small else "零圆"
    words = ""
    for number in reversed(range(len(_GROUPS))):
        group = whole // 10_000**number % 10_000
        if group:
            # A gap above this group's first digit is read as one zero.
            words += ("零" if words and group < 1000 else "") + _four(group) + _GROUPS[number]
    return words + "圆"


def _four(group: int) -> str:
    """One to four digits without leading zeros; zeros between are read once, at the end never."""
    words, gap = "", False
    for place in reversed(range(len(_PLACES))):
        digit = group // 10**place % 10
        if digit:
            words += ("零" if gap and words else "") + _DIGITS[digit] + _PLACES[place]
        gap = not digit
    return words


def _small(whole: int, small: int) -> str:
    jiao, fen = divmod(small, 10)
    if not small:
        return "整"
    if not fen:
        return f"{_DIGITS[jiao]}角整"
    if jiao:
        return f"{_DIGITS[jiao]}角{_DIGITS[fen]}分"
    return ("零" if whole else "") + f"{_DIGITS[fen]}分"


__all__ = ["capital"]
