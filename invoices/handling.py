"""Which treatment the invoices of a case need, as the case stands: questions, nothing is written.

return → red reversal of exactly the accepted pieces and what is refunded of them · exchange →
endorsement · repair → the original goes back · rejected → the paper is handed back (invoices.md).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from cases.models import Case, CaseLine, Goods, Kind, Remedy, State
from cases.models.kinds import MONEY_REMEDIES
from cases.models.money import ZERO
from invoices import ledger
from invoices.arithmetic import NONE, Part
from invoices.drafting import FREIGHT
from invoices.models import (
    Balance,
    BlueState,
    Invoice,
    RedPart,
    RedReason,
    RedState,
    Standing,
    TreatmentKind,
)

#: Reached by these, the case's remedy is settled, or it has none any more.
SETTLED = frozenset(
    {
        State.REFUNDING,
        State.AWAITING_DISPATCH,
        State.AWAITING_RECEIPT,
        State.REPAIRING,
        State.REFUSED,
        State.CLOSED,
        State.COMPLETED,
    }
)
_REFUNDED = frozenset({State.REFUNDING, State.COMPLETED})


@dataclass(frozen=True)
class Share:
    """What of one blue line a treatment is about; ``gross``: what is refunded of it (yuan)."""

    balance: Balance
    quantity: Decimal
    gross: Decimal | None


@dataclass
class Need:
    """One treatment that a case needs."""

    kind: str
    invoice: Invoice
    shares: list[Share] = field(default_factory=list)

    def signature(self) -> tuple[object, ...]:
        """Equal where nothing has changed."""
        lines = sorted((s.balance.line_id, s.quantity, s.gross) for s in self.shares)
        return (self.kind, self.invoice.pk, tuple(lines))


def needs_of(cases: Sequence[Case]) -> dict[int, list[Need]]:
    """What each case needs now, in a constant number of queries."""
    found = _standings({case.order_id for case in cases})
    concerned = [case for case in cases if case.order_id in found]
    if not concerned:
        return {case.pk: [] for case in cases}
    book = ledger.look(s.invoice_id for rows in found.values() for s in rows)
    lines: dict[int, list[CaseLine]] = {}
    rows = CaseLine.objects.filter(case__in=concerned).select_related("order_line")
    for line in rows.order_by("case_id", "order_line__line_no"):
        lines.setdefault(line.case_id, []).append(line)
    done = _done_by([case.pk for case in concerned])
    return {
        case.pk: [
            need
            for standing in found.get(case.order_id, ())
            for need in _of_invoice(case, lines.get(case.pk, []), standing, book, done)
        ]
        for case in cases
    }


def _standings(order_ids: Iterable[int]) -> dict[int, list[Standing]]:
    out: dict[int, list[Standing]] = {}
    rows = Standing.objects.filter(invoice__order_id__in=set(order_ids))
    for row in rows.select_related("invoice").order_by("invoice__issued_at", "pk"):
        out.setdefault(row.invoice.order_id or 0, []).append(row)
    return out


def _done_by(case_ids: list[int]) -> dict[tuple[int, int], Part]:
    """What red requests of a case have reversed or spoken for already, by case and line."""
    out: dict[tuple[int, int], Part] = {}
    rows = RedPart.objects.filter(request__case_id__in=case_ids).exclude(
        request__state=RedState.DEAD
    )
    for row in rows.select_related("request"):
        key = (row.request.case_id or 0, row.balance_id)
        part = Part(row.asked_quantity, row.asked_gross, row.asked_tax)
        out[key] = out.get(key, Part()) + part
    return out


def _of_invoice(
    case: Case,
    lines: list[CaseLine],
    standing: Standing,
    book: ledger.Book,
    done: dict[tuple[int, int], Part],
) -> list[Need]:
    invoice = standing.invoice
    if standing.state == BlueState.VOIDED or not lines:
        return []
    pairs = matched(lines, book.of(invoice.pk))
    if not pairs:
        return []
    kind = kind_for(case, invoice, lines)
    if kind != TreatmentKind.RED:
        return [Need(kind, invoice, _pieces(pairs))] if kind else []
    shares = _shares(case, pairs, done)
    freight = _freight(case, book.of(invoice.pk), done)
    shares += [freight] if freight else []
    return [Need(kind, invoice, shares)] if shares else []


def kind_for(case: Case, invoice: Invoice, lines: Sequence[CaseLine]) -> str:
    """The treatment by the case's remedy and outcome; empty where nothing is to be done."""
    refunded = any(x.reserved or x.refunded for x in lines)
    if case.state in _REFUNDED and case.remedy in MONEY_REMEDIES and refunded:
        return TreatmentKind.RED
    rejected = case.state in (State.REFUSED, State.CLOSED)
    if rejected:
        here = case.goods == Goods.RETURNED and invoice.is_paper
        return TreatmentKind.HAND_BACK if here else ""
    if case.remedy == Remedy.EXCHANGE:
        return TreatmentKind.ENDORSE
    if case.remedy == Remedy.REPAIR and invoice.is_paper:
        return TreatmentKind.GIVE_BACK
    return ""


def matched(
    lines: Sequence[CaseLine], balances: Sequence[Balance]
) -> list[tuple[CaseLine, Balance]]:
    """Which blue line each case line is on: by its order line, else by its item, else by number."""
    by_order_line = {b.line.order_line_id: b for b in balances if b.line.order_line_id}
    by_item = {b.line.item_code: b for b in reversed(balances) if b.line.item_code}
    by_number = {b.line.line_no: b for b in balances if b.line.order_line_id is None}
    found = [
        (
            x,
            by_order_line.get(x.order_line_id)
            or by_item.get(x.order_line.sku)
            or by_number.get(x.order_line.line_no),
        )
        for x in lines
    ]
    return [(x, balance) for x, balance in found if balance is not None]


def _pieces(pairs: list[tuple[CaseLine, Balance]]) -> list[Share]:
    return [Share(b, Decimal(x.quantity), None) for x, b in pairs]


def _shares(
    case: Case, pairs: list[tuple[CaseLine, Balance]], done: dict[tuple[int, int], Part]
) -> list[Share]:
    """Accepted pieces and what is refunded of them, less what this case has reversed already."""
    out = []
    for x, balance in pairs:
        before = done.get((case.pk, balance.pk), Part())
        room = ledger.left(balance)
        units = NONE if keeps_goods(case) else Decimal(_accepted(x))
        gross = min(x.reserved + x.refunded - before.gross, room.gross)
        units = min(max(units - before.quantity, NONE), room.quantity)
        if gross > ZERO:
            out.append(Share(balance, units, gross))
    return out


def _accepted(x: CaseLine) -> int:
    return x.quantity if x.accepted is None else min(x.accepted, x.quantity)


def keeps_goods(case: Case) -> bool:
    """The buyer keeps the goods and gets money back: an allowance."""
    return case.kind == Kind.REFUND_RECEIVED or (
        case.remedy == Remedy.REFUND and case.goods == Goods.RECEIVED
    )


def reason_for(case: Case | None) -> str:
    return RedReason.ALLOWANCE if case is not None and keeps_goods(case) else RedReason.RETURN


def _freight(
    case: Case, balances: Sequence[Balance], done: dict[tuple[int, int], Part]
) -> Share | None:
    refunded = case.freight_reserved + case.freight_refunded
    for balance in balances:
        if balance.line.item_code == FREIGHT and refunded > ZERO:
            gross = refunded - done.get((case.pk, balance.pk), Part()).gross
            gross = min(gross, ledger.left(balance).gross)
            return Share(balance, NONE, gross) if gross > ZERO else None
    return None
