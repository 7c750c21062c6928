"""The trunk's kinds of sheets: orders, order lines, cases."""

from django.utils.translation import gettext_lazy as _

from cases.models import Case, Order
from cases.sheets import registry
from cases.sheets.dialects.native import CASES_SHEET, ORDERS_SHEET
from cases.sheets.exports import (
    CASE_FILTERS,
    ORDER_FILTERS,
    PERSONAL,
    case_lines,
    case_rows,
    order_lines,
    order_rows,
)
from cases.sheets.facts import CASES, ORDER_LINES, ORDERS
from cases.sheets.loading.aftersales import CaseLoader
from cases.sheets.loading.orders import LineLoader, OrderLoader
from cases.sheets.loading.shopfinder import family
from cases.sheets.registry import Incoming, Intake, Loader, Outgoing, Sheet
from cases.sheets.writer import NATIVE_CASES, NATIVE_ORDERS


def _orders(intake: Intake) -> Loader:
    return OrderLoader(intake.shops, intake.columns, intake.where.dialect.code)


def _lines(intake: Intake) -> Loader:
    return LineLoader(intake.shops, family(intake.where.dialect.platform))


def _cases(intake: Intake) -> Loader:
    return CaseLoader(intake.shops, intake.actor, intake.where.dialect.code, intake.columns)


registry.add(
    Sheet(
        ORDERS,
        _("Orders"),
        Order,
        "order_no",
        incoming=Incoming("cases.import_order", _orders, names_shop=True),
        outgoing=Outgoing(
            "cases.export_order",
            NATIVE_ORDERS,
            order_rows,
            order_lines,
            filters=ORDER_FILTERS,
            money=frozenset({"unit_price", "discount", "paid_amount", "freight_paid"}),
            personal=PERSONAL,
            needed=ORDERS_SHEET.required,
        ),
    )
)
registry.add(
    Sheet(
        ORDER_LINES,
        _("Order lines"),
        Order,
        "order_no",
        incoming=Incoming("cases.import_order", _lines),
    )
)
registry.add(
    Sheet(
        CASES,
        _("Cases"),
        Case,
        "case_no",
        incoming=Incoming("cases.import_case", _cases, by_door=True),
        outgoing=Outgoing(
            "cases.export_case",
            NATIVE_CASES,
            case_rows,
            case_lines,
            filters=CASE_FILTERS,
            money=frozenset({"amount", "freight"}),
            needed=CASES_SHEET.required,
        ),
    )
)
