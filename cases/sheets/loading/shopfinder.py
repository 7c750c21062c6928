"""Which shop a row belongs to; shops outside the importer's scope are as good as unknown."""

from dataclasses import dataclass, field
from typing import Final

from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.models import Platform, Shop
from cases.sheets.facts import Facts
from cases.sheets.loading.outcomes import Impossible

#: Taobao and Tmall write the same sheets, and their shops share one series of order numbers.
_FAMILIES: Final = {Platform.TMALL: "taobao"}


def family(platform: str | None) -> str:
    return _FAMILIES.get(platform or "", platform or "")  # type: ignore[call-overload, no-any-return]


def akin(shop: Shop, platform: str | None) -> bool:
    """Whether a sheet of this platform may speak of the shop."""
    if not platform or Platform.OTHER in {platform, shop.platform}:
        return True
    return family(shop.platform) == family(platform)


@dataclass
class ShopFinder:
    """Finds (and where allowed makes) shops by code or name.

    ``visible``: primary keys the importer may know of, None = all. ``named``: the code given with
    the import, which beats what the sheet says.
    """

    named: str | None
    platform: str | None
    visible: frozenset[int] | None
    may_create: bool
    warnings: list[str] = field(default_factory=list)
    _by_code: dict[str, Shop] = field(default_factory=dict)
    _by_name: dict[str, list[Shop]] = field(default_factory=dict)
    _made: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.read()
        if not self.named:
            return
        shop = self._by_code.get(self.named)
        if shop is None and not self.may_create:
            raise Refused(_unknown(self.named), "unknown")
        if shop is not None and not akin(shop, self.platform):
            raise Refused(_other_platform(shop, self.platform), "bad_value")

    def read(self) -> None:
        """Read the shops (again: after a transaction that made one was rolled back)."""
        shops = Shop.objects.all()
        if self.visible is not None:
            shops = shops.filter(pk__in=self.visible)
        self._by_code, self._by_name = {}, {}
        for shop in shops:
            self._keep(shop)

    def forget_made(self) -> None:
        if self._made:
            self._made.clear()
            self.read()

    def of(self, facts: Facts) -> Shop | None:
        """The shop the facts name; None where nothing names one. Raises Impossible."""
        platform = facts.platform or self.platform
        if self.named:
            shop = self._by_code.get(self.named) or self._make(self.named, platform)
        elif facts.shop_code:
            shop = self._coded(facts.shop_code, platform)
        elif facts.shop_name:
            shop = self._called(facts.shop_name, platform)
        else:
            return None
        if not akin(shop, platform):
            raise Impossible("bad_value", _other_platform(shop, platform))
        return shop

    def _coded(self, code: str, platform: str | None) -> Shop:
        shop: Shop | None = self._by_code.get(code)
        if shop is None:
            fitting = [s for s in self._by_name.get(code, ()) if akin(s, platform)]
            shop = fitting[0] if len(fitting) == 1 else None
        if shop is not None:
            return shop
        if not self.may_create:
            raise Impossible("unknown", _unknown(code))
        return self._make(code, platform)

    def _called(self, name: str, platform: str | None) -> Shop:
        known: list[Shop] = [*self._by_name.get(name, ())]
        if name in self._by_code and self._by_code[name] not in known:
            known.append(self._by_code[name])
        fitting = [shop for shop in known if akin(shop, platform)]
        if len(fitting) == 1:
            return fitting[0]
        raise Impossible("unknown", _unknown(name))

    def _make(self, code: str, platform: str | None) -> Shop:
        if not code or len(code) > 40 or not all(c.isalnum() or c in "-_" for c in code):
            said = {"code": code}
            message = _("“%(code)s” cannot be a shop's code: take letters, digits, - and _.") % said
            raise Impossible("bad_value", message)
        if Shop.objects.filter(code=code).exists():  # there, but outside the importer's scope
            raise Impossible("unknown", _unknown(code))
        known = platform if platform in Platform.values else Platform.OTHER
        shop = Shop.objects.create(code=code, name=code, platform=str(known))
        self._keep(shop)
        self._made.add(code)
        if code not in self._told:
            self._told.add(code)
            said = {"code": code, "platform": shop.get_platform_display()}
            self.warnings.append(
                _("The shop “%(code)s” was not known and has been made (%(platform)s).") % said
            )
        return shop

    def _keep(self, shop: Shop) -> None:
        self._by_code[shop.code] = shop
        self._by_name.setdefault(shop.name, []).append(shop)


def _unknown(name: str) -> str:
    return _("there is no shop “%(name)s” among your shops") % {"name": name}


def _other_platform(shop: Shop, platform: str | None) -> str:
    said = {
        "shop": shop.code,
        "here": shop.get_platform_display(),
        "there": dict(Platform.choices).get(platform or "", platform),
    }
    return _("the shop “%(shop)s” is on %(here)s, the sheet is from %(there)s") % said
