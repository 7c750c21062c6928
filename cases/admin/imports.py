"""The import wizard: upload, columns, check, preview, confirmation, progress, what came of it.

Each page shows the job's row as it stands, so it survives a reload; what acts is a POST.
"""

import tempfile
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from cases.admin.filters import ChoiceFilter, ShopFilter
from cases.admin.jobrows import Preview, progress_words
from cases.admin.mappings import word_links
from cases.admin.scope import ReadOnly, ShopScoped, person
from cases.admin.steps import dress
from cases.files.outlet import sealed
from cases.flow.door import Refused
from cases.forms.imports import ColumnsForm, UploadForm
from cases.looks import label, moment
from cases.models import ImportJob, JobStatus
from cases.models.shops import shop_ids_of
from cases.sheets import jobs, registry, working
from cases.sheets.facts import ORDERS
from cases.sheets.looking import OWN, SAVED, Look, choices, layout_name, layouts, look
from cases.sheets.reader import Unreadable

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TONES: Final = {
    JobStatus.UPLOADED: "warning",
    JobStatus.CHECKING: "primary",
    JobStatus.CHECKED: "warning",
    JobStatus.QUEUED: "info",
    JobStatus.RUNNING: "primary",
    JobStatus.DONE: "success",
    JobStatus.FAILED: "danger",
    JobStatus.CANCELLED: "",
}


def may_begin(request: HttpRequest) -> bool:
    """Whoever may take in sheets of one kind may begin; the kind is known after the first look."""
    rights = {sheet.right for sheet in registry.incoming().values()}
    return any(person(request).has_perm(right) for right in rights)


class StatusFilter(ChoiceFilter):
    title = _("status")
    parameter_name = column = "status"
    choices_of = JobStatus.choices


