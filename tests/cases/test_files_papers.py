"""A PDF is taken when it is only paper."""

import hashlib
import io
import re
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from pypdf import PdfWriter
from pypdf.annotations import Link
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    Fit,
    NameObject,
    NumberObject,
    TextStringObject,
)

import cases.files
from cases.files import FileRefused, inspect


def take(content: bytes, name: str = "paper.pdf"):
    return inspect(io.BytesIO(content), name=name)


def refusal(content: bytes, name: str = "paper.pdf") -> str:
    with pytest.raises(FileRefused) as caught:
        take(content, name)
    assert len(caught.value.message) > 10
    return caught.value.code


def pdf(change=None, pages: int = 1) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    if change:
        change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_plain_pdf_is_kept_as_it_came():
    content = pdf(pages=3)

    safe = take(content, "鉴定报告.PDF")

    assert (safe.kind, safe.mime, safe.extension) == ("pdf", "application/pdf", "pdf")
    assert safe.content == content
    assert safe.sha256_in == hashlib.sha256(content).hexdigest()
    assert (safe.name, safe.width, safe.height) == ("鉴定报告.pdf", None, None)


def test_a_pdf_with_links_and_bookmarks_is_paper():
    def change(writer):
        writer.add_annotation(0, Link(rect=(0, 0, 9, 9), url="https://example.com"))
        writer.add_annotation(0, Link(rect=(0, 0, 9, 9), target_page_index=1, fit=Fit.fit()))
        writer.add_outline_item(title="one", page_number=0)

    assert take(pdf(change, pages=2)).kind == "pdf"


def test_a_pdf_of_a_report_maker_is_paper():
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.drawString(100, 700, "Report")
    canvas.save()

    assert take(out.getvalue()).kind == "pdf"


def action(kind: str, **more) -> DictionaryObject:
    entries = {"/S": NameObject(kind), **{f"/{key}": value for key, value in more.items()}}
    return DictionaryObject({NameObject(key): value for key, value in entries.items()})


def set_root(writer: PdfWriter, key: str, value) -> None:
    writer.root_object[NameObject(key)] = value


ACTIVE = {
    "script": lambda writer: set_root(
        writer, "/OpenAction", action("/JavaScript", JS=TextStringObject("app.alert(1)"))
    ),
    "script in the names": lambda writer: set_root(
        writer, "/Names", DictionaryObject({NameObject("/JavaScript"): DictionaryObject()})
    ),
    "attachment": lambda writer: writer.add_attachment("virus.exe", b"MZ"),
    "launch": lambda writer: set_root(
        writer, "/OpenAction", action("/Launch", F=TextStringObject("cmd.exe"))
    ),
    "launch on a page": lambda writer: writer.pages[0].__setitem__(
        NameObject("/AA"), DictionaryObject({NameObject("/O"): action("/Launch")})
    ),
    "form that sends": lambda writer: set_root(writer, "/OpenAction", action("/SubmitForm")),
    "form of XML": lambda writer: set_root(
        writer, "/AcroForm", DictionaryObject({NameObject("/XFA"): ArrayObject()})
    ),
    "rendition": lambda writer: set_root(writer, "/OpenAction", action("/Rendition")),
    "action named elsewhere": lambda writer: set_root(
        writer,
        "/OpenAction",
        DictionaryObject({NameObject("/S"): writer._add_object(NameObject("/Launch"))}),
    ),
    "unused object": lambda writer: writer._add_object(action("/JavaScript")),
    "deep inside": lambda writer: set_root(
        writer, "/Odd", ArrayObject([ArrayObject([NumberObject(1), action("/Movie")])])
    ),
}


@pytest.mark.parametrize("change", ACTIVE.values(), ids=ACTIVE)
def test_a_pdf_that_can_act_or_carries_a_file_is_refused(change):
    assert refusal(pdf(change), "invoice.pdf") == "active_content"


