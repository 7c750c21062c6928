"""Red requests from plan to red invoice: the authority's codes, the clock, and what is refused."""

from datetime import timedelta
from decimal import Decimal

import pytest

from cases.flow import clock
from invoices import verbs
from invoices.models import AuthorityCall, RedEvent, RedRequest, Reversal
from tests.factories import HOUR
from tests.invoices.office import Office, books_are_clean, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Office:
    return Office()


def test_three_pieces_returned_one_by_one_leave_no_cent(office):
    blue = office.issued((3, "100.00"))

    for _ in range(3):
        office.reverse(blue, {1: 1})

    assert office.reds(blue) == [
        ("-33.33", "-29.50", "-3.83"),
        ("-33.34", "-29.50", "-3.84"),
        ("-33.33", "-29.50", "-3.83"),
    ]
    assert office.state(blue) == "fully_red"
    assert books_are_clean(office.now)


def test_the_state_of_a_blue_invoice_follows_from_its_reds(office):
    blue = office.issued((3, "100.00"), (1, "0.00"), (1, "50.00"))
    states = [office.state(blue)]

    office.request(blue, units={1: 1})
    states.append(office.state(blue))
    office.record(blue)
    states.append(office.state(blue))
    office.reverse(blue, reason="error")
    states.append(office.state(blue))

    assert states == ["issued", "issued", "partly_red", "fully_red"]
    assert books_are_clean(office.now)


def test_what_is_asked_for_is_spoken_for_until_it_is_decided(office):
    blue = office.issued((3, "100.00"))

    request = office.request(blue, units={1: 1})
    assert (request.state, request.serial) == ("submitted", f"SH{request.request_no}")
    assert office.books(blue) == [("0", "0.00", "0.00", "33.33")]

    office.answer(blue, "05")
    assert office.books(blue) == [("0", "0.00", "0.00", "0.00")]
    assert RedRequest.objects.get().dead_reason
    office.reverse(blue, {1: 3})
    assert office.state(blue) == "fully_red"
    assert books_are_clean(office.now)


@pytest.mark.parametrize(
    ("code", "state"),
    [("01", "effective"), ("02", "waiting"), ("03", "waiting"), ("04", "effective")]
    + [(f"{n:02}", "dead") for n in range(5, 14)],
)
def test_each_code_of_the_authority(office, code, state):
    blue = office.issued()
    office.request(blue, units={1: 1})

    request = office.answer(blue, code)

    assert (request.state, request.code, request.held) == (state, code, "")
    assert books_are_clean(office.now)


def test_the_other_partys_time_counts_from_the_authoritys_entry(office):
    blue = office.issued()
    request = office.request(blue, units={1: 1})
    entered = office.now - timedelta(minutes=20)

    request = office.answer(blue, "02", entered_at=entered)

    assert request.clock_on == "buyer"
    assert request.due_at == entered + timedelta(hours=72)


def test_the_clock_only_asks_and_the_authoritys_word_kills(office):
    blue = office.issued()
    office.request(blue, units={1: 1})
    office.answer(blue, "02")

    office.sweep(timedelta(hours=80))
    again = office.sweep(HOUR)

    request = RedRequest.objects.get()
    assert (request.state, again["due"]) == ("waiting", 0)
    asked = AuthorityCall.objects.filter(what="ask")
    assert asked.count() == 1
    assert office.books(blue)[0][3] == "33.33"
    assert office.answer(blue, "07").state == "dead"
    assert office.books(blue)[0][3] == "0.00"
    assert books_are_clean(office.now)


def test_confirmed_after_our_time_was_up_it_is_still_confirmed(office):
    blue = office.issued()
    office.request(blue, units={1: 1})
    office.answer(blue, "02")
    office.sweep(timedelta(hours=80))

    assert office.answer(blue, "04").state == "effective"
    assert office.record(blue).state == "issued"
    assert books_are_clean(office.now)


