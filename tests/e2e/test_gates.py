"""What every main page must keep to: no strangers, no errors, readable for all, no overflow."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page

from cases.models import Case, Order
from cases.sheets import exportjobs
from tests.cases import admin_data
from tests.e2e.conftest import Notes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
#: Rules a page breaks today, by the page's name; shorter is better, longer is a failure.
BASELINE: dict[str, set[str]] = {}


@pytest.fixture
def pages(office: admin_data.Office) -> dict[str, str]:
    """The main pages by name, on an office with something on every list."""
    order = admin_data.order(office.a, "GATE-1", lines=2)
    case = admin_data.case(order)
    admin_data.evidence(case, office.people["agent"])
    for number in range(2, 8):
        admin_data.case(admin_data.order(office.a, f"GATE-{number}"), kind="exchange")
    for number in range(2, 8):
        differs = admin_data.refunded_there(
            Order.objects.get(order_no=f"GATE-{number}"), f"R{number}"
        )
    job = exportjobs.ask(
        User.objects.get(username="boss"),
        "orders",
        "status=signed",
        columns=["order_no", "phone"],
        file_format="csv",
        filter_words="状态：已签收",
        rows=8,
    )
    first, bought = Case.objects.get(pk=case.pk), Order.objects.get(pk=order.pk)
    return {
        "home": "/admin/",
        "cases": "/admin/cases/case/",
        "case": f"/admin/cases/case/{first.pk}/change/",
        "step": f"/admin/cases/case/{first.pk}/do/accept/",
        "refuse": f"/admin/cases/case/{first.pk}/do/refuse/",
        "orders": "/admin/cases/order/",
        "order": f"/admin/cases/order/{bought.pk}/change/",
        "open": f"/admin/cases/order/{bought.pk}/open-case/",
        "differences": "/admin/cases/platformrecord/",
        "difference": f"/admin/cases/platformrecord/{differs.pk}/change/",
        "import": "/admin/cases/importjob/add/",
        "export": "/admin/cases/order/export/",
        "exports": "/admin/cases/exportjob/",
        "exported": f"/admin/cases/exportjob/{job.pk}/change/",
        "policies": "/admin/cases/clockpolicy/",
        "reasons": "/admin/cases/reason/",
    }


def broken_rules(page: Page) -> dict[str, list[str]]:
    result: Any = Axe().run(page, options=WCAG)
    return {
        v["id"]: [" ".join(n["target"]) for n in v["nodes"]] for v in result.response["violations"]
    }


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(
        page.evaluate(
            "() => { const e = document.documentElement; return e.scrollWidth - e.clientWidth; }"
        )
    )


def test_no_page_breaks_a_rule_of_accessibility_beyond_the_baseline(
    pages: dict[str, str], desk_of: Callable[..., Page]
):
    page = desk_of("boss", viewport={"width": 1440, "height": 900})
    found = {}
    for name, address in pages.items():
        assert page.goto(address).status == 200, address
        broken = broken_rules(page)
        new = {k: v for k, v in broken.items() if k not in BASELINE.get(name, set())}
        if new:
            found[name] = new

    assert found == {}


@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_overflows_sideways(
    pages: dict[str, str], desk_of: Callable[..., Page], width: int
):
    page = desk_of("boss", viewport={"width": width, "height": 844})
    too_wide = {}
    for name, address in pages.items():
        assert page.goto(address).status == 200, address
        if (pixels := sideways(page)) > 0:
            too_wide[name] = pixels

    assert too_wide == {}


@pytest.fixture
def front_door(live_server, browser, browser_context_args) -> Iterator[Page]:
    context = browser.new_context(**browser_context_args)
    yield context.new_page()
    context.close()


def test_the_sign_in_page_keeps_to_the_rules_too(live_server, notes, front_door):
    notes.watch(front_door)
    front_door.goto(f"{live_server.url}/admin/login/")

    assert broken_rules(front_door) == {}


def test_the_gates_would_see_a_broken_page(live_server, front_door):
    """The negative control of this file."""
    seen = Notes(urlsplit(live_server.url).netloc)
    seen.watch(front_door)
    front_door.goto(f"{live_server.url}/admin/login/")
    front_door.evaluate(
        """() => {
            const wide = "<img src='data:,'><div style='width: 3000px'>1</div>";
            document.body.insertAdjacentHTML("beforeend", wide);
            const inline = document.createElement("script");
            inline.textContent = "1";
            document.body.append(inline);
            fetch("http://elsewhere.invalid/").catch(() => null);
            setTimeout(() => { throw new Error("broken"); });
        }"""
    )
    front_door.wait_for_timeout(300)

    assert "image-alt" in broken_rules(front_door)
    assert sideways(front_door) > 0
    assert seen.blocked
    assert any("broken" in error for error in seen.errors)
