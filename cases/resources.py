"""Reference lists as small sheets, each row shown before it is taken: calendar, names, words.

Orders and cases, of any size, go another way: cases.admin.imports.
"""

import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from import_export import resources, results, widgets
from import_export.fields import Field
from import_export.formats.base_formats import Format
from tablib import Dataset

from cases import calendars
from cases.flow.door import Refused
from cases.models import CalendarDay, HeaderAlias, Shop, WordAlias
from cases.models.shops import shop_ids_of
from cases.sheets import mappings, values
from cases.sheets.guard import kind_of
from cases.sheets.headers import normal
from cases.sheets.reader import Table, Unreadable, open_sheet
from cases.sheets.writer import Layout, write_sheet

CALENDAR: Final = (
    ("day", "Day", "日期"),
    ("working", "Working day", "上班"),
    ("name", "Name", "名称"),
)
HEADERS: Final = (
    ("shop", "Shop", "店铺"),
    ("dialect", "Family of sheets", "表格来源"),
    ("kind", "Kind of sheet", "表格类型"),
    ("field", "Column", "列"),
    ("name", "Name in your file", "文件中的列名"),
)
WORDS: Final = (
    ("shop", "Shop", "店铺"),
    ("dialect", "Family of sheets", "表格来源"),
    ("field", "Kind of word", "用词类别"),
    ("word", "Word in your file", "文件中的词"),
    ("ours", "Means", "含义"),
)
_KNOWN: Final = frozenset(
    normal(name) for columns in (CALENDAR, HEADERS, WORDS) for names in columns for name in names
)


class ListData(Dataset):
    """Rows as texts; ``numbers``: each row's number as the spreadsheet program shows it."""

    def __init__(self, headers: Sequence[str]) -> None:
        super().__init__(headers=headers)
        self.numbers: list[int] = []


class ListFormat(Format):
    """CSV or XLSX, read and written by our own guarded reader and writer."""

    extension = ""
    content_type = "application/octet-stream"

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding  # the reader finds it out

    def get_title(self) -> str:
        return self.extension.upper() or "CSV, XLSX"

    def get_extension(self) -> str:
        return self.extension

    def get_content_type(self) -> str:
        return self.content_type

    def can_import(self) -> bool:
        return not self.extension  # the content says which of the two it is

    def can_export(self) -> bool:
        return bool(self.extension)

    def create_dataset(self, in_stream: bytes) -> ListData:
        """The rows of a file; raises Unreadable with a message for the user."""
        with tempfile.NamedTemporaryFile(suffix=".sheet") as file:
            file.write(in_stream)
            file.flush()
            if kind_of(Path(file.name)) not in {"csv", "xlsx"}:
                raise Unreadable("not_a_sheet", _("Save the list as CSV or XLSX."))
            with open_sheet(file.name, known=_KNOWN) as table:
                return _data(table)

    def export_data(self, dataset: Dataset, **_kwargs: Any) -> bytes:
        headers = dataset.headers or ()
        with tempfile.NamedTemporaryFile(suffix=f".{self.extension}") as file:
            layout = Layout(tuple((header, header, header) for header in headers))
            write_sheet(file.name, layout, list(dataset))
            return Path(file.name).read_bytes()


class CsvFormat(ListFormat):
    """For Excel, WPS and everything else."""

    extension = "csv"
    content_type = "text/csv"


class XlsxFormat(ListFormat):
    """Every cell a text."""

    extension = "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


FORMATS: Final = [ListFormat, CsvFormat, XlsxFormat]


def _data(table: Table) -> ListData:
    data = ListData(table.headers)
    most = settings.LIST_SHEET_MOST_ROWS
    for row in islice(table, most + 1):
        if row.problem:
            told = {"row": row.number, "problem": row.problem}
            raise Unreadable("damaged", _("Row %(row)s: %(problem)s.") % told)
        data.append([values.text(cell) for cell in row.values])
        data.numbers.append(row.number)
    if len(data) > most:
        raise Unreadable("too_big", _("A list has at most %(most)s rows.") % {"most": most})
    if table.skipped["totals"]:
        raise Unreadable(
            "totals", _("A row begins like a sum; take it out, or begin it otherwise.")
        )
    return data