def test_answers_that_are_repeated_or_late_change_nothing(office):
    blue = office.issued()
    office.request(blue, units={1: 1})
    for code in ("02", "02", "04", "04", "02"):
        request = office.answer(blue, code)
    assert request.state == "effective"
    number = office.number()
    issued = office.record(blue, number)

    again = office.record(blue, number)
    late = office.answer(blue, "04")

    assert (again.pk, again.seq, late.held) == (issued.pk, issued.seq, "")
    assert Reversal.objects.filter(kind="book").count() == 1
    assert books_are_clean(office.now)


def test_an_unknown_code_is_kept_and_put_before_a_person(office):
    blue = office.issued()
    office.request(blue, units={1: 1})

    request = office.answer(blue, "77")

    assert (request.state, request.code) == ("submitted", "77")
    assert "77" in request.held
    assert office.alarms() == [request.held]
    assert office.act(request, "settle_review", text="打电话问过").held == ""


def test_a_red_that_comes_after_its_request_was_dead_is_taken_with_an_alarm(office):
    blue = office.issued()
    office.request(blue, units={1: 2})
    office.answer(blue, "07")

    request = office.record(blue)

    assert request.state == "issued"
    assert office.alarms() == [request.held]
    assert office.books(blue) == [("2", "66.67", "7.67", "0.00")]
    assert books_are_clean(office.now)


def test_a_red_that_comes_too_late_for_what_is_left_is_not_booked(office):
    blue = office.issued()
    dead = office.request(blue, units={1: 2})
    office.answer(blue, "07")
    office.reverse(blue, {1: 2})

    with clock.standing_at(office.tick()):
        refused = refusal(office.act, dead, "record_red", by="finance", number=office.number())

    assert (refused.code, refused.detail["limit"]) == ("amount_exceeded", "33.33")
    assert books_are_clean(office.now)


def test_figures_more_than_a_cent_away_count_and_are_held(office):
    blue = office.issued((3, "100.00"))
    office.request(blue, units={1: 1})

    request = office.record(blue, amount=Decimal("33.40"), tax=Decimal("3.84"))

    assert request.held
    assert office.alarms() == [request.held]
    assert office.books(blue) == [("1", "33.40", "3.84", "0.00")]
    office.reverse(blue, {1: 2})
    assert office.state(blue) == "fully_red"
    assert books_are_clean(office.now)


@pytest.mark.parametrize(
    ("amount", "tax"), [("33.33", "3.83"), ("-33.33", "-3.83"), ("29.50", "3.83"), ("33.34", None)]
)
def test_the_amount_may_be_copied_with_or_without_tax_and_sign(office, amount, tax):
    blue = office.issued((3, "100.00"))
    office.request(blue, units={1: 1})

    request = office.record(blue, amount=Decimal(amount), tax=None if tax is None else Decimal(tax))

    assert request.held == ""
    assert office.reds(blue)[0][0] == f"-{'33.34' if amount == '33.34' else '33.33'}"


def test_an_allowance_reverses_money_and_no_pieces(office):
    blue = office.issued((3, "100.00"), (1, "50.00"))

    office.reverse(blue, reason="allowance", amount="30.00")
    assert office.books(blue) == [("0", "20.00", "2.30", "0.00"), ("0", "10.00", "1.15", "0.00")]
    office.reverse(blue, {1: 3, 2: 1})

    assert office.state(blue) == "fully_red"
    assert books_are_clean(office.now)


def test_pieces_with_an_amount_of_their_own(office):
    blue = office.issued((3, "100.00"))

    office.reverse(blue, {1: 1}, amount="20.00")

    assert office.books(blue) == [("1", "20.00", "2.30", "0.00")]


REFUSED = [
    ({"units": {1: 4}}, "quantity_exceeded", "3"),
    ({"units": {1: 1}, "amount": "100.01"}, "amount_exceeded", "100.00"),
    ({"reason": "allowance"}, "bad_value", None),
    ({"reason": "allowance", "amount": "10.005"}, "bad_value", None),
    ({"units": {7: 1}}, "unknown", None),
    ({"reason": "error", "units": {1: 1}}, "bad_value", None),
]


@pytest.mark.parametrize(("wish", "code", "limit"), REFUSED)
def test_what_cannot_be_reversed_is_refused_with_what_is_left(office, wish, code, limit):
    blue = office.issued((3, "100.00"))

    refused = refusal(office.request, blue, **wish)

    assert (refused.code, refused.detail.get("limit")) == (code, limit)


