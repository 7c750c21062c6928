"""A red invoice that names its blue one: which line each of its lines takes from, and what."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from cases.sheets.loading.outcomes import Impossible
from invoices import entering, ledger
from invoices.arithmetic import NONE, Part
from invoices.booking import Red
from invoices.crediting import goods_of
from invoices.ledger import Book
from invoices.models import Balance, Nature
from invoices.models.quantity import shown
from invoices.rules import NewInvoice, NewLine

Parts = list[tuple[Balance, Part] | None]


def parts_of(new: NewInvoice, book: Book, before: Sequence[Red]) -> Parts:
    """Of each line of the red what it reverses, by its own figures; of a discount line nothing.

    A line goes to the blue line of the same goods and price, else of the same goods, else of the
    same rate, that has enough left. Raises Impossible with what is left.
    """
    assert new.blue is not None  # noqa: S101  # it is what makes it a named one
    balances = book.of(new.blue.pk)
    planned = _planned(before)
    owners = {id(line): part for line, part in entering.netted(new.lines)}
    parts: Parts = []
    for line in new.lines:
        if line.nature == Nature.DISCOUNT:
            parts.append(None)
            continue
        found = owners[id(line)]
        part = Part(-found.quantity, -found.gross, -found.tax)
        balance = _place(line, part, balances, planned)
        planned[balance.pk] = planned.get(balance.pk, Part()) + part
        line.blue_line_id, line.order_line_id = balance.line_id, balance.line.order_line_id
        parts.append((balance, part))
    return parts


def _planned(reds: Sequence[Red]) -> dict[int, Part]:
    planned: dict[int, Part] = {}
    for balance, part in (found for red in reds for found in red.parts if found):
        planned[balance.pk] = planned.get(balance.pk, Part()) + part
    return planned


def _place(
    line: NewLine, part: Part, balances: Sequence[Balance], planned: dict[int, Part]
) -> Balance:
    able = [row for row in balances if _fits(part, _left(row, planned))]
    for same in (_same_goods, _same_title, _same_rate):
        for row in able:
            if same(line, row):
                return row
    raise Impossible(*_too_much(line, part, balances, planned))


def _left(row: Balance, planned: dict[int, Part]) -> Part:
    return ledger.left(row) - planned.get(row.pk, Part())


def _fits(part: Part, left: Part) -> bool:
    return (
        part.quantity <= left.quantity
        and part.gross <= left.gross
        and part.tax <= left.tax
        and part.net <= left.net
        # The last pieces take all that is left: no cent may stand without goods.
        and (part.quantity != left.quantity or part.quantity == NONE or part.gross == left.gross)
    )


def _same_goods(line: NewLine, row: Balance) -> bool:
    return _same_title(line, row) and bool(line.unit_price == row.line.unit_price)


def _same_title(line: NewLine, row: Balance) -> bool:
    return bool(goods_of(line)[0] == goods_of(row.line)[0] and _same_rate(line, row))


def _same_rate(line: NewLine, row: Balance) -> bool:
    return bool(line.tax_rate == row.line.tax_rate)


def _too_much(
    line: NewLine, part: Part, balances: Sequence[Balance], planned: dict[int, Part]
) -> tuple[str, str]:
    """The contract's code, and a sentence with what the likeliest line has left."""
    ways: tuple[Any, ...] = (_same_goods, _same_title, _same_rate)
    near = [row for same in ways for row in balances if same(line, row)]
    said: dict[str, Any] = {"line": line.line_no, "title": line.title, "gross": part.gross}
    if not near:
        message = _("line %(line)s: the blue invoice has no line at the rate %(rate)s")
        return "bad_value", message % {**said, "rate": line.tax_rate}
    left = _left(near[0], planned)
    said |= {"at": near[0].line.line_no, "left": left.gross, "pieces": shown(left.quantity)}
    if part.quantity > left.quantity:
        message = _(
            "line %(line)s, %(title)s: %(asked)s pieces; line %(at)s of the blue invoice has "
            "%(pieces)s left"
        )
        return "quantity_exceeded", message % {**said, "asked": shown(part.quantity)}
    message = _(
        "line %(line)s, %(title)s: %(gross)s; line %(at)s of the blue invoice has %(left)s left"
    )
    return "amount_exceeded", message % said
