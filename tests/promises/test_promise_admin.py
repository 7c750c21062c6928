"""Claims, deposits, terms in the admin: one door, the shop's scope, money before the button."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from promises.models import Claim, Deposit, Entry, Term
from tests.cases import admin_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def office():
    return admin_data.office()


def late_order(shop, number="L1", **more):
    """Paid six days ago, shipped three days later."""
    shipped = timezone.now() - timedelta(days=3)
    order = admin_data.order(shop, number, **more)
    type(order).objects.filter(pk=order.pk).update(shipped_at=shipped)
    order.lines.update(promises="ship_on_time;free_return")
    return order


def submit(client, url, **given):
    """Post a page's form as its browser would, with the hidden fields it was drawn with."""
    drawn = client.get(url).content.decode()
    hidden = dict(re.findall(r'name="(_key|_version)" value="([^"]*)"', drawn))
    return client.post(url, {**hidden, **given})


def file(office, number="L1", who="agent"):
    url = reverse("admin:promises_claim_add")
    found = submit(office.client(who), url, order_no=number, promise="ship_on_time", line="1")
    assert found.status_code == 302, found.content.decode()
    return Claim.objects.latest("pk")


def page(claim, step=""):
    if step:
        return reverse("admin:promises_claim_do", args=[claim.pk, step])
    return reverse("admin:promises_claim_change", args=[claim.pk])


def test_a_claim_from_filing_to_money_and_the_deposit_that_explains_it(office):
    late_order(office.a)
    finance = office.client("finance")
    first = reverse("admin:promises_deposit_add")
    submit(finance, first, shop=office.a.pk, amount="100.00", reference="银行 1")
    claim = file(office)
    lead = office.client("lead")

    drawn = lead.get(page(claim)).content.decode()
    assert page(claim, "accept") in drawn
    assert f"¥{claim.amount}" in drawn
    before = lead.get(page(claim, "accept")).content.decode()
    assert before.index(f"¥{claim.amount}") < before.index("data-main")
    assert submit(lead, page(claim, "accept")).status_code == 302

    paid = Claim.objects.get()
    assert (paid.state, paid.paid) == ("paid", paid.amount)
    deposit = Deposit.objects.get()
    statement = finance.get(reverse("admin:promises_deposit_change", args=[deposit.pk]))
    assert claim.claim_no in statement.content.decode()
    assert f"¥{Decimal('100.00') - paid.amount}" in statement.content.decode()


def test_pressed_twice_or_on_an_old_page_it_happens_once(office):
    late_order(office.a)
    claim = file(office)
    lead, url = office.client("lead"), page(claim, "accept")
    drawn = lead.get(url).content.decode()
    given = dict(re.findall(r'name="(_key|_version)" value="([^"]*)"', drawn))
    old = {**given, "_key": "0" * 32}

    answers = [lead.post(url, given).status_code for _ in range(2)]
    late = lead.post(url, old)

    assert answers == [302, 302]
    assert late.status_code == 200
    assert Entry.objects.count() == 1


def test_debts_are_paid_by_the_top_up_page_and_withdrawals_are_held_back(office):
    late_order(office.a)
    submit(office.client("lead"), page(file(office), "accept"))
    deposit, finance = Deposit.objects.get(), office.client("finance")
    debt = deposit.owed
    url = {
        verb: reverse("admin:promises_deposit_do", args=[deposit.pk, verb])
        for verb in ("top_up", "withdraw", "require")
    }

    assert submit(finance, url["top_up"], amount="20.00", reference="1").status_code == 302
    assert submit(finance, url["require"], amount="10.00").status_code == 302
    refused = submit(finance, url["withdraw"], amount="20.00", reference="2")

    assert refused.status_code == 200
    row = Deposit.objects.get()
    assert (row.available, row.owed, row.required) == (20 - debt, 0, 10)
    assert Claim.objects.get().state == "paid"


