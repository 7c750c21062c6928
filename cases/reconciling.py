"""How a difference with the platform is settled: its outcome adopted, a case opened, or explained.

All of it goes the usual ways: steps through the door, cases through their opening. The record
is looked at again under its lock: of two people who press, the second is told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from cases.differences import compare, judge, locked_of, not_here
from cases.external import take_over
from cases.flow import clock
from cases.flow.door import Actor, NotPermitted, Refused, once_more, perform
from cases.models import (
    Case,
    Difference,
    Explained,
    Explanation,
    Order,
    OrderLine,
    PlatformRecord,
    Reason,
    RefusalReason,
    State,
)
from cases.models.kinds import MONEY_REMEDIES, OPEN, Kind
from cases.models.money import ZERO
from cases.models.platformrecords import Outcome
from cases.opening import NewCase, adopt_cases
from cases.sheets.facts import CaseFacts
from cases.sheets.loading.casebook import pieces_of
from cases.sheets.loading.routes import Legs, route

ADOPT: Final = "adopt"
OPEN_CASE: Final = "open"
EXTERNAL: Final = "external"
EXPLAIN: Final = "explain"
WAYS: Final = (ADOPT, OPEN_CASE, EXTERNAL, EXPLAIN)
PERMISSION: Final = "cases.settle_platformrecord"


@dataclass
class Matter:
    """A record with what belongs to it; ``case``: ours, also where no sheet has linked it yet."""

    record: PlatformRecord
    order: Order
    case: Case | None
    others: list[PlatformRecord] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        """What the platform refunded and no case of ours shows, in yuan."""
        if not self.record.is_of_order:
            return not_here(self.record)
        shown = sum((not_here(other) for other in self.others), ZERO)
        return max((self.record.refunded or ZERO) - (self.record.ours or ZERO) - shown, ZERO)

    @property
    def number(self) -> str:
        """The number under which the platform's refund is booked, once only."""
        if self.record.number:
            return self.record.number
        return f"{self.order.order_no}:{self.record.refunded}"


@dataclass(frozen=True)
class Choice:
    """What a person may add where the platform's record does not say it."""

    kind: str = ""
    reason: Reason | None = None
    line: OrderLine | None = None
    text: str = ""


def matter_of(record: PlatformRecord) -> Matter:
    """What belongs to the record, without locks; for pages."""
    others = PlatformRecord.objects.filter(order_id=record.order_id).exclude(pk=record.pk)
    case = Case.objects.filter(pk=_case_pk(record) or 0).select_related("order", "shop").first()
    return Matter(record, record.order, case, [o for o in others if not o.is_of_order])


def ways_of(actor: Actor, matter: Matter) -> list[str]:
    """The ways that are open to this person, the one that settles most first."""
    if not matter.record.open or actor.user is None or not actor.user.has_perm(PERMISSION):
        return []
    found = []
    steps = steps_of(matter)
    if steps and all(actor.may(Case, Case.steps()[name]) for name in steps):
        found.append(ADOPT)
    if matter.case is None and _can_be_opened(matter):
        found.append(OPEN_CASE)
    if matter.amount > 0:
        found.append(EXTERNAL)
    return [*found, EXPLAIN]


def steps_of(matter: Matter) -> list[str]:
    """The steps that lead our case to where the platform is; none where no step does."""
    record, case = matter.record, matter.case
    if case is None or case.state == State.COMPLETED:
        return []
    first = ["reopen"] if case.state == State.CLOSED else []
    if record.outcome:
        unsettled = record.outcome != Outcome.REFUNDED or matter.amount > 0
        return [*first, "record_platform_outcome"] if unsettled else []
    if first:
        return [*first, *([] if record.state == State.APPLIED else ["accept"])]
    way = route(case, record.state, _legs(matter)) if record.state else None
    return [edge.step for edge in way or ()]


def _can_be_opened(matter: Matter) -> bool:
    record = matter.record
    if record.difference == Difference.STATE:
        return bool(record.number)
    return record.difference in {Difference.REFUNDED_THERE, Difference.AMOUNT}


def settle(actor: Actor, pk: int, way: str, choice: Choice | None = None) -> PlatformRecord:
    """Settle one difference; returns the record as it is afterwards.

    Raises Refused: unknown, not_permitted, stale (settled meanwhile), and what the door says.
    """
    if actor.user is None or not actor.user.has_perm(PERMISSION):
        text = _("You may not settle differences with the platform. Ask a lead or finance.")
        raise NotPermitted(text)

    def unit(_nothing: Any) -> PlatformRecord:
        with transaction.atomic():
            matter = _locked(actor, pk)
            _ACTS[way](actor, matter, choice or Choice())
            compare([matter.order.pk])
            return PlatformRecord.objects.get(pk=pk)

    done: PlatformRecord = once_more(unit, None)
    return done


