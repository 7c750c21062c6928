"""What each step of a case writes beside the case's own row; found by the step's name."""

from typing import Any

from django.core.files.base import ContentFile

from cases import numbers
from cases.amounts import FLOW, PAYING, accepted_pieces, load
from cases.changes import orders_changed
from cases.external import explain
from cases.files import random_name
from cases.flow import writing
from cases.flow.door import Move
from cases.flow.hooks import effect
from cases.models import (
    Approval,
    CaseLine,
    Compensation,
    Evidence,
    Mediation,
    Note,
    Notice,
    Order,
    Parcel,
    Refund,
    RefundPart,
    Remedy,
    State,
)
from cases.models.money import ZERO
from cases.models.orders import STATUS_RANK, OrderStatus


def _set(lines: list[CaseLine], *names: str) -> None:
    fields = [CaseLine._meta.get_field(n) for n in names]
    writing.update_rows(CaseLine, fields, writing.rows_of(lines, fields))


# Money


@effect(FLOW)
def refund_becomes_due(moves: list[Move]) -> None:
    """Whoever enters the refund place gets a refund row under our own number."""
    due = [
        m
        for m in moves
        if m.target == State.REFUNDING and m.source != State.REFUNDING and m.info.moves
    ]
    if not due:
        return
    void = Refund.objects.filter(case_id__in=[m.subject.pk for m in due], state=Refund.State.VOID)
    rows = {row.case_id: row for row in void}
    new = [m.subject for m in due if m.subject.pk not in rows]
    fresh = numbers.take("refund", "RF", due[0].at, len(new))
    for number, case in zip(fresh, new, strict=True):
        rows[case.pk] = Refund(number=number, case_id=case.pk, order_id=case.order_id)
    for move in due:
        row = rows[move.subject.pk]
        row.state, row.at = Refund.State.DUE, move.at
        row.amount = move.subject.amount_approved or ZERO
        row.freight = move.subject.freight_approved or ZERO
    writing.insert_rows(Refund, [row for row in rows.values() if not row.pk])
    for row in void:
        row.save()


@effect(FLOW, "record_platform_outcome")
def refund_is_void(moves: list[Move]) -> None:
    """The platform ended the case without a refund: nobody shall pay the one that was due."""
    unpaid = [m.subject.pk for m in moves if m.facts.get("parts") is None]
    rows = Refund.objects.filter(case_id__in=unpaid).exclude(state=Refund.State.PAID)
    rows.update(state=Refund.State.VOID)


@effect(FLOW, *sorted(PAYING))
def refund_is_paid(moves: list[Move]) -> None:
    """Close the refund row and say which line and payment each part came from."""
    paid = [m for m in moves if m.facts.get("parts") is not None]
    if not paid:
        return
    due = {
        r.case_id: r
        for r in Refund.objects.filter(case_id__in=[m.subject.pk for m in paid]).exclude(
            state=Refund.State.PAID
        )
    }
    missing = [m for m in paid if m.subject.pk not in due]
    for number, move in zip(
        numbers.take("refund", "RF", moves[0].at, len(missing)), missing, strict=True
    ):
        due[move.subject.pk] = Refund(
            number=number, case=move.subject, order_id=move.subject.order_id, at=move.at
        )
    for move in paid:
        _fill(due[move.subject.pk], move)
    created = [due[m.subject.pk] for m in missing]
    Refund.objects.bulk_create(created)
    for move in paid:
        if (row := due[move.subject.pk]) not in created:
            row.save()
    RefundPart.objects.bulk_create(
        RefundPart(refund=due[m.subject.pk], case_line=line, payment=payment, amount=amount)
        for m in paid
        for line, payment, amount in m.facts["parts"]
    )
    _explain(paid)


def _fill(row: Refund, move: Move) -> None:
    inputs, case = move.inputs, move.subject
    row.amount = case.amount_approved or ZERO
    row.freight = case.freight_approved or ZERO
    row.state, row.paid_at = Refund.State.PAID, move.at
    row.attempts += 1
    row.failure = ""
    row.paid_by = move.actor.user
    if move.step == "pay":
        row.method = inputs.get("method") or Refund.Method.ORIGINAL
        row.reference, row.payee = inputs["reference"], inputs.get("payee") or ""
    else:
        row.method = Refund.Method.PLATFORM
        row.platform_number = str(inputs.get("number") or "")


def _explain(moves: list[Move]) -> None:
    """External refunds that a case explains now."""
    for move in moves:
        if rest := move.facts.get("explained"):
            explain(move.subject.order_id, rest)


@effect(FLOW, "fail_payout")
def payout_failed(moves: list[Move]) -> None:
    texts = {m.subject.pk: str(m.inputs.get("text") or "") for m in moves}
    rows = Refund.objects.filter(case_id__in=texts).exclude(state=Refund.State.PAID)
    for row in rows:
        row.state, row.failure = Refund.State.FAILED, texts[row.case_id][:300]
        row.attempts += 1
        row.save(update_fields=["state", "failure", "attempts"])


