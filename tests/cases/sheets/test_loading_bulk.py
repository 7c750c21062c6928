"""What goes past the ORM stands in the tables as the ORM would have put it there."""

import csv
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from cases.models import Order, OrderLine
from cases.sheets import exports
from cases.sheets.exports import export
from cases.sheets.loading.inserting import insert_columns, take_keys
from tests.bench import floor_import, importing
from tests.cases.sheets.loading_desk import ORDER, counts
from tests.factories import OrderFactory, ShopFactory

pytestmark = pytest.mark.django_db

ODD = ["\\N", "\\", "a\tb\\n", "汉字🙂", "'; --", '"', "", "\\.", "NULL", "a\nb"]
AT = datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=timezone(timedelta(hours=8)))


def test_odd_texts_times_and_numbers_come_back_as_the_orm_writes_them():
    lines = [
        {
            "line_no": at,
            "title": text,
            "unit_price": Decimal("1.234567") if at % 2 else None,
            "discount": Decimal("0.10") if at % 2 else None,
            "paid_amount": Decimal("999999999.99"),
            "ship_by": AT if at % 2 else AT.replace(microsecond=0),
            "extra": {"k": text} if at % 2 else {},
        }
        for at, text in enumerate(ODD, 1)
    ]
    mine, theirs = OrderFactory(), OrderFactory()
    for line in lines:
        OrderLine.objects.create(order=mine, **line)
    columns = {name: [line[name] for line in lines] for name in lines[0]}
    same = {
        **{name: OrderLine._meta.get_field(name).get_default() for name in ("sku", "category")},
        **dict.fromkeys(("sub_order_no", "serials", "promises"), ""),
        **dict.fromkeys(("held", "gone"), 0),
        **dict.fromkeys(("reserved", "refunded"), Decimal("0.00")),
        "quantity": 1,
        "no_return_agreed": False,
    }
    keys = take_keys(OrderLine, len(lines))
    owners = [theirs.pk] * len(lines)
    insert_columns(OrderLine, {"id": keys, "order_id": owners, **columns}, same)

    def stored(order):
        rows = OrderLine.objects.filter(order=order, line_no__in=columns["line_no"])
        return [
            {n: v for n, v in row.items() if n not in {"id", "order_id"}}
            for row in rows.order_by("line_no").values()
        ]

    assert stored(theirs) == stored(mine)
    assert [row["title"] for row in stored(theirs)] == ODD
    assert OrderLine.objects.filter(ship_by=AT.astimezone(UTC)).count() == len(lines) // 2 * 2


def test_nothing_is_inserted_where_there_is_nothing():
    insert_columns(OrderLine, {"id": [], "order_id": []}, {"quantity": 1})
    assert not OrderLine.objects.exists()


def test_a_row_the_database_refuses_is_an_error_of_django():
    order = OrderFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_columns(Order, {"id": [order.pk]}, {"shop_id": order.shop_id})


def test_the_same_facts_written_another_way_are_no_news(desk):
    told = ORDER | {"phone": "19900001234", "promises": "quality;ship_on_time"}
    assert counts(desk.orders(told)) == {"created": 1}
    other = told | {
        "paid_at": "2026/3/1 8:00",
        "paid_amount": "¥100.00元",
        "phone": "'19900001234",
        "order_no": ' ="A1"',
    }
    before = list(Order.objects.values())

    assert counts(desk.orders(other)) == {"unchanged": 1}
    assert list(Order.objects.values()) == before


@pytest.mark.parametrize(
    "news",
    [
        {"paid_at": "2026-03-01 08:00:01"},
        {"quantity": "3"},
        {"title": "长袖"},
        {"备注": "新"},
        {"buyer": "张三"},
        {"line_no": "2"},
    ],
)
def test_any_other_fact_is_news(desk, news):
    desk.orders(ORDER)
    headers = [*ORDER, *(name for name in news if name not in ORDER)]
    found = desk.take(desk.file(headers, ORDER | news))
    assert counts(found) == {"updated": 1}


def test_the_floor_of_the_bench_leaves_the_rows_that_ours_leaves(tmp_path):
    """Else it would be no floor: the ratio is worth what the two have in common."""
    sheet = tmp_path / "orders.csv"
    importing.write_orders(sheet, 40)
    importing.open_shop()
    with transaction.atomic():
        assert floor_import.floor(sheet) == 40
        theirs = importing.outcome(40, 40)
        assert floor_import.floor(sheet) == 40
        assert importing.outcome(40, 40) == theirs
        transaction.set_rollback(True)

    assert importing.ours(sheet) == 40
    assert importing.outcome(40, 40) == theirs


def test_an_export_over_several_pages_has_every_line_once(tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "_PAGE", 2)
    shop = ShopFactory(code="shop")
    for number in range(5):
        order = OrderFactory(order_no=f"P{number}", shop=shop)
        OrderLine.objects.create(order=order, line_no=7, paid_amount=Decimal("1.00"))
    twice = Order.objects.filter(shop=shop, lines__quantity__gte=1)
    out = tmp_path / "out.csv"
    found = export("orders", out, queryset=twice)

    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    told = [(row["order_no"], row["line_no"]) for row in rows]
    assert sorted(set(told)) == sorted(told)
    assert found.rows == len(told) == OrderLine.objects.filter(order__shop=shop).count()
