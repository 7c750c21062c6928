"""import_sheet and export_sheet as scripts call them: one JSON object, exit codes 0 and 2."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from cases.models import Order, Shop
from cases.sheets.exports import export
from tests.cases.sheets.loading_desk import CASE, ORDER, SIGNED, TAOBAO, case, lines, order


def run(*args):
    """The JSON object, the words beside it, and the exit code."""
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command(*map(str, args), stdout=out, stderr=err)
    except SystemExit as end:
        code = int(end.code)
    return json.loads(out.getvalue().splitlines()[-1]), err.getvalue(), code


def native(desk, *rows):
    from tests.cases.sheets.files.makers import NATIVE_ORDERS  # noqa: PLC0415 - beside its use

    return desk.file(NATIVE_ORDERS, *rows)


def test_a_sheet_is_imported_and_counted(desk):
    found, _words, code = run("import_sheet", native(desk, ORDER))
    assert code == 0
    assert found["rows"] == found["created"] == 1
    assert (found["dialect"], found["kind"]) == ("native", "orders")


def test_rows_that_all_fail_are_still_no_refusal(desk, tmp_path):
    out = tmp_path / "errors.xlsx"
    found, words, code = run(
        "import_sheet", native(desk, ORDER | {"quantity": "x"}), "--errors", out
    )
    assert (code, found["failed"], found["error_file"]) == (0, 1, str(out))
    assert "Row 2" in words or "2" in words
    assert out.exists()


def test_an_unknown_shop_is_made_with_a_warning(desk):
    from tests.cases.sheets.files.makers import TAOBAO_ORDERS  # noqa: PLC0415 - beside its use

    path = desk.file(TAOBAO_ORDERS, TAOBAO, encoding="gbk")
    found, _words, code = run("import_sheet", path, "--shop", "fresh")

    assert (code, found["created"]) == (0, 1)
    assert any("fresh" in text for text in found["warnings"])
    assert Shop.objects.get(code="fresh").platform == "taobao"


def test_a_native_sheet_may_leave_the_shop_to_the_command(desk, tmp_path):
    from tests.cases.sheets.files.makers import NATIVE_ORDERS  # noqa: PLC0415 - beside its use

    headers = [name for name in NATIVE_ORDERS if name != "shop"]
    path = desk.file(headers, {name: cell for name, cell in ORDER.items() if name != "shop"})

    refused, _words, code = run("import_sheet", path)
    assert (code, refused["code"]) == (2, "bad_value")
    found, _words, code = run("import_sheet", path, "--shop", "fresh")
    assert (code, found["created"]) == (0, 1)
    assert order().shop.code == "fresh"


def test_what_is_no_sheet_ends_with_two(desk, tmp_path):
    path = tmp_path / "x.docx"
    path.write_bytes(b"PK\x03\x04 no sheet at all")
    found, _words, code = run("import_sheet", path)

    assert code == 2
    assert set(found) == {"refused", "code"}


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_file_that_is_not_there_ends_with_two(desk, tmp_path, name):
    assert run("import_sheet", tmp_path / name)[2] == 2


def test_a_dry_run_changes_nothing(desk):
    found, _words, _code = run("import_sheet", native(desk, ORDER), "--dry-run")
    assert found["created"] == 1
    assert Order.objects.count() == 0


def test_a_mapping_is_read_from_its_file(desk, tmp_path):
    mapping = tmp_path / "m.json"
    mapping.write_text(
        json.dumps({"kind": "orders", "columns": {"单子": "order_no", "花了": "paid_amount"}})
    )
    path = desk.file(["单子", "花了"], {"单子": "M1", "花了": "9.90"})
    found, _words, _code = run("import_sheet", path, "--mapping", mapping, "--shop", "shop")
    assert found["created"] == 1


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_an_export_taken_in_again_changes_nothing(desk, tmp_path, ending):
    full = SIGNED | {
        "serials": "S1;S2",
        "unit_price": "50.005",
        "discount": "0.01",
        "phone": "19900001234",
        "address": "=1+1",
        "promises": "quality;free_return",
        "shipped_free": "yes",
        "category": "food",
        "ship_by": "2026-03-03 08:00:00",
    }
    desk.orders(full, SIGNED | {"order_no": "A2", "paid_at": "", "status": "unpaid"})
    desk.taobao(TAOBAO)
    desk.cases(CASE | {"text": "=cmd", "state": "returning", "courier": "SF", "waybill": "SF9"})
    before = list(Order.objects.order_by("pk").values())

    for kind, rows in (("orders", 3), ("cases", 1)):
        out = tmp_path / f"{kind}.{ending}"
        found, _words, code = run("export_sheet", kind, out)
        assert (code, found["rows"], found["file"]) == (0, rows, str(out))
        again, _words, _code = run("import_sheet", out)
        assert again["unchanged"] == again["rows"] == rows

    assert list(Order.objects.order_by("pk").values()) == before
    assert order().address == "=1+1"
    assert case().text == "=cmd"
    assert lines(TAOBAO["订单编号"]) == lines(TAOBAO["订单编号"])


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_masked_export_taken_in_again_overwrites_nothing(desk, tmp_path, ending):
    personal = {"phone": "19900001234", "receiver": "张三", "buyer": "小甲", "address": "=杭州1号"}
    desk.orders(SIGNED | personal)
    before = list(Order.objects.values())

    export("orders", out := tmp_path / f"masked.{ending}", clear=False)
    again, _words, _code = run("import_sheet", out)
    assert (again["rows"], again["unchanged"]) == (1, 1)
    assert list(Order.objects.values()) == before


def test_columns_are_chosen_by_name(desk, tmp_path):
    desk.orders(ORDER)
    desk.cases(CASE | {"state": "returning", "courier": "SF", "waybill": "SF9"})
    for kind, columns, cells in (
        ("orders", "sku,order_no", "K-1,A1"),
        ("cases", "waybill,case_no, courier", "SF9,C1,SF"),
        ("cases", "case_no,state", "C1,returning"),
    ):
        out = tmp_path / "some.csv"
        _found, _words, code = run("export_sheet", kind, out, "--columns", columns)
        assert code == 0
        header = columns.replace(" ", "")
        assert out.read_text(encoding="utf-8-sig").splitlines() == [header, cells]


def test_an_export_is_filtered_by_fields(desk, tmp_path):
    desk.orders(
        ORDER, SIGNED | {"order_no": "A2"}, SIGNED | {"order_no": "A3", "shop": "elsewhere"}
    )
    out = tmp_path / "o.csv"
    for filters, rows in (
        (["shop=shop"], 2),
        (["status=signed"], 2),
        (["shop=shop", "status=signed"], 1),
        (["order_no=A1,A3"], 2),
        (["paid_amount__gte=1000"], 0),
    ):
        found, _words, _code = run("export_sheet", "orders", out, "--filter", *filters)
        assert found["rows"] == rows, filters


@pytest.mark.parametrize(
    "args",
    [
        ("gifts", "o.csv"),
        ("orders", "o.pdf"),
        ("orders", "o.csv", "--filter", "nonsense=1"),
        ("orders", "o.csv", "--filter", "status"),
        ("orders", "o.csv", "--columns", "sku,password"),
        ("orders", "o.csv", "--columns", "sku,sku"),
        ("orders", "o.csv", "--columns", ""),
        ("orders", "no/such/folder/o.csv"),
    ],
)
def test_an_export_that_cannot_be_is_refused(desk, tmp_path, monkeypatch, args):
    monkeypatch.chdir(tmp_path)
    found, _words, code = run("export_sheet", *args)
    assert code == 2
    assert found["code"] in {"bad_value", "unknown"}
