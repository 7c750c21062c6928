"""Imports as jobs: begun with a file, checked as a trial, confirmed, taken chunk by chunk.

The loading itself is ``import_file``; a job listens to it (``_Notes``) and writes down each chunk
in the chunk's own transaction. Killed at any moment, it goes on after the last chunk written.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import F, Max, Q, Sum
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from cases import numbers
from cases.files.names import random_name, shown_name
from cases.flow.door import Actor, Refused
from cases.models import ImportChunk, ImportJob, JobStatus, Shop
from cases.models.jobs import WORK
from cases.sheets import working
from cases.sheets.dialects import Recognition
from cases.sheets.loading import Outcome, Result, Sink, import_file
from cases.sheets.loading.running import may_import
from cases.sheets.reader import Unreadable
from cases.sheets.workbook import ErrorBook
from cases.sheets.working import (
    Stopped,
    cancel,
    fail,
    finish,
    put_down,
    renew,
    times_of,
    work_on,
)

WHAT: Final = ("created", "updated", "unchanged", "skipped", "failed")
#: Opening a big workbook may take as long as its parser is given; nothing is heard meanwhile.
OPENING_SECONDS: Final = 360
_PIECE: Final = 2**20


def begin(
    file: BinaryIO,
    name: str,
    *,
    by: Any = None,
    shop: str | None = None,
    may_create_shop: bool = False,
    **choices: Any,
) -> ImportJob:
    """A job for this file, which is kept; ``choices``: columns of ImportJob a person may set.

    ``shop``: code of the shop of sheets that name none; refused where nobody may make it.
    """
    named = shop_named(shop, by, may_create=may_create_shop)
    digest, size = hashlib.sha256(), 0
    while piece := file.read(_PIECE):
        digest.update(piece)
        size += len(piece)
    file.seek(0)
    ending = Path(name).suffix.lstrip(".").lower()[:8] or "bin"
    with transaction.atomic():
        now = timezone.now()
        job = ImportJob(
            job_no=numbers.take("job", "J", now)[0],
            created_by=by,
            created_at=now,
            may_create_shop=may_create_shop,
            language=get_language() or settings.LANGUAGE_CODE,
            file_name=shown_name(name, ending)[:200],
            size=size,
            sha256=digest.hexdigest(),
            **named,
            **choices,
        )
        job.file.save(random_name(ending if ending.isalnum() else "bin"), File(file), save=False)
        job.save()
    return job


def shop_named(code: str | None, by: Any, *, may_create: bool = False) -> dict[str, Any]:
    """The shop of sheets that name none, as a job keeps it; Refused where it is none of ``by``."""
    known = Shop.objects.all() if by is None else Shop.objects.visible_to(by)
    shop = known.filter(code=code).first() if code else None
    if code and shop is None and not may_create:
        said = {"name": code}
        raise Refused(_("there is no shop “%(name)s” among your shops") % said, "unknown")
    return {"shop": shop, "shop_code": code or ""}


def said_before(job: ImportJob) -> str:
    """Where the same file was imported before by a job this person may know of, that in words."""
    before = ImportJob.objects.filter(sha256=job.sha256, status=JobStatus.DONE, pk__lt=job.pk)
    if job.created_by is not None:
        before = before.visible_to(job.created_by)
    last = before.select_related("created_by").order_by("-pk").first()
    if last is None or last.finished_at is None:
        return ""
    said = {
        "at": timezone.localtime(last.finished_at).strftime("%Y-%m-%d %H:%M"),
        "who": last.created_by.get_username() if last.created_by else _("a command"),
        "job": last.job_no,
    }
    return _("The same file was imported on %(at)s by %(who)s (job %(job)s).") % said


def check(job: ImportJob, **choices: Any) -> None:
    """Check it from the beginning, with the columns and the layout a person chose."""
    if job.status not in {JobStatus.UPLOADED, JobStatus.CHECKED, JobStatus.FAILED}:
        raise Refused(_("This import is not to be changed any more."), "wrong_state")
    with transaction.atomic():
        locked = ImportJob.objects.select_for_update().get(pk=job.pk)
        if locked.status != job.status or locked.confirmed_at:
            raise Refused(_("This import is not to be changed any more."), "stale")
        locked.chunks.all().delete()
        for name, value in choices.items():
            setattr(locked, name, value)
        locked.rows_done, locked.rows_total = 0, None
        _again(locked, JobStatus.CHECKING)
    job.refresh_from_db()


def confirm(job: ImportJob, by: Any) -> None:
    """Take in what was checked; pressed twice it is taken once."""
    _may_confirm(job, by)
    with transaction.atomic():
        locked = ImportJob.objects.select_for_update().get(pk=job.pk)
        if locked.status != JobStatus.CHECKED:
            raise Refused(_("Only what was checked can be imported; look again."), "wrong_state")
        locked.rows_done = 0
        locked.confirmed_by, locked.confirmed_at = by, timezone.now()
        _again(locked, JobStatus.QUEUED)
    job.refresh_from_db()


def _may_confirm(job: ImportJob, by: Any) -> None:
    """Shops and rights may have been lost since the file was uploaded."""
    if by is None:
        return
    may_import(Actor.person(by, "admin"), job.sheet_kind)
    if not ImportJob.objects.visible_to(by).filter(pk=job.pk).exists():
        raise Refused(_("There is no import %(no)s.") % {"no": job.job_no}, "unknown")


def go_on(job: ImportJob) -> None:
    """Try once more what failed; it goes on after the last chunk that was written."""
    with transaction.atomic():
        locked = ImportJob.objects.select_for_update().get(pk=job.pk)
        if locked.status != JobStatus.FAILED:
            raise Refused(_("This import has not failed."), "wrong_state")
        if locked.removed_at:
            raise Refused(_("Its file is not kept any more; import the file again."), "unknown")
        running = locked.phase == ImportJob.Phase.RUN
        _again(locked, JobStatus.QUEUED if running else JobStatus.CHECKING)
    job.refresh_from_db()


def _again(job: ImportJob, status: str) -> None:
    job.status, job.attempts, job.problem = status, 0, ""
    job.lease_until, job.run_token = None, ""
    job.finished_at, job.cancel_asked = None, False
    job.save()


def work(pk: int) -> bool:
    """Do the job's phase, as a worker; False where there is nothing to do, or another does it."""
    return work_on(ImportJob, pk, run_phase)


