"""Endorsements: the chain of serials of each piece, and what is another sale instead."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases.models import Remedy
from invoices.models import Endorsement, EndorsementReview, Treatment, Unit
from invoices.papers import endorsing
from invoices.papers.showing import endorsements_of
from tests.factories import T0
from tests.invoices.desk import PaperDesk, found, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> PaperDesk:
    return PaperDesk()


@pytest.fixture
def exchanged(desk):
    """An invoice over two pieces, one of which is being exchanged."""
    invoice = desk.sold((2, "226.00"), serials=("SN1;SN2",))
    desk.case(invoice, "awaiting_receipt", "exchange")
    return invoice


def chain(invoice) -> list[tuple[str, str]]:
    return [(e["old_serial"], e["new_serial"]) for e in endorsements_of(invoice)]


def test_an_exchange_is_endorsed_and_the_warranty_begins_anew(desk, exchanged):
    done = desk.endorse(exchanged, "SN1", "SN9", seal="换货专用章")

    assert done.number.startswith("BS26")
    assert (done.where, done.seal, done.operator.username) == ("voucher", "换货专用章", "warehouse")
    assert done.exchanged_on == done.warranty_from == date(2026, 3, 2)
    assert done.case.remedy == Remedy.EXCHANGE
    assert found(desk.now) == set()


def test_a_piece_exchanged_twice_is_one_chain(desk, exchanged):
    desk.endorse(exchanged, "SN1", "SN9")
    desk.endorse(exchanged, "SN2", "SN8")
    desk.endorse(exchanged, "SN9", "SN7")

    assert chain(exchanged) == [("SN1", "SN9"), ("SN2", "SN8"), ("SN9", "SN7")]
    assert {(u.first_serial, u.serial) for u in Unit.objects.all()} == {
        ("SN1", "SN7"),
        ("SN2", "SN8"),
    }
    assert found(desk.now) == set()


def test_the_old_serial_is_the_end_of_the_chain(desk, exchanged):
    desk.endorse(exchanged, "SN1", "SN9")

    refused = refusal(desk.endorse, exchanged, "SN1", "SN5")
    assert (refused.code, refused.detail["end"]) == ("wrong_state", "SN9")
    assert chain(exchanged) == [("SN1", "SN9")]


def test_an_unknown_serial_is_refused_with_the_known_ones(desk, exchanged):
    desk.endorse(exchanged, "SN1", "SN9")

    refused = refusal(desk.endorse, exchanged, "SN4", "SN5")
    assert refused.code == "unknown"
    assert "SN9, SN2" in refused.message
    assert refusal(desk.endorse, exchanged, "SN1", "SN5", line=7).code == "unknown"


def test_the_new_serial_is_on_no_other_piece(desk, exchanged):
    other = desk.sold((1, "113.00"), serials=("SN50",))
    desk.case(other, "awaiting_receipt", "exchange")

    for new in ("SN2", "SN50", "SN1"):
        assert refusal(desk.endorse, exchanged, "SN1", new).code == "bad_value"
    desk.endorse(other, "SN50", "SN51")
    assert refusal(desk.endorse, exchanged, "SN1", "SN51").code == "bad_value"
    assert desk.endorse(exchanged, "SN1", "SN50")  # it is back in the stock


def test_a_chain_never_comes_back(desk, exchanged):
    desk.endorse(exchanged, "SN1", "SN9")
    assert refusal(desk.endorse, exchanged, "SN9", "SN1").code == "bad_value"


def test_where_no_serials_are_known_no_more_pieces_are_exchanged_than_sold(desk):
    invoice = desk.sold((2, "226.00"))
    desk.case(invoice, "awaiting_receipt", "exchange")
    desk.endorse(invoice, "A1", "B1")
    desk.endorse(invoice, "A2", "B2")

    assert refusal(desk.endorse, invoice, "A3", "B3").code == "quantity_exceeded"
    assert desk.endorse(invoice, "B2", "C2").seq == 2


@pytest.mark.parametrize(
    "other", [{"spec": "X2"}, {"price": Decimal("113.01")}, {"tax_class": "1090000000000000001"}]
)
def test_another_model_price_or_tax_class_is_red_and_a_new_blue(desk, exchanged, other):
    refused = refusal(desk.endorse, exchanged, "SN1", "SN9", **other)

    assert (refused.code, refused.detail["instead"]) == ("not_eligible", "red_and_blue")
    assert Endorsement.objects.count() == Unit.objects.count() == 0


def test_the_same_price_may_be_said(desk, exchanged):
    assert desk.endorse(exchanged, "SN1", "SN9", price=Decimal("113.00"))


def test_what_is_reversed_cannot_be_endorsed(desk):
    exchanged = desk.sold((2, "226.00"), kind="digital_general", serials=("SN1;SN2",))
    desk.case(exchanged, "awaiting_receipt", "exchange")
    desk.reverse(exchanged, {1: 1})
    assert desk.endorse(exchanged, "SN1", "SN9")
    desk.reverse(exchanged, {1: 1})
    refused = refusal(desk.endorse, exchanged, "SN9", "SN10")
    assert (refused.code, refused.detail["left"]) == ("wrong_state", "0")


def test_only_an_exchange_is_endorsed(desk):
    invoice = desk.sold(serials=("SN1",))
    assert refusal(desk.endorse, invoice, "SN1", "SN9").code == "unknown"
    case = desk.case(invoice, "awaiting_dispatch", "repair")
    assert refusal(desk.endorse, invoice, "SN1", "SN9").code == "unknown"
    assert refusal(desk.endorse, invoice, "SN1", "SN9", case=case).code == "wrong_state"


def test_the_back_of_the_invoice_is_written_on_only_when_it_is_here(desk, exchanged):
    assert refusal(desk.endorse, exchanged, "SN1", "SN9", where="invoice_back").code == "bad_value"
    desk.arrive(exchanged)
    assert desk.endorse(exchanged, "SN1", "SN9").where == "invoice_back"


def test_an_electronic_invoice_has_no_back(desk):
    invoice = desk.sold(kind="digital_special", serials=("SN1",))
    desk.case(invoice, "awaiting_receipt", "exchange")

    assert refusal(desk.endorse, invoice, "SN1", "SN9", where="invoice_back").code == "bad_value"
    assert desk.endorse(invoice, "SN1", "SN9").where == "voucher"


def test_a_key_endorses_once(desk, exchanged):
    first = desk.endorse(exchanged, "SN1", "SN9", key="k")
    again = desk.endorse(exchanged, "SN1", "SN9", key="k")

    assert first.pk == again.pk
    assert refusal(desk.endorse, exchanged, "SN1", "SN8", key="k").code == "key_reused"
    assert Endorsement.objects.count() == 1


def test_another_reviews_it_once(desk, exchanged):
    done = desk.endorse(exchanged, "SN1", "SN9", by="finance")
    actor = desk.house.actor

    assert refusal(endorsing.review, actor("finance"), done).code == "same_person"
    assert refusal(endorsing.review, actor("warehouse"), done).code == "not_permitted"
    endorsing.review(actor("supervisor"), done)
    assert endorsements_of(exchanged)[0]["reviewer"] == "supervisor"
    assert refusal(endorsing.review, actor("lead"), done).code == "wrong_state"


def test_the_database_itself_wants_another_reviewer(desk, exchanged):
    done = desk.endorse(exchanged, "SN1", "SN9", by="finance")
    user = desk.house.users["finance"]
    with pytest.raises(IntegrityError), transaction.atomic():
        EndorsementReview.objects.create(endorsement=done, operator=user, by=user, at=T0)


@pytest.mark.parametrize("who", ["auditor", "outsider", "clock"])
def test_who_may_not_does_not_endorse(desk, exchanged, who):
    code = refusal(desk.endorse, exchanged, "SN1", "SN9", by=who).code
    assert code == ("not_in_your_shop" if who == "outsider" else "not_permitted")
    assert Endorsement.objects.count() == 0


def test_the_treatment_of_the_exchange_is_done_with_it(desk, exchanged):
    assert [(t.kind, t.state) for t in Treatment.objects.all()] == [("endorse", "open")]
    desk.endorse(exchanged, "SN1", "SN9")
    assert [(t.kind, t.state) for t in Treatment.objects.all()] == [("endorse", "done")]


def test_the_treatment_of_a_repair_is_done_when_the_original_is_back(desk):
    invoice = desk.sold()
    desk.case(invoice, "awaiting_dispatch", "repair")
    desk.arrive(invoice)
    desk.move(invoice, "in_transit_out", "SF2")
    assert [(t.kind, t.state) for t in Treatment.objects.all()] == [("give_back", "open")]
    desk.move(invoice, "returned")
    assert [(t.kind, t.state) for t in Treatment.objects.all()] == [("give_back", "done")]


def test_endorsements_cannot_be_changed_or_taken_away(desk, exchanged):
    desk.endorse(exchanged, "SN1", "SN9")
    for act in (Endorsement.objects.all().delete, lambda: Endorsement.objects.update(seal="X")):
        with pytest.raises(IntegrityError), transaction.atomic():
            act()


def test_one_serial_is_on_one_piece_whoever_writes(desk, exchanged):
    desk.endorse(exchanged, "SN1", "SN9")
    desk.endorse(exchanged, "SN2", "SN8")
    with pytest.raises(IntegrityError), transaction.atomic():
        Unit.objects.filter(serial="SN8").update(serial="SN9")


def test_the_audit_finds_a_chain_that_ends_elsewhere_or_is_none(desk, exchanged):
    desk.endorse(exchanged, "SN1", "SN9")
    desk.endorse(exchanged, "SN9", "SN7")
    Unit.objects.update(serial="SN3")
    assert found(desk.now) == {"chain_ends_elsewhere"}

    Unit.objects.update(serial="SN7")
    with connection.cursor() as cursor:
        on = ' ON "invoices_endorsement"' if connection.vendor == "postgresql" else ""
        cursor.execute(f'DROP TRIGGER "invoices_endorsement_no_update"{on}')
    Endorsement.objects.filter(seq=2).update(old_serial="SN4")
    assert "serials_not_a_chain" in found(desk.now)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_tried_each_piece_has_one_end_and_no_serial_two_pieces(desk, data):
    """Random exchanges, possible or not: what was accepted is always a set of simple paths."""
    with transaction.atomic():
        invoice = desk.sold((2, "226.00"), serials=("S0 S1",))
        desk.case(invoice, "awaiting_receipt", "exchange")
        ends = {"S0", "S1"}
        serial = st.sampled_from([f"S{n}" for n in range(5)])
        for _try in range(data.draw(st.integers(1, 6))):
            old, new = data.draw(serial), data.draw(serial)
            before = chain(invoice)
            try:
                desk.endorse(invoice, old, new)
            except endorsing.Refused:
                assert chain(invoice) == before
            else:
                assert old in ends
                assert new not in ends
                ends = ends - {old} | {new}
        assert found(desk.now) == set()
        transaction.set_rollback(True)
