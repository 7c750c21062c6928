"""The authority through its adapter: silence is no refusal, and one serial gives one result."""

from datetime import timedelta

import pytest

from cases.flow import clock
from invoices.authority import MOST_ATTEMPTS, Manual, deliver
from invoices.models import AuthorityCall, Invoice, RedRequest
from tests.invoices.office import Office, books_are_clean

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Office:
    office = Office()
    office.tax_office.code = "01"
    return office


def only(office):
    return RedRequest.objects.get()


def test_a_form_that_needs_no_confirmation_is_issued_at_once(office):
    blue = office.issued()
    office.request(blue, units={1: 1})

    assert office.call() == 1

    assert (only(office).state, only(office).code) == ("issued", "01")
    assert office.reds(blue) == [("-33.33", "-29.50", "-3.83")]
    assert office.call() == 0
    assert books_are_clean(office.now)


def test_unreachable_is_not_refused(office):
    """It keeps what is spoken for, and is tried again under the same serial number."""
    blue = office.issued()
    request = office.request(blue, units={1: 1})
    office.tax_office.script = ["lost", "lost"]

    office.call()
    office.call()
    assert only(office).state == "submitted"
    assert office.books(blue)[0][3] == "33.33"
    office.call()

    assert only(office).state == "issued"
    assert {serial for _what, serial in office.tax_office.calls} == {request.serial}
    assert AuthorityCall.objects.get().attempts == 3


def test_an_answer_that_was_lost_gives_one_red_however_often_it_is_tried(office):
    blue = office.issued()
    office.request(blue, units={1: 1})
    office.tax_office.script = ["late", "late"]

    for _ in range(4):
        office.call()

    assert len(office.tax_office.forms) == 1
    assert Invoice.objects.filter(direction="red").count() == 1
    assert books_are_clean(office.now)


def test_refused_lets_go(office):
    blue = office.issued()
    office.request(blue, units={1: 1})
    office.tax_office.script = ["reject"]

    office.call()

    assert only(office).state == "dead"
    assert office.books(blue) == [("0", "0.00", "0.00", "0.00")]
    assert books_are_clean(office.now)


def test_after_so_many_vain_attempts_a_person_has_to_look(office):
    blue = office.issued()
    office.request(blue, units={1: 1})
    office.tax_office.script = ["lost"] * 20

    for _ in range(MOST_ATTEMPTS + 3):
        office.call(timedelta(hours=2))

    call = AuthorityCall.objects.get()
    assert (call.state, call.attempts) == ("halted", MOST_ATTEMPTS)
    assert only(office).state == "submitted"


def test_a_retry_waits_longer_each_time(office):
    blue = office.issued()
    office.request(blue, units={1: 1})
    office.tax_office.script = ["lost"] * 3
    office.call(timedelta(0))

    waits = []
    for _ in range(2):
        call = AuthorityCall.objects.get()
        waits.append((call.try_at - office.now).total_seconds())
        office.call(call.try_at - office.now)

    assert waits == [30, 60]


def test_waiting_for_the_buyer_is_asked_after_when_the_time_is_up(office):
    office.tax_office.code = "02"
    blue = office.issued()
    request = office.request(blue, units={1: 1})
    office.call()
    assert only(office).state == "waiting"
    office.sweep(timedelta(hours=73))
    assert only(office).state == "waiting"

    office.tax_office.set(request.serial, code="07")
    office.call()

    assert only(office).state == "dead"
    assert office.tax_office.calls[-1] == ("ask", request.serial)
    assert books_are_clean(office.now)


def test_confirmed_late_the_red_comes_with_the_answer(office):
    office.tax_office.code = "02"
    blue = office.issued()
    request = office.request(blue, units={1: 1})
    office.call()
    office.sweep(timedelta(hours=73))

    office.tax_office.set(request.serial, code="04", red_number=office.number())
    office.call()

    assert only(office).state == "issued"
    assert office.state(blue) == "partly_red"


def test_an_answer_we_cannot_take_is_kept_for_a_person(office):
    blue = office.issued()
    request = office.request(blue, units={1: 1})
    other = office.issued()
    office.request(other)
    number = office.record(other).red.number
    office.tax_office.code = "02"
    with clock.standing_at(office.tick()):
        office.tax_office.submit(_form(request))
    office.tax_office.set(request.serial, code="01", red_number=number)

    office.call()

    call = AuthorityCall.objects.filter(request=request).get()
    assert (call.state, bool(call.error)) == ("halted", True)
    assert RedRequest.objects.get(pk=request.pk).state == "effective"
    assert books_are_clean(office.now)


def _form(request):
    from invoices.authority import form_of  # noqa: PLC0415 - only this story needs it

    return form_of(request)


def test_by_hand_nothing_is_called_and_the_request_waits_for_the_clerk(office):
    blue = office.issued()
    office.request(blue, units={1: 1})

    with clock.standing_at(office.tick()):
        assert deliver(Manual(), office.now) == 1

    assert only(office).state == "submitted"
    assert AuthorityCall.objects.get().state == "done"
