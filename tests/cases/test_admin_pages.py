"""What the pages show: queues and counts, one search, masked data, sheets, and how many queries."""

import io
import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.models import (
    Case,
    ClockPolicy,
    Evidence,
    ExternalRefund,
    Note,
    Notice,
    Parcel,
    PlatformPause,
    Reason,
    Reveal,
)
from tests.cases import admin_data

pytestmark = pytest.mark.django_db
OURS = sorted(m.__name__.lower() for m in admin.site._registry if m._meta.app_label == "cases")


@pytest.fixture
def office():
    return admin_data.office()


def queries(client, url: str, data: dict | None = None) -> int:
    with CaptureQueriesContext(
        connection,
    ) as found:
        response = client.get(url, data) if data is None or "_key" not in data else None
        if response is None:
            response = client.post(url, data)
    assert response.status_code in (200, 302), url
    return len(found)


def grow(office, count: int, start: int) -> list[Case]:
    rows = []
    for n in range(start, start + count):
        order = admin_data.order(office.a, f"G-{n}")
        case = admin_data.case(order)
        Note.objects.create(case=case, text="n", at=case.applied_at)
        Notice.objects.create(case=case, kind="escalation", at=case.applied_at)
        Parcel.objects.create(
            order=order,
            case=case,
            direction="in",
            purpose="return",
            courier="c",
            waybill=f"W{n}",
            sent_at=case.applied_at,
        )
        ExternalRefund.objects.create(order=order, source="s", amount=1, at=case.applied_at)
        Evidence.objects.create(
            case=case, party="buyer", kind="picture", mime="image/png", size=1, at=case.applied_at
        )
        rows.append(case)
    return rows


def test_every_list_takes_as_many_queries_for_many_rows_as_for_few(office):
    client = office.client("supervisor")
    office.people["supervisor"].user_permissions.set(admin_data.all_view_permissions())
    urls = [reverse(f"admin:cases_{name}_changelist") for name in OURS]
    home = reverse("admin:index")
    urls += [reverse("admin:cases_case_changelist") + "?tab=all", home]
    grow(office, 10, 0)
    few = {url: queries(client, url) for url in urls}
    grow(office, 40, 10)
    many = {url: queries(client, url) for url in urls}

    assert many == few
    assert many.pop(home) <= 18  # the counts of every app
    assert {url: n for url, n in many.items() if n > 15} == {}


def test_a_search_takes_at_most_sixteen_queries(office):
    grow(office, 12, 0)
    client = office.client("agent")

    for term in ("G-", "nick_G-1", "5678", admin_data.PHONE, "nothing at all"):
        assert queries(client, reverse("admin:cases_case_changelist"), {"q": term}) <= 16
        assert queries(client, reverse("admin:cases_order_changelist"), {"q": term}) <= 16


def test_the_case_page_and_a_step_stay_within_their_queries_whatever_the_case_holds(office):
    case = admin_data.case(admin_data.order(office.a, "A-1", lines=3))
    agent = office.people["agent"]
    client = office.client("agent")
    page = reverse("admin:cases_case_change", args=[case.pk])
    case = admin_data.evidence(case, agent)
    few = queries(client, page)
    for n in range(6):
        case = admin_data.step(case, "add_note", agent, text=f"note {n}")
        case = admin_data.step(case, "log_contact", agent, text=f"said {n}")
        case = admin_data.evidence(case, agent)
    assert queries(client, page) == few
    assert few <= 36  # with what promises and invoices show beside the case

    do = reverse("admin:cases_case_do", args=[case.pk, "accept"])
    assert queries(client, do) <= 30
    drawn = client.get(do)
    form = {"_key": drawn.context["key"], "_version": str(case.version)}
    assert queries(client, do, form) <= 30
    assert Case.objects.get(pk=case.pk).state == "awaiting_return"


def test_the_order_page_takes_as_many_queries_for_one_case_as_for_three(office):
    order = admin_data.order(office.a, "A-1", lines=3)
    client = office.client("agent")
    page = reverse("admin:cases_order_change", args=[order.pk])
    few = queries(client, page)
    for _n in range(3):
        admin_data.step(admin_data.case(order), "withdraw", office.people["agent"])

    assert queries(client, page) == few
    assert few <= 22  # with what promises and invoices show beside the order


