"""Why buyers apply and why sellers refuse: editable tables with what each reason entails."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cases.models.kinds import FreightPayer, Kind, Responsible


class Named(models.Model):
    """A row of reference data with a Chinese and an English name."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100)
    name_en = models.CharField(_("English name"), max_length=100, blank=True, default="")
    active = models.BooleanField(_("active"), default=True)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        abstract = True
        ordering = ["position", "code"]

    def __str__(self) -> str:
        language = get_language() or ""
        return self.name if language.startswith("zh") or not self.name_en else self.name_en


class Reason(Named):
    """What the buyer says is wrong; decides responsibility, freight, goods, evidence, SOP."""

    class Evidence(models.TextChoices):
        NONE = "none", _("None")
        PICTURES = "pictures", _("Pictures")
        UNPACKING = "unpacking", _("Pictures of the unpacking")
        TRACKING = "tracking", _("Tracking")
        REPORT = "report", _("Expert report")
        MEDICAL = "medical", _("Medical proof")

    class Goods(models.TextChoices):
        YES = "yes", _("Come back")
        NO = "no", _("Stay")
        IF_SHIPPED = "if_shipped", _("Come back if shipped")
        INTERCEPT = "intercept", _("Intercept")
        OPTIONAL = "optional", _("Optional")
        AGREED = "agreed", _("By agreement")

    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name=_("group of reasons")
    )
    #: ";"-separated kinds it may be used for; empty = all.
    kinds = models.CharField(_("kinds"), max_length=200, blank=True, default="")
    responsible = models.CharField(
        _("responsible"), max_length=12, choices=Responsible.choices, default=Responsible.UNKNOWN
    )
    freight_payer = models.CharField(
        _("return freight"),
        max_length=8,
        choices=FreightPayer.choices,
        blank=True,
        default="",
        help_text=_(
            "Empty: whoever is at fault pays; nothing agreed: out by seller, back by buyer."
        ),
    )
    goods_back = models.CharField(
        _("goods"), max_length=12, choices=Goods.choices, default=Goods.AGREED
    )
    evidence = models.CharField(
        _("evidence"), max_length=12, choices=Evidence.choices, default=Evidence.NONE
    )
    evidence_demanded = models.BooleanField(
        _("evidence demanded"),
        default=True,
        help_text=_("Accepting without the evidence takes a written waiver."),
    )
    promise = models.CharField(_("promise"), max_length=40, blank=True, default="")
    counts_for_quality = models.BooleanField(_("counts for quality"), default=False)

    class Meta(Named.Meta):
        verbose_name = _("reason")
        verbose_name_plural = _("reasons")

    def is_for(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds.split(";")

    @property
    def demands_evidence(self) -> bool:
        return self.evidence_demanded and self.evidence != self.Evidence.NONE


class RefusalReason(Named):
    """Why the seller refuses an application."""

    needs_evidence = models.BooleanField(_("evidence demanded"), default=False)

    class Meta(Named.Meta):
        verbose_name = _("refusal reason")
        verbose_name_plural = _("refusal reasons")


class SopStep(models.Model):
    """One line of what to do: the first that fits a case's state is its next action."""

    reason = models.ForeignKey(
        Reason, models.CASCADE, null=True, blank=True, related_name="sop", verbose_name=_("reason")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, blank=True, default="")
    state = models.CharField(_("state"), max_length=24)
    verb = models.CharField(_("step"), max_length=40, blank=True, default="")
    guidance = models.TextField(_("guidance"))
    guidance_en = models.TextField(_("English guidance"), blank=True, default="")
    position = models.PositiveIntegerField(
        _("position"), default=0, validators=[MinValueValidator(0)]
    )

    class Meta:
        verbose_name = _("SOP step")
        verbose_name_plural = _("SOP steps")
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["state", "reason"], name="sop_state_reason")]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def text(self) -> str:
        chinese = (get_language() or "").startswith("zh") or not self.guidance_en
        return self.guidance if chinese else self.guidance_en
