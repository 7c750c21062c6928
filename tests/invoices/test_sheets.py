"""Sheets of invoices: foreign, ours, Alibaba's; in, out, and back in without a change."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import translation

from cases.auditing import audit
from cases.flow.door import Actor
from cases.sheets import dialects
from cases.sheets.exports import export
from cases.sheets.loading import import_file
from invoices.models import CreditNote, Invoice
from tests.invoices.sheet_desk import (
    ALIBABA,
    FOREIGN,
    NATIVE,
    RED,
    counts,
    credit,
    everything,
    foreign,
    reds,
    shop,
    take,
    waiting,
)


@pytest.fixture(autouse=True)
def the_shop(db: None) -> Iterator[None]:
    shop()
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("row", "code"), [(FOREIGN, "foreign"), (NATIVE, "native"), (ALIBABA, "alibaba")]
)
def test_each_family_is_told_by_its_headers(row: dict[str, str], code: str) -> None:
    found = dialects.recognise(list(row))
    assert found is not None
    assert (found.dialect.code, found.dialect.kind, found.unknown, found.missing) == (
        code,
        "invoices",
        (),
        (),
    )
    assert dialects.rivals(dialects.candidates(list(row))) == []


@pytest.mark.parametrize("cell", ["nan", "sNaN", "Infinity", "-inf", "1e999999", "十三"])
def test_what_is_no_rate_is_refused_with_those_there_are(tmp_path: Path, cell: str) -> None:
    result = take(tmp_path, [NATIVE | {"tax_rate": cell}])
    assert (result.failed, Invoice.objects.count()) == (1, 0)
    assert "is no rate there ever was" in result.failures[0][2]


def test_a_foreign_invoice_is_a_frozen_copy_with_each_line_as_it_stands(tmp_path: Path) -> None:
    rows = [
        foreign("536365", "85123A", 6),
        foreign("536365", "85123A", 6),  # repeated lines are legal
        foreign("536365", "POST", 1, "18.00"),
        foreign("536365", "GIFT", 2, "0.0"),
        foreign("536366", "71053", 3, "1.1", CustomerID=""),
    ]
    assert counts(take(tmp_path, rows)) == (5, 0, 0, 0, 0)
    first = Invoice.objects.get(number="536365")
    told = (first.kind, first.direction, first.buyer_name, first.amount, first.tax, first.gross)
    assert told == ("foreign", "blue", "17850", Decimal("48.60"), 0, Decimal("48.60"))
    lines = first.lines.order_by("line_no").values_list("line_no", "item_code", "quantity", "gross")
    assert list(lines) == [
        (1, "85123A", 6, Decimal("15.30")),
        (2, "85123A", 6, Decimal("15.30")),
        (3, "POST", 1, Decimal("18.00")),
        (4, "GIFT", 2, 0),
    ]
    assert Invoice.objects.get(number="536366").buyer_name == ""
    assert audit().violations == []


@pytest.mark.parametrize(
    ("row", "what", "says"),
    [
        (foreign("536365", "84077", -10, "0.0"), "skipped", "stock write-off"),
        (foreign("536365", "84077", 10, "0.0"), "skipped", "movement of stock"),
        (foreign("536365", "TEST001", 1), "skipped", "test"),
        (foreign("536365", "84077", -10), "failed", "credit note has a C"),
        (foreign("C536365", "84077", 10), "failed", "above zero on a credit note"),
        (foreign("A563185", "B", 1, "11062.06"), "failed", "neither an invoice nor a credit note"),
        (foreign("536365", "84077", 1, "-11062.06"), "failed", "below zero"),
        (foreign("536365", "84077", 0), "failed", "is zero"),
        (foreign("536365", "84077", 1, "abc"), "failed", "is not an amount"),
        (foreign("536365", "", 1), "failed", "is missing"),
    ],
)
def test_odd_rows_come_back_with_their_reason(
    tmp_path: Path, row: dict[str, str], what: str, says: str
) -> None:
    result = take(tmp_path, [row])
    assert getattr(result, what) == result.rows == 1
    said = [*result.warnings, *(message for _row, _code, message in result.failures)]
    assert says in " ".join(said)
    assert not Invoice.objects.exists()
    assert not CreditNote.objects.exists()


def test_an_invoice_with_one_bad_cell_is_not_taken_at_all(tmp_path: Path) -> None:
    rows = [foreign("536365", "85123A", 6), foreign("536365", "71053", 1, "1,2,3")]
    result = take(tmp_path, rows)
    assert counts(result) == (0, 0, 0, 0, 2)
    assert all("1,2,3" in message for _row, _code, message in result.failures)
    assert not Invoice.objects.exists()


def test_a_credit_note_that_can_mean_one_invoice_becomes_its_red(tmp_path: Path) -> None:
    rows = [
        foreign("536365", "85123A", 6),
        foreign("536365", "71053", 3, "1.10"),
        foreign("536400", "85123A", 6, CustomerID="13047.0"),
        credit("C536379", "85123A", 2),
        credit("C536379", "71053", 3, "1.10"),
    ]
    result = take(tmp_path, rows)
    assert counts(result) == (5, 0, 0, 0, 0)
    assert reds() == [
        ("C536379", "", "536365", [(-2, Decimal("-5.10")), (-3, Decimal("-3.30"))]),
    ]
    assert Invoice.objects.get(number="536365").standing.state == "partly_red"
    assert waiting() == []
    assert audit().violations == []


def test_what_cannot_be_told_waits_with_its_reason(tmp_path: Path) -> None:
    rows = [
        foreign("536365", "85123A", 6),
        foreign("536370", "85123A", 6),
        foreign("536370", "22086", 4),
        credit("C1", "85123A", 2),
        credit("C2", "22086", 5),
        credit("C3", "22086", 1, "9.99"),
        credit("C4", "D", 1, "27.50"),
        credit("C5", "85123A", 1, CustomerID=""),
        credit("C6", "85123A", 1, InvoiceDate="2010-11-01 08:00:00"),
    ]
    take(tmp_path, rows)
    assert waiting() == [
        ("C1", 1, "several"),
        ("C2", 1, "too_much"),
        ("C3", 1, "other_price"),
        ("C4", 1, "never_sold"),
        ("C5", 1, "no_buyer"),
        ("C6", 1, "later"),
    ]
    assert reds() == []


def test_a_note_of_several_invoices_becomes_a_red_of_each(tmp_path: Path) -> None:
    rows = [
        foreign("536365", "85123A", 6),
        foreign("536370", "22086", 4),
        credit("C1", "85123A", 1),
        credit("C1", "22086", 4),
        credit("C1", "M", 1),
    ]
    take(tmp_path, rows)
    assert reds() == [
        ("C1", "", "536365", [(-1, Decimal("-2.55"))]),
        ("C1", "2", "536370", [(-4, Decimal("-10.20"))]),
    ]
    assert waiting() == [("C1", 3, "never_sold")]
    assert audit().violations == []


def test_a_credit_note_before_its_invoice_in_the_file_is_matched_all_the_same(
    tmp_path: Path,
) -> None:
    take(tmp_path, [credit("C1", "85123A", 1), foreign("536365", "85123A", 6)])
    assert [(number, blue) for number, _code, blue, _lines in reds()] == [("C1", "536365")]


def test_an_invoice_that_comes_later_makes_a_waiting_note_certain(tmp_path: Path) -> None:
    take(tmp_path, [credit("C1", "85123A", 1)])
    assert waiting() == [("C1", 1, "never_sold")]
    take(tmp_path, [foreign("536365", "85123A", 6)])
    assert waiting() == []
    assert [(number, blue) for number, _code, blue, _lines in reds()] == [("C1", "536365")]


def test_the_same_foreign_file_again_changes_nothing(tmp_path: Path) -> None:
    rows = [
        foreign("536365", "85123A", 6),
        foreign("536370", "22086", 4),
        foreign("536370", "X", -1, "0.0"),
        credit("C1", "85123A", 1),
        credit("C1", "22086", 4),
        credit("C2", "M", 1),
    ]
    assert counts(take(tmp_path, rows)) == (5, 0, 0, 1, 0)
    before = everything()
    assert counts(take(tmp_path, rows)) == (0, 0, 5, 1, 0)
    assert everything() == before


def test_an_issued_invoice_is_not_changed_by_a_sheet_that_says_otherwise(tmp_path: Path) -> None:
    take(tmp_path, [foreign("536365", "85123A", 6)])
    before = everything()
    for other in (
        foreign("536365", "85123A", 7),
        foreign("536365", "85123A", 6, "2.50"),
        foreign("536365", "85123A", 6, InvoiceDate="2010-12-02 08:26:00"),
    ):
        result = take(tmp_path, [other])
        assert counts(result) == (0, 0, 0, 0, 1)
        assert "never changes" in result.failures[0][2]
    assert everything() == before


def test_a_trial_writes_nothing(tmp_path: Path) -> None:
    rows = [foreign("536365", "85123A", 6), credit("C1", "85123A", 1)]
    assert counts(take(tmp_path, rows, dry_run=True)) == (2, 0, 0, 0, 0)
    assert everything() == {"invoices": [], "balances": [], "reversals": [], "credits": []}


def test_a_native_sheet_goes_round_without_a_change(tmp_path: Path) -> None:
    discounted = NATIVE | {
        "number": "26312000000000000002",
        "nature": "discounted",
        "buyer_used": "yes",
        "issued_at": "2026-03-03 10:00:00",
    }
    discount = discounted | {
        "line_no": "2",
        "nature": "discount",
        "quantity": "",
        "unit_price": "",
        "amount": "-8.85",
        "tax": "-1.15",
        "gross": "-10.00",
    }
    result = take(tmp_path, [NATIVE, discounted, discount, RED])
    assert counts(result) == (4, 0, 0, 0, 0), result.failures
    assert reds() == [(RED["number"], "", NATIVE["number"], [(-1, Decimal("-33.33"))])]
    blue = Invoice.objects.get(number=discounted["number"])
    assert (blue.gross, blue.standing.buyer_used) == (Decimal("89.99"), True)
    assert audit().violations == []
    before = everything()
    for out, language in (("out.csv", "en"), ("out.xlsx", "zh")):
        path = tmp_path / out
        assert export("invoices", path, clear=True, language=language).rows == 4  # type: ignore[arg-type]
        again = import_file(path, actor=Actor.sheet(None))
        assert counts(again) == (0, 0, 4, 0, 0), again.failures
        assert everything() == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": "1234567"}, "20"),
        ({"kind": "paper_special"}, "invoice code"),
        ({"kind": "carrier_pigeon"}, "is not one of our words"),
        ({"tax_rate": "0.14"}, "no rate there ever was"),
        ({"tax": "12.50", "gross": "100.99"}, "tax"),
        ({"gross": "100.00"}, "total with tax"),
        ({"amount": "88.495"}, "two decimals"),
        ({"quantity": "4"}, "amount without tax"),
        ({"unit_price": ""}, "both or neither"),
        ({"issued_at": ""}, "is missing"),
    ],
)
def test_what_is_wrong_is_refused_by_line_and_field(
    tmp_path: Path, change: dict[str, str], field: str
) -> None:
    result = take(tmp_path, [NATIVE | change])
    assert counts(result) == (0, 0, 0, 0, 1)
    assert field in result.failures[0][2]
    assert not Invoice.objects.exists()


def test_a_tax_number_that_fails_its_check_is_a_warning_when_recorded(tmp_path: Path) -> None:
    result = take(tmp_path, [NATIVE | {"buyer_tax_no": "91110000600037341M"}])
    assert counts(result) == (1, 0, 0, 0, 0)
    assert "check character" in " ".join(result.warnings)
    assert "check character" in Invoice.objects.get().warnings[0]


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"quantity": "-4", "amount": "-118.00", "tax": "-15.34"}, "quantity_exceeded", "3 left"),
        ({"blue_number": "26312000000000009999"}, "unknown", "import it first"),
        ({"issued_at": "2026-03-01 10:00:00"}, "bad_value", "dated before"),
        ({"tax_rate": "0.09", "tax": "-2.66"}, "bad_value", "rate 0.09"),
    ],
)
def test_a_red_that_does_not_fit_its_blue_is_refused_with_what_is_left(
    tmp_path: Path, change: dict[str, str], code: str, says: str
) -> None:
    take(tmp_path, [NATIVE])
    before = everything()
    result = take(tmp_path, [RED | {"gross": ""} | change])
    assert counts(result) == (0, 0, 0, 0, 1)
    _row, why, message = result.failures[0]
    assert (why, says in message) == (code, True), message
    assert everything() == before


def test_reds_of_one_sheet_together_never_go_above_their_blue(tmp_path: Path) -> None:
    second = RED | {"number": "26312000000000000010", "quantity": "-3"}
    second |= {"unit_price": "29.49666667", "amount": "-88.49", "tax": "-11.50", "gross": "-99.99"}
    result = take(tmp_path, [NATIVE, RED, second])
    assert counts(result) == (2, 0, 0, 0, 1)
    assert "2 left" in result.failures[0][2]
    assert audit().violations == []


def test_alibabas_sheet_links_red_and_blue_by_its_column(tmp_path: Path) -> None:
    red = ALIBABA | {
        "开票日期": "2026-03-09",
        "发票类型": "红票",
        "发票号码": "12345679",
        "红票对应蓝票": "14403180911012345678",
    }
    result = take(tmp_path, [ALIBABA, red], shop=None)
    assert counts(result) == (2, 0, 0, 0, 0), result.failures
    blue = Invoice.objects.get(direction="blue")
    assert (blue.kind, blue.code, blue.number) == ("tax_control_e", "144031809110", "12345678")
    assert blue.extra["发票种类"] == "电子发票"
    assert reds() == [("12345679", "144031809110", "12345678", [(-3, Decimal("-99.99"))])]
    assert blue.standing.state == "fully_red"
    assert audit().violations == []


def test_a_kind_nobody_knows_is_told_kept_and_taken_by_its_number(tmp_path: Path) -> None:
    result = take(tmp_path, [ALIBABA | {"发票种类": "区块链发票"}])
    assert counts(result) == (1, 0, 0, 0, 0)
    assert ("kind", "区块链发票") in result.unknown_words
    assert Invoice.objects.get().extra["发票种类"] == "区块链发票"


def test_a_header_total_that_is_not_the_sum_of_the_lines_is_refused(tmp_path: Path) -> None:
    result = take(tmp_path, [ALIBABA | {"发票总金额": "100.00"}])
    assert counts(result) == (0, 0, 0, 0, 1)
    assert "add up" in result.failures[0][2]
