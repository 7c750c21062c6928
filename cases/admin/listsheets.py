"""The pages that take a reference list in from a small sheet, after a preview, and give it out."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import storages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from import_export.admin import ImportExportMixin
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from cases.admin.scope import person
from cases.resources import FORMATS
from cases.sheets.reader import Unreadable

_FOLDER = "django-import-export"  # where the package keeps what waits to be confirmed


class ListImportForm(ImportForm):
    """Nobody uploads a hundred megabytes here."""

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > settings.LIST_SHEET_MOST_BYTES:
            most = filesizeformat(settings.LIST_SHEET_MOST_BYTES)
            raise ValidationError(gettext("The file is larger than %(most)s.") % {"most": most})
        return file


class ListSheets(ImportExportMixin):
    """Mixin for a ModelAdmin, before it; ``resource_classes`` says which list."""

    import_form_class = ListImportForm
    export_form_class = ExportForm
    formats = FORMATS

    def has_import_permission(self, request: HttpRequest) -> bool:
        """A sheet does what the form does: who may not do that may not import either."""
        return bool(
            super().has_import_permission(request)
            and self.has_add_permission(request)
            and self.has_change_permission(request)
        )

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_export_permission(request) and self.has_view_permission(request))

    def get_resource_kwargs(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return {"user": person(request)}

    def get_valid_export_item_pks(self, request: HttpRequest) -> QuerySet[Any]:
        return self.get_queryset(request).values_list("pk", flat=True)  # type: ignore[no-any-return]

    def write_to_tmp_storage(self, import_file: Any, input_format: Any) -> Any:
        """What nobody confirmed within a day is gone."""
        kept = storages["import_export"]
        before = timezone.now() - timedelta(days=1)
        names = kept.listdir(_FOLDER)[1] if kept.exists(_FOLDER) else []
        for name in (f"{_FOLDER}/{name}" for name in names):
            if kept.get_modified_time(name) < before:
                kept.delete(name)
        return super().write_to_tmp_storage(import_file, input_format)

    def add_data_read_fail_error_to_form(self, form: Any, error: Exception) -> None:
        if not isinstance(error, Unreadable):
            raise error
        form.add_error("import_file", error.message)

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Takes what was previewed; once, and not what is none of it."""
        if request.method == "POST" and not self.has_import_permission(request):
            raise PermissionDenied
        try:
            return super().process_import(request, **kwargs)  # type: ignore[no-any-return]
        except (OSError, ValueError, IndexError, Unreadable):
            return self._again(request, gettext("This file was taken already, or is gone."))

    def process_dataset(self, dataset: Any, form: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["rollback_on_validation_errors"] = True
        return super().process_dataset(dataset, form, request, **kwargs)

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """All or nothing, also where something changed between preview and confirmation."""
        if result.has_errors() or result.has_validation_errors():
            return self._again(
                request, gettext("Nothing was imported: the list no longer passes its checks.")
            )
        return super().process_result(result, request)  # type: ignore[no-any-return]

    def _again(self, request: HttpRequest, what: str) -> HttpResponse:
        messages.error(request, f"{what} {gettext('Upload the file again.')}")
        app, model = self.get_model_info()
        return HttpResponseRedirect(reverse(f"admin:{app}_{model}_import"))
