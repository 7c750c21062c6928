"""Pictures that lie, explode, move or carry something, and videos that are not whole."""

import io
import struct
import zlib

from PIL import Image, ImageDraw

from tests.corpus import words
from tests.corpus.kinds import EVIDENCE, kept, refused
from tests.corpus.packing import book, packed, zeros


def drawn(
    how: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (64, 48), **options
) -> bytes:
    image = Image.new(mode, size)
    if mode == "RGB":
        ImageDraw.Draw(image).ellipse([4, 4, 40, 40], fill="red")
    out = io.BytesIO()
    image.save(out, how, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png(width: int, height: int, *extra: bytes, body: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", head),
            *extra,
            chunk(b"IDAT", zlib.compress(body or b"\0" * 9 * 8, 9)),
            chunk(b"IEND", b""),
        ]
    )


def frames(how: str) -> bytes:
    first, second = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    out = io.BytesIO()
    first.save(out, how, save_all=True, append_images=[second], duration=100)
    return out.getvalue()


def no_picture(ending: str, code: str, english: str, chinese: str):
    return refused(ending, code, english, chinese, EVIDENCE)


# --- what is no picture at all -------------------------------------------------------------------


@no_picture(
    "jpg",
    "empty",
    "This file is empty. Choose it again, or save it anew.",
    "文件是空的，请重新选择或重新保存。",
)
def no_bytes():
    return b""


@no_picture("gif", *words.not_taken("GIF"))
def a_gif_that_moves():
    return frames("GIF")


@no_picture("bmp", *words.not_taken("BMP"))
def a_bmp():
    return drawn("BMP")


@no_picture("tiff", *words.not_taken("TIFF"))
def a_tiff():
    return drawn("TIFF")


@no_picture("png", *words.not_taken("EPS"))
def a_printers_program_called_png():
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"


@no_picture("svg", *words.UNKNOWN)
def a_drawing_with_a_script():
    return b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@no_picture("jpg", *words.UNKNOWN)
def a_web_page_called_jpg():
    return b"<!doctype html><script>alert(1)</script>"


@no_picture("heic", *words.not_taken("HEIC"))
def a_picture_of_a_telephone():
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)


@no_picture("avif", *words.not_taken("AVIF"))
def a_picture_of_a_film_coder():
    return b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(40)


@no_picture("psd", *words.not_taken("PSD"))
def a_picture_in_layers():
    return b"8BPS\0\1" + bytes(40)


@no_picture("ico", *words.UNKNOWN)
def an_icon():
    return b"\0\0\1\0\1\0\x10\x10" + bytes(40)


@no_picture("jpg", *words.not_taken("EXE"))
def a_program_called_jpg():
    return b"MZ\x90\0" + bytes(100)


@no_picture("png", *words.OFFICE)
def a_workbook_called_png():
    return book()


@no_picture("png", *words.OFFICE)
def a_zip_called_png():
    return packed({"a.php": "<?php system($_GET['c']);"})


# --- too much ------------------------------------------------------------------------------------


@no_picture(
    "jpg",
    "too_big",
    "This picture is larger than 10 MB. Make it smaller and send it again.",
    "图片超过 10 MB，请压缩后重传。",
)
def eleven_megabytes_of_jpeg():
    return drawn() + bytes(11 * 2**20)


