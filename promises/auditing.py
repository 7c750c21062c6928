"""What must hold of claims, deposits and terms, recomputed from the rows for ``audit``."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.auditing import Audit, overdue_since, run
from cases.auditsql import Check
from promises.models import Deposit, Entry
from promises.models.deposit import ACCOUNTS

_GRANTED = "('paid', 'owed')"
_SUMS = ", ".join(f"COALESCE(e.{a}, 0)" for a in ACCOUNTS)

CHECKS = (
    Check(
        "balance_not_summed",
        "promises_entry",
        gettext_lazy(
            "The deposit says ¥%s, ¥%s, ¥%s, ¥%s available, frozen, paid and owed, "
            "its entries ¥%s, ¥%s, ¥%s, ¥%s."
        ),
        f"""
        SELECT s.code, d.available, d.frozen, d.paid, d.owed, {_SUMS}
        FROM promises_deposit d JOIN cases_shop s ON s.id = d.shop_id
        LEFT JOIN (SELECT deposit_id, SUM(to_available) available, SUM(to_frozen) frozen,
                          SUM(to_paid) paid, SUM(to_owed) owed
                   FROM promises_entry GROUP BY deposit_id) e ON e.deposit_id = d.id
        WHERE d.available <> COALESCE(e.available, 0) OR d.frozen <> COALESCE(e.frozen, 0)
           OR d.paid <> COALESCE(e.paid, 0) OR d.owed <> COALESCE(e.owed, 0)
        """,  # noqa: S608 - constants of ours
        money=True,
    ),
    Check(
        "deposit_below_zero",
        "promises_deposit",
        gettext_lazy("¥%s available, ¥%s frozen, ¥%s owed."),
        """
        SELECT s.code, d.available, d.frozen, d.owed
        FROM promises_deposit d JOIN cases_shop s ON s.id = d.shop_id
        WHERE d.available < 0 OR d.frozen < 0 OR d.owed < 0 OR d.paid < 0
        """,
        money=True,
    ),
    Check(
        "entry_one_sided",
        "promises_entry",
        gettext_lazy("¥%s came from the shop, the accounts gained ¥%s."),
        """
        SELECT key, from_shop, to_available + to_frozen + to_paid + to_owed
        FROM promises_entry
        WHERE from_shop <> to_available + to_frozen + to_paid + to_owed
        """,
        money=True,
    ),
    Check(
        "claim_not_in_ledger",
        "promises_claim",
        gettext_lazy(
            "The claim says ¥%s frozen, ¥%s paid, ¥%s owed, its entries ¥%s, ¥%s and ¥%s."
        ),
        """
        SELECT c.claim_no, c.frozen, c.paid, c.owed, COALESCE(e.frozen, 0), COALESCE(e.paid, 0),
               COALESCE(e.owed, 0)
        FROM promises_claim c
        LEFT JOIN (SELECT claim_id, SUM(to_frozen) frozen, SUM(to_paid) paid, SUM(to_owed) owed
                   FROM promises_entry GROUP BY claim_id) e ON e.claim_id = c.id
        WHERE c.frozen <> COALESCE(e.frozen, 0) OR c.paid <> COALESCE(e.paid, 0)
           OR c.owed <> COALESCE(e.owed, 0)
        """,
        money=True,
    ),
    Check(
        "entry_of_another_shop",
        "promises_entry",
        gettext_lazy("The entry belongs to the deposit of %s, its claim %s to another shop."),
        """
        SELECT e.key, s.code, c.claim_no
        FROM promises_entry e JOIN promises_claim c ON c.id = e.claim_id
        JOIN promises_deposit d ON d.id = e.deposit_id JOIN cases_shop s ON s.id = d.shop_id
        WHERE c.shop_id <> d.shop_id
        """,
    ),
    Check(
        "claim_amounts_wrong",
        "promises_claim",
        gettext_lazy("¥%s is due; ¥%s was refunded elsewhere, ¥%s paid, ¥%s is owed."),
        f"""
        SELECT claim_no, amount, deducted, paid, owed
        FROM promises_claim
        WHERE (state IN {_GRANTED} AND amount <> deducted + paid + owed)
           OR (state = 'paid' AND owed <> 0) OR (state = 'owed' AND owed = 0)
           OR (state NOT IN {_GRANTED} AND (paid <> 0 OR owed <> 0 OR deducted <> 0))
           OR (state <> 'adjudicating' AND frozen <> 0)
        """,  # noqa: S608 - constants of ours
        money=True,
    ),
    Check(
        "price_given_back_twice",
        "promises_claim",
        gettext_lazy("¥%s paid, ¥%s refunded by cases, ¥%s given back by claims."),
        f"""
        SELECT o.order_no || '/' || l.line_no, l.paid_amount, l.refunded, c.refund
        FROM cases_orderline l JOIN cases_order o ON o.id = l.order_id
        JOIN (SELECT order_line_id, SUM(refund) refund FROM promises_claim
              WHERE state IN {_GRANTED} GROUP BY order_line_id) c ON c.order_line_id = l.id
        WHERE c.refund > 0 AND l.refunded + c.refund > l.paid_amount
        """,  # noqa: S608 - constants of ours
        money=True,
    ),
    Check(
        "reversal_wrong",
        "promises_entry",
        gettext_lazy("It reverses ¥%s, the original paid out ¥%s."),
        """
        SELECT r.key, r.amount, o.to_paid
        FROM promises_entry r LEFT JOIN promises_entry o ON o.id = r.reverses_id
        WHERE r.kind = 'reverse'
          AND (o.id IS NULL OR r.amount > o.to_paid OR r.claim_id <> o.claim_id)
        """,
        money=True,
    ),
    Check(
        "debt_without_duty",
        "promises_deposit",
        gettext_lazy("¥%s is owed, and %s duties to top up are open."),
        """
        SELECT s.code, d.owed, COUNT(t.id)
        FROM promises_deposit d JOIN cases_shop s ON s.id = d.shop_id
        LEFT JOIN promises_topupduty t ON t.shop_id = s.id AND t.state <> 'met'
        GROUP BY d.id, s.code, d.owed
        HAVING COUNT(t.id) <> CASE WHEN d.owed > 0 THEN 1 ELSE 0 END
        """,
    ),
    Check(
        "terms_overlap",
        "promises_term",
        gettext_lazy("Its time overlaps with that of row %s."),
        """
        SELECT a.promise || ' #' || a.id, b.id
        FROM promises_term a JOIN promises_term b ON a.id < b.id AND a.promise = b.promise
             AND a.platform = b.platform AND COALESCE(a.shop_id, 0) = COALESCE(b.shop_id, 0)
        WHERE (a.valid_to IS NULL OR b.valid_from IS NULL OR b.valid_from < a.valid_to)
          AND (b.valid_to IS NULL OR a.valid_from IS NULL OR a.valid_from < b.valid_to)
        """,
    ),
    Check(
        "granted_by_the_filer",
        "promises_claimevent",
        gettext_lazy("The person who filed it granted it (user %s)."),
        """
        SELECT c.claim_no, CAST(e.user_id AS TEXT)
        FROM promises_claimevent e JOIN promises_claim c ON c.id = e.claim_id
        WHERE e.verb IN ('accept', 'uphold') AND e.user_id = c.filed_by_id
        """,
    ),
    Check(
        "breach_of_another_claim",
        "promises_breach",
        gettext_lazy("It is settled by claim %s, which is of another line or promise."),
        """
        SELECT o.order_no || ' ' || b.promise, c.claim_no
        FROM promises_breach b JOIN promises_claim c ON c.id = b.claim_id
        JOIN cases_order o ON o.id = b.order_id
        WHERE c.order_line_id <> b.line_id OR c.promise <> b.promise OR c.shop_id <> b.shop_id
        """,
    ),
    Check(
        "claim_clock_wrong",
        "promises_claim",
        gettext_lazy("The claim is %s; its clock is on “%s”, due %s."),
        """
        SELECT claim_no, state, clock_on, due_at
        FROM promises_claim
        WHERE (state IN ('filed', 'contested', 'adjudicating')) <> (due_at IS NOT NULL)
        """,
    ),
)

_UNMARKED = """
    SELECT {label}, c.state, c.due_at
    FROM {table} c {join}
    WHERE c.due_at IS NOT NULL AND c.escalated_at IS NULL AND c.due_at < %s
      AND NOT EXISTS (SELECT 1 FROM {events} e
                      WHERE e.{root} = c.id AND e.seq = c.seq AND e.recorded_at >= %s)
