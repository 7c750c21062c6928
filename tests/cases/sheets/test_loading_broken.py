"""Broken rows come back with their reason, the rest is taken; what is no sheet is refused whole."""

import json
from decimal import Decimal

import pytest

from cases.flow.door import Refused
from cases.models import Order
from cases.sheets.reader import Unreadable, open_sheet
from tests.cases.sheets.files.makers import NATIVE_ORDERS, csv_file, rows_of, xlsx_file
from tests.cases.sheets.loading_desk import CASE, ORDER, SIGNED, TAOBAO, counts, order

BROKEN = {
    "lost digits": {"order_no": "3.51E+16"},
    "three decimals": {"paid_amount": "10.005"},
    "no number": {"paid_amount": "abc"},
    "no pieces": {"quantity": "0"},
    "a broken date": {"paid_at": "2026-13-45"},
    "an ambiguous date": {"shipped_at": "03/04/26"},
    "a missing order": {"order_no": ""},
    "a missing amount": {"paid_amount": ""},
    "an unknown shop": {"shop": "nowhere"},
    "less than nothing": {"paid_amount": "-5.00"},
}


def broken_rows():
    return [ORDER | {"order_no": f"B{n}"} | cells for n, cells in enumerate(BROKEN.values())]


def test_ten_kinds_of_broken_rows_come_back_with_their_reasons(desk, tmp_path):
    book = tmp_path / "errors.xlsx"
    result = desk.orders(*broken_rows(), ORDER, errors=book)

    assert counts(result) == {"created": 1, "failed": len(BROKEN)}
    assert [o.order_no for o in Order.objects.all()] == ["A1"]
    assert result.error_file == str(book)
    assert len({message for _row, _code, message in result.failures}) == len(BROKEN)
    assert all(message.startswith(f"Row {row}") for row, _code, message in result.failures)


def test_the_error_workbook_is_mended_and_fed_again(desk, tmp_path):
    book = tmp_path / "errors.xlsx"
    desk.orders(*broken_rows(), errors=book)
    with open_sheet(book) as table:
        rows = [row.cells for row in table]
    assert rows[0]["order_no"] == "3.51E+16"
    assert all(row["错误"] for row in rows)

    for at, row in enumerate(rows):
        row.update(ORDER, order_no=f"M{at}", shipped_at="")
    mended = xlsx_file(tmp_path / "mended.xlsx", [list(rows[0]), *[list(r.values()) for r in rows]])

    assert counts(desk.take(mended)) == {"created": len(BROKEN)}
    assert desk.take(mended).unknown_columns == []


def test_the_second_time_broken_rows_break_alike_and_nothing_changes(desk):
    first = desk.orders(*broken_rows(), ORDER)
    again = desk.orders(*broken_rows(), ORDER)
    assert counts(again) == {"unchanged": 1, "failed": len(BROKEN)}
    assert first.failures == again.failures


def test_a_cell_that_has_lost_its_digits_in_a_workbook_is_refused(desk, tmp_path):
    row = rows_of(NATIVE_ORDERS, ORDER)[0]
    row[NATIVE_ORDERS.index("order_no")] = 35123456789012345678
    result = desk.take(xlsx_file(tmp_path / "lost.xlsx", [NATIVE_ORDERS, row]))

    assert counts(result) == {"failed": 1}
    assert result.failures[0][1] == "lost_digits"


def test_taobao_orders_in_gbk_with_sixty_columns_come_twice_without_a_change(desk, tmp_path):
    from tests.cases.sheets.files.makers import TAOBAO_ORDERS  # noqa: PLC0415 - beside its use

    later = ["是否信用购", "体验期结束时间", "前N有礼", "配送类型"]
    headers = [*TAOBAO_ORDERS, *later]
    assert len(headers) == 60
    rows = rows_of(
        headers, TAOBAO | {"配送类型": "快递"}, TAOBAO | {"订单编号": "3510000000000000002"}
    )
    path = csv_file(tmp_path / "ExportOrderList.csv", [headers, *rows], encoding="gbk")

    first = desk.take(path)
    assert (first.dialect, first.kind, first.unknown_columns) == ("taobao", "orders", [])
    assert counts(first) == {"created": 2}
    found = order("3510000000000000001")
    assert (found.waybill, found.phone) == ("SF001", "19900001234")
    assert found.payments.get().number == "2026030122001"
    assert counts(desk.take(path)) == {"unchanged": 2}


