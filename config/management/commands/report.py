"""Print a measure of the desk, or write it as a spreadsheet."""

from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.management.base import JsonCommand
from cases.reports import MEASURES, OF_CASE, Question, Row
from cases.sheets.writer import Layout, write_sheet


class Command(JsonCommand):
    help = "Print a measure as JSON: report orders, report first_response --by shop …"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kpi", metavar="KPI", help=", ".join(MEASURES))
        parser.add_argument("--from", dest="since", type=_day, help="first day, 2026-03-01")
        parser.add_argument("--to", dest="until", type=_day, help="last day, 2026-03-31")
        parser.add_argument("--by", default="", help=", ".join(OF_CASE))
        parser.add_argument("--out", help="also write it to this .csv or .xlsx")

    def answer(self, **options: Any) -> dict[str, Any]:
        name, by = options["kpi"], options["by"]
        question = Question(options["since"], options["until"], by)
        _check(name, question)
        rows = MEASURES[name](question)
        file = _written(options["out"], rows) if options["out"] else {}
        if name == "orders" and not by:
            return {**rows[0], **file}
        period = {
            "from": question.since and question.since.isoformat(),
            "to": question.until and question.until.isoformat(),
        }
        return {"kpi": name, **period, "by": by or None, "rows": rows, **file}


def _check(name: str, question: Question) -> None:
    if name not in MEASURES:
        words = {"name": name, "known": ", ".join(MEASURES)}
        text = _("There is no report “%(name)s”. Known: %(known)s.")
        raise Refused(text % words, "unknown")
    if question.by and question.by not in OF_CASE:
        raise Refused(
            _("“%(by)s” is nothing to group by. Known: %(known)s.")
            % {"by": question.by, "known": ", ".join(OF_CASE)},
            "bad_value",
        )
    if question.since and question.until and question.since > question.until:
        raise Refused(_("The first day lies after the last."), "bad_value")


def _written(out: str, rows: list[Row]) -> dict[str, Any]:
    path = Path(out)
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise Refused(_("%(file)s: write a .csv or an .xlsx.") % {"file": out}, "bad_value")
    if not path.parent.is_dir():
        raise Refused(_("There is no folder %(folder)s.") % {"folder": path.parent}, "bad_value")
    names = list(rows[0]) if rows else ["rows"]
    layout = Layout(tuple((name, name, name) for name in names))
    write_sheet(path, layout, [[row[name] for name in names] for row in rows])
    return {"file": str(path)}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(
            _("“%(day)s” is no day. Write 2026-03-01.") % {"day": text}
        ) from error