def run_now(job: ImportJob, *, errors: Path | str | None, **more: Any) -> Result:
    """Import without asking, in this process: who calls has seen the file (the command).

    ``errors``: where to write the failed rows. Raises as ``import_file`` does; the job keeps it.
    """
    with transaction.atomic():  # no worker sees it before it is ours
        job.confirmed_at = timezone.now()
        _again(job, JobStatus.QUEUED)
        mine = ImportJob.objects.claim(job.pk)
    try:
        result = run_phase(mine, **more)
    except Stopped as stop:
        raise Refused(_("The import was cancelled."), "wrong_state") from stop
    except (Refused, Unreadable, OSError) as problem:
        fail(mine, str(getattr(problem, "message", problem)))
        raise
    except KeyboardInterrupt:
        cancel(mine)
        put_down(mine)
        raise
    if errors is not None and result.failed:
        write_error_book(mine, errors)
        result.error_file = str(errors)
    return result


def run_phase(job: ImportJob, **more: Any) -> Result:
    """Check or import, from where it stopped; ``more``: further choices of import_file."""
    renew(job, seconds=OPENING_SECONDS)
    running = job.phase == ImportJob.Phase.RUN
    reached = job.chunks.filter(phase=job.phase).aggregate(row=Max("last_row"))["row"] or 0
    notes = _Notes(job)
    began = time.monotonic()
    import_file(
        job.file.path,
        actor=Actor.sheet(job.confirmed_by or job.created_by),
        shop=job.shop_code or None,
        kind=job.sheet_kind or None,
        dialect=job.dialect,
        mapping=job.mapping,
        columns=job.columns or None,
        sheet=job.sheet or None,
        header_row=job.header_row,
        dry_run=not running,
        may_create_shop=job.may_create_shop,
        round_half_up=job.round_half_up,
        sink=notes,
        after=reached,
        **more,
    )
    shop = job.shop or Shop.objects.filter(code=job.shop_code or None).first()
    finish(
        job,
        JobStatus.DONE if running else JobStatus.CHECKED,
        warnings=notes.warnings,
        unknown_words=notes.words,
        counts=counts_of(job, job.phase),
        shop=shop,
        rows_done=F("rows_done"),
        rows_total=F("rows_done"),
    )
    result = result_of(job)
    result.seconds = time.monotonic() - began
    return result


