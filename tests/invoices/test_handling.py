"""The invoice follows the case: which treatment opens, what it asks, and how it ends."""

from datetime import timedelta
from decimal import Decimal

import pytest

from cases.flow import clock
from cases.models import Case
from cases.showing import case_as_dict
from invoices import verbs
from invoices.models import RedRequest, Treatment
from tests.invoices.office import Office, books_are_clean, refusal

pytestmark = pytest.mark.django_db
PARCEL = {"courier": "SF", "waybill": "SF1"}


@pytest.fixture
def office() -> Office:
    return Office()


def invoiced(office, *lines, on="return_refund", freight="0.00", **inputs):
    """An order with its invoice, and a fresh case on it."""
    order = office.house.order_for(on, *(lines or ((3, "100.00"),)), freight=freight)
    blue = office.issued(order=order, **inputs)
    return order, blue


def opened(office, order, kind="return_refund", **more):
    return office.house.opened(kind, order, at=office.tick(), **more)


def received(office, case):
    office.step(case, "accept", "lead", waiver="看过")
    office.step(case, "ship_back", "agent", **PARCEL)
    return office.step(case, "receive", "warehouse")


def settled(office, case):
    """The case's red request, made as the treatment asks and issued."""
    treatment = Treatment.objects.get(case=case, kind="red", state="open")
    with clock.standing_at(office.tick()):
        verbs.reverse_for(office.house.actor("finance"), treatment)
    return office.record(treatment.invoice)


def test_a_return_reverses_exactly_the_accepted_pieces(office):
    order, blue = invoiced(office, (3, "100.00"), (1, "50.00"), freight="10.00")
    case = opened(office, order, lines=((1, 2),), freight=Decimal("10.00"))
    received(office, case)
    line = case.lines.get().order_line_id
    case = office.step(case, "pass_inspection", "warehouse", line={line: 1})

    assert office.treatments() == [("red", "open")]
    told = case_as_dict(case)["invoice_handling"]
    assert (told["state"], told["next"]) == ("open", "request_red")
    assert [(x["line_no"], x["quantity"], x["gross"]) for x in told["treatments"][0]["lines"]] == [
        (1, "1", "33.34"),
        (3, "0", "10.00"),
    ]
    office.step(case, "pay", "finance", reference="R1")
    assert office.treatments() == [("red", "open")]
    settled(office, case)

    case = Case.objects.get(pk=case.pk)
    assert office.treatments() == [("red", "done")]
    assert str(case.refunded) == "43.34"
    assert office.reds(blue)[0][0] == "-43.34"
    assert case_as_dict(case)["invoice_handling"]["state"] == "done"
    assert books_are_clean(office.now)


def test_a_part_return_under_the_policy_has_the_remainder_issued_before_it_is_done():
    office = Office(parts="forbid")
    order, blue = invoiced(office)
    case = opened(office, order, lines=((1, 1),))
    received(office, case)
    case = office.step(case, "pass_inspection", "warehouse")
    settled(office, case)

    assert office.state(blue) == "fully_red"
    assert office.treatments() == [("red", "done"), ("reissue", "open")]
    assert case_as_dict(case)["invoice_handling"]["next"] == "reissue"
    anew = office.issued(order=order)
    assert str(anew.gross) == "66.67"
    assert office.treatments() == [("red", "done"), ("reissue", "done")]
    assert books_are_clean(office.now)


def test_money_back_with_the_goods_kept_is_an_allowance(office):
    order, blue = invoiced(office, on="refund_received")
    case = opened(office, order, "refund_received", amount=Decimal("20.00"))
    office.step(case, "accept", "lead", waiver="看过")

    request = settled(office, case)

    assert request.reason == "allowance"
    assert office.books(blue) == [("0", "20.00", "2.30", "0.00")]
    assert books_are_clean(office.now)


def test_an_order_never_shipped_is_reversed_as_a_whole(office):
    order, blue = invoiced(office, (2, "80.00"), on="refund_unshipped")
    case = opened(office, order, "refund_unshipped")
    office.step(case, "accept", "lead")

    settled(office, case)

    assert office.state(blue) == "fully_red"
    assert office.books(blue)[0][0] == "2"


PAPER = {"kind": "paper_special", "number": "00000042", "code": "3100221130"}