@effect(FLOW, "approve", "send_back")
def approval_is_kept(moves: list[Move]) -> None:
    Approval.objects.bulk_create(
        Approval(
            case=m.subject,
            amount=(m.before["amount_approved"] or ZERO) + (m.before["freight_approved"] or ZERO),
            granted=m.step == "approve",
            entered_by_id=m.before["entered_by_id"],
            by=m.actor.user,
            at=m.at,
            text=str(m.inputs.get("text") or ""),
        )
        for m in moves
        if m.actor.user is not None
    )


@effect(FLOW, "compensate")
def compensation_is_kept(moves: list[Move]) -> None:
    Compensation.objects.bulk_create(
        Compensation(
            case=m.subject,
            kind=m.inputs["kind"],
            amount=m.inputs["amount"],
            text=str(m.inputs.get("text") or "")[:300],
            by=m.actor.user,
            at=m.at,
        )
        for m in moves
    )


# Goods on the move


def _parcel(move: Move, direction: str, purpose: str) -> Parcel:
    return Parcel(
        order_id=move.subject.order_id,
        case=move.subject,
        direction=direction,
        purpose=purpose,
        courier=move.inputs["courier"],
        waybill=move.inputs["waybill"],
        surface=bool(move.inputs.get("surface")),
        payer=move.subject.freight_payer if direction == Parcel.Direction.IN else "seller",
        sent_at=move.at,
    )


@effect(FLOW, "ship_order")
def order_is_shipped(moves: list[Move]) -> None:
    for move in moves:
        order = Order.objects.select_for_update().get(pk=move.subject.order_id)
        ship(order, courier=move.inputs["courier"], waybill=move.inputs["waybill"], at=move.at)
    Parcel.objects.bulk_create(
        _parcel(m, Parcel.Direction.OUT, Parcel.Purpose.ORDER) for m in moves
    )


def ship(order: Order, *, courier: str, waybill: str, at: Any) -> None:
    """The facts of a shipment on the (locked) order."""
    order.shipped_at = order.shipped_at or at
    order.courier, order.waybill = courier, waybill
    if STATUS_RANK[order.status] < STATUS_RANK[OrderStatus.SHIPPED]:
        order.status = OrderStatus.SHIPPED
    order.facts_hash = ""
    order.save(
        update_fields=["shipped_at", "courier", "waybill", "status", "facts_hash", "updated_at"]
    )
    orders_changed.send(sender=Order, order_ids=[order.pk])


@effect(FLOW, "ship_back")
def parcel_comes_in(moves: list[Move]) -> None:
    Parcel.objects.bulk_create(
        _parcel(m, Parcel.Direction.IN, Parcel.Purpose.RETURN) for m in moves
    )


_OUTGOING = {
    Remedy.EXCHANGE: Parcel.Purpose.REPLACEMENT,
    Remedy.RESEND: Parcel.Purpose.RESEND,
    Remedy.REPAIR: Parcel.Purpose.REPAIRED,
}


@effect(FLOW, "dispatch", "dispatch_ahead")
def parcel_goes_out(moves: list[Move]) -> None:
    Parcel.objects.bulk_create(
        _parcel(
            m,
            Parcel.Direction.OUT,
            _OUTGOING.get(m.subject.remedy, Parcel.Purpose.REPLACEMENT),
        )
        for m in moves
    )
    for move in moves:
        if move.inputs.get("serial"):
            load([move])
            _new_serials(move)
    repairs = [m for m in moves if m.subject.remedy == Remedy.REPAIR]
    if repairs:
        load(repairs)
        lines = [x for m in repairs for x in m.facts["lines"]]
        for x in lines:
            x.handed_back = x.received or 0
        _set(lines, "handed_back")


def _new_serials(move: Move) -> None:
    changed = []
    for x in move.facts["lines"]:
        if x.order_line_id in move.inputs["serial"]:
            x.new_serials = "\n".join(move.inputs["serial"][x.order_line_id])
            changed.append(x)
    _set(changed, "new_serials")


@effect(FLOW, "dispatch_ahead")
def lead_is_told(moves: list[Move]) -> None:
    _notices(moves, Notice.Kind.AHEAD, "seller")


@effect(FLOW, "hand_back")
def goods_go_back(moves: list[Move]) -> None:
    Parcel.objects.bulk_create(
        _parcel(m, Parcel.Direction.OUT, Parcel.Purpose.HAND_BACK) for m in moves
    )
    for move in moves:
        for x in move.facts["lines"]:
            x.handed_back += move.facts["back"].get(x.order_line_id, 0)
        _set(move.facts["lines"], "handed_back")


