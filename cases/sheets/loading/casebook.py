"""What a chunk of case rows speaks of, found at once: orders, lines, reasons, cases we have."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from cases.models import Case, CaseEvent, CaseLine, Order, OrderLine, Reason
from cases.models.kinds import OPEN
from cases.sheets.facts import CaseFacts, Remark
from cases.sheets.loading.merging import same_moment
from cases.sheets.loading.outcomes import Impossible
from cases.sheets.loading.shopfinder import ShopFinder

#: Rows of one case say the same of these.
_AGREE: Final = ("order_no", "kind", "state", "applied_at")


@dataclass
class Bundle:
    """The rows of one case, one per case line; ``doubles`` say of a line what was said before."""

    parts: list[CaseFacts]
    doubles: list[CaseFacts] = field(default_factory=list)

    @property
    def facts(self) -> CaseFacts:
        return self.parts[0]

    @property
    def rows(self) -> tuple[int, ...]:
        return tuple(sorted(row for part in self.all for row in part.rows))

    @property
    def all(self) -> list[CaseFacts]:
        return [*self.parts, *self.doubles]

    @property
    def remarks(self) -> list[Remark]:
        return [remark for part in self.all for remark in part.warnings]

    @property
    def number(self) -> str:
        """What the case goes by: our number, else the platform's."""
        return self.facts.case_no or self.facts.platform_case_no

    def add(self, facts: CaseFacts) -> None:
        known = {_line_told(part) for part in self.parts}
        (self.doubles if _line_told(facts) in known else self.parts).append(facts)

    def check(self) -> None:
        """Raises Impossible where the rows contradict each other."""
        for part in self.all[1:]:
            if any(getattr(part, name) != getattr(self.facts, name) for name in _AGREE):
                raise Impossible("bad_value", _("the rows of one case disagree"))


def _line_told(facts: CaseFacts) -> tuple[object, ...]:
    return facts.line_no, facts.sub_order_no, facts.sku, facts.title


def bundles(chunk: Iterable[CaseFacts]) -> list[Bundle]:
    """Rows with one case number are one case, wherever they stand."""
    found: list[Bundle] = []
    by_number: dict[str, Bundle] = {}
    for facts in chunk:
        bundle = Bundle([facts])
        number = bundle.number or natural_key(bundle)
        if number and number in by_number:
            by_number[number].add(facts)
            continue
        found.append(bundle)
        by_number[number] = bundle
    return found


