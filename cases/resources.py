"""What django-import-export shows in the admin, on our own loading and exports.

The page's file goes the way of every sheet (dialects, merging, the door): the preview is a trial
run of it, the confirmation the real one. Wiring: ``import_formats``, ``export_formats`` and
``export_form_class = ExportForm`` on the admin class; ``get_import_data_kwargs`` may add ``shop``
and ``errors``, ``get_export_resource_kwargs`` the ``clear`` and ``user`` of the constructor.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from import_export import resources, results
from import_export.fields import Field
from import_export.formats.base_formats import Format
from tablib import Dataset

from cases.flow.door import Actor, Refused
from cases.models import Case, Order
from cases.sheets.exports import export_rows
from cases.sheets.facts import CASES, ORDER_LINES, ORDERS
from cases.sheets.loading import Outcome, Result, import_file
from cases.sheets.reader import Unreadable
from cases.sheets.writer import LAYOUTS, Language, write_sheet

#: Longer sheets are for the command; a request must not run for minutes.
MOST_ROWS: Final = 2000

_TYPES: Final = {
    "created": results.RowResult.IMPORT_TYPE_NEW,
    "updated": results.RowResult.IMPORT_TYPE_UPDATE,
    "unchanged": results.RowResult.IMPORT_TYPE_SKIP,
    "skipped": results.RowResult.IMPORT_TYPE_SKIP,
    # Not "error", which would stop the good rows and hide these from the preview.
    "failed": results.RowResult.IMPORT_TYPE_SKIP,
}
_WORDS: Final = {
    "failed": gettext_lazy("Failed"),
    "skipped": gettext_lazy("Skipped: older"),
    "created": gettext_lazy("New"),
    "updated": gettext_lazy("Updated"),
    "unchanged": gettext_lazy("Unchanged"),
}


class Upload(Dataset):
    """The bytes as they came; our reader makes the rows of them."""

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self.raw = raw

    def __bool__(self) -> bool:
        return bool(self.raw)


class SheetFormat(Format):
    """Any spreadsheet; what it is and in which encoding, its content says."""

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding

    def get_title(self) -> str:
        return "CSV, XLSX, XLS, ODS"

    def can_import(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> Upload:
        return Upload(in_stream)


class Rows(Dataset):
    """An export on its way to the file; the rows are read from the database while it is written."""

    def __init__(self, kind: str, rows: Iterator[Sequence[Any]]) -> None:
        super().__init__()
        self.kind = kind
        self.stream = rows


class _Written(Format):
    ending = ""
    content_type = ""

    def get_title(self) -> str:
        return self.ending.upper()

    def get_extension(self) -> str:
        return self.ending

    def get_content_type(self) -> str:
        return self.content_type

    def can_export(self) -> bool:
        return True

    def export_data(self, dataset: Rows, **_kwargs: Any) -> bytes:
        language: Language = "zh" if (get_language() or "zh").startswith("zh") else "en"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"export.{self.ending}"
            write_sheet(path, LAYOUTS[dataset.kind], dataset.stream, language=language)
            return path.read_bytes()


class CsvFormat(_Written):
    ending = "csv"
    content_type = "text/csv; charset=utf-8"


class XlsxFormat(_Written):
    ending = "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


IMPORT_FORMATS: Final = [SheetFormat]
EXPORT_FORMATS: Final = [XlsxFormat, CsvFormat]


class Told(results.Error):
    """A refusal of the whole file: words for the clerk, no traceback."""

    traceback = ""


class SheetResource(resources.ModelResource):
    """``kinds``: what may be taken in here. ``clear``: personal data unmasked in the export.

    ``user``: whose shops the export is scoped to; the import takes its own from import_data().
    """

    kinds: Sequence[str] = ()

    def __init__(self, *, user: Any = None, clear: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.user = user
        self.clear = clear
        zh = (get_language() or "zh").startswith("zh")
        self.fields = {
            name: Field(attribute=None, column_name=chinese if zh else english)
            for name, english, chinese in LAYOUTS[self.kinds[0]].columns
        }

    def import_data(  # noqa: PLR0913 - what the page chose
        self,
        dataset: Upload,
        *,
        dry_run: bool = False,
        raise_errors: bool = False,
        user: Any = None,
        shop: str | None = None,
        errors: Path | str | None = None,
        **_kwargs: Any,
    ) -> results.Result:
        """The trial run of the preview, or the import; ``ours`` on the result counts rows."""
        outcomes: list[Outcome] = []
        answer = results.Result()
        answer.diff_headers = [_("Row"), _("Number"), _("Result"), _("What to know")]
        try:
            answer.ours = self._take(
                dataset,
                actor=Actor.sheet(user),
                shop=shop or None,
                dry_run=dry_run,
                errors=errors,
                watch=outcomes.append,
            )
        except (Refused, Unreadable) as problem:
            if raise_errors:
                raise
            answer.append_base_error(Told(problem.message))
            return answer
        objects = {} if dry_run else self._objects({one.label for one in outcomes}, user)
        order = list(_WORDS)
        for outcome in sorted(outcomes, key=lambda one: order.index(one.what)):
            for row in _row_results(outcome, objects, dry_run=dry_run):
                answer.append_row_result(row)
                answer.increment_row_result_total(row)
        answer.total_rows = answer.ours.rows
        if answer.ours.rows and answer.ours.failed == answer.ours.rows:
            for _row, _code, message in answer.ours.failures[:20]:
                answer.append_base_error(Told(message))
        return answer

    def _take(self, dataset: Upload, **choices: Any) -> Result:
        with tempfile.NamedTemporaryFile(suffix=".sheet") as file:
            file.write(dataset.raw)
            file.flush()
            return import_file(file.name, kinds=self.kinds, most_rows=MOST_ROWS, **choices)

    def _objects(self, labels: set[str], user: Any) -> dict[str, Any]:
        """The rows the outcomes are about, for the admin's log."""
        name = "order_no" if self._meta.model is Order else "case_no"
        found = self._meta.model._default_manager.filter(**{f"{name}__in": labels})
        if user is not None:
            found = found.visible_to(user)
        return {getattr(one, name): one for one in found}

    def get_queryset(self) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset()
        return queryset if self.user is None else queryset.visible_to(self.user)  # type: ignore[attr-defined]

    def export(self, queryset: QuerySet[Any] | None = None, **_kwargs: Any) -> Rows:
        """Rows of the orders or cases; a queryset given is narrowed to the user's shops too."""
        chosen = self.get_queryset() if queryset is None else queryset
        if self.user is not None:
            chosen = chosen.filter(pk__in=self.get_queryset().order_by().values("pk"))
        return Rows(self.kinds[0], export_rows(self.kinds[0], chosen, clear=self.clear))


def _row_results(
    outcome: Outcome, objects: dict[str, Any], *, dry_run: bool
) -> Iterator[results.RowResult]:
    found = objects.get(outcome.label)
    kind = _TYPES[outcome.what]
    if found is None and not dry_run:
        kind = results.RowResult.IMPORT_TYPE_SKIP  # the admin's log needs an object
    said = "; ".join([outcome.message, *outcome.warnings]).strip("; ")
    for number in outcome.rows:
        row = results.RowResult()
        row.import_type = kind
        row.diff = [str(number), outcome.label, str(_WORDS[outcome.what]), said]
        row.instance = found
        row.add_instance_info(found)
        yield row


class OrderResource(SheetResource):
    """Orders, and their lines where a platform writes them apart."""

    kinds = (ORDERS, ORDER_LINES)

    class Meta:
        model = Order
        fields = ()
        name = gettext_lazy("Orders")


class CaseResource(SheetResource):
    """After-sales cases."""

    kinds = (CASES,)

    class Meta:
        model = Case
        fields = ()
        name = gettext_lazy("Cases")
