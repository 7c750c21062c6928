"""What must hold of papers and endorsements, recomputed from the rows for ``audit``."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy

from cases.auditing import Audit, run
from cases.auditsql import Check
from invoices.models.custody import WITH_US

_WITH_US = ", ".join(f"'{place.value}'" for place in WITH_US)

CHECKS = (
    Check(
        "paper_not_where_it_moved",
        "invoices_paper",
        gettext_lazy("The paper is said to be %s with %s, its last move led to %s with %s."),
        """
        SELECT i.number, p.place, p.holder, COALESCE(m.place, '–'), COALESCE(m.holder, '–')
        FROM invoices_paper p JOIN invoices_invoice i ON i.id = p.invoice_id
        LEFT JOIN invoices_papermove m ON m.invoice_id = p.invoice_id AND m.seq = p.seq
        WHERE m.id IS NULL OR m.place <> p.place OR m.holder <> p.holder
           OR m.waybill <> p.waybill
           OR EXISTS (SELECT 1 FROM invoices_papermove l
                      WHERE l.invoice_id = p.invoice_id AND l.seq > p.seq)
        """,
    ),
    Check(
        "paper_moved_from_elsewhere",
        "invoices_papermove",
        gettext_lazy("Move %s goes from %s with %s; before it was %s with %s."),
        """
        SELECT i.number, m.seq, m.from_place, m.from_holder,
               COALESCE(b.place, 'with_customer'), COALESCE(b.holder, 'customer')
        FROM invoices_papermove m JOIN invoices_invoice i ON i.id = m.invoice_id
        LEFT JOIN invoices_papermove b ON b.invoice_id = m.invoice_id AND b.seq = m.seq - 1
        WHERE (m.seq > 1 AND b.id IS NULL)
           OR m.from_place <> COALESCE(b.place, 'with_customer')
           OR m.from_holder <> COALESCE(b.holder, 'customer')
           OR m.at < b.at
        """,
    ),
    Check(
        "paper_archived_too_early",
        "invoices_paper",
        gettext_lazy("The paper is archived, and the invoice is %s."),
        """
        SELECT i.number, s.state FROM invoices_paper p
        JOIN invoices_invoice i ON i.id = p.invoice_id
        JOIN invoices_standing s ON s.invoice_id = p.invoice_id
        WHERE p.place = 'archived' AND s.state NOT IN ('fully_red', 'voided')
        """,
    ),
    Check(
        "paper_of_a_closed_case_with_us",
        "invoices_paper",
        gettext_lazy("Case %s is closed, and a paper of it is still %s."),
        f"""
        SELECT i.number, c.case_no, p.place FROM invoices_paper p
        JOIN invoices_invoice i ON i.id = p.invoice_id JOIN cases_case c ON c.id = p.case_id
        WHERE c.state = 'closed' AND p.place IN ({_WITH_US}) AND p.moved_at <= c.finished_at
        """,  # noqa: S608 - constants of ours
    ),
    Check(
        "serials_not_a_chain",
        "invoices_endorsement",
        gettext_lazy("%s was exchanged for %s, and the link before it ended with %s."),
        """
        SELECT e.number, e.old_serial, e.new_serial, COALESCE(b.new_serial, u.first_serial)
        FROM invoices_endorsement e JOIN invoices_unit u ON u.id = e.unit_id
        LEFT JOIN invoices_endorsement b ON b.unit_id = e.unit_id AND b.seq = e.seq - 1
        WHERE e.old_serial <> COALESCE(b.new_serial, u.first_serial)
           OR (e.seq > 1 AND b.id IS NULL) OR (e.seq = 1 AND b.id IS NOT NULL)
           OR EXISTS (SELECT 1 FROM invoices_endorsement o
                      WHERE o.unit_id = e.unit_id AND o.old_serial = e.new_serial
                        AND o.seq <= e.seq)
        """,
    ),
    Check(
        "chain_ends_elsewhere",
        "invoices_unit",
        gettext_lazy("The piece is said to bear %s, its last endorsement says %s."),
        """
        SELECT u.first_serial, u.serial, COALESCE(e.new_serial, '–') FROM invoices_unit u
        LEFT JOIN invoices_endorsement e ON e.unit_id = u.id AND e.seq = u.seq
        WHERE e.id IS NULL OR e.new_serial <> u.serial
           OR EXISTS (SELECT 1 FROM invoices_endorsement l WHERE l.unit_id = u.id AND l.seq > u.seq)
        """,
    ),
    Check(
        "more_units_than_pieces",
        "invoices_unit",
        gettext_lazy("Line %s: %s pieces were exchanged, %s were sold."),
        """
        SELECT i.number, l.line_no, COUNT(*), l.quantity / 1000000 FROM invoices_unit u
        JOIN invoices_invoiceline l ON l.id = u.line_id
        JOIN invoices_invoice i ON i.id = l.invoice_id
        GROUP BY i.number, l.line_no, l.quantity HAVING COUNT(*) * 1000000 > l.quantity
        """,
    ),
    Check(
        "endorsement_of_another_order",
        "invoices_endorsement",
        gettext_lazy("Case %s is of another order than the invoice."),
        """
        SELECT e.number, c.case_no FROM invoices_endorsement e
        JOIN invoices_invoice i ON i.id = e.invoice_id JOIN cases_case c ON c.id = e.case_id
        WHERE c.order_id <> i.order_id OR i.order_id IS NULL
        """,
    ),
)


def check_papers(result: Audit, _now: datetime, _digest: Any) -> None:
    """Look at every paper and every chain of serials."""
    for check in CHECKS:
        run(result, check)
