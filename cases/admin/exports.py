"""Exports of what a list shows: the choice of columns, one's own jobs, and the finished files."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from unfold.admin import ModelAdmin
from unfold.decorators import display

from cases.admin.filters import ShopFilter
from cases.admin.listing import filters_of, in_words, listed
from cases.admin.reauth import confirmed
from cases.admin.scope import ReadOnly, ShopScoped, person
from cases.admin.steps import dress
from cases.files.outlet import sealed
from cases.flow.door import Refused
from cases.forms.exports import ExportForm, language
from cases.looks import label, moment
from cases.models import ClearExport, ExportJob, JobStatus
from cases.sheets import exportjobs, registry
from cases.sheets.exports import count_rows
from cases.sheets.registry import kind_of
from cases.sheets.working import cancel
from cases.sheets.writer import MOST_XLSX_ROWS

if TYPE_CHECKING:
    from unfold.admin import ModelAdmin as Base
else:
    Base = object

TONES: dict[str, str] = {
    JobStatus.QUEUED: "info",
    JobStatus.RUNNING: "primary",
    JobStatus.DONE: "success",
    JobStatus.FAILED: "danger",
    JobStatus.CANCELLED: "",
}
TYPES: dict[str, str] = {
    ExportJob.Format.CSV: "text/csv; charset=utf-8",
    ExportJob.Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Shown:
    """What the list shows: its filter, the list itself, and how many rows its export has."""

    query: str
    changelist: Any
    rows: int


class ExportPages(Base):
    """Mixin for a list whose rows may leave as a file; ``export_kind`` names our sheet."""

    export_kind: ClassVar[str]

    def get_urls(self) -> Any:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=name), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = {"has_export_permission": self.has_export_permission(request)}
        answer: HttpResponse = super().changelist_view(request, {**may, **(extra_context or {})})
        return answer

    def has_export_permission(self, request: HttpRequest) -> bool:
        return exportjobs.may_export(self.export_kind, request.user)

    @method_decorator(sensitive_post_parameters("password"))
    def export_view(self, request: HttpRequest) -> HttpResponse:
        """What would be exported and how; the address has the list's own parameters."""
        if not (self.has_view_permission(request) and self.has_export_permission(request)):
            raise PermissionDenied
        query = filters_of(request.GET)
        try:
            found = listed(self.model, query, person(request))
        except Refused as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(reverse(kind_of(self.export_kind).list_page))
        rows = count_rows(self.export_kind, found.queryset, most=MOST_XLSX_ROWS + 1)
        shown = Shown(query, found, rows)
        form = ExportForm(
            request.POST if request.method == "POST" else None,
            kind=self.export_kind,
            user=request.user,
            last=self._last(request),
            csv_only=rows > MOST_XLSX_ROWS,
        )
        if form.is_valid():
            job = self._ask(request, form, shown)
            if job is not None:
                return HttpResponseRedirect(reverse("admin:cases_exportjob_change", args=[job.pk]))
        return self._choose(request, form, shown)

    def _ask(self, request: HttpRequest, form: ExportForm, shown: Shown) -> ExportJob | None:
        """The job, or None where the form now says why there is none."""
        if form.is_clear and not confirmed(request, form.cleaned_data["password"]):
            form.add_error("password", _("This is not your password."))
            return None
        try:
            return exportjobs.ask(
                person(request),
                self.export_kind,
                shown.query,
                columns=form.chosen_columns(),
                file_format=form.cleaned_data["file_format"],
                clear=form.is_clear,
                reason=form.cleaned_data.get("reason", ""),
                filter_words=in_words(shown.changelist),
                rows=shown.rows,
            )
        except Refused as refusal:
            form.add_error(None, refusal.message)
            return None

    def _choose(self, request: HttpRequest, form: ExportForm, shown: Shown) -> HttpResponse:
        request.current_app = self.admin_site.name
        back = reverse(kind_of(self.export_kind).list_page)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Export"),
            "kind": registry.label_of(self.export_kind),
            "words": in_words(shown.changelist),
            "rows": min(shown.rows, MOST_XLSX_ROWS),
            "more": shown.rows > MOST_XLSX_ROWS,
            "form": dress(form),
            "needed": registry.to_export(self.export_kind).needed,
            "days": settings.EXPORT_KEEP_DAYS,
            "back": f"{back}?{shown.query}" if shown.query else back,
        }
        return TemplateResponse(request, "cases/export.html", context)

    def _last(self, request: HttpRequest) -> ExportJob | None:
        own = ExportJob.objects.filter(created_by=person(request), kind=self.export_kind)
        return own.order_by("-pk").first()


