"""The page of one case: state, clock, turn and one next thing to do, then all there is to know."""

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from cases import panels, sop
from cases.admin import timeline
from cases.admin.scope import person, sees_money
from cases.admin.steps import CHANNEL, dress
from cases.flow import clock
from cases.flow.door import Actor, allowed
from cases.forms import STEP_FORMS
from cases.looks import SIDES, countdown, label, moment, now_of, state_label, yuan_text
from cases.models import Case, Notice, Refund, RefusalReason, State
from cases.models.kinds import TERMINAL
from cases.models.money import ZERO
from cases.panels import panels_of
from cases.privacy import mask_name, mask_phone

#: Steps with a place of their own on the page.
AT_HAND = ("add_note", "log_contact", "add_evidence")
#: Steps that leave rows of a kind; a sheet may have brought any of them.
LEFT_BY = {
    "refunds": {"pay", "fail_payout", "record_platform_outcome", "adopt"},
    "goodwill": {"compensate"},
    "approvals": {"approve", "send_back"},
    "evidence": {"add_evidence"},
    "mediations": {"request_mediation", "adopt"},
    "parcels": {
        "ship_order",
        "ship_back",
        "receive",
        "dispatch",
        "dispatch_ahead",
        "hand_back",
        "adopt",
    },
}
REFUND_TONES = {
    Refund.State.DUE: "primary",
    Refund.State.FAILED: "danger",
    Refund.State.PAID: "success",
}


def page(model_admin: Any, request: HttpRequest, case: Case) -> dict[str, Any]:
    """Everything the template shows; the number of queries does not depend on the case."""
    user, now = person(request), now_of(request)
    actor = Actor.person(user, CHANNEL)
    money = sees_money(user)
    with clock.standing_at(now):
        steps = allowed(actor, case)
        action = sop.next_action(case, actor, steps)
    info = Case.steps()
    lines = list(case.lines.select_related("order_line").order_by("order_line__line_no"))
    events = list(case.events.select_related("user").order_by("seq"))
    rows = _rows_left_by(events)
    notices = list(case.notices.exclude(kind=Notice.Kind.REMINDER).order_by("pk")[:50])
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": case,
        "case": case,
        "order": case.order,
        "title": case.case_no,
        "money": money,
        "state": state_label(str(case.state)),
        "is_open": case.state not in TERMINAL,
        "countdown": countdown(case.due_at, now),
        "turn": SIDES.get(case.clock_on, ""),
        "expiry": info[case.on_expiry].label if case.on_expiry in info else "",
        "due": moment(case.due_at),
        "action": action,
        "primary": action["verb"],
        "primary_url": _do(case, action["verb"]) if action["verb"] else "",
        "others": [
            (_do(case, name), info[name].label, info[name].danger, info[name].help)
            for name in steps
            if name != action["verb"] and name not in AT_HAND
        ],
        "may_note": "add_note" in steps,
        "may_contact": "log_contact" in steps,
        "may_add_evidence": "add_evidence" in steps,
        "note_form": _small_form("add_note", case, actor) if "add_note" in steps else None,
        "note_key": uuid.uuid4().hex,
        "lines": [_line(x) for x in lines],
        "sums": _sums(case, lines) if money else [],
        "facts": _facts(case),
        "buyer": _buyer(case),
        "refunds": _refunds(case) if money and "refunds" in rows else [],
        "compensations": (
            list(case.compensations.select_related("by")) if money and "goodwill" in rows else []
        ),
        "approvals": (
            list(case.approval_rows.select_related("by", "entered_by"))
            if money and "approvals" in rows
            else []
        ),
        "parcels": list(case.parcels.order_by("pk")) if "parcels" in rows else [],
        "evidence": _evidence(case) if "evidence" in rows else [],
        "mediations": list(case.mediations.all()) if "mediations" in rows else [],
        "timeline": timeline.entries(
            events, notices, money=money, names=_names(case, events, lines)
        ),
        **panels_of(panels.OF_CASE, request, case),
        "siblings": _siblings(model_admin, request, case),
        "do_url": reverse("admin:cases_case_changelist") + f"{case.pk}/do/",
        "list_url": reverse("admin:cases_case_changelist"),
    }


def _rows_left_by(events: list[Any]) -> set[str]:
    """Which other tables can hold rows of the case: its own events say so, without a query."""
    verbs = {event.verb for event in events}
    found = {name for name, steps in LEFT_BY.items() if verbs & steps}
    if any(event.target == State.REFUNDING for event in events):
        found.add("refunds")
    return found


def _do(case: Case, step: str) -> str:
    return reverse("admin:cases_case_do", args=[case.pk, step])