def test_tabs_count_what_they_hold(office):
    client = office.client("agent")
    for n, (kind, reason) in enumerate(
        [("return_refund", "no_reason"), ("return_refund", "no_reason"), ("repair", "quality")]
    ):
        admin_data.case(admin_data.order(office.a, f"A-{n}"), kind=kind, reason=reason)
    closed = admin_data.case(admin_data.order(office.a, "A-9"))
    admin_data.step(closed, "withdraw", office.people["agent"])

    response = client.get(reverse("admin:cases_case_changelist"))

    counts = {t["slug"]: t["count"] for t in response.context["queue_tabs"]}
    assert counts == {
        "open": 3,
        "refund": 0,
        "return": 2,
        "exchange": 0,
        "repair": 1,
        "resend": 0,
        "mediation": 0,
        "approval": 0,
        "payout": 0,
        "all": None,
    }
    for slug, count in counts.items():
        shown = client.get(reverse("admin:cases_case_changelist"), {"tab": slug})
        assert shown.context["cl"].result_count == (4 if count is None else count), slug


def test_the_first_due_stands_first(office):
    now = timezone.now()
    late = admin_data.case(admin_data.order(office.a, "A-1"), applied_at=now - timedelta(hours=90))
    fresh = admin_data.case(admin_data.order(office.a, "A-2"), applied_at=now)
    sooner = admin_data.case(
        admin_data.order(office.a, "A-3"), applied_at=now - timedelta(hours=70)
    )
    client = office.client("agent")

    response = client.get(reverse("admin:cases_case_changelist"))

    assert [c.pk for c in response.context["cl"].result_list] == [late.pk, sooner.pk, fresh.pk]
    text = response.content.decode()
    assert "sh-clock--late" in text
    assert "sh-clock--soon" in text
    over = client.get(reverse("admin:cases_case_changelist"), {"due": "over"})
    assert [c.pk for c in over.context["cl"].result_list] == [late.pk]


@pytest.mark.parametrize(
    "term",
    ["A-1", "SFA-1", "PAYA-1", "SNA-11", "nick_A-1", "13712340000", "0000", "Ａ-1", " A-1\t"],
)
def test_any_number_leads_straight_to_the_one_case(office, term):
    case = admin_data.case(admin_data.order(office.a, "A-1", phone="13712340000"))
    admin_data.case(admin_data.order(office.a, "Z-2", phone="13799998888"))
    client = office.client("agent")
    page = reverse("admin:cases_case_change", args=[case.pk])

    for url in (reverse("find"), reverse("admin:cases_case_changelist")):
        assert client.get(url, {"q": term})["Location"] == page


def test_case_waybill_and_refund_numbers_are_found(office):
    case = admin_data.case(admin_data.order(office.a, "A-1"))
    admin_data.step(case, "accept", office.people["agent"])
    admin_data.step(case, "ship_back", office.people["agent"], courier="c", waybill="YT7788")
    client = office.client("warehouse")
    page = reverse("admin:cases_case_change", args=[case.pk])

    for term in (case.case_no, "YT7788"):
        assert client.get(reverse("find"), {"q": term})["Location"] == page


def test_an_order_without_a_case_is_found_too(office):
    order = admin_data.order(office.a, "A-1")
    response = office.client("agent").get(reverse("find"), {"q": "SFA-1"})

    assert response["Location"] == reverse("admin:cases_order_change", args=[order.pk])


def test_personal_data_are_masked_until_one_is_asked_for_with_a_reason(office):
    order = admin_data.order(office.a, "A-1")
    client = office.client("agent")
    url = reverse("admin:cases_order_change", args=[order.pk])
    text = client.get(url).content.decode()
    for secret in (admin_data.PHONE, "张三丰", "文三路"):
        assert secret not in text

    shown = client.post(
        reverse("admin:cases_order_reveal", args=[order.pk]),
        {"field": "phone", "reason": "回访"},
    )

    text = shown.content.decode()
    assert admin_data.PHONE in text
    assert "张三丰" not in text
    assert "no-store" in shown["Cache-Control"]
    row = Reveal.objects.get()
    assert (row.order, row.field, row.user, row.reason) == (
        order,
        "phone",
        office.people["agent"],
        "回访",
    )
    assert admin_data.PHONE not in client.get(url).content.decode()


@pytest.mark.parametrize("form", [{"field": "phone"}, {"field": "buyer", "reason": "why"}, {}])
def test_nothing_is_revealed_without_a_reason_or_beyond_the_list(office, form):
    order = admin_data.order(office.a, "A-1")
    url = reverse("admin:cases_order_reveal", args=[order.pk])
    response = office.client("agent").post(url, form, follow=True)

    assert admin_data.PHONE not in response.content.decode()
    assert not Reveal.objects.exists()


