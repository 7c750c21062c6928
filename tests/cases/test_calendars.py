"""The calendar comes from two libraries that agree, or from a person; it is never guessed."""

import json
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from cases import calendars
from cases.clockwork import recompute
from cases.flow import clock
from cases.flow.businesstime import Days
from cases.flow.door import Refused
from cases.models import CalendarDay, Case, Order, Reason, Shop
from cases.models.clocks import shop_days


def load(*args, **options) -> dict:
    out = StringIO()
    call_command("load_calendar", *args, stdout=out, **options)
    return json.loads(out.getvalue())


def refusal(*args, **options) -> dict:
    out = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("load_calendar", *args, stdout=out, **options)
    assert caught.value.returncode == 2
    return json.loads(out.getvalue())


def test_a_year_has_its_holidays_and_the_weekend_days_worked_on():
    rows = {row.day: (row.working, row.name) for row in calendars.calendar_rows([2026])}

    assert rows[date(2026, 1, 1)] == (False, "元旦")
    assert rows[date(2026, 2, 17)] == (False, "春节")
    assert rows[date(2026, 2, 14)] == (True, "春节调休")
    assert rows[date(2026, 10, 10)] == (True, "国庆节调休")
    assert date(2026, 10, 12) not in rows  # a plain Monday
    assert sorted(day for day, (working, _) in rows.items() if working) == [
        date(2026, 1, 4),
        date(2026, 2, 14),
        date(2026, 2, 28),
        date(2026, 5, 9),
        date(2026, 9, 20),
        date(2026, 10, 10),
    ]


def test_the_rows_make_a_calendar_that_knows_its_year():
    rows = calendars.calendar_rows([2025, 2026])
    days = Days({row.day: row.working for row in rows})

    assert days.is_working(date(2026, 10, 10)) == (True, True)
    assert days.is_working(date(2026, 10, 6)) == (False, True)
    assert days.is_working(date(2026, 10, 12)) == (True, True)
    assert days.is_working(date(2027, 1, 1)) == (True, False)


def test_both_libraries_agree_on_every_year_since_2006():
    assert calendars.calendar_rows(range(2006, 2027))


def test_a_year_nobody_knows_is_refused_by_name():
    with pytest.raises(Refused, match="2099") as caught:
        calendars.calendar_rows([2026, 2099])

    assert caught.value.code == "unknown"


def test_a_year_the_libraries_disagree_about_is_refused_with_its_days():
    # chinesecalendar has no make-up day on 2005-12-31, holidays has.
    with pytest.raises(Refused, match="2005-12-31") as caught:
        calendars.calendar_rows([2005])

    assert caught.value.code == "bad_value"


@pytest.mark.django_db
def test_loading_twice_changes_nothing():
    first = load(2026)
    second = load(2026)

    assert (first["years"], first["updated"]) == ([2026], 0)
    assert first["created"] == CalendarDay.objects.count() > 30
    assert (second["created"], second["updated"], second["unchanged"]) == (0, 0, first["created"])


@pytest.mark.django_db
def test_a_load_mends_a_wrong_day_and_leaves_the_shops_own():
    CalendarDay.objects.create(day=date(2026, 2, 14), working=False, name="typed wrongly")
    CalendarDay.objects.create(day=date(2026, 3, 3), working=False, name="stock-taking")

    assert load(2026)["updated"] == 1

    assert CalendarDay.objects.get(day=date(2026, 2, 14)).working is True
    assert CalendarDay.objects.get(day=date(2026, 3, 3)).name == "stock-taking"


@pytest.mark.django_db
def test_an_unknown_year_loads_nothing_at_all():
    answer = refusal(2026, 2099)

    assert answer["code"] == "unknown"
    assert "2099" in answer["refused"]
    assert not CalendarDay.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_notice_can_be_loaded_by_hand(tmp_path, encoding):
    file = tmp_path / "2027.csv"
    text = "日期,上班,名称\r\n2027/1/1,否,元旦\r\n2027-10-10,是,国庆节调休\r\n"
    text += "".join(f"2027-10-{day:02},否,国庆节\r\n" for day in range(1, 9))
    text += "".join(f"2027-02-{day:02},休,春节\r\n" for day in range(5, 13))
    file.write_bytes(text.encode(encoding))

    assert load(csv=str(file))["created"] == 18

    assert CalendarDay.objects.get(day=date(2027, 1, 1)).name == "元旦"
    assert CalendarDay.objects.get(day=date(2027, 10, 10)).working is True
    assert CalendarDay.objects.filter(working=False).count() == 17


