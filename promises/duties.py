"""How a shop stands with its duty to top up: what it owes, since when it is held against it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.models import Shop
from cases.models.money import ZERO
from promises.models import Deposit, DutyState, TopUpDuty


@dataclass(frozen=True)
class Arrears:
    """An open duty: ``lacking`` yuan to be put in; ``next_at``: when its next stage begins."""

    state: DutyState
    lacking: Decimal
    since: datetime
    next_at: datetime | None
    deposit_id: int | None


def duties_of(shop_id: int) -> list[TopUpDuty]:
    """Every duty of the shop, met or not; there are few."""
    return list(TopUpDuty.objects.filter(shop_id=shop_id).order_by("pk"))


def arrears_of(shop_id: int, duties: list[TopUpDuty] | None = None) -> Arrears | None:
    """The shop's open duty to top up, if there is one."""
    known = duties_of(shop_id) if duties is None else duties
    duty = next((duty for duty in known if duty.state != DutyState.MET), None)
    if duty is None:
        return None
    account = Deposit.objects.filter(shop_id=shop_id).values_list("pk", "owed", "available")
    deposit, owed, available = account.first() or (None, ZERO, ZERO)
    state = DutyState(duty.state)
    began = {DutyState.SUSPENDED: duty.suspended_at, DutyState.BLOCKED: duty.blocked_at}
    since = began.get(state) or duty.notified_at
    return Arrears(state, max(owed - available, ZERO), since, duty.due_at, deposit)


def was_suspended_at(duties: list[TopUpDuty], at: datetime) -> bool:
    """Whether one of these duties had suspended the shop's promises at that time."""
    return any(
        duty.suspended_at is not None
        and duty.suspended_at <= at
        and (duty.met_at is None or at < duty.met_at)
        for duty in duties
    )


def check_not_blocked(shop: Shop) -> None:
    """Refused blocked: a blocked shop takes no money out and promises nothing new."""
    arrears = arrears_of(shop.pk)
    if arrears is not None and arrears.state == DutyState.BLOCKED:
        raise Refused(
            _("The shop %(shop)s is blocked: ¥%(lacking)s is owed to buyers. Top up first.")
            % {"shop": shop, "lacking": arrears.lacking},
            "blocked",
            limit=str(arrears.lacking),
        )
