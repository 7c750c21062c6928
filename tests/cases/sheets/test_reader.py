"""A file becomes a table whatever encoding, shape or program it comes from, or is refused."""

from datetime import datetime

import pytest

from cases.sheets import guard
from cases.sheets.book import Book
from cases.sheets.reader import Unreadable, open_sheet
from tests.cases.sheets.files import makers
from tests.cases.sheets.files.makers import NATIVE_ORDERS, TAOBAO_DETAILS, TAOBAO_ORDERS

SIMPLE = [["order_no", "line_no", "quantity"], ["A1", "1", "2"], ["纯棉", "2", "3"]]


def read(path, **how):
    with open_sheet(path, **how) as table:
        return [dict(row.cells) for row in table]


def refusal(path, **how):
    with pytest.raises(Unreadable) as refused, open_sheet(path, **how) as table:
        list(table)
    return refused.value


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_encoding_and_the_separator_are_found(tmp_path, encoding, delimiter):
    rows = makers.rows_of(TAOBAO_ORDERS, makers.TAOBAO_ORDER)
    path = makers.csv_file(
        tmp_path / "a.csv", [TAOBAO_ORDERS, *rows], encoding=encoding, delimiter=delimiter
    )

    (row,) = read(path)

    assert row["宝贝标题"] == "纯棉短袖 夏季新款"
    assert row["总金额"] == "209.00"
    assert len(row) == 56


def test_a_rare_character_of_gb18030_is_read(tmp_path):
    path = makers.csv_file(
        tmp_path / "a.csv", [["订单编号", "标题", "价格"], ["1", "𠮷野家", "2"]], encoding="gb18030"
    )

    assert read(path)[0]["标题"] == "𠮷野家"


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_a_broken_byte_is_named_with_its_row(tmp_path, encoding):
    rows = [
        ["订单编号", "标题", "价格"],
        *[[str(at), "纯棉短袖夏季新款", "9.90"] for at in range(20)],
    ]
    content = makers.csv_text(rows).encode(encoding)
    lines = content.split(b"\r\n")
    lines[14] = lines[14].replace(b"9.90", b"9.\xff0")
    path = tmp_path / "a.csv"
    path.write_bytes(b"\r\n".join(lines))

    refused = refusal(path)

    assert refused.code == "bad_encoding"
    assert "15" in refused.message
    assert "FF" in refused.message
    assert str(path.read_bytes().index(b"\xff")) in refused.message


def test_a_broken_byte_far_down_the_file_is_found_before_any_row_is_given(tmp_path):
    rows = [
        ["订单编号", "标题", "价格"],
        *[[str(at), "纯棉短袖" * 20, "9.90"] for at in range(20000)],
    ]
    content = makers.csv_text(rows).encode()
    path = tmp_path / "a.csv"
    path.write_bytes(content[:-10] + b"\xff" + content[-10:])

    with pytest.raises(Unreadable) as refused:
        open_sheet(path)

    assert refused.value.code == "bad_encoding"
    assert "20001" in refused.value.message


def test_the_header_stands_below_titles_and_totals_stand_at_the_end(tmp_path):
    path = makers.csv_file(
        tmp_path / "a.csv",
        [
            ["某某旗舰店订单报表"],
            [],
            ["导出时间：2025-01-05"],
            *SIMPLE[:2],
            ["", "", ""],
            [],
            ["A2", "1", "1"],
            ["总计", "", "3"],
        ],
    )

    with open_sheet(path) as table:
        rows = list(table)

    assert [row.number for row in rows] == [5, 8]
    assert table.header_row == 4
    assert table.skipped == {"title": 2, "empty": 3, "totals": 1}


@pytest.mark.parametrize("total", ["总计", "合计：3", "\t总计\t", "共计 3 条", "Total"])
def test_a_line_of_totals_is_no_row(tmp_path, total):
    path = makers.csv_file(tmp_path / "a.csv", [*SIMPLE, [total, "", "3"]])

    assert len(read(path)) == 2