@no_picture("png", *words.TOO_MANY_PIXELS)
def a_hundred_and_sixty_nine_megapixels():
    squeeze = zlib.compressobj(9)
    line = bytes(13_001)
    body = b"".join(squeeze.compress(line) for _ in range(200)) + squeeze.flush()
    head = struct.pack(">IIBBBBB", 13_000, 13_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@no_picture("png", *words.TOO_MANY_PIXELS)
def the_widest_png_there_is():
    return png(2**31 - 1, 2**31 - 1)


@no_picture("webp", *words.TOO_MANY_PIXELS)
def a_webp_of_sixteen_thousand_by_sixteen_thousand():
    size = (16_382).to_bytes(3, "little")
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + size + size
    return b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas


@no_picture("png", *words.PICTURE_DAMAGED)
def a_png_whose_text_unpacks_to_gigabytes():
    return png(8, 8, chunk(b"zTXt", b"Comment\0\0\x78\x9c" + zeros(100)))


@no_picture("jpg", *words.PICTURE_DAMAGED)
def a_jpeg_of_twenty_thousand_passes():
    whole = drawn(size=(512, 512), progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * 20_000 + whole[-2:]


@no_picture("png", *words.MOVES)
def a_png_that_moves():
    return frames("PNG")


@no_picture("webp", *words.MOVES)
def a_webp_that_moves():
    return frames("WEBP")


# --- not whole -----------------------------------------------------------------------------------


@no_picture("jpg", *words.PICTURE_DAMAGED)
def a_jpeg_cut_in_half():
    whole = drawn(size=(640, 480))
    return whole[: len(whole) // 2]


@no_picture("jpg", *words.PICTURE_DAMAGED)
def a_jpeg_of_its_head_only():
    return drawn()[:100]


@no_picture("png", *words.PICTURE_DAMAGED)
def a_png_cut_in_half():
    whole = drawn("PNG", size=(640, 480))
    return whole[: len(whole) // 2]


@no_picture("png", *words.PICTURE_DAMAGED)
def a_png_with_a_wrong_checksum():
    content = bytearray(drawn("PNG"))
    content[content.index(b"IHDR") + 5] ^= 1
    return bytes(content)


@no_picture("png", *words.PICTURE_DAMAGED)
def a_png_without_a_size():
    return png(0, 0)


@no_picture("webp", *words.PICTURE_DAMAGED)
def a_webp_cut_in_half():
    whole = drawn("WEBP", size=(640, 480))
    return whole[: len(whole) // 2]


# --- taken, and clean afterwards -----------------------------------------------------------------


@kept("jpg", kind="image", mime="image/jpeg", size=(64, 48))
def a_jpeg_that_says_where_it_was_taken():
    exif = Image.Exif()
    exif[0x010E] = "alert(1) taken at home"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (30.0, 15.0, 0.0)
    return drawn(exif=exif)


@kept("jpg", kind="image", mime="image/jpeg", size=(64, 48))
def a_jpeg_that_is_a_script_too():
    whole = drawn()
    remark = b"*/=alert(1);/*"
    return whole[:2] + b"\xff\xfe" + struct.pack(">H", len(remark) + 2) + remark + whole[2:]


@kept("jpg", kind="image", mime="image/jpeg", size=(64, 48))
def a_jpeg_with_a_zip_at_its_end():
    return drawn() + packed({"evil.php": "<?php alert(1)"})


@kept("png", kind="image", mime="image/png", size=(64, 48))
def a_png_with_a_page_at_its_end():
    return drawn("PNG") + b"<script>alert(1)</script>"


@kept("png", kind="image", mime="image/png", size=(8, 8))
def a_png_with_a_page_in_its_text():
    return png(8, 8, chunk(b"tEXt", b"Comment\0<script>alert(1)</script>"))


@kept("webp", kind="image", mime="image/jpeg", size=(64, 48))
def a_webp_with_a_note():
    return drawn("WEBP", exif=b"Exif\0\0alert(1)")


# --- videos --------------------------------------------------------------------------------------


def box(kind: bytes, content: bytes = b"", *, size: int | None = None) -> bytes:
    return struct.pack(">I", len(content) + 8 if size is None else size) + kind + content


FRONT = box(b"ftyp", b"isom\0\0\x02\0isomiso2mp41")
FILM = FRONT + box(b"moov", bytes(100)) + box(b"mdat", bytes(500))


@kept("mp4", kind="video", mime="video/mp4")
def a_video():
    return FILM


@no_picture("mp4", *words.VIDEO_DAMAGED)
def a_video_cut_off():
    return FILM[:-1]


@no_picture("mp4", *words.VIDEO_DAMAGED)
def a_video_whose_box_says_more_than_there_is():
    return FRONT + box(b"moov", bytes(100), size=0x7FFFFFFF) + box(b"mdat", bytes(500))


@no_picture("mp4", *words.VIDEO_DAMAGED)
def a_video_whose_box_says_less_than_its_head():
    return FRONT + box(b"moov", bytes(100), size=4) + box(b"mdat", bytes(500))


@no_picture("mp4", *words.VIDEO_DAMAGED)
def a_video_whose_box_says_exabytes():
    long = struct.pack(">I4sQ", 1, b"mdat", 2**62)
    return FRONT + box(b"moov", bytes(100)) + long + bytes(500)


@no_picture("mp4", *words.VIDEO_DAMAGED)
def a_video_without_a_table():
    return FRONT + box(b"mdat", bytes(500))


@no_picture("mp4", *words.VIDEO_DAMAGED)
def a_video_with_a_zip_at_its_end():
    return FILM + packed({"a": "b"})


@no_picture("mp4", *words.VIDEO_DAMAGED)
def a_video_of_a_million_boxes():
    return FRONT + box(b"moov") + box(b"mdat") + box(b"free") * 1_000_000


@no_picture(
    "mp4",
    "too_big",
    "This video is larger than 50 MB. Cut it to the part that matters.",
    "视频超过 50 MB，请只截取需要的部分。",
)
def a_video_of_fifty_one_megabytes():
    return FRONT + box(b"moov", bytes(100)) + box(b"mdat", bytes(51 * 2**20))


@no_picture("mov", *words.not_taken("MOV"))
def a_video_of_another_player():
    return box(b"ftyp", b"qt  \0\0\x02\0qt  ") + box(b"moov") + box(b"mdat")


@no_picture("mkv", *words.not_taken("MKV, WebM"))
def a_matroska_video():
    return b"\x1aE\xdf\xa3" + bytes(100)
