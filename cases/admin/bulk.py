"""One step on many cases: choose in the list, confirm on a page, read what came of each."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from cases.admin.scope import person
from cases.admin.steps import CHANNEL, KEY, dress, step_or_404
from cases.flow.door import Act, Actor, Refused, perform_many
from cases.flow.states import StepInfo
from cases.forms import STEP_FORMS, StepForm
from cases.looks import state_label
from cases.models import Case, ReturnAddress
from cases.models.kinds import GOODS_REMEDIES

#: Steps that make sense for many at once: what they need is the same for all.
BULK_STEPS = (
    "assign",
    "accept",
    "escalate",
    "extend",
    "receive",
    "confirm_receipt",
    "approve",
    "add_note",
    "tag",
)
#: Inputs that differ from case to case; each then takes what stands on its own case.
PER_CASE = ("line", "amount", "freight", "return_address", "waiver")
MOST = 1_000


def bulk_actions(request: HttpRequest) -> dict[str, tuple[Any, str, str]]:
    """The list's actions: one per step this person may take at all."""
    actor = Actor.person(person(request), CHANNEL)
    steps = Case.steps()
    return {
        f"do_{name}": (_chosen(name), f"do_{name}", str(steps[name].label))
        for name in BULK_STEPS
        if actor.may(Case, steps[name])
    }


def _chosen(step: str) -> Any:
    def action(
        model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        if request.POST.get("select_across") == "1":
            pks = list(queryset.values_list("pk", flat=True)[: MOST + 1])
        else:
            pks = _numbers(request.POST.getlist("_selected_action"))
        return confirm(model_admin, request, step_or_404(step), pks)

    return action


def bulk_view(model_admin: Any, request: HttpRequest, step: str) -> HttpResponse:
    """``…/bulk/<step>/``: acts on POST only; asked for otherwise it leads back to the list."""
    info = step_or_404(step)
    if step not in BULK_STEPS:
        raise Http404
    if request.method != "POST":
        return HttpResponseRedirect(reverse("admin:cases_case_changelist"))
    actor = Actor.person(person(request), CHANNEL)
    if not actor.may(Case, info):
        raise PermissionDenied
    pks = _numbers(request.POST.getlist("pk"))[:MOST]
    cases = {c.pk: c for c in _cases(model_admin, request, pks)}
    form = _form(info, actor, list(cases.values()), request)
    if form is not None and not form.is_valid():
        return confirm(model_admin, request, info, pks, form)
    inputs = form.inputs() if form is not None else {}
    key = request.POST.get("_key", "")
    own = _own_inputs(info, list(cases.values()))
    acts = [
        Act(pk, own.get(pk, {}), f"bulk:{key}:{pk}" if KEY.match(key) else None) for pk in cases
    ]
    report = perform_many(actor, Case, acts, info.name, **inputs)
    unknown = Refused(_("There is no such case."), "unknown")
    refused = [*report.refused, *((pk, unknown) for pk in pks if pk not in cases)]
    fault = Refused(_("This failed on our side and is logged. Try this case alone."), "fault")
    refused += [(pk, fault) for pk, _error in report.failed]
    context = {
        **_common(model_admin, request, info),
        "done": [(cases[m.pk], state_label(str(m.subject.state))) for m in report.done],
        "refused": [(cases.get(pk), pk, refusal.message) for pk, refusal in refused],
        "summary": _("%(done)s done, %(refused)s refused")
        % {"done": len(report.done), "refused": len(refused)},
    }
    return TemplateResponse(request, "cases/bulk_done.html", context)


def confirm(
    model_admin: Any,
    request: HttpRequest,
    info: StepInfo,
    pks: list[int],
    form: StepForm | None = None,
) -> HttpResponse:
    """The page between choosing and doing: which cases, with what, and how many fit."""
    actor = Actor.person(person(request), CHANNEL)
    cases = _cases(model_admin, request, pks[:MOST])
    fitting = [c for c in cases if c.state in info.sources]
    if form is None:
        form = _form(info, actor, cases)
    context = {
        **_common(model_admin, request, info),
        "pks": [c.pk for c in cases],
        "rows": [(c, state_label(str(c.state)), c.state in info.sources) for c in cases[:100]],
        "more": max(len(cases) - 100, 0),
        "too_many": len(pks) > MOST,
        "most": MOST,
        "fitting": len(fitting),
        "chosen": len(cases),
        "form": dress(form) if form is not None else None,
        "key": uuid.uuid4().hex,
    }
    return TemplateResponse(request, "cases/bulk.html", context)


def _common(model_admin: Any, request: HttpRequest, info: StepInfo) -> dict[str, Any]:
    request.current_app = model_admin.admin_site.name
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "step": info,
        "title": str(info.label),
        "back": reverse("admin:cases_case_changelist"),
    }


def _cases(model_admin: Any, request: HttpRequest, pks: list[int]) -> list[Case]:
    """Only rows of this person's shops; others are as unknown as numbers never given."""
    rows = model_admin.get_queryset(request).filter(pk__in=pks)
    return list(rows.select_related("order", "shop", "reason").order_by("due_at", "pk"))


def _form(
    info: StepInfo, actor: Actor, cases: list[Case], request: HttpRequest | None = None
) -> StepForm | None:
    if not cases:
        return None
    data = None if request is None else request.POST
    form = STEP_FORMS[info.name](data, case=cases[0], actor=actor)
    for name in PER_CASE:
        form.fields.pop(name, None)
    return form


def _own_inputs(info: StepInfo, cases: list[Case]) -> dict[int, dict[str, Any]]:
    """What each case brings of its own: goods go to the default address of its shop."""
    if info.name != "accept":
        return {}
    rows = ReturnAddress.objects.filter(shop__in={c.shop_id for c in cases}, default=True)
    addresses = {address.shop_id: address for address in rows}
    return {
        c.pk: {"return_address": addresses[c.shop_id]}
        for c in cases
        if c.remedy in GOODS_REMEDIES and c.shop_id in addresses
    }


def _numbers(words: list[str]) -> list[int]:
    return [int(word) for word in words if word.isdigit() and len(word) < 19]
