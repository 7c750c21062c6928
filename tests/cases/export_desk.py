"""People who export what a list shows: the page's answers, the job's run, the file's rows."""

import csv
import io
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from cases.models import ExportJob
from cases.sheets.writer import NATIVE_CASES, NATIVE_ORDERS
from cases.tasks import run_exports
from tests.cases.admin_data import Office

PASSWORD = "only-for-the-tests-7"
ALL = {"file_format": "csv", "which": "all"}


@dataclass
class Exporter:
    """A person at a browser in the office."""

    office: Office
    role: str

    def __post_init__(self) -> None:
        self.client = self.office.client(self.role)

    def page(self, of: str = "order", query: str = "") -> HttpResponse:
        return self.client.get(reverse(f"admin:cases_{of}_export") + query)

    def post(self, of: str = "order", query: str = "", **chosen: Any) -> HttpResponse:
        url = reverse(f"admin:cases_{of}_export") + query
        return self.client.post(url, {**ALL, "personal": "masked", **chosen})

    def ask(self, of: str = "order", query: str = "", **chosen: Any) -> ExportJob:
        """The job that came of it."""
        response = self.post(of, query, **chosen)
        assert response.status_code == 302, response.context["form"].errors
        job = ExportJob.objects.latest("pk")
        assert response["Location"] == reverse("admin:cases_exportjob_change", args=[job.pk])
        return job

    def ask_clear(self, query: str = "", **chosen: Any) -> ExportJob:
        user = self.office.people[self.role]
        user.set_password(PASSWORD)
        user.save()
        self.client.force_login(user)
        said = {"personal": "clear", "reason": "快递公司理赔", "password": PASSWORD}
        return self.ask("order", query, **{**said, **chosen})

    def file(self, job: ExportJob) -> HttpResponse:
        return self.client.get(reverse("admin:cases_exportjob_file", args=[job.pk]))

    def rows(self, of: str = "order", query: str = "", **chosen: Any) -> list[dict[str, str]]:
        """What the file holds in the end, by the names of our fields."""
        job = self.ask(of, query, **chosen)
        run_exports()
        return read(self.file(job))


def read(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    fields = {
        name: f
        for one in (NATIVE_ORDERS, NATIVE_CASES)
        for f, *names in one.columns
        for name in names
    }
    headers, *rows = csv.reader(io.StringIO(text, newline=""))
    return [{fields[h]: cell for h, cell in zip(headers, row, strict=True)} for row in rows]
