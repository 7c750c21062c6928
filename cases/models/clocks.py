"""Which clock a case's state has: whose turn, how long, what happens then (domain.md 2.2)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cases.flow import clock
from cases.flow.businesstime import Days
from cases.flow.clock import ClockSpec
from cases.models.kinds import MONEY_REMEDIES, TERMINAL, Remedy, Side, State
from cases.models.policy import CalendarDay, ClockPolicy, PlatformPause

if TYPE_CHECKING:
    from cases.flow.door import Move

S = State
#: Whose clock runs in a state.
TURN: dict[str, str] = {
    S.APPLIED: Side.SELLER,
    S.NEGOTIATING: Side.BUYER,
    S.REFUSED: Side.BUYER,
    S.INTERCEPTING: Side.SELLER,
    S.AWAITING_RETURN: Side.BUYER,
    S.RETURNING: Side.SELLER,
    S.INSPECTING: Side.SELLER,
    S.DIAGNOSING: Side.VENDOR,
    S.REPAIRING: Side.VENDOR,
    S.QUALITY_CHECK: Side.SELLER,
    S.AWAITING_DISPATCH: Side.SELLER,
    S.AWAITING_RECEIPT: Side.BUYER,
    S.AWAITING_APPROVAL: Side.SUPERVISOR,
    S.REFUNDING: Side.FINANCE,
    S.MEDIATING: Side.PLATFORM,
}
#: Steps after which a clock resumes with what was left instead of starting afresh.
RESUMING = frozenset({"cancel_mediation"})


def expiry_of(case: Any) -> str:
    """The step that is taken when the clock of the case's state runs out."""
    simple = {
        S.APPLIED: "accept_by_silence",
        S.NEGOTIATING: "close_by_silence",
        S.REFUSED: "close_by_silence",
        S.INTERCEPTING: "refund_after_intercept",
        S.AWAITING_RETURN: "close_by_silence",
        S.AWAITING_RECEIPT: "confirm_receipt",
    }
    state = case.state
    if state in simple:
        return simple[state]
    if state == S.RETURNING:
        return "refund_by_silence" if case.remedy in MONEY_REMEDIES else "receive_by_silence"
    if state == S.INSPECTING:
        if case.remedy in MONEY_REMEDIES:
            return "refund_by_silence"
        return "pass_by_silence" if case.remedy == Remedy.EXCHANGE else "escalate"
    if state == S.MEDIATING and case.mediation_phase == "evidence":
        return "end_evidence"
    return "escalate"


@dataclass
class PolicyBook:
    """The time limits, calendars and pauses in force, read once per batch."""

    policies: list[ClockPolicy]
    pauses: dict[str, list[tuple[datetime, datetime]]]
    days: dict[int, Days]

    @classmethod
    def load(cls, at: datetime) -> "PolicyBook":
        rows = [
            p
            for p in ClockPolicy.objects.all()
            if (p.valid_from is None or p.valid_from <= at)
            and (p.valid_to is None or at < p.valid_to)
        ]
        pauses: dict[str, list[tuple[datetime, datetime]]] = {}
        for platform, starts, ends in PlatformPause.objects.filter(
            ends_at__gt=at - timedelta(days=60)
        ).values_list("platform", "starts_at", "ends_at"):
            pauses.setdefault(platform, []).append((starts, ends))
        return cls(rows, pauses, {})

    def pick(self, platform: str, kind: str, state: str, variant: str = "") -> ClockPolicy | None:
        """The most particular row: a named variant, then platform, then kind beats an empty one."""
        fitting = [
            p
            for p in self.policies
            if p.state == state
            and p.platform in ("", platform)
            and p.kind in ("", kind)
            and p.variant in ("", variant)
        ]
        return max(
            fitting, key=lambda p: (p.variant != "", p.platform != "", p.kind != ""), default=None
        )

    def spec(self, case: Any, platform: str, shop: Any = None) -> ClockSpec | None:
        """The clock of the case's present state; None where no policy knows the state."""
        policy = self.pick(platform, kind_of(case), case.state, variant_of(case))
        if policy is None:
            return None
        return ClockSpec(
            on=TURN[case.state],
            length=timedelta(seconds=int(policy.hours * 3600)),
            on_expiry=expiry_of(case),
            reminders=policy.reminders,
            days=self._days_of(case) if policy.unit == ClockPolicy.Unit.WORKING else None,
            pauses=self.pauses.get(platform, ()),
        )

    def _days_of(self, case: Any) -> Days:
        if case.shop_id not in self.days:
            self.days[case.shop_id] = shop_days(case.shop)
        return self.days[case.shop_id]


