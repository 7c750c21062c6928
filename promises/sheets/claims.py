"""Claims of a sheet: unknown ones are filed if eligible, known ones take their steps."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from cases.flow.door import Actor, Refused, perform
from cases.models import Case, Order
from cases.sheets.loading.changes import shown
from cases.sheets.loading.merging import same_moment
from cases.sheets.loading.outcomes import Impossible, Outcome
from cases.sheets.loading.shopfinder import ShopFinder
from cases.sheets.registry import Intake
from promises import verbs
from promises.models import Claim, ClaimEvent, ClaimState, Deposit
from promises.models.claim import GRANTED, PERSON_STEPS
from promises.sheets.claimsheet import ClaimFacts
from promises.verbs import Demand

S = ClaimState
#: Steps a row may tell of; an escalation changes no state.
_STEPS: Final = tuple(name for name in PERSON_STEPS if name != "escalate")
LONGEST_NUMBER: Final = 32


def way_to(state: str, target: str) -> list[str] | None:
    """The fewest steps from a state to another; None where no step of a person leads there.

    A granted claim is paid or owed as the deposit can; so either is where it leads.
    """
    goals = {str(s) for s in GRANTED} if target in GRANTED else {target}
    if state in goals:
        return []
    info = Claim.steps()
    came_by: dict[str, tuple[str, str]] = {}
    ahead, seen = deque([state]), {state}
    while ahead:
        here = ahead.popleft()
        for name in _STEPS:
            for there in map(str, info[name].targets if here in info[name].sources else ()):
                if there not in seen:
                    seen.add(there)
                    came_by[there] = (here, name)
                    ahead.append(there)
    found = next((goal for goal in sorted(goals) if goal in came_by), None)
    if found is None:
        return None
    way: list[str] = []
    while found != state:
        found, name = came_by[found]
        way.append(name)
    return way[::-1]


@dataclass
class _Book:
    """What a chunk speaks of, found and locked at once, in the order of all locks."""

    orders: dict[str, list[Order]] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    #: Numbers of claims that stand, whoever may see them.
    taken: set[str] = field(default_factory=set)
    been: dict[int, set[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, shops: ShopFinder, chunk: Sequence[ClaimFacts]) -> "_Book":
        book = cls()
        orders = Order.objects.filter(order_no__in={facts.order_no for facts in chunk})
        claims = Claim.objects.filter(claim_no__in={facts.claim_no for facts in chunk} - {""})
        keys = {key for facts in chunk if (key := natural_key(facts))}
        events = ClaimEvent.objects.filter(key__in=keys)
        by_key = {str(key): pk for key, pk in events.values_list("key", "claim_id")}
        book.taken = set(claims.values_list("claim_no", flat=True))
        claims = claims | Claim.objects.filter(pk__in=by_key.values())
        if shops.visible is not None:
            orders = orders.filter(shop_id__in=shops.visible)
            claims = claims.filter(shop_id__in=shops.visible)
        for order in orders.select_related("shop"):
            book.orders.setdefault(order.order_no, []).append(order)
        found = _lock(list(orders.values_list("pk", flat=True)), list(claims.distinct()))
        book.claims = {claim.claim_no: claim for claim in found}
        of = {claim.pk: claim for claim in found}
        book.claims |= {key: of[pk] for key, pk in by_key.items() if pk in of}
        told = ClaimEvent.objects.filter(claim__in=of).order_by()
        for pk, source, target in told.values_list("claim_id", "source", "target"):
            book.been.setdefault(pk, set()).update({source, target})
        return book

    def claim_of(self, facts: ClaimFacts, order: Order) -> Claim | None:
        """The claim the row speaks of; raises Impossible where its number is another's."""
        claim = self.claims.get(facts.claim_no or natural_key(facts))
        if claim is None:
            if facts.claim_no in self.taken:
                raise Impossible(
                    "bad_value",
                    _("the claim number %(no)s is taken; leave it empty for a new claim")
                    % {"no": facts.claim_no},
                )
            return None
        told = (order.pk, facts.line_no, facts.promise)
        if told != (claim.order_id, claim.order_line.line_no, claim.promise):
            raise Impossible(
                "bad_value",
                _("the claim %(no)s is on another line or promise; check the numbers")
                % {"no": claim.claim_no},
            )
        return claim


def _lock(order_ids: list[int], claims: list[Claim]) -> list[Claim]:
    """Cases, orders, claims, deposits, each in pk order: rows of a chunk may come in any."""
    case_ids = set(
        Case.objects.filter(lines__order_line__order__in=order_ids, lines__open=True)
        .order_by()
        .values_list("pk", flat=True)
    )
    case_ids |= {claim.case_id for claim in claims if claim.case_id is not None}
    orders = {*order_ids, *(claim.order_id for claim in claims)}
    for rows in (Case.objects.filter(pk__in=case_ids), Order.objects.filter(pk__in=orders)):
        list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    locked = Claim.objects.filter(pk__in=[claim.pk for claim in claims])
    found = list(locked.select_for_update(of=("self",)).select_related("order_line").order_by("pk"))
    shops = Order.objects.filter(pk__in=orders).order_by().values("shop_id")
    deposits = Deposit.objects.select_for_update(of=("self",)).filter(shop_id__in=shops)
    list(deposits.order_by("pk").values_list("pk"))
    return found


