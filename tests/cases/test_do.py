"""``do`` takes each kind of case to its end, through the same door as the admin."""

import pytest

from cases.models import Case, Evidence, Order, OrderStatus
from tests.cases.command_desk import Walk, apply_for, at, do, open_office, refused, run, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return open_office()


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(autouse=True)
def the_audit_finds_nothing_afterwards():
    yield
    assert run("audit")[1]["violations"] == []


def order_shown(order_no="E1"):
    code, shown = run("show", "order", order_no)
    assert code == 0
    return shown


def a_picture(tmp_path):
    from PIL import Image  # noqa: PLC0415 - only pictures need it

    path = tmp_path / "广口瓶.png"
    Image.new("RGB", (8, 8), "red").save(path)
    return str(path)


def test_a_refund_before_shipping_ends_paid_with_the_freight(shop):
    order = sell(shop, status=OrderStatus.PAID)
    walk = Walk(apply_for(order, "refund_unshipped", "not_wanted", "1:2"))

    assert walk("accept")["state"] == "refunding"
    shown = walk("pay", "finance", reference="PAY1")

    assert shown["state"] == "completed"
    assert shown["refunded"] == "210.00"
    assert walk.verbs == ["open_case", "accept", "pay"]
    assert [(e["from"], e["to"]) for e in shown["events"]] == [
        ("", "applied"),
        ("applied", "refunding"),
        ("refunding", "completed"),
    ]
    assert order_shown()["refundable"] == "0.00"


def test_a_refund_before_shipping_ends_when_the_order_is_shipped(shop):
    order = sell(shop, status=OrderStatus.PAID)
    walk = Walk(apply_for(order, "refund_unshipped", "not_wanted"))

    assert walk("ship_order", "warehouse", courier="SF", waybill="SF200")["state"] == "closed"
    shown = order_shown()
    assert (shown["status"], shown["waybill"]) == ("shipped", "SF200")
    assert shown["lines"][0]["qty_left"] == 2


def test_a_refund_in_transit_goes_through_the_interception(shop):
    order = sell(shop, status=OrderStatus.SHIPPED)
    walk = Walk(apply_for(order, "refund_in_transit", "not_wanted", "1:1"))

    assert walk("intercept")["state"] == "intercepting"
    assert walk("intercept_succeed")["state"] == "refunding"
    assert walk("pay", "finance", reference="PAY1")["refunded"] == "100.00"


def test_a_refund_with_the_goods_kept_takes_money_but_no_pieces(shop, tmp_path):
    order = sell(shop)
    number = apply_for(order, "refund_received", "damaged", "1:1", amount="30.00")
    do(
        *("case", number, "add_evidence", "--as", "agent", "--set", "party=buyer"),
        *("--at", at(5, 11), "--file", f"evidence={a_picture(tmp_path)}"),
    )
    walk = Walk(number)

    walk("accept")
    shown = walk("pay", "finance", reference="PAY1")

    assert shown["refunded"] == "30.00"
    assert [e["name"] for e in shown["evidence"]] == ["广口瓶.png"]
    assert order_shown()["lines"][0] | {"title": ""} == {
        "line_no": 1,
        "sub_order_no": "E1-S1",
        "sku": "SKU1",
        "title": "",
        "category": "general",
        "quantity": 2,
        "paid_amount": "200.00",
        "qty_claimed": 0,
        "qty_left": 2,
        "refunded": "30.00",
        "refundable": "170.00",
        "promises": [],
    }


def test_a_return_is_sent_back_received_inspected_and_paid(shop):
    order = sell(shop)
    walk = Walk(apply_for(order, "return_refund", "no_reason", "1:2"))

    assert walk("accept")["state"] == "awaiting_return"
    assert walk("ship_back", courier="YTO", waybill="YT1")["state"] == "returning"
    assert walk("receive", "warehouse")["state"] == "inspecting"
    assert walk("pass_inspection", "warehouse", disposition="restock")["state"] == "refunding"
    shown = walk("pay", "finance", reference="PAY1")

    assert shown["state"] == "completed"
    assert shown["refunded"] == "200.00"
    assert shown["lines"] == [
        {
            "line_no": 1,
            "quantity": 2,
            "amount": "200.00",
            "received": 2,
            "accepted": 2,
            "rejected": 0,
            "handed_back": 0,
            "refunded": "200.00",
            "new_serials": [],
        }
    ]
    assert [p["waybill"] for p in shown["parcels"]] == ["YT1"]
    assert order_shown()["lines"][0]["qty_left"] == 0