def test_reveals_are_limited_per_day(office, settings):
    settings.REVEALS_PER_DAY = 2
    order = admin_data.order(office.a, "A-1")
    url = reverse("admin:cases_order_reveal", args=[order.pk])
    client = office.client("agent")
    form = {"field": "phone", "reason": "回访"}
    seen = [admin_data.PHONE in client.post(url, form, follow=True).content.decode() for _ in "123"]

    assert seen == [True, True, False]
    assert Reveal.objects.count() == 2


def test_an_auditor_reveals_nothing(office):
    order = admin_data.order(office.a, "A-1")
    url = reverse("admin:cases_order_reveal", args=[order.pk])

    response = office.client("auditor").post(url, {"field": "phone", "reason": "x y"})
    assert response.status_code == 403
    assert not Reveal.objects.exists()


def test_a_case_is_opened_on_its_orders_page(office):
    order = admin_data.order(office.a, "A-1")
    line = order.lines.get()
    url = reverse("admin:cases_order_open", args=[order.pk])
    client = office.client("agent")
    drawn = client.get(url)
    form = {
        "_key": drawn.context["key"],
        "kind": "return_refund",
        "reason": "no_reason",
        f"line_{line.line_no}": "1",
        "text": "不合适",
    }

    first, second = client.post(url, form), client.post(url, form)

    case = Case.objects.get()
    page = reverse("admin:cases_case_change", args=[case.pk])
    assert (first["Location"], second["Location"]) == (page, page)
    assert (case.kind, str(case.state), case.order) == ("return_refund", "applied", order)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"line_1": "9"}, "quantity_exceeded"), ({"amount": "999"}, "amount_exceeded")],
)
def test_what_cannot_be_claimed_is_refused_on_the_page(office, change, code):
    order = admin_data.order(office.a, "A-1")
    url = reverse("admin:cases_order_open", args=[order.pk])
    form = {"kind": "return_refund", "reason": "no_reason", "line_1": "1", **change}
    response = office.client("agent").post(url, form)

    assert response.status_code == 200
    assert response.context["refusal"].code == code
    assert not Case.objects.exists()


def test_who_may_not_open_cases_cannot(office):
    order = admin_data.order(office.a, "A-1")
    url = reverse("admin:cases_order_open", args=[order.pk])
    form = {"kind": "return_refund", "reason": "no_reason", "line_1": "1"}

    for role in ("warehouse", "finance", "auditor"):
        assert office.client(role).post(url, form).status_code == 403
    assert not Case.objects.exists()


def test_a_pause_moves_running_clocks_only_when_asked(office):
    case = admin_data.case(admin_data.order(office.a, "A-1"))
    client = office.client("supervisor")
    start = timezone.localtime(timezone.now() - timedelta(hours=1))
    end = start + timedelta(days=2)
    form = {
        "platform": "taobao",
        "name": "春节",
        "starts_at_0": f"{start:%Y-%m-%d}",
        "starts_at_1": f"{start:%H:%M:%S}",
        "ends_at_0": f"{end:%Y-%m-%d}",
        "ends_at_1": f"{end:%H:%M:%S}",
    }
    saved = client.post(reverse("admin:cases_platformpause_add"), form, follow=True)
    assert PlatformPause.objects.count() == 1
    assert reverse("admin:cases_platformpause_recompute") in saved.content.decode()
    assert Case.objects.get(pk=case.pk).due_at == case.due_at

    client.get(reverse("admin:cases_platformpause_recompute"))
    assert Case.objects.get(pk=case.pk).due_at == case.due_at
    client.post(reverse("admin:cases_platformpause_recompute"), {"platform": "taobao"})
    assert Case.objects.get(pk=case.pk).due_at > case.due_at


@pytest.mark.parametrize("role", ["agent", "lead", "warehouse", "finance", "auditor"])
def test_only_supervisors_change_settings(office, role):
    client = office.client(role)
    policy = ClockPolicy.objects.first()
    assert policy
    urls = [
        reverse("admin:cases_clockpolicy_change", args=[policy.pk]),
        reverse("admin:cases_clockpolicy_recompute"),
        reverse("admin:cases_platformpause_add"),
        reverse("admin:cases_shop_change", args=[office.a.pk]),
    ]
    for url in urls:
        assert client.post(url, {"hours": "1"}).status_code == 403, url
    assert ClockPolicy.objects.get(pk=policy.pk).hours == policy.hours


