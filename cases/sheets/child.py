"""The only place where workbooks are parsed: a process of its own, which may die alone.

Runs as a script without Django. Each line on standard input asks, each line on standard output
answers, both JSON: {"head": sheet, "rows": n} → [[cell, …], …]; {"rows": sheet} → batches of rows,
then null. The first line out lists the sheets. Times go as {"t": "ISO"}.
"""

import datetime as dt
import json
import resource
import sys
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, Final

import python_calamine as calamine

BATCH: Final = 500
#: Signs of JSON in one answer, and in one row: the process that asks must not choke on them.
LONGEST_ANSWER: Final = 4 * 2**20
LONGEST_ROW: Final = 4 * 2**20


def limit(memory: int, seconds: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):  # a system without this limit, or one already lower
            continue


def plain(value: Any) -> Any:
    if isinstance(value, dt.timedelta):
        return str(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return {"t": value.isoformat()}
    raise TypeError(type(value).__name__)


class TooMuch(Exception):
    """A row that holds more text than any spreadsheet program lets in."""


encode = json.JSONEncoder(ensure_ascii=True, default=plain).encode


def say(answer: Any) -> None:
    put(encode(answer))


def put(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def encoded(row: list[Any]) -> str:
    # One long text may stand in every cell: small in the file, gigabytes as JSON.
    if sum(len(cell) for cell in row if isinstance(cell, str)) > LONGEST_ROW:
        raise TooMuch
    line = encode(row)
    if len(line) > LONGEST_ROW:
        raise TooMuch
    return line


def batches(rows: Iterator[list[Any]]) -> Iterator[str]:
    """Rows as JSON, so many together that an answer is neither short nor long."""
    batch: list[str] = []
    signs = 0
    for row in map(encoded, rows):
        if batch and (len(batch) == BATCH or signs + len(row) > LONGEST_ANSWER):
            yield f"[{','.join(batch)}]"
            batch, signs = [], 0
        batch.append(row)
        signs += len(row)
    if batch:
        yield f"[{','.join(batch)}]"


def rows_of(book: calamine.CalamineWorkbook, name: str) -> Iterator[list[Any]]:
    """Every row from the first, each from column A on."""
    sheet = book.get_sheet_by_name(name)
    left = [""] * (sheet.start[1] if sheet.start else 0)
    return (left + row for row in sheet.iter_rows())


def answer(book: calamine.CalamineWorkbook, asked: dict[str, Any], kept: dict[str, Any]) -> None:
    if "head" in asked:
        rows = rows_of(book, asked["head"])
        head = list(islice(rows, asked["count"]))
        kept.clear()
        kept[asked["head"]] = chain(head, rows)
        answers = list(islice(batches(iter(head)), 2))
        if len(answers) > 1:
            raise TooMuch
        put(answers[0] if answers else "[]")
        return
    name = asked["rows"]
    rows = kept.pop(name) if name in kept else rows_of(book, name)
    kept.clear()
    for batch in batches(rows):
        put(batch)
    say(None)


def main() -> int:
    path, memory, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    limit(memory, seconds)
    try:
        book = calamine.load_workbook(path)
        say({"sheets": [[sheet.name, _visible(sheet)] for sheet in book.sheets_metadata]})
        kept: dict[str, Any] = {}
        for line in sys.stdin:
            answer(book, json.loads(line), kept)
    except calamine.PasswordError:
        say({"error": "encrypted"})
    except (TooMuch, MemoryError):
        say({"error": "too_big"})
    except (calamine.CalamineError, OSError, ValueError) as error:
        say({"error": "damaged", "detail": str(error)[:200]})
    return 0


def _visible(sheet: calamine.SheetMetadata) -> bool:
    return bool(
        sheet.visible == calamine.SheetVisibleEnum.Visible
        and sheet.typ == calamine.SheetTypeEnum.WorkSheet
    )


if __name__ == "__main__":
    sys.exit(main())
