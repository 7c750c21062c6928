"""The tables of the trade, written out by hand, to hold the code against."""

from datetime import timedelta

H, D = timedelta(hours=1), timedelta(days=1)

KINDS = (
    "refund_unshipped",
    "refund_in_transit",
    "refund_received",
    "return_refund",
    "exchange",
    "repair",
    "resend",
)
OPEN = (
    "applied",
    "negotiating",
    "refused",
    "intercepting",
    "awaiting_return",
    "returning",
    "inspecting",
    "diagnosing",
    "repairing",
    "quality_check",
    "awaiting_dispatch",
    "awaiting_receipt",
    "awaiting_approval",
    "refunding",
    "mediating",
)
STATES = (*OPEN, "completed", "closed")

#: Whose clock runs.
TURN = {
    "applied": "seller",
    "negotiating": "buyer",
    "refused": "buyer",
    "intercepting": "seller",
    "awaiting_return": "buyer",
    "returning": "seller",
    "inspecting": "seller",
    "diagnosing": "vendor",
    "repairing": "vendor",
    "quality_check": "seller",
    "awaiting_dispatch": "seller",
    "awaiting_receipt": "buyer",
    "awaiting_approval": "supervisor",
    "refunding": "finance",
    "mediating": "platform",
}
_LENGTH = {
    "negotiating": 5 * D,
    "refused": 5 * D,
    "intercepting": 3 * D,
    "awaiting_return": 7 * D,
    "returning": 10 * D,
    "inspecting": 48 * H,
    "diagnosing": 2 * D,
    "repairing": 30 * D,
    "quality_check": 24 * H,
    "awaiting_dispatch": 72 * H,
    "awaiting_receipt": 10 * D,
    "awaiting_approval": 24 * H,
    "refunding": 24 * H,
    "mediating": 3 * D,
}
APPLIED = {
    "refund_unshipped": 24 * H,
    "refund_in_transit": 36 * H,
    "refund_received": 72 * H,
    "return_refund": 72 * H,
    "exchange": 5 * D,
    "repair": 72 * H,
    "resend": 3 * D,
}


def length(state: str, kind: str, remedy: str) -> timedelta:
    """The default time of a state."""
    if state == "applied":
        return APPLIED[kind]
    if state == "awaiting_dispatch" and remedy == "resend":
        return 5 * D
    return _LENGTH[state]


#: By whom, in role letters; C is the clock.
BY = {
    "ship_order": "A W",
    "accept": "A L",
    "approve": "S",
    "send_back": "S",
    "propose": "A L",
    "agree_proposal": "A L",
    "decline_proposal": "A L",
    "refuse": "A L",
    "revise": "A L",
    "withdraw": "A L",
    "intercept": "A W",
    "intercept_succeed": "A W",
    "intercept_fail": "A W",
    "ship_back": "A L W",
    "receive": "W A",
    "pass_inspection": "W A",
    "fail_inspection": "W A",
    "send_for_diagnosis": "W A",
    "record_diagnosis": "W A",
    "start_repair": "W A",
    "finish_repair": "W A",
    "pass_quality_check": "W",
    "fail_quality_check": "W",
    "dispatch": "W A",
    "dispatch_ahead": "W A L",
    "confirm_receipt": "A C",
    "pay": "F",
    "fail_payout": "F",
    "convert": "A L",
    "request_mediation": "A L",
    "cancel_mediation": "L",
    "rule_for_buyer": "L",
    "rule_for_seller": "L",
    "rule_split": "L",
    "record_platform_outcome": "L",
    "escalate": "A L S C",
    "assign": "A L S",
    "extend": "A L S",
    "reopen": "S",
}
#: From where.
FROM = {
    "ship_order": {"applied"},
    "accept": {"applied"},
    "approve": {"awaiting_approval"},
    "send_back": {"awaiting_approval"},
    "propose": {"applied", "inspecting", "diagnosing", "repairing", "awaiting_dispatch"},
    "agree_proposal": {"negotiating"},
    "decline_proposal": {"negotiating"},
    "refuse": {"applied", "inspecting"},
    "revise": {"refused"},
    "withdraw": {
        "applied",
        "negotiating",
        "refused",
        "awaiting_approval",
        "intercepting",
        "awaiting_return",
    },
    "intercept": {"applied"},
    "intercept_succeed": {"intercepting"},
    "intercept_fail": {"intercepting"},
    "ship_back": {"awaiting_return"},
    "receive": {"returning"},
    "pass_inspection": {"inspecting"},
    "fail_inspection": {"inspecting"},
    "send_for_diagnosis": {"inspecting"},
    "record_diagnosis": {"diagnosing"},
    "start_repair": {"inspecting", "diagnosing"},
    "finish_repair": {"repairing"},
    "pass_quality_check": {"quality_check"},
    "fail_quality_check": {"quality_check"},
    "dispatch": {"awaiting_dispatch"},
    "dispatch_ahead": {"awaiting_return", "returning"},
    "confirm_receipt": {"awaiting_receipt"},
    "pay": {"refunding"},
    "fail_payout": {"refunding"},
    "convert": {
        "applied",
        "awaiting_return",
        "inspecting",
        "diagnosing",
        "repairing",
        "quality_check",
        "awaiting_dispatch",
    },
    "request_mediation": set(OPEN) - {"mediating", "refunding", "awaiting_approval"},
    "cancel_mediation": {"mediating"},
    "rule_for_buyer": {"mediating"},
    "rule_for_seller": {"mediating"},
    "rule_split": {"mediating"},
    "record_platform_outcome": set(OPEN),
    "escalate": set(OPEN),
    "assign": set(OPEN),
    "extend": set(OPEN),
    "reopen": {"closed"},
}


def expiry(state: str, remedy: str) -> tuple[str, str]:
    """What happens when the time of a state is over: (the verb of the event, the state then)."""
    money = remedy in ("refund", "return_refund")
    back = {"refund": "refunding", "resend": "awaiting_dispatch"}
    table = {
        "applied": ("accept_by_silence", back.get(remedy, "awaiting_return")),
        "negotiating": ("close_by_silence", "closed"),
        "refused": ("close_by_silence", "closed"),
        "intercepting": ("refund_after_intercept", "refunding"),
        "awaiting_return": ("close_by_silence", "closed"),
        "returning": (
            ("refund_by_silence", "refunding") if money else ("receive_by_silence", "inspecting")
        ),
        "awaiting_receipt": ("confirm_receipt", "completed"),
        "mediating": ("end_evidence", "mediating"),
    }
    if state == "inspecting" and money:
        return "refund_by_silence", "refunding"
    if state == "inspecting" and remedy == "exchange":
        return "pass_by_silence", "awaiting_dispatch"
    return table.get(state, ("escalate", state))
