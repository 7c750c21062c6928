"""A clerk gets the same answer for another shop's rows as for rows that do not exist."""

import re

import pytest
from django.urls import reverse

from cases.models import Case, Evidence, Notice, Order, Reveal
from tests.cases import admin_data

pytestmark = pytest.mark.django_db
#: What differs between two answers without meaning anything: tokens, and the number asked for.
NOISE = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"|nonce="[^"]+"')


@pytest.fixture
def office():
    return admin_data.office()


@pytest.fixture
def foreign(office) -> Case:
    row = admin_data.case(admin_data.order(office.b, "B-1", phone="13900001111"))
    return admin_data.evidence(row, office.stranger)


def same(client, foreign_url: str, unknown_url: str, *, post: dict | None = None):
    """Status and body of both answers, without the numbers asked for."""
    answers = []
    for url in (foreign_url, unknown_url):
        response = client.get(url) if post is None else client.post(url, post)
        body = NOISE.sub(b"", response.content).replace(url.encode(), b"")
        answers.append((response.status_code, response.headers.get("Location", ""), body))
    return answers


def pairs(foreign: Case):
    file = Evidence.objects.get(case=foreign)
    wrong = 10_000_001
    yield "admin:cases_case_change", [foreign.pk], [wrong]
    yield "admin:cases_case_history", [foreign.pk], [wrong]
    yield "admin:cases_case_delete", [foreign.pk], [wrong]
    yield "admin:cases_order_change", [foreign.order_id], [wrong]
    yield "admin:cases_order_history", [foreign.order_id], [wrong]
    yield "admin:cases_order_open", [foreign.order_id], [wrong]
    yield "admin:cases_evidence_change", [file.pk], [wrong]
    yield "admin:cases_evidence_file", [file.pk], [wrong]
    yield "admin:cases_shop_change", [foreign.shop_id], [wrong]
    for step in ("accept", "pay", "add_note", "assign", "reopen"):
        yield "admin:cases_case_do", [foreign.pk, step], [wrong, step]


def test_pages_of_another_shop_answer_as_pages_of_nothing(office, foreign):
    client = office.client("supervisor")
    for name, foreign_args, unknown_args in pairs(foreign):
        first, second = same(
            client, reverse(name, args=foreign_args), reverse(name, args=unknown_args)
        )
        assert first == second, name
        assert first[0] in (404, 403), name


@pytest.mark.parametrize("role", admin_data.ROLES)
def test_posts_to_another_shop_answer_as_posts_to_nothing_and_change_nothing(office, foreign, role):
    client = office.client(role)
    before = Case.objects.values().get(pk=foreign.pk)
    form = {"text": "x", "party": "buyer", "user": role, "reference": "1"}
    for step in Case.steps():
        first, second = same(
            client,
            reverse("admin:cases_case_do", args=[foreign.pk, step]),
            reverse("admin:cases_case_do", args=[10_000_001, step]),
            post={**form, "_version": foreign.version},
        )
        assert first == second, step
        assert first[0] == 404, step
    assert Case.objects.values().get(pk=foreign.pk) == before


def test_a_reveal_in_another_shop_answers_as_one_of_nothing(office, foreign):
    first, second = same(
        office.client("agent"),
        reverse("admin:cases_order_reveal", args=[foreign.order_id]),
        reverse("admin:cases_order_reveal", args=[10_000_001]),
        post={"field": "phone", "reason": "curious"},
    )

    assert first == second
    assert first[0] == 404
    assert not Reveal.objects.exists()


def test_bulk_steps_do_not_know_cases_of_other_shops(office, foreign):
    own = admin_data.case(admin_data.order(office.a, "A-1"))
    url = reverse("admin:cases_case_bulk", args=["escalate"])
    response = office.client("agent").post(url, {"pk": [own.pk, foreign.pk, 10_000_001]})

    done, refused = response.context["done"], response.context["refused"]
    assert [case.pk for case, _state in done] == [own.pk]
    assert {(pk, why) for _case, pk, why in refused} == {
        (foreign.pk, refused[0][2]),
        (10_000_001, refused[0][2]),
    }
    assert foreign.case_no not in response.content.decode()
    assert Case.objects.get(pk=foreign.pk).escalated_at is None


def test_choosing_foreign_cases_in_the_list_names_none_of_them(office, foreign):
    response = office.client("agent").post(
        reverse("admin:cases_case_changelist"),
        {"action": "do_escalate", "_selected_action": [foreign.pk], "select_across": "0"},
    )

    assert response.status_code == 200
    assert foreign.case_no not in response.content.decode()
    assert response.context["pks"] == []


@pytest.mark.parametrize(
    "listed",
    ["case", "order", "evidence", "caseevent", "notice", "parcel", "shop", "returnaddress", "note"],
)
def test_lists_show_nothing_of_other_shops(office, foreign, listed):
    Notice.objects.create(case=foreign, kind="escalation", at=foreign.applied_at, text="B-notice")
    for query in ("", "?tab=all", "?e=1"):
        response = office.client("supervisor").get(
            reverse(f"admin:cases_{listed}_changelist") + query, follow=True
        )
        text = response.content.decode()
        for secret in (foreign.case_no, "B-1", "乙店", "B-notice"):
            assert secret not in text


@pytest.mark.parametrize(
    "term", ["B-1", "SFB-1", "PAYB-1", "SNB-11", "nick_B-1", "13900001111", "1111"]
)
def test_no_search_finds_rows_of_other_shops(office, foreign, term):
    client = office.client("agent")
    for url in (
        reverse("find"),
        reverse("admin:cases_case_changelist"),
        reverse("admin:cases_order_changelist"),
    ):
        response = client.get(url, {"q": term}, follow=True)
        assert foreign.case_no not in response.content.decode()
        assert "/change/" not in response.request["PATH_INFO"]


def test_no_filter_reaches_into_other_shops(office, foreign):
    client = office.client("agent")
    url = reverse("admin:cases_case_changelist")
    for query in ({"shop": "b"}, {"owner": office.stranger.pk}, {"kind": foreign.kind}):
        assert foreign.case_no not in client.get(url, query).content.decode()


@pytest.mark.parametrize("page", ["order/", "order/export/"])
@pytest.mark.parametrize("guess", ["phone__startswith=138", "extra__contains=x", "phone_tail=1"])
def test_no_address_guesses_at_what_is_masked(office, page, guess):
    admin_data.order(office.a, "A-1")
    assert office.client("lead").get(f"/admin/cases/{page}?{guess}").status_code == 400


def test_filters_name_no_shop_and_no_person_of_elsewhere(office, foreign):
    text = office.client("agent").get(reverse("admin:cases_case_changelist")).content.decode()

    assert "乙店" not in text
    assert "stranger" not in text
    assert "甲店" in text


def test_the_home_page_counts_own_shops_only(office, foreign):
    response = office.client("agent").get(reverse("admin:index"))

    assert {tile["count"] for tile in response.context["tiles"]} == {0}
    assert response.context["chart"]["total"] == 0


def test_the_own_evidence_file_comes_with_its_locks(office):
    row = admin_data.evidence(
        admin_data.case(admin_data.order(office.a, "A-1")), office.people["agent"]
    )
    file = Evidence.objects.get(case=row)
    response = office.client("warehouse").get(reverse("admin:cases_evidence_file", args=[file.pk]))

    assert response.status_code == 200
    assert b"".join(response.streaming_content)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]


