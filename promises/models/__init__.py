"""The models of promises: terms, deposits with their ledger, claims, the platforms' payouts."""

from promises.models.claim import Claim, ClaimEvent, ClaimState
from promises.models.deposit import Deposit, DutyEvent, DutyState, Entry, ShopNotice, TopUpDuty
from promises.models.payout import Payout, PayoutDifference, PayoutNote
from promises.models.terms import Limit, Term, TermBook

__all__ = [
    "Claim",
    "ClaimEvent",
    "ClaimState",
    "Deposit",
    "DutyEvent",
    "DutyState",
    "Entry",
    "Limit",
    "Payout",
    "PayoutDifference",
    "PayoutNote",
    "ShopNotice",
    "Term",
    "TermBook",
    "TopUpDuty",
]
