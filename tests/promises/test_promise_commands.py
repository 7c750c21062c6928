"""Claims and deposits by ``do`` and ``show``, from breach to money, as a script would do it."""

import pytest

from promises.models import Claim, Entry
from tests.cases.command_desk import at, do, open_office, refused, run, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    """Paid on 1 March 10:00, shipped on the 2nd, signed for on the 4th."""
    order = sell(open_office(), lines=((1, "333.33"), (1, "100.00")))
    order.lines.update(promises="fake_triple;free_return")
    return order


def put_in(amount: str = "5000.00", day: int = 5, *more: str):
    return do(
        "deposit", "s1", "top_up", "--as", "finance", "--at", at(day),
        "--set", f"amount={amount}", "reference=T1", *more,
    )  # fmt: skip


def file(order, *words: str, day: int = 6, who: str = "agent", promise: str = "fake_triple"):
    return do(
        "order", order.order_no, "file_claim", "--as", who, "--at", at(day),
        "--set", f"promise={promise}", "line=1", *words,
    )  # fmt: skip


def act(claim_no: str, verb: str, day: int, who: str = "lead", *words: str):
    given = ["--set", *words] if words else []
    return do("claim", claim_no, verb, "--as", who, "--at", at(day), *given)


def test_a_claim_from_filing_to_the_platforms_ruling(order):
    put_in()
    claim = file(order, "freight_out=8.00", "freight_back=12.00", "text=鉴定为假")

    assert claim["state"] == "filed"
    assert claim["amount"] == "1019.99"
    assert claim["working"]["parts"] == {
        "refund": "333.33",
        "compensation": "666.66",
        "freight_out": "8.00",
        "freight_back": "12.00",
    }
    assert claim["due_at"] == at(9)
    no = claim["claim_no"]
    assert act(no, "contest", 7, "lead", "text=不认可")["state"] == "contested"
    held = act(no, "adjudicate", 8)
    assert (held["state"], held["frozen"]) == ("adjudicating", "1019.99")
    assert refused("claim", no, "uphold", "--as", "lead", "--at", at(9))["code"] == (
        "evidence_required"
    )
    paid = act(no, "uphold", 9, "lead", "report=CTI-2026-1")
    assert (paid["state"], paid["paid"], paid["due_at"]) == ("paid", "1019.99", None)
    assert [e["verb"] for e in paid["events"]] == ["file_claim", "contest", "adjudicate", "uphold"]
    assert [e["kind"] for e in paid["entries"]] == ["freeze", "pay"]

    code, shown = run("show", "deposit", "s1")
    assert code == 0
    assert {k: shown[k] for k in ("available", "frozen", "paid", "owed", "status")} == {
        "available": "3980.01",
        "frozen": "0.00",
        "paid": "1019.99",
        "owed": "0.00",
        "status": "ok",
    }
    assert set(shown["entries"][0]) >= {
        "at", "kind", "amount", "available_after", "frozen_after", "key",
    }  # fmt: skip
    assert run("show", "order", order.order_no)[1]["claims"][0]["claim_no"] == no
    assert run("audit")[1]["violations"] == []


def test_a_debt_its_stages_and_the_top_up_that_ends_them(order):
    no = file(order)["claim_no"]
    owed = act(no, "accept", 6, "supervisor")
    assert (owed["state"], owed["owed"]) == ("owed", "999.99")
    shown = run("show", "deposit", "s1")[1]
    assert (shown["status"], shown["due_at"]) == ("notified", at(9))

    assert run("enforce", "--now", at(9))[1]["acted"] == 1
    assert run("show", "deposit", "s1")[1]["status"] == "suspended"
    run("enforce", "--now", at(11))
    assert run("show", "deposit", "s1")[1]["status"] == "blocked"
    done = put_in("1000.00", 12)
    assert (done["status"], done["available"], done["owed"]) == ("ok", "0.01", "0.00")
    shown = run("show", "claim", no)[1]
    last = shown["events"][-1]
    assert (shown["state"], last["verb"], last["actor"]) == ("paid", "settle", "system")
    assert run("audit")[1]["violations"] == []


def test_without_a_name_only_the_clock_acts_and_only_when_the_time_is_up(order):
    no = file(order)["claim_no"]

    for verb in ("accept", "contest", "withdraw"):
        words = ["--set", "text=x"] if verb == "contest" else []
        code = refused("claim", no, verb, "--at", at(7), *words)["code"]
        assert code in {"not_permitted", "wrong_state"}
    assert Claim.objects.get().seq == 1
    assert refused("claim", no, "settle", "--set", "amount=1")["code"] == "unknown"


def test_a_key_repeats_the_first_answer(order):
    words = ("--key", "k1")
    first = file(order, *[], day=6)
    act_words = ["--as", "lead", "--at", at(7), "--set", "text=x"]
    do("claim", first["claim_no"], "contest", *act_words, *words)
    do("claim", first["claim_no"], "contest", *act_words, *words)
    assert Claim.objects.get().seq == 2
    for _ in range(2):
        put_in("10.00", 8, "--key", "bank")
    assert Entry.objects.count() == 1
    other = ["--as", "finance", "--at", at(8), "--set", "amount=11.00", "reference=T1"]
    assert refused("deposit", "s1", "top_up", *other, "--key", "bank")["code"] == "key_reused"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("promise=quality", "line=1"), "not_eligible"),
        (("promise=nonsense", "line=1"), "bad_value"),
        (("promise=fake_triple", "line=9"), "unknown"),
        (("promise=fake_triple", "line=1", "amount=5"), "bad_value"),
        (("promise=fake_triple", "line=1", "freight_out=-1"), "bad_value"),
        (("promise=fake_triple", "line=1", "freight_out=1.001"), "bad_value"),
        (("promise=fake_triple",), "bad_value"),
        (("promise=fake_triple", "line=1", "extra=1"), "bad_value"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(order, words, code):
    asked = ["--as", "agent", "--at", at(6), "--set", *words]

    assert refused("order", order.order_no, "file_claim", *asked)["code"] == code
    assert Claim.objects.count() == 0


def test_deposits_refuse_what_is_not_there(order):
    words = ["--as", "finance", "--at", at(6), "--set", "reference=W1"]

    assert refused("deposit", "s1", "withdraw", *words, "amount=0.01")["code"] == (
        "insufficient_deposit"
    )
    assert refused("deposit", "s1", "top_up", *words, "amount=0")["code"] == "bad_value"
    assert refused("deposit", "nowhere", "top_up", *words, "amount=1")["code"] == "unknown"
    assert refused("deposit", "s1", "burn", *words)["code"] == "unknown"
    assert refused("claim", "C0", "accept", "--as", "lead")["code"] == "unknown"
    assert run("show", "deposit", "s1")[1]["entries"] == []
    assert run("show", "claim", "C0")[0] == 2


def test_the_required_sum_is_set_by_finance(order):
    put_in("100.00")
    words = ["--set", "amount=60.00"]

    shown = do("deposit", "s1", "require", "--as", "finance", *words)

    assert (shown["required"], shown["withdrawable"]) == ("60.00", "40.00")
    assert refused("deposit", "s1", "require", "--as", "agent", *words)["code"] == "not_permitted"
