"""What pages of acts share: a form with its consequences, and acting on it once."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from cases.admin.steps import KEY, dress
from cases.flow.door import NotPermitted, Refused

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
    #: A stylesheet of its own, as ``static`` knows it.
    css: str = ""

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
        return TemplateResponse(request, "cases/act.html", context, status=403 if no_right else 200)
