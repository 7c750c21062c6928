"""Custody and endorsements of an invoice as plain data, for ``show invoice`` (contract.md)."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from cases.showing import moment
from invoices.models import Invoice, WarrantyExtension
from invoices.papers.custody import paper_of


def holder_of(invoice: Invoice) -> str | None:
    """Who holds the paper; nothing where there is none."""
    return paper_of(invoice).holder if invoice.is_paper and invoice.is_blue else None


def place_of(invoice: Invoice) -> str | None:
    """Where the paper is; nothing where there is none."""
    return paper_of(invoice).place if invoice.is_paper and invoice.is_blue else None


def custody_of(invoice: Invoice) -> list[dict[str, Any]]:
    """Every move of the paper, the first one first."""
    zone = ZoneInfo(invoice.shop.zone)
    return [
        {
            "at": moment(move.at, zone),
            "from": move.from_place,
            "to": move.place,
            "from_holder": move.from_holder,
            "to_holder": move.holder,
            "holder_name": move.holder_name,
            "waybill": move.waybill,
            "proof": move.proof,
            "evidence": move.evidence,
            "case": move.case.case_no if move.case else None,
            "by": move.by.get_username() if move.by else None,
        }
        for move in invoice.paper_moves.select_related("case", "by").order_by("seq")
    ]


def endorsements_of(invoice: Invoice) -> list[dict[str, Any]]:
    """Every link of every chain on this invoice, oldest first."""
    rows = invoice.endorsements.select_related("case", "line", "operator", "review__by", "unit")
    return [
        {
            "number": row.number,
            "case": row.case.case_no,
            "line_no": row.line.line_no,
            "unit": row.unit.first_serial,
            "old_serial": row.old_serial,
            "new_serial": row.new_serial,
            "exchanged_on": row.exchanged_on.isoformat(),
            "warranty_from": row.warranty_from.isoformat(),
            "where": row.where,
            "seal": row.seal,
            "operator": row.operator.get_username(),
            "reviewer": row.review.by.get_username() if hasattr(row, "review") else None,
        }
        for row in rows.order_by("pk")
    ]


def extensions_of(invoice: Invoice) -> list[dict[str, Any]]:
    """Days in repair, by which the warranty of a line ends later."""
    zone = ZoneInfo(invoice.shop.zone)
    lines = {x.order_line_id: x.line_no for x in invoice.lines.all() if x.order_line_id}
    rows = WarrantyExtension.objects.filter(order_line_id__in=lines).select_related("case")
    return [
        {
            "line_no": lines[row.order_line_id],
            "case": row.case.case_no,
            "received_at": moment(row.received_at, zone),
            "sent_at": moment(row.sent_at, zone),
            "days": row.days,
        }
        for row in rows.order_by("pk")
    ]


PARTS: dict[str, Callable[[Invoice], Any]] = {
    "holder": holder_of,
    "place": place_of,
    "custody": custody_of,
    "endorsements": endorsements_of,
    "warranty_extensions": extensions_of,
}
