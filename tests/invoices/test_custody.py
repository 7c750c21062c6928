"""The paper goes from hand to hand: one holder at any time, every move a row, no guess."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from cases.flow import clock
from invoices import verbs
from invoices.models import Paper, PaperMove, Policy, Treatment
from invoices.models.custody import HOLDERS, WAYS, Place
from invoices.papers.showing import PARTS
from tests.factories import HOUR
from tests.invoices.desk import PaperDesk, found, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> PaperDesk:
    return PaperDesk()


def paper_parts(invoice) -> dict:
    return {name: part(invoice) for name, part in PARTS.items()}


def shown(invoice) -> list[tuple[str, str, str]]:
    return [
        (m["from_holder"], m["to_holder"], m["waybill"]) for m in paper_parts(invoice)["custody"]
    ]


def test_a_paper_comes_in_is_held_lent_and_given_back(desk):
    invoice = desk.sold()
    assert paper_parts(invoice)["holder"] == "customer"

    desk.arrive(invoice)
    desk.move(invoice, "held", by="finance")
    desk.move(invoice, "lent", by="finance", holder_name="官方维修点")
    desk.move(invoice, "held", by="finance")
    desk.move(invoice, "in_transit_out", "SFOUT9")
    desk.move(invoice, "returned", by="agent")

    assert shown(invoice) == [
        ("customer", "courier", "SFIN1"),
        ("courier", "warehouse", ""),
        ("warehouse", "finance", ""),
        ("finance", "vendor", ""),
        ("vendor", "finance", ""),
        ("finance", "courier", "SFOUT9"),
        ("courier", "customer", ""),
    ]
    assert paper_parts(invoice)["holder"] == "customer"
    assert found(desk.now) == set()


def test_who_does_not_hold_it_cannot_give_it_away_and_hears_who_does(desk):
    invoice = desk.sold()
    desk.move(invoice, "in_transit_in", "SF7", by="agent")

    for going in ({"to": "held"}, {"to": "received", "from_holder": "finance"}):
        refused = refusal(desk.move, invoice, going.pop("to"), **going)
        assert refused.code == "wrong_state"
        assert refused.detail["holder"] == "courier"
        assert "SF7" in refused.message
    assert PaperMove.objects.count() == 1
    assert desk.move(invoice, "received", from_holder="courier").holder == "warehouse"


@pytest.mark.parametrize("to", ["in_transit_in", "in_transit_out"])
def test_what_travels_has_a_waybill(desk, to):
    invoice = desk.sold()
    if to == "in_transit_out":
        desk.arrive(invoice)
    before = PaperMove.objects.count()

    assert refusal(desk.move, invoice, to).code == "bad_value"
    assert PaperMove.objects.count() == before


def test_a_vendor_is_named(desk):
    invoice = desk.sold()
    desk.arrive(invoice)
    assert refusal(desk.move, invoice, "lent").code == "bad_value"


def test_a_paper_is_archived_only_when_nothing_of_it_stands(desk):
    invoice = desk.sold((2, "113.00"), kind="digital_paper_general")
    desk.arrive(invoice)
    refused = refusal(desk.move, invoice, "archived")
    assert (refused.code, refused.detail["left"]) == ("wrong_state", "113.00")

    desk.reverse(invoice, {1: 1})
    assert refusal(desk.move, invoice, "archived").detail["left"] == "56.50"
    desk.reverse(invoice, {1: 1})
    assert desk.move(invoice, "archived").holder == "archive"
    assert refusal(desk.move, invoice, "returned").code == "wrong_state"


def test_a_voided_paper_is_archived(desk):
    invoice = desk.sold()
    desk.arrive(invoice)
    with clock.standing_at(desk.tick()):
        verbs.void(desk.house.actor("finance"), invoice, text="开错了")

    assert desk.move(invoice, "archived").place == "archived"


@pytest.mark.parametrize("how", ["lost", "missing_at_dock"])
def test_a_lost_paper_is_replaced_by_a_proof_only(desk, how):
    invoice = desk.sold()
    desk.move(invoice, "in_transit_in", "SF1", by="agent")
    desk.move(invoice, how)
    for given in ({}, {"proof": "sealed_copy"}, {"evidence": "12"}):
        assert refusal(desk.move, invoice, "substituted", **given).code == "evidence_required"

    paper = desk.move(invoice, "substituted", proof="loss_statement", evidence="遗失证明 2026-7")
    assert (paper.place, paper.holder) == ("substituted", "finance")
    assert paper_parts(invoice)["custody"][-1]["evidence"] == "遗失证明 2026-7"


def test_what_was_lost_can_be_found(desk):
    invoice = desk.sold()
    desk.arrive(invoice)
    desk.move(invoice, "lost")
    assert desk.move(invoice, "received").holder == "warehouse"


@pytest.mark.parametrize("kind", ["digital_general", "tax_control_e"])
def test_what_has_no_paper_is_not_moved(desk, kind):
    invoice = desk.sold(kind=kind)
    assert refusal(desk.move, invoice, "received").code == "wrong_state"
    assert paper_parts(invoice)["holder"] is None


def test_a_key_moves_it_once(desk):
    invoice = desk.sold()
    first = desk.move(invoice, "in_transit_in", "SF1", key="k")
    again = desk.move(invoice, "in_transit_in", "SF1", key="k")

    assert first.seq == again.seq == 1
    assert PaperMove.objects.count() == 1
    assert refusal(desk.move, invoice, "in_transit_in", "SF2", key="k").code == "key_reused"


def test_time_does_not_run_backwards_nor_ahead(desk):
    invoice = desk.sold()
    desk.move(invoice, "in_transit_in", "SF1")
    early = desk.now - timedelta(minutes=1)
    assert refusal(desk.move, invoice, "received", at=early).code == "bad_value"


def test_only_who_may_and_belongs_to_the_shop_moves_it(desk):
    invoice = desk.sold()
    codes = {
        who: refusal(desk.move, invoice, "received", by=who).code
        for who in ("auditor", "outsider", "clock", "platform")
    }
    assert codes == {
        "auditor": "not_permitted",
        "outsider": "not_in_your_shop",
        "clock": "not_permitted",
        "platform": "not_permitted",
    }
    assert Paper.objects.count() == 0


def test_every_place_has_a_holder_and_can_be_reached():
    assert set(WAYS) == set(HOLDERS) == set(Place)
    reached = {to for ways in WAYS.values() for to in ways}
    assert set(Place) - reached == {Place.WITH_CUSTOMER}


# What the paper keeps a case from


@pytest.mark.parametrize(
    ("state", "kind", "step"),
    [
        ("refused", "return_refund", "close_by_silence"),
        ("awaiting_return", "repair", "withdraw"),
        ("awaiting_receipt", "repair", "confirm_receipt"),
    ],
)
@pytest.mark.parametrize("place", ["received", "held", "lent"])
def test_a_case_does_not_close_while_its_paper_is_with_us(desk, state, kind, step, place):
    invoice = desk.sold()
    case = desk.case(invoice, state, kind)
    desk.arrive(invoice)
    if place != "received":
        desk.move(invoice, place, holder_name="V" if place == "lent" else "")
    by = "clock" if step == "close_by_silence" else "agent"
    at = desk.tick()

    refused = desk.house.refused(case, step, by, at=at)
    assert refused.code == "blocked"
    assert invoice.number in refused.message

    if place == "lent":
        desk.move(invoice, "held")
    desk.move(invoice, "in_transit_out", "SF2")
    assert desk.house.act(case, step, by, at=desk.tick()).finished_at is not None
    assert found(desk.now, "paper_of_a_closed_case_with_us") == set()


def test_a_refund_waits_for_the_original_only_where_the_shop_demands_it(desk):
    invoice = desk.sold()
    case = desk.case(invoice, "refunding", "return_refund")
    rule = Policy.objects.create(of=Policy.Of.MISSING_PAPER, shop=invoice.shop, value="require")

    refused = desk.house.refused(case, "pay", "finance", reference="R", at=desk.tick())
    assert refused.code == "blocked"
    assert invoice.number in refused.message

    desk.move(invoice, "missing_at_dock")
    assert (
        desk.house.refused(case, "pay", "finance", reference="R", at=desk.tick()).code == "blocked"
    )
    Policy.objects.filter(pk=rule.pk).update(value="proof")
    assert (
        desk.house.act(case, "pay", "finance", reference="R", at=desk.tick()).state == "completed"
    )


def test_where_the_original_came_back_the_refund_goes_out(desk):
    invoice = desk.sold()
    case = desk.case(invoice, "refunding", "return_refund")
    Policy.objects.create(of=Policy.Of.MISSING_PAPER, shop=invoice.shop, value="require")
    desk.arrive(invoice)

    paid = desk.house.act(case, "pay", "finance", reference="R", at=desk.tick())
    assert paid.state == "completed"  # the paper may still be here: a refund waits for nothing else


@pytest.mark.parametrize("kind", ["digital_general", "tax_control_e"])
def test_nobody_waits_for_a_paper_that_never_was(desk, kind):
    invoice = desk.sold(kind=kind)
    case = desk.case(invoice, "refunding", "return_refund")
    Policy.objects.create(of=Policy.Of.MISSING_PAPER, shop=invoice.shop, value="require")

    assert (
        desk.house.act(case, "pay", "finance", reference="R", at=desk.tick()).state == "completed"
    )


def test_a_waived_treatment_lets_the_refund_go_on(desk):
    invoice = desk.sold()
    case = desk.case(invoice, "refunding", "return_refund")
    Policy.objects.create(of=Policy.Of.MISSING_PAPER, shop=invoice.shop, value="require")
    desk.act(Treatment.objects.get(case=case), "waive", "supervisor", text="客户遗失，免于追索")

    paid = desk.house.act(case, "pay", "finance", reference="R", at=desk.tick())
    assert paid.state == "completed"


def test_an_original_that_is_not_back_is_not_voided(desk):
    invoice = desk.sold()
    void = {"actor": desk.house.actor("finance"), "text": "开错了"}
    with clock.standing_at(desk.tick()):
        refused = refusal(verbs.void, invoice=invoice, **void)
    assert refused.code == "wrong_state"
    desk.arrive(invoice)
    with clock.standing_at(desk.tick()):
        verbs.void(invoice=invoice, **void)
    assert desk.state(invoice) == "voided"


# The database and the audit


@pytest.mark.parametrize("act", ["update", "delete"])
def test_moves_cannot_be_changed_or_taken_away(desk, act):
    invoice = desk.sold()
    desk.arrive(invoice)
    rows = PaperMove.objects.all()
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(waybill="X") if act == "update" else rows.delete()


@pytest.mark.parametrize(
    "fields",
    [{"holder": "vendor"}, {"place": "held"}, {"place": "in_transit_out", "holder": "courier"}],
    ids=str,
)
def test_the_database_itself_knows_who_holds_what_and_that_journeys_have_waybills(desk, fields):
    invoice = desk.sold()
    desk.arrive(invoice)
    with pytest.raises(IntegrityError), transaction.atomic():
        Paper.objects.update(**fields)


def test_the_audit_finds_a_paper_that_is_not_where_it_moved(desk):
    invoice = desk.sold()
    desk.arrive(invoice)
    Paper.objects.update(place="held", holder="finance")
    assert found(desk.now) == {"paper_not_where_it_moved"}


def test_the_audit_finds_a_move_from_elsewhere(desk):
    invoice = desk.sold()
    desk.arrive(invoice)
    with connection.cursor() as cursor:
        on = ' ON "invoices_papermove"' if connection.vendor == "postgresql" else ""
        cursor.execute(f'DROP TRIGGER "invoices_papermove_no_update"{on}')
    PaperMove.objects.filter(seq=2).update(from_place="lent", from_holder="vendor")

    assert "paper_moved_from_elsewhere" in found(desk.now)


def test_the_audit_finds_a_paper_archived_too_early(desk):
    invoice = desk.sold()
    desk.arrive(invoice)
    Paper.objects.update(place="archived", holder="archive")
    assert "paper_archived_too_early" in found(desk.now)


def test_days_in_repair_are_added_to_the_warranty(desk):
    invoice = desk.sold()
    case = desk.case(invoice, "awaiting_dispatch", "repair")
    received = case.events.get(verb="receive").at
    desk.house.act(
        case, "dispatch", "warehouse", courier="SF", waybill="9", at=received + 49 * HOUR
    )

    (extension,) = paper_parts(invoice)["warranty_extensions"]
    assert (extension["case"], extension["line_no"], extension["days"]) == (case.case_no, 1, 3)
