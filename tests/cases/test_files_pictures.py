"""Pictures are drawn anew: what they show stays, what else they carry does not."""

import hashlib
import io
import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from cases.files import FileRefused, inspect

MEGABYTE = 1024 * 1024


def take(content: bytes, name: str = "picture.jpg"):
    return inspect(io.BytesIO(content), name=name)


def refusal(content: bytes, name: str = "picture.jpg") -> str:
    with pytest.raises(FileRefused) as caught:
        take(content, name)
    assert len(caught.value.message) > 10
    return caught.value.code


def picture(image_format: str = "JPEG", *, mode="RGB", size=(64, 48), **options) -> bytes:
    image = Image.new(mode, size)
    if mode in {"RGB", "L"}:
        draw = ImageDraw.Draw(image)
        draw.rectangle([0, 0, size[0] // 4, size[1] // 4], fill="white")
    out = io.BytesIO()
    image.save(out, image_format, **options)
    return out.getvalue()


def decoded(safe) -> Image.Image:
    image = Image.open(io.BytesIO(safe.content))
    image.load()
    return image


def png(width: int, height: int, *extra: tuple[bytes, bytes], rows: bytes | None = None) -> bytes:
    """A grey PNG written by hand, so that its header may lie."""
    body = rows if rows is not None else (b"\0" * (width + 1)) * height

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(body, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize(
    ("image_format", "mode", "mime", "extension"),
    [
        ("JPEG", "RGB", "image/jpeg", "jpg"),
        ("JPEG", "L", "image/jpeg", "jpg"),
        ("JPEG", "CMYK", "image/jpeg", "jpg"),
        ("PNG", "RGB", "image/png", "png"),
        ("PNG", "RGBA", "image/png", "png"),
        ("PNG", "LA", "image/png", "png"),
        ("PNG", "P", "image/png", "png"),
        ("PNG", "1", "image/png", "png"),
        ("PNG", "I;16", "image/png", "png"),
        ("WEBP", "RGB", "image/jpeg", "jpg"),
        ("WEBP", "RGBA", "image/png", "png"),
    ],
)
def test_a_picture_is_drawn_anew_and_says_what_came_in(image_format, mode, mime, extension):
    content = picture(image_format, mode=mode)

    safe = take(content, "收到的样子.bmp")

    assert (safe.kind, safe.mime, safe.extension) == ("image", mime, extension)
    assert (safe.width, safe.height) == decoded(safe).size == (64, 48)
    assert safe.sha256_in == hashlib.sha256(content).hexdigest()
    assert safe.content != content
    assert safe.name == f"收到的样子.{extension}"


def test_a_redrawn_picture_still_shows_the_same():
    safe = take(picture("JPEG"))

    image = decoded(safe)
    assert image.getpixel((4, 4)) > (240, 240, 240)
    assert image.getpixel((60, 40)) < (15, 15, 15)


def test_sixteen_bits_of_grey_become_eight_of_the_same_brightness():
    image = Image.new("I;16", (8, 8), 0x8000)
    out = io.BytesIO()
    image.save(out, "PNG")

    assert decoded(take(out.getvalue())).getpixel((4, 4)) == 0x80


def test_an_opaque_webp_with_an_alpha_channel_becomes_a_jpeg():
    image = Image.new("RGBA", (32, 32), (200, 10, 10, 255))
    out = io.BytesIO()
    image.save(out, "WEBP", lossless=True, exact=True)

    assert take(out.getvalue()).mime == "image/jpeg"


def test_a_picture_taken_sideways_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # camera turned: rotate by 90 degrees clockwise to see it
    safe = take(picture("JPEG", exif=exif))

    image = decoded(safe)
    assert (safe.width, safe.height) == image.size == (48, 64)
    assert image.getpixel((44, 4)) > (240, 240, 240)  # upper left went to the upper right
    assert image.getpixel((4, 4)) < (15, 15, 15)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_place_profile_comment_and_tail_are_dropped(image_format):
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (30.0, 15.0, 0.0)
    options = {"exif": exif, "icc_profile": b"profile of a screen" * 20}
    if image_format == "JPEG":
        options["comment"] = b"a private remark"
    content = picture(image_format, **options) + b"<script>alert(1)</script>PK\x03\x04"

    safe = take(content)

    image = decoded(safe)
    assert dict(image.getexif()) == {}
    assert "icc_profile" not in image.info
    assert "comment" not in image.info
    for trace in [b"taken at home", b"Exif", b"profile of", b"remark", b"script", b"PK\x03\x04"]:
        assert trace not in safe.content


def test_text_in_a_png_is_dropped():
    content = png(8, 8, (b"tEXt", b"Comment\0the address of the buyer"))

    assert b"address" not in take(content).content


@pytest.mark.filterwarnings("ignore")  # Pillow says what it could not read
def test_a_broken_note_of_orientation_does_not_cost_the_picture():
    broken = picture("JPEG", exif=b"Exif\0\0" + b"MM\0*\xff\xff\xff\xff")

    assert (take(broken).width, take(broken).height) == (64, 48)


def test_the_first_picture_of_a_phones_double_picture_is_kept():
    first, second = Image.new("RGB", (64, 48), "red"), Image.new("RGB", (32, 24), "blue")
    out = io.BytesIO()
    first.save(out, "MPO", save_all=True, append_images=[second])

    safe = take(out.getvalue())

    assert (safe.mime, safe.width, safe.height) == ("image/jpeg", 64, 48)
    assert decoded(safe).format == "JPEG"
    assert decoded(safe).getpixel((10, 10))[0] > 200


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_a_moving_picture_is_refused(image_format):
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, image_format, save_all=True, append_images=frames[1:], duration=100)

    assert refusal(out.getvalue()) == "animated"


def test_a_bomb_of_169_megapixels_is_refused_before_it_is_decoded():
    bomb = png(13_000, 13_000, rows=b"\0" * 13_001 * 13_000)
    assert len(bomb) < MEGABYTE

    began = time.perf_counter()
    assert refusal(bomb, "small.png") == "too_many_pixels"
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(("width", "height"), [(40_001, 1_000), (65_535, 65_535), (2**31 - 1, 1)])
def test_a_header_that_claims_too_many_pixels_is_refused(width, height):
    assert refusal(png(width, height, rows=b"\0")) == "too_many_pixels"


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("extended", [True, False])
def test_the_size_in_a_webp_header_is_read_before_room_is_made(lossless, extended):
    exif = {"exif": Image.Exif()} if extended else {}
    if extended:
        exif["exif"][0x010E] = "x"
    content = bytearray(picture("WEBP", lossless=lossless, size=(300, 200), **exif))
    assert take(bytes(content)).width == 300
    if content[12:16] == b"VP8X":
        content[24:30] = b"\xff\x3f\0\xff\x3f\0"
    elif content[12:16] == b"VP8L":
        content[21:25] = struct.pack("<I", 0x3FFF | 0x3FFF << 14)
    else:
        content[26:30] = b"\xff\x3f\xff\x3f"

    assert refusal(bytes(content)) == "too_many_pixels"


def test_forty_megapixels_are_taken():
    safe = take(png(8_000, 5_000))

    assert (safe.width, safe.height) == (8_000, 5_000)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_truncated_picture_is_refused(image_format, part):
    image = Image.effect_noise((400, 300), 80).convert("RGB")
    out = io.BytesIO()
    image.save(out, image_format)
    content = out.getvalue()

    assert refusal(content[: int(len(content) * part)]) == "damaged"


def test_a_png_whose_text_unpacks_without_end_is_refused():
    text = zlib.compress(b"A" * 80 * MEGABYTE, 9)
    content = png(8, 8, (b"zTXt", b"Comment\0\0" + text))

    assert refusal(content) == "damaged"


@pytest.mark.filterwarnings("ignore")  # Pillow's remarks on what it repaired
@settings(max_examples=150)
@given(
    st.sampled_from(["JPEG", "PNG", "WEBP"]),
    st.lists(st.tuples(st.integers(20, 700), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_a_picture_with_any_bytes_changed_is_taken_clean_or_refused(image_format, changes):
    content = bytearray(picture(image_format, size=(40, 30)))
    for place, value in changes:
        content[place % len(content)] = value
    content[:12] = picture(image_format, size=(40, 30))[:12]

    code = "taken"
    try:
        safe = take(bytes(content))
        assert decoded(safe).size == (safe.width, safe.height)
    except FileRefused as refused:
        code = refused.code
    assert code in {"taken", "damaged", "too_many_pixels", "animated"}
