"""Sheets as a clerk feeds them: rows as dictionaries, the platform's own headers, real files."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from cases.flow.door import Actor
from cases.models import Case, Order
from cases.sheets.loading import Result, import_file
from tests.cases.sheets.files.makers import (
    DOUYIN_AFTER_SALES,
    DOUYIN_ORDERS,
    NATIVE_CASES,
    NATIVE_ORDERS,
    TAOBAO_DETAILS,
    TAOBAO_ORDERS,
    csv_file,
    rows_of,
)
from tests.factories import House

#: Ten days after T0 of the factories: 10:00 in Shanghai.
NOW = datetime(2026, 3, 12, 2, 0, tzinfo=UTC)

ORDER = {
    "shop": "shop",
    "platform": "taobao",
    "order_no": "A1",
    "line_no": "1",
    "sku": "K-1",
    "title": "短袖",
    "quantity": "2",
    "paid_amount": "100.00",
    "freight_paid": "10.00",
    "paid_at": "2026-03-01 08:00:00",
    "status": "paid",
}
SIGNED = ORDER | {
    "status": "signed",
    "shipped_at": "2026-03-02 08:00:00",
    "signed_at": "2026-03-05 08:00:00",
}
CASE = {
    "case_no": "C1",
    "shop": "shop",
    "order_no": "A1",
    "line_no": "1",
    "quantity": "1",
    "kind": "return_refund",
    "reason": "not_wanted",
    "applied_at": "2026-03-10 10:00:00",
    "state": "applied",
}
TAOBAO = {
    "订单编号": "3510000000000000001",
    "支付单号": "2026030122001",
    "买家应付货款": "110.00",
    "买家应付邮费": "10.00",
    "总金额": "110.00",
    "买家实际支付金额": "110.00",
    "订单状态": "卖家已发货，等待买家确认",
    "收货人姓名": "张三",
    "收货地址": "浙江省杭州市西湖区文三路1号",
    "联系手机": "'19900001234",
    "订单创建时间": "2026-03-01 07:00:00",
    "订单付款时间": "2026-03-01 08:00:00",
    "宝贝标题": "短袖 夏季",
    "宝贝总数量": "3",
    "物流单号": "No:SF001",
    "物流公司": "顺丰速运",
    "店铺名称": "shop",
    "退款金额": "0.00",
}
_names = count(1)


def amount(text: str) -> Decimal:
    return Decimal(text)


@dataclass
class Desk:
    """``take`` feeds a sheet and gives the result; ``counts`` are the counts that are not zero."""

    house: House
    folder: Path

    def file(self, headers: list[str], *rows: dict[str, str], encoding: str = "utf-8") -> Path:
        path = self.folder / f"sheet{next(_names)}.csv"
        return csv_file(path, [headers, *rows_of(headers, *rows)], encoding=encoding)

    def take(self, path: Path, **choices: Any) -> Result:
        choices.setdefault("actor", Actor.sheet())
        return import_file(path, **choices)

    def orders(self, *rows: dict[str, str], **choices: Any) -> Result:
        return self.take(self.file(NATIVE_ORDERS, *rows), **choices)

    def cases(self, *rows: dict[str, str], **choices: Any) -> Result:
        return self.take(self.file(NATIVE_CASES, *rows), **choices)

    def taobao(self, *rows: dict[str, str], **choices: Any) -> Result:
        return self.take(self.file(TAOBAO_ORDERS, *rows, encoding="gb18030"), **choices)

    def details(self, *rows: dict[str, str], **choices: Any) -> Result:
        return self.take(self.file(TAOBAO_DETAILS, *rows, encoding="gb18030"), **choices)

    def douyin(self, *rows: dict[str, str], **choices: Any) -> Result:
        return self.take(self.file(DOUYIN_ORDERS, *rows, encoding="utf-8-sig"), **choices)

    def after_sales(self, *rows: dict[str, str], **choices: Any) -> Result:
        return self.take(self.file(DOUYIN_AFTER_SALES, *rows, encoding="utf-8-sig"), **choices)


def counts(result: Result) -> dict[str, int]:
    names = ("created", "updated", "unchanged", "skipped", "failed")
    found = {name: getattr(result, name) for name in names if getattr(result, name)}
    assert sum(found.values()) == result.rows
    return found


def order(no: str = "A1") -> Order:
    return Order.objects.get(order_no=no)


def case(no: str = "C1") -> Case:
    return Case.objects.get(case_no=no)


def lines(no: str = "A1") -> list[tuple[int, int, Decimal]]:
    """Number, pieces and yuan paid of each line."""
    return list(order(no).lines.values_list("line_no", "quantity", "paid_amount"))
