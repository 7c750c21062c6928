"""Names, words and whole mappings that staff add so that the next file is understood."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from cases.admin.filters import ChoiceFilter
from cases.admin.listsheets import ListSheets
from cases.admin.scope import ShopScoped, person
from cases.flow.door import Refused
from cases.models import (
    HeaderAlias,
    ImportJob,
    Platform,
    Reason,
    SheetKind,
    SheetMapping,
    WordAlias,
)
from cases.models.shops import shop_ids_of
from cases.resources import HeaderAliasResource, WordAliasResource
from cases.sheets import dialects, mappings, registry
from cases.sheets.headers import normal


def family(code: str) -> Any:
    """How people call a family of sheets."""
    ours = {
        "native": _("Our own sheets"),
        "alibaba": _("Alibaba's invoices"),
        "foreign": _("Invoices of sellers abroad"),
        "generic": _("Sheets of other systems"),
        "platform": _("The platform's own"),
        "": _("All"),
    }
    return ours.get(code) or dict(Platform.choices).get(code, code)


def word_links(job: ImportJob) -> list[tuple[str, str]]:
    """The words of an import nobody knew, each with the page that says what it means."""
    add = reverse("admin:cases_wordalias_add")
    known = {"dialect": "" if job.found_dialect == "mapped" else job.found_dialect}
    if job.shop_id:
        known["shop"] = str(job.shop_id)
    return [
        (word, f"{add}?{urlencode({**known, 'field': list_, 'word': word})}")
        for field, word in job.unknown_words
        if (list_ := mappings.list_of(job.sheet_kind, field))
    ]


class OfShopAdmin(ShopScoped, ModelAdmin):
    """Rows of one's shops, and those for all shops, which only who sees all shops may change."""

    list_select_related = ["shop"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return ModelAdmin.get_queryset(self, request).visible_to(person(request))  # type: ignore[no-any-return]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_ours(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_ours(request, obj)

    @staticmethod
    def _is_ours(request: HttpRequest, obj: Any) -> bool:
        ids = shop_ids_of(person(request))
        return ids is None or obj is None or obj.shop_id in ids

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "shop" and shop_ids_of(person(request)) is not None:
            field.required = True
            field.help_text = _("For the files of this shop.")
            if field.queryset.count() == 1:
                field.initial = field.queryset.get().pk
        return field

    @admin.display(description=_("shop"), ordering="shop")
    def shop_shown(self, row: Any) -> Any:
        return row.shop or _("All shops")


class Form(forms.ModelForm):  # type: ignore[type-arg]
    """Asks the service what is wrong, so that the page and the import say the same."""

    def refuse(self, field: str, check: Any, *inputs: Any) -> None:
        try:
            check(*inputs)
        except Refused as refusal:
            self.add_error(field, refusal.message)

    def once(self, shown_at: str, /, **same: Any) -> None:
        """An error where this shop (or all shops) has such a row already."""
        model = type(self.instance)
        rows = model._default_manager.filter(shop=self.cleaned_data.get("shop"), **same)
        if rows.exclude(pk=self.instance.pk).exists():
            self.add_error(
                shown_at, gettext("There is one already for this shop; change that one.")
            )


def column_choices() -> list[tuple[Any, Any]]:
    """Every column of every dialect, grouped by family and kind of sheet."""
    return [
        ("", "–"),
        *(
            (
                f"{family(one.code)} · {registry.label_of(one.kind)}",
                [
                    (f"{one.code}:{one.kind}:{field}", name)
                    for field, name in mappings.columns_of(one)
                ],
            )
            for one in dialects.ALL
        ),
    ]


class HeaderForm(Form):
    column = forms.ChoiceField(
        label=_("is another name of"),
        choices=column_choices,
        widget=UnfoldAdminSelectWidget,
        help_text=_(
            "The column as we know it. Example: your file says 实付（新） where Taobao's order "
            "list says 买家实际支付金额; choose that one."
        ),
    )

    class Meta:
        model = HeaderAlias
        fields = ["name", "column", "shop"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        if row.pk:
            self.initial["column"] = f"{row.dialect}:{row.kind}:{row.field}"

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if not {"name", "column"} <= found.keys():
            return found
        name, (dialect, kind, field) = found["name"], found["column"].split(":")
        row = self.instance
        row.dialect, row.kind, row.field, row.key = dialect, kind, field, normal(name)
        self.refuse("name", mappings.check_header, dialect, kind, field, name)
        self.once("name", dialect=dialect, kind=kind, key=row.key)
        return found


class SheetFilter(ChoiceFilter):
    """By kind of sheet, of which apps add their own."""

    title = _("kind of sheet")
    parameter_name = column = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, registry.label_of(code)) for code in registry.incoming()]


