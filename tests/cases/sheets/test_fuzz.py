"""A short run of the fuzz from a fixed seed, and that it sees what is wrong."""

import pytest

from cases.sheets.loading import running
from tests.fuzz.running import Broken, Fuzz

pytestmark = [pytest.mark.usefixtures("desk"), pytest.mark.any_database]


def test_changed_files_and_random_rows_break_nothing():
    summary = Fuzz(20261122).rounds(2)

    assert summary.files == 50
    assert summary.examples_of_rows >= 20
    assert summary.rows > 30
    assert summary.answers["read"] > 5
    assert summary.answers["damaged"] > 5


def test_a_row_that_is_dropped_is_found(monkeypatch):
    """The fuzz has teeth: where a loader forgets a row, it says so and keeps the file."""
    whole = running.dialects.read_facts
    monkeypatch.setattr(running.dialects, "read_facts", lambda *given: list(whole(*given))[:-1])

    with pytest.raises(Broken) as found:
        Fuzz(1).some_rows()

    assert "rows were given" in found.value.rule
    assert found.value.content


def test_a_crash_is_found(monkeypatch):
    def crash(*_given, **_named):
        raise KeyError("left")

    monkeypatch.setattr(running, "open_sheet", crash)

    with pytest.raises(Broken) as found:
        Fuzz(1).one_sheet()

    assert found.value.rule == "KeyError: 'left'"
