"""Builds files byte for byte, so that their insides may lie; the same bytes every time."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from xml.sax.saxutils import escape

from tests.cases.sheets.files.makers import csv_text, rows_of

#: The columns of the corpus are few, so that a file is read at a glance.
ORDER = {
    "shop": "shop",
    "platform": "taobao",
    "order_no": "A1",
    "line_no": "1",
    "title": "短袖",
    "quantity": "2",
    "paid_amount": "100.00",
    "paid_at": "2026-03-01 08:00:00",
}
COLUMNS = tuple(ORDER)

OOXML = "http://schemas.openxmlformats.org"
MAIN = f"{OOXML}/spreadsheetml/2006/main"
LINKS = f"{OOXML}/officeDocument/2006/relationships"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

Cell = str | int | float | None
Parts = Mapping[str, bytes | str]


def row(number: int = 1, **cells: str) -> list[str]:
    """One order of its own number, as a row of the corpus."""
    found: list[str] = rows_of(COLUMNS, ORDER | {"order_no": f"A{number}"} | cells)[0]
    return found


def orders(*rows: Sequence[str]) -> str:
    return csv_text([COLUMNS, *rows])


def packed(
    parts: Parts | Sequence[tuple[str, bytes | str]], how: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """A zip of the parts, in their order and of one date."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for name, content in parts.items() if isinstance(parts, Mapping) else parts:
            info = zipfile.ZipInfo(name)
            info.compress_type = how
            book.writestr(info, content)
    return out.getvalue()


def link_in_a_zip(parts: Parts, name: str, target: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for part, content in parts.items():
            book.writestr(zipfile.ZipInfo(part), content)
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        book.writestr(info, target)
    return out.getvalue()


def letters(column: int) -> str:
    """0 → A, 26 → AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def cell(column: int, number: int, value: Cell) -> str:
    place = f"{letters(column)}{number}"
    if value is None or value == "":
        return ""
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def line(number: int, cells: Sequence[Cell]) -> str:
    inside = "".join(cell(at, number, value) for at, value in enumerate(cells))
    return f'<row r="{number}">{inside}</row>'


def sheet_xml(rows: str, before: str = "", after: str = "") -> str:
    inside = f"{before}<sheetData>{rows}</sheetData>{after}"
    return f'{XML}<worksheet xmlns="{MAIN}" xmlns:r="{LINKS}">{inside}</worksheet>'


def table(*rows: Sequence[Cell]) -> str:
    """The inside of sheetData: the header and the rows."""
    return "".join(line(number, cells) for number, cells in enumerate([COLUMNS, *rows], 1))


def workbook_xml(
    sheets: str = '<sheet name="Sheet1" sheetId="1" r:id="rId1"/>', more: str = ""
) -> str:
    inside = f"{more}<sheets>{sheets}</sheets>"
    return f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">{inside}</workbook>'


def links(*targets: tuple[str, str]) -> str:
    """(kind, target) → a part of relationships rId1, rId2, …"""
    inside = "".join(
        f'<Relationship Id="rId{at}" Type="{LINKS}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(targets, 1)
    )
    return (
        f'{XML}<Relationships xmlns="{OOXML}/package/2006/relationships">{inside}</Relationships>'
    )


#: Style 1 is a date.
STYLES = (
    f'{XML}<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
    '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
CONTENT_TYPES = (
    f'{XML}<Types xmlns="{OOXML}/package/2006/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)


def parts(
    sheet: str | None = None, changed: Mapping[str, bytes | str | None] | None = None
) -> dict[str, bytes | str]:
    """The parts of a workbook of one order; `changed` replaces or adds (None: takes out)."""
    found: dict[str, bytes | str | None] = {
        "[Content_Types].xml": CONTENT_TYPES,
        "_rels/.rels": links(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": workbook_xml(),
        "xl/_rels/workbook.xml.rels": links(
            ("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")
        ),
        "xl/styles.xml": STYLES,
        "xl/worksheets/sheet1.xml": sheet or sheet_xml(table(row())),
    }
    found.update(changed or {})
    return {name: content for name, content in found.items() if content is not None}


def book(
    sheet: str | None = None, changed: Mapping[str, bytes | str | None] | None = None
) -> bytes:
    return packed(parts(sheet, changed))


@cache
def zeros(megabytes: int) -> bytes:
    """So many megabytes of blanks, deflated to a thousandth."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    blank = b" " * 2**20
    return b"".join(squeeze.compress(blank) for _ in range(megabytes)) + squeeze.flush()


def zip_by_hand(
    entries: Sequence[tuple[str, bytes, int, int, int]],
    *,
    shared: bool = False,
    comment: bytes = b"",
) -> bytes:
    """A zip from (name, deflated bytes, CRC, size said, local offset or -1)."""
    out, directory = bytearray(), bytearray()
    for name, content, crc, size, at in entries:
        place = len(out) if at < 0 else at
        said = name.encode()
        common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(content), size, len(said), 0)
        if at < 0:
            out += b"PK\x03\x04" + common + said + content
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + common
        directory += struct.pack("<HHHII", 0, 0, 0, 0, place) + said
    count = min(len(entries), 0xFFFF)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(out), len(comment))
    return bytes(out + directory) + b"PK\x05\x06" + end + comment


