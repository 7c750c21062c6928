"""Exports as jobs: who may take what out, the file and its record, and its removal afterwards.

The file is written anew at each attempt and belongs to the job only once it is whole; a worker
that dies leaves a scrap that is swept away. A restart costs seconds, and no half is ever joined
to another half.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from cases import numbers
from cases.flow import clock
from cases.flow.door import Refused, unit
from cases.models import ClearExport, ExportJob, JobStatus, Shop
from cases.privacy import HIDDEN
from cases.sheets import registry, working
from cases.sheets.exports import PERSONAL, layout_of, written
from cases.sheets.working import Stopped, finish, put_down, renew, times_of, work_on
from cases.sheets.writer import Cell

CLEAR_RIGHT: Final = "cases.export_clear_order"
#: Progress is told once a second: more often helps nobody and costs a statement each time.
_TELL_SECONDS: Final = 1.0
#: Before the first row the database may search for long.
_SEARCH_SECONDS: Final = 180
#: A scrap this old belongs to no worker any more.
_SCRAP: Final = timedelta(days=1)

#: The rows of the list a job names, as its maker sees them now.
Rows = Callable[[ExportJob], QuerySet[Any]]


def may_export(kind: str, user: Any) -> bool:
    return bool(user.is_active and user.has_perm(registry.to_export(kind).right))


def may_export_clear(kind: str, user: Any) -> bool:
    """Only where the sheet has columns of personal data."""
    has_any = bool(registry.to_export(kind).personal)
    return has_any and may_export(kind, user) and bool(user.has_perm(CLEAR_RIGHT))


def columns_for(kind: str, user: Any) -> list[str]:
    """The columns this person may take out, in the order of our sheets."""
    sheet = registry.to_export(kind)
    if user.has_perm("cases.see_money_case"):
        return list(sheet.layout.fields)
    # Amounts, which not everybody who handles goods may see.
    return [name for name in sheet.layout.fields if name not in sheet.money]


def ask(  # noqa: PLR0913 - each is a choice of the person who exports
    user: User,
    kind: str,
    query: str,
    *,
    columns: Sequence[str],
    file_format: str,
    clear: bool = False,
    reason: str = "",
    filter_words: str = "",
    rows: int | None = None,
) -> ExportJob:
    """A job for the worker; Refused for what this person may not, or not so often in a day.

    ``query``: the list's filter as in its address. ``rows``: how many rows were announced.
    """
    _check_rights(user, kind, columns, clear=clear)
    layout_of(kind, columns)
    with unit():
        if clear:
            _check_day(user)
        now = timezone.now()
        return ExportJob.objects.create(
            job_no=numbers.take("job", "J", now)[0],
            status=JobStatus.QUEUED,
            created_by=user,
            language=get_language() or settings.LANGUAGE_CODE,
            kind=kind,
            query=query,
            filter_words=filter_words,
            columns=list(columns),
            file_format=file_format,
            clear=clear,
            reason=reason.strip() if clear else "",
            rows_total=rows,
        )


def _check_rights(user: User, kind: str, columns: Sequence[str], *, clear: bool) -> None:
    """Asked when the job is made and again when it runs: rights may be lost in between."""
    may = may_export_clear(kind, user) if clear else may_export(kind, user)
    if not may or set(columns) - set(columns_for(kind, user)):
        raise Refused(_("You may not export this (any more)."), "not_permitted")


def _check_day(user: User) -> None:
    User.objects.select_for_update().get(pk=user.pk)  # two windows count as one person
    limit = settings.CLEAR_EXPORTS_PER_DAY
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = ExportJob.objects.filter(created_by=user, clear=True, created_at__gte=midnight)
    if today.count() >= limit:
        message = _("You have exported in clear %(limit)s times today; that is the limit of a day.")
        raise Refused(message % {"limit": limit}, "not_permitted")


def waiting() -> Iterator[int]:
    """Exports to work on, the oldest first."""
    return working.waiting(ExportJob)


def work(pk: int, rows_of: Rows) -> bool:
    """Write the job's file, as a worker; False where there is nothing to do."""
    return work_on(ExportJob, pk, lambda job: run(job, rows_of))


def run(job: ExportJob, rows_of: Rows) -> None:
    """Write the file of a job that is in hand, and the record where data leave in clear."""
    if job.created_by is None:
        raise Refused(_("You may not export this (any more)."), "not_permitted")
    _check_rights(job.created_by, job.kind, job.columns, clear=job.clear)
    renew(job, seconds=_SEARCH_SECONDS)
    # "Due today" is what was due on the day somebody asked.
    with clock.standing_at(job.created_at):
        queryset = rows_of(job)
    tally: Counter[str] = Counter()
    path = folder() / f"{job.run_token}.{job.file_format}"
    try:
        rows = _write(job, path, queryset, tally)
        digest, size = _digest(path)
        with unit():
            renew(job)
            _record(job, tally, digest)
            name = path.relative_to(settings.MEDIA_ROOT).as_posix()
            done = {"rows_done": rows, "rows_total": rows, "file": name}
            finish(job, JobStatus.DONE, sha256=digest, size=size, **done)
    except BaseException as end:
        path.unlink(missing_ok=True)
        if isinstance(end, Stopped):
            put_down(job)
        raise