def test_notices_are_marked_as_seen_by_who_works_cases(office):
    case = admin_data.case(admin_data.order(office.a, "A-1"))
    notice = Notice.objects.create(case=case, kind="escalation", at=case.applied_at)
    url = reverse("admin:cases_notice_changelist")
    form = {"action": "mark_seen", "_selected_action": [notice.pk]}

    office.client("auditor").post(url, form)
    assert Notice.objects.get().seen_at is None
    office.client("agent").post(url, form)
    assert Notice.objects.get().seen_at is not None


def test_the_home_page_counts_each_list_and_draws_the_chart(office):
    now = timezone.now()
    admin_data.case(admin_data.order(office.a, "A-1"), applied_at=now - timedelta(hours=90))
    admin_data.case(admin_data.order(office.a, "A-2"))
    response = office.client("agent").get(reverse("admin:index"))

    tiles = {re.sub(r".*\?", "", t["url"]): t["count"] for t in response.context["tiles"]}
    assert tiles["due=over"] == 1
    assert tiles["owner=nobody"] == 2
    assert tiles["state=applied"] == 2
    assert tiles["owner=me"] == 0
    assert response.context["chart"]["total"] == 2
    text = response.content.decode()
    assert "<svg" in text
    assert "<script>" not in text


def test_no_page_of_ours_carries_a_script_or_style_of_its_own(office):
    case = admin_data.evidence(
        admin_data.case(admin_data.order(office.a, "A-1")), office.people["agent"]
    )
    client = office.client("agent")
    for url in (
        reverse("admin:index"),
        reverse("admin:cases_case_change", args=[case.pk]),
        reverse("admin:cases_case_do", args=[case.pk, "accept"]),
        reverse("admin:cases_order_change", args=[case.order_id]),
        reverse("admin:cases_order_open", args=[case.order_id]),
    ):
        response = client.get(url)
        text = response.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), url
        assert not re.search(r"\son(click|change|submit|load)=", text), url
        assert "unsafe-inline" not in response["Content-Security-Policy"].split("style-src")[0]
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text), url


def test_an_empty_upload_is_told_beside_its_field(office):
    case = admin_data.case(admin_data.order(office.a, "A-1"))
    url = reverse("admin:cases_case_do", args=[case.pk, "add_evidence"])
    client = office.client("agent")
    empty = io.BytesIO(b"")
    empty.name = "a.png"
    response = client.post(url, {"party": "buyer", "evidence": empty, "_version": case.version})

    assert response.status_code == 200
    assert "evidence" in response.context["form"].errors
    assert not Evidence.objects.exists()


def test_a_reasons_kinds_are_ticked_and_kept(office):
    reason = Reason.objects.get(code="no_reason")
    url = reverse("admin:cases_reason_change", args=[reason.pk])
    client = office.client("supervisor")
    drawn = client.get(url).context["adminform"].form
    assert drawn.initial["kinds"] == reason.kinds.split(";")
    sop = "sop-{}_FORMS"
    form = {
        name: value
        for name, value in drawn.initial.items()
        if value is not None and name in drawn.fields
    }
    rows = list(reason.sop.all())
    form |= {
        "kinds": ["return_refund"],
        sop.format("TOTAL"): len(rows),
        sop.format("INITIAL"): len(rows),
    }
    for n, row in enumerate(rows):
        for name in ("id", "position", "state", "kind", "verb", "guidance", "guidance_en"):
            form[f"sop-{n}-{name}"] = getattr(row, name)
        form[f"sop-{n}-reason"] = reason.pk

    response = client.post(url, form)

    assert response.status_code == 302, response.context["errors"]
    assert Reason.objects.get(pk=reason.pk).kinds == "return_refund"


@pytest.mark.parametrize(
    "place",
    ["shop/{shop}/change", "sopstep/add", "clockpolicy/add", "calendarday/add", "window/add"],
)
def test_settings_open_for_supervisors(office, place):
    url = f"/admin/cases/{place.format(shop=office.a.pk)}/"

    assert office.client("supervisor").get(url).status_code == 200
    assert office.client("agent").get(url).status_code in (200, 403)
    assert office.client("agent").post(url, {}).status_code == 403


def test_whoever_makes_a_shop_works_in_it(office):
    client = office.client("supervisor")
    form = {
        "code": "new",
        "name": "新店",
        "platform": "jd",
        "zone": "Asia/Shanghai",
        "opens": "09:00",
        "closes": "18:00",
        "active": "on",
    }
    for prefix in ("memberships", "return_addresses"):
        form |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}

    assert client.post(reverse("admin:cases_shop_add"), form).status_code == 302
    listed = client.get(reverse("admin:cases_shop_changelist"))
    assert {s.code for s in listed.context["cl"].result_list} == {"a", "new"}
