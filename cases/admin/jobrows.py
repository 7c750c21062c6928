"""The rows of an import as its pages show them: by what became of them, fifty a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.admin.scope import scoped
from cases.models import ImportJob, JobStatus, OrderLine
from cases.sheets import jobs, registry

PAGE: Final = 50
#: In the order of the tabs: what needs a person comes first.
WORDS: Final = {
    "failed": gettext_lazy("Wrong"),
    "created": gettext_lazy("New"),
    "updated": gettext_lazy("Updated"),
    "unchanged": gettext_lazy("Not changed"),
    "skipped": gettext_lazy("Passed over"),
}
TONES: Final = {"failed": "danger", "created": "success", "updated": "info"}


@dataclass(frozen=True)
class Shown:
    """One row: its number in the sheet, the order or case it is about, what changes and why."""

    number: int
    label: str
    url: str
    message: str
    changes: list[tuple[str, str, str]]


class Preview:
    """One tab of one page; the number of queries is the same for every size of sheet."""

    def __init__(self, job: ImportJob, user: Any, asked: Mapping[str, str]) -> None:
        self.job = job
        self.counts = counts_shown(job)
        first = next((what for what in WORDS if self.counts.get(what)), "created")
        self.what = asked.get("rows", "") if asked.get("rows", "") in WORDS else first
        self.total = self.counts.get(self.what, 0)
        self.pages = max(1, -(-self.total // PAGE))
        number = asked.get("p", "1")
        self.page = min(max(1, int(number) if number.isdigit() else 1), self.pages)
        self.rows = self._rows(user) if self.total and not job.is_at_work else []

    @property
    def tabs(self) -> list[dict[str, Any]]:
        return [
            {
                "slug": what,
                "label": name,
                "count": self.counts.get(what, 0),
                "here": what == self.what,
            }
            for what, name in WORDS.items()
        ]

    @property
    def before(self) -> int | None:
        return self.page - 1 if self.page > 1 else None

    @property
    def after(self) -> int | None:
        return self.page + 1 if self.page < self.pages else None

    def _rows(self, user: Any) -> list[Shown]:
        start = (self.page - 1) * PAGE
        found = jobs.page_of(self.job, self.job.phase, self.what, start, PAGE)
        links = _links(self.job, {row[2] for row in found if row[2]}, user)
        return [
            Shown(
                number,
                label,
                links.get(label, ""),
                message,
                [_change(self.job, *one) for one in last] if isinstance(last, list) else [],
            )
            for number, _what, label, message, _code, last in found
        ]


def counts_shown(job: ImportJob) -> dict[str, int]:
    """Of the last phase; while it runs, or where it broke off, as far as it came."""
    ended = job.status in {JobStatus.CHECKED, JobStatus.DONE}
    counts: dict[str, int] = job.counts if ended else jobs.counts_of(job, job.phase)
    return counts


def counts_words(counts: Mapping[str, int]) -> str:
    """What became of the rows, in a line."""
    found = [(name, counts.get(what, 0)) for what, name in WORDS.items()]
    return " · ".join(f"{name} {rows}" for name, rows in found if rows)


def progress_words(job: ImportJob) -> str:
    """How far it is, or what came of it."""
    if job.is_at_work:
        done = {"done": f"{job.rows_done:,}", "total": f"{job.rows_total or 0:,}"}
        if job.rows_total:
            return _("%(done)s of %(total)s rows") % done
        return _("%(done)s rows") % done if job.rows_done else _("is about to begin")
    if job.status in {JobStatus.CHECKED, JobStatus.DONE}:
        return counts_words(job.counts)
    return ""


def _links(job: ImportJob, labels: set[str], user: Any) -> dict[str, str]:
    """The pages of the orders or cases that are there and this person may see."""
    kind = registry.kind_of(job.sheet_kind)
    rows = kind.model._default_manager.filter(**{f"{kind.number}__in": labels})
    found = scoped(rows, user, "shop").values_list(kind.number, "pk")
    return {number: reverse(kind.row_page, args=[pk]) for number, pk in found}


def _change(job: ImportJob, field: str, old: str, new: str) -> tuple[str, str, str]:
    """A change with the field's name and the words of its values."""
    model, prefix = registry.kind_of(job.sheet_kind).model, ""
    if field.startswith("lines."):
        _lines, number, field = field.split(".", 2)
        model, prefix = OrderLine, _("line %(number)s: ") % {"number": number}
    column = next((f for f in model._meta.concrete_fields if f.name == field), None)
    if column is None:
        return prefix + field, old, new
    words = {str(value): str(text) for value, text in column.flatchoices}
    name = f"{prefix}{column.verbose_name}"
    return name, words.get(old, old), words.get(new, new)
