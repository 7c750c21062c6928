"""The import wizard as people use it: upload, columns, check, preview, confirm, what came of it."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.models import ImportJob, Order
from cases.sheets import jobs
from cases.sheets.reader import open_sheet
from cases.tasks import remove_old_files, run_jobs
from tests.cases import admin_data

pytestmark = pytest.mark.django_db

SHEET = (
    "shop,platform,order_no,line_no,sku,title,quantity,paid_amount,status,paid_at\r\n"
    "a,taobao,I-1,1,S,短袖,1,99.00,paid,2026-11-20 10:00:00\r\n"
    "a,taobao,I-2,1,S,短袖,1,abc,paid,2026-11-20 10:00:00\r\n"
    "b,douyin,I-3,1,S,短袖,1,10.00,paid,2026-11-20 10:00:00\r\n"
)
UNKNOWN = "单子,花了,备用\r\nU-1,9.90,x\r\nU-2,19.90,y\r\n"


@pytest.fixture
def office():
    return admin_data.office()


def upload(client, text=SHEET, name="orders.csv", **given):
    file = SimpleUploadedFile(name, text if isinstance(text, bytes) else text.encode())
    response = client.post(reverse("admin:cases_importjob_add"), {"file": file, **given})
    assert response.status_code == 302, response.context["form"].errors
    return ImportJob.objects.latest("pk")


def url(name, job):
    return reverse(f"admin:cases_importjob_{name}", args=[job.pk])


def recognised(client, job, **changed):
    """What the columns page would post as it stands, with some columns changed by header."""
    form = client.get(url("columns", job)).context["form"]
    seen = form.seen
    given = {"layout": seen.layout, "sheet": seen.sheet or "", "header_row": seen.header_row}
    given["shop"] = form["shop"].value() or ""
    for at, column in enumerate(seen.columns):
        given[f"c{at}"] = changed.get(column.header, form[f"c{at}"].value() or "")
    return given


def checked(client, text=SHEET, **given):
    job = upload(client, text, **given)
    assert client.post(url("columns", job), recognised(client, job)).status_code == 302
    assert run_jobs() == 1
    job.refresh_from_db()
    return job


def test_a_sheet_goes_through_every_page_of_the_wizard(office, tmp_path):
    client = office.client("agent")
    job = upload(client)

    columns = client.get(url("columns", job))
    assert columns.context["seen"].layout == "native/orders"
    assert columns.context["form"]["c2"].value() == "order_no"
    started = client.post(url("columns", job), recognised(client, job), follow=True)
    assert "data-state" in started.content.decode()
    run_jobs()

    preview = client.get(url("change", job))
    assert preview.context["preview"].counts["failed"] == 2
    assert not Order.objects.exists()
    failed = preview.content.decode()
    assert "第 3 行：paid_amount“abc”" in failed
    assert "I-1" not in failed
    assert "I-1" in client.get(url("change", job), {"rows": "created"}).content.decode()

    client.post(url("confirm", job))
    assert not Order.objects.exists()
    run_jobs()
    job.refresh_from_db()
    assert (job.status, job.confirmed_by) == ("done", office.people["agent"])
    assert [o.order_no for o in Order.objects.all()] == ["I-1"]

    book = client.get(url("errors", job))
    assert book["X-Content-Type-Options"] == "nosniff"
    path = tmp_path / "errors.xlsx"
    path.write_bytes(b"".join(book.streaming_content))
    with open_sheet(path) as table:
        rows = [row.cells for row in table]
    assert [(row["行号"], row["order_no"]) for row in rows] == [("3", "I-2"), ("4", "I-3")]


def test_a_check_changes_nothing_and_a_page_reads_nothing_twice(office):
    client = office.client("agent")
    job = upload(client)
    for _look in range(2):
        assert client.get(url("columns", job)).status_code == 200
    assert client.get(url("change", job)).status_code == 302  # on to the columns
    job.refresh_from_db()
    assert job.status == "uploaded"


def test_columns_can_be_corrected_and_are_checked_for_what_is_missing(office):
    client = office.client("agent")
    job = upload(client, shop="a")
    page = client.post(url("columns", job), recognised(client, job, order_no=""))
    assert page.status_code == 200
    assert "order_no" in str(page.context["form"].non_field_errors()) or "订单号" in str(
        page.context["form"].non_field_errors()
    )
    twice = client.post(url("columns", job), recognised(client, job, title="order_no"))
    assert twice.context["form"].non_field_errors()

    client.post(url("columns", job), recognised(client, job, paid_at="", sku="title", title="sku"))
    job.refresh_from_db()
    assert job.columns == {"paid_at": "", "sku": "title", "title": "sku"}
    run_jobs()
    client.post(url("confirm", job))
    run_jobs()
    line = Order.objects.get(order_no="I-1").lines.get()
    assert (line.sku, line.title, line.order.paid_at) == ("短袖", "S", None)


def test_a_sheet_nobody_knows_is_taken_by_its_columns(office):
    client = office.client("agent")
    job = upload(client, UNKNOWN)
    page = client.get(url("columns", job))
    assert not page.context["seen"].sure

    given = recognised(client, job, 单子="order_no", 花了="paid_amount") | {"shop": ""}
    assert client.post(url("columns", job), given).status_code == 200  # of which shop?
    client.post(url("columns", job), given | {"shop": "a"})
    run_jobs()
    job.refresh_from_db()
    assert (job.status, job.unknown_columns) == ("checked", ["备用"])
    client.post(url("confirm", job))
    run_jobs()

    assert sorted(Order.objects.values_list("order_no", "paid_amount")) == [
        ("U-1", Decimal("9.90")),
        ("U-2", Decimal("19.90")),
    ]


def test_another_layout_or_header_row_can_be_looked_at_before_it_is_chosen(office):
    client = office.client("agent")
    job = upload(client, "一月的订单\r\n\r\n" + SHEET)
    assert client.get(url("columns", job)).context["seen"].header_row == 3
    other = client.get(url("columns", job), {"layout": "native/cases", "header_row": "3"})
    assert other.context["seen"].layout == "native/cases"
    assert client.get(url("columns", job), {"layout": "elephant/orders"}).context["problem"]
    assert client.get(url("columns", job), {"header_row": "30"}).context["problem"]
    job.refresh_from_db()
    assert (job.status, job.dialect) == ("uploaded", "auto")


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.xlsx", b"\x00\x01 no sheet"), ("x.png", b"\x89PNG\r\n\x1a\n0000"), ("e.csv", b"\r\n")],
)
def test_a_file_that_is_no_sheet_is_refused_in_words(office, name, content):
    client = office.client("agent")
    job = upload(client, content, name)
    page = client.get(url("columns", job))

    assert page.status_code == 200
    assert page.context["problem"]
    assert "Traceback" not in page.content.decode()


def test_what_changes_is_shown_old_and_new(office):
    admin_data.order(office.a, "I-1", status="paid")
    job = checked(office.client("agent"))
    page = office.client("agent").get(url("change", job), {"rows": "updated"})

    (row,) = page.context["preview"].rows
    assert row.url == reverse("admin:cases_order_change", args=[Order.objects.get().pk])
    names = {name for name, _old, _new in row.changes}
    assert names
    assert not any("_" in name for name in names), names
    assert admin_data.PHONE not in page.content.decode()


def test_an_import_can_be_cancelled_and_confirmed_no_more(office):
    client = office.client("agent")
    job = checked(client)
    client.post(url("cancel", job))
    client.post(url("confirm", job))
    run_jobs()

    job.refresh_from_db()
    assert job.status == "cancelled"
    assert not Order.objects.exists()
    assert client.get(url("change", job)).status_code == 200


def test_confirmed_twice_it_is_imported_once(office):
    client = office.client("agent")
    job = checked(client)
    client.post(url("confirm", job))
    again = client.post(url("confirm", job), follow=True)

    assert again.context["messages"]
    assert run_jobs() == 1
    assert Order.objects.count() == 1


def test_nothing_is_done_by_asking(office):
    client = office.client("agent")
    job = checked(client)
    for name in ("confirm", "cancel", "again"):
        assert client.get(url(name, job)).status_code == 405
    job.refresh_from_db()
    assert job.status == "checked"


def test_what_failed_can_be_tried_again(office):
    client = office.client("agent")
    job = checked(client)
    client.post(url("confirm", job))
    ImportJob.objects.update(status="failed", problem="disk")
    assert "disk" in client.get(url("change", job)).content.decode()
    client.post(url("again", job))
    run_jobs()

    job.refresh_from_db()
    assert (job.status, job.problem) == ("done", "")


PAGES = ("columns", "change", "state", "errors")


def test_another_shops_import_does_not_exist(office):
    job = checked(office.client("agent"), shop="a")
    stranger = office.client("stranger")
    for name in PAGES:
        assert stranger.get(url(name, job)).status_code == 404, name
    for name in ("columns", "confirm", "cancel", "again"):
        assert stranger.post(url(name, job)).status_code == 404, name
    listed = stranger.get(reverse("admin:cases_importjob_changelist"))
    assert job.job_no not in listed.content.decode()
    job.refresh_from_db()
    assert job.status == "checked"


def test_an_import_of_no_shop_is_its_makers_and_his_supervisors(office):
    client = office.client("agent")
    job = upload(client)
    assert client.get(url("columns", job)).status_code == 200
    assert office.client("lead").get(url("columns", job)).status_code == 404
    assert office.client("supervisor").get(url("columns", job)).status_code == 200
    assert office.client("stranger").get(url("columns", job)).status_code == 404


@pytest.mark.parametrize("role", ["warehouse", "auditor"])
def test_who_may_not_import_begins_none_and_touches_none(office, role):
    job = checked(office.client("agent"), shop="a")
    client = office.client(role)
    assert client.get(reverse("admin:cases_importjob_add")).status_code == 403
    assert client.post(reverse("admin:cases_importjob_add"), {}).status_code == 403
    for name in ("confirm", "cancel", "again", "columns"):
        assert client.post(url(name, job)).status_code == 403, name
    assert client.get(url("errors", job)).status_code == 403
    for page in ("case", "order"):
        listed = client.get(reverse(f"admin:cases_{page}_changelist")).content.decode()
        assert reverse("admin:cases_importjob_add") not in listed


def test_finance_brings_sheets_of_its_own_but_no_orders(office):
    """Payouts and invoices are finance's; what a sheet is shows only when it is read."""
    client = office.client("finance")
    assert client.get(reverse("admin:cases_importjob_add")).status_code == 200
    job = checked(client, shop="a")
    assert (job.status, Order.objects.count()) == ("failed", 0)
    assert job.problem.startswith("您无权导入这类表格")


