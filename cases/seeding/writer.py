"""Writes the reference data; what staff changed stays as they left it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from django.db import transaction

from cases import calendars
from cases.flow import clock
from cases.models import (
    CalendarDay,
    ClockPolicy,
    Reason,
    RefusalReason,
    RoleLimit,
    SopStep,
    Window,
)
from cases.seeding import limits, reasons, roles, sops

#: Reference data of other apps, by the name ``seed`` reports it under; they add it in ready().
WRITERS: dict[str, Callable[[], int]] = {}


@transaction.atomic
def seed() -> dict[str, int]:
    """Make what is missing of the reference data; returns how many rows of each were made.

    A row is known by its code or its place (state, kind, role, year) and is never written again
    once it is there. Rows that should not be used are switched off or dated, not deleted.
    """
    writers: dict[str, Callable[[], int]] = {
        "rights": roles.seed_roles,
        "reasons": _reasons,
        "refusal_reasons": _refusals,
        "sop_steps": _sops,
        "time_limits": _clocks,
        "windows": _windows,
        "role_limits": _role_limits,
        "calendar_days": _calendar,
    }
    return {name: write() for name, write in {**writers, **WRITERS}.items()}


def _reasons() -> int:
    made = 0
    for position, (code, name, name_en) in enumerate(reasons.GROUPS):
        # A group is a heading: it is for no kind of case, so it is switched off for cases.
        row = {"name": name, "name_en": name_en, "position": position, "active": False}
        made += Reason.objects.get_or_create(code=code, defaults=row)[1]
    groups = Reason.objects.in_bulk([code for code, *_ in reasons.GROUPS], field_name="code")
    for position, reason in enumerate(reasons.REASONS, start=10):
        row = {
            "name": reason.name,
            "name_en": reason.name_en,
            "position": position,
            "parent": groups[reason.group],
            "kinds": ";".join(reason.kinds),
            "responsible": reason.responsible,
            "goods_back": reason.goods_back,
            "evidence": reason.evidence,
            "evidence_demanded": reason.evidence_demanded,
            "promise": reason.promise,
            "counts_for_quality": reason.counts_for_quality,
        }
        made += Reason.objects.get_or_create(code=reason.code, defaults=row)[1]
    return made


def _refusals() -> int:
    made = 0
    for position, (code, name, name_en, needs_evidence) in enumerate(reasons.REFUSALS):
        row = {
            "name": name,
            "name_en": name_en,
            "position": position,
            "needs_evidence": needs_evidence,
        }
        made += RefusalReason.objects.get_or_create(code=code, defaults=row)[1]
    return made


def _sops() -> int:
    """A SOP is the lines of one reason, kind and state: any line there means staff's own one."""
    codes = {row.reason for row in sops.ALL if row.reason}
    by_code = Reason.objects.in_bulk(codes, field_name="code")
    standing = set(SopStep.objects.values_list("reason__code", "kind", "state"))
    rows = [
        SopStep(
            reason=by_code.get(row.reason),
            kind=row.kind,
            state=row.state,
            verb=row.step,
            guidance=row.text,
            guidance_en=row.text_en,
            position=position,
        )
        for position, row in enumerate(sops.ALL)
        if (row.reason or None, row.kind, row.state) not in standing
    ]
    return len(SopStep.objects.bulk_create(rows))


def _clocks() -> int:
    standing = set(
        ClockPolicy.objects.filter(platform="").values_list("state", "kind", "variant").distinct()
    )
    rows = [
        ClockPolicy(
            state=row.state,
            kind=row.kind,
            variant=row.variant,
            hours=Decimal(row.hours),
            source=row.source,
            extend_by=row.extend_by,
            extend_days=row.extend_days,
            extend_times=row.extend_times,
        )
        for row in limits.CLOCKS
        if (row.state, row.kind, row.variant) not in standing
    ]
    return len(ClockPolicy.objects.bulk_create(rows))


def _windows() -> int:
    standing = set(Window.objects.filter(platform="").values_list("code", flat=True))
    rows = [
        Window(code=code, value=value, source=source)
        for code, value, source in limits.WINDOWS
        if code not in standing
    ]
    return len(Window.objects.bulk_create(rows))


def _role_limits() -> int:
    made = 0
    for role, refund, compensation in limits.ROLE_LIMITS:
        row = {"refund_act": refund, "compensation_act": compensation}
        made += RoleLimit.objects.get_or_create(role=role, defaults=row)[1]
    return made


def _calendar() -> int:
    """Last year, this one and the next, as far as the library knows them; loaded years stay."""
    this_year = (clock.now() + timedelta(hours=8)).year
    known = set(calendars.known_years())
    loaded = {day.year for day in CalendarDay.objects.dates("day", "year")}
    years = sorted({this_year - 1, this_year, this_year + 1} & known - loaded)
    return len(CalendarDay.objects.bulk_create(calendars.calendar_rows(years)))
