"""Staff at work while a sheet comes in: how long pages and a written note take, idle and meanwhile.

One process asks for the queue, a case and a note like a browser does, with no pause; the other
imports ``rows`` orders. An error of any kind, "database is locked" first of all, ends the bench.
"""

import multiprocessing
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cases.models import Case
from tests.bench import importing, lists, office, stand

CASES = 2000
IDLE_ROUNDS = 60
#: Fewer requests tell no p95.
FEWEST = 20
_HIDDEN = re.compile(r'name="(_key|_version)" value="([^"]*)"')


def run(rows: int, database: str) -> Iterator[dict[str, Any]]:
    """p50, p95 and the longest of each page in milliseconds, then the ratios of the p95."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        sheet = Path(folder) / "orders.csv"
        importing.write_orders(sheet, rows)
        stand.in_child(lists.collect)
        stand.in_child(_open)
        idle = stand.in_child(lambda: asked(lambda done: done < IDLE_ROUNDS))
        yield from _lines(database, "idle", idle)
        importer = multiprocessing.get_context("fork").Process(target=importing.ours, args=(sheet,))
        began = time.perf_counter()
        importer.start()
        busy = stand.in_child(lambda: asked(lambda _done: _runs(importer.pid)))
        importer.join()
        assert importer.exitcode == 0
        assert len(busy["list"]) >= FEWEST, "the import was over too soon: take more --rows"
        yield from _lines(database, "during an import", busy)
        seconds = time.perf_counter() - began
    yield {
        "name": "desk",
        "database": database,
        "rows": rows,
        "rows_per_second": round(rows / seconds),
        "ratios": {page: round(_p95(busy[page]) / _p95(idle[page]), 2) for page in idle},
    }


def _open() -> None:
    importing.open_shop()
    office.fill(CASES, 0, timezone.now().isoformat())
    User.objects.create(username="boss", is_staff=True, is_superuser=True)


def _runs(pid: int | None) -> bool:
    """Whether the process still works; its parent, who is not we, has yet to bury it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def asked(goes_on: Callable[[int], bool]) -> dict[str, list[float]]:
    """Milliseconds of every request, by page; one round asks for each page once."""
    client = Client(SERVER_NAME="localhost")
    boss = User.objects.get(username="boss")
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    keys = list(Case.objects.values_list("pk", flat=True))
    taken: dict[str, list[float]] = {"list": [], "case": [], "note": []}
    done = -1  # the first round warms the templates up
    while done < 0 or goes_on(done):
        case = f"/admin/cases/case/{keys[done * 7 % len(keys)]}/"
        times = _round(client, case)
        if done >= 0:
            for page, milliseconds in times.items():
                taken[page].append(milliseconds)
        done += 1
    return taken


def _round(client: Client, case: str) -> dict[str, float]:
    step = f"{case}do/add_note/"
    form = dict(_HIDDEN.findall(client.get(step).content.decode())) | {"text": "同步中"}
    return {
        "list": _timed(lambda: client.get("/admin/cases/case/"), 200),
        "case": _timed(lambda: client.get(f"{case}change/"), 200),
        "note": _timed(lambda: client.post(step, form), 302),
    }


def _timed(work: Callable[[], Any], status: int) -> float:
    began = time.perf_counter()
    response = work()
    milliseconds = (time.perf_counter() - began) * 1000
    assert response.status_code == status, (response.status_code, response.content[:500])
    return milliseconds


def _p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1]


def _lines(database: str, when: str, taken: dict[str, list[float]]) -> Iterator[dict[str, Any]]:
    for page, times in taken.items():
        yield {
            "name": "desk",
            "database": database,
            "when": when,
            "page": page,
            "requests": len(times),
            "p50_ms": round(statistics.median(times), 1),
            "p95_ms": round(_p95(times), 1),
            "longest_ms": round(max(times), 1),
        }
