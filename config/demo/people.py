"""The demo's shops and staff: one person per role, all without a password of their own yet."""

from django.contrib.auth.models import Group, User

from cases.models import Membership, ReturnAddress, Role, Shop
from config.demo.goods import SHOPS

NAMES = {
    Role.AGENT: ("晓语", "柯"),
    Role.LEAD: ("宗明", "左"),
    Role.WAREHOUSE: ("大仓", "康"),
    Role.FINANCE: ("静雯", "蔡"),
    Role.SUPERVISOR: ("立群", "关"),
    Role.AUDITOR: ("清源", "沈"),
}
#: The agent works for two shops only, so that the limits of what he sees can be seen.
AGENT_SHOPS = frozenset({"yunzhi", "jizhou"})


def make_shops() -> dict[str, Shop]:
    """The three shops with their return addresses."""
    shops = {}
    for plan in SHOPS:
        shop, _ = Shop.objects.get_or_create(
            code=plan.code, defaults={"name": plan.name, "platform": plan.platform}
        )
        ReturnAddress.objects.get_or_create(
            shop=shop,
            address=plan.return_address,
            defaults={"name": plan.return_name, "phone": plan.return_phone, "default": True},
        )
        shops[plan.code] = shop
    return shops


def make_people(shops: dict[str, Shop]) -> dict[str, User]:
    """One member of staff per role, by role, and a superuser `admin` where there is none."""
    people = {}
    for role, (given, family) in NAMES.items():
        user, is_new = User.objects.get_or_create(
            username=str(role),
            defaults={"last_name": family + given, "is_staff": True},
        )
        if is_new:
            user.set_unusable_password()
            user.save(update_fields=["password"])
            user.groups.add(Group.objects.get(name=role))
        for code, shop in shops.items():
            if role != Role.AGENT or code in AGENT_SHOPS:
                Membership.objects.get_or_create(shop=shop, user=user)
        people[str(role)] = user
    if not User.objects.filter(is_superuser=True).exists():
        User.objects.create_superuser("admin")
    return people
