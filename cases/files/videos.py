"""MP4: its boxes are counted through, so that a cut-off or disguised film is noticed."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from cases.files.refusals import FileRefused

BRANDS = {
    *(b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9"),
    *(b"mp41", b"mp42", b"mp71", b"avc1", b"M4V ", b"M4VH", b"M4VP", b"MSNV", b"dash", b"3gp4"),
    *(b"3gp5", b"3gp6", b"mmp4", b"f4v "),
}
PADDING = {b"free", b"skip", b"wide", b"uuid", b"meta", b"udta"}
#: Even a film in pieces of a tenth of a second has fewer.
MOST_BOXES = 100_000
FILM = {b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"styp", b"pdin", b"ssix", b"prft", b"emsg"}

KNOWN = FILM | PADDING | {b"ftyp"}


def check(content: bytes) -> None:
    """Refuse what is not a whole MP4 from its first to its last byte."""
    names: list[bytes] = []
    for name in _boxes(content):
        if name not in KNOWN or len(names) == MOST_BOXES:
            raise _damaged()
        names.append(name)
    if names[:1] != [b"ftyp"] or not {b"moov", b"mdat"} <= set(names):
        raise _damaged()


def _boxes(content: bytes) -> Iterator[bytes]:
    at, end = 0, len(content)
    while at < end:
        size = int.from_bytes(content[at : at + 4], "big")
        least = 8
        if size == 1:
            least = 16
            size = int.from_bytes(content[at + 8 : at + 16], "big")
        elif size == 0:
            size = end - at
        if size < least or at + size > end:
            raise _damaged()
        yield content[at + 4 : at + 8]
        at += size


def _damaged() -> FileRefused:
    return FileRefused(
        "damaged",
        _("This video is damaged or incomplete. Play it once; if it runs, export it as MP4 again."),
    )
