"""Loads the demo: shops, staff, the sheets by the import that staff use, then the stories."""

import tempfile
from collections import Counter
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from cases.flow import clock
from cases.flow.door import Actor
from cases.models import Case, Order
from cases.seeding import seed
from cases.sheets.loading import import_file
from config.demo.generator import DemoFile, generate
from config.demo.people import make_people, make_shops
from config.demo.telling import tell
from config.demo.world import ZONE


def load(today: date | datetime | None = None) -> dict[str, Any]:
    """Fill an empty office with a Monday's work; an office with orders is left as it is.

    `today`: the demo's now; a day means its 10:00 in Shanghai, nothing means this minute. All or
    nothing: a load that is broken off leaves the office empty.
    """
    if Order.objects.exists():
        return {"loaded": False, **standing()}
    moment = moment_of(today)
    with (
        transaction.atomic(),
        clock.standing_at(moment),
        tempfile.TemporaryDirectory() as folder,
    ):
        seed()
        people = make_people(make_shops())
        world, files = generate(Path(folder), moment)
        sheets = [_import(file, people["lead"]) for file in files]
        steps = tell(world, people)
    told = {"loaded": True, "moment": moment.isoformat(), "sheets": sheets, "steps": steps}
    return {**told, **standing()}


def _import(file: DemoFile, clerk: User) -> dict[str, Any]:
    """As on the import page; the demo's sheets have no row that could fail."""
    result = import_file(file.path, actor=Actor.sheet(clerk), shop=file.shop).as_dict()
    if result["failed"]:
        message = f"{file.path.name}: {result}"
        raise RuntimeError(message)
    return result


def moment_of(today: date | datetime | None) -> datetime:
    if today is None:
        return clock.now().replace(second=0, microsecond=0)
    if isinstance(today, datetime):
        return today
    return datetime.combine(today, time(10), ZONE)


def standing() -> dict[str, Any]:
    """How many orders and cases there are, cases by state and by kind."""
    cases = list(Case.objects.values_list("state", "kind"))
    return {
        "orders": Order.objects.count(),
        "cases": len(cases),
        "states": dict(sorted(Counter(state for state, _ in cases).items())),
        "kinds": dict(sorted(Counter(kind for _, kind in cases).items())),
    }
