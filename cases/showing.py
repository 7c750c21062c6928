"""An order or a case as plain data, as ``manage.py show`` prints it (contract.md, show fields).

Amounts are texts with two decimals, times ISO 8601 with the offset of the shop's zone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from cases import sop
from cases.flow import clock
from cases.flow.door import Actor, allowed
from cases.flow.events import Event
from cases.flow.states import Stateful, StepInfo
from cases.models import Case, CaseEvent, Evidence, Order, OrderLine, Parcel, PlatformPause, Refund
from cases.models.money import ZERO
from cases.windows import auto_confirm

#: Channels of acts without a person behind them that are no platform's sheet.
_OWN_CHANNELS = frozenset({"clock", "command", "demo"})


@dataclass(frozen=True)
class Onlooker(Actor):
    """Nobody in particular who may do whatever any person may: what state and guards permit."""

    def may(self, model: type[Stateful], info: StepInfo) -> bool:
        return bool(info.by - {"C", "P"})


ONLOOKER = Onlooker("person", "command")
#: What other apps tell of an order, by the name it is shown under; they add it in ready().
PARTS_OF_ORDER: dict[str, Callable[[Order], Any]] = {}
#: The same of a case.
PARTS_OF_CASE: dict[str, Callable[[Case], Any]] = {}


def order_as_dict(order: Order) -> dict[str, Any]:
    """``refunded`` counts our cases and external refunds, ``refundable`` what is left to claim."""
    zone = ZoneInfo(order.shop.zone)
    lines = list(order.lines.order_by("line_no"))
    ours = sum((line.refunded for line in lines), ZERO) + order.freight_refunded
    reserved = sum((line.reserved for line in lines), ZERO) + order.freight_reserved
    refunded = ours + order.external_refunded
    left = max(order.paid_amount - refunded - reserved, ZERO)
    cases = list(order.cases.order_by("id"))
    return {
        "order_no": order.order_no,
        "shop": order.shop.code,
        "platform": order.platform,
        "status": order.status,
        "paid_amount": money(order.paid_amount),
        "freight_paid": money(order.freight_paid),
        "refunded": money(refunded),
        "refundable": money(left),
        "external_refunded": money(order.external_refunded),
        **{
            name: moment(getattr(order, name), zone)
            for name in ("ordered_at", "paid_at", "ship_by", "shipped_at", "signed_at")
        },
        "finished_at": moment(order.finished_at, zone),
        "courier": order.courier,
        "waybill": order.waybill,
        "lines": [_order_line(line, left) for line in lines],
        "cases": [
            {
                "case_no": case.case_no,
                "kind": case.kind,
                "remedy": case.remedy,
                "state": case.state,
                "refunded": money(case.refunded),
            }
            for case in cases
        ],
        "auto_confirm": _auto_confirm(order, cases, zone),
        "claims": [],
        "invoices": [],
        **{name: part(order) for name, part in PARTS_OF_ORDER.items()},
    }


def _auto_confirm(order: Order, cases: list[Case], zone: ZoneInfo) -> dict[str, Any] | None:
    found = auto_confirm(order, cases, clock.now())
    if found is None:
        return None
    return {
        "due_at": moment(found.due_at, zone),
        "paused": found.due_at is None,
        "left_seconds": int(found.left.total_seconds()),
    }


def case_as_dict(case: Case, actor: Actor = ONLOOKER) -> dict[str, Any]:
    """Everything on the case's page; ``allowed`` and ``next_action`` for ``actor``."""
    zone = ZoneInfo(case.shop.zone)
    steps = allowed(actor, case)
    return {
        "case_no": case.case_no,
        "platform_case_no": case.platform_case_no,
        "order_no": case.order.order_no,
        "shop": case.shop.code,
        "kind": case.kind,
        "remedy": case.remedy,
        "state": case.state,
        "phase": case.phase,
        "goods": case.goods,
        "reason": case.reason.code,
        "responsible": case.responsible,
        "owner": case.owner.get_username() if case.owner else None,
        "text": case.text,
        "tags": [tag for tag in case.tags.split(",") if tag],
        "applied_at": moment(case.applied_at, zone),
        "finished_at": moment(case.finished_at, zone),
        "amount_requested": money(case.amount_requested),
        "freight_requested": money(case.freight_requested),
        "amount_approved": money(case.amount_approved),
        "freight_approved": money(case.freight_approved),
        "refunded": money(case.refunded),
        "freight_refunded": money(case.freight_refunded),
        "compensation": money(case.compensation),
        "freight_payer": case.freight_payer,
        "due_at": moment(case.due_at, zone),
        "clock_on": case.clock_on or None,
        "on_expiry": case.on_expiry or None,
        "paused": is_paused(case),
        "escalated_at": moment(case.escalated_at, zone),
        "next_action": sop.next_action(case, actor, steps),
        "allowed": steps,
        "lines": _case_lines(case),
        "parcels": [_parcel(parcel, zone) for parcel in case.parcels.order_by("id")],
        "evidence": [_evidence(item, zone) for item in case.evidence.order_by("id")],
        "refunds": [_refund(refund, zone) for refund in case.refunds.order_by("id")],
        "invoice_handling": None,
        "events": [
            _event(event, zone) for event in case.events.select_related("user").order_by("seq")
        ],
        **{name: part(case) for name, part in PARTS_OF_CASE.items()},
    }