def settle_many(
    actor: Actor, pks: Iterable[int], way: str, text: str = ""
) -> tuple[list[PlatformRecord], list[tuple[int, Refused]]]:
    """Settle many the same way, each by itself; those done, and the refusals by pk."""
    done: list[PlatformRecord] = []
    refused: list[tuple[int, Refused]] = []
    for pk in pks:
        try:
            done.append(settle(actor, pk, way, Choice(text=text)))
        except Refused as refusal:
            refused.append((pk, refusal))
    return done, refused


def _locked(actor: Actor, pk: int) -> Matter:
    """The record under its locks, in the order of the house: case, order, records."""
    seen = PlatformRecord.objects.filter(pk=pk).first()
    if seen is None or actor.user is None or not _in_scope(actor, seen):
        raise Refused(_("There is no such record of the platform."), "unknown")
    case_pk = _case_pk(seen)
    case: Any = next(iter(Case.locked([case_pk])), None) if case_pk else None
    order = Order.objects.select_for_update().get(pk=seen.order_id)
    rows = locked_of([order.pk])
    judge(rows)
    record = next(row for row in rows if row.pk == pk)
    if not record.open or _case_pk(record) != case_pk:
        text = _("Somebody settled this difference meanwhile. Look at the list again.")
        raise Refused(text, "stale")
    others = [row for row in rows if row.pk != pk and not row.is_of_order]
    return Matter(record, order, case, others)


def _in_scope(actor: Actor, record: PlatformRecord) -> bool:
    return PlatformRecord.objects.visible_to(actor.user).filter(pk=record.pk).exists()


