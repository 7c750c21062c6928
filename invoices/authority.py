"""The tax authority behind one small interface, and the sweep that makes the calls rows ask for.

No live service is reached from here: ``Manual`` leaves it to a clerk, ``Simulated`` plays an
authority with its own time, silence, refusals and repetitions. A real one implements ``Authority``.

An effect is never in doubt for us: the serial number is stored before the first call and used again
for every retry. *Unreachable* keeps what is spoken for and tries again; *rejected* lets it go.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from cases.flow import clock
from cases.flow.door import Actor, Refused, perform
from invoices.models import AuthorityCall, RedRequest, RedState

log = logging.getLogger(__name__)
#: After so many vain attempts a person has to look; the request stays as it is.
MOST_ATTEMPTS = 12
#: The first retry comes after this; each further one after twice the time, up to an hour.
FIRST_RETRY = timedelta(seconds=30)
LAST_RETRY = timedelta(hours=1)
#: Whoever takes a call in hand has so long before another may try it.
LEASE = timedelta(minutes=2)
BATCH = 50


class Unreachable(Exception):
    """No answer: nobody knows whether it arrived. It is tried again under the same serial."""


class Rejected(Exception):
    """The authority refused to take it; nothing of it exists there."""


@dataclass(frozen=True)
class Form:
    """What is submitted: a red form in the authority's terms, amounts positive, in yuan."""

    serial: str
    blue_code: str
    blue_number: str
    reason: str
    gross: Decimal
    tax: Decimal
    lines: list[dict[str, Any]]


@dataclass(frozen=True)
class Answer:
    """What the authority says: its raw state code, and the red invoice where there is one."""

    code: str = ""
    entered_at: datetime | None = None
    form_no: str = ""
    red_number: str = ""
    red_code: str = ""
    gross: Decimal | None = None
    tax: Decimal | None = None


class Authority(Protocol):
    """What a tax service must be able to do. Both raise Unreachable or Rejected."""

    def submit(self, form: Form) -> Answer:
        """Take a form; the same serial again answers as the first time."""

    def ask(self, serial: str) -> Answer:
        """How the form with this serial stands."""


class Manual:
    """A clerk works on the authority's own site and enters what it says: nothing is called."""

    def submit(self, form: Form) -> Answer:
        return Answer()

    def ask(self, serial: str) -> Answer:
        return Answer()


@dataclass
class Simulated:
    """An authority in memory. ``script``: what happens to the coming calls, one word each.

    Words: ``ok`` · ``lost`` (it never arrives) · ``late`` (it arrives, the answer does not) ·
    ``reject``. ``code``: the state new forms get; ``now``: its own clock.
    """

    now: Callable[[], datetime] = clock.now
    code: str = "01"
    script: list[str] = field(default_factory=list)
    forms: dict[str, Answer] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def submit(self, form: Form) -> Answer:
        word = self._next("submit", form.serial)
        if word == "reject":
            raise Rejected("the simulated authority was told to refuse")
        known = self.forms.get(form.serial)
        if known is None:
            known = self.forms[form.serial] = self._entered(form)
        if word == "late":
            raise Unreachable("the answer was lost")
        return known

    def ask(self, serial: str) -> Answer:
        word = self._next("ask", serial)
        if word == "late":
            raise Unreachable("the answer was lost")
        return self.forms.get(serial, Answer())

    def set(self, serial: str, **changes: Any) -> None:
        """The other party confirms, denies, …: the form stands otherwise from now on."""
        old = self.forms[serial]
        self.forms[serial] = Answer(**{**old.__dict__, **changes})

    def _next(self, what: str, serial: str) -> str:
        self.calls.append((what, serial))
        word = self.script.pop(0) if self.script else "ok"
        if word == "lost":
            raise Unreachable("it did not arrive")
        return word

    def _entered(self, form: Form) -> Answer:
        number = f"{self.now():%y}31{len(self.forms) + 1:016d}" if self.code == "01" else ""
        return Answer(
            code=self.code,
            entered_at=self.now(),
            form_no=f"F{form.serial}",
            red_number=number,
        )


@cache
def authority() -> Authority:
    """The one this installation uses (settings.INVOICE_AUTHORITY: a dotted path)."""
    found: Authority = import_string(settings.INVOICE_AUTHORITY)()
    return found


def deliver(service: Authority, at: datetime | None = None) -> int:
    """Make every call that is due; returns how many were answered. Safe to run twice at once."""
    moment = at or clock.now()
    answered = 0
    for pk in _taken(moment):
        answered += _make(service, pk, moment)
    return answered


