"""Printing in the admin: one paper at once, many as a job with its progress and its file."""

from pathlib import Path
from typing import Any

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
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from cases.admin.pages import Page
from cases.admin.scope import ReadOnly, ShopScoped, person
from cases.files.outlet import sealed
from cases.flow.door import NotPermitted, Refused
from cases.forms.base import InputForm
from cases.forms.fields import WordField
from cases.looks import label, moment
from cases.models.jobs import JobStatus
from cases.sheets.working import cancel
from invoices import panels
from invoices.models import Invoice, PrintJob
from invoices.papers import printjobs

TONES: dict[str, str] = {
    JobStatus.QUEUED: "info",
    JobStatus.RUNNING: "info",
    JobStatus.DONE: "success",
    JobStatus.FAILED: "danger",
}


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri("/")


def buttons(request: HttpRequest, invoice: Invoice) -> list[tuple[str, str]]:
    """Print what concerns this invoice now: the slip of the newest task, the newest red form."""
    found = []
    for kind, rows, text in (
        ("slips", invoice.treatments, gettext("Print the slip")),
        ("red_forms", invoice.red_requests, gettext("Print the red form")),
        ("vouchers", invoice.endorsements, gettext("Print the voucher")),
    ):
        pk = rows.order_by("-pk").values_list("pk", flat=True).first()
        if pk is not None and printjobs.may_print(request.user, kind):
            found.append((reverse("admin:invoices_printjob_one", args=[kind, pk]), text))
    return found


panels.BUTTONS.append(buttons)


class PrintForm(InputForm):
    """What is printed, of all that waits."""

    kind = WordField(choices=[], label=_("what is printed"))

    def __init__(self, data: Any = None, *, user: Any) -> None:
        super().__init__(data)
        field: Any = self.fields["kind"]
        field.choices = [
            (value, f"{text} · {printjobs.waiting_for(user, value).count()}")
            for value, text in PrintJob.Kind.choices
            if printjobs.may_print(user, value)
        ]


@admin.register(PrintJob)
class PrintJobAdmin(ReadOnly, ShopScoped, ModelAdmin):
    """One's own print jobs: how far they are, and their files as long as they are kept."""

    list_display = ["job_no", "kind", "status_shown", "rows_total", "pages", "when", "file_link"]
    list_display_links = ["job_no"]
    ordering = ["-pk"]
    sortable_by: list[str] = []

    def get_urls(self) -> Any:
        wrap = self.admin_site.admin_view
        name = "invoices_printjob"
        return [
            path("one/<str:kind>/<int:pk>/", wrap(self.one_view), name=f"{name}_one"),
            path("<int:object_id>/file/", wrap(self.file_view), name=f"{name}_file"),
            path("<int:object_id>/state/", wrap(self.state_view), name=f"{name}_state"),
            path("<int:object_id>/cancel/", wrap(self.cancel_view), name=f"{name}_cancel"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return PrintJob.objects.visible_to(person(request)).order_by("-pk")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(printjobs.may_print(request.user, kind) for kind in printjobs.KINDS)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def one_view(self, request: HttpRequest, kind: str, pk: int) -> HttpResponse:
        """One paper as PDF, shown by the browser."""
        if kind not in printjobs.KINDS:
            raise Http404
        try:
            pdf = printjobs.one(person(request), kind, pk, _base(request))
        except NotPermitted as refused:
            raise PermissionDenied from refused
        except Refused as refused:
            if refused.code == "unknown":
                raise Http404 from refused
            messages.error(request, refused.message)
            return HttpResponseRedirect(reverse("admin:invoices_printjob_changelist"))
        answer: Any = HttpResponse(pdf, content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{kind}-{pk}.pdf"'
        return _kept_here(answer)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Everything of a kind that waits, as one job."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        user = person(request)

        def go(form: Any, _key: str | None) -> str:
            job = printjobs.ask(user, form.cleaned_data["kind"], _base(request))
            return reverse("admin:invoices_printjob_change", args=[job.pk])

        page = Page(
            title=gettext("Print"),
            form=lambda data: PrintForm(data, user=user),
            go=go,
            back=reverse("admin:invoices_printjob_changelist"),
            done=gettext("The job is under way."),
            help=gettext("All that waits in your shops, up to %(most)s, in one file.")
            % {"most": printjobs.MOST},
            facts=[
                (str(text), str(printjobs.KINDS[kind].help), "")
                for kind, text in PrintJob.Kind.choices
                if printjobs.may_print(user, kind)
            ],
        )
        return page.answer(self, request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        job = self._job(request, object_id)
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            **self._state(job),
            "opts": self.opts,
            "title": gettext("Print job %(no)s") % {"no": job.job_no},
        }
        return TemplateResponse(request, "invoices/print_job.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        job = self._job(request, object_id)
        return HttpResponseRedirect(reverse("admin:invoices_printjob_change", args=[job.pk]))

    def state_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """How far it is, for the page that asks every two seconds."""
        job = self._job(request, str(object_id))
        html = render_to_string("invoices/print_state.html", self._state(job), request)
        return JsonResponse({"html": html, "running": job.is_at_work})

    def cancel_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        job = self._job(request, str(object_id))
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        cancel(job)
        return HttpResponseRedirect(reverse("admin:invoices_printjob_change", args=[job.pk]))

    def file_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The file, for who asked for it and may still print it."""
        job = self._job(request, str(object_id))
        if not printjobs.may_print(request.user, job.kind):
            raise PermissionDenied
        if not job.file or not Path(job.file.path).is_file():
            raise Http404
        answer: Any = FileResponse(
            job.file.open("rb"),
            as_attachment=True,
            filename=f"{job.job_no}.pdf",
            content_type="application/pdf",
        )
        return sealed(answer)  # type: ignore[return-value]

    def _job(self, request: HttpRequest, object_id: str) -> PrintJob:
        if not self.has_view_permission(request):
            raise PermissionDenied
        job: PrintJob = self.get_or_404(request, object_id, "created_by")
        return job

    def _state(self, job: PrintJob) -> dict[str, Any]:
        return {
            "job": job,
            "tone": TONES.get(job.status, ""),
            "may_cancel": job.is_at_work and not job.cancel_asked,
            "days": settings.EXPORT_KEEP_DAYS,
        }

    @display(description=_("status"))
    def status_shown(self, job: PrintJob) -> SafeString:
        return label(job.get_status_display(), TONES.get(job.status, ""))

    @display(description=_("at"))
    def when(self, job: PrintJob) -> str:
        return moment(job.created_at)

    @display(description=_("file"))
    def file_link(self, job: PrintJob) -> SafeString | str:
        if not job.file:
            return "–"
        url = reverse("admin:invoices_printjob_file", args=[job.pk])
        return format_html('<a class="sh-link" href="{}">PDF</a>', url)


def _kept_here(answer: HttpResponse) -> HttpResponse:
    """Shown by the browser's own viewer, and kept nowhere."""
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store, private"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["Referrer-Policy"] = "no-referrer"
    return answer
