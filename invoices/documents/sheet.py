"""Draws forms as PDF with the font embedded: header and codes, facts, table, totals, signatures.

Millimetres from the upper left corner; a table that is too long goes on on the next page.
"""

from collections.abc import Iterable
from typing import IO, Any, Final

import segno
from django.utils.translation import gettext as _
from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from invoices.documents import fonts
from invoices.documents.form import Form, Stage, texts

MARGIN: Final = 9.0
#: What stands under the table of the last page: totals, strip, signatures, foot.
_GREY: Final = 0.45
_PALE: Final = 0.93
_TEXT: Final = 8.0
_LEADING: Final = 3.9
_QR: Final = 20.0


def write(forms: Iterable[Form], out: IO[bytes], *, title: str = "") -> int:
    """Print the forms, one after another, into one PDF; returns the number of pages.

    Raises fonts.MissingGlyph before a single byte is written. Forms are taken one by one: what is
    kept of each is its compressed page.
    """
    fonts.load()
    canvas = Canvas(out, pageCompression=1, initialFontName=fonts.FONT, invariant=0)
    canvas.setTitle(title)
    pages = 0
    for form in forms:
        for text in texts(form):
            fonts.printable(text)
        pages += _Drawing(canvas, form).draw()
    if not pages:
        raise ValueError("nothing to print")
    canvas.save()
    return pages