def test_a_number_that_only_begins_like_a_total_is_a_row(tmp_path):
    path = makers.csv_file(
        tmp_path / "a.csv", [*SIMPLE, ["TOTALLY1", "1", "3"], ["总计算器", "1", "1"]]
    )

    assert len(read(path)) == 4


def test_the_header_repeated_inside_is_counted_and_no_row(tmp_path):
    path = makers.csv_file(tmp_path / "a.csv", [*SIMPLE, *SIMPLE])

    with open_sheet(path) as table:
        assert len(list(table)) == 4
    assert table.skipped == {"header again": 1}


def test_every_row_of_the_file_is_given_or_counted(tmp_path):
    rows = [["标题"], [], *SIMPLE, [], ["合计", "", ""], SIMPLE[0], ["A3", "1", "x", "extra"]]
    path = makers.csv_file(tmp_path / "a.csv", rows)

    with open_sheet(path) as table:
        given = len(list(table))

    assert given + 1 + table.skipped.total() == len(rows)


def test_a_field_more_than_the_header_is_taken_off_when_it_is_empty(tmp_path):
    row = ["1", "纯棉短袖", "9.90", "1", "", "", "", "", "交易成功", "SKU", ""]
    path = makers.csv_file(tmp_path / "a.csv", [TAOBAO_DETAILS, row], encoding="gbk")

    with open_sheet(path) as table:
        (found,) = table

    assert found.problem == ""
    assert found.cells["商家编码"] == "SKU"


def test_a_row_with_more_cells_than_the_header_says_so(tmp_path):
    path = makers.csv_file(tmp_path / "a.csv", [*SIMPLE, ["A3", "1", "2", "oops"]])

    with open_sheet(path) as table:
        problems = [row.problem for row in table]

    assert problems[:2] == ["", ""]
    assert problems[2]


def test_the_empty_last_column_of_a_header_is_no_column(tmp_path):
    path = makers.csv_file(
        tmp_path / "a.csv", [["订单号", "商品ID", "订购数量", ""], ["1", "2", "3", ""]]
    )

    with open_sheet(path) as table:
        assert table.headers == ("订单号", "商品ID", "订购数量")


def test_a_column_that_stands_twice_with_the_same_cells_is_one(tmp_path):
    path = makers.csv_file(
        tmp_path / "a.csv", [["order_no", "sku", "sku ", "quantity"], ["A1", "X", " X", "1"]]
    )

    assert read(path) == [{"order_no": "A1", "sku": "X", "quantity": "1"}]


def test_a_column_that_stands_twice_with_different_cells_is_named(tmp_path):
    path = makers.csv_file(
        tmp_path / "a.csv",
        [["order_no", "sku", "SKU", "quantity"], ["A1", "X", "X", "1"], ["A1", "X", "Y", "1"]],
    )

    refused = refusal(path)

    assert refused.code == "duplicate_headers"
    assert "sku" in refused.message
    assert "3" in refused.message


