"""Pictures: measured before they are decoded, then drawn anew so that nothing else survives."""

import struct
import zlib
from io import BytesIO
from threading import BoundedSemaphore
from typing import NamedTuple

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from cases.files.refusals import FileRefused

MOST_PIXELS = 40_000_000
#: A JPEG is drawn in up to a dozen passes; a pass of sixty bytes goes over all its pixels again.
MOST_PASSES = 100

# A picture at the limit takes some 300 MB while it is turned and drawn: few at a time.
_drawing = BoundedSemaphore(2)

# What Pillow's decoders raise on files that are cut off or made to harm.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    LookupError,
    OverflowError,
    ZeroDivisionError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)

_DEEP_GREY = {"I", "I;16", "I;16B", "I;16L", "I;16N", "F"}


class Picture(NamedTuple):
    content: bytes
    mime: str
    extension: str
    width: int
    height: int


def redraw(content: bytes, image_format: str) -> Picture:
    """The same picture as a new JPEG or PNG, upright, without EXIF, profile and tail.

    WEBP becomes JPEG, or PNG where it is transparent: it is written ten times as slowly and
    neither the printed evidence nor older desks can show it.
    """
    if image_format == "WEBP":
        _check_size(*_webp_size(content))
    if image_format == "JPEG" and content.count(b"\xff\xda") > MOST_PASSES:
        raise _damaged()
    with _drawing:
        return _redraw(content, image_format)


def _redraw(content: bytes, image_format: str) -> Picture:
    try:
        with Image.open(BytesIO(content), formats=[image_format]) as image:
            _check_size(*image.size)
            # A phone's JPEG may carry a second picture (depth, brightness); the first is it.
            if image_format != "JPEG" and getattr(image, "is_animated", False):
                raise FileRefused(
                    "animated",
                    _("This picture moves. Send a still picture (JPEG, PNG), or an MP4 video."),
                )
            image.load()
            upright = _upright(image)
            return _draw(upright, lossless=image_format == "PNG")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise _too_many_pixels() from bomb
    except _DAMAGE as damage:
        raise _damaged() from damage


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except _DAMAGE:
        # The note how the camera was held is unreadable; the picture itself is not.
        return image


def _draw(image: Image.Image, *, lossless: bool) -> Picture:
    flat = _in_plain_colours(image)
    if not lossless and flat.mode == "RGBA" and flat.getchannel("A").getextrema()[0] == 255:
        flat = flat.convert("RGB")
    # Pillow's writers copy profile and comment from here.
    flat.info = {}
    out = BytesIO()
    if lossless or flat.mode == "RGBA":
        flat.save(out, "PNG", compress_level=4)
        return Picture(out.getvalue(), "image/png", "png", *flat.size)
    flat.save(out, "JPEG", quality=90)
    return Picture(out.getvalue(), "image/jpeg", "jpg", *flat.size)


def _in_plain_colours(image: Image.Image) -> Image.Image:
    if image.mode in _DEEP_GREY:
        # 16 bits of grey come from scanners; 8 are what anybody sees.
        return image.convert("I").point(lambda level: level / 256).convert("L")
    if "transparency" in image.info or image.mode in {"RGBA", "LA", "PA", "RGBa", "La"}:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> FileRefused:
    return FileRefused(
        "too_many_pixels",
        _(
            "This picture has more than %(limit)s million pixels. Make it smaller "
            "(4000 x 3000 is plenty) and send it again."
        )
        % {"limit": MOST_PIXELS // 1_000_000},
    )


def _damaged() -> FileRefused:
    return FileRefused(
        "damaged",
        _(
            "This picture is damaged or incomplete. Open it on your computer, save it again "
            "as JPEG or PNG, and send that file."
        ),
    )


def _webp_size(content: bytes) -> tuple[int, int]:
    """Width and height as the header says; Pillow only knows them after making room for them."""
    chunk, head = content[12:16], content[20:30].ljust(10, b"\0")
    if chunk == b"VP8X":
        return (
            int.from_bytes(head[4:7], "little") + 1,
            int.from_bytes(head[7:10], "little") + 1,
        )
    if chunk == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return (
        int.from_bytes(head[6:8], "little") & 0x3FFF,
        int.from_bytes(head[8:10], "little") & 0x3FFF,
    )
