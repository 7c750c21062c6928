"""The forms of the import wizard: the file, and which of its columns is which field."""

from collections import Counter
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.flow.door import Refused
from cases.models import ImportJob, SheetMapping, Shop
from cases.sheets import mappings, registry
from cases.sheets.looking import OWN, Look

_NOT_USED = ("", gettext_lazy("– not used –"))


def shop_field(user: Any) -> forms.ChoiceField:
    """The shop of sheets that name none; chosen already where there is only one."""
    shops = Shop.objects.visible_to(user).filter(active=True)
    choices = [("", "–"), *((shop.code, str(shop)) for shop in shops)]
    return forms.ChoiceField(
        label=_("shop"),
        required=False,
        choices=choices,
        initial=choices[1][0] if len(choices) == 2 else "",
        help_text=_("For sheets that name no shop of their own. It beats what the sheet says."),
    )


class UploadForm(forms.Form):
    """The file as it came from the platform."""

    file = forms.FileField(
        label=gettext_lazy("file"),
        help_text=gettext_lazy(
            "CSV, XLSX, XLS or ODS, as the platform gave it: orders, order lines or after-sales."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx,.xls,.ods"}),
    )
    round_half_up = forms.BooleanField(
        label=gettext_lazy("round amounts with three decimals"),
        required=False,
        help_text=gettext_lazy("Else rows with such amounts come back as failed."),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shop"] = shop_field(user)
        self.order_fields(["file", "shop", "round_half_up"])


class ColumnsForm(forms.Form):
    """Each column of the sheet and the field it is, drawn as a table."""

    def __init__(self, data: Any = None, *, seen: Look, user: Any, job: ImportJob) -> None:
        super().__init__(data)
        self.seen = seen
        self.fields["shop"] = shop_field(user)
        self.fields["shop"].initial = job.shop_code or self.fields["shop"].initial
        known = {c.header: c.field for c in seen.columns}
        chosen = {**known, **{h: f for h, f in job.columns.items() if h in known}}
        if isinstance(job.mapping, dict):
            chosen.update({h: f for h, f in job.mapping["columns"].items() if h in known})
        self.user = user
        #: The mapping that was saved by this form.
        self.saved: SheetMapping | None = None
        if seen.layout.startswith(f"{OWN}/") and user.has_perm("cases.add_sheetmapping"):
            self.fields["save_as"] = forms.CharField(
                label=_("save as a layout of our own, named"),
                required=False,
                max_length=60,
                help_text=_("Files with these columns are then recognised by themselves."),
            )
        choices = [_NOT_USED, *seen.fields()]
        fields = {field for field, _name in choices}
        for at, column in enumerate(seen.columns):
            field = chosen[column.header]
            self.fields[f"c{at}"] = forms.ChoiceField(
                label=column.header,
                required=False,
                choices=choices,
                initial=field if field in fields else "",
            )

    def rows(self) -> list[dict[str, Any]]:
        """A column's header, samples and choice; without those that seem to be blank."""
        return [row for row in self._rows() if not row["blank"]]

    def blank_rows(self) -> list[dict[str, Any]]:
        """Columns that nobody is likely to ask for."""
        return [row for row in self._rows() if row["blank"]]

    def _rows(self) -> list[dict[str, Any]]:
        found = []
        for at, column in enumerate(self.seen.columns):
            choice = self[f"c{at}"]
            unused = not choice.value()
            blank = column.is_blank and unused and not choice.errors
            found.append({"column": column, "choice": choice, "unused": unused, "blank": blank})
        return found

    def columns(self) -> dict[str, str]:
        """Header → field, "" for a column that is not used."""
        given = self.cleaned_data
        return {c.header: given.get(f"c{at}", "") for at, c in enumerate(self.seen.columns)}

    def _of_no_shop(self, columns: dict[str, str], shop: str | None) -> bool:
        """New orders need a shop; lines and cases find theirs by the order's number."""
        named = {"shop", "shop_code", "shop_name"} & set(columns.values())
        needed = registry.incoming()[self.seen.where.dialect.kind].names_shop
        return needed and not (shop or named)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        columns = self.columns()
        names = dict(self.seen.fields())
        for field, count in Counter(filter(None, columns.values())).items():
            if count > 1:
                said = {"field": names.get(field, field)}
                self.add_error(None, _("“%(field)s” is chosen for several columns.") % said)
        if self._of_no_shop(columns, given.get("shop")):
            self.add_error("shop", _("The sheet does not say which shop it is from: choose it."))
        if missing := self.seen.missing(columns, given.get("shop")):
            said = {"names": _(", ").join(missing)}
            text = _("No column is chosen for what every row needs: %(names)s.") % said
            self.add_error(None, text)
        if not self.errors and given.get("save_as"):
            self._save(given["save_as"], given.get("shop"), columns)
        return given

    def _save(self, name: str, code: str | None, columns: dict[str, str]) -> None:
        shop = Shop.objects.visible_to(self.user).filter(code=code).first() if code else None
        kind = self.seen.where.dialect.kind
        try:
            self.saved = mappings.save(name, shop, kind, columns, by=self.user)
        except Refused as refusal:
            self.add_error("save_as", refusal.message)
