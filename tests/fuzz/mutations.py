"""Changes to a file that know what it is made of: bytes, parts of a zip, XML, cells of a CSV."""

import io
import re
import struct
import warnings
import zipfile
from collections.abc import Callable
from random import Random

NUMBERS = (
    "0",
    "-1",
    "1",
    "65536",
    "1048576",
    "1048577",
    "2147483648",
    "99999999999",
    "1e999",
    "NaN",
)
WORDS = (
    *NUMBERS,
    "",
    " ",
    "\0",
    "'",
    '"',
    "XFD1048576",
    "A0",
    "A1:XFD9",
    "../../x",
    "总计",
    "=1+1",
    "长" * 40_000,
)
_TAG = re.compile(r"<[^<>]*>")
_VALUE = re.compile(r'="([^"]*)"')
_TEXT = re.compile(r">([^<>]+)<")
_ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "gb18030",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "latin-1",
)

Change = Callable[[bytes, Random], bytes]


def mutated(name: str, content: bytes, rng: Random) -> bytes:
    """One to four changes of what the file is made of."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        content = rng.choice(_changes(name, content))(content, rng)[: 4 * 2**20]
    return content


def _changes(name: str, content: bytes) -> list[Change]:
    if content.startswith(b"PK"):
        return [zipped, zipped, zipped, zipped, of_bytes]
    if name.endswith(".csv"):
        return [of_cells, of_cells, of_lines, recoded, of_bytes]
    return [of_bytes, of_bytes, of_numbers]


# --- bytes ---------------------------------------------------------------------------------------


def of_bytes(content: bytes, rng: Random) -> bytes:
    if not content:
        return rng.randbytes(20)
    at = rng.randrange(len(content))
    end = min(len(content), at + rng.choice((1, 2, 8, 100, 4096)))
    return rng.choice(
        (
            lambda: content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :],
            lambda: content[:at] + rng.randbytes(end - at) + content[end:],
            lambda: content[:at] + content[end:],
            lambda: content[:end] + content[at:],
            lambda: content[:at] + rng.randbytes(8) + content[at:],
            lambda: content[:at],
            lambda: content + rng.randbytes(50),
        )
    )()


def of_numbers(content: bytes, rng: Random) -> bytes:
    """A size, an offset or a count somewhere becomes one at the edge."""
    form = rng.choice(("<H", ">H", "<I", ">I", "<Q"))
    size = struct.calcsize(form)
    if len(content) <= size:
        return content
    at = rng.randrange(len(content) - size)
    top = 2 ** (8 * size)
    number = rng.choice((0, 1, top - 1, top // 2, top // 2 - 1, len(content), 0x7FFF % top))
    return content[:at] + struct.pack(form, number % top) + content[at + size :]


# --- zips and XML --------------------------------------------------------------------------------


def zipped(content: bytes, rng: Random) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            parts = [(info.filename, book.read(info)) for info in book.infolist()]
    except Exception:  # noqa: BLE001 - the change before this one may have broken it in any way
        return of_bytes(content, rng)
    if not parts:
        return of_bytes(content, rng)
    at = rng.randrange(len(parts))
    name, inside = parts[at]
    what = rng.randrange(10)
    if what < 7:
        parts[at] = (name, (of_xml if rng.random() < 0.8 else of_bytes)(inside, rng))
    elif what == 7:
        del parts[at]
    elif what == 8:
        parts.append((rng.choice((name, name.upper(), "../" + name, "xl/more.xml")), inside))
    else:
        parts[at] = (name, parts[rng.randrange(len(parts))][1])
    return _packed(parts, rng)


def _packed(parts: list[tuple[str, bytes]], rng: Random) -> bytes:
    how = rng.choice(
        (zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_LZMA)
    )
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", how) as book:
        warnings.simplefilter("ignore")  # the same name twice is meant
        for name, inside in parts:
            book.writestr(zipfile.ZipInfo(name), inside, how)
    return out.getvalue()


def of_xml(content: bytes, rng: Random) -> bytes:
    """A node goes, comes twice, or says something else."""
    text = content.decode("utf-8", "surrogateescape")
    pattern = rng.choice((_TAG, _VALUE, _VALUE, _TEXT))
    found = list(pattern.finditer(text))
    if not found:
        return of_bytes(content, rng)
    one, other = rng.choice(found), rng.choice(found)
    if pattern is _TAG:
        piece = rng.choice(
            ("", one[0] * rng.choice((2, 2, 1000)), other[0], "<!DOCTYPE x>", "<!--")
        )
        text = text[: one.start()] + piece + text[one.end() :]
    else:
        word = rng.choice((other[1], *WORDS)).replace("<", "&lt;")
        text = text[: one.start(1)] + word + text[one.end(1) :]
    return text.encode("utf-8", "surrogateescape")


# --- CSV -----------------------------------------------------------------------------------------


def _decoded(content: bytes) -> tuple[str, str]:
    for encoding in ("utf-8", "gb18030", "utf-16"):
        try:
            return content.decode(encoding), encoding
        except ValueError:
            continue
    return content.decode("latin-1"), "latin-1"


def of_cells(content: bytes, rng: Random) -> bytes:
    text, encoding = _decoded(content)
    separator = rng.choice((",", "\t", ";"))
    cells = re.split(f"({separator}|\r\n)", text)
    at, other = rng.randrange(len(cells)), rng.randrange(len(cells))
    what = rng.randrange(6)
    if what == 0:
        cells[at] = '"' + cells[at]
    elif what == 1:
        cells[at], cells[other] = cells[other], cells[at]
    elif what == 2:
        del cells[at : at + rng.choice((1, 2, 5))]
    elif what == 3:
        cells.insert(at, cells[other])
    else:
        cells[at] = rng.choice((*WORDS, '"\n"', '""', '"a"b', '="1"', "\r", separator * 50))
    return "".join(cells).encode(encoding, "replace")


def of_lines(content: bytes, rng: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if not lines:
        return content
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    what = rng.randrange(5)
    if what == 0:
        lines[at], lines[other] = lines[other], lines[at]
    elif what == 1:
        lines.insert(at, lines[other] * rng.choice((1, 50)))
    elif what == 2:
        del lines[at]
    elif what == 3:
        lines[at] = lines[at].decode("utf-8", "replace").encode(rng.choice(_ENCODINGS), "replace")
    else:
        lines.insert(at, rng.choice((b"\r\n", b"\n" * 100, b"\0", b'"', b",,,,\r\n", b"\xff\xfe")))
    return b"".join(lines)


def recoded(content: bytes, rng: Random) -> bytes:
    text, _encoding = _decoded(content)
    changed = text.translate({ord(","): rng.choice(",\t;|")}) if rng.random() < 0.3 else text
    return changed.encode(rng.choice(_ENCODINGS), "replace")
