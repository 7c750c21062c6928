"""Whatever stands in the cells, each row is taken or refused with a reason, and none is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.sheets import values
from cases.sheets.dialects import ALL, lay_over, read_facts
from cases.sheets.facts import BadRow
from cases.sheets.reader import Row, Unreadable, open_sheet

NASTY = [
    *(
        "",
        " ",
        "-",
        "--",
        "0",
        "-1",
        "1",
        "2",
        "1.5",
        "1e309",
        "1E+16",
        "NaN",
        "Infinity",
        "٣",
        "²",
    ),
    *("2025-01-05 08:00:00", "2025-02-30 08:00:00", "9999-12-31 23:59:59", "0001-01-01 00:00:00"),
    *("2025-01-05T08:00:00+99:00", "45662.5", "99999", "24:00", "2025年1月5日 25时", "null", "无"),
    *(
        "交易成功",
        "退款成功",
        "仅退款",
        "退货退款",
        "已收到货",
        "=1+1",
        "'",
        "''",
        '="',
        '=""',
        "#N/A",
    ),
    *(
        "\0",
        "a\0b",
        "\u202e",
        "👨‍👩‍👧",
        "9" * 200,
        "，",
        "¥",
        "元",
        "¥元",
        "yes",
        "是",
        "quality",
        "+",
        ".",
    ),
    *(float("nan"), float("inf"), -1.0, 0.0, 1e16, 1e-9, 3, True, False, 45662.5),
]
#: A cell of each kind that nobody minds, so that the nasty ones get to be judged.
SOUND = {
    values.money: "1.00",
    values.decimal: "1.00",
    values.pieces: "1",
    values.moment: "2025-01-05 08:00:00",
    values.truth: "yes",
}
CELLS = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: f"{dialect.code} {dialect.kind}")
@settings(max_examples=60)
@given(data=st.data())
def test_every_row_is_taken_or_refused_with_a_reason(dialect, data):
    headers = tuple(column.names[0] for column in dialect.columns)
    width = len(headers)
    wholesome = [SOUND.get(column.parse, "A1") for column in dialect.columns]
    rows = []
    for number in range(2, 2 + data.draw(st.integers(0, 4))):
        cells = list(wholesome)
        for at in data.draw(st.sets(st.integers(0, width - 1), max_size=width // 2)):
            cells[at] = data.draw(CELLS)
        rows.append(Row(number, cells, headers))

    facts = list(read_facts(rows, lay_over(dialect, headers)))

    numbers = []
    for fact in facts:
        if isinstance(fact, BadRow):
            assert str(fact.row) in fact.message
            assert fact.code
            numbers.append(fact.row)
        else:
            assert fact.order_no
            assert "\0" not in repr(fact).replace("\\\\", "")
            numbers.extend(fact.rows)
    assert sorted(numbers) == [row.number for row in rows]


@settings(max_examples=150)
@given(
    st.binary(max_size=300)
    | st.text(alphabet='a1,"\n\r\t;订单 ', max_size=120).map(lambda text: text.encode("gbk"))
)
def test_any_file_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)

    try:
        with open_sheet(path) as table:
            rows = list(table)
    except Unreadable:
        return
    numbers = [row.number for row in rows]
    assert numbers == sorted(set(numbers))
    assert all(len(row.values) == len(table.headers) for row in rows)
