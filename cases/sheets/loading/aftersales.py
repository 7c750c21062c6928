"""Cases of a sheet: unknown ones are adopted in any state, known ones move through the door."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from cases import verbs
from cases.differences import hear
from cases.flow import clock, writing
from cases.flow.door import Act, Actor, Refused, perform, perform_many
from cases.models import Case, CaseEvent, Goods, Parcel, RefusalReason, State
from cases.models.kinds import TERMINAL
from cases.sheets.facts import CaseFacts
from cases.sheets.loading.casebook import (
    Bundle,
    CaseBook,
    bundles,
    natural_key,
    pieces_of,
    summed,
)
from cases.sheets.loading.changes import differences, shown
from cases.sheets.loading.merging import is_masked, same_moment
from cases.sheets.loading.outcomes import Impossible, Outcome
from cases.sheets.loading.platformwords import Spoken, tellings
from cases.sheets.loading.routes import Edge, Legs, route
from cases.sheets.loading.shopfinder import ShopFinder

S = State
#: The way a case goes as a rule; what stands earlier in it lies behind what stands later.
_ONWARD: Final = {
    str(state): at
    for at, state in enumerate(
        (
            *(S.APPLIED, S.AWAITING_RETURN, S.RETURNING, S.INSPECTING, S.DIAGNOSING),
            *(S.REPAIRING, S.QUALITY_CHECK, S.AWAITING_DISPATCH, S.AWAITING_RECEIPT),
        )
    )
}


@dataclass
class _Known:
    """A case we have and what its rows ask of it."""

    bundle: Bundle
    case: Case
    done: Outcome
    way: list[Edge] = field(default_factory=list)
    at: datetime | None = None


@dataclass
class CaseLoader:
    """Takes chunks of case facts. ``columns``: fields for which the sheet has a column."""

    shops: ShopFinder
    actor: Actor
    dialect: str
    columns: frozenset[str]

    @property
    def by_platform(self) -> bool:
        return self.shops.platform is not None

    def take(self, chunk: Sequence[CaseFacts]) -> list[Outcome]:
        """Work through one chunk inside the caller's transaction; an outcome per case."""
        asked = bundles(chunk)
        now = clock.now()
        book = CaseBook.read(self.shops, asked)
        outcomes: list[Outcome] = []
        spoken: list[Spoken] = []
        fresh: list[Spoken] = []
        known: list[_Known] = []
        for bundle in asked:
            told = tuple(remark.message for remark in bundle.remarks)
            done = Outcome(bundle.rows, "unchanged", label=bundle.number, warnings=told)
            outcomes.append(done)
            try:
                bundle.check()
                order = book.order_of(bundle)
                said = Spoken(bundle, order, done)
                spoken.append(said)
                said.case = case = book.case_of(bundle, order)
                if case is None:
                    fresh.append(said)
                else:
                    done.label = case.case_no
                    known.append(_Known(bundle, case, done))
            except Impossible as problem:
                _fail(done, problem.code, problem.message)
        self._adopt(fresh, book, now)
        self._go_on(known, book, now)
        if self.by_platform:
            hear(tellings(spoken, book, self.dialect, now), now)
        return outcomes

    # Cases we do not have yet

    def _adopt(self, fresh: list[Spoken], book: CaseBook, now: datetime) -> None:
        entries: list[verbs.NewCase] = []
        waiting: list[Spoken] = []
        for said in fresh:
            try:
                entries.append(self._entry(said, book, now))
                waiting.append(said)
            except Impossible as problem:
                _fail(said.done, problem.code, problem.message)
        answers = verbs.adopt_cases(self.actor, entries) if entries else []
        for said, answer in zip(waiting, answers, strict=True):
            if isinstance(answer, Refused):
                _fail(said.done, answer.code, answer.message)
            else:
                said.done.what, said.done.label = "created", answer.case_no
                said.case = answer

    def _entry(self, said: Spoken, book: CaseBook, now: datetime) -> verbs.NewCase:
        bundle, order, done = said.bundle, said.order, said.done
        facts = bundle.facts
        if facts.kind is None:
            raise Impossible("bad_value", _("the row does not say what kind of case it is"))
        reason, words, told = book.reason_of(bundle, by_platform=self.by_platform)
        if told:
            done.warnings += (done.told(told),)
        if len(bundle.number) > 64:
            raise Impossible("bad_value", _("the case number is longer than 64 signs"))
        lines: list[tuple[int | str, int]] = []
        for part in bundle.parts:
            line = book.line_of(part, order)
            lines.append((line.line_no, pieces_of(part, line)))
        state = facts.state or str(State.APPLIED)
        applied = facts.applied_at or facts.seen_at or now
        if applied > now:
            raise Impossible("bad_value", _("the time of application lies in the future"))
        at = min(max(facts.seen_at or applied, applied), now)
        return verbs.NewCase(
            order=order,
            kind=facts.kind,
            reason=reason,
            lines=lines,
            amount=summed(part.amount for part in bundle.parts),
            freight=facts.freight,
            text=facts.text,
            reason_words=words[:200],
            case_no=bundle.number,
            platform_case_no=facts.platform_case_no,
            platform_due_at=facts.platform_due_at,
            applied_at=applied,
            at=applied if state == State.APPLIED else at,
            state=state,
            key=natural_key(bundle) or None,
            courier=facts.courier[:60],
            waybill=facts.waybill[:64],
            refund_number=facts.refund_number,
            refunded_amount=summed(part.refunded_amount for part in bundle.parts),
            goods=facts.goods if facts.goods in Goods.values else "",
            whole=self.by_platform,
        )

    # Cases we have

    def _go_on(self, known: list[_Known], book: CaseBook, now: datetime) -> None:
        other = RefusalReason.objects.filter(code="other").first()
        moved = [one.case for one in known if one.bundle.facts.state not in {None, one.case.state}]
        histories = _histories(moved)
        for one in known:
            self._plan(one, histories.get(one.case.pk, set()), other, now)
        heard = [one for one in known if one.done.what == "unchanged"]
        self._walk([one for one in heard if one.way], other)
        heard = [one for one in heard if one.done.what in {"unchanged", "updated"}]
        self._columns(heard)
        self._parcels(heard, now)
        self._deadlines(heard)
        for one in heard:
            self._differences(one, book)

    def _plan(
        self, one: _Known, history: set[str], other: RefusalReason | None, now: datetime
    ) -> None:
        facts, case = one.bundle.facts, one.case
        state = facts.state
        if state is None or state == case.state:
            return
        if _lies_behind(case, state, history):
            one.done.what = "skipped"
            said = {"no": case.case_no, "here": _label(case.state), "told": _label(state)}
            one.done.message = (
                _("an older export: case %(no)s is “%(here)s” already, the row says “%(told)s”")
                % said
            )
            return
        way = route(case, state, Legs(facts, self.by_platform, other))
        if way is None:
            said = {"no": case.case_no, "here": _label(case.state), "told": _label(state)}
            text = _(
                "case %(no)s is “%(here)s”; no step that a sheet can tell leads from there to "
                "“%(told)s”. Take the step on the case's page"
            )
            _fail(one.done, "wrong_state", text % said)
            return
        one.way = way
        moved = case.moved_at
        if facts.seen_at and facts.seen_at <= now and (moved is None or facts.seen_at > moved):
            one.at = facts.seen_at

    def _walk(self, walking: list[_Known], other: RefusalReason | None) -> None:
        """One step: in batches by step. Several: each case by itself, all of them or none."""
        by_step: dict[str, list[_Known]] = defaultdict(list)
        for one in walking:
            if len(one.way) > 1:
                self._walk_alone(one, other)
            else:
                by_step[one.way[0].step].append(one)
        for step, group in by_step.items():
            of = {one.case.pk: one for one in group}
            acts = [
                Act(one.case.pk, self._inputs(one, one.way[0], other), _key(one, 0), one.at)
                for one in group
            ]
            report = perform_many(self.actor, Case, acts, step)
            for move in report.done:
                of[move.pk].done.what = "updated"
                self._arrived(of[move.pk], move.subject)
            for pk, refusal in report.refused:
                _fail(of[pk].done, refusal.code, refusal.message)
            for pk, _fault in report.failed:
                text = _("the step failed through a fault of ours; it is in the log")
                _fail(of[pk].done, "bad_value", text)

    def _walk_alone(self, one: _Known, other: RefusalReason | None) -> None:
        case = one.case
        try:
            with transaction.atomic():
                for at, edge in enumerate(one.way):
                    inputs = self._inputs(one, edge, other)
                    step = getattr(Case, edge.step)
                    case = perform(self.actor, case, step, at=one.at, key=_key(one, at), **inputs)
                    if case.state != edge.target:
                        break
        except Refused as refusal:
            _fail(one.done, refusal.code, refusal.message)
            return
        one.done.what = "updated"
        self._arrived(one, case)

    def _inputs(self, one: _Known, edge: Edge, other: RefusalReason | None) -> dict[str, Any]:
        given = edge.inputs(one.case, Legs(one.bundle.facts, self.by_platform, other))
        return {name: value for name, value in given.items() if value not in {None, ""}}

    def _arrived(self, one: _Known, case: Case) -> None:
        one.done.changes += (("state", str(one.case.state), str(case.state)),)
        one.case = case
        if case.state != one.bundle.facts.state:
            said = {"no": case.case_no, "here": _label(case.state)}
            one.done.warnings += (one.done.told(_("case %(no)s is now “%(here)s”") % said),)

    def _columns(self, heard: list[_Known]) -> None:
        """Plain facts: the buyer's words, the platform's words and number."""
        names = ("text", "reason_words", "platform_case_no")
        fields = [Case._meta.get_field(name) for name in names]
        rows = []
        for one in heard:
            case, facts = one.case, one.bundle.facts
            new = [_told(getattr(facts, name), getattr(case, name)) for name in names]
            new[1] = new[1][:200]
            old = [getattr(case, name) for name in names]
            if new != old:
                one.done.what = "updated"
                one.done.changes += tuple(
                    differences(
                        dict(zip(names, old, strict=True)), dict(zip(names, new, strict=True))
                    )
                )
                rows.append([case.pk, *writing.values_for(fields, new)])
        writing.update_rows(Case, fields, sorted(rows, key=lambda row: row[0]))

    def _parcels(self, heard: list[_Known], now: datetime) -> None:
        """A parcel back to us that we do not know yet; the goods' own steps stay as they are."""
        sent = [one for one in heard if one.bundle.facts.waybill and one.case.sent_back_at]
        ids = [one.case.pk for one in sent]
        have = set(
            Parcel.objects.filter(case_id__in=ids).values_list("case_id", "waybill").distinct()
        )
        new = []
        for one in sent:
            facts = one.bundle.facts
            if (one.case.pk, facts.waybill[:64]) in have:
                continue
            one.done.what = "updated"
            one.done.changes += (("waybill", "", facts.waybill[:64]),)
            new.append(
                Parcel(
                    order_id=one.case.order_id,
                    case_id=one.case.pk,
                    direction=Parcel.Direction.IN,
                    purpose=Parcel.Purpose.RETURN,
                    courier=facts.courier[:60],
                    waybill=facts.waybill[:64],
                    payer=one.case.freight_payer,
                    sent_at=one.case.sent_back_at or now,
                )
            )
        Parcel.objects.bulk_create(new)

    def _deadlines(self, heard: list[_Known]) -> None:
        """The platform's own deadline counts for the state its sheet shows."""
        acts, of = [], {}
        for one in heard:
            due, case = one.bundle.facts.platform_due_at, one.case
            if due is None or case.state in TERMINAL or case.state == State.MEDIATING:
                continue
            if one.bundle.facts.state in {None, case.state} and not same_moment(
                case.platform_due_at, due
            ):
                of[case.pk] = one
                acts.append(Act(case.pk, {"due_at": due}))
        if not acts:
            return
        report = perform_many(self.actor, Case, acts, Case.set_platform_due)
        for move in report.done:
            one = of[move.pk]
            one.done.what = "updated"
            was, now = shown(one.case.platform_due_at), shown(one.bundle.facts.platform_due_at)
            one.done.changes += (("platform_due_at", was, now),)
        for pk, refusal in report.refused:
            done = of[pk].done
            done.warnings += (done.told(refusal.message),)

    def _differences(self, one: _Known, book: CaseBook) -> None:
        """What a sheet of ours says differently and no sheet may change is told."""
        facts, case = one.bundle.facts, one.case
        if self.by_platform or one.done.what == "updated":
            return
        asked = summed(part.amount for part in one.bundle.parts)
        held = summed(line.amount for line in book.case_lines.get(case.pk, ()))
        differs = []
        if facts.kind and facts.kind != case.kind:
            differs.append(_("kind"))
        if asked is not None and asked not in {held, case.amount_requested, case.refunded}:
            differs.append(_("amount"))
        if differs:
            said = {"no": case.case_no, "what": ", ".join(differs)}
            text = _("case %(no)s: the %(what)s differs and was left as it is; take a step") % said
            one.done.warnings += (one.done.told(text),)


def _fail(done: Outcome, code: str, message: str) -> None:
    done.what, done.code, done.message = "failed", code, done.told(message)


def _label(state: str) -> str:
    return str(State(state).label)


def _key(one: _Known, at: int) -> str:
    """The same row again does nothing again; a case that comes by once more may move once more."""
    return f"sheet:{one.case.case_no}:{one.way[at].target}:{one.case.seq + at}"


def _told(told: str, known: str) -> str:
    if not told or (known and is_masked(told)):
        return known
    return told


def _histories(cases: list[Case]) -> dict[int, set[str]]:
    """Every state each case has been through."""
    been: dict[int, set[str]] = defaultdict(set)
    events = CaseEvent.objects.filter(case_id__in=[case.pk for case in cases])
    for pk, source, target in events.values_list("case_id", "source", "target").order_by():
        been[pk] |= {source, target}
    return been


def _lies_behind(case: Case, state: str, history: set[str]) -> bool:
    if state in history or (case.state in TERMINAL and state not in TERMINAL):
        return True
    if case.state not in _ONWARD or state not in _ONWARD:
        return False
    return _ONWARD[state] < _ONWARD[case.state]
