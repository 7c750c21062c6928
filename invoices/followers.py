"""What invoices do when a case or a red request moves; connected when the app is ready."""

from typing import Any

from django.dispatch import receiver

from cases.flow.door import Actor, Move, perform
from cases.flow.signals import transitioned
from cases.models import Case
from invoices.handling import SETTLED, Need, Share, needs_of
from invoices.models import (
    RedPart,
    RedRequest,
    RedState,
    Treatment,
    TreatmentKind,
    TreatmentLine,
    TreatmentState,
)
from invoices.opening import begin

_US = Actor.system("invoices")
_LASTING = (TreatmentKind.REISSUE,)


@receiver(transitioned, sender=Case, dispatch_uid="invoices.invoices_follow_the_case")
def invoices_follow_the_case(moves: list[Move], **_kwargs: Any) -> None:
    """When the remedy is settled, the right treatment opens; what it replaces ends, but stays."""
    settled = [m for m in moves if m.info.moves and m.target != m.source and m.target in SETTLED]
    if not settled:
        return
    cases = [m.subject for m in settled]
    needs = needs_of(cases)
    standing = _open_treatments([case.pk for case in cases])
    for move in settled:
        _settle(move, needs[move.pk], standing.get(move.pk, []))


def _open_treatments(case_ids: list[int]) -> dict[int, list[Treatment]]:
    rows = Treatment.objects.filter(case_id__in=case_ids, state=TreatmentState.OPEN)
    out: dict[int, list[Treatment]] = {}
    for row in rows.exclude(kind__in=_LASTING).prefetch_related("lines", "red_requests"):
        out.setdefault(row.case_id or 0, []).append(row)
    return out


def _settle(move: Move, needs: list[Need], standing: list[Treatment]) -> None:
    wanted = {need.signature(): need for need in needs}
    for row in standing:
        if wanted.pop(_signature(row), None) is not None or _is_under_way(row):
            continue
        perform(_US, row, Treatment.supersede, at=_not_before(row, move), text=str(move.info.label))
    busy = {(r.kind, r.invoice_id) for r in standing if _is_under_way(r)}
    for need in wanted.values():
        if (need.kind, need.invoice.pk) not in busy:
            open_treatment(move.subject, need, move)


def _signature(row: Treatment) -> tuple[object, ...]:
    lines = sorted((x.line_id, x.quantity, x.gross) for x in row.lines.all())
    return (row.kind, row.invoice_id, tuple(lines))


def _is_under_way(row: Treatment) -> bool:
    """A request that the authority knows of cannot be taken back by us."""
    return any(r.state not in RedRequest.terminal for r in row.red_requests.all())


def _not_before(row: Any, move: Move) -> Any:
    return max(move.at, row.moved_at) if row.moved_at else move.at


def open_treatment(case: Case, need: Need, move: Move) -> Treatment:
    row = Treatment(
        shop_id=case.shop_id,
        order_id=case.order_id,
        case=case,
        invoice=need.invoice,
        kind=need.kind,
        opened_at=move.at,
    )
    begin("open_treatment", _US, row, move.at, {"case": case.case_no, "kind": need.kind})
    TreatmentLine.objects.bulk_create(_line(row, share) for share in need.shares)
    return row


def _line(row: Treatment, share: Share) -> TreatmentLine:
    return TreatmentLine(
        treatment=row, line_id=share.balance.line_id, quantity=share.quantity, gross=share.gross
    )


@receiver(transitioned, sender=RedRequest, dispatch_uid="invoices.reds_end_treatments")
def reds_end_treatments(moves: list[Move], **_kwargs: Any) -> None:
    """An issued red ends its treatment; where the whole was reversed, the rest is issued anew."""
    issued = [m for m in moves if m.target == RedState.ISSUED and m.source != RedState.ISSUED]
    for move in issued:
        request = move.subject
        if request.whole_instead:
            _open_reissue(move)
        treatment = request.treatment_id and Treatment.objects.get(pk=request.treatment_id)
        if treatment and treatment.state == TreatmentState.OPEN:
            perform(
                _US,
                treatment,
                Treatment.finish,
                at=_not_before(treatment, move),
                text=str(request),
            )


def _open_reissue(move: Move) -> None:
    """A task of its own that stays open until the remainder is issued."""
    request = move.subject
    parts = RedPart.objects.filter(request=request).select_related("balance")
    rest = [part for part in parts if part.gross > part.asked_gross]
    if not rest:
        return
    row = Treatment(
        shop_id=request.shop_id,
        order_id=request.blue.order_id,
        case_id=request.case_id,
        invoice_id=request.blue_id,
        kind=TreatmentKind.REISSUE,
        opened_at=move.at,
    )
    begin("open_treatment", _US, row, move.at, {"request": request.request_no})
    TreatmentLine.objects.bulk_create(
        TreatmentLine(
            treatment=row,
            line_id=part.balance.line_id,
            quantity=part.quantity - part.asked_quantity,
            gross=part.gross - part.asked_gross,
            tax=part.tax - part.asked_tax,
        )
        for part in rest
    )
