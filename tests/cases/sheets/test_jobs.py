"""Imports as jobs: checked without a trace, taken once, resumed after the last committed chunk."""

import json
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from cases.flow import clock
from cases.flow.door import Actor, Refused
from cases.models import Case, ImportChunk, ImportJob, Order
from cases.models.jobs import ATTEMPTS
from cases.sheets import jobs
from cases.sheets.loading import import_file, running
from cases.sheets.reader import open_sheet
from cases.sheets.working import Stopped, cancel
from cases.tasks import run_jobs
from tests.cases.sheets.files.makers import NATIVE_CASES, NATIVE_ORDERS, csv_file, rows_of
from tests.cases.sheets.job_desk import (
    Killed,
    checked,
    dies_after,
    expire,
    forget_orders,
    fresh,
    hand_in,
    rows_told,
    tables,
    taken,
)
from tests.cases.sheets.loading_desk import CASE, NOW, ORDER, SIGNED, case, order
from tests.cases.sheets.test_commands_sheets import run
from tests.factories import furnished


@pytest.fixture
def small_chunks(monkeypatch):
    """Four rows per transaction, so that a few rows make many chunks."""
    monkeypatch.setattr(running, "CHUNK", {"sqlite": 4, "postgresql": 4})
    monkeypatch.setattr(running, "DOOR_CHUNK", {"sqlite": 4, "postgresql": 4})
    monkeypatch.setattr(running, "TRIAL_CHUNK", 4)


#: Lines of one order with a broken row between them, an order twice, a refund, an unknown shop.
MIXED = [
    ORDER | {"order_no": "M1"},
    ORDER | {"order_no": "M2", "line_no": "1"},
    ORDER | {"order_no": "M2", "line_no": "2", "paid_at": "2026-13-45"},
    ORDER | {"order_no": "M2", "line_no": "3"},
    ORDER | {"order_no": "M3", "shop": "nowhere"},
    *[ORDER | {"order_no": f"N{n}", "quantity": "1"} for n in range(5)],
    ORDER | {"order_no": "M4", "paid_amount": "abc"},
    ORDER | {"order_no": "M4"},
    SIGNED | {"order_no": "M1"},
    ORDER | {"order_no": "N9", "quantity": "1"},
    ORDER | {"order_no": "M1"},
]


def sheet_of(desk, rows=MIXED):
    return desk.file(NATIVE_ORDERS, *rows)


def test_a_check_tells_each_row_and_leaves_no_trace(desk, small_chunks):
    job = checked(sheet_of(desk))

    assert (job.status, job.found_dialect, job.sheet_kind) == ("checked", "native", "orders")
    assert not Order.objects.exists()
    assert list(rows_told(job, "check")) == list(range(2, 2 + len(MIXED)))
    assert (job.rows_done, job.rows_total) == (len(MIXED), len(MIXED))
    assert jobs.counts_of(job, "check")["failed"] == 3


def test_a_job_ends_as_an_import_in_one_go_does(desk, small_chunks):
    path = sheet_of(desk)
    desk.orders(ORDER | {"order_no": "N0", "quantity": "1"})
    job = taken(path)
    found, mine = tables(), jobs.result_of(job)
    forget_orders()
    desk.orders(ORDER | {"order_no": "N0", "quantity": "1"})

    alone = import_file(path, actor=Actor.sheet())

    assert tables() == found
    counts = ("rows", "created", "updated", "unchanged", "skipped", "failed")
    assert [getattr(mine, n) for n in counts] == [getattr(alone, n) for n in counts]
    assert (mine.warnings, mine.failures) == (alone.warnings, alone.failures)
    assert job.status == "done"
    assert job.finished_at is not None


