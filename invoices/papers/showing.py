"""Custody and endorsements of an invoice as plain data, for ``show invoice`` (contract.md)."""

from typing import Any
from zoneinfo import ZoneInfo

from cases.showing import moment
from invoices.models import Invoice, WarrantyExtension
from invoices.papers.custody import paper_of


def paper_parts(invoice: Invoice) -> dict[str, Any]:
    """``holder`` and ``place`` of the paper (null where there is none), its moves, the chain."""
    zone = ZoneInfo(invoice.shop.zone)
    paper = paper_of(invoice) if invoice.is_paper and invoice.is_blue else None
    return {
        "holder": paper.holder if paper else None,
        "place": paper.place if paper else None,
        "custody": [
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
        ],
        "endorsements": endorsements_of(invoice),
        "warranty_extensions": _extensions(invoice, zone),
    }


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


def _extensions(invoice: Invoice, zone: ZoneInfo) -> list[dict[str, Any]]:
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
