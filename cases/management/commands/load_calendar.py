"""Load the working days of a year, so that deadlines in working hours are no longer guessed."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from cases.calendars import calendar_rows, known_years, load, rows_by_hand, text_of
from cases.flow.door import Refused
from cases.models import CalendarDay


class Command(BaseCommand):
    help = (
        "Loads the days of the given years (default: all the library knows from 2020), or of a "
        "CSV with the columns day, working, name (日期, 上班, 名称). Prints JSON."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("years", nargs="*", type=int, metavar="YEAR")
        parser.add_argument("--csv", metavar="FILE", help="the days of a notice, written by hand")

    def handle(self, *args: Any, years: list[int], csv: str | None, **options: Any) -> None:
        try:
            loaded = load(self.rows(years, csv))
        except Refused as refused:
            self.stdout.write(
                json.dumps({"refused": refused.message, "code": refused.code}, ensure_ascii=False)
            )
            raise CommandError(refused.message, returncode=2) from refused
        self.stdout.write(json.dumps(vars(loaded)))

    def rows(self, years: list[int], csv: str | None) -> list[CalendarDay]:
        if csv is None:
            return calendar_rows(years or [year for year in known_years() if year >= 2020])
        if years:
            raise Refused(_("Give years or a file, not both."), "bad_value")
        try:
            content = Path(csv).read_bytes()
        except OSError as error:
            raise Refused(_("%(file)s cannot be read.") % {"file": csv}, "unknown") from error
        return rows_by_hand(text_of(content))
