"""What staff say of spreadsheets: other names of columns, words of cells, whole mappings.

Each row is for the files of one shop, or of all where it names none.
"""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.shops import Platform, Shop, shop_ids_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Longer is no header and no word of a cell.
LONGEST = 120


class OfShopQuerySet(models.QuerySet["OfShop"]):
    def visible_to(self, user: "User") -> Self:
        """Those of the person's shops, and those that hold for every shop."""
        ids = shop_ids_of(user)
        return self if ids is None else self.filter(models.Q(shop=None) | models.Q(shop__in=ids))

    def for_shop(self, shop: Shop | None) -> Self:
        """What holds for a file of this shop; without one only what holds for all."""
        wanted = models.Q(shop=None)
        return self.filter(wanted | models.Q(shop=shop) if shop else wanted)


class OfShop(models.Model):
    """Holds for the files of one shop, or of all."""

    shop = models.ForeignKey(
        Shop,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("shop"),
        help_text=_("Empty: for the files of all shops."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = OfShopQuerySet.as_manager()

    class Meta:
        abstract = True


def once(*fields: str, name: str) -> list[models.BaseConstraint]:
    """Unique in each shop and among those for all: two NULLs are different to a database."""
    return [
        models.UniqueConstraint(fields=["shop", *fields], name=f"{name}_once"),
        models.UniqueConstraint(
            fields=[*fields], condition=models.Q(shop=None), name=f"{name}_once_for_all"
        ),
    ]


class SheetKind(models.TextChoices):
    ORDERS = "orders", _("orders")
    ORDER_LINES = "order_lines", _("order lines")
    CASES = "cases", _("cases")


class HeaderAlias(OfShop):
    """Another name of a column; `key` is the name as it is compared."""

    dialect = models.CharField(_("family of sheets"), max_length=20)
    #: As cases.sheets.registry knows it.
    kind = models.CharField(_("kind of sheet"), max_length=20)
    field = models.CharField(_("column"), max_length=40)
    name = models.CharField(
        _("name in your file"),
        max_length=LONGEST,
        help_text=_("As it stands in the header of the file, e.g. 实付（新）."),
    )
    key = models.CharField(max_length=LONGEST, editable=False)

    class Meta:
        verbose_name = _("column name")
        verbose_name_plural = _("column names")
        ordering = ["dialect", "kind", "field", "name"]
        constraints = once("dialect", "kind", "key", name="headeralias")
        permissions = [
            ("import_headeralias", "Can import column names"),
            ("export_headeralias", "Can export column names"),
        ]

    def __str__(self) -> str:
        return f"{self.name} = {self.field}"


class WordAlias(OfShop):
    """A word of a cell and what it means; `key` is the word as it is compared."""

    class Field(models.TextChoices):
        ORDER_STATUS = "order_status", _("order status")
        CASE_STATUS = "case_status", _("state of a case")
        KIND = "kind", _("kind of case")
        GOODS = "goods", _("where the goods are")
        REASON = "reason", _("reason")
        CATEGORY = "category", _("category")

    dialect = models.CharField(
        _("family of sheets"),
        max_length=20,
        blank=True,
        default="",
        help_text=_("Empty: in sheets of every family."),
    )
    field = models.CharField(_("kind of word"), max_length=20, choices=Field.choices)
    word = models.CharField(
        _("word in your file"),
        max_length=LONGEST,
        help_text=_("As it stands in the cell, e.g. 待揽收."),
    )
    key = models.CharField(max_length=LONGEST, editable=False)
    ours = models.CharField(_("means"), max_length=60)

    class Meta:
        verbose_name = _("word")
        verbose_name_plural = _("words")
        ordering = ["field", "word"]
        constraints = once("dialect", "field", "key", name="wordalias")
        permissions = [
            ("import_wordalias", "Can import words"),
            ("export_wordalias", "Can export words"),
        ]

    def __str__(self) -> str:
        return f"{self.word} = {self.ours}"


class SheetMapping(OfShop):
    """Every column of a sheet no dialect covers.

    ``columns``: {header: field of our native sheet, empty where it is not used}; ``words``:
    {field: {word: ours}}, the fields as in `WordAlias.Field`.
    """

    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(_("kind of sheet"), max_length=20, choices=SheetKind.choices)
    platform = models.CharField(
        _("platform"),
        max_length=10,
        choices=Platform.choices,
        blank=True,
        default="",
        help_text=_("Where the file comes from, if it is a platform's own export."),
    )
    columns = models.JSONField(_("columns"), default=dict)
    words = models.JSONField(_("words"), default=dict, blank=True)

    class Meta:
        verbose_name = _("sheet mapping")
        verbose_name_plural = _("sheet mappings")
        ordering = ["name"]
        constraints = once("name", name="sheetmapping")

    def __str__(self) -> str:
        return self.name
