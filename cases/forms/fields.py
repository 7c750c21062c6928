"""Form fields of our trade: yuan, pieces per order line, rows by their code, moments, evidence."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.files import FileRefused, SafeFile, inspect
from cases.models.money import LIMIT, cents

MOST_PIECES = 1_000_000
_BETWEEN = re.compile(r"[\s,，;；]+")


class YuanField(forms.DecimalField):
    """An amount in yuan with at most two decimals, not below ``least``."""

    def __init__(self, *, least: str = "0.00", **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(min_value=Decimal(least), max_value=LIMIT, **kwargs)
        self.widget.attrs.update({"step": "0.01", "inputmode": "decimal"})

    def clean(self, value: Any) -> Decimal | None:
        amount = super().clean(value)
        if amount is None:
            return None
        if amount != cents(amount):
            raise ValidationError(
                _("%(value)s yuan has more than two decimals; the smallest unit is 0.01."),
                code="bad_value",
                params={"value": value},
            )
        return cents(amount)


class SuggestedField(forms.CharField):
    """A short text with suggestions; any other word is taken too."""

    def __init__(self, suggestions: Sequence[tuple[str, str | Promise]], **kwargs: Any) -> None:
        kwargs.setdefault("widget", SuggestingInput(suggestions))
        super().__init__(**kwargs)


class SuggestingInput(forms.TextInput):
    """A text input with a list of proposals the browser shows."""

    def __init__(self, suggestions: Sequence[tuple[str, str | Promise]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.suggestions = suggestions

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        list_id = f"{(attrs or {}).get('id', name)}_suggestions"
        field = super().render(name, value, {**(attrs or {}), "list": list_id}, renderer)
        options = format_html_join("", '<option value="{}">{}</option>', self.suggestions)
        return format_html('{}<datalist id="{}">{}</datalist>', field, list_id, options)


class CodeField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A row of reference data by its code; an unknown one is refused with the known ones named."""

    def __init__(self, queryset: Any, *, by: str = "code", **kwargs: Any) -> None:
        super().__init__(queryset, to_field_name=by, **kwargs)

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except ValidationError as error:
            rows: Any = self.queryset
            codes = rows.values_list(self.to_field_name or "pk", flat=True)
            known = ", ".join(str(code) for code in codes[:40])
            raise ValidationError(
                _("“%(value)s” is not known here. Known: %(known)s."),
                code="bad_value",
                params={"value": value, "known": known or _("none")},
            ) from error


class WordField(forms.ChoiceField):
    """One of a few words; another is refused with the known ones named."""

    def validate(self, value: Any) -> None:
        forms.Field.validate(self, value)
        if value and not self.valid_value(value):
            choices = cast("list[tuple[str, str]]", self.choices)
            known = ", ".join(str(code) for code, _label in choices if code)
            raise ValidationError(
                _("“%(value)s” is not known here. Known: %(known)s."),
                code="bad_value",
                params={"value": value, "known": known},
            )


