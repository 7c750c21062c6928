"""Invoices in the admin: from issue to red on the pages, scope, rights, and constant queries."""

import io
import re
import zipfile
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from invoices.models import Invoice, InvoiceFile, Policy, RedRequest, Standing
from tests.cases import admin_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def office():
    return admin_data.office()


def submit(client, url, **given):
    """Post a page's form as its browser would, with the hidden fields it was drawn with."""
    drawn = client.get(url).content.decode()
    hidden = dict(re.findall(r'name="(_key|_version)" value="([^"]*)"', drawn))
    return client.post(url, {**hidden, **given})


def digits(n):
    return f"2631{n:016d}"


def issued(office, number="O1", n=1, who="finance", **more):
    order = admin_data.order(office.a, number, **more)
    url = reverse("admin:invoices_invoice_issue", args=[order.pk])
    answer = submit(office.client(who), url, number=digits(n), kind="digital_general")
    assert answer.status_code == 302, answer.content.decode()
    return Invoice.objects.latest("pk")


def page(invoice, verb=""):
    if verb:
        return reverse("admin:invoices_invoice_do", args=[invoice.pk, verb])
    return reverse("admin:invoices_invoice_change", args=[invoice.pk])


def allow_parts():
    Policy.objects.filter(of="partial_red").update(value="allow")


def test_from_the_order_to_the_red_invoice(office):
    allow_parts()
    blue = issued(office)
    finance = office.client("finance")

    assert str(blue.gross) == "120.00"
    order_page = finance.get(reverse("admin:cases_order_change", args=[blue.order_id]))
    assert blue.number in order_page.content.decode()
    asked = submit(finance, page(blue, "request_red"), reason="return", line_1="1")
    assert asked.status_code == 302, asked.content.decode()
    drawn = finance.get(page(blue)).content.decode()
    assert page(blue, "confirm_red") in drawn
    assert submit(finance, page(blue, "confirm_red"), state="02").status_code == 302
    drawn = finance.get(page(blue)).content.decode()
    assert "data-due" in drawn
    assert submit(finance, page(blue, "confirm_red"), state="04").status_code == 302
    assert submit(finance, page(blue, "record_red"), number=digits(2)).status_code == 302

    red = Invoice.objects.get(direction="red")
    assert str(red.gross) == "-55.00"
    drawn = finance.get(page(blue)).content.decode()
    assert "¥-55.00" in drawn
    assert red.number in drawn
    assert blue.number in finance.get(page(red)).content.decode()


def test_pressed_twice_it_happens_once(office):
    allow_parts()
    blue = issued(office)
    finance, url = office.client("finance"), page(blue, "request_red")
    drawn = finance.get(url).content.decode()
    hidden = dict(re.findall(r'name="(_key|_version)" value="([^"]*)"', drawn))

    answers = [
        finance.post(url, {**hidden, "reason": "return", "line_1": "1"}).status_code
        for _ in range(2)
    ]

    assert answers == [302, 302]
    assert RedRequest.objects.count() == 1


def test_the_policy_shows_before_the_button_and_leaves_a_task(office):
    blue = issued(office)
    finance = office.client("finance")
    submit(finance, page(blue, "request_red"), reason="return", line_1="1")
    submit(finance, page(blue, "record_red"), number=digits(2))

    drawn = finance.get(page(blue)).content.decode()
    assert page(blue, "reissue") in drawn
    assert "¥55.00" in finance.get(page(blue, "reissue")).content.decode()
    assert submit(finance, page(blue, "reissue"), number=digits(3)).status_code == 302

    anew = Invoice.objects.latest("pk")
    assert (anew.source, str(anew.gross)) == ("reissue", "65.00")


def test_an_invoice_typed_from_its_paper(office):
    order = admin_data.order(office.a, "P1")
    finance, url = office.client("finance"), reverse("admin:invoices_invoice_add")
    given = {
        "shop": office.a.pk, "order_no": order.order_no, "kind": "paper_special",
        "code": "3100221130", "number": "00000017", "issued_at": "2026-03-02T10:00",
        "buyer_name": "某公司", "buyer_tax_no": "91110000600037341L",
        "lines_1_nature": "discounted", "lines_1_title": "T 恤", "lines_1_quantity": "2",
        "lines_1_unit_price": "50", "lines_1_amount": "100.00", "lines_1_tax_rate": "0.13",
        "lines_1_tax": "13.00", "lines_2_nature": "discount", "lines_2_title": "折扣",
        "lines_2_amount": "-10.00", "lines_2_tax_rate": "0.13", "lines_2_tax": "-1.30",
    }  # fmt: skip

    wrong = submit(finance, url, **{**given, "lines_1_tax": "14.00", "number": "17"})
    assert wrong.status_code == 200
    assert Invoice.objects.count() == 0
    assert submit(finance, url, **given).status_code == 302

    blue = Invoice.objects.get()
    assert (str(blue.amount), str(blue.tax), str(blue.gross)) == ("90.00", "11.70", "101.70")
    assert "2" in finance.get(page(blue)).content.decode()
    assert Standing.objects.get().balances.get().gross == Decimal("101.70")


