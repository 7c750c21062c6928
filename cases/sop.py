"""The one next action of a case: what to do now, with the words of the SOP."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from cases.flow.door import Actor, allowed
from cases.flow.states import ROLES
from cases.models import Case, Role, SopStep, State
from cases.rules import evidence_lacking

#: What usually comes next in a state, where no SOP says otherwise; the first allowed is taken.
USUAL: dict[str, tuple[str, ...]] = {
    State.APPLIED: ("accept", "ship_order", "refuse"),
    State.NEGOTIATING: ("agree_proposal",),
    State.REFUSED: ("hand_back", "revise"),
    State.INTERCEPTING: ("intercept_succeed",),
    State.AWAITING_RETURN: ("ship_back",),
    State.RETURNING: ("receive",),
    State.INSPECTING: ("pass_inspection",),
    State.DIAGNOSING: ("record_diagnosis",),
    State.REPAIRING: ("finish_repair",),
    State.QUALITY_CHECK: ("pass_quality_check",),
    State.AWAITING_DISPATCH: ("dispatch",),
    State.AWAITING_RECEIPT: ("confirm_receipt",),
    State.AWAITING_APPROVAL: ("approve",),
    State.REFUNDING: ("pay",),
    State.MEDIATING: ("add_evidence",),
    State.COMPLETED: ("hand_back",),
    State.CLOSED: ("hand_back",),
}


def next_action(case: Case, actor: Actor, steps: list[str] | None = None) -> dict[str, Any]:
    """``{verb, label, guidance}``; verb is empty where the actor can only wait.

    ``steps``: what door.allowed said, if the caller has asked already.
    """
    steps = allowed(actor, case) if steps is None else steps
    rows = (
        SopStep.objects.filter(state=case.state)
        .filter(Q(reason_id=case.reason_id) | Q(reason=None))
        .filter(kind__in=("", case.kind))
    )
    if "accept" in steps and not case.waiver and (lacking := evidence_lacking([case])):
        what = lacking[case.pk].get_evidence_display()
        text = _("Ask the buyer for it: %(what)s. Without it, accepting takes a written waiver.")
        return _action("add_evidence", text % {"what": what})
    ordered = sorted(rows, key=lambda r: (r.reason_id is None, r.kind == "", r.position, r.pk))
    for row in ordered:
        if row.verb and row.verb in steps:
            return _action(row.verb, row.text)
    guidance = next((r.text for r in ordered if not r.verb), "") or (
        ordered[0].text if ordered else ""
    )
    for verb in USUAL.get(case.state, ()):
        if verb in steps:
            return _action(verb, guidance)
    if case.state in Case.terminal:
        return {"verb": "", "label": _("Nothing left to do"), "guidance": ""}
    return {
        "verb": "",
        "label": _who_is_next(case, [row.verb for row in ordered]),
        "guidance": guidance,
    }


def _who_is_next(case: Case, verbs: list[str]) -> str:
    """Whose step it is, where the actor himself can only wait."""
    for verb in (*verbs, *USUAL.get(case.state, ())):
        info = Case.steps().get(verb)
        if (
            info is None
            or case.state not in info.sources
            or not all(c(case) for c in info.conditions)
        ):
            continue
        who = [str(Role(ROLES[x]).label) for x in sorted(info.by) if ROLES[x] in Role.values]
        return _("Waiting for %(who)s: %(step)s") % {"who": ", ".join(who), "step": info.label}
    return _("Wait")


def _action(verb: str, guidance: str) -> dict[str, Any]:
    return {"verb": verb, "label": str(Case.steps()[verb].label), "guidance": guidance}
