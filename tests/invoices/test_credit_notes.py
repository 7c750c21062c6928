"""Credit notes that name no invoice: the page where people settle them, and the months."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from cases.auditing import audit
from cases.flow.door import Actor, NotPermitted, Refused
from cases.reports import MEASURES, Question
from invoices import crediting
from invoices.models import CreditLine, CreditNote, Invoice
from tests.cases import admin_data
from tests.invoices.sheet_desk import credit, everything, foreign, reds, take, waiting

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def office(settings: Any) -> Any:
    settings.LANGUAGE_CODE = "en"
    with translation.override("en"):
        yield admin_data.office()


def notes(office: Any, folder: Path, *rows: dict[str, str]) -> None:
    take(folder, list(rows), shop=office.a.code)


def page(note: CreditNote, what: str = "change") -> str:
    return reverse(f"admin:invoices_creditnote_{what}", args=[note.pk])


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


TWO = (
    foreign("536365", "85123A", 6),
    foreign("536370", "85123A", 2, InvoiceDate="2010-12-02 09:00:00"),
)


def test_one_press_puts_a_note_to_the_invoice_that_is_ranked_first(
    office: Any, tmp_path: Path
) -> None:
    notes(office, tmp_path, *TWO, credit("C1", "85123A", 2))
    note, finance = CreditNote.objects.get(), office.client("finance")

    shown = text_of(finance.get(page(note)))
    first, second = shown.index("536370"), shown.index("536365")
    assert first < second  # just these pieces are left there
    assert "Several invoices can be meant" in shown
    keys = str(CreditLine.objects.get().pk)
    answer = finance.post(
        page(note, "settle"), {"act": "accept", "lines": keys, "invoice": "536370"}, follow=True
    )
    assert "C1 reverses 536370 now." in text_of(answer)
    assert reds() == [("C1", "", "536370", [(-2, Decimal("-5.10"))])]
    assert Invoice.objects.get(number="C1").entered_by.username == "finance"
    assert waiting() == []
    assert audit().violations == []


def test_pressed_twice_it_is_settled_once(office: Any, tmp_path: Path) -> None:
    notes(office, tmp_path, *TWO, credit("C1", "85123A", 2))
    note, finance = CreditNote.objects.get(), office.client("finance")
    given = {"act": "accept", "lines": str(CreditLine.objects.get().pk), "invoice": "536365"}
    finance.post(page(note, "settle"), given)
    before = everything()
    answer = finance.post(page(note, "settle"), given, follow=True)
    assert "settled these lines already" in text_of(answer)
    assert everything() == before


def test_accepting_one_note_may_make_another_certain(office: Any, tmp_path: Path) -> None:
    rows = [*TWO, credit("C1", "85123A", 2), credit("C2", "85123A", 2)]
    notes(office, tmp_path, *rows)
    assert waiting() == [("C1", 1, "several"), ("C2", 1, "several")]
    line = CreditLine.objects.get(note__number="C1")
    given = {"act": "accept", "lines": str(line.pk), "invoice": "536370"}
    office.client("finance").post(page(line.note, "settle"), given)
    assert [(number, blue) for number, _code, blue, _lines in reds()] == [
        ("C1", "536370"),
        ("C2", "536365"),
    ]


@pytest.mark.parametrize(
    ("invoice", "says"),
    [
        ("536370", "has 1 pieces left"),
        ("999999", "has no invoice 999999"),
        ("536371", "was issued to another buyer"),
        ("536372", "issued after the credit note"),
        ("536373", "at this price"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_is_left(
    office: Any, tmp_path: Path, invoice: str, says: str
) -> None:
    notes(
        office,
        tmp_path,
        foreign("536370", "85123A", 1),
        foreign("536371", "85123A", 9, CustomerID="1"),
        foreign("536372", "85123A", 9, InvoiceDate="2011-01-02 09:00:00"),
        foreign("536373", "85123A", 9, "2.10"),
        credit("C1", "85123A", 2),
    )
    note, before = CreditNote.objects.get(), everything()
    given = {"act": "accept", "lines": str(note.lines.get().pk), "invoice": invoice}
    answer = office.client("finance").post(page(note, "settle"), given, follow=True)
    assert says in text_of(answer)
    assert everything() == before


def test_a_note_without_a_buyer_goes_where_a_person_says(office: Any, tmp_path: Path) -> None:
    notes(office, tmp_path, TWO[0], credit("C1", "85123A", 2, CustomerID=""))
    note = CreditNote.objects.get()
    assert waiting() == [("C1", 1, "no_buyer")]
    given = {"act": "accept", "lines": str(note.lines.get().pk), "invoice": "536365"}
    office.client("finance").post(page(note, "settle"), given)
    assert [(number, blue) for number, _code, blue, _lines in reds()] == [("C1", "536365")]


def test_the_rest_is_put_aside_with_a_reason_and_taken_up_again(
    office: Any, tmp_path: Path
) -> None:
    notes(office, tmp_path, credit("C1", "BANK CHARGES", 1, "18.00"))
    note, finance = CreditNote.objects.get(), office.client("finance")
    keys = {"lines": str(note.lines.get().pk)}
    refused = finance.post(page(note, "settle"), {"act": "put_aside", **keys}, follow=True)
    assert "Say why" in text_of(refused)
    assert waiting() == [("C1", 1, "never_sold")]
    finance.post(page(note, "settle"), {"act": "put_aside", "text": "a fee", **keys})
    assert waiting() == []
    listed = finance.get(reverse("admin:invoices_creditnote_changelist"), {"tab": "aside"})
    assert "C1" in text_of(listed)
    assert "a fee" in text_of(finance.get(page(note)))
    finance.post(page(note, "settle"), {"act": "take_up", **keys})
    assert waiting() == [("C1", 1, "never_sold")]


def test_another_shops_note_does_not_exist(office: Any, tmp_path: Path) -> None:
    take(tmp_path, [*TWO, credit("C1", "85123A", 2)], shop=office.b.code)
    note, before = CreditNote.objects.get(), everything()
    given = {"act": "accept", "lines": str(note.lines.get().pk), "invoice": "536365"}
    finance = office.client("finance")
    assert finance.get(page(note)).status_code == 404
    assert finance.post(page(note, "settle"), given).status_code == 404
    assert "C1" not in text_of(finance.get(reverse("admin:invoices_creditnote_changelist")))
    actor = Actor.person(office.people["finance"], "admin")
    with pytest.raises(Refused) as refused:
        crediting.accept(actor, note.pk, [note.lines.get().pk], "536365")
    assert refused.value.code == "unknown"
    assert everything() == before


def test_who_only_looks_settles_nothing(office: Any, tmp_path: Path) -> None:
    notes(office, tmp_path, *TWO, credit("C1", "85123A", 2))
    note, before = CreditNote.objects.get(), everything()
    auditor = office.client("auditor")
    assert "Put to this invoice" not in text_of(auditor.get(page(note)))
    given = {"act": "accept", "lines": str(note.lines.get().pk), "invoice": "536365"}
    assert auditor.post(page(note, "settle"), given).status_code == 403
    assert office.client("finance").get(page(note, "settle")).status_code == 405
    actor = Actor.person(office.people["auditor"], "admin")
    with pytest.raises(NotPermitted):
        crediting.accept(actor, note.pk, [note.lines.get().pk], "536365")
    assert everything() == before


def test_pages_take_the_same_number_of_queries_for_any_number_of_rows(
    office: Any, tmp_path: Path
) -> None:
    finance, seen = office.client("finance"), []
    where = reverse("admin:invoices_creditnote_changelist"), {"tab": "all"}
    for many in (2, 10):
        rows = [foreign(f"{many}{n:04}", f"G{n}", 9) for n in range(many)]
        rows += [foreign(f"{many}{n:04}", f"G{n % many}", 9) for n in range(90, 90 + many)]
        rows += [credit(f"C{many}", f"G{n}", 1) for n in range(many)]
        rows += [credit(f"C{many}{n}", "M", 1) for n in range(many)]
        notes(office, tmp_path, *rows)
        note = CreditNote.objects.get(number=f"C{many}")
        finance.get(page(note))  # what is looked up once a process
        with CaptureQueriesContext(
            connection,
        ) as of_page:
            finance.get(page(note))
        with CaptureQueriesContext(connection) as of_list:
            finance.get(*where)
        seen.append((len(of_page), len(of_list)))
    assert seen[0] == seen[1]


def test_the_report_sums_blue_and_red_by_month_kind_and_rate(office: Any, tmp_path: Path) -> None:
    notes(
        office,
        tmp_path,
        TWO[0],
        foreign("536400", "71053", 1, "100.00", InvoiceDate="2010-11-30 23:59:59"),
        foreign("536401", "71053", 1, "10.00", InvoiceDate="2010-12-01 00:00:00"),
        credit("C1", "85123A", 2),
        credit("C2", "M", 1, "7.00"),
    )
    november, december = MEASURES["invoices"](Question())
    assert (november["month"], november["blue"], november["blue_gross"]) == ("2010-11", 1, "100.00")
    assert december == {
        "month": "2010-12",
        "kind": "foreign",
        "rate": "0",
        "blue": 2,
        "red": 1,
        "blue_amount": "25.30",
        "blue_tax": "0.00",
        "blue_gross": "25.30",
        "red_amount": "-5.10",
        "red_tax": "0.00",
        "red_gross": "-5.10",
        "net_gross": "20.20",
        "unmatched_lines": 1,
        "unmatched_gross": "7.00",
    }
    with pytest.raises(Refused):
        MEASURES["invoices"](Question(by="sku"))


def test_the_report_by_shop_is_printed_and_written(
    office: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes(office, tmp_path, TWO[0])
    call_command("report", "invoices", by="shop", out=str(tmp_path / "out.csv"))
    assert f'"shop": "{office.a.code}"' in capsys.readouterr().out
    assert "2010-12" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")


def test_the_months_are_drawn_of_ones_own_shops_for_who_sees_amounts(
    office: Any, tmp_path: Path
) -> None:
    notes(office, tmp_path, TWO[0], credit("C1", "85123A", 2))
    take(tmp_path, [foreign("999", "X", 1, "777.00")], shop=office.b.code)
    url = reverse("admin:invoices_invoice_months")
    answer = office.client("finance").get(url, {"until": "2010-12"})
    shown = text_of(answer)
    assert answer.content.decode().count("<svg") == 2
    assert "2010-12" in shown
    assert "15.30" in shown
    assert "33.3%" in shown
    assert "777" not in shown
    assert office.client("finance").get(url, {"until": "x"}).status_code == 200
    assert office.client("warehouse").get(url).status_code == 403
