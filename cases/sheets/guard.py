"""What a file really is, and whether its insides are safe to open; by content, never by name.

A workbook of two kilobytes can abort a parser and one megabyte can unpack to two gigabytes, so
the zip directory and each XML part are looked at before any parser sees them. What we cannot
read is refused by name.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

MOST_BYTES: Final = 300 * 2**20  # of any file
MOST_BOOK_BYTES: Final = 100 * 2**20  # of a packed workbook
MOST_UNPACKED: Final = 2 * 2**30
MOST_PARTS: Final = 2_000
MOST_RATIO: Final = 150
MOST_ERRORS: Final = 10_000
RATIO_FREE: Final = 64 * 2**20  # below this, a high ratio does no harm
_CHUNK: Final = 2**20
_OVERLAP: Final = 512

_ZIP, _OLE = b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")
_PICTURES: Final = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"RIFF", "WEBP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_OTHERS: Final = ((b"%PDF", "PDF"), (b"Rar!", "RAR"), (b"7z\xbc\xaf", "7z"), (b"\x1f\x8b", "gzip"))
_WEB: Final = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|table|meta|\?xml)", re.IGNORECASE
)

#: Rows after 1,048,576 and columns after XFD do not exist; a parser reserves room for them. This
#: is for a clear message early: what is hidden better than this only kills the child process.
_IMPOSSIBLE: Final = re.compile(
    rb' r(?:ef)?=["\'](?:[^"\']*:)?'
    rb"(?:[A-Z]{4}|[A-Z]*0*(?:[2-9]\d{6}|1[1-9]\d{5}|10[5-9]\d{4}|\d{8})"
    rb"|(?:X(?:F[E-Z]|[G-Z][A-Z])|[YZ][A-Z]{2})\d)"
)
#: Only a piece with such a thing in it is worth the search above, which is three times slower.
_FAR: Final = (
    re.compile(rb' r=["\'](?:[A-Z]{3}|[A-Z]*\d{7})'),
    re.compile(rb' ref=["\'][^"\']*(?:[A-Z]{3}|\d{7})'),
)
_REPEATED: Final = re.compile(rb'number-(?:rows|columns)-repeated="\d{8}')
_DOCTYPE: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ERROR_CELL: Final = re.compile(
    rb'<c\s+(?=[^>]*\bt="e")[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*>'
    rb"(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?<v>([^<]{1,16})</v>"
)
_NOT_COMPUTED: Final = re.compile(
    rb'<c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*><f[^>]*>[^<]*</f>(?:<v\s*/>|<v></v>)?</c>'
)


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
        raise Unreadable("too_big", _("The file is larger than 300 MB; split it."))
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
        if head.startswith(sign):
            raise Unreadable("not_a_sheet", _("This is a %s file, not a spreadsheet.") % name)
    if _WEB.match(head):
        message = _("This is a web page named like a spreadsheet; open it and save it as .xlsx.")
        raise Unreadable("not_a_sheet", message)


def _zip(path: Path, size: int) -> str:
    if size > MOST_BOOK_BYTES:
        raise Unreadable("too_big", _("The workbook is larger than 100 MB; save it as CSV."))
    try:
        with zipfile.ZipFile(path) as book:
            kind = _directory(book)
            for info in book.infolist():
                if info.filename.lower().endswith((".xml", ".rels")):
                    _part(book, info)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError) as error:
        raise Unreadable("damaged", _("The workbook is damaged; export it again.")) from error
    except (NotImplementedError, RuntimeError) as error:
        raise Unreadable("encrypted", _("The workbook is encrypted or packed oddly.")) from error
    return kind


def _directory(book: zipfile.ZipFile) -> str:
    """The list of parts, before any of them is unpacked."""
    parts = book.infolist()
    names = [info.filename for info in parts]
    unpacked = sum(info.file_size for info in parts)
    packed = sum(info.compress_size for info in parts)
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED:
        raise Unreadable("too_big", _("The workbook unpacks to too much; save it as CSV."))
    if unpacked > RATIO_FREE and unpacked > MOST_RATIO * max(packed, 1):
        raise Unreadable("too_big", _("The workbook unpacks to too much; save it as CSV."))
    if len(set(names)) < len(names) or any(_leads_outside(name) for name in names):
        raise Unreadable("damaged", _("The workbook is damaged; export it again."))
    if any(info.flag_bits & 1 for info in parts):
        raise _encrypted()
    return _kind_by_parts(book, set(names))


def _leads_outside(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in name


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
    for chunk in _chunks(book, info):
        if chunk[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in chunk[:64]:
            raise Unreadable("damaged", _("A part of the workbook has a strange encoding."))
        if _DOCTYPE.search(chunk):
            message = _("The workbook has a document type declaration, which no program writes.")
            raise Unreadable("damaged", message)
        far = any(sign.search(chunk) for sign in _FAR) and _IMPOSSIBLE.search(chunk)
        if far or _REPEATED.search(chunk):
            raise Unreadable("damaged", _("The workbook names rows or columns that cannot exist."))


def _chunks(book: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The part unpacked a piece at a time; pieces overlap so that nothing hides on a seam."""
    tail, read = b"", 0
    with book.open(info) as part:
        while piece := part.read(_CHUNK):
            read += len(piece)
            if read > info.file_size:
                raise zipfile.BadZipFile
            yield tail + piece
            tail = piece[-_OVERLAP:]


