"""What we write comes back as it was and runs nothing; a mended error workbook is a sheet."""

import csv
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils.safestring import mark_safe
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.models.orders import OrderStatus
from cases.sheets import registry
from cases.sheets.dialects import read_facts, recognise
from cases.sheets.facts import CASES, ORDERS, BadRow
from cases.sheets.reader import open_sheet
from cases.sheets.values import unprotect
from cases.sheets.workbook import ErrorBook
from cases.sheets.writer import (
    NATIVE_CASES,
    NATIVE_ORDERS,
    TooManyRows,
    plain,
    write_sheet,
)
from tests.cases.sheets.files import makers

PAID = datetime(2025, 1, 5, 0, 0, 30, tzinfo=UTC)
ORDER = {
    "shop": "S1",
    "platform": "taobao",
    "order_no": "351234567890123456",
    "line_no": 1,
    "sku": "0012",
    "title": "=HYPERLINK(1)",
    "category": "clothing",
    "serials": ("SN1", "-SN2"),
    "quantity": 2,
    "unit_price": Decimal("59.90"),
    "discount": Decimal("19.80"),
    "paid_amount": Decimal("100.00"),
    "freight_paid": Decimal("0.00"),
    "ordered_at": PAID,
    "paid_at": PAID,
    "status": "paid",
    "buyer": "@买家",
    "phone": "019900001234",
    "shipped_free": True,
    "promises": ("quality", "free_return"),
}
CASE = {
    "case_no": "C1",
    "shop": "S1",
    "order_no": "351234567890123456",
    "line_no": 1,
    "quantity": 1,
    "kind": "return_refund",
    "reason": "no_reason",
    "amount": Decimal("99.99"),
    "applied_at": PAID,
    "state": "awaiting_return",
    "text": "-不合适\n退",
}


def row(layout, said):
    return [said.get(field) for field in layout.fields]


def read(path):
    with open_sheet(path) as table:
        where = recognise(table.headers)
        assert where.missing == ()
        return list(read_facts(table, where))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_an_exported_order_comes_back_as_it_was(tmp_path, name, language):
    path = tmp_path / name
    assert write_sheet(path, NATIVE_ORDERS, [row(NATIVE_ORDERS, ORDER)], language=language) == 1

    (order,) = read(path)

    (line,) = order.lines
    assert (order.shop_code, order.platform, order.order_no) == ("S1", "taobao", ORDER["order_no"])
    assert (line.line_no, line.sku, line.title) == (1, "0012", "=HYPERLINK(1)")
    assert line.serials == ("SN1", "-SN2")
    assert (line.quantity, line.unit_price, line.discount) == (2, Decimal("59.9"), Decimal("19.8"))
    assert (str(line.paid_amount), str(order.freight_paid)) == ("100.00", "0.00")
    assert order.paid_at == PAID
    assert (order.buyer, order.phone) == ("@买家", "019900001234")
    assert order.shipped_free is True
    assert line.promises == ("quality", "free_return")
    assert order.warnings == ()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_an_exported_case_comes_back_as_it_was(tmp_path, name, language):
    path = tmp_path / name
    write_sheet(path, NATIVE_CASES, [row(NATIVE_CASES, CASE)], language=language)

    (case,) = read(path)

    assert (case.case_no, case.kind, case.reason) == ("C1", "return_refund", "no_reason")
    assert (case.state, case.amount, case.applied_at) == (
        "awaiting_return",
        Decimal("99.99"),
        PAID,
    )
    assert case.text == "-不合适\n退"


def test_times_are_written_as_beijing_reads_them(tmp_path):
    path = tmp_path / "out.csv"
    write_sheet(path, NATIVE_ORDERS, [row(NATIVE_ORDERS, ORDER)])

    assert "2025-01-05 08:00:30" in path.read_text(encoding="utf-8-sig")


def test_no_cell_of_a_csv_begins_like_a_formula_but_numbers_may(tmp_path):
    path = tmp_path / "out.csv"
    said = ORDER | {"discount": Decimal("-5.00"), "receiver": "＝cmd", "address": "\tx"}
    write_sheet(path, NATIVE_ORDERS, [row(NATIVE_ORDERS, said)])

    with path.open(encoding="utf-8-sig", newline="") as file:
        _header, cells = csv.reader(file)

    risky = [cell for cell in cells if cell[:1] in set("=+-@\t\r\n\0＝＋－＠") and cell]
    assert risky == ["-5.00"]


def test_a_csv_opens_in_a_spreadsheet_program(tmp_path):
    path = tmp_path / "out.csv"
    write_sheet(path, NATIVE_ORDERS, [row(NATIVE_ORDERS, ORDER)], language="zh")

    assert path.read_bytes().startswith("\ufeff店铺代码".encode())


def test_no_formula_stands_in_a_workbook(tmp_path):
    path = tmp_path / "out.xlsx"
    write_sheet(path, NATIVE_ORDERS, [row(NATIVE_ORDERS, ORDER | {"address": "http://a.b"})])

    with open_sheet(path) as table:
        (found,) = table

    assert found.cells["title"] == "=HYPERLINK(1)"
    assert found.cells["order_no"] == "351234567890123456"
    assert found.cells["address"] == "http://a.b"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"]), max_size=30).map(str.strip))
