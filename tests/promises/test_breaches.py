"""Broken promises found by the timestamps: exactly those, once, with their amounts or why not."""

import csv
from datetime import datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.auditing import audit
from cases.changes import orders_changed
from cases.flow import clock
from cases.models import Order, OrderLine, Shop
from promises.breaches import deciding
from promises.breaches.finding import BATCH, couriers_changed, find
from promises.couriers import KNOWN, Couriers, seed_couriers
from promises.models import (
    Breach,
    BreachSetting,
    Claim,
    ClaimEvent,
    CourierName,
    Lookout,
    Term,
    TopUpDuty,
)
from promises.models.courier import key_of
from tests.cases.command_desk import run
from tests.factories import DAY, T0
from tests.promises.counter import Counter, books_are_clean, refusal

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=ZONE)
NAMES = (
    "shop", "order_no", "line_no", "quantity", "paid_amount", "paid_at", "ship_by", "shipped_at",
    "courier", "named_courier", "promised_arrival", "signed_at", "finished_at", "status",
    "promises",
)  # fmt: skip
SENT = {"status": "shipped", "courier": "SF"}


@pytest.fixture
def counter() -> Counter:
    made = Counter()
    seed_couriers()
    return made


def told(tmp_path, *rows, **more):
    """Import one native sheet; a row is what differs from an order paid on 1 March 10:00."""
    path = tmp_path / f"{Lookout.objects.count()}-{len(rows)}.csv"
    usual = {
        "shop": "shop",
        "line_no": "1",
        "quantity": "1",
        "paid_amount": "100.00",
        "paid_at": "2026-03-01 10:00:00",
        "status": "paid",
        "promises": "ship_on_time",
    }
    with path.open("w", newline="", encoding="utf-8") as file:
        sheet = csv.DictWriter(file, NAMES)
        sheet.writeheader()
        for number, row in enumerate(rows, start=1):
            sheet.writerow({**usual, "order_no": f"O{number}", **more, **row})
    code, answer = run("import_sheet", str(path), "--dialect", "native")
    assert (code, answer["failed"]) == (0, 0), answer
    return answer


def report(*words: str, at: datetime = NOW):
    with clock.standing_at(at):
        code, answer = run("report", "breaches", *words)
    assert code == 0
    return [
        (r["shop"], r["promise"], r["breaches"], r["with_amount"], r["amount"], r["exceptions"])
        for r in answer["rows"]
    ]


def rows():
    """order, promise, state, amount, what is missing."""
    return [
        (b.order.order_no, b.promise, b.state, b.amount and str(b.amount), b.missing)
        for b in Breach.objects.select_related("order").order_by("order__order_no", "promise")
    ]


SHIPPING = [
    ({"shipped_at": "2026-03-03 10:00:00", **SENT}, None),
    ({"shipped_at": "2026-03-03 10:00:01", **SENT}, "5.00"),
    ({"shipped_at": "2026-03-03 10:00:01", "paid_amount": "12.00", **SENT}, "1.00"),
    ({"shipped_at": "2026-03-03 10:00:01", "paid_amount": "20.10", **SENT}, "1.01"),
    ({"shipped_at": "2026-03-03 10:00:01", "paid_amount": "333.33", **SENT}, "16.67"),
    ({"shipped_at": "2026-03-03 10:00:01", "paid_amount": "599.80", **SENT}, "29.99"),
    ({"shipped_at": "2026-03-03 10:00:01", "paid_amount": "599.99", **SENT}, "30.00"),
    ({"shipped_at": "2026-03-03 10:00:01", "paid_amount": "5000.00", **SENT}, "30.00"),
    ({"ship_by": "2026-03-02 10:00:00", "shipped_at": "2026-03-02 10:00:00", **SENT}, None),
    ({"ship_by": "2026-03-02 10:00:00", "shipped_at": "2026-03-02 10:00:01", **SENT}, "5.00"),
    ({"ship_by": "2026-03-05 10:00:00", "shipped_at": "2026-03-05 10:00:00", **SENT}, None),
    ({}, "5.00"),  # not shipped to this day
    ({"ship_by": "2026-03-10 12:00:00"}, None),  # equal time is not late
    ({"ship_by": "2026-03-10 11:59:59"}, "5.00"),
    ({"shipped_at": "2026-03-09 10:00:00", "promises": "quality", **SENT}, None),
]


