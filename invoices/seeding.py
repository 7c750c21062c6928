"""The reference data of invoices: default policies, and who may do what."""

from cases.models import Role
from cases.seeding.limits import OUR_ASSUMPTION
from invoices.models import Policy
from invoices.models.policies import DEFAULTS

#: Where a value comes from; [L] was not confirmed.
_LAW = "税务规定 [L]"
_SOURCES = {
    Policy.Of.PARTIAL_RED: f"{_LAW}：受票方未使用时先全额红冲，余额重开",
    Policy.Of.CONFIRM_HOURS: f"{_LAW}：确认单 72 小时内确认",
    Policy.Of.ANSWER_HOURS: OUR_ASSUMPTION,
    Policy.Of.TREATMENT_HOURS: OUR_ASSUMPTION,
    Policy.Of.MISSING_PAPER: OUR_ASSUMPTION,
    Policy.Of.DEFAULT_RATE: f"{_LAW}：一般纳税人销售货物 13%",
}
_VIEW = frozenset(
    f"view_{name}"
    for name in ("invoice", "invoiceline", "redrequest", "redevent", "treatment", "treatmentevent")
)
_BOOKS = frozenset(
    f"view_{name}"
    for name in ("standing", "balance", "reversal", "redpart", "invoiceact", "invoicefile")
) | {"view_invoicenotice", "view_authoritycall", "view_sellerprofile"}
_CREDITS = frozenset({"view_creditnote", "view_creditline"})
_SHEETS = _CREDITS | {"match_creditnote", "import_invoice", "export_invoice"}
_ISSUE = frozenset({"issue_invoice", "void_invoice", "mark_used_invoice"})
_SETTINGS = frozenset(
    f"{act}_{name}" for act in ("view", "add", "change") for name in ("policy", "sellerprofile")
)
#: What a role may beside its steps (cases.seeding.roles).
RIGHTS: dict[str, frozenset[str]] = {
    Role.AGENT: _VIEW | {"request_red_invoice", "mark_used_invoice"},
    Role.LEAD: _VIEW | _BOOKS | _CREDITS | {"request_red_invoice", "mark_used_invoice"},
    Role.WAREHOUSE: frozenset({"view_invoice", "view_treatment"}),
    Role.FINANCE: _VIEW | _BOOKS | _ISSUE | _SHEETS | {"request_red_invoice", "view_policy"},
    Role.SUPERVISOR: _VIEW | _BOOKS | _ISSUE | _SHEETS | _SETTINGS | {"request_red_invoice"},
    Role.AUDITOR: _VIEW | _BOOKS | _CREDITS | {"view_policy", "export_invoice"},
}


def seed_policies() -> int:
    """A policy that has rows of any date for every platform keeps them as staff left them."""
    standing = set(Policy.objects.filter(platform="", shop=None).values_list("of", flat=True))
    fresh = [
        Policy(of=of, value=value, source=_SOURCES[Policy.Of(of)])
        for of, value in DEFAULTS.items()
        if of not in standing
    ]
    return len(Policy.objects.bulk_create(fresh))
