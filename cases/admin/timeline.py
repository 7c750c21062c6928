"""One timeline of a case: steps, notes, parcels, files, money and deadlines, newest first."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from cases.forms import STEP_FORMS
from cases.looks import STATES, moment, yuan_text
from cases.models import Case, Compensation, Kind, Party, Refund, Remedy, State
from cases.models.reasons import Named
from cases.opening import OPENING

#: Amounts are told only to who may see them.
MONEY_INPUTS = frozenset({"amount", "freight", "quote", "cost"})
CHANNELS = {
    "clock": "schedule",
    "sheet": "table",
    "admin": "person",
    "command": "terminal",
    "demo": "table",
}


@dataclass
class Entry:
    """One thing that happened: when, what, who, from where to where, and what was said."""

    at: datetime
    title: str
    who: str = ""
    icon: str = "circle"
    tone: str = ""
    source: str = ""
    target: str = ""
    text: str = ""
    details: list[tuple[str, str]] = field(default_factory=list)
    order: tuple[int, int] = (0, 0)

    @property
    def when(self) -> str:
        return moment(self.at)


def entries(
    events: Iterable[Any], notices: Iterable[Any], *, money: bool, names: dict[str, str]
) -> list[Entry]:
    """Newest first; notes, parcels and files stand in their step's event and come once."""
    found = [_of_event(event, money=money, names=names) for event in events]
    found += [_of_notice(notice) for notice in notices]
    return sorted(found, key=lambda e: (e.at, e.order), reverse=True)


def _of_event(event: Any, *, money: bool, names: dict[str, str]) -> Entry:
    info = Case.steps().get(event.verb)
    entry = Entry(
        at=event.at,
        title=str(info.label) if info else _verb_in_words(event.verb),
        who=who_acted(event),
        icon=CHANNELS.get(event.channel, "person"),
        text=event.note,
        details=list(_details(event.inputs, money=money, names=names)),
        order=(1, event.seq),
    )
    if event.source != event.target:
        entry.source = str(STATES.get(event.source, ""))
        entry.target = str(STATES.get(event.target, event.target))
    if event.target in (State.COMPLETED, State.CLOSED) and event.source != event.target:
        entry.tone = "success" if event.target == State.COMPLETED else ""
    elif info is not None and info.danger:
        entry.tone = "danger"
    if event.late:
        entry.tone = entry.tone or "warning"
        due = moment(event.due_before)
        entry.details.append((_("Deadline missed"), due))
    elif event.due_before and event.source != event.target:
        entry.details.append((_("Deadline met"), moment(event.due_before)))
    return entry


def _of_notice(notice: Any) -> Entry:
    return Entry(
        at=notice.at,
        title=notice.get_kind_display(),
        who=_("The clock"),
        icon="notifications",
        tone="quiet",
        text=notice.text,
        details=[(_("Due"), moment(notice.due_at))] if notice.due_at else [],
        order=(0, notice.pk),
    )


def who_acted(event: Any) -> str:
    """The person's name, or what acted instead of one."""
    if event.user is not None:
        return str(event.user.get_full_name() or event.user.get_username())
    if event.channel == "clock":
        return _("The clock")
    return _("A sheet") if event.channel in ("sheet", "demo") else _("The system")


def _verb_in_words(verb: str) -> str:
    opening = OPENING.get(verb)
    return str(opening.label) if opening else verb


def _details(
    inputs: dict[str, Any], *, money: bool, names: dict[str, str]
) -> Iterable[tuple[str, str]]:
    labels = _labels()
    for key, value in inputs.items():
        if key not in labels or value in (None, "", [], {}, False):
            continue
        if key in MONEY_INPUTS:
            if money:
                yield labels[key], _as_yuan(value)
            continue
        yield labels[key], _in_words(key, value, names)


def _as_yuan(value: Any) -> str:
    try:
        return yuan_text(Decimal(str(value)))
    except InvalidOperation:
        return str(value)


def _in_words(key: str, value: Any, names: dict[str, str]) -> str:
    if isinstance(value, dict):
        return "；".join(f"{names.get(str(k), k)} × {_joined(v)}" for k, v in value.items())
    if isinstance(value, list):
        # An application keeps its lines as pairs of line and pieces.
        return "；".join(
            " × ".join(str(part) for part in v) if isinstance(v, list) else str(v) for v in value
        )
    known = _known().get(key, {})
    return str(known.get(str(value), names.get(f"{key}:{value}", value)))


def _joined(value: Any) -> str:
    return "、".join(str(v) for v in value) if isinstance(value, list) else str(value)


def _known() -> dict[str, dict[str, Any]]:
    """The words behind the codes that steps take, as their forms name them."""
    found: dict[str, dict[str, Any]] = {
        "remedy": dict(Remedy.choices),
        "kind": {**dict(Compensation.Kind.choices), **dict(Kind.choices)},
        "method": dict(Refund.Method.choices),
        "party": dict(Party.choices),
    }
    for step, name in (
        ("pass_inspection", "disposition"),
        ("send_for_diagnosis", "place"),
        ("log_contact", "way"),
    ):
        widget: Any = STEP_FORMS[step].base_fields[name].widget
        found[name] = dict(widget.suggestions)
    for step, name in (("record_diagnosis", "verdict"), ("record_platform_outcome", "outcome")):
        field: Any = STEP_FORMS[step].base_fields[name]
        found[name] = dict(field.choices)
    return found


def _labels() -> dict[str, str]:
    return {
        "amount": _("amount"),
        "freight": _("freight"),
        "quote": _("repair quote"),
        "cost": _("repair cost"),
        "courier": _("courier"),
        "waybill": _("waybill"),
        "remedy": _("remedy"),
        "kind": _("kind"),
        "reason": _("reason"),
        "line": _("pieces"),
        "serial": _("serial numbers"),
        "days": _("days"),
        "user": _("owner"),
        "verdict": _("verdict"),
        "place": _("place"),
        "vendor": _("vendor"),
        "disposition": _("disposition"),
        "party": _("party"),
        "number": _("number"),
        "outcome": _("outcome"),
        "reference": _("reference"),
        "method": _("way"),
        "way": _("way"),
        "tags": _("tags"),
        "waiver": _("waiver of evidence"),
        "due_at": _("platform's deadline"),
    }


def names_of(rows: Iterable[Named], people: Iterable[Any], lines: Iterable[Any]) -> dict[str, str]:
    """Readable names for what events keep as codes and keys."""
    found: dict[str, str] = {}
    for row in rows:
        found[f"reason:{row.code}"] = str(row)
    for user in people:
        found[f"user:{user.pk}"] = user.get_full_name() or user.get_username()
    for line in lines:
        order_line = line.order_line
        found[str(order_line.pk)] = str(order_line.title or order_line.sku or order_line.line_no)
    return found


def reason_rows(case: Case) -> list[Named]:
    """The reasons this case has met: the buyer's, and ours for refusing."""
    rows: list[Named] = [case.reason]
    if case.refusal_id and case.refusal is not None:
        rows.append(case.refusal)
    return rows
