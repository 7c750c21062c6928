"""Invoices as files: what evidence may be (PDF, pictures), and the tax forms OFD and XML.

Decided by content alone; kept as they came, handed out as downloads that no browser runs.
"""

import hashlib
import io
import zipfile
from typing import Any, BinaryIO
from xml.parsers import expat

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from cases.files import FileRefused, inspect, shown_name
from cases.files.refusals import MEGABYTE
from cases.forms.fields import EvidenceField

LARGEST_XML = 2 * MEGABYTE
LARGEST_OFD = 10 * MEGABYTE
#: What an OFD may unpack to, and how many parts it may have.
LARGEST_UNPACKED = 100 * MEGABYTE
MOST_PARTS = 2_000
OFD, XML = "application/ofd", "application/xml"


class KeptFile:
    """A file fit to be kept, as the row of it needs to know it."""

    def __init__(self, content: bytes, mime: str, extension: str, sha256: str, name: str) -> None:
        self.content, self.mime, self.extension = content, mime, extension
        self.sha256_in, self.name = sha256, name


def inspect_invoice(upload: BinaryIO, *, name: str) -> KeptFile:
    """An upload as it may be kept, or FileRefused in words for a clerk."""
    upload.seek(0)
    head = upload.read(64)
    upload.seek(0)
    if head.startswith(b"PK\x03\x04"):
        return _kept(upload, LARGEST_OFD, _check_ofd, OFD, "ofd", name)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _kept(upload, LARGEST_XML, _check_xml, XML, "xml", name)
    safe = inspect(upload, name=name)
    if safe.kind == "video":
        raise FileRefused("unknown_type", _("A video is no invoice: PDF, OFD, XML or a picture."))
    return KeptFile(safe.content, safe.mime, safe.extension, safe.sha256_in, safe.name)


def _kept(  # noqa: PLR0913, PLR0917 - how one kind of file is taken
    upload: BinaryIO, limit: int, check: Any, mime: str, extension: str, name: str
) -> KeptFile:
    content = upload.read(limit + 1)
    if len(content) > limit:
        raise FileRefused(
            "too_big", _("This file is larger than %(limit)s MB.") % {"limit": limit // MEGABYTE}
        )
    check(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return KeptFile(content, mime, extension, sha256, shown_name(name, extension))


def _check_ofd(content: bytes) -> None:
    """A package with its entry page, of a decent size when unpacked; nothing is unpacked here."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, ValueError) as error:
        raise FileRefused("damaged", _("This OFD is damaged or incomplete.")) from error
    if "OFD.xml" not in {part.filename for part in parts}:
        raise FileRefused("unknown_type", _("This is a ZIP, but no OFD: OFD.xml is not in it."))
    unpacked = sum(part.file_size for part in parts)
    if (
        len(parts) > MOST_PARTS
        or unpacked > LARGEST_UNPACKED
        or any(part.flag_bits & 1 for part in parts)
    ):
        raise FileRefused("too_complicated", _("This OFD is too complicated to be checked."))


def _check_xml(content: bytes) -> None:
    """Well formed, and without a document type: that is how XML is made to do harm."""

    def refuse(*_args: Any) -> None:
        raise FileRefused("active_content", _("This XML declares a document type; send another."))

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat's own signature
    except expat.ExpatError as error:
        raise FileRefused("damaged", _("This XML is damaged or incomplete.")) from error


class InvoiceFilesField(EvidenceField):
    """Files of an invoice, checked by their content."""

    def _checked(self, upload: Any) -> Any:
        try:
            return inspect_invoice(upload, name=upload.name)
        except FileRefused as refusal:
            raise ValidationError(
                "%(name)s: %(why)s", code="bad_value", params={"name": upload.name, "why": refusal}
            ) from refusal
