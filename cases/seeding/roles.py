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
SHEETS = frozenset({"import_case", "import_order", "export_case", "export_order"})
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
SETTINGS = frozenset(f"{act}_{name}" for name in EDITABLE for act in ("view", "add", "change"))
#: Lines of a table without a history of their own; the others are switched off, not deleted.
DELETABLE = frozenset(
    f"delete_{name}"
    for name in ("calendarday", "clockpolicy", "membership", "platformpause", "sopstep", "window")
)
ORDER_WORK = frozenset({"open_case_order", "reveal_order"})

BESIDES_STEPS: dict[str, frozenset[str]] = {
    Role.AGENT: DAILY | MONEY | ORDER_WORK | {"import_case", "import_order"},
    Role.LEAD: DAILY | MONEY | ORDER_WORK | SHEETS,
    Role.WAREHOUSE: DAILY | {"reveal_order"},
    Role.FINANCE: DAILY | MONEY | {"reveal_order", "export_case", "export_order"},
    Role.SUPERVISOR: DAILY | MONEY | ORDER_WORK | SHEETS | SETTINGS | DELETABLE,
    Role.AUDITOR: DAILY | MONEY | {"export_case", "export_order"},
}


def rights_of(role: str) -> set[str]:
    """Codenames of everything the role may do in the trunk."""
    rights = set(BESIDES_STEPS[role])
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
    ours = {p.codename: p for p in Permission.objects.filter(content_type__app_label="cases")}
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
