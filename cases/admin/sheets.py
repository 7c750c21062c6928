"""The way from a list into the import wizard."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse

from cases.admin.imports import may_begin

if TYPE_CHECKING:
    from unfold.admin import ModelAdmin as Base
else:
    Base = object


class SheetPages(Base):
    """Mixin for a list whose rows come in as sheets; ``cases/sheet_list.html`` has the buttons."""

    change_list_template = "cases/sheet_list.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = {"has_import_permission": may_begin(request)}
        answer: HttpResponse = super().changelist_view(request, {**may, **(extra_context or {})})
        return answer