def test_what_was_shipped_late_is_proposed_with_its_amount_and_nothing_else(counter, tmp_path):
    told(tmp_path, *(given for given, _amount in SHIPPING))

    counts = find(NOW)

    expected = [(f"O{n}", a) for n, (_given, a) in enumerate(SHIPPING, start=1) if a]
    found = Breach.objects.order_by("pk")
    assert [(b.order.order_no, str(b.amount)) for b in found] == expected
    assert {(b.state, b.promise, b.missing) for b in found} == {("proposed", "ship_on_time", "")}
    assert counts["proposed"] == len(expected) == 10
    assert Breach.objects.get(order__order_no="O5").working["raw"] == "16.6665"
    assert report() == [("shop", "ship_on_time", 10, 10, "128.67", 0)]


def test_the_report_counts_before_anything_was_looked_for(counter, tmp_path):
    told(tmp_path, *(given for given, _amount in SHIPPING))

    assert report() == [("shop", "ship_on_time", 10, 10, "128.67", 0)]
    assert Breach.objects.count() == 0
    assert report("--from", "2026-03-01", "--to", "2026-03-01", "--by", "shop") == report()
    assert report("--from", "2026-03-02") == []
    assert run("report", "breaches", "--by", "sku")[0] == 2


LACKING = [
    # the row · what is missing · whether the promise is broken by the timestamps
    ({"paid_at": "", "ship_by": "2026-03-02 10:00:00", "shipped_at": "2026-03-03 10:00:00", **SENT},
     "payment", True),
    ({"paid_at": "", "ship_by": "2026-03-02 10:00:00", "status": "unpaid"}, "payment", True),
    ({"paid_at": "", "shipped_at": "2026-03-03 10:00:00", **SENT}, "payment", False),
    ({"paid_amount": "0.00", "shipped_at": "2026-03-09 10:00:00", **SENT}, "payment", True),
    ({**SENT}, "shipped_at", False),
    ({"status": "closed"}, "closed_at", False),
    ({"promises": "arrive_on_time", **SENT, "shipped_at": "2026-03-02 10:00:00"},
     "promised_arrival", False),
    ({"promises": "arrive_on_time", "promised_arrival": "2026-03-04 18:00:00", "status": "signed"},
     "signed_at", False),
    ({"promises": "arrive_on_time", "promised_arrival": "2026-03-04 18:00:00",
      "signed_at": "2026-03-04 18:00:01", "status": "signed"}, "amount", True),
    ({"promises": "named_courier", **SENT, "shipped_at": "2026-03-02 10:00:00"}, "named_courier",
     False),
    ({"promises": "named_courier", "named_courier": "顺丰", "status": "shipped",
      "shipped_at": "2026-03-02 10:00:00"}, "courier", False),
    ({"promises": "named_courier", "named_courier": "圆通", **SENT,
      "shipped_at": "2026-03-02 10:00:00"}, "amount", True),
]  # fmt: skip


def test_what_lacks_a_payment_or_a_time_is_an_exception_and_nothing_is_invented(counter, tmp_path):
    told(tmp_path, *(given for given, _missing, _broken in LACKING))

    find(NOW)

    found = {b.order.order_no: b for b in Breach.objects.all()}
    for number, (_given, missing, broken) in enumerate(LACKING, start=1):
        row = found[f"O{number}"]
        assert (row.state, row.missing, row.amount, row.working) == (
            "exception", missing, None, None,
        )  # fmt: skip
        assert (row.since is not None) == broken, number
    assert [(r[1], r[2], r[3], r[4], r[5]) for r in report()] == [
        ("arrive_on_time", 1, 0, "0.00", 3),
        ("named_courier", 1, 0, "0.00", 3),
        ("ship_on_time", 3, 0, "0.00", 6),
    ]


