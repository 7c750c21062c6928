"""What the paper of an invoice keeps a case from, and what a repair does to a warranty.

Blockers on the case's steps: loaded when the app is ready, told on the case's page.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.dispatch import receiver
from django.utils.translation import gettext as _

from cases.flow import clock
from cases.flow.door import Move
from cases.flow.hooks import blocker
from cases.flow.signals import transitioned
from cases.models import Case, CaseEvent, CaseLine, Remedy, Shop
from invoices.models import (
    PAPER,
    Direction,
    Invoice,
    Paper,
    Place,
    Policy,
    Treatment,
    TreatmentState,
    WarrantyExtension,
    policy,
)
from invoices.models.custody import WITH_US
from invoices.models.standing import BlueState
from invoices.papers.custody import where_it_is

FLOW = "cases.Case"
#: Where the original has come back to us, for the policy that demands it.
_CAME_BACK = frozenset({*WITH_US, Place.ARCHIVED, Place.IN_TRANSIT_OUT})


@blocker(FLOW, "withdraw", "close_by_silence", "rule_for_seller", "confirm_receipt")
def paper_lies_with_us(cases: list[Any]) -> dict[int, str]:
    """A case does not close while a paper of it is received, held or lent."""
    papers = Paper.objects.filter(case_id__in=[c.pk for c in cases], place__in=WITH_US)
    return {
        paper.case_id or 0: _(
            "%(where)s: invoice %(invoice)s. Give it back or archive it before the case closes."
        )
        % {"where": where_it_is(paper), "invoice": paper.invoice}
        for paper in papers.select_related("invoice").order_by("-pk")
    }


@blocker(FLOW, "pay")
def refund_waits_for_the_paper(cases: list[Any]) -> dict[int, str]:
    """Where the shop demands the original, a return is not refunded before it is here.

    A supervisor who waives what was to be done with the invoice lets the refund go on.
    """
    returns = [c for c in cases if c.remedy == Remedy.RETURN_REFUND]
    shops = Shop.objects.in_bulk({c.shop_id for c in returns}) if returns else {}
    rows = list(Policy.objects.filter(of=Policy.Of.MISSING_PAPER)) if returns else []
    at = clock.now() if returns else None
    asked = [c for c in returns if at and _demands(shops[c.shop_id], at, rows)]
    lacking = _lacking(asked) if asked else {}
    return {
        pk: _("This shop refunds a return only when the original is here; it is missing: %(no)s.")
        % {"no": ", ".join(str(i) for i in invoices)}
        for pk, invoices in lacking.items()
    }


def _demands(shop: Shop, at: datetime, rows: list[Policy]) -> bool:
    return policy(Policy.Of.MISSING_PAPER, shop, at, rows) == "require"


def _lacking(cases: list[Any]) -> dict[int, list[Invoice]]:
    """The papers of each case's goods that are not here, but of those nobody waits for any more."""
    pks = [c.pk for c in cases]
    lines = CaseLine.objects.filter(case_id__in=pks).values_list("case_id", "order_line_id")
    waived = Treatment.objects.filter(case_id__in=pks, state=TreatmentState.WAIVED)
    excused: set[tuple[int | None, int | None]] = set(waived.values_list("case_id", "invoice_id"))
    papers = (
        Invoice.objects.filter(
            direction=Direction.BLUE,
            kind__in=[str(k) for k in PAPER],
            lines__order_line__in={pk for _case, pk in lines},
        )
        .exclude(paper__place__in=[str(p) for p in _CAME_BACK])
        .exclude(standing__state__in=[BlueState.VOIDED, BlueState.FULLY_RED])
        .prefetch_related("lines")
        .distinct()
    )
    found: dict[int, list[Invoice]] = {}
    for invoice in papers:
        goods = {line.order_line_id for line in invoice.lines.all()}
        for case_id in _cases_on(goods, lines):
            if (case_id, invoice.pk) not in excused and (case_id, None) not in excused:
                found.setdefault(case_id, []).append(invoice)
    return found


def _cases_on(goods: set[int | None], lines: Iterable[tuple[int, int]]) -> list[int]:
    return sorted({case_id for case_id, line in lines if line in goods})


@receiver(transitioned, sender=Case, dispatch_uid="invoices.repairs_extend_warranties")
def repairs_extend_warranties(moves: list[Move], **_kwargs: Any) -> None:
    """The days a piece was here for repair are added to its warranty when it leaves again."""
    sent = [m for m in moves if m.step == "dispatch" and m.subject.remedy == Remedy.REPAIR]
    if not sent:
        return
    arrived = _arrivals([m.pk for m in sent])
    lines: dict[int, list[int]] = {}
    of_cases = CaseLine.objects.filter(case_id__in=arrived)
    for case_id, line in of_cases.values_list("case_id", "order_line_id"):
        lines.setdefault(case_id, []).append(line)
    WarrantyExtension.objects.bulk_create(
        WarrantyExtension(
            case_id=move.pk,
            order_line_id=line,
            received_at=arrived[move.pk],
            sent_at=move.at,
            days=_days(arrived[move.pk], move.at),
        )
        for move in sent
        if move.pk in arrived
        for line in lines.get(move.pk, ())
    )


def _arrivals(case_ids: list[int]) -> dict[int, datetime]:
    """When the goods of each case came in last."""
    events = CaseEvent.objects.filter(
        case_id__in=case_ids, verb__in=["receive", "receive_by_silence"]
    )
    return dict(events.order_by("case_id", "seq").values_list("case_id", "at"))


def _days(start: datetime, end: datetime) -> int:
    """Begun days count whole."""
    seconds = max((end - start).total_seconds(), 0)
    return int(-(-seconds // 86_400))
