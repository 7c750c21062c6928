"""What ``report breaches`` counts: promises broken by the timestamps as of now."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from cases.flow import clock
from cases.flow.door import Refused
from cases.models import Order, OrderLine
from cases.models.money import ZERO
from cases.reports import Question, Row
from promises.breaches.judging import Judge, carrying, shops_promising_all, with_shops

BATCH = 1_000


@dataclass
class _Sums:
    breaches: int = 0
    with_amount: int = 0
    amount: Decimal = ZERO
    exceptions: int = 0


def breaches(question: Question) -> list[Row]:
    """Promises broken by the timestamps, per shop and promise, of orders by the day they were paid.

    Read from the orders themselves, as of now: nothing has to have been found before. ``breaches``:
    lines whose promise is broken (not shipped yet counts, equal time does not) · ``with_amount``:
    those whose amount can be worked out, ``amount``: yuan of them in all · ``exceptions``: broken
    without an amount, or not to be judged because a payment or a time is missing. Whether a claim
    was filed, or would come too late, makes no difference.
    """
    if question.by not in {"", "shop"}:
        raise Refused(_("This report is made by %(known)s only.") % {"known": "shop"}, "bad_value")
    now, judge = clock.now(), Judge.load()
    found = Order.objects.annotate(day=Coalesce("paid_at", "ordered_at", "created_at"))
    found = found.filter(question.within("day"))
    if not shops_promising_all(judge.carried):
        lines = OrderLine.objects.filter(carrying(), order=OuterRef("pk"))
        found = found.filter(Exists(lines))
    sums: dict[tuple[str, str], _Sums] = defaultdict(_Sums)
    last = 0
    while pks := list(
        found.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        last = pks[-1]
        for look in judge.look(with_shops(pks), now):
            for finding in look.findings:
                row = sums[look.order.shop.code, finding.promise]
                row.breaches += finding.since is not None
                row.with_amount += finding.amount is not None
                row.amount += finding.amount or ZERO
                row.exceptions += finding.amount is None
    return [
        {
            "shop": shop,
            "promise": promise,
            "breaches": row.breaches,
            "with_amount": row.with_amount,
            "amount": f"{row.amount:.2f}",
            "exceptions": row.exceptions,
        }
        for (shop, promise), row in sorted(sums.items())
    ]