QUIET = [
    {"paid_at": "", "status": "unpaid"},
    {"paid_at": "", "status": "closed"},
    {"paid_at": "", "status": "closed", "ship_by": "2026-03-02 10:00:00"},
    {"promises": "named_courier", "named_courier": "顺丰"},
    {"promises": "arrive_on_time", "promised_arrival": "2026-03-11 00:00:00"},
    {"promises": "named_courier", "named_courier": "顺丰速运", "shipped_at": "2026-03-02 10:00:00",
     **SENT},
    {"promises": ""},
]  # fmt: skip


def test_what_nobody_paid_or_what_is_not_due_yet_is_neither(counter, tmp_path):
    told(tmp_path, *QUIET)

    find(NOW)

    assert rows() == []
    assert report() == []


def test_an_exception_heals_when_the_facts_arrive(counter, tmp_path):
    late = {"ship_by": "2026-03-02 10:00:00", "shipped_at": "2026-03-03 10:00:00", **SENT}
    told(tmp_path, {**late, "paid_at": ""}, {**SENT}, {**SENT})
    find(NOW)
    assert [r[4] for r in rows()] == ["payment", "shipped_at", "shipped_at"]

    told(tmp_path, late, {"shipped_at": "2026-03-04 10:00:00", **SENT},
         {"shipped_at": "2026-03-02 10:00:00", **SENT})  # fmt: skip
    counts = find(NOW)

    assert rows() == [
        ("O1", "ship_on_time", "proposed", "5.00", ""),
        ("O2", "ship_on_time", "proposed", "5.00", ""),
    ]
    assert counts["cleared"] == 1


def test_each_promise_of_each_line_is_found_once_however_often_it_is_looked_for(counter, tmp_path):
    shipped = {"shipped_at": "2026-03-05 10:00:00", **SENT, "named_courier": "YTO"}
    both = {"promises": "ship_on_time;named_courier", **shipped}
    told(tmp_path, {"order_no": "O1", **both}, {"order_no": "O1", "line_no": "2", **both})

    for _ in range(2):
        find(NOW)
    orders_changed.send(sender=Order, order_ids=list(Order.objects.values_list("pk", flat=True)))
    counts = find(NOW)

    assert counts == {"looked": 1, "proposed": 0, "exceptions": 0, "cleared": 0, "filed": 0}
    assert Breach.objects.count() == 4
    assert len(set(Breach.objects.values_list("line", "promise"))) == 4


def test_an_order_in_time_is_looked_at_again_after_its_deadline_and_old_ones_are_not(
    counter, tmp_path
):
    told(tmp_path, {}, {"shipped_at": "2026-03-02 10:00:00", **SENT}, {"promises": "quality"})
    deadline = datetime(2026, 3, 3, 10, 0, tzinfo=ZONE)
    assert Lookout.objects.count() == 2

    assert find(deadline)["looked"] == 2
    assert rows() == []
    assert [w.order.order_no for w in Lookout.objects.all()] == ["O1"]
    assert find(deadline)["looked"] == 0
    assert find(deadline + SECOND)["proposed"] == 1
    assert Lookout.objects.count() == 0
    assert find(NOW)["looked"] == 0


def test_what_can_be_claimed_no_more_is_not_proposed_and_a_proposal_lapses(counter, tmp_path):
    late = {"shipped_at": "2026-03-05 10:00:00", "signed_at": "2026-03-06 10:00:00",
            "status": "finished", "courier": "SF"}  # fmt: skip
    told(tmp_path, {**late, "finished_at": "2026-03-06 12:00:00"})
    over = datetime(2026, 3, 21, 12, 0, tzinfo=ZONE)

    find(over - SECOND)
    assert Breach.objects.get().state == "proposed"
    assert Breach.objects.get().until == over
    find(over)
    assert Breach.objects.get().state == "lapsed"

    told(tmp_path, {**late, "order_no": "X", "finished_at": "2026-03-06 12:00:00"})
    find(over)
    assert Breach.objects.count() == 1
    assert report(at=over)[0][2] == 2  # the timestamps say what they say


