"""PDF files that act, hide, lock, or keep their reader busy."""

import zlib
from collections.abc import Sequence

from tests.corpus import words
from tests.corpus.kinds import EVIDENCE, kept, refused
from tests.corpus.packing import packed, zeros

PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"


def pdf(objects: Sequence[bytes] = (CATALOG, PAGES, PAGE), trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is its root."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, trailer)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def with_root(entry: bytes, *more: bytes) -> bytes:
    return pdf((CATALOG.replace(b" >>", b" " + entry + b" >>"), PAGES, PAGE, *more))


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def paper(code: str, english: str, chinese: str):
    return refused("pdf", code, english, chinese, EVIDENCE)


@kept("pdf", kind="pdf", mime="application/pdf")
def a_paper():
    return pdf()


@kept("pdf", kind="pdf", mime="application/pdf")
def a_paper_with_a_link():
    action = b"<< /S /URI /URI (https://example.com) >>"
    link = b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A %s >>" % action
    return pdf((CATALOG, PAGES, PAGE.replace(b" >>", b" /Annots [4 0 R] >>"), link))


@paper(*words.PDF_ACTS)
def a_paper_that_runs_a_script():
    return with_root(b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>")


@paper(*words.PDF_ACTS)
def a_script_under_an_escaped_name():
    return with_root(b"/OpenAction << /S /J#61vaScript /J#53 (app.alert\\(1\\)) >>")


@paper(*words.PDF_ACTS)
def a_paper_that_starts_a_program():
    return with_root(b"/OpenAction << /S /Launch /F (cmd.exe) >>")


@paper(*words.PDF_ACTS)
def a_paper_that_carries_a_file():
    return with_root(
        b"/Names << /EmbeddedFiles << /Names [(a.exe) 4 0 R] >> >>",
        b"<< /Type /Filespec /F (a.exe) /EF << /F 5 0 R >> >>",
        stream(b"MZ", b"/Type /EmbeddedFile"),
    )


@paper(*words.PDF_ACTS)
def a_paper_that_sends_a_form():
    return with_root(b"/OpenAction << /S /SubmitForm /F (http://example.com) >>")


@paper(*words.PDF_ACTS)
def a_form_of_xml():
    return with_root(b"/AcroForm << /XFA [] /Fields [] >>")


@paper(*words.PDF_ACTS)
def a_film_in_a_paper():
    annotation = b"<< /Type /Annot /Subtype /RichMedia /Rect [0 0 9 9] >>"
    return pdf((CATALOG, PAGES, PAGE.replace(b" >>", b" /Annots [4 0 R] >>"), annotation))


@paper(
    "encrypted",
    (
        "This PDF is protected by a password. Print it to a new PDF (Print, then “Save "
        "as PDF”) and send that, or send a picture of it."
    ),
    "这份 PDF 有密码保护。请打印成新的 PDF（打印→“另存为 PDF”）再上传，或改传图片。",
)
def a_paper_with_a_password():
    lock = (
        b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <"
        + b"00" * 32
        + b"> /U <"
        + b"00" * 32
        + b"> >> /ID [<00> <00>]"
    )
    return pdf(trailer=lock)


@paper(*words.PDF_DAMAGED)
def a_paper_cut_in_half():
    whole = pdf()
    return whole[: len(whole) // 2]


@paper(*words.PDF_DAMAGED)
def a_paper_with_a_zip_at_its_end():
    return pdf() + packed({"a.exe": "MZ"})


@paper(*words.PDF_DAMAGED)
def a_paper_of_its_first_line():
    return b"%PDF-1.7\n"


@paper(*words.PDF_DAMAGED)
def a_paper_without_pages():
    return pdf((CATALOG, b"<< /Type /Pages /Kids [] /Count 0 >>"))


@paper(*words.PDF_DAMAGED)
def a_script_that_only_begins_like_a_paper():
    return b"%PDF-1.7\n<script>alert(1)</script>\nstartxref\n0\n%%EOF"


@paper(*words.PDF_DAMAGED)
def pages_that_are_their_own_parents():
    return pdf((CATALOG, b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 9 >>", PAGE))


@kept("pdf", kind="pdf", mime="application/pdf")
def a_list_of_places_that_leads_to_itself():
    whole = pdf(trailer=b"/Prev 9999")
    at = whole.index(b"xref\n")
    return whole.replace(b"/Prev 9999", b"/Prev %04d" % at)


@paper(*words.PDF_BUSY)
def two_thousand_and_one_pages():
    kids = b" ".join(b"%d 0 R" % at for at in range(3, 2004))
    pages = b"<< /Type /Pages /Kids [%s] /Count 2001 >>" % kids
    return pdf((CATALOG, pages, *[PAGE] * 2001))


@paper(*words.PDF_DAMAGED)
def a_hundred_thousand_lists_in_each_other():
    return with_root(b"/Odd " + b"[" * 100_000 + b"]" * 100_000)


@paper(*words.PDF_BUSY)
def an_object_stream_that_unpacks_to_gigabytes():
    blanks = b"\x78\x9c" + zeros(100)
    return pdf(
        (CATALOG, PAGES, PAGE, stream(blanks, b"/Type /ObjStm /N 1 /First 9 /Filter /FlateDecode"))
    )


@paper(*words.PDF_ACTS)
def a_script_in_an_object_stream_of_its_own_list():
    """The plain list of places names no such object; the list of newer readers beside it does."""
    inside = zlib.compress(b"9 0 << /S /JavaScript /JS (app.alert\\(1\\)) >>", 9)
    return pdf(
        (CATALOG, PAGES, PAGE, stream(inside, b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode"))
    )


@paper(
    "too_big",
    "This PDF is larger than 10 MB. Send only the pages that matter.",
    "PDF 超过 10 MB，请只传需要的页。",
)
def eleven_megabytes_of_paper():
    return pdf((CATALOG, PAGES, PAGE, stream(bytes(11 * 2**20))))