def _small_form(step: str, case: Case, actor: Actor) -> Any:
    return dress(STEP_FORMS[step](case=case, actor=actor, auto_id="note_%s"))


def _line(x: Any) -> dict[str, Any]:
    line = x.order_line
    return {
        "row": x,
        "line": line,
        "left": line.quantity_left,
        "paid": yuan_text(line.paid_amount),
        "refunded": yuan_text(line.refunded),
        "refundable": yuan_text(line.refundable + x.reserved),
        "amount": yuan_text(x.amount),
        "back": (x.received or 0) - (x.accepted or 0) - x.handed_back if x.rejected else 0,
        "with_us": x.with_us if x.received else 0,
    }


def _sums(case: Case, lines: list[Any]) -> list[tuple[str, str, str]]:
    order = case.order
    left = sum((x.order_line.refundable + x.reserved for x in lines), ZERO)
    freight_left = order.freight_paid - order.freight_refunded - order.freight_reserved
    rows = [
        (_("Asked for"), yuan_text(case.amount_requested), ""),
        (_("Freight asked for"), yuan_text(case.freight_requested), ""),
        (_("Agreed"), yuan_text(case.amount_approved), "strong"),
        (_("Freight agreed"), yuan_text(case.freight_approved), ""),
        (_("Refunded"), yuan_text(case.refunded), "strong"),
        (_("Compensation"), yuan_text(case.compensation), ""),
        (_("Can still be refunded"), yuan_text(left), ""),
        (_("Freight left"), yuan_text(freight_left + case.freight_reserved), ""),
    ]
    if order.external_refunded:
        rows.append((_("Refunded elsewhere"), yuan_text(order.external_refunded), "late"))
    return rows


def _facts(case: Case) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = [
        (_("Kind"), case.get_kind_display()),
        (_("Remedy"), case.get_remedy_display()),
        (_("Reason"), case.reason),
        (_("Responsible"), case.get_responsible_display()),
        (_("Return freight"), case.get_freight_payer_display()),
        (_("Phase"), case.get_phase_display()),
        (_("Goods"), case.get_goods_display()),
        (_("Applied"), moment(case.applied_at)),
    ]
    extra = [
        (_("Platform's case no."), case.platform_case_no),
        (_("Platform's words"), case.reason_words),
        (_("Platform's deadline"), case.platform_due_at and moment(case.platform_due_at)),
        (_("Refused because"), case.refusal),
        (_("Proposed"), case.proposed_remedy and case.get_proposed_remedy_display()),
        (_("Vendor"), case.vendor),
        (_("Return address"), case.return_address),
        (_("Waiver of evidence"), case.waiver),
        (_("Tags"), case.tags.replace(",", "、")),
        (_("Finished at"), case.finished_at and moment(case.finished_at)),
    ]
    return rows + [(name, value) for name, value in extra if value]


def _buyer(case: Case) -> list[tuple[str, str]]:
    order = case.order
    return [
        (_("Buyer"), order.buyer or "–"),
        (_("Receiver"), mask_name(order.receiver) or "–"),
        (_("Phone"), mask_phone(order.phone) or "–"),
    ]


def _refunds(case: Case) -> list[dict[str, Any]]:
    return [
        {
            "row": r,
            "amount": yuan_text(r.amount + r.freight),
            "state": label(r.get_state_display(), REFUND_TONES.get(Refund.State(r.state), "")),
            "paid_at": moment(r.paid_at),
        }
        for r in case.refunds.order_by("pk")
    ]


def _evidence(case: Case) -> list[dict[str, Any]]:
    return [
        {
            "row": e,
            "url": reverse("admin:cases_evidence_file", args=[e.pk]),
            "is_picture": e.mime.startswith("image/"),
            "at": moment(e.at),
        }
        for e in case.evidence.order_by("pk")
    ]


def _names(case: Case, events: list[Any], lines: list[Any]) -> dict[str, str]:
    """Codes and keys in events, in words: refusal reasons met, people assigned, order lines."""
    codes = {str(e.inputs.get("reason", "")) for e in events} - {""}
    keys = [e.inputs["user"] for e in events if isinstance(e.inputs.get("user"), int)]
    people = User.objects.filter(pk__in=keys) if keys else []
    known = timeline.reason_rows(case)
    codes -= {row.code for row in known}
    rows = [*known, *(RefusalReason.objects.filter(code__in=codes) if codes else [])]
    return timeline.names_of(rows, people, lines)


def _siblings(model_admin: Any, request: HttpRequest, case: Case) -> QuerySet[Any]:
    rows: QuerySet[Any] = model_admin.get_queryset(request).filter(order_id=case.order_id)
    return rows.exclude(pk=case.pk).order_by("-pk")[:10]
