"""Whatever orders and cases hold, their export taken in again changes nothing."""

import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from cases.flow import clock
from cases.flow.door import Actor, Refused
from cases.models import Case, CaseLine, Order, OrderLine, Payment, Reason, State
from cases.models.orders import Category, OrderStatus
from cases.sheets.exports import export
from cases.sheets.loading import import_file
from cases.verbs import NewCase, adopt_cases
from tests.cases.sheets.loading_desk import NOW
from tests.factories import furnished

# What a cell can hold and every reader keeps: no control signs, no blanks at the ends.
# A workbook's '0 is the guard people put before digits: it is taken off, also where it was meant.
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Z", "Co", "Cn")),
    max_size=20,
).filter(lambda text: not (text[:1] == "'" and text[1:2].isdigit()))
NUMBER = st.text("0123456789", min_size=1, max_size=19)
MONEY = st.integers(0, 10_000_00).map(lambda fen: Decimal(fen).scaleb(-2))
MOMENT = st.integers(0, 60 * 24 * 3600).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
LINE = st.fixed_dictionaries(
    {
        "sku": NUMBER,
        "title": TEXT,
        "category": st.sampled_from(Category.values),
        "serials": st.lists(NUMBER, max_size=2, unique=True).map(";".join),
        "quantity": st.integers(1, 5),
        "unit_price": st.none() | MONEY.map(lambda yuan: yuan / 8),
        "discount": st.none() | MONEY,
        "paid_amount": MONEY,
        "ship_by": st.none() | MOMENT,
        "promises": st.sampled_from(["", "quality", "quality;free_return"]),
    }
)
ORDER = st.fixed_dictionaries(
    {
        "status": st.sampled_from(OrderStatus.values),
        "freight_paid": MONEY,
        "ordered_at": st.none() | MOMENT,
        "paid_at": MOMENT,
        "shipped_at": st.none() | MOMENT,
        "signed_at": st.none() | MOMENT,
        "finished_at": st.none() | MOMENT,
        "promised_arrival": st.none() | MOMENT,
        "courier": TEXT,
        "waybill": NUMBER,
        "buyer": TEXT,
        "receiver": TEXT,
        "phone": st.just("19900001234") | st.just(""),
        "address": TEXT,
        "shipped_free": st.booleans(),
    }
)
CASE = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["return_refund", "refund_received", "exchange", "resend"]),
        "state": st.sampled_from([str(s) for s in State]),
        "text": TEXT,
        "platform_case_no": NUMBER | st.just(""),
        "platform_due_at": st.none() | MOMENT,
        "waybill": NUMBER | st.just(""),
    }
)


def put(shop, number, order, lines):
    goods = sum((line["paid_amount"] for line in lines), Decimal(0))
    ship_by = min((line["ship_by"] for line in lines if line["ship_by"]), default=None)
    row = Order.objects.create(
        shop=shop,
        platform=shop.platform,
        order_no=f"R{number}",
        paid_amount=goods + order["freight_paid"],
        ship_by=ship_by,
        **order,
    )
    for at, line in enumerate(lines, 1):
        OrderLine.objects.create(order=row, line_no=at, **line)
    if row.paid_amount:
        Payment.objects.create(order=row, amount=row.paid_amount, paid_at=row.paid_at)
    return row


def snapshot():
    return [
        list(model.objects.order_by("pk").values()) for model in (Order, OrderLine, Payment)
    ] + [list(model.objects.order_by("pk").values()) for model in (Case, CaseLine)]


class RoundTrip(TestCase):
    @pytest.fixture(autouse=True)
    def _standing(self):
        with clock.standing_at(NOW):
            yield

    @settings(max_examples=25)
    @given(
        orders=st.lists(st.tuples(ORDER, st.lists(LINE, min_size=1, max_size=3)), max_size=4),
        cases=st.lists(CASE, max_size=4),
        ending=st.sampled_from(["csv", "xlsx"]),
    )
    def test_an_export_taken_in_again_changes_nothing(self, orders, cases, ending):
        house = furnished()
        rows = [put(house.shop, n, order, lines) for n, (order, lines) in enumerate(orders)]
        reason = Reason.objects.get(code="agreed")
        entries = [
            NewCase(
                row,
                case["kind"],
                reason,
                [(1, 1)],
                case_no=f"K{n}",
                applied_at=row.paid_at,
                courier="SF" if case["waybill"] else "",
                **{name: case[name] for name in ("state", "text", "waybill", "platform_due_at")},
                platform_case_no=case["platform_case_no"] and f"{n}{case['platform_case_no']}"[:19],
            )
            for n, (row, case) in enumerate(zip(rows, cases, strict=False))
        ]
        adopted = [
            one for one in adopt_cases(Actor.sheet(), entries) if not isinstance(one, Refused)
        ]
        before = snapshot()

        with tempfile.TemporaryDirectory() as folder:
            for kind in ("orders", "cases"):
                out = Path(folder) / f"{kind}.{ending}"
                written = export(kind, out, clear=True)
                assert kind == "orders" or written.rows == len(adopted)
                if not written.rows:
                    continue
                result = import_file(out, actor=Actor.sheet())
                assert result.unchanged == result.rows == written.rows, (
                    result.failures,
                    result.warnings,
                )
        assert snapshot() == before