def _taken(at: datetime) -> list[int]:
    """Calls that are due, leased by moving their next attempt on before the first is made."""
    with transaction.atomic():
        due = AuthorityCall.objects.filter(state=AuthorityCall.State.WAITING, try_at__lte=at)
        rows = list(due.select_for_update(skip_locked=True).order_by("try_at", "pk")[:BATCH])
        for row in rows:
            row.attempts += 1
            row.try_at = at + LEASE
        AuthorityCall.objects.bulk_update(rows, ["attempts", "try_at"])
    return [row.pk for row in rows]


def _make(service: Authority, pk: int, at: datetime) -> int:
    """One call outside any transaction, then what it said through the door."""
    call = AuthorityCall.objects.select_related("request__blue").get(pk=pk)
    request = call.request
    if call.what == AuthorityCall.What.SUBMIT and request.state != RedState.SUBMITTED:
        _close(call, at)
        return 0
    try:
        if call.what == AuthorityCall.What.SUBMIT:
            said = service.submit(form_of(request))
        else:
            said = service.ask(request.serial)
    except Unreachable as error:
        _again(call, str(error), at)
        return 0
    except Rejected as error:
        why = str(error)
        return _hear(call, at, lambda: reject(request, why, at))
    return _hear(call, at, lambda: hear(request, said, at))


def _hear(call: AuthorityCall, at: datetime, act: Callable[[], None]) -> int:
    """A refusal of ours does not make the call wrong: it was answered, a person has to look."""
    try:
        act()
    except Refused as refusal:
        log.warning("call %s: answer not taken: %s", call.pk, refusal.code)
        _close(call, at, AuthorityCall.State.HALTED, refusal.message)
        return 1
    _close(call, at)
    return 1


def form_of(request: RedRequest) -> Form:
    """The request in the authority's terms."""
    parts = request.parts.select_related("balance__line").order_by("balance__line__line_no")
    return Form(
        serial=request.serial,
        blue_code=request.blue.code,
        blue_number=request.blue.number,
        reason=request.reason,
        gross=request.gross,
        tax=request.tax,
        lines=[
            {
                "line_no": part.balance.line.line_no,
                "quantity": str(part.quantity),
                "gross": str(part.gross),
                "tax": str(part.tax),
            }
            for part in parts
        ],
    )


def hear(request: RedRequest, said: Answer, at: datetime) -> None:
    """Take an answer through the door: the state first, then the red invoice. Repeatable."""
    actor = Actor.system("authority")
    fresh = RedRequest.objects.get(pk=request.pk)
    moment = max(at, fresh.moved_at or at)
    if said.code and (said.code != fresh.code or fresh.state == RedState.SUBMITTED):
        about: dict[str, Any] = {"form_no": said.form_no, "entered_at": said.entered_at}
        given: dict[str, Any] = {name: value for name, value in about.items() if value}
        fresh = perform(actor, fresh, RedRequest.answer, at=moment, state=said.code, **given)
    if said.red_number and fresh.state != RedState.ISSUED:
        figures: dict[str, Any] = {"amount": said.gross, "tax": said.tax, "code": said.red_code}
        given = {name: value for name, value in figures.items() if value not in (None, "")}
        perform(actor, fresh, RedRequest.record_red, at=moment, number=said.red_number, **given)


def reject(request: RedRequest, why: str, at: datetime) -> None:
    """Refused by the authority: what was spoken for is free again."""
    fresh = RedRequest.objects.get(pk=request.pk)
    if fresh.state == RedState.SUBMITTED:
        moment = max(at, fresh.moved_at or at)
        perform(Actor.system("authority"), fresh, RedRequest.reject, at=moment, text=why)


def _close(
    call: AuthorityCall, at: datetime, state: str = AuthorityCall.State.DONE, error: str = ""
) -> None:
    AuthorityCall.objects.filter(pk=call.pk).update(state=state, done_at=at, error=error[:300])


def _again(call: AuthorityCall, error: str, at: datetime) -> None:
    halted = call.attempts >= MOST_ATTEMPTS
    wait = min(FIRST_RETRY * 2 ** (call.attempts - 1), LAST_RETRY)
    AuthorityCall.objects.filter(pk=call.pk).update(
        state=AuthorityCall.State.HALTED if halted else AuthorityCall.State.WAITING,
        try_at=at + wait,
        error=error[:300],
    )
    if halted:
        log.error(
            "call %s given up after %s attempts at %s",
            call.pk,
            call.attempts,
            timezone.now().isoformat(timespec="seconds"),
        )