@pytest.mark.parametrize("change", ACTIVE.values(), ids=ACTIVE)
def test_packed_objects_hide_nothing(change):
    assert refusal(packed(pdf(change)), "invoice.pdf") == "active_content"


def test_a_plain_pdf_with_packed_objects_is_paper():
    assert take(packed(pdf())).kind == "pdf"


def test_a_name_written_with_escapes_is_still_that_name():
    content = pdf(lambda writer: set_root(writer, "/OpenAction", action("/Launch")))
    content = content.replace(b"/Launch", b"/L#61unch")

    assert refusal(content) == "active_content"


def packed(content: bytes) -> bytes:
    """The same PDF with all objects in one compressed object stream (PDF 1.5)."""
    found = re.findall(rb"(\d+) 0 obj\s*(.*?)\s*endobj", content, re.DOTALL)
    plain = [(int(n), body) for n, body in found if b"stream" not in body]
    streams = [(int(n), body) for n, body in found if b"stream" in body]
    root = re.search(rb"/Root (\d+) 0 R", content)[1]
    out = bytearray(b"%PDF-1.5\n")
    places = {}
    for number, body in streams:
        places[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    holder = max(int(n) for n, _ in found) + 1
    index, texts = [], b""
    for position, (number, body) in enumerate(plain):
        index.append(b"%d %d" % (number, len(texts)))
        texts += body + b" "
        places[number] = (2, holder, position)
    first = b" ".join(index) + b"\n"
    data = zlib.compress(first + texts)
    places[holder] = (1, len(out), 0)
    out += b"%d 0 obj\n<< /Type /ObjStm /N %d /First %d /Length %d /Filter /FlateDecode >>\n" % (
        holder,
        len(plain),
        len(first),
        len(data),
    )
    out += b"stream\n" + data + b"\nendstream\nendobj\n"
    own, start = holder + 1, len(out)
    places[own] = (1, start, 0)
    table = b"".join(
        struct.pack(">BIH", *places.get(number, (0, 0, 0))) for number in range(own + 1)
    )
    out += b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 4 2] /Root %s 0 R /Length %d >>\n" % (
        own,
        own + 1,
        root,
        len(table),
    )
    return bytes(
        out + b"stream\n" + table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % start
    )


def test_a_locked_pdf_is_refused():
    assert refusal(pdf(lambda writer: writer.encrypt("secret"))) == "encrypted"
    # Locked against changes only: opens without a password, and still cannot be checked.
    assert refusal(pdf(lambda writer: writer.encrypt("", "owner"))) == "encrypted"


def test_a_broken_or_continued_pdf_is_refused():
    whole = pdf()

    assert refusal(whole[: len(whole) // 2]) == "damaged"
    assert refusal(whole + b"PK\x03\x04 and a whole archive") == "damaged"
    assert refusal(b"%PDF-1.7\n%%EOF") == "damaged"
    assert refusal(b"%PDF-1.7\nstartxref\n0\n%%EOF") == "damaged"
    assert refusal(pdf(pages=0)) == "damaged"
    assert refusal(b"%PDF-1.7\n" + b"\xff" * 5000 + b"startxref 5\n%%EOF") == "damaged"


def test_a_pdf_made_to_keep_its_reader_busy_is_refused_in_bounded_time():
    # A hundred thousand tiny nested arrays in one object.
    nested = b"[" * 200_000 + b"]" * 200_000
    content = pdf().replace(b"/Type /Catalog", b"/Type /Catalog /Odd " + nested)

    began = time.perf_counter()
    assert refusal(content) in {"too_complicated", "damaged"}
    assert time.perf_counter() - began < 60


def test_the_guard_of_pdf_runs_under_its_limits_without_the_project():
    script = Path(cases.files.__file__).with_name("pdf_guard.py")

    done = subprocess.run(
        [sys.executable, "-I", str(script)], input=pdf(), capture_output=True, check=True, cwd="/"
    )

    assert done.stdout == b'{"code": ""}'
