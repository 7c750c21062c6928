"""The page of an act, as the pages of promises use it."""

from collections.abc import Container
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext

from cases.admin.pages import Page, Row
from cases.admin.scope import person
from cases.admin.steps import CHANNEL
from cases.flow.door import Actor, NotPermitted

if TYPE_CHECKING:
    from unfold.admin import ModelAdmin as Base
else:
    Base = object

__all__ = ["ActPages", "Page", "Row", "no_duty"]


class ActPages(Base):
    """Mixin for rows that only move by acts: ``…/<pk>/do/<act>/`` is the page of each.

    ``acts`` names them; ``beside``: the related rows its pages show; ``act_page`` makes the page.
    """

    acts: Container[str] = ()
    beside: tuple[str, ...] = ()

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.act_view)
        return [path("<int:object_id>/do/<str:act>/", view, name=self._do), *super().get_urls()]

    @property
    def _do(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_do"

    def get_actions(self, request: HttpRequest) -> Any:
        return {}

    def do_url(self, row: Any, act: str) -> str:
        """The address of an act on this row."""
        return reverse(f"admin:{self._do}", args=[row.pk, act])

    def row_url(self, row: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self._seen(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            **self.shown(request, row),
        }
        return TemplateResponse(request, f"promises/{self.opts.model_name}.html", context)

    def act_view(self, request: HttpRequest, object_id: int, act: str) -> HttpResponse:
        """What it does stands before the button."""
        if act not in self.acts:
            raise Http404
        row = self._seen(request, str(object_id))
        actor = Actor.person(person(request), CHANNEL)
        return self.act_page(request, row, act, actor).answer(self, request)

    def shown(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of a row shows."""
        raise NotImplementedError

    def act_page(self, request: HttpRequest, row: Any, act: str, actor: Actor) -> Page:
        """The page of one act on a row."""
        raise NotImplementedError

    def _seen(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_or_404(request, object_id, *self.beside)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row


def no_duty(title: Any) -> NotPermitted:
    """What stands on the page of an act that is somebody else's."""
    return NotPermitted(gettext("“%(step)s” is not among your duties.") % {"step": title})
