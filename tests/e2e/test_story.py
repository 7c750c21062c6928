"""From a file to a refund, in a browser, each step by the person whose work it is."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from cases.models import Case, Order
from cases.tasks import run_jobs

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sheet(folder: Path) -> Path:
    """One signed order of two cups, as a native sheet."""
    now = timezone.now()
    bought, signed = (f"{now - timedelta(days=d):%Y-%m-%d %H:%M:%S}" for d in (6, 2))
    file = folder / "orders.csv"
    file.write_text(
        "shop,order_no,line_no,sku,title,quantity,paid_amount,freight_paid,ordered_at,paid_at,"
        "shipped_at,signed_at,status\n"
        f"a,E2E-1,1,CUP,一只杯子,2,100.00,10.00,{bought},{bought},{bought},{signed},signed\n",
        encoding="utf-8",
    )
    return file


def import_orders(page: Page, file: Path) -> None:
    """Through the wizard; the worker's turns are taken here."""
    page.goto("/admin/cases/order/")
    page.click("a[href$='/importjob/add/']")
    page.set_input_files("input[type=file]", file)
    page.select_option("select[name=shop]", "a")
    page.click("form [data-main]")
    page.click("form [data-main]")
    page.wait_for_selector("[data-state]")
    run_jobs()
    page.click("form[action$='/confirm/'] [data-main]", timeout=30_000)
    page.wait_for_selector("[data-state]")
    run_jobs()
    page.wait_for_selector("a[data-main]")


def do(page: Page, case: Case, step: str, **inputs: str) -> None:
    """The step's page, filled in and sent."""
    page.goto(f"/admin/cases/case/{case.pk}/do/{step}/")
    for name, value in inputs.items():
        page.fill(f"[name={name}]", value)
    page.click("form [data-main]")
    page.wait_for_url(f"**/admin/cases/case/{case.pk}/change/**")


def state(case: Case) -> str:
    return str(Case.objects.get(pk=case.pk).state)


def test_a_file_becomes_orders_and_a_return_is_paid(
    office, desk_of: Callable[..., Page], tmp_path: Path
):
    agent = desk_of("agent")
    import_orders(agent, sheet(tmp_path))
    order = Order.objects.get(order_no="E2E-1")

    agent.goto(f"/admin/cases/order/{order.pk}/change/")
    agent.click("[data-main]")
    agent.select_option("[name=kind]", "return_refund")
    agent.select_option("[name=reason]", "no_reason")
    agent.fill("[name=line_1]", "2")
    agent.click("form [data-main]")
    agent.wait_for_url("**/admin/cases/case/**")
    case = Case.objects.get(order=order)

    do(agent, case, "accept")
    assert state(case) == "awaiting_return"
    do(agent, case, "ship_back", courier="圆通速递", waybill="YT100200300")
    warehouse = desk_of("warehouse")
    do(warehouse, case, "receive")
    do(warehouse, case, "pass_inspection")
    assert state(case) == "refunding"
    finance = desk_of("finance")
    do(finance, case, "pay", reference="2026112200001")

    done = Case.objects.get(pk=case.pk)
    assert done.state == "completed"
    assert str(done.refunded) == "100.00"
    finance.goto(f"/admin/cases/case/{case.pk}/change/")
    timeline = finance.locator("#timeline").inner_text()
    assert "YT100200300" in timeline
    assert "2026112200001" in timeline


def tab_to(page: Page, selector: str) -> None:
    """Nothing but the Tab key until the wanted control has the focus."""
    for _press in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached with the Tab key on {page.url}")


def choose(page: Page, selector: str, value: str) -> None:
    """Arrow keys until the select shows the value."""
    tab_to(page, selector)
    for _press in range(60):
        if page.evaluate("() => document.activeElement.value") == value:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{selector} never showed {value}")


def press_main(page: Page, form: str = "form ") -> None:
    tab_to(page, f"{form}[data-main]")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def next_step(page: Page, **inputs: str) -> None:
    """The case page's one button, then its form, with the keyboard alone."""
    press_main(page, form="")
    for name, text in inputs.items():
        tab_to(page, f"[name={name}]")
        page.keyboard.type(text)
    press_main(page)


def test_a_case_goes_from_application_to_refund_by_keyboard_alone(
    office, desk_of: Callable[..., Page]
):
    from tests.cases import admin_data  # noqa: PLC0415 - only this story makes its own order

    order = admin_data.order(office.a, "KEYS-1")
    page = desk_of("boss")
    page.goto(f"/admin/cases/order/{order.pk}/change/")
    press_main(page, form="")
    choose(page, "[name=kind]", "return_refund")
    choose(page, "[name=reason]", "no_reason")
    tab_to(page, "[name=line_1]")
    page.keyboard.type("1")
    press_main(page)

    next_step(page)
    next_step(page, courier="圆通速递", waybill="YT9")
    next_step(page)
    next_step(page)
    next_step(page, reference="R-9")

    case = Case.objects.get(order=order)
    verbs = list(case.events.values_list("verb", flat=True))
    assert verbs == ["open_case", "accept", "ship_back", "receive", "pass_inspection", "pay"]
    assert case.state == "completed"
