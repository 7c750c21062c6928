"""Every damaged or hostile sheet gets its answer, in English and in Chinese, and harms nobody."""

import subprocess
import sys
import time

import pytest
from django.utils import translation

from cases.flow.door import Actor, Refused
from cases.models import Order
from cases.sheets.loading import import_file
from cases.sheets.reader import Unreadable, open_sheet
from tests.corpus import EVIDENCE, SHEETS, Kind, books, texts
from tests.corpus.leftovers import readers_left

pytestmark = pytest.mark.any_database

NAMES = ("created", "updated", "unchanged", "skipped", "failed")


def fed(path):
    """Code and words of the refusal or of the first failed row, the counts, the failed rows."""
    try:
        result = import_file(path, actor=Actor.sheet(), dry_run=True)
    except (Unreadable, Refused) as refusal:
        return refusal.code, refusal.message, None, ()
    counts = {name: getattr(result, name) for name in NAMES if getattr(result, name)}
    assert sum(counts.values()) == result.rows
    failures = tuple((row, code) for row, code, _message in result.failures)
    code, message = result.failures[0][1:] if failures else ("", "")
    return code, message, counts, failures


@pytest.mark.parametrize("kind", SHEETS.values(), ids=SHEETS)
def test_a_sheet_gets_its_answer(kind: Kind, desk, tmp_path):
    path = tmp_path / f"upload.{kind.ending}"
    path.write_bytes(kind.make())
    began = time.monotonic()

    for language, words in (("en", kind.english), ("zh-hans", kind.chinese)):
        with translation.override(language):
            code, message, counts, failures = fed(path)
        assert (code, counts, failures) == (kind.code, kind.counts, kind.failures)
        assert message == words or (not words and message)

    assert time.monotonic() - began < 60  # twice thirty seconds
    assert not Order.objects.exists()
    assert readers_left() == []
    assert list(tmp_path.iterdir()) == [path]


def test_the_corpus_is_large_and_its_files_are_the_same_every_time():
    assert len(SHEETS) > 150
    for kind in list(SHEETS.values())[::7]:
        assert kind.make() == kind.make(), kind.name


def test_the_corpus_is_written_by_one_command(tmp_path):
    command = [sys.executable, "-m", "tests.corpus", str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    count = len(SHEETS) + len(EVIDENCE)
    assert said.startswith(f"{count} files")
    answers = (tmp_path / "answers.csv").read_text(encoding="utf-8-sig")
    assert answers.count("sheet/") == len(SHEETS)
    assert "工作簿已损坏，请重新导出。" in answers


def cells(content, path):
    path.write_bytes(content)
    with open_sheet(path) as table:
        return [list(row.values) for row in table]


def test_days_counted_from_1904_are_the_days_people_see(tmp_path):
    (row,) = cells(books.days_counted_from_1904(), tmp_path / "a.xlsx")

    assert str(row[-1]) == "2026-03-01 12:00:00"


def test_an_empty_text_that_a_formula_gives_is_no_error(tmp_path):
    content = books.changed(title=' t="str"><f>IF(A3="","",A3)</f><v></v></c>')

    assert cells(content, tmp_path / "a.xlsx")[1][4] == ""


def test_a_last_row_that_nobody_has_computed_is_a_row(tmp_path):
    formula = '<row r="3"><c r="C3"><f>A1</f></c></row>'
    content = books.book(books.sheet_xml(books.table(books.row()) + formula))

    assert cells(content, tmp_path / "a.xlsx")[1][2] == "#CALC!"


def test_signs_that_look_like_digits_are_none(desk, tmp_path):
    """`10²` is not 102, and `①` is not 1."""
    rows = [texts.row(1, paid_amount="10²"), texts.row(2, quantity="①")]
    path = tmp_path / "a.csv"
    path.write_bytes(texts.orders(*rows).encode())

    assert fed(path)[2] == {"failed": 2}