def test_a_second_open_request_a_red_of_a_red_and_a_red_of_nothing(office):
    blue = office.issued((3, "100.00"))
    office.request(blue, units={1: 1})

    assert refusal(office.request, blue, units={1: 1}).code == "already_requested"
    red = office.record(blue).red
    assert refusal(office.request, red, units={1: 1}).code == "wrong_state"
    office.reverse(blue, {1: 2})
    assert refusal(office.request, blue).code == "amount_exceeded"
    assert refusal(office.record, red).code == "wrong_state"
    other = office.issued((1, "5.00"))
    assert refusal(office.record, other).code == "wrong_state"
    office.request(other)
    assert refusal(office.record, other, red.number).code == "bad_value"
    assert refusal(office.record, other, "123").code == "bad_value"


def test_the_same_key_answers_with_the_first_request(office):
    blue = office.issued((3, "100.00"))
    first = office.request(blue, units={1: 1}, key="k1")

    assert office.request(blue, units={1: 1}, key="k1").pk == first.pk
    assert refusal(office.request, blue, units={1: 2}, key="k1").code == "key_reused"
    assert RedEvent.objects.filter(verb="request_red").count() == 1


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("warehouse", "not_permitted"),
        ("auditor", "not_permitted"),
        ("outsider", "not_in_your_shop"),
    ],
)
def test_who_may_not_is_told(office, who, code):
    blue = office.issued()

    assert refusal(office.request, blue, units={1: 1}, by=who).code == code
    office.request(blue, units={1: 1}, by="agent")
    assert refusal(office.record, blue, by=who).code == code
    assert refusal(office.answer, blue, "04", by=who).code == code


def test_an_agent_asks_and_finance_records(office):
    blue = office.issued()
    office.request(blue, units={1: 1}, by="agent")

    assert refusal(office.record, blue, by="agent").code == "not_permitted"


# The policy on parts while the buyer has not used the invoice


def test_the_whole_is_reversed_and_the_remainder_issued_anew():
    office = Office(parts="forbid")
    blue = office.issued((3, "100.00"), (1, "50.00"))

    request = office.request(blue, units={1: 1})
    assert (request.whole_instead, str(request.gross)) == (True, "150.00")
    office.record(blue)

    assert office.state(blue) == "fully_red"
    assert office.treatments() == [("reissue", "open")]
    assert books_are_clean(office.now)
    anew = office.issued(order=blue.order)
    assert (str(anew.gross), anew.source) == ("116.67", "reissue")
    assert [(str(x.quantity), str(x.gross)) for x in anew.lines.all()] == [
        ("2", "66.67"),
        ("1", "50.00"),
    ]
    assert office.treatments() == [("reissue", "done")]
    assert books_are_clean(office.now)


def test_once_the_buyer_has_used_it_a_part_may_be_reversed():
    office = Office(parts="forbid")
    blue = office.issued((3, "100.00"))
    verbs.mark(office.house.actor("finance"), blue, "use")

    request = office.request(blue, units={1: 1})

    assert (request.whole_instead, str(request.gross)) == (False, "33.33")


def test_a_remainder_that_cannot_be_issued_stays_a_task_with_a_clock():
    office = Office(parts="forbid")
    blue = office.issued((3, "100.00"))
    office.reverse(blue, {1: 1})

    assert refusal(office.issued, order=blue.order, number="12").code == "bad_value"
    assert office.treatments() == [("reissue", "open")]
    swept = office.sweep(timedelta(hours=80))

    assert swept["escalated"] == 1
    assert office.alarms("escalation") == [""]
    assert office.treatments() == [("reissue", "open")]


@pytest.mark.django_db(transaction=True)
def test_outside_any_transaction_each_act_is_one_of_its_own():
    office = Office(parts="forbid")
    blue = office.issued((3, "100.00"))
    office.tax_office.code = "01"

    office.request(blue, units={1: 1})
    office.call()
    office.issued(order=blue.order)

    assert office.state(blue) == "fully_red"
    assert office.treatments() == [("reissue", "done")]
    assert books_are_clean(office.now)
