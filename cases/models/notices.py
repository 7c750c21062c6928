"""Notices to people: reminders, escalations, things to tell the buyer. Not events."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.lifecycle import Case


class Notice(models.Model):
    """One thing somebody should look at; ``side`` says whose turn it was."""

    class Kind(models.TextChoices):
        REMINDER = "reminder", _("Reminder")
        ESCALATION = "escalation", _("Escalation")
        TELL_BUYER = "tell_buyer", _("Tell the buyer")
        AHEAD = "ahead", _("Sent ahead")

    case = models.ForeignKey(Case, models.CASCADE, related_name="notices", verbose_name=_("case"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    side = models.CharField(_("for"), max_length=12, blank=True, default="")
    text = models.CharField(_("text"), max_length=300, blank=True, default="")
    at = models.DateTimeField(_("at"))
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    seen_at = models.DateTimeField(_("seen"), null=True, blank=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.case_id}"
