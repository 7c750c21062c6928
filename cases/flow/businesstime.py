"""When a time limit ends: elapsed or working time, with pauses; pure arithmetic."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import count
from typing import NamedTuple
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOTHING = timedelta(0)
ONE_DAY = timedelta(days=1)

Span = tuple[datetime, datetime]


class Deadline(NamedTuple):
    """The end of a limit in UTC; provisional if a year without a calendar had a say in it."""

    at: datetime
    provisional: bool


@dataclass(frozen=True)
class Days:
    """Opening hours on working days of one zone.

    `working` says which dates are worked on (True) and which are not (False); it may hold every
    date of a year or only what differs from Monday to Friday. `years` are those for which it was
    told what differs; without it, the years that occur in `working`.
    `closes` at 00:00 means the end of the day.
    """

    working: Mapping[date, bool] = field(repr=False)
    opens: time = time(9)
    closes: time = time(18)
    zone: tzinfo = SHANGHAI
    years: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if self.closes != time(0) and self.opens >= self.closes:
            raise ValueError(f"Closing at {self.closes} is not after opening at {self.opens}.")
        if self.years is None:
            object.__setattr__(self, "years", frozenset(day.year for day in self.working))

    def is_working(self, day: date) -> tuple[bool, bool]:
        """(is it a working day, do we know): an unknown year has plain weekdays."""
        known = day.year in (self.years or ())
        stated = self.working.get(day) if known else None
        return (day.weekday() < 5 if stated is None else stated), known

    def hours(self, day: date) -> Span:
        """Opening and closing on that date in UTC, whether it is worked on or not."""
        last = day + ONE_DAY if self.closes == time(0) else day
        return (
            datetime.combine(day, self.opens, self.zone).astimezone(UTC),
            datetime.combine(last, self.closes, self.zone).astimezone(UTC),
        )

    def spans_after(self, moment: datetime) -> Iterator[tuple[Span, bool, bool]]:
        """(opening hours, worked on, known) of each date whose hours end after the moment."""
        first = moment.astimezone(self.zone).date()
        for number in count():
            day = first + timedelta(days=number)
            begin, end = self.hours(day)
            begin = max(begin, moment)
            if begin < end:
                yield (begin, end), *self.is_working(day)


def deadline(
    start: datetime,
    length: timedelta,
    *,
    pauses: Sequence[Span] = (),
    days: Days | None = None,
) -> Deadline:
    """The first moment at which `length` has run since `start`.

    Elapsed time 24 hours a day, or working time inside the opening hours of `days`. What lies in
    a pause (half-open, in any order, overlapping or empty ones allowed) does not count. A limit
    that runs out at closing time ends then, not at the next opening; a length of 0 ends at start.
    """
    begin = _utc(start)
    if length < NOTHING:
        raise ValueError(f"A time limit cannot be negative: {length}.")
    if not length:
        return Deadline(begin, provisional=False)
    if days is None:
        return Deadline(_skip(begin, length, pauses), provisional=False)

    breaks = _merge(pauses)
    guessed = False
    left = length
    for span, working, known in days.spans_after(begin):
        guessed = guessed or not known
        for running_from, running_to in _without(span, breaks) if working else ():
            if running_to - running_from >= left:
                return Deadline(running_from + left, provisional=guessed)
            left -= running_to - running_from
    raise AssertionError("the calendar has no end")


def elapsed(
    start: datetime,
    end: datetime,
    *,
    pauses: Sequence[Span] = (),
    days: Days | None = None,
) -> timedelta:
    """How much of a limit has run between two moments; the inverse of `deadline`.

    Nothing has run when `end` is not after `start`.
    """
    begin, stop = _utc(start), _utc(end)
    if stop <= begin:
        return NOTHING
    breaks = _merge(pauses)
    if days is None:
        return _sum(_without((begin, stop), breaks))
    total = NOTHING
    for (opening, closing), working, _ in days.spans_after(begin):
        if opening >= stop:
            return total
        if working:
            total += _sum(_without((opening, min(closing, stop)), breaks))
    raise AssertionError("the calendar has no end")


def end_of_day_window(moment: datetime, days: int, zone: tzinfo = SHANGHAI) -> datetime:
    """The moment a window of whole days is over, counted from the day after, 00:00 local.

    Half-open: signed 2026-03-01 15:20 with 7 days gives 2026-03-09 00:00, the first moment
    that is too late (七天无理由: until 2026-03-08 24:00).
    """
    _utc(moment)
    day = moment.astimezone(zone).date() + timedelta(days=days + 1)
    return datetime.combine(day, time(0), zone)


def _utc(moment: datetime) -> datetime:
    """In UTC, because adding to a local time would count its clock changes as time."""
    if moment.tzinfo is UTC:
        return moment
    if moment.utcoffset() is None:
        raise ValueError(f"A moment without a time zone: {moment}.")
    return moment.astimezone(UTC)


def _skip(begin: datetime, length: timedelta, pauses: Sequence[Span]) -> datetime:
    at = begin + length
    if pauses:
        for pause_from, pause_to in _merge(pauses):
            if pause_from >= at:
                break
            at += max(pause_to - max(pause_from, begin), NOTHING)
    return at


def _merge(pauses: Sequence[Span]) -> list[Span]:
    """Sorted, in UTC, without the empty ones, overlapping and touching ones joined."""
    merged: list[Span] = []
    for pause_from, pause_to in sorted((_utc(a), _utc(b)) for a, b in pauses):
        if pause_to <= pause_from:
            continue
        if merged and pause_from <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], pause_to))
        else:
            merged.append((pause_from, pause_to))
    return merged


def _without(span: Span, breaks: Sequence[Span]) -> Iterator[Span]:
    """What is left of a span when the (merged) breaks are cut out of it."""
    at, end = span
    for pause_from, pause_to in breaks:
        if pause_to <= at:
            continue
        if pause_from >= end:
            break
        if at < pause_from:
            yield at, pause_from
        at = pause_to
    if at < end:
        yield at, end


def _sum(spans: Iterator[Span]) -> timedelta:
    return sum((end - begin for begin, end in spans), NOTHING)