def test_the_lists_lead_to_the_wizard(office):
    for page in ("case", "order"):
        listed = office.client("agent").get(reverse(f"admin:cases_{page}_changelist"))
        assert reverse("admin:cases_importjob_add") in listed.content.decode()


def test_rights_lost_meanwhile_stop_the_confirmation(office):
    client = office.client("agent")
    job = checked(client, shop="a")
    office.people["agent"].groups.clear()

    assert client.post(url("confirm", job)).status_code == 403
    job.refresh_from_db()
    assert job.status == "checked"


def test_a_shop_that_is_not_ones_own_is_no_choice(office):
    client = office.client("agent")
    file = SimpleUploadedFile("o.csv", SHEET.encode())
    page = client.post(reverse("admin:cases_importjob_add"), {"file": file, "shop": "b"})
    assert page.status_code == 200
    assert "shop" in page.context["form"].errors
    assert not ImportJob.objects.exists()


def test_the_same_file_again_is_told_at_once(office):
    client = office.client("agent")
    job = checked(client, shop="a")
    client.post(url("confirm", job))
    run_jobs()
    file = SimpleUploadedFile("again.csv", SHEET.encode())
    page = client.post(reverse("admin:cases_importjob_add"), {"file": file}, follow=True)
    assert job.job_no in page.content.decode()