def test_a_proposal_becomes_a_claim_once_and_nothing_is_paid(counter, tmp_path):
    told(tmp_path, {"shipped_at": "2026-03-05 10:00:00", **SENT})
    find(NOW)
    breach = Breach.objects.get()
    agent = counter.house.actor("agent")

    with clock.standing_at(NOW):
        claim = deciding.file(agent, breach)
        assert deciding.file(agent, breach) == claim  # the page was old

    assert (claim.state, str(claim.amount), claim.paid) == ("filed", "5.00", 0)
    now = Breach.objects.get()
    assert (now.state, now.claim_id) == ("filed", claim.pk)
    assert refusal(deciding.file, agent, now).code == "stale"
    counter.now = NOW
    assert refusal(counter.act, claim, "accept", "agent").code == "not_permitted"
    orders_changed.send(sender=Order, order_ids=[claim.order_id])
    find(NOW)
    assert Breach.objects.get().state == "filed"
    assert books_are_clean(NOW)


def test_a_claim_that_somebody_files_by_hand_settles_the_breach(counter, tmp_path):
    told(tmp_path, {}, {"promises": "ship_on_time"})
    find(NOW)
    counter.now = NOW
    order = Order.objects.get(order_no="O1")

    claim = counter.file(order)

    assert Breach.objects.get(order=order).claim_id == claim.pk
    other = Order.objects.get(order_no="O2")
    Breach.objects.filter(order=other).delete()
    counter.file(other)
    find(NOW + DAY)
    assert Breach.objects.filter(state="filed").count() == Breach.objects.count() == 1


def test_what_was_put_aside_stays_aside(counter, tmp_path):
    told(tmp_path, {})
    find(NOW)
    lead = counter.house.actor("lead")

    for text in ("", " ", "x"):
        assert refusal(deciding.dismiss, lead, Breach.objects.get(), text=text).code == (
            "reason_required"
        )
    with clock.standing_at(NOW):
        deciding.dismiss(lead, Breach.objects.get(), text="买家要求晚发")
    told(tmp_path, {"shipped_at": "2026-03-09 10:00:00", **SENT})
    find(NOW)

    row = Breach.objects.get()
    assert (row.state, row.note, row.decided_by.username, row.decided_at) == (
        "dismissed", "买家要求晚发", "lead", NOW,
    )  # fmt: skip
    assert refusal(deciding.dismiss, lead, row, text="once more").code == "stale"


@pytest.mark.parametrize(
    ("who", "file", "dismiss"),
    [
        ("agent", "", "not_permitted"),
        ("lead", "", ""),
        ("supervisor", "", ""),
        ("warehouse", "not_permitted", "not_permitted"),
        ("finance", "not_permitted", "not_permitted"),
        ("auditor", "not_permitted", "not_permitted"),
        ("outsider", "not_in_your_shop", "not_in_your_shop"),
        ("clock", "not_permitted", "not_permitted"),
    ],
)
def test_who_may_decide(counter, tmp_path, who, file, dismiss):
    told(tmp_path, {}, {})
    find(NOW)
    first, second = Breach.objects.select_related("order__shop", "line").order_by("pk")
    actor = counter.house.actor(who)

    def code(act, *args, **more):
        with clock.standing_at(NOW):
            try:
                act(actor, *args, **more)
            except Exception as error:  # noqa: BLE001 - only refusals have a code
                return error.code
        return ""

    assert code(deciding.file, first) == file
    assert code(deciding.dismiss, second, text="不赔") == dismiss


def test_a_shop_may_have_its_claims_filed_by_the_house(counter, tmp_path):
    BreachSetting.objects.create(shop=counter.shop, act="file")
    told(tmp_path, {}, {"promises": "arrive_on_time", "promised_arrival": "2026-03-02 10:00:00"})

    assert find(NOW)["filed"] == 1
    assert find(NOW)["filed"] == 0

    claim, event = Claim.objects.get(), ClaimEvent.objects.get()
    assert (claim.state, claim.filed_by, event.channel) == ("filed", None, "breaches")
    assert Breach.objects.get(promise="ship_on_time").claim_id == claim.pk
    assert Breach.objects.get(promise="arrive_on_time").state == "exception"
    # Filed by nobody: whoever answers for it may accept it.
    counter.now = NOW
    assert counter.act(claim, "accept").state == "owed"
    assert books_are_clean(counter.now)