class Told(results.Error):
    """A refusal of the whole file: words for the clerk, no traceback."""

    traceback = ""


class Change(resources.Diff):
    """A cell before and after, without the style attributes our security policy forbids."""

    def as_html(self) -> list[Any]:
        return [
            new if self.new or old == new else format_html("<del>{}</del> <ins>{}</ins>", old, new)
            for old, new in zip(self.left, self.right, strict=True)
        ]


class WorkingWidget(widgets.Widget):
    """Yes and no, in the words of either language."""

    def clean(self, value: Any, row: Any = None, **_kwargs: Any) -> bool:
        word = str(value).casefold()
        if word not in calendars.WORKING_WORDS:
            raise ValueError(_("“%(value)s”: write yes or no (是, 否).") % {"value": value})
        return calendars.WORKING_WORDS[word]

    def render(self, value: Any, obj: Any = None, **_kwargs: Any) -> str:
        return _("yes") if value else _("no")


class DayWidget(widgets.Widget):
    """A day as spreadsheets write it."""

    def clean(self, value: Any, row: Any = None, **_kwargs: Any) -> Any:
        try:
            moment = values.moment(value)
        except values.BadValue as error:
            raise ValueError(f"“{value}” {error.message}") from error
        if moment is None:
            raise ValueError(_("write a day like 2027-01-01"))
        return moment.date()


class ShopWidget(widgets.ForeignKeyWidget):
    """A shop by its code; one of another person is unknown."""

    user: Any = None

    def __init__(self) -> None:
        super().__init__(Shop, "code")

    def clean(self, value: Any, row: Any = None, **_kwargs: Any) -> Shop | None:
        if not value:
            return None
        ids = shop_ids_of(self.user)
        shop = Shop.objects.filter(code=value).first()
        if shop is None or (ids is not None and shop.pk not in ids):
            raise ValueError(_("There is no shop “%(code)s”.") % {"code": value})
        return shop


