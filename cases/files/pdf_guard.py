"""Says whether a PDF is only paper; a script of its own, under limits, without Django.

The file comes on standard input; `{"code": ""}` or a refusal's code goes to standard output.
"""

import io
import json
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress

from pypdf import PdfReader
from pypdf.errors import LimitReachedError
from pypdf.generic import IndirectObject, StreamObject

CPU_SECONDS = 15
MEMORY = 1024 * 1024 * 1024
MOST_NODES = 1_000_000
MOST_PAGES = 2_000

ACTIONS = {
    "/JavaScript",
    "/Launch",
    "/SubmitForm",
    "/ImportData",
    "/GoToE",
    "/Rendition",
    "/Movie",
    "/Sound",
    "/RichMediaExecute",
}
ACTIVE_KEYS = {"/JS", "/JavaScript", "/EmbeddedFiles", "/EF", "/XFA", "/RichMediaContent"}
ACTIVE_KINDS = {"/EmbeddedFile", "/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound"}

# Again on the raw bytes: another reader may find objects that this one does not list. Only
# names too long to occur in compressed data by chance.
RAW_NAMES = re.compile(rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData)\b")
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")


def limit_resources() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # macOS refuses this one; time stays limited there.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def verdict(content: bytes) -> str:
    """The code of the refusal, or nothing."""
    end = content.rstrip(b"\0\t\n\f\r ")
    if not end.endswith(b"%%EOF") or b"startxref" not in content:
        return "damaged"
    if RAW_NAMES.search(ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)):
        return "active_content"
    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted:
        return "encrypted"
    pages = len(reader.pages)
    if not pages:
        return "damaged"
    if pages > MOST_PAGES:
        return "too_complicated"
    return "active_content" if any(map(is_active, dictionaries(reader))) else ""


def hides_names(entry: dict[str, object]) -> bool:
    """Packed objects that the list of places does not name, but another reader may find."""
    if not isinstance(entry, StreamObject) or entry.get("/Type") != "/ObjStm":
        return False
    return bool(RAW_NAMES.search(entry.get_data()))


def is_active(entry: dict[str, object]) -> bool:
    def name(key: str) -> str:
        value = entry.get(key)
        return str(value.get_object() if isinstance(value, IndirectObject) else value)

    return (
        not ACTIVE_KEYS.isdisjoint(entry)
        or name("/S") in ACTIONS
        or name("/Type") in ACTIVE_KINDS
        or name("/Subtype") in ACTIVE_KINDS
        or hides_names(entry)
    )


def dictionaries(reader: PdfReader) -> Iterator[dict[str, object]]:
    """Every dictionary of the file, those in object streams and unused ones too."""
    numbers = {(number, 0) for number in reader.xref_objStm}
    for generation, offsets in reader.xref.items():
        numbers.update((number, generation) for number in offsets)
    seen = 0
    for number, generation in sorted(numbers):
        todo: list[object] = [reader.get_object(IndirectObject(number, generation, reader))]
        while todo:
            seen += 1
            if seen > MOST_NODES:
                raise MemoryError
            node = todo.pop()
            if isinstance(node, dict):
                yield node
                # The plain values: what one refers to is an object of its own and has its turn.
                todo.extend(dict.values(node))
            elif isinstance(node, list):
                todo.extend(list.__iter__(node))


def main() -> None:
    limit_resources()
    try:
        code = verdict(sys.stdin.buffer.read())
    except (MemoryError, RecursionError, LimitReachedError):
        code = "too_complicated"
    except Exception:  # noqa: BLE001 - a hostile file may break its reader in any way
        code = "damaged"
    json.dump({"code": code}, sys.stdout)


if __name__ == "__main__":
    main()
