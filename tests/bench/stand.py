"""Where a bench stands: a database of its own, restored before every run; runs in child processes.

A child starts small and dies afterwards, so its peak memory is that of the one run.
"""

import gc
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SERVER = os.environ.get("POSTGRES_URL") or "postgres://root@127.0.0.1:5432/postgres"
TURNS = 3
#: Rows from which one turn says enough.
LARGE = 200_000


@contextmanager
def site_on(database: str) -> Iterator[None]:
    """Django on an empty, migrated and seeded database that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    name = f"bench_{os.getpid()}"
    url = f"sqlite:///{folder / 'db.sqlite3'}"
    if database == "postgres":
        _server(f"CREATE DATABASE {name}")
        url = urlsplit(SERVER)._replace(path=f"/{name}").geturl()
    os.environ.update(
        DJANGO_SETTINGS_MODULE="config.settings",
        DATABASE_URL=url,
        DATABASE_POOL="false",
        ENV_FILE=os.devnull,
        VAR_DIR=str(folder),
        SECRET_KEY="only-for-the-bench-" + "0" * 50,
        LOG_LEVEL="ERROR",
    )
    try:
        in_child(_prepare)
        import django  # noqa: PLC0415 - configured only now

        django.setup()
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if database == "postgres":
            for one in (name, f"{name}_kept"):
                _server(f"DROP DATABASE IF EXISTS {one} WITH (FORCE)")


def _prepare() -> None:
    import django  # noqa: PLC0415 - configured only now

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from cases.seeding import seed  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    seed()


def _server(*statements: str) -> None:
    import psycopg  # noqa: PLC0415 - a bench on SQLite needs none

    with psycopg.connect(SERVER, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)


def keep(database: str) -> None:
    """Remember the database as it is now."""
    in_child(_keep, database)


def _keep(database: str) -> None:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        if database == "sqlite":
            cursor.execute("ANALYZE")
            cursor.execute(f"VACUUM INTO '{connection.settings_dict['NAME']}.kept'")
            return
        cursor.execute("VACUUM ANALYZE")
    name = connection.settings_dict["NAME"]
    connection.close()
    _server(f"DROP DATABASE IF EXISTS {name}_kept", f"CREATE DATABASE {name}_kept TEMPLATE {name}")


def restore(database: str) -> None:
    """The database as it was kept."""
    from django.db import connections  # noqa: PLC0415

    name = str(connections.settings["default"]["NAME"])
    if database == "sqlite":
        for end in ("", "-wal", "-shm"):
            Path(f"{name}{end}").unlink(missing_ok=True)
        shutil.copy(f"{name}.kept", name)
        return
    _server(
        f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
        f"CREATE DATABASE {name} TEMPLATE {name}_kept",
        "CHECKPOINT",
    )


def in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns (as JSON), run in a forked process."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)

    def body() -> None:
        gc.freeze()  # what the parent left is no garbage; to look through it would copy it
        theirs.send(json.dumps(function(*arguments)))

    child = context.Process(target=body)
    child.start()
    theirs.close()
    try:
        answer = json.loads(ours.recv())
    except EOFError:
        answer = None
    child.join()
    if child.exitcode:
        raise RuntimeError(f"{function.__name__} failed")
    return answer


def measured(work: Callable[[], int]) -> dict[str, Any]:
    """Run ``work`` (it returns how many rows it did) and say what it took."""
    from django.db import connection  # noqa: PLC0415

    queries = 0

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(sql, params, many, context)

    connection.ensure_connection()
    with connection.execute_wrapper(count):
        began, worked = time.perf_counter(), _processor_time()
        rows = work()
        seconds, processor = time.perf_counter() - began, _processor_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "rows": rows,
        "seconds": round(seconds, 3),
        "cpu_seconds": round(processor, 3),
        "rows_per_second": round(rows / seconds),
        "peak_mb": round(peak),
        "queries": queries,
    }
    # A workbook is read by a process of its own.
    if children := resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss:
        figures["child_peak_mb"] = round(children / 1024)
    return figures


def _processor_time() -> float:
    """Seconds of the processor this process and its children took; a server's are not in it."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def in_turn(
    name: str,
    database: str,
    candidates: dict[str, Callable[[], int]],
    *,
    same: Callable[[], Any] | None = None,
    turns: int = TURNS,
) -> Iterator[dict[str, Any]]:
    """Each candidate on the restored database, in turn; then the ratios of the medians to ours.

    ``same`` says what came of a run; a candidate that brought about something else is no match.
    """
    taken: dict[str, list[float]] = {who: [] for who in candidates}
    worked: dict[str, list[float]] = {who: [] for who in candidates}
    outcomes = []
    for _turn in range(turns):
        for who, work in candidates.items():
            restore(database)
            figures = in_child(measured, work)
            if same is not None:
                outcomes.append(in_child(same))
                assert outcomes[-1] == outcomes[0], f"{who}: {outcomes[-1]}, not {outcomes[0]}"
            taken[who].append(figures["seconds"] / max(figures["rows"], 1))
            worked[who].append(figures["cpu_seconds"] / max(figures["rows"], 1))
            yield {"name": name, "database": database, "who": who, **figures}
    yield {
        "name": name,
        "database": database,
        "ratios": _to_ours(taken),
        # What is left where others use the machine too; on SQLite all work is in it.
        "cpu_ratios": _to_ours(worked),
    }


def _to_ours(taken: dict[str, list[float]]) -> dict[str, float]:
    ours = statistics.median(taken["ours"])
    return {
        f"{who}/ours": round(statistics.median(times) / ours, 2)
        for who, times in taken.items()
        if who != "ours"
    }
