"""The platforms' payouts: stored once, compared with claims and goodwill, settled by one press."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.flow import clock
from cases.flow.businesstime import SHANGHAI
from cases.flow.door import Actor
from cases.models import Case
from cases.sheets.loading import import_file
from promises.models import Claim, Payout, PayoutNote
from promises.reconciling import settle
from tests.cases import admin_data
from tests.cases.sheets.files.makers import csv_file
from tests.promises.counter import Counter, refusal

pytestmark = pytest.mark.django_db
HEADERS = [
    "打款单号",
    "订单编号",
    "打款金额(元)",
    "打款类型",
    "打款时间",
    "状态",
    "备注",
    "操作员工号",
]


class Books(Counter):
    """The counter with the platform's payout sheets."""

    def take(self, *rows, headers=HEADERS, **more):
        self.tick()
        path = csv_file(self.folder / f"payouts{self.now:%d%H%M}.csv", [headers, *rows])
        more.setdefault("shop", self.shop.code)
        with clock.standing_at(self.now):
            return import_file(path, actor=Actor.sheet(), **more)

    def row(self, number, order, amount, status="打款成功", at=None):
        no = getattr(order, "order_no", order)
        local = (at or self.now).astimezone(SHANGHAI)
        paid = local.strftime("%Y-%m-%d %H:%M:%S")
        return [number, no, amount, "承诺赔付", paid, status, "", "007"]

    def paid(self, promise="ship_on_time", **more):
        order = self.sold(promises=promise, **more)
        return order, self.act(self.file(order, promise), "accept")

    def opened(self, order) -> Case:
        return self.house.opened("return_refund", order=order, at=self.now)

    def given(self, case, kind, amount):
        inputs = {"kind": kind, "amount": Decimal(amount), "text": "致歉"}
        return self.house.act(case, "compensate", by="agent", at=self.tick(), **inputs)

    def settle(self, row, way, by="lead", **more):
        with clock.standing_at(self.tick()):
            settle(self.house.actor(by), row.pk, way, **more)


@pytest.fixture
def books(tmp_path) -> Books:
    made = Books()
    made.folder = tmp_path
    made.pay_in("500.00")
    return made


def told(result):
    names = ("created", "updated", "unchanged", "skipped", "failed")
    return {name: count for name in names if (count := getattr(result, name))}


def state(number):
    row = Payout.objects.get(number=number)
    return row.difference, row.open


def test_a_payout_of_the_same_amount_matches_its_claim_and_columns_are_reported(books):
    order, claim = books.paid()

    result = books.take(books.row("P1", order, "5.00"))

    assert (result.dialect, result.kind, told(result)) == ("platform", "payouts", {"created": 1})
    assert result.unknown_columns == ["操作员工号"]
    row = Payout.objects.get()
    assert (row.claim, row.ours, row.difference, row.open) == (claim, Decimal("5.00"), "", False)
    assert (row.reason, row.word, row.extra) == ("承诺赔付", "打款成功", {"操作员工号": "007"})


def test_the_four_verdicts(books):
    matched, _claim = books.paid()
    other, _claim = books.paid()
    _untold, unheard = books.paid()
    stranger = books.sold()
    begin, end = books.now - timedelta(hours=8), books.now + timedelta(minutes=5)

    books.take(
        books.row("P1", matched, "5.00", at=begin),
        books.row("P2", other, "6.00"),
        books.row("P3", stranger, "8.00", at=end),
    )

    assert [state(number) for number in ("P1", "P2", "P3")] == [
        ("", False), ("amount", True), ("not_here", True),
    ]  # fmt: skip
    alone = Payout.objects.get(number="")
    assert (alone.claim, alone.difference, alone.open) == (unheard, "not_there", True)


def test_what_comes_later_is_matched_and_no_row_stands_twice(books):
    order, claim = books.paid()
    books.take(
        books.row("P1", books.sold(), "1.00", at=books.now - timedelta(days=1)),
        books.row("P2", books.sold(), "1.00", at=books.now + timedelta(minutes=1)),
    )
    assert Payout.objects.get(number="").claim == claim

    books.take(books.row("P3", order, "5.00"))

    assert not Payout.objects.filter(number="").exists()
    assert Payout.objects.get(number="P3").claim == claim


