"""Shops, who works in them, where returns go, and what each role may decide."""

from typing import TYPE_CHECKING, Any, Self, cast

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.money import MoneyField

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


class Platform(models.TextChoices):
    TAOBAO = "taobao", _("Taobao")
    TMALL = "tmall", _("Tmall")
    DOUYIN = "douyin", _("Douyin")
    JD = "jd", _("JD")
    PDD = "pdd", _("Pinduoduo")
    OTHER = "other", _("Other")


class Role(models.TextChoices):
    """The roles of the house; each is a group of the same name."""

    AGENT = "agent", _("Agent")
    LEAD = "lead", _("Lead")
    WAREHOUSE = "warehouse", _("Warehouse")
    FINANCE = "finance", _("Finance")
    SUPERVISOR = "supervisor", _("Supervisor")
    AUDITOR = "auditor", _("Auditor")


class ShopQuerySet(models.QuerySet["Shop"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The shops this person may know of: all for superusers, else those he belongs to."""
        if user.is_superuser:
            return self
        return self.filter(memberships__user_id=user.pk)


class Shop(models.Model):
    """One storefront on one platform."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100)
    platform = models.CharField(_("platform"), max_length=10, choices=Platform.choices)
    zone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")
    opens = models.TimeField(_("opens"), default="09:00")
    closes = models.TimeField(_("closes"), default="18:00")
    active = models.BooleanField(_("active"), default=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        through="Membership",
        related_name="shops",
        verbose_name=_("staff"),
    )

    objects = ShopQuerySet.as_manager()

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("shops")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name or self.code


class Membership(models.Model):
    """A member of staff works in a shop; nobody sees shops he does not belong to."""

    shop = models.ForeignKey(
        Shop, models.CASCADE, related_name="memberships", verbose_name=_("shop")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("user")
    )

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["shop", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} @ {self.shop}"


def shop_ids_of(user: "User") -> frozenset[int] | None:
    """Primary keys of the user's shops; None means all. Read once per user object."""
    if user.is_superuser:
        return None
    holder = cast(Any, user)
    if not hasattr(holder, "_shop_ids"):
        rows = Membership.objects.filter(user_id=user.pk).values_list("shop_id", flat=True)
        holder._shop_ids = frozenset(rows)
    return cast("frozenset[int]", holder._shop_ids)


def roles_of(user: "User") -> frozenset[str]:
    """The user's roles; superusers count as supervisors. Read once per user object."""
    holder = cast(Any, user)
    if not hasattr(holder, "_roles"):
        names = set(user.groups.values_list("name", flat=True)) & set(Role.values)
        holder._roles = frozenset(names | ({"supervisor"} if user.is_superuser else set()))
    return cast("frozenset[str]", holder._roles)


class ReturnAddress(models.Model):
    """Where buyers send goods back to."""

    shop = models.ForeignKey(
        Shop, models.CASCADE, related_name="return_addresses", verbose_name=_("shop")
    )
    name = models.CharField(_("contact"), max_length=60)
    phone = models.CharField(_("phone"), max_length=40)
    address = models.CharField(_("address"), max_length=300)
    default = models.BooleanField(_("default"), default=False)

    class Meta:
        verbose_name = _("return address")
        verbose_name_plural = _("return addresses")
        constraints = [
            models.UniqueConstraint(
                fields=["shop"], condition=models.Q(default=True), name="one_default_return_address"
            )
        ]

    def __str__(self) -> str:
        return f"{self.address} {self.name}"


class RoleLimit(models.Model):
    """What a role may decide alone, per act and per day; empty means no limit of that kind."""

    role = models.CharField(_("role"), max_length=12, choices=Role.choices, unique=True)
    refund_act = MoneyField(_("refund, per act"), null=True, blank=True)
    refund_day = MoneyField(_("refunds, per day"), null=True, blank=True)
    compensation_act = MoneyField(_("compensation, per act"), null=True, blank=True)
    compensation_day = MoneyField(_("compensation, per day"), null=True, blank=True)

    class Meta:
        verbose_name = _("limit of a role")
        verbose_name_plural = _("limits of roles")

    def __str__(self) -> str:
        return str(self.get_role_display())
