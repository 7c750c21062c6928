"""Hands a kept file out so that a browser can only show or save it, never run it."""

from typing import Protocol

from django.core.files.base import File
from django.http import FileResponse

from cases.files.names import shown_name

# Only these are shown in the page; everything else is a download.
SHOWN = {"image/jpeg": "jpg", "image/png": "png"}
SAVED = {
    "application/pdf": "pdf",
    "video/mp4": "mp4",
    "application/ofd": "ofd",
    "application/xml": "xml",
}


class Kept(Protocol):
    """A stored file as the evidence row has it."""

    @property
    def file(self) -> "File[bytes]": ...

    @property
    def mime(self) -> str: ...

    @property
    def original_name(self) -> str: ...


def response_for(kept: Kept) -> FileResponse:
    """The file as an answer; whether this person may see it is the caller's question.

    A kind we do not keep leaves as an anonymous download, whatever the row says of it.
    """
    extension = SHOWN.get(kept.mime) or SAVED.get(kept.mime)
    response = FileResponse(
        kept.file.open("rb"),
        as_attachment=kept.mime not in SHOWN,
        filename=shown_name(kept.original_name, extension or "bin"),
        content_type=kept.mime if extension else "application/octet-stream",
    )
    return sealed(response)


def sealed(response: FileResponse) -> FileResponse:
    """The headers by which no browser runs, frames, keeps or passes on what it was handed."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    response["Cache-Control"] = "no-store, private"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
    return response
