"""Who saw which personal datum, when and why."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.flow.events import AppendOnly


class Reveal(AppendOnly):
    """One field of one order shown in clear to one person, with his reason."""

    order = models.ForeignKey(
        "cases.Order", models.PROTECT, related_name="reveals", verbose_name=_("order")
    )
    field = models.CharField(_("field"), max_length=20)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    reason = models.CharField(_("reason"), max_length=200)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("reveal")
        verbose_name_plural = _("reveals")
        ordering = ["-id"]
        indexes = [models.Index(fields=["user", "at"], name="reveal_user_at")]

    def __str__(self) -> str:
        return f"{self.user} {self.field} {self.at:%Y-%m-%d %H:%M}"
