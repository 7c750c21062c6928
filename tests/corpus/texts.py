"""CSV files, and what people or programs call .csv and .xls though it is something else."""

import gzip

from tests.corpus import words
from tests.corpus.kinds import failing, read, refused
from tests.corpus.packing import COLUMNS, orders, row

BAD = "bad_value"
# Whose words are left blank, those are of the dialects, which say them at length.
HEADER = ",".join(COLUMNS)


@refused("csv", *words.EMPTY)
def nothing_at_all():
    return b""


@refused("csv", *words.EMPTY)
def only_a_byte_order_mark():
    return b"\xef\xbb\xbf"


@refused("csv", *words.EMPTY)
def only_empty_lines():
    return b"\r\n" * 20 + b" , ,\r\n"


@read("csv")
def only_the_header():
    return orders().encode()


@read("csv", created=1)
def a_sound_sheet():
    return orders(row()).encode()


@read("csv", created=2)
def a_hundred_thousand_empty_rows():
    empty = b"," * 7 + b"\r\n"
    return orders(row(1)).encode() + empty * 100_000 + ",".join(row(2)).encode()


@read("csv", created=2)
def lines_ended_by_carriage_returns():
    return orders(row(1), row(2)).replace("\r\n", "\r").encode()


@refused("csv", *words.NO_SHEET)
def zero_bytes_in_the_first_rows():
    return orders(row(), row(2, title="a\0b")).encode()


@read("csv", created=201)
def zero_bytes_far_down():
    long = "长" * 100
    return orders(*(row(at, title=long) for at in range(200)), row(200, title="a\0b")).encode()


@read("csv", created=2)
def control_and_direction_signs_in_cells():
    return orders(
        row(1, title="\x1b[31m红\u202e色\x07"), row(2, order_no="A\u200b2\u200e\ufeff")
    ).encode()


@refused(
    "csv",
    "bad_encoding",
    "Row 21: byte 1457 (FF) is not utf-8 text; export it again.",
    "第 21 行：第 1457 字节（FF）不是 utf-8 文字，请重新导出。",
)
def a_broken_byte_in_utf8():
    text = orders(*(row(at, title="纯棉短袖夏季新款") for at in range(20))).encode()
    return text.replace(b"A19", b"A\xff9")


@refused(
    "csv",
    "bad_encoding",
    "Row 21: byte 1456 (ED) is not utf-8 text; export it again.",
    "第 21 行：第 1456 字节（ED）不是 utf-8 文字，请重新导出。",
)
def surrogates_in_utf8():
    text = orders(*(row(at, title="纯棉短袖夏季新款") for at in range(20)))
    return text.encode().replace(b"A19", b"\xed\xa0\x80")


@refused(
    "csv",
    "bad_encoding",
    "Row 22: byte 1535 (B4) is not utf-8 text; export it again.",
    "第 22 行：第 1535 字节（B4）不是 utf-8 文字，请重新导出。",
)
def two_encodings_in_one_file():
    first = orders(*(row(at, title="纯棉短袖夏季新款") for at in range(20))).encode()
    return first + ",".join(row(99, title="纯棉短袖")).encode("gbk")


@refused(
    "csv",
    "bad_encoding",
    "Row 2: byte 129 (B4) is not gb18030 text; export it again.",
    "第 2 行：第 129 字节（B4）不是 gb18030 文字，请重新导出。",
)
def gbk_cut_in_a_character():
    return orders(row(1, title="纯棉短袖夏季新款")).encode("gbk")[:-2] + b"\xb4"


@read("csv", created=1)
def utf16_without_a_mark():
    return orders(row(title="短袖")).encode("utf-16-le")


@refused(
    "csv",
    "bad_encoding",
    "Row 3: byte 236 (78) is not utf-16 text; export it again.",
    "第 3 行：第 236 字节（78）不是 utf-16 文字，请重新导出。",
)
def utf16_of_an_odd_length():
    return orders(row(title="短袖")).encode("utf-16") + b"x"


@read("csv", created=1)
def utf32_with_a_mark():
    return orders(row(title="短袖")).encode("utf-32")


@failing(
    "csv",
    [(2, BAD)],
    "Row 2: has a cell of more than 131,072 signs",
    "第 2 行：有单元格超过 131,072 个字符",
    created=1,
)
def a_cell_of_a_megabyte():
    return orders(row(1, title="长" * 333_000), row(2)).encode()


@refused(
    "csv",
    "too_big",
    "A line after row 1 is longer than any row of a sheet.",
    "第 1 行之后有一行过长，不是正常的表格。",
)
def a_line_without_an_end():
    return orders().encode() + b"x" * 3 * 2**20


