"""``audit`` finds each kind of damage that somebody with the database in hand could do."""

import json
from datetime import datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cases.auditing import audit
from cases.flow import clock
from cases.flow.events import drop_triggers, install_triggers
from cases.models import Case, CaseEvent, OrderStatus
from tests.cases.command_desk import Walk, apply_for, at, open_office, run, sell

pytestmark = pytest.mark.django_db


def execute(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.rowcount


@pytest.fixture(scope="module")
def office(django_db_setup, django_db_blocker):
    """A paid return with compensation, an approved refund, an open case of another order."""
    with django_db_blocker.unblock(), transaction.atomic():
        shop = open_office()
        returned = Walk(apply_for(sell(shop, "E1"), "return_refund", "no_reason", "1:1"))
        returned("accept")
        returned("ship_back", courier="YTO", waybill="YT1")
        returned("receive", "warehouse")
        returned("pass_inspection", "warehouse")
        returned("compensate", kind="coupon", amount="5.00", text="sorry")
        returned("pay", "finance", reference="PAY1")
        dear = sell(shop, "E2", lines=((1, "6000.00"),), status=OrderStatus.PAID)
        approved = Walk(apply_for(dear, "refund_unshipped", "not_wanted"))
        approved("accept")
        approved("approve", "supervisor")
        waiting = apply_for(sell(shop, "E3"), "return_refund", "no_reason", "1:1")
        assert audit().violations == []
        yield {"paid": returned.case_no, "due": approved.case_no, "open": waiting}
        transaction.set_rollback(True)


@pytest.fixture
def desk(office, db):
    """The office; what a test does to it is undone."""
    return office


@pytest.fixture
def no_triggers():
    for statement in drop_triggers(connection.vendor):
        execute(statement)
    yield
    install_triggers(connection)


@pytest.fixture
def no_checks():
    """Lift what the database itself would refuse."""
    if connection.vendor == "sqlite":
        execute("PRAGMA ignore_check_constraints = ON")
        yield
        execute("PRAGMA ignore_check_constraints = OFF")
        return
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else ALTER TABLE meets pending ones
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint "
            "WHERE contype = 'c' AND conrelid::regclass::text LIKE 'cases_%'"
        )
        for table, name in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    yield


def found():
    """Kinds of violations, without those about triggers that the test itself lifted."""
    return {v["what"] for v in audit().violations} - {"trigger_missing"}


#: What a hand does, to which case's rows, and what the audit says at least.
DAMAGE = [
    ("cases_orderline SET held = 1 WHERE held = 0 AND gone = 1", "", "pieces_not_summed"),
    ("cases_orderline SET gone = 0 WHERE gone = 1", "", "pieces_not_summed"),
    ("cases_orderline SET held = 2 WHERE gone = 1", "", "more_pieces_than_bought"),
    ("cases_orderline SET reserved = reserved + 1", "", "money_not_summed"),
    ("cases_orderline SET refunded = refunded - 1 WHERE refunded > 0", "", "money_not_summed"),
    ("cases_orderline SET paid_amount = 1 WHERE refunded > 0", "", "more_money_than_paid"),
    ("cases_order SET freight_refunded = 1 WHERE order_no = 'E1'", "", "freight_not_summed"),
    ("cases_order SET paid_amount = 1 WHERE order_no = 'E1'", "", "order_refunded_above_paid"),
    ("cases_order SET external_refunded = 1 WHERE order_no = 'E3'", "", "external_not_summed"),
    ("cases_case SET refunded = refunded + 1 WHERE id = %s", "paid", "case_refund_not_summed"),
    ("cases_case SET compensation = 0 WHERE id = %s", "paid", "compensation_not_summed"),
    ("cases_case SET cleared = 0 WHERE id = %s", "due", "not_cleared"),
    ("cases_case SET due_at = applied_at WHERE id = %s", "paid", "clock_wrong"),
    ("cases_case SET finished_at = NULL WHERE id = %s", "paid", "clock_wrong"),
    ("cases_case SET due_at = NULL WHERE id = %s", "open", "clock_wrong"),
    ("cases_case SET state = 'refunding' WHERE id = %s", "open", "state_not_folded"),
    ("cases_case SET state = 'refunding' WHERE id = %s", "open", "refund_row_wrong"),
    ("cases_case SET seq = seq + 1 WHERE id = %s", "open", "chain_cut"),
    ("cases_case SET order_id = order_id - 1 WHERE id = %s", "open", "line_of_another_order"),
    ("cases_caseline SET held = 0 WHERE case_id = %s", "open", "open_mark_wrong"),
    ("cases_refund SET amount = amount + 1 WHERE case_id = %s", "paid", "refund_parts_not_summed"),
    ("cases_refund SET state = 'due' WHERE case_id = %s", "paid", "case_refund_not_summed"),
    ("cases_refund SET state = 'paid' WHERE case_id = %s", "due", "refund_row_wrong"),
    ("cases_refundpart SET amount = amount + 1", "", "refund_parts_not_summed"),
    ("cases_refundpart SET amount = amount + 1", "", "line_parts_not_summed"),
    ("cases_refundpart SET amount = amount + 1", "", "payment_not_summed"),
    ("cases_payment SET refunded = 0 WHERE refunded > 0", "", "payment_not_summed"),
    ("cases_approval SET entered_by_id = by_id", "", "approved_by_the_enterer"),
    ("cases_caseevent SET note = 'x' WHERE case_id = %s AND seq = 2", "paid", "event_changed"),
    ("cases_caseevent SET seq = 40 WHERE case_id = %s AND seq = 3", "paid", "chain_cut"),
]
GONE = [
    ("cases_approval", "", "approval_without_row"),
    ("cases_caseevent WHERE case_id = %s AND seq = 3", "paid", "chain_cut"),
    ("cases_caseevent WHERE case_id = %s AND seq = 7", "paid", "chain_cut"),
    ("cases_compensation", "", "compensation_not_summed"),
]


