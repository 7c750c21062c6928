"""Rows read in bulk are what Django would have read; a sweep's queries do not grow with rows."""

from decimal import Decimal

import pytest
from django.db import connection, models
from django.db.models.signals import post_init, pre_init  # noqa: TID251 - asked who listens
from django.test.utils import CaptureQueriesContext

from cases.flow.sweep import enforce
from cases.models import Case, CaseLine, Order, OrderLine
from tests.factories import DAY, T0, furnished

READ_IN_BULK = (Case, CaseLine, Order, OrderLine)
#: Every state whose clock takes a step, by the kind of the case.
CLOCKED = (
    ("applied", "refund_unshipped"),
    ("applied", "return_refund"),
    ("intercepting", "refund_in_transit"),
    ("awaiting_return", "return_refund"),
    ("returning", "return_refund"),
    ("returning", "exchange"),
    ("inspecting", "return_refund"),
    ("inspecting", "exchange"),
    ("inspecting", "repair"),
    ("awaiting_receipt", "exchange"),
    ("negotiating", "return_refund"),
    ("refused", "return_refund"),
    ("mediating", "return_refund"),
    ("refunding", "refund_received"),
)


@pytest.fixture
def house(db):
    return furnished()


@pytest.mark.parametrize("model", READ_IN_BULK)
def test_a_row_holds_what_the_table_holds(house, model):
    house.case_in("refunding")
    names = [f.attname for f in model._meta.concrete_fields]
    row, values = model.objects.latest("pk"), model.objects.values(*names).latest("pk")
    assert {name: getattr(row, name) for name in names} == values
    assert not row._state.adding
    assert row._state.db == "default"


@pytest.mark.parametrize("model", READ_IN_BULK)
def test_nobody_waits_for_every_new_object(model):
    assert not pre_init.has_listeners(model)
    assert not post_init.has_listeners(model)
    assert not any(isinstance(f, models.FileField) for f in model._meta.concrete_fields)


def test_a_column_left_out_is_read_when_asked_for(house):
    kept = house.paid_order()
    order = Order.objects.only("paid_amount").get(pk=kept.pk)
    assert order.get_deferred_fields() == {
        f.attname for f in Order._meta.concrete_fields if f.name not in ("id", "paid_amount")
    }
    assert order.paid_amount == kept.paid_amount
    assert order.order_no == kept.order_no


def test_a_saved_order_keeps_the_columns_it_was_read_without(house):
    kept = house.paid_order()
    Order.objects.filter(pk=kept.pk).update(waybill="SF1")
    order = Order.objects.only("paid_amount", "freight_paid").get(pk=kept.pk)
    order.freight_paid = Decimal("7.00")
    order.save()
    again = Order.objects.get(pk=kept.pk)
    assert (again.freight_paid, again.waybill) == (Decimal("7.00"), "SF1")


@pytest.mark.parametrize(("state", "kind"), CLOCKED)
def test_a_sweep_of_many_asks_as_often_as_a_sweep_of_few(house, state, kind):
    """A column that a step of the clock reads and the sweep left out would cost a query a case."""
    house.case_in(state, kind)
    with CaptureQueriesContext(connection):  # what is read once and kept
        assert enforce(T0 + 90 * DAY)["due"]
    house.case_in(state, kind)
    with CaptureQueriesContext(connection) as few:
        one = enforce(T0 + 90 * DAY)
    for _n in range(4):
        house.case_in(state, kind)
    with CaptureQueriesContext(connection) as many:
        four = enforce(T0 + 90 * DAY)
    assert (one["due"], four["due"]) == (1, 4)
    assert (one["failed"], four["failed"]) == (0, 0)
    assert len(many) == len(few)
