"""The reconciliation list: tabs, one press with its consequences, many at once, own shops only."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.auditing import audit
from cases.flow.door import Actor
from cases.models import Case, Explanation, ExternalRefund, Order, PlatformRecord
from cases.sheets.loading import import_file
from tests.cases import admin_data
from tests.cases.command_desk import run
from tests.cases.sheets.files.makers import TAOBAO_REFUNDS_2024, csv_file, rows_of
from tests.cases.test_admin_scope import same

pytestmark = pytest.mark.django_db
LIST = "admin:cases_platformrecord_changelist"
PAGE = "admin:cases_platformrecord_change"
SETTLE = "admin:cases_platformrecord_settle"
BULK = "admin:cases_platformrecord_bulk"


@pytest.fixture
def office():
    yield admin_data.office()
    assert audit(timezone.now()).violations == []


@pytest.fixture
def feed(tmp_path):
    """Feed Taobao's refund report: (order no., refund no., amount, status, where the goods are)."""

    def take(*rows, actor=None):
        cells = [
            {
                "订单编号": order_no,
                "退款编号": number,
                "售后类型": "仅退款",
                "货物状态": goods,
                "买家退款金额": amount,
                "退款的申请时间": "2026-01-08 10:00:00",
                "退款完结时间": "2026-01-09 10:00:00" if status == "退款成功" else "",
                "退款状态": status,
                "买家退款原因": "不想要了",
            }
            for order_no, number, amount, status, goods in rows
        ]
        path = tmp_path / f"refunds{PlatformRecord.objects.count()}.csv"
        csv_file(path, [TAOBAO_REFUNDS_2024, *rows_of(TAOBAO_REFUNDS_2024, *cells)], encoding="gbk")
        return import_file(path, actor=actor or Actor.sheet())

    return take


def differing(office, feed, *numbers, shop=None):
    """Orders whose refund by the platform no case of ours shows."""
    for number in numbers:
        admin_data.order(shop or office.a, number)
    feed(*[(number, f"R{number}", "50.00", "退款成功", "") for number in numbers])
    return list(PlatformRecord.objects.filter(order__order_no__in=numbers).order_by("pk"))


def unfollowed(office, feed, number):
    """Our case of an application that the platform refunded, which the agent's import may not."""
    admin_data.order(office.a, number)
    feed((number, f"R{number}", "50.00", "买家已经申请退款，等待卖家同意", "已收到货"))
    agent = Actor.person(office.people["agent"], "admin")
    feed((number, f"R{number}", "50.00", "退款成功", "已收到货"), actor=agent)
    return PlatformRecord.objects.get(number=f"R{number}")


def test_the_list_says_what_differs_on_which_side(office, feed):
    differing(office, feed, "A-1")
    record = unfollowed(office, feed, "A-2")
    response = office.client("finance").get(reverse(LIST))
    text = response.content.decode()

    counts = {tab["slug"]: tab["count"] for tab in response.context["queue_tabs"]}
    assert counts == {
        "waiting": 2,
        "refunded_there": 2,
        "refunded_here": 0,
        "amount": 0,
        "state": 0,
        "explained": None,
        "all": None,
    }
    assert "A-1" in text
    assert record.case.case_no in text
    assert "RA-2" in text
    assert "¥50.00" in text
    assert "退款成功" in text


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("", 2),
        ("?tab=refunded_there", 2),
        ("?tab=state", 0),
        ("?tab=explained", 0),
        ("?tab=all", 2),
        ("?q=A-1", 1),
        ("?q=RA-2", 1),
        ("?q=nothing", 0),
        ("?shop=b", 0),
        ("?tab=nonsense", 2),
    ],
)
def test_tabs_search_and_filters(office, feed, query, rows):
    differing(office, feed, "A-1", "A-2")
    response = office.client("lead").get(reverse(LIST) + query)
    assert response.context["cl"].result_count == rows


def test_the_list_takes_the_same_queries_for_any_number_of_rows(office, feed):
    client = office.client("finance")

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as seen:
            client.get(reverse(LIST))
        return len(seen)

    differing(office, feed, "A-1")
    client.get(reverse(LIST))
    few = queries()
    differing(office, feed, *[f"B-{n}" for n in range(20)])
    assert queries() == few
    assert few <= 15


