"""XLSX workbooks whose zip, parts or cells are not what a spreadsheet program writes."""

import io
import re
import struct
import zipfile
import zlib

from tests.corpus import words
from tests.corpus.kinds import failing, read, refused
from tests.corpus.packing import (
    COLUMNS,
    CONTENT_TYPES,
    MAIN,
    XML,
    book,
    cell,
    line,
    link_in_a_zip,
    links,
    packed,
    parts,
    row,
    sheet_xml,
    table,
    workbook_xml,
    zeros,
    zip_by_hand,
)

BAD = "bad_value"
SHEET = "xl/worksheets/sheet1.xml"


# --- the zip -------------------------------------------------------------------------------------


@refused("xlsx", *words.UNPACKS_TO_TOO_MUCH)
def a_part_that_unpacks_to_a_hundred_megabytes():
    return zip_by_hand([("xl/workbook.xml", zeros(100), 0, 100 * 2**20, -1)])


@refused("xlsx", *words.BOOK_DAMAGED)
def a_part_that_says_it_is_small():
    return zip_by_hand([("xl/workbook.xml", zeros(100), 0, 500, -1)])


@refused("xlsx", *words.UNPACKS_TO_TOO_MUCH)
def a_zip_that_says_exabytes():
    content = bytearray(book())
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = b"\xff" * 4  # the size stands in an extra field, which says 2**60
    extra = struct.pack("<HHQ", 1, 8, 2**60)
    name = int.from_bytes(content[at + 28 : at + 30], "little")
    content[at + 30 : at + 32] = struct.pack("<H", len(extra))
    content[at + 46 + name : at + 46 + name] = extra
    end = content.rindex(b"PK\x05\x06")
    size = int.from_bytes(content[end + 12 : end + 16], "little") + len(extra)
    content[end + 12 : end + 16] = struct.pack("<I", size)
    return bytes(content)


@refused("xlsx", *words.UNPACKS_TO_TOO_MUCH)
def parts_that_lie_on_each_other():
    blanks = zeros(30)
    entries = [("xl/workbook.xml", blanks, 0, 30 * 2**20, -1)]
    entries += [(f"xl/worksheets/sheet{at}.xml", blanks, 0, 30 * 2**20, 0) for at in range(200)]
    return zip_by_hand(entries)


@refused("xlsx", *words.UNPACKS_TO_TOO_MUCH)
def two_thousand_and_one_parts():
    return packed([("xl/workbook.xml", workbook_xml()), *((f"xl/{at}", "") for at in range(2001))])


@refused("xlsx", *words.UNPACKS_TO_TOO_MUCH)
def a_directory_of_two_hundred_thousand_parts():
    return zip_by_hand(
        [("xl/workbook.xml", b"\3\0", 0, 0, -1), *(("x" * 20, b"", 0, 0, 0),) * 200_000]
    )


@refused("xlsx", *words.BOOK_DAMAGED)
def a_wrong_checksum():
    content = bytearray(book())
    content[content.index(b"PK\x01\x02") + 16] ^= 0xFF
    return bytes(content)


