"""A page per step: GET shows the form with its consequences, POST goes through the door."""

import re
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from unfold import widgets as unfold_widgets

from cases.admin.consequences import MONEY_STEPS, money_rows, next_rows, why_not
from cases.admin.counts import OPEN_STATES
from cases.admin.scope import person, sees_money
from cases.flow import clock
from cases.flow.door import Actor, NotPermitted, Refused, once_more, perform
from cases.flow.states import StepInfo
from cases.forms import STEP_FORMS, StepForm
from cases.looks import countdown, now_of, state_label
from cases.models import Case, CaseEvent, Role
from cases.models.kinds import MONEY_REMEDIES
from cases.models.lifecycle import PERSON_STEPS
from cases.models.shops import roles_of

CHANNEL = "admin"
#: Steps that move no money where the remedy is none.
GOODS_STEPS = frozenset({"accept", "pass_inspection", "record_diagnosis"})
KEY = re.compile(r"[0-9a-f]{32}\Z")
#: Whose clock a role watches first.
SIDES_OF_ROLES = {
    Role.AGENT: ("seller",),
    Role.LEAD: ("seller", "platform"),
    Role.WAREHOUSE: ("seller", "vendor"),
    Role.FINANCE: ("finance",),
    Role.SUPERVISOR: ("supervisor", "seller"),
}
_CLASSES: list[tuple[type[forms.Widget], list[str]]] = [
    (forms.Textarea, unfold_widgets.TEXTAREA_CLASSES),
    (forms.CheckboxSelectMultiple, unfold_widgets.CHECKBOX_CLASSES),  # to Django it is a radio
    (forms.RadioSelect, unfold_widgets.RADIO_CLASSES),
    (forms.CheckboxInput, unfold_widgets.CHECKBOX_CLASSES),
    (forms.FileInput, ["sh-file"]),
    (forms.Select, unfold_widgets.SELECT_CLASSES),
    (forms.Widget, unfold_widgets.INPUT_CLASSES),
]


def dress(form: forms.Form) -> forms.Form:
    """Give plain widgets the classes by which unfold's stylesheet makes them visible."""
    for field in form.fields.values():
        for kind, classes in _CLASSES:
            if isinstance(field.widget, kind):
                field.widget.attrs["class"] = " ".join(classes)
                break
    for bound in form:
        if bound.errors:
            bound.field.widget.attrs["aria-invalid"] = "true"
        if bound.help_text or bound.errors:
            bound.field.widget.attrs["aria-describedby"] = f"{bound.auto_id}_help"
    return form


def step_or_404(name: str) -> StepInfo:
    """A step people may take; every other name has no page."""
    info = Case.steps().get(name)
    if info is None or name not in PERSON_STEPS:
        raise Http404
    return info


def fit(form: StepForm, case: Case) -> StepForm:
    """Leave out of the page's form what makes no sense for this case."""
    if isinstance(form, STEP_FORMS["accept"]):
        unfit = [] if case.remedy in MONEY_REMEDIES else ["amount", "freight"]
        if not case.reason.demands_evidence:
            unfit.append("waiver")
        for name in unfit:
            form.fields.pop(name, None)
    return form


class Changed(Exception):
    """Someone else moved the case since the page was drawn."""


def step_view(model_admin: Any, request: HttpRequest, object_id: str, step: str) -> HttpResponse:
    """``…/<pk>/do/<step>/``."""
    info = step_or_404(step)
    related = ("order", "shop", "reason", "owner", "refusal")
    case = model_admin.get_or_404(request, object_id, *related)
    if not model_admin.has_view_permission(request, case):
        raise PermissionDenied
    actor = Actor.person(person(request), CHANNEL)
    form_class = STEP_FORMS[step]
    if request.method != "POST" or not actor.may(Case, info):
        with clock.standing_at(now_of(request)):
            obstacle = why_not(actor, case, info)
        form = fit(form_class(case=case, actor=actor), case)
        return _page(model_admin, request, case, info, form, obstacle=obstacle)
    form = fit(form_class(request.POST, request.FILES, case=case, actor=actor), case)
    if not form.is_valid():
        return _page(model_admin, request, case, info, form, entered=True)
    try:
        fresh = act(request, actor, case, info, form.inputs())
    except Changed:
        return _page(model_admin, request, case, info, form, changed=True, entered=True)
    except Refused as refusal:
        return _page(model_admin, request, case, info, form, refusal=refusal, entered=True)
    return _done(request, case, fresh, info)


