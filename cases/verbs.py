"""What people do to an order: open a case on it, say that it was shipped or signed for."""

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from cases.changes import orders_changed
from cases.effects import ship
from cases.flow import clock, door
from cases.flow.door import Actor, NotPermitted, Refused
from cases.models import (
    Case,
    Order,
    Reason,
)
from cases.models.orders import STATUS_RANK, OrderStatus
from cases.models.shops import shop_ids_of
from cases.opening import NewCase, adopt_cases, begin


def open_case(  # noqa: PLR0913 - what a buyer's application consists of
    actor: Actor,
    order: Order,
    *,
    kind: str,
    reason: Reason,
    lines: list[tuple[int | str, int]],
    amount: Decimal | None = None,
    freight: Decimal | None = None,
    text: str = "",
    applied_at: datetime | None = None,
    at: datetime | None = None,
    key: str | None = None,
    case_no: str = "",
) -> Case:
    """Open a case for a buyer; ``applied_at`` or ``at`` is when he applied (now if neither).

    Raises Refused: window_closed, excluded_goods, open_case_exists, quantity_exceeded,
    amount_exceeded, wrong_state, bad_value, unknown, key_reused.
    """
    if actor.kind == "system" or (
        actor.user is not None and not actor.user.has_perm("cases.open_case_order")
    ):
        raise NotPermitted(_("%(who)s may not open a case.") % {"who": actor})
    moment = applied_at or at
    if moment is not None and moment > clock.now():
        raise Refused(_("A buyer cannot apply in the future."), "bad_value")
    entry = NewCase(
        order,
        kind,
        reason,
        lines,
        amount,
        freight,
        text,
        applied_at=moment,
        key=key,
        case_no=case_no,
    )
    (answer,) = begin(actor, "open_case", [entry])
    if isinstance(answer, Refused):
        raise answer
    return answer


def record_shipment(
    actor: Actor, order: Order, *, courier: str, waybill: str, at: datetime | None = None
) -> Order:
    """The order is on its way to the buyer."""
    _may_touch(actor, order, "ship_order")
    moment = at or clock.now()
    with door.unit():
        fresh = Order.objects.select_for_update().get(pk=order.pk)
        if fresh.paid_at is None:
            raise Refused(_("An unpaid order is not shipped."), "wrong_state")
        if fresh.shipped_at is not None or fresh.is_shipped(moment):
            raise Refused(
                _("Order %(order)s was shipped already with %(waybill)s.")
                % {"order": fresh, "waybill": fresh.waybill},
                "wrong_state",
            )
        if moment < fresh.paid_at:
            raise Refused(_("It cannot be shipped before it was paid."), "bad_value")
        ship(fresh, courier=courier, waybill=waybill, at=moment)
    return fresh


def record_signature(actor: Actor, order: Order, *, at: datetime | None = None) -> Order:
    """The buyer signed for the parcel."""
    _may_touch(actor, order, "receive")
    moment = at or clock.now()
    with door.unit():
        fresh = Order.objects.select_for_update().get(pk=order.pk)
        if not fresh.is_shipped(moment):
            raise Refused(_("An order that is not shipped cannot be signed for."), "wrong_state")
        if fresh.shipped_at is not None and moment < fresh.shipped_at:
            raise Refused(_("It cannot be signed for before it was shipped."), "bad_value")
        if fresh.signed_at is not None:
            raise Refused(_("The order was signed for already."), "wrong_state")
        fresh.signed_at = moment
        if STATUS_RANK[fresh.status] < STATUS_RANK[OrderStatus.SIGNED]:
            fresh.status = OrderStatus.SIGNED
        fresh.facts_hash = ""
        fresh.save(update_fields=["signed_at", "status", "facts_hash", "updated_at"])
        orders_changed.send(sender=Order, order_ids=[fresh.pk])
    return fresh


def _may_touch(actor: Actor, order: Order, step: str) -> None:
    if actor.kind == "system":
        raise NotPermitted(_("The clock does not do this."))
    if actor.user is not None:
        ids = shop_ids_of(actor.user)
        if ids is not None and order.shop_id not in ids:
            raise NotPermitted(
                _("This belongs to a shop you are not a member of."), "not_in_your_shop"
            )
        if not actor.user.has_perm(f"cases.{step}_case"):
            raise NotPermitted(_("%(who)s may not do this.") % {"who": actor})


__all__ = ["NewCase", "adopt_cases", "open_case", "record_shipment", "record_signature"]
