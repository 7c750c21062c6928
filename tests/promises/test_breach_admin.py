"""Broken promises, offers and arrears in the admin: what is seen, pressed, refused, and by whom."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.changes import orders_changed
from cases.flow.sweep import enforce
from cases.models import Order
from promises.breaches.finding import find
from promises.models import Breach, BreachSetting, Claim, Deposit, Term, TopUpDuty
from tests.cases import admin_data

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
LIST = "admin:promises_breach_changelist"
DAY = timedelta(days=1)


@pytest.fixture
def office():
    return admin_data.office()


def sold(shop, number="LATE-1", promises="ship_on_time", lines=1, **more):
    """Paid six days ago, shipped three days later unless said otherwise."""
    order = admin_data.order(shop, number, lines=lines)
    late = {"shipped_at": timezone.now() - 3 * DAY, **more}
    Order.objects.filter(pk=order.pk).update(**late)
    order.lines.update(promises=promises)
    orders_changed.send(sender=Order, order_ids=[order.pk])
    return Order.objects.get(pk=order.pk)


def found(shop, number="LATE-1", **more):
    order = sold(shop, number, **more)
    find()
    return Breach.objects.get(order=order)


def page(breach, way=""):
    if way:
        return reverse("admin:promises_breach_do", args=[breach.pk, way])
    return reverse("admin:promises_breach_change", args=[breach.pk])


def submit(client, url, **given):
    """Post a page's form as its browser would, with the hidden fields it was drawn with."""
    drawn = client.get(url).content.decode()
    hidden = dict(re.findall(r'name="(_key|_version)" value="([^"]*)"', drawn))
    return client.post(url, {**hidden, **given})


def text_of(response) -> str:
    return response.content.decode()


def test_from_the_queue_to_the_claim_with_one_press(office):
    breach = found(office.a)
    agent = office.client("agent")

    listed = text_of(agent.get(reverse(LIST)))
    assert "LATE-1" in listed
    assert "¥5.50" in listed
    assert page(breach, "file") in listed
    assert "¥5.50" in text_of(agent.get(page(breach)))
    before = text_of(agent.get(page(breach, "file")))
    assert before.index("¥5.50") < before.index("data-main")
    answer = submit(agent, page(breach, "file"))

    claim = Claim.objects.get()
    assert answer.url == reverse("admin:promises_claim_change", args=[claim.pk])
    assert (claim.state, str(claim.amount), claim.filed_by) == (
        "filed", "5.50", office.people["agent"],
    )  # fmt: skip
    assert Breach.objects.get().state == "filed"
    assert claim.claim_no in text_of(agent.get(reverse(LIST) + "?tab=filed"))
    assert "LATE-1" not in text_of(agent.get(reverse(LIST)))
    # An old page pressed again changes nothing and says how it stands.
    again = agent.post(page(breach, "file"), {})
    assert again.status_code == 200
    assert 'role="alert"' in text_of(again)
    assert Claim.objects.count() == 1


def test_an_exception_says_what_is_missing_and_what_to_do_next(office):
    breach = found(office.a, promises="arrive_on_time", promised_arrival=timezone.now() - 4 * DAY)
    other = found(office.a, "L2", shipped_at=None)
    lead = office.client("lead")

    listed = text_of(lead.get(reverse(LIST) + "?tab=exception"))
    assert page(breach, "file") in listed  # only the amount is missing: it can be entered
    assert page(other) in listed
    assert page(other, "file") not in text_of(lead.get(page(other)))
    refused = submit(lead, page(other, "file"))
    assert refused.status_code == 200
    assert Claim.objects.count() == 0

    for amount in ("", "0", "-1", "1.001"):
        assert submit(lead, page(breach, "file"), amount=amount).status_code == 200
    assert Claim.objects.count() == 0
    assert submit(lead, page(breach, "file"), amount="8.00").status_code == 302
    assert str(Claim.objects.get().amount) == "8.00"


def test_put_aside_with_a_reason(office):
    breach = found(office.a)
    lead = office.client("lead")

    assert submit(lead, page(breach, "dismiss"), text="").status_code == 200
    assert Breach.objects.get().state == "proposed"
    assert submit(lead, page(breach, "dismiss"), text="买家同意晚发").status_code == 302
    assert "买家同意晚发" in text_of(lead.get(reverse(LIST) + "?tab=dismissed"))


