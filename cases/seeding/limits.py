"""Time limits, windows and limits of roles as seeded; staff date and change them per platform."""

from dataclasses import dataclass
from decimal import Decimal

DAY = 24

PLATFORM_RULE = "[P] 平台规则（各平台常见默认值）"
OUR_ASSUMPTION = "[A] 我们的假定，来源未规定或说法不一"


@dataclass(frozen=True, slots=True)
class ClockRow:
    """How long one state's clock runs: elapsed hours; no kind means every kind."""

    state: str
    hours: int
    source: str
    kind: str = ""
    variant: str = ""
    extend_by: str = ""
    extend_days: str = ""
    extend_times: int = 0


# fmt: off
CLOCKS = (
    ClockRow("applied", 24, PLATFORM_RULE, kind="refund_unshipped"),
    ClockRow("applied", 36, PLATFORM_RULE, kind="refund_in_transit"),
    ClockRow("applied", 72, PLATFORM_RULE, kind="refund_received"),
    ClockRow("applied", 72, PLATFORM_RULE, kind="return_refund"),
    ClockRow("applied", 5 * DAY, PLATFORM_RULE, kind="exchange"),
    ClockRow("applied", 72, PLATFORM_RULE, kind="repair"),
    ClockRow("applied", 3 * DAY, PLATFORM_RULE, kind="resend"),
    ClockRow("negotiating", 5 * DAY, OUR_ASSUMPTION),
    ClockRow("refused", 5 * DAY, PLATFORM_RULE),
    ClockRow("intercepting", 3 * DAY, OUR_ASSUMPTION),
    ClockRow("awaiting_return", 7 * DAY, PLATFORM_RULE,
             extend_by="A L S", extend_days="3,5,7", extend_times=1),
    ClockRow("returning", 10 * DAY, PLATFORM_RULE),
    ClockRow("returning", 30 * DAY, PLATFORM_RULE, variant="surface"),
    ClockRow("inspecting", 48, OUR_ASSUMPTION),
    ClockRow("diagnosing", 2 * DAY, OUR_ASSUMPTION),
    ClockRow("repairing", 30 * DAY, PLATFORM_RULE),
    ClockRow("quality_check", 24, OUR_ASSUMPTION),
    ClockRow("awaiting_dispatch", 72, PLATFORM_RULE),
    ClockRow("awaiting_dispatch", 5 * DAY, PLATFORM_RULE, kind="resend"),
    ClockRow("awaiting_receipt", 10 * DAY, PLATFORM_RULE),
    ClockRow("awaiting_approval", 24, OUR_ASSUMPTION),
    ClockRow("refunding", 24, OUR_ASSUMPTION),
    ClockRow("mediating", 3 * DAY, PLATFORM_RULE),
    ClockRow("mediating", 48, PLATFORM_RULE, variant="decision"),
)
# fmt: on

#: code, value, source.
WINDOWS = (
    ("aftersale_days", 15, PLATFORM_RULE),
    ("no_reason_days", 7, "[P] 消费者权益保护法第二十五条；自签收次日零时起算"),
    ("applications", 5, PLATFORM_RULE),
    ("auto_confirm_days", 10, PLATFORM_RULE),
)

#: role, refund per act, compensation per act (yuan; None: no limit of that kind).
ROLE_LIMITS = (
    ("agent", Decimal("500.00"), Decimal("20.00")),
    ("lead", Decimal("5000.00"), Decimal("100.00")),
    # The warehouse enters what came of an interception or an inspection, as an agent would [A].
    ("warehouse", Decimal("500.00"), Decimal("0.00")),
    ("supervisor", Decimal("20000.00"), None),
)
