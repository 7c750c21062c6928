"""Invoices as frozen copies: what may come in, what is refused by line and field, what stays."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import Error, connection, transaction

from cases.flow import clock
from cases.models import OrderLine
from invoices import verbs
from invoices.models import Balance, Invoice, InvoiceLine, Policy, SellerProfile, Standing
from invoices.models.quantity import exact
from invoices.rules import NewLine, check, wrong_tax_no
from tests.factories import T0
from tests.invoices.desk import PaperDesk
from tests.invoices.office import GOOD_TAX_NO, WRONG_TAX_NO, Office, books_are_clean, made, refusal


def line(number=1, **more):
    given = {"amount": "88.50", "tax_rate": "0.13", "tax": "11.50", "title": "T 恤", **more}
    for name in ("amount", "tax", "quantity", "unit_price"):
        if isinstance(given.get(name), str):
            given[name] = Decimal(given[name])
    return NewLine(line_no=number, **given)


def wrong(*, issuing=True, **more):
    """(line, field) of all that is wrong with an invoice; no database is asked."""
    return [(p.line_no, p.field) for p in check(made(None, **more), issuing=issuing)]


COUNTS = {"quantity": "3", "unit_price": "29.5"}
LINES = [
    ([line()], []),
    ([line(**COUNTS)], []),
    ([line(quantity="3", unit_price="29.4966667")], []),
    ([line(quantity="3", unit_price="29.49")], [(1, "amount")]),
    ([line(quantity="3")], [(1, "unit_price")]),
    ([line(unit_price="29.5")], [(1, "quantity")]),
    ([line(tax="11.56")], []),
    ([line(tax="11.57")], [(1, "tax")]),
    ([line(tax_rate="0.14", tax="12.39")], [(1, "tax_rate")]),
    ([line(tax_rate="exempt", tax="0.00")], []),
    ([line(tax_rate="0.17", tax="15.05")], []),
    ([line(amount="88.505")], [(1, "amount")]),
    ([line(amount="-88.50", tax="-11.50")], [(1, "amount")]),
    ([], [(None, "lines")]),
    ([line(nature="discounted"), line(2, nature="discount", amount="-8.85", tax="-1.15")], []),
    ([line(nature="discounted"), line(2)], [(1, "nature")]),
    ([line(2, nature="discount", amount="-8.85", tax="-1.15")], [(2, "nature")]),
    (
        [line(nature="discounted"), line(2, nature="discount", amount="-8.85", tax="-0.53",
                                         tax_rate="0.06")],
        [(2, "tax_rate")],
    ),
    (
        [line(nature="discounted"), line(2, nature="discount", amount="-88.60", tax="-11.52")],
        [(2, "amount")],
    ),
    (
        [line(nature="discounted"), line(2, nature="discount", amount="-8.85", tax="-1.15",
                                         quantity="-1", unit_price="8.85")],
        [(2, "quantity")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "problems"), LINES)
def test_lines_are_checked_by_line_and_field(lines, problems):
    assert wrong(lines=lines) == problems if lines else wrong_without_lines() == problems


def wrong_without_lines():
    new = made(None)
    new.lines = []
    return [(p.line_no, p.field) for p in check(new, issuing=True)]


def test_header_totals_are_exact_sums_of_the_lines():
    fits = {"amount": Decimal("177.00"), "tax": Decimal("23.00"), "gross": Decimal("200.00")}
    lines = [line(), line(2)]

    assert wrong(lines=lines, totals=fits) == []
    assert wrong(lines=lines, totals={**fits, "gross": Decimal("200.01")}) == [(None, "gross")]


NUMBERS = [
    ("digital_general", "", "26310000000000000001", []),
    ("digital_special", "", "2631000000000000001", ["number"]),
    ("digital_general", "3100221130", "26310000000000000001", ["code"]),
    ("paper_special", "3100221130", "00000042", []),
    ("paper_general", "031002211301", "00000042", []),
    ("tax_control_e", "3100221130", "0000042", ["number"]),
    ("paper_special", "", "00000042", ["code"]),
    ("paper_special", "31002211301", "00000042", ["code"]),
    ("digital_paper_special", "", "26310000000000000001", []),
    ("digital_paper_general", "3100221130", "00000042", []),
    ("digital_paper_general", "3100221130", "26310000000000000001", ["number"]),
    ("foreign", "", "536365", []),
    ("foreign", "", "A B", ["number"]),
    ("receipt", "", "1", ["kind"]),
]


@pytest.mark.parametrize(("kind", "code", "number", "fields"), NUMBERS)
def test_each_kind_has_its_own_numbers(kind, code, number, fields):
    assert [field for _l, field in wrong(kind=kind, code=code, number=number)] == fields


TAX_NUMBERS = [
    (GOOD_TAX_NO, True), (WRONG_TAX_NO, False), ("91110000600037341", True), ("1" * 15, True),
    ("1" * 20, True), ("1" * 16, False), ("9111000060003734IL", False), ("税号", False),
]  # fmt: skip


@pytest.mark.parametrize(("number", "good"), TAX_NUMBERS)
def test_a_taxpayers_number_has_a_check_character(number, good):
    assert (wrong_tax_no(number) == "") is good


def test_a_wrong_tax_number_stops_issuing_and_is_a_warning_when_recording():
    assert wrong(buyer_tax_no=WRONG_TAX_NO) == [(None, "buyer_tax_no")]
    (problem,) = check(made(None, buyer_tax_no=WRONG_TAX_NO), issuing=False)
    assert not problem.blocking


@pytest.mark.parametrize(
    ("text", "kept"), [("3", "3"), ("2.50", "2.5"), ("0.000001", "0.000001"), ("100", "100")]
)
def test_quantities_are_exact(text, kept):
    assert f"{exact(text):f}" == kept


@pytest.mark.parametrize("text", [1.5, "0.0000001", "NaN", "x", True, "1e13"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="quantity"):
        exact(text)


@pytest.fixture
def office(db) -> Office:
    return PaperDesk()


def enter(office, **more):
    with clock.standing_at(office.tick()):
        return verbs.enter(office.house.actor("finance"), made(office.shop, **more))


def test_a_discount_is_netted_with_its_line_in_the_books(office):
    lines = [
        line(nature="discounted", **COUNTS),
        line(2, nature="discount", amount="-8.85", tax="-1.15"),
        line(3),
    ]
    blue = enter(office, lines=lines)

    assert [(str(b.quantity), str(b.gross), str(b.tax)) for b in Balance.objects.all()] == [
        ("3", "90.00", "10.35"),
        ("0", "100.00", "11.50"),
    ]
    assert str(blue.gross) == "190.00"
    office.reverse(blue, {1: 1})
    assert office.reds(blue) == [("-30.00", "-26.55", "-3.45")]
    assert books_are_clean(office.now)


def test_kilograms_are_reversed_by_weight(office):
    blue = enter(office, lines=[line(quantity="2.5", unit_price="35.4")])

    office.reverse(blue, {1: "1.25"})

    assert office.books(blue)[0][:2] == ("1.25", "50.00")


def test_what_is_doubtful_when_recorded_is_kept_as_a_warning(office):
    blue = enter(office, buyer_tax_no=WRONG_TAX_NO)

    assert len(blue.warnings) == 1
    refused = refusal(office.issued, buyer_tax_no=WRONG_TAX_NO)
    assert (refused.code, WRONG_TAX_NO in refused.message) == ("bad_value", True)


def test_a_number_is_there_once_per_direction_and_code(office):
    enter(office)

    assert refusal(enter, office).code == "already_there"
    row = Invoice.objects.get()
    row.pk = None
    row._state.adding = True
    with pytest.raises(Error), transaction.atomic():
        row.save(force_insert=True)


CHANGES = [
    "UPDATE invoices_invoice SET gross = gross + 1, amount = amount + 1",
    "UPDATE invoices_invoiceline SET title = 'x'",
    "DELETE FROM invoices_invoiceline",
    "DELETE FROM invoices_reversal",
    "UPDATE invoices_reversal SET gross = gross + 1",
    "UPDATE invoices_balance SET reversed_gross = gross + 1",
    "UPDATE invoices_balance SET reversed_quantity = quantity + 1",
    "UPDATE invoices_balance SET reserved_tax = -1",
    "UPDATE invoices_standing SET reversed_gross = gross + 1",
    "UPDATE invoices_standing SET voided_at = '2026-03-02 00:00:00+00'",
    "UPDATE invoices_redpart SET gross = 0",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_the_database_lets_nobody_change_what_was_issued(office, statement):
    blue = office.issued()
    office.reverse(blue, {1: 1})

    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_state_is_the_databases_own(office):
    blue = office.issued()

    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE invoices_standing SET state = 'fully_red'")
    assert office.state(blue) == "issued"


# From the order


def test_a_draft_from_the_order_has_what_was_really_paid(office):
    order = office.house.paid_order((2, "80.00"), (1, "0.00"), (1, "20.00"), freight="10.00")
    first = order.lines.get(line_no=1)
    OrderLine.objects.filter(pk=first.pk).update(unit_price=Decimal("50.00"))

    blue = office.issued(order=order)

    shown = [(x.nature, str(x.gross), x.item_code) for x in blue.lines.all()]
    assert shown == [
        ("discounted", "100.00", ""),
        ("discount", "-20.00", ""),
        ("normal", "20.00", ""),
        ("normal", "10.00", "freight"),
    ]
    assert blue.gross == order.paid_amount
    assert books_are_clean(office.now)


def test_a_discount_of_the_whole_order_goes_over_the_lines_to_the_cent(office):
    order = office.house.paid_order((1, "33.33"), (1, "33.33"), (1, "33.34"), freight="0.00")
    type(order).objects.filter(pk=order.pk).update(paid_amount=Decimal("90.00"))
    order = type(order).objects.get(pk=order.pk)

    blue = office.issued(order=order)

    assert sum(x.gross for x in blue.lines.all()) == Decimal("90.00")
    assert all(x.gross > 0 for x in blue.lines.all())


def test_what_is_invoiced_or_refunded_is_not_invoiced_again(office):
    blue = office.issued((3, "100.00"))

    assert refusal(office.issued, order=blue.order).code == "amount_exceeded"
    office.reverse(blue, {1: 1})
    assert str(office.issued(order=blue.order).gross) == "33.33"


def test_the_seller_and_the_rate_are_the_shops_own(office):
    SellerProfile.objects.create(shop=office.shop, name="甲公司", tax_no=GOOD_TAX_NO)
    Policy.objects.create(of="default_rate", shop=office.shop, value="0.09")

    blue = office.issued((1, "109.00"))

    assert (blue.seller_name, blue.seller_tax_no) == ("甲公司", GOOD_TAX_NO)
    assert str(blue.tax) == "9.00"


def test_the_same_key_answers_with_the_first_invoice(office):
    order = office.house.paid_order((1, "10.00"), freight="0.00")
    first = office.issued(order=order, number="26310000000000000009", key="k1")
    again = office.issued(order=order, number="26310000000000000009", key="k1")

    assert again.pk == first.pk
    other = refusal(office.issued, order=order, number="26310000000000000010", key="k1")
    assert other.code == "key_reused"


# Voiding

PAPER = {"kind": "paper_special", "code": "3100221130", "number": "00000042"}


def void(office, invoice, at=None):
    moment = at or office.tick()
    office.now = max(office.now, moment)
    with clock.standing_at(office.now):
        return verbs.void(office.house.actor("finance"), invoice, text="开错", at=moment)


def test_paper_of_this_month_is_voided_and_stays(office):
    blue = office.issued(**PAPER)
    office.arrive(blue)

    void(office, blue)

    assert office.state(blue) == "voided"
    assert refusal(office.request, blue).code == "wrong_state"
    assert refusal(void, office, blue).code == "wrong_state"
    assert books_are_clean(office.now)


@pytest.mark.parametrize("why", ["electronic", "next month", "booked", "used", "red", "requested"])
def test_what_cannot_be_voided_is_reversed(office, why):
    blue = office.issued(**({} if why == "electronic" else PAPER))
    if why != "electronic":
        office.arrive(blue)
    at = T0 + timedelta(days=31) if why == "next month" else None
    if why in {"booked", "used"}:
        Standing.objects.update(booked=why == "booked", buyer_used=why == "used")
    if why == "red":
        office.request(blue, units={1: 1})
        office.record(blue, "00000043", code=PAPER["code"])
    if why == "requested":
        office.request(blue, units={1: 1})

    assert refusal(void, office, blue, at).code == "wrong_state"
    assert InvoiceLine.objects.filter(invoice=blue).exists()