def test_a_quoted_cell_may_hold_newlines_and_rows_are_numbered_as_records(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('order_no,line_no,text\nA1,1,"一\n二\n三"\nA2,1,x\n', encoding="utf-8")

    with open_sheet(path) as table:
        rows = list(table)

    assert rows[0].cells["text"] == "一\n二\n三"
    assert [row.number for row in rows] == [2, 3]


@pytest.mark.parametrize("later", ['A9,1,"x"\n', 'A9,1,20寸"\n', 'A9,1,""\n', ""])
def test_a_quote_never_closed_swallows_no_row(tmp_path, later):
    lines = "".join(f"A{at},1,x\n" for at in range(4, 200))
    path = tmp_path / "a.csv"
    path.write_text(f'order_no,line_no,text\nA2,1,x\nA3,1,"19寸\n{lines}{later}', encoding="utf-8")

    with open_sheet(path) as table:
        rows = list(table)

    assert len(rows) == 198 + bool(later)
    assert [row.number for row in rows if row.problem] == [3]
    assert rows[1].cells["order_no"] == "A3"


def test_a_quotation_mark_inside_a_cell_is_kept(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('order_no,line_no,text\nA1,1,19" 屏\nA2,1,"19" 屏"\nA3,1,x\n', encoding="utf-8")

    with open_sheet(path) as table:
        rows = list(table)

    assert [row.cells["order_no"] for row in rows] == ["A1", "A2", "A3"]
    assert rows[0].cells["text"] == '19" 屏'
    assert not any(row.problem for row in rows)


def test_a_file_cut_off_in_a_row_says_so(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("order_no,line_no,quantity\nA1,1,2\nA2,1", encoding="utf-8")

    with open_sheet(path) as table:
        rows = list(table)

    assert [bool(row.problem) for row in rows] == [False, True]


def test_a_workbook_gives_native_cells(tmp_path):
    at = datetime(2025, 1, 5, 8, 0)  # noqa: DTZ001  # native cells know no zone
    path = makers.xlsx_file(
        tmp_path / "a.xlsx", [["order_no", "quantity", "paid_at", "text"], ["0012", 2, at, "=1+1"]]
    )

    with open_sheet(path) as table:
        (row,) = table

    assert list(row.values) == ["0012", 2.0, at, "=1+1"]


def test_content_decides_the_type_and_not_the_name(tmp_path):
    book = makers.xlsx_file(tmp_path / "a.csv", SIMPLE)
    text = makers.csv_file(tmp_path / "b.xlsx", SIMPLE)

    assert read(book) == read(text)


def test_an_open_document_is_read(tmp_path):
    path = makers.ods_file(tmp_path / "a.ods", [SIMPLE[0], ["A1", 1, 2]])

    assert read(path) == [{"order_no": "A1", "line_no": "1", "quantity": "2"}]


def test_an_old_excel_file_is_read(tmp_path):
    path = tmp_path / "退款报表.xls"
    path.write_bytes(old_excel([["订单编号", "退款编号", "退款状态"], ["351", "R1", "退款成功"]]))

    assert read(path) == [{"订单编号": "351", "退款编号": "R1", "退款状态": "退款成功"}]


def test_the_sheet_with_a_known_header_is_taken_and_the_others_are_named(tmp_path):
    path = makers.xlsx_file(
        tmp_path / "a.xlsx",
        SIMPLE,
        sheet="订单",
        before=[("说明", [["请勿修改"], ["谢谢"]])],
        after=[("二", [["x"]])],
    )

    with open_sheet(path) as table:
        assert table.sheet == "订单"
        assert table.other_sheets == ["说明", "二"]
        assert len(list(table)) == 2


def test_the_user_may_pick_the_sheet(tmp_path):
    path = makers.xlsx_file(
        tmp_path / "a.xlsx", SIMPLE, after=[("二", [SIMPLE[0], ["B1", "1", "1"]])]
    )

    assert [row["order_no"] for row in read(path, sheet="二")] == ["B1"]
    assert refusal(path, sheet="三").code == "no_such_sheet"


def test_a_table_can_be_read_twice(tmp_path):
    path = makers.xlsx_file(tmp_path / "a.xlsx", SIMPLE)

    with open_sheet(path) as table:
        assert [row.number for row in table] == [row.number for row in table]


def test_an_error_of_the_spreadsheet_program_does_not_become_a_blank(tmp_path):
    path = makers.xlsx_file(tmp_path / "a.xlsx", [*SIMPLE, ["A3", "1", "x"]])

    def break_one(xml):
        at = xml.index(b'r="C4"')
        begin, end = xml.rindex(b"<c", 0, at), xml.index(b"</c>", at)
        return xml[:begin] + b'<c r="C4" t="e"><v>#DIV/0!</v>' + xml[end:]

    broken = makers.with_part(path, tmp_path / "b.xlsx", "xl/worksheets/sheet1.xml", break_one)

    assert [row["quantity"] for row in read(broken)] == ["2", "3", "#DIV/0!"]


def test_a_formula_nobody_has_computed_is_no_blank(tmp_path):
    path = makers.xlsx_file(tmp_path / "a.xlsx", [*SIMPLE, ["A3", "1", "x"]])

    def uncompute(xml):
        at = xml.index(b'r="C4"')
        begin, end = xml.rindex(b"<c", 0, at), xml.index(b"</c>", at)
        return xml[:begin] + b'<c r="C4"><f>A1*2</f><v></v>' + xml[end:]

    fresh = makers.with_part(path, tmp_path / "b.xlsx", "xl/worksheets/sheet1.xml", uncompute)

    assert [row["quantity"] for row in read(fresh)] == ["2", "3", "#CALC!"]


def test_a_sheet_no_dialect_knows_still_has_a_header(tmp_path):
    path = makers.csv_file(
        tmp_path / "a.csv", [["我的表"], ["单子", "几个", "多少钱"], ["A1", "1", "2"]]
    )

    assert read(path) == [{"单子": "A1", "几个": "1", "多少钱": "2"}]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not_a_sheet"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "not_a_sheet"),
        (b"%PDF-1.7\n", "not_a_sheet"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "not_a_sheet"),
        (b"\x01\x02\x00\x00\x03\xfe\xff\x00", "not_a_sheet"),
        (b"PK\x03\x04 and nothing", "damaged"),
    ],
)
def test_what_is_no_sheet_is_refused_by_what_it_is(tmp_path, content, code):
    path = tmp_path / "退款报表.xlsx"
    path.write_bytes(content)

    assert refusal(path).code == code


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"word/document.xml": "<a/>"}, "not_a_sheet"),
        ({"ppt/presentation.xml": "<a/>"}, "not_a_sheet"),
        ({"readme.txt": "x"}, "not_a_sheet"),
        ({"xl/workbook.xml": "<a/>", "xl/vbaProject.bin": "x"}, "macros"),
        ({"xl/workbook.xml": "<a/>", "../../etc/passwd": "x"}, "damaged"),
        ({"xl/workbook.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"}, "damaged"),
        ({"xl/workbook.xml": "<a/>".encode("utf-16")}, "damaged"),
        ({"xl/workbook.xml": "<a/>", "xl/s.xml": '<c r="A99999999999"/>'}, "damaged"),
        ({"xl/workbook.xml": "<a/>", "xl/s.xml": '<c r="XFE1"/>'}, "damaged"),
        ({"xl/workbook.xml": "<a/>", "xl/s.xml": '<dimension ref="A1:A1048577"/>'}, "damaged"),
        ({"xl/workbook.xml": "<a/>", "xl/s.xml": b"\n" * (guard.RATIO_FREE + 1)}, "too_big"),
        ({"xl/workbook.xml": "<a/>", **{f"xl/{at}": "" for at in range(2001)}}, "too_big"),
    ],
)
def test_a_workbook_is_looked_at_before_it_is_parsed(tmp_path, parts, code):
    path = makers.zip_file(tmp_path / "a.xlsx", parts)

    assert refusal(path).code == code


