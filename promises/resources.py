"""Terms of promises as a small sheet, each row shown before it is taken; a change is a new row.

What stands is never edited: a row that begins when another stands and says something else is
refused; one that begins at a moment to come ends the row that would be in force then.
"""

from collections.abc import Callable
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from import_export import widgets
from import_export.fields import Field

from cases.flow import clock
from cases.models.shops import shop_ids_of
from cases.resources import OfShopResource, ShopWidget
from cases.sheets import values
from cases.sheets.dialects.words import PLATFORMS, PROMISES
from cases.sheets.headers import normal
from cases.sheets.values import BadValue, Native
from cases.sheets.writer import plain
from promises.models import Term

TERMS: Final = (
    ("promise", "Promise", "服务承诺"),
    ("platform", "Platform", "平台"),
    ("shop", "Shop", "店铺"),
    ("valid_from", "Valid from", "生效时间"),
    ("valid_to", "Valid to", "失效时间"),
    ("offer", "Offered", "提供方式"),
    ("rate", "Rate, percent", "赔付比例%"),
    ("fixed", "Set amount", "固定金额"),
    ("floor", "Not under", "最低金额"),
    ("cap", "Not over", "最高金额"),
    ("multiplier", "Times the price", "赔付倍数"),
    ("minimum_extra", "Least on top", "最低增赔"),
    ("hours", "Promised hours", "承诺小时"),
    ("window", "Claimed within", "申请期限"),
    ("since", "Counted from", "起算事件"),
    ("counted", "Counted in", "计算方式"),
    ("freight_side", "Freight borne by", "运费承担"),
    ("evidence", "Evidence", "所需凭证"),
    ("once_per_order", "One payment per order", "每单只赔一次"),
    ("source", "Source", "来源"),
)
#: What a row is known by; all else is what it says.
KEY: Final = ("promise", "platform", "shop", "valid_from")


class CellWidget(widgets.Widget):
    """A cell as our sheets are read and written; blank is None."""

    def __init__(self, parse: Callable[[Native], Any]) -> None:
        super().__init__()
        self.parse = parse

    def clean(self, value: Any, row: Any = None, **_kwargs: Any) -> Any:
        if value in {None, ""}:
            return None
        try:
            return self.parse(value)
        except BadValue as error:
            raise ValueError(f"“{value}” {error.message}") from error

    def render(self, value: Any, obj: Any = None, **_kwargs: Any) -> str:
        return plain(value)


class NumberWidget(CellWidget):
    """Rates and factors, without trailing zeros."""

    def __init__(self) -> None:
        super().__init__(values.decimal)

    def render(self, value: Any, obj: Any = None, **_kwargs: Any) -> str:
        return "" if value is None else f"{value.normalize():f}"


class WordWidget(widgets.Widget):
    """One of a field's choices, by its code, its name in the page's language, or another word."""

    def __init__(self, field: str, words: Any = None) -> None:
        super().__init__()
        self.field, self.words = field, words or {}

    def clean(self, value: Any, row: Any = None, **_kwargs: Any) -> str:
        column: Any = Term._meta.get_field(self.field)
        choices = column.choices
        known = {normal(str(name)): code for code, names in choices for name in (code, names)}
        word = normal(str(value or ""))
        if not word:
            return ""
        found = known.get(word) or self.words.get(word)
        if found is None:
            said = {"value": value, "known": ", ".join(str(code) for code, _name in choices)}
            raise ValueError(_("“%(value)s” is none of: %(known)s.") % said)
        return str(found)


class TermResource(OfShopResource):
    """Terms by promise, place and beginning."""

    columns = TERMS
    told_at = "promise"
    optional = frozenset(name for name, *_names in TERMS if name not in {"promise", "valid_from"})
    promise = Field("promise", "promise", WordWidget("promise", PROMISES))
    platform = Field("platform", "platform", WordWidget("platform", PLATFORMS))
    shop = Field("shop", "shop", ShopWidget())
    valid_from = Field("valid_from", "valid_from", CellWidget(values.moment))
    valid_to = Field("valid_to", "valid_to", CellWidget(values.moment))
    offer = Field("offer", "offer", WordWidget("offer"))
    rate = Field("rate", "rate", NumberWidget())
    fixed = Field("fixed", "fixed", CellWidget(values.money))
    floor = Field("floor", "floor", CellWidget(values.money))
    cap = Field("cap", "cap", CellWidget(values.money))
    multiplier = Field("multiplier", "multiplier", NumberWidget())
    minimum_extra = Field("minimum_extra", "minimum_extra", CellWidget(values.money))
    hours = Field("hours", "hours", CellWidget(values.pieces))
    window = Field("window", "window", CellWidget(values.pieces))
    since = Field("since", "since", WordWidget("since"))
    counted = Field("counted", "counted", WordWidget("counted"))
    freight_side = Field("freight_side", "freight_side", WordWidget("freight_side"))
    evidence = Field("evidence", "evidence", WordWidget("evidence"))
    once_per_order = Field("once_per_order", "once_per_order", CellWidget(values.truth))

    class Meta:
        model = Term
        fields = tuple(name for name, *_names in TERMS)
        import_id_fields = KEY
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True

    def get_queryset(self) -> QuerySet[Any]:
        """The rows for every shop, and those of one's own."""
        rows, ids = Term.objects.select_related("shop"), shop_ids_of(self.user)
        return rows if ids is None else rows.filter(Q(shop=None) | Q(shop__in=ids))

    def init_instance(self, row: Any = None) -> Term:
        return Term()

    def import_field(self, field: Any, instance: Any, row: Any, *args: Any, **kwargs: Any) -> None:
        """A blank word means what a new row begins with; a blank number means none."""
        if isinstance(field.widget, WordWidget | CellWidget) and field.column_name in row:
            blank = row[field.column_name] in {None, ""}
            column: Any = Term._meta.get_field(field.attribute)
            default = column.get_default()
            if blank and default not in {None, ""} and not instance.pk:
                return
        super().import_field(field, instance, row, *args, **kwargs)

    def check(self, instance: Any) -> None:
        """As on the page: who may change terms may change those of every shop."""
        if instance.pk:
            self._check_kept(instance)
            return
        if instance.valid_from is None or instance.valid_from <= clock.now():
            raise ValidationError(
                {"valid_from": _("Enter a moment to come: what is paid already keeps its terms.")}
            )
        self._end_what_stands(instance)

    def _check_kept(self, instance: Term) -> None:
        stands = Term.objects.get(pk=instance.pk)
        names = [name for name in self._meta.fields if name not in {"valid_to", "source"}]
        changed = [n for n in names if getattr(stands, n) != getattr(instance, n)]
        if not changed:
            instance.valid_to, instance.source = stands.valid_to, stands.source
            return
        columns = ", ".join(self._shown(name) for name in changed)
        message = _(
            "These terms stand and are not edited (%(columns)s). Give the new ones a later "
            "beginning."
        )
        raise ValidationError({"valid_from": message % {"columns": columns}})

    def _end_what_stands(self, instance: Term) -> None:
        """The row in force when this one begins ends there; this one ends where that one would."""
        begins: Any = instance.valid_from
        same = Term.objects.select_for_update(of=("self",)).filter(
            promise=instance.promise, platform=instance.platform, shop=instance.shop
        )
        old = next((row for row in same if row.holds_at(begins)), None)
        if old is None or old.valid_from == instance.valid_from:
            return
        instance.valid_to = instance.valid_to or old.valid_to
        old.valid_to = instance.valid_from
        old.save(update_fields=["valid_to"])
