"""Prints: who may print what, one paper at once, or many as a job that a worker does."""

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from cases import numbers
from cases.flow.door import NotPermitted, Refused, unit
from cases.models.jobs import JobStatus
from cases.models.shops import shop_ids_of
from cases.sheets import working
from cases.sheets.working import finish, renew, work_on
from invoices.documents import Form, MissingGlyph, write
from invoices.models import Endorsement, Paper, PrintJob, RedRequest, Treatment
from invoices.models.custody import WITH_US
from invoices.models.reds import OPEN
from invoices.papers import printing
from invoices.papers.printing import Setting

#: So many in one job; more paper nobody carries at once.
MOST: Final = 1000
_CHUNK: Final = 50


@dataclass(frozen=True)
class Printout:
    """One kind of paper: whose right, which rows wait to be printed, how each becomes a form."""

    right: str
    rows: Callable[[], QuerySet[Any]]
    waiting: Callable[[QuerySet[Any]], QuerySet[Any]]
    form: Callable[[Any, Setting], Form]
    help: str | Promise


KINDS: dict[str, Printout] = {
    "slips": Printout(
        "invoices.view_treatment",
        lambda: Treatment.objects.select_related("invoice", "case__reason", "order", "shop"),
        lambda rows: rows.filter(state="open").order_by("due_at", "pk"),
        printing.slip,
        gettext_lazy("One for each thing that cases still ask of an invoice."),
    ),
    "vouchers": Printout(
        "invoices.view_endorsement",
        lambda: Endorsement.objects.select_related(
            "invoice", "case", "line", "shop", "operator", "review__by"
        ),
        lambda rows: rows.order_by("-pk"),
        printing.voucher,
        gettext_lazy("One for each endorsement, the newest first."),
    ),
    "papers": Printout(
        "invoices.view_paper",
        lambda: Paper.objects.select_related("invoice", "case", "shop"),
        lambda rows: rows.filter(place__in=[str(p) for p in WITH_US]).order_by("moved_at", "pk"),
        lambda paper, setting: printing.papers_back([paper], setting),
        gettext_lazy("Originals that lie with us, on one list."),
    ),
    "red_forms": Printout(
        "invoices.view_redrequest",
        lambda: RedRequest.objects.select_related("blue", "case", "shop", "red"),
        lambda rows: rows.filter(state__in=[str(s) for s in OPEN]).order_by("pk"),
        printing.red_form,
        gettext_lazy("One for each red request that is still open."),
    ),
}


def may_print(user: Any, kind: str) -> bool:
    return bool(user.is_active and user.has_perm(KINDS[kind].right))


def rows_for(user: Any, kind: str) -> QuerySet[Any]:
    """What of a kind this person may print; Refused for who may print none of it."""
    if not may_print(user, kind):
        raise NotPermitted(_("You may not print this."))
    ids = shop_ids_of(user)
    rows = KINDS[kind].rows()
    return rows if ids is None else rows.filter(shop_id__in=ids)


def waiting_for(user: Any, kind: str) -> QuerySet[Any]:
    """What of a kind waits to be printed."""
    return KINDS[kind].waiting(rows_for(user, kind))


def setting_for(user: Any, base: str) -> Setting:
    return Setting(
        user.get_username(), timezone.now(), base, money=user.has_perm("cases.see_money_case")
    )


def one(user: Any, kind: str, pk: int, base: str) -> bytes:
    """One paper at once; Refused for a character the font lacks, unknown where there is no row."""
    row = rows_for(user, kind).filter(pk=pk).first()
    if row is None:
        raise Refused(_("There is no such object."), "unknown")
    out = io.BytesIO()
    _printed([KINDS[kind].form(row, setting_for(user, base))], out, str(row))
    return out.getvalue()


def _printed(forms: Any, out: Any, title: str) -> int:
    try:
        return write(forms, out, title=title)
    except MissingGlyph as error:
        raise Refused(str(error), "bad_value", characters=error.characters) from error


def ask(user: User, kind: str, base: str) -> PrintJob:
    """A job over everything of the kind that waits; Refused where there is nothing."""
    keys = list(waiting_for(user, kind).values_list("pk", flat=True)[:MOST])
    if not keys:
        raise Refused(_("Nothing of this kind waits to be printed."), "wrong_state")
    with unit():
        return PrintJob.objects.create(
            job_no=numbers.take("job", "J", timezone.now())[0],
            status=JobStatus.QUEUED,
            created_by=user,
            language=get_language() or settings.LANGUAGE_CODE,
            kind=kind,
            keys=keys,
            base=base,
            rows_total=len(keys),
        )


def waiting() -> Iterator[int]:
    """Jobs to work on, the oldest first."""
    return working.waiting(PrintJob)


def work(pk: int) -> bool:
    """Print the job's papers, as a worker; False where there is nothing to do."""
    return work_on(PrintJob, pk, run)


def run(job: PrintJob) -> None:
    """Write the file of a job that is in hand; what went meanwhile is left out."""
    if job.created_by is None:
        raise Refused(_("You may not print this."), "not_permitted")
    path = folder() / f"{job.run_token}.pdf"
    try:
        with path.open("wb") as out:
            pages = _printed(_forms(job), out, job.job_no)
        size = path.stat().st_size
        name = path.relative_to(settings.MEDIA_ROOT).as_posix()
        finish(
            job, JobStatus.DONE, file=name, size=size, pages=pages, rows_done=job.rows_total or 0
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _forms(job: PrintJob) -> Iterator[Form]:
    """Form after form, so that only one is in memory; the job is kept in hand meanwhile."""
    user: Any = job.created_by
    rows, setting = rows_for(user, job.kind), setting_for(user, job.base)
    if job.kind == PrintJob.Kind.PAPERS:
        yield printing.papers_back(_in_order(rows, job.keys), setting)
        return
    told = time.monotonic()
    for start in range(0, len(job.keys), _CHUNK):
        for row in _in_order(rows, job.keys[start : start + _CHUNK]):
            yield KINDS[job.kind].form(row, setting)
        if time.monotonic() - told > 1:
            told = time.monotonic()
            renew(job)
            PrintJob.objects.held(job).update(rows_done=start + _CHUNK)


def _in_order(rows: QuerySet[Any], keys: list[int]) -> list[Any]:
    found = rows.in_bulk(keys)
    return [found[pk] for pk in keys if pk in found]


def folder() -> Path:
    place = Path(settings.MEDIA_ROOT) / "private" / "prints"
    place.mkdir(parents=True, exist_ok=True)
    return place


def remove_old() -> int:
    """Remove files kept long enough; the records stay."""
    before = timezone.now() - timedelta(days=settings.EXPORT_KEEP_DAYS)
    old = PrintJob.objects.filter(finished_at__lt=before, removed_at=None)
    for job in old:
        if job.file:
            Path(job.file.path).unlink(missing_ok=True)
        PrintJob.objects.filter(pk=job.pk).update(file="", removed_at=timezone.now())
    return len(old)