@dataclass
class ClaimLoader:
    """Takes chunks of claim facts; each row by itself, all of its steps or none."""

    shops: ShopFinder
    actor: Actor

    @classmethod
    def of(cls, intake: Intake) -> "ClaimLoader":
        return cls(intake.shops, intake.actor)

    def take(self, chunk: Sequence[ClaimFacts]) -> list[Outcome]:
        """Work through one chunk inside the caller's transaction; an outcome per row."""
        book = _Book.read(self.shops, chunk)
        return [self._row(facts, book) for facts in chunk]

    def _row(self, facts: ClaimFacts, book: _Book) -> Outcome:
        told = tuple(remark.message for remark in facts.warnings)
        done = Outcome(facts.rows, "unchanged", label=facts.claim_no, warnings=told)
        try:
            order = self.shops.order_of(facts, book.orders.get(facts.order_no, ()))
            claim = book.claim_of(facts, order)
            with transaction.atomic():
                moved = self._taken(facts, order, claim, book, done)
        except (Impossible, Refused) as problem:
            done.what, done.code, done.message = "failed", problem.code, done.told(problem.message)
            done.changes = ()
            return done
        book.claims[moved.claim_no] = moved
        if not facts.claim_no:
            book.claims[natural_key(facts)] = moved
        done.label = moved.claim_no
        return done

    def _taken(
        self, facts: ClaimFacts, order: Order, claim: Claim | None, book: _Book, done: Outcome
    ) -> Claim:
        if claim is None:
            claim = self._filed(facts, order)
            done.what = "created"
        else:
            _tell_differences(facts, claim, done)
        been = book.been.setdefault(claim.pk, {str(claim.state)})
        if facts.state is None or facts.state == claim.state:
            return claim
        if facts.state in been and done.what != "created":
            done.what = "skipped"
            done.message = _(
                "an older export: claim %(no)s is “%(here)s” already, the row says “%(told)s”"
            ) % _names(claim, facts.state)
            return claim
        if facts.state in GRANTED and claim.state in GRANTED:
            _tell_where(claim, done)  # paid or owed is for the deposit to say
            return claim
        moved = self._moved(facts, claim, been, done)
        if done.what != "created":
            done.what = "updated"
            done.changes += (("state", str(claim.state), str(moved.state)),)
        return moved

    def _filed(self, facts: ClaimFacts, order: Order) -> Claim:
        if len(facts.claim_no) > LONGEST_NUMBER:
            said = {"most": LONGEST_NUMBER}
            raise Impossible(
                "bad_value", _("the claim number is longer than %(most)s signs") % said
            )
        demand = Demand(
            facts.promise,
            facts.line_no,
            freight_out=facts.freight_out,
            freight_back=facts.freight_back,
            text=facts.text,
            told=facts.amount,
        )
        key = natural_key(facts) or None
        return verbs.file_claim(
            self.actor,
            order,
            demand,
            at=facts.filed_at,
            key=key,
            number=facts.claim_no or None,
        )

    def _moved(self, facts: ClaimFacts, claim: Claim, been: set[str], done: Outcome) -> Claim:
        """The claim after the steps that lead to where the row says it is."""
        target = str(facts.state)
        way = way_to(str(claim.state), target)
        if not way:
            text = _(
                "claim %(no)s is “%(here)s”; no step that a sheet can tell leads from there to "
                "“%(told)s”. Take the step on the claim's page"
            )
            raise Impossible("wrong_state", text % _names(claim, target))
        for name in way:
            step: Any = getattr(Claim, name)
            inputs: dict[str, Any] = {"text": _("as the sheet says")}
            if name == "uphold":
                inputs["report"] = facts.report
            key = f"sheet:{claim.claim_no}:{name}:{claim.seq}"
            claim = perform(self.actor, claim, step, key=key, **inputs)
            been.add(str(claim.state))
        if claim.state != target:
            _tell_where(claim, done)
        return claim


def natural_key(facts: ClaimFacts) -> str:
    """How a claim without a number is known again; empty where it has one."""
    if facts.claim_no:
        return ""
    line = f"{facts.order_no}:{facts.line_no}"
    return f"sheet:claim:{line}:{facts.promise}:{facts.filed_at:%Y%m%d%H%M%S}"[:120]


def _tell_where(claim: Claim, done: Outcome) -> None:
    said = {"no": claim.claim_no, "here": S(claim.state).label}
    done.warnings += (done.told(_("claim %(no)s is now “%(here)s”") % said),)


def _tell_differences(facts: ClaimFacts, claim: Claim, done: Outcome) -> None:
    """What no sheet may change is told and left as it is."""
    differs: list[tuple[str, str, str]] = []
    if facts.amount not in {None, claim.amount}:
        differs.append((_("amount"), shown(claim.amount), shown(facts.amount)))
    if not same_moment(claim.filed_at, facts.filed_at):
        differs.append((_("filed at"), shown(claim.filed_at), shown(facts.filed_at)))
    if facts.text and facts.text != claim.text.strip():
        differs.append((_("text"), claim.text[:40], facts.text[:40]))
    for what, here, there in differs:
        said = {"no": claim.claim_no, "what": what, "here": here, "told": there}
        text = _("claim %(no)s: the %(what)s is “%(here)s”, not “%(told)s”, and was left as it is")
        done.warnings += (done.told(text % said),)


def _names(claim: Claim, told: str) -> dict[str, Any]:
    return {"no": claim.claim_no, "here": S(claim.state).label, "told": S(told).label}