def test_any_text_survives_a_csv(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    write_sheet(path, NATIVE_CASES, [row(NATIVE_CASES, CASE | {"text": text})])

    (case,) = read(path)

    assert case.text == text


DANGEROUS = "=+-@\t\r\n\0＝＋－＠"


def risky(signs, but):
    """A text that a spreadsheet program may take for a formula."""
    start = st.text(st.sampled_from(signs + "'"), min_size=1, max_size=3)
    rest = st.text(st.characters(exclude_categories=but), min_size=1, max_size=9)
    return st.builds(str.__add__, start, rest)


RISKY = risky(DANGEROUS, ["Cs", "Cc", "Cf", "Z"])
SHOWN = risky("".join(filter(str.isprintable, DANGEROUS)), ["C", "Z"])


@given(st.lists(RISKY, min_size=1, max_size=3))
def test_no_text_runs_in_a_spreadsheet_program_and_ours_reads_it_as_it_was(tmp_path_factory, texts):
    path = tmp_path_factory.getbasetemp() / "risky.csv"
    rows = [row(NATIVE_CASES, CASE | {"line_no": n, "text": t}) for n, t in enumerate(texts, 1)]
    write_sheet(path, NATIVE_CASES, rows)

    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [row_["text"] for row_ in csv.DictReader(file)]
    assert [cell[0] for cell in cells] == ["'"] * len(texts)
    assert [unprotect(cell) for cell in cells] == texts
    # A control sign at the edge is no part of a text wherever it is read.
    told = [(fact.text, text) for fact, text in zip(read(path), texts, strict=True)]
    assert [found for found, text in told if text.isprintable()] == [
        text for text in texts if text.isprintable()
    ]


@settings(max_examples=10)
@given(st.lists(SHOWN, min_size=1, max_size=20))
def test_a_text_of_a_workbook_stays_a_text(tmp_path_factory, texts):
    path = tmp_path_factory.getbasetemp() / "risky.xlsx"
    rows = [row(NATIVE_CASES, CASE | {"line_no": n, "text": t}) for n, t in enumerate(texts, 1)]
    write_sheet(path, NATIVE_CASES, rows)

    with zipfile.ZipFile(path) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")
    with open_sheet(path) as table:
        assert [found.cells["text"] for found in table] == texts


def test_an_unknown_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="docx"):
        write_sheet(tmp_path / "out.docx", NATIVE_ORDERS, [])


def test_rows_beyond_a_sheet_are_refused_and_not_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr("cases.sheets.writer.MOST_XLSX_ROWS", 2)

    with pytest.raises(TooManyRows):
        write_sheet(tmp_path / "out.xlsx", NATIVE_CASES, [row(NATIVE_CASES, CASE)] * 3)


def test_progress_is_told(tmp_path):
    told = []
    rows = [row(NATIVE_CASES, CASE)] * 2500
    write_sheet(tmp_path / "out.csv", NATIVE_CASES, rows, progress=told.append)

    assert told == [1000, 2000]


def test_every_layout_has_both_languages():
    assert {ORDERS, CASES} <= set(registry.outgoing())
    for layout in (sheet.layout for sheet in registry.outgoing().values()):
        assert len(set(layout.headers("zh"))) == len(set(layout.headers("en")))


def test_a_mended_error_workbook_is_an_ordinary_sheet(tmp_path):
    good = makers.TAOBAO_ORDER
    bad = good | {"订单编号": '="352"', "总金额": "abc", "订单付款时间": "01/02/2025"}
    rows = makers.rows_of(makers.TAOBAO_ORDERS, good, bad)
    source = makers.csv_file(tmp_path / "a.csv", [makers.TAOBAO_ORDERS, *rows], encoding="gbk")
    with open_sheet(source) as table, ErrorBook(tmp_path / "errors.xlsx", table.headers) as errors:
        for fact in read_facts(table, recognise(table.headers)):
            if isinstance(fact, BadRow):
                errors.add(fact)
    assert errors.count == 1

    with open_sheet(errors.path) as table:
        where = recognise(table.headers)
        (row_,) = table
        (still_bad,) = read_facts(table, where)
    assert (where.dialect.code, where.dialect.kind, where.unknown) == ("taobao", ORDERS, ())
    assert row_.cells["行号"] == "3"
    assert "abc" in row_.cells["错误"]
    assert "01/02/2025" in row_.cells["错误"]
    assert list(row_.cells)[2:] == [header.strip() for header in makers.TAOBAO_ORDERS]
    assert still_bad.cells["订单编号"] == '="352"'

    mended = dict(row_.cells) | {"总金额": "209", "订单付款时间": "2025-01-05 08:00:00"}
    again = makers.xlsx_file(tmp_path / "mended.xlsx", [list(mended), list(mended.values())])
    (order,) = read(again)
    assert (order.order_no, order.total_paid) == ("352", Decimal("209.00"))


def test_a_number_that_lost_digits_does_not_become_whole_in_the_error_workbook(tmp_path):
    row_ = makers.NATIVE_ORDER | {"order_no": 351234567890123456}
    source = makers.xlsx_file(tmp_path / "a.xlsx", [list(row_), list(row_.values())])
    (bad,) = read(source)
    assert bad.code == "lost_digits"

    with ErrorBook(tmp_path / "errors.xlsx", list(row_)) as errors:
        errors.add(bad)

    (again,) = read(errors.path)
    assert again.code == "lost_digits"


def test_cells_of_derived_classes_are_written_as_what_they_are():
    class Yuan(Decimal):
        """A class of somebody else's."""

    assert plain(OrderStatus.PAID) == "paid"
    assert plain(mark_safe("=1+1")) == "=1+1"
    assert plain(Yuan("1E+2")) == "100"
    assert plain(["a", "b"]) == "a;b"


def test_a_time_is_written_as_beijing_shows_it_to_the_second():
    assert plain(datetime(2025, 12, 31, 16, 0, 59, 999999, tzinfo=UTC)) == "2026-01-01 00:00:59"
