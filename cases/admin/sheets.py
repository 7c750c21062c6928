"""Small spreadsheets in and out through the admin: preview first, errors in a workbook to mend."""

import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportMixin
from import_export.forms import ConfirmImportForm
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.widgets import UnfoldAdminSelectWidget

from cases.admin.scope import person
from cases.models import Shop
from cases.resources import EXPORT_FORMATS, IMPORT_FORMATS

if TYPE_CHECKING:
    from unfold.admin import ModelAdmin as Base
else:
    Base = object

TOKEN = re.compile(r"[0-9a-f]{32}\Z")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SheetImportForm(ImportForm):
    """The file, and the shop of sheets that name none."""

    shop = forms.ChoiceField(
        label=_("shop"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("For sheets that name no shop of their own."),
    )
    field_order = ["resource", "import_file", "shop", "format"]


class SheetConfirmForm(ConfirmImportForm):
    shop = forms.CharField(widget=forms.HiddenInput, required=False)


class SheetPages(ImportExportMixin, Base):
    """Mixin for an admin whose rows come and go as sheets, within the person's shops."""

    import_form_class = SheetImportForm
    confirm_form_class = SheetConfirmForm
    export_form_class = ExportForm
    import_formats = IMPORT_FORMATS
    export_formats = EXPORT_FORMATS
    skip_admin_log = None

    def get_urls(self) -> Any:
        name = f"cases_{self.opts.model_name}_mend"
        view = self.admin_site.admin_view(self.mend_view)
        return [path("import/errors/<str:token>/", view, name=name), *super().get_urls()]

    def create_import_form(self, request: HttpRequest) -> Any:
        form = super().create_import_form(request)
        shops = Shop.objects.visible_to(person(request)).filter(active=True)
        choices = [("", "–"), *((shop.code, str(shop)) for shop in shops)]
        form.fields["shop"].choices = choices
        form.fields["shop"].widget.choices = choices
        if len(choices) == 2:
            form.fields["shop"].initial = choices[1][0]
        return form

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_confirm_form_initial(request, import_form)
        if import_form is not None:
            initial["shop"] = import_form.cleaned_data.get("shop", "")
        return initial

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """What our import takes beside the file; a foreign shop is as unknown as any other word."""
        request, form = kwargs["request"], kwargs.get("form")
        shop = form.cleaned_data.get("shop", "") if form is not None else ""
        chosen: dict[str, Any] = {"shop": shop or None}
        if isinstance(form, SheetConfirmForm):
            request.mend_token = secrets.token_hex(16)
            chosen["errors"] = error_file(person(request).pk, request.mend_token)
        return chosen

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().process_import(request, **kwargs)
        except FileNotFoundError:
            messages.error(request, gettext("The uploaded file is gone. Choose it once more."))
            return HttpResponseRedirect(reverse(f"admin:cases_{self.opts.model_name}_import"))
        return response

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """After the import: counts, and where rows failed the workbook to mend."""
        if result.base_errors:
            for error in result.base_errors:
                messages.error(request, str(error.error))
            return HttpResponseRedirect(reverse(f"admin:cases_{self.opts.model_name}_import"))
        response: HttpResponse = super().process_result(result, request)
        return response

    def add_success_message(self, result: Any, request: HttpRequest) -> None:
        ours = result.ours
        counts = {
            name: getattr(ours, name)
            for name in ("rows", "created", "updated", "unchanged", "skipped", "failed")
        }
        text = (
            gettext(
                "%(rows)s rows: %(created)s new, %(updated)s updated, %(unchanged)s unchanged, "
                "%(skipped)s skipped as older, %(failed)s failed."
            )
            % counts
        )
        token = getattr(request, "mend_token", "")
        if not ours.failed or not error_file(person(request).pk, token).exists():
            messages.success(request, text)
            return
        link = reverse(f"admin:cases_{self.opts.model_name}_mend", args=[token])
        words = gettext("Download the failed rows with their reasons, mend them, import that file.")
        messages.warning(request, format_html('{} <a href="{}">{}</a>', text, link, words))

    def mend_view(self, request: HttpRequest, token: str) -> HttpResponse:
        """The failed rows of one's own import."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        file = error_file(person(request).pk, token)
        if not TOKEN.match(token) or not file.is_file():
            raise Http404
        response: Any = FileResponse(
            file.open("rb"), as_attachment=True, filename="errors.xlsx", content_type=XLSX
        )
        response["Cache-Control"] = "no-store, private"
        return response  # type: ignore[no-any-return]

    def export_action(self, request: HttpRequest) -> HttpResponse:
        try:
            response: HttpResponse = super().export_action(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(request.path)  # a filter nobody knows filters nothing
        return response

    def get_export_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {"user": request.user, "clear": False}

    def get_valid_export_item_pks(self, request: HttpRequest) -> Any:
        return self.get_queryset(request).values_list("pk", flat=True)

    def _do_file_export(
        self, file_format: Any, request: HttpRequest, queryset: Any, export_form: Any = None
    ) -> HttpResponse:
        response: HttpResponse = super()._do_file_export(
            file_format, request, queryset, export_form
        )
        LogEntry.objects.create(
            user=person(request),
            content_type=None,
            object_repr=str(self.opts.verbose_name_plural),
            action_flag=CHANGE,
            change_message=f"export {file_format.get_extension()} {queryset.count()}",
        )
        response["Cache-Control"] = "no-store, private"
        return response


def error_file(user_pk: int, token: str) -> Path:
    """Where the failed rows of one import of one person lie; the token is nobody's guess."""
    folder = Path(settings.VAR_DIR) / "imports" / "errors"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{user_pk}-{token if TOKEN.match(token) else 'none'}.xlsx"
