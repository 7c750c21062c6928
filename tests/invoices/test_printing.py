"""What is printed of cases, exchanges, papers and red requests, and who may print it."""

import io

import pytest
from django.urls import reverse
from django.utils import translation
from pypdf import PdfReader

from cases.flow.door import Refused
from invoices.models import Paper, PrintJob, RedRequest, Treatment
from invoices.papers import printjobs
from tests.invoices.desk import PaperDesk, refusal
from tests.invoices.test_documents import codes_of, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def desk(tmp_path, settings) -> PaperDesk:
    settings.MEDIA_ROOT = tmp_path
    return PaperDesk()


@pytest.fixture
def returned(desk):
    """One of three pieces for 100.00 comes back, with its paper."""
    invoice = desk.sold((3, "100.00"), kind="digital_paper_general")
    case = desk.house.case_in("refunding", "return_refund", order=invoice.order, lines=((1, 1),))
    desk.now = max(desk.now, case.moved_at)
    desk.arrive(invoice)
    return invoice


def one(desk, kind, row, by="finance") -> bytes:
    return printjobs.one(desk.house.users[by], kind, row.pk, "https://shop.example/")


def test_a_slip_tells_what_is_reversed_with_minus_signs_and_in_words(desk, returned):
    treatment = Treatment.objects.get()
    pdf = one(desk, "slips", treatment)
    (text,) = text_of(pdf)

    assert treatment.case.case_no in text
    assert returned.number in text
    assert "-33.33" in text
    assert "-29.50" in text  # ex tax; 3 for 100.00 = 88.50 + 11.50
    assert "-3.83" in text
    assert "（负数）叁拾叁圆叁角叁分" in text
    assert "● Received by us" in text
    record = reverse("admin:invoices_invoice_change", args=[returned.pk])
    assert codes_of(pdf) == {
        "Code 128": treatment.case.case_no,
        "QR Code": f"https://shop.example{record}",
    }


def test_who_sees_no_money_prints_none(desk, returned):
    (text,) = text_of(one(desk, "slips", Treatment.objects.get(), by="warehouse"))
    assert "33.33" not in text
    assert "-1" in text


def test_a_voucher_names_both_serials_and_the_warranty(desk):
    invoice = desk.sold((1, "113.00"), serials=("SN1",))
    desk.case(invoice, "awaiting_receipt", "exchange")
    done = desk.endorse(invoice, "SN1", "SN9", seal="换货专用章")
    (text,) = text_of(one(desk, "vouchers", done))

    for wanted in (done.number, "SN1", "SN9", "换货专用章", "2026-03-0", "warehouse"):
        assert wanted in text


def test_a_copy_of_a_red_form_has_its_serial_and_negative_sums(desk):
    invoice = desk.sold((3, "100.00"), kind="digital_general")
    desk.request(invoice, units={1: 1})
    row = RedRequest.objects.get()
    (text,) = text_of(one(desk, "red_forms", row))

    assert row.serial in text
    assert "-33.33" in text
    assert "（负数）叁拾叁圆叁角叁分" in text


def test_a_job_prints_everything_that_waits_into_one_file(desk, returned):
    other = desk.sold((1, "58.00"), kind="digital_general")
    desk.case(other, "refunding", "return_refund")
    job = printjobs.ask(desk.house.users["finance"], "slips", "https://shop.example/")

    assert printjobs.work(job.pk)
    job = PrintJob.objects.get()
    assert (job.status, job.pages, job.rows_done) == ("done", 2, 2)
    with job.file.open() as file:
        pages = PdfReader(io.BytesIO(file.read())).pages
    assert sum("-33.33" in p.extract_text() for p in pages) == 1
    assert not printjobs.work(job.pk)


def test_papers_that_lie_here_are_one_list(desk, returned):
    job = printjobs.ask(desk.house.users["warehouse"], "papers", "")
    printjobs.work(job.pk)
    with PrintJob.objects.get().file.open() as file:
        (page,) = PdfReader(io.BytesIO(file.read())).pages
    assert returned.number in page.extract_text()
    assert round(page.mediabox.height / 72 * 25.4) == 297


def test_nobody_prints_another_shops_papers(desk, returned):
    treatment = Treatment.objects.get()
    assert refusal(one, desk, "slips", treatment, by="outsider").code == "unknown"
    with pytest.raises(Refused, match="waits"):
        printjobs.ask(desk.house.users["outsider"], "slips", "")


def test_a_character_without_a_glyph_ends_the_job_with_its_name(desk, returned):
    Treatment.objects.update(note="加急🔥")
    job = printjobs.ask(desk.house.users["finance"], "slips", "")
    printjobs.work(job.pk)

    job = PrintJob.objects.get()
    assert (job.status, job.file.name) == ("failed", "")
    assert "U+1F525" in job.problem


def test_the_pages_of_papers_open_for_staff_and_print(desk, returned, client):
    user = desk.house.users["finance"]
    user.is_staff = True
    user.save()
    client.force_login(user)
    slip = reverse("admin:invoices_printjob_one", args=["slips", Treatment.objects.get().pk])
    shown = client.get(slip)

    assert (shown.status_code, shown["Content-Type"]) == (200, "application/pdf")
    invoice = reverse("admin:invoices_invoice_change", args=[returned.pk])
    assert slip in client.get(invoice).content.decode()
    for name in ("paper_changelist", "endorsement_changelist", "printjob_changelist"):
        assert client.get(reverse(f"admin:invoices_{name}")).status_code == 200
    move = reverse("admin:invoices_invoice_do", args=[returned.pk, "move_paper"])
    assert client.get(move).status_code == 200
    assert client.post(move, {"to": "held", "from_holder": "finance"}).status_code == 200
    assert Paper.objects.get().place == "received"  # who does not hold it cannot give it away
    assert client.post(move, {"to": "held", "from_holder": "warehouse"}).status_code == 302
    assert Paper.objects.get().place == "held"


@pytest.mark.parametrize("rows", [2, 8])
def test_lists_ask_the_same_number_of_queries(desk, client, rows, django_assert_max_num_queries):
    for _n in range(rows):
        desk.arrive(desk.sold())
    user = desk.house.users["boss"]
    user.is_staff = True
    user.save()
    client.force_login(user)
    with django_assert_max_num_queries(12):
        client.get(reverse("admin:invoices_paper_changelist"))