def test_the_last_row_and_column_there_are_pass_the_guard(tmp_path):
    path = makers.xlsx_file(tmp_path / "a.xlsx", SIMPLE)

    def far(xml):
        return xml.replace(b'ref="A1:C3"', b'ref="A1:XFD1048576"')

    assert (
        len(read(makers.with_part(path, tmp_path / "b.xlsx", "xl/worksheets/sheet1.xml", far))) == 2
    )


def test_a_workbook_that_needs_too_much_memory_dies_alone(tmp_path):
    path = makers.xlsx_file(
        tmp_path / "a.xlsx", [[f"{at}-{x}" for x in range(20)] for at in range(10_000)]
    )

    with pytest.raises(Unreadable) as refused, Book(path, memory=2**25) as book:
        book.head("Sheet1", 5)

    assert refused.value.code in {"too_big", "damaged"}


def test_a_sheet_of_two_far_cells_is_refused_and_harms_nobody(tmp_path):
    path = makers.xlsx_file(tmp_path / "a.xlsx", SIMPLE)

    def far(xml):
        row = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
        return xml.replace(b"</sheetData>", row)

    bomb = makers.with_part(path, tmp_path / "b.xlsx", "xl/worksheets/sheet1.xml", far)

    assert refusal(bomb).code == "too_big"


