"""``show`` prints an order or a case whole, in a constant number of questions."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.flow import clock
from cases.models import Case, CaseLine, Order
from cases.showing import case_as_dict, order_as_dict
from tests.cases.command_desk import Walk, apply_for, at, do, open_office, run, sell

pytestmark = pytest.mark.django_db

ORDER_FIELDS = [
    "order_no",
    "shop",
    "platform",
    "status",
    "paid_amount",
    "freight_paid",
    "refunded",
    "refundable",
    "finished_at",
    "lines",
    "cases",
    "claims",
    "invoices",
]
ORDER_LINE_FIELDS = [
    "line_no",
    "sku",
    "title",
    "quantity",
    "paid_amount",
    "qty_claimed",
    "qty_left",
    "refunded",
    "refundable",
    "promises",
]
CASE_FIELDS = [
    "case_no",
    "order_no",
    "shop",
    "kind",
    "remedy",
    "state",
    "phase",
    "reason",
    "responsible",
    "applied_at",
    "amount_requested",
    "amount_approved",
    "refunded",
    "compensation",
    "freight_payer",
    "due_at",
    "clock_on",
    "paused",
    "next_action",
    "allowed",
    "lines",
    "parcels",
    "evidence",
    "invoice_handling",
    "events",
]


@pytest.fixture
def shop():
    return open_office()


def shown(kind, number, *more):
    code, result = run("show", kind, number, *more)
    assert code == 0, result
    return result


def test_an_order_shows_what_the_contract_names(shop):
    sell(shop, lines=((2, "200.00"), (1, "50.00")))
    number = apply_for(Order.objects.get(), "return_refund", "no_reason", "1:1")

    order = shown("order", "E1")

    assert set(order) >= set(ORDER_FIELDS)
    assert set(order["lines"][0]) >= set(ORDER_LINE_FIELDS)
    assert (order["paid_amount"], order["freight_paid"]) == ("260.00", "10.00")
    assert (order["refunded"], order["refundable"]) == ("0.00", "160.00")
    first = order["lines"][0]
    assert (first["qty_claimed"], first["qty_left"], first["refundable"]) == (1, 1, "100.00")
    assert order["cases"] == [
        {
            "case_no": number,
            "kind": "return_refund",
            "remedy": "return_refund",
            "state": "applied",
            "refunded": "0.00",
        }
    ]
    assert (order["claims"], order["invoices"]) == ([], [])


def test_refunds_outside_our_cases_count_in_what_is_refunded(shop):
    sell(shop)
    Order.objects.update(external_refunded="60.00")

    order = shown("order", "E1")
    assert (order["refunded"], order["refundable"]) == ("60.00", "150.00")
    assert order["lines"][0]["refundable"] == "150.00"


def test_a_case_shows_what_the_contract_names(shop):
    number = apply_for(sell(shop), "return_refund", "no_reason", "1:1")

    case = shown("case", number)

    assert set(case) >= set(CASE_FIELDS)
    assert case["applied_at"] == "2026-03-05T10:00:00+08:00"
    assert case["due_at"] == "2026-03-08T10:00:00+08:00"
    assert (case["clock_on"], case["paused"]) == ("seller", False)
    assert (case["amount_requested"], case["amount_approved"]) == ("100.00", None)
    assert case["invoice_handling"] is None
    assert set(case["next_action"]) == {"verb", "label", "guidance"}
    assert [set(e) >= {"at", "actor", "verb", "from", "to", "note"} for e in case["events"]] == [
        True
    ]
    assert case["events"][0]["actor"] == "agent"


def test_what_is_allowed_depends_on_who_asks(shop):
    number = apply_for(sell(shop), "return_refund", "no_reason")

    anybody = shown("case", number)["allowed"]
    assert {"accept", "refuse", "escalate", "add_note"} <= set(anybody)
    assert "accept_by_silence" not in anybody
    assert "pay" not in anybody
    assert "accept" in shown("case", number, "--as", "agent")["allowed"]
    assert "accept" not in shown("case", number, "--as", "warehouse")["allowed"]
    assert shown("case", number, "--as", "auditor")["allowed"] == []


def test_a_case_in_mediation_is_paused(shop):
    walk = Walk(apply_for(sell(shop), "return_refund", "no_reason"))
    walk("request_mediation", party="buyer", text="?")

    case = shown("case", walk.case_no)
    assert (case["paused"], case["clock_on"]) == (True, "platform")


def test_an_open_case_stops_the_orders_auto_confirm_and_a_closed_one_lets_it_resume(shop):
    order = sell(shop)  # shipped on the 2nd at 10:00; the platform confirms ten days later

    def confirms(day):
        with clock.standing_at(datetime.fromisoformat(at(day))):
            return shown("order", "E1")["auto_confirm"]

    days = 24 * 3600
    assert confirms(4) == {"due_at": at(12), "paused": False, "left_seconds": 8 * days}
    walk = Walk(apply_for(order, "return_refund", "no_reason"))  # on the 5th
    assert confirms(6) == {"due_at": None, "paused": True, "left_seconds": 7 * days}
    do("case", walk.case_no, "withdraw", "--as", "agent", "--at", at(7))
    assert confirms(8) == {"due_at": at(14), "paused": False, "left_seconds": 6 * days}


@pytest.mark.parametrize("status", ["paid", "finished"])
def test_nothing_confirms_itself_before_shipping_or_after_the_end(shop, status):
    sell(shop, status=status)
    assert shown("order", "E1")["auto_confirm"] is None


def test_a_person_without_the_right_to_look_is_refused(shop):
    sell(shop)
    User.objects.get(username="agent").groups.clear()

    assert run("show", "order", "E1", "--as", "agent")[1]["code"] == "not_permitted"


def questions(show, subject):
    with CaptureQueriesContext(connection) as asked:
        show(subject)
    return len(asked)


def test_a_long_case_and_a_wide_order_take_as_many_questions_as_short_ones(shop):
    sell(shop)
    few = apply_for(Order.objects.get(order_no="E1"), "return_refund", "no_reason", "1:1")
    sell(shop, "E2", lines=tuple((1, "10.00") for _ in range(12)))
    wide = Order.objects.get(order_no="E2")
    lines = [f"{number}:1" for number in range(1, 13)]
    walk = Walk(apply_for(wide, "return_refund", "no_reason", *lines))
    for word in "abcdefgh":
        walk("add_note", text=word)

    cases = Case.objects.select_related("shop", "order", "reason", "owner")
    short, long = cases.get(case_no=few), cases.get(case_no=walk.case_no)
    assert CaseLine.objects.filter(case=long).count() == 12
    assert questions(case_as_dict, long) == questions(case_as_dict, short)
    orders = Order.objects.select_related("shop")
    assert questions(order_as_dict, orders.get(order_no="E2")) == questions(
        order_as_dict, orders.get(order_no="E1")
    )
