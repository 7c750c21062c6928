"""What a user would write with Django and django-fsm: a loop that moves one case after another.

No slower than it must be: time limits are read once, only due keys are fetched. It does the same
work on the same tables; what it lacks are guards, locked orders and hash chains.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import models, transaction
from django.db.models import F
from django_fsm import RETURN_VALUE, FSMField, transition  # noqa: TID251 - this is the stock way

from cases.models import Case, CaseEvent, CaseLine, ClockPolicy, Counter, OrderLine, Refund
from cases.models.money import yuan


@cache
def case_model() -> type[Any]:
    """Our case table as a plain django-fsm model."""
    body: dict[str, Any] = {"__module__": __name__, **_steps()}
    for field in Case._meta.concrete_fields:
        if field.name == "state":
            body["state"] = FSMField(protected=True, max_length=24)
        elif field.is_relation:
            body[field.attname] = models.BigIntegerField(db_column=field.column, null=field.null)
        else:
            body[field.name] = field.clone()
    body["Meta"] = type(
        "Meta", (), {"managed": False, "db_table": Case._meta.db_table, "app_label": "cases"}
    )
    return type("StockCase", (models.Model,), body)


def _steps() -> dict[str, Any]:
    @transition("state", "applied", RETURN_VALUE("refunding", "awaiting_return"))
    def accept_by_silence(self: Any, now: datetime) -> str:
        self.accepted_at = now
        if self.remedy in ("refund", "return_refund"):
            self.amount_approved = self.cleared = self.amount_requested
            self.freight_approved = self.freight_requested
        return "refunding" if self.remedy == "refund" else "awaiting_return"

    @transition("state", "awaiting_return", "closed")
    def close_by_silence(self: Any, now: datetime) -> None:
        self.finished_at, self.ended_by = now, "silence"

    @transition("state", "returning", "refunding")
    def refund_by_silence(self: Any, now: datetime) -> None:
        self.received_at, self.goods = now, "returned"
        self.cleared = self.amount_approved

    @transition("state", "awaiting_receipt", "completed")
    def confirm_receipt(self: Any, now: datetime) -> None:
        self.finished_at, self.ended_by = now, "received"

    return {
        f.__name__: f
        for f in (accept_by_silence, close_by_silence, refund_by_silence, confirm_receipt)
    }


def sweep(now: datetime) -> int:
    model = case_model()
    hours = _hours()
    done = 0
    for pk in list(model.objects.filter(due_at__lte=now).values_list("pk", flat=True)):
        done += move(pk, now, hours)
    return done


def move(pk: int, now: datetime, hours: dict[str, int]) -> int:
    """One case, if it is still due."""
    with transaction.atomic():
        case = case_model().objects.select_for_update().get(pk=pk)
        if case.due_at is None or case.due_at > now:
            return 0
        source, due, verb = case.state, case.due_at, case.on_expiry
        getattr(case, verb)(now)
        case.seq += 1
        case.moved_at = now
        case.due_at = case.wake_at = None
        if case.state in hours:
            case.due_at = case.wake_at = now + timedelta(hours=hours[case.state])
            case.clock_started_at = now
        case.save()
        CaseEvent.objects.create(
            case_id=case.pk,
            seq=case.seq,
            at=now,
            verb=verb,
            source=source,
            target=case.state,
            channel="clock",
            due_before=due,
            late=True,
            prev=case.head,
        )
        _follow(case, now, source)
    return 1


def _follow(case: Any, now: datetime, source: str) -> None:
    if source == "returning":
        CaseLine.objects.filter(case_id=case.pk).update(
            received=F("quantity"), accepted=F("quantity")
        )
    if case.state == "refunding":
        Refund.objects.create(
            number=_number(),
            case_id=case.pk,
            order_id=case.order_id,
            amount=case.amount_approved,
            freight=case.freight_approved,
            at=now,
        )
    if case.state in ("closed", "completed"):
        for line in CaseLine.objects.filter(case_id=case.pk):
            OrderLine.objects.filter(pk=line.order_line_id).update(
                held=F("held") - line.held, reserved=F("reserved") - yuan(line.reserved)
            )
            line.held, line.reserved, line.open = 0, 0, False
            line.save()


def _number() -> str:
    row, _made = Counter.objects.select_for_update().get_or_create(name="refund")
    row.value += 1
    row.save()
    return f"RF{row.value:06d}"


def _hours() -> dict[str, int]:
    """Hours per state (the states of this bench have one limit each)."""
    return {
        p.state: int(p.hours)
        for p in ClockPolicy.objects.filter(
            state__in=("refunding", "awaiting_return"), variant="", kind="", platform=""
        )
    }