def test_an_exchange_sends_new_pieces_and_ends_when_they_arrive(shop):
    order = sell(shop)
    walk = Walk(apply_for(order, "exchange", "not_wanted", "E1-S1:1"))

    walk("accept")
    walk("ship_back", courier="YTO", waybill="YT1")
    walk("receive", "warehouse")
    assert walk("pass_inspection", "warehouse")["state"] == "awaiting_dispatch"
    shown = walk("dispatch", "warehouse", courier="SF", waybill="SF300", serial="1:SN9")
    assert shown["state"] == "awaiting_receipt"
    assert shown["lines"][0]["new_serials"] == ["SN9"]
    shown = walk("confirm_receipt")

    assert (shown["state"], shown["refunded"]) == ("completed", "0.00")
    assert order_shown()["lines"][0]["qty_left"] == 2


def test_a_repair_is_diagnosed_repaired_checked_and_sent_back(shop, tmp_path):
    order = sell(shop)
    number = apply_for(order, "repair", "quality", "1:1")
    do(
        *("case", number, "add_evidence", "--as", "agent", "--set", "party=buyer"),
        *("--at", at(5, 11), "--file", f"evidence={a_picture(tmp_path)}"),
    )
    walk = Walk(number)

    walk("accept")
    walk("ship_back", courier="YTO", waybill="YT1")
    walk("receive", "warehouse")
    shown = walk("send_for_diagnosis", "warehouse", place="service_point", vendor="Cups Ltd")
    assert shown["state"] == "diagnosing"
    assert walk("record_diagnosis", "warehouse", verdict="confirmed")["state"] == "repairing"
    assert walk("finish_repair", "warehouse", cost="12.50")["state"] == "quality_check"
    assert walk("pass_quality_check", "warehouse")["state"] == "awaiting_dispatch"
    assert walk("dispatch", "warehouse", courier="SF", waybill="SF9")["state"] == "awaiting_receipt"

    assert walk("confirm_receipt")["state"] == "completed"
    assert [p["purpose"] for p in walk.shown["parcels"]] == ["return", "repaired"]


def test_a_resend_goes_out_and_ends_by_itself_when_the_buyer_is_silent(shop, tmp_path):
    order = sell(shop)
    number = apply_for(order, "resend", "missing_parts", "1:1")
    walk = Walk(number)

    assert (
        walk("accept", waiver="The weight on the label proves it.")["state"] == "awaiting_dispatch"
    )
    assert walk("dispatch", courier="SF", waybill="SF300")["state"] == "awaiting_receipt"
    code, swept = run("enforce", "--now", at(20))

    assert (code, swept["acted"], swept["failed"]) == (0, 1, 0)
    shown = run("show", "case", number)[1]
    assert shown["state"] == "completed"
    assert shown["events"][-1] | {"inputs": {}} == {
        "at": "2026-03-20T10:00:00+08:00",
        "actor": "system",
        "channel": "clock",
        "verb": "confirm_receipt",
        "from": "awaiting_receipt",
        "to": "completed",
        "note": "",
        "inputs": {},
        "late": True,
    }


def test_an_amount_above_the_limit_waits_for_another_person(shop):
    order = sell(shop, lines=((1, "6000.00"),), status=OrderStatus.PAID)
    walk = Walk(apply_for(order, "refund_unshipped", "not_wanted", "1:1"))

    assert walk("accept")["state"] == "awaiting_approval"
    assert walk("approve", "supervisor", text="ok")["state"] == "refunding"
    assert walk("pay", "finance", reference="PAY1")["refunded"] == "6010.00"


def test_refused_revised_and_mediated_the_platform_rules_in_part(shop):
    order = sell(shop)
    walk = Walk(apply_for(order, "return_refund", "no_reason", "1:1"))

    assert walk("refuse", reason="other", text="It was worn.")["state"] == "refused"
    assert walk("revise", text="It was not.")["state"] == "applied"
    assert walk("request_mediation", party="buyer", text="Let them decide")["state"] == "mediating"
    assert walk.shown["paused"] is True
    assert walk("rule_split", "lead", amount="40.00")["state"] == "refunding"
    assert walk("pay", "finance", reference="PAY1")["refunded"] == "40.00"