@dataclass
class CaseBook:
    """``cases``: those we have, locked in pk order, by their own and the platform's number."""

    shops: ShopFinder
    orders: dict[str, list[Order]] = field(default_factory=dict)
    lines: dict[int, list[OrderLine]] = field(default_factory=dict)
    cases: dict[str, list[Case]] = field(default_factory=dict)
    case_lines: dict[int, list[CaseLine]] = field(default_factory=dict)
    reasons: dict[str, Reason] = field(default_factory=dict)
    by_key: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, shops: ShopFinder, asked: Sequence[Bundle]) -> "CaseBook":
        book = cls(shops)
        book._find_cases(asked)
        numbers = {bundle.facts.order_no for bundle in asked}
        orders = Order.objects.filter(order_no__in=numbers)
        if shops.visible is not None:
            orders = orders.filter(shop_id__in=shops.visible)
        for order in orders.select_related("shop"):
            book.orders.setdefault(order.order_no, []).append(order)
        ids = [order.pk for found in book.orders.values() for order in found]
        for line in OrderLine.objects.filter(order_id__in=ids).order_by("order_id", "line_no"):
            book.lines.setdefault(line.order_id, []).append(line)
        book.reasons = {reason.code: reason for reason in Reason.objects.all()}
        return book

    def _find_cases(self, asked: Sequence[Bundle]) -> None:
        """Cases are locked before orders, in pk order, as everywhere."""
        numbers = {n for b in asked for n in (b.facts.case_no, b.facts.platform_case_no) if n}
        keys = {key for bundle in asked if (key := natural_key(bundle))}
        events = CaseEvent.objects.filter(key__in=keys).values_list("key", "case_id")
        self.by_key = {str(key): pk for key, pk in events}
        unlinked = {b.facts.order_no for b in asked if not b.facts.case_no}
        # A query each: one with all of it joined by OR would use no index.
        wanted = {
            *self.by_key.values(),
            *_keys(case_no__in=numbers),
            *_keys(platform_case_no__in=numbers),
            *_keys(order__order_no__in=unlinked, platform_case_no="", state__in=OPEN),
        }
        found = Case.objects.filter(pk__in=wanted)
        if self.shops.visible is not None:
            found = found.filter(shop_id__in=self.shops.visible)
        cases = list(found.order_by("pk").select_for_update(of=("self",)))
        for case in cases:
            for number in {case.case_no, case.platform_case_no} - {""}:
                self.cases.setdefault(number, []).append(case)
            self.cases.setdefault(f"pk:{case.pk}", []).append(case)
            self.cases.setdefault(f"order:{case.order_id}", []).append(case)
        of_cases = CaseLine.objects.filter(case_id__in=[case.pk for case in cases])
        for line in of_cases.order_by("case_id", "id"):
            self.case_lines.setdefault(line.case_id, []).append(line)

    def order_of(self, bundle: Bundle) -> Order:
        """The order the rows speak of; raises Impossible where it is not known, or not ours."""
        facts = bundle.facts
        return self.shops.order_of(facts, self.orders.get(facts.order_no, ()))

    def case_of(self, bundle: Bundle, order: Order) -> Case | None:
        """The case the rows speak of, where we have it."""
        facts = bundle.facts
        for number in (facts.case_no, facts.platform_case_no):
            found = self.cases.get(number, []) if number else []
            mine = [case for case in found if case.order_id == order.pk]
            if mine:
                return mine[0]
            if found and number == facts.case_no:
                said = {"no": number}
                message = _("the case %(no)s belongs to another order; check both numbers") % said
                raise Impossible("bad_value", message)
        key = natural_key(bundle)
        if key and key in self.by_key:
            return self.cases.get(f"pk:{self.by_key[key]}", [None])[0]
        return self._opened_by_us(bundle, order)

    def _opened_by_us(self, bundle: Bundle, order: Order) -> Case | None:
        """A case staff opened before the sheet came: same line, same kind, still open."""
        facts = bundle.facts
        if facts.case_no:
            return None
        for case in self.cases.get(f"order:{order.pk}", ()):
            lines = {line.order_line_id for line in self.case_lines.get(case.pk, ())}
            same = case.kind == facts.kind and not case.platform_case_no and case.is_open
            if facts.platform_case_no and same and self.line_of(facts, order).pk in lines:
                return case
            applied = None if facts.platform_case_no else facts.applied_at
            if same and applied is not None and same_moment(case.applied_at, applied):
                return case
        return None

    def line_of(self, facts: CaseFacts, order: Order) -> OrderLine:
        lines = self.lines.get(order.pk, [])
        if facts.line_no is not None:
            found = [line for line in lines if line.line_no == facts.line_no]
        elif facts.sub_order_no and any(line.sub_order_no for line in lines):
            found = [line for line in lines if line.sub_order_no == facts.sub_order_no]
        else:
            found = _alike(lines, facts)
        if found:
            return found[0]
        there = ", ".join(str(line.line_no) for line in lines)
        said = {"no": order.order_no, "lines": there}
        if facts.line_no is None and not facts.sub_order_no:
            message = _("the row does not say which line of order %(no)s it is about (%(lines)s)")
            raise Impossible("bad_value", message % said)
        said["line"] = str(facts.line_no or facts.sub_order_no)
        message = _("order %(no)s has no line %(line)s; it has: %(lines)s")
        raise Impossible("unknown", message % said)

    def reason_of(self, bundle: Bundle, *, by_platform: bool) -> tuple[Reason, str, str]:
        """The reason, the sheet's words, and what to tell where they were not understood."""
        facts = bundle.facts
        other = self.reasons.get("other")
        if other is None:
            raise Impossible("bad_value", _("there are no reasons yet; run the seed command"))
        code = facts.reason or "other"
        reason = self.reasons.get(code)
        if reason is None:
            said = {"code": code}
            told = _("“%(code)s” is a reason we do not know: taken as “other”") % said
            return other, facts.reason_words or code, told
        if not by_platform and facts.kind and not reason.is_for(facts.kind):
            said = {"reason": str(reason), "kind": facts.kind}
            message = _("the reason “%(reason)s” is not for cases of the kind %(kind)s") % said
            raise Impossible("bad_value", message)
        return reason, facts.reason_words, ""


def _keys(**wanted: object) -> Iterable[int]:
    return Case.objects.filter(**wanted).order_by().values_list("pk", flat=True)


def natural_key(bundle: Bundle) -> str:
    """How a case without any number is known again."""
    facts = bundle.facts
    if bundle.number or facts.applied_at is None:
        return ""
    line = facts.line_no or facts.sub_order_no
    return f"sheet:{facts.order_no}:{line}:{facts.kind}:{facts.applied_at:%Y%m%d%H%M%S}"[:120]


def _alike(lines: list[OrderLine], facts: CaseFacts) -> list[OrderLine]:
    """By SKU and title as the platform writes them; the only line needs no name."""
    if len(lines) == 1:
        return lines
    both = [x for x in lines if facts.sku and x.sku == facts.sku and x.title == facts.title]
    named = [x for x in lines if facts.title and x.title == facts.title]
    coded = [x for x in lines if facts.sku and x.sku == facts.sku]
    found = both or coded or named
    # Two equal lines: the one that still has pieces free.
    return sorted(found, key=lambda x: (x.quantity_left <= 0, x.line_no))


def pieces_of(facts: CaseFacts, line: OrderLine) -> int:
    """As told, else as many pieces as the amount pays for, else what is left of the line."""
    if facts.quantity is not None:
        return facts.quantity
    left = max(line.quantity_left, 1)
    amount = facts.refunded_amount or facts.amount
    if not amount or not line.paid_amount or left == 1:
        return left
    each = line.paid_amount / line.quantity
    return min(max(int((amount / each).to_integral_value("ROUND_CEILING")), 1), left)


def summed(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal("0.00")) if known else None
