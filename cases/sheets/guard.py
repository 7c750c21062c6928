"""What a file really is, and whether its insides are safe to open; by content, never by name.

A workbook of two kilobytes can abort a parser and one megabyte can unpack to two gigabytes, so
the zip directory and each XML part are looked at before any parser sees them. What we cannot
read is refused by name.
"""

import mmap
import re
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

MOST_BYTES: Final = 2**30  # of any file: a million orders of ours take a third of it
MOST_BOOK_BYTES: Final = 100 * 2**20  # of a packed workbook
MOST_UNPACKED: Final = 2**30
MOST_PARTS: Final = 2_000
MOST_DIRECTORY: Final = 2**20  # of the list of parts, with their names
MOST_ROWS: Final = 2**20  # of any workbook; rows and columns after these do not exist
MOST_COLUMNS: Final = 2**14
MOST_RATIO: Final = 150
RATIO_FREE: Final = 64 * 2**20  # below this, a high ratio does no harm
_CHUNK: Final = 2**20
_OVERLAP: Final = 512
_END_WITHIN: Final = 2**16 + 22 + 76  # the end of a zip: a comment, the record, that of a zip64
MOST_SECONDS: Final = 12  # of the processor, to look through one part
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")

_ZIP, _OLE = b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")
#: What the reader of zips raises where one is broken; names that are no text among it.
_BROKEN_ZIP: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    EOFError,
    OSError,
    OverflowError,
    ValueError,
    struct.error,
    zlib.error,
)
_PICTURES: Final = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"RIFF", "WEBP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_OTHERS: Final = (
    (b"%PDF", "PDF"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"MZ", "EXE"),
    (b"\x7fELF", "ELF"),
    (b"SQLite format 3", "SQLite"),
    (b"{\\rtf", "RTF"),
    (b"#!/", "script"),
)
_WEB: Final = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*(?:<(?:!doctype|html|table|meta|\?xml)|mime-version:)", re.IGNORECASE
)
_SYLK: Final = b"ID;P"

