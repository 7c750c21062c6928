"""What every command of the public surface shares: JSON out, exit codes, who acts, on what, when.

Exit codes: 0 done, 2 refused (``{"refused": …, "code": …}``, nothing changed), 1 a fault of ours.
"""

import json
import sys
from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from cases.flow.door import Actor, NotPermitted, Refused
from cases.forms.fields import moment_of
from cases.models import Case, Order
from cases.models.shops import shop_ids_of

REFUSED = 2
ZONE = ZoneInfo("Asia/Shanghai")


class JsonCommand(BaseCommand):
    """A command whose last line on standard output is one JSON object; words go to stderr."""

    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if getattr(self, "_called_from_command_line", False):
            # argparse knows exit code 2 too, but says it in words only.
            parser.error = self._usage  # type: ignore[method-assign]
        return parser

    def _usage(self, message: str) -> NoReturn:
        self._refuse(Refused(message, "bad_value"))

    def _refuse(self, refusal: Refused) -> NoReturn:
        self.stderr.write(refusal.message)
        self.say({"refused": refusal.message, "code": refusal.code})
        raise SystemExit(REFUSED)

    def say(self, result: dict[str, Any]) -> None:
        """Print the one object of this command."""
        self.stdout.write(json.dumps(result, ensure_ascii=False))

    def handle(self, *args: Any, **options: Any) -> None:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        try:
            result = self.answer(**options)
        except Refused as refusal:
            self._refuse(refusal)
        self.say(result)
        if self.is_bad(result):
            raise SystemExit(REFUSED)

    def answer(self, **options: Any) -> dict[str, Any]:
        """Do it and return the object to print; raises Refused."""
        raise NotImplementedError

    def is_bad(self, result: dict[str, Any]) -> bool:
        """Whether this result means exit code 2, although it is no refusal."""
        return False


def iso(text: str) -> datetime:
    """An option's moment, ISO 8601; without an offset it is meant in Shanghai."""
    try:
        return moment_of(text, ZONE)
    except ValidationError as error:
        raise ArgumentTypeError(" ".join(error.messages)) from error


def actor_named(username: str | None, *, channel: str = "command") -> Actor:
    """The person of ``--as``; without one the system, which may do what the clock may do."""
    if not username:
        return Actor.system(channel)
    user = get_user_model().objects.filter(username=username).first()
    if user is None:
        raise Refused(_("There is no user “%(name)s”.") % {"name": username}, "unknown")
    if not user.is_active:
        raise NotPermitted(_("User “%(name)s” is switched off.") % {"name": username})
    return Actor.person(user, channel)


def case_numbered(number: str, actor: Actor) -> Case:
    """The case of this number; refused where there is none or it is another shop's."""
    cases = Case.objects.select_related("shop", "order", "reason", "owner")
    case: Case | None = cases.filter(case_no=number).first()
    if case is None:
        raise Refused(_("There is no case %(no)s.") % {"no": number}, "unknown")
    check_shop(actor, case.shop_id, case.shop.code)
    return case


def order_numbered(number: str, actor: Actor, shop: str | None = None) -> Order:
    """The order of this number; ``shop`` (a code) where two platforms gave the same number."""
    orders = Order.objects.select_related("shop").filter(order_no=number)
    found = list(orders.filter(shop__code=shop) if shop else orders)
    if not found:
        raise Refused(_("There is no order %(no)s.") % {"no": number}, "unknown")
    mine = [o for o in found if actor.user is None or _is_mine(actor, o.shop_id)]
    if len(mine) > 1:
        codes = ", ".join(order.shop.code for order in mine)
        raise Refused(
            _("Order number %(no)s exists in several shops (%(shops)s). Add --shop.")
            % {"no": number, "shops": codes},
            "bad_value",
        )
    order = (mine or found)[0]
    check_shop(actor, order.shop_id, order.shop.code)
    return order


def unknown_kind(kind: str, known: list[str]) -> Refused:
    """There is nothing of this kind to show or act on."""
    words = {"kind": kind, "known": ", ".join(known)}
    return Refused(_("“%(kind)s” is no kind of object. Known: %(known)s.") % words, "unknown")


def _is_mine(actor: Actor, shop_id: int) -> bool:
    ids = shop_ids_of(actor.user) if actor.user else None
    return ids is None or shop_id in ids


def check_shop(actor: Actor, shop_id: int, code: str) -> None:
    """Refuse a person who does not belong to the shop."""
    if not _is_mine(actor, shop_id):
        raise NotPermitted(
            _("This belongs to shop %(shop)s, of which %(who)s is no member.")
            % {"shop": code, "who": actor},
            "not_in_your_shop",
        )
