"""Write a kind of sheet in our own columns; taking it in again changes nothing."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.management.base import JsonCommand
from cases.sheets import registry
from cases.sheets.exports import export


class Command(JsonCommand):
    help = "Export orders (a row per line), cases (a row per case line), …, in the clear."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", help=", ".join(registry.outgoing()))
        parser.add_argument("out", type=Path, help="a name that ends in .csv or .xlsx")
        parser.add_argument(
            "--filter", nargs="*", action="extend", default=[], metavar="field=value"
        )
        parser.add_argument("--columns", metavar="a,b,c", help="these columns, in this order")
        parser.add_argument("--chinese", action="store_true", help="Chinese column names")

    def answer(self, **options: Any) -> dict[str, Any]:
        filters: dict[str, str] = {}
        for text in options["filter"]:
            name, sign, value = text.partition("=")
            if not sign:
                said = {"text": text}
                message = _("“%(text)s” is no filter; write it as field=value.") % said
                raise Refused(message, "bad_value")
            filters[name.strip()] = value.strip()
        columns = options["columns"]
        return export(
            options["kind"],
            options["out"],
            filters=filters,
            clear=True,
            columns=None if columns is None else [name.strip() for name in columns.split(",")],
            language="zh" if options["chinese"] else "en",
        ).as_dict()
