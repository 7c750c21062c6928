"""The demo's invoices: all kinds, reds in every state, papers under way, work in the queues."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import Sum
from django.test import override_settings

from cases.auditing import audit
from cases.flow import clock, sweep
from cases.models import OrderLine
from config.demo.load import load
from config.demo.world import ZONE
from invoices.models import (
    CreditLine,
    EndorsementReview,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Paper,
    PaperMove,
    RedRequest,
    Treatment,
    Unit,
)

MOMENT = datetime(2026, 11, 24, 18, 20, tzinfo=ZONE)
pytestmark = pytest.mark.any_database


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker, tmp_path_factory):
    media = tmp_path_factory.mktemp("media")
    with (
        django_db_blocker.unblock(),
        override_settings(MEDIA_ROOT=media),
        transaction.atomic(),
    ):
        yield load(MOMENT)
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def in_the_loaded_office(demo, db):
    with clock.standing_at(MOMENT):
        yield


def blues():
    return Invoice.objects.blue()


def reds(**about):
    return RedRequest.objects.filter(**about)


def test_forty_invoices_of_all_kinds_came_by_sheets_of_three_shops(demo):
    assert set(blues().values_list("kind", flat=True)) == set(InvoiceKind)
    assert blues().count() == 42
    assert blues().values("shop").distinct().count() == 3
    assert set(blues().values_list("source", flat=True)) == {"native"}
    sheets = [sheet for sheet in demo["sheets"] if sheet["kind"] == "invoices"]
    assert [sheet["created"] for sheet in sheets] == [sheet["rows"] for sheet in sheets]
    assert not Invoice.objects.exclude(issued_at__lte=MOMENT).exists()
    assert not any(blues().values_list("warnings", flat=True))


def test_an_invoice_is_about_what_the_lines_of_its_order_were_paid():
    of_orders = blues().exclude(order=None)
    assert of_orders.count() == 41
    for invoice in of_orders:
        paid = OrderLine.objects.filter(order=invoice.order_id).aggregate(sum=Sum("paid_amount"))
        assert invoice.gross == paid["sum"], invoice
    assert InvoiceLine.objects.filter(nature="discount", amount__lt=0).count() > 10
    assert InvoiceLine.objects.filter(tax_rate="exempt", tax=Decimal(0)).exists()


def test_reds_are_whole_partial_awaited_denied_and_held():
    assert reds(case__isnull=False, state="issued").count() == 3
    assert reds(case=None, reason="error", state="issued").count() == 1
    assert {"issued", "partly_red", "fully_red"} == set(
        blues().values_list("standing__state", flat=True)
    )
    assert reds(reason="allowance", state="issued", case__isnull=False).exists()
    waiting = reds().get(state="waiting")
    assert (waiting.code, waiting.case is not None) == ("02", True)
    assert waiting.due_at is not None
    assert waiting.due_at > MOMENT
    assert reds().get(state="dead").code == "05"
    held = reds().exclude(held="").get()
    assert held.state == "issued"
    assert held.red is not None
    assert -held.red.gross - held.gross == Decimal("1.50")


def test_a_unit_was_endorsed_twice_and_both_were_reviewed():
    unit = Unit.objects.get()
    assert (unit.seq, unit.serial) == (2, unit.first_serial + "N2")
    assert EndorsementReview.objects.count() == 2


def test_papers_are_lent_lost_held_and_on_their_way_back():
    assert set(Paper.objects.values_list("place", flat=True)) == {
        *("lent", "substituted", "held", "in_transit_out", "returned"),
    }
    assert Paper.objects.get(place="lent").holder_name
    lost = PaperMove.objects.get(place="lost")
    assert Paper.objects.get(place="substituted").invoice_id == lost.invoice_id


def test_the_queues_have_work_in_them():
    kinds = Treatment.objects.filter(state="open").values_list("kind", flat=True)
    assert set(kinds) == {"red", "reissue", "endorse", "give_back"}
    assert Treatment.objects.filter(state="done").count() >= 4


def test_two_credit_notes_wait_for_a_person():
    assert sorted(CreditLine.objects.values_list("state", "why")) == [
        ("open", "never_sold"),
        ("open", "several"),
    ]


def test_nothing_is_wrong_and_nothing_is_left_to_the_clock():
    assert audit(MOMENT).violations == []
    found = sweep.enforce(MOMENT)
    assert (found["due"], found["acted"], found["escalated"], found["failed"]) == (0, 0, 0, 0)