def test_a_proposal_is_agreed_to_and_a_failed_payout_is_paid_again(shop):
    order = sell(shop)
    walk = Walk(apply_for(order, "return_refund", "no_reason", "1:2"))

    assert walk("propose", remedy="refund", amount="50.00")["state"] == "negotiating"
    assert walk("agree_proposal")["state"] == "refunding"
    failed = walk("fail_payout", "finance", text="Account closed")
    assert [(r["state"], r["failure"]) for r in failed["refunds"]] == [("failed", "Account closed")]
    shown = walk("pay", "finance", reference="PAY2", method="alipay", payee="A")

    assert shown["refunds"][0]["number"] == failed["refunds"][0]["number"]
    assert (shown["remedy"], shown["refunded"]) == ("refund", "50.00")


def test_what_is_said_and_given_stands_in_the_timeline(shop):
    walk = Walk(apply_for(sell(shop), "return_refund", "no_reason"))

    walk("add_note", text="A regular customer")
    walk("log_contact", way="phone", text="Will send a picture")
    walk("tag", tags="cup, red，cup")
    walk("assign", "lead", user="agent")
    walk("compensate", kind="coupon", amount="5.00", text="sorry")
    shown = walk("extend", days="3") if "extend" in walk.shown["allowed"] else walk("escalate")

    assert shown["tags"] == ["cup", "red"]
    assert shown["owner"] == "agent"
    assert shown["compensation"] == "5.00"
    assert [e["note"] for e in shown["events"]][1:3] == [
        "A regular customer",
        "Will send a picture",
    ]


def test_the_platforms_own_outcome_ends_a_case_once(shop):
    walk = Walk(apply_for(sell(shop), "return_refund", "no_reason", "1:1"))

    shown = walk(
        "record_platform_outcome", "lead", number="TB1", amount="100.00", outcome="refunded"
    )

    assert (shown["state"], shown["refunded"]) == ("completed", "100.00")
    assert shown["refunds"][0]["platform_number"] == "TB1"


def test_an_order_is_shipped_and_signed_for(shop):
    sell(shop, status=OrderStatus.PAID)

    shown = do(
        *("order", "E1", "record_shipment", "--as", "agent", "--at", at(3)),
        *("--set", "courier=SF", "waybill=SF1"),
    )
    assert (shown["status"], shown["shipped_at"]) == ("shipped", "2026-03-03T10:00:00+08:00")
    shown = do("order", "E1", "record_signature", "--as", "agent", "--at", at(4))
    assert (shown["status"], shown["signed_at"]) == ("signed", "2026-03-04T10:00:00+08:00")


def test_a_key_makes_an_act_happen_once(shop):
    order = sell(shop)
    words = ["kind=return_refund", "reason=no_reason", "line=1:1"]
    opening = ["order", order.order_no, "open_case", "--as", "agent", "--at", at(5), "--key", "K1"]

    first = do(*opening, "--set", *words)
    again = do(*opening, "--set", *words)
    accepted = do("case", first["case_no"], "accept", "--as", "agent", "--at", at(6), "--key", "K2")
    repeated = do("case", first["case_no"], "accept", "--as", "agent", "--at", at(6), "--key", "K2")

    assert again["case_no"] == first["case_no"]
    assert Case.objects.count() == 1
    assert repeated["events"] == accepted["events"]


def test_a_shipment_told_again_with_its_key_is_answered_alike(shop):
    sell(shop, status=OrderStatus.PAID)
    told = ("order", "E1", "record_shipment", "--as", "agent", "--at", at(3), "--key", "K")

    first = do(*told, "--set", "courier=SF", "waybill=SF1")
    assert do(*told, "--set", "courier=SF", "waybill=SF1") == first
    assert refused(*told, "--set", "courier=SF", "waybill=SF2")["code"] == "wrong_state"


def test_inputs_may_be_given_together_or_one_by_one(shop):
    order = sell(shop, lines=((1, "50.00"), (2, "80.00")))

    shown = do(
        *("order", "E1", "open_case", "--as", "agent", "--at", at(5), "--set", "line=1:1"),
        *("--set", "line=2:1", "--set", "kind=return_refund", "reason=no_reason"),
        *("--set", "text=Too small"),
    )

    assert [(x["line_no"], x["quantity"]) for x in shown["lines"]] == [(1, 1), (2, 1)]
    assert shown["amount_requested"] == "90.00"
    assert Order.objects.get().pk == order.pk
    assert Evidence.objects.count() == 0
