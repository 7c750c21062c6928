"""Moving paper and endorsing for the command ``do invoice``; the invoice's desk takes them up."""

from collections.abc import Callable
from typing import Any

from cases.management.objects import Request
from invoices.papers import custody, endorsing


def _move(request: Request, inputs: dict[str, Any]) -> None:
    custody.move_paper(
        request.actor, request.subject, inputs["entered"], at=request.at, key=request.key
    )


def _endorse(request: Request, inputs: dict[str, Any]) -> None:
    endorsing.endorse(
        request.actor, request.subject, inputs["entered"], at=request.at, key=request.key
    )


def _review(request: Request, inputs: dict[str, Any]) -> None:
    row = endorsing.last_of(request.subject, inputs.get("number", ""))
    endorsing.review(request.actor, row, at=request.at)


ACTS: dict[str, Callable[[Request, dict[str, Any]], None]] = {
    "move_paper": _move,
    "endorse": _endorse,
    "review_endorsement": _review,
}