def _write(job: ExportJob, path: Path, queryset: QuerySet[Any], tally: Counter[str]) -> int:
    fields = [*job.columns, "shop"] if job.clear else job.columns
    rows = registry.to_export(job.kind).rows(queryset, fields, job.clear)
    return written(
        path,
        layout_of(job.kind, job.columns),
        _tallied(rows, tally) if job.clear else rows,
        language="zh" if job.language.startswith("zh") else "en",
        progress=_teller(job),
    )


def _tallied(rows: Iterator[Sequence[Cell]], tally: Counter[str]) -> Iterator[Sequence[Cell]]:
    """The rows without their last cell, the shop, by which they are counted."""
    for row in rows:
        tally[str(row[-1])] += 1
        yield row[:-1]


def _teller(job: ExportJob) -> Callable[[int], None]:
    """Keeps the job in hand; a restart begins at nothing, so ``attempts`` stay counted."""
    told = 0.0  # the first rows end the time of searching

    def tell(rows: int) -> None:
        nonlocal told
        if time.monotonic() - told < _TELL_SECONDS:
            return
        told = time.monotonic()
        renew(job)
        ExportJob.objects.held(job).update(rows_done=rows)

    return tell


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _record(job: ExportJob, tally: Counter[str], digest: str) -> None:
    """Who took whose personal data out: in the transaction that makes the file his."""
    if not job.clear:
        return
    shops = {shop.code: shop for shop in Shop.objects.filter(code__in=tally)}
    ClearExport.objects.bulk_create(
        ClearExport(
            job=job,
            shop=shops[code],
            user=job.created_by,
            reason=job.reason,
            rows=rows,
            columns=job.columns,
            filter=without_search(job.query),
            sha256=digest,
        )
        for code, rows in sorted(tally.items())
    )


def without_search(query: str) -> str:
    """A list's filter whose search words, often a phone number or a name, are hidden."""
    shown = QueryDict(query, mutable=True)
    for name in shown:
        if name == "q" or not PERSONAL.isdisjoint(name.split("__")):
            shown[name] = HIDDEN
    return shown.urlencode(safe="*")


def folder() -> Path:
    place = Path(settings.MEDIA_ROOT) / "private" / "exports"
    place.mkdir(parents=True, exist_ok=True)
    return place


def may_download(job: ExportJob, user: Any) -> bool:
    """Only who asked for it, and only as long as he may still export it."""
    if job.created_by_id != user.pk or set(job.columns) - set(columns_for(job.kind, user)):
        return False
    return may_export_clear(job.kind, user) if job.clear else may_export(job.kind, user)


def remove_old() -> int:
    """Remove files kept long enough, and the scraps of workers that died; the records stay."""
    before = timezone.now() - timedelta(days=settings.EXPORT_KEEP_DAYS)
    gone = 0
    for job in ExportJob.objects.filter(finished_at__lt=before, removed_at=None):
        if job.file:
            Path(job.file.path).unlink(missing_ok=True)
        ExportJob.objects.filter(pk=job.pk).update(
            file="", removed_at=timezone.now(), query=without_search(job.query), filter_words=""
        )
        gone += 1
    old = (timezone.now() - _SCRAP).timestamp()
    for path in folder().iterdir():
        known = ExportJob.objects.filter(file=path.relative_to(settings.MEDIA_ROOT).as_posix())
        if path.stat().st_mtime < old and not known.exists():
            path.unlink(missing_ok=True)
    return gone


def job_as_dict(job: ExportJob) -> dict[str, Any]:
    """An export as ``show job`` prints it; without the search words of its filter."""
    return {
        "job_no": job.job_no,
        "job": "export",
        "status": job.status,
        "by": job.created_by.get_username() if job.created_by else None,
        **times_of(job, "created_at", "started_at", "finished_at", "removed_at"),
        "kind": job.kind,
        "filter": without_search(job.query),
        "columns": job.columns,
        "format": job.file_format,
        "clear": job.clear,
        "reason": job.reason or None,
        "rows": job.rows_done,
        "size": job.size,
        "sha256": job.sha256 or None,
        "progress": {"rows_done": job.rows_done, "rows_total": job.rows_total},
        "error": job.problem or None,
    }
