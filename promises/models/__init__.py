"""The models of promises: terms, deposits with their ledger, claims, the platforms' payouts."""

from promises.models.breach import Breach, BreachSetting, BreachState, Lookout
from promises.models.claim import Claim, ClaimEvent, ClaimState
from promises.models.courier import CourierName
from promises.models.deposit import Deposit, DutyEvent, DutyState, Entry, ShopNotice, TopUpDuty
from promises.models.payout import Payout, PayoutDifference, PayoutNote
from promises.models.terms import Limit, Term, TermBook

__all__ = [
    "Breach",
    "BreachSetting",
    "BreachState",
    "Claim",
    "ClaimEvent",
    "ClaimState",
    "CourierName",
    "Deposit",
    "DutyEvent",
    "DutyState",
    "Entry",
    "Limit",
    "Lookout",
    "Payout",
    "PayoutDifference",
    "PayoutNote",
    "ShopNotice",
    "Term",
    "TermBook",
    "TopUpDuty",
]