@refused(
    "csv",
    "too_big",
    "The file has more than 5,000,000 rows; split it.",
    "文件超过 500 万行，请拆分。",
)
def a_flood_of_empty_lines():
    return orders(row()).encode() + b"\n" * 5_100_000


@refused("csv", "too_big", "The sheet has more than 16,384 columns.", "表格超过 16,384 列。")
def twenty_thousand_columns():
    wide = ",".join(f"c{at}" for at in range(20_000))
    return f"{HEADER},{wide}\r\n".encode()


@failing(
    "csv",
    [(3, BAD)],
    "Row 3: a quotation mark is opened and never closed",
    "第 3 行：引号没有成对",
    created=2,
)
def a_quotation_mark_never_closed():
    broken = ",".join(row(2)).replace("短袖", '"短袖')
    return f"{orders(row(1))}{broken}\r\n{','.join(row(3))}\r\n".encode()


@read("csv", created=1)
def a_header_twice_with_the_same_cells():
    text = f"{HEADER},order_no\r\n{','.join([*row(), 'A1'])}\r\n"
    return text.encode()


@refused(
    "csv",
    "duplicate_headers",
    ("The column “order_no” stands twice with different cells (row 2); rename or delete one."),
    "“order_no”一列出现两次且内容不同（第 2 行），请改名或删除一列。",
)
def a_header_twice_with_other_cells():
    return f"{HEADER},order_no\r\n{','.join([*row(), 'A2'])}\r\n".encode()


@refused("csv", "bad_value", "", "")
def the_header_on_row_41():
    return ("标题\r\n" * 40 + orders(row())).encode()


@failing(
    "csv",
    [(3, BAD)],
    "Row 3: has more cells than the header; a comma or a quotation mark may be misplaced",
    "第 3 行：单元格比表头多，可能有逗号或引号放错了位置",
    created=1,
)
def a_row_wider_than_the_header():
    return f"{orders(row(1))}{','.join([*row(2), '', 'more'])}\r\n".encode()


@failing(
    "csv",
    [(3, BAD)],
    "Row 3: the file ends in the middle of the row; export it again",
    "第 3 行：文件在这一行中断，请重新导出",
    created=1,
)
def the_file_ends_inside_a_row():
    return (orders(row(1)) + ",".join(row(2)[:5])).encode()


@read("csv", created=3)
def formulas_that_would_start_programs():
    shots = ["=cmd|' /C calc'!A0", '+HYPERLINK("http://example.com")', "@SUM(1+1)*cmd|'x'!A1"]
    return orders(*(row(at, title=shot) for at, shot in enumerate(shots))).encode()


@read("csv", created=1)
def names_that_are_paths():
    return orders(row(order_no="../../etc/passwd", title="C:\\Windows\\x.exe")).encode()


@failing(
    "csv",
    [(2, "lost_digits"), (3, "lost_digits")],
    (
        "Row 2: order_no “3.51E+16” has lost digits (the spreadsheet program turned it "
        "into a number); export it again"
    ),
    "第 2 行：order_no“3.51E+16”丢失了数字（被表格软件转成了数值），请重新导出",
)
def order_numbers_in_scientific_notation():
    return orders(row(order_no="3.51E+16"), row(order_no="3.51235e+18")).encode()


@failing(
    "csv",
    [(2, BAD), (3, BAD), (4, BAD)],
    "Row 2: paid_at “9999-12-31 23:59:59” is not a year of this century",
    "第 2 行：paid_at“9999-12-31 23:59:59”年份不在本世纪",
)
def days_that_do_not_exist():
    days = ["9999-12-31 23:59:59", "2026-02-30 08:00:00", "0000-01-01"]
    return orders(*(row(at, paid_at=day) for at, day in enumerate(days))).encode()


@failing(
    "csv",
    [(2, "ambiguous_date"), (3, "ambiguous_date")],
    "Row 2: paid_at “03/04/26” is an ambiguous date; write 2025-01-31 08:00:00",
    "第 2 行：paid_at“03/04/26”日期有歧义，请写成 2025-01-31 08:00:00",
)
def days_that_could_be_two():
    return orders(row(1, paid_at="03/04/26"), row(2, paid_at="3-4-2026 10:00")).encode()


@failing(
    "csv",
    [(2, BAD), (3, BAD), (4, BAD), (5, "lost_digits"), (6, BAD), (7, BAD)],
    "Row 2: paid_amount “-5.00” is below zero",
    "第 2 行：paid_amount“-5.00”小于零",
)
def amounts_that_are_none():
    amounts = ["-5.00", "NaN", "Infinity", "1e309", "0x10", "九块九"]
    return orders(*(row(at, paid_amount=amount) for at, amount in enumerate(amounts))).encode()


