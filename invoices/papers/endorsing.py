"""Endorses an exchange on an invoice: one link more on a unit's chain of serials.

The only writer of units and endorsements. Locks: the case, then the standing of the invoice; the
end of each chain is unique in the database.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Q
from django.utils.translation import gettext as _

from cases import numbers
from cases.flow.door import Actor, Refused
from cases.models import Case, OrderLine, Remedy, State
from cases.models.money import cents
from invoices.models import (
    Balance,
    Endorsement,
    EndorsementReview,
    Invoice,
    InvoiceLine,
    Standing,
    TreatmentKind,
    Unit,
    Where,
)
from invoices.models.custody import WITH_US
from invoices.models.quantity import shown
from invoices.papers.acting import check_right, in_one_go, said_before, time_of
from invoices.papers.custody import finish_treatments, paper_of

_BETWEEN = re.compile(r"[\s,，;；]+")


@dataclass(frozen=True)
class Exchange:
    """What is entered of one exchange; ``line``: its number on the invoice.

    ``spec``, ``price`` (with tax, yuan a piece), ``tax_class``: of the replacement, where somebody
    says them; what differs from the line is no endorsement.
    """

    line: int
    old_serial: str
    new_serial: str
    case: Case | None = None
    exchanged_on: date | None = None
    warranty_from: date | None = None
    seal: str = ""
    where: str = ""
    spec: str = ""
    price: Decimal | None = None
    tax_class: str = ""

    def inputs(self) -> dict[str, Any]:
        given = {k: v for k, v in self.__dict__.items() if v not in (None, "")}
        return {k: v.pk if isinstance(v, Case) else v for k, v in given.items()}


def endorse(
    actor: Actor,
    invoice: Invoice,
    exchange: Exchange,
    *,
    at: datetime | None = None,
    key: str | None = None,
) -> Endorsement:
    """Enter an exchange; a repeated ``key`` answers with the first endorsement.

    Raises Refused: unknown (line, serial, case), wrong_state (not the chain's end, reversed),
    quantity_exceeded, not_eligible (another model, price or tax class), bad_value, key_reused.
    """
    check_right(actor, invoice.shop, "endorse")
    moment = time_of(at)

    def work() -> Endorsement:
        line = _line(invoice, exchange.line)
        case = _locked_case(invoice, line, exchange.case)
        Standing.objects.select_for_update().filter(invoice=invoice).first()
        known, digest = said_before(
            Endorsement.objects.filter(invoice=invoice), key, "endorse", exchange.inputs()
        )
        if known is not None:
            return known  # type: ignore[no-any-return]
        _check_same(line, exchange)
        unit = _unit(line, exchange.old_serial)
        _check_new(unit, exchange.new_serial)
        endorsement = _entry(actor, case, line, unit, exchange, moment)
        endorsement.key, endorsement.digest = key, digest
        _write(unit, endorsement)
        finish_treatments(invoice, TreatmentKind.ENDORSE, case.pk, moment)
        return endorsement

    return in_one_go(work)


def review(actor: Actor, endorsement: Endorsement, *, at: datetime | None = None) -> Endorsement:
    """Another than the operator has looked at it."""
    check_right(actor, endorsement.shop, "review_endorsement")
    moment, user = time_of(at), actor.user

    def work() -> Endorsement:
        fresh = Endorsement.objects.select_for_update().get(pk=endorsement.pk)
        if user is None or fresh.operator_id == user.pk:
            raise Refused(
                _("You made this endorsement yourself. Another must review it."), "same_person"
            )
        if EndorsementReview.objects.filter(endorsement=fresh).exists():
            raise Refused(_("It was reviewed already."), "wrong_state")
        EndorsementReview.objects.create(
            endorsement=fresh, operator_id=fresh.operator_id, by=user, at=moment
        )
        return fresh

    return in_one_go(work)


def last_of(invoice: Invoice, number: str = "") -> Endorsement:
    """The endorsement of that number on the invoice, else the last one."""
    rows = invoice.endorsements.select_related("shop").order_by("-pk")
    found: Endorsement | None = (rows.filter(number=number) if number else rows).first()
    if found is None:
        raise Refused(
            _("Invoice %(no)s has no endorsement %(number)s.") % {"no": invoice, "number": number},
            "unknown",
        )
    return found


def _line(invoice: Invoice, number: int) -> InvoiceLine:
    lines = {
        x.line_no: x
        for x in InvoiceLine.objects.filter(invoice=invoice).select_related(
            "order_line", "invoice__shop"
        )
    }
    line = lines.get(number)
    if not invoice.is_blue or line is None or line.quantity is None:
        known = ", ".join(str(n) for n, x in lines.items() if x.quantity is not None)
        raise Refused(
            _("Invoice %(no)s has no line %(line)s with pieces; it has: %(lines)s.")
            % {"no": invoice, "line": number, "lines": known if invoice.is_blue else _("none")},
            "unknown",
        )
    return line


def _locked_case(invoice: Invoice, line: InvoiceLine, named: Case | None) -> Case:
    """The case named, else the newest exchange of the line's goods that is not closed."""
    case = named
    if case is None and invoice.order_id:
        rows = Case.objects.filter(order_id=invoice.order_id, remedy=Remedy.EXCHANGE)
        if line.order_line_id:
            rows = rows.filter(lines__order_line=line.order_line_id)
        case = rows.exclude(state=State.CLOSED).order_by("-pk").first()
    if case is None:
        raise Refused(
            _("There is no exchange of this line to be endorsed. Name its case."), "unknown"
        )
    if case.order_id != invoice.order_id or case.remedy != Remedy.EXCHANGE:
        raise Refused(
            _("Case %(case)s is no exchange on this invoice's order.") % {"case": case},
            "wrong_state",
        )
    locked: Any = Case.locked([case.pk])[0]
    return locked  # type: ignore[no-any-return]


def _check_same(line: InvoiceLine, exchange: Exchange) -> None:
    """Another model, price or tax class is another sale: red and a new blue invoice."""
    balance = Balance.objects.get(line=line)
    price = cents(balance.gross / balance.quantity)
    other = [
        (_("model"), line.spec, exchange.spec, exchange.spec),
        (_("price"), price, exchange.price, exchange.price is not None),
        (_("tax class"), line.tax_class, exchange.tax_class, exchange.tax_class),
    ]
    for name, ours, theirs, given in other:
        if given and theirs != ours:
            raise Refused(
                _(
                    "The replacement has another %(what)s (%(new)s instead of %(old)s): it cannot "
                    "be endorsed. Reverse the piece and issue a new invoice."
                )
                % {"what": name, "new": theirs, "old": ours or "–"},
                "not_eligible",
                instead="red_and_blue",
            )
    left = balance.quantity - balance.reversed_quantity - balance.reserved_quantity
    if left <= 0:
        raise Refused(
            _("All %(pieces)s pieces of line %(line)s are reversed: nothing is left to endorse.")
            % {"pieces": shown(balance.quantity), "line": line.line_no},
            "wrong_state",
            left="0",
        )


def serials_of(line: OrderLine | None) -> list[str]:
    """The serial numbers a line was sold with."""
    return [s for s in _BETWEEN.split(line.serials) if s] if line else []


def _of_goods(line: InvoiceLine) -> Q:
    """The units of the goods of a line, whichever invoice they were endorsed on."""
    return Q(order_line=line.order_line_id) if line.order_line_id else Q(line=line)


def ends_of(line: InvoiceLine) -> list[str]:
    """The serials of a line's goods as they are now: ends of chains, and those never exchanged."""
    units = list(Unit.objects.filter(_of_goods(line)).order_by("pk"))
    exchanged = {u.first_serial for u in units}
    return [
        *(u.serial for u in units),
        *(s for s in serials_of(line.order_line) if s not in exchanged),
    ]


def _unit(line: InvoiceLine, old: str) -> Unit:
    """The unit whose chain ends with the old serial; a new one for a piece never exchanged."""
    units = Unit.objects.select_for_update().filter(_of_goods(line))
    found = units.filter(serial=old).first()
    if found is not None:
        return found
    link = Endorsement.objects.filter(unit__in=units.values("pk"), old_serial=old).first()
    if link is not None:
        raise Refused(
            _("%(old)s was exchanged already (%(no)s); that piece now bears %(end)s.")
            % {"old": old, "no": link.number, "end": link.unit.serial},
            "wrong_state",
            end=link.unit.serial,
        )
    sold = serials_of(line.order_line)
    if sold and old not in sold:
        raise Refused(
            _("%(old)s is no serial number of line %(line)s. It has: %(known)s.")
            % {"old": old, "line": line.line_no, "known": ", ".join(ends_of(line)) or "–"},
            "unknown",
        )
    pieces = line.quantity or Decimal(0)
    if units.count() >= pieces:
        raise Refused(
            _("All %(pieces)s pieces of line %(line)s were exchanged before: %(known)s.")
            % {"pieces": shown(pieces), "line": line.line_no, "known": ", ".join(ends_of(line))},
            "quantity_exceeded",
        )
    _check_live(old, line, None)
    return Unit(
        shop_id=line.invoice.shop_id,
        line=line,
        order_line_id=line.order_line_id,
        first_serial=old,
        serial=old,
    )


def _check_new(unit: Unit, new: str) -> None:
    if new == unit.serial:
        raise Refused(_("The new serial number is the old one."), "bad_value")
    if unit.seq and Endorsement.objects.filter(unit=unit, old_serial=new).exists():
        raise Refused(
            _("This piece bore %(new)s before: a chain of serials never comes back.")
            % {"new": new},
            "bad_value",
        )
    _check_live(new, unit.line, unit)


def _check_live(serial: str, line: InvoiceLine, unit: Unit | None) -> None:
    """A serial number is on one piece in buyers' hands at most."""
    taken = Unit.objects.filter(serial=serial).first()
    if (taken is not None and taken != unit) or _is_sold(serial, None if unit else line):
        raise Refused(
            _("%(serial)s is on another piece that a customer has.") % {"serial": serial},
            "bad_value",
        )


def _is_sold(serial: str, but: InvoiceLine | None) -> bool:
    """Whether a line was sold with it, and the piece neither came back nor was exchanged."""
    lines = OrderLine.objects.filter(serials__contains=serial, gone__lt=F("quantity"))
    for line in lines.exclude(pk=but.order_line_id or 0) if but else lines:
        exchanged = Unit.objects.filter(order_line=line, first_serial=serial)
        if serial in serials_of(line) and not exchanged.exists():
            return True
    return False


def _entry(  # noqa: PLR0913, PLR0917 - an endorsement has these and no more
    actor: Actor, case: Case, line: InvoiceLine, unit: Unit, exchange: Exchange, at: datetime
) -> Endorsement:
    invoice = line.invoice
    day = exchange.exchanged_on or at.astimezone(ZoneInfo(invoice.shop.zone)).date()
    (number,) = numbers.take("endorsement", "BS", at)
    return Endorsement(
        number=number,
        shop_id=invoice.shop_id,
        case=case,
        invoice=invoice,
        line=line,
        seq=unit.seq + 1,
        old_serial=exchange.old_serial,
        new_serial=exchange.new_serial,
        exchanged_on=day,
        warranty_from=exchange.warranty_from or day,
        seal=exchange.seal,
        where=_where(invoice, exchange),
        operator=actor.user,
        at=at,
    )


def _where(invoice: Invoice, exchange: Exchange) -> str:
    """On its back where the paper lies here; else a voucher, which is printed."""
    here = invoice.is_paper and paper_of(invoice).place in WITH_US
    if exchange.where == Where.BACK and not here:
        text = (
            _("The paper is not with us: endorse it on a voucher, or receive the paper first.")
            if invoice.is_paper
            else _("“%(kind)s” has no back: endorse it on a voucher.")
            % {"kind": invoice.get_kind_display()}
        )
        raise Refused(text, "bad_value")
    return exchange.where or (Where.BACK if here else Where.VOUCHER)


def _write(unit: Unit, endorsement: Endorsement) -> None:
    """The chain's new end, then the link; the UPDATE repeats the end it was read with."""
    was = unit.seq
    if unit._state.adding:
        unit.save()
    changed = Unit.objects.filter(pk=unit.pk, seq=was, serial=endorsement.old_serial).update(
        seq=endorsement.seq, serial=endorsement.new_serial
    )
    if changed != 1:
        raise Refused(_("Someone else changed it at the same moment. Look again."), "stale")
    unit.seq, unit.serial = endorsement.seq, endorsement.new_serial
    endorsement.unit = unit
    endorsement.save()


__all__ = ["Exchange", "endorse", "ends_of", "last_of", "review", "serials_of"]
