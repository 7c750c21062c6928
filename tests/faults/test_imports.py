"""kill -9 at ten moments of an import: it ends in the same tables as one that was left alone."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

from cases.flow.door import Actor
from cases.sheets.jobs import WHAT
from cases.sheets.loading import import_file, running
from tests.cases.sheets.files.makers import NATIVE_ORDERS, csv_file, rows_of
from tests.cases.sheets.job_desk import digests
from tests.cases.sheets.loading_desk import ORDER, SIGNED
from tests.faults.running import (
    ROOT,
    environment_of,
    last_json,
    run,
    running_office,
    wait_until,
)

KILLS = 10


def sheet(folder, orders):
    """Orders of one and of two lines, broken rows, orders that come again later and earlier."""
    rows = []
    for n in range(orders):
        order = ORDER | {"order_no": f"K{n}", "phone": f"199{n:08}"}
        rows.append(order)
        if n % 7 == 0:
            rows.append(order | {"line_no": "2"})
        if n % 50 == 0:
            rows.append(order | {"order_no": f"B{n}", "paid_amount": "abc"})
        if n % 20 == 19:
            rows.append(SIGNED | {"order_no": f"K{n - 15}", "phone": f"199{n - 15:08}"})
        if n % 20 == 10 and n > 1000:
            rows.append(ORDER | {"order_no": f"K{n - 1006}", "phone": f"199{n - 1006:08}"})
    return csv_file(folder / "killed.csv", [NATIVE_ORDERS, *rows_of(NATIVE_ORDERS, *rows)]), rows


@pytest.fixture
def environment(tmp_path, request):
    """An office of its own on the kind of database this test run has."""
    url = request.getfixturevalue(
        "own_postgres" if connection.vendor == "postgresql" else "own_sqlite"
    )
    return environment_of(
        tmp_path,
        SECRET_KEY=settings.SECRET_KEY,
        PHONE_HASH_KEY=settings.PHONE_HASH_KEY,
        DATABASE_URL=url,
        DATABASE_POOL="false",  # a pool cannot be taken across a fork
        DJANGO_SETTINGS_MODULE="config.settings",
    )


@pytest.mark.django_db
def test_an_import_killed_ten_times_ends_as_one_that_was_left_alone(
    tmp_path, environment, monkeypatch
):
    monkeypatch.setitem(running.CHUNK, connection.vendor, 200)  # as in the script
    orders = int(os.environ.get("KILLED_ORDERS", "5000"))
    path, rows = sheet(tmp_path, orders)
    alone = import_file(path, actor=Actor.sheet(), shop="shop", may_create_shop=True)
    assert alone.failed == orders // 50

    told = subprocess.run(
        [sys.executable, "-m", "tests.faults.imports", str(path), str(KILLS)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    found = last_json(told)

    assert (found["status"], found["deaths"]) == ("done", KILLS)
    assert found["rows"] == found["checked"] == len(rows)
    assert found["counts"] == {what: getattr(alone, what) for what in WHAT}
    assert found["tables"] == digests()
    assert last_json(run(environment, "audit"))["violations"] == []


def only_job(environment):
    """The one import of this office, as ``show`` tells it."""
    code = (
        "import django; django.setup(); from cases.models import ImportJob\n"
        "print(*ImportJob.objects.values_list('job_no', flat=True))"
    )
    asked = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return last_json(run(environment, "show", "job", asked.stdout.strip()))


def test_an_import_whose_command_is_killed_is_finished_by_the_office(tmp_path, environment):
    environment |= {"JOB_LEASE_SECONDS": "3"}
    if connection.vendor == "postgresql" and "REDIS_URL" in os.environ:
        environment |= {"BROKER_URL": os.environ["REDIS_URL"], "JOB_SECONDS": "2"}
    path, rows = sheet(tmp_path, 6000)
    command = subprocess.Popen(
        [sys.executable, "manage.py", "import_sheet", str(path), "--shop", "shop", "-v", "2"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert command.stderr
    assert command.stderr.readline()  # the first chunk is written
    os.killpg(command.pid, signal.SIGKILL)
    command.communicate()
    cut_off = only_job(environment)
    assert cut_off["status"] == "running"
    assert 0 < cut_off["rows"] < len(rows)

    with running_office(environment):
        assert wait_until(lambda: only_job(environment)["status"] == "done")

    done = only_job(environment)
    assert done["rows"] == len(rows)
    assert last_json(run(environment, "audit"))["violations"] == []