def test_many_at_once_with_a_summary(office):
    rows = [found(office.a, f"N{n}") for n in range(3)]
    rows.append(found(office.a, "N9", shipped_at=None))  # sent, nobody says when
    foreign = found(office.b, "FOREIGN-1")
    lead = office.client("lead")
    pks = [row.pk for row in rows]
    first = submit(office.client("agent"), page(rows[0], "file"))
    assert first.status_code == 302
    chosen = {"action": "do_file", "_selected_action": [*pks, foreign.pk]}

    confirm = text_of(lead.post(reverse(LIST), {**chosen, "index": "0"}))
    bulk = reverse("admin:promises_breach_bulk", args=["file"])
    assert bulk in confirm
    assert "¥11.00" in confirm
    assert "FOREIGN-1" not in confirm
    done = text_of(lead.post(bulk, {"pk": [*pks, foreign.pk]}))

    assert Claim.objects.count() == 3
    assert "2" in done
    for row in rows[1:3]:
        assert Claim.objects.get(order=row.order).claim_no in done
    assert Breach.objects.get(pk=foreign.pk).state == "proposed"
    aside = reverse("admin:promises_breach_bulk", args=["dismiss"])
    assert lead.post(aside, {"pk": [rows[3].pk], "text": ""}).status_code == 200
    assert Breach.objects.get(pk=rows[3].pk).state == "exception"
    lead.post(aside, {"pk": [rows[3].pk], "text": "平台查无"})
    assert Breach.objects.get(pk=rows[3].pk).state == "dismissed"
    assert lead.get(bulk).status_code == 302
    assert lead.post(reverse("admin:promises_breach_bulk", args=["x"])).status_code == 404


def test_outside_the_shop_nothing_exists(office):
    breach = found(office.a)
    stranger = office.client("stranger")

    urls = [page(breach), page(breach, "file"), page(breach, "dismiss")]
    assert [stranger.get(url).status_code for url in urls] == [404] * 3
    assert [stranger.post(url, {"text": "xx"}).status_code for url in urls[1:]] == [404, 404]
    assert "LATE-1" not in text_of(stranger.get(reverse(LIST) + "?tab=all"))
    assert Breach.objects.get().state == "proposed"
    BreachSetting.objects.create(shop=office.a)
    listed = text_of(stranger.get(reverse("admin:promises_breachsetting_changelist")))
    assert "甲店" not in listed


@pytest.mark.parametrize(
    ("who", "sees", "files", "dismisses"),
    [("agent", 200, 302, 403), ("finance", 200, 403, 403), ("auditor", 200, 403, 403),
     ("warehouse", 403, 403, 403)],
)  # fmt: skip
def test_people_do_what_is_their_duty(office, who, sees, files, dismisses):
    breach = found(office.a)
    client = office.client(who)

    assert client.get(reverse(LIST)).status_code == sees
    assert client.get(page(breach)).status_code == sees
    assert client.post(page(breach, "dismiss"), {"text": "不赔"}).status_code == dismisses
    assert client.post(page(breach, "file"), {}).status_code == files
    assert Claim.objects.count() == (files == 302)


def test_presses_are_posts(office):
    breach = found(office.a)
    lead = office.client("lead")

    lead.get(page(breach, "file"))
    lead.get(page(breach, "dismiss"))
    assert lead.post(page(breach), {"state": "filed"}).status_code == 405
    assert lead.get(page(breach, "delete")).status_code == 404
    assert Breach.objects.get().state == "proposed"


def test_sidebar_and_home_count_what_waits(office):
    for number in range(3):
        found(office.a, f"N{number}")
    found(office.a, "N9", shipped_at=None)
    found(office.b, "FOREIGN-1")

    drawn = text_of(office.client("lead").get(reverse("admin:index")))

    tiles = dict(re.findall(r'class="sh-tile[^"]*" href="([^"]*)"><b>(\d+)</b>', drawn))
    assert (tiles[reverse(LIST)], tiles[reverse(LIST) + "?tab=exception"]) == ("3", "1")
    assert reverse(LIST) not in text_of(office.client("warehouse").get(reverse("admin:index")))