def test_what_an_update_changes_is_told_with_personal_data_masked(desk):
    desk.orders(ORDER | {"phone": "19900001234", "receiver": "张三"})
    job = checked(sheet_of(desk, [SIGNED | {"phone": "19911112222", "receiver": "李四"}]))

    ((_row, what, label, _message, _code, changes),) = json.loads(job.chunks.get().told)
    assert (what, label) == ("updated", "A1")
    told = {field: (old, new) for field, old, new in changes}
    assert told["status"] == ("paid", "signed")
    assert told["signed_at"] == ("", "2026-03-05 08:00:00")
    assert "1234" not in json.dumps(changes) or "19900001234" not in json.dumps(changes)
    assert "19911112222" not in json.dumps(changes)
    assert "李四" not in json.dumps(changes, ensure_ascii=False)


def test_nothing_is_taken_before_it_is_confirmed_and_then_once(desk):
    job = checked(sheet_of(desk))
    assert not jobs.work(job.pk)

    jobs.confirm(job, None)
    with pytest.raises(Refused):
        jobs.confirm(fresh(job), None)
    assert run_jobs() == 1
    assert run_jobs() == 0

    assert fresh(job).status == "done"
    before = tables()
    assert not jobs.work(job.pk)
    assert tables() == before


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_a_worker_that_dies_is_followed_by_one_that_goes_on(desk, small_chunks, chunks):
    path = sheet_of(desk)
    undisturbed = taken(path)
    expected, rows = tables(), rows_told(undisturbed)
    forget_orders()
    job = checked(path)
    jobs.confirm(job, None)

    with pytest.raises(Killed):
        jobs.run_phase(ImportJob.objects.claim(job.pk), progress=dies_after(chunks))
    written = ImportChunk.objects.filter(job=job, phase="run").count()
    assert written == chunks
    assert not jobs.work(job.pk)  # its lease still stands
    expire(job)
    assert jobs.work(job.pk)

    assert tables() == expected
    assert rows_told(fresh(job)) == rows
    assert fresh(job).status == "done"


def test_of_two_workers_one_gets_the_job_and_the_late_one_writes_nothing(desk, small_chunks):
    job = checked(sheet_of(desk))
    jobs.confirm(job, None)
    first = ImportJob.objects.claim(job.pk)
    assert ImportJob.objects.claim(job.pk) is None

    expire(job)  # it was only slow
    second = ImportJob.objects.claim(job.pk)
    with pytest.raises(Stopped):
        jobs.run_phase(first)
    assert not Order.objects.exists()
    jobs.run_phase(second)

    assert list(rows_told(fresh(job))) == list(range(2, 2 + len(MIXED)))


def test_an_import_is_stopped_between_two_chunks_and_says_how_far_it_came(desk, small_chunks):
    job = checked(sheet_of(desk))
    jobs.confirm(job, None)
    mine = ImportJob.objects.claim(job.pk)

    with pytest.raises(Stopped):
        jobs.run_phase(mine, progress=lambda _rows: cancel(job))
    cancel(fresh(job))
    expire(job)
    run_jobs()

    job = fresh(job)
    assert job.status == "cancelled"
    assert list(rows_told(job)) == [2, 3, 4, 5]
    assert sorted(Order.objects.values_list("order_no", flat=True)) == ["M1", "M2"]


@pytest.mark.parametrize("status", ["uploaded", "checking", "checked", "queued"])
def test_what_nobody_works_on_is_cancelled_at_once(desk, status):
    job = hand_in(sheet_of(desk))
    ImportJob.objects.filter(pk=job.pk).update(status=status)
    cancel(fresh(job))

    assert fresh(job).status == "cancelled"
    assert not jobs.work(job.pk)
    assert not Order.objects.exists()


def test_a_job_begun_three_times_in_vain_is_given_up_and_can_be_tried_again(desk):
    job = checked(sheet_of(desk, [ORDER]))
    jobs.confirm(job, None)
    for _attempt in range(ATTEMPTS):
        assert ImportJob.objects.claim(job.pk) is not None
        expire(job)
    assert not jobs.work(job.pk)

    job = fresh(job)
    assert (job.status, job.problem[:17]) == ("failed", "Begun three times")
    jobs.go_on(job)
    assert jobs.work(job.pk)
    assert (fresh(job).status, order().order_no) == ("done", "A1")