@effect(FLOW, "receive", "receive_by_silence", "refund_by_silence")
def pieces_are_received(moves: list[Move]) -> None:
    """As counted by hand, else all that were announced; the parcel is here."""
    fresh = [m for m in moves if m.source == State.RETURNING]
    if not fresh:
        return
    load(fresh)
    lines = []
    for move in fresh:
        counted = move.inputs.get("line")
        for x in move.facts["lines"]:
            x.received = x.quantity if not counted else counted.get(x.order_line_id, 0)
            # Pieces that came a second time are looked at anew.
            x.accepted, x.rejected, x.handed_back = None, 0, 0
            lines.append(x)
    _set(lines, "received", "accepted", "rejected", "handed_back")
    Parcel.objects.filter(
        case_id__in=[m.subject.pk for m in fresh],
        direction=Parcel.Direction.IN,
        received_at__isnull=True,
    ).update(received_at=fresh[0].at)


@effect(FLOW, "pass_inspection", "pass_by_silence", "refund_by_silence", "record_diagnosis")
def pieces_are_accepted(moves: list[Move]) -> None:
    """Accepted pieces stay, the rest of what came goes back to the buyer."""
    passed = [m for m in moves if m.step != "record_diagnosis" or m.target != State.INSPECTING]
    if not passed:
        return
    load(passed)
    lines = []
    for move in passed:
        accepted = accepted_pieces(move)
        for x in move.facts["lines"]:
            x.accepted = accepted[x.order_line_id]
            x.rejected = max((x.received or 0) - x.accepted, 0)
            lines.append(x)
    _set(lines, "accepted", "rejected")


@effect(FLOW, "fail_inspection")
def pieces_are_rejected(moves: list[Move]) -> None:
    load(moves)
    lines = [x for m in moves for x in m.facts["lines"]]
    for x in lines:
        x.accepted, x.rejected = 0, x.received or 0
    _set(lines, "accepted", "rejected")


@effect(FLOW, "revise", "reopen")
def pieces_are_undecided(moves: list[Move]) -> None:
    """What lies with us is judged anew, with the new application."""
    load(moves)
    lines = [x for m in moves for x in m.facts["lines"] if x.with_us > 0]
    for x in lines:
        x.accepted, x.rejected = None, 0
    _set(lines, "accepted", "rejected")


# Words, files, notices


@effect(FLOW, "request_mediation", "adopt")
def mediation_opens(moves: list[Move]) -> None:
    Mediation.objects.bulk_create(
        Mediation(
            case=m.subject,
            party=m.subject.mediation_party,
            text=str(m.inputs.get("text") or ""),
            opened_at=m.at,
        )
        for m in moves
        if m.target == State.MEDIATING
    )


@effect(FLOW)
def mediation_ends(moves: list[Move]) -> None:
    ended = [m for m in moves if m.source == State.MEDIATING and m.target != State.MEDIATING]
    for move in ended:
        Mediation.objects.filter(case=move.subject, closed_at__isnull=True).update(
            closed_at=move.at,
            outcome=move.step,
            amount=move.subject.amount_approved if move.step.startswith("rule_") else None,
        )


@effect(FLOW, "send_back")
def mediation_goes_on(moves: list[Move]) -> None:
    """The ruling was entered wrongly: the platform's intervention is open again."""
    for move in moves:
        if move.target == State.MEDIATING:
            row = Mediation.objects.filter(case=move.subject).latest("id")
            row.closed_at, row.outcome, row.amount = None, "", None
            row.save()


@effect(FLOW, "add_note", "log_contact")
def words_are_kept(moves: list[Move]) -> None:
    Note.objects.bulk_create(
        Note(
            case=m.subject,
            kind=Note.Kind.CONTACT if m.step == "log_contact" else Note.Kind.INTERNAL,
            way=str(m.inputs.get("way") or ""),
            text=m.inputs["text"],
            at=m.at,
            by=m.actor.user,
        )
        for m in moves
    )


@effect(FLOW, "add_evidence")
def files_are_kept(moves: list[Move]) -> None:
    """The files were inspected by the form; here they get a random name and a row."""
    for move in moves:
        files = move.inputs["evidence"]
        for safe in files if isinstance(files, (list, tuple)) else [files]:
            row = Evidence(
                case=move.subject,
                party=move.inputs["party"],
                kind=safe.kind,
                mime=safe.mime,
                original_name=safe.name[:200],
                size=len(safe.content),
                sha256=safe.sha256_in,
                at=move.at,
                by=move.actor.user,
            )
            row.file.save(random_name(safe.extension), ContentFile(safe.content), save=True)


@effect(FLOW, "record_diagnosis")
def buyer_hears_the_verdict(moves: list[Move]) -> None:
    _notices(moves, Notice.Kind.TELL_BUYER, "seller")


@effect(FLOW)
def supervisor_is_told(moves: list[Move]) -> None:
    """Once per clock: by the step itself, or where silence accepted a large amount."""
    _notices(
        [m for m in moves if m.step == "escalate" or m.facts.get("escalate")],
        Notice.Kind.ESCALATION,
        "supervisor",
    )


def _notices(moves: list[Move], kind: str, side: str) -> None:
    Notice.objects.bulk_create(
        Notice(
            case=m.subject,
            kind=kind,
            side=side,
            text=str(m.inputs.get("text") or m.inputs.get("verdict") or "")[:300],
            at=m.at,
            due_at=m.due_before,
        )
        for m in moves
    )
