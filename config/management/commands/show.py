"""Print one order or case as JSON."""

from typing import Any

from django.core.management.base import CommandParser

from cases.flow.door import Actor, NotPermitted
from cases.management.base import (
    JsonCommand,
    actor_named,
    case_numbered,
    order_numbered,
    unknown_kind,
)
from cases.models import Case, Order
from cases.showing import ONLOOKER, case_as_dict, order_as_dict


class Command(JsonCommand):
    help = "Print one object as JSON: show order NO, show case NO."

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
        raise unknown_kind(options["kind"], ["order", "case"])


def shown(subject: Order | Case, actor: Actor) -> dict[str, Any]:
    """The object as this actor sees it; for the system as anybody entitled would."""
    if isinstance(subject, Order):
        return order_as_dict(subject)
    return case_as_dict(subject, actor if actor.user else ONLOOKER)


def _check_view(actor: Actor, model: str) -> None:
    if actor.user is not None and not actor.user.has_perm(f"cases.view_{model}"):
        raise NotPermitted(f"{actor}: view_{model}")
