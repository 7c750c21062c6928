"""Events are written once: the database refuses changes, and the chain shows what got past it."""

# ruff: noqa: S608 - the names of tables and columns are our own

import pytest
from django.db import IntegrityError, connection, transaction

from cases.auditing import audit
from cases.flow.events import (
    append_only_tables,
    broken_links,
    drop_triggers,
    expected_triggers,
    install_triggers,
    standing_triggers,
)
from cases.models import Case, CaseEvent
from tests.factories import T0, furnished

TABLES = ("cases_caseevent", "cases_refundpart", "cases_approval", "cases_compensation")


@pytest.fixture
def case(db):
    house = furnished()
    case = house.case_in("completed")
    case = house.act(case, "compensate", kind="coupon", amount=1)
    house.case_in("awaiting_approval")
    return house.act(house.case_in("awaiting_approval"), "approve", "supervisor") and case


def run(sql, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def tamper(sql, *values):
    """What somebody does who can lift the triggers."""
    with connection.cursor() as cursor:
        for statement in drop_triggers(connection.vendor):
            cursor.execute(statement)
        cursor.execute(sql, values)
    install_triggers(connection)


def found():
    return {v["what"] for v in audit(T0).violations}


@pytest.mark.parametrize("table", TABLES)
def test_rows_of_append_only_tables_are_neither_changed_nor_deleted(case, table):
    assert table in append_only_tables()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT MAX(id) FROM {table}")
        (pk,) = cursor.fetchone()
    assert pk
    column = {"cases_caseevent": "note", "cases_approval": "text", "cases_compensation": "text"}
    name = column.get(table, "amount")
    with pytest.raises(IntegrityError, match="append-only"):
        run(f"UPDATE {table} SET {name} = {name} WHERE id = %s", pk)
    with pytest.raises(IntegrityError, match="append-only"):
        run(f"DELETE FROM {table} WHERE id = %s", pk)
    if connection.vendor == "sqlite":
        with pytest.raises(IntegrityError, match="append-only"):
            run(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE id = %s", pk)
    else:
        connection.check_constraints()  # TRUNCATE is not even tried while checks are outstanding
        with pytest.raises(IntegrityError, match="append-only"):
            run(f"TRUNCATE {table} CASCADE")


def test_the_orm_cannot_do_it_either(case):
    event = case.events.first()
    event.note = "別の話"
    for change in (
        event.save,
        event.delete,
        case.events.all().delete,
        lambda: CaseEvent.objects.filter(pk=event.pk).update(note="x"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_every_append_only_table_has_its_triggers(case):
    assert expected_triggers(connection.vendor) <= standing_triggers(connection)
    with connection.cursor() as cursor:
        cursor.execute(drop_triggers(connection.vendor, ["cases_caseevent"])[0])
    assert found() == {"trigger_missing"}
    install_triggers(connection)
    assert found() == set()


def test_an_unharmed_chain_holds(case):
    events = list(case.events.order_by("seq"))
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert [e.prev for e in events] == ["", *(e.hash for e in events[:-1])]
    assert broken_links(events, case.seq, case.head) == []
    assert found() == set()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("note", "'nothing was said'"),
        ("at", "'2020-01-01 00:00:00'"),
        ("verb", "'convert'"),
        ("target", "'closed'"),
        ("user_id", "NULL"),
        ("channel", "'clock'"),
        ("late", "TRUE"),
    ],
)
def test_a_changed_event_is_found(case, column, value):
    second = case.events.get(seq=2)
    tamper(f"UPDATE cases_caseevent SET {column} = {value} WHERE id = %s", second.pk)
    assert found() == {"event_changed"}
    assert broken_links(list(case.events.order_by("seq")), case.seq, case.head)


def test_an_event_taken_out_of_the_middle_is_found(case):
    tamper("DELETE FROM cases_caseevent WHERE id = %s", case.events.get(seq=2).pk)
    assert found() == {"chain_cut"}


def test_a_tail_cut_off_is_found(case):
    tamper("DELETE FROM cases_caseevent WHERE id = %s", case.events.last().pk)
    assert found() == {"chain_cut"}
    events = list(case.events.order_by("seq"))
    assert broken_links(events, case.seq, case.head)


def test_a_state_written_past_the_door_is_found(case):
    Case.objects.filter(pk=case.pk).update(state="refunding", finished_at=None)
    assert "state_not_folded" in found()


def test_inputs_are_part_of_the_chain(case):
    paid = case.events.get(verb="pay")
    assert paid.inputs["reference"] == "R1"
    paid.inputs["reference"] = "R2"
    assert paid.seal() != paid.hash