def test_progress_forgives_earlier_attempts(desk, small_chunks):
    job = checked(sheet_of(desk))
    jobs.confirm(job, None)
    for _attempt in range(ATTEMPTS - 1):
        ImportJob.objects.claim(job.pk)
        expire(job)
    with pytest.raises(Killed):
        jobs.run_phase(ImportJob.objects.claim(job.pk), progress=dies_after(1))
    expire(job)

    assert jobs.work(job.pk)
    assert fresh(job).status == "done"


def test_a_file_that_is_no_sheet_fails_in_words(desk, tmp_path):
    path = tmp_path / "x.xlsx"
    path.write_bytes(b"\x00\x01 no sheet")
    job = hand_in(path)
    jobs.check(job)
    jobs.work(job.pk)

    job = fresh(job)
    assert job.status == "failed"
    assert job.problem
    assert "Traceback" not in job.problem


def test_rights_lost_between_check_and_import_refuse_the_import(desk):
    lead = desk.house.users["lead"]
    job = checked(sheet_of(desk, [ORDER]), lead, shop="shop")
    jobs.confirm(job, lead)
    lead.groups.clear()
    jobs.work(job.pk)

    assert fresh(job).status == "failed"
    assert not Order.objects.exists()


def test_the_error_workbook_comes_from_what_was_written_down(desk, tmp_path):
    job = taken(sheet_of(desk))
    book = tmp_path / "errors.xlsx"

    assert jobs.write_error_book(job, book) == 3
    with open_sheet(book) as table:
        rows = [row.cells for row in table]
    assert [row["行号"] for row in rows] == ["4", "6", "12"]
    assert [row["order_no"] for row in rows] == ["M2", "M3", "M4"]
    assert all(row["错误"].startswith(f"Row {row['行号']}") for row in rows)

    for row in rows:
        row.update(paid_at=ORDER["paid_at"], shop="shop", paid_amount="100.00")
    mended = desk.file(list(rows[0]), *rows)
    assert jobs.counts_of(taken(mended), "run")["failed"] == 0


def test_the_same_file_again_says_so(desk):
    path = sheet_of(desk, [ORDER])
    first, _words, _code = run("import_sheet", path)
    again, words, _code = run("import_sheet", path)

    assert first["warnings"] == []
    assert first["job"] != again["job"]
    (told,) = again["warnings"]
    assert first["job"] in told
    assert told in words
    assert again["unchanged"] == 1


def test_another_shops_import_of_the_same_file_is_nobodys_business(desk):
    path = sheet_of(desk, [ORDER])
    taken(path, desk.house.users["supervisor"], shop="shop")
    outsider = desk.house.users["outsider"]
    assert jobs.said_before(hand_in(path, outsider)) == ""
    assert jobs.said_before(hand_in(path, desk.house.users["lead"], shop="shop"))


def test_a_job_is_shown_as_json(desk):
    found, _words, _code = run("import_sheet", sheet_of(desk))
    shown, _words, code = run("show", "job", found["job"])

    assert code == 0
    same = ("rows", "created", "updated", "unchanged", "skipped", "failed", "dialect", "kind")
    assert {name: shown[name] for name in same} == {name: found[name] for name in same}
    assert (shown["status"], shown["by"], shown["error"]) == ("done", None, None)
    assert len(shown["sha256"]) == 64
    assert shown["progress"] == {"phase": "run", "rows_done": 15, "rows_total": 15}
    assert run("show", "job", "J0")[2] == 2


def test_a_job_is_shown_to_whom_it_concerns(desk):
    job = checked(sheet_of(desk), desk.house.users["lead"], shop="shop")

    assert run("show", "job", job.job_no, "--as", "agent")[2] == 0
    assert run("show", "job", job.job_no, "--as", "outsider")[2] == 2
    assert run("show", "job", job.job_no, "--as", "warehouse")[2] == 2


