"""Imports as jobs: a file handed in, a worker's turn, and everything an import may have written."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db.models import Model

from cases.models import (
    Case,
    CaseEvent,
    CaseLine,
    ExternalRefund,
    ImportChunk,
    ImportJob,
    Order,
    OrderLine,
    Parcel,
    Payment,
    Reason,
    Refund,
    Shop,
)
from cases.sheets import jobs

TABLES: tuple[type[Model], ...] = (
    *(Shop, Order, OrderLine, Payment, ExternalRefund),
    *(Case, CaseLine, CaseEvent, Parcel, Refund),
)
#: Keys and wall-clock times differ between two runs that are otherwise the same.
_OWN = {"id", "created_at", "updated_at", "recorded_at", "hash", "prev_hash"}


def hand_in(path: Path, by: Any = None, **choices: Any) -> ImportJob:
    return jobs.begin(io.BytesIO(path.read_bytes()), path.name, by=by, **choices)


def checked(path: Path, by: Any = None, **choices: Any) -> ImportJob:
    """A job whose check a worker has done."""
    job = hand_in(path, by, **choices)
    jobs.check(job)
    assert jobs.work(job.pk)
    return fresh(job)


def taken(path: Path, by: Any = None, **choices: Any) -> ImportJob:
    """A job that went all the way."""
    job = checked(path, by, **choices)
    jobs.confirm(job, by)
    assert jobs.work(job.pk)
    return fresh(job)


def fresh(job: ImportJob) -> ImportJob:
    return ImportJob.objects.get(pk=job.pk)


def rows_told(job: ImportJob, phase: str = "run") -> dict[int, str]:
    """Every row of the sheet and what became of it; none is told twice."""
    found: dict[int, str] = {}
    for chunk in ImportChunk.objects.filter(job=job, phase=phase):
        rows = [*json.loads(chunk.told), *json.loads(chunk.faults)]
        counted = chunk.created + chunk.updated + chunk.unchanged + chunk.skipped + chunk.failed
        assert counted == len(rows)
        for row, what, *_rest in rows:
            assert row not in found
            assert chunk.first_row <= row <= chunk.last_row
            found[row] = what
    return dict(sorted(found.items()))


def tables() -> list[Any]:
    """Every row of every table an import writes, without keys of its own and wall-clock times."""
    return [_rows(model) for model in TABLES]


def digests() -> list[str]:
    """The same in short, to be compared between processes."""
    return [hashlib.sha256("\n".join(rows).encode()).hexdigest() for rows in tables()]


def _rows(model: type[Model]) -> list[str]:
    names = {
        f.attname: f.related_model for f in model._meta.concrete_fields if f.attname not in _OWN
    }
    known = {name: _natural(other) for name, other in names.items() if other is not None}
    told = []
    for row in model._default_manager.values(*names):
        for name, numbers in known.items():
            row[name] = numbers.get(row[name], row[name] is not None)
        told.append(json.dumps(row, default=str, sort_keys=True))
    return sorted(told)


_NAMED = {Shop: "code", Reason: "code", Order: "order_no", Case: "case_no"}


def _natural(model: Any) -> dict[int, Any]:
    """What a row is called where its key is only a number."""
    if model is OrderLine:
        rows = OrderLine.objects.values_list("pk", "order__order_no", "line_no")
        return {pk: [order, line] for pk, order, line in rows}
    if model not in _NAMED:
        return {}
    return dict(model._default_manager.values_list("pk", _NAMED[model]))


def forget_orders() -> None:
    """As if no sheet had come yet."""
    for model in (OrderLine, Payment, ExternalRefund, Order):
        model._default_manager.all().delete()


class Killed(BaseException):
    """As if the process had ended between two chunks."""


def dies_after(chunks: int) -> Callable[[int], None]:
    """A progress callback in which the worker dies, after so many chunks of its own."""
    left = chunks

    def progress(_rows: int) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise Killed

    return progress


def expire(job: ImportJob) -> None:
    """The worker has not been heard of for long."""
    ImportJob.objects.filter(pk=job.pk).update(lease_until="2020-01-01T00:00:00Z")