class _Notes(Sink):
    """Writes down what became of each chunk, and with it that the job is still in hand."""

    def __init__(self, job: ImportJob) -> None:
        self.job = job
        self.phase = job.phase
        self.warnings: list[str] = []
        self.words: list[tuple[str, str]] = []
        self.renewed = time.monotonic()

    def begin(self, where: Recognition) -> None:
        job = self.job
        job.found_dialect, job.sheet_kind = where.dialect.code, where.dialect.kind
        job.headers, job.unknown_columns = list(where.headers), list(where.unknown)
        renew(job)
        names = ("found_dialect", "sheet_kind", "headers", "unknown_columns")
        ImportJob.objects.held(job).update(**{name: getattr(job, name) for name in names})

    def passing(self) -> None:
        if time.monotonic() - self.renewed > settings.JOB_LEASE_SECONDS / 4:
            renew(self.job)
            self.renewed = time.monotonic()

    def enter(self, rows: int) -> None:
        renew(self.job, rows)
        self.renewed = time.monotonic()

    def note(self, outcomes: Sequence[Outcome], warnings: Sequence[str]) -> None:
        told, faults = _rows(outcomes)
        counted = Result("", "")
        for outcome in outcomes:
            counted.add(outcome)
        for text in warnings:
            counted.warn(text)
        ImportChunk.objects.create(
            job=self.job,
            phase=self.phase,
            first_row=min(outcome.rows[0] for outcome in outcomes),
            last_row=max(outcome.rows[-1] for outcome in outcomes),
            told=json.dumps(told, separators=(",", ":")),
            faults=json.dumps(faults, separators=(",", ":")),
            warnings=counted.warnings,
            more_warnings=counted.more_warnings,
            **{what: getattr(counted, what) for what in WHAT},
        )

    def end(self, warnings: Sequence[str], words: Sequence[tuple[str, str]]) -> None:
        self.warnings, self.words = list(warnings), list(words)


def _rows(outcomes: Sequence[Outcome]) -> tuple[list[Any], list[Any]]:
    """What ImportChunk keeps: a list per row; changes are told at the first row of each."""
    told: list[Any] = []
    faults: list[Any] = []
    for outcome in outcomes:
        message = outcome.message
        if outcome.warnings:
            message = " ".join(filter(None, [message, *outcome.warnings]))
        if outcome.what == "failed":
            faults.extend(
                [
                    row,
                    outcome.what,
                    outcome.label,
                    message,
                    outcome.code,
                    outcome.cells.get(row, {}),
                ]
                for row in outcome.rows
            )
            continue
        changes = outcome.changes
        for row in outcome.rows:
            told.append([row, outcome.what, outcome.label, message, outcome.code, changes])
            changes = ()
    return told, faults


def counts_of(job: ImportJob, phase: str) -> dict[str, int]:
    """Rows by what became of them."""
    found = job.chunks.filter(phase=phase).aggregate(**{what: Sum(what) for what in WHAT})
    return {what: found[what] or 0 for what in WHAT}


def warnings_of(job: ImportJob, phase: str) -> tuple[list[str], int]:
    """The first warnings of rows and file, and how many more there are."""
    chunks = job.chunks.filter(phase=phase).exclude(warnings=[]).order_by("first_row")
    result = Result("", "")
    for texts, more in chunks.values_list("warnings", "more_warnings").iterator():
        for text in texts:
            result.warn(text)
        result.more_warnings += more
    for text in job.warnings:
        result.warn(text)
    return result.warnings, result.more_warnings


def page_of(job: ImportJob, phase: str, what: str, start: int, length: int) -> list[list[Any]]:
    """Rows of one kind of outcome, ``[row, what, label, message, code, changes or cells]``.

    Two queries, whatever the size: where the rows lie, and the chunks they lie in.
    """
    chunks = job.chunks.filter(phase=phase, **{f"{what}__gt": 0}).order_by("first_row")
    passed = skip = 0
    wanted: list[int] = []
    for pk, rows in chunks.values_list("pk", what):
        if passed + rows > start and passed < start + length:
            skip = skip if wanted else start - passed
            wanted.append(pk)
        passed += rows
    kept = "faults" if what == "failed" else "told"
    texts = job.chunks.filter(pk__in=wanted).order_by("first_row").values_list(kept, flat=True)
    found = [row for text in texts for row in json.loads(text) if row[1] == what]
    return found[skip : skip + length]


