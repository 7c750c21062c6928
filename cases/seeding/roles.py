"""The roles as groups, with the rights that follow from the steps' declared role letters."""

from django.contrib.auth.models import Group, Permission

from cases.flow import hooks
from cases.flow.states import ROLES
from cases.models import Role

#: What everybody who works cases looks at beside his steps.
DAILY = frozenset(
    {
        "view_order",
        "view_orderline",
        "view_case",
        "view_caseline",
        "view_caseevent",
        "view_parcel",
        "view_evidence",
        "view_note",
        "view_notice",
        "view_mediation",
        "view_shop",
        "view_returnaddress",
        "view_reason",
        "view_refusalreason",
        "view_sopstep",
    }
)
MONEY = frozenset(
    {
        "see_money_case",
        "view_payment",
        "view_externalrefund",
        "view_refund",
        "view_refundpart",
        "view_compensation",
        "view_approval",
    }
)
IMPORTS = frozenset({"import_case", "import_order", "view_importjob"})
SHEETS = IMPORTS | {"export_case", "export_order"}
#: Personal data of whole lists, unmasked; each time with a reason and a record.
CLEAR = frozenset({"export_clear_order", "view_clearexport"})
#: Differences between the platform's sheets and us are settled by who answers for money.
RECONCILING = frozenset({"view_platformrecord", "settle_platformrecord"})
#: Reference data and settings: who may change them may do so by form.
EDITABLE = (
    "calendarday",
    "clockpolicy",
    "membership",
    "platformpause",
    "reason",
    "refusalreason",
    "returnaddress",
    "rolelimit",
    "shop",
    "sopstep",
    "window",
)
SETTINGS = frozenset(f"{act}_{name}" for name in EDITABLE for act in ("view", "add", "change")) | {
    "import_calendarday",
    "export_calendarday",
}
#: Lines of a table without a history of their own; the others are switched off, not deleted.
DELETABLE = frozenset(
    f"delete_{name}"
    for name in ("calendarday", "clockpolicy", "membership", "platformpause", "sopstep", "window")
)
#: What the shop's own files call things; who leads a shop keeps it.
SHEET_WORDS = frozenset(
    f"{act}_{name}"
    for name in ("headeralias", "wordalias", "sheetmapping")
    for act in ("view", "add", "change", "delete")
) | {f"{act}_{name}" for name in ("headeralias", "wordalias") for act in ("import", "export")}
ORDER_WORK = frozenset({"open_case_order", "reveal_order"})

BESIDES_STEPS: dict[str, frozenset[str]] = {
    Role.AGENT: DAILY | MONEY | ORDER_WORK | IMPORTS,
    Role.LEAD: DAILY | MONEY | ORDER_WORK | SHEETS | SHEET_WORDS | RECONCILING,
    Role.WAREHOUSE: DAILY | {"reveal_order"},
    Role.FINANCE: DAILY | MONEY | RECONCILING | {"reveal_order", "export_case", "export_order"},
    Role.SUPERVISOR: frozenset().union(
        *(DAILY, MONEY, RECONCILING, ORDER_WORK, SHEETS, SHEET_WORDS, CLEAR, SETTINGS, DELETABLE)
    ),
    Role.AUDITOR: DAILY | MONEY | {"export_case", "export_order"},
}


#: What other apps let each role do beside the steps of their flows; they add it in ready().
BESIDES_STEPS_OF: dict[str, dict[str, frozenset[str]]] = {}


def rights_of(role: str) -> set[str]:
    """Codenames of everything the role may do."""
    rights = set(BESIDES_STEPS[role])
    for theirs in BESIDES_STEPS_OF.values():
        rights |= theirs.get(role, frozenset())
    for model in hooks.flows():
        rights |= {
            f"{info.name}_{model._meta.model_name}"
            for info in model.steps().values()
            if role in {ROLES[letter] for letter in info.by}
        }
    return rights


def seed_roles() -> int:
    """Make the groups; returns how many rights were given.

    A group that is there keeps what staff made of it: it gets only rights that nobody holds yet,
    which are those of steps newer than the group.
    """
    given = 0
    ours = {
        p.codename: p
        for p in Permission.objects.filter(content_type__app_label__in=("cases", *BESIDES_STEPS_OF))
    }
    held = set(Permission.objects.exclude(group=None).values_list("codename", flat=True))
    for role in Role.values:
        group, is_new = Group.objects.get_or_create(name=role)
        wanted = rights_of(role)
        if role == Role.AUDITOR:
            wanted |= {codename for codename in ours if codename.startswith("view_")}
        rights = [ours[codename] for codename in sorted(wanted) if is_new or codename not in held]
        group.permissions.add(*rights)
        given += len(rights)
    return given