def queries(client, address, **asked):
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(address, asked).status_code == 200
    return len(found)


def test_the_pages_take_as_many_questions_for_many_rows_as_for_few(office):
    client = office.client("agent")
    line = "a,taobao,Q-{n},1,S,短袖,1,{paid},paid,2026-11-20 10:00:00\r\n"
    head = SHEET.splitlines(keepends=True)[0]
    few, many = (
        checked(client, head + "".join(line.format(n=n, paid="x" if n % 2 else 5) for n in rows))
        for rows in (range(2), range(2, 3000))
    )
    address = reverse("admin:cases_importjob_changelist")
    for rows in ("failed", "created"):
        asked = [(few, "1"), (many, "1"), (many, "7")]
        found = {queries(client, url("change", job), rows=rows, p=p) for job, p in asked}
        assert len(found) == 1, rows
        assert found.pop() <= 15, rows
    shown = client.get(url("change", many), {"rows": "failed", "p": "2"}).context["preview"]
    assert [row.number for row in shown.rows] == list(range(103, 203, 2))
    assert (shown.page, shown.pages) == (2, 30)
    assert queries(client, address) <= 15


def test_the_state_is_told_to_the_script(office):
    client = office.client("agent")
    job = upload(client)
    client.post(url("columns", job), recognised(client, job))
    state = json.loads(client.get(url("state", job)).content)
    assert state["running"] is True
    run_jobs()
    assert json.loads(client.get(url("state", job)).content)["running"] is False
    assert jobs.counts_of(job, "check")["created"] == 1


