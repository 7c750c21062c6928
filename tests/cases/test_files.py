"""Files from outside: what they are, not what they are called, decides."""

import io
import re
import struct
from dataclasses import dataclass
from urllib.parse import unquote

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.files import FileRefused, inspect, random_name, response_for, shown_name
from cases.flow.door import Refused

MEGABYTE = 1024 * 1024


def take(content: bytes, name: str = "picture.jpg"):
    return inspect(io.BytesIO(content), name=name)


def refusal(content: bytes, name: str = "picture.jpg") -> str:
    with pytest.raises(FileRefused) as caught:
        take(content, name)
    assert len(caught.value.message) > 10
    return caught.value.code


def box(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(data)) + kind + data


FTYP = box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
MP4 = FTYP + box(b"free") + box(b"mdat", b"\0" * 100) + box(b"moov", box(b"mvhd", b"\0" * 100))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n", "EPS"),
        (b"\xc5\xd0\xd3\xc6" + b"\0" * 60, "EPS"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", ""),
        (b"<!DOCTYPE html><script>alert(1)</script>", ""),
        (b"<html>%PDF-1.4", ""),
        (b"GIF89a" + b"\0" * 40, "GIF"),
        (b"BM" + b"\0" * 60, "BMP"),
        (b"II*\0" + b"\0" * 60, "TIFF"),
        (b"PK\x03\x04" + b"\0" * 60, "ZIP"),
        (b"MZ\x90\0" + b"\0" * 60, "EXE"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC"),
        (b"\0\0\0\x18ftypavif" + b"\0" * 40, "AVIF"),
        (b"\0\0\0\x14ftypqt  " + b"\0" * 40, "MOV"),
        (b"RIFF\0\0\0\0WAVEfmt ", ""),
        (b"\0", ""),
        (b"hello", ""),
        ("只是文字".encode(), ""),
    ],
)
@pytest.mark.parametrize("name", ["photo.png", "photo.jpg", "paper.pdf", "film.mp4"])
def test_what_is_no_picture_is_refused_whatever_it_is_called(content, word, name):
    with pytest.raises(FileRefused) as caught:
        take(content, name)

    assert caught.value.code == "unknown_type"
    assert word in caught.value.message
    assert "PDF" in caught.value.message  # says what can be sent instead


def test_an_empty_file_is_refused():
    assert refusal(b"") == "empty"


@pytest.mark.parametrize(
    ("head", "limit"),
    [
        (b"\xff\xd8\xff\xe0", 10),
        (b"\x89PNG\r\n\x1a\n", 10),
        (b"RIFF\0\0\0\0WEBP", 10),
        (b"%PDF-1.7\n", 10),
        (FTYP, 50),
    ],
)
def test_a_file_above_the_limit_is_refused_without_reading_the_rest(head, limit):
    upload = io.BytesIO(head + b"\0" * ((limit + 3) * MEGABYTE))

    with pytest.raises(FileRefused) as caught:
        inspect(upload, name="big")

    assert caught.value.code == "too_big"
    assert str(limit) in caught.value.message
    assert upload.tell() == limit * MEGABYTE + 1


def test_a_file_of_exactly_the_limit_is_not_too_big():
    content = MP4 + box(b"free", b"\0" * (50 * MEGABYTE - len(MP4) - 8))

    assert len(take(content).content) == 50 * MEGABYTE


def test_an_upload_that_was_read_before_is_read_from_its_start():
    upload = SimpleUploadedFile("a.png", MP4, "text/html")
    upload.read()

    assert inspect(upload, name=upload.name).mime == "video/mp4"


def test_a_refused_file_is_a_refusal_like_any_other():
    with pytest.raises(Refused) as caught:
        take(b"")

    assert caught.value.code == "empty"


def test_a_whole_mp4_is_kept_as_it_came():
    safe = take(MP4, "开箱.mov")

    assert (safe.kind, safe.mime, safe.extension) == ("video", "video/mp4", "mp4")
    assert (safe.content, safe.name) == (MP4, "开箱.mp4")


def test_sizes_of_64_bits_and_a_last_box_without_end_are_understood():
    wide = struct.pack(">I", 1) + b"mdat" + struct.pack(">Q", 16 + 50) + b"\0" * 50
    last = struct.pack(">I", 0) + b"mdat" + b"\0" * 50

    assert take(FTYP + wide + box(b"moov")).kind == "video"
    assert take(FTYP + box(b"moov") + last).kind == "video"


@pytest.mark.parametrize(
    "content",
    [
        MP4[:-1],
        MP4 + b"\0",
        MP4 + b"<script>alert(1)</script>",
        FTYP,
        FTYP + box(b"moov"),
        FTYP + box(b"mdat"),
        FTYP + b"\0\0\0\4mdat",
        FTYP + box(b"moov") + box(b"mdat") + box(b"PK\3\4"),
    ],
)
def test_a_cut_off_or_continued_film_is_refused(content):
    assert refusal(content) == "damaged"


@given(st.binary(max_size=300), st.sampled_from([b"", b"%PDF-1.7", FTYP, b"\xff\xd8\xff"]))
@settings(max_examples=30)
def test_anything_at_all_is_taken_or_refused(content, head):
    message = ""
    try:
        message = take(head + content).name
    except FileRefused as refused:
        message = refused.message
    assert message


def test_random_names_keep_nothing_and_do_not_repeat():
    names = {random_name("jpg") for _ in range(100)}

    assert len(names) == 100
    assert all(re.fullmatch(r"[0-9a-f]{32}\.jpg", name) for name in names)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("photo.jpeg", "photo.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\Users\\me\\开箱 照片.heic", "开箱 照片.png"),
        ("a\r\nSet-Cookie: x.png", "a Set-Cookie x.png"),
        ("invoice\u202egnp.exe", "invoice gnp.png"),
        (".htaccess", "htaccess.png"),
        ("", "file.png"),
        ("/", "file.png"),
        ("...", "file.png"),
        ("长" * 300 + ".jpg", "长" * 80 + ".png"),
    ],
)
def test_a_name_is_made_fit_to_be_shown(name, shown):
    assert shown_name(name, "png") == shown


@given(st.text(max_size=200))
def test_any_name_becomes_a_plain_one(name):
    shown = shown_name(name, "pdf")

    assert shown.endswith(".pdf")
    assert shown.isprintable()
    assert not set(shown) & set('/\\<>:"|?*;\r\n')
    assert shown_name(shown, "pdf") == shown


@dataclass
class Stored:
    file: ContentFile
    mime: str
    original_name: str


def answer(mime: str, name: str = "证据.bin"):
    return response_for(Stored(ContentFile(b"content", name="0a1b"), mime, name))


@pytest.mark.parametrize(
    ("mime", "served_as", "disposition"),
    [
        ("image/jpeg", "image/jpeg", "inline"),
        ("image/png", "image/png", "inline"),
        ("application/pdf", "application/pdf", "attachment"),
        ("video/mp4", "video/mp4", "attachment"),
        ("text/html", "application/octet-stream", "attachment"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("", "application/octet-stream", "attachment"),
    ],
)
def test_only_pictures_are_shown_and_nothing_can_run(mime, served_as, disposition):
    response = answer(mime)

    assert b"".join(response.streaming_content) == b"content"
    assert response["Content-Type"] == served_as
    assert response["Content-Disposition"].startswith(disposition)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert response["Cache-Control"] == "no-store, private"


def test_a_download_has_the_extension_of_what_it_is():
    assert "证据.pdf" in unquote(answer("application/pdf", "证据.html")["Content-Disposition"])
    assert "x.bin" in answer("text/html", "x.html")["Content-Disposition"]
