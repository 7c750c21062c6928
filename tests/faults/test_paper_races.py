"""Two people on one paper or one piece at the same moment: one wins, no piece has two ends."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.query import QuerySet

from cases.flow import clock
from cases.models import Counter
from invoices.models import Endorsement, Paper, PaperMove, Unit
from invoices.papers import custody, endorsing
from invoices.papers.custody import Going
from invoices.papers.endorsing import Exchange
from tests.faults.racing import at_once, refusals
from tests.invoices.desk import PaperDesk, found

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk() -> PaperDesk:
    return PaperDesk()


@pytest.fixture
def exchanged(desk):
    invoice = desk.sold((1, "113.00"), serials=("SN1",))
    desk.case(invoice, "awaiting_receipt", "exchange")
    desk.endorse(invoice, "SN1", "SN2")
    return invoice


def both_endorse(desk, invoice) -> list[Any]:
    at = desk.tick()

    def act(who, new):
        with clock.standing_at(at):
            return endorsing.endorse(desk.house.actor(who), invoice, Exchange(1, "SN2", new), at=at)

    return at_once(lambda: act("warehouse", "SN8"), lambda: act("finance", "SN9"))


def test_one_piece_is_endorsed_by_one_of_two(desk, exchanged):
    (refusal,) = refusals(both_endorse(desk, exchanged))

    assert refusal.code == "wrong_state"
    assert Endorsement.objects.count() == 2
    assert Unit.objects.get().serial in {"SN8", "SN9"}
    assert found(desk.now) == set()


def test_without_lock_and_fence_the_piece_would_have_two_ends(desk, exchanged, monkeypatch):
    """Negative control: what the test above would have to see."""
    lock, update = QuerySet.select_for_update, QuerySet.update
    monkeypatch.setattr(
        QuerySet,
        "select_for_update",
        lambda rows, **how: lock(rows, **how) if rows.model is Counter else rows,
    )
    monkeypatch.setattr(
        QuerySet,
        "update",
        lambda rows, **news: (
            update(Unit.objects.all(), **news) if rows.model is Unit else update(rows, **news)
        ),
    )
    rule = next(c for c in Endorsement._meta.constraints if c.name == "endorsement_seq")
    with connection.schema_editor() as editor:
        editor.remove_constraint(Endorsement, rule)
    try:
        assert refusals(both_endorse(desk, exchanged)) == []
        assert Endorsement.objects.filter(old_serial="SN2").count() == 2
        assert found(desk.now) & {"chain_ends_elsewhere", "serials_not_a_chain"}
    finally:
        call_command("flush", interactive=False, verbosity=0)
        with connection.schema_editor() as editor:
            editor.add_constraint(Endorsement, rule)


def test_one_paper_goes_one_way(desk):
    invoice = desk.sold()
    desk.arrive(invoice)
    at = desk.tick()

    def act(who, to):
        with clock.standing_at(at):
            return custody.move_paper(
                desk.house.actor(who), invoice, Going(to, from_holder="warehouse"), at=at
            )

    answers = at_once(lambda: act("warehouse", "held"), lambda: act("finance", "lost"))

    (refusal,) = refusals(answers)
    assert refusal.code == "wrong_state"
    assert PaperMove.objects.count() == 3
    assert Paper.objects.get().place in {"held", "lost"}
    assert found(desk.now) == set()
