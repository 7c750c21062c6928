"""Each quirk of a cell is read for certain or refused; nothing is guessed."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.sheets import values
from cases.sheets.values import ZONE, BadValue

UNICODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def refusal(parse, cell):
    with pytest.raises(BadValue) as refused:
        parse(cell)
    return refused.value.code


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('="351234567890123456"', "351234567890123456"),
        ('=""', ""),
        ("'13800001234", "13800001234"),
        ("\t6920000000000000001\t", "6920000000000000001"),
        ("\u00a0A1\u00a0", "A1"),
        ("\u200bA1\ufeff", "A1"),
        ("　A1　", "A1"),
        ("0012", "0012"),
        ("1234567890123456789", "1234567890123456789"),
        ("１２３", "123"),
        ("-", ""),
        (12345.0, "12345"),
        (123456789012345.0, "123456789012345"),
        ("No:SF0012", "No:SF0012"),
    ],
)
def test_ids_keep_their_digits_and_lose_their_wrapping(cell, said):
    assert values.identifier(cell) == said


@pytest.mark.parametrize(
    "cell", ["3.51E+16", "3.51e16", '="3.51E+16"', 3.51e16, 1234567890123456.0, 3510123456789012345]
)
def test_an_id_that_lost_digits_is_refused(cell):
    assert refusal(values.identifier, cell) == "lost_digits"


def test_an_id_in_an_error_cell_is_refused():
    assert refusal(values.identifier, "#N/A") == "bad_value"


@pytest.mark.parametrize(
    ("cell", "yuan"),
    [
        ("¥1,234.00", "1234.00"),
        ("￥1,234.00", "1234.00"),
        ("12.5元", "12.50"),
        ("0元", "0.00"),
        ("１２.５", "12.50"),
        ("12.500", "12.50"),
        (".5", "0.50"),
        ("+3", "3.00"),
        (" 8.80 \t", "8.80"),
        (0.1 + 0.2, "0.30"),
        (12.5, "12.50"),
        (7, "7.00"),
        (1999999.99, "1999999.99"),
    ],
)
def test_amounts_are_read_as_people_write_them(cell, yuan):
    assert str(values.money(cell)) == yuan


@pytest.mark.parametrize("cell", ["-", "--", "无退款申请", "无", "", " ", "null"])
def test_words_for_nothing_are_no_amount(cell):
    assert values.money(cell) is None


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("abc", "bad_value"),
        ("12,34.00", "bad_value"),
        ("1.2.3", "bad_value"),
        ("-5", "bad_value"),
        ("(5.00)", "bad_value"),
        ("1e3", "lost_digits"),
        ("99999999999999", "bad_value"),
        ("1" * 5000, "bad_value"),
        ("12.345", "too_precise"),
        (12.345, "too_precise"),
        (True, "bad_value"),
        ("#VALUE!", "bad_value"),
        ("¥", None),
    ],
)
def test_what_is_no_amount_is_refused(cell, code):
    if code is None:
        assert values.money(cell) is None
    else:
        assert refusal(values.money, cell) == code


@pytest.mark.parametrize(
    ("cell", "yuan"), [("12.345", "12.35"), ("12.344", "12.34"), (1.005, "1.01"), ("0.125", "0.13")]
)
def test_three_decimals_are_rounded_half_up_where_that_is_set(cell, yuan):
    assert str(values.money_rounded(cell)) == yuan


@given(st.decimals(0, 10**9, places=2, allow_nan=False))
def test_every_amount_comes_back_from_text_and_from_a_number_cell(amount):
    assert values.money(f"{amount}") == amount
    assert values.money(f"¥{amount:,}元") == amount
    assert values.money(float(amount)) == amount


AT = datetime(2025, 1, 5, 8, 0, tzinfo=ZONE)


@pytest.mark.parametrize(
    "cell",
    [
        "2025-01-05 08:00:00",
        "2025-01-05T08:00:00",
        "2025/1/5 8:00",
        "2025/01/05 08:00:00",
        "2025.1.5 8:00",
        "2025-01-05 08:00:00.000",
        "2025年1月5日 8:00",
        "2025年01月05日 8时0分0秒",
        "20250105080000",
        "2025-01-05T00:00:00Z",
        "2025-01-05 08:00:00+08:00",
        "\t2025-01-05 08:00:00",
        "'2025-01-05 08:00:00",
        "45662.3333333333",
        45662.3333333333,
        datetime(2025, 1, 5, 8, 0),  # noqa: DTZ001  # a native cell knows no zone
        datetime(2025, 1, 5, 0, 0, tzinfo=UTC),
    ],
)
def test_a_time_is_of_beijing_however_it_is_written(cell):
    assert values.moment(cell) == AT
    assert values.moment(cell).utcoffset() == timedelta(hours=8)


@pytest.mark.parametrize("cell", ["2025-01-05", "2025/1/5", "20250105", date(2025, 1, 5), 45662])
def test_a_day_without_a_time_begins_at_midnight(cell):
    assert values.moment(cell) == datetime(2025, 1, 5, tzinfo=ZONE)


@pytest.mark.parametrize("cell", ["", " ", "-", "--", "0000-00-00 00:00:00", "无"])
def test_a_blank_time_is_none(cell):
    assert values.moment(cell) is None


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("01/02/2025", "ambiguous_date"),
        ("1-2-25", "ambiguous_date"),
        ("05/06/07 08:00", "ambiguous_date"),
        ("2025-02-30", "bad_value"),
        ("2025-02-30 08:00:00", "bad_value"),
        ("2025-01-05 25:00:00", "bad_value"),
        ("1925-01-05 08:00:00", "bad_value"),
        ("昨天", "bad_value"),
        ("08:00", "bad_value"),
        ("1736035200", "bad_value"),
        (12.5, "bad_value"),
        (True, "bad_value"),
    ],
)
def test_a_date_that_could_be_another_is_refused(cell, code):
    assert refusal(values.moment, cell) == code


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001
def test_every_second_comes_back_from_text_serial_and_native_cell(naive):
    naive = naive.replace(microsecond=0)
    aware = naive.replace(tzinfo=ZONE)
    serial = (naive - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001

    assert values.moment(naive.strftime("%Y-%m-%d %H:%M:%S")) == aware
    assert values.moment(f"{naive.year}/{naive.month}/{naive.day} {naive:%H:%M:%S}") == aware
    assert values.moment(naive) == aware
    assert values.moment(serial) == aware


@pytest.mark.parametrize(
    ("cell", "count"), [("3", 3), ("3.0", 3), ("2件", 2), (4.0, 4), ("1,000", 1000), ("-", None)]
)
def test_pieces_are_whole(cell, count):
    assert values.pieces(cell) == count


@pytest.mark.parametrize("cell", ["1.5", 1.5, "0", "-1", "abc", "10000000", float("inf")])
def test_half_and_no_pieces_are_refused(cell):
    assert refusal(values.pieces, cell) == "bad_value"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("yes", True),
        ("是", True),
        ("TRUE", True),
        (True, True),
        ("no", False),
        ("否", False),
        ("", None),
    ],
)
def test_yes_and_no_in_both_languages(cell, said):
    assert values.truth(cell) is said


def test_maybe_is_neither_yes_nor_no():
    assert refusal(values.truth, "也许") == "bad_value"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "\0x",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        "'x",
    ],
)
def test_a_text_that_looks_like_a_formula_is_guarded(text):
    assert values.protect(text) == "'" + text
    assert values.unprotect("'" + text) == text


@given(UNICODE)
def test_the_guard_comes_off_again_and_nothing_else_does(text):
    assert values.unprotect(values.protect(text)) == text


@given(UNICODE)
def test_no_guarded_text_begins_like_a_formula(text):
    assert values.protect(text)[:1] not in set("=+-@\t\r\n\0＝＋－＠")


def test_an_apostrophe_before_a_word_is_the_words_own():
    assert values.clean("'hello'") == "'hello'"


def test_money_is_never_a_float():
    assert isinstance(values.money(0.1), Decimal)


def told(parse, cell):
    try:
        return parse(cell)
    except BadValue as refused:
        return refused.code


PLAIN = st.text("0123456789.-:+ E", max_size=20)
CLOCK = st.integers(0, 99).map("{:02}".format)
TIMES = st.builds("{}-{}-{} {}:{}:{}".format, st.integers(1990, 2110), *[CLOCK] * 5)


@pytest.mark.parametrize(
    "parse",
    [
        values.identifier,
        values.money,
        values.money_rounded,
        values.decimal,
        values.pieces,
        values.moment,
        values.listed,
    ],
)
@given(PLAIN | TIMES)
def test_the_short_way_of_a_plain_cell_says_what_the_long_way_says(parse, cell):
    """A blank beside a cell means nothing, but it keeps the cell from being a plain one."""
    assert told(parse, cell) == told(parse, f" {cell} ")


def test_a_time_with_a_short_offset_keeps_its_offset():
    assert values.moment("2026-01-01 12:03+0900") == datetime(2026, 1, 1, 3, 3, tzinfo=UTC)
    assert refusal(values.moment, "2026-01-01 12:03+09") == "bad_value"