class _Drawing:
    """One form on its pages."""

    def __init__(self, canvas: Canvas, form: Form) -> None:
        self.canvas, self.form = canvas, form
        self.wide, self.high = form.size
        self.left, self.right = MARGIN, self.wide - MARGIN
        self.y = MARGIN
        self.page = 0

    def draw(self) -> int:
        self._begin()
        self._facts()
        self._table()
        self._need(self._room_below())
        self._in_words()
        self._stages()
        self._text()
        self._signatures()
        self._end()
        return self.page

    # Pages

    def _begin(self) -> None:
        self.page += 1
        self.canvas.setPageSize((self.wide * mm, self.high * mm))
        self.y = MARGIN
        self._header()

    def _end(self) -> None:
        form = self.form
        y = self.high - MARGIN + 2.5
        self._line(y - 4, shade=_GREY)
        self._write(self.left, y, form.foot, 6.5, shade=_GREY)
        number = _("%(number)s · page %(page)s") % {"number": form.number, "page": self.page}
        self._write(self.right, y, number, 6.5, side="right", shade=_GREY)
        self.canvas.showPage()

    def _need(self, room: float) -> None:
        """Go on on a new page where less room is left."""
        if self.y + room > self.high - MARGIN - 2.5:
            self._end()
            self._begin()

    # Parts, from above

    def _header(self) -> None:
        form, middle = self.form, self.wide / 2
        top = self.y
        bar = Code128(form.number, barHeight=8.5 * mm, barWidth=0.27 * mm, quiet=0)
        bar.drawOn(self.canvas, self.left * mm, (self.high - top - 8.5) * mm)
        self._write(self.left, top + 11.7, form.number, 8)
        self._write(middle, top + 6, form.title, 16, side="middle", bold=True)
        self._write(middle, top + 11.7, form.shop, 8, side="middle", shade=_GREY)
        if form.link:
            self._qr(self.right - _QR, top - 1.5)
        if form.mark:
            self._mark(self.right - (_QR + 4 if form.link else 0), top)
        self.y = top + (_QR - 0.5 if form.link else 15)

    def _mark(self, right: float, top: float) -> None:
        size = 8.5
        wide = fonts.width(fonts.printable(self.form.mark), size) / mm + 4
        self._box(right - wide, top, wide, 6.2)
        self._write(right - wide / 2, top + 4.25, self.form.mark, size, side="middle", bold=True)
        if self.form.link_note:
            self._write(right, top + 15.7, self.form.link_note, 6.5, side="right", shade=_GREY)

    def _qr(self, x: float, y: float) -> None:
        """As filled runs of squares: sharp at any printer's resolution.

        The mask is given: looking for the prettiest of eight takes longer than all the rest.
        """
        code = segno.make(self.form.link, error="m", mask=3, micro=False)
        rows = [bytes(row) for row in code.matrix]
        side = _QR / len(rows)
        path = self.canvas.beginPath()
        for number, row in enumerate(rows):
            at = 0
            while (at := row.find(1, at)) != -1:
                end = row.find(0, at)
                end = len(row) if end == -1 else end
                bottom = self.high - y - (number + 1) * side
                path.rect((x + at * side) * mm, bottom * mm, (end - at) * side * mm, side * mm)
                at = end
        self.canvas.setFillGray(0)
        self.canvas.drawPath(path, stroke=0, fill=1)

    def _facts(self) -> None:
        facts = self.form.facts
        wide = (self.right - self.left) / 2
        for pair in (facts[n : n + 2] for n in range(0, len(facts), 2)):
            cells = []
            for number, (name, value) in enumerate(pair):
                x = self.left + number * wide
                after = self._write(x, self.y + 3.6, name, _TEXT, shade=_GREY)
                cells.append((after + 1.5, self._lines(value, x + wide - after - 4)))
            self._cells(cells)
            self.y += 0.9

    def _table(self) -> None:
        form = self.form
        if not form.columns:
            return
        self.y += 1.5
        self._head()
        for row in form.rows:
            cells = [self._lines(t, w - 2) for t, (_x, w) in zip(row, self._columns(), strict=True)]
            room = max(len(lines) for lines in cells) * _LEADING + 1.4
            if self.y + room > self.high - MARGIN - 4:
                self._need(self.high)
                self._head()
            self._row(cells, room)
        if form.total:
            self._need(5.6 + self._room_below())  # what it sums up in words stays beside it
            self._fill(self.left, self.y, self.right - self.left, 5.6)
            cells = [[fonts.printable(text)] for text in form.total]
            self._row(cells, 5.6, bold=True)

    def _head(self) -> None:
        self._line(self.y)
        self._fill(self.left, self.y, self.right - self.left, 5.4)
        self._row([[fonts.printable(c.name)] for c in self.form.columns], 5.4)

    def _row(self, cells: list[list[str]], room: float, *, bold: bool = False) -> None:
        for column, (x, w), lines in zip(self.form.columns, self._columns(), cells, strict=True):
            for number, text in enumerate(lines):
                side, at = ("right", x + w - 1) if column.right else ("left", x + 1)
                y = self.y + 3.7 + number * _LEADING
                self._write(at, y, text, _TEXT, side=side, bold=bold)
        self.y += room
        self._line(self.y, thin=True)

    def _columns(self) -> list[tuple[float, float]]:
        """Where each column begins and how wide it is."""
        whole = sum(c.parts for c in self.form.columns)
        places, x = [], self.left
        for column in self.form.columns:
            wide = (self.right - self.left) * column.parts / whole
            places.append((x, wide))
            x += wide
        return places

    def _in_words(self) -> None:
        if self.form.in_words:
            name, words = self.form.in_words
            after = self._write(self.left + 1, self.y + 4.4, name, _TEXT, shade=_GREY)
            self._write(after + 2, self.y + 4.4, words, 9.5, bold=True)
            self.y += 6.4
            self._line(self.y)

    def _stages(self) -> None:
        stages = self.form.stages
        if not stages:
            return
        self.y += 2.5
        gap, high = 2.5, 6.4
        wide = (self.right - self.left - gap * (len(stages) - 1)) / len(stages)
        for number, stage in enumerate(stages):
            self._stage(self.left + number * (wide + gap), wide, high, stage)
            if number:
                x = self.left + number * (wide + gap)
                middle = self.y + high / 2
                self.canvas.setLineWidth(0.4)
                self.canvas.line(*self._at(x - gap, middle), *self._at(x, middle))
        self.y += high
        if self.form.stages_note:
            self._write(self.left, self.y + 3.8, self.form.stages_note, 7.5)
            self.y += 4.6

    def _stage(self, x: float, wide: float, high: float, stage: Stage) -> None:
        """Where the paper is is drawn heavy and marked with ●: seen without any colour."""
        if stage.here:
            self._fill(x, self.y, wide, high)
        self._box(x, self.y, wide, high, heavy=stage.here)
        sign = "● " if stage.here else "✓ " if stage.passed else ""
        size = 7.5
        text = fonts.printable(stage.name)
        while fonts.width(sign + text, size) / mm > wide - 1 and size > 4:
            size -= 0.5
        shade = 0.0 if stage.here or stage.passed else _GREY
        self._write(
            x + wide / 2,
            self.y + 4.2,
            sign + text,
            size,
            side="middle",
            bold=stage.here,
            shade=shade,
        )

    def _text(self) -> None:
        if self.form.text:
            self.y += 1.5
            self._cells([(self.left, self._lines(self.form.text, self.right - self.left))])

    def _signatures(self) -> None:
        names = self.form.signatures
        if not names:
            return
        y = self.high - MARGIN - 4.5
        wide = (self.right - self.left) / len(names)
        for number, name in enumerate(names):
            x = self.left + number * wide
            after = self._write(x, y, name, _TEXT)
            self.canvas.setLineWidth(0.4)
            self.canvas.line(*self._at(after + 1, y + 0.6), *self._at(x + wide - 4, y + 0.6))

    def _room_below(self) -> float:
        """What the parts under the table need."""
        form = self.form
        text = (
            len(self._lines(form.text, self.right - self.left)) * _LEADING + 3 if form.text else 0
        )
        return (
            (6.4 if form.in_words else 0)
            + (8.9 if form.stages else 0)
            + (4.6 if form.stages_note else 0)
            + text
            + (8.5 if form.signatures else 0)
        )

    # Strokes

    def _lines(self, text: str, room: float) -> list[str]:
        return fonts.wrapped(fonts.printable(text), _TEXT, room * mm)

    def _cells(self, cells: list[tuple[float, list[str]]]) -> None:
        """Texts side by side; what follows begins under the longest."""
        for x, lines in cells:
            for number, text in enumerate(lines):
                self._write(x, self.y + 3.6 + number * _LEADING, text, _TEXT)
        self.y += max(len(lines) for _x, lines in cells) * _LEADING

    def _write(  # noqa: PLR0913 - a text has these and no more
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        side: str = "left",
        bold: bool = False,
        shade: float = 0.0,
    ) -> float:
        """Returns where the text ends; heavy letters are the same with a stroke around them."""
        text = fonts.printable(text)
        wide: float = fonts.width(text, size) / mm
        start: float = x - wide if side == "right" else x - wide / 2 if side == "middle" else x
        # The way letters are drawn outlives a text: what is heavy stands in a state of its own.
        self.canvas.saveState()
        drawn: Any = self.canvas.beginText(*self._at(start, y))
        drawn.setFont(fonts.FONT, size)
        drawn.setFillGray(shade)
        if bold:
            self.canvas.setLineWidth(size * 0.03)
            drawn.setTextRenderMode(2)
        drawn.textOut(text)
        self.canvas.drawText(drawn)
        self.canvas.restoreState()
        return start + wide

    def _line(self, y: float, *, thin: bool = False, shade: float = 0.0) -> None:
        self.canvas.setLineWidth(0.2 if thin else 0.7)
        self.canvas.setStrokeGray(_GREY if thin else shade)
        self.canvas.line(*self._at(self.left, y), *self._at(self.right, y))
        self.canvas.setStrokeGray(0)

    def _box(self, x: float, y: float, wide: float, high: float, *, heavy: bool = True) -> None:
        self.canvas.setLineWidth(1.1 if heavy else 0.4)
        self.canvas.rect(*self._at(x, y + high), wide * mm, high * mm)

    def _fill(self, x: float, y: float, wide: float, high: float) -> None:
        self.canvas.setFillGray(_PALE)
        self.canvas.rect(*self._at(x, y + high), wide * mm, high * mm, stroke=0, fill=1)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x * mm, (self.high - y) * mm
