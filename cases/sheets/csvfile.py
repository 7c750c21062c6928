"""CSV as it really comes: five encodings, three separators, stray quotes, cut-off ends."""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Final

from django.utils.translation import gettext as _

from cases.sheets.guard import Unreadable
from cases.sheets.headers import normal

DELIMITERS: Final = ",\t;"
MOST_LINES: Final = 5_000_000
_CHUNK: Final = 2**20
_HEAD: Final = 2**16
#: So many whole UTF-8 characters do not stand in a GBK text by chance.
_SURELY_UTF8: Final = 20
_BEYOND_ASCII: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4]")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: The line above the header by which Excel is told the separator.
_TOLD: Final = re.compile(r'"?sep=([,;\t])"?[,;\t]*\r?\n?\Z', re.IGNORECASE)
_SEPARATED: Final = re.compile(r"[,;\t\r\n]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

Record = tuple[int, list[str], str]  # number, cells, what is wrong with it


def encoding_of(path: Path) -> str:
    """The encoding in which the whole file decodes; else the row and the byte that do not."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return _strictly(path, name)
    if wide := _without_mark(head):
        return _strictly(path, wide)
    if b"\0" in head:
        raise Unreadable("not_a_sheet", _("This is no spreadsheet we can read."))
    at = _fails_at(path, "utf-8")
    if at is None:
        return "utf-8"
    if len(_BEYOND_ASCII.findall(head[:at])) >= _SURELY_UTF8:
        raise _broken(path, "utf-8", at)
    other = _fails_at(path, "gb18030")
    if other is None:
        return "gb18030"
    raise _broken(path, "utf-8", at) if at > other else _broken(path, "gb18030", other)


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without its mark shows by zeros that stand in every other byte only."""
    sample = head[:2000]
    low, high = sample[::2].count(0), sample[1::2].count(0)
    if max(low, high) < 3 or max(low, high) < 4 * min(low, high):
        return None
    encoding = "utf-16-le" if high > low else "utf-16-be"
    text = sample[: len(sample) // 2 * 2].decode(encoding, "replace")
    return encoding if _SEPARATED.search(text) and not _CONTROL.search(text) else None


def _strictly(path: Path, encoding: str) -> str:
    at = _fails_at(path, encoding)
    if at is not None:
        raise _broken(path, encoding, at)
    return encoding


def _fails_at(path: Path, encoding: str) -> int | None:
    """The offset of the first byte that does not decode, or None."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    begin = lines = 0
    with path.open("rb") as file:
        while True:
            piece = file.read(_CHUNK)
            held = len(decoder.getstate()[0])
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                return begin - held + error.start
            if not piece:
                return None
            more = max(text.count("\n"), text.count("\r"))
            lines += more
            if lines > MOST_LINES or (not more and len(piece) == _CHUNK):
                raise _no_table(lines)
            begin += len(piece)


def _no_table(lines: int) -> Unreadable:
    if lines > MOST_LINES:
        message = _("The file has more than 5,000,000 rows; split it.")
    else:
        message = _("A line after row %(row)s is longer than any row of a sheet.") % {"row": lines}
    return Unreadable("too_big", message)


def _broken(path: Path, encoding: str, at: int) -> Unreadable:
    with path.open("rb") as file:
        before = file.read(at)
        byte = file.read(1)
    row = before.count(b"\n") + 1
    said = {"row": row, "at": at, "byte": byte.hex().upper() or "?", "encoding": encoding}
    message = _("Row %(row)s: byte %(at)s (%(byte)s) is not %(encoding)s text; export it again.")
    return Unreadable("bad_encoding", message % said)


class CsvFile:
    """A CSV opened: encoding and separator found, records streamed."""

    _begins_below = False

    def __init__(self, path: Path, known: frozenset[str], *, head: int) -> None:
        self.path = path
        self.encoding = encoding_of(path)
        with self._open() as file:
            told = _TOLD.match(file.readline(20))
        self._begins_below = bool(told)
        self.delimiter = told[1] if told else self._delimiter(known, head)

    def _open(self) -> IO[str]:
        """At the first row; the line that tells the separator is none, for Excel hides it too."""
        file = self.path.open(encoding=self.encoding, errors="strict", newline="")
        if self._begins_below:
            file.readline()
        return file

    def _delimiter(self, known: frozenset[str], head: int) -> str:
        """The separator that shows most known names, else most cells, in one of the first rows."""

        def fit(delimiter: str) -> tuple[int, int]:
            best = (0, 0)
            with self._open() as file:
                lines = islice(_whole_lines(file), head)
                for cells in csv.reader(lines, delimiter=delimiter):
                    best = max(best, (sum(normal(cell) in known for cell in cells), len(cells)))
            return best

        return max(DELIMITERS, key=fit)

    def head(self, count: int) -> list[list[str]]:
        rows: list[list[str]] = []
        for _number, cells, _problem in self.records(width=None):
            rows.append(cells)
            if len(rows) >= count:
                break
        return rows

    def records(self, width: int | None) -> Iterator[Record]:
        """Rows with their numbers as a spreadsheet program counts them.

        A quote that is never closed swallows the rows after it. Where that shows, only the first
        line of the record is bad and the rest is read anew.
        """
        with self._open() as file:
            lines = _Lines(file)
            number = 0
            reader = self._reader(lines)
            while (cells := _next(reader, lines)) is not None:
                number += 1
                taken, lines.taken = lines.taken, []
                if len(taken) == 1 and not lines.ended:
                    # Quotes in the middle of a cell are no harm as long as the cells add up.
                    tolerated, problem = self._tolerant(taken[0]) if lines.odd else (cells, "")
                    problem = problem or self._cut_short(taken, tolerated, width)
                elif lines.ended or lines.odd or self._swallowed(taken, cells, width):
                    lines.give_back(taken[1:])
                    tolerated, _long = self._tolerant(taken[0].replace('"', ""))
                    problem = _("a quotation mark is opened and never closed")
                else:
                    yield number, cells, self._cut_short(taken, cells, width)
                    continue
                if lines.odd or lines.ended:
                    reader = self._reader(lines)
                    lines.odd = lines.ended = False
                yield number, tolerated, problem

    def _reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.delimiter, strict=True)

    def _tolerant(self, line: str) -> tuple[list[str], str]:
        """The cells of a line whose quotes do not add up, and what is wrong even so."""
        try:
            return next(csv.reader([line], delimiter=self.delimiter), []), ""
        except csv.Error:
            cells = [part[:1000] for part in line.rstrip().split(self.delimiter)]
            return cells, _("has a cell of more than 131,072 signs")

    def _swallowed(self, taken: Sequence[str], cells: Sequence[str], width: int | None) -> bool:
        """A record over several lines that has lost its shape, or whose lines look like rows."""
        if width is None:
            return False
        if not 0 <= len(cells) - width <= 1:
            return True
        before = taken[0].rpartition('"')[0]
        return (
            width >= 3
            and self.delimiter in before
            and any(line.count(self.delimiter) >= width - 1 for line in taken[1:])
        )

    @staticmethod
    def _cut_short(taken: Sequence[str], cells: Sequence[str], width: int | None) -> str:
        if width and len(cells) < width and taken and not taken[-1].endswith(("\n", "\r")):
            return _("the file ends in the middle of the row; export it again")
        return ""


def _next(reader: Iterator[list[str]], lines: "_Lines") -> list[str] | None:
    """The next record; `lines.odd` says that its quotes do not add up."""
    try:
        return next(reader, None)
    except csv.Error:
        lines.odd = True
        return []


class _Lines:
    """Lines for the csv reader, which remembers those that made the current record."""

    def __init__(self, file: IO[str]) -> None:
        self.file = file
        self.taken: list[str] = []
        self.returned: deque[str] = deque()
        self.odd = False
        #: A record that needed more lines than there are ends inside a quotation.
        self.ended = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.returned.popleft() if self.returned else self.file.readline()
        if not line:
            self.ended = bool(self.taken)
            raise StopIteration
        self.taken.append(line)
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        self.returned.extendleft(reversed(lines))


def _whole_lines(file: IO[str]) -> Iterator[str]:
    """Lines with even quotes only, so that a stray one does not swallow the file here."""
    while line := file.readline(csv.field_size_limit()):
        yield line if line.count('"') % 2 == 0 else line.replace('"', "")
