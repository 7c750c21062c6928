"""The same orders from every format of file: native cells, digits that are lost, separators."""

import csv
import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cases.sheets.dialects import read_facts, recognise
from cases.sheets.facts import BadRow
from cases.sheets.reader import Unreadable, open_sheet
from cases.sheets.values import ZONE
from tests.cases.sheets.files import makers

pytestmark = pytest.mark.any_database

#: Written by xlwt, which is no part of the house: title, header, the rows below, a second sheet.
OLD_EXCEL = Path(__file__).parent / "files" / "native_cells.xls"
COLUMNS = [
    *("shop", "order_no", "line_no", "sku", "title", "quantity", "paid_amount", "paid_at"),
    *("shipped_free", "phone"),
]
DAY, MOMENT = datetime(2025, 1, 5), datetime(2025, 1, 5, 8)  # noqa: DTZ001
NATIVE = [
    ["订单导出"],
    [],
    COLUMNS,
    ["shop", "A1", 1, "0012", "杯", 2, 100.5, MOMENT, True, "19900001234"],
    ["shop", 351234567890123, 1, "7", "杯", 1, 0.1, DAY, False, 19900001234],
    ["shop", 3512345678901234567, 1, "7", "杯", 1, 9, DAY, False, ""],
    ["总计", "", "", "", "", 4, 109.6],
]


def facts_of(path):
    with open_sheet(path) as table:
        where = recognise(table.headers)
        assert (where.dialect.code, where.missing, where.unknown) == ("native", (), ())
        return list(read_facts(table, where)), table.skipped


@pytest.fixture(params=["xlsx", "xls", "ods"])
def book(request, tmp_path):
    if request.param == "xls":
        return OLD_EXCEL
    make = {"xlsx": makers.xlsx_file, "ods": makers.ods_file}[request.param]
    return make(tmp_path / f"a.{request.param}", NATIVE)


def test_native_cells_of_a_workbook_are_read(book):
    (first, lost, second), skipped = facts_of(book)

    assert skipped == {"title": 1, "empty": 1, "totals": 1}
    assert (first.order_no, first.lines[0].sku) == ("A1", "0012")
    assert first.lines[0].paid_amount == Decimal("100.50")
    assert first.paid_at == datetime(2025, 1, 5, 8, tzinfo=ZONE)
    assert (first.shipped_free, second.shipped_free) == (True, False)
    assert (second.order_no, second.phone) == ("351234567890123", "19900001234")
    assert second.lines[0].paid_amount == Decimal("0.10")
    assert isinstance(lost, BadRow)
    assert (lost.row, lost.column, lost.code) == (6, "order_no", "lost_digits")


def text_of(rows, *, delimiter=","):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


TITLE = "两行\n的标题; 带,分\t号"
TEXTS = [
    ["订单编号", "总金额", "订单付款时间", "宝贝标题", "联系手机"],
    [
        '="3510000000000000001"',
        "¥1,234.50",
        "2025/1/5 8:00",
        "两行\n的标题; 带,分\t号",
        "'19900001234",
    ],
    ["3510000000000000002\t", "9.90", "2025-01-05 08:00:00", '19" 屏 𠮷', "19900001235"],
]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("told", ["", "sep={}\r\n", '"sep={}"\r\n'])
def test_every_way_to_write_a_csv_says_the_same(tmp_path, delimiter, encoding, told):
    path = tmp_path / "a.csv"
    text = told.format(delimiter) + text_of(TEXTS, delimiter=delimiter)
    path.write_bytes(text.encode(encoding))

    with open_sheet(path) as table:
        first, second = read_facts(table, recognise(table.headers))
        assert table.skipped == {}

    assert (first.order_no, second.order_no) == ("3510000000000000001", "3510000000000000002")
    assert (first.total_paid, second.total_paid) == (Decimal("1234.50"), Decimal("9.90"))
    assert first.paid_at == second.paid_at == datetime(2025, 1, 5, 8, tzinfo=ZONE)
    assert first.title == TITLE
    assert second.title == '19" 屏 𠮷'
    assert (first.phone, first.rows, second.rows) == ("19900001234", (2,), (3,))


def test_gbk_without_a_character_of_gb18030_is_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(text_of(TEXTS[:2]).replace("¥", "").encode("gbk"))

    with open_sheet(path) as table:
        assert [one.order_no for one in read_facts(table, recognise(table.headers))] == [
            "3510000000000000001"
        ]


def test_a_separator_told_wins_over_the_looks_of_the_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sep=;\norder_no;line_no,x;quantity\nA1;1,2;3\n", encoding="utf-8")

    with open_sheet(path) as table:
        assert table.headers == ("order_no", "line_no,x", "quantity")
        assert [row.cells["line_no,x"] for row in table] == ["1,2"]


def test_a_file_that_only_tells_its_separator_is_empty(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sep=;\n", encoding="utf-8")

    with pytest.raises(Unreadable) as refused, open_sheet(path):
        pass
    assert refused.value.code == "empty"