def test_a_refused_command_leaves_a_job_that_says_why(desk, tmp_path):
    path = csv_file(tmp_path / "x.csv", [["a", "b"], ["1", "2"]])
    refused, _words, code = run("import_sheet", path)

    assert code == 2
    job = ImportJob.objects.get()
    assert (job.status, job.problem) == ("failed", refused["refused"])


def test_case_rows_resumed_move_each_case_once(desk, small_chunks):
    desk.orders(*[SIGNED | {"order_no": f"A{n}"} for n in range(12)])
    rows = [CASE | {"case_no": f"C{n}", "order_no": f"A{n}"} for n in range(12)]
    desk.cases(*rows)
    moved = [row | {"state": "awaiting_return"} for row in rows[:11]]
    moved.append(rows[11] | {"state": "awaiting_dispatch"})  # no step leads there
    path = desk.file(NATIVE_CASES, *moved)
    job = checked(path)
    assert jobs.counts_of(job, "check")["updated"] == 11
    assert {c.state for c in Case.objects.all()} == {"applied"}
    jobs.confirm(job, None)
    for _death in range(2):
        with pytest.raises(Killed):
            jobs.run_phase(ImportJob.objects.claim(job.pk), progress=dies_after(1))
        expire(job)
    jobs.work(job.pk)

    told = rows_told(fresh(job))
    assert list(told.values()) == ["updated"] * 11 + ["failed"]
    assert {c.seq for c in Case.objects.exclude(case_no="C11")} == {2}
    assert case("C11").state == "applied"
    (fault,) = jobs.faults_of(fresh(job), "run")
    assert fault[4] == "wrong_state"


def test_a_check_deleted_by_new_choices_starts_again(desk, small_chunks):
    job = checked(sheet_of(desk))
    jobs.check(job, columns={"paid_at": ""})
    assert not ImportChunk.objects.filter(job=job).exists()
    jobs.work(job.pk)

    assert "paid_at" in fresh(job).unknown_columns
    assert jobs.counts_of(job, "check")["failed"] == 2  # the broken time is not read any more


WORDS = {
    "good": ORDER,
    "signed": SIGNED,
    "broken": ORDER | {"paid_amount": "abc"},
    "nowhere": ORDER | {"shop": "nowhere"},
    "second": ORDER | {"line_no": "2"},
}


class Resumed(TestCase):
    """Whatever the rows are and wherever the worker dies, it ends as if it had not."""

    def setUp(self):
        furnished()

    @given(
        rows=st.lists(
            st.tuples(st.sampled_from(sorted(WORDS)), st.integers(0, 4)), min_size=1, max_size=14
        ),
        deaths=st.lists(st.integers(1, 3), max_size=3),
    )
    @hypothesis_settings(max_examples=15)
    def test_it_ends_as_an_undisturbed_import(self, rows, deaths):
        told = [WORDS[word] | {"order_no": f"H{number}"} for word, number in rows]
        with (
            tempfile.TemporaryDirectory() as folder,
            pytest.MonkeyPatch.context() as patch,
            clock.standing_at(NOW),
        ):
            for sizes in ("CHUNK", "DOOR_CHUNK"):
                patch.setattr(running, sizes, {"sqlite": 2, "postgresql": 2})
            lines = [NATIVE_ORDERS, *rows_of(NATIVE_ORDERS, *told)]
            path = csv_file(Path(folder) / "h.csv", lines)
            alone = import_file(path, actor=Actor.sheet())
            expected = tables()
            forget_orders()
            job = checked(path)
            jobs.confirm(job, None)
            for chunks in deaths:
                with suppress(Killed):
                    if mine := ImportJob.objects.claim(job.pk):
                        jobs.run_phase(mine, progress=dies_after(chunks))
                expire(job)
            jobs.work(job.pk)

            assert tables() == expected
            assert list(rows_told(fresh(job))) == list(range(2, 2 + len(rows)))
            assert jobs.counts_of(job, "run") == {n: getattr(alone, n) for n in jobs.WHAT}