"""
OVERDUE = (
    Check(
        "overdue_unmarked",
        "promises_claim",
        gettext_lazy("It is %s, was due %s, and neither did anything happen nor was anybody told."),
        _UNMARKED.format(
            label="c.claim_no",
            table="promises_claim",
            join="",
            events="promises_claimevent",
            root="claim_id",
        ),
    ),
    Check(
        "overdue_unmarked",
        "promises_topupduty",
        gettext_lazy("It is %s, was due %s, and neither did anything happen nor was anybody told."),
        _UNMARKED.format(
            label="s.code",
            table="promises_topupduty",
            join="JOIN cases_shop s ON s.id = c.shop_id",
            events="promises_dutyevent",
            root="duty_id",
        ),
    ),
)


def check_promises(result: Audit, now: datetime, digest: Any) -> None:
    """All sums, then every deposit's chain of entries."""
    for check in CHECKS:
        run(result, check)
    for check in OVERDUE:
        run(result, check, overdue_since(now))
    _check_ledgers(result, digest)


def _check_ledgers(result: Audit, digest: Any) -> None:
    entries = Entry.objects.order_by("deposit_id", "seq").iterator(chunk_size=2000)
    entry = next(entries, None)
    rows = Deposit.objects.order_by("pk").values_list("pk", "shop__code", "seq", "head")
    for pk, code, seq, head in rows:
        digest.update(f"deposit:{pk}:{head}\n".encode())
        number, prev, broken = 0, "", False
        after = dict.fromkeys(ACCOUNTS, 0)
        while entry is not None and entry.deposit_id == pk:
            result.checked += 1
            number += 1
            broken = broken or not _fits(result, code, entry, number, prev, after)
            prev = entry.hash
            entry = next(entries, None)
        if not broken and (number, prev) != (seq, head):
            result.found("ledger_cut", code, _("The last entries are missing."))


def _fits(  # noqa: PLR0913, PLR0917 - one link of a chain
    result: Audit, code: str, entry: Entry, number: int, prev: str, after: dict[str, Any]
) -> bool:
    """Take one entry onto the chain; says what does not fit."""
    if entry.seq != number:
        result.found("ledger_cut", code, _("Entry %(seq)s is missing.") % {"seq": number})
        return False
    if entry.prev != prev or entry.hash != entry.seal():
        result.found("entry_changed", code, _("Entry %(seq)s was changed.") % {"seq": number})
        return False
    for name in ACCOUNTS:
        after[name] += getattr(entry, f"to_{name}")
        if after[name] != getattr(entry, f"{name}_after"):
            text = _("Entry %(seq)s does not lead to the balance it names.")
            result.found("entry_does_not_add_up", code, text % {"seq": number})
            return False
    return True
