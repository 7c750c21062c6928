"""Finds broken promises as time passes and facts come in, and proposes their claims.

What has to be looked at stands in the table of lookouts: an order whose facts changed at once, an
order still in time after its next deadline. Each batch is one transaction of a constant number of
statements; killed anywhere, the next run goes on. Nothing here pays anything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import DateTimeField, Q, Value
from django.utils.translation import gettext as _

from cases.flow import clock, door, writing
from cases.flow.door import Actor, Refused
from cases.models import OrderLine
from promises import verbs
from promises.breaches.judging import (
    PROMISES,
    Finding,
    Judge,
    Look,
    carrying,
    with_shops,
)
from promises.models import Breach, BreachSetting, BreachState, Claim, Lookout, Term
from promises.models.breach import AT_ONCE, UNDECIDED

BATCH = 500
#: Claims the house files by itself in one run; the rest waits for the next.
MOST_FILED = 200
#: What a row says of a finding; the rest of it is what people made of it.
_TOLD = ("term_id", "state", "since", "until", "amount", "working", "missing")


@dataclass
class Tally:
    """What one run did."""

    looked: int = 0
    proposed: int = 0
    exceptions: int = 0
    cleared: int = 0
    filed: int = 0

    def as_dict(self) -> dict[str, int]:
        return dict(self.__dict__)


def watch(order_ids: Iterable[int]) -> None:
    """Facts of these orders changed: look at those that promise something. In the transaction."""
    pks = list(order_ids)
    if not pks:
        return
    lines = OrderLine.objects.filter(order_id__in=pks)
    if not Term.objects.filter(offer=Term.Offer.ALL, promise__in=PROMISES).exists():
        lines = lines.filter(carrying())
    told = lines.annotate(moment=Value(AT_ONCE, DateTimeField())).order_by("order_id").distinct()
    chosen, params = told.values_list("order_id", "moment").query.sql_with_params()
    quote = connection.ops.quote_name
    table, order, due = map(quote, (Lookout._meta.db_table, "order_id", "due_at"))
    with connection.cursor() as cursor:  # one statement: an import brings orders by the thousand
        cursor.execute(
            f"INSERT INTO {table} ({order}, {due}) {chosen} "
            f"ON CONFLICT ({order}) DO UPDATE SET {due} = excluded.{due}",
            params,
        )


def find(at: datetime | None = None) -> dict[str, int]:
    """Look at every order whose time has come, then file for the shops that want it."""
    now = at or clock.now()
    tally, judge = Tally(), Judge.load()
    while door.once_more(lambda _nothing: _batch(judge, now, tally), None):
        pass
    with clock.standing_at(now):
        tally.filed = _file_for_who_wants_it()
    return tally.as_dict()


def _batch(judge: Judge, now: datetime, tally: Tally) -> bool:
    """One transaction; False when nothing is due any more."""
    with transaction.atomic():
        due = Lookout.objects.filter(due_at__lte=now).select_for_update(skip_locked=True)
        pks = list(due.order_by("due_at", "order_id").values_list("order_id", flat=True)[:BATCH])
        if not pks:
            return False
        looks = list(judge.look(with_shops(pks), now))
        done = _write(looks, now)
        _look_again(looks)
    for name, number in done.items():
        setattr(tally, name, getattr(tally, name) + number)
    return True


def _look_again(looks: list[Look]) -> None:
    later = [[look.order.pk, look.again_at] for look in looks if look.again_at is not None]
    over = [look.order.pk for look in looks if look.again_at is None]
    field = Lookout._meta.get_field("due_at")
    rows = [[pk, *writing.values_for([field], [moment])] for pk, moment in later]
    writing.update_rows(Lookout, [field], rows)
    Lookout.objects.filter(pk__in=over).delete()


def _write(looks: list[Look], now: datetime) -> dict[str, int]:
    """Make the rows of these orders say what was found; what people decided stays."""
    pks = [look.order.pk for look in looks]
    findings = {(f.line.pk, f.promise): f for look in looks for f in look.findings}
    claimed = _claimed(findings)
    known = list(Breach.objects.select_for_update().filter(order_id__in=pks).order_by("pk"))
    changed, gone = [], []
    for row in known:
        finding = findings.pop((row.line_id, row.promise), None)
        if row.state not in UNDECIDED:
            continue
        if (row.line_id, row.promise) in claimed:
            row.claim_id, row.state = claimed[row.line_id, row.promise], BreachState.FILED
            changed.append(row)
        elif finding is None:
            gone.append(row.pk)
        elif _tell(row, finding, now):
            changed.append(row)
    fresh = [
        _row(f, now)
        for key, f in sorted(findings.items())
        if key not in claimed and _state(f, now) != BreachState.LAPSED
    ]
    writing.insert_rows(Breach, fresh)
    _update(changed)
    if gone:
        Breach.objects.filter(pk__in=gone).delete()
    return {
        "looked": len(looks),
        "proposed": sum(row.state == BreachState.PROPOSED for row in fresh),
        "exceptions": sum(row.state == BreachState.EXCEPTION for row in fresh),
        "cleared": len(gone),
    }


def _claimed(findings: dict[tuple[int, str], Finding]) -> dict[tuple[int, str], int]:
    """The last claim of each line under each promise, whatever came of it."""
    lines = {line for line, _promise in findings}
    claims = Claim.objects.filter(order_line_id__in=lines, promise__in=PROMISES).order_by("pk")
    rows = claims.values_list("order_line_id", "promise", "pk") if lines else ()
    return {(line, promise): pk for line, promise, pk in rows}


def _state(finding: Finding, now: datetime) -> BreachState:
    if finding.until is not None and finding.until <= now:
        return BreachState.LAPSED
    return BreachState.EXCEPTION if finding.missing else BreachState.PROPOSED


def _row(finding: Finding, now: datetime) -> Breach:
    row = Breach(
        shop_id=finding.order.shop_id,
        order_id=finding.order.pk,
        line_id=finding.line.pk,
        promise=finding.promise,
        found_at=now,
    )
    _tell(row, finding, now)
    return row


def _tell(row: Breach, finding: Finding, now: datetime) -> bool:
    """Let the row say what the finding says; whether that is news."""
    told = {
        **{name: getattr(finding, name) for name in _TOLD if hasattr(finding, name)},
        "term_id": finding.term.pk,
        "state": str(_state(finding, now)),
    }
    if all(row.__dict__.get(name) == value for name, value in told.items()):
        return False
    for name, value in told.items():
        setattr(row, name, value)
    row.tried_at, row.note = None, ""
    return True


def _update(rows: list[Breach]) -> None:
    names = ("term", *_TOLD[1:], "claim", "tried_at", "note")
    fields = [Breach._meta.get_field(name) for name in names]
    writing.update_rows(Breach, fields, writing.rows_of(rows, fields))


def _file_for_who_wants_it() -> int:
    """Proposals of shops that have their claims filed by the house; each once, by itself."""
    wanted = BreachSetting.objects.filter(act=BreachSetting.Act.FILE).values("shop_id")
    rows = Breach.objects.filter(state=BreachState.PROPOSED, tried_at=None, shop_id__in=wanted)
    return sum(
        file_by_itself(row) for row in rows.select_related("order__shop", "line")[:MOST_FILED]
    )


def file_by_itself(breach: Breach) -> bool:
    """File the claim in the name of the clock; what is refused waits for a person, with why."""
    try:
        demand = verbs.Demand(breach.promise, breach.line.line_no, text=_("Found by itself."))
        verbs.file_claim(Actor.system("breaches"), breach.order, demand, key=key_of(breach))
    except Refused as refusal:
        waiting = Breach.objects.filter(pk=breach.pk, state=BreachState.PROPOSED)
        waiting.update(tried_at=clock.now(), note=refusal.message[:300])
        return False
    return True


def key_of(breach: Breach) -> str:
    """One breach, one claim, whoever presses and however often."""
    return f"breach/{breach.pk}"


def filed(claims: Sequence[Claim]) -> None:
    """These claims were filed: the breach is settled, whoever found it. In the transaction."""
    # A run that reads at this moment does not see the claim: let it look once more. It locks
    # the lookout before the breach, and so do we.
    watch(claim.order_id for claim in claims)
    for claim in claims:
        mine = Q(line_id=claim.order_line_id, promise=claim.promise)
        rows = Breach.objects.filter(mine, state__in=[str(s) for s in UNDECIDED])
        rows.update(state=BreachState.FILED, claim=claim)


def couriers_changed() -> None:
    """Names of couriers changed: look again at who seems to have used another one."""
    rows = Breach.objects.filter(promise="named_courier", state__in=[str(s) for s in UNDECIDED])
    watch(rows.values_list("order_id", flat=True))


__all__ = ["couriers_changed", "filed", "find", "key_of", "watch"]