def test_pages_take_as_many_queries_for_many_rows_as_for_few(office):
    order = sold(office.a, "Q", lines=2)
    case = admin_data.case(order, kind="refund_received", reason="quality")
    find()
    breach = Breach.objects.first()
    lead = office.client("lead")
    urls = [
        reverse(LIST),
        reverse(LIST) + "?tab=all",
        page(breach),
        reverse("admin:cases_order_change", args=[order.pk]),
        reverse("admin:cases_case_change", args=[case.pk]),
    ]

    def asked(url):
        with CaptureQueriesContext(connection) as queries:
            assert lead.get(url).status_code == 200
        return len(queries)

    few = [asked(url) for url in urls]
    for line in range(3, 11):
        order.lines.create(line_no=line, paid_amount=100, promises="ship_on_time;quality")
    for number in range(10):
        found(office.a, f"R{number}")
    assert [asked(url) for url in urls] == few


# Offers


OFFERS = [
    # reason of the case · its kind · the promise · what the order says · the amount of ¥110.00
    ("late_dispatch", "refund_unshipped", "ship_on_time",
     {"status": "paid", "shipped_at": None, "waybill": "", "signed_at": None}, "¥5.50"),
    ("quality", "return_refund", "quality", {}, "¥110.00"),
    ("counterfeit", "return_refund", "fake_triple", {}, "¥330.00"),
    ("no_reason", "return_refund", "free_return", {}, "¥110.00"),
    ("not_wanted", "return_refund", "free_return", {}, "¥110.00"),
    ("damaged", "resend", "damage_resend", {}, "¥0.00"),
    ("missing_parts", "resend", "damage_resend", {}, "¥0.00"),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "kind", "promise", "facts", "amount"), OFFERS)
def test_a_case_offers_the_claim_its_reason_leads_to(office, reason, kind, promise, facts, amount):
    order = sold(office.a, promises=promise, **facts)
    case = admin_data.case(order, kind=kind, reason=reason)
    agent = office.client("agent")

    drawn = text_of(agent.get(reverse("admin:cases_case_change", args=[case.pk])))
    query = f"order_no=LATE-1&amp;promise={promise}&amp;line=1"
    url = f"{reverse('admin:promises_claim_add')}?{query}"
    assert url in drawn
    assert amount in drawn[drawn.index('id="offers"') :]

    form = text_of(agent.get(url.replace("&amp;", "&")))
    assert re.search(rf'<option value="{promise}" selected>', form)
    assert 'value="1"' in form
    assert amount in form
    answer = submit(agent, url.replace("&amp;", "&"), order_no="LATE-1", promise=promise, line="1")
    assert answer.status_code == 302
    claim = Claim.objects.get()
    assert (claim.case_id, f"¥{claim.amount}") == (case.pk, amount)
    # What is claimed is not offered again, but stands on the page.
    drawn = text_of(agent.get(reverse("admin:cases_case_change", args=[case.pk])))
    assert 'id="offers"' not in drawn
    assert claim.claim_no in drawn


@pytest.mark.parametrize(
    ("promises", "reason", "facts"),
    [
        ("quality", "no_reason", {}),
        ("free_return", "quality", {}),
        ("free_return", "no_reason", {"signed_at": None, "status": "shipped"}),
        ("", "quality", {}),
    ],
)
def test_what_could_not_be_filed_is_not_offered(office, promises, reason, facts):
    order = sold(office.a, promises=promises, **facts)
    case = admin_data.case(order, reason=reason)

    drawn = office.client("agent").get(reverse("admin:cases_case_change", args=[case.pk]))

    assert 'id="offers"' not in text_of(drawn)


def test_an_order_offers_what_the_clock_has_broken(office):
    order = sold(office.a, promises="ship_on_time;quality")
    url = reverse("admin:cases_order_change", args=[order.pk])

    drawn = text_of(office.client("agent").get(url))
    assert "promise=ship_on_time&amp;line=1" in drawn
    assert "promise=quality" not in drawn
    assert 'id="offers"' not in text_of(office.client("warehouse").get(url))
    assert "¥5.50" not in text_of(office.client("warehouse").get(url))


# A shop that owes