def faults_of(job: ImportJob, phase: str) -> Iterator[list[Any]]:
    """The rows that failed, in order: ``[row, what, label, message, code, cells]``."""
    chunks = job.chunks.filter(phase=phase, failed__gt=0).order_by("first_row")
    for text in chunks.values_list("faults", flat=True).iterator(chunk_size=20):
        yield from json.loads(text)


def result_of(job: ImportJob, failures: int = 20) -> Result:
    """As ``import_file`` would have counted it in one go; the first failures with their words."""
    result = Result(job.found_dialect, job.sheet_kind, unknown_columns=job.unknown_columns)
    result.add_counts(counts_of(job, job.phase))
    result.warnings, result.more_warnings = warnings_of(job, job.phase)
    result.unknown_words = [(field, word) for field, word in job.unknown_words]
    if result.failed:
        for row, _what, _label, message, code, _cells in faults_of(job, job.phase):
            result.failures.append((row, code, message))
            if len(result.failures) >= failures:
                break
    return result


def write_error_book(job: ImportJob, path: Path | str) -> int:
    """The failed rows with their reasons, to be mended and fed again; how many there are."""
    with ErrorBook(path, job.headers) as book:
        for row, _what, _label, message, _code, cells in faults_of(job, job.phase):
            book.add_cells(row, message, cast("Mapping[str, str]", cells))
    return book.count


def remove_old() -> int:
    """Remove files and what their rows said, kept long enough; counts and hash stay.

    What nobody confirmed for so long is cancelled. Files of no job are what a crash left.
    """
    before = timezone.now() - timedelta(days=settings.IMPORT_KEEP_DAYS)
    old = ImportJob.objects.filter(Q(finished_at=None) | Q(finished_at__lt=before))
    gone = 0
    for job in old.filter(removed_at=None, created_at__lt=before).exclude(status__in=WORK):
        cancel(job)
        Path(job.file.path).unlink(missing_ok=True)
        with transaction.atomic():
            job.chunks.update(told="[]", faults="[]", warnings=[], more_warnings=0)
            kept = {"file": "", "warnings": [], "unknown_words": []}
            ImportJob.objects.filter(pk=job.pk).update(removed_at=timezone.now(), **kept)
        gone += 1
    known = set(ImportJob.objects.exclude(file="").values_list("file", flat=True))
    for path in (Path(settings.MEDIA_ROOT) / "private" / "imports").rglob("*.*"):
        is_old = path.stat().st_mtime < before.timestamp()
        if is_old and path.relative_to(settings.MEDIA_ROOT).as_posix() not in known:
            path.unlink(missing_ok=True)
    return gone


def waiting() -> Iterator[int]:
    """Imports to work on, the oldest first."""
    return working.waiting(ImportJob)


def job_as_dict(job: ImportJob) -> dict[str, Any]:
    """An import as ``show job`` prints it."""
    counts = counts_of(job, ImportJob.Phase.RUN)
    checked = counts_of(job, ImportJob.Phase.CHECK)
    warnings, more = warnings_of(job, job.phase)
    return {
        "job_no": job.job_no,
        "job": "import",
        "status": job.status,
        "by": job.created_by.get_username() if job.created_by else None,
        "confirmed_by": job.confirmed_by.get_username() if job.confirmed_by else None,
        **times_of(job, "created_at", "confirmed_at", "started_at", "finished_at"),
        "shop": job.shop.code if job.shop else job.shop_code or None,
        "file": job.file_name,
        "size": job.size,
        "sha256": job.sha256,
        "same_file": said_before(job),
        "dialect": job.found_dialect or job.dialect,
        "kind": job.sheet_kind,
        "sheet": job.sheet or None,
        "header_row": job.header_row,
        "checked": {"rows": sum(checked.values()), **checked},
        "rows": sum(counts.values()),
        **counts,
        "warnings": warnings,
        "more_warnings": more,
        "unknown_columns": job.unknown_columns,
        "progress": {"phase": job.phase, "rows_done": job.rows_done, "rows_total": job.rows_total},
        "error": job.problem or None,
    }
