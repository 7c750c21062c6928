"""Print one object as JSON: an order, a case, or what another app has added."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from cases.flow.door import Actor, NotPermitted, Refused
from cases.management.base import (
    JsonCommand,
    actor_named,
    case_numbered,
    order_numbered,
    unknown_kind,
)
from cases.management.objects import KINDS
from cases.models import Case, ExportJob, ImportJob, Order
from cases.sheets import exportjobs, jobs
from cases.showing import ONLOOKER, case_as_dict, order_as_dict


class Command(JsonCommand):
    help = "Print one object as JSON: show order NO, case NO, job NO, claim NO, deposit SHOP."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", metavar="KIND")
        parser.add_argument("no", metavar="NO")
        parser.add_argument("--as", dest="username", help="what this person may do and see")
        parser.add_argument("--shop", help="code of the shop, where two have the same order number")

    def answer(self, **options: Any) -> dict[str, Any]:
        actor = actor_named(options["username"])
        if options["kind"] == "order":
            _check_view(actor, "order")
            return shown(order_numbered(options["no"], actor, options["shop"]), actor)
        if options["kind"] == "case":
            _check_view(actor, "case")
            return shown(case_numbered(options["no"], actor), actor)
        if options["kind"] == "job":
            return _shown_job(options["no"], actor)
        if (kind := KINDS.get(options["kind"])) is not None:
            return kind.show(kind.find(options["no"], actor), actor)
        raise unknown_kind(options["kind"], ["order", "case", "job", *KINDS])


def shown(subject: Order | Case, actor: Actor) -> dict[str, Any]:
    """The object as this actor sees it; for the system as anybody entitled would."""
    if isinstance(subject, Order):
        return order_as_dict(subject)
    return case_as_dict(subject, actor if actor.user else ONLOOKER)


def _shown_job(number: str, actor: Actor) -> dict[str, Any]:
    """The import or export of this number; numbers are of one series."""
    exports = ExportJob.objects.select_related("created_by").filter(job_no=number)
    if actor.user is not None:
        exports = exports.visible_to(actor.user)
    export: ExportJob | None = exports.first()
    if export is not None:
        return exportjobs.job_as_dict(export)
    imports = ImportJob.objects.select_related("shop", "created_by", "confirmed_by")
    if actor.user is not None:
        _check_view(actor, "importjob")
        imports = imports.visible_to(actor.user)
    job: ImportJob | None = imports.filter(job_no=number).first()
    if job is None:
        raise Refused(_("There is no job %(no)s.") % {"no": number}, "unknown")
    return jobs.job_as_dict(job)


def _check_view(actor: Actor, model: str) -> None:
    if actor.user is not None and not actor.user.has_perm(f"cases.view_{model}"):
        raise NotPermitted(f"{actor}: view_{model}")
