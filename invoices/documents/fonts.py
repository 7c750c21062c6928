"""The font of all printouts, embedded in each: a character it lacks is an error, never a box.

``fonts/NotoSansSC-GBK.ttf.xz`` is Noto Sans SC Regular 2.004 (licence beside it), cut down with
fontTools' subsetter to GBK, Big5 and Latin, without hinting and layout tables: Simplified and
Traditional in one face, on a machine that has nothing but pip.
"""

import io
import lzma
import re
import threading
import unicodedata
from functools import cache
from pathlib import Path

from django.utils.translation import gettext as _
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FONT = "NotoSansSC"
_FILE = Path(__file__).parent / "fonts" / "NotoSansSC-GBK.ttf.xz"
_WORD = re.compile(r"[!-~]+|.")
_loading = threading.Lock()


class MissingGlyph(ValueError):
    """Text that cannot be printed; ``characters``: those the font lacks, each once."""

    def __init__(self, text: str, characters: str) -> None:
        self.text, self.characters = text, characters
        named = ", ".join(f"“{c}” (U+{ord(c):04X})" for c in characters)
        super().__init__(
            _("“%(text)s” cannot be printed: the font has no %(characters)s.")
            % {"text": text, "characters": named}
        )


def load() -> None:
    """Make the font known to reportlab; once per process, it takes a second."""
    with _loading:
        _face()


@cache
def _face() -> TTFont:
    font = TTFont(FONT, io.BytesIO(lzma.decompress(_FILE.read_bytes())))
    pdfmetrics.registerFont(font)
    return font


def printable(text: str) -> str:
    """The text in one line and composed form; raises MissingGlyph."""
    line = unicodedata.normalize("NFC", " ".join(text.split()))
    glyphs = _face().face.charToGlyph
    if missing := "".join(dict.fromkeys(c for c in line if ord(c) not in glyphs)):
        raise MissingGlyph(line, missing)
    return line


def width(text: str, size: float) -> float:
    """How wide a text is at a size, in points."""
    widths = _face().face.charWidths
    return float(sum(widths.get(ord(c), 0) for c in text)) * size / 1000


def wrapped(text: str, size: float, room: float) -> list[str]:
    """The text in lines of at most ``room`` points; Latin words stay whole where they fit.

    Never empty: a text of nothing is one empty line.
    """
    lines, line, used = [], "", 0.0
    for word in _words(text):
        for piece in [word] if width(word, size) <= room else word:
            wide = width(piece, size)
            if line and used + wide > room:
                lines.append(line.rstrip())
                line, used = "", 0.0
            if line or piece != " ":
                line, used = line + piece, used + wide
    return [*lines, line.rstrip()]


def _words(text: str) -> list[str]:
    """Each Chinese character is a word of its own, as lines may break after any of them."""
    return _WORD.findall(text)