def test_waiting_for_a_workbook_ends(tmp_path):
    path = makers.xlsx_file(tmp_path / "a.xlsx", SIMPLE)

    with pytest.raises(Unreadable) as refused:
        Book(path, wait=0)

    assert refused.value.code == "too_big"


def test_no_process_is_left_when_reading_stops_early(tmp_path):
    path = makers.xlsx_file(tmp_path / "a.xlsx", [SIMPLE[0], *[["A", 1, 1]] * 5000])

    with open_sheet(path) as table:
        next(iter(table))
        process = table.source._process

    assert process.poll() is not None


def test_all_headers_of_a_wide_sheet_are_found_in_a_million_row_shape(tmp_path):
    rows = [["S1", "other", f"A{at}", "1", *[""] * 26] for at in range(30_000)]
    path = makers.csv_file(tmp_path / "a.csv", [NATIVE_ORDERS, *rows])

    with open_sheet(path) as table:
        assert sum(1 for _row in table) == 30_000


def old_excel(rows):
    """The least BIFF8 workbook: one sheet of text cells in an OLE container of 512-byte sectors."""

    def record(kind, body=b""):
        return kind.to_bytes(2, "little") + len(body).to_bytes(2, "little") + body

    def u16(*numbers):
        return b"".join(number.to_bytes(2, "little") for number in numbers)

    def u32(*numbers):
        return b"".join(number.to_bytes(4, "little") for number in numbers)

    bof = record(0x809, u16(0x600, 0x5, 0xDBB, 0x7CC) + u32(0x41, 0x6))
    name = b"Sheet1"
    cells = b"".join(
        record(0x204, u16(y, x, 0, len(text)) + b"\1" + text.encode("utf-16-le"))
        for y, row in enumerate(rows)
        for x, text in enumerate(row)
    )
    codepage = record(0x42, u16(0x4B0))
    bound = len(bof) + len(codepage) + 4 + 8 + len(name) + 4
    globals_ = bof + codepage + record(0x85, u32(bound) + b"\0\0" + bytes([len(name), 0]) + name)
    globals_ += record(0x0A)
    sheet = record(0x809, u16(0x600, 0x10, 0xDBB, 0x7CC) + u32(0x41, 0x6))
    dimensions = record(0x200, u32(0, len(rows)) + u16(0, len(rows[0]), 0))
    stream = (globals_ + sheet + dimensions + cells + record(0x0A)).ljust(4096, b"\0")
    sectors = -(-len(stream) // 512)
    stream = stream.ljust(sectors * 512, b"\0")
    free, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    table = [fat, end, *range(3, 2 + sectors), end]
    table += [free] * (128 - len(table))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + u16(0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += u32(0, 1, 1, 0, 4096, end, 0, end, 0, 0) + u32(*[free] * 108)

    def entry(title, kind, child, start, size):
        said = (title + "\0").encode("utf-16-le")
        links = u32(free, free, child)
        return (
            said.ljust(64, b"\0")
            + u16(len(said))
            + bytes([kind, 1])
            + links
            + bytes(36)
            + u32(start, size, 0)
        )

    folder = entry("Root Entry", 5, 1, end, 0) + entry("Workbook", 2, free, 2, len(stream))
    return header + u32(*table) + folder.ljust(512, b"\0") + stream
