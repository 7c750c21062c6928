"""Claims as sheets: filed where they are eligible, moved by their steps, out and in unchanged."""

from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from cases.flow import clock
from cases.flow.door import Actor
from cases.sheets.exports import export
from cases.sheets.loading import import_file
from promises.models import Claim, Deposit, Entry
from promises.sheets.claims import way_to
from tests.cases.sheets.files.makers import csv_file
from tests.promises.counter import Counter, books_are_clean, written

pytestmark = pytest.mark.django_db
HEADERS = [
    "claim_no", "shop", "order_no", "line_no", "promise", "filed_at", "amount", "state", "text",
]  # fmt: skip
CHINESE = [
    "赔付单号", "店铺代码", "订单编号", "订单行号", "服务承诺", "提出时间", "赔付金额", "状态",
    "说明",
]  # fmt: skip


class Sheets(Counter):
    """The counter with a folder of sheets beside it."""

    folder: Path

    def row(self, order, **cells):
        said = {
            "shop": self.shop.code, "order_no": order.order_no, "line_no": "1",
            "promise": "ship_on_time", "filed_at": f"{self.now:%Y-%m-%d %H:%M:%S}+00:00",
            **cells,
        }  # fmt: skip
        return [said.get(name, "") for name in (*HEADERS, "freight_back", "report")]

    def take(self, *rows, headers=HEADERS, by=None, **more):
        self.tick()
        names = [*headers, "freight_back", "report"]
        path = csv_file(self.folder / f"claims{self.now:%d%H%M}.csv", [names, *rows])
        user = self.house.actor(by).user if by else None
        with clock.standing_at(self.now):
            return import_file(path, actor=Actor.sheet(user), kind="claims", **more)


@pytest.fixture
def office(tmp_path) -> Sheets:
    made = Sheets()
    made.folder = tmp_path
    return made


def told(result):
    names = ("created", "updated", "unchanged", "skipped", "failed")
    return {name: count for name in names if (count := getattr(result, name))}


@pytest.mark.parametrize("headers", [HEADERS, CHINESE], ids=["english", "chinese"])
def test_an_unknown_number_becomes_a_claim_under_that_number(office, headers):
    order = office.sold("333.33")

    result = office.take(office.row(order, claim_no="X1", amount="16.67"), headers=headers)

    assert (result.dialect, result.kind, told(result)) == ("native", "claims", {"created": 1})
    claim = Claim.objects.get()
    assert (claim.claim_no, claim.state, str(claim.amount)) == ("X1", "filed", "16.67")
    assert claim.working["result"] == "16.67"
    assert books_are_clean(office.now)


@pytest.mark.parametrize(
    ("state", "deposit", "ends", "warned"),
    [
        ("paid", "100.00", "paid", 0),
        ("已赔付", "100.00", "paid", 0),
        ("paid", "1.00", "owed", 1),
        ("contested", "100.00", "contested", 0),
        ("adjudicating", "100.00", "adjudicating", 0),
        ("dismissed", "100.00", "dismissed", 0),
        ("withdrawn", "100.00", "withdrawn", 0),
    ],
)
def test_a_row_moves_its_claim_by_the_steps(office, state, deposit, ends, warned):
    office.pay_in(deposit)
    order = office.sold("333.33")
    row = office.row(order, claim_no="X1")
    office.take(row)

    moved = office.take(office.row(order, claim_no="X1", state=state, filed_at=row[5]))
    again = office.take(office.row(order, claim_no="X1", state=state, filed_at=row[5]))

    assert told(moved) == {"updated": 1}
    assert len(moved.warnings) == warned, moved.warnings
    claim = Claim.objects.get()
    assert claim.state == ends
    assert [e.verb for e in claim.events.order_by("seq")][1:] == way_to("filed", ends)
    assert told(again) == {"unchanged": 1}
    assert books_are_clean(office.now)


def test_out_and_in_again_changes_nothing(office):
    office.pay_in("500.00")
    orders = [office.sold("333.33", promises="ship_on_time;free_return") for _ in range(5)]
    office.act(office.file(orders[0]), "accept")
    office.act(office.file(orders[1], text="迟了三天"), "contest", text="不认可")
    office.handed_over(orders[2], "free_return", freight_back=Decimal("12.00"))
    office.act(office.file(orders[3]), "withdraw", by="agent")
    office.file(orders[4])
    before = written()

    for name in ("out.csv", "out.xlsx"):
        for language in ("en", "zh"):
            path = office.folder / f"{language}{name}"
            assert export("claims", path, language=language).rows == 5
            with clock.standing_at(office.now):
                result = import_file(path, actor=Actor.sheet())
            assert (told(result), result.warnings) == ({"unchanged": 5}, [])
    assert written() == before


