"""The sums and rules that audit asks of all rows at once, as SQL both databases understand.

Each statement returns what is wrong: a label, then the values its text names. Money is fen.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Check:
    """``over``: the table whose rows are counted as checked; ``money``: values are fen."""

    what: str
    over: str
    text: str | Promise
    sql: str
    money: bool = False


_ENDED = "('completed', 'closed')"

CHECKS = (
    Check(
        "pieces_not_summed",
        "cases_orderline",
        _("The line says %s held and %s gone, its cases %s and %s."),
        """
        SELECT o.order_no || '/' || l.line_no, l.held, l.gone, COALESCE(c.held, 0),
               COALESCE(c.gone, 0)
        FROM cases_orderline l JOIN cases_order o ON o.id = l.order_id
        LEFT JOIN (SELECT order_line_id, SUM(held) held, SUM(gone) gone
                   FROM cases_caseline GROUP BY order_line_id) c ON c.order_line_id = l.id
        WHERE l.held <> COALESCE(c.held, 0) OR l.gone <> COALESCE(c.gone, 0)
        """,
    ),
    Check(
        "money_not_summed",
        "cases_orderline",
        _("The line says ¥%s reserved and ¥%s refunded, its cases ¥%s and ¥%s."),
        """
        SELECT o.order_no || '/' || l.line_no, l.reserved, l.refunded, COALESCE(c.reserved, 0),
               COALESCE(c.refunded, 0)
        FROM cases_orderline l JOIN cases_order o ON o.id = l.order_id
        LEFT JOIN (SELECT order_line_id, SUM(reserved) reserved, SUM(refunded) refunded
                   FROM cases_caseline GROUP BY order_line_id) c ON c.order_line_id = l.id
        WHERE l.reserved <> COALESCE(c.reserved, 0) OR l.refunded <> COALESCE(c.refunded, 0)
        """,
        money=True,
    ),
    Check(
        "more_pieces_than_bought",
        "cases_orderline",
        _("%s pieces bought, %s held and %s gone."),
        """
        SELECT o.order_no || '/' || l.line_no, l.quantity, l.held, l.gone
        FROM cases_orderline l JOIN cases_order o ON o.id = l.order_id
        WHERE l.held + l.gone > l.quantity
        """,
    ),
    Check(
        "more_money_than_paid",
        "cases_orderline",
        _("¥%s paid, ¥%s reserved and ¥%s refunded."),
        """
        SELECT o.order_no || '/' || l.line_no, l.paid_amount, l.reserved, l.refunded
        FROM cases_orderline l JOIN cases_order o ON o.id = l.order_id
        WHERE l.reserved + l.refunded > l.paid_amount OR l.reserved < 0 OR l.refunded < 0
        """,
        money=True,
    ),
    Check(
        "freight_not_summed",
        "cases_order",
        _("The order says ¥%s freight reserved and ¥%s refunded, its cases ¥%s and ¥%s."),
        """
        SELECT o.order_no, o.freight_reserved, o.freight_refunded, COALESCE(c.reserved, 0),
               COALESCE(c.refunded, 0)
        FROM cases_order o
        LEFT JOIN (SELECT order_id, SUM(freight_reserved) reserved, SUM(freight_refunded) refunded
                   FROM cases_case GROUP BY order_id) c ON c.order_id = o.id
        WHERE o.freight_reserved <> COALESCE(c.reserved, 0)
           OR o.freight_refunded <> COALESCE(c.refunded, 0)
        """,
        money=True,
    ),
    Check(
        "order_refunded_above_paid",
        "cases_order",
        _("¥%s paid, ¥%s refunded by cases, ¥%s outside them."),
        """
        SELECT o.order_no, o.paid_amount, o.freight_refunded + COALESCE(l.refunded, 0),
               o.external_refunded
        FROM cases_order o
        LEFT JOIN (SELECT order_id, SUM(refunded) refunded FROM cases_orderline GROUP BY order_id) l
               ON l.order_id = o.id
        WHERE o.freight_refunded + COALESCE(l.refunded, 0) + o.external_refunded > o.paid_amount
           OR o.freight_refunded > o.freight_paid
        """,
        money=True,
    ),
    Check(
        "external_not_summed",
        "cases_externalrefund",
        _("The order says ¥%s refunded outside cases, the rows ¥%s."),
        """
        SELECT o.order_no, o.external_refunded, COALESCE(e.open, 0)
        FROM cases_order o
        LEFT JOIN (SELECT order_id, SUM(amount - explained) AS open
                   FROM cases_externalrefund GROUP BY order_id) e ON e.order_id = o.id
        WHERE o.external_refunded <> COALESCE(e.open, 0)
        """,
        money=True,
    ),
    Check(
        "case_refund_not_summed",
        "cases_case",
        _("The case says ¥%s refunded, its lines and freight ¥%s, its paid refunds ¥%s."),
        """
        SELECT c.case_no, c.refunded, c.freight_refunded + COALESCE(l.refunded, 0),
               COALESCE(r.paid, 0)
        FROM cases_case c
        LEFT JOIN (SELECT case_id, SUM(refunded) refunded FROM cases_caseline GROUP BY case_id) l
               ON l.case_id = c.id
        LEFT JOIN (SELECT case_id, SUM(amount + freight) paid FROM cases_refund
                   WHERE state = 'paid' GROUP BY case_id) r ON r.case_id = c.id
        WHERE c.refunded <> c.freight_refunded + COALESCE(l.refunded, 0)
           OR c.refunded <> COALESCE(r.paid, 0)
        """,
        money=True,
    ),
    Check(
        "refund_parts_not_summed",
        "cases_refund",
        _("The refund is ¥%s with ¥%s freight, its parts are ¥%s and ¥%s."),
        """
        SELECT r.number, r.amount, r.freight, COALESCE(p.goods, 0), COALESCE(p.freight, 0)
        FROM cases_refund r
        LEFT JOIN (SELECT refund_id,
                          SUM(CASE WHEN case_line_id IS NULL THEN 0 ELSE amount END) goods,
                          SUM(CASE WHEN case_line_id IS NULL THEN amount ELSE 0 END) freight
                   FROM cases_refundpart GROUP BY refund_id) p ON p.refund_id = r.id
        WHERE (r.state = 'paid' AND (r.amount <> COALESCE(p.goods, 0)
                                     OR r.freight <> COALESCE(p.freight, 0)))
           OR (r.state <> 'paid' AND p.refund_id IS NOT NULL)
        """,
        money=True,
    ),
    Check(
        "line_parts_not_summed",
        "cases_caseline",
        _("The case line says ¥%s refunded, the parts of refunds ¥%s."),
        """
        SELECT c.case_no || '/' || ol.line_no, l.refunded, COALESCE(p.amount, 0)
        FROM cases_caseline l JOIN cases_case c ON c.id = l.case_id
        JOIN cases_orderline ol ON ol.id = l.order_line_id
        LEFT JOIN (SELECT case_line_id, SUM(amount) amount FROM cases_refundpart
                   GROUP BY case_line_id) p ON p.case_line_id = l.id
        WHERE l.refunded <> COALESCE(p.amount, 0)
        """,
        money=True,
    ),
    Check(
        "payment_not_summed",
        "cases_payment",
        _("The payment of ¥%s says ¥%s refunded, the parts of refunds ¥%s."),
        """
        SELECT o.order_no || ' ' || y.number, y.amount, y.refunded, COALESCE(p.amount, 0)
        FROM cases_payment y JOIN cases_order o ON o.id = y.order_id
        LEFT JOIN (SELECT payment_id, SUM(amount) amount FROM cases_refundpart
                   GROUP BY payment_id) p ON p.payment_id = y.id
        WHERE y.refunded <> COALESCE(p.amount, 0) OR y.refunded > y.amount
        """,
        money=True,
    ),
    Check(
        "compensation_not_summed",
        "cases_compensation",
        _("The case says ¥%s compensation, its rows ¥%s."),
        """
        SELECT c.case_no, c.compensation, COALESCE(k.amount, 0)
        FROM cases_case c
        LEFT JOIN (SELECT case_id, SUM(amount) amount FROM cases_compensation GROUP BY case_id) k
               ON k.case_id = c.id
        WHERE c.compensation <> COALESCE(k.amount, 0)
        """,
        money=True,
    ),
    Check(
        "open_mark_wrong",
        "cases_caseline",
        _("The case is %s; its line is marked open: %s, holds %s of %s pieces."),
        f"""
        SELECT c.case_no || '/' || ol.line_no, c.state, l.open, l.held, l.quantity
        FROM cases_caseline l JOIN cases_case c ON c.id = l.case_id
        JOIN cases_orderline ol ON ol.id = l.order_line_id
        WHERE (c.state IN {_ENDED} AND (l.open OR l.held <> 0 OR l.reserved <> 0))
           OR (c.state NOT IN {_ENDED} AND (NOT l.open OR l.held <> l.quantity))
        """,  # noqa: S608 - constants of ours
    ),
    Check(
        "two_open_cases",
        "cases_caseline",
        _("%s open cases hold this order line."),
        """
        SELECT o.order_no || '/' || ol.line_no, COUNT(*)
        FROM cases_caseline l JOIN cases_orderline ol ON ol.id = l.order_line_id
        JOIN cases_order o ON o.id = ol.order_id
        WHERE l.open GROUP BY o.order_no, ol.line_no, ol.id HAVING COUNT(*) > 1
        """,
    ),
    Check(
        "line_of_another_order",
        "cases_caseline",
        _("The case belongs to order %s, its line to order %s."),
        """
        SELECT c.case_no, o.order_no, other.order_no
        FROM cases_caseline l JOIN cases_case c ON c.id = l.case_id
        JOIN cases_orderline ol ON ol.id = l.order_line_id
        JOIN cases_order o ON o.id = c.order_id JOIN cases_order other ON other.id = ol.order_id
        WHERE ol.order_id <> c.order_id OR o.shop_id <> c.shop_id
        """,
    ),
    Check(
        "refund_row_wrong",
        "cases_case",
        _("The case is %s with %s refunds not yet paid."),
        f"""
        SELECT c.case_no, c.state, COUNT(r.id)
        FROM cases_case c LEFT JOIN cases_refund r ON r.case_id = c.id
             AND r.state NOT IN ('paid', 'void')
        WHERE c.state = 'refunding' OR (r.id IS NOT NULL AND c.state NOT IN {_ENDED})
        GROUP BY c.id, c.case_no, c.state
        HAVING COUNT(r.id) <> CASE WHEN c.state = 'refunding' THEN 1 ELSE 0 END
        """,  # noqa: S608 - constants of ours
    ),
    Check(
        "not_cleared",
        "cases_case",
        _("¥%s goods and ¥%s freight are to be paid, ¥%s was agreed to by somebody entitled."),
        """
        SELECT case_no, COALESCE(amount_approved, 0), COALESCE(freight_approved, 0), cleared
        FROM cases_case
        WHERE state = 'refunding' AND cleared < COALESCE(amount_approved, 0)
                                                + COALESCE(freight_approved, 0)
        """,
        money=True,
    ),
    Check(
        "approved_by_the_enterer",
        "cases_approval",
        _("¥%s was approved by the person who entered it (user %s)."),
        """
        SELECT c.case_no, a.amount, CAST(a.by_id AS TEXT)
        FROM cases_approval a JOIN cases_case c ON c.id = a.case_id
        WHERE a.by_id = a.entered_by_id
        """,
        money=True,
    ),
    Check(
        "approval_without_row",
        "cases_approval",
        _("%s approvals in the timeline, %s in the table of approvals."),
        """
        SELECT c.case_no, COALESCE(e.times, 0), COALESCE(a.times, 0)
        FROM cases_case c
        LEFT JOIN (SELECT case_id, COUNT(*) times FROM cases_caseevent
                   WHERE verb IN ('approve', 'send_back') GROUP BY case_id) e ON e.case_id = c.id
        LEFT JOIN (SELECT case_id, COUNT(*) times FROM cases_approval GROUP BY case_id) a
               ON a.case_id = c.id
        WHERE COALESCE(e.times, 0) <> COALESCE(a.times, 0)
        """,
    ),
    Check(
        "clear_export_not_recorded",
        "cases_exportjob",
        _("The file holds %s rows in clear, the records tell of %s."),
        """
        SELECT j.job_no, j.rows_done, COALESCE(r.told, 0)
        FROM cases_exportjob j
        LEFT JOIN (SELECT job_id, SUM(rows) told FROM cases_clearexport GROUP BY job_id) r
               ON r.job_id = j.id
        WHERE j.clear AND j.status = 'done' AND j.rows_done <> COALESCE(r.told, 0)
        """,
    ),
    Check(
        "clear_export_told_otherwise",
        "cases_clearexport",
        _("The record of user %s is not what the export says, which user %s asked for."),
        """
        SELECT j.job_no, CAST(r.user_id AS TEXT), CAST(j.created_by_id AS TEXT)
        FROM cases_clearexport r JOIN cases_exportjob j ON j.id = r.job_id
        WHERE NOT j.clear OR j.status <> 'done' OR j.created_by_id IS NULL
           OR r.user_id <> j.created_by_id OR r.sha256 <> j.sha256 OR r.reason <> j.reason
        """,
    ),
    Check(
        "clock_wrong",
        "cases_case",
        _("The case is %s; its clock is on “%s”, due %s."),
        f"""
        SELECT case_no, state, clock_on, due_at
        FROM cases_case
        WHERE (state IN {_ENDED} AND (due_at IS NOT NULL OR wake_at IS NOT NULL OR clock_on <> ''
                                      OR finished_at IS NULL))
           OR (state NOT IN {_ENDED} AND (due_at IS NULL OR clock_on = '' OR on_expiry = ''))
        """,  # noqa: S608 - constants of ours
    ),
)

#: Past due, nobody acted and nobody was told: parameters are a business and a wall-clock moment.
OVERDUE = Check(
    "overdue_unmarked",
    "cases_case",
    _("It is %s, was due %s, and neither did anything happen nor was anybody told."),
    f"""
    SELECT c.case_no, c.state, c.due_at
    FROM cases_case c
    WHERE c.state NOT IN {_ENDED} AND c.escalated_at IS NULL
      AND c.due_at < %s
      AND NOT EXISTS (SELECT 1 FROM cases_caseevent e
                      WHERE e.case_id = c.id AND e.seq = c.seq AND e.recorded_at >= %s)
    """,  # noqa: S608 - constants of ours
)
