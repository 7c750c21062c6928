"""Loads the demo: shops, staff, the sheets by the import that staff use, then the stories."""

import tempfile
from collections import Counter
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from django.db import transaction

from cases.flow import clock
from cases.models import Case, Order
from cases.seeding import seed
from config.demo import invoices, promises
from config.demo.desk import take
from config.demo.generator import generate
from config.demo.people import make_people, make_shops
from config.demo.telling import tell
from config.demo.world import ZONE
from promises.models import Claim


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
        sheets = [take(file.path, people["lead"], file.shop) for file in files]
        writer, blue = invoices.bring(Path(folder), world, people)
        steps = tell(world, people)
        more, acts = promises.tell(Path(folder), moment, people)
        reds, handled = invoices.tell(Path(folder), writer, people)
    told = {"loaded": True, "moment": moment.isoformat()}
    told["sheets"] = [*sheets, *blue, *more, reds]
    told["steps"] = steps + acts + handled
    return {**told, **standing()}


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
        "claims": dict(sorted(Counter(Claim.objects.values_list("state", flat=True)).items())),
    }
