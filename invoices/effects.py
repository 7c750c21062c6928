"""What the steps of a red request write beside its own row: the ledger, calls, notices."""

from cases.flow.door import Move
from cases.flow.hooks import effect
from invoices import ledger
from invoices.guards import FLOW, parts_of
from invoices.models import AuthorityCall, InvoiceNotice, RedState
from invoices.reversing import released

TREATMENT = "invoices.Treatment"


@effect(FLOW, "submit")
def authority_is_told(moves: list[Move]) -> None:
    """Never in the step: a row that the sweep sends, under the serial number that stands."""
    _call(moves, AuthorityCall.What.SUBMIT)


@effect(FLOW, "ask")
def authority_is_asked(moves: list[Move]) -> None:
    """The clock ran out; what became of it only the authority knows."""
    _call(moves, AuthorityCall.What.ASK)
    _notices(moves, InvoiceNotice.Kind.ESCALATION)


def _call(moves: list[Move], what: str) -> None:
    AuthorityCall.objects.bulk_create(
        AuthorityCall(
            request=m.subject,
            what=what,
            key=f"{m.subject.serial}/{what}/{m.subject.seq}",
            try_at=m.at,
            created_at=m.at,
        )
        for m in moves
    )


@effect(FLOW, "answer", "reject")
def dead_requests_let_go(moves: list[Move]) -> None:
    """A dead request leaves the ledger as it was."""
    died = [m for m in moves if m.target == RedState.DEAD and m.source != RedState.DEAD]
    if not died:
        return
    parts = parts_of(died)
    ledger.post(
        [
            movement
            for m in died
            for movement in released(parts[m.pk], m.subject.request_no, m.pk, m.at)
        ]
    )


@effect(FLOW)
def what_is_held_raises_an_alarm(moves: list[Move]) -> None:
    """An unknown code, a late answer, a red after death, figures that differ."""
    _notices(
        [m for m in moves if m.subject.held and m.subject.held != m.before.get("held", "")],
        InvoiceNotice.Kind.ALARM,
    )


@effect(FLOW, "escalate")
def supervisor_is_told(moves: list[Move]) -> None:
    """Nobody acted in time."""
    _notices(moves, InvoiceNotice.Kind.ESCALATION)


def _notices(moves: list[Move], kind: str) -> None:
    InvoiceNotice.objects.bulk_create(
        InvoiceNotice(
            shop_id=m.subject.shop_id,
            request=m.subject,
            kind=kind,
            text=(m.subject.held or str(m.inputs.get("text") or ""))[:300],
            at=m.at,
            due_at=m.due_before,
        )
        for m in moves
    )


@effect(TREATMENT, "escalate")
def supervisor_is_told_of_treatments(moves: list[Move]) -> None:
    """An invoice nobody has dealt with in time."""
    InvoiceNotice.objects.bulk_create(
        InvoiceNotice(
            shop_id=m.subject.shop_id,
            treatment=m.subject,
            kind=InvoiceNotice.Kind.ESCALATION,
            text=str(m.inputs.get("text") or "")[:300],
            at=m.at,
            due_at=m.due_before,
        )
        for m in moves
    )
