"""Dated settings: how long each clock runs, calendars, pauses, windows; nothing is a constant."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cases.models.kinds import Kind, State
from cases.models.shops import Platform


class Dated(models.Model):
    """A row in force from a day (Shanghai, 00:00) until before another; open ends are empty."""

    platform = models.CharField(
        _("platform"),
        max_length=10,
        choices=Platform.choices,
        blank=True,
        default="",
        help_text=_("Empty: every platform."),
    )
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_to = models.DateTimeField(_("valid to"), null=True, blank=True)
    source = models.CharField(
        _("source"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("[P] the platform's rule, [S] the house's own rule, [A] our assumption."),
    )

    class Meta:
        abstract = True


class ClockPolicy(Dated):
    """How long a state's clock runs; the most particular row in force wins."""

    class Unit(models.TextChoices):
        ELAPSED = "elapsed", _("Hours, round the clock")
        WORKING = "working", _("Working hours")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, blank=True, default="")
    state = models.CharField(_("state"), max_length=24, choices=State.choices)
    variant = models.CharField(
        _("variant"),
        max_length=16,
        blank=True,
        default="",
        help_text=_(
            "“surface”: returned by surface post; “decision”: mediation after the evidence."
        ),
    )
    hours = models.DecimalField(
        _("hours"), max_digits=8, decimal_places=2, validators=[MinValueValidator(0)]
    )
    unit = models.CharField(
        _("counted in"), max_length=8, choices=Unit.choices, default=Unit.ELAPSED
    )
    reminders = models.CharField(
        _("reminders"),
        max_length=40,
        blank=True,
        default="50,90",
        help_text=_("Percent of the time."),
    )
    extend_by = models.CharField(
        _("may be extended by"),
        max_length=20,
        blank=True,
        default="",
        help_text=_("Role letters, as “A L S”; empty: nobody."),
    )
    extend_days = models.CharField(_("days to extend by"), max_length=40, blank=True, default="")
    extend_times = models.PositiveSmallIntegerField(_("times to extend"), default=0)

    class Meta:
        verbose_name = _("time limit")
        verbose_name_plural = _("time limits")
        ordering = ["state", "kind", "platform", "variant", "valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_to__isnull=True)
                | Q(valid_from__lt=F("valid_to")),
                name="clock_policy_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        kind = self.get_kind_display() if self.kind else "*"
        return f"{self.get_state_display()} · {kind} · {self.hours} h"


class Window(Dated):
    """A limit in days or times, by code (see Code)."""

    class Code(models.TextChoices):
        AFTERSALE_DAYS = (
            "aftersale_days",
            _("A case can be opened until, days after the order finished"),
        )
        NO_REASON_DAYS = "no_reason_days", _("Return without a reason until, days after signature")
        APPLICATIONS = "applications", _("Applications per order line")
        AUTO_CONFIRM_DAYS = (
            "auto_confirm_days",
            _("The platform confirms by itself, days after shipping"),
        )

    code = models.CharField(_("limit"), max_length=24, choices=Code.choices)
    value = models.PositiveIntegerField(_("value"))

    class Meta:
        verbose_name = _("window")
        verbose_name_plural = _("windows")
        ordering = ["code", "platform", "valid_from"]

    def __str__(self) -> str:
        return f"{self.get_code_display()}: {self.value}"


class CalendarDay(models.Model):
    """A working day or a holiday; a year without rows falls back to weekdays and is provisional."""

    day = models.DateField(_("day"), unique=True)
    working = models.BooleanField(_("working day"))
    name = models.CharField(_("name"), max_length=60, blank=True, default="")

    class Meta:
        verbose_name = _("calendar day")
        verbose_name_plural = _("calendar days")
        ordering = ["day"]
        permissions = [
            ("import_calendarday", "Can import calendar days"),
            ("export_calendarday", "Can export calendar days"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class PlatformPause(models.Model):
    """An interval in which every clock of a platform stands still (festivals)."""

    platform = models.CharField(_("platform"), max_length=10, choices=Platform.choices)
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    name = models.CharField(_("name"), max_length=100, blank=True, default="")

    class Meta:
        verbose_name = _("pause of a platform")
        verbose_name_plural = _("pauses of platforms")
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at")), name="platform_pause_dates_in_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.name}"
