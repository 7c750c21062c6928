"""kill -9 while a file is written: the next worker writes a whole one; no half is handed out."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from cases.models import ClearExport, ExportJob, Order, OrderLine, Shop
from cases.sheets import exportjobs
from cases.tasks import run_exports
from tests.faults.running import ROOT, environment_of

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROWS = 10_000
WORK = "import django; django.setup(); from cases.tasks import run_exports; run_exports()"


def worker_of(var_dir: Path) -> "subprocess.Popen[bytes]":
    """A worker of its own on this test's database."""
    there = connection.settings_dict
    place = f"{there['HOST'] or '127.0.0.1'}:{there['PORT'] or 5432}/{there['NAME']}"
    secret = f":{there['PASSWORD']}" if there["PASSWORD"] else ""
    environment = environment_of(
        var_dir,
        DJANGO_SETTINGS_MODULE="config.settings",
        DATABASE_URL=f"postgres://{there['USER']}{secret}@{place}",
    )
    return subprocess.Popen(
        [sys.executable, "-c", WORK], cwd=ROOT, env=environment, start_new_session=True
    )


def test_an_export_killed_while_it_is_written_is_whole_in_the_end(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"
    shop = Shop.objects.create(code="kills", platform="taobao")
    order = Order.objects.create(shop=shop, platform="taobao", order_no="K", phone="13812345678")
    OrderLine.objects.bulk_create(
        (OrderLine(order=order, line_no=n, title=f"短袖 {n}") for n in range(1, ROWS + 1)),
        batch_size=5000,
    )
    boss = User.objects.create_superuser("kills")
    job = exportjobs.ask(
        boss,
        "orders",
        "",
        columns=exportjobs.columns_for("orders", boss),
        file_format="csv",
        clear=True,
        reason="to be killed",
    )

    process = worker_of(tmp_path)
    while not any(path.stat().st_size for path in exportjobs.folder().iterdir()):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    job.refresh_from_db()
    assert (job.status, job.file.name) == ("running", "")
    assert not ClearExport.objects.exists()

    ExportJob.objects.update(lease_until=timezone.now())
    assert run_exports() == 1
    job.refresh_from_db()
    (record,) = ClearExport.objects.all()
    assert (job.status, job.rows_done, record.rows) == ("done", ROWS, ROWS)
    body = Path(job.file.path).read_bytes()
    assert hashlib.sha256(body).hexdigest() == job.sha256 == record.sha256
    assert body.count(b"\r\n") == ROWS + 1
