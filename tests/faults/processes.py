"""Sweeps in processes of their own, on a database that they have to themselves."""

import json
import subprocess
from datetime import datetime
from typing import Any

from django.utils import timezone

from tests.faults.running import MANAGE, ROOT, last_json, run

CASES = 400


def due_office(environment: dict[str, str], rows: int = CASES) -> datetime:
    """An office in a seeded database of its own, filled by a process that has its settings."""
    code = (
        f"import django; django.setup(); from tests.bench.office import fill;fill({rows}, {rows})"
    )
    filled = subprocess.run(
        [MANAGE[0], "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert filled.returncode == 0, filled.stderr
    return timezone.now()


def start_sweep(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MANAGE, "enforce"],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def answer_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    answer: dict[str, Any] = json.loads(out.splitlines()[-1])
    return answer


def every_case_moved_once(environment: dict[str, str], rows: int = CASES) -> None:
    code = (
        "import django; django.setup()\n"
        "import json; from collections import Counter; from cases.models import CaseEvent\n"
        "ids = CaseEvent.objects.filter(channel='clock').values_list('case_id', flat=True)\n"
        "print(json.dumps(Counter(Counter(ids).values())))"
    )
    asked = subprocess.run(
        [MANAGE[0], "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(asked.stdout) == {"1": rows}, asked.stderr
    assert last_json(run(environment, "audit"))["violations"] == []
