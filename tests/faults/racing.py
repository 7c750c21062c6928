"""Two people at once: each in a thread with a connection of his own, meeting before they write.

With the locks in place the second never gets as far as the meeting; without them both stand there
with what they have read, and the test that counts the effects must see it (negative control).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.query import QuerySet

from cases.flow import writing
from cases.flow.door import Refused
from cases.models import CaseEvent, CaseLine, Order, OrderLine, Payment, Refund

#: How long the first waits for the second, which the lock holds up.
PATIENCE = 0.7


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each act answered, or its refusal; any other exception is raised here."""
    meeting = threading.Barrier(len(acts))
    answers: list[Any] = [None] * len(acts)

    def run(number: int) -> None:
        try:
            with connection.execute_wrapper(_wait_before_the_first_write(meeting)):
                answers[number] = acts[number]()
        except Exception as error:  # noqa: BLE001 - raised again below
            answers[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        if isinstance(answer, Exception) and not isinstance(answer, Refused):
            raise answer
    return answers


def _wait_before_the_first_write(meeting: threading.Barrier) -> Callable[..., Any]:
    has_met = False

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal has_met
        if not has_met and sql.startswith(("UPDATE", "INSERT")):
            has_met = True
            with suppress(threading.BrokenBarrierError):  # the other waits for our lock
                meeting.wait(PATIENCE)
        return execute(sql, params, many, context)

    return wrapper


def refusals(answers: list[Any]) -> list[Refused]:
    return [a for a in answers if isinstance(a, Refused)]


def take_out_the_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are read as if nobody else were there."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_options: rows)


@contextmanager
def no_fences(
    monkeypatch: pytest.MonkeyPatch,
    models: tuple[Any, ...] = (CaseEvent, CaseLine, Order, OrderLine, Payment, Refund),
) -> Iterator[None]:
    """Nor does a write repeat what was read, nor does the database know the rules."""
    write = writing.update_rows

    def update_rows(model: Any, columns: Any, rows: Any, guards: tuple[str, ...] = ()) -> None:
        write(model, columns, [[row[0], *row[1 + len(guards) :]] for row in rows])

    monkeypatch.setattr(writing, "update_rows", update_rows)
    rules = [(model, rule) for model in models for rule in model._meta.constraints]
    with connection.schema_editor() as editor:
        for model, rule in rules:
            editor.remove_constraint(model, rule)
    try:
        yield
    finally:
        call_command("flush", interactive=False, verbosity=0)  # or the rules would not fit
        with connection.schema_editor() as editor:
            for model, rule in rules:
                editor.add_constraint(model, rule)