@failing(
    "csv",
    [(2, "too_precise")],
    "Row 2: paid_amount “10.005” has more than two decimals",
    "第 2 行：paid_amount“10.005”超过两位小数",
)
def a_tenth_of_a_cent():
    return orders(row(paid_amount="10.005")).encode()


@failing(
    "csv",
    [(2, BAD)],
    (
        "Row 2: paid_amount "
        "“999999999999999999999999999999999999999999999999999999999999” is too long"
    ),
    ("第 2 行：paid_amount“999999999999999999999999999999999999999999999999999999999999”太长"),
)
def an_amount_of_two_hundred_digits():
    return orders(row(paid_amount="9" * 200)).encode()


@failing(
    "csv",
    [(2, BAD)],
    "Row 2: paid_amount “999999999999.00” is too large",
    "第 2 行：paid_amount“999999999999.00”太大",
)
def more_than_all_the_money():
    return orders(row(paid_amount="999999999999.00")).encode()


@read("csv", created=2)
def digits_of_other_scripts():
    return orders(row(1, paid_amount="１００．００"), row(2, paid_amount="١٠٠")).encode()


@failing(
    "csv",
    [(2, BAD), (3, BAD), (4, BAD)],
    "Row 2: quantity “0” is not above zero",
    "第 2 行：quantity“0”必须大于零",
)
def pieces_that_cannot_be_counted():
    return orders(row(1, quantity="0"), row(2, quantity="1.5"), row(3, quantity="²")).encode()


@failing("csv", [(2, "missing")], "Row 2: order_no “” is missing", "第 2 行：order_no“”缺失")
def an_order_without_a_number():
    return orders(row(order_no="")).encode()


@failing(
    "csv",
    [(2, "unknown")],
    "Row 2: there is no shop “nowhere” among your shops",
    "第 2 行：您的店铺里没有“nowhere”",
)
def a_shop_nobody_knows():
    return orders(row(shop="nowhere")).encode()


@refused("csv", "bad_value", "", "")
def a_shopping_list():
    return "牛奶,两瓶\r\n鸡蛋,一打\r\n".encode()


@refused("xls", *words.WEB_PAGE)
def a_web_page():
    cells = "<tr><td>订单编号</td></tr>"
    return f"<html><meta charset=gbk><table>{cells}</table></html>".encode("gbk")


@refused("xls", *words.WEB_PAGE)
def a_web_archive():
    return (
        b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n--x\r\n'
        b"Content-Type: text/html\r\n\r\n<table><tr><td>1</td></tr></table>\r\n--x--"
    )


@refused("xls", *words.WEB_PAGE)
def a_spreadsheet_of_2003_in_xml():
    return (
        b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'
    )


@refused(
    "xls",
    "not_a_sheet",
    "Spreadsheets of this kind (SYLK) are not read; open it and save it as .xlsx.",
    "不支持这种表格（SYLK），请打开后另存为 .xlsx。",
)
def a_symbolic_link_sheet():
    return b'ID;PWXL;N;E\r\nC;Y1;X1;K"order_no"\r\nE\r\n'


@refused("csv", *words.other_file("RTF"))
def a_rich_text():
    return rb"{\rtf1\ansi\deff0 order_no,quantity\par A1,1\par}"


@refused("csv", *words.other_file("EXE"))
def a_program():
    return b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" + bytes(200)


@refused("csv", *words.other_file("ELF"))
def a_program_of_linux():
    return b"\x7fELF\x02\x01\x01" + bytes(200)


@refused("csv", *words.other_file("script"))
def a_script():
    return b"#!/bin/sh\nrm -rf /\n"


@refused("csv", *words.other_file("SQLite"))
def a_database():
    return b"SQLite format 3\0" + bytes(200)


@refused("gz", *words.other_file("gzip"))
def a_gzip_of_a_sheet():
    return gzip.compress(orders(row()).encode(), mtime=0)


@refused("rar", *words.other_file("RAR"))
def a_rar():
    return b"Rar!\x1a\x07\x01\0" + bytes(50)


@refused("7z", *words.other_file("7z"))
def a_7z():
    return b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(50)


@refused("pdf", *words.other_file("PDF"))
def a_pdf():
    return b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n"


@refused(
    "csv",
    "not_a_sheet",
    "This is a picture (PNG), not a spreadsheet.",
    "这是图片（PNG），不是表格。",
)
def a_png():
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40)


@refused(
    "csv",
    "not_a_sheet",
    "This is a picture (JPEG), not a spreadsheet.",
    "这是图片（JPEG），不是表格。",
)
def a_jpeg():
    return b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(40)


@refused("csv", *words.other_file("MP4"))
def a_video():
    return b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2" + bytes(40)


@refused("csv", *words.NO_SHEET)
def noise():
    return bytes((at * 7919 + at // 3) % 256 for at in range(5000))
