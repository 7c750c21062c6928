"""A list leaves as a file: chosen, waited for, downloaded; in clear with reason and password."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cases.models import ClearExport, ExportJob
from cases.tasks import run_exports
from tests.cases import admin_data
from tests.e2e.conftest import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_list_is_exported_in_clear_with_chosen_columns(
    office: admin_data.Office, desk_of: Callable[..., Page], settings, tmp_path: Path
):
    settings.MEDIA_ROOT = tmp_path
    admin_data.order(office.a, "OUT-1", lines=2)
    admin_data.order(office.a, "OUT-2", status="paid")
    page = desk_of("supervisor")

    page.goto("/admin/cases/order/?status=signed")
    page.get_by_role("link", name="导出", exact=False).last.click()
    expect(page.get_by_text("状态：已签收")).to_be_visible()
    expect(page.get_by_text("2 行", exact=False).first).to_be_visible()
    expect(page.get_by_label("您的密码")).to_be_hidden()
    page.get_by_label("CSV").check()
    page.get_by_label("只导出部分列").check()
    for label in page.locator(".sh-tickgrid label").all():
        label.locator("input").set_checked(
            label.inner_text().rstrip(" *") in ("订单编号", "联系电话")
        )
    page.get_by_label("明文", exact=False).first.check()
    page.get_by_label("明文原因").fill("快递理赔")
    page.get_by_label("您的密码").fill(PASSWORD)
    page.locator("[data-main]").click()

    page.wait_for_url("**/exportjob/*/change/")
    expect(page.locator("progress")).to_be_visible()
    run_exports()
    button = page.get_by_role("link", name="下载 CSV", exact=False)  # the page asks by itself
    expect(button).to_be_visible(timeout=15_000)
    with page.expect_download() as download:
        button.click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines == ["订单编号,联系电话", *["OUT-1," + admin_data.PHONE] * 2]
    assert download.value.suggested_filename == f"订单-{ExportJob.objects.get().job_no}.csv"
    assert ClearExport.objects.get().reason == "快递理赔"