@admin.register(HeaderAlias)
class HeaderAliasAdmin(ListSheets, OfShopAdmin):
    resource_classes = [HeaderAliasResource]
    form = HeaderForm
    list_display = ["name", "column_shown", "family_shown", "kind_shown", "shop_shown"]
    list_filter = [SheetFilter]
    ordering = ["name", "pk"]
    search_fields = ["name"]

    @admin.display(description=_("is another name of"), ordering="field")
    def column_shown(self, row: HeaderAlias) -> str:
        for one in dialects.by_code(row.dialect, row.kind):
            return dict(mappings.columns_of(one)).get(row.field, row.field)
        return row.field

    @admin.display(description=_("family of sheets"), ordering="dialect")
    def family_shown(self, row: HeaderAlias) -> Any:
        return family(row.dialect)

    @admin.display(description=_("kind of sheet"), ordering="kind")
    def kind_shown(self, row: HeaderAlias) -> str:
        return registry.label_of(row.kind)


def meaning_choices() -> list[tuple[Any, Any]]:
    """What a word may mean, grouped by what it speaks of."""
    return [
        ("", "–"),
        *(
            (label, [(f"{field}:{code}", name) for code, name in mappings.meanings(field)])
            for field, label in WordAlias.Field.choices
        ),
    ]


def family_choices() -> list[tuple[str, Any]]:
    return [("", _("All")), *((code, family(code)) for code in mappings.families())]