def money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"


def moment(at: datetime | None, zone: ZoneInfo) -> str | None:
    return None if at is None else at.astimezone(zone).isoformat()


def is_paused(case: Case) -> bool:
    """Whether the case's own clock stands still: in mediation, or in a platform's pause."""
    if case.mediation_phase:
        return True
    if case.due_at is None:
        return False
    now = clock.now()
    pauses = PlatformPause.objects.filter(platform=case.shop.platform)
    return pauses.filter(starts_at__lte=now, ends_at__gt=now).exists()


def actor_of(event: Event) -> str:
    """A person by name, else ``system`` (the clock) or ``sheet`` (a platform's row)."""
    if event.user is not None:
        return event.user.get_username()
    return "system" if event.channel in _OWN_CHANNELS else "sheet"


def _order_line(line: OrderLine, left: Decimal) -> dict[str, Any]:
    return {
        "line_no": line.line_no,
        "sub_order_no": line.sub_order_no,
        "sku": line.sku,
        "title": line.title,
        "category": line.category,
        "quantity": line.quantity,
        "paid_amount": money(line.paid_amount),
        "qty_claimed": line.held + line.gone,
        "qty_left": line.quantity_left,
        "refunded": money(line.refunded),
        "refundable": money(min(line.refundable, left)),
        "promises": [code for code in line.promises.split(";") if code],
    }


def _case_lines(case: Case) -> list[dict[str, Any]]:
    lines = case.lines.select_related("order_line").order_by("order_line__line_no")
    return [
        {
            "line_no": line.order_line.line_no,
            "quantity": line.quantity,
            "amount": money(line.amount),
            "received": line.received,
            "accepted": line.accepted,
            "rejected": line.rejected,
            "handed_back": line.handed_back,
            "refunded": money(line.refunded),
            "new_serials": line.new_serials.split(),
        }
        for line in lines
    ]


def _parcel(parcel: Parcel, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "direction": parcel.direction,
        "purpose": parcel.purpose,
        "courier": parcel.courier,
        "waybill": parcel.waybill,
        "sent_at": moment(parcel.sent_at, zone),
        "received_at": moment(parcel.received_at, zone),
    }


def _evidence(item: Evidence, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "party": item.party,
        "kind": item.kind,
        "name": item.original_name,
        "size": item.size,
        "sha256": item.sha256,
        "at": moment(item.at, zone),
    }


def _refund(refund: Refund, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "number": refund.number,
        "state": refund.state,
        "amount": money(refund.amount),
        "freight": money(refund.freight),
        "method": refund.method,
        "reference": refund.reference,
        "platform_number": refund.platform_number,
        "failure": refund.failure,
        "paid_at": moment(refund.paid_at, zone),
    }


def _event(event: CaseEvent, zone: ZoneInfo) -> dict[str, Any]:
    return {
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
