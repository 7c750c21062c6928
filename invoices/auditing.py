"""What must hold of invoices, recomputed from the rows for ``audit`` (invoices.md, Must hold)."""
# ruff: noqa: S608 - constants of ours, put together

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from cases.auditing import Audit, overdue_since, run
from cases.auditsql import Check

_NO = "i.code || CASE WHEN i.code = '' THEN '' ELSE ' ' END || i.number"
_SUMMED = """
    SELECT balance_id,
           SUM(CASE kind WHEN 'book' THEN quantity ELSE 0 END) rq,
           SUM(CASE kind WHEN 'book' THEN gross ELSE 0 END) rg,
           SUM(CASE kind WHEN 'book' THEN tax ELSE 0 END) rt,
           SUM(CASE kind WHEN 'reserve' THEN quantity WHEN 'release' THEN -quantity ELSE 0 END) sq,
           SUM(CASE kind WHEN 'reserve' THEN gross WHEN 'release' THEN -gross ELSE 0 END) sg,
           SUM(CASE kind WHEN 'reserve' THEN tax WHEN 'release' THEN -tax ELSE 0 END) st
    FROM invoices_reversal GROUP BY balance_id
"""
_LINE = """
    invoices_balance b JOIN invoices_invoiceline l ON l.id = b.line_id
    JOIN invoices_invoice i ON i.id = l.invoice_id
"""
#: Somebody has looked at what was held of a request and said what came of it.
_REVIEWED = """
    EXISTS (SELECT 1 FROM invoices_redevent v
            WHERE v.request_id = r.id AND v.verb = 'settle_review')
"""

