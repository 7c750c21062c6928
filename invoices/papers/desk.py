"""Moving paper and endorsing for the command ``do invoice``; the invoice's desk takes them up."""

from collections.abc import Callable
from typing import Any

from cases.management.objects import Request, inputs_of
from invoices.papers import custody, endorsing
from invoices.papers.forms import PAPER_FORMS


def _entered(request: Request) -> Any:
    form = PAPER_FORMS[request.verb](request.given, invoice=request.subject, actor=request.actor)
    return inputs_of(form, request.given)["entered"]


def _move(request: Request) -> None:
    custody.move_paper(
        request.actor, request.subject, _entered(request), at=request.at, key=request.key
    )


def _endorse(request: Request) -> None:
    endorsing.endorse(
        request.actor, request.subject, _entered(request), at=request.at, key=request.key
    )


#: Verbs of an invoice by name; each takes the request, and the desk shows the invoice after it.
VERBS: dict[str, Callable[[Request], None]] = {"move_paper": _move, "endorse": _endorse}
