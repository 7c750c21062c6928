"""When a case can still be opened on an order, and on which of its lines."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from cases.flow.businesstime import deadline, elapsed, end_of_day_window
from cases.guards import too_many
from cases.models import Case, CaseLine, Kind, Order, OrderLine, OrderStatus, Reason, Window
from cases.models.orders import NO_REASON_EXCLUDED


def window(code: str, platform: str, at: datetime, default: int) -> int:
    """The value in force of a dated limit; the named platform beats every platform."""
    rows = [
        w
        for w in Window.objects.filter(code=code, platform__in=("", platform))
        if (w.valid_from is None or w.valid_from <= at) and (w.valid_to is None or at < w.valid_to)
    ]
    best = max(rows, key=lambda w: (w.platform != "", w.valid_from is not None), default=None)
    return default if best is None else best.value


def aftersale_until(order: Order, platform: str, at: datetime) -> datetime | None:
    """Until when a case can be opened; None while the order is not finished."""
    if order.finished_at is None:
        return None
    days = window(Window.Code.AFTERSALE_DAYS, platform, at, 15)
    return order.finished_at + timedelta(days=days)


@dataclass(frozen=True)
class AutoConfirm:
    """When the platform confirms a shipped order by itself; ``due_at`` is None while it stands."""

    due_at: datetime | None
    left: timedelta


def auto_confirm(order: Order, cases: Iterable[Case], at: datetime) -> AutoConfirm | None:
    """An open case stops the order's auto-confirm, a closed one lets it resume (domain.md 2.2).

    ``cases``: all of the order. None where nothing is to be confirmed: no shipping time, finished
    or closed. Nothing acts on it; the platform confirms, and its report says so.
    """
    if order.shipped_at is None or order.finished_at or order.status == OrderStatus.CLOSED:
        return None
    length = timedelta(days=window(Window.Code.AUTO_CONFIRM_DAYS, order.platform, at, 10))
    spans = [(case.applied_at, case.finished_at) for case in cases]
    pauses = [(start, end or at) for start, end in spans]
    left = max(length - elapsed(order.shipped_at, at, pauses=pauses), timedelta(0))
    if any(end is None for _start, end in spans):
        return AutoConfirm(None, left)
    return AutoConfirm(deadline(order.shipped_at, length, pauses=pauses).at, left)


def window_text(until: datetime) -> str:
    local = until.astimezone(ZoneInfo("Asia/Shanghai"))
    return _("The after-sale window closed at %(until)s. Only the platform can reopen it.") % {
        "until": f"{local:%Y-%m-%d %H:%M}"
    }


def refusal_to_open(
    order: Order, kind: str, reason: Reason, lines: list[tuple[OrderLine, int]], at: datetime
) -> tuple[str, str] | None:
    """Why no such case can be opened on the order at that time: (code, sentence), or None."""
    if not reason.active or not reason.is_for(kind):
        return "bad_value", _("The reason “%(reason)s” is not for “%(kind)s”.") % {
            "reason": reason,
            "kind": Kind(kind).label,
        }
    return (
        _order_forbids(order, kind, at)
        or _reason_forbids(order, reason, lines, at)
        or _lines_forbid(order, lines, at)
    )


def _order_forbids(order: Order, kind: str, at: datetime) -> tuple[str, str] | None:
    if order.paid_at is None or order.paid_at > at:
        return "wrong_state", _("Order %(order)s was never paid: there is nothing to settle.") % {
            "order": order
        }
    shipped = order.is_shipped(at)
    if kind == Kind.REFUND_UNSHIPPED and shipped:
        return "wrong_state", _("Order %(order)s is shipped: choose “in transit” or a return.") % {
            "order": order
        }
    if kind != Kind.REFUND_UNSHIPPED and not shipped:
        return "wrong_state", _("Order %(order)s is not shipped: choose “not shipped”.") % {
            "order": order
        }
    until = aftersale_until(order, order.platform, at)
    if until is not None and at >= until:
        return "window_closed", window_text(until)
    return None


def _reason_forbids(
    order: Order, reason: Reason, lines: list[tuple[OrderLine, int]], at: datetime
) -> tuple[str, str] | None:
    if reason.code != "no_reason":
        return None
    for line, _quantity in lines:
        if line.category in NO_REASON_EXCLUDED or line.no_return_agreed:
            return "excluded_goods", _(
                "Line %(line)s (%(category)s) cannot be returned without a reason. "
                "Choose the reason that applies."
            ) % {"line": line.line_no, "category": line.get_category_display()}
    if order.signed_at is None:
        return None
    days = window(Window.Code.NO_REASON_DAYS, order.platform, at, 7)
    until = end_of_day_window(order.signed_at, days)
    if at >= until:
        local = until.astimezone(ZoneInfo("Asia/Shanghai"))
        return "window_closed", _(
            "Returns without a reason were possible until %(until)s. Choose another reason."
        ) % {"until": f"{local:%Y-%m-%d %H:%M}"}
    return None


def _lines_forbid(
    order: Order, lines: list[tuple[OrderLine, int]], at: datetime
) -> tuple[str, str] | None:
    most = window(Window.Code.APPLICATIONS, order.platform, at, 5)
    for line, quantity in lines:
        earlier = CaseLine.objects.filter(order_line=line)
        if (taken := earlier.filter(open=True).select_related("case").first()) is not None:
            return "open_case_exists", _(
                "Line %(line)s is in the open case %(case)s. Settle that one first."
            ) % {"line": line.line_no, "case": taken.case}
        if quantity > line.quantity_left:
            return "quantity_exceeded", too_many(line, quantity, line.quantity_left)
        if earlier.count() >= most:
            return "window_closed", _(
                "Line %(line)s had %(most)s applications; that is the limit."
            ) % {
                "line": line.line_no,
                "most": most,
            }
    return None
