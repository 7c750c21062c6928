"""Many processes claim from one deposit at once, and die while they do: no cent is lost or doubled.

CLAIMS=2000 in the environment runs the race at full size.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faults.conftest import new_database
from tests.faults.running import ROOT, environment_of

CLAIMS = int(os.environ.get("CLAIMS", "48"))
PROCESSES = 8
SOURCES = {"sqlite": "file", "postgres": "postgres"}
BOTH = [
    pytest.param("sqlite", marks=pytest.mark.any_database),
    pytest.param("postgres", marks=pytest.mark.postgres),
]


def claimant(environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.claimants", *words],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, errors = process.communicate(timeout=1500)
    assert process.returncode == 0, errors
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], tuple[str, dict[str, Any]]]]:
    """Per database a filled office, made when first asked for: its URL, what was filled in."""
    folder = tmp_path_factory.mktemp("claims")
    with ExitStack() as stack:

        @cache
        def fill(database: str) -> tuple[str, dict[str, Any]]:
            seeded = request.getfixturevalue(f"seeded_{SOURCES[database]}")
            url = stack.enter_context(copied(database, str(seeded), folder))
            return url, answer(claimant(_environment(folder, url), "fill", str(CLAIMS)))

        yield fill


@contextmanager
def copied(database: str, source: str, folder: Path) -> Iterator[str]:
    """A copy of an SQLite file or of a PostgreSQL database; its URL."""
    if database == "postgres":
        with new_database(source) as url:
            yield url
    else:
        yield f"sqlite:///{shutil.copy(source, folder)}"


def _environment(folder: Path, url: str) -> dict[str, str]:
    return environment_of(
        folder,
        DATABASE_URL=url,
        DATABASE_POOL="false",
        DJANGO_SETTINGS_MODULE="config.settings",
        LOG_LEVEL="ERROR",
    )


@pytest.fixture
def office(request: pytest.FixtureRequest, filled: Any, tmp_path: Path) -> Iterator[Any]:
    """The environment of a filled office that the story has to itself."""
    url, told = filled(request.param)
    path = urlsplit(url).path
    source = path[1:] if request.param == "postgres" else path
    with copied(request.param, source, tmp_path) as own:
        yield _environment(tmp_path, own), told


def race(environment: dict[str, str], mode: str = "") -> Counter[str]:
    """Every claim is accepted twice, by two processes, with one key; their answers."""
    words = [mode] if mode else []
    started = [
        claimant(environment, "accept", str(n), str(PROCESSES), *words) for n in range(PROCESSES)
    ]
    return sum((Counter(answer(process)) for process in started), Counter())


@pytest.mark.parametrize("office", BOTH, indirect=True)
def test_many_claims_sent_twice_from_many_processes_are_each_paid_or_owed_once(office):
    environment, told = office

    answers = race(environment)

    assert set(answers) == {"paid", "owed"}, answers
    assert sum(answers.values()) == 2 * CLAIMS
    after = answer(claimant(environment, "look"))
    assert sum(after["states"].values()) == CLAIMS == after["pay_entries"]
    assert set(after["states"]) == {"paid", "owed"}
    # To the last cent: what there was is paid out, what was due beyond is owed.
    assert (after["available"], after["paid"]) == ("0.00", told["money"])
    assert Decimal(after["owed"]) == Decimal(told["due"]) - Decimal(told["money"])
    assert after["violations"] == []


@pytest.mark.parametrize("office", BOTH[1:], indirect=True)
def test_without_the_lock_the_fences_hold_but_people_are_refused(office):
    environment, _told = office

    answers = race(environment, "no_lock")

    assert answers["stale"] > 0  # so the race above would have failed
    after = answer(claimant(environment, "look"))
    assert after["violations"] == []
    assert Decimal(after["available"]) >= 0


@pytest.mark.parametrize("office", BOTH[1:], indirect=True)
def test_without_lock_and_fences_money_is_made_so_these_tests_would_see_it(office):
    environment, _told = office
    answer(claimant(environment, "lift_rules"))

    race(environment, "no_fence")

    after = answer(claimant(environment, "look"))
    assert "balance_not_summed" in after["violations"]


@pytest.mark.parametrize("office", BOTH, indirect=True)
def test_killed_before_any_statement_of_a_payout_or_a_top_up_it_happens_once(office):
    """kill -9 before each statement in turn; after the restart the same act is sent twice."""
    environment, told = office

    payouts = answer(claimant(environment, "kill", "accept"))["killed"]
    rulings = answer(claimant(environment, "kill", "uphold"))["killed"]
    answer(claimant(environment, "accept", "0", "1"))
    top_ups = answer(claimant(environment, "kill", "top_up"))["killed"]

    assert payouts >= 10
    assert rulings >= 10
    assert top_ups >= 10
    after = answer(claimant(environment, "look"))
    added = (top_ups + 1) * Decimal("0.70")
    assert Decimal(after["topped_up"]) == Decimal(told["money"]) + added
    assert Decimal(after["paid"]) + Decimal(after["available"]) == Decimal(after["topped_up"])
    assert Decimal(after["paid"]) + Decimal(after["owed"]) == Decimal(told["due"])
    assert after["pay_entries"] == CLAIMS
    assert after["violations"] == []