def test_a_claim_paid_after_the_sheet_came_matches_by_itself_and_a_reversal_parts_them(books):
    order = books.sold()
    claim = books.file(order)
    books.take(books.row("P1", order, "5.00"))
    assert state("P1") == ("not_here", True)

    books.act(claim, "accept")
    assert state("P1") == ("", False)
    books.act(claim, "reverse", by="supervisor", text="改判")
    assert state("P1") == ("not_here", True)


def test_goodwill_in_cash_matches_too_and_a_coupon_does_not(books):
    orders = [books.sold(), books.sold()]
    for order, kind in zip(orders, ("red_packet", "coupon"), strict=True):
        books.given(books.opened(order), kind, "8.88")

    books.take(*(books.row(f"P{n}", order, "8.88") for n, order in enumerate(orders)))

    assert [state("P0"), state("P1")] == [("", False), ("not_here", True)]


def test_the_same_file_again_changes_nothing_and_a_status_only_goes_on(books):
    order, _claim = books.paid()
    pending = books.row("P1", order, "5.00", status="打款中")
    assert told(books.take(pending)) == {"created": 1}
    assert state("P1") == ("", False)
    done = books.row("P1", order, "5.00")

    assert told(books.take(done)) == {"updated": 1}
    assert Payout.objects.get().ours == Decimal("5.00")
    assert told(books.take(done)) == {"unchanged": 1}
    assert told(books.take(pending)) == {"skipped": 1}
    assert Payout.objects.get().status == "paid"


def test_doubled_and_contradicting_numbers_are_refused_and_nothing_is_written(books):
    order, _claim = books.paid()
    twice = books.take(books.row("P1", order, "5.00"), books.row("P1", order, "6.00"))
    assert (told(twice), Payout.objects.count()) == ({"failed": 2}, 0)

    books.take(books.row("P1", order, "5.00"))
    before = Payout.objects.values().get()
    wrong = books.take(
        books.row("P1", order, "7.00"),
        books.row("P2", order, "0"),
        books.row("P3", order, "-1.00"),
        books.row("P4", order, "abc"),
        books.row("P5", "没有这单", "5.00"),
        shop=None,
    )
    codes = [code for _row, code, _message in wrong.failures]
    assert codes[0] == "key_reused"
    assert told(wrong) == {"failed": 5}
    assert Payout.objects.values().get() == before


def test_an_unknown_status_is_reported_and_judged_by_nobody(books):
    order, _claim = books.paid()

    result = books.take(books.row("P1", order, "5.00", status="飞走了"))

    assert told(result) == {"created": 1}
    assert result.unknown_words == [("status", "飞走了")]
    assert state("P1") == ("", False)


def test_a_payout_before_its_order_waits_for_it(books):
    result = books.take(books.row("P1", "后来的单", "5.00"))
    assert (told(result), len(result.warnings)) == ({"created": 1}, 1)
    order, claim = books.paid()
    type(order).objects.filter(pk=order.pk).update(order_no="后来的单")

    books.take(books.row("P1", "后来的单", "5.00"))

    assert Payout.objects.get(number="P1").claim == claim


@pytest.mark.parametrize(
    ("before", "steps"),
    [("filed", ["accept"]), ("contested", ["accept"]), ("adjudicating", ["uphold"])],
)
def test_adopting_pays_the_claim_as_the_platform_did(books, before, steps):
    order = books.sold()
    claim = books.file(order)
    if before != "filed":
        books.act(claim, "contest", text="不认可")
    if before == "adjudicating":
        books.act(claim, "adjudicate")
    books.take(books.row("P1", order, "5.00"))

    books.settle(Payout.objects.get(), "adopt")

    paid = Claim.objects.get()
    assert (paid.state, str(paid.paid)) == ("paid", "5.00")
    assert [e.verb for e in paid.events.order_by("seq")][-1:] == steps
    assert state("P1") == ("", False)
    assert PayoutNote.objects.get().way == "adopt"
    again = refusal(settle, books.house.actor("lead"), Payout.objects.get().pk, "adopt")
    assert again.code == "stale"


