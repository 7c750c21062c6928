"""What the processes of a race for one deposit do, each with a database connection of its own.

``python -m tests.faults.claimants ACT …``: fill ROWS · accept NUMBER OF [no_lock|no_fence] · kill
[accept|uphold|top_up] · look. Each prints one JSON object on its last line.
"""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import django

SHARE = Decimal("0.6")


def main(act: str, *words: str) -> None:
    django.setup()
    print(json.dumps(ACTS[act](*words)))  # noqa: T201 - the answer


def fill(rows: str) -> dict[str, Any]:
    """A shop with so many claims of ¥1.00 to ¥30.00 and money for about 60 % of them."""
    from django.utils import timezone  # noqa: PLC0415 - after django.setup()

    from promises.models import Claim  # noqa: PLC0415
    from tests.promises.counter import Counter as Desk  # noqa: PLC0415

    desk = Desk()
    desk.now = now = timezone.now() - timedelta(hours=1)
    facts = {
        "paid_at": now - timedelta(days=5),
        "shipped_at": now - timedelta(days=2),
        "signed_at": now - timedelta(days=1),
    }
    for number in range(int(rows)):
        desk.file(desk.sold(f"{20 + number % 590}.40", **facts), at=now)
    due = sum(Claim.objects.values_list("amount", flat=True))
    money = (due * SHARE).quantize(Decimal("0.01"))
    desk.now = now
    desk.pay_in(str(money))
    return {"claims": Claim.objects.count(), "due": str(due), "money": str(money)}


def accept(number: str, of: str, mode: str = "") -> dict[str, Any]:
    """This process's share: every claim is sent by two processes, with one key."""
    from django.contrib.auth.models import User  # noqa: PLC0415

    from cases.flow.door import Actor, Refused, perform  # noqa: PLC0415
    from promises.models import Claim  # noqa: PLC0415

    _take_out(mode)
    actor = Actor.person(User.objects.get(username="boss"), "test")
    answers: Counter[str] = Counter()
    me, all_of_us = int(number), int(of)
    for claim in Claim.objects.order_by("pk"):
        if me not in (claim.pk % all_of_us, (claim.pk + 1) % all_of_us):
            continue
        try:
            done = perform(actor, claim, Claim.accept, key=f"accept-{claim.pk}")
            answers[done.state] += 1
        except Refused as refusal:
            answers[refusal.code] += 1
        except Exception as error:  # noqa: BLE001 - counted, and told
            answers[f"{type(error).__name__}: {error}"] += 1
    return dict(answers)


def _take_out(mode: str) -> None:
    """The lock, or also what stands behind it."""
    if not mode:
        return
    from django.db.models.query import QuerySet  # noqa: PLC0415

    from promises import ledger  # noqa: PLC0415

    QuerySet.select_for_update = lambda rows, **_options: rows  # type: ignore[method-assign]
    if mode == "no_fence":

        def write(deposit: Any, _seq: int, _was: Any) -> None:
            deposit.save()

        ledger._move_accounts = write


def lift_rules() -> dict[str, Any]:
    """The rules of the database that a doubled sequence breaks."""
    from django.db import connection  # noqa: PLC0415

    from promises.models import Entry  # noqa: PLC0415

    with connection.schema_editor() as editor:
        for rule in Entry._meta.constraints:
            if rule.name in {"entry_seq", "entry_prev"}:
                editor.remove_constraint(Entry, rule)
    return {}


def kill(what: str) -> dict[str, Any]:
    """Die before each statement of the act in turn; each time it is done again afterwards."""
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    from cases.flow.door import Actor, perform  # noqa: PLC0415
    from cases.models import Shop  # noqa: PLC0415
    from promises import verbs  # noqa: PLC0415
    from promises.models import Claim  # noqa: PLC0415

    actor = Actor.person(User.objects.get(username="boss"), "test")
    shop = Shop.objects.get(code="shop")
    waiting = iter(Claim.objects.filter(state="filed").order_by("pk"))

    def accepting() -> Callable[[], Any]:
        claim = next(waiting)
        return lambda: perform(actor, claim, Claim.accept, key=f"kill-{claim.pk}")

    def upholding() -> Callable[[], Any]:
        """A claim that the platform decides on, for which the deposit holds what was there."""
        claim = next(waiting)
        claim = perform(actor, claim, Claim.contest, text="不认可")
        claim = perform(actor, claim, Claim.adjudicate)
        return lambda: perform(actor, claim, Claim.uphold, key=f"kill-{claim.pk}")

    def topping_up(number: int) -> Callable[[], Any]:
        def act() -> Any:
            return verbs.top_up(
                actor, shop, amount=Decimal("0.70"), reference="K", key=f"kill-{number}"
            )

        return act

    killed, number = 0, 0
    while True:
        number += 1
        makers = {"accept": accepting, "uphold": upholding}
        act = makers[what]() if what in makers else topping_up(number)
        connection.close()
        child = os.fork()
        if child == 0:
            with connection.execute_wrapper(_die_before(number)):
                act()
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        act()  # after the restart the same act is sent again
        act()
        if not os.WIFSIGNALED(status):
            return {"killed": killed}
        killed += 1


def _die_before(number: int) -> Callable[..., Any]:
    seen = 0

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    return wrapper


def look() -> dict[str, Any]:
    """What came of it, recomputed from the rows."""
    from cases.auditing import audit  # noqa: PLC0415
    from promises.models import Claim, Deposit, Entry  # noqa: PLC0415
    from promises.models.deposit import ACCOUNTS  # noqa: PLC0415

    deposit = Deposit.objects.get()
    claims = Claim.objects.all()
    return {
        "states": dict(Counter(claims.values_list("state", flat=True))),
        "due": str(sum(c.amount for c in claims.exclude(state="filed"))),
        "paid": str(sum(c.paid for c in claims)),
        "owed": str(sum(c.owed for c in claims)),
        "pay_entries": Entry.objects.filter(kind="pay").count(),
        "topped_up": str(sum(Entry.objects.filter(kind="top_up").values_list("amount", flat=True))),
        **{name: str(getattr(deposit, name)) for name in ACCOUNTS},
        "violations": sorted({v["what"] for v in audit().violations}),
    }


ACTS: dict[str, Callable[..., dict[str, Any]]] = {
    "fill": fill,
    "accept": accept,
    "lift_rules": lift_rules,
    "kill": kill,
    "look": look,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
