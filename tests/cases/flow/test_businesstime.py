"""Time limits end when they should, whatever pauses, nights and holidays lie between."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.flow.businesstime import Days, deadline, elapsed, end_of_day_window

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)

# Around the National Day of 2026: 1 to 7 October free, Sunday 20 September and Saturday
# 10 October worked on.
OCTOBER = {
    **{date(2026, 10, day): False for day in range(1, 8)},
    date(2026, 9, 20): True,
    date(2026, 10, 10): True,
}


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def working_days(**options) -> Days:
    return Days(OCTOBER, **options)


def test_elapsed_time_runs_day_and_night():
    end = deadline(local("2026-10-01 22:30"), timedelta(hours=72))

    assert end == (local("2026-10-04 22:30"), False)
    assert end.at.tzinfo is UTC


def test_a_limit_of_zero_ends_at_its_start_even_at_night_and_in_a_pause():
    night = local("2026-10-03 03:00")
    pause = (night - HOUR, night + HOUR)

    assert deadline(night, timedelta(0), pauses=[pause], days=working_days()).at == night


def test_working_hours_go_on_at_the_next_opening():
    end = deadline(local("2026-09-24 17:00"), 3 * HOUR, days=working_days())

    assert end == (local("2026-09-25 11:00"), False)


def test_a_limit_that_runs_out_at_closing_ends_at_closing():
    end = deadline(local("2026-09-24 09:00"), 9 * HOUR, days=working_days())

    assert end.at == local("2026-09-24 18:00")


def test_a_limit_begun_at_night_runs_from_the_morning():
    assert deadline(local("2026-09-24 23:00"), HOUR, days=working_days()).at == local(
        "2026-09-25 10:00"
    )
    assert deadline(local("2026-09-24 02:00"), HOUR, days=working_days()).at == local(
        "2026-09-24 10:00"
    )


def test_holidays_are_skipped_and_make_up_days_count():
    days = working_days()

    # Wednesday 30 September, then seven free days, Thursday, Friday, the Saturday made up for.
    end = deadline(local("2026-09-30 09:00"), 36 * HOUR, days=days)

    assert end == (local("2026-10-10 18:00"), False)
    assert deadline(local("2026-09-18 17:00"), 2 * HOUR, days=days).at == local("2026-09-20 10:00")


def test_an_unknown_year_has_plain_weekdays_and_says_so():
    days = working_days()

    assert days.is_working(date(2027, 10, 1)) == (True, False)
    assert days.is_working(date(2027, 10, 2)) == (False, False)
    assert days.is_working(date(2026, 10, 1)) == (False, True)
    assert days.is_working(date(2026, 12, 31)) == (True, True)
    assert deadline(local("2026-12-31 17:00"), HOUR, days=days) == (
        local("2026-12-31 18:00"),
        False,
    )
    assert deadline(local("2026-12-31 17:00"), 2 * HOUR, days=days) == (
        local("2027-01-01 10:00"),
        True,
    )


def test_a_year_of_which_no_day_is_told_can_be_known_all_the_same():
    days = Days({}, years=frozenset({2026}))

    assert days.is_working(date(2026, 10, 1)) == (True, True)
    assert Days(OCTOBER, years=frozenset()).is_working(date(2026, 10, 10)) == (False, False)


def test_a_night_that_is_over_does_not_make_a_deadline_provisional():
    days = Days({date(2027, 1, 1): False})

    # The last evening of the unknown 2026 lies before the first hour that counts.
    end = deadline(local("2026-12-31 20:00"), HOUR, days=days)

    assert end == (local("2027-01-04 10:00"), False)


def test_a_working_day_may_end_at_midnight():
    days = working_days(opens=time(8), closes=time(0))

    assert deadline(local("2026-09-24 23:00"), HOUR, days=days).at == local("2026-09-25 00:00")
    assert deadline(local("2026-09-24 23:00"), 2 * HOUR, days=days).at == local("2026-09-25 09:00")


@pytest.mark.parametrize(("opens", "closes"), [(time(9), time(9)), (time(18), time(9))])
def test_opening_hours_that_are_empty_are_refused(opens, closes):
    with pytest.raises(ValueError, match="not after opening"):
        working_days(opens=opens, closes=closes)


def test_time_in_pauses_does_not_count():
    start = local("2026-03-01 10:00")
    pauses = [
        (start + 6 * HOUR, start + 7 * HOUR),
        (start + 1 * HOUR, start + 3 * HOUR),
        (start + 2 * HOUR, start + 4 * HOUR),  # overlaps the one before
        (start + 9 * HOUR, start + 9 * HOUR),  # empty
        (start - 5 * HOUR, start - 1 * HOUR),  # over before it began
        (start + 20 * HOUR, start + 30 * HOUR),  # after the end
    ]

    assert deadline(start, 5 * HOUR, pauses=pauses).at == start + 9 * HOUR
    assert elapsed(start, start + 9 * HOUR, pauses=pauses) == 5 * HOUR


def test_a_pause_that_begins_when_the_limit_ends_does_not_move_it():
    start = local("2026-03-01 10:00")

    assert deadline(start, HOUR, pauses=[(start + HOUR, start + 2 * HOUR)]).at == start + HOUR


def test_a_limit_begun_in_a_pause_runs_from_its_end():
    start = local("2026-03-01 10:00")

    assert deadline(start, HOUR, pauses=[(start - HOUR, start + HOUR)]).at == start + 2 * HOUR


def test_a_pause_inside_working_hours_pushes_the_rest_to_the_next_day():
    days = working_days()
    pause = (local("2026-09-24 12:00"), local("2026-09-24 17:30"))

    end = deadline(local("2026-09-24 11:00"), 2 * HOUR, pauses=[pause], days=days)

    assert end.at == local("2026-09-25 09:30")
    # The same pause at night costs nothing.
    night = (local("2026-09-24 18:00"), local("2026-09-25 09:00"))
    assert deadline(local("2026-09-24 17:00"), 2 * HOUR, pauses=[night], days=days).at == local(
        "2026-09-25 10:00"
    )


def test_a_clock_change_is_not_time():
    # New York loses 02:00 to 03:00 on 2026-03-08.
    start = local("2026-03-07 12:00", NEW_YORK)

    assert deadline(start, 24 * HOUR).at == local("2026-03-08 13:00", NEW_YORK)


def test_opening_hours_stay_local_across_a_clock_change():
    days = Days({date(2026, 1, 1): False}, zone=NEW_YORK)

    # Friday noon: six hours that day, then Monday after the change.
    end = deadline(local("2026-03-06 12:00", NEW_YORK), 7 * HOUR, days=days)

    assert end.at == local("2026-03-09 10:00", NEW_YORK)


def test_nothing_has_run_before_the_start():
    start = local("2026-03-01 10:00")

    assert elapsed(start, start - HOUR) == timedelta(0)
    assert elapsed(start, start) == timedelta(0)


@pytest.mark.parametrize("call", [deadline, elapsed])
def test_a_moment_without_a_zone_is_refused(call):
    naive = datetime(2026, 3, 1, 10)  # noqa: DTZ001
    other = HOUR if call is deadline else naive

    with pytest.raises(ValueError, match="without a time zone"):
        call(naive, other)


def test_a_negative_limit_is_refused():
    with pytest.raises(ValueError, match="negative"):
        deadline(local("2026-03-01 10:00"), -HOUR)


@pytest.mark.parametrize(
    ("signed", "days", "over"),
    [
        ("2026-03-01 15:20", 7, "2026-03-09 00:00"),
        ("2026-03-01 00:00", 7, "2026-03-09 00:00"),
        ("2026-03-01 23:59:59.999999", 7, "2026-03-09 00:00"),
        ("2026-03-02 00:00", 7, "2026-03-10 00:00"),
        ("2026-12-31 12:00", 0, "2027-01-01 00:00"),
    ],
)
def test_a_window_of_days_counts_from_the_day_after(signed, days, over):
    assert end_of_day_window(local(signed), days, SHANGHAI) == local(over)
    # The day is that of the zone, wherever the moment was written down.
    assert end_of_day_window(local(signed).astimezone(UTC), days, SHANGHAI) == local(over)


# On a grid of quarters an hour, so that the slow count below is exact.
ORIGIN = local("2026-09-28 00:00")
moments = st.integers(0, 14 * 96).map(lambda quarters: ORIGIN + quarters * QUARTER)
pauses = st.lists(st.tuples(moments, moments), max_size=5)
lengths = st.integers(1, 50 * 4).map(lambda quarters: quarters * QUARTER)
calendars = st.sampled_from(
    [None, working_days(), working_days(opens=time(0), closes=time(0)), Days({}, time(20), time(0))]
)


def slow_count(start, end, pauses, days):
    """Quarter by quarter, as one would count on paper."""
    total, at = timedelta(0), start
    while at < end:
        clock = at.astimezone(SHANGHAI)
        open_now = days is None or (
            days.is_working(clock.date())[0]
            and days.opens <= clock.time()
            and (days.closes == time(0) or clock.time() < days.closes)
        )
        if open_now and not any(a <= at < b for a, b in pauses):
            total += QUARTER
        at += QUARTER
    return total


@settings(max_examples=60)
@given(moments, moments, pauses, calendars)
def test_elapsed_is_what_one_counts_on_paper(start, end, breaks, days):
    assert elapsed(start, end, pauses=breaks, days=days) == slow_count(start, end, breaks, days)


@given(moments, lengths, pauses, calendars)
def test_a_deadline_is_the_first_moment_at_which_the_length_has_run(start, length, breaks, days):
    at = deadline(start, length, pauses=breaks, days=days).at

    assert elapsed(start, at, pauses=breaks, days=days) == length
    just_before = at - timedelta(microseconds=1)
    assert elapsed(start, just_before, pauses=breaks, days=days) < length


@given(st.lists(moments, min_size=3, max_size=3).map(sorted), pauses, calendars)
def test_elapsed_time_adds_up(times, breaks, days):
    first, middle, last = times

    def run(begin, end):
        return elapsed(begin, end, pauses=breaks, days=days)

    assert run(first, middle) + run(middle, last) == run(first, last)
    assert run(first, middle) <= run(first, last) <= last - first


@given(moments, lengths, lengths, pauses, calendars)
def test_a_longer_limit_ends_later(start, length, more, breaks, days):
    shorter = deadline(start, length, pauses=breaks, days=days).at

    assert shorter < deadline(start, length + more, pauses=breaks, days=days).at
    assert shorter >= start + length


@given(moments, lengths, pauses, st.tuples(moments, moments), calendars)
def test_pauses_commute_and_never_shorten(start, length, breaks, another, days):
    end = deadline(start, length, pauses=breaks, days=days).at

    assert deadline(start, length, pauses=breaks[::-1], days=days).at == end
    assert deadline(start, length, pauses=breaks + breaks, days=days).at == end
    assert deadline(start, length, pauses=[*breaks, another], days=days).at >= end


@given(moments, lengths, lengths, pauses, calendars)
def test_a_limit_in_two_parts_ends_as_in_one(start, first, second, breaks, days):
    part = deadline(start, first, pauses=breaks, days=days).at

    assert (
        deadline(part, second, pauses=breaks, days=days).at
        == deadline(start, first + second, pauses=breaks, days=days).at
    )
