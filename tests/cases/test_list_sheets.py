"""Reference lists go out as small sheets and come back, each row shown before it is taken."""

import csv
import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from cases.models import CalendarDay, HeaderAlias, Membership, WordAlias
from tests.cases import admin_data

pytestmark = pytest.mark.django_db
LISTS = ("calendarday", "headeralias", "wordalias")
WORDS = "Shop,Family of sheets,Kind of word,Word in your file,Means\n"
HEADERS = "店铺,表格来源,表格类型,列,文件中的列名\n"
NOTICE = "日期,上班,名称\n" + "".join(f"2031-10-{day:02},否,国庆\n" for day in range(1, 14))


def open_document():
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as parts:
        parts.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        parts.writestr("content.xml", "<x/>")
    return book.getvalue()


class Desks(admin_data.Office):
    """Everybody reads English, unless a test says otherwise."""

    def client(self, role, language="en"):
        client = super().client(role)
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
        return client


@pytest.fixture
def office(settings, tmp_path):
    waiting = {**settings.STORAGES["import_export"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "import_export": waiting}
    return Desks(**vars(admin_data.office()))


def page(model, what):
    return reverse(f"admin:cases_{model}_{what}")


def upload(client, model, content):
    content = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile("list", content)
    return client.post(page(model, "import"), {"import_file": file, "format": "0", "resource": "0"})


def confirm(client, model, shown):
    said = shown.context["confirm_form"].initial
    return client.post(page(model, "process_import"), said, follow=True)


def take(client, model, content):
    return confirm(client, model, upload(client, model, content))


def export(client, model, file_format="0"):
    return client.post(page(model, "export"), {"format": file_format, "resource": "0"}).content


def rows_of(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def word(shop, text="路上", ours="shipped"):
    return WordAlias.objects.create(shop=shop, field="order_status", word=text, key=text, ours=ours)


def test_a_notice_is_shown_then_taken_once(office):
    client = office.client("supervisor")
    before = CalendarDay.objects.count()

    shown = upload(client, "calendarday", NOTICE)
    assert [row.import_type for row in shown.context["result"].rows] == ["new"] * 13
    assert CalendarDay.objects.count() == before

    answer = confirm(client, "calendarday", shown)
    assert CalendarDay.objects.count() == before + 13
    day = CalendarDay.objects.get(day=date(2031, 10, 1))
    assert (day.working, day.name) == (False, "国庆")
    said = [str(message) for message in answer.context["messages"]]
    assert any("Recompute running clocks" in text for text in said)
    assert LogEntry.objects.filter(content_type__model="calendarday").count() == 13

    again = confirm(client, "calendarday", shown)  # a second click
    assert "was taken already" in again.content.decode()
    shown = upload(client, "calendarday", NOTICE)
    assert [row.import_type for row in shown.context["result"].rows] == ["skip"] * 13
    confirm(client, "calendarday", shown)
    assert CalendarDay.objects.count() == before + 13
    assert LogEntry.objects.filter(content_type__model="calendarday").count() == 13


def test_a_year_known_in_part_is_refused(office):
    part = "".join(NOTICE.splitlines(keepends=True)[:5])
    shown = upload(office.client("supervisor"), "calendarday", part)

    assert "2031 would have 4 days off" in shown.content.decode()
    assert "confirm_form" not in shown.context
    assert "Traceback" not in shown.content.decode()
    assert not CalendarDay.objects.filter(day__year=2031).exists()


def test_names_and_words_come_in_as_the_form_would_keep_them(office):
    client = office.client("lead")
    take(client, "headeralias", HEADERS + "a,taobao,orders,left,实付（新）\n")
    take(client, "wordalias", WORDS + "a,taobao,order_status,待揽收,paid\n")

    name, said = HeaderAlias.objects.get(), WordAlias.objects.get()
    assert (name.shop, name.field, name.key) == (office.a, "left", "实付(新)")
    assert (said.shop, said.ours, said.key) == (office.a, "paid", "待揽收")


def test_a_row_that_is_there_is_changed_and_shown_as_both(office):
    row = word(office.a)
    client = office.client("lead")

    shown = upload(client, "wordalias", WORDS + "a,,order_status,路上,paid\n")
    assert "<del>shipped</del> <ins>paid</ins>" in shown.content.decode()
    confirm(client, "wordalias", shown)

    row.refresh_from_db()
    assert row.ours == "paid"


@pytest.mark.parametrize(
    ("model", "content", "told"),
    [
        ("wordalias", WORDS + "a,,order_status,路上,nowhere\n", "cannot mean “nowhere”"),
        ("wordalias", WORDS + "a,ebay,order_status,路上,paid\n", "no family of sheets “ebay”"),
        ("wordalias", WORDS + "a,,colour,路上,paid\n", "cannot mean “paid”"),
        ("wordalias", WORDS + "zz,,order_status,路上,paid\n", "There is no shop “zz”"),
        ("wordalias", WORDS + "b,,order_status,路上,paid\n", "There is no shop “b”"),
        ("wordalias", WORDS + ",,order_status,路上,paid\n", "Name one of your shops"),
        ("wordalias", WORDS + "a,,order_status,路,paid\n" * 2, "stands twice in the file"),
        ("wordalias", WORDS[:-7] + "\na,,order_status,路上\n", "needs each of its columns"),
        ("wordalias", "Colour," + WORDS + "x,a,,order_status,路,paid\n", "no column “Colour”"),
        ("headeralias", HEADERS + "a,taobao,orders,left,总金额\n", "already means the column"),
        ("headeralias", HEADERS + "a,taobao,orders,colour,总\n", "no such column"),
    ],
)
def test_a_bad_row_is_named_in_words_and_nothing_is_written(office, model, content, told):
    shown = upload(office.client("lead"), model, content)

    assert shown.status_code == 200
    assert told in shown.content.decode()
    assert "confirm_form" not in shown.context
    assert not WordAlias.objects.exists()
    assert not HeaderAlias.objects.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("日期,上班\n2031-13-01,否\n", "does not exist"),
        ("日期,上班\n2031-10-01,也许\n", "write yes or no"),
        (b"\x89PNG\r\n\x1a\n0000", "This is a picture"),
        (b"PK\x03\x04 no zip", "damaged"),
        (open_document(), "CSV or XLSX"),
        (b"", "empty"),
        (b"x" * (settings.LIST_SHEET_MOST_BYTES + 1), "larger than"),
        ("日期,上班\n" + "2031-10-01,否\n" * 2001, "at most 2000 rows"),
    ],
)
def test_a_damaged_or_hostile_file_is_answered_in_words(office, content, told):
    before = CalendarDay.objects.count()
    shown = upload(office.client("supervisor"), "calendarday", content)

    assert shown.status_code == 200
    assert told in shown.content.decode(), shown.context["form"].errors
    assert "confirm_form" not in shown.context
    assert CalendarDay.objects.count() == before


