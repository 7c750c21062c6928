"""The admin's preview is a trial run of the import itself; its export is scoped and masked."""

import csv
import io

from import_export.results import RowResult

from cases.models import Order
from cases.resources import CaseResource, CsvFormat, OrderResource, SheetFormat, XlsxFormat
from tests.cases.sheets.files.makers import NATIVE_CASES, NATIVE_ORDERS
from tests.cases.sheets.loading_desk import CASE, ORDER, SIGNED, counts, order

HERS = SIGNED | {"shop": "elsewhere", "order_no": "E1"}


def upload(desk, headers, *rows):
    return SheetFormat().create_dataset(desk.file(headers, *rows).read_bytes())


def words(result):
    return [(row.diff[0], row.diff[1], row.diff[2]) for row in result.rows]


def test_the_preview_says_what_would_become_of_each_row(desk):
    desk.orders(ORDER)
    data = upload(
        desk, NATIVE_ORDERS, ORDER, ORDER | {"order_no": "A2"}, ORDER | {"paid_amount": "x"}, HERS
    )
    result = OrderResource().import_data(data, dry_run=True, user=desk.house.users["lead"])

    assert not result.has_errors()
    assert words(result) == [
        ("4", "", "Failed"),
        ("5", "E1", "Failed"),
        ("3", "A2", "New"),
        ("2", "A1", "Unchanged"),
    ]
    assert result.totals[RowResult.IMPORT_TYPE_NEW] == 1
    assert Order.objects.count() == 1


def test_the_confirmation_imports_and_names_the_objects(desk):
    data = upload(desk, NATIVE_ORDERS, ORDER)
    result = OrderResource().import_data(data, dry_run=False, user=desk.house.users["lead"])

    assert counts(result.ours) == {"created": 1}
    assert [row.object_id for row in result.rows] == [order().pk]


def test_a_sheet_of_cases_is_none_of_orders(desk):
    data = upload(desk, NATIVE_CASES, CASE)
    result = OrderResource().import_data(data, dry_run=True, user=desk.house.users["lead"])
    assert result.has_errors()


def test_cases_go_through_the_same_import(desk):
    desk.orders(SIGNED)
    data = upload(desk, NATIVE_CASES, CASE)
    result = CaseResource().import_data(data, dry_run=False, user=desk.house.users["lead"])
    assert words(result) == [("2", "C1", "New")]


def test_too_long_a_sheet_is_for_the_command(desk, monkeypatch):
    monkeypatch.setattr("cases.resources.MOST_ROWS", 1)
    data = upload(desk, NATIVE_ORDERS, ORDER, ORDER | {"order_no": "A2"})
    result = OrderResource().import_data(data, dry_run=True, user=desk.house.users["lead"])
    assert "more than 1 rows" in str(result.base_errors[0].error)


def test_what_is_no_sheet_is_told_in_words(desk):
    data = SheetFormat().create_dataset(b"\x89PNG\r\n\x1a\n0000")
    result = OrderResource().import_data(data, dry_run=True, user=desk.house.users["lead"])
    assert result.has_errors()
    assert result.base_errors[0].traceback == ""


def exported(name="lead", *, desk, clear=False, queryset=None):
    resource = OrderResource(user=desk.house.users[name], clear=clear)
    text = CsvFormat().export_data(resource.export(queryset)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_an_export_holds_ones_own_shops_masked(desk):
    desk.orders(ORDER | {"phone": "19900001234", "receiver": "张三丰"}, HERS)

    (row,) = exported(desk=desk)
    assert (row["order_no"], row["phone"], row["receiver"]) == ("A1", "199****1234", "张**")
    assert exported(desk=desk, clear=True)[0]["phone"] == "19900001234"
    assert len(exported(desk=desk, queryset=Order.objects.all())) == 1
    assert len(exported("boss", desk=desk)) == 2


def test_a_masked_export_comes_back_as_unchanged(desk):
    desk.orders(
        SIGNED
        | {
            "phone": "19900001234",
            "receiver": "张三",
            "address": "杭州市文三路1号",
            "buyer": "小甲",
        }
    )
    resource = OrderResource(user=desk.house.users["lead"])
    for number, form in enumerate((CsvFormat(), XlsxFormat())):
        path = desk.folder / f"masked{number}.{form.get_extension()}"
        path.write_bytes(form.export_data(resource.export()))
        assert counts(desk.take(path)) == {"unchanged": 1}