def test_a_layout_of_ones_own_is_saved_and_recognised_the_next_time(office):
    client = office.client("lead")
    job = upload(client, UNKNOWN, shop="a")
    given = recognised(client, job, 单子="order_no", 花了="paid_amount")
    assert client.post(url("columns", job), {**given, "save_as": "门店日报"}).status_code == 302
    run_jobs()
    job.refresh_from_db()
    assert (job.status, job.mapping) == ("checked", "门店日报")
    assert jobs.result_of(job).created == 2

    again = upload(client, UNKNOWN, shop="a")
    page = client.get(url("columns", again))
    assert "门店日报" in page.context["layout"]
    client.post(url("columns", again), recognised(client, again))
    run_jobs()
    again.refresh_from_db()
    client.post(url("confirm", again))
    run_jobs()
    assert Order.objects.get(order_no="U-1").paid_amount == Decimal("9.90")


def test_who_may_not_save_a_layout_is_not_asked_for_its_name(office):
    client = office.client("agent")
    job = upload(client, UNKNOWN, shop="a")
    assert "save_as" not in client.get(url("columns", job)).context["form"].fields


def test_files_and_what_rows_said_are_removed_in_time_and_the_counts_stay(office, settings):
    client = office.client("agent")
    job, fresh = checked(client), upload(client)
    client.post(url("confirm", job))
    run_jobs()
    ago = timezone.now() - timedelta(days=settings.IMPORT_KEEP_DAYS, minutes=1)
    ImportJob.objects.filter(pk=job.pk).update(created_at=ago, finished_at=ago)
    forgotten = upload(client)
    ImportJob.objects.filter(pk=forgotten.pk).update(created_at=ago)
    paths = [Path(one.file.path) for one in (job, forgotten, fresh)]

    assert remove_old_files() == 2
    assert [path.exists() for path in paths] == [False, False, True]
    forgotten.refresh_from_db()
    assert forgotten.status == "cancelled"
    page = client.get(url("change", job))
    assert page.context["preview"].counts["failed"] == 2
    assert "abc" not in page.content.decode()
    assert client.get(url("errors", job)).status_code == 302
    assert remove_old_files() == 0