def act(
    request: HttpRequest, actor: Actor, case: Case, info: StepInfo, inputs: dict[str, Any]
) -> Case:
    """The step, once per page drawn, and only on the case as it was drawn."""
    given = request.POST.get("_key", "")
    key = f"page:{given}" if KEY.match(given) else None
    version = request.POST.get("_version", "")

    def unit(_nothing: Any) -> Case:
        with transaction.atomic():
            locked: Any = Case.locked([case.pk])[0]
            repeated = key is not None and CaseEvent.objects.filter(key=key).exists()
            if not repeated and version != str(locked.version):
                raise Changed
            return perform(actor, case, getattr(Case, info.name), key=key, **inputs)

    done: Case = once_more(unit, None)
    return done


def _done(request: HttpRequest, before: Case, fresh: Case, info: StepInfo) -> HttpResponse:
    page = reverse("admin:cases_case_change", args=[fresh.pk])
    following = next_due(request, fresh.pk)
    text = _("%(case)s: “%(step)s” is done.") % {"case": fresh, "step": info.label}
    if not info.moves:
        messages.success(request, text)
        return HttpResponseRedirect(f"{page}#timeline")
    if following is None:
        messages.success(
            request, format_html("{} {}", text, _("Nothing else is due in your queue."))
        )
        return HttpResponseRedirect(page)
    link = reverse("admin:cases_case_change", args=[following.pk])
    if "_next" in request.POST:
        messages.success(request, format_html('{} <a href="{}">{}</a>', text, page, before.case_no))
        return HttpResponseRedirect(link)
    messages.success(
        request,
        format_html(
            '{} <a class="sh-next" href="{}" data-next>{}: {}</a> {}',
            text,
            link,
            _("Next due"),
            following.case_no,
            countdown(following.due_at, now_of(request)),
        ),
    )
    return HttpResponseRedirect(page)


def next_due(request: HttpRequest, but: int) -> Case | None:
    """The first due open case of this person's queue: his and nobody's, where it is his turn."""
    user = person(request)
    sides = {side for role in roles_of(user) for side in SIDES_OF_ROLES.get(Role(role), ())}
    rows = Case.objects.visible_to(user).filter(state__in=OPEN_STATES, due_at__isnull=False)
    mine = rows.filter(owner_id=user.pk) | rows.filter(owner=None)
    found: Case | None = (
        mine.filter(clock_on__in=sides).exclude(pk=but).order_by("due_at", "pk").first()
    )
    return found


def _page(  # noqa: PLR0913 - the ways a step page can look
    model_admin: Any,
    request: HttpRequest,
    case: Case,
    info: StepInfo,
    form: StepForm,
    *,
    obstacle: Refused | None = None,
    refusal: Refused | None = None,
    changed: bool = False,
    entered: bool = False,
) -> HttpResponse:
    user = person(request)
    rows = []
    goods_only = case.remedy not in MONEY_REMEDIES and info.name in GOODS_STEPS
    if info.name in MONEY_STEPS and not goods_only and sees_money(user):
        lines = list(case.lines.select_related("order_line"))
        rows += money_rows(case, lines, user)
    now = now_of(request)
    with clock.standing_at(now):
        rows += next_rows(case, info, user)
    given = request.POST.get("_key", "") if entered and not changed else ""
    no_right = isinstance(obstacle or refusal, NotPermitted)
    if changed:
        # What was drawn is old: show the case as it is now and let the person decide again.
        case = model_admin.get_or_404(request, str(case.pk), "order", "shop", "reason")
        obstacle = why_not(Actor.person(user, CHANNEL), case, info)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": case,
        "case": case,
        "title": str(info.label),
        "step": info,
        "help": _first_line(info),
        "form": dress(form),
        "multipart": form.is_multipart(),
        "rows": rows,
        "obstacle": obstacle,
        "refusal": refusal,
        "changed": changed,
        "key": given if KEY.match(given) else uuid.uuid4().hex,
        "state": state_label(str(case.state)),
        "countdown": countdown(case.due_at, now),
        "back": reverse("admin:cases_case_change", args=[case.pk]),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "cases/step.html", context, status=403 if no_right else 200)


def _first_line(info: StepInfo) -> str:
    return str(info.help or "")
