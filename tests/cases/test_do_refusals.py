"""What ``do`` refuses: by a known code, naming the limit and what to do; nothing changes."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User

from cases.models import Case, CaseEvent, CaseLine, Evidence, Membership, Order, OrderLine
from cases.models import OrderStatus as Status
from tests.cases.command_desk import Walk, apply_for, at, open_office, open_shop, refused, run, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return open_office()


def everything():
    """All that must be the same after a refusal."""
    models = (Case, CaseEvent, CaseLine, Order, OrderLine, Evidence)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.fixture
def untouched():
    """Asserts at the end that nothing changed since it was called."""
    before = []
    yield lambda: before.append(everything())
    assert before
    assert everything() == before[0]


def opening(order_no="E1", **inputs):
    given = {"kind": "return_refund", "reason": "no_reason", "line": "1:1", **inputs}
    words = [f"{name}={value}" for name, value in given.items() if value is not None]
    return ["order", order_no, "open_case", "--as", "agent", "--at", at(5), "--set", *words]


@pytest.mark.parametrize(
    ("inputs", "code", "says"),
    [
        ({"line": "1:3"}, "quantity_exceeded", "2"),
        ({"line": "1:0"}, "bad_value", "1"),
        ({"line": "1:1.5"}, "bad_value", "1.5"),
        ({"line": "7:1"}, "unknown", "7"),
        ({"line": "1"}, "bad_value", "1:2"),
        ({"line": None}, "bad_value", "line"),
        ({"amount": "200.01"}, "amount_exceeded", "200.00"),
        ({"amount": "1.005"}, "bad_value", "0.01"),
        ({"amount": "-1"}, "bad_value", "0.00"),
        ({"amount": "NaN"}, "bad_value", "amount"),
        ({"freight": "10.01"}, "amount_exceeded", "10.00"),
        ({"reason": None}, "reason_required", "reason"),
        ({"reason": "bad_mood"}, "bad_value", "no_reason"),
        ({"reason": "late_dispatch"}, "bad_value", ""),
        ({"kind": "refund"}, "bad_value", "return_refund"),
        ({"kind": "refund_unshipped", "reason": "not_wanted"}, "wrong_state", "E1"),
        ({"colour": "red"}, "bad_value", "colour"),
        ({"applied_at": "yesterday"}, "bad_value", "yesterday"),
        ({"applied_at": "2026-02-30T10:00:00+08:00"}, "bad_value", "2026-02-30"),
        ({"applied_at": "2026-03-05T11:00:00+08:00"}, "bad_value", ""),
    ],
)
def test_an_application_that_cannot_be_is_refused(shop, untouched, inputs, code, says):
    sell(shop)
    untouched()

    refusal = refused(*opening(**inputs))

    assert refusal["code"] == code
    assert says in refusal["refused"]


def test_an_order_nobody_knows_is_refused(shop, untouched):
    untouched()

    assert refused(*opening("E404"))["code"] == "unknown"
    assert run("show", "order", "E404")[1]["code"] == "unknown"
    assert run("show", "case", "C404")[1]["code"] == "unknown"


def test_a_line_given_twice_is_refused(shop, untouched):
    sell(shop)
    untouched()

    assert refused(*opening(), "--set", "line=1:1")["code"] == "bad_value"


def test_an_input_given_twice_is_refused(shop, untouched):
    sell(shop)
    untouched()

    assert refused(*opening(), "--set", "kind=exchange")["code"] == "bad_value"


def test_a_second_open_case_on_a_line_is_refused(shop, untouched):
    number = apply_for(sell(shop), "return_refund", "no_reason", "1:1")
    untouched()

    refusal = refused(*opening())
    assert refusal["code"] == "open_case_exists"
    assert number in refusal["refused"]


def test_an_unpaid_order_has_nothing_to_settle(shop, untouched):
    sell(shop, status=Status.UNPAID)
    untouched()

    assert refused(*opening(kind="refund_unshipped", reason="not_wanted"))["code"] == "wrong_state"


def test_an_order_finished_too_long_ago_is_refused(shop, untouched):
    sell(shop, status=Status.FINISHED)
    untouched()
    words = opening(reason="other", kind="return_refund")
    words[words.index("--at") + 1] = at(30)

    assert refused(*words)["code"] == "window_closed"


def test_a_return_without_a_reason_is_refused_after_seven_days_and_for_excluded_goods(
    shop, untouched
):
    sell(shop)
    sell(shop, "E2", category="custom")
    untouched()
    late = opening()
    late[late.index("--at") + 1] = at(12, 0)

    assert refused(*late)["code"] == "window_closed"
    assert refused(*opening("E2"))["code"] == "excluded_goods"


def step(number, verb, who="agent", day=6, **inputs):
    words = ["case", number, verb, "--at", at(day)]
    words += ["--as", who] if who else []
    return [*words, "--set", *(f"{k}={v}" for k, v in inputs.items())] if inputs else words


TOO_KIND = {"kind": "cash", "amount": "20.01", "text": "x"}


@pytest.mark.parametrize(
    ("verb", "who", "inputs", "code", "says"),
    [
        ("pay", "finance", {"reference": "X1"}, "wrong_state", ""),
        ("accept", "warehouse", {}, "not_permitted", "warehouse"),
        ("accept", None, {}, "not_permitted", ""),
        ("accept_by_silence", None, {}, "wrong_state", "--as"),
        ("accept_by_silence", "supervisor", {}, "not_permitted", ""),
        ("accept", "nobody", {}, "unknown", "nobody"),
        ("accept", "agent", {"amount": "100.01"}, "bad_value_or_exceeded", ""),
        ("accept", "agent", {"amount": "12.345"}, "bad_value", "2"),
        ("accept", "agent", {"amount": "1e2x"}, "bad_value", "amount"),
        ("accept", "agent", {"return_address": "99"}, "bad_value", ""),
        ("accept", "agent", {"return_address": "9" * 30}, "bad_value", ""),
        ("accept", "agent", {"amount": "9" * 30}, "bad_value", ""),
        ("accept", "agent", {"text": "a\0b"}, "bad_value", ""),
        ("extend", "agent", {"days": "9" * 30}, "bad_value", ""),
        ("add_note", "agent", {"text": "x" * 2001}, "bad_value", "2000"),
        ("refuse", "agent", {"text": "No"}, "reason_required", "reason"),
        ("refuse", "agent", {"reason": "other"}, "reason_required", "text"),
        ("refuse", "agent", {"reason": "other", "text": "  "}, "reason_required", "text"),
        ("refuse", "agent", {"reason": "no_mood", "text": "x"}, "bad_value", "sent_already"),
        ("refuse", "agent", {"reason": "affects_resale", "text": "x"}, "evidence_required", ""),
        ("propose", "agent", {"text": "hm"}, "bad_value", ""),
        ("propose", "agent", {"remedy": "swap"}, "bad_value", "exchange"),
        ("request_mediation", "agent", {"party": "judge", "text": "x"}, "bad_value", "buyer"),
        ("assign", "lead", {"user": "outsider"}, "not_in_your_shop", "outsider"),
        ("assign", "lead", {"user": "ghost"}, "bad_value", "ghost"),
        ("assign", "lead", {}, "bad_value", ""),
        ("extend", "agent", {"days": "three"}, "bad_value", "days"),
        ("add_note", "agent", {}, "reason_required", "text"),
        ("add_evidence", "agent", {"party": "buyer"}, "evidence_required", "evidence"),
        ("compensate", "agent", TOO_KIND, "needs_approval", "20.00"),
        ("compensate", "agent", {"kind": "cash", "amount": "0", "text": "x"}, "bad_value", "0.01"),
        ("set_platform_due", "agent", {"due_at": "soon"}, "bad_value", "soon"),
        ("fly", "agent", {}, "unknown", "accept"),
        ("accept", "agent", {"speed": "1"}, "bad_value", "speed"),
    ],
)  # fmt: skip
def test_a_step_that_may_not_be_is_refused(shop, untouched, verb, who, inputs, code, says):
    number = apply_for(sell(shop), "return_refund", "not_as_described", "1:1")
    outsider = User.objects.create(username="outsider", is_staff=True)
    outsider.groups.add(Group.objects.get(name="agent"))
    untouched()

    refusal = refused(*step(number, verb, who, **inputs))

    codes = {"evidence_required", "amount_exceeded"} if code == "bad_value_or_exceeded" else {code}
    assert refusal["code"] in codes
    assert says in refusal["refused"]


def test_an_act_before_the_last_event_is_refused(shop, untouched):
    number = apply_for(sell(shop), "return_refund", "no_reason", day=5)
    untouched()

    assert refused(*step(number, "accept", day=4))["code"] == "bad_value"


def test_a_waybill_with_lost_digits_is_refused(shop, untouched):
    walk = Walk(apply_for(sell(shop), "return_refund", "no_reason"))
    walk("accept")
    untouched()

    refusal = refused(*step(walk.case_no, "ship_back", day=7, courier="YTO", waybill="7.31E+14"))
    assert refusal["code"] == "bad_value"
    assert "waybill" in refusal["refused"]


def test_more_pieces_accepted_than_came_are_refused(shop, untouched):
    walk = Walk(apply_for(sell(shop), "return_refund", "no_reason", "1:2"))
    walk("accept")
    walk("ship_back", courier="YTO", waybill="YT1")
    walk("receive", "warehouse", line="1:1")
    untouched()

    refusal = refused(*step(walk.case_no, "pass_inspection", "warehouse", day=10, line="1:2"))
    assert refusal["code"] == "quantity_exceeded"
    assert "1" in refusal["refused"]


def test_a_payout_of_another_sum_is_refused(shop, untouched):
    walk = Walk(apply_for(sell(shop, status=Status.PAID), "refund_unshipped", "not_wanted", "1:1"))
    walk("accept")
    untouched()

    words = step(walk.case_no, "pay", "finance", day=8, reference="P", amount="500.00")
    refusal = refused(*words)
    assert refusal["code"] == "amount_exceeded"
    assert "100.00" in refusal["refused"]


def test_nobody_approves_what_he_entered(shop, untouched):
    lead = User.objects.get(username="lead")
    lead.groups.add(Group.objects.get(name="supervisor"))
    order = sell(shop, lines=((1, "30000.00"),), status=Status.PAID)
    walk = Walk(apply_for(order, "refund_unshipped", "not_wanted"))
    assert walk("accept", "lead")["state"] == "awaiting_approval"
    untouched()

    assert refused(*step(walk.case_no, "approve", "lead", day=8))["code"] == "same_person"


def test_a_key_is_not_used_for_another_act(shop, untouched):
    number = apply_for(sell(shop), "return_refund", "no_reason")
    run("do", *step(number, "add_note", text="one"), "--key", "K")
    untouched()

    assert refused(*step(number, "add_note", text="two"), "--key", "K")["code"] == "key_reused"


@pytest.mark.parametrize("key", ["", "k" * 121])
def test_a_key_that_cannot_be_kept_is_refused(shop, untouched, key):
    number = apply_for(sell(shop), "return_refund", "no_reason")
    untouched()

    assert refused(*step(number, "add_note", text="one"), "--key", key)["code"] == "bad_value"


def test_the_case_of_another_shop_is_refused_and_not_shown(shop, untouched):
    number = apply_for(sell(shop), "return_refund", "no_reason")
    elsewhere = open_shop("s2", "douyin")
    stranger = User.objects.create(username="stranger", is_staff=True)
    stranger.groups.add(Group.objects.get(name="agent"))
    Membership.objects.create(shop=elsewhere, user=stranger)
    untouched()

    assert refused(*step(number, "accept", "stranger"))["code"] == "not_in_your_shop"
    assert run("show", "case", number, "--as", "stranger")[1]["code"] == "not_in_your_shop"
    assert run("show", "order", "E1", "--as", "stranger")[1]["code"] == "not_in_your_shop"
    opened = refused("order", "E1", "open_case", "--as", "stranger", *opening()[5:])
    assert opened["code"] == "not_in_your_shop"


def test_a_person_switched_off_acts_no_more(shop, untouched):
    number = apply_for(sell(shop), "return_refund", "no_reason")
    User.objects.filter(username="agent").update(is_active=False)
    untouched()

    assert refused(*step(number, "accept"))["code"] == "not_permitted"


def test_files_that_are_none_or_not_there_are_refused(shop, untouched, tmp_path):
    number = apply_for(sell(shop), "return_refund", "no_reason")
    (tmp_path / "a.png").write_text("no picture at all, whatever the name says")
    words = step(number, "add_evidence", party="buyer")
    untouched()

    assert refused(*words, "--file", f"evidence={tmp_path}/a.png")["code"] == "bad_value"
    assert refused(*words, "--file", f"evidence={tmp_path}/b.png")["code"] == "bad_value"
    assert refused(*step(number, "accept"), "--file", "evidence=a.png")["code"] == "bad_value"
    assert refused(*words, "--file", "a.png")["code"] == "bad_value"


@pytest.mark.parametrize(
    ("kind", "word"),
    [("claim", "claim"), ("invoice", "发票"), ("deposit", "deposit"), ("elephant", "elephant")],
)
def test_objects_there_are_none_of_are_refused_in_words(shop, kind, word):
    for words in (("show", kind, "1"), ("do", kind, "1", "accept")):
        code, refusal = run(*words)
        assert (code, refusal["code"]) == (2, "unknown")
        assert word in refusal["refused"]


def test_an_order_number_of_two_platforms_needs_its_shop(shop):
    sell(shop)
    sell(open_shop("s2", "douyin"), lines=((1, "7.00"),))

    assert run("show", "order", "E1")[1]["code"] == "bad_value"
    assert run("show", "order", "E1", "--shop", "s2")[1]["paid_amount"] == "17.00"


def test_the_future_is_not_swept_in_production(shop, settings):
    settings.IS_PRODUCTION = True

    code, refusal = run("enforce", "--now", "2099-01-01T00:00:00+08:00")
    assert (code, refusal["code"]) == (2, "bad_value")
    assert run("enforce", "--now", "2026-01-01T00:00:00+08:00")[0] == 0


class TestFromTheShell:
    """Real processes: JSON on the last line of standard output, words on standard error."""

    @staticmethod
    def manage(tmp_path, *words):
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "VAR_DIR": str(tmp_path),
            "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
            "SECRET_KEY": "x" * 60,
        }
        command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *words]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        last = (done.stdout.strip().splitlines() or ["{}"])[-1]
        return done.returncode, json.loads(last), done.stderr

    @pytest.mark.any_database
    def test_refusals_end_with_two_and_faults_with_one(self, tmp_path):
        code, result, words = self.manage(tmp_path, "show", "order", "E1")
        assert (code, result) == (1, {})
        assert "Traceback" in words or "no such table" in words

        assert self.manage(tmp_path, "migrate", "-v", "0")[0] == 0
        code, result, words = self.manage(tmp_path, "show", "order", "E1")
        assert (code, result["code"]) == (2, "unknown")
        assert result["refused"] in words

        code, result, words = self.manage(tmp_path, "do", "case", "X", "accept", "--at", "soon")
        assert (code, result["code"]) == (2, "bad_value")
        code, result, words = self.manage(tmp_path, "do", "case")
        assert (code, result["code"]) == (2, "bad_value")

        code, result, words = self.manage(tmp_path, "audit")
        assert (code, result["violations"]) == (0, [])
        assert result["checked"] > 0
        code, result, words = self.manage(tmp_path, "enforce")
        assert (code, result["due"], result["failed"]) == (0, 0, 0)
        assert self.manage(tmp_path, "report", "orders")[1]["orders"] == 0


def test_amounts_are_texts_with_two_decimals(shop):
    sell(shop, lines=((3, "100.00"),))
    number = apply_for(Order.objects.get(), "return_refund", "no_reason", "1:1")

    assert run("show", "case", number)[1]["amount_requested"] == "33.33"
    assert OrderLine.objects.get().reserved == Decimal("33.33")