def error_cells(path: Path, part_name: str) -> dict[tuple[int, int], str]:
    """(row, column) → `#N/A` and the like, which the parser gives as blank cells.

    A formula that no program has computed yet has no value either and stands as `#CALC!`.
    """
    found: dict[tuple[int, int], str] = {}
    with zipfile.ZipFile(path) as book:
        for chunk in _chunks(book, book.getinfo(part_name)):
            if b't="e"' in chunk:
                for column, row, value in _ERROR_CELL.findall(chunk):
                    found[int(row), _column_number(column)] = value.decode(errors="replace")
            if b"<f" in chunk:
                for column, row in _NOT_COMPUTED.findall(chunk):
                    found[int(row), _column_number(column)] = "#CALC!"
            if len(found) > MOST_ERRORS:
                message = _("More than 10,000 cells show an error of the spreadsheet program.")
                raise Unreadable("damaged", message)
    return found


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def sheet_part(path: Path, position: int) -> str | None:
    """The part of the zip that holds the sheet at a position of the workbook's list."""
    with zipfile.ZipFile(path) as book:
        workbook = book.read("xl/workbook.xml").decode("utf-8", "replace")
        try:
            links = book.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
        except KeyError:
            return None
        names = set(book.namelist())
    sheets = re.findall(r"<(?:\w+:)?sheet\s[^>]*>", workbook)
    if position >= len(sheets):
        return None
    wanted = re.search(r'\br:id="([^"]+)"', sheets[position])
    for link in re.findall(r"<Relationship\s[^>]*>", links):
        if wanted and re.search(rf'\bId="{re.escape(wanted[1])}"', link):
            target = re.search(r'\bTarget="([^"]+)"', link)
            part = target[1].removeprefix("/") if target else ""
            part = part if part.startswith("xl/") else f"xl/{part}"
            return part if part in names else None
    return None


def _ole(path: Path, size: int) -> str:
    if size > MOST_BOOK_BYTES:
        raise Unreadable("too_big", _("The workbook is larger than 100 MB; save it as CSV."))
    content = path.read_bytes()

    def has(stream: str) -> bool:
        return stream.encode("utf-16-le") in content

    if has("EncryptedPackage"):
        raise _encrypted()
    if has("_VBA_PROJECT"):
        raise _macros()
    if has("WordDocument"):
        raise Unreadable("not_a_sheet", _("This is a Word document, not a spreadsheet."))
    if has("PowerPoint Document"):
        raise Unreadable("not_a_sheet", _("This is a presentation, not a spreadsheet."))
    if not has("Workbook") and not has("Book"):
        raise Unreadable("not_a_sheet", _("This is no spreadsheet we can read."))
    return "xls"


def _encrypted() -> Unreadable:
    message = _("The workbook is protected by a password; save it without one.")
    return Unreadable("encrypted", message)


def _macros() -> Unreadable:
    message = _("The workbook contains macros; save it without them (.xlsx).")
    return Unreadable("macros", message)
