"""Take a spreadsheet in: the platform's own or ours, of any kind an app has made known."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from cases.flow.door import Actor, Refused
from cases.management.base import JsonCommand
from cases.sheets import jobs, registry
from cases.sheets.loading import Result, import_file
from cases.sheets.mappings import families
from cases.sheets.reader import Unreadable

#: So many of the rows that failed are told in words; the error workbook has all of them.
TOLD = 20


class Command(JsonCommand):
    help = "Import a spreadsheet; the counts are rows and add up to the rows of the sheet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        known = ", ".join(families())
        parser.add_argument("--dialect", default="auto", help=f"auto, mapped, {known}")
        parser.add_argument("--shop", help="code of the shop of a sheet that names none")
        parser.add_argument("--kind", help=", ".join(registry.incoming()))
        parser.add_argument("--sheet", help="name of the sheet in a workbook of several")
        parser.add_argument(
            "--dry-run", action="store_true", help="check everything, write nothing"
        )
        parser.add_argument("--errors", type=Path, help="write the rows that failed here (.xlsx)")
        parser.add_argument(
            "--mapping", help="JSON file of your own columns (header → field), or a saved mapping"
        )
        parser.add_argument(
            "--round-half-up", action="store_true", help="round amounts with three decimals"
        )

    def answer(self, **options: Any) -> dict[str, Any]:
        choices = {
            "dialect": options["dialect"],
            "mapping": _mapping(options["mapping"]),
            "round_half_up": options["round_half_up"],
        }
        progress = self._progress(options["verbosity"])
        take = self._trial if options["dry_run"] else self._import
        try:
            return take(options, choices, progress)
        except (Unreadable, OSError) as problem:
            code = getattr(problem, "code", "unreadable")
            raise Refused(getattr(problem, "message", str(problem)), code) from problem

    def _trial(
        self, options: dict[str, Any], choices: dict[str, Any], progress: Any
    ) -> dict[str, Any]:
        result = import_file(
            options["file"],
            actor=Actor.sheet(None),
            shop=options["shop"],
            kind=options["kind"],
            sheet=options["sheet"],
            dry_run=True,
            errors=options["errors"],
            may_create_shop=True,
            progress=progress,
            **choices,
        )
        self._tell(result)
        return {**result.as_dict(), "job": None}

    def _import(
        self, options: dict[str, Any], choices: dict[str, Any], progress: Any
    ) -> dict[str, Any]:
        """As a job that this process takes in hand; killed, the office's worker goes on with it."""
        with options["file"].open("rb") as file:
            job = jobs.begin(
                file,
                options["file"].name,
                shop=options["shop"],
                may_create_shop=True,
                sheet_kind=options["kind"] or "",
                sheet=options["sheet"] or "",
                **choices,
            )
        result = jobs.run_now(job, errors=options["errors"], progress=progress)
        if told := jobs.said_before(job):
            result.warnings.insert(0, told)
        self._tell(result)
        return {**result.as_dict(), "job": job.job_no}

    def _progress(self, verbosity: int) -> Any:
        if verbosity < 2:
            return None
        return lambda rows: self.stderr.write(_("%(rows)s rows …") % {"rows": rows})

    def _tell(self, result: Result) -> None:
        for text in result.warnings[:TOLD]:
            self.stderr.write(text)
        for _row, _code, message in result.failures[:TOLD]:
            self.stderr.write(message)
        if result.failed > TOLD:
            said = {"count": result.failed - TOLD}
            self.stderr.write(_("… and %(count)s more rows that failed.") % said)


def _mapping(given: str | None) -> dict[str, Any] | str | None:
    """The contents of a file; a name of which there is no file is that of a saved mapping."""
    if not given:
        return None
    path = Path(given)
    if path.suffix != ".json" and not path.is_file():
        return given
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as problem:
        said = {"file": path.name}
        raise Refused(_("The mapping %(file)s is no JSON file.") % said, "bad_value") from problem
    if not isinstance(found, dict):
        raise Refused(_("A mapping is a JSON object: header → field."), "bad_value")
    return found
