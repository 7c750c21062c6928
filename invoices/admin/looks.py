"""How states of invoices, requests and treatments look; and one timeline of all three."""

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cases.looks import label, moment
from invoices.models import (
    BlueState,
    Invoice,
    InvoiceAct,
    RedEvent,
    RedRequest,
    RedState,
    Treatment,
    TreatmentEvent,
    TreatmentState,
)
from invoices.models.reds import CODES

BLUE_TONES = {
    BlueState.ISSUED: "info",
    BlueState.PARTLY_RED: "warning",
    BlueState.FULLY_RED: "danger",
    BlueState.VOIDED: "",
}
RED_TONES = {
    RedState.DRAFT: "",
    RedState.SUBMITTED: "warning",
    RedState.WAITING: "warning",
    RedState.EFFECTIVE: "primary",
    RedState.ISSUED: "success",
    RedState.DEAD: "",
}
TREATMENT_TONES = {
    TreatmentState.OPEN: "warning",
    TreatmentState.DONE: "success",
    TreatmentState.WAIVED: "",
    TreatmentState.SUPERSEDED: "",
}


def blue_label(invoice: Invoice) -> SafeString:
    """The derived state of a blue invoice; a red one says that it is red."""
    if not invoice.is_blue:
        return label(invoice.get_direction_display(), "danger")
    state = BlueState(invoice.standing.state)
    return label(state.label, BLUE_TONES[state])


def red_label(request: RedRequest) -> SafeString:
    state = RedState(request.state)
    return label(state.label, RED_TONES[state])


def treatment_label(row: Treatment) -> SafeString:
    state = TreatmentState(row.state)
    return label(state.label, TREATMENT_TONES[state])


def timeline(invoice: Invoice) -> list[dict[str, Any]]:
    """Everything that happened to an invoice, oldest first; three queries."""
    entries = [
        _entry(act.at, act.get_verb_display(), act.text, act.by)
        for act in InvoiceAct.objects.filter(invoice=invoice).select_related("by")
    ]
    reds = RedEvent.objects.filter(request__blue=invoice).select_related("user", "request")
    entries += [_of_red(event) for event in reds]
    rows = TreatmentEvent.objects.filter(treatment__invoice=invoice)
    entries += [_of_treatment(event) for event in rows.select_related("user", "treatment")]
    return sorted(entries, key=lambda entry: entry["at"])


def _entry(at: Any, title: Any, text: str, who: Any, target: Any = "") -> dict[str, Any]:
    return {
        "at": at,
        "when": moment(at),
        "title": title,
        "text": text,
        "who": who or _("system"),
        "target": target,
    }


def _of_red(event: RedEvent) -> dict[str, Any]:
    info = RedRequest.steps().get(event.verb)
    title = _("Red request %(no)s: %(step)s") % {
        "no": event.request.request_no,
        "step": info.label if info else _("Drafted"),
    }
    words = [event.note]
    if event.verb == "answer":
        code = str(event.inputs.get("state", ""))
        words.insert(0, f"{code} {CODES[code][1] if code in CODES else ''}".strip())
    if event.verb == "record_red":
        words.insert(0, str(event.inputs.get("number", "")))
    states = dict(RedState.choices)
    text = "\n".join(word for word in words if word)
    return _entry(event.at, title, text, event.user, states.get(event.target, ""))


def _of_treatment(event: TreatmentEvent) -> dict[str, Any]:
    info = Treatment.steps().get(event.verb)
    title = f"{event.treatment.get_kind_display()}: {info.label if info else _('Opened')}"
    states = dict(TreatmentState.choices)
    return _entry(event.at, title, event.note, event.user, states.get(event.target, ""))