def shop_days(shop: Any) -> Days:
    """The shop's working calendar: opening hours on the days of our own table."""
    working = dict(CalendarDay.objects.values_list("day", "working"))
    return Days(working=working, opens=shop.opens, closes=shop.closes, zone=ZoneInfo(shop.zone))


def kind_of(case: Any) -> str:
    """By which kind a limit is looked up: as asked at first, as settled later."""
    if case.state == S.APPLIED or case.remedy == Remedy.REFUND:
        return str(case.kind)
    return str(case.remedy)


def variant_of(case: Any) -> str:
    if case.state == S.RETURNING and case.surface:
        return "surface"
    if case.state == S.MEDIATING and case.mediation_phase == "decision":
        return "decision"
    return ""


def platforms_of(cases: Iterable[Any]) -> dict[int, str]:
    """Platform by shop, in one query."""
    from cases.models.shops import Shop  # noqa: PLC0415 - shops do not know clocks

    ids = {c.shop_id for c in cases}
    return dict(Shop.objects.filter(pk__in=ids).values_list("pk", "platform"))


def arm(moves: list["Move"]) -> None:
    """Give each case of a batch the clock of the state it is now in."""
    running = []
    for move in moves:
        case = move.subject
        if case.state in TERMINAL:
            clock.stop(case)
        elif move.step == "hand_back" and not (case.state == S.REFUSED and case.escalated_at):
            continue
        else:
            running.append(move)
    if not running:
        return
    book, platforms = _shared(running)
    specs: dict[tuple[Any, ...], ClockSpec | None] = {}
    for move in running:
        case = move.subject
        platform = platforms[case.shop_id]
        key = (platform, case.kind, case.remedy, case.state, variant_of(case), case.shop_id)
        if key not in specs:
            specs[key] = book.spec(case, platform)
        spec = specs[key]
        if spec is None:
            clock.stop(case)
            continue
        _start(move, spec)


def _shared(moves: list["Move"]) -> tuple[PolicyBook, dict[int, str]]:
    """Policies and platforms, read once for all steps of a sweep's batch."""
    shared = moves[0].shared
    if "clocks" not in shared:
        shared["clocks"] = PolicyBook.load(moves[0].at), {}
    book, platforms = shared["clocks"]
    if unknown := [m.subject for m in moves if m.subject.shop_id not in platforms]:
        platforms.update(platforms_of(unknown))
    return book, platforms


def _start(move: "Move", spec: ClockSpec) -> None:
    case = move.subject
    since = case.received_at if case.state == S.REPAIRING else None
    if move.step in RESUMING and case.resume_left is not None:
        spec = _resumed(spec, timedelta(seconds=case.resume_left))
        case.resume_left = None
        since = None
    cap = move.before.get("due_at") if move.step == "receive" else None
    clock.start(case, move.at, spec, since=since, cap=cap, due=_platform_due(move))
    if move.facts.get("escalate"):
        case.escalated_at = move.at


def _resumed(spec: ClockSpec, left: timedelta) -> ClockSpec:
    """The clock with what was left of it; reminders that went out before do not go out again."""
    whole = max(spec.length, left)
    used = whole - left
    ahead = [whole * int(p) / 100 - used for p in spec.reminders.split(",") if p]
    percents = [str(round(100 * part / left)) for part in ahead if part > timedelta(0)]
    return replace(spec, length=left, reminders=",".join(percents))


def _platform_due(move: "Move") -> datetime | None:
    """The platform's own deadline counts for the state in which its sheet showed it."""
    if move.step in ("open_case", "adopt", "set_platform_due"):
        due: datetime | None = move.subject.platform_due_at
        return due
    return None
