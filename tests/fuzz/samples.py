"""Sound files of every kind that may come in, to be changed."""

import io
import tempfile
from datetime import datetime
from functools import cache
from pathlib import Path

from tests.cases.sheets.files import makers
from tests.cases.sheets.loading_desk import CASE, SIGNED, TAOBAO
from tests.corpus import oldbooks, papers, pictures
from tests.corpus.packing import COLUMNS, biff, book, line, ods, ods_row, ole, row, sheet_xml, table


@cache
def sheets() -> dict[str, bytes]:
    """Ending → bytes; several of one ending have a number after it."""
    native = [makers.NATIVE_ORDERS, *makers.rows_of(makers.NATIVE_ORDERS, *_orders())]
    cases = [
        makers.NATIVE_CASES,
        *makers.rows_of(makers.NATIVE_CASES, CASE, CASE | {"case_no": "C2"}),
    ]
    taobao = [makers.TAOBAO_ORDERS, *makers.rows_of(makers.TAOBAO_ORDERS, TAOBAO)]
    douyin = [makers.DOUYIN_ORDERS, *_douyin()]
    return {
        "native.csv": makers.csv_text(native).encode(),
        "cases.csv": makers.csv_text(cases).encode("utf-8-sig"),
        "taobao.csv": makers.csv_text(taobao).encode("gb18030"),
        "douyin.csv": makers.csv_text(douyin).encode("utf-8-sig"),
        "wide.csv": makers.csv_text(native, delimiter="\t").encode("utf-16"),
        "written.xlsx": _written(native),
        "small.xlsx": book(sheet_xml(table(row(1), row(2), row(3)))),
        "shared.xlsx": _with_formulas(),
        "small.xls": ole(Workbook=biff([COLUMNS, row(1), row(2)])),
        "old.xls": ole(Book=biff([COLUMNS, row(1, title="shirt")], version=0x500)),
        "small.ods": ods(ods_row(row(1)) + ods_row(row(2), ' table:number-rows-repeated="2"')),
        "error.ods": oldbooks.an_error_in_an_open_document(),
    }


def _orders() -> list[dict[str, str]]:
    return [SIGNED | {"order_no": f"A{at}"} for at in range(1, 6)]


def _douyin() -> list[list[str]]:
    order = {
        "主订单编号": "\t6900000000000000001",
        "子订单编号": "\t6900000000000000002",
        "选购商品": "短袖",
        "商品数量": "1",
        "订单应付金额": "99.00",
        "订单状态": "已发货",
        "订单提交时间": "2026-03-01 08:00:00",
        "支付完成时间": "2026-03-01 08:01:00",
    }
    return makers.rows_of(makers.DOUYIN_ORDERS, order)


def _written(rows: list[list[str]]) -> bytes:
    """By the program that writes our own exports, with native cells among the texts."""
    paid = rows[0].index("paid_at")
    day = datetime(2026, 3, 1, 8, 0)  # noqa: DTZ001 - native cells know no zone
    changed = [rows[0], *[[*cells[:paid], day, *cells[paid + 1 :]] for cells in rows[1:]]]
    with tempfile.TemporaryDirectory() as folder:
        path = makers.xlsx_file(Path(folder) / "a.xlsx", changed, after=[("说明", [["甲", 1]])])
        return path.read_bytes()


def _with_formulas() -> bytes:
    formula = (
        '<row r="4"><c r="C4" t="str"><f>A1</f><v>A4</v></c><c r="G4" t="e"><v>#N/A</v></c></row>'
    )
    return book(sheet_xml(line(1, COLUMNS) + line(2, row(1)) + line(3, row(2)) + formula))


@cache
def evidence() -> dict[str, bytes]:
    moving = io.BytesIO()
    return {
        "a.jpg": pictures.a_jpeg_that_says_where_it_was_taken(),
        "b.jpg": pictures.drawn(progressive=True),
        "a.png": pictures.drawn("PNG", "RGBA"),
        "b.png": pictures.drawn("PNG", "P"),
        "a.webp": pictures.drawn("WEBP"),
        "b.webp": pictures.drawn("WEBP", lossless=True),
        "a.pdf": papers.a_paper_with_a_link(),
        "a.mp4": pictures.a_video(),
    } | ({"empty": moving.getvalue()} if moving.getvalue() else {})
