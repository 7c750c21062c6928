"""Capital numerals: the values of the trade, and that every amount can be read back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.models.money import LIMIT, to_yuan
from invoices.numerals import capital

DIGITS = {word: value for value, word in enumerate("零壹贰叁肆伍陆柒捌玖")}
PLACES = {"拾": 10, "佰": 100, "仟": 1000}
GROUPS = {"万": 10_000, "亿": 100_000_000}


def read_back(words: str) -> Decimal:
    """The amount a person reads: a reader of its own, which knows nothing of how it was written."""
    sign = -1 if words.startswith("（负数）") else 1
    total = group = digit = fen = 0
    for word in words.removeprefix("（负数）"):
        if word in DIGITS:
            digit = DIGITS[word]
        elif word in PLACES:
            group += digit * PLACES[word]
            digit = 0
        elif word in GROUPS:
            total += (group + digit) * GROUPS[word]
            group = digit = 0
        elif word == "圆":
            fen = (total + group + digit) * 100
            digit = 0
        elif word in "角分":
            fen += digit * (10 if word == "角" else 1)
            digit = 0
        else:
            assert word == "整", word
    return sign * to_yuan(fen)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0.05", "伍分"),
        ("10.00", "壹拾圆整"),
        ("100000.10", "壹拾万圆壹角整"),
        ("1409.50", "壹仟肆佰零玖圆伍角整"),
        ("1001000.00", "壹佰万壹仟圆整"),
        ("100000001.00", "壹亿零壹圆整"),
        ("-6066.67", "（负数）陆仟零陆拾陆圆陆角柒分"),
        ("0.00", "零圆整"),
        ("0.10", "壹角整"),
        ("1.05", "壹圆零伍分"),
        ("10010.00", "壹万零壹拾圆整"),
        ("100100.00", "壹拾万零壹佰圆整"),
        ("100000000.00", "壹亿圆整"),
        ("110000000.00", "壹亿壹仟万圆整"),
        ("1000010000.00", "壹拾亿零壹万圆整"),
        ("-0.01", "（负数）壹分"),
        (
            "999999999999.99",
            "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖圆玖角玖分",
        ),
    ],
)
def test_amounts_are_written_as_the_trade_writes_them(amount, words):
    assert capital(Decimal(amount)) == words


@pytest.mark.parametrize(
    "amount", ["0.005", "1.234", "-3.001", "NaN", "Infinity", "1000000000000.00", 1.5, "yi"]
)
def test_what_is_no_amount_of_money_is_refused(amount):
    with pytest.raises(ValueError, match=r"\S"):
        capital(amount)


@given(st.integers(int(-LIMIT * 100), int(LIMIT * 100)))
def test_every_amount_is_read_back_as_it_was(fen):
    words = capital(to_yuan(fen))

    assert read_back(words) == to_yuan(fen)
    assert "零零" not in words
    assert words.endswith(("整", "分"))


@given(st.integers(0, 9_999), st.sampled_from([1, 10_000, 100_000_000]), st.integers(0, 120))
def test_round_and_gappy_amounts_are_read_back_too(group, size, rest):
    amount = to_yuan(group * size * 100 + rest)
    words = capital(amount)

    assert read_back(words) == amount
    assert not any(f"零{unit}" in words for unit in "拾佰仟万亿角分")