class ListResource(resources.ModelResource):
    """``user`` is who imports or exports; ``columns`` name each field in both languages."""

    columns: Sequence[tuple[str, str, str]] = ()
    optional: frozenset[str] = frozenset()
    told_at = ""  # the field that is named when a row as a whole is refused

    def __init__(self, user: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.user = user
        self.seen: set[tuple[Any, ...]] = set()
        chinese = (get_language() or "zh").startswith("zh")
        for field, english, name in self.columns:
            self.fields[field].column_name = name if chinese else english

    @classmethod
    def get_error_result_class(cls) -> type[results.Error]:
        return Told

    @classmethod
    def get_diff_class(cls) -> type[resources.Diff]:
        return Change

    def import_data(self, dataset: ListData, *args: Any, **kwargs: Any) -> results.Result:
        """Refusals are told by the columns and row numbers the reader sees in his file."""
        self.seen.clear()
        try:
            self._name_columns(dataset)
        except Refused as refusal:
            answer = results.Result()
            answer.append_base_error(Told(refusal.message))
            return answer
        answer = super().import_data(dataset, *args, **kwargs)
        for bad in answer.invalid_rows:
            bad.number = dataset.numbers[bad.number - 1]
            bad.error_dict = {self._shown(name): told for name, told in bad.error_dict.items()}
        return answer

    def _shown(self, field: str) -> str:
        return self.fields[field].column_name if field in self.fields else field

    def _name_columns(self, dataset: ListData) -> None:
        """Headers of either language become ours; unknown and missing columns are refused."""
        ours = {
            normal(name): self.fields[names[0]].column_name
            for names in self.columns
            for name in names
        }
        told = {"known": ", ".join(dict.fromkeys(ours.values()))}
        given = dataset.headers or []
        if strange := [header for header in given if normal(header) not in ours]:
            message = _("The list has no column “%(names)s”; its columns are: %(known)s.")
            raise Refused(message % {"names": ", ".join(strange), **told}, "bad_value")
        headers = [ours[normal(header)] for header in given]
        needed = {self._shown(name) for name, *_names in self.columns if name not in self.optional}
        if len({*headers}) < len(headers) or needed - {*headers}:
            message = _("The list needs each of its columns once: %(known)s.")
            raise Refused(message % told, "bad_value")
        dataset.headers = headers

    def get_instance(self, instance_loader: Any, row: Any) -> Any:
        """The row this one is about, among those the person sees."""
        try:
            key = self.key_of(row)
        except ValueError:
            return None  # told of when the fields are filled
        if tuple(key.values()) in self.seen:
            raise ValidationError({self.told_at: _("This row stands twice in the file.")})
        self.seen.add(tuple(key.values()))
        return self.get_queryset().filter(**key).first()

    def key_of(self, row: Any) -> dict[str, Any]:
        """What a row is known by."""
        return {name: self.fields[name].clean(row) for name in self._meta.import_id_fields}

    def validate_instance(self, instance: Any, *args: Any, **kwargs: Any) -> None:
        errors = dict((args[0] if args else None) or {})
        if not errors:
            try:
                self.check(instance)
            except Refused as refusal:
                raise ValidationError({self.told_at: refusal.message}) from refusal
        super().validate_instance(instance, *args, **kwargs)

    def check(self, instance: Any) -> None:
        """Raises Refused or ValidationError as the form of this list does."""


class CalendarDayResource(ListResource):
    """Days that are not what their weekday says, as the State Council's notice names them."""

    columns = CALENDAR
    told_at = "day"
    optional = frozenset({"name"})
    day = Field("day", "day", DayWidget())
    working = Field("working", "working", WorkingWidget())

    class Meta:
        model = CalendarDay
        fields = ("day", "working", "name")
        import_id_fields = ("day",)
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.years: set[int] = set()

    def after_save_instance(self, instance: CalendarDay, row: Any, **_kwargs: Any) -> None:
        self.years.add(instance.day.year)

    def after_import(self, dataset: Dataset, result: results.Result, **kwargs: Any) -> None:
        super().after_import(dataset, result, **kwargs)
        if not result.has_validation_errors():
            calendars.refuse_part_of_a_year(sorted(self.years))


class OfShopResource(ListResource):
    """Rows of one's shops; those for all shops are changed by who sees all shops."""

    shop = Field("shop", "shop", ShopWidget())

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fields["shop"].widget.user = self.user

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().visible_to(self.user)  # type: ignore[no-any-return]

    def check(self, instance: Any) -> None:
        if instance.shop is None and shop_ids_of(self.user) is not None:
            message = _("Name one of your shops; you may not change what is for all.")
            raise ValidationError({"shop": message})


class HeaderAliasResource(OfShopResource):
    """Other names of columns."""

    columns = HEADERS
    told_at = "name"

    class Meta:
        model = HeaderAlias
        fields = ("shop", "dialect", "kind", "field", "name")
        import_id_fields = ("shop", "dialect", "kind", "name")
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True

    def key_of(self, row: Any) -> dict[str, Any]:
        key = super().key_of(row)
        return {**key, "key": normal(key.pop("name"))}

    def check(self, instance: HeaderAlias) -> None:
        super().check(instance)
        instance.key = normal(instance.name)
        mappings.check_header(instance.dialect, instance.kind, instance.field, instance.name)


class WordAliasResource(OfShopResource):
    """Words of cells and what they mean."""

    columns = WORDS
    told_at = "word"

    class Meta:
        model = WordAlias
        fields = ("shop", "dialect", "field", "word", "ours")
        import_id_fields = ("shop", "dialect", "field", "word")
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True

    def key_of(self, row: Any) -> dict[str, Any]:
        key = super().key_of(row)
        return {**key, "key": normal(key.pop("word"))}

    def check(self, instance: WordAlias) -> None:
        super().check(instance)
        instance.key = normal(instance.word)
        if instance.dialect not in {"", *mappings.families()}:
            raise Refused(_("There is no family of sheets “%s”.") % instance.dialect, "bad_value")
        mappings.check_word(instance.field, instance.word, instance.ours)