def test_what_the_house_cannot_file_waits_for_a_person_with_the_reason(counter, tmp_path):
    Term.objects.create(promise="ship_on_time", shop=counter.shop, rate=5, hours=48,
                        once_per_order=True)  # fmt: skip
    BreachSetting.objects.create(shop=counter.shop, act="file")
    told(tmp_path, {"order_no": "O1"}, {"order_no": "O1", "line_no": "2"})

    assert find(NOW)["filed"] == 1
    assert find(NOW)["filed"] == 0

    left = Breach.objects.get(state="proposed")
    assert Claim.objects.get().claim_no in left.note
    assert left.tried_at == NOW


def test_what_was_paid_while_promises_were_suspended_is_no_breach(counter, tmp_path):
    from promises.opening import begin  # noqa: PLC0415

    duty = TopUpDuty(shop=counter.shop, notified_at=T0 - 9 * DAY)
    begin("open_duty", counter.house.actor("clock"), duty, T0 - 9 * DAY)
    paid = datetime(2026, 3, 1, 10, 0, tzinfo=ZONE)
    TopUpDuty.objects.update(suspended_at=paid)
    told(tmp_path, {}, {"paid_at": "2026-03-01 09:59:59"})

    find(NOW)

    assert [r[0] for r in rows()] == ["O2"]
    assert report()[0][2] == 1


def test_terms_that_every_line_carries_need_no_word_in_the_sheet(counter, tmp_path):
    Term.objects.create(promise="ship_on_time", shop=counter.shop, offer="all", rate=10, hours=24)
    told(tmp_path, {"promises": "", "shipped_at": "2026-03-02 10:00:01", **SENT})

    find(NOW)

    assert rows() == [("O1", "ship_on_time", "proposed", "10.00", "")]
    assert report() == [("shop", "ship_on_time", 1, 1, "10.00", 0)]


# Couriers


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("顺丰", "顺丰速运", True), ("顺丰", "SF", True), ("SF Express", "ＳＦ", True),
        ("sf", "顺丰快递", True), ("顺丰", "顺丰快运", False), ("圆通速递", "YTO", True),
        ("中通快递", "中通", True), ("中通", "中通快运", False), ("京东物流", "JD", True),
        ("EMS", "邮政快递", True), ("EMS", "中国邮政速递物流", True), ("极兔速递", "J&T", True),
        ("顺丰", "圆通", False), ("百世汇通", "百世快递", True), ("某某快递", "某某物流", True),
        ("某某", "某某某", False),
    ],
)  # fmt: skip
def test_names_of_one_courier(counter, one, other, same):
    book = Couriers()

    assert (book.one_name(one) == book.one_name(other)) == same


def test_a_claim_knows_the_names_too(counter):
    order = counter.sold(promises="named_courier", named_courier="顺丰速运", courier="SF")

    refused = refusal(counter.file, order, "named_courier", amount=5)

    assert refused.code == "not_eligible"


def test_staff_teach_a_name_and_what_was_found_is_looked_at_again(counter, tmp_path):
    told(tmp_path, {"promises": "named_courier", "named_courier": "顺丰", "status": "shipped",
                    "courier": "SF标快", "shipped_at": "2026-03-02 10:00:00"})  # fmt: skip
    find(NOW)
    assert rows()[0][4] == "amount"

    CourierName.objects.create(name="SF标快", courier="顺丰")
    couriers_changed()
    find(NOW)

    assert rows() == []


def test_seeded_names_are_left_as_staff_made_them():
    assert seed_couriers() == CourierName.objects.count() > len(KNOWN)
    CourierName.objects.filter(key=key_of("SF")).update(courier="顺风")
    assert seed_couriers() == 0
    assert CourierName.objects.get(key="sf").courier == "顺风"