def test_one_press_adopts_the_platforms_outcome(office, feed):
    record = unfollowed(office, feed, "A-1")
    client = office.client("lead")
    page = client.get(reverse(PAGE, args=[record.pk]))
    ways = [press.way for press in page.context["presses"]]
    assert ways == ["adopt", "external", "explain"]
    assert "¥50.00" in {row.value for row in page.context["presses"][0].rows}

    response = client.post(reverse(SETTLE, args=[record.pk]), {"way": "adopt"}, follow=True)

    case = Case.objects.get()
    assert (case.state, case.refunded) == ("completed", Decimal("50.00"))
    event = case.events.get(verb="record_platform_outcome")
    assert (event.user, event.channel) == (office.people["lead"], "admin")
    assert response.context["cl"].result_count == 0


def test_looking_at_a_page_changes_nothing(office, feed):
    record = unfollowed(office, feed, "A-1")
    before = list(PlatformRecord.objects.values())
    client = office.client("lead")
    client.get(reverse(PAGE, args=[record.pk]))
    assert client.get(reverse(SETTLE, args=[record.pk])).status_code == 302
    assert client.get(reverse(BULK, args=["adopt"])).status_code == 302
    assert list(PlatformRecord.objects.values()) == before
    assert Case.objects.get().state == "applied"


def test_one_press_opens_a_case(office, feed):
    (record,) = differing(office, feed, "A-1")
    client = office.client("finance")
    page = client.get(reverse(PAGE, args=[record.pk]))
    assert [press.way for press in page.context["presses"]] == ["open", "external", "explain"]
    form = page.context["presses"][0].form
    given = {name: form[name].value() or "" for name in form.fields}
    assert given["line"] == record.order.lines.get().pk

    wrong = client.post(reverse(SETTLE, args=[record.pk]), {**given, "way": "open"})
    assert wrong.status_code == 200
    assert Case.objects.count() == 0

    url = reverse(SETTLE, args=[record.pk])
    client.post(url, {**given, "way": "open", "kind": "refund_received"})
    case = Case.objects.get()
    assert (case.case_no, case.state, case.refunded) == ("RA-1", "completed", Decimal("50.00"))
    assert not PlatformRecord.objects.waiting().exists()


def test_explaining_needs_words_and_is_written_down(office, feed):
    (record,) = differing(office, feed, "A-1")
    client = office.client("supervisor")
    url = reverse(SETTLE, args=[record.pk])
    assert client.post(url, {"way": "explain"}).status_code == 200
    assert PlatformRecord.objects.get().open

    assert client.post(url, {"way": "explain", "text": "活动补贴"}).status_code == 302
    said = Explanation.objects.get()
    assert (said.text, said.by, said.way) == ("活动补贴", office.people["supervisor"], "words")
    page = client.get(reverse(PAGE, args=[record.pk]))
    assert "活动补贴" in page.content.decode()
    assert page.context["presses"] == []
    assert client.get(reverse(LIST) + "?tab=explained").context["cl"].result_count == 1


def test_a_refusal_is_told_on_the_page(office, feed):
    record = unfollowed(office, feed, "A-1")
    url = reverse(SETTLE, args=[record.pk])
    response = office.client("finance").post(url, {"way": "adopt"})

    assert response.status_code == 200
    assert response.context["refusal"].code == "not_permitted"
    assert Case.objects.get().state == "applied"


def test_what_somebody_settled_meanwhile_is_refused(office, feed):
    (record,) = differing(office, feed, "A-1")
    url = reverse(SETTLE, args=[record.pk])
    office.client("finance").post(url, {"way": "external"})
    response = office.client("lead").post(url, {"way": "external"})

    assert response.context["refusal"].code == "stale"
    assert ExternalRefund.objects.count() == 1


@pytest.mark.parametrize("role", ["agent", "warehouse"])
def test_who_may_not_look_gets_nothing(office, feed, role):
    (record,) = differing(office, feed, "A-1")
    client = office.client(role)
    assert client.get(reverse(LIST)).status_code == 403
    assert client.get(reverse(PAGE, args=[record.pk])).status_code == 403
    assert client.post(reverse(SETTLE, args=[record.pk]), {"way": "external"}).status_code == 403
    assert client.post(reverse(BULK, args=["external"]), {"pk": [record.pk]}).status_code == 403
    assert PlatformRecord.objects.get().open