def page(name: str, job: ImportJob) -> str:
    """The address of one of the job's pages."""
    return reverse(f"admin:cases_importjob_{name}", args=[job.pk])


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnly, ShopScoped, ModelAdmin):
    """One's own imports and those of one's shops."""

    list_display = ["job_no", "file_shown", "status_shown", "came_of_it", "shop", "who", "when"]
    list_select_related = ["shop", "created_by"]
    list_filter = [StatusFilter, ShopFilter]
    list_fullwidth = True
    search_fields = ["job_no"]
    search_help_text = _("Number or name of the file")
    ordering = ["-pk"]
    sortable_by = ["job_no"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_begin(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Not only by shop: a sheet that names its shops row by row has none of its own."""
        rows: Any = ModelAdmin.get_queryset(self, request)
        return rows.visible_to(person(request))  # type: ignore[no-any-return]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(job_no=term) | queryset.filter(file_name__icontains=term), False

    def get_urls(self) -> Any:
        wrap = self.admin_site.admin_view
        pages = {
            "columns": self.columns_view,
            "state": self.state_view,
            "confirm": require_POST(self.confirm_view),
            "cancel": require_POST(self.cancel_view),
            "again": require_POST(self.again_view),
            "errors": self.errors_view,
        }
        return [
            *(
                path(f"<int:object_id>/{name}/", wrap(view), name=f"cases_importjob_{name}")
                for name, view in pages.items()
            ),
            *super().get_urls(),
        ]

    # The list

    @display(description=_("file"))
    def file_shown(self, job: ImportJob) -> str:
        return job.file_name

    @display(description=_("status"), ordering="status")
    def status_shown(self, job: ImportJob) -> SafeString:
        return label(job.get_status_display(), TONES[JobStatus(job.status)])

    @display(description=_("rows"))
    def came_of_it(self, job: ImportJob) -> str:
        return progress_words(job)

    @display(description=_("who"))
    def who(self, job: ImportJob) -> str:
        return str(job.created_by) if job.created_by else gettext("by command")

    @display(description=_("begun"), ordering="pk")
    def when(self, job: ImportJob) -> str:
        return moment(job.created_at)

    # The pages of one import

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The file is handed in."""
        if not may_begin(request):
            raise PermissionDenied
        posted = request.method == "POST"
        files, data = (request.FILES, request.POST) if posted else (None, None)
        form = UploadForm(data, files, user=person(request), initial=request.GET.dict())
        if form.is_valid():
            given = form.cleaned_data
            file = given["file"]
            job = jobs.begin(
                file,
                file.name,
                by=person(request),
                shop=given["shop"] or None,
                round_half_up=given["round_half_up"],
            )
            if told := jobs.said_before(job):
                messages.warning(request, told)
            return HttpResponseRedirect(page("columns", job))
        context = {"title": gettext("Import a sheet"), "form": dress(form)}
        return self._page(request, "cases/import_upload.html", context)

    def columns_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What the sheet is and which column is which; a POST has it checked."""
        job = self._of(request, object_id, acting=True)
        if job.confirmed_at or job.is_at_work or job.removed_at:
            return HttpResponseRedirect(page("change", job))
        asked = request.POST if request.method == "POST" else request.GET
        try:
            seen = self._look(job, asked, person(request))
        except (Unreadable, Refused) as problem:
            context = {"job": job, "problem": problem.message, "title": job.file_name}
            return self._page(request, "cases/import_columns.html", context)
        posted = request.POST if request.method == "POST" else None
        form = ColumnsForm(posted, seen=seen, user=person(request), job=job)
        if form.is_valid():
            given = choices(seen, form.columns())
            if form.saved is not None:
                given |= {"mapping": form.saved.name, "columns": {}}
            shop = form.cleaned_data["shop"]
            jobs.check(job, **given, **jobs.shop_named(shop, person(request)))
            return HttpResponseRedirect(page("change", job))
        context = {
            "job": job,
            "title": job.file_name,
            "seen": seen,
            "form": dress(form),
            "layouts": layouts(job.shop),
            "layout": layout_name(*seen.layout.rsplit("/", 1)),
        }
        return self._page(request, "cases/import_columns.html", context)

    def _look(self, job: ImportJob, asked: Any, user: Any) -> Look:
        kept = ""
        if isinstance(job.mapping, str):
            kept = f"{SAVED}{job.mapping}/{job.sheet_kind}"
        elif job.mapping:
            kept = f"{OWN}/{job.sheet_kind}"
        elif job.sheet_kind and job.dialect != "auto":
            kept = f"{job.dialect}/{job.sheet_kind}"
        row = str(asked.get("header_row") or job.header_row or "")
        return look(
            job.file.path,
            layout=asked.get("layout", kept),
            sheet=asked.get("sheet") or job.sheet or None,
            header_row=int(row) if row.isdigit() else None,
            shop=job.shop_code or None,
            visible=shop_ids_of(user),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Where the import stands: at work, waiting for confirmation, or done."""
        job = self._of(request, object_id)
        if job.status == JobStatus.UPLOADED and may_begin(request):
            return HttpResponseRedirect(page("columns", job))
        preview = Preview(job, person(request), request.GET)
        warnings, more = jobs.warnings_of(job, job.phase)
        context = {
            "job": job,
            "title": job.file_name,
            "status": self.status_shown(job),
            "layout": layout_name(job.found_dialect, job.sheet_kind) if job.found_dialect else "",
            "preview": preview,
            "progress": progress_words(job),
            "may_act": may_begin(request),
            "warnings": warnings[:50],
            "more_warnings": more + max(len(warnings) - 50, 0),
            "words": word_links(job) if person(request).has_perm("cases.add_wordalias") else [],
            "results": self._results(job),
            "is_run": job.phase == ImportJob.Phase.RUN,
        }
        return self._page(request, "cases/import_job.html", context)

    def _results(self, job: ImportJob) -> str:
        """The list where the clerk goes on."""
        kind = job.sheet_kind if job.sheet_kind in registry.incoming() else ORDERS
        url = reverse(registry.kind_of(kind).list_page)
        return f"{url}?{urlencode({'shop': job.shop.code})}" if job.shop else url

    def state_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """How far it is, for the page that asks every two seconds."""
        job = self._of(request, object_id)
        context = {"job": job, "progress": progress_words(job)}
        html = render_to_string("cases/import_state.html", context, request)
        return JsonResponse({"html": html, "running": job.is_at_work})

    def confirm_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        job = self._of(request, object_id, acting=True)
        return self._acted(request, job, lambda: jobs.confirm(job, person(request)))

    def cancel_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        job = self._of(request, object_id, acting=True)
        return self._acted(request, job, lambda: working.cancel(job))

    def again_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        job = self._of(request, object_id, acting=True)
        return self._acted(request, job, lambda: jobs.go_on(job))

    def _acted(self, request: HttpRequest, job: ImportJob, act: Any) -> HttpResponse:
        try:
            act()
        except Refused as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(page("change", job))

    def errors_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The failed rows with their reasons, as a workbook to mend; made anew each time."""
        job = self._of(request, object_id, acting=True)
        if job.removed_at:
            messages.error(request, gettext("What its rows said is not kept any more."))
            return HttpResponseRedirect(page("change", job))
        with tempfile.TemporaryDirectory() as folder:
            name = f"{job.job_no}.xlsx"
            jobs.write_error_book(job, f"{folder}/{name}")
            book = open(f"{folder}/{name}", "rb")  # noqa: SIM115 - the answer closes it
        answer: Any = FileResponse(book, as_attachment=True, filename=name, content_type=XLSX)
        return sealed(answer)  # type: ignore[return-value]

    def _of(self, request: HttpRequest, object_id: int | str, *, acting: bool = False) -> ImportJob:
        """The job; as unknown as a number never given where it is another shop's."""
        beside = ("shop", "created_by", "confirmed_by")
        job: ImportJob = self.get_or_404(request, str(object_id), *beside)
        if not (may_begin(request) if acting else self.has_view_permission(request, job)):
            raise PermissionDenied
        return job

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, template, {**shared, **context})
