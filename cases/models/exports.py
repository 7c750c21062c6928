"""Exports asked for by people: the job, and who took personal data out in clear."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.flow.events import AppendOnly
from cases.models.jobs import Job, JobQuerySet, JobStatus
from cases.models.shops import Shop


class ExportJobQuerySet(JobQuerySet):
    def visible_to(self, user: Any) -> Self:
        """One's own: a list's filter tells what its maker looked for."""
        return self if user.is_superuser else self.filter(created_by_id=user.pk)


class ExportJob(Job):
    """The rows of a list as a file, for the person who asked.

    ``query`` is the list's filter as in its address, ``filter_words`` the same for people; the
    rows are found anew when the job runs, within the shops its maker has then. When the file is
    removed its search words go with it, and the rest of the record stays.
    """

    class Format(models.TextChoices):
        XLSX = "xlsx", "XLSX"
        CSV = "csv", "CSV"

    #: As cases.sheets.registry knows it.
    kind = models.CharField(_("kind"), max_length=20)
    query = models.TextField(_("filter"), blank=True, default="")
    filter_words = models.TextField(_("filter"), blank=True, default="")
    #: Fields of the kind's layout, in the order of the columns.
    columns = models.JSONField(_("columns"), default=list)
    file_format = models.CharField(_("format"), max_length=4, choices=Format.choices)
    clear = models.BooleanField(_("personal data in clear"), default=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    file = models.FileField(_("file"), max_length=200, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    size = models.PositiveBigIntegerField(_("size"), default=0)
    removed_at = models.DateTimeField(_("file removed at"), null=True, blank=True)

    objects: ClassVar[Any] = ExportJobQuerySet.as_manager()

    class Meta(Job.Meta):
        abstract = False
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=JobStatus.values), name="exportjob_status_known"
            ),
            models.CheckConstraint(
                condition=Q(clear=False) | ~Q(reason=""), name="exportjob_clear_says_why"
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_until"],
                condition=Q(status__in=["checking", "queued", "running"]),
                name="exportjob_work",
            ),
            models.Index(fields=["created_by", "-id"], name="exportjob_by"),
        ]


class ClearExport(AppendOnly):
    """Personal data of one shop left in clear, in one file: who, when, why, what.

    A row for each shop in the file, so that each shop's people see what concerns them; ``rows``
    are that shop's. Search words are personal data themselves and stand hidden in ``filter``.
    """

    job = models.ForeignKey(
        ExportJob, models.PROTECT, related_name="records", verbose_name=_("export")
    )
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", verbose_name=_("shop"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)
    reason = models.CharField(_("reason"), max_length=200)
    rows = models.PositiveIntegerField(_("rows"))
    columns = models.JSONField(_("columns"))
    filter = models.TextField(_("filter"), blank=True, default="")
    sha256 = models.CharField(_("hash of the file"), max_length=64)

    class Meta:
        verbose_name = _("clear export")
        verbose_name_plural = _("clear exports")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["job", "shop"], name="clearexport_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="clearexport_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.job} {self.at:%Y-%m-%d %H:%M}"
