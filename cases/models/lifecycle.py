"""The case's steps on one page: from where to where, by whom, and what each sets on its own row.

The table is domain.md 2.3. Steps are pure on their own row. What a step needs to know of other
rows stands in ``self.acting.facts`` (found by cases.guards); what it writes to other rows is done
by cases.effects of the same step's name. Role letters: A agent, L lead, W warehouse, F finance,
S supervisor, C the clock, P the platform's sheet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.flow import clock
from cases.flow.states import step
from cases.models.casefields import CaseFields
from cases.models.kinds import (
    GOODS_REMEDIES,
    MONEY_REMEDIES,
    OPEN,
    Goods,
    Kind,
    Remedy,
    State,
    usual_remedy,
)


@dataclass(frozen=True)
class Condition:
    """A question to the row itself, with the sentence that is said when the answer is no."""

    test: Callable[[Any], bool]
    message: str | Promise

    def __call__(self, case: Any) -> bool:
        return self.test(case)


IS_UNSHIPPED = Condition(
    lambda c: c.kind == Kind.REFUND_UNSHIPPED,
    _("Only a refund before shipping is settled by shipping the order."),
)
MAY_BE_REFUSED = Condition(
    lambda c: c.kind != Kind.REFUND_UNSHIPPED,
    _("A refund before shipping cannot be refused outright: ship the order, or accept."),
)
IS_IN_TRANSIT = Condition(
    lambda c: c.kind == Kind.REFUND_IN_TRANSIT,
    _("Only a parcel in transit can be intercepted."),
)
IS_EXCHANGE_NOT_AHEAD = Condition(
    lambda c: c.remedy == Remedy.EXCHANGE and not c.ahead,
    _("Only an exchange whose replacement is not yet on its way can be sent ahead."),
)
IS_REPAIR = Condition(
    lambda c: c.remedy == Remedy.REPAIR, _("This case is no repair; change the remedy first.")
)
IS_EVIDENCE_PHASE = Condition(
    lambda c: c.mediation_phase == "evidence", _("The time for evidence is over already.")
)
IS_RETURN = Condition(
    lambda c: c.remedy in MONEY_REMEDIES, _("Only a return ends in a refund by silence.")
)
IS_EXCHANGE = Condition(lambda c: c.remedy == Remedy.EXCHANGE, _("This case is no exchange."))
IS_SWAP = Condition(
    lambda c: c.remedy in (Remedy.EXCHANGE, Remedy.REPAIR), _("This case is a return.")
)

S = State
REFUND_PLACE = (S.REFUNDING, S.AWAITING_APPROVAL)
BACK = (  # where approval and negotiation may have come from
    S.APPLIED,
    S.INTERCEPTING,
    S.INSPECTING,
    S.DIAGNOSING,
    S.REPAIRING,
    S.QUALITY_CHECK,
    S.AWAITING_RETURN,
    S.AWAITING_DISPATCH,
    S.NEGOTIATING,
    S.MEDIATING,
)
MEDIABLE = tuple(s for s in OPEN if s not in (S.MEDIATING, S.REFUNDING, S.AWAITING_APPROVAL))
EVERY = tuple(State)


#: Steps a person may take; each has a permission of its name (a house rule compares them).
PERSON_STEPS = (
    "ship_order",
    "accept",
    "approve",
    "send_back",
    "propose",
    "agree_proposal",
    "decline_proposal",
    "refuse",
    "revise",
    "withdraw",
    "intercept",
    "intercept_succeed",
    "intercept_fail",
    "ship_back",
    "receive",
    "pass_inspection",
    "fail_inspection",
    "send_for_diagnosis",
    "record_diagnosis",
    "start_repair",
    "finish_repair",
    "pass_quality_check",
    "fail_quality_check",
    "dispatch",
    "dispatch_ahead",
    "confirm_receipt",
    "pay",
    "fail_payout",
    "convert",
    "request_mediation",
    "end_evidence",
    "cancel_mediation",
    "rule_for_buyer",
    "rule_for_seller",
    "rule_split",
    "record_platform_outcome",
    "escalate",
    "assign",
    "extend",
    "set_platform_due",
    "reopen",
    "hand_back",
    "add_note",
    "log_contact",
    "add_evidence",
    "tag",
    "compensate",
)
CASE_PERMISSIONS: list[tuple[str, Any]] = [
    *((f"{name}_case", f"Can take the step {name}") for name in PERSON_STEPS),
    ("import_case", "Can import cases"),
    ("export_case", "Can export cases"),
    ("see_money_case", "Can see amounts"),
]


class Case(CaseFields):
    """One after-sales application; only these steps write its state, only the door runs them."""

    class Meta(CaseFields.Meta):
        abstract = False
        permissions = CASE_PERMISSIONS

    # The application

    @step(
        source=[S.APPLIED],
        target=S.CLOSED,
        by="A W",
        label=_("Ship the order"),
        conditions=[IS_UNSHIPPED],
    )
    def ship_order(self, *, courier: str, waybill: str) -> None:
        """The order is shipped after all; the application is settled by that."""
        self._end("shipped")

    @step(
        source=[S.APPLIED],
        target=[*REFUND_PLACE, S.AWAITING_RETURN, S.AWAITING_DISPATCH, S.REPAIRING],
        by="A L",
        label=_("Accept"),
    )
    def accept(
        self,
        *,
        amount: Decimal | None = None,
        freight: Decimal | None = None,
        return_address: Any = None,
        waiver: str = "",
        text: str = "",
    ) -> str:
        """Agree to what is asked for; ``amount`` (goods, yuan) if it differs."""
        self.accepted_at = self.acting.at
        self.waiver = waiver or self.waiver
        if return_address is not None:
            self.return_address = return_address
        self._decide_amount()
        return self._cleared_for(self._way())

    @step(
        source=[S.APPLIED],
        target=[S.REFUNDING, S.AWAITING_RETURN, S.AWAITING_DISPATCH, S.REPAIRING],
        by="C",
        label=_("Accepted by silence"),
    )
    def accept_by_silence(self) -> str:
        """Nobody answered in time: the platform has decided, no approval is asked."""
        self.accepted_at = self.acting.at
        self._decide_amount()
        self.cleared = self.total_approved
        return self._way()

    @step(
        source=[S.AWAITING_APPROVAL],
        target=[S.REFUNDING, S.AWAITING_RETURN, S.AWAITING_APPROVAL],
        by="S",
        label=_("Approve"),
    )
    def approve(self, *, text: str = "") -> str:
        """A second person agrees to the amount; very large ones need two supervisors."""
        self.approvals += 1
        if self.approvals < self.approvals_needed:
            return str(S.AWAITING_APPROVAL)
        self.cleared = self.total_approved
        return self.going_to

    @step(source=[S.AWAITING_APPROVAL], target=BACK, by="S", label=_("Send back"), danger=True)
    def send_back(self, *, text: str) -> str:
        """Not approved: back where it came from, with a fresh clock."""
        self.remedy = self.came_remedy or self.remedy
        self.amount_approved, self.freight_approved = None, None
        self.going_to = self.came_remedy = ""
        if self.approval_from == S.MEDIATING:
            self.mediation_phase = "decision"
        return self.approval_from

    @step(
        source=[S.APPLIED, S.INSPECTING, S.DIAGNOSING, S.REPAIRING, S.AWAITING_DISPATCH],
        target=S.NEGOTIATING,
        by="A L",
        label=_("Propose another way"),
    )
    def propose(self, *, remedy: str = "", amount: Decimal | None = None, text: str = "") -> None:
        """Offer another remedy or amount; the buyer has to agree."""
        self.proposed_from = self.acting.source
        self.proposed_remedy = remedy or self.remedy
        self.proposed_amount = amount

    @step(
        source=[S.NEGOTIATING],
        target=[*REFUND_PLACE, S.AWAITING_RETURN, S.AWAITING_DISPATCH, S.REPAIRING],
        by="A L",
        label=_("The buyer agrees"),
        rearm=True,
    )
    def agree_proposal(self, *, text: str = "") -> str:
        """The buyer agrees: the case goes on as converted to the proposal."""
        return self._convert_to(self.proposed_remedy)

    @step(source=[S.NEGOTIATING], target=BACK, by="A L", label=_("The buyer declines"))
    def decline_proposal(self, *, text: str = "") -> str:
        """Back where it came from, with a fresh clock."""
        return self.proposed_from

    @step(
        source=[S.APPLIED, S.INSPECTING],
        target=S.REFUSED,
        by="A L",
        label=_("Refuse"),
        conditions=[MAY_BE_REFUSED],
        danger=True,
    )
    def refuse(self, *, reason: Any, text: str = "") -> None:
        """Say no, with a reason the buyer reads; he may revise."""
        self.refusal = reason
        self.refused_at = self.acting.at

    @step(source=[S.REFUSED], target=S.APPLIED, by="A L", label=_("The buyer revises"))
    def revise(self, *, kind: str = "", amount: Decimal | None = None, text: str = "") -> None:
        """The buyer applies again, perhaps for something else; a fresh clock for the seller."""
        if kind:
            self.kind, self.remedy = kind, usual_remedy(kind)
        if amount is not None:
            self.amount_requested = amount
        elif kind:
            self.amount_requested = self.acting.facts["amount"]
        self.amount_approved = self.freight_approved = None
        self.resubmissions += 1

    @step(
        source=[
            S.APPLIED,
            S.NEGOTIATING,
            S.REFUSED,
            S.AWAITING_APPROVAL,
            S.INTERCEPTING,
            S.AWAITING_RETURN,
        ],
        target=S.CLOSED,
        by="A L",
        label=_("The buyer withdraws"),
    )
    def withdraw(self, *, text: str = "") -> None:
        """The buyer no longer asks for anything."""
        self._end("withdrawn")

    @step(
        source=[S.NEGOTIATING, S.REFUSED, S.AWAITING_RETURN],
        target=S.CLOSED,
        by="C",
        label=_("Closed by silence"),
    )
    def close_by_silence(self) -> None:
        """The buyer did not answer in time."""
        self._end("silence")

    # The parcel that is still on its way to the buyer

    @step(
        source=[S.APPLIED],
        target=S.INTERCEPTING,
        by="A W",
        label=_("Intercept the parcel"),
        conditions=[IS_IN_TRANSIT],
    )
    def intercept(self, *, text: str = "") -> None:
        """Ask the courier to turn the parcel round; impossible once it is signed for."""
        self.accepted_at = self.acting.at

    @step(source=[S.INTERCEPTING], target=REFUND_PLACE, by="A W", label=_("Intercepted"))
    def intercept_succeed(self, *, text: str = "") -> str:
        """The parcel comes back to us: the money can go out."""
        self._decide_amount()
        return self._cleared_for(S.REFUNDING)

    @step(source=[S.INTERCEPTING], target=S.APPLIED, by="A W", label=_("Interception failed"))
    def intercept_fail(self, *, text: str = "") -> None:
        """The parcel goes on to the buyer; the seller decides anew."""

    @step(
        source=[S.INTERCEPTING], target=S.REFUNDING, by="C", label=_("Interception ran out of time")
    )
    def refund_after_intercept(self) -> None:
        """Nobody said how the interception ended: the buyer gets his money."""
        self._decide_amount()
        self.cleared = self.total_approved

    # The goods come back

    @step(
        source=[S.AWAITING_RETURN],
        target=S.RETURNING,
        by="A L W",
        label=_("The goods were sent back"),
    )
    def ship_back(
        self, *, courier: str, waybill: str, surface: bool = False, text: str = ""
    ) -> None:
        """The buyer handed the goods to a courier; ``surface``: surface post, a longer limit."""
        self.sent_back_at = self.acting.at
        self.surface = surface

    @step(source=[S.RETURNING], target=S.INSPECTING, by="W A", label=_("Receive"))
    def receive(self, *, line: Any = None, text: str = "") -> None:
        """The goods arrived; ``line``: pieces per order line where not all or more came."""
        self.received_at = self.acting.at
        self.goods = Goods.RETURNED

    @step(
        source=[S.RETURNING],
        target=S.INSPECTING,
        by="C",
        label=_("Taken as received"),
        conditions=[IS_SWAP],
    )
    def receive_by_silence(self) -> None:
        """Nobody confirmed the receipt in time: the goods count as received in full."""
        self.received_at = self.acting.at
        self.goods = Goods.RETURNED

    @step(
        source=[S.RETURNING, S.INSPECTING],
        target=S.REFUNDING,
        by="C",
        label=_("Refund by silence"),
        conditions=[IS_RETURN],
    )
    def refund_by_silence(self) -> None:
        """Nobody received or inspected in time: the buyer gets his money."""
        self.received_at = self.received_at or self.acting.at
        self.goods = Goods.RETURNED
        if self.amount_approved is None:
            self._decide_amount()
        self.cleared = self.total_approved

    @step(
        source=[S.INSPECTING],
        target=[*REFUND_PLACE, S.AWAITING_DISPATCH, S.REPAIRING, S.AWAITING_RECEIPT],
        by="W A",
        label=_("Inspection passed"),
    )
    def pass_inspection(
        self, *, line: Any = None, disposition: str = "restock", text: str = ""
    ) -> str:
        """``line``: accepted pieces per order line (all that came if not given).

        The rest of the pieces goes back to the buyer.
        """
        self.inspected_at = self.acting.at
        self.disposition = disposition
        return self._inspected()

    @step(
        source=[S.INSPECTING],
        target=[S.AWAITING_DISPATCH, S.AWAITING_RECEIPT],
        by="C",
        label=_("Passed by silence"),
        conditions=[IS_EXCHANGE],
    )
    def pass_by_silence(self) -> str:
        """Nobody inspected in time: an exchange goes on."""
        self.inspected_at = self.acting.at
        return self._inspected()

    @step(
        source=[S.INSPECTING],
        target=S.REFUSED,
        by="W A",
        label=_("Inspection failed"),
        danger=True,
    )
    def fail_inspection(self, *, reason: Any, text: str = "") -> None:
        """The goods are not as they must be: refused, and they go back to the buyer."""
        self.refusal = reason
        self.refused_at = self.inspected_at = self.acting.at

    @step(source=[S.INSPECTING], target=S.DIAGNOSING, by="W A", label=_("Send for diagnosis"))
    def send_for_diagnosis(self, *, place: str, vendor: str, text: str = "") -> None:
        """``place``: service point, supplier or authorised body; ``vendor``: its name."""
        self.vendor = vendor

    @step(
        source=[S.DIAGNOSING],
        target=[*REFUND_PLACE, S.AWAITING_DISPATCH, S.REPAIRING, S.AWAITING_RECEIPT, S.INSPECTING],
        by="W A",
        label=_("Record the diagnosis"),
    )
    def record_diagnosis(self, *, verdict: str, text: str = "") -> str:
        """``confirmed``: the fault is there and the case goes on; else back to inspection."""
        self.verdict = verdict
        if verdict != "confirmed":
            return str(S.INSPECTING)
        self.inspected_at = self.acting.at
        return self._inspected()

    # Repair

    @step(
        source=[S.INSPECTING, S.DIAGNOSING],
        target=S.REPAIRING,
        by="W A",
        label=_("Start the repair"),
        conditions=[IS_REPAIR],
    )
    def start_repair(self, *, vendor: str, quote: Decimal | None = None, text: str = "") -> None:
        """Give the goods to whoever repairs them."""
        self.vendor = vendor
        self.repair_quote = quote

    @step(source=[S.REPAIRING], target=S.QUALITY_CHECK, by="W A", label=_("Repair finished"))
    def finish_repair(self, *, cost: Decimal | None = None, text: str = "") -> None:
        """Back from repair, to be checked."""
        self.repair_cost = cost

    @step(source=[S.QUALITY_CHECK], target=S.AWAITING_DISPATCH, by="W", label=_("Check passed"))
    def pass_quality_check(self, *, text: str = "") -> None:
        """The repair holds; the goods go back to the buyer."""

    @step(
        source=[S.QUALITY_CHECK], target=S.REPAIRING, by="W", label=_("Check failed"), danger=True
    )
    def fail_quality_check(self, *, text: str = "") -> None:
        """The repair does not hold; back to the repairer."""

    # Goods go out

    @step(source=[S.AWAITING_DISPATCH], target=S.AWAITING_RECEIPT, by="W A", label=_("Dispatch"))
    def dispatch(self, *, courier: str, waybill: str, serial: Any = None, text: str = "") -> None:
        """Replacement, missing part or repaired goods are on their way; ``serial``: new serials."""
        self.dispatched_at = self.acting.at
        self.goods = Goods.RECEIVED

    @step(
        source=[S.AWAITING_RETURN, S.RETURNING],
        target=None,
        by="W A L",
        label=_("Send the replacement ahead"),
        conditions=[IS_EXCHANGE_NOT_AHEAD],
    )
    def dispatch_ahead(self, *, courier: str, waybill: str, text: str = "") -> None:
        """A wrong item: the right one goes out at once, before the wrong one is back."""
        self.ahead = True
        self.dispatched_at = self.acting.at

    @step(
        source=[S.AWAITING_RECEIPT],
        target=S.COMPLETED,
        by="A C",
        label=_("The buyer has received it"),
    )
    def confirm_receipt(self, *, text: str = "") -> None:
        """The buyer has what he was promised."""
        self._end("received")

    # Money

    @step(source=[S.REFUNDING], target=S.COMPLETED, by="F", label=_("Pay"))
    def pay(
        self,
        *,
        reference: str,
        method: str = "original",
        amount: Decimal | None = None,
        payee: str = "",
        text: str = "",
    ) -> None:
        """The money went out; ``reference`` is the bank's or platform's number of the payout."""
        self._end("paid")

    @step(source=[S.REFUNDING], target=None, by="F", label=_("The payout failed"), danger=True)
    def fail_payout(self, *, text: str) -> None:
        """The payout did not go through; it stands in the work list under our refund number."""

    # Other ways

    @step(
        source=[
            S.APPLIED,
            S.AWAITING_RETURN,
            S.INSPECTING,
            S.DIAGNOSING,
            S.REPAIRING,
            S.QUALITY_CHECK,
            S.AWAITING_DISPATCH,
        ],
        target=[*REFUND_PLACE, S.AWAITING_RETURN, S.AWAITING_DISPATCH, S.REPAIRING],
        by="A L",
        label=_("Change the remedy"),
        rearm=True,
    )
    def convert(self, *, remedy: str, amount: Decimal | None = None, text: str = "") -> str:
        """Settle on another remedy than the one asked for, agreed with the buyer."""
        return self._convert_to(remedy)

    @step(source=MEDIABLE, target=S.MEDIATING, by="A L", label=_("The platform steps in"))
    def request_mediation(self, *, party: str, text: str = "") -> None:
        """Buyer or seller asked the platform to decide; the case's own clock stands still."""
        self.mediated_from = self.acting.source
        self.resume_left = int(self.acting.facts["left"].total_seconds())
        self.mediation_party = party
        self.mediation_phase = "evidence"

    @step(
        source=[S.MEDIATING],
        target=None,
        by="C L",
        label=_("The time for evidence is over"),
        conditions=[IS_EVIDENCE_PHASE],
        rearm=True,
    )
    def end_evidence(self) -> None:
        """The platform decides on what is there."""
        self.mediation_phase = "decision"

    @step(source=[S.MEDIATING], target=MEDIABLE, by="L", label=_("Mediation called off"))
    def cancel_mediation(self, *, text: str = "") -> str:
        """Back to where the case stood; its clock resumes with what was left."""
        self.mediation_phase = ""
        return self.mediated_from

    @step(
        source=[S.MEDIATING],
        target=[*REFUND_PLACE, S.AWAITING_RETURN],
        by="L",
        label=_("Ruled for the buyer"),
    )
    def rule_for_buyer(self, *, amount: Decimal | None = None, text: str = "") -> str:
        """The platform decided for the buyer; ``amount`` if it differs."""
        self.mediation_phase = ""
        with_us = self.goods == Goods.RETURNED
        if self.remedy in GOODS_REMEDIES:
            self.remedy = Remedy.RETURN_REFUND
        else:
            self.remedy = Remedy.REFUND
        self._decide_amount()
        if self.remedy == Remedy.RETURN_REFUND and not with_us:
            if not self.acting.facts.get("approvals"):
                self.cleared = max(self.cleared, self.total_approved)
            return str(S.AWAITING_RETURN)
        return self._cleared_for(S.REFUNDING)

    @step(source=[S.MEDIATING], target=S.CLOSED, by="L", label=_("Ruled for the seller"))
    def rule_for_seller(self, *, text: str = "") -> None:
        """The platform decided for the seller; goods that lie with us go back."""
        self.mediation_phase = ""
        self._end("ruled_for_seller")

    @step(source=[S.MEDIATING], target=REFUND_PLACE, by="L", label=_("Ruled in part"))
    def rule_split(self, *, amount: Decimal, text: str = "") -> str:
        """The platform gave the buyer part of the money; the goods stay where they are."""
        self.mediation_phase = ""
        self.remedy = Remedy.REFUND
        self._decide_amount()
        return self._cleared_for(S.REFUNDING)

    @step(
        source=OPEN,
        target=[S.COMPLETED, S.CLOSED],
        by="L P",
        label=_("Record the platform's outcome"),
    )
    def record_platform_outcome(
        self,
        *,
        number: str,
        outcome: str = "refunded",
        amount: Decimal | None = None,
        text: str = "",
    ) -> str:
        """The platform ended the case by itself; ``number``: its refund number, once only.

        ``outcome``: refunded, closed, or done (exchanged, repaired, resent without money).
        """
        self._end("platform")
        self.mediation_phase = ""
        if outcome == "closed":
            return str(S.CLOSED)
        if outcome == "refunded":
            if self.remedy not in MONEY_REMEDIES:
                self.remedy = Remedy.REFUND
            self._decide_amount()
            self.cleared = self.total_approved
        return str(S.COMPLETED)

    @step(source=OPEN, target=None, by="A L S C", label=_("Escalate"))
    def escalate(self, *, text: str = "") -> None:
        """A supervisor has to look; once per clock."""
        self.escalated_at = self.acting.at
        overdue = self.due_at is None or self.due_at <= self.acting.at
        if overdue or self.on_expiry == "escalate":
            self.wake_at = None  # nothing is left for the clock to do

    @step(source=OPEN, target=None, by="A L S", label=_("Assign"))
    def assign(self, *, user: Any = None) -> None:
        """Whose case it is; empty: nobody's."""
        self.owner = user

    @step(source=OPEN, target=None, by="A L S", label=_("Extend the time"))
    def extend(self, *, days: int, text: str = "") -> None:
        """Give more time, as the policy of this state allows."""
        clock.extend(self, self.acting.at, timedelta(days=days))

    @step(source=OPEN, target=None, by="A L P", label=_("Take the platform's deadline"), rearm=True)
    def set_platform_due(self, *, due_at: datetime) -> None:
        """The platform shows its own deadline, which wins over our policy."""
        self.platform_due_at = due_at

    @step(source=[S.CLOSED], target=S.APPLIED, by="S", label=_("Reopen"))
    def reopen(self, *, text: str) -> None:
        """Take the case up again, inside the after-sale window."""
        self.reopened += 1
        self.finished_at = None
        self.ended_by = ""
        self.amount_approved = self.freight_approved = None
        self.cleared = Decimal("0.00")

    # Records: they change neither state nor clock

    @step(source=EVERY, target=None, by="A L W S", label=_("Hand the goods back"), rearm=True)
    def hand_back(self, *, courier: str, waybill: str, line: Any = None, text: str = "") -> None:
        """Pieces that lie with us and were not accepted are on their way back to the buyer."""
        if self.acting.facts["emptied"]:
            self.goods = Goods.RECEIVED

    @step(source=EVERY, target=None, by="A L W F S", label=_("Add a note"), moves=False)
    def add_note(self, *, text: str) -> None:
        """A note for colleagues."""

    @step(source=EVERY, target=None, by="A L S", label=_("Log a contact"), moves=False)
    def log_contact(self, *, way: str = "chat", text: str) -> None:
        """What was said to the buyer, and how."""
        self.first_response_at = self.first_response_at or self.acting.at

    @step(source=EVERY, target=None, by="A L W S", label=_("Add evidence"), moves=False)
    def add_evidence(self, *, party: str, evidence: Any, text: str = "") -> None:
        """Pictures and papers, by party: buyer, seller, courier, platform."""

    @step(source=EVERY, target=None, by="A L W S", label=_("Tag"), moves=False)
    def tag(self, *, tags: str) -> None:
        """Words to find and count the case by, separated by commas."""
        words = [w.strip() for w in tags.replace("，", ",").split(",") if w.strip()]
        self.tags = ",".join(dict.fromkeys(words))

    @step(source=EVERY, target=None, by="A L S", label=_("Compensate"), moves=False)
    def compensate(self, *, kind: str, amount: Decimal, text: str = "") -> None:
        """A goodwill payment beyond the refund, within the role's limit."""
        self.compensation += amount

    # How the steps above decide

    def _end(self, how: str) -> None:
        self.finished_at = self.acting.at
        self.ended_by = how

    def _decide_amount(self) -> None:
        """Take over the amounts the guards found right; whoever enters them cannot approve them."""
        facts = self.acting.facts
        if self.remedy in MONEY_REMEDIES:
            self.amount_approved = facts["amount"]
            self.freight_approved = facts["freight"]
            self.entered_by = self.acting.actor.user

    def _way(self) -> str:
        """Where a remedy goes from here, depending on where the goods are."""
        with_us = self.goods == Goods.RETURNED
        if self.remedy in GOODS_REMEDIES and not with_us:
            return str(S.AWAITING_RETURN)
        if self.remedy in MONEY_REMEDIES:
            return str(S.REFUNDING)
        return str(S.REPAIRING if self.remedy == Remedy.REPAIR else S.AWAITING_DISPATCH)

    def _inspected(self) -> str:
        if self.remedy in MONEY_REMEDIES:
            self._decide_amount()
            return self._cleared_for(S.REFUNDING)
        if self.remedy == Remedy.REPAIR:
            return str(S.REPAIRING)
        if self.ahead:
            self.goods = Goods.RECEIVED
            return str(S.AWAITING_RECEIPT)
        return str(S.AWAITING_DISPATCH)

    def _cleared_for(self, place: str) -> str:
        """``place``, or waiting for approval where the amount is above the actor's limit."""
        facts = self.acting.facts
        needed = facts.get("approvals", 0) if self.remedy in MONEY_REMEDIES else 0
        if not needed:
            if self.remedy in MONEY_REMEDIES:
                self.cleared = max(self.cleared, self.total_approved)
            return str(place)
        self.approval_from = self.acting.source
        self.came_remedy = self.acting.before["remedy"]
        self.going_to = str(place)
        self.approvals, self.approvals_needed = 0, needed
        return str(S.AWAITING_APPROVAL)

    def _convert_to(self, remedy: str) -> str:
        self.remedy = remedy
        self._decide_amount()
        return self._cleared_for(self._way())
