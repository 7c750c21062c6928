"""Sweeps in parallel and among people at work: every due case moves once, none blocks another."""

import random
import subprocess
import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cases.auditing import audit
from cases.flow import sweep
from cases.flow.door import Actor, Report, perform_many
from cases.models import Case, CaseEvent
from cases.seeding import seed
from tests.bench import office
from tests.faults.processes import CASES, answer_of, due_office, every_case_moved_once, start_sweep
from tests.faults.racing import no_fences, take_out_the_locks
from tests.faults.running import MANAGE, ROOT, environment_of, last_json, run


def an_office(rows: int = CASES, together: int = 1) -> datetime:
    """All cases due; the moment of the sweep. ``together``: so many cases of one order."""
    seed()
    now = timezone.now()
    office.fill(rows, rows, now, together=together)
    return now


def moves_per_case() -> Counter[int]:
    """How many cases took how many steps by the clock."""
    events = CaseEvent.objects.filter(channel="clock").values_list("case_id", flat=True)
    return Counter(Counter(events).values())


def in_threads(*works: Any) -> list[Any]:
    answers: list[Any] = [None] * len(works)

    def one(number: int) -> None:
        try:
            answers[number] = works[number]()
        except Exception as error:  # noqa: BLE001 - raised again below
            answers[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that some hundred cases are many batches."""
    monkeypatch.setitem(sweep.BATCH, "postgresql", 20)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_batches")
def test_two_sweeps_in_parallel_share_the_work_and_move_each_case_once():
    now = an_office()

    counts = in_threads(lambda: sweep.enforce(now), lambda: sweep.enforce(now))

    assert [c["acted"] > 0 for c in counts] == [True, True]
    assert sum(c["acted"] for c in counts) == CASES
    assert [c["failed"] + c["skipped"] for c in counts] == [0, 0]
    assert moves_per_case() == {1: CASES}
    assert audit(now).violations == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_batches")
def test_without_locks_and_fences_two_sweeps_move_cases_twice(monkeypatch):
    now = an_office(200)
    take_out_the_locks(monkeypatch)
    with no_fences(monkeypatch):
        in_threads(lambda: sweep.enforce(now), lambda: sweep.enforce(now))

        assert moves_per_case()[2] > 0


def written_down(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Faults of whole units, which a retry would heal and hide; this only watches."""
    faults: list[str] = []
    real = sweep.once_more

    def watched(unit: Any, argument: Any) -> Any:
        def noted(given: Any) -> Any:
            try:
                return unit(given)
            except Exception as error:
                faults.append(str(error))
                raise

        return real(noted, argument)

    monkeypatch.setattr(sweep, "once_more", watched)
    monkeypatch.setattr("cases.flow.door.once_more", watched)
    return faults


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_batches")
def test_sweeps_and_people_on_random_cases_never_deadlock(monkeypatch):
    now = an_office(together=2)
    deadlocks = written_down(monkeypatch)
    applied = list(Case.objects.filter(state="applied").values_list("pk", flat=True))

    def someone(seed_number: int) -> list[Report]:
        dice = random.Random(seed_number)
        reports = []
        for _turn in range(6):
            some = dice.sample(applied, 25)
            reports.append(
                perform_many(
                    Actor.sheet(),
                    Case,
                    some,
                    "record_platform_outcome",
                    outcome="closed",
                    number=f"N{dice.random()}",
                )
                if dice.random() < 0.3
                else perform_many(Actor.sheet(), Case, some, "set_platform_due", due_at=now)
            )
        return reports

    in_threads(
        lambda: sweep.enforce(now),
        lambda: sweep.enforce(now),
        lambda: someone(1),
        lambda: someone(2),
    )

    assert deadlocks == []
    assert audit(now).violations == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_batches")
def test_without_one_order_of_locks_sweeps_deadlock_so_the_hunt_would_see_it(monkeypatch):
    deadlocks = written_down(monkeypatch)
    monkeypatch.setattr(sweep.hooks, "prepare", lambda *_batch: None)
    seed()
    now = timezone.now()
    for attempt in range(8):  # chance has its part in it
        office.fill(600, 600, now, first=600 * attempt, together=2)
        in_threads(*[lambda: sweep.enforce(now)] * 3)
        if deadlocks:
            break

    assert any("deadlock" in fault for fault in deadlocks)


@pytest.mark.postgres
def test_two_enforce_processes_share_the_work_and_move_each_case_once(own_postgres, tmp_path):
    environment = environment_of(
        tmp_path, DATABASE_URL=own_postgres, DJANGO_SETTINGS_MODULE="config.settings"
    )
    due_office(environment, 2_000)

    answers = [answer_of(p) for p in [start_sweep(environment) for _ in range(2)]]

    assert sum(a["acted"] for a in answers) == 2_000
    assert [a["failed"] for a in answers] == [0, 0]
    every_case_moved_once(environment, 2_000)


@pytest.mark.any_database
def test_on_sqlite_two_enforce_processes_and_a_clerk_never_find_it_locked(own_sqlite, tmp_path):
    environment = environment_of(
        tmp_path, DATABASE_URL=own_sqlite, DJANGO_SETTINGS_MODULE="config.settings"
    )
    due_office(environment)
    code = (
        "import django; django.setup()\n"
        "from datetime import timedelta; from django.utils import timezone\n"
        "from cases.flow.door import Actor, perform; from cases.models import Case\n"
        "for case in Case.objects.order_by('?')[:80]:\n"
        "    perform(Actor.system('command'), case, Case.escalate, text='看一下')\n"
    )
    clerk = subprocess.Popen(
        [MANAGE[0], "-c", code], cwd=ROOT, env=environment, text=True, stderr=subprocess.PIPE
    )
    answers = [answer_of(p) for p in [start_sweep(environment) for _ in range(2)]]
    _, errors = clerk.communicate(timeout=120)

    assert "locked" not in errors
    assert sum(a["failed"] for a in answers) == 0
    later = (timezone.now() + timedelta(seconds=1)).isoformat()
    assert last_json(run(environment, "enforce", "--now", later))["due"] == 0
    assert last_json(run(environment, "audit"))["violations"] == []
