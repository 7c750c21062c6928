"""Statements: every entry between the balances it leads from and to, explaining every cent."""

import csv
from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.charts import Line, Mark, bar_chart, line_chart
from cases.flow.door import Actor
from cases.models import ExportJob
from cases.sheets.exports import export
from cases.tasks import run_exports
from promises import verbs
from promises.models import Deposit, Entry
from tests.cases import admin_data
from tests.factories import T0
from tests.promises.counter import Counter

pytestmark = pytest.mark.django_db
ACCOUNTS = ("available", "frozen", "paid", "owed")


@pytest.fixture
def counter() -> Counter:
    made = Counter()
    made.pay_in("20.00")
    made.act(made.file(made.sold()), "accept")
    made.act(made.handed_over(made.sold("400.00")), "dismiss")
    made.act(made.file(made.sold("500.00")), "accept")
    made.pay_in("30.00")
    return made


def statement(path, *filters):
    export("statements", path, filters=dict(one.split("=", 1) for one in filters))
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def balances(row):
    return tuple(Decimal(row[f"{name}_after"]) for name in ACCOUNTS)


def adds_up(rows):
    """Each balance follows from the one before it; returns the last."""
    now = balances(rows[0])
    for row in rows[1:-1]:
        gains = [Decimal(row[f"to_{name}"]) for name in ACCOUNTS]
        now = tuple(one + gain for one, gain in zip(now, gains, strict=True))
        assert now == balances(row), row
    assert now == balances(rows[-1])
    return now


def test_the_whole_statement_leads_from_nothing_to_what_the_deposit_says(counter, tmp_path):
    rows = statement(tmp_path / "s.csv", f"shop={counter.shop.code}")

    assert [rows[0]["kind"], rows[-1]["kind"]] == ["opening", "closing"]
    assert balances(rows[0]) == (0, 0, 0, 0)
    deposit = Deposit.objects.get()
    assert adds_up(rows) == tuple(getattr(deposit, name) for name in ACCOUNTS)
    assert [row["seq"] for row in rows[1:-1]] == [str(n) for n in range(1, deposit.seq + 1)]
    for row in rows[1:-1]:
        assert bool(row["claim_no"]) == (row["kind"] not in {"top_up", "withdraw"})
        assert bool(row["order_no"] and row["promise"]) == bool(row["claim_no"])


def test_a_period_opens_with_what_was_there_and_a_choice_says_what_it_leaves_out(counter, tmp_path):
    middle = Entry.objects.get(seq=3)
    later = statement(
        tmp_path / "s.csv", f"shop={counter.shop.code}", f"at__gte={middle.at.isoformat()}"
    )
    assert balances(later[0]) == balances_of(Entry.objects.get(seq=2))
    adds_up(later)

    claim = middle.claim.claim_no
    one = statement(tmp_path / "c.csv", f"claim_no={claim}")
    assert {row["claim_no"] for row in one if row["seq"]} == {claim}
    adds_up(one)
    assert statement(tmp_path / "n.csv", "shop=nobody") == []


def balances_of(entry):
    return tuple(getattr(entry, f"{name}_after") for name in ACCOUNTS)


def test_two_shops_are_two_statements(tmp_path):
    office = admin_data.office()
    deposit_of(office, 2)
    with_b = Actor.person(office.stranger, "admin")
    verbs.top_up(with_b, office.b, amount=Decimal("5.00"), reference="B1")

    rows = statement(tmp_path / "s.csv")

    assert [row["kind"] for row in rows] == [
        "opening", "top_up", "top_up", "closing", "opening", "top_up", "closing",
    ]  # fmt: skip
    assert [row["shop"] for row in rows] == ["a"] * 4 + ["b"] * 3


# In the admin


@pytest.fixture
def office():
    return admin_data.office()


def deposit_of(office, entries=3):
    actor = Actor.person(office.people["finance"], "admin")
    for number in range(entries):
        verbs.top_up(actor, office.a, amount=Decimal("100.00"), reference=f"T{number}")
    return Deposit.objects.get(shop=office.a)


