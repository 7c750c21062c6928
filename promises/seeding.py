"""The reference data of promises: their default terms, time limits, and who may do what."""

from decimal import Decimal
from typing import Any

from cases.models import Reason, Role
from cases.seeding.limits import OUR_ASSUMPTION, PLATFORM_RULE
from promises.models import Limit, Term
from promises.models.terms import DEFAULT_HOURS
from promises.terms import Code, Counted, Since

_AFTER_FINISH = {"window": 15, "since": Since.FINISHED, "counted": Counted.DAYS}
_REPORT = {"evidence": Reason.Evidence.REPORT}
#: Open start, every platform; what the sources leave open is an assumption and says so.
TERMS: dict[str, dict[str, Any]] = {
    Code.FAKE_TRIPLE: {
        "multiplier": Decimal(2),
        "window": 15,
        "source": f"{PLATFORM_RULE}；期限 15 天 {OUR_ASSUMPTION}",
        **_REPORT,
    },
    Code.QUALITY: {"source": f"{PLATFORM_RULE}；约定赔付另填", **_REPORT},
    Code.SHIP_ON_TIME: {
        "rate": Decimal(5),
        "floor": Decimal("1.00"),
        "cap": Decimal("30.00"),
        "hours": 48,
        "source": f"{PLATFORM_RULE}；48 小时及申请期限 {OUR_ASSUMPTION}",
        **_AFTER_FINISH,
    },
    Code.FREE_RETURN: {"window": 7, "source": f"{PLATFORM_RULE}；7 天 {OUR_ASSUMPTION}"},
    Code.DAMAGE_RESEND: {
        "window": 7,
        "source": f"{PLATFORM_RULE}；7 天 {OUR_ASSUMPTION}",
        "evidence": Reason.Evidence.PICTURES,
    },
    Code.NAMED_COURIER: {"source": f"{PLATFORM_RULE}；金额由商家约定", **_AFTER_FINISH},
    Code.ARRIVE_ON_TIME: {"source": f"{PLATFORM_RULE}；金额由商家约定", **_AFTER_FINISH},
}
_VIEW = frozenset({"view_claim", "view_claimevent", "view_term", "view_breach"})
_MONEY = frozenset(
    {"view_deposit", "view_entry", "view_topupduty", "view_dutyevent", "view_shopnotice"}
)
_PAYOUTS = frozenset({"view_payout", "view_payoutnote", "import_payout", "settle_payout"})
_SHEETS = frozenset({"import_claim", "export_claim", "export_entry"}) | _PAYOUTS
_EDITABLE = ("term", "limit", "breachsetting", "couriername")
#: What a role may beside its steps (cases.seeding.roles).
RIGHTS: dict[str, frozenset[str]] = {
    Role.AGENT: _VIEW | {"file_claim", "import_claim"},
    Role.LEAD: _VIEW | _MONEY | _SHEETS | {"file_claim", "dismiss_breach", "view_couriername"},
    Role.WAREHOUSE: frozenset(),
    Role.FINANCE: _VIEW
    | _MONEY
    | _SHEETS
    | {"top_up_deposit", "withdraw_deposit", "require_deposit"},
    Role.SUPERVISOR: _VIEW
    | _MONEY
    | _SHEETS
    | {"file_claim", "top_up_deposit", "withdraw_deposit", "require_deposit", "dismiss_breach"}
    | {f"{act}_{name}" for act in ("view", "add", "change") for name in _EDITABLE}
    | {"delete_couriername", "import_term", "export_term"},
    Role.AUDITOR: _VIEW | _MONEY | {"view_limit", "export_claim", "export_entry", "export_term"},
}


def seed_terms() -> int:
    """A promise that has terms of any date for every platform keeps them as staff left them."""
    standing = set(Term.objects.filter(platform="", shop=None).values_list("promise", flat=True))
    fresh = [Term(promise=code, **row) for code, row in TERMS.items() if code not in standing]
    return len(Term.objects.bulk_create(fresh))


def seed_limits() -> int:
    """How long the sides have; rows that are there stay."""
    standing = set(Limit.objects.filter(platform="").values_list("of", flat=True))
    fresh = [
        Limit(of=of, hours=hours, source=PLATFORM_RULE)
        for of, hours in DEFAULT_HOURS.items()
        if of not in standing
    ]
    return len(Limit.objects.bulk_create(fresh))