def test_the_row_is_called_by_its_number_in_the_file(office):
    content = WORDS + "a,,order_status,路上,paid\n\na,,order_status,那里,nowhere\n"
    shown = upload(office.client("lead"), "wordalias", content)

    assert [bad.number for bad in shown.context["result"].invalid_rows] == [4]


@pytest.mark.parametrize("file_format", ["0", "1"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_what_goes_out_comes_back_unchanged(office, file_format, language):
    word(office.a, "=1+1")
    word(office.a, "00123")
    client = office.client("lead", language)

    content = export(client, "wordalias", file_format)
    shown = upload(client, "wordalias", content)
    assert [row.import_type for row in shown.context["result"].rows] == ["skip"] * 2
    boss = office.client("supervisor", language)
    shown = upload(boss, "calendarday", export(boss, "calendarday", file_format))
    types = {row.import_type for row in shown.context["result"].rows}
    assert types == {"skip"}


def test_no_spreadsheet_program_runs_what_goes_out(office):
    word(office.a, "=1+1")
    assert rows_of(export(office.client("lead"), "wordalias"))[1][3] == "'=1+1"


def test_other_shops_rows_neither_go_out_nor_change(office):
    word(office.a, "甲")
    theirs, everybodys = word(office.b, "乙"), word(None, "众")
    client = office.client("lead")

    assert {row[3] for row in rows_of(export(client, "wordalias"))[1:]} == {"甲", "众"}
    shown = upload(client, "wordalias", WORDS + ",,order_status,众,shipped\n")
    assert [row.import_type for row in shown.context["result"].rows] == ["skip"]
    for shop, text in (("b", "乙"), ("", "众")):
        shown = upload(client, "wordalias", WORDS + f"{shop},,order_status,{text},paid\n")
        assert "confirm_form" not in shown.context
    for row in (theirs, everybodys):
        row.refresh_from_db()
        assert row.ours == "shipped"


def test_a_right_lost_after_the_preview_is_lost(office):
    client = office.client("lead")
    shown = upload(client, "wordalias", WORDS + "a,,order_status,路上,paid\n")
    Membership.objects.filter(user=office.people["lead"]).delete()

    answer = confirm(client, "wordalias", shown)
    assert "Nothing was imported" in answer.content.decode()
    assert not WordAlias.objects.exists()


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("what", ["import", "process_import", "export"])
def test_who_may_not_gets_403(office, model, what):
    for role in ("agent", "warehouse", "auditor"):
        assert office.client(role).post(page(model, what)).status_code == 403
    if model == "calendarday":
        assert office.client("lead").post(page(model, what)).status_code == 403


@pytest.mark.parametrize(
    "said",
    [
        {"import_file_name": "../../secret", "original_file_name": "x", "format": "0"},
        {"import_file_name": "..", "original_file_name": "x", "format": "0"},
        {"import_file_name": "x", "original_file_name": "x", "format": "99"},
        {"import_file_name": "x", "original_file_name": "x", "format": "x"},
    ],
)
def test_a_forged_confirmation_takes_nothing(office, said):
    answer = office.client("lead").post(page("wordalias", "process_import"), said, follow=True)
    assert "Upload the file again" in answer.content.decode()


def test_nothing_imported_by_a_get(office):
    assert office.client("lead").get(page("wordalias", "process_import")).status_code == 405


def test_what_was_read_is_not_kept(office):
    client = office.client("lead")
    take(client, "wordalias", WORDS + "a,,order_status,路上,paid\n")
    location = Path(settings.STORAGES["import_export"]["OPTIONS"]["location"])
    assert [path for path in location.rglob("*") if path.is_file()] == []