def test_an_auditor_looks_and_presses_nothing(office, feed):
    (record,) = differing(office, feed, "A-1")
    client = office.client("auditor")
    assert client.get(reverse(PAGE, args=[record.pk])).context["presses"] == []
    assert client.post(reverse(SETTLE, args=[record.pk]), {"way": "external"}).status_code == 403


def test_many_at_once_with_a_summary(office, feed):
    rows = differing(office, feed, "A-1", "A-2", "A-3")
    client = office.client("finance")
    url = reverse(SETTLE, args=[rows[0].pk])
    client.post(url, {"way": "external"})
    chosen = {"action": "do_external", "_selected_action": [row.pk for row in rows]}
    page = client.post(reverse(LIST) + "?tab=all", chosen)
    assert page.context["waiting"] == 2

    response = client.post(reverse(BULK, args=["external"]), {"pk": page.context["pks"]})
    assert response.context["summary"] == "成功 2 单，未通过 1 单"
    assert len(response.context["refused"]) == 1
    assert ExternalRefund.objects.count() == 3
    assert not PlatformRecord.objects.waiting().exists()


def test_many_cases_are_adopted_through_the_door(office, feed):
    rows = [unfollowed(office, feed, f"A-{n}") for n in range(3)]
    url = reverse(BULK, args=["adopt"])
    response = office.client("lead").post(url, {"pk": [row.pk for row in rows]})

    assert response.context["summary"] == "成功 3 单，未通过 0 单"
    assert set(Case.objects.values_list("state", flat=True)) == {"completed"}


def test_another_shops_records_do_not_exist(office, feed):
    b = admin_data.staff("b-finance", "finance", office.b)
    office.people["b-finance"] = b
    (record,) = differing(office, feed, "A-1")
    client = office.client("b-finance")
    wrong = 10_000_001
    for name, post in ((PAGE, None), (SETTLE, {"way": "external"})):
        urls = [reverse(name, args=[pk]) for pk in (record.pk, wrong)]
        first, second = same(client, *urls, post=post)
        assert first == second
        assert first[0] == 404
    response = client.post(reverse(BULK, args=["external"]), {"pk": [record.pk, wrong]})
    refused = response.context["refused"]
    assert [(row, why) for row, _pk, why in refused] == [(None, refused[0][2])] * 2
    assert "A-1" not in response.content.decode()
    for query in ("", "?tab=all", "?q=A-1", "?shop=a"):
        response = client.get(reverse(LIST) + query)
        assert response.context["cl"].result_count == 0
        assert "RA-1" not in response.content.decode()
    assert client.get(reverse("admin:index")).context["tiles"][-1]["count"] == 0
    assert PlatformRecord.objects.get().open


def test_badge_and_home_count_what_waits(office, feed):
    differing(office, feed, "A-1", "A-2")
    response = office.client("finance").get(reverse("admin:index"))
    (tile,) = [t for t in response.context["tiles"] if t["url"] == reverse(LIST)]
    assert tile["count"] == 2
    agent = office.client("agent").get(reverse("admin:index"))
    assert "platformrecord" not in agent.content.decode()


def test_superusers_see_all_shops(office, feed):
    differing(office, feed, "A-1")
    office.people["boss"] = User.objects.create_superuser("boss")
    response = office.client("boss").get(reverse(LIST))
    assert response.context["cl"].result_count == 1
    assert Order.objects.get().external_refunded == Decimal("0.00")


def test_the_report_sums_what_waits(office, feed):
    differing(office, feed, "A-1", "A-2")
    code, answer = run("report", "reconciliation")

    assert code == 0
    assert answer["rows"] == [
        {"shop": "a", "kind": "refunded_there", "count": 2, "amount": "100.00"},
    ]
    assert run("report", "reconciliation", "--to", "2026-01-08")[1]["rows"] == []
    assert run("report", "reconciliation", "--by", "sku")[0] == 2


def test_the_audit_finds_a_verdict_that_is_not_true(office, feed):
    (record,) = differing(office, feed, "A-1")
    rows = PlatformRecord.objects.filter(pk=record.pk)
    rows.update(difference="", open=False)
    found = [(v["what"], v["object"]) for v in audit(timezone.now()).violations]
    assert found == [("difference_not_true", f"platformrecord {record.pk}")]

    rows.update(difference="refunded_there", open=True)