def in_arrears(office):
    """A claim that the empty deposit does not cover."""
    breach = found(office.a)
    submit(office.client("agent"), page(breach, "file"))
    accept = reverse("admin:promises_claim_do", args=[Claim.objects.get().pk, "accept"])
    assert submit(office.client("lead"), accept).status_code == 302
    return TopUpDuty.objects.get()


def test_suspension_and_block_stand_where_people_work_until_the_top_up(office):
    duty = in_arrears(office)
    order = Order.objects.get()
    case = admin_data.case(order)
    deposit = Deposit.objects.get()
    supervisor, finance = office.client("supervisor"), office.client("finance")
    term = Term.objects.create(promise="quality", shop=office.a, offer="all")
    urls = [
        reverse("admin:cases_shop_change", args=[office.a.pk]),
        reverse("admin:cases_order_change", args=[order.pk]),
        reverse("admin:cases_case_change", args=[case.pk]),
    ]
    top_up = reverse("admin:promises_deposit_do", args=[deposit.pk, "top_up"])

    def alerts():
        pages = [text_of(supervisor.get(url)) for url in urls]
        return [re.findall(r'sh-alert--(\w+)" role="status"', drawn) for drawn in pages]

    assert alerts() == [["warning"]] * 3
    assert all("¥5.50" in text_of(supervisor.get(url)) for url in urls)
    enforce(duty.notified_at + 3 * DAY)
    assert TopUpDuty.objects.get().state == "suspended"
    assert alerts() == [["danger"]] * 3
    enforce(duty.notified_at + 5 * DAY)
    assert TopUpDuty.objects.get().state == "blocked"
    assert alerts() == [["danger"]] * 3

    # What a block stops is refused, with the reason and the sum; cases and claims go on.
    withdraw = reverse("admin:promises_deposit_do", args=[deposit.pk, "withdraw"])
    refused = submit(finance, withdraw, amount="1.00", reference="W")
    assert refused.status_code == 200
    assert "¥5.50" in text_of(refused)
    begins = (timezone.now() + 9 * DAY).isoformat()
    values = {"valid_from": begins, "offer": "none", "since": "signed", "counted": "calendar",
              "freight_side": "seller", "evidence": "none"}  # fmt: skip
    change = reverse("admin:promises_term_change_terms", args=[term.pk])
    assert submit(supervisor, change, **values).status_code == 200
    new = {**values, "promise": "free_return", "shop": office.a.pk, "platform": ""}
    added = supervisor.post(reverse("admin:promises_term_add"), new)
    assert added.status_code == 200
    assert Term.objects.filter(shop=office.a).count() == 1
    second = found(office.a, "L9")
    assert submit(office.client("agent"), page(second, "file")).status_code == 302

    assert submit(finance, top_up, amount="20.00", reference="T").status_code == 302

    assert TopUpDuty.objects.get().state == "met"
    assert alerts() == [[]] * 3
    assert submit(finance, withdraw, amount="1.00", reference="W").status_code == 302
    assert submit(supervisor, change, **values).status_code == 302


def test_an_order_paid_while_promises_were_suspended_says_that_it_carries_none(office):
    duty = in_arrears(office)
    TopUpDuty.objects.filter(pk=duty.pk).update(suspended_at=timezone.now() - 7 * DAY)
    order = sold(office.a, "S1")

    drawn = office.client("lead").get(reverse("admin:cases_order_change", args=[order.pk]))

    assert text_of(drawn).count('role="status"') == 2
    assert 'id="offers"' not in text_of(drawn)


def test_settings_are_the_supervisors(office):
    supervisor, lead = office.client("supervisor"), office.client("lead")
    add = reverse("admin:promises_breachsetting_add")

    assert lead.get(add).status_code == 403
    assert "乙店" not in text_of(supervisor.get(add))
    assert supervisor.post(add, {"shop": office.b.pk, "act": "file"}).status_code == 200
    assert supervisor.post(add, {"shop": office.a.pk, "act": "file"}).status_code == 302
    assert BreachSetting.objects.get().shop == office.a

    names = reverse("admin:promises_couriername_add")
    assert lead.get(names).status_code == 403
    assert supervisor.post(names, {"name": "ＳＦ快递", "courier": "顺丰"}).status_code == 200
    assert supervisor.post(names, {"name": "SF标快", "courier": "顺丰"}).status_code == 302