@admin.register(ExportJob)
class ExportJobAdmin(ReadOnly, ShopScoped, ModelAdmin):
    """One's own exports: how far they are, and their files as long as they are kept."""

    list_display = [
        "number",
        "what",
        "filter_shown",
        "status_shown",
        "rows",
        "when",
        "personal",
        "file_link",
    ]
    list_display_links = ["number"]
    ordering = ["-pk"]
    sortable_by: list[str] = []

    def get_urls(self) -> Any:
        wrap = self.admin_site.admin_view
        return [
            path("<int:object_id>/file/", wrap(self.file_view), name="cases_exportjob_file"),
            path("<int:object_id>/state/", wrap(self.state_view), name="cases_exportjob_state"),
            path("<int:object_id>/cancel/", wrap(self.cancel_view), name="cases_exportjob_cancel"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return ExportJob.objects.visible_to(person(request)).order_by("-pk")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(exportjobs.may_export(kind, request.user) for kind in registry.outgoing())

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        job = self._job(request, object_id)
        request.current_app = self.admin_site.name
        layout = registry.to_export(job.kind).layout
        headers = dict(zip(layout.fields, layout.headers(language()), strict=True))
        back = reverse(kind_of(job.kind).list_page)
        context = {
            **self.admin_site.each_context(request),
            **self._state(request, job),
            "opts": self.opts,
            "title": _("Export %(no)s") % {"no": job.job_no},
            "kind": registry.label_of(job.kind),
            "columns": [headers.get(name, name) for name in job.columns],
            "all_columns": tuple(job.columns) == layout.fields,
            "list_url": f"{back}?{job.query}" if job.query and not job.removed_at else back,
            "jobs_url": reverse("admin:cases_exportjob_changelist"),
        }
        return TemplateResponse(request, "cases/export_job.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        job = self._job(request, object_id)
        return HttpResponseRedirect(reverse("admin:cases_exportjob_change", args=[job.pk]))

    def state_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """How far it is, for the page that asks every two seconds."""
        job = self._job(request, str(object_id))
        html = render_to_string("cases/export_state.html", self._state(request, job), request)
        return JsonResponse({"html": html, "running": job.is_at_work})

    def cancel_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        job = self._job(request, str(object_id))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if job.created_by_id == request.user.pk:
            cancel(job)
        return HttpResponseRedirect(reverse("admin:cases_exportjob_change", args=[job.pk]))

    def file_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The file, for its maker alone and only while he may export it still."""
        job = self._job(request, str(object_id))
        if not exportjobs.may_download(job, request.user):
            raise PermissionDenied
        if not job.file or not Path(job.file.path).is_file():
            raise Http404
        answer: Any = FileResponse(
            job.file.open("rb"),
            as_attachment=True,
            filename=f"{registry.label_of(job.kind)}-{job.job_no}.{job.file_format}",
            content_type=TYPES[job.file_format],
        )
        return sealed(answer)  # type: ignore[return-value]

    def _job(self, request: HttpRequest, object_id: str) -> ExportJob:
        if not self.has_view_permission(request):
            raise PermissionDenied
        job: ExportJob = self.get_or_404(request, object_id, "created_by")
        return job

    def _state(self, request: HttpRequest, job: ExportJob) -> dict[str, Any]:
        mine = job.created_by_id == request.user.pk
        return {
            "job": job,
            "tone": TONES.get(job.status, ""),
            "may_cancel": mine and job.is_at_work and not job.cancel_asked,
            "may_download": bool(job.file) and exportjobs.may_download(job, request.user),
            "days": settings.EXPORT_KEEP_DAYS,
        }

    @display(description=gettext_lazy("number"))
    def number(self, job: ExportJob) -> str:
        return job.job_no

    @display(description=gettext_lazy("exported list"))
    def what(self, job: ExportJob) -> str:
        return registry.label_of(job.kind)

    @display(description=gettext_lazy("filter"))
    def filter_shown(self, job: ExportJob) -> str:
        return job.filter_words or "–"

    @display(description=gettext_lazy("status"))
    def status_shown(self, job: ExportJob) -> SafeString:
        return label(job.get_status_display(), TONES.get(job.status, ""))

    @display(description=gettext_lazy("rows"))
    def rows(self, job: ExportJob) -> str:
        return f"{job.rows_done:,}"

    @display(description=gettext_lazy("at"))
    def when(self, job: ExportJob) -> str:
        return moment(job.created_at)

    @display(description=gettext_lazy("personal data"))
    def personal(self, job: ExportJob) -> Any:
        return label(_("In clear"), "warning") if job.clear else _("Masked")

    @display(description=gettext_lazy("file"))
    def file_link(self, job: ExportJob) -> SafeString | str:
        if not job.file:
            return "–"
        url = reverse("admin:cases_exportjob_file", args=[job.pk])
        return format_html('<a class="sh-link" href="{}">{}</a>', url, job.file_format.upper())


@admin.register(ClearExport)
class ClearExportAdmin(ReadOnly, ShopScoped, ModelAdmin):
    """Who took personal data of one's shops out in clear, when and why."""

    list_display = ["when", "user", "shop", "rows", "why", "job_no", "hash_shown"]
    list_display_links = None
    list_select_related = ["user", "shop", "job"]
    list_filter = [ShopFilter]
    search_fields = ["=user__username", "=job__job_no", "=sha256"]
    search_help_text = gettext_lazy("User, number of the export, hash of the file")
    ordering = ["-pk"]

    @display(description=gettext_lazy("at"), ordering="pk")
    def when(self, row: ClearExport) -> str:
        return moment(row.at)

    @display(description=gettext_lazy("reason"))
    def why(self, row: ClearExport) -> str:
        return row.reason

    @display(description=gettext_lazy("export"))
    def job_no(self, row: ClearExport) -> str:
        return row.job.job_no

    @display(description=gettext_lazy("hash of the file"))
    def hash_shown(self, row: ClearExport) -> str:
        return row.sha256[:12]
