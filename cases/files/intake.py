"""Takes a file in: decides by its content what it is, checks it, cleans it."""

import hashlib
from dataclasses import dataclass
from typing import BinaryIO, Literal

from django.utils.translation import gettext as _

from cases.files import papers, pictures, videos
from cases.files.names import shown_name
from cases.files.refusals import MEGABYTE, FileRefused

Kind = Literal["image", "pdf", "video"]

LARGEST: dict[Kind, int] = {
    "image": 10 * MEGABYTE,
    "pdf": 10 * MEGABYTE,
    "video": 50 * MEGABYTE,
}

# What people send by mistake, by its first bytes, so that the refusal can name it.
_KNOWN_OTHERS = [
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"8BPS", "PSD"),
    (b"PK\x03\x04", "ZIP, Word, Excel"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"\xd0\xcf\x11\xe0", "Word, Excel (97-2003)"),
    (b"MZ", "EXE"),
    (b"\x1aE\xdf\xa3", "MKV, WebM"),
]
_OTHER_BRANDS = {
    **dict.fromkeys([b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"], "HEIC"),
    **dict.fromkeys([b"avif", b"avis"], "AVIF"),
    b"qt  ": "MOV",
}


@dataclass(frozen=True, slots=True)
class SafeFile:
    """A file fit to be kept: pictures are drawn anew, PDF and MP4 are as they came."""

    kind: Kind
    content: bytes
    mime: str
    extension: str
    #: SHA-256 of what came in, before cleaning: proves later what the sender gave us.
    sha256_in: str
    #: The sender's name for it, fit to be shown.
    name: str
    width: int | None = None
    height: int | None = None


def inspect(upload: BinaryIO, *, name: str) -> SafeFile:
    """Read an upload and return it cleaned, or raise FileRefused in words for a clerk.

    Pictures: JPEG, PNG, WEBP up to 10 MB and 40 megapixels. PDF up to 10 MB without password,
    programs and attachments. MP4 up to 50 MB. No more than the limit is ever read.
    """
    if upload.seekable():
        upload.seek(0)
    head = upload.read(64)
    if not head:
        raise FileRefused("empty", _("This file is empty. Choose it again, or save it anew."))
    kind, image_format = _kind_of(head)
    limit = LARGEST[kind]
    content = head + upload.read(limit + 1 - len(head))
    if len(content) > limit:
        raise _too_big(kind)
    sha256 = hashlib.sha256(content).hexdigest()

    if kind == "image":
        drawn = pictures.redraw(content, image_format)
        return SafeFile(
            kind=kind,
            content=drawn.content,
            mime=drawn.mime,
            extension=drawn.extension,
            sha256_in=sha256,
            name=shown_name(name, drawn.extension),
            width=drawn.width,
            height=drawn.height,
        )
    if kind == "pdf":
        papers.check(content)
        return SafeFile(kind, content, "application/pdf", "pdf", sha256, shown_name(name, "pdf"))
    videos.check(content)
    return SafeFile(kind, content, "video/mp4", "mp4", sha256, shown_name(name, "mp4"))


def _kind_of(head: bytes) -> tuple[Kind, str]:
    if head.startswith(b"\xff\xd8\xff"):
        return "image", "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image", "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image", "WEBP"
    if head.startswith(b"%PDF-"):
        return "pdf", ""
    if head[4:8] == b"ftyp" and head[8:12] in videos.BRANDS:
        return "video", ""
    raise FileRefused("unknown_type", _unknown(_other(head)))


def _other(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return _OTHER_BRANDS.get(head[8:12], "")
    return next((word for start, word in _KNOWN_OTHERS if head.startswith(start)), "")


def _unknown(word: str) -> str:
    remedy = _(
        "JPEG, PNG and WEBP pictures, PDF papers and MP4 videos can be kept: save it as one of "
        "these, or send a screenshot."
    )
    if word:
        return _("A file of this kind (%(kind)s) is not taken. %(remedy)s") % {
            "kind": word,
            "remedy": remedy,
        }
    return _("This is not a picture, PDF or video, whatever its name says. %(remedy)s") % {
        "remedy": remedy
    }


def _too_big(kind: Kind) -> FileRefused:
    limit = LARGEST[kind] // MEGABYTE
    text = {
        "image": _("This picture is larger than %(limit)s MB. Make it smaller and send it again."),
        "pdf": _("This PDF is larger than %(limit)s MB. Send only the pages that matter."),
        "video": _("This video is larger than %(limit)s MB. Cut it to the part that matters."),
    }[kind]
    return FileRefused("too_big", text % {"limit": limit})
