"""Working days of China by year: from the libraries, checked against each other, or by hand."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import StringIO
from typing import TextIO

import chinese_calendar
import holidays
from django.db import transaction
from django.utils.translation import gettext as _

from cases.clockwork import recompute
from cases.flow.door import Refused
from cases.models import CalendarDay

#: Public holidays by law: 11 days, 13 since 2025; a notice that names fewer is cut off.
FEWEST_DAYS_OFF = 11

COLUMNS = {
    "day": ("day", "date", "日期"),
    "working": ("working", "上班"),
    "name": ("name", "名称"),
}
WORKING_WORDS = {
    **dict.fromkeys(["yes", "y", "1", "true", "是", "班", "上班"], True),
    **dict.fromkeys(["no", "n", "0", "false", "否", "休", "放假"], False),
}


@dataclass
class Loaded:
    """What a load did, in days."""

    years: list[int]
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    #: Cases whose deadline was a guess and is now certain.
    recomputed: int = 0


def known_years() -> range:
    """The years whose notice the library has."""
    years = [day.year for day in chinese_calendar.constants.holidays]
    return range(min(years), max(years) + 1)


def calendar_rows(years: Iterable[int]) -> list[CalendarDay]:
    """Unsaved days of these years: every holiday and every weekend day worked on.

    A date without a row is what its weekday says. Refused: a year the library does not know
    (it would guess), and a year on which the two libraries disagree.
    """
    return [row for year in years for row in _rows_of(year)]


def _rows_of(year: int) -> list[CalendarDay]:
    if year not in known_years():
        raise Refused(
            _(
                "The calendar of %(year)s is not known yet (known: %(first)s to %(last)s). Load "
                "it from the notice of the State Council with --csv, or update chinesecalendar."
            )
            % {"year": year, "first": known_years()[0], "last": known_years()[-1]},
            "unknown",
            year=year,
        )
    second = holidays.country_holidays("CN", years=year)
    rows, doubtful = [], []
    for day in _days(year):
        working = chinese_calendar.is_workday(day)
        if working != second.is_working_day(day):
            doubtful.append(day)
        name = chinese_calendar.get_holiday_detail(day)[1]
        if name is not None:
            title = chinese_calendar.Holiday(name).chinese
            rows.append(
                CalendarDay(day=day, working=working, name=f"{title}调休" if working else title)
            )
    if doubtful:
        raise Refused(
            _(
                "The libraries disagree about %(days)s. Load %(year)s from the notice of the "
                "State Council with --csv."
            )
            % {"days": ", ".join(map(str, doubtful)), "year": year},
            "bad_value",
            year=year,
        )
    return rows


def text_of(content: bytes) -> TextIO:
    """A hand-made file as text: UTF-8, or what Excel writes on a Chinese desk."""
    try:
        return StringIO(content.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError:
        try:
            return StringIO(content.decode("gb18030"), newline="")
        except UnicodeDecodeError:
            raise Refused(_("The file is not text. Save it as CSV."), "bad_value") from None


def rows_by_hand(lines: TextIO) -> list[CalendarDay]:
    """Days from a CSV with the columns day, working, name (日期, 上班, 名称); all or nothing."""
    reader = csv.DictReader(lines)
    columns = {
        key: next((given for given in reader.fieldnames or () if given.strip() in names), None)
        for key, names in COLUMNS.items()
    }
    day_column, working_column = columns["day"], columns["working"]
    if day_column is None or working_column is None:
        raise Refused(_("The file needs the columns day and working (日期, 上班)."), "bad_value")
    rows: dict[date, CalendarDay] = {}
    for cells in reader:
        day = _day(cells[day_column], reader.line_num)
        word = (cells[working_column] or "").strip().casefold()
        if word not in WORKING_WORDS:
            raise _bad_line(reader.line_num, word, _("write yes or no (是, 否)"))
        if day in rows:
            raise _bad_line(reader.line_num, str(day), _("this day was there before"))
        name = (cells[columns["name"]] or "").strip() if columns["name"] else ""
        rows[day] = CalendarDay(day=day, working=WORKING_WORDS[word], name=name[:60])
    if not rows:
        raise Refused(_("The file has no days."), "bad_value")
    return list(rows.values())


def load(rows: Sequence[CalendarDay], *, replace: bool = True) -> Loaded:
    """Write the days and put right every deadline that had to guess about them.

    Days that stand already give way, or stay with `replace=False`; other days always stay.
    A year that would be known only in part is refused: its deadlines would count as certain.
    """
    with transaction.atomic():
        result = _write(rows, replace=replace)
        refuse_part_of_a_year(result.years)
        result.recomputed = recompute(guessed=True)
    return result


def _write(rows: Sequence[CalendarDay], *, replace: bool) -> Loaded:
    result = Loaded(sorted({row.day.year for row in rows}))
    standing = CalendarDay.objects.in_bulk([row.day for row in rows], field_name="day")
    changed = []
    for row in rows:
        old = standing.get(row.day)
        if replace and old and (old.working, old.name) != (row.working, row.name):
            old.working, old.name = row.working, row.name
            changed.append(old)
    new = [row for row in rows if row.day not in standing]
    CalendarDay.objects.bulk_create(new)
    CalendarDay.objects.bulk_update(changed, ["working", "name"])
    result.created, result.updated = len(new), len(changed)
    result.unchanged = len(rows) - len(new) - len(changed)
    return result


def refuse_part_of_a_year(years: Iterable[int]) -> None:
    """Raises Refused where a year has fewer days off than any notice names."""
    for year in years:
        days_off = CalendarDay.objects.filter(day__year=year, working=False).count()
        if days_off < FEWEST_DAYS_OFF:
            raise Refused(
                _(
                    "%(year)s would have %(found)s days off; a notice names at least %(least)s. "
                    "Give all of them, those at weekends too."
                )
                % {"year": year, "found": days_off, "least": FEWEST_DAYS_OFF},
                "bad_value",
                year=year,
            )


def _days(year: int) -> Iterable[date]:
    first = date(year, 1, 1)
    return (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))


def _day(text: str | None, line: int) -> date:
    plain = (text or "").strip().replace("/", "-")
    try:
        year, month, day = map(int, plain.split("-"))
        return date(year, month, day)
    except ValueError:
        raise _bad_line(line, plain, _("write a day like 2027-01-01")) from None


def _bad_line(line: int, value: str, remedy: str) -> Refused:
    return Refused(
        _("Line %(line)s: “%(value)s”: %(remedy)s.")
        % {"line": line, "value": value, "remedy": remedy},
        "bad_value",
        line=line,
    )
