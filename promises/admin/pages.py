"""What the pages of promises share: a form with its consequences, and acting on it once."""

import uuid
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext

from cases.admin.scope import person
from cases.admin.steps import CHANNEL, KEY, dress
from cases.flow.door import Actor, NotPermitted, Refused

if TYPE_CHECKING:
    from unfold.admin import ModelAdmin as Base
else:
    Base = object

#: (name, value, tone) of what a page tells beside its form.
Row = tuple[str, str, str]


@dataclass
class Page:
    """One act: GET shows the form, POST acts; ``go`` answers with the address to go on to."""

    title: str
    form: Callable[..., Any]
    go: Callable[[Any, str | None], str]
    back: str
    done: str
    help: str = ""
    rows: list[Row] = field(default_factory=list)
    facts: list[Row] = field(default_factory=list)
    obstacle: Refused | None = None
    version: int = 0
    danger: bool = False

    def answer(self, model_admin: Any, request: HttpRequest) -> HttpResponse:
        form = self.form(request.POST if request.method == "POST" else None)
        refusal = None
        given = request.POST.get("_key", "")
        if request.method == "POST" and self.obstacle is None and form.is_valid():
            try:
                address = self.go(form, f"page:{given}" if KEY.match(given) else None)
            except Refused as refused:
                refusal = refused
            except ValidationError as error:
                refusal = Refused(" ".join(error.messages), "bad_value")
            else:
                messages.success(request, self.done)
                return HttpResponseRedirect(address)
        return self._drawn(model_admin, request, form, refusal, given)

    def _drawn(
        self,
        model_admin: Any,
        request: HttpRequest,
        form: forms.Form,
        refusal: Refused | None,
        given: str,
    ) -> HttpResponse:
        stale = refusal is not None and refusal.code in {"stale", "key_reused"}
        context = {
            **model_admin.admin_site.each_context(request),
            "opts": model_admin.opts,
            "page": self,
            "title": self.title,
            "form": dress(form),
            "refusal": refusal,
            "key": given if KEY.match(given) and not stale else uuid.uuid4().hex,
        }
        request.current_app = model_admin.admin_site.name
        no_right = isinstance(self.obstacle or refusal, NotPermitted)
        return TemplateResponse(
            request, "promises/act.html", context, status=403 if no_right else 200
        )


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