def test_a_case_row_may_fail_in_many_ways_and_the_good_one_is_taken(desk):
    desk.orders(SIGNED)
    bad = {
        "unknown order": {"order_no": "Z9"},
        "unknown line": {"line_no": "7"},
        "unknown kind": {"kind": "gift"},
        "no time": {"applied_at": ""},
        "the future": {"applied_at": "2027-01-01 00:00:00"},
        "unknown state": {"state": "asleep"},
        "too many pieces": {"quantity": "5"},
        "three decimals": {"amount": "1.234"},
    }
    rows = [CASE | {"case_no": f"X{n}"} | cells for n, cells in enumerate(bad.values())]

    result = desk.cases(*rows, CASE)

    assert counts(result) == {"created": 1, "failed": len(bad)}
    assert all(message for _row, _code, message in result.failures)


def test_a_picture_is_no_sheet(desk, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    with pytest.raises(Unreadable):
        desk.take(path)


def test_missing_columns_are_named(desk):
    with pytest.raises(Refused) as refusal:
        desk.take(desk.file(["shop", "order_no", "sku", "title", "status", "courier"], {}))
    assert "line_no" in refusal.value.message


def test_headers_nobody_knows_need_a_mapping_and_with_it_they_do(desk):
    row = {"单子": "M1", "花了": "12.50", "哪天付": "2026-03-01 10:00:00"}
    path = desk.file(list(row), row)
    with pytest.raises(Refused):
        desk.take(path, shop="shop")

    columns = {"单子": "order_no", "花了": "paid_amount", "哪天付": "paid_at"}
    result = desk.take(path, shop="shop", mapping={"kind": "orders", "columns": columns})

    assert counts(result) == {"created": 1}
    assert order("M1").paid_amount == Decimal("12.50")


def test_a_mapping_to_no_field_is_refused(desk):
    with pytest.raises(Refused):
        desk.take(desk.file(["甲"], {"甲": "1"}), mapping={"甲": "nonsense"})


def test_the_result_is_the_commands_json(desk):
    result = desk.orders(ORDER).as_dict()
    assert list(result) == [
        *("dialect", "kind", "rows", "created", "updated", "unchanged", "skipped", "failed"),
        *("warnings", "unknown_columns", "error_file", "seconds"),
    ]
    assert json.loads(json.dumps(result)) == result


def test_a_row_read_ahead_of_its_chunk_keeps_its_cells_for_the_workbook(desk, tmp_path):
    """A chunk holds 200 rows; the order of row 202 is refused only by the loading."""
    book = tmp_path / "errors.xlsx"
    rows = [ORDER | {"order_no": f"N{n}"} for n in range(200)]
    desk.orders(*rows, ORDER | {"order_no": "LAST", "shop": "nowhere"}, errors=book)

    with open_sheet(book) as table:
        assert [row.cells["order_no"] for row in table] == ["LAST"]


def test_titles_totals_and_other_sheets_are_told(desk, tmp_path):
    rows = [["三月订单"], NATIVE_ORDERS, *rows_of(NATIVE_ORDERS, ORDER), ["总计", "", "1"]]
    result = desk.take(xlsx_file(tmp_path / "w.xlsx", rows, after=[("备注", [["甲"]])]))

    assert counts(result) == {"created": 1}
    assert ["2" in text or "备注" in text for text in result.warnings] == [True, True]


def test_an_unknown_dialect_is_refused_with_those_there_are(desk):
    with pytest.raises(Refused) as refusal:
        desk.orders(ORDER, dialect="ebay")
    assert "douyin cases" in refusal.value.message
