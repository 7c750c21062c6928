"""Printouts: text and codes read back from the PDF, the font in it, and no box for a character."""

import gc
import io
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from django.conf import settings
from django.utils import translation
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from pypdf import PdfReader

from invoices.documents import A4, Column, Form, MissingGlyph, Stage, fonts, write

SLIP = Form(
    title="发票处理单",
    number="AS260302000001",
    shop="數碼旗艦店",
    mark="内部单据 非发票",
    facts=(("处理", "红冲"), ("发票", "数电专票 26312000000012345678"), ("购买方", "上海某某公司")),
    columns=(Column("商品", 4), Column("数量", 1, right=True), Column("价税合计", 2, right=True)),
    rows=(("蓝牙耳机 Model-X1", "-2", "-66.67"),),
    total=("合计", "-2", "-66.67"),
    in_words=("大写", "（负数）陆拾陆圆陆角柒分"),
    stages=(Stage("客户处", passed=True), Stage("保管中", here=True), Stage("归还")),
    stages_note="现由 仓库 保管",
    signatures=("经办", "复核"),
    link="https://shop.example/admin/invoices/invoice/7/change/",
    link_note="扫码查看记录",
    foot="2026-03-02 10:00",
)


def printed(*forms: Form) -> bytes:
    out = io.BytesIO()
    write(forms, out)
    return out.getvalue()


def text_of(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def codes_of(pdf: bytes, page: int = 0) -> dict[str, str]:
    """What a scanner reads of a printed page, by the kind of code."""
    document = pypdfium2.PdfDocument(pdf)
    picture = document[page].render(scale=300 / 72).to_pil().convert("L")
    document.close()
    return {str(code.format): code.text for code in zxingcpp.read_barcodes(picture)}


def test_everything_on_a_slip_is_read_back_as_text():
    (text,) = text_of(printed(SLIP))

    for wanted in (
        "发票处理单", "AS260302000001", "數碼旗艦店", "内部单据 非发票", "26312000000012345678",
        "蓝牙耳机 Model-X1", "-2", "-66.67", "（负数）陆拾陆圆陆角柒分", "● 保管中", "✓ 客户处",
        "现由 仓库 保管", "复核",
    ):  # fmt: skip
        assert wanted in text


def test_a_scanner_reads_the_case_and_the_record():
    assert codes_of(printed(SLIP)) == {
        "Code 128": "AS260302000001",
        "QR Code": "https://shop.example/admin/invoices/invoice/7/change/",
    }


@settings_of_hypothesis(max_examples=10)
@given(path=st.text("abcdefghijklmnopqrstuvwxyz0123456789/-_?=&", max_size=120))
def test_every_address_is_readable_whatever_its_pattern_of_squares(path):
    link = f"https://shop.example/{path}"
    assert codes_of(printed(replace(SLIP, link=link)))["QR Code"] == link


def test_the_font_lies_in_the_file_and_no_other_is_asked_for():
    reader = PdfReader(io.BytesIO(printed(SLIP)))
    found = reader.pages[0]["/Resources"]["/Font"]

    assert found
    for reference in found.values():
        font = reference.get_object()
        assert font["/BaseFont"].split("+")[1].startswith("NotoSansSC")
        assert "/FontFile2" in font["/FontDescriptor"]


@pytest.mark.parametrize("where", ["title", "shop", "link_note", "foot"])
def test_a_character_the_font_lacks_is_named_before_anything_is_printed(where):
    out = io.BytesIO()
    with pytest.raises(MissingGlyph) as error:
        write([SLIP, replace(SLIP, **{where: "爆款🔥耳机🔥"})], out)

    assert error.value.characters == "🔥"
    assert "U+1F525" in str(error.value)
    assert out.getvalue() == b""


def test_a_missing_character_in_a_cell_is_found_too():
    with pytest.raises(MissingGlyph):
        printed(replace(SLIP, rows=(("𠮷野家", "-1", "-1.00"),)))


def test_simplified_traditional_and_rare_characters_of_names_can_be_printed():
    for text in ("售后红冲背书", "售後紅沖背書臺灣發票", "喆祎堃甪囍犇", "¥€±×÷−（）“”…—№①㎡"):
        assert fonts.printable(text) == text


def test_all_words_of_ours_can_be_printed():
    """Whatever language a paper is printed in, none of our own words stops it."""
    fonts.load()
    catalogues = list(Path(settings.BASE_DIR).glob("*/locale/*/LC_MESSAGES/django.mo"))
    assert catalogues
    for path in catalogues:
        words = path.read_bytes().decode(errors="ignore")
        lacking = {c for c in words if c >= " " and c != "\x7f"} - {
            chr(n) for n in fonts._face().face.charToGlyph
        }
        assert not {c for c in lacking if "\u3400" <= c <= "\u9fff"}, path


def test_a_long_table_goes_on_with_its_heading_and_totals_come_once():
    rows = tuple((f"商品{n:03} " + "很长的名称" * (n % 8), "-1", "-1.00") for n in range(60))
    pages = text_of(printed(replace(SLIP, rows=rows)))

    assert len(pages) > 2
    assert all("AS260302000001" in page for page in pages)
    assert all("价税合计" in page for page in pages if "商品0" in page)
    assert [f"商品{n:03}" in "".join(pages) for n in range(60)] == [True] * 60
    assert "合计 -2" in pages[-1].replace("\n", " ")
    assert "".join(pages).count("复核") == 1


def test_each_form_has_the_paper_it_asks_for():
    reader = PdfReader(io.BytesIO(printed(SLIP, replace(SLIP, size=A4))))
    sizes = [
        (round(p.mediabox.width / 72 * 25.4), round(p.mediabox.height / 72 * 25.4))
        for p in reader.pages
    ]

    assert sizes == [(210, 148), (210, 297)]


def test_nothing_to_print_is_an_error_not_an_empty_file():
    with pytest.raises(ValueError, match="nothing"):
        printed()


def test_the_page_is_numbered_in_the_reader_s_language():
    with translation.override("en"):
        (text,) = text_of(printed(SLIP))
    assert "page 1" in text


def test_a_slip_that_is_printed_leaves_only_its_page_behind():
    """The job's memory is that of one slip and the compressed pages, under 20 kB each."""
    fonts.load()
    kept = []

    def slips(number: int):
        for n in range(number):
            if n in (5, number - 1):
                gc.collect()
                kept.append(tracemalloc.get_traced_memory()[0])
            yield replace(SLIP, number=f"AS2603020{n:05}")

    tracemalloc.start()
    try:
        write(slips(25), io.BytesIO())
    finally:
        tracemalloc.stop()

    assert (kept[1] - kept[0]) / 19 < 20_000


@given(st.text(st.characters(codec="gbk", exclude_categories=["C", "Zl", "Zp"]), max_size=60))
def test_wrapped_lines_fit_and_lose_nothing_but_blanks(text):
    line = fonts.printable(text) if _printable(text) else ""
    lines = fonts.wrapped(line, 8, 60)

    assert all(fonts.width(part, 8) <= 60 or len(part) == 1 for part in lines)
    assert "".join(lines).replace(" ", "") == line.replace(" ", "")


def _printable(text: str) -> bool:
    try:
        fonts.printable(text)
    except MissingGlyph:
        return False
    return True
