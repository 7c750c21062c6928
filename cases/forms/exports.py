"""What a person chooses of an export: columns, format, personal data masked or in clear."""

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from cases.models import ExportJob
from cases.sheets import registry
from cases.sheets.exportjobs import columns_for, may_export_clear

ALL, OWN = "all", "own"
MASKED, CLEAR = "masked", "clear"


class ExportForm(forms.Form):
    """``columns()`` and ``is_clear`` after ``is_valid()``.

    ``kind``: of the sheet; ``last``: this person's export before this one, whose choice comes
    up again; ``csv_only``: there are more rows than an .xlsx sheet holds.
    """

    use_required_attribute = False

    file_format = forms.ChoiceField(
        label=gettext_lazy("File"),
        choices=[
            (ExportJob.Format.XLSX, gettext_lazy("XLSX: Excel and WPS, at most 1,048,575 rows")),
            (ExportJob.Format.CSV, gettext_lazy("CSV: any number of rows")),
        ],
        widget=forms.RadioSelect,
    )
    which = forms.ChoiceField(
        label=gettext_lazy("Columns"),
        choices=[
            (ALL, gettext_lazy("All columns: imported again, nothing changes")),
            (OWN, gettext_lazy("Only some columns")),
        ],
        widget=forms.RadioSelect,
    )
    columns = forms.MultipleChoiceField(
        label=gettext_lazy("Which columns"), required=False, widget=forms.CheckboxSelectMultiple
    )
    personal = forms.ChoiceField(
        label=gettext_lazy("Personal data"),
        choices=[
            (MASKED, gettext_lazy("Masked: 张**, 138****1234")),
            (CLEAR, gettext_lazy("In clear: your reason is recorded with your name")),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=gettext_lazy("Why in clear"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("What the data are needed for and where they go."),
    )
    password = forms.CharField(
        label=gettext_lazy("Your password"),
        required=False,
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=gettext_lazy("Once more, so that nobody exports at your unlocked computer."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        kind: str,
        user: Any,
        last: ExportJob | None = None,
        csv_only: bool = False,
    ) -> None:
        super().__init__(data)
        self.allowed = columns_for(kind, user)
        layout = registry.to_export(kind).layout
        headers = dict(zip(layout.fields, layout.headers(language()), strict=True))
        fields: Any = self.fields
        fields["columns"].choices = [(name, headers[name]) for name in self.allowed]
        chosen = [name for name in (last.columns if last else []) if name in self.allowed]
        fields["columns"].initial = chosen or self.allowed
        fields["which"].initial = OWN if chosen and chosen != self.allowed else ALL
        fields["file_format"].initial = last.file_format if last else ExportJob.Format.XLSX
        if csv_only:
            fields["file_format"].choices = fields["file_format"].choices[1:]
            fields["file_format"].initial = ExportJob.Format.CSV
        fields["personal"].initial = MASKED
        if not may_export_clear(kind, user):
            for name in ("personal", "reason", "password"):
                del fields[name]

    @property
    def is_clear(self) -> bool:
        return self.cleaned_data.get("personal") == CLEAR

    def chosen_columns(self) -> list[str]:
        if self.cleaned_data.get("which") == ALL:
            return self.allowed
        return [name for name in self.allowed if name in self.cleaned_data.get("columns", [])]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("which") == OWN and not self.errors and not self.chosen_columns():
            self.add_error("columns", _("Choose at least one column."))
        if self.is_clear and len(found.get("reason", "").strip()) < 2:
            self.add_error("reason", _("Say what the data in clear are needed for."))
        return found


def language() -> Any:
    """The language of the column names: that of the page, of which there are two."""
    return "zh" if (get_language() or "zh").startswith("zh") else "en"
