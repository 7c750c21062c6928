"""The demo's promises: three deposits, claims in every state, payouts that agree and do not."""

from datetime import datetime

import pytest
from django.db import transaction
from django.test import override_settings

from cases.auditing import audit
from cases.flow import clock, sweep
from cases.models import Shop
from config.demo.load import load
from config.demo.promises import DEPOSITS, WISHES
from config.demo.world import ZONE
from promises import verbs
from promises.models import Claim, ClaimState, Deposit, Payout, Term, TopUpDuty

MOMENT = datetime(2026, 11, 25, 15, 30, tzinfo=ZONE)
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


def test_claims_of_every_state_came_by_sheets_and_steps(demo):
    assert set(demo["claims"]) == set(ClaimState)
    assert sum(demo["claims"].values()) == len(WISHES)
    ours = [sheet for sheet in demo["sheets"] if sheet["kind"] in {"claims", "payouts"}]
    assert [sheet["created"] for sheet in ours] == [sheet["rows"] for sheet in ours]
    assert not Claim.objects.filter(filed_at__gte=MOMENT).exists()


def test_one_shop_is_rich_one_is_tight_and_one_owes_and_is_suspended():
    found = {d.shop.code: d for d in Deposit.objects.select_related("shop")}
    assert set(found) == set(DEPOSITS)
    assert found["yunzhi"].available > 3 * found["yunzhi"].required
    assert found["jizhou"].available < found["jizhou"].required
    assert found["shanye"].owed > 0
    duty = TopUpDuty.objects.get()
    assert (duty.shop.code, duty.state) == ("shanye", "suspended")
    assert duty.due_at is not None
    assert duty.due_at > MOMENT
    assert verbs.was_suspended(Shop.objects.get(code="shanye").pk, MOMENT)


def test_payouts_agree_or_wait_to_be_settled():
    verdicts = set(Payout.objects.values_list("status", "difference", "open"))
    assert verdicts >= {("paid", "", False), ("paid", "not_here", True), ("pending", "", False)}


def test_the_shops_own_terms_are_dated_rows():
    assert Term.objects.filter(shop__code="yunzhi", offer="all").count() == 2


def test_the_audit_finds_nothing_and_no_clock_is_behind():
    assert audit(MOMENT).violations == []
    found = sweep.enforce(MOMENT)
    assert (found["due"], found["acted"], found["failed"]) == (0, 0, 0)
