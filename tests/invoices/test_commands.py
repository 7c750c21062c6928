"""Invoices by ``do`` and ``show``, from the order to the red invoice, as a script would do it."""

import pytest

from invoices.models import Invoice, Policy
from tests.cases.command_desk import at, do, open_office, refused, run, sell

pytestmark = pytest.mark.django_db
BLUE = "26310000000000000001"
RED = "26310000000000000002"


@pytest.fixture
def order():
    """Paid on 1 March, signed for on the 4th: three pieces for 100.00, freight 10.00."""
    return sell(open_office(), lines=((3, "100.00"), (1, "50.00")))


def told(*words):
    """What a command answered that must not fail."""
    code, answer = run(*words)
    assert code == 0, answer
    return answer


def issue(order, *more, number=BLUE, kind="digital_general", day=5, who="finance"):
    return do(
        "order", order.order_no, "issue_invoice", "--as", who, "--at", at(day),
        "--set", f"number={number}", f"kind={kind}", *more,
    )  # fmt: skip


def act(verb, *words, day=6, who="finance", number=BLUE, key=()):
    given = ["--set", *words] if words else []
    return do("invoice", number, verb, "--as", who, "--at", at(day), *given, *key)


def no(verb, *words, day=6, who="finance", number=BLUE):
    given = ["--set", *words] if words else []
    return refused("invoice", number, verb, "--as", who, "--at", at(day), *given)["code"]


def allow_parts():
    Policy.objects.filter(of="partial_red").update(value="allow")


def test_from_the_order_to_the_red_invoice(order):
    allow_parts()
    blue = issue(order)

    assert (blue["number"], blue["kind"], blue["state"]) == (BLUE, "digital_general", "issued")
    assert (blue["total"], blue["tax"]) == ("160.00", "18.40")
    assert [
        (x["line_no"], x["quantity"], x["gross"], x["tax"], x["net"]) for x in blue["lines"]
    ] == [
        (1, "3", "100.00", "11.50", "88.50"),
        (2, "1", "50.00", "5.75", "44.25"),
        (3, "0", "10.00", "1.15", "8.85"),
    ]
    (brief,) = told("show", "order", order.order_no)["invoices"]
    assert (brief["number"], brief["state"], brief["total"]) == (BLUE, "issued", "160.00")

    asked = act("request_red", "reason=return", "line=1:1")
    (request,) = asked["requests"]
    assert (request["state"], request["gross"], request["tax"]) == ("submitted", "33.33", "3.83")
    assert (request["quantity"], request["number"], bool(request["serial"])) == ("1", None, True)
    assert asked["lines"][0]["reversed_gross"] == "0.00"
    waiting = act("confirm_red", "state=02")
    assert (waiting["requests"][0]["state"], waiting["requests"][0]["due_at"]) == ("waiting", at(9))
    assert act("confirm_red", "state=04", day=7)["requests"][0]["state"] == "effective"
    done = act("record_red", f"number={RED}", day=7)

    assert (done["state"], done["requests"][0]["state"]) == ("partly_red", "issued")
    assert done["requests"][0]["number"] == RED
    first = done["lines"][0]
    assert (first["reversed_quantity"], first["reversed_gross"], first["reversed_tax"]) == (
        "1",
        "33.33",
        "3.83",
    )
    assert [(r["number"], r["gross"], r["net"]) for r in done["reds"]] == [
        (RED, "-33.33", "-29.50")
    ]
    red = told("show", "invoice", RED)
    assert (red["state"], red["blue_number"], red["total"]) == ("red", BLUE, "-33.33")
    assert told("audit")["violations"] == []


def test_under_the_policy_the_remainder_is_issued_by_the_same_verb(order):
    issue(order)
    act("request_red", "reason=return", "line=1:1")
    done = act("record_red", f"number={RED}")

    assert (done["state"], done["requests"][0]["whole_instead"]) == ("fully_red", True)
    assert [(t["kind"], t["state"], t["next"]) for t in done["treatments"]] == [
        ("reissue", "open", "reissue")
    ]
    anew = act("reissue", "number=26310000000000000003", day=7)
    assert anew["treatments"][0]["state"] == "done"
    assert told("show", "invoice", "26310000000000000003")["total"] == "126.67"
    assert told("audit")["violations"] == []


def test_repeated_with_its_key_an_act_happens_once(order):
    allow_parts()
    first = issue(order, "--key", "i1")
    assert issue(order, "--key", "i1")["number"] == first["number"]
    asked = act("request_red", "reason=return", "line=1:1", key=("--key", "r1"))
    again = act("request_red", "reason=return", "line=1:1", key=("--key", "r1"))

    assert len(again["requests"]) == len(asked["requests"]) == 1
    act("record_red", f"number={RED}", key=("--key", "x1"))
    act("record_red", f"number={RED}", key=("--key", "x1"))
    act("record_red", f"number={RED}")
    assert Invoice.objects.count() == 2


def test_bad_input_is_refused_by_name_with_what_is_allowed(order):
    wrong = refused(
        "order", order.order_no, "issue_invoice", "--as", "finance", "--at", at(5),
        "--set", "number=123", "kind=digital_general",
    )  # fmt: skip
    assert wrong["code"] == "bad_value"
    assert "20" in wrong["refused"]
    issue(order)

    assert no("request_red", "reason=return", "line=1:4") == "quantity_exceeded"
    assert no("request_red", "reason=return", "line=9:1") == "unknown"
    assert no("request_red", "reason=return", "line=1:x") == "bad_value"
    assert no("request_red", "reason=allowance", "amount=1.005") == "bad_value"
    assert no("request_red", "reason=allowance", "amount=999") == "amount_exceeded"
    assert no("request_red", "line=1:1") == "reason_required"
    assert no("record_red", f"number={RED}") == "wrong_state"
    assert no("confirm_red", "state=04") == "wrong_state"
    assert no("burn") == "unknown"
    assert no("request_red", "reason=error", day=4) == "bad_value"
    assert no("request_red", "reason=error", who="warehouse") == "not_permitted"
    assert no("record_red", f"number={RED}", number="404") == "unknown"
    act("request_red", "reason=error")
    assert no("request_red", "reason=error") == "already_requested"
    act("record_red", f"number={RED}", day=7)
    assert no("request_red", "reason=error", number=RED, day=8) == "wrong_state"


def test_the_authoritys_answer_may_come_without_a_person_but_not_a_request(order):
    issue(order)
    act("request_red", "reason=error")

    assert refused("invoice", BLUE, "request_red", "--set", "reason=error")["code"] in {
        "not_permitted",
        "already_requested",
    }
    said = do("invoice", BLUE, "confirm_red", "--at", at(7), "--set", "state=01")
    assert said["requests"][0]["state"] == "effective"


def test_the_clock_asks_and_the_audit_is_content(order):
    issue(order)
    act("request_red", "reason=error")
    act("confirm_red", "state=03")

    swept = told("enforce", "--now", at(12))

    assert swept["failed"] == 0
    assert told("show", "invoice", BLUE)["requests"][0]["state"] == "waiting"
    assert act("confirm_red", "state=07", day=13)["requests"][0]["state"] == "dead"
    assert told("audit")["violations"] == []
