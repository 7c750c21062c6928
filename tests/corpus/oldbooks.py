"""XLS workbooks in their OLE container, and open documents."""

from tests.corpus import words
from tests.corpus.kinds import failing, read, refused
from tests.corpus.packing import COLUMNS, biff, ods, ods_row, ole, record, row, u16, u32

BAD = "bad_value"
SMALL = [COLUMNS, row()]


@read("xls", created=1)
def an_old_workbook():
    return ole(Workbook=biff(SMALL))


@refused("xls", *words.BOOK_DAMAGED)
def an_old_workbook_of_noise():
    return ole(Workbook=bytes((at * 7919 + at // 3) % 256 for at in range(8000)))


@refused("xls", *words.BOOK_DAMAGED)
def an_old_workbook_cut_off():
    return ole(Workbook=biff(SMALL))[:2000]


@read("xls", created=1)
def an_old_workbook_whose_chain_bites_its_tail():
    content = bytearray(ole(Workbook=biff(SMALL)))
    content[512 + 2 * 4 : 512 + 3 * 4] = u32(2)  # the first sector of the stream leads to itself
    return bytes(content)


@read("xls", created=1)
def an_old_workbook_that_says_gigabytes():
    content = bytearray(ole(Workbook=biff(SMALL)))
    at = content.index("Workbook".encode("utf-16-le")) + 120
    content[at : at + 4] = u32(0x7FFFFFFF)
    return bytes(content)


@refused("xls", *words.BOOK_DAMAGED)
def an_old_workbook_of_a_record_too_long():
    stream = bytearray(biff(SMALL))
    at = stream.index(u16(0x204))
    stream[at + 2 : at + 4] = u16(0xFFFF)
    return ole(Workbook=bytes(stream))


@refused("xls", *words.KILLED)
def an_old_workbook_with_a_far_cell():
    far = record(0x203, u16(65535, 65535, 0) + bytes(8))
    return ole(Workbook=biff(SMALL, cells=far))


@refused("xls", *words.BOOK_LOCKED)
def an_old_workbook_with_a_password():
    return ole(Workbook=biff(SMALL, first=record(0x2F, u16(1, 1, 1) + bytes(48))))


@read("xls", created=1)
def a_workbook_of_excel_95():
    return ole(Book=biff([COLUMNS, row(title="shirt")], version=0x500))


@refused("xlsx", *words.BOOK_LOCKED)
def a_new_workbook_with_a_password():
    return ole(EncryptionInfo=u16(4, 4) + u32(0x40), EncryptedPackage=bytes(range(256)) * 20)


@refused("xls", *words.MACROS)
def an_old_workbook_with_macros():
    return ole(Workbook=biff(SMALL), _VBA_PROJECT=b"\xcc\x61")


@refused("doc", *words.LETTER)
def an_old_letter():
    return ole(WordDocument=bytes(100))


@refused("ppt", *words.PRESENTATION)
def an_old_presentation():
    return ole(**{"PowerPoint Document": bytes(100)})


@refused("msg", *words.NO_SHEET)
def a_mail():
    return ole(**{"__properties_version1.0": bytes(100)})


@refused("xls", *words.NO_SHEET)
def the_mark_of_old_office_and_noise():
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(at * 31 % 256 for at in range(4000))


@read("xls", created=1)
def an_old_workbook_that_speaks_of_macros():
    return ole(Workbook=biff([COLUMNS, row(title="_VBA_PROJECT EncryptedPackage WordDocument")]))


# --- open documents ------------------------------------------------------------------------------


@read("ods", created=1)
def an_open_document():
    return ods(ods_row(row()))


@read("ods", created=1)
def an_open_document_with_blank_rows_to_the_end():
    blank = '<table:table-cell table:number-columns-repeated="16384"/>'
    rows = f'<table:table-row table:number-rows-repeated="1048574">{blank}</table:table-row>'
    return ods(ods_row(row()) + rows)


@refused("ods", *words.NO_SUCH_PLACE)
def a_row_a_thousand_million_times():
    return ods(ods_row(row(), ' table:number-rows-repeated="1000000000"'))


@refused("ods", *words.NO_SUCH_PLACE)
def a_row_two_million_times():
    return ods(ods_row(row(), ' table:number-rows-repeated="2000000"'))


@refused(
    "ods",
    "damaged",
    "A row of the workbook repeats itself more than 1,000 times.",
    "工作簿中有一行重复了 1,000 次以上。",
)
def ten_rows_a_million_times():
    return ods(ods_row(row(), ' table:number-rows-repeated="1000000"') * 10)


@refused("ods", *words.NO_SUCH_PLACE)
def a_cell_a_thousand_million_times():
    return ods(
        ods_row(row()).replace(
            "<table:table-cell", '<table:table-cell table:number-columns-repeated="1000000000"', 1
        )
    )


@failing(
    "ods",
    [(2, BAD), (3, BAD), (4, BAD)],
    "Row 2: line_no “1” the same line number stands twice in one order",
    "第 2 行：line_no“1”同一订单里行号重复",
)
def a_row_three_times():
    return ods(ods_row(row(), ' table:number-rows-repeated="3"'))


@refused("ods", *words.BOOK_LOCKED)
def an_open_document_with_a_password():
    said = (
        '<manifest><file-entry full-path="content.xml"><encryption-data checksum="x"/>'
        "</file-entry></manifest>"
    )
    return ods(ods_row(row()), manifest=said)


@refused("ods", *words.MACROS)
def an_open_document_with_macros():
    return ods(ods_row(row()), Basic__Standard__Module1="<m/>")


@refused("odt", "not_a_sheet", "This is a document, not a spreadsheet.", "这是文档，不是表格。")
def an_open_letter():
    return ods(ods_row(row()), mimetype="application/vnd.oasis.opendocument.text")


@refused("ods", *words.DOCUMENT_TYPE)
def an_open_document_with_an_entity():
    return ods(ods_row(row()), before='<!DOCTYPE x [<!ENTITY a "b">]>')


@refused("ods", *words.BOOK_DAMAGED)
def an_open_document_cut_in_its_xml():
    return ods("<table:table-row><table:table-cell>")


@failing(
    "ods",
    [(3, BAD)],
    "Row 3: paid_amount “#DIV/0!” is not an amount of money",
    "第 3 行：paid_amount“#DIV/0!”不是金额",
    created=1,
)
def an_error_in_an_open_document():
    wrong = ods_row(row(2)).replace(
        '<table:table-cell office:value-type="string"><text:p>100.00</text:p>',
        '<table:table-cell table:formula="of:=1/0" office:value-type="string" '
        'office:string-value="" calcext:value-type="error"><text:p>#DIV/0!</text:p>',
    )
    return ods(ods_row(row(1)) + wrong)


@failing(
    "ods",
    [(2, "lost_digits")],
    (
        "Row 2: order_no “1.23456789012346E+18” has lost digits (the spreadsheet "
        "program turned it into a number); export it again"
    ),
    ("第 2 行：order_no“1.23456789012346E+18”丢失了数字（被表格软件转成了数值），请重新导出"),
)
def an_order_number_as_a_number_in_an_open_document():
    wrong = ods_row(row(order_no="X")).replace(
        'office:value-type="string"><text:p>X',
        'office:value-type="float" office:value="1234567890123456789"><text:p>1.23E+18',
    )
    return ods(wrong)
