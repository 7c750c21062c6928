"""A clerk imports a sheet, mends the failed rows in a spreadsheet program and feeds them back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page

from cases.models import ImportJob, Order
from cases.tasks import run_jobs

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHEET = (
    "shop,platform,order_no,line_no,sku,title,quantity,paid_amount,status,paid_at\n"
    "a,taobao,W-1,1,S,短袖,1,99.00,paid,2026-11-20 10:00:00\n"
    "a,taobao,W-2,1,S,短袖,1,abc,paid,2026-11-20 10:00:00\n"
    "a,taobao,W-3,1,S,短袖,0,10.00,paid,2026-11-20 10:00:00\n"
)


def feed(page: Page, file: Path, failed: int) -> None:
    """From the list to the summary."""
    page.goto("/admin/cases/order/")
    page.click("a[href$='/importjob/add/']")
    page.set_input_files("input[type=file]", file)
    page.click("form [data-main]")
    assert page.locator("select[name=c2]").input_value() or failed == 0
    page.click("form [data-main]")
    page.wait_for_selector("[data-state]")
    page.reload()  # it survives that
    run_jobs()
    page.wait_for_selector("form[action$='/confirm/']", timeout=30_000)  # by itself
    assert page.locator(".sh-tab--here .sh-count").inner_text() == str(failed or 2)
    page.click("form[action$='/confirm/'] [data-main]")
    page.wait_for_selector("[data-state]")
    run_jobs()
    page.wait_for_selector("a[data-main]", timeout=30_000)


def test_a_sheet_is_imported_and_its_failed_rows_are_mended(
    desk_of: Callable[..., Page], office: object, tmp_path: Path
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(SHEET, encoding="utf-8")
    page = desk_of("agent")
    feed(page, file, failed=2)
    assert [o.order_no for o in Order.objects.all()] == ["W-1"]

    with page.expect_download() as coming:
        page.click("a[href$='/errors/']")
    mended = tmp_path / "mended.xlsx"
    coming.value.save_as(mended)
    book = load_workbook(mended)
    sheet = book.active
    names = [cell.value for cell in sheet[1]]
    assert [sheet.cell(row, 1).value for row in (2, 3)] == [3, 4]
    sheet.cell(2, 1 + names.index("paid_amount")).value = "19.00"
    sheet.cell(3, 1 + names.index("quantity")).value = 1
    book.save(mended)

    feed(page, mended, failed=0)
    assert sorted(o.order_no for o in Order.objects.all()) == ["W-1", "W-2", "W-3"]
    assert [job.counts["failed"] for job in ImportJob.objects.order_by("pk")] == [2, 0]
    assert page.locator(".sh-tab--here .sh-count").inner_text() == "2"