@refused("xlsx", *words.BOOK_DAMAGED)
def a_workbook_cut_in_half():
    content = book()
    return content[: len(content) // 2]


@refused("xlsx", *words.BOOK_DAMAGED)
def the_beginning_of_a_zip_and_no_more():
    return b"PK\x03\x04" + bytes(200)


@refused("xlsx", *words.ANOTHER_ZIP)
def an_empty_zip_with_text_after_it():
    return packed({}) + b"order_no,quantity\r\n"


@refused("xlsx", *words.BOOK_LOCKED)
def a_zip_with_a_password():
    content = bytearray(book())
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = -1
        while (at := content.find(mark, at + 1)) >= 0:
            content[at + offset] |= 1
    return bytes(content)


@refused(
    "xlsx",
    "encrypted",
    "The workbook is encrypted or packed oddly.",
    "工作簿已加密，或压缩方式异常。",
)
def parts_packed_in_another_way():
    return packed(parts(), zipfile.ZIP_LZMA)


@refused("xlsx", *words.BOOK_DAMAGED)
def a_part_that_is_a_link():
    return link_in_a_zip(parts(), "xl/worksheets/sheet2.xml", "/etc/passwd")


@refused("xlsx", *words.BOOK_DAMAGED)
def a_part_outside_the_folder():
    return book(None, {"../../../etc/cron.d/x": "* * * * * root id"})


@refused("xlsx", *words.BOOK_DAMAGED)
def a_part_with_an_absolute_name():
    return book(None, {"/etc/passwd": "x"})


@refused("xlsx", *words.BOOK_DAMAGED)
def a_part_on_a_drive():
    return book(None, {"C:\\Windows\\x.dll": "x"})


@refused("xlsx", *words.BOOK_DAMAGED)
def a_part_with_backslashes():
    return book(None, {"xl\\..\\..\\x.xml": "x"})


@refused("xlsx", *words.BOOK_DAMAGED)
def a_part_whose_name_is_no_text():
    content = book(None, {"xl/文.xml": "<a/>"})
    return content.replace("文".encode(), b"\xff\xfe\xfd")


@refused("xlsx", *words.BOOK_DAMAGED)
def a_part_twice():
    inside = parts()
    return zip_by_hand(
        [
            (name, _deflated(text), zlib.crc32(_bytes(text)), len(_bytes(text)), -1)
            for name, text in [*inside.items(), (SHEET, sheet_xml(table(row(2))))]
        ]
    )


@refused("xlsx", *words.BOOK_DAMAGED)
def a_part_twice_in_other_capitals():
    return book(None, {"xl/worksheets/SHEET1.XML": sheet_xml(table(row(2)))})


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _deflated(text: bytes | str) -> bytes:
    return zlib.compress(_bytes(text), 9)[2:-4]


# --- what a zip is, if no workbook ---------------------------------------------------------------


@refused("xlsx", *words.MACROS)
def a_workbook_with_macros():
    return book(None, {"xl/vbaProject.bin": b"\xcc\x61 Sub AutoOpen()"})


@refused(
    "xlsx",
    "not_a_sheet",
    "Spreadsheets of this kind (XLSB) are not read; open it and save it as .xlsx.",
    "不支持这种表格（XLSB），请打开后另存为 .xlsx。",
)
def a_binary_workbook():
    return packed({"[Content_Types].xml": CONTENT_TYPES, "xl/workbook.bin": b"\x83\1\0"})


@refused("docx", *words.LETTER)
def a_letter():
    return packed({"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": "<w/>"})


@refused("pptx", *words.PRESENTATION)
def a_presentation():
    return packed({"[Content_Types].xml": CONTENT_TYPES, "ppt/presentation.xml": "<p/>"})


@refused("zip", *words.ANOTHER_ZIP)
def a_zip_of_sheets():
    return packed({"三月/订单.xlsx": book(), "三月/退款.xlsx": book()})


@refused("xlsx", *words.ANOTHER_ZIP)
def a_zip_of_nothing():
    return packed({})


# --- the XML -------------------------------------------------------------------------------------


@refused("xlsx", *words.DOCUMENT_TYPE)
def a_billion_laughs():
    laughs = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
    dtd = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'
    return book(dtd + sheet_xml(table(row(title="&l9;"))).removeprefix(XML))


@refused("xlsx", *words.DOCUMENT_TYPE)
def an_entity_from_outside():
    dtd = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    return book(None, {"xl/workbook.xml": dtd + workbook_xml().removeprefix(XML)})


@refused("xlsx", *words.DOCUMENT_TYPE)
def a_document_type_after_a_megabyte_of_blanks():
    return book(
        XML
        + " " * (2**20 - len(XML) - 5)
        + '<!DOCTYPE x SYSTEM "http://example.com/x">'
        + sheet_xml("")
    )


@refused("xlsx", *words.DOCUMENT_TYPE)
def a_sheet_in_a_part_of_another_name():
    hidden = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>' + sheet_xml(table(row()))
    return book(
        None,
        {
            "xl/_rels/workbook.xml.rels": links(
                ("worksheet", "sheet.dat"), ("styles", "styles.xml")
            ),
            "xl/sheet.dat": hidden,
            SHEET: None,
        },
    )


@refused(
    "xlsx",
    "damaged",
    "A part of the workbook has a strange encoding.",
    "工作簿中有部分内容编码异常。",
)
def xml_in_utf16():
    return book(None, {"xl/workbook.xml": workbook_xml().encode("utf-16")})


@refused("xlsx", *words.BOOK_DAMAGED)
def xml_that_is_not_closed():
    return book(sheet_xml(table(row())).replace("</row></sheetData>", ""))


@refused("xlsx", *words.BOOK_EMPTY)
def a_hundred_thousand_elements_in_each_other():
    return book(sheet_xml("<row>" * 100_000 + "</row>" * 100_000))


@refused("xlsx", *words.BOOK_DAMAGED)
def a_sheet_of_no_xml():
    return book("order_no,quantity\r\n")


@refused("xlsx", *words.NO_SUCH_PLACE)
def a_cell_after_the_last_column():
    return book(sheet_xml(table(row()) + '<row r="3"><c r="XFE3"><v>1</v></c></row>'))


@refused("xlsx", *words.NO_SUCH_PLACE)
def a_cell_after_the_last_row():
    return book(sheet_xml(table(row()) + '<row r="1048577"><c r="A1048577"><v>1</v></c></row>'))


@refused("xlsx", *words.NO_SUCH_PLACE)
def a_cell_that_overflows_the_counter():
    return book(sheet_xml(table(row()) + '<row r="3"><c r="A99999999999"><v>1</v></c></row>'))


@refused("xlsx", *words.NO_SUCH_PLACE)
def a_cell_of_a_thousand_letters():
    return book(sheet_xml(table(row()) + f'<row r="3"><c r="{"Z" * 1000}3"><v>1</v></c></row>'))


@refused("xlsx", *words.KILLED)
def two_cells_at_the_ends_of_the_sheet():
    return book(sheet_xml(table(row()) + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'))


@read("xlsx", created=1)
def dimensions_that_say_the_whole_sheet():
    return book(sheet_xml(table(row()), before='<dimension ref="A1:XFD1048576"/>'))


@refused("xlsx", *words.NO_SUCH_PLACE)
def dimensions_beyond_the_sheet():
    return book(sheet_xml(table(row()), before='<dimension ref="A1:A4294967295"/>'))


@read("xlsx", created=2)
def dimensions_that_say_less_than_there_is():
    return book(sheet_xml(table(row(1), row(2)), before='<dimension ref="A1"/>'))


@read("xlsx", created=1)
def a_hundred_thousand_empty_rows_of_a_workbook():
    empty = "".join(f'<row r="{at}"><c r="A{at}"/></row>' for at in range(3, 100_003))
    return book(sheet_xml(table(row()) + empty))


@read("xlsx", created=1)
def five_thousand_columns():
    cells = "".join(cell(at, 1, f"c{at}") for at in range(8, 5_000))
    return book(sheet_xml(table(row()).replace("</row>", f"{cells}</row>", 1)))


@refused("xlsx", *words.HOLDS_TOO_MUCH)
def a_cell_of_a_book():
    return book(sheet_xml(table(row(title="长" * 2_000_000))))


@refused("xlsx", *words.HOLDS_TOO_MUCH)
def one_long_text_in_every_cell():
    text = "长" * 32_000
    shared = f'{XML}<sst xmlns="{MAIN}"><si><t>{text}</t></si></sst>'
    head = line(1, COLUMNS)
    body = "".join(
        f'<row r="{at}">'
        + "".join(f'<c r="{chr(65 + x)}{at}" t="s"><v>0</v></c>' for x in range(8))
        + "</row>"
        for at in range(2, 200)
    )
    return book(
        sheet_xml(head + body),
        {"xl/sharedStrings.xml": shared, "xl/_rels/workbook.xml.rels": _with_strings()},
    )


def _with_strings() -> str:
    return links(
        ("worksheet", "worksheets/sheet1.xml"),
        ("styles", "styles.xml"),
        ("sharedStrings", "sharedStrings.xml"),
    )


# --- the parts -----------------------------------------------------------------------------------


@refused("xlsx", *words.BOOK_DAMAGED)
def no_sheet_where_one_is_named():
    return book(None, {SHEET: None})


@refused("xlsx", *words.BOOK_DAMAGED)
def no_list_of_links():
    return book(None, {"xl/_rels/workbook.xml.rels": None})


@refused("xlsx", *words.BOOK_DAMAGED)
def a_sheet_on_another_host():
    outside = links(("worksheet", "http://example.com/sheet.xml")).replace(
        "/>", ' TargetMode="External"/>'
    )
    return book(None, {"xl/_rels/workbook.xml.rels": outside})


@read("xlsx", created=1)
def links_to_other_workbooks():
    outside = links(("externalLinkPath", "file:///C:/secret.xlsx")).replace(
        "/>", ' TargetMode="External"/>'
    )
    return book(
        None,
        {
            "xl/externalLinks/externalLink1.xml": f'{XML}<externalLink xmlns="{MAIN}"/>',
            "xl/externalLinks/_rels/externalLink1.xml.rels": outside,
        },
    )


@refused("xlsx", *words.BOOK_EMPTY)
def a_workbook_without_sheets():
    return book(None, {"xl/workbook.xml": workbook_xml("")})


@refused("xlsx", *words.BOOK_EMPTY)
def a_workbook_of_empty_sheets():
    return book(sheet_xml(""))


@read("xlsx", created=1)
def wrong_content_types():
    return book(
        None, {"[Content_Types].xml": CONTENT_TYPES.replace("spreadsheetml", "wordprocessingml")}
    )


@read("xlsx", created=1)
def only_hidden_sheets():
    hidden = '<sheet name="Sheet1" sheetId="1" state="veryHidden" r:id="rId1"/>'
    return book(None, {"xl/workbook.xml": workbook_xml(hidden)})


@refused("xlsx", *words.BOOK_DAMAGED)
def a_text_that_is_not_in_the_list():
    shared = f'{XML}<sst xmlns="{MAIN}"><si><t>A1</t></si></sst>'
    sheet = sheet_xml(table(row()) + '<row r="3"><c r="A3" t="s"><v>4000000</v></c></row>')
    return book(
        sheet, {"xl/sharedStrings.xml": shared, "xl/_rels/workbook.xml.rels": _with_strings()}
    )


@refused("xlsx", *words.BOOK_DAMAGED)
def a_text_from_a_list_that_is_missing():
    return book(sheet_xml(table(row()) + '<row r="3"><c r="A3" t="s"><v>0</v></c></row>'))


@read("xlsx", created=1)
def styles_that_are_missing():
    return book(None, {"xl/styles.xml": None})


# --- the cells -----------------------------------------------------------------------------------


def changed(**cells: str) -> bytes:
    """A second order, of which some cells are raw XML: the value and its attributes."""
    xml = line(3, row(2))
    for name, raw in cells.items():
        at = f'<c r="{chr(65 + COLUMNS.index(name))}3"'
        begin = xml.index(at)
        end = xml.index("</c>", begin) + 4
        xml = xml[:begin] + at + raw + xml[end:]
    return book(sheet_xml(table(row(1)) + xml))


@failing(
    "xlsx",
    [(3, BAD)],
    "Row 3: paid_amount “#REF!” is not an amount of money",
    "第 3 行：paid_amount“#REF!”不是金额",
    created=1,
)
def an_error_in_a_cell():
    return changed(paid_amount=' t="e"><v>#REF!</v></c>')


@failing(
    "xlsx",
    [(3, BAD)],
    "Row 3: paid_amount “#REF!” is not an amount of money",
    "第 3 行：paid_amount“#REF!”不是金额",
    created=1,
)
def an_error_written_by_another_program():
    xml = changed(paid_amount=' t="e"><v>#REF!</v></c>')
    with_prefix = _sheet_of(xml)
    for tag in ("worksheet", "sheetData", "row", "c", "v", "is", "t", "f"):
        with_prefix = (
            with_prefix.replace(f"<{tag} ", f"<x:{tag} ")
            .replace(f"<{tag}>", f"<x:{tag}>")
            .replace(f"</{tag}>", f"</x:{tag}>")
        )
    return book(with_prefix.replace("xmlns=", "xmlns:x="))


@failing(
    "xlsx",
    [(3, BAD)],
    "Row 3: paid_amount “#REF!” is not an amount of money",
    "第 3 行：paid_amount“#REF!”不是金额",
    created=1,
)
def an_error_in_single_quotes_without_places():
    xml = _sheet_of(changed(paid_amount=' t="e"><v>#REF!</v></c>'))
    head, _, last = xml.rpartition('<row r="3">')
    for column in range(8):
        last = last.replace(f' r="{chr(65 + column)}3"', "")
    return book((head + '<row r="3">' + last).replace(' t="e"', " t='e'"))


@failing(
    "xlsx",
    [(3, BAD)],
    "Row 3: paid_amount “#NAME?” is not an amount of money",
    "第 3 行：paid_amount“#NAME?”不是金额",
    created=1,
)
def an_error_after_a_formula_of_a_thousand_signs():
    return changed(paid_amount=f' t="e"><f>{"SUM(A1,B1)+" * 1000}1</f><v>#NAME?</v></c>')


@failing(
    "xlsx",
    [(3, BAD)],
    "Row 3: paid_amount “#CALC!” is not an amount of money",
    "第 3 行：paid_amount“#CALC!”不是金额",
    created=1,
)
def a_formula_nobody_has_computed():
    return changed(paid_amount="><f>SUM(A1:A9)</f></c>")


@failing(
    "xlsx",
    [(3, BAD)],
    "Row 3: paid_amount “#CALC!” is not an amount of money",
    "第 3 行：paid_amount“#CALC!”不是金额",
    created=1,
)
def a_shared_formula_nobody_has_computed():
    return changed(paid_amount='><f t="shared" si="0"/></c>')


def _sheet_of(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return opened.read(SHEET).decode()


@read("xlsx", created=2)
def a_formula_with_its_value():
    return changed(paid_amount="><f>50+50</f><v>100</v></c>")


@failing(
    "xlsx",
    [(3, "lost_digits")],
    (
        "Row 3: order_no “1.23456789012346E+18” has lost digits (the spreadsheet "
        "program turned it into a number); export it again"
    ),
    ("第 3 行：order_no“1.23456789012346E+18”丢失了数字（被表格软件转成了数值），请重新导出"),
    created=1,
)
def an_order_number_of_nineteen_digits_as_a_number():
    return changed(order_no="><v>1234567890123456789</v></c>")


@failing(
    "xlsx",
    [(3, BAD)],
    "Row 3: paid_amount “nan” is not an amount of money",
    "第 3 行：paid_amount“nan”不是金额",
    created=1,
)
def an_amount_of_not_a_number():
    return changed(paid_amount="><v>NaN</v></c>")


@failing(
    "xlsx",
    [(3, BAD)],
    "Row 3: paid_amount “INF” is too large",
    "第 3 行：paid_amount“INF”太大",
    created=1,
)
def an_amount_without_end():
    return changed(paid_amount="><v>1E+400</v></c>")


@failing(
    "xlsx",
    [(3, BAD)],
    "Row 3: paid_amount “-5” is below zero",
    "第 3 行：paid_amount“-5”小于零",
    created=1,
)
def an_amount_below_zero():
    return changed(paid_amount="><v>-5</v></c>")


@failing(
    "xlsx",
    [(3, "too_precise")],
    "Row 3: paid_amount “10.005” has more than two decimals",
    "第 3 行：paid_amount“10.005”超过两位小数",
    created=1,
)
def a_number_of_three_decimals():
    return changed(paid_amount="><v>10.005</v></c>")


@failing(
    "xlsx",
    [(3, BAD)],
    "Row 3: quantity “TRUE” is not a whole number",
    "第 3 行：quantity“TRUE”不是整数",
    created=1,
)
def a_truth_where_pieces_belong():
    return changed(quantity=' t="b"><v>1</v></c>')


@failing(
    "xlsx",
    [(3, BAD)],
    "Row 3: paid_at “00:00:00” is not a date",
    "第 3 行：paid_at“00:00:00”不是日期",
    created=1,
)
def a_day_before_time_began():
    return changed(paid_at=' s="1"><v>-400000</v></c>')


@failing(
    "xlsx",
    [(3, BAD)],
    "Row 3: paid_at “99999999999” is not a date; write 2025-01-31 08:00:00",
    "第 3 行：paid_at“99999999999”不是日期，请写成 2025-01-31 08:00:00",
    created=1,
)
def a_day_after_the_last():
    return changed(paid_at=' s="1"><v>99999999999</v></c>')


@read("xlsx", created=2)
def a_day_as_a_native_cell():
    return changed(paid_at=' s="1"><v>46082.5</v></c>')


@read("xlsx", created=1)
def days_counted_from_1904():
    sheet = sheet_xml(
        line(1, COLUMNS)
        + line(2, row()).replace(cell(7, 2, row()[7]), '<c r="H2" s="1"><v>44620.5</v></c>')
    )
    return book(sheet, {"xl/workbook.xml": workbook_xml(more='<workbookPr date1904="1"/>')})


@failing(
    "xlsx", [(3, "missing")], "Row 3: order_no “” is missing", "第 3 行：order_no“”缺失", created=1
)
def merged_cells():
    merged = '<mergeCells count="1"><mergeCell ref="C2:C3"/></mergeCells>'
    return book(sheet_xml(table(row(1), row(2, order_no="")), after=merged))


@refused("xlsx", *words.NOT_IN_ORDER)
def a_row_that_stands_twice():
    return book(sheet_xml(table(row(1), row(2)) + line(3, row(3))))


@refused("xlsx", *words.NOT_IN_ORDER)
def rows_out_of_order():
    return book(sheet_xml(line(3, row(2)) + line(1, COLUMNS) + line(2, row(1))))


@read("xlsx", created=2)
def rows_and_cells_without_numbers():
    return book(re.sub(r' r="[A-Z]*\d+"', "", sheet_xml(table(row(1), row(2)))))


@read("xlsx", created=1)
def a_cell_that_stands_twice():
    twice = cell(2, 2, "A1") + cell(2, 2, "A9")
    return book(sheet_xml(table(row()).replace(cell(2, 2, "A1"), twice)))


@read("xlsx", created=1)
def an_unknown_kind_of_cell():
    return book(sheet_xml(table(row()).replace('<c r="E2" t="inlineStr">', '<c r="E2" t="zzz">')))
