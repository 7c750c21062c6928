"""The measures of the desk, with figures that can be worked out by hand."""

import csv

import pytest

from cases.models import Order, OrderStatus, Reason
from tests.cases.command_desk import Walk, apply_for, open_office, open_shop, run, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def month():
    """Four orders of shop s1, one of s2; a refund, a return, a mediation, a refusal."""
    shop = open_office()
    unshipped = Walk(
        apply_for(
            sell(shop, "E1", status=OrderStatus.PAID), "refund_unshipped", "not_wanted", "1:2"
        )
    )
    unshipped("accept")  # applied on the 5th, answered on the 6th
    unshipped("pay", "finance", reference="P1")  # finished on the 7th
    returned = Walk(apply_for(sell(shop, "E2"), "return_refund", "quality", "1:1"))
    returned("accept", waiver="seen on video")  # 6th
    returned("ship_back", courier="YTO", waybill="Y1")  # 7th
    returned.day = 10
    returned("receive", "warehouse")  # 10th
    returned("pass_inspection", "warehouse")  # 11th
    returned("pay", "finance", reference="P2")  # 12th
    mediated = Walk(apply_for(sell(shop, "E3"), "return_refund", "no_reason", "1:1"))
    mediated("refuse", reason="other", text="No")  # 6th
    mediated("request_mediation", party="buyer", text="?")
    mediated("rule_for_seller", "lead")  # 8th
    sell(shop, "E4", status=OrderStatus.UNPAID)
    sell(open_shop("s2", "douyin"), "E5", lines=((1, "90.00"),))
    return shop


def report(*words):
    code, result = run("report", *words)
    assert code == 0, result
    return result


def row(kpi, *words):
    (only,) = report(kpi, *words)["rows"]
    return only


def test_orders_are_counted_and_summed(month):
    Order.objects.filter(order_no="E5").update(external_refunded="40.00")

    assert report("orders") == {
        "orders": 5,
        "paid_orders": 4,
        "unpaid_orders": 1,
        "gross_paid": "730.00",
        "refunded": "350.00",
        "net_paid": "380.00",
        "refunded_full": 1,
        "refunded_part": 2,
        "external_refunds": "40.00",
    }


def test_orders_are_told_apart_by_shop_and_day(month):
    rows = report("orders", "--by", "shop")["rows"]

    assert [(r["shop"], r["orders"], r["gross_paid"]) for r in rows] == [
        ("s1", 4, "630.00"),
        ("s2", 1, "100.00"),
    ]
    assert report("orders", "--from", "2026-03-01", "--to", "2026-03-01")["orders"] == 5
    assert report("orders", "--from", "2026-03-02")["orders"] == 0


def test_an_empty_office_has_zeros(db):
    assert report("orders")["gross_paid"] == "0.00"
    assert row("refund_rate") == {"count": 0, "of": 0, "rate": None}
    assert row("first_response") == {"cases": 0, "mean_hours": None, "median_hours": None}


def test_the_first_response_counts_from_the_application(month):
    assert row("first_response") == {"cases": 3, "mean_hours": "24.00", "median_hours": "24.00"}


def test_the_time_of_transport_is_not_handling_time(month):
    """Unshipped 48 h; return 24 h to accept and 48 h from receipt; closed 24 h to its refusal."""
    assert row("handling_time") == {"cases": 3, "mean_hours": "48.00", "median_hours": "48.00"}
    by_reason = report("handling_time", "--by", "reason")["rows"]
    assert [(r["reason"], r["mean_hours"]) for r in by_reason] == [
        ("no_reason", "24.00"),
        ("not_wanted", "48.00"),
        ("quality", "72.00"),
    ]


def test_rates_are_shares_of_what_they_are_rates_of(month):
    assert row("refund_rate") == {"count": 2, "of": 4, "rate": "0.5000"}
    assert row("mediation_rate") == {"count": 1, "of": 3, "rate": "0.3333"}
    assert row("dispute_rate") == {"count": 0, "of": 3, "rate": "0.0000"}
    assert row("self_settled") == {"count": 2, "of": 3, "rate": "0.6667"}
    assert row("repair_share") == {"count": 0, "of": 1, "rate": "0.0000"}
    quality = Reason.objects.get(code="quality").counts_for_quality
    assert row("quality_refund_rate")["count"] == int(quality)


def test_a_rate_by_shop_is_over_that_shops_orders(month):
    rows = report("refund_rate", "--by", "shop")["rows"]

    assert rows == [
        {"shop": "s1", "count": 2, "of": 3, "rate": "0.6667"},
        {"shop": "s2", "count": 0, "of": 1, "rate": "0.0000"},
    ]
    assert [r["sku"] for r in report("refund_rate", "--by", "sku")["rows"]] == ["SKU1"]


def test_steps_are_on_time_or_late(month):
    rows = {r["step"]: r for r in report("on_time")["rows"]}

    assert rows["accept"] == {"step": "accept", "count": 2, "of": 2, "rate": "1.0000"}
    assert rows["pay"]["of"] == 2
    assert report("on_time", "--to", "2026-03-01")["rows"] == []


@pytest.mark.parametrize("by", ["shop", "reason", "sku", "agent"])
@pytest.mark.parametrize(
    "kpi", ["first_response", "handling_time", "on_time", "refund_rate", "mediation_rate"]
)
def test_every_measure_can_be_told_apart_by_each_group(month, kpi, by):
    rows = report(kpi, "--by", by)["rows"]

    assert rows
    assert all(by in r for r in rows)


def test_a_report_is_written_as_a_spreadsheet(month, tmp_path):
    file = tmp_path / "rates.csv"

    result = report("refund_rate", "--by", "shop", "--out", str(file))

    assert result["file"] == str(file)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        assert list(csv.reader(lines)) == [
            ["shop", "count", "of", "rate"],
            ["s1", "2", "3", "0.6667"],
            ["s2", "0", "1", "0.0000"],
        ]
    assert report("orders", "--out", str(tmp_path / "o.xlsx"))["orders"] == 5
    assert (tmp_path / "o.xlsx").stat().st_size > 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["weather"], "unknown"),
        (["elephants"], "unknown"),
        (["refund_rate", "--by", "moon"], "bad_value"),
        (["orders", "--by", "reason"], "bad_value"),
        (["orders", "--from", "2026-03-02", "--to", "2026-03-01"], "bad_value"),
        (["orders", "--out", "x.txt"], "bad_value"),
        (["orders", "--out", "/nowhere/at/all/x.csv"], "bad_value"),
    ],
)
def test_a_report_that_cannot_be_made_is_refused(db, words, code):
    assert run("report", *words) == (2, run("report", *words)[1])
    assert run("report", *words)[1]["code"] == code