def test_what_cannot_be_taken_says_why_and_comes_back_to_be_mended(office):
    good, unpaid = office.sold(), office.sold(promises="quality")
    claimed = office.sold()
    office.file(claimed)
    book = office.folder / "errors.xlsx"

    result = office.take(
        office.row(good, amount="6.00"),
        office.row(unpaid),
        office.row(claimed, claim_no="X9"),
        office.row(good, line_no="7"),
        office.row(good, order_no="没有"),
        office.row(good, promise="月球承诺"),
        office.row(good, state="飞了"),
        office.row(good, filed_at="2030-01-01 00:00:00"),
        office.row(good, amount="5.001"),
        errors=book,
    )

    codes = [code for _row, code, _message in result.failures]
    assert codes == [
        "bad_value", "not_eligible", "already_claimed", "unknown", "unknown", "bad_value",
        "bad_value", "bad_value", "too_precise",
    ]  # fmt: skip
    assert told(result) == {"failed": 9}
    assert "¥5.00" in result.failures[0][2]
    assert Claim.objects.count() == 1
    rows = list(load_workbook(book).active.iter_rows(values_only=True))
    assert len(rows) == 10
    mended = [list(row) for row in rows]
    # Mended in the workbook itself, the first row is taken and the others come back again.
    at = rows[0].index("amount")
    mended[1][at] = "5.00"
    texts = [["" if cell is None else str(cell) for cell in row] for row in mended[:2]]
    path = csv_file(office.folder / "mended.csv", texts)
    with clock.standing_at(office.now):
        assert told(import_file(path, actor=Actor.sheet())) == {"created": 1}


def test_rows_without_a_number_are_known_again(office):
    order = office.sold()
    row = office.row(order)

    assert told(office.take(row, row)) == {"created": 1, "unchanged": 1}
    assert told(office.take(row)) == {"unchanged": 1}
    assert Claim.objects.count() == 1


def test_an_older_export_moves_nothing_back(office):
    office.pay_in("100.00")
    order = office.sold()
    claim = office.file(order)
    office.act(claim, "contest", text="不认可")
    old = office.row(
        order, claim_no=claim.claim_no, state="filed",
        filed_at=f"{claim.filed_at:%Y-%m-%d %H:%M:%S}+00:00",
    )  # fmt: skip

    assert told(office.take(old)) == {"skipped": 1}
    assert Claim.objects.get().state == "contested"


def test_a_person_s_rights_and_shops_count_and_nobody_grants_what_he_filed(office):
    office.pay_in("100.00")
    order, other = office.sold(), office.sold()
    own = office.take(office.row(order, claim_no="X1", state="paid"), by="lead")
    assert [code for _row, code, _message in own.failures] == ["same_person"]
    assert Claim.objects.count() == 0

    office.take(office.row(order, claim_no="X1"), by="lead")
    agent = office.take(office.row(order, claim_no="X1", state="paid"), by="agent")
    assert [code for _row, code, _message in agent.failures] == ["not_permitted"]
    stranger = office.take(office.row(other, claim_no="X2"), visible_shops=frozenset())
    assert [code for _row, code, _message in stranger.failures] == ["unknown"]
    assert (Claim.objects.get().state, Deposit.objects.get().paid) == ("filed", 0)


def test_a_number_of_another_line_or_shop_is_refused(office):
    order, other = office.sold(), office.sold(promises="ship_on_time;quality")
    office.take(office.row(order, claim_no="X1"))

    result = office.take(
        office.row(other, claim_no="X1"),
        office.row(order, claim_no="X1", promise="quality"),
        office.row(order, claim_no="Y" * 33),
    )
    assert [code for _row, code, _message in result.failures] == ["bad_value"] * 3
    hidden = office.take(office.row(other, claim_no="X1"), visible_shops=frozenset())
    assert told(hidden) == {"failed": 1}


def test_a_trial_writes_nothing_and_says_the_same(office):
    office.pay_in("100.00")
    order = office.sold()
    before = written()

    result = office.take(office.row(order, claim_no="X1", state="paid"), dry_run=True)

    assert told(result) == {"created": 1}
    assert written() == before
    assert Entry.objects.count() == 1


def test_the_ruling_by_sheet_names_the_report_where_it_is_demanded(office):
    office.pay_in("5000.00")
    order = office.sold("333.33", promises="fake_triple")
    claim = office.handed_over(order, "fake_triple")
    row = {
        "claim_no": claim.claim_no, "promise": "fake_triple", "state": "paid",
        "filed_at": f"{claim.filed_at:%Y-%m-%d %H:%M:%S}+00:00",
    }  # fmt: skip

    refused = office.take(office.row(order, **row))
    assert [code for _row, code, _message in refused.failures] == ["evidence_required"]
    assert told(office.take(office.row(order, **row, report="质检 2026-17"))) == {"updated": 1}
    done = Claim.objects.get()
    assert (done.state, str(done.paid), done.report) == ("paid", "999.99", "质检 2026-17")


def test_our_next_number_is_not_one_that_a_sheet_brought(office):
    first = office.file(office.sold())
    head, count = first.claim_no[:-6], int(first.claim_no[-6:])
    office.take(office.row(office.sold(), claim_no=f"{head}{count + 1:06d}"))

    assert office.file(office.sold()).claim_no == f"{head}{count + 2:06d}"