def test_outside_the_shop_nothing_exists(office):
    blue = issued(office)
    stranger = office.client("stranger")
    urls = [
        page(blue),
        page(blue, "request_red"),
        reverse("admin:invoices_invoice_issue", args=[blue.order_id]),
    ]

    assert [stranger.get(url).status_code for url in urls] == [404] * len(urls)
    assert stranger.post(urls[1], {"reason": "error"}).status_code == 404
    for model in ("invoice", "treatment"):
        listed = stranger.get(reverse(f"admin:invoices_{model}_changelist")).content.decode()
        assert blue.number not in listed
    assert RedRequest.objects.count() == 0


@pytest.mark.parametrize(
    ("who", "verb", "status"),
    [("agent", "record_red", 403), ("agent", "void", 403), ("auditor", "request_red", 403),
     ("warehouse", "request_red", 403)],
)  # fmt: skip
def test_people_without_the_right_are_told(office, who, verb, status):
    blue = issued(office)
    submit(office.client("finance"), page(blue, "request_red"), reason="error")

    assert submit(office.client(who), page(blue, verb), text="x", number="1").status_code == status
    assert RedRequest.objects.get().seq == 2


def test_what_was_issued_has_no_form_and_unknown_acts_no_page(office):
    blue = issued(office)
    finance = office.client("finance")

    assert finance.post(page(blue), {"gross": "1"}).status_code == 405
    assert finance.get(page(blue, "delete")).status_code == 404
    delete = reverse("admin:invoices_invoice_delete", args=[blue.pk])
    assert finance.post(delete, {"post": "yes"}).status_code == 403
    assert Invoice.objects.count() == 1


def ofd(**parts):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as package:
        for name, text in (parts or {"OFD.xml": "<ofd/>"}).items():
            package.writestr(name.replace("__", "/"), text)
    return held.getvalue()


FILES = [
    ("a.ofd", ofd(**{"OFD.xml": "<ofd/>", "Doc_0__Document.xml": "<d/>"}), "application/ofd"),
    ("a.xml", b"<?xml version='1.0'?><invoice/>", "application/xml"),
    ("a.png", admin_data.picture(), "image/png"),
]
WRONG_FILES = [
    ("a.ofd", ofd(**{"word.xml": "<w/>"})),
    ("a.xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"),
    ("a.xml", b"<invoice>"),
    ("a.ofd", b"PK\x03\x04 broken"),
    ("a.exe", b"MZ"),
]


@pytest.mark.parametrize(("name", "content", "mime"), FILES)
def test_the_invoice_as_a_file_is_kept_and_handed_out_harmless(office, name, content, mime):
    blue = issued(office)
    finance = office.client("finance")
    upload = SimpleUploadedFile(name, content)

    assert submit(finance, page(blue, "add_file"), evidence=upload).status_code == 302

    row = InvoiceFile.objects.get()
    assert row.mime == mime
    url = reverse("admin:invoices_invoice_file", args=[row.pk])
    answer = finance.get(url)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"".join(answer.streaming_content)
    assert office.client("stranger").get(url).status_code == 404
    row.file.delete(save=False)


@pytest.mark.parametrize(("name", "content"), WRONG_FILES)
def test_a_file_that_is_no_invoice_is_refused(office, name, content):
    blue = issued(office)
    upload = SimpleUploadedFile(name, content)

    assert (
        submit(office.client("finance"), page(blue, "add_file"), evidence=upload).status_code == 200
    )
    assert InvoiceFile.objects.count() == 0


def test_lists_and_pages_take_as_many_queries_for_many_rows_as_for_few(office):
    allow_parts()
    supervisor = office.client("supervisor")
    lists = [
        reverse(f"admin:invoices_{m}_changelist")
        for m in ("invoice", "treatment", "policy", "sellerprofile")
    ]

    def asked(url):
        with CaptureQueriesContext(connection) as found:
            assert supervisor.get(url).status_code == 200
        return len(found)

    def grow(start, count):
        for number in range(start, start + count):
            blue = issued(office, f"N{number}", 2 * number)
            submit(supervisor, page(blue, "request_red"), reason="return", line_1="1")
            submit(supervisor, page(blue, "record_red"), number=digits(2 * number + 1))

    grow(1, 2)
    few = {url: asked(url) for url in lists}
    grow(10, 10)
    assert {url: asked(url) for url in lists} == few

    small = issued(office, "S1", 900, lines=2)
    big = issued(office, "S2", 902, lines=10)
    for n, blue in enumerate((small, big)):
        submit(supervisor, page(blue, "request_red"), reason="return", line_1="1")
        submit(supervisor, page(blue, "record_red"), number=digits(910 + n))
    assert asked(page(small)) == asked(page(big))