class MomentField(forms.Field):
    """A moment as ISO 8601; without an offset it is meant in the shop's time zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")

    def prepare_value(self, value: Any) -> Any:
        return value.astimezone(self.zone) if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        return value if isinstance(value, datetime) else moment_of(str(value), self.zone)


def moment_of(text: str, zone: ZoneInfo) -> datetime:
    """ISO 8601 text as an aware moment; ValidationError where it is no date and time."""
    try:
        moment = parse_datetime(text.strip())
    except ValueError:
        moment = None
    if moment is None or not 2000 <= moment.year <= 2100:
        raise ValidationError(
            _("“%(value)s” is no date and time. Write it as 2026-03-01T15:20:00+08:00."),
            code="bad_value",
            params={"value": text},
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


@dataclass(frozen=True)
class LineChoice:
    """An order line that may be named: by its number or its sub-order number."""

    pk: int
    line_no: int
    sub_order_no: str
    label: str
    pieces: int

    def is_named(self, text: str) -> bool:
        return text == str(self.line_no) or bool(text and text == self.sub_order_no)


class PerLineInput(forms.Widget):
    """One input per order line (``line_1``); ``line=1:2`` as commands write it is read as well."""

    def __init__(self, *, numbers: bool = True) -> None:
        super().__init__()
        self.numbers = numbers
        self.choices: Sequence[LineChoice] = ()

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        given = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
        words = [given] if isinstance(given, str) else [str(g) for g in given or ()]
        for choice in self.choices:
            cell = str(data.get(f"{name}_{choice.line_no}", "") or "").strip()
            if cell and self.numbers:
                words.append(f"{choice.line_no}:{cell}")
            elif cell:
                words += [
                    f"{choice.line_no}:{part}" for part in re.split(r"[\s,，;；]+", cell) if part
                ]
        return words

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not self.value_from_datadict(data, files, name)

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_{self.choices[0].line_no}" if id_ and self.choices else ""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        kept = self._kept(value)
        kind = "number" if self.numbers else "text"
        prefix = (attrs or {}).get("id", f"id_{name}")
        css = (attrs or {}).get("class", self.attrs.get("class", ""))
        row = (
            '<li><label for="{0}_{1}">{2}</label><input type="{3}" min="0" name="{4}_{1}" '
            'id="{0}_{1}" value="{5}" class="{6}"></li>'
        )
        rows = format_html_join(
            "",
            row,
            (
                (prefix, c.line_no, c.label, kind, name, kept.get(c.pk, ""), css)
                for c in self.choices
            ),
        )
        return format_html('<ul class="per-line">{}</ul>', rows)

    def _kept(self, value: Any) -> dict[int, str]:
        """What stands in the inputs: an initial {pk: pieces} or the words posted."""
        if isinstance(value, dict):
            return {pk: str(v) for pk, v in value.items()}
        kept: dict[int, str] = {}
        for word in value or ():
            named, _colon, rest = str(word).rpartition(":")
            for choice in self.choices:
                if choice.is_named(named.strip()):
                    kept[choice.pk] = f"{kept[choice.pk]} {rest}" if choice.pk in kept else rest
        return kept


class _PerLineField(forms.Field):
    """Words ``LINE:SOMETHING``, where LINE is the line's number or its sub-order number."""

    wanted: str | Promise = ""

    def __init__(self, *, numbers: bool, **kwargs: Any) -> None:
        super().__init__(widget=PerLineInput(numbers=numbers), **kwargs)
        self._lines: Sequence[LineChoice] = ()

    @property
    def lines(self) -> Sequence[LineChoice]:
        return self._lines

    @lines.setter
    def lines(self, lines: Sequence[LineChoice]) -> None:
        self._lines = lines
        self.widget.choices = lines

    def pairs(self, value: Iterable[str]) -> list[tuple[LineChoice, str]]:
        words = [w for item in value or () for w in _BETWEEN.split(str(item)) if w]
        return [self._pair(word) for word in words]

    def _pair(self, word: str) -> tuple[LineChoice, str]:
        named, colon, rest = word.replace("：", ":").partition(":")
        if not colon or not rest:
            raise ValidationError(
                _("“%(word)s” cannot be read. Write %(wanted)s."),
                code="bad_value",
                params={"word": word, "wanted": self.wanted},
            )
        for choice in self.lines:
            if choice.is_named(named):
                return choice, rest
        raise ValidationError(
            _("There is no line %(line)s here. Lines: %(known)s."),
            code="unknown",
            params={"line": named, "known": ", ".join(str(c.line_no) for c in self.lines)},
        )


class PiecesField(_PerLineField):
    """Pieces per order line: ``{order_line_pk: pieces}``; ``zero``: none of a line may be said."""

    wanted = gettext_lazy("LINE:PIECES, for example 1:2")

    def __init__(self, *, zero: bool = False, **kwargs: Any) -> None:
        super().__init__(numbers=True, **kwargs)
        self.zero = zero

    def to_python(self, value: Any) -> dict[int, int]:
        pieces: dict[int, int] = {}
        for choice, text in self.pairs(value):
            if choice.pk in pieces:
                raise ValidationError(
                    _("Line %(line)s is given twice. Give each line once, with all its pieces."),
                    code="bad_value",
                    params={"line": choice.line_no},
                )
            pieces[choice.pk] = self._count(choice, text)
        return pieces

    def _count(self, choice: LineChoice, text: str) -> int:
        least = 0 if self.zero else 1
        count = int(text) if re.fullmatch(r"[0-9]{1,7}", text) else -1
        if not least <= count <= MOST_PIECES:
            raise ValidationError(
                _("“%(text)s” pieces of line %(line)s cannot be: a whole number from %(least)s."),
                code="bad_value",
                params={"text": text, "line": choice.line_no, "least": least},
            )
        return count


class SerialsField(_PerLineField):
    """Serial numbers per order line: ``{order_line_pk: [serial, …]}``."""

    wanted = gettext_lazy("LINE:SERIAL, for example 1:SN0001")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(numbers=False, **kwargs)

    def to_python(self, value: Any) -> dict[int, list[str]]:
        serials: dict[int, list[str]] = {}
        for choice, text in self.pairs(value):
            of_line = serials.setdefault(choice.pk, [])
            if text in of_line:
                raise ValidationError(
                    _("Serial number %(serial)s is given twice."),
                    code="bad_value",
                    params={"serial": text},
                )
            of_line.append(text[:100])
        return serials


class Files(forms.ClearableFileInput):
    """Several files in one input."""

    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        given = files.getlist(name) if hasattr(files, "getlist") else files.get(name, [])
        return list(given) if isinstance(given, (list, tuple)) else [given]


class EvidenceField(forms.Field):
    """Pictures, papers and videos, checked by their content and cleaned (``[SafeFile]``)."""

    widget = Files
    most = 20

    def to_python(self, value: Any) -> list[SafeFile]:
        files = [f for f in value or () if f]
        if len(files) > self.most:
            raise ValidationError(
                _("%(count)s files at once are too many: up to %(most)s."),
                code="bad_value",
                params={"count": len(files), "most": self.most},
            )
        return [self._checked(upload) for upload in files]

    def _checked(self, upload: Any) -> SafeFile:
        try:
            return inspect(upload, name=upload.name)
        except FileRefused as refusal:
            raise ValidationError(
                "%(name)s: %(why)s", code="bad_value", params={"name": upload.name, "why": refusal}
            ) from refusal