@pytest.mark.django_db
def test_a_notice_that_is_cut_off_is_refused(tmp_path):
    file = tmp_path / "2027.csv"
    file.write_text("day,working\n2027-01-01,no\n")

    answer = refusal(csv=str(file))

    assert (answer["code"], "2027" in answer["refused"]) == ("bad_value", True)
    assert not CalendarDay.objects.exists()


@pytest.mark.django_db
def test_one_day_of_a_known_year_can_be_mended_by_hand(tmp_path):
    load(2026)
    file = tmp_path / "mend.csv"
    file.write_text("day,working,name\n2026-10-10,no,moved\n")

    assert load(csv=str(file))["updated"] == 1


@pytest.mark.django_db
def test_days_that_stand_can_be_left_as_they_are():
    CalendarDay.objects.create(day=date(2026, 2, 14), working=False, name="by hand")

    loaded = calendars.load(calendars.calendar_rows([2026]), replace=False)

    assert (loaded.updated, loaded.unchanged) == (0, 1)
    assert CalendarDay.objects.get(day=date(2026, 2, 14)).name == "by hand"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day,working\n2027-01-01,no\n2027-13-01,no\n", "Line 3"),
        ("day,working\n2027-01-01,perhaps\n", "perhaps"),
        ("day,working\n2027-01-01\n", "Line 2"),
        ("day,working\n2027-01-01,no\n2027-01-01,yes\n", "2027-01-01"),
        ("day,name\n2027-01-01,x\n", "working"),
        ("day,working\n", "no days"),
        ("", "columns"),
    ],
)
def test_a_file_with_one_bad_line_is_refused_wholly(tmp_path, text, said):
    file = tmp_path / "bad.csv"
    file.write_text(text)

    with translation.override("en"):
        answer = refusal(csv=str(file))

    assert answer["code"] == "bad_value"
    assert said in answer["refused"]
    assert not CalendarDay.objects.exists()


@pytest.mark.django_db
def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path):
    picture = tmp_path / "notice.png"
    picture.write_bytes(b"\x89PNG\xff\xff\xff")

    assert refusal(csv=str(tmp_path / "none.csv"))["code"] == "unknown"
    assert refusal(csv=str(picture))["code"] == "bad_value"
    assert refusal(2026, csv=str(picture))["code"] == "bad_value"


def case_begun(number: int, begun: datetime, hours: int) -> Case:
    """A case whose seller has so many working hours, by the calendar as it stands."""
    shop, _ = Shop.objects.get_or_create(
        code="s", platform="taobao", opens=time(9), closes=time(18)
    )
    order, _ = Order.objects.get_or_create(shop=shop, platform="taobao", order_no="1")
    case = Case(
        case_no=str(number),
        shop=shop,
        order=order,
        kind="return_refund",
        remedy="return_refund",
        reason=Reason.objects.get_or_create(code="other")[0],
        applied_at=begun,
    )
    limit = clock.ClockSpec(
        "seller", timedelta(hours=hours), "escalate", reminders="50", days=shop_days(shop)
    )
    clock.start(case, begun, limit)
    case.save()
    return case


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


@pytest.mark.django_db
def test_a_load_puts_guessed_deadlines_right_and_keeps_their_extensions():
    # Wednesday 30 September 2026, 17:00: by plain weekdays the next hour is on 1 October.
    begun = shanghai("2026-09-30 17:00")
    guessed, extended = case_begun(1, begun, 11), case_begun(2, begun, 11)
    clock.extend(extended, begun, timedelta(days=3))
    extended.save()
    assert (guessed.due_at, guessed.provisional) == (shanghai("2026-10-02 10:00"), True)

    with clock.standing_at(begun + timedelta(hours=1)):
        assert load(2026)["recomputed"] == 2

    guessed, extended = Case.objects.order_by("case_no")
    assert (guessed.due_at, guessed.provisional) == (shanghai("2026-10-09 10:00"), False)
    assert guessed.wake_at == begun + (guessed.due_at - begun) / 2
    assert extended.due_at == guessed.due_at + timedelta(days=3)
    with clock.standing_at(begun + timedelta(hours=1)):
        assert recompute() == 0  # both ways to work a deadline out anew agree


@pytest.mark.django_db
def test_a_load_leaves_certain_deadlines_and_those_still_unknown():
    load(2025)
    certain = case_begun(1, shanghai("2025-09-30 17:00"), 2)
    unknown = case_begun(2, shanghai("2026-12-31 17:00"), 11)
    assert (certain.provisional, unknown.provisional) == (False, True)

    with clock.standing_at(shanghai("2026-12-31 18:00")):
        assert load(2026)["recomputed"] == 0

    assert Case.objects.get(case_no="1").due_at == certain.due_at == shanghai("2025-10-09 10:00")
    after = Case.objects.get(case_no="2")
    assert (after.due_at, after.provisional) == (unknown.due_at, True)
