"""Cells that show an error or were never computed: the parser gives blanks for them.

The part of the sheet is walked through once more as a stream, and only where it holds such cells
at all. The guard has looked at it before: there are no entities.
"""

import posixpath
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from xml.parsers import expat  # the guard refuses every document type before

from django.utils.translation import gettext as _

from cases.sheets.guard import Unreadable, chunks

#: (row from 1, column from 0) → what the cell shows.
Errors = dict[tuple[int, int], str]

MOST_ERRORS: Final = 10_000
#: A row of data that repeats itself oftener is no row of data.
MOST_ALIKE: Final = 1_000
NOT_COMPUTED: Final = "#CALC!"
_SIGNS: Final = (b'"e"', b"'e'", b"<f", b":f")
_SMALL_PART: Final = 8 * 2**20


def error_cells(path: Path, sheet: str, position: int) -> Errors:
    """The cells of one sheet of an .xlsx or .ods; none of any other file."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as book:
        names = set(book.namelist())
        if "content.xml" in names and "xl/workbook.xml" not in names:
            return _walked(book, "content.xml", _OpenDocument(sheet))
        part = _part_of_sheet(book, position)
        if part is None or not _holds_signs(book, part):
            return {}
        return _walked(book, part, _Sheet())


def refuse_repetition(path: Path) -> None:
    """Some hundred bytes of an .ods may stand for millions of rows, one by one."""
    with zipfile.ZipFile(path) as book:
        _walked(book, "content.xml", _OpenDocument(None))


def _holds_signs(book: zipfile.ZipFile, part: str) -> bool:
    return any(sign in chunk for chunk in chunks(book, book.getinfo(part)) for sign in _SIGNS)


class _Walk:
    """Takes the elements of one part in their order; names come without their prefix."""

    def __init__(self) -> None:
        self.found: Errors = {}
        self.row = 0
        self.column = -1
        self.listen: Callable[[bool], None] = lambda _wanted: None
        self.heard: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        raise NotImplementedError

    def end(self, tag: str) -> None:
        raise NotImplementedError

    def note(self, row: int, column: int, shown: str) -> None:
        self.found[row, column] = shown
        if len(self.found) > MOST_ERRORS:
            message = _("More than 10,000 cells show an error of the spreadsheet program.")
            raise Unreadable("damaged", message)


class _Sheet(_Walk):
    """A worksheet of an .xlsx."""

    def __init__(self) -> None:
        super().__init__()
        self.kind = ""
        self.formula = self.valued = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "c":
            self.column = _column(attributes.get("r", ""), self.column + 1)
            self.kind = attributes.get("t", "")
            self.formula = self.valued = False
            self.heard.clear()
        elif tag == "row":
            number = attributes.get("r", "")
            self.row = int(number) if number.isdecimal() else self.row + 1
            self.column = -1
        elif tag == "f":
            self.formula = True
        elif tag == "v":
            self.valued = True
            self.listen(self.formula or self.kind == "e")

    def end(self, tag: str) -> None:
        if tag == "v":
            self.listen(False)  # noqa: FBT003 - a switch
        elif tag == "c":
            shown = "".join(self.heard).strip()
            if self.kind == "e":
                self.note(self.row, self.column, shown or NOT_COMPUTED)
            # A formula may give an empty text; then it says so.
            elif self.formula and not shown and not (self.valued and self.kind == "str"):
                self.note(self.row, self.column, NOT_COMPUTED)


class _OpenDocument(_Walk):
    """One table of the content of an .ods."""

    def __init__(self, sheet: str | None) -> None:
        super().__init__()
        self.sheet = sheet
        self.inside = self.filled = self.wrong = False
        self.repeated = self.wide = 1

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "table":
            self.inside = _attribute(attributes, "name") == self.sheet
            self.row = 0
        elif tag == "table-row":
            self.repeated = _number(attributes, "number-rows-repeated")
            self.column, self.filled = 0, False
        elif tag in {"table-cell", "covered-table-cell"}:
            self.wide = _number(attributes, "number-columns-repeated")
            self.filled = self.filled or any(name.endswith("value-type") for name in attributes)
            self.wrong = self.inside and attributes.get("calcext:value-type") == "error"
            self.heard.clear()
            self.listen(self.wrong)

    def end(self, tag: str) -> None:
        if tag in {"table-cell", "covered-table-cell"}:
            self.listen(False)  # noqa: FBT003 - a switch
            if self.wrong:
                shown = "".join(self.heard).strip() or NOT_COMPUTED
                for column in range(self.column, self.column + self.wide):
                    for row in range(self.row + 1, self.row + 1 + min(self.repeated, MOST_ALIKE)):
                        self.note(row, column, shown)
            self.column += self.wide
        elif tag == "table-row":
            if self.filled and self.repeated > MOST_ALIKE:
                message = _("A row of the workbook repeats itself more than 1,000 times.")
                raise Unreadable("damaged", message)
            self.row += self.repeated


def _walked(book: zipfile.ZipFile, part: str, walk: _Walk) -> Errors:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    start, end = walk.start, walk.end

    def listen(wanted: bool) -> None:  # noqa: FBT001 - a switch
        parser.CharacterDataHandler = walk.heard.append if wanted else None

    walk.listen = listen
    parser.StartElementHandler = lambda tag, found: start(tag.rpartition(":")[2], found)
    parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    try:
        for chunk in chunks(book, book.getinfo(part), overlap=0):
            parser.Parse(chunk)
        parser.Parse(b"", True)  # noqa: FBT003 - the end
    except expat.ExpatError as error:
        raise Unreadable("damaged", _("The workbook is damaged; export it again.")) from error
    return walk.found


def _part_of_sheet(book: zipfile.ZipFile, position: int) -> str | None:
    """The part of the zip that holds the sheet at a position of the workbook's list."""
    names = {name.lower(): name for name in book.namelist()}
    sheets = _elements(book, names.get("xl/workbook.xml"), "sheet")
    links = _elements(book, names.get("xl/_rels/workbook.xml.rels"), "Relationship")
    if position >= len(sheets):
        return None
    wanted = next((value for name, value in sheets[position].items() if name[-3:] == ":id"), None)
    for link in links:
        if wanted and link.get("Id") == wanted:
            part = posixpath.normpath(posixpath.join("/xl", link.get("Target", ""))).lstrip("/")
            return names.get(part.lower())
    return None


def _elements(book: zipfile.ZipFile, part: str | None, tag: str) -> list[dict[str, str]]:
    """The attributes of all elements of one name, in their order."""
    found: list[dict[str, str]] = []
    if part is None:
        return found
    if book.getinfo(part).file_size > _SMALL_PART:
        raise Unreadable("too_big", _("The workbook unpacks to too much; save it as CSV."))
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == tag:
            found.append(attributes)

    parser.StartElementHandler = start
    try:
        parser.Parse(book.read(part), True)  # noqa: FBT003 - it is the whole
    except expat.ExpatError as error:
        raise Unreadable("damaged", _("The workbook is damaged; export it again.")) from error
    return found


def _attribute(attributes: Mapping[str, str], name: str) -> str:
    return next((value for key, value in attributes.items() if key.endswith(f":{name}")), "")


def _number(attributes: Mapping[str, str], name: str) -> int:
    said = _attribute(attributes, name)
    return int(said) if said.isdecimal() and len(said) < 10 else 1


def _column(place: str, following: int) -> int:
    """`AB12` → 27; a cell that names no place follows the one before it."""
    number = 0
    for letter in place:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - 64
    return number - 1 if number else following
