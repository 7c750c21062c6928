"""Printouts asked for by people: the job, and the file it made."""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.jobs import Job, JobQuerySet, JobStatus


class PrintJobQuerySet(JobQuerySet):
    def visible_to(self, user: Any) -> Self:
        """One's own."""
        return self if user.is_superuser else self.filter(created_by_id=user.pk)


class PrintJob(Job):
    """Many papers as one PDF. ``keys``: what is printed, in order; ``base``: where records are."""

    class Kind(models.TextChoices):
        SLIPS = "slips", _("Handling slips")
        VOUCHERS = "vouchers", _("Exchange vouchers")
        PAPERS = "papers", _("List of papers given back")
        RED_FORMS = "red_forms", _("Copies of red forms")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    keys = models.JSONField(_("what is printed"), default=list)
    base = models.CharField(max_length=200, blank=True, default="")
    file = models.FileField(_("file"), max_length=200, blank=True, default="")
    pages = models.PositiveIntegerField(_("pages"), default=0)
    size = models.PositiveBigIntegerField(_("size"), default=0)
    removed_at = models.DateTimeField(_("file removed at"), null=True, blank=True)

    objects: ClassVar[Any] = PrintJobQuerySet.as_manager()

    class Meta(Job.Meta):
        abstract = False
        verbose_name = _("print job")
        verbose_name_plural = _("print jobs")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=JobStatus.values), name="printjob_status_known"
            )
        ]
        indexes = [
            models.Index(
                fields=["lease_until"],
                condition=Q(status__in=["checking", "queued", "running"]),
                name="printjob_work",
            ),
            models.Index(fields=["created_by", "-id"], name="printjob_by"),
        ]