def test_an_exchange_is_endorsed_and_a_repair_gives_the_original_back(office):
    order, _blue = invoiced(office, (1, "100.00"), on="exchange", **PAPER)
    case = opened(office, order, "exchange")
    received(office, case)
    office.step(case, "pass_inspection", "warehouse")
    assert office.treatments(case=case) == [("endorse", "open")]
    office.step(case, "dispatch", "warehouse", **PARCEL)
    assert office.treatments(case=case) == [("endorse", "open")]

    order, _blue = invoiced(office, (1, "100.00"), on="repair", **{**PAPER, "number": "00000043"})
    case = opened(office, order, "repair")
    received(office, case)
    office.step(case, "start_repair", "warehouse", vendor="V")
    assert office.treatments(case=case) == [("give_back", "open")]


def test_a_rejected_return_hands_the_paper_back_and_an_electronic_one_asks_nothing(office):
    reason = office.house.refusal_reason()
    for number, kind in enumerate((PAPER, {})):
        order, _blue = invoiced(office, (1, "100.00"), **kind)
        case = opened(office, order)
        received(office, case)
        office.step(case, "fail_inspection", "warehouse", reason=reason, text="穿过")
        expected = [] if number else [("hand_back", "open")]
        assert office.treatments(case=case) == expected


def test_another_remedy_changes_the_treatment_and_keeps_its_history(office):
    order, blue = invoiced(office, (1, "100.00"), on="exchange")
    case = opened(office, order, "exchange")
    received(office, case)
    case = office.step(case, "pass_inspection", "warehouse")

    case = office.step(case, "convert", "lead", remedy="return_refund", text="买家改退款")

    assert office.treatments() == [("endorse", "superseded"), ("red", "open")]
    told = case_as_dict(case)["invoice_handling"]["treatments"]
    assert [e["verb"] for e in told[0]["events"]] == ["open_treatment", "supersede"]
    settled(office, case)
    assert office.state(blue) == "fully_red"
    assert books_are_clean(office.now)


def test_without_an_invoice_the_case_says_what_will_be_issued(office):
    order = office.house.order_for("refund_received", (3, "100.00"), freight="0.00")
    case = opened(office, order, "refund_received", amount=Decimal("20.00"))
    case = office.step(case, "accept", "lead", waiver="看过")

    told = case_as_dict(case)["invoice_handling"]

    assert (told["kind"], told["treatments"]) == ("note", [])
    assert "80.00" in told["note"]
    office.step(case, "pay", "finance", reference="R1")
    assert str(office.issued(order=order).gross) == "80.00"


def test_a_case_that_ends_without_money_asks_nothing_any_more(office):
    order, _blue = invoiced(office)
    case = opened(office, order)
    office.step(case, "withdraw", "agent")

    assert Treatment.objects.count() == 0


def test_only_a_supervisor_waives_and_says_why(office):
    order, _blue = invoiced(office, on="refund_received")
    case = opened(office, order, "refund_received")
    office.step(case, "accept", "lead", waiver="看过")
    treatment = Treatment.objects.get()

    assert (
        refusal(office.act, treatment, "waive", by="finance", text="算了").code == "not_permitted"
    )
    assert office.act(treatment, "waive", by="supervisor", text="税务局已处理").state == "waived"
    assert office.treatments() == [("red", "waived")]
    assert books_are_clean(office.now)


def test_a_treatment_nobody_cares_for_is_escalated_once(office):
    order, _blue = invoiced(office, on="refund_received")
    case = opened(office, order, "refund_received")
    office.step(case, "accept", "lead", waiver="看过")
    office.step(case, "pay", "finance", reference="R1")

    assert office.sweep(timedelta(hours=80))["escalated"] == 1
    assert office.sweep(timedelta(hours=80))["escalated"] == 0
    assert books_are_clean(office.now)


def test_a_request_under_way_is_not_taken_back_by_us(office):
    order, _blue = invoiced(office, on="refund_received")
    case = opened(office, order, "refund_received")
    case = office.step(case, "accept", "lead", waiver="看过")
    with clock.standing_at(office.tick()):
        verbs.reverse_for(office.house.actor("finance"), Treatment.objects.get())

    office.step(case, "record_platform_outcome", "lead", outcome="closed", number="P1")

    assert office.treatments() == [("red", "open")]
    assert RedRequest.objects.get().state == "submitted"