def u16(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}H", *numbers)


def u32(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def record(kind: int, body: bytes = b"") -> bytes:
    """One record of a BIFF stream."""
    return u16(kind, len(body)) + body


_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def ole(**streams: bytes) -> bytes:
    """An OLE container of 512-byte sectors with these streams, at most some 50 kB."""
    filled = {name: content.ljust(4096, b"\0") for name, content in streams.items()}
    folders = -(-(1 + len(filled)) // 4)
    chain, body = [_FAT, *range(2, 1 + folders), _END], b""
    starts = []
    for content in filled.values():
        starts.append(len(chain))
        sectors = -(-len(content) // 512)
        chain += [*range(len(chain) + 1, len(chain) + sectors), _END]
        body += content.ljust(sectors * 512, b"\0")
    assert len(chain) <= 128
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + u16(0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += u32(0, 1, 1, 0, 4096, _END, 0, _END, 0, 0) + u32(*[_FREE] * 108)

    def entry(title: str, kind: int, links: tuple[int, int, int], start: int, size: int) -> bytes:
        said = (title + "\0").encode("utf-16-le")
        shape = said.ljust(64, b"\0") + u16(len(said)) + bytes([kind, 1]) + u32(*links)
        return shape + bytes(36) + u32(start, size, 0)

    folder = entry("Root Entry", 5, (_FREE, _FREE, 1), _END, 0)
    for at, (name, content) in enumerate(filled.items(), 1):
        right = at + 1 if at < len(filled) else _FREE
        folder += entry(name, 2, (_FREE, right, _FREE), starts[at - 1], len(content))
    table = u32(*chain, *[_FREE] * (128 - len(chain)))
    return head + table + folder.ljust(folders * 512, b"\0") + body


def biff(
    rows: Sequence[Sequence[str]], *, version: int = 0x600, first: bytes = b"", cells: bytes = b""
) -> bytes:
    """A stream of one sheet of texts; `first` are records after the first one."""
    wide = version == 0x600
    bof = u16(version, 0x5, 0xDBB, 0x7CC) + (u32(0x41, 0x6) if wide else b"")
    front = record(0x809, bof) + first + record(0x42, u16(0x4B0 if wide else 1252))
    name = b"Sheet1"
    title = bytes([len(name), 0]) if wide else bytes([len(name)])
    bound = len(front) + 4 + 6 + len(title) + len(name) + 4
    front += record(0x85, u32(bound) + u16(0) + title + name) + record(0x0A)
    body = cells + b"".join(
        record(
            0x204,
            u16(y, x, 0, len(text))
            + (b"\1" + text.encode("utf-16-le") if wide else text.encode("cp1252", "replace")),
        )
        for y, cells_ in enumerate(rows)
        for x, text in enumerate(cells_)
    )
    kind = u16(version, 0x10, 0xDBB, 0x7CC) + (u32(0x41, 0x6) if wide else b"")
    size = (
        u32(0, len(rows)) + u16(0, len(COLUMNS), 0)
        if wide
        else u16(0, len(rows), 0, len(COLUMNS), 0)
    )
    return front + record(0x809, kind) + record(0x200, size) + body + record(0x0A)


ODS = "application/vnd.oasis.opendocument.spreadsheet"
_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text")
)


def ods_row(cells: Sequence[str], how: str = "") -> str:
    inside = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{escape(text)}</text:p>'
        "</table:table-cell>"
        for text in cells
    )
    return f"<table:table-row{how}>{inside}</table:table-row>"


def ods(
    rows: str,
    *,
    manifest: str = "<manifest/>",
    before: str = "",
    mimetype: str = ODS,
    **more: bytes | str,
) -> bytes:
    """An open document of the header and these rows."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content {_SPACES} '
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
        '<office:body><office:spreadsheet><table:table table:name="Sheet1">'
        f"{ods_row(COLUMNS)}{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    inside: dict[str, bytes | str] = {
        "mimetype": mimetype,
        "content.xml": content,
        "META-INF/manifest.xml": manifest,
    }
    return packed(inside | {name.replace("__", "/"): what for name, what in more.items()})
