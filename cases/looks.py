"""How states, deadlines and amounts look: words and colours, correct without JavaScript."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cases.flow import clock
from cases.models import Kind, Side, State

#: Sooner than this is "due soon" on every page.
DUE_SOON = timedelta(hours=4)

STATE_TONES: dict[str, str] = {
    State.APPLIED: "warning",
    State.NEGOTIATING: "info",
    State.REFUSED: "danger",
    State.INTERCEPTING: "warning",
    State.AWAITING_RETURN: "info",
    State.RETURNING: "primary",
    State.INSPECTING: "warning",
    State.DIAGNOSING: "info",
    State.REPAIRING: "info",
    State.QUALITY_CHECK: "warning",
    State.AWAITING_DISPATCH: "warning",
    State.AWAITING_RECEIPT: "info",
    State.AWAITING_APPROVAL: "primary",
    State.REFUNDING: "primary",
    State.MEDIATING: "danger",
    State.COMPLETED: "success",
    State.CLOSED: "",
}
SIDES = dict(Side.choices)
STATES = dict(State.choices)
KINDS = dict(Kind.choices)


def now_of(request: Any) -> datetime:
    """The one moment a page is drawn for; asking PostgreSQL's clock again is a query each time."""
    known: datetime | None = getattr(request, "_business_now", None)
    if known is None:
        known = request._business_now = clock.now()
    return known


def span_in_words(span: timedelta) -> str:
    """The two biggest units people speak of: 3天, 5小时20分, 12分钟."""
    minutes = int(span.total_seconds() // 60)
    days, hours = minutes // 1440, minutes // 60
    if days >= 2:
        return _("%(days)s d") % {"days": days}
    if hours >= 10:
        return _("%(hours)s h") % {"hours": hours}
    if hours >= 1:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes % 60}
    return _("%(minutes)s min") % {"minutes": minutes}


def countdown(due_at: datetime | None, now: datetime) -> SafeString:
    """A deadline as ``<time>`` with words and colour; the page's script only keeps it fresh."""
    if due_at is None:
        return format_html('<span class="sh-quiet">{}</span>', "–")
    local = timezone.localtime(due_at)
    if due_at <= now:
        tone, words = "late", _("%(time)s over") % {"time": span_in_words(now - due_at)}
    else:
        tone = "soon" if due_at - now < DUE_SOON else "calm"
        words = _("%(time)s left") % {"time": span_in_words(due_at - now)}
    return format_html(
        '<time class="sh-clock sh-clock--{}" datetime="{}" title="{}" data-due>{}</time>',
        tone,
        local.isoformat(timespec="seconds"),
        local.strftime("%Y-%m-%d %H:%M"),
        words,
    )


def clock_words() -> dict[str, str]:
    """The same words for the script: placeholders stay as they are."""
    return {
        "left": _("%(time)s left") % {"time": "{time}"},
        "over": _("%(time)s over") % {"time": "{time}"},
        "days": _("%(days)s d") % {"days": "{days}"},
        "hours": _("%(hours)s h") % {"hours": "{hours}"},
        "both": _("%(hours)s h %(minutes)s min") % {"hours": "{hours}", "minutes": "{minutes}"},
        "minutes": _("%(minutes)s min") % {"minutes": "{minutes}"},
    }


def label(text: Any, tone: str = "") -> SafeString:
    return format_html('<span class="sh-label sh-label--{}">{}</span>', tone or "plain", text)


def state_label(state: str) -> SafeString:
    return label(STATES.get(state, state), STATE_TONES.get(state, ""))


def yuan_text(amount: Decimal | None) -> str:
    return "–" if amount is None else f"¥{amount:,.2f}"


def moment(at: datetime | None) -> str:
    return "–" if at is None else timezone.localtime(at).strftime("%Y-%m-%d %H:%M")
