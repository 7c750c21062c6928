"""What ``show`` and ``do`` know beside orders and cases: other apps add their kinds in ready()."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from cases.flow import clock
from cases.flow.door import Actor, Refused
from cases.forms import InputForm
from cases.forms.fields import PiecesField, SerialsField


@dataclass(frozen=True)
class Request:
    """One act as ``do`` was asked for it; ``given``: the words of ``--set``."""

    actor: Actor
    subject: Any
    verb: str
    given: MultiValueDict[str, str]
    at: datetime | None = None
    key: str | None = None

    def check_time_is_up(self) -> None:
        """Without ``--as`` nobody acts but the clock, and the clock only when the time is up."""
        row = self.subject
        info = type(row).steps()[self.verb]
        if self.actor.kind != "system" or "C" not in info.by or self.verb == "escalate":
            return
        at = self.at or clock.now()
        is_up = row.due_at is not None and row.due_at <= at and row.on_expiry == self.verb
        if row.state in info.sources and not is_up:
            raise Refused(
                _("The time is not up (due %(due)s): until then a person acts. Say who with --as.")
                % {"due": row.due_at.isoformat() if row.due_at else "–"},
                "wrong_state",
            )


@dataclass(frozen=True)
class Kind:
    """``find(number, actor)`` raises Refused; ``show`` and ``act`` answer with the object shown."""

    find: Callable[[str, Actor], Any]
    show: Callable[[Any, Actor], dict[str, Any]]
    act: Callable[[Request], dict[str, Any]]


@dataclass(frozen=True)
class OrderAct:
    """Something else that can be done to an order; answers with what it made, as shown."""

    act: Callable[[Request], dict[str, Any]]


KINDS: dict[str, Kind] = {}
ORDER_ACTS: dict[str, OrderAct] = {}


def inputs_of(form: InputForm, given: MultiValueDict[str, str]) -> dict[str, Any]:
    """The inputs that a form reads from what was given; raises its refusal."""
    form.check_names(given)
    for name, values in given.lists():
        if len(values) > 1 and not isinstance(form.fields[name], (PiecesField, SerialsField)):
            raise Refused(
                _("%(name)s is given %(count)s times; it takes one value.")
                % {"name": name, "count": len(values)},
                "bad_value",
            )
    if not form.is_valid():
        raise form.refusal()
    return form.inputs()


def unknown_verb(verb: str, known: Iterable[str]) -> Refused:
    """There is no such act on this kind of object."""
    return Refused(
        _("There is no act “%(verb)s” here. Known: %(known)s.")
        % {"verb": verb, "known": ", ".join(known)},
        "unknown",
    )