def _case_pk(record: PlatformRecord) -> int | None:
    """Our case: the one linked, else the only open one of the same line that has no number."""
    if record.case_id:
        return record.case_id
    cases = Case.objects.filter(order_id=record.order_id, state__in=[str(s) for s in OPEN])
    if record.number:
        cases = cases.filter(platform_case_no__in=("", record.number))
        line = record.line or _only_line(record.order)
        if line is None:  # which of the order's cases is meant nobody can say
            return None
        cases = cases.filter(lines__order_line=line)
    else:
        cases = cases.filter(remedy__in=[str(r) for r in MONEY_REMEDIES])
    found = list(cases.order_by("pk").values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None


# Adopting


def _adopt(actor: Actor, matter: Matter, choice: Choice) -> None:
    case, record = matter.case, matter.record
    if case is None or not steps_of(matter):
        text = _("No step leads our case to where the platform is. Explain the difference instead.")
        raise Refused(text)
    _link(matter, case)
    told = choice.text or _("as the platform's sheet says")
    if case.state == State.CLOSED:
        case = perform(actor, case, Case.reopen, text=told)
    if record.outcome:
        _take_outcome(actor, matter, case, choice.text)
        return
    for edge in route(case, record.state, _legs(matter)) or ():
        inputs = edge.inputs(case, _legs(matter))
        given = {name: value for name, value in inputs.items() if value not in {None, ""}}
        case = perform(actor, case, getattr(Case, edge.step), **given)
        if case.state != edge.target:
            break


def _take_outcome(actor: Actor, matter: Matter, case: Case, text: str) -> None:
    refunded = matter.record.outcome == Outcome.REFUNDED
    perform(
        actor,
        case,
        Case.record_platform_outcome,
        at=_fact_time(matter.record, case),
        number=matter.number,
        outcome=matter.record.outcome,
        amount=matter.amount if refunded else None,
        text=text,
    )


def _fact_time(record: PlatformRecord, case: Case) -> datetime | None:
    """When the platform did it, where our case has not moved since; else now."""
    at = record.ended_at
    if at is None or at > clock.now() or (case.moved_at is not None and at < case.moved_at):
        return None
    return at


def _link(matter: Matter, case: Case) -> None:
    """A case that staff opened is the platform's application from now on."""
    record = matter.record
    if not record.number:
        return
    if record.case_id is None:
        record.case = case
        record.save(update_fields=["case"])
    if not case.platform_case_no:
        Case.objects.filter(pk=case.pk).update(platform_case_no=record.number)


def _legs(matter: Matter) -> Legs:
    facts = _facts(matter)
    other = RefusalReason.objects.filter(code="other").first()
    return Legs(
        replace(facts, text=_("as the platform's sheet says")), by_platform=True, other=other
    )


def _facts(matter: Matter) -> CaseFacts:
    """The record in the words of a sheet's row, for what works on those."""
    record = matter.record
    return CaseFacts(
        order_no=matter.order.order_no,
        platform_case_no=record.number,
        kind=record.kind or None,
        quantity=record.quantity,
        amount=record.requested,
        refunded_amount=matter.amount or None,
        state=record.state or None,
    )


# Opening a case


def _open(actor: Actor, matter: Matter, choice: Choice) -> None:
    if matter.case is not None or not _can_be_opened(matter):
        raise Refused(
            _("There is a case already; adopt the platform's outcome."), "open_case_exists"
        )
    (answer,) = adopt_cases(actor, [_entry(matter, choice)])
    if isinstance(answer, Refused):
        raise answer
    _link(matter, answer)


def _entry(matter: Matter, choice: Choice) -> NewCase:
    record, refunded = matter.record, matter.amount > 0
    kind = choice.kind or record.kind or (usual_kind(matter.order) if record.is_of_order else "")
    line = choice.line or record.line or _only_line(matter.order)
    if not kind or line is None:
        text = _("The platform's record does not say %(what)s; open the page and choose it.")
        raise Refused(
            text
            % {
                "what": _("which kind of case this is") if not kind else _("which line it is about")
            },
            "bad_value",
        )
    applied = record.applied_at or record.told_at
    return NewCase(
        order=matter.order,
        kind=kind,
        reason=choice.reason or reason_of(record),
        lines=[(line.line_no, pieces_of(_facts(matter), line))],
        amount=None if refunded else record.requested,
        freight=None if refunded else record.freight,
        text=choice.text,
        case_no=record.number,
        platform_case_no=record.number,
        applied_at=applied,
        at=max(record.told_at, applied) if record.number else None,
        state=str(State.COMPLETED) if refunded else record.state,
        refund_number=matter.number if refunded else "",
        refunded_amount=matter.amount if refunded else None,
        whole=True,
    )


def usual_kind(order: Order) -> str:
    """What a refund of an order was, if nobody says more."""
    shipped = order.is_shipped(clock.now())
    return str(Kind.REFUND_RECEIVED if shipped else Kind.REFUND_UNSHIPPED)


def reason_of(record: PlatformRecord) -> Reason:
    """The reason as the platform told it, else “other”."""
    found = {r.code: r for r in Reason.objects.filter(code__in=(record.reason, "other"))}
    return found.get(record.reason) or found["other"]


def _only_line(order: Order) -> OrderLine | None:
    lines = list(order.lines.all()[:2])
    return lines[0] if len(lines) == 1 else None


# Putting aside


def _take_over(actor: Actor, matter: Matter, choice: Choice) -> None:
    """The refund stands as one outside our cases; what a report showed before is not added."""
    if matter.amount <= 0:
        raise Refused(_("The platform shows no refund beyond ours."), "bad_value")
    record, order = matter.record, matter.order
    if record.number:
        taken = [other for other in matter.others if other.explained == Explained.EXTERNAL]
        needed = matter.amount + sum((not_here(other) for other in taken), ZERO)
        more = needed - order.external_refunded
        if more > 0:
            _fits(order, more)
            take_over(order, more, record.ended_at or clock.now(), record.source)
    text = choice.text or str(Explained.EXTERNAL.label)
    _put_aside(actor, record, Explained.EXTERNAL, text)


def _fits(order: Order, more: Decimal) -> None:
    own = sum((line.refunded + line.reserved for line in order.lines.all()), ZERO)
    own += order.freight_refunded + order.freight_reserved + order.external_refunded
    if own + more > order.paid_amount:
        said = {"more": more, "paid": order.paid_amount, "left": max(order.paid_amount - own, ZERO)}
        text = _(
            "¥%(more)s more is above what is left of the order: ¥%(paid)s was paid, ¥%(left)s is "
            "neither refunded nor reserved."
        )
        raise Refused(text % said, "amount_exceeded", limit=str(said["left"]))


def _explain(actor: Actor, matter: Matter, choice: Choice) -> None:
    if len(choice.text.strip()) < 2:
        raise Refused(_("Say why the platform and we differ."), "reason_required")
    _put_aside(actor, matter.record, Explained.WORDS, choice.text.strip())


def _put_aside(actor: Actor, record: PlatformRecord, way: str, text: str) -> None:
    Explanation.objects.create(
        record=record,
        difference=record.difference,
        way=way,
        theirs=record.refunded,
        ours=record.ours,
        text=text[:300],
        by=actor.user,
        at=clock.now(),
    )
    record.explained, record.open = way, False
    record.save(update_fields=["explained", "open"])


_ACTS: Final = {ADOPT: _adopt, OPEN_CASE: _open, EXTERNAL: _take_over, EXPLAIN: _explain}
