"""Sheets of invoices as they arrive: rows as dictionaries with each family's own headers."""

import csv
from itertools import count
from pathlib import Path
from typing import Any

from cases.flow.door import Actor
from cases.models import Shop
from cases.sheets.loading import Result, import_file
from invoices.models import Balance, CreditLine, Invoice, Reversal

FOREIGN = {
    "InvoiceNo": "536365",
    "StockCode": "85123A",
    "Description": "WHITE HANGING HEART",
    "Quantity": "6",
    "InvoiceDate": "2010-12-01 08:26:00",
    "UnitPrice": "2.55",
    "CustomerID": "17850.0",
    "Country": "United Kingdom",
}
NATIVE = {
    "number": "26312000000000000001",
    "code": "",
    "kind": "digital_general",
    "order_no": "",
    "issued_at": "2026-03-02 10:00:00",
    "seller_tax_no": "91110000600037341L",
    "buyer_name": "甲公司",
    "buyer_tax_no": "91110000600037341L",
    "buyer_used": "no",
    "line_no": "1",
    "nature": "normal",
    "title": "短袖",
    "tax_class": "",
    "quantity": "3",
    "unit_price": "29.49666667",
    "amount": "88.49",
    "tax_rate": "0.13",
    "tax": "11.50",
    "gross": "99.99",
    "blue_number": "",
}
RED = NATIVE | {
    "number": "26312000000000000009",
    "issued_at": "2026-03-09 10:00:00",
    "buyer_used": "",
    "quantity": "-1",
    "unit_price": "29.50",
    "amount": "-29.50",
    "tax": "-3.83",
    "gross": "-33.33",
    "blue_number": NATIVE["number"],
}
ALIBABA = {
    "订单id": "",
    "开票日期": "2026-03-02",
    "店铺名称": "shop",
    "发票种类": "电子发票",
    "发票类型": "蓝票",
    "发票号码": "12345678",
    "发票代码": "144031809110",
    "税号": "91110000600037341L",
    "企业名称": "甲公司",
    "发票抬头": "个人",
    "付款人税号": "",
    "总税额": "11.50",
    "发票总金额": "99.99",
    "红票对应蓝票": "",
    "备注": "",
    "商品名称": "短袖",
    "商品型号": "L",
    "商品单位": "件",
    "单价": "29.49666667",
    "数量": "3",
    "不含税金额": "88.49",
    "税额": "11.50",
    "总金额": "99.99",
    "税率": "13%",
}
_names = count(1)


def sheet(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"invoices{next(_names)}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    return path


def take(folder: Path, rows: list[dict[str, Any]], **choices: Any) -> Result:
    given: dict[str, Any] = {"actor": Actor.sheet(None), "shop": "shop", **choices}
    return import_file(sheet(folder, rows), **given)


def foreign(
    number: str, code: str, pieces: int, price: str = "2.55", **more: str
) -> dict[str, Any]:
    told = {"InvoiceNo": number, "StockCode": code, "Quantity": str(pieces), "UnitPrice": price}
    return FOREIGN | told | more


def credit(number: str, code: str, pieces: int, price: str = "2.55", **more: str) -> dict[str, Any]:
    return foreign(number, code, -pieces, price, **{"InvoiceDate": "2010-12-09 10:00:00"} | more)


def counts(result: Result) -> tuple[int, int, int, int, int]:
    """Created, updated, unchanged, skipped, failed."""
    return result.created, result.updated, result.unchanged, result.skipped, result.failed


def everything() -> dict[str, list[Any]]:
    """All that a sheet of invoices may write, but for clocks and settled times."""
    return {
        "invoices": list(Invoice.objects.order_by("pk").values()),
        "balances": list(Balance.objects.order_by("pk").values()),
        "reversals": list(Reversal.objects.order_by("pk").values()),
        "credits": list(CreditLine.objects.order_by("pk").values()),
    }


def reds() -> list[tuple[str, str, str, list[tuple[Any, Any]]]]:
    """Number, code, blue number, (pieces, gross) of each line, as they were written."""
    rows = Invoice.objects.filter(direction="red").select_related("blue").order_by("pk")
    return [
        (
            row.number,
            row.code,
            row.blue.number if row.blue else "",
            [(line.quantity, line.gross) for line in row.lines.order_by("line_no")],
        )
        for row in rows
    ]


def waiting() -> list[tuple[str, int, str]]:
    """Note, line, what is known, of each open line of credit notes."""
    rows = CreditLine.objects.filter(state="open").order_by("note__number", "line_no")
    return list(rows.values_list("note__number", "line_no", "why"))


def shop() -> Shop:
    return Shop.objects.create(code="shop", name="shop", platform="taobao")