# Many


def many(shop: Shop, first: int, count: int) -> None:
    """Orders past the importer: every twentieth was sent a second too late."""
    paid = NOW - 8 * DAY
    orders = Order.objects.bulk_create(
        Order(
            shop=shop, platform=shop.platform, order_no=f"M{n}", status="shipped", paid_at=paid,
            paid_amount=100, waybill=f"W{n}",
            shipped_at=paid + 2 * DAY + (n % 20 == 0) * SECOND,
        )
        for n in range(first, first + count)
    )  # fmt: skip
    OrderLine.objects.bulk_create(
        OrderLine(order=o, line_no=1, paid_amount=100, promises="ship_on_time") for o in orders
    )
    from cases.models import Payment  # noqa: PLC0415

    Payment.objects.bulk_create(Payment(order=o, amount=100, number=o.order_no) for o in orders)
    orders_changed.send(sender=Order, order_ids=[o.pk for o in orders])


def test_exactly_those_and_a_constant_number_of_statements_for_each_batch(counter):
    many(counter.shop, 0, 20)
    with CaptureQueriesContext(connection) as few:
        assert find(NOW)["proposed"] == 1
    many(counter.shop, 1000, BATCH)
    with CaptureQueriesContext(connection) as one_batch:
        assert find(NOW)["proposed"] == BATCH // 20
    many(counter.shop, 2000, 2 * BATCH)
    with CaptureQueriesContext(connection) as two_batches:
        assert find(NOW)["proposed"] == 2 * BATCH // 20

    assert len(one_batch) == len(few)
    per_batch = len(two_batches) - len(one_batch)
    assert 0 < per_batch <= 16
    late = Breach.objects.values_list("order__order_no", flat=True)
    assert all(int(no[1:]) % 20 == 0 for no in late)
    assert Lookout.objects.count() == 0


def test_a_run_that_dies_in_a_batch_is_taken_up_by_the_next(counter, monkeypatch):
    from promises.breaches import finding  # noqa: PLC0415

    many(counter.shop, 0, 40)

    def die(_looks):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(finding, "_look_again", die)
        with pytest.raises(KeyboardInterrupt):
            find(NOW)
    assert (Breach.objects.count(), Lookout.objects.count()) == (0, 40)

    assert find(NOW)["proposed"] == 2
    assert (Breach.objects.count(), Lookout.objects.count()) == (2, 0)


def test_the_task_is_what_the_beat_knocks_for(counter):
    from promises.tasks import find_breaches  # noqa: PLC0415

    many(counter.shop, 0, 20)

    assert find_breaches.apply().get()["proposed"] == 1
    assert find_breaches.apply().get()["looked"] == 0


def test_orders_from_before_are_looked_at_too(counter, tmp_path):
    look_at_all = import_module("promises.migrations.0002_breaches").look_at_all
    told(tmp_path, {}, {"promises": "quality"}, {"shipped_at": "2026-03-02 10:00:00", **SENT})
    Lookout.objects.all().delete()

    look_at_all(None, SimpleNamespace(connection=connection))

    assert find(NOW) == {"looked": 2, "proposed": 1, "exceptions": 0, "cleared": 0, "filed": 0}


def test_an_order_shows_what_was_found_and_the_audit_compares_it_with_its_claim(counter, tmp_path):
    told(tmp_path, {}, {})
    find(NOW)
    counter.now = NOW
    claim = counter.file(Order.objects.get(order_no="O1"))
    shown = run("show", "order", "O1")[1]["breaches"]

    assert shown == [
        {
            "line_no": 1,
            "promise": "ship_on_time",
            "state": "filed",
            "since": "2026-03-03T10:00:00+08:00",
            "until": None,
            "amount": "5.00",
            "missing": None,
            "claim_no": claim.claim_no,
        }
    ]
    assert books_are_clean(counter.now)
    Breach.objects.filter(order__order_no="O2").update(claim=claim, state="filed")
    assert [v["what"] for v in audit(counter.now).violations] == ["breach_of_another_claim"]
