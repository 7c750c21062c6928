"""Each promise from breach to money: by command, on the pages, by sheet, and after silence."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.auditing import audit
from cases.flow import clock
from cases.flow.door import Actor, perform
from cases.flow.sweep import enforce
from cases.models import Case
from cases.sheets.loading import import_file
from promises.models import Claim, Deposit, Entry
from tests.cases import admin_data
from tests.cases.command_desk import do
from tests.cases.sheets.files.makers import csv_file

pytestmark = pytest.mark.django_db
HEADERS = [
    "claim_no", "shop", "order_no", "line_no", "promise", "filed_at", "amount", "state", "text",
    "freight_back",
]  # fmt: skip
#: promise, what is entered beside, what the buyer gets of ¥110.00 paid for the line.
PROMISES = [
    ("fake_triple", {}, "330.00"),
    ("quality", {}, "110.00"),
    ("ship_on_time", {}, "5.50"),
    ("free_return", {"freight_back": "12.00"}, "122.00"),
    ("damage_resend", {"freight_back": "6.00"}, "6.00"),
    ("named_courier", {"amount": "5.00"}, "5.00"),
    ("arrive_on_time", {"amount": "7.50"}, "7.50"),
]


def broken(shop, number, promise):
    """Paid six days ago; shipped late, by another courier, arrived late, and claimable still."""
    now = timezone.now()
    order = admin_data.order(shop, number)
    type(order).objects.filter(pk=order.pk).update(
        shipped_at=now - timedelta(days=3),
        promised_arrival=now - timedelta(days=3),
        named_courier="京东快递",
    )
    order.lines.update(promises=promise)
    return order


def by_command(office, order, promise, given, _folder):
    words = [f"{name}={value}" for name, value in given.items()]
    filed = do(
        "order", order.order_no, "file_claim", "--as", "agent",
        "--set", f"promise={promise}", "line=1", *words,
    )  # fmt: skip
    assert (filed["state"], filed["working"]["result"]) == ("filed", filed["amount"])
    return do("claim", filed["claim_no"], "accept", "--as", "lead")["claim_no"]


def on_the_pages(office, order, promise, given, _folder):
    agent, lead = office.client("agent"), office.client("lead")
    add = reverse("admin:promises_claim_add")
    submit(agent, add, order_no=order.order_no, promise=promise, line="1", **given)
    claim = Claim.objects.get(order=order)
    submit(lead, reverse("admin:promises_claim_do", args=[claim.pk, "accept"]))
    return claim.claim_no


def submit(client, url, **given):
    drawn = client.get(url).content.decode()
    hidden = dict(re.findall(r'name="(_key|_version)" value="([^"]*)"', drawn))
    answer = client.post(url, {**hidden, **given})
    assert answer.status_code == 302, answer.content.decode()


def by_sheet(office, order, promise, given, folder):
    filed = timezone.localtime().strftime("%Y-%m-%d %H:%M:%S")
    row = {
        "claim_no": f"X-{promise}", "shop": "a", "order_no": order.order_no, "line_no": "1",
        "promise": promise, "filed_at": filed, **given,
    }  # fmt: skip
    for who, state in (("agent", "filed"), ("lead", "paid")):
        cells = [{**row, "state": state}.get(name, "") for name in HEADERS]
        path = csv_file(folder / f"{promise}-{state}.csv", [HEADERS, cells])
        result = import_file(path, actor=Actor.sheet(office.people[who]))
        assert (result.created, result.updated) == ((1, 0), (0, 1))[state == "paid"], result
    return row["claim_no"]


def after_silence(office, order, promise, given, _folder):
    """Nobody answers: contested, handed over, a supervisor called; then the platform rules."""
    words = [f"{name}={value}" for name, value in given.items()]
    filed = do(
        "order", order.order_no, "file_claim", "--as", "agent",
        "--set", f"promise={promise}", "line=1", *words,
    )  # fmt: skip
    now = timezone.now()
    for days, state in ((3, "contested"), (6, "adjudicating"), (11, "adjudicating")):
        enforce(now + timedelta(days=days, minutes=1))
        enforce(now + timedelta(days=days, minutes=2))
        claim = Claim.objects.get(order=order)
        assert claim.state == state
    assert claim.escalated_at is not None
    assert claim.frozen == claim.amount
    at = now + timedelta(days=12)
    with clock.standing_at(at):
        lead = Actor.person(office.people["lead"], "admin")
        perform(lead, claim, Claim.uphold, at=at, report="质检 2026-17")
    return filed["claim_no"]


@pytest.mark.parametrize(("promise", "given", "amount"), PROMISES)
def test_from_breach_to_money_whichever_way(promise, given, amount, tmp_path):
    office = admin_data.office()
    do("deposit", "a", "top_up", "--as", "finance", "--set", "amount=2000.00", "reference=T1")
    ways = (by_command, on_the_pages, by_sheet, after_silence)
    each, left = Decimal(amount), Decimal("2000.00")

    for number, way in enumerate(ways):
        order = broken(office.a, f"S{number}", promise)
        claim_no = way(office, order, promise, given, tmp_path)

        claim = Claim.objects.get(claim_no=claim_no)
        left -= each
        assert (claim.state, claim.amount, claim.paid) == ("paid", each, each), way
        deposit = Deposit.objects.get()
        assert (deposit.available, deposit.frozen) == (left, 0), way
        (paid,) = Entry.objects.filter(claim=claim, kind="pay")
        assert (paid.to_paid, paid.available_after) == (each, left)
        resent = Case.objects.filter(order=order, kind="resend").count()
        assert resent == (promise == "damage_resend")
    assert audit(timezone.now() + timedelta(days=12)).violations == []