CHECKS = (
    Check(
        "invoice_not_summed",
        "invoices_invoice",
        _("The header says ¥%s with ¥%s tax, the lines add up to ¥%s with ¥%s."),
        f"""
        SELECT {_NO}, i.gross, i.tax, COALESCE(s.gross, 0), COALESCE(s.tax, 0)
        FROM invoices_invoice i
        LEFT JOIN (SELECT invoice_id, SUM(gross) gross, SUM(tax) tax, SUM(amount) amount
                   FROM invoices_invoiceline GROUP BY invoice_id) s ON s.invoice_id = i.id
        WHERE i.gross <> COALESCE(s.gross, 0) OR i.tax <> COALESCE(s.tax, 0)
           OR i.amount <> COALESCE(s.amount, 0)
        """,
        money=True,
    ),
    Check(
        "blue_without_books",
        "invoices_invoice",
        _("¥%s on the invoice, ¥%s in its books."),
        f"""
        SELECT {_NO}, i.gross, COALESCE(s.gross, 0)
        FROM invoices_invoice i LEFT JOIN invoices_standing s ON s.invoice_id = i.id
        LEFT JOIN (SELECT standing_id, SUM(gross) gross, SUM(tax) tax
                   FROM invoices_balance GROUP BY standing_id) b ON b.standing_id = s.id
        WHERE i.direction = 'blue'
          AND (s.id IS NULL OR s.gross <> i.gross OR COALESCE(b.gross, 0) <> i.gross
               OR COALESCE(b.tax, 0) <> i.tax)
        """,
        money=True,
    ),
    Check(
        "reversal_not_summed",
        "invoices_reversal",
        _("The line says ¥%s reversed and ¥%s spoken for, its entries ¥%s and ¥%s."),
        f"""
        SELECT {_NO} || '/' || l.line_no, b.reversed_gross, b.reserved_gross,
               COALESCE(e.rg, 0), COALESCE(e.sg, 0)
        FROM {_LINE} LEFT JOIN ({_SUMMED}) e ON e.balance_id = b.id
        WHERE b.reversed_quantity <> COALESCE(e.rq, 0) OR b.reversed_gross <> COALESCE(e.rg, 0)
           OR b.reversed_tax <> COALESCE(e.rt, 0) OR b.reserved_quantity <> COALESCE(e.sq, 0)
           OR b.reserved_gross <> COALESCE(e.sg, 0) OR b.reserved_tax <> COALESCE(e.st, 0)
        """,
        money=True,
    ),
    Check(
        "standing_not_summed",
        "invoices_standing",
        _("The invoice says ¥%s reversed and ¥%s spoken for, its lines ¥%s and ¥%s."),
        f"""
        SELECT {_NO}, s.reversed_gross, s.reserved_gross, b.rg, b.sg
        FROM invoices_standing s JOIN invoices_invoice i ON i.id = s.invoice_id
        JOIN (SELECT standing_id, SUM(reversed_gross) rg, SUM(reserved_gross) sg
              FROM invoices_balance GROUP BY standing_id) b ON b.standing_id = s.id
        WHERE s.reversed_gross <> b.rg OR s.reserved_gross <> b.sg
        """,
        money=True,
    ),
    Check(
        "reversed_above_the_blue",
        "invoices_balance",
        _("¥%s on the line; ¥%s is reversed and ¥%s spoken for."),
        f"""
        SELECT {_NO} || '/' || l.line_no, b.gross, b.reversed_gross, b.reserved_gross
        FROM {_LINE}
        WHERE b.reversed_quantity + b.reserved_quantity > b.quantity
           OR b.reversed_gross + b.reserved_gross > b.gross
           OR b.reversed_tax + b.reserved_tax > b.tax
           OR b.reversed_gross - b.reversed_tax + b.reserved_gross - b.reserved_tax
              > b.gross - b.tax
           OR b.reversed_quantity < 0 OR b.reversed_gross < b.reversed_tax OR b.reversed_tax < 0
           OR b.reserved_quantity < 0 OR b.reserved_gross < b.reserved_tax OR b.reserved_tax < 0
        """,
        money=True,
    ),
    Check(
        "residue_left",
        "invoices_balance",
        _("All pieces are reversed, with ¥%s of ¥%s and ¥%s of ¥%s tax."),
        f"""
        SELECT {_NO} || '/' || l.line_no, b.reversed_gross, b.gross, b.reversed_tax, b.tax
        FROM {_LINE}
        WHERE b.quantity > 0 AND b.reversed_quantity = b.quantity
          AND (b.reversed_gross <> b.gross OR b.reversed_tax <> b.tax)
          AND NOT EXISTS (SELECT 1 FROM invoices_reversal e JOIN invoices_redrequest r
                          ON r.id = e.request_id WHERE e.balance_id = b.id AND e.kind = 'book'
                          AND (r.held <> '' OR {_REVIEWED}))
        """,
        money=True,
    ),
    Check(
        "red_without_its_blue",
        "invoices_invoice",
        _("It reverses %s, which is %s."),
        f"""
        SELECT {_NO}, COALESCE(o.number, '–'), COALESCE(o.direction, '–')
        FROM invoices_invoice i LEFT JOIN invoices_invoice o ON o.id = i.blue_id
        WHERE i.direction = 'red' AND (o.id IS NULL OR o.direction <> 'blue'
              OR o.issued_at > i.issued_at)
        """,
    ),
    Check(
        "red_not_in_the_ledger",
        "invoices_invoiceline",
        _("¥%s stands on the red line, ¥%s in the ledger."),
        f"""
        SELECT {_NO} || '/' || l.line_no, -l.gross, COALESCE(e.gross, 0)
        FROM invoices_invoiceline l JOIN invoices_invoice i ON i.id = l.invoice_id
        LEFT JOIN invoices_reversal e ON e.red_line_id = l.id
        LEFT JOIN invoices_balance b ON b.id = e.balance_id
        WHERE i.direction = 'red'
          AND (e.id IS NULL OR e.gross <> -l.gross OR e.tax <> -l.tax OR b.line_id <> l.blue_line_id
               OR l.gross > 0 OR l.tax > 0 OR l.amount > 0)
        """,
        money=True,
    ),
    Check(
        "request_holds_wrongly",
        "invoices_redrequest",
        _("The request is %s; it should hold %s fen and holds %s."),
        """
        SELECT r.request_no, r.state,
               CASE WHEN r.state IN ('issued', 'dead') THEN 0 ELSE p.gross END, COALESCE(e.gross, 0)
        FROM invoices_redrequest r
        JOIN (SELECT request_id, SUM(gross) gross FROM invoices_redpart GROUP BY request_id) p
          ON p.request_id = r.id
        LEFT JOIN (SELECT request_id, SUM(CASE kind WHEN 'reserve' THEN gross
                          WHEN 'release' THEN -gross ELSE 0 END) gross
                   FROM invoices_reversal GROUP BY request_id) e ON e.request_id = r.id
        WHERE COALESCE(e.gross, 0)
              <> CASE WHEN r.state IN ('issued', 'dead') THEN 0 ELSE p.gross END
        """,
    ),
    Check(
        "request_not_as_its_parts",
        "invoices_redrequest",
        _("The request says ¥%s with ¥%s tax, its parts ¥%s with ¥%s."),
        """
        SELECT r.request_no, r.gross, r.tax, COALESCE(p.gross, 0), COALESCE(p.tax, 0)
        FROM invoices_redrequest r
        LEFT JOIN (SELECT request_id, SUM(gross) gross, SUM(tax) tax FROM invoices_redpart
                   GROUP BY request_id) p ON p.request_id = r.id
        WHERE r.gross <> COALESCE(p.gross, 0) OR r.tax <> COALESCE(p.tax, 0)
        """,
        money=True,
    ),
    Check(
        "issued_not_as_planned",
        "invoices_redrequest",
        _("¥%s was planned on a line, ¥%s issued, and nobody was asked to look at it."),
        f"""
        SELECT r.request_no, p.gross, COALESCE(e.gross, 0)
        FROM invoices_redpart p JOIN invoices_redrequest r ON r.id = p.request_id
        LEFT JOIN invoices_reversal e
          ON e.request_id = r.id AND e.balance_id = p.balance_id AND e.kind = 'book'
        WHERE r.state = 'issued' AND r.held = '' AND NOT {_REVIEWED}
          AND (e.id IS NULL OR ABS(e.gross - p.gross) > 1 OR ABS(e.tax - p.tax) > 1)
        """,
        money=True,
    ),
    Check(
        "remainder_forgotten",
        "invoices_redrequest",
        _("¥%s of what was reversed is to be issued anew, and no task says so."),
        """
        SELECT r.request_no, p.rest
        FROM invoices_redrequest r
        JOIN (SELECT request_id, SUM(gross - asked_gross) rest FROM invoices_redpart
              GROUP BY request_id) p ON p.request_id = r.id
        WHERE r.state = 'issued' AND p.rest > 0
          AND NOT EXISTS (SELECT 1 FROM invoices_treatment t
                          WHERE t.invoice_id = r.blue_id AND t.kind = 'reissue')
        """,
        money=True,
    ),
    Check(
        "remainder_not_as_reversed",
        "invoices_treatment",
        _("¥%s was to be issued anew, ¥%s was."),
        """
        SELECT 'treatment ' || t.id, COALESCE(x.gross, 0), i.gross
        FROM invoices_treatment t JOIN invoices_invoice i ON i.id = t.result_id
        LEFT JOIN (SELECT treatment_id, SUM(gross) gross FROM invoices_treatmentline
                   GROUP BY treatment_id) x ON x.treatment_id = t.id
        WHERE t.kind = 'reissue' AND i.gross <> COALESCE(x.gross, 0)
        """,
        money=True,
    ),
    Check(
        "money_and_red_differ",
        "cases_case",
        _("¥%s was refunded by the case, ¥%s of it reversed, and its treatment counts as done."),
        f"""
        SELECT c.case_no, w.gross, COALESCE(q.gross, 0)
        FROM cases_case c
        JOIN (SELECT t.case_id, SUM(x.gross) gross FROM invoices_treatment t
              JOIN invoices_treatmentline x ON x.treatment_id = t.id
              WHERE t.kind = 'red' AND t.state = 'done' GROUP BY t.case_id) w ON w.case_id = c.id
        LEFT JOIN (SELECT r.case_id, SUM(p.asked_gross) gross FROM invoices_redpart p
                   JOIN invoices_redrequest r ON r.id = p.request_id
                   WHERE r.state = 'issued' GROUP BY r.case_id) q ON q.case_id = c.id
        WHERE w.gross <> COALESCE(q.gross, 0)
          AND NOT EXISTS (SELECT 1 FROM invoices_redrequest r
                          WHERE r.case_id = c.id AND (r.held <> '' OR {_REVIEWED}))
          AND NOT EXISTS (SELECT 1 FROM invoices_treatmentevent v
                          JOIN invoices_treatment t ON t.id = v.treatment_id
                          WHERE t.case_id = c.id AND v.verb = 'finish' AND v.user_id IS NOT NULL)
        """,
        money=True,
    ),
    Check(
        "refund_and_treatment_differ",
        "cases_case",
        _("¥%s was refunded by the case, its invoices are to be reversed by ¥%s."),
        """
        SELECT c.case_no, c.refunded, w.gross
        FROM cases_case c
        JOIN (SELECT t.case_id, SUM(x.gross) gross, COUNT(DISTINCT t.invoice_id) n,
                     MIN(t.invoice_id) invoice_id
              FROM invoices_treatment t JOIN invoices_treatmentline x ON x.treatment_id = t.id
              WHERE t.kind = 'red' AND t.state IN ('open', 'done') GROUP BY t.case_id) w
          ON w.case_id = c.id
        JOIN invoices_invoice i ON i.id = w.invoice_id
        JOIN cases_order o ON o.id = c.order_id
        WHERE c.state = 'completed' AND i.gross = o.paid_amount AND w.gross > c.refunded
        """,
        money=True,
    ),
    Check(
        "red_clock_wrong",
        "invoices_redrequest",
        _("The request is %s; its clock is on “%s”, due %s."),
        """
        SELECT request_no, state, clock_on, due_at
        FROM invoices_redrequest
        WHERE (state IN ('submitted', 'waiting', 'effective')) <> (due_at IS NOT NULL)
           AND state <> 'draft'
        """,
    ),
    Check(
        "treatment_clock_wrong",
        "invoices_treatment",
        _("The treatment is %s; its clock is on “%s”, due %s."),
        """
        SELECT 'treatment ' || id, state, clock_on, due_at
        FROM invoices_treatment WHERE (state = 'open') <> (due_at IS NOT NULL)
        """,
    ),
    Check(
        "call_forgotten",
        "invoices_redrequest",
        _("The request is %s, and no call to the authority was ever written down."),
        """
        SELECT r.request_no, r.state FROM invoices_redrequest r
        WHERE r.state <> 'draft'
          AND NOT EXISTS (SELECT 1 FROM invoices_authoritycall c WHERE c.request_id = r.id)
        """,
    ),
)

_UNMARKED = """
    SELECT {label}, c.state, c.due_at
    FROM {table} c
    WHERE c.due_at IS NOT NULL AND c.escalated_at IS NULL AND c.due_at < %s
      AND NOT EXISTS (SELECT 1 FROM {events} e
                      WHERE e.{root} = c.id AND e.seq = c.seq AND e.recorded_at >= %s)
"""
_TEXT = _("It is %s, was due %s, and neither did anything happen nor was anybody told.")
OVERDUE = tuple(
    Check(
        "overdue_unmarked",
        table,
        _TEXT,
        _UNMARKED.format(label=label, table=table, events=events, root=root),
    )
    for table, label, events, root in (
        ("invoices_redrequest", "c.request_no", "invoices_redevent", "request_id"),
        ("invoices_treatment", "'treatment ' || c.id", "invoices_treatmentevent", "treatment_id"),
    )
)


def check_invoices(result: Audit, now: datetime, digest: Any) -> None:
    """All sums of invoices, their ledger, requests and treatments."""
    for check in CHECKS:
        run(result, check)
    for check in OVERDUE:
        run(result, check, overdue_since(now))