def test_the_page_draws_balances_and_leads_to_the_sheet(office):
    deposit = deposit_of(office)
    Deposit.objects.update(required=Decimal("250.00"))
    finance = office.client("finance")

    drawn = finance.get(reverse("admin:promises_deposit_change", args=[deposit.pk]))

    text = drawn.content.decode()
    assert "<svg" in text
    assert 'class="sh-mark"' in text
    url = reverse("admin:promises_entry_changelist")
    assert f"{url}?shop={office.a.code}" in text
    listed = finance.get(f"{url}?shop={office.a.code}").content.decode()
    assert "T2" in listed
    assert "T2" not in office.client("stranger").get(url).content.decode()


def test_a_month_goes_out_by_the_list_s_export(office, settings):
    deposit_of(office)
    finance = office.client("finance")
    month = f"{Entry.objects.latest('pk').at.astimezone():%Y-%m}"
    url = reverse("admin:promises_entry_export") + f"?shop={office.a.code}&month={month}"
    assert office.client("agent").get(url).status_code == 403

    asked = finance.post(url, {"file_format": "csv", "which": "all"})

    assert asked.status_code == 302
    run_exports()
    job = ExportJob.objects.get()
    assert (job.kind, job.status, job.rows_done) == ("statements", "done", 5)
    file = finance.get(reverse("admin:cases_exportjob_file", args=[job.pk]))
    text = b"".join(file.streaming_content).decode("utf-8-sig")
    assert "300.00" in text.splitlines()[-1]
    page = finance.get(reverse("admin:cases_exportjob_change", args=[job.pk]))
    assert page.status_code == 200


def test_entries_take_as_many_queries_for_many_as_for_few(office):
    deposit = deposit_of(office, 2)
    finance = office.client("finance")
    urls = [
        reverse("admin:promises_entry_changelist"),
        reverse("admin:promises_deposit_change", args=[deposit.pk]),
    ]

    def asked(url):
        finance.get(url)
        with CaptureQueriesContext(connection) as found:
            assert finance.get(url).status_code == 200
        return len(found)

    few = [asked(url) for url in urls]
    deposit_of(office, 8)
    assert [asked(url) for url in urls] == few


# Charts


def figures(svg, tag):
    root = ET.fromstring(svg)  # noqa: S314 - what we drew ourselves
    return [element for element in root.iter() if element.tag == tag]


def test_a_balance_is_level_between_its_points_and_reaches_the_edge():
    points = [(T0, Decimal(0)), (T0 + timedelta(days=1), Decimal(100))]

    svg = line_chart("x", "标题", "说明", [Line("可用", points, 1)], [Mark("<必需>", Decimal(50))])

    (path,) = figures(svg, "path")
    assert path.get("d") == "M70.0 212.0H748.0V14.0H748"
    assert [figures(svg, tag)[0].text for tag in ("title", "desc")] == ["标题", "说明"]
    (mark,) = [one for one in figures(svg, "line") if one.get("class") == "sh-mark"]
    assert mark.get("y1") == "113.0"
    assert "&lt;必需&gt;" in svg


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0, 100], ["0", "25", "50", "75", "100"]),
        ([0, 7], ["0", "2", "4", "6", "8"]),
        ([3000, 12000], ["0", "5,000", "10,000", "15,000"]),
        ([-30, 50], ["-40", "-20", "0", "20", "40", "60"]),
        ([0, 0], ["0.00", "0.25", "0.50", "0.75", "1.00"]),
    ],
)
def test_the_scale_has_round_figures_and_holds_every_value(values, ticks):
    svg = bar_chart("x", "t", "d", [(str(n), Decimal(v)) for n, v in enumerate(values)])

    words = [one.text for one in figures(svg, "text") if one.get("text-anchor") == "end"]
    assert words == ticks
    for bar in figures(svg, "rect"):
        assert 14 <= float(bar.get("y")) <= 212
        assert float(bar.get("height")) >= 0


def test_one_moment_and_nothing_are_drawn_too():
    assert line_chart("x", "t", "d", []) == bar_chart("x", "t", "d", []) == ""
    assert "path" in line_chart("x", "t", "d", [Line("a", [(T0, Decimal(1))])])
