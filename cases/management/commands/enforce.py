"""One sweep of all clocks: what is due happens, reminders go out, what is stuck is marked."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from cases.flow import clock
from cases.flow.door import Refused
from cases.flow.sweep import enforce
from cases.management.base import JsonCommand, iso


class Command(JsonCommand):
    help = "Act on every clock that has run out; safe to run twice or in two processes at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--now", type=iso, help="as if it were this moment, ISO 8601")

    def answer(self, **options: Any) -> dict[str, Any]:
        now = options["now"]
        if now is not None and settings.IS_PRODUCTION and now > clock.now():
            raise Refused(
                _("%(now)s lies in the future; here clocks run by the real time only.")
                % {"now": now.isoformat()},
                "bad_value",
            )
        return enforce(now)
