"""A page per step: GET shows and changes nothing, POST acts once, through the door."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Case, CaseEvent, Refund, RoleLimit
from tests.cases import admin_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def office():
    return admin_data.office()


@pytest.fixture
def row(office) -> Case:
    return admin_data.case(admin_data.order(office.a, "A-1"))


def page(case: Case, step: str) -> str:
    return reverse("admin:cases_case_do", args=[case.pk, step])


def hidden(response) -> dict[str, str]:
    """What the drawn form carries with it."""
    found = re.findall(r'name="(_key|_version)" value="([^"]*)"', response.content.decode())
    return dict(found)


def act(client: Client, case: Case, step: str, **inputs):
    """As a person does: open the page, fill it in, press the button."""
    drawn = client.get(page(case, step))
    assert drawn.status_code == 200, step
    return client.post(page(case, step), {**hidden(drawn), **inputs})


def fresh(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def test_a_return_goes_from_application_to_refund_by_its_pages(office, row):
    agent, warehouse = office.client("agent"), office.client("warehouse")

    assert act(agent, row, "accept").status_code == 302
    assert act(agent, fresh(row), "ship_back", courier="圆通", waybill="YT1").status_code == 302
    assert act(warehouse, fresh(row), "receive").status_code == 302
    assert act(warehouse, fresh(row), "pass_inspection").status_code == 302
    assert act(office.client("finance"), fresh(row), "pay", reference="R-1").status_code == 302

    done = fresh(row)
    assert done.state == "completed"
    assert str(done.refunded) == "55.00"
    verbs = list(CaseEvent.objects.filter(case=row).order_by("seq").values_list("verb", flat=True))
    assert verbs == ["open_case", "accept", "ship_back", "receive", "pass_inspection", "pay"]


def test_looking_at_any_page_changes_nothing(office, row):
    before = Case.objects.values().get(pk=row.pk), CaseEvent.objects.count()
    client = office.client("supervisor")
    for step in Case.steps():
        client.get(page(row, step))
        client.get(reverse("admin:cases_case_bulk", args=[step]))
    client = office.client("agent")
    client.get(page(row, "accept"), {"_version": row.version, "text": "x"})
    client.get(reverse("admin:cases_case_change", args=[row.pk]))
    client.get(reverse("admin:cases_case_changelist"), {"action": "do_accept"})
    client.get(reverse("admin:cases_order_reveal", args=[row.order_id]), {"field": "phone"})
    client.get(reverse("admin:cases_order_open", args=[row.order_id]))

    assert (Case.objects.values().get(pk=row.pk), CaseEvent.objects.count()) == before


def test_names_that_are_no_steps_of_people_have_no_page(office, row):
    client = office.client("supervisor")
    for name in ("delete", "save", "accept_by_silence", "close_by_silence", "open_case", "clock"):
        assert client.get(page(row, name)).status_code == 404
        assert client.post(page(row, name), {}).status_code == 404
    assert fresh(row).state == "applied"


def test_a_step_that_is_not_open_says_why(office, row):
    response = office.client("finance").get(page(row, "pay"))

    assert response.status_code == 200
    assert response.context["obstacle"] is not None
    assert b'<form method="post" class="sh-form"' not in response.content


@pytest.mark.parametrize(
    ("role", "step", "inputs"),
    [
        ("warehouse", "accept", {}),
        ("finance", "accept", {}),
        ("auditor", "accept", {}),
        ("auditor", "add_note", {"text": "hello"}),
        ("agent", "pay", {"reference": "1"}),
        ("agent", "approve", {}),
        ("warehouse", "assign", {"user": "warehouse"}),
    ],
)
def test_a_post_without_the_right_changes_nothing(office, row, role, step, inputs):
    before = Case.objects.values().get(pk=row.pk), CaseEvent.objects.count()
    response = office.client(role).post(page(row, step), {**inputs, "_version": row.version})

    assert response.status_code == 403
    assert (Case.objects.values().get(pk=row.pk), CaseEvent.objects.count()) == before


def test_a_post_without_the_token_is_refused(office, row):
    client = Client(enforce_csrf_checks=True)
    client.force_login(office.people["agent"])

    assert client.post(page(row, "accept"), {"_version": row.version}).status_code == 403
    assert client.post(reverse("admin:cases_case_bulk", args=["accept"])).status_code == 403
    assert fresh(row).state == "applied"


def test_nobody_acts_without_signing_in(row):
    response = Client().post(page(row, "accept"), {"_version": row.version})

    assert response.status_code == 302
    assert "/login/" in response["Location"]
    assert fresh(row).state == "applied"


def test_a_page_drawn_before_someone_else_acted_does_nothing_and_says_so(office, row):
    client = office.client("agent")
    drawn = hidden(client.get(page(row, "accept")))
    admin_data.step(row, "assign", office.people["lead"], user=office.people["lead"])

    response = client.post(page(row, "accept"), drawn)

    assert response.status_code == 200
    assert response.context["changed"] is True
    assert fresh(row).state == "applied"
    assert act(client, fresh(row), "accept").status_code == 302


def test_the_same_page_sent_twice_acts_once(office, row):
    client = office.client("agent")
    form = {**hidden(client.get(page(row, "add_note"))), "text": "once"}

    assert client.post(page(row, "add_note"), form).status_code == 302
    assert client.post(page(row, "add_note"), form).status_code == 302
    assert CaseEvent.objects.filter(case=row, verb="add_note").count() == 1


def test_a_refusal_keeps_what_was_entered(office, row):
    response = act(office.client("agent"), row, "accept", amount="9999.00", text="my words")

    assert response.status_code == 200
    assert response.context["refusal"].code == "amount_exceeded"
    text = response.content.decode()
    assert "my words" in text
    assert "9999.00" in text
    assert fresh(row).state == "applied"


def test_three_decimals_are_refused_beside_their_field(office, row):
    response = act(office.client("agent"), row, "accept", amount="1.005")

    assert response.status_code == 200
    assert "amount" in response.context["form"].errors
    assert fresh(row).state == "applied"


def test_the_money_is_told_before_the_button(office, row):
    rows = office.client("agent").get(page(row, "accept")).context["rows"]

    values = [r.value for r in rows]
    assert "¥110.00" in values  # paid for the line and left of it
    assert "¥500.00" in values  # what an agent decides alone


def test_an_amount_above_ones_limit_waits_for_another_person(office, row):
    RoleLimit.objects.filter(role="agent").update(refund_act="50.00")
    act(office.client("agent"), row, "accept")
    waiting = fresh(row)
    assert waiting.state == "awaiting_approval"

    assert act(office.client("supervisor"), waiting, "approve").status_code == 302
    assert fresh(row).state == "awaiting_return"


def test_warehouse_people_see_no_amounts(office, row):
    admin_data.step(row, "accept", office.people["agent"])
    client = office.client("warehouse")
    pages = [
        reverse("admin:cases_case_changelist"),
        reverse("admin:cases_case_change", args=[row.pk]),
        reverse("admin:cases_order_changelist"),
        reverse("admin:cases_order_change", args=[row.order_id]),
        page(row, "ship_back"),
        reverse("admin:cases_parcel_changelist"),
        reverse("admin:cases_caseevent_changelist"),
    ]
    for url in pages:
        text = client.get(url).content.decode()
        assert "¥" not in text, url
        assert "55.00" not in text, url
    assert client.get(reverse("admin:cases_refund_changelist")).status_code == 403


def test_a_failed_payout_stands_in_the_work_list_and_is_paid_under_its_number(office):
    row = admin_data.case(
        admin_data.order(office.a, "A-2"), kind="refund_received", reason="invoice_problem"
    )
    act(office.client("agent"), row, "accept")
    finance = office.client("finance")
    act(finance, fresh(row), "fail_payout", text="账户名不符")
    failed = Refund.objects.get(case=row)

    listed = finance.get(reverse("admin:cases_refund_changelist"), {"state": "failed"})
    assert [r.pk for r in listed.context["cl"].result_list] == [failed.pk]
    act(finance, fresh(row), "pay", reference="R-2")
    paid = Refund.objects.get(case=row)
    assert (paid.number, paid.state) == (failed.number, "paid")


def test_success_leads_to_the_next_due_case(office, row):
    other = admin_data.case(admin_data.order(office.a, "A-3"))
    client = office.client("agent")
    drawn = hidden(client.get(page(row, "accept")))

    response = client.post(page(row, "accept"), {**drawn, "_next": "1"})

    assert response["Location"] == reverse("admin:cases_case_change", args=[other.pk])


def test_the_next_due_case_is_one_key_away(office, row):
    other = admin_data.case(admin_data.order(office.a, "A-3"))
    client = office.client("agent")
    url = reverse("admin:cases_case_next")

    first = client.get(url, {"after": row.pk})
    assert first["Location"] == reverse("admin:cases_case_change", args=[other.pk])
    admin_data.step(other, "withdraw", office.people["agent"])
    none = client.get(url, {"after": row.pk})
    assert none["Location"] == reverse("admin:cases_case_changelist")


def test_pictures_are_added_on_their_page(office, row):
    from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: PLC0415

    client = office.client("agent")
    drawn = hidden(client.get(page(row, "add_evidence")))
    upload = SimpleUploadedFile("a.png", admin_data.picture(), content_type="text/html")
    response = client.post(
        page(row, "add_evidence"), {**drawn, "party": "buyer", "evidence": upload}
    )

    assert response.status_code == 302
    kept = fresh(row).evidence.get()
    assert kept.mime in {"image/png", "image/jpeg"}
    shown = client.get(reverse("admin:cases_case_change", args=[row.pk]))
    assert reverse("admin:cases_evidence_file", args=[kept.pk]) in shown.content.decode()


def test_many_cases_take_a_step_with_a_summary(office):
    rows = [admin_data.case(admin_data.order(office.a, f"A-{n}")) for n in range(4)]
    admin_data.step(rows[3], "withdraw", office.people["agent"])
    client = office.client("agent")
    chosen = client.post(
        reverse("admin:cases_case_changelist"),
        {"action": "do_accept", "_selected_action": [r.pk for r in rows], "select_across": "0"},
    )
    assert chosen.context["fitting"] == 3
    assert {str(fresh(r).state) for r in rows} == {"applied", "closed"}
    form = {"pk": chosen.context["pks"], "_key": chosen.context["key"]}
    url = reverse("admin:cases_case_bulk", args=["accept"])

    done = client.post(url, form)
    again = client.post(url, form)

    assert len(done.context["done"]) == 3
    assert [pk for _case, pk, _why in done.context["refused"]] == [rows[3].pk]
    assert len(again.context["done"]) == 3  # the same page sent twice answers the same
    assert CaseEvent.objects.filter(verb="accept").count() == 3
    assert {str(fresh(r).state) for r in rows[:3]} == {"awaiting_return"}


def test_a_bulk_step_without_the_right_changes_nothing(office, row):
    url = reverse("admin:cases_case_bulk", args=["accept"])
    response = office.client("warehouse").post(url, {"pk": [row.pk]})

    assert response.status_code == 403
    assert fresh(row).state == "applied"


def test_a_case_has_no_form_of_its_own(office, row):
    client = office.client("supervisor")
    before = Case.objects.values().get(pk=row.pk)

    assert client.post(reverse("admin:cases_case_change", args=[row.pk]), {}).status_code == 405
    assert client.get(reverse("admin:cases_case_add")).status_code == 403
    assert client.post(reverse("admin:cases_case_add"), {"state": "closed"}).status_code == 403
    assert client.post(reverse("admin:cases_case_delete", args=[row.pk])).status_code == 403
    assert Case.objects.values().get(pk=row.pk) == before
