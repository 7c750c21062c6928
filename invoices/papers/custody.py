"""Moves the paper of an invoice from hand to hand; the only writer of its moves.

Locks: the case first, then the standing of the invoice, as everywhere.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from cases.flow.door import Actor, Refused, perform
from cases.models import Case
from cases.models.kinds import TERMINAL
from invoices.models import (
    Holder,
    Invoice,
    Paper,
    PaperMove,
    Place,
    Standing,
    Treatment,
    TreatmentKind,
    TreatmentState,
)
from invoices.models.custody import HOLDERS, IN_TRANSIT, WAYS
from invoices.models.standing import BlueState
from invoices.papers.acting import check_right, in_one_go, said_before, time_of


@dataclass(frozen=True)
class Going:
    """What is entered of one move. ``from_holder``: who is believed to hold it now."""

    to: str
    waybill: str = ""
    from_holder: str = ""
    holder_name: str = ""
    proof: str = ""
    evidence: str = ""
    case: Case | None = None

    def inputs(self) -> dict[str, Any]:
        return {k: v.pk if isinstance(v, Case) else v for k, v in self.__dict__.items() if v}


def paper_of(invoice: Invoice) -> Paper:
    """Where the paper is; one that nobody has moved yet is with the customer (not saved)."""
    found: Paper | None = Paper.objects.select_related("case").filter(invoice=invoice).first()
    return found or Paper(
        invoice=invoice,
        shop_id=invoice.shop_id,
        place=Place.WITH_CUSTOMER,
        holder=Holder.CUSTOMER,
        moved_at=invoice.issued_at,
    )


def move_paper(
    actor: Actor,
    invoice: Invoice,
    going: Going,
    *,
    at: datetime | None = None,
    key: str | None = None,
) -> Paper:
    """Enter where the paper went; a repeated ``key`` changes nothing.

    Raises Refused: wrong_state (who holds it, where it can go), bad_value, evidence_required,
    key_reused, not_permitted, not_in_your_shop.
    """
    check_right(actor, invoice.shop, "move_paper")
    moment = time_of(at)

    def work() -> Paper:
        case = _locked_case(invoice, going)
        standing = Standing.objects.select_for_update().filter(invoice=invoice).first()
        known, digest = said_before(
            PaperMove.objects.filter(invoice=invoice), key, "move_paper", going.inputs()
        )
        paper = paper_of(invoice)
        if known is not None:
            return paper
        _check_paper(invoice, standing)
        _check_way(paper, going)
        _check_inputs(going)
        _check_archive(standing, going)
        _check_time(paper, moment)
        paper = _written(actor, paper, going, case, moment, key, digest)
        _finish_treatments(paper, moment)
        return paper

    return in_one_go(work)


def _locked_case(invoice: Invoice, going: Going) -> Case | None:
    """The case named, else the one open case of the order, else the one it moves for already."""
    case = going.case or _open_case(invoice)
    if case is None:
        return paper_of(invoice).case
    if case.order_id != invoice.order_id:
        raise Refused(
            _("Case %(case)s is not of this invoice's order.") % {"case": case}, "unknown"
        )
    locked: Any = Case.locked([case.pk])[0]
    return locked  # type: ignore[no-any-return]


def _open_case(invoice: Invoice) -> Case | None:
    if invoice.order_id is None:
        return None
    found = list(Case.objects.filter(order_id=invoice.order_id).exclude(state__in=TERMINAL)[:2])
    return found[0] if len(found) == 1 else None


def _check_paper(invoice: Invoice, standing: Standing | None) -> None:
    if not invoice.is_paper:
        raise Refused(
            _("“%(kind)s” has no paper: there is nothing to move.")
            % {"kind": invoice.get_kind_display()},
            "wrong_state",
        )
    if standing is None:
        raise Refused(_("Only the paper of a blue invoice is followed."), "wrong_state")


def where_it_is(paper: Paper) -> str:
    """Who holds the paper and where, in words."""
    name = f" {paper.holder_name}" if paper.holder_name else ""
    waybill = f", {paper.waybill}" if paper.waybill else ""
    return _("%(holder)s holds the paper (%(place)s%(waybill)s)") % {
        "holder": f"{Holder(paper.holder).label}{name}",
        "place": Place(paper.place).label,
        "waybill": waybill,
    }


def _check_way(paper: Paper, going: Going) -> None:
    if going.from_holder and going.from_holder != paper.holder:
        raise Refused(
            _("%(who)s does not hold it: %(where)s.")
            % {"who": Holder(going.from_holder).label, "where": where_it_is(paper)},
            "wrong_state",
            holder=paper.holder,
        )
    ways = WAYS[paper.place]
    if going.to not in ways:
        allowed = ", ".join(f"{Place(p).label} ({p})" for p in ways) or _("nowhere")
        raise Refused(
            _("%(where)s; from there it can go to: %(allowed)s.")
            % {"where": where_it_is(paper), "allowed": allowed},
            "wrong_state",
            holder=paper.holder,
        )


def _check_inputs(going: Going) -> None:
    if going.to in IN_TRANSIT and not going.waybill:
        raise Refused(_("What is on its way needs a waybill."), "bad_value")
    if going.to == Place.LENT and not going.holder_name:
        raise Refused(_("Say by name to which vendor it is lent."), "bad_value")
    if going.to == Place.SUBSTITUTED and not (going.proof and going.evidence):
        raise Refused(
            _("A lost paper is replaced by a proof only: say which (proof) and its number."),
            "evidence_required",
        )


def _check_archive(standing: Standing | None, going: Going) -> None:
    ended = (BlueState.FULLY_RED, BlueState.VOIDED)
    if going.to == Place.ARCHIVED and standing is not None and standing.state not in ended:
        left = standing.gross - standing.reversed_gross
        raise Refused(
            _(
                "Only a fully reversed or voided invoice is archived: ¥%(left)s of it still "
                "stands. Reverse it first, or give the paper back."
            )
            % {"left": left},
            "wrong_state",
            left=str(left),
        )


def _check_time(paper: Paper, at: datetime) -> None:
    if paper.pk and at < paper.moved_at:
        raise Refused(
            _("%(at)s is before the last move (%(last)s). Give a later time.")
            % {"at": at.isoformat(), "last": paper.moved_at.isoformat()},
            "bad_value",
        )


def _written(  # noqa: PLR0913, PLR0917 - a move has these and no more
    actor: Actor,
    paper: Paper,
    going: Going,
    case: Case | None,
    at: datetime,
    key: str | None,
    digest: str,
) -> Paper:
    move = PaperMove(
        invoice=paper.invoice,
        seq=paper.seq + 1,
        case=case,
        from_place=paper.place,
        from_holder=paper.holder,
        place=going.to,
        holder=HOLDERS[going.to],
        holder_name=going.holder_name,
        waybill=going.waybill,
        proof=going.proof,
        evidence=going.evidence,
        at=at,
        by=actor.user,
        key=key,
        digest=digest,
    )
    move.save()
    for name in ("seq", "case", "place", "holder", "holder_name", "waybill"):
        setattr(paper, name, getattr(move, name))
    paper.moved_at = at
    paper.save()
    return paper


def _finish_treatments(paper: Paper, at: datetime) -> None:
    """The paper is with the customer again: to give it back was what was to be done."""
    if paper.place != Place.RETURNED:
        return
    back = (TreatmentKind.GIVE_BACK, TreatmentKind.HAND_BACK)
    for kind in back:
        finish_treatments(paper.invoice, kind, paper.case_id, at)


def finish_treatments(invoice: Invoice, kind: str, case_id: int | None, at: datetime) -> None:
    """End what was to be done of this kind for the case; without a case, for any."""
    rows = Treatment.objects.filter(invoice=invoice, kind=kind, state=TreatmentState.OPEN)
    if case_id is not None:
        rows = rows.filter(case_id=case_id)
    for row in rows.order_by("pk"):
        moment = max(at, row.moved_at) if row.moved_at else at
        perform(Actor.system("paper"), row, Treatment.finish, at=moment)


def void_obstacle(invoice: Invoice) -> str:
    """A paper is voided only when the original is back (invoices.md); a sentence, or nothing."""
    paper = paper_of(invoice)
    if not invoice.is_paper or paper.place in (Place.RECEIVED, Place.HELD):
        return ""
    return _("%(where)s; it is voided only when the original is back with us.") % {
        "where": where_it_is(paper)
    }


__all__ = ["Going", "finish_treatments", "move_paper", "paper_of", "void_obstacle", "where_it_is"]
