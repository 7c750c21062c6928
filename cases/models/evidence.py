"""Pictures and papers that prove something, notes and contacts; appended, never changed."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.lifecycle import Case


class Party(models.TextChoices):
    BUYER = "buyer", _("Buyer")
    SELLER = "seller", _("Seller")
    COURIER = "courier", _("Courier")
    PLATFORM = "platform", _("Platform")


#: What a file turned out to be by its content.
FILE_KINDS = {"image": _("Picture"), "pdf": "PDF", "video": _("Video")}


def evidence_path(instance: Any, filename: str) -> str:
    """Random names: what a file was called outside is kept in its row only."""
    return f"evidence/{filename[:2]}/{filename}"


class Evidence(models.Model):
    """One file, checked by content before it came in (cases.files); served to who may see it."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="evidence", verbose_name=_("case"))
    party = models.CharField(_("party"), max_length=10, choices=Party.choices)
    kind = models.CharField(_("kind"), max_length=10)
    mime = models.CharField(_("type"), max_length=60)
    file = models.FileField(_("file"), upload_to=evidence_path, max_length=200)
    original_name = models.CharField(_("name"), max_length=200, blank=True, default="")
    size = models.PositiveBigIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("entered by"),
    )

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        ordering = ["case_id", "id"]

    def __str__(self) -> str:
        return self.original_name or str(self.file.name)

    @property
    def kind_in_words(self) -> str:
        return str(FILE_KINDS.get(self.kind, self.kind))


class Note(models.Model):
    """What was written down: for colleagues, or what was said to the buyer."""

    class Kind(models.TextChoices):
        INTERNAL = "internal", _("Internal")
        CONTACT = "contact", _("Contact with the buyer")

    case = models.ForeignKey(Case, models.PROTECT, related_name="notes", verbose_name=_("case"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.INTERNAL)
    way = models.CharField(_("way"), max_length=20, blank=True, default="")
    text = models.TextField(_("text"))
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("entered by"),
    )

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["case_id", "id"]

    def __str__(self) -> str:
        return self.text[:60]
