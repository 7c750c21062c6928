"""The form of each step reads text into exactly what the step takes, for commands and pages."""

import inspect
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from cases.flow.door import Actor
from cases.forms import STEP_FORMS, OpenCaseForm
from cases.models import Case, Order, ReturnAddress
from tests.cases.command_desk import apply_for, open_office, sell

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def case():
    order = sell(open_office(), lines=((2, "200.00"), (3, "90.00")))
    number = apply_for(order, "return_refund", "no_reason", "1:2", "2:1")
    return Case.objects.select_related("shop").get(case_no=number)


def posted(verb, case, query, files=None):
    return STEP_FORMS[verb](QueryDict(query), files, case=case, actor=Actor.system())


def line_pk(case, number):
    return case.order.lines.get(line_no=number).pk


@pytest.mark.parametrize("verb", STEP_FORMS)
def test_a_form_has_the_inputs_of_its_step_and_no_other(verb):
    parameters = set(inspect.signature(getattr(Case, verb)).parameters) - {"self"}

    assert set(STEP_FORMS[verb].base_fields) == parameters


def test_every_step_has_a_form():
    assert list(STEP_FORMS) == list(Case.steps())


def test_every_input_has_a_label_and_renders(case):
    for verb, form_class in STEP_FORMS.items():
        form = form_class(None, None, case=case, actor=Actor.system())
        assert all(str(field.label or "") for field in form.fields.values()), verb
        assert form.as_p() is not None


def test_money_is_read_to_the_cent(case):
    form = posted("accept", case, "amount=12.5&text=+fine+")

    assert form.is_valid()
    assert form.inputs() == {"amount": Decimal("12.50"), "text": "fine"}
    assert str(form.inputs()["amount"]) == "12.50"


def test_an_amount_of_nothing_is_an_amount(case):
    form = posted("accept", case, "amount=0")

    assert form.is_valid()
    assert form.inputs() == {"amount": Decimal("0.00")}


def test_the_shops_default_address_is_taken_where_goods_come_back(case):
    home = ReturnAddress.objects.create(
        shop=case.shop, name="W", phone="1", address="Road 1", default=True
    )

    form = posted("accept", case, "")
    assert form.is_valid()
    assert form.inputs() == {"return_address": home}


def test_pieces_are_named_by_line_or_sub_order_number(case):
    form = posted("receive", case, "line=1:2&line=E1-S2:0")

    assert form.is_valid(), form.errors
    assert form.inputs() == {"line": {line_pk(case, 1): 2, line_pk(case, 2): 0}}


def test_a_page_may_give_pieces_in_one_input_per_line(case):
    form = posted("receive", case, "line_1=1&line_2=")

    assert form.is_valid(), form.errors
    assert form.inputs() == {"line": {line_pk(case, 1): 1}}


def test_what_was_entered_is_still_there_after_a_refusal(case):
    form = posted("pass_inspection", case, "line_1=x&line_2=1&disposition=scrap")

    assert not form.is_valid()
    page = str(form["line"])
    assert 'name="line_1"' in page
    assert 'value="x"' in page
    assert 'value="1"' in page


def test_the_title_of_a_line_cannot_write_into_the_page(case):
    case.order.lines.filter(line_no=1).update(title="<script>alert(1)</script>")
    form = STEP_FORMS["receive"](None, None, case=case, actor=Actor.system())

    assert "<script>" not in str(form["line"])


def test_serial_numbers_are_gathered_by_line(case):
    form = posted("dispatch", case, "courier=SF&waybill=SF1&serial=1:A&serial=1:B&serial_2=C D")

    assert form.is_valid(), form.errors
    assert form.inputs()["serial"] == {line_pk(case, 1): ["A", "B"], line_pk(case, 2): ["C", "D"]}


def test_a_moment_without_offset_is_meant_in_the_shops_zone(case):
    form = posted("set_platform_due", case, "due_at=2026-03-09T12:00")

    assert form.is_valid()
    assert form.inputs() == {"due_at": datetime(2026, 3, 9, 12, tzinfo=SHANGHAI)}


def test_a_missing_reason_is_told_by_its_own_code(case):
    form = posted("refuse", case, "text=no")

    assert not form.is_valid()
    assert form.refusal().code == "reason_required"


def test_a_person_of_another_shop_is_no_owner(case, django_user_model):
    django_user_model.objects.create(username="stranger")
    form = posted("assign", case, "user=stranger")

    assert not form.is_valid()
    assert form.refusal().code == "not_in_your_shop"


def test_an_emptied_owner_means_nobody(case):
    form = posted("assign", case, "user=")

    assert form.is_valid()
    assert form.inputs() == {}


def test_an_application_is_read_into_what_the_verb_takes():
    order = sell(open_office(), lines=((2, "200.00"),))
    data = MultiValueDict(
        {"kind": ["exchange"], "reason": ["not_wanted"], "line": ["E1-S1:2"], "amount": [""]}
    )

    form = OpenCaseForm(data, order=Order.objects.get(), actor=Actor.system())
    assert form.is_valid(), form.errors
    inputs = form.inputs()
    assert inputs["reason"].code == "not_wanted"
    assert {**inputs, "reason": None} == {"kind": "exchange", "reason": None, "lines": [(1, 2)]}
    assert order.pk == Order.objects.get().pk