def test_people_without_a_shop_see_nothing(office, foreign):
    lost = admin_data.staff("lost", "supervisor", office.a)
    lost.memberships.all().delete()
    admin_data.order(office.a, "A-1")
    office.people["lost"] = lost
    client = office.client("lost")

    assert Order.objects.count() == 2
    for page in ("case", "order", "shop"):
        response = client.get(reverse(f"admin:cases_{page}_changelist"))
        assert response.context["cl"].result_count == 0


def test_no_form_puts_a_row_into_another_shop(office):
    form = {"shop": office.b.pk, "name": "x", "phone": "1", "address": "y"}
    client = office.client("supervisor")
    response = client.post(reverse("admin:cases_returnaddress_add"), form)

    assert response.status_code == 200
    assert "shop" in response.context["adminform"].form.errors
    assert "乙店" not in response.content.decode()
    assert not office.b.return_addresses.exists()


def test_nobody_owns_a_case_of_a_shop_he_does_not_work_in(office):
    own = admin_data.case(admin_data.order(office.a, "A-1"))
    url = reverse("admin:cases_case_bulk", args=["assign"])
    client = office.client("agent")

    client.post(url, {"pk": [own.pk], "user": "stranger"})
    assert Case.objects.get(pk=own.pk).owner is None
    client.post(url, {"pk": [own.pk], "user": "lead"})
    assert Case.objects.get(pk=own.pk).owner == office.people["lead"]
