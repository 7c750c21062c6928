"""How a case gets from where it stands to where a sheet says it is: a table of steps, searched.

Only steps that tell what a sheet can know are in it. The door decides about each of them; what it
refuses is the row's refusal, in the door's own words.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cases.models import Case, Kind, RefusalReason, Remedy, State
from cases.models.kinds import MONEY_REMEDIES, OPEN
from cases.sheets.facts import CaseFacts

S = State


@dataclass(frozen=True)
class Legs:
    """What a row offers to the steps on the way. ``by_platform``: it is a platform's own sheet."""

    facts: CaseFacts
    by_platform: bool
    other: RefusalReason | None = None

    @property
    def has_parcel(self) -> bool:
        return bool(self.facts.courier and self.facts.waybill)

    @property
    def number(self) -> str:
        return self.facts.refund_number or self.facts.platform_case_no


Inputs = dict[str, Any]


@dataclass(frozen=True)
class Edge:
    """A step from where to where; ``fits`` asks case and row, ``inputs`` fills the step."""

    step: str
    sources: tuple[str, ...]
    target: str
    fits: Callable[[Case, Legs], bool] = lambda _case, _legs: True
    inputs: Callable[[Case, Legs], Inputs] = lambda _case, _legs: {}


def _remedy(*remedies: str) -> Callable[[Case, Legs], bool]:
    return lambda case, _legs: case.remedy in remedies


def _accept(_case: Case, legs: Legs) -> Inputs:
    # The platform has taken the seller's answer already: nobody can ask for the evidence now.
    return {"waiver": "platform sheet"} if legs.by_platform else {}


def _parcel(_case: Case, legs: Legs) -> Inputs:
    return {"courier": legs.facts.courier, "waybill": legs.facts.waybill}


def _refuse(_case: Case, legs: Legs) -> Inputs:
    return {"reason": legs.other, "text": legs.facts.text or legs.facts.reason_words}


def _outcome(_case: Case, legs: Legs) -> Inputs:
    return {
        "number": legs.number,
        "outcome": "refunded",
        "amount": legs.facts.refunded_amount or legs.facts.amount,
    }


def _closed(_case: Case, legs: Legs) -> Inputs:
    return {"number": legs.number, "outcome": "closed", "text": legs.facts.text}


_GOODS: Final = (Remedy.RETURN_REFUND, Remedy.EXCHANGE, Remedy.REPAIR)
_WITHDRAWABLE: Final = (
    *(S.APPLIED, S.NEGOTIATING, S.REFUSED),
    *(S.AWAITING_APPROVAL, S.INTERCEPTING, S.AWAITING_RETURN),
)
#: The first of two equally short ways is taken, so the platform's own word stands before ours.
EDGES: Final = (
    Edge(
        "record_platform_outcome",
        OPEN,
        S.COMPLETED,
        lambda case, legs: bool(legs.number) and case.remedy in MONEY_REMEDIES,
        _outcome,
    ),
    Edge(
        "record_platform_outcome",
        OPEN,
        S.CLOSED,
        lambda _case, legs: legs.by_platform and bool(legs.number),
        _closed,
    ),
    Edge("withdraw", _WITHDRAWABLE, S.CLOSED),
    Edge("accept", (S.APPLIED,), S.AWAITING_RETURN, _remedy(*_GOODS), _accept),
    Edge("accept", (S.APPLIED,), S.AWAITING_DISPATCH, _remedy(Remedy.RESEND), _accept),
    Edge("accept", (S.APPLIED,), S.REFUNDING, _remedy(Remedy.REFUND), _accept),
    Edge("refuse", (S.APPLIED, S.INSPECTING), S.REFUSED, inputs=_refuse),
    Edge("revise", (S.REFUSED,), S.APPLIED),
    Edge(
        "intercept",
        (S.APPLIED,),
        S.INTERCEPTING,
        lambda case, _legs: case.kind == Kind.REFUND_IN_TRANSIT,
    ),
    Edge("intercept_succeed", (S.INTERCEPTING,), S.REFUNDING),
    Edge("ship_back", (S.AWAITING_RETURN,), S.RETURNING, lambda _c, legs: legs.has_parcel, _parcel),
    Edge("receive", (S.RETURNING,), S.INSPECTING),
    Edge("pass_inspection", (S.INSPECTING,), S.REFUNDING, _remedy(Remedy.RETURN_REFUND)),
    Edge("pass_inspection", (S.INSPECTING,), S.AWAITING_DISPATCH, _remedy(Remedy.EXCHANGE)),
    Edge("pass_inspection", (S.INSPECTING,), S.REPAIRING, _remedy(Remedy.REPAIR)),
    Edge("finish_repair", (S.REPAIRING,), S.QUALITY_CHECK),
    Edge("pass_quality_check", (S.QUALITY_CHECK,), S.AWAITING_DISPATCH),
    Edge(
        "dispatch",
        (S.AWAITING_DISPATCH,),
        S.AWAITING_RECEIPT,
        lambda _c, legs: legs.has_parcel,
        _parcel,
    ),
    Edge("confirm_receipt", (S.AWAITING_RECEIPT,), S.COMPLETED),
    Edge(
        "request_mediation",
        tuple(s for s in OPEN if s not in {S.MEDIATING, S.REFUNDING, S.AWAITING_APPROVAL}),
        S.MEDIATING,
        inputs=lambda _c, legs: {"party": "buyer", "text": legs.facts.text},
    ),
)


def route(case: Case, target: str, legs: Legs) -> list[Edge] | None:
    """The shortest way by the table; None where there is none, empty where the case is there."""
    came_by: dict[str, tuple[str, Edge]] = {}
    seen, ahead = {str(case.state)}, deque([str(case.state)])
    while ahead and target not in seen:
        here = ahead.popleft()
        for edge in EDGES:
            if here in edge.sources and edge.target not in seen and edge.fits(case, legs):
                seen.add(str(edge.target))
                came_by[str(edge.target)] = (here, edge)
                ahead.append(str(edge.target))
    if target not in seen:
        return None
    way: list[Edge] = []
    here = target
    while here != case.state:
        here, edge = came_by[here]
        way.append(edge)
    return way[::-1]
