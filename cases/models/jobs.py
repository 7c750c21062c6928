"""Long work as rows: who asked for it, how far it is, who has it in hand, what became of it.

The row is the truth; a task or a command only takes it in hand. Whoever works holds a lease and a
token: a worker that dies loses both, and the next one goes on after the last committed piece.
"""

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cases.models.shops import Membership, Role, Shop, roles_of, shop_ids_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: So many times a job may be begun without getting any further; then a person must look.
ATTEMPTS: Final = 3


class JobStatus(models.TextChoices):
    UPLOADED = "uploaded", _("File received")
    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Waiting for confirmation")
    QUEUED = "queued", _("Waiting for its turn")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", pgettext_lazy("job", "Failed")
    CANCELLED = "cancelled", _("Cancelled")


#: What a worker takes in hand.
WORK: Final = (JobStatus.CHECKING, JobStatus.QUEUED, JobStatus.RUNNING)
#: What nobody changes any more.
ENDED: Final = (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


class JobQuerySet(models.QuerySet["Any"]):
    """Jobs of one kind, and the taking of them; times are this machine's clock."""

    def visible_to(self, user: "User") -> Self:
        """Jobs of one's shops. Those of no shop: one's own, for a supervisor his people's too.

        What such a job tells of may be any shop of whoever began it, so a supervisor sees it only
        where all shops of that person are his.
        """
        shops = shop_ids_of(user)
        if shops is None:
            return self
        mine = Q(created_by=user.pk)
        if Role.SUPERVISOR in roles_of(user):
            of_others = Membership.objects.filter(user=models.OuterRef("created_by"))
            elsewhere = models.Exists(of_others.exclude(shop__in=shops))
            mine |= Q(created_by__is_superuser=False) & ~Q(elsewhere)
        return self.filter(Q(shop__in=shops) | (Q(shop=None) & mine))

    def waiting(self) -> Self:
        """Work that nobody has in hand, the oldest first."""
        free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
        return self.filter(free, status__in=WORK).order_by("pk")

    def claim(self, pk: int) -> Any:
        """Take a job in hand; None where another has it, or it is not to be worked on.

        One statement, so of two workers one gets it.
        """
        token, now = secrets.token_hex(16), timezone.now()
        free = self.waiting().filter(pk=pk, cancel_asked=False, attempts__lt=ATTEMPTS)
        taken = free.order_by().update(
            run_token=token,
            lease_until=now + timedelta(seconds=settings.JOB_LEASE_SECONDS),
            attempts=F("attempts") + 1,
            started_at=Coalesce("started_at", now),
            status=models.Case(
                models.When(status=JobStatus.QUEUED, then=models.Value(JobStatus.RUNNING)),
                default="status",
            ),
        )
        return self.get(pk=pk) if taken else None

    def held(self, job: "Job") -> Self:
        """The job as long as it is this worker's and nobody wants it stopped."""
        mine = self.filter(pk=job.pk, run_token=job.run_token)
        return mine.filter(cancel_asked=False, status__in=WORK)


class Job(models.Model):
    """Work in the background. ``attempts`` counts beginnings since the last progress."""

    job_no = models.CharField(_("number"), max_length=20, unique=True)
    status = models.CharField(
        _("status"), max_length=10, choices=JobStatus.choices, default=JobStatus.UPLOADED
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("begun by"),
    )
    shop = models.ForeignKey(
        Shop, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("shop")
    )
    #: Messages are kept in the words of whoever began it.
    language = models.CharField(max_length=10, default="zh-hans")
    created_at = models.DateTimeField(_("begun"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    run_token = models.CharField(max_length=32, blank=True, default="")
    cancel_asked = models.BooleanField(default=False)
    problem = models.TextField(_("problem"), blank=True, default="")
    rows_done = models.PositiveBigIntegerField(_("rows done"), default=0)
    rows_total = models.PositiveBigIntegerField(_("rows"), null=True, blank=True)
    file_name = models.CharField(_("file"), max_length=200, blank=True, default="")

    objects = JobQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.job_no

    @property
    def is_at_work(self) -> bool:
        """Whether something happens without anybody doing anything."""
        return self.status in WORK

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def percent(self) -> int | None:
        """How far it is; None where nobody knows the whole."""
        if not self.rows_total:
            return None
        return min(100, int(self.rows_done * 100 / self.rows_total))


def upload_path(instance: Any, filename: str) -> str:
    """Random names: what a file was called outside is kept in its row only."""
    return f"private/imports/{filename[:2]}/{filename}"


class ImportJob(Job):
    """A spreadsheet on its way in: looked at, checked as a trial, confirmed, taken.

    ``columns`` are a person's choices, header → field ("" = not used); empty: as recognised.
    ``mapping`` is a sheet of the user's own, as ``import_sheet --mapping`` takes it.
    """

    class Phase(models.TextChoices):
        CHECK = "check", _("Check")
        RUN = "run", _("Import")

    file = models.FileField(_("file"), upload_to=upload_path, max_length=200, blank=True)
    size = models.PositiveBigIntegerField(_("size"), default=0)
    sha256 = models.CharField(max_length=64, db_index=True)
    #: The code as it was given; a command may name a shop that is only made by the import.
    shop_code = models.CharField(max_length=40, blank=True, default="")
    may_create_shop = models.BooleanField(default=False)
    dialect = models.CharField(_("layout"), max_length=40, default="auto")
    sheet_kind = models.CharField(_("kind"), max_length=20, blank=True, default="")
    sheet = models.CharField(_("sheet"), max_length=200, blank=True, default="")
    header_row = models.PositiveIntegerField(_("header row"), null=True, blank=True)
    columns = models.JSONField(default=dict, blank=True)
    mapping = models.JSONField(null=True, blank=True)
    round_half_up = models.BooleanField(_("round half up"), default=False)
    #: What was found: the layout it turned out to be, its headers and those we do not know.
    found_dialect = models.CharField(max_length=40, blank=True, default="")
    headers = models.JSONField(default=list, blank=True)
    unknown_columns = models.JSONField(default=list, blank=True)
    #: Words of cells nobody knows yet: [field, word].
    unknown_words = models.JSONField(default=list, blank=True)
    #: About the file as a whole, of the last phase; rows have theirs in the chunks.
    warnings = models.JSONField(default=list, blank=True)
    #: Rows by what became of them, of the last phase that came to its end.
    counts = models.JSONField(default=dict, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("confirmed by"),
    )
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    #: When its file and what its rows said went; the counts stay.
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)

    class Meta(Job.Meta):
        abstract = False
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [
            models.Index(
                fields=["lease_until"],
                condition=Q(status__in=["checking", "queued", "running"]),
                name="importjob_work",
            ),
            models.Index(fields=["shop", "-id"], name="importjob_shop"),
            models.Index(fields=["created_by", "-id"], name="importjob_by"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=JobStatus.values), name="importjob_status_known"
            )
        ]

    @property
    def phase(self) -> str:
        """Which of its two passes it is in, or was in last."""
        return self.Phase.RUN if self.confirmed_at else self.Phase.CHECK


class ImportChunk(models.Model):
    """What became of the rows of one chunk, written in the transaction that wrote their data.

    So it is the checkpoint: what has a chunk is done, what has none was never begun. ``told`` and
    ``faults`` are JSON texts, a list per row: ``[row, what, label, message, code, changes]``,
    in ``faults`` with the row's cells (header → text) instead of changes. Texts, because
    a database's own JSON takes neither NUL nor half a surrogate pair, and rows bring both.
    """

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="chunks")
    phase = models.CharField(max_length=5, choices=ImportJob.Phase.choices)
    first_row = models.PositiveBigIntegerField()
    last_row = models.PositiveBigIntegerField()
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    told = models.TextField(default="[]")
    faults = models.TextField(default="[]")
    warnings = models.JSONField(default=list)
    more_warnings = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("part of an import")
        verbose_name_plural = _("parts of imports")
        ordering = ["job", "phase", "first_row"]
        constraints = [
            models.UniqueConstraint(fields=["job", "phase", "first_row"], name="importchunk_once")
        ]

    def __str__(self) -> str:
        return f"{self.job_id} {self.phase} {self.first_row}–{self.last_row}"