class WordForm(Form):
    dialect = forms.ChoiceField(
        label=_("family of sheets"),
        choices=family_choices,
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Where the word is written. “All”: in sheets of every family."),
    )
    meaning = forms.ChoiceField(
        label=_("means"),
        choices=meaning_choices,
        widget=UnfoldAdminSelectWidget,
        help_text=_(
            "Example: the state 待寄回 of a case means that the buyer is to send the goods back."
        ),
    )

    class Meta:
        model = WordAlias
        fields = ["word", "meaning", "dialect", "shop"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        if row.pk:
            self.initial["meaning"] = f"{row.field}:{row.ours}"
        asked = dict(WordAlias.Field.choices).get(str(self.initial.get("field")))
        if asked and not row.pk and not self.is_bound:  # the link of a word says what it speaks of
            choices = [group for group in meaning_choices() if group[0] in {"", asked}]
            meaning: Any = self.fields["meaning"]
            meaning.choices = choices

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if not {"word", "meaning"} <= found.keys():
            return found
        word, (field, _sep, ours) = found["word"], found["meaning"].partition(":")
        row = self.instance
        row.field, row.ours, row.key = field, ours, normal(word)
        self.refuse("word", mappings.check_word, field, word, ours)
        self.once("word", dialect=found.get("dialect") or "", field=field, key=row.key)
        return found


@admin.register(WordAlias)
class WordAliasAdmin(ListSheets, OfShopAdmin):
    resource_classes = [WordAliasResource]
    form = WordForm
    list_display = ["word", "means_shown", "field", "family_shown", "shop_shown"]
    list_filter = ["field"]
    ordering = ["word", "pk"]
    search_fields = ["word"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        name = "name" if (get_language() or "").startswith("zh") else "name_en"
        reasons = Reason.objects.filter(code=OuterRef("ours")).values(name)[:1]
        rows: QuerySet[Any] = super().get_queryset(request)
        rows = rows.annotate(reason_name=Subquery(reasons))
        return rows  # noqa: RET504 - mypy takes what annotate() gives for Any

    @admin.display(description=_("means"), ordering="ours")
    def means_shown(self, row: Any) -> Any:
        if row.field == WordAlias.Field.REASON:
            return row.reason_name or row.ours
        return dict(mappings.meanings(row.field)).get(row.ours, row.ours)

    @admin.display(description=_("family of sheets"), ordering="dialect")
    def family_shown(self, row: WordAlias) -> Any:
        return family(row.dialect)


class LinesField(forms.CharField):
    """Lines of `left = right` as a dictionary; an empty right side is kept."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 12}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return "\n".join(f"{left} = {right}" for left, right in value.items())
        return value

    def to_python(self, value: Any) -> Any:
        found: dict[str, str] = {}
        for line in filter(None, map(str.strip, str(value or "").splitlines())):
            left, sep, right = map(str.strip, line.rpartition("="))
            if not sep or not left:
                raise ValidationError(
                    gettext("“%(line)s” is not of the form “a = b”.") % {"line": line}
                )
            if left in found:
                raise ValidationError(gettext("“%(name)s” stands twice.") % {"name": left})
            found[left] = right
        return found


class MappingForm(Form):
    columns = LinesField(
        label=_("columns"),
        help_text=_(
            "One line for each column of your file: its name = our name, nothing after the = where "
            "it is not used. Example: 单子 = order_no, on the next line 花了 = paid_amount. Our "
            "names for orders: %(orders)s. For cases: %(cases)s."
        ),
    )
    words = LinesField(
        label=_("words"),
        required=False,
        help_text=_(
            "Words only this sheet uses, one a line: kind of word: word = what it means. Example: "
            "order status: 待揽收 = Paid. Kinds of words: %(lists)s."
        ),
    )

    class Meta:
        model = SheetMapping
        fields = ["name", "kind", "platform", "shop", "columns", "words"]
        widgets = {"name": UnfoldAdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:  # who only reads fills in nothing
            self._explain()
        columns, words = self.initial.get("columns"), self.initial.get("words")
        if isinstance(columns, dict) and isinstance(words, dict):
            told, spoken = mappings.in_words(str(self.initial["kind"]), columns, words)
            self.initial["columns"] = told
            self.initial["words"] = {
                f"{list_}: {word}": meaning
                for list_, said in spoken.items()
                for word, meaning in said.items()
            }

    def _explain(self) -> None:
        """The help texts name what may be written, in the reader's language."""
        names = {
            kind: ", ".join(name for _field, name in mappings.fields_of(kind))
            for kind in (SheetKind.ORDERS, SheetKind.CASES)
        }
        lists = ", ".join(str(label) for label in WordAlias.Field.labels)
        self.fields["columns"].help_text %= names
        self.fields["words"].help_text %= {"lists": lists}
        self.fields["kind"].choices = [  # type: ignore[attr-defined]  # no sheet of lines alone
            one for one in SheetKind.choices if one[0] != SheetKind.ORDER_LINES
        ]

    def clean_words(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for left, ours in self.cleaned_data["words"].items():
            list_, _sep, word = map(str.strip, left.partition(":"))
            found.setdefault(list_, {})[word] = ours
        return found

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if {"kind", "columns", "words", "name"} <= found.keys():
            self.once("name", name=found["name"])
            kind = found["kind"]
            found["columns"], found["words"] = columns, words = mappings.in_codes(
                kind, found["columns"], found["words"]
            )
            self.refuse("columns", mappings.check_mapping, kind, columns, words)
        return found


@admin.register(SheetMapping)
class SheetMappingAdmin(OfShopAdmin):
    form = MappingForm
    list_display = ["name", "kind", "platform", "columns_shown", "shop_shown"]
    list_filter = ["kind"]
    ordering = ["name", "pk"]
    search_fields = ["name"]

    @admin.display(description=_("columns"))
    def columns_shown(self, row: SheetMapping) -> str:
        return "、".join(row.columns)[:80]
