"""Statements of deposits: each entry between the balances it leads from and to, claim by claim.

A sheet of entries as they follow each other; of several shops one statement after the other.
Where the choice leaves entries out, a row says what they moved: each balance follows from the last.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from django.db.models import QuerySet

from cases.sheets.writer import Cell, Layout
from promises.models import Entry
from promises.models.deposit import ACCOUNTS

STATEMENTS: Final = "statements"
#: (field, English header, Chinese header).
HEADERS: Final = (
    ("shop", "shop", "店铺代码"),
    ("seq", "seq", "序号"),
    ("at", "at", "时间"),
    ("kind", "kind", "变动"),
    ("amount", "amount", "金额"),
    ("to_available", "to_available", "可用变动"),
    ("to_frozen", "to_frozen", "冻结变动"),
    ("to_paid", "to_paid", "已赔付变动"),
    ("to_owed", "to_owed", "欠付变动"),
    ("available_after", "available_after", "可用余额"),
    ("frozen_after", "frozen_after", "冻结余额"),
    ("paid_after", "paid_after", "累计赔付"),
    ("owed_after", "owed_after", "欠付余额"),
    ("claim_no", "claim_no", "赔付单号"),
    ("order_no", "order_no", "订单编号"),
    ("promise", "promise", "服务承诺"),
    ("reference", "reference", "流水号"),
    ("by", "by", "操作人"),
    ("key", "key", "凭证号"),
)
LAYOUT: Final = Layout(HEADERS)
MONEY: Final = frozenset(
    {"amount", *(f"to_{name}" for name in ACCOUNTS), *(f"{name}_after" for name in ACCOUNTS)}
)
FILTERS: Final = {"shop": "deposit__shop__code", "claim_no": "claim__claim_no"}
_CELLS: Final = {
    **{name: name for name, *_names in HEADERS},
    "shop": "deposit__shop__code",
    "claim_no": "claim__claim_no",
    "order_no": "claim__order__order_no",
    "promise": "claim__promise",
    "by": "by__username",
}
_PAGE: Final = 2000


def statement_rows(
    queryset: QuerySet[Any],
    fields: Sequence[str],
    clear: bool,  # noqa: FBT001 - as the registry calls it; nothing here is personal
) -> Iterator[Sequence[Cell]]:
    """Cells in the order of ``fields``: opening balances, the entries, closing balances."""
    deposits = queryset.order_by().values_list("deposit_id", "deposit__shop__code").distinct()
    for pk, code in sorted(deposits, key=lambda one: str(one[1])):
        yield from _one(queryset.filter(deposit_id=pk), str(code), fields)


def _one(entries: QuerySet[Any], shop: str, fields: Sequence[str]) -> Iterator[Sequence[Cell]]:
    places = ["seq", *(f"{name}_after" for name in ACCOUNTS), *(f"to_{name}" for name in ACCOUNTS)]
    cells = entries.order_by("seq").values_list(*places, *[_CELLS[name] for name in fields])
    last = 0
    after: dict[str, Decimal] = {}
    while page := list(cells.filter(seq__gt=last)[:_PAGE]):
        for row in page:
            seq, balances, gains, told = row[0], row[1:5], row[5:9], row[9:]
            before = dict(zip(ACCOUNTS, map(_less, balances, gains), strict=True))
            if not last:
                yield _balance("opening", shop, before, fields)
            elif seq != last + 1:
                yield _balance("elsewhere", shop, before, fields, after)
            last, after = seq, dict(zip(ACCOUNTS, balances, strict=True))
            yield told
    yield _balance("closing", shop, after, fields)


def _less(after: Decimal, gain: Decimal) -> Decimal:
    return after - gain


def _balance(
    what: str,
    shop: str,
    balances: dict[str, Decimal],
    fields: Sequence[str],
    since: dict[str, Decimal] | None = None,
) -> list[Cell]:
    """A row of balances; ``since``: those before it, from which entries elsewhere lead here."""
    said: dict[str, Cell] = {"shop": shop, "kind": what}
    said |= {f"{name}_after": amount for name, amount in balances.items()}
    if since is not None:
        said |= {f"to_{name}": balances[name] - since[name] for name in ACCOUNTS}
    return [said.get(name) for name in fields]


def entries(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Its rows, but for the two balances of each shop."""
    return Entry.objects.filter(pk__in=queryset.order_by().values("pk"))
