"""What is wrong is refused by command and page alike: with the reason, and nothing is written."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.models import Order, Payment
from promises.models import Claim, Entry, Term
from tests.cases import admin_data
from tests.cases.command_desk import run

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
DAY = timedelta(days=1)


@pytest.fixture
def office():
    return admin_data.office()


def submit(client, url, **given):
    drawn = client.get(url).content.decode()
    hidden = dict(re.findall(r'name="(_key|_version)" value="([^"]*)"', drawn))
    return client.post(url, {**hidden, **given})


def late_order(shop, promises="ship_on_time;free_return;arrive_on_time"):
    order = admin_data.order(shop, "L1")
    now = timezone.now()
    Order.objects.filter(pk=order.pk).update(
        shipped_at=now - 3 * DAY, promised_arrival=now - 4 * DAY
    )
    order.lines.update(promises=promises)
    return Order.objects.get(pk=order.pk)


def unpaid(order):
    Payment.objects.filter(order=order).delete()
    Order.objects.filter(pk=order.pk).update(paid_at=None)


def finished_long_ago(order):
    Order.objects.filter(pk=order.pk).update(
        status="finished", finished_at=timezone.now() - 16 * DAY, paid_at=timezone.now() - 30 * DAY
    )


def in_time(order):
    Order.objects.filter(pk=order.pk).update(shipped_at=order.paid_at + 2 * DAY)


def already(order):
    given = {"promise": "ship_on_time", "line": "1"}
    words = [f"{name}={value}" for name, value in given.items()]
    code, answer = run("do", "order", "L1", "file_claim", "--as", "lead", "--set", *words)
    assert code == 0, answer


def nothing(order):
    """The order is as it is."""


SHIP = {"promise": "ship_on_time", "line": "1"}
ARRIVE = {"promise": "arrive_on_time", "line": "1"}
CLAIMS = [
    # what is so · what is asked for · the code
    (nothing, {"promise": "quality", "line": "1"}, "not_eligible"),
    (nothing, {"promise": "nonsense", "line": "1"}, "bad_value"),
    (nothing, {**SHIP, "line": "2"}, "unknown"),
    (in_time, SHIP, "not_eligible"),
    (finished_long_ago, SHIP, "window_closed"),
    (already, SHIP, "already_claimed"),
    (unpaid, SHIP, "not_eligible"),
    (nothing, {**SHIP, "amount": "5.50"}, "bad_value"),
    (nothing, {**ARRIVE, "amount": "-1"}, "bad_value"),
    (nothing, {**ARRIVE, "amount": "1.001"}, "bad_value"),
    (nothing, ARRIVE, "bad_value"),
    (nothing, {"promise": "free_return", "line": "1", "freight_back": "-0.01"}, "bad_value"),
    (nothing, {"promise": "free_return", "line": "1", "freight_back": "0.001"}, "bad_value"),
]


@pytest.mark.parametrize(("so", "asked", "code"), CLAIMS)
def test_a_claim_that_cannot_be_is_refused_by_command_and_page(office, so, asked, code):
    so(late_order(office.a))
    before = list(Claim.objects.values())
    words = [f"{name}={value}" for name, value in asked.items()]

    exit_code, answer = run("do", "order", "L1", "file_claim", "--as", "agent", "--set", *words)
    page = submit(
        office.client("agent"), reverse("admin:promises_claim_add"), order_no="L1", **asked
    )

    assert (exit_code, answer["code"]) == (2, code)
    assert answer["refused"]
    assert page.status_code == 200
    drawn = unescape(page.content.decode())
    assert 'role="alert"' in drawn or "sh-error" in drawn
    if code != "bad_value":
        assert answer["refused"] in drawn
    assert list(Claim.objects.values()) == before


def test_another_shop_is_told_what_it_would_be_told_of_an_order_that_is_not_there(office):
    late_order(office.a)
    words = [f"{name}={value}" for name, value in SHIP.items()]

    code, answer = run("do", "order", "L1", "file_claim", "--as", "stranger", "--set", *words)
    url = reverse("admin:promises_claim_add")
    stranger = office.client("stranger")
    there = submit(stranger, url, order_no="L1", **SHIP).content.decode()
    nowhere = submit(stranger, url, order_no="L9", **SHIP).content.decode()

    assert (code, answer["code"]) == (2, "not_in_your_shop")
    hidden = r'name="(csrfmiddlewaretoken|_key)" value="[^"]*"|\b\d{13}\b'
    assert re.sub(hidden, "", there) == re.sub(hidden, "", nowhere.replace("L9", "L1"))
    assert Claim.objects.count() == 0


@pytest.mark.parametrize(
    ("verb", "amount", "code"),
    [
        ("withdraw", "60.01", "insufficient_deposit"),
        ("withdraw", "0", "bad_value"),
        ("withdraw", "-1", "bad_value"),
        ("withdraw", "1.001", "bad_value"),
        ("top_up", "0", "bad_value"),
        ("top_up", "-5", "bad_value"),
        ("top_up", "0.001", "bad_value"),
        ("require", "-1", "bad_value"),
        ("require", "1.001", "bad_value"),
    ],
)
def test_money_that_cannot_move_is_refused_by_command_and_page(office, verb, amount, code):
    finance = office.client("finance")
    first = reverse("admin:promises_deposit_add")
    submit(finance, first, shop=office.a.pk, amount="100.00", reference="1")
    given = {"amount": amount, **({} if verb == "require" else {"reference": "2"})}
    deposit = office.a.deposit
    url = {v: reverse("admin:promises_deposit_do", args=[deposit.pk, v]) for v in (verb, "require")}
    assert submit(finance, url["require"], amount="40.00").status_code == 302
    words = [f"{name}={value}" for name, value in given.items()]

    exit_code, answer = run("do", "deposit", "a", verb, "--as", "finance", "--set", *words)
    page = submit(finance, url[verb], **given)

    assert (exit_code, answer["code"]) == (2, code)
    assert page.status_code == 200
    if code == "insufficient_deposit":
        assert "60.00" in answer["refused"]  # what would be allowed
        assert answer["refused"] in unescape(page.content.decode())
    deposit.refresh_from_db()
    assert (deposit.available, deposit.required) == (Decimal("100.00"), Decimal("40.00"))
    assert Entry.objects.count() == 1


TERMS = {
    "promise": "ship_on_time", "platform": "", "shop": "", "offer": "sheet", "rate": "5",
    "since": "finished", "counted": "days", "freight_side": "seller", "evidence": "none",
}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {},  # the seeded row has no end: every other row overlaps with it
        {"platform": "jd", "rate": "-0.01"},
        {"platform": "jd", "floor": "31.00", "cap": "30.00"},
        {"platform": "jd", "floor": "-1"},
        {"platform": "jd", "cap": "1.001"},
        {"platform": "jd", "fixed": "5"},  # a rate and a set amount
        {"platform": "jd", "valid_from": "2026-01-01 00:00"},  # in the past
        {"platform": "jd", "promise": "nonsense"},
    ],
)
def test_terms_that_overlap_or_contradict_themselves_are_refused_on_their_page(office, wrong):
    before = list(Term.objects.order_by("pk").values())
    begins = (timezone.now() + 5 * DAY).strftime("%Y-%m-%d")
    when = wrong.get("valid_from", f"{begins} 00:00").split()
    given = {**TERMS, **wrong, "valid_from_0": when[0], "valid_from_1": when[1]}
    supervisor, url = office.client("supervisor"), reverse("admin:promises_term_add")

    assert supervisor.post(url, given).status_code == 200
    assert list(Term.objects.order_by("pk").values()) == before

    right = {**TERMS, "platform": "jd", "valid_from_0": begins, "valid_from_1": "00:00"}
    assert supervisor.post(url, right).status_code == 302