def test_outside_the_shop_nothing_exists(office):
    late_order(office.a)
    claim = file(office)
    submit(office.client("lead"), page(claim, "accept"))
    deposit = Deposit.objects.get()
    Term.objects.create(promise="quality", shop=office.a, offer="none")
    term = Term.objects.get(shop=office.a)
    stranger = office.client("stranger")  # a supervisor of another shop
    urls = [
        page(claim),
        page(claim, "reverse"),
        reverse("admin:promises_deposit_change", args=[deposit.pk]),
        reverse("admin:promises_deposit_do", args=[deposit.pk, "top_up"]),
        reverse("admin:promises_term_change", args=[term.pk]),
        reverse("admin:promises_term_change_terms", args=[term.pk]),
    ]

    assert [stranger.get(url).status_code for url in urls] == [404] * len(urls)
    assert [stranger.post(url, {}).status_code for url in urls[1:2] + urls[3:4]] == [404, 404]
    for model in ("claim", "deposit", "term"):
        listed = stranger.get(reverse(f"admin:promises_{model}_changelist")).content.decode()
        assert claim.claim_no not in listed
        assert "甲店" not in listed
    drawn = submit(
        stranger,
        reverse("admin:promises_claim_add"),
        order_no="L1",
        promise="free_return",
        line="1",
    )
    assert drawn.status_code == 200
    assert Claim.objects.count() == 1


@pytest.mark.parametrize(
    ("who", "step", "status"),
    [("agent", "accept", 403), ("warehouse", "accept", 403), ("auditor", "withdraw", 403)],
)
def test_people_without_the_right_are_told_and_nothing_happens(office, who, step, status):
    late_order(office.a)
    claim = file(office, who="lead")

    assert submit(office.client(who), page(claim, step)).status_code == status
    assert Claim.objects.get().seq == 1


def test_steps_are_post_only_and_other_names_have_no_page(office):
    late_order(office.a)
    claim = file(office)
    lead = office.client("lead")

    lead.get(page(claim, "accept"))
    assert Claim.objects.get().seq == 1
    assert lead.get(page(claim, "settle")).status_code == 404
    assert lead.get(page(claim, "delete")).status_code == 404
    assert lead.post(page(claim), {"state": "paid"}).status_code == 405


def test_a_change_of_terms_shows_what_keeps_the_old_ones(office):
    late_order(office.a)
    claim = file(office)
    term = Term.objects.get(promise="ship_on_time")
    url = reverse("admin:promises_term_change_terms", args=[term.pk])
    supervisor = office.client("supervisor")
    begins = timezone.now() + timedelta(days=2)
    values = {
        "valid_from": begins.isoformat(), "offer": "sheet", "rate": "8", "floor": "1", "cap": "30",
        "hours": "24", "window": "15", "since": "finished", "counted": "days",
        "freight_side": "seller", "evidence": "none", "source": "平台公告",
    }  # fmt: skip

    assert claim.claim_no in supervisor.get(url).content.decode()
    assert submit(supervisor, url, **{**values, "floor": "31"}).status_code == 200
    assert submit(supervisor, url, **values).status_code == 302

    old, new = Term.objects.filter(promise="ship_on_time").order_by("pk")
    assert (old.rate, old.valid_to, new.rate, new.valid_from) == (5, begins, 8, begins)
    assert Claim.objects.get().term_id == old.pk
    assert office.client("lead").get(url).status_code == 403


def test_lists_take_as_many_queries_for_many_rows_as_for_few(office):
    urls = [
        reverse(f"admin:promises_{m}_changelist") for m in ("claim", "deposit", "term", "limit")
    ]
    supervisor = office.client("supervisor")

    def asked(url):
        with CaptureQueriesContext(connection) as found:
            assert supervisor.get(url).status_code == 200
        return len(found)

    def grow(start):
        for number in range(start, start + 6):
            late_order(office.a, f"N{number}")
            file(office, f"N{number}")

    grow(0)
    few = {url: asked(url) for url in urls}
    grow(10)
    assert {url: asked(url) for url in urls} == few