def case_of(desk, whose):
    return [Case.objects.get(case_no=desk[whose]).pk] if whose else []


@pytest.mark.parametrize(("what", "whose", "kind"), DAMAGE)
def test_rows_changed_by_hand_are_found_and_named(desk, no_triggers, no_checks, what, whose, kind):
    assert execute(f"UPDATE {what}", *case_of(desk, whose)) > 0

    assert kind in found()
    assert run("audit")[0] == 2


@pytest.mark.parametrize(("what", "whose", "kind"), GONE)
def test_rows_taken_away_are_found_and_named(desk, no_triggers, what, whose, kind):
    assert execute(f"DELETE FROM {what}", *case_of(desk, whose)) > 0  # noqa: S608

    assert kind in found()


def test_two_open_cases_on_one_line_are_found(desk):
    execute("DROP INDEX one_open_case_per_order_line")
    execute(
        "UPDATE cases_caseline SET open = %s, order_line_id = (SELECT l.order_line_id FROM "
        "cases_caseline l JOIN cases_case c ON c.id = l.case_id WHERE c.case_no = %s) "
        "WHERE case_id = (SELECT id FROM cases_case WHERE case_no = %s)",
        True,
        desk["open"],
        desk["paid"],
    )

    assert {"two_open_cases", "open_mark_wrong", "line_of_another_order"} <= found()


def rewrite(number, **changes):
    """Write a case's last event anew with a hash that fits, as a clever hand would."""
    case = Case.objects.get(case_no=number)
    event = CaseEvent.objects.get(case=case, seq=case.seq)
    for name, value in changes.items():
        setattr(event, name, value)
    sealed = event.seal()
    table = CaseEvent.objects.filter(pk=event.pk)
    table.update(**changes, hash=sealed)
    Case.objects.filter(pk=case.pk).update(head=sealed)


@pytest.mark.parametrize(
    "changes",
    [
        {"verb": "approve"},
        {"verb": "open_case"},
        {"source": "closed"},
        {"target": "refused"},
        {"user": None, "channel": "clock"},
        {"at": "2026-03-01T00:00:00+00:00"},
    ],
)
def test_a_history_written_anew_with_fitting_hashes_must_still_be_a_possible_one(
    desk, no_triggers, changes
):
    changes = dict(changes)
    if "at" in changes:
        changes["at"] = datetime.fromisoformat(changes["at"])
    before = audit().heads
    rewrite(desk["paid"], **changes)

    result = audit()
    assert "edge_not_allowed" in {v["what"] for v in result.violations}
    assert result.heads != before


def test_missing_triggers_are_found(desk, no_triggers):
    missing = [v for v in audit().violations if v["what"] == "trigger_missing"]

    assert "cases_caseevent_no_update" in {v["object"] for v in missing}


def pretend_all_was_recorded_long_ago():
    """The wall clock of recording is one that no act can set."""
    for statement in drop_triggers(connection.vendor):
        execute(statement)
    long_ago = datetime.fromisoformat(at(1))
    for case in Case.objects.all():
        prev = ""
        for event in CaseEvent.objects.filter(case=case).order_by("seq"):
            event.recorded_at, event.prev = long_ago, prev
            prev = event.seal()
            CaseEvent.objects.filter(pk=event.pk).update(
                recorded_at=long_ago, prev=event.prev, hash=prev
            )
        Case.objects.filter(pk=case.pk).update(head=prev)
    install_triggers(connection)


def test_a_case_past_its_time_is_found_unless_somebody_was_told(desk):
    late = datetime.fromisoformat(at(30))
    pretend_all_was_recorded_long_ago()

    assert {v["what"] for v in audit(late).violations} == {"overdue_unmarked"}
    run("enforce", "--now", at(30))
    assert audit(late).violations == []


def test_a_case_recorded_only_now_is_given_time_for_the_sweep(desk):
    with clock.standing_at(datetime.fromisoformat(at(30))):
        assert audit().violations == []


def test_the_audit_prints_what_it_checked_and_one_digest(desk):
    code, result = run("audit")

    assert code == 0
    assert set(result) == {"checked", "violations", "heads"}
    assert result["checked"] > 50
    assert len(result["heads"]) == 64
    assert json.loads(json.dumps(result)) == result


def test_the_audit_asks_as_many_questions_of_few_rows_as_of_many(desk):
    with CaptureQueriesContext(connection) as few:
        audit()
    shop = Case.objects.first().shop
    for number in range(5):
        apply_for(sell(shop, f"M{number}"), "return_refund", "no_reason")
    with CaptureQueriesContext(connection) as many:
        audit()

    assert len(many) == len(few)


def test_an_audit_changes_nothing(desk):
    before = list(Case.objects.order_by("pk").values())
    audit()

    assert list(Case.objects.order_by("pk").values()) == before
