"""A claim or a deposit as plain data, as ``manage.py show`` prints it (contract.md)."""

from typing import Any
from zoneinfo import ZoneInfo

from cases.flow.door import Actor, allowed
from cases.models import Order
from cases.showing import ONLOOKER, actor_of, moment, money
from promises.models import Claim, Deposit, TopUpDuty
from promises.models.deposit import DutyState


def claim_as_dict(claim: Claim, actor: Actor = ONLOOKER) -> dict[str, Any]:
    """``amount``: all that is owed under it; ``paid``: what went out; both explained below."""
    zone = ZoneInfo(claim.shop.zone)
    events = claim.events.select_related("user").order_by("seq")
    return {
        "claim_no": claim.claim_no,
        "order_no": claim.order.order_no,
        "line_no": claim.order_line.line_no,
        "shop": claim.shop.code,
        "case_no": claim.case.case_no if claim.case else None,
        "promise": claim.promise,
        "state": claim.state,
        "remedy": claim.remedy,
        "amount": money(claim.amount),
        "deducted": money(claim.deducted),
        "paid": money(claim.paid),
        "owed": money(claim.owed),
        "frozen": money(claim.frozen),
        "working": claim.working,
        "filed_at": moment(claim.filed_at, zone),
        "granted_at": moment(claim.granted_at, zone),
        "finished_at": moment(claim.finished_at, zone),
        "due_at": moment(claim.due_at, zone),
        "clock_on": claim.clock_on or None,
        "on_expiry": claim.on_expiry or None,
        "text": claim.text,
        "allowed": allowed(actor, claim),
        "entries": [
            {"at": moment(e.at, zone), "kind": e.kind, "amount": money(e.amount), "key": e.key}
            for e in claim.entries.order_by("seq")
        ],
        "events": [
            {
                "at": moment(event.at, zone),
                "actor": actor_of(event),
                "channel": event.channel,
                "verb": event.verb,
                "from": event.source,
                "to": event.target,
                "note": event.note,
                "inputs": event.inputs,
                "late": event.late,
            }
            for event in events
        ],
    }


def deposit_as_dict(deposit: Deposit) -> dict[str, Any]:
    """``status``: ok, or how far an unmet duty to top up has come; ``due_at``: its next stage."""
    zone = ZoneInfo(deposit.shop.zone)
    duty = TopUpDuty.objects.filter(shop=deposit.shop).exclude(state=DutyState.MET).first()
    entries = deposit.entries.select_related("claim", "by").order_by("seq") if deposit.pk else []
    return {
        "shop": deposit.shop.code,
        "required": money(deposit.required),
        "available": money(deposit.available),
        "frozen": money(deposit.frozen),
        "paid": money(deposit.paid),
        "owed": money(deposit.owed),
        "withdrawable": money(deposit.withdrawable),
        "status": duty.state if duty else "ok",
        "due_at": moment(duty.due_at, zone) if duty else None,
        "entries": [
            {
                "at": moment(e.at, zone),
                "kind": e.kind,
                "amount": money(e.amount),
                "available_after": money(e.available_after),
                "frozen_after": money(e.frozen_after),
                "paid_after": money(e.paid_after),
                "owed_after": money(e.owed_after),
                "claim": e.claim.claim_no if e.claim else None,
                "by": e.by.get_username() if e.by else None,
                "reference": e.reference,
                "key": e.key,
            }
            for e in entries
        ],
    }


def claims_of(order: Order) -> list[dict[str, Any]]:
    """The claims on an order, in brief."""
    return [
        {
            "claim_no": claim.claim_no,
            "line_no": claim.order_line.line_no,
            "promise": claim.promise,
            "state": claim.state,
            "amount": money(claim.amount),
            "paid": money(claim.paid),
        }
        for claim in order.claims.select_related("order_line").order_by("pk")
    ]


def breaches_of(order: Order) -> list[dict[str, Any]]:
    """The promises of an order that were found broken, or that cannot be judged."""
    zone = ZoneInfo(order.shop.zone)
    return [
        {
            "line_no": breach.line.line_no,
            "promise": breach.promise,
            "state": breach.state,
            "since": moment(breach.since, zone),
            "until": moment(breach.until, zone),
            "amount": None if breach.amount is None else money(breach.amount),
            "missing": breach.missing or None,
            "claim_no": breach.claim.claim_no if breach.claim else None,
        }
        for breach in order.breaches.select_related("line", "claim").order_by("pk")
    ]