def test_without_a_claim_it_becomes_goodwill_on_the_case_within_the_limit(books):
    order = books.sold()
    case = books.opened(order)
    books.take(books.row("P1", order, "30.00"), books.row("P2", order, "300.00"))
    small, big = Payout.objects.order_by("number")

    assert refusal(books.settle, big, "adopt").code != "stale"
    books.settle(small, "adopt")

    assert str(Case.objects.get(pk=case.pk).compensation) == "30.00"
    assert (state("P1"), state("P2")) == (("", False), ("not_here", True))


def test_linking_another_amount_and_putting_aside_take_a_reason(books):
    order, claim = books.paid()
    books.act(books.file(books.sold()), "accept")
    books.take(books.row("P1", books.sold(), "9.00"), books.row("P2", order, "6.00"))
    stranger, other = Payout.objects.exclude(number="").order_by("number")
    assert other.claim == claim

    assert refusal(books.settle, stranger, "note").code == "reason_required"
    books.settle(stranger, "note", text="平台活动补贴，不走我们的账")

    assert state("P1") == ("not_here", False)
    note = PayoutNote.objects.get()
    assert (note.way, note.difference, str(note.theirs)) == ("note", "not_here", "9.00")


def test_people_without_the_right_or_of_another_shop_settle_nothing(books):
    order = books.sold()
    books.file(order)
    books.take(books.row("P1", order, "5.00"))
    row = Payout.objects.get()

    assert refusal(books.settle, row, "adopt", by="agent").code == "not_permitted"
    assert state("P1") == ("not_here", True)


# In the admin


@pytest.fixture
def office():
    return admin_data.office()


def payout(office, number, **more):
    order = admin_data.order(office.a, f"O{number}")
    values = {
        "shop": office.a, "platform": office.a.platform, "number": number, "order": order,
        "order_no": order.order_no, "amount": Decimal("5.00"), "status": "paid",
        "paid_at": order.paid_at, "heard_at": order.paid_at, "difference": "not_here",
        "open": True, **more,
    }  # fmt: skip
    return Payout.objects.create(**values)


def test_the_list_its_counts_and_one_press_with_a_reason(office):
    row = payout(office, "P1")
    payout(office, "P2", difference="", open=False, ours=Decimal("5.00"))
    lead = office.client("lead")
    url = reverse("admin:promises_payout_changelist")

    waiting = lead.get(url).content.decode()
    assert ("P1" in waiting, ">P2<" in waiting) == (True, False)
    assert ">P2<" in lead.get(f"{url}?tab=matched").content.decode()
    page = reverse("admin:promises_payout_change", args=[row.pk])
    assert lead.post(page, {}).status_code == 200
    press = reverse("admin:promises_payout_settle", args=[row.pk])
    assert lead.get(press).status_code == 302
    assert lead.post(press, {"way": "note", "text": ""}).status_code == 200
    assert lead.post(press, {"way": "burn", "text": "x"}).status_code == 404
    assert lead.post(press, {"way": "note", "text": "平台补贴"}).status_code == 302
    row.refresh_from_db()
    assert (row.open, row.explained) == (False, True)
    assert re.search("平台补贴", lead.get(page).content.decode())
    for who in ("agent", "auditor"):
        assert office.client(who).post(press, {"way": "note", "text": "x"}).status_code == 403
    stranger = office.client("stranger")
    assert [stranger.get(u).status_code for u in (page, press)] == [404, 404]
    assert "P1" not in stranger.get(f"{url}?tab=all").content.decode()


def test_the_list_takes_as_many_queries_for_many_rows_as_for_few(office):
    lead = office.client("lead")
    url = f"{reverse('admin:promises_payout_changelist')}?tab=all"

    def asked():
        with CaptureQueriesContext(connection) as found:
            assert lead.get(url).status_code == 200
        return len(found)

    payout(office, "P1"), payout(office, "P2")
    asked()
    few = asked()
    for number in range(10, 18):
        payout(office, f"P{number}")
    assert asked() == few