#: Rows after 1,048,576 and columns after XFD do not exist; a parser reserves room for them. This
#: is for a clear message early: what is hidden better than this only kills the child process.
_IMPOSSIBLE: Final = re.compile(
    rb' r(?:ef)?=["\'](?:[^"\']*:)?'
    rb"(?:[A-Z]{4}|[A-Z]*0*(?:10485(?:7[7-9]|[89]\d)|1048[6-9]\d\d|1049\d{3}|10[5-9]\d{4}"
    rb"|1[1-9]\d{5}|[2-9]\d{6}|\d{8})"
    rb"|(?:X(?:F[E-Z]|[G-Z][A-Z])|[YZ][A-Z]{2})\d)"
)
#: Only a piece with such a thing in it is worth the search above, which is three times slower.
_FAR: Final = (
    re.compile(rb' r=["\'](?:[A-Z]{3}|[A-Z]*\d{7})'),
    re.compile(rb' ref=["\'][^"\']*(?:[A-Z]{3}|\d{7})'),
)
_REPEATED: Final = re.compile(rb'number-(rows|columns)-repeated=["\'](\d{5,})')
_ROW: Final = re.compile(rb'<row [^<>]*?\br=["\'](\d{1,7})["\']')
_DOCTYPE: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class Unreadable(Exception):
    """The file as a whole cannot be read; the message says why and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def kind_of(path: Path) -> str:
    """One of csv, xlsx, xls, ods; anything else is refused by what it is."""
    size = path.stat().st_size
    if size == 0:
        raise Unreadable("empty", _("The file is empty."))
    if size > MOST_BYTES:
        raise Unreadable("too_big", _("The file is larger than 1 GB; split it."))
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith((_ZIP, b"PK\x05\x06")):
        return _zip(path, size)
    if head.startswith(_OLE):
        return _ole(path, size)
    _refuse_what_is_no_sheet(head)
    return "csv"


def _refuse_what_is_no_sheet(head: bytes) -> None:
    for sign, name in _PICTURES:
        if head.startswith(sign) and (name != "BMP" or b"\0" in head):
            message = _("This is a picture (%s), not a spreadsheet.") % name
            raise Unreadable("not_a_sheet", message)
    for sign, name in _OTHERS:
        if head.startswith(sign) and (name != "EXE" or b"\0" in head):
            raise Unreadable("not_a_sheet", _("This is a %s file, not a spreadsheet.") % name)
    if head[4:8] == b"ftyp":
        raise Unreadable("not_a_sheet", _("This is a %s file, not a spreadsheet.") % "MP4")
    if _WEB.match(head):
        message = _("This is a web page named like a spreadsheet; open it and save it as .xlsx.")
        raise Unreadable("not_a_sheet", message)
    if head.startswith(_SYLK):
        raise _save_as_xlsx("SYLK")


def _save_as_xlsx(kind: str) -> Unreadable:
    message = _("Spreadsheets of this kind (%s) are not read; open it and save it as .xlsx.")
    return Unreadable("not_a_sheet", message % kind)


def _zip(path: Path, size: int) -> str:
    if size > MOST_BOOK_BYTES:
        raise Unreadable("too_big", _("The workbook is larger than 100 MB; save it as CSV."))
    try:
        if _directory_size(path, size) > MOST_DIRECTORY:
            raise _unpacks_to_too_much()
        with zipfile.ZipFile(path) as book:
            kind = _directory(book)
            for info in book.infolist():
                _part(book, info)
    except _BROKEN_ZIP as error:
        raise _damaged() from error
    except (NotImplementedError, RuntimeError) as error:
        raise _packed_oddly() from error
    return kind


def _directory_size(path: Path, size: int) -> int:
    """Bytes of the list of parts as the end of the zip says; a reader takes them all at once."""
    with path.open("rb") as file:
        file.seek(max(0, size - _END_WITHIN))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise zipfile.BadZipFile
    said = int.from_bytes(tail[at + 12 : at + 16], "little")
    large = tail[max(0, at - 76) : max(0, at - 20)]  # the record of a zip64 stands before it
    return int.from_bytes(large[40:48], "little") if large.startswith(b"PK\x06\x06") else said


def _directory(book: zipfile.ZipFile) -> str:
    """The list of parts, before any of them is unpacked."""
    parts = book.infolist()
    names = [info.filename for info in parts]
    unpacked = sum(info.file_size for info in parts)
    packed = sum(info.compress_size for info in parts)
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED:
        raise _unpacks_to_too_much()
    if unpacked > RATIO_FREE and unpacked > MOST_RATIO * max(packed, 1):
        raise _unpacks_to_too_much()
    # Two parts that differ in capitals only are one to some readers.
    if len({name.lower() for name in names}) < len(names) or any(map(_leads_outside, parts)):
        raise _damaged()
    if any(info.flag_bits & 1 for info in parts):
        raise _encrypted()
    if any(info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for info in parts):
        raise _packed_oddly()
    return _kind_by_parts(book, set(names))


def _leads_outside(part: zipfile.ZipInfo) -> bool:
    """Names no program writes: of another folder, of a drive; links to elsewhere."""
    name = part.orig_filename
    outside = name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in name
    return outside or "\0" in name or stat.S_ISLNK(part.external_attr >> 16)


def _kind_by_parts(book: zipfile.ZipFile, names: set[str]) -> str:
    lower = {name.lower() for name in names}
    if any(name.endswith("vbaproject.bin") for name in lower):
        raise _macros()
    if any(name.startswith("word/") for name in lower):
        raise Unreadable("not_a_sheet", _("This is a Word document, not a spreadsheet."))
    if any(name.startswith("ppt/") for name in lower):
        raise Unreadable("not_a_sheet", _("This is a presentation, not a spreadsheet."))
    if "xl/workbook.xml" in lower:
        return "xlsx"
    if "mimetype" in names and "content.xml" in names:
        return _open_document(book, names)
    if "xl/workbook.bin" in lower:
        raise _save_as_xlsx("XLSB")
    raise Unreadable("not_a_sheet", _("This zip file is no spreadsheet we can read."))


def _open_document(book: zipfile.ZipFile, names: set[str]) -> str:
    with book.open("mimetype") as part:
        said = part.read(200).strip()
    if said != b"application/vnd.oasis.opendocument.spreadsheet":
        raise Unreadable("not_a_sheet", _("This is a document, not a spreadsheet."))
    if any(name.startswith(("Basic/", "Scripts/")) for name in names):
        raise _macros()
    if "META-INF/manifest.xml" in names:
        with book.open("META-INF/manifest.xml") as part:
            if b"encryption-data" in part.read(_CHUNK):
                raise _encrypted()
    return "ods"


def _part(book: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    """Any part may be named as the sheet, so each that looks like XML is looked through."""
    named = info.filename.lower().endswith((".xml", ".rels"))
    last_row = 0
    for at, chunk in enumerate(chunks(book, info)):
        if not (at or named or chunk.lstrip()[:1] == b"<" or chunk[:2] in _WIDE):
            return
        _piece(chunk)
        last_row = _last_row(chunk, last_row, _OVERLAP if at else 0)


def _piece(chunk: bytes) -> None:
    if chunk[:2] in _WIDE or b"\0" in chunk[:64]:
        raise Unreadable("damaged", _("A part of the workbook has a strange encoding."))
    if _DOCTYPE.search(chunk):
        message = _("The workbook has a document type declaration, which no program writes.")
        raise Unreadable("damaged", message)
    if any(sign.search(chunk) for sign in _FAR) and _IMPOSSIBLE.search(chunk):
        raise no_such_place()
    for what, times in _REPEATED.findall(chunk):
        if int(times) > (MOST_ROWS if what == b"rows" else MOST_COLUMNS):
            raise no_such_place()


def _last_row(chunk: bytes, last: int, seen: int) -> int:
    """Rows must follow each other: of two with one number a parser keeps the later cells."""
    for found in _ROW.finditer(chunk):
        if found.end() > seen:
            number = int(found[1])
            if number <= last:
                raise Unreadable("damaged", _("The rows of the workbook are not in their order."))
            last = number
    return last


def chunks(
    book: zipfile.ZipFile, info: zipfile.ZipInfo, *, overlap: int = _OVERLAP
) -> Iterator[bytes]:
    """The part unpacked a piece at a time; pieces overlap so that nothing hides on a seam."""
    tail, read = b"", 0
    until = time.thread_time() + MOST_SECONDS
    with book.open(info) as part:
        while piece := part.read(_CHUNK):
            read += len(piece)
            if read > info.file_size:
                raise zipfile.BadZipFile
            yield tail + piece
            tail = piece[-overlap:] if overlap else b""
            if time.thread_time() > until:
                raise _unpacks_to_too_much()


def _ole(path: Path, size: int) -> str:
    if size > MOST_BOOK_BYTES:
        raise Unreadable("too_big", _("The workbook is larger than 100 MB; save it as CSV."))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _ole_by_streams(content)


def _ole_by_streams(content: mmap.mmap) -> str:
    def has(*streams: str) -> bool:
        return any(_lists(content, stream) for stream in streams)

    if has("EncryptedPackage"):
        raise _encrypted()
    if has("_VBA_PROJECT", "_VBA_PROJECT_CUR"):
        raise _macros()
    if has("WordDocument"):
        raise Unreadable("not_a_sheet", _("This is a Word document, not a spreadsheet."))
    if has("PowerPoint Document"):
        raise Unreadable("not_a_sheet", _("This is a presentation, not a spreadsheet."))
    if not has("Workbook", "Book"):
        raise Unreadable("not_a_sheet", _("This is no spreadsheet we can read."))
    return "xls"


def _lists(content: mmap.mmap, stream: str) -> bool:
    """Entries of the list of streams begin at multiples of 128; a cell may hold such a word too."""
    name = (stream + "\0").encode("utf-16-le")
    at = content.find(name)
    while at >= 0 and at % 128:
        at = content.find(name, at + 1)
    return at >= 0


def _damaged() -> Unreadable:
    return Unreadable("damaged", _("The workbook is damaged; export it again."))


def no_such_place() -> Unreadable:
    return Unreadable("damaged", _("The workbook names rows or columns that cannot exist."))


def _unpacks_to_too_much() -> Unreadable:
    return Unreadable("too_big", _("The workbook unpacks to too much; save it as CSV."))


def _packed_oddly() -> Unreadable:
    return Unreadable("encrypted", _("The workbook is encrypted or packed oddly."))


def _encrypted() -> Unreadable:
    message = _("The workbook is protected by a password; save it without one.")
    return Unreadable("encrypted", message)


def _macros() -> Unreadable:
    message = _("The workbook contains macros; save it without them (.xlsx).")
    return Unreadable("macros", message)
