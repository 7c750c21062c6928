"""The table of transitions walked: one edge per step, kind, source and target."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.factories import path_to

PARCEL = {"courier": "SF", "waybill": "SF9"}
LARGE = "800.00"
VERY_LARGE = "25000.00"
ACCEPT = ("accept", "lead", {"waiver": "看过"})
CONVERT = ("convert", "agent", {"remedy": "refund"})


def because(house):
    return house.refusal_reason()


SEND_BACK = {"text": "先问清楚"}
REFUSE = {"reason": because, "text": "不符合条件"}
FAIL = ("fail_inspection", "warehouse", REFUSE)


def then(state, kind, *steps):
    return (*path_to(state, kind), *steps)


def proposed(state, kind, **offer):
    return then(state, kind, ("propose", "agent", offer))


def mediated(state, kind):
    return then(state, kind, ("request_mediation", "agent", {"party": "buyer"}))


@dataclass
class Edge:
    step: str
    kind: str
    source: str
    target: str
    by: str
    inputs: dict[str, Any] = field(default_factory=dict)
    via: tuple = ()
    paid: str = "100.00"
    note: str = ""

    def __str__(self) -> str:
        note = f"-{self.note}" if self.note else ""
        return f"{self.step}-{self.kind}-{self.source}->{self.target}{note}"


def acceptances():
    yield Edge("ship_order", "refund_unshipped", "applied", "closed", "agent", PARCEL)

    for kind, target in (
        ("refund_unshipped", "refunding"),
        ("refund_in_transit", "refunding"),
        ("refund_received", "refunding"),
        ("return_refund", "awaiting_return"),
        ("exchange", "awaiting_return"),
        ("repair", "awaiting_return"),
        ("resend", "awaiting_dispatch"),
    ):
        yield Edge("accept", kind, "applied", target, "agent")
        yield Edge("accept_by_silence", kind, "applied", target, "clock", paid=LARGE)
    for kind in ("refund_unshipped", "refund_in_transit", "refund_received", "return_refund"):
        yield Edge("accept", kind, "applied", "awaiting_approval", "agent", paid=LARGE)
    for kind in ("exchange", "repair"):
        yield Edge("accept", kind, "applied", "awaiting_return", "agent", paid=LARGE, note="dear")
    for kind, target in (
        ("return_refund", "refunding"),
        ("exchange", "awaiting_dispatch"),
        ("repair", "repairing"),
    ):
        here = then("inspecting", kind, FAIL, ("revise", "agent", {}))
        for step, by in (("accept", "lead"), ("accept_by_silence", "clock")):
            yield Edge(step, kind, "applied", target, by, via=here, note="goods-with-us")


def approvals():
    for kind, target in (("refund_received", "refunding"), ("return_refund", "awaiting_return")):
        yield Edge("approve", kind, "awaiting_approval", target, "supervisor", paid=LARGE)
    yield Edge(
        "approve",
        "refund_received",
        "awaiting_approval",
        "awaiting_approval",
        "supervisor",
        paid=VERY_LARGE,
        note="first-of-two",
    )
    for kind, source, via in (
        ("refund_received", "applied", path_to("awaiting_approval", "refund_received")),
        (
            "refund_in_transit",
            "intercepting",
            then("intercepting", "refund_in_transit", ("intercept_succeed", "agent", {})),
        ),
        ("exchange", "inspecting", then("inspecting", "exchange", CONVERT)),
        ("exchange", "diagnosing", then("diagnosing", "exchange", CONVERT)),
        ("repair", "repairing", then("repairing", "repair", CONVERT)),
        ("repair", "quality_check", then("quality_check", "repair", CONVERT)),
        ("exchange", "awaiting_return", then("awaiting_return", "exchange", CONVERT)),
        ("exchange", "awaiting_dispatch", then("awaiting_dispatch", "exchange", CONVERT)),
        (
            "exchange",
            "negotiating",
            then(
                "applied",
                "exchange",
                ("propose", "agent", {"remedy": "refund"}),
                ("agree_proposal", "agent", {}),
            ),
        ),
    ):
        yield Edge(
            "send_back",
            kind,
            "awaiting_approval",
            source,
            "supervisor",
            SEND_BACK,
            via,
            LARGE,
        )
    yield Edge(
        "send_back",
        "refund_received",
        "awaiting_approval",
        "mediating",
        "supervisor",
        SEND_BACK,
        (*mediated("applied", "refund_received"), ("rule_for_buyer", "lead", {})),
        "8000.00",
    )


def negotiations():
    for source, kind in (
        ("applied", "return_refund"),
        ("inspecting", "return_refund"),
        ("diagnosing", "repair"),
        ("repairing", "repair"),
        ("awaiting_dispatch", "exchange"),
    ):
        offer = {"remedy": "refund", "amount": Decimal("20.00")}
        yield Edge("propose", kind, source, "negotiating", "agent", offer)
        yield Edge(
            "decline_proposal",
            kind,
            "negotiating",
            source,
            "agent",
            via=proposed(source, kind, **offer),
        )
    for kind, via, target, paid in (
        ("return_refund", proposed("applied", "return_refund", remedy="refund"), "refunding", ""),
        (
            "return_refund",
            proposed("applied", "return_refund", remedy="refund"),
            "awaiting_approval",
            LARGE,
        ),
        ("repair", proposed("applied", "repair", remedy="return_refund"), "awaiting_return", ""),
        ("repair", proposed("inspecting", "repair", remedy="return_refund"), "refunding", ""),
        ("repair", proposed("repairing", "repair", remedy="exchange"), "awaiting_dispatch", ""),
        ("exchange", proposed("inspecting", "exchange", remedy="repair"), "repairing", ""),
        ("exchange", proposed("applied", "exchange", remedy="resend"), "awaiting_dispatch", ""),
    ):
        yield Edge(
            "agree_proposal", kind, "negotiating", target, "agent", {}, via, paid or "100.00"
        )


def answers():
    for source in ("applied", "inspecting"):
        yield Edge("refuse", "return_refund", source, "refused", "agent", REFUSE)
    yield Edge("revise", "return_refund", "refused", "applied", "agent")
    yield Edge(
        "revise", "return_refund", "refused", "applied", "agent", {"kind": "exchange"}, note="kind"
    )
    for source in ("applied", "negotiating", "refused", "awaiting_approval", "awaiting_return"):
        paid = LARGE if source == "awaiting_approval" else "100.00"
        yield Edge("withdraw", "return_refund", source, "closed", "agent", paid=paid)
    yield Edge("withdraw", "refund_in_transit", "intercepting", "closed", "agent")
    for source in ("negotiating", "refused", "awaiting_return"):
        yield Edge("close_by_silence", "return_refund", source, "closed", "clock")


def interceptions():
    yield Edge("intercept", "refund_in_transit", "applied", "intercepting", "warehouse")
    yield Edge("intercept_succeed", "refund_in_transit", "intercepting", "refunding", "agent")
    yield Edge(
        "intercept_succeed",
        "refund_in_transit",
        "intercepting",
        "awaiting_approval",
        "agent",
        paid=LARGE,
    )
    yield Edge("intercept_fail", "refund_in_transit", "intercepting", "applied", "warehouse")
    yield Edge("refund_after_intercept", "refund_in_transit", "intercepting", "refunding", "clock")


def returns():
    for kind in ("return_refund", "exchange", "repair"):
        yield Edge("ship_back", kind, "awaiting_return", "returning", "agent", PARCEL)
        yield Edge("receive", kind, "returning", "inspecting", "warehouse")
    for kind in ("exchange", "repair"):
        yield Edge("receive_by_silence", kind, "returning", "inspecting", "clock")
    for source in ("returning", "inspecting"):
        yield Edge("refund_by_silence", "return_refund", source, "refunding", "clock", paid=LARGE)
    ahead = ("dispatch_ahead", "warehouse", PARCEL)
    sent_ahead = (*path_to("returning", "exchange"), ahead, ("receive", "warehouse", {}))
    for kind, target in (
        ("return_refund", "refunding"),
        ("exchange", "awaiting_dispatch"),
        ("repair", "repairing"),
    ):
        yield Edge("pass_inspection", kind, "inspecting", target, "warehouse")
        yield Edge(
            "record_diagnosis", kind, "diagnosing", target, "warehouse", {"verdict": "confirmed"}
        )
    yield Edge(
        "pass_inspection", "exchange", "inspecting", "awaiting_receipt", "warehouse", {}, sent_ahead
    )
    yield Edge(
        "pass_by_silence", "exchange", "inspecting", "awaiting_receipt", "clock", {}, sent_ahead
    )
    yield Edge("pass_by_silence", "exchange", "inspecting", "awaiting_dispatch", "clock")
    yield Edge("fail_inspection", "return_refund", "inspecting", "refused", "warehouse", REFUSE)
    yield Edge(
        "send_for_diagnosis",
        "repair",
        "inspecting",
        "diagnosing",
        "warehouse",
        {"place": "supplier", "vendor": "V"},
    )
    for verdict in ("not_found", "user_damage"):
        yield Edge(
            "record_diagnosis",
            "repair",
            "diagnosing",
            "inspecting",
            "warehouse",
            {"verdict": verdict},
            note=verdict,
        )


def repairs():
    for source in ("inspecting", "diagnosing"):
        yield Edge("start_repair", "repair", source, "repairing", "warehouse", {"vendor": "V"})
    yield Edge("finish_repair", "repair", "repairing", "quality_check", "agent")
    yield Edge("pass_quality_check", "repair", "quality_check", "awaiting_dispatch", "warehouse")
    yield Edge("fail_quality_check", "repair", "quality_check", "repairing", "warehouse")
    for kind in ("exchange", "repair", "resend"):
        yield Edge("dispatch", kind, "awaiting_dispatch", "awaiting_receipt", "warehouse", PARCEL)
        yield Edge("confirm_receipt", kind, "awaiting_receipt", "completed", "agent")
        yield Edge("confirm_receipt", kind, "awaiting_receipt", "completed", "clock", note="clock")
    for source in ("awaiting_return", "returning"):
        yield Edge("dispatch_ahead", "exchange", source, source, "warehouse", PARCEL)


def payouts():
    for kind in ("refund_unshipped", "refund_in_transit", "refund_received", "return_refund"):
        yield Edge("pay", kind, "refunding", "completed", "finance", {"reference": "R"})
    yield Edge(
        "fail_payout", "refund_received", "refunding", "refunding", "finance", {"text": "账户错"}
    )


def conversions():
    outside = (("applied", "exchange"), ("awaiting_return", "exchange"))
    with_us = (
        ("inspecting", "exchange"),
        ("diagnosing", "exchange"),
        ("repairing", "repair"),
        ("quality_check", "repair"),
        ("awaiting_dispatch", "exchange"),
    )
    for places, targets in (
        (outside, {"refund": "refunding", "return_refund": "awaiting_return"}),
        (outside, {"repair": "awaiting_return", "resend": "awaiting_dispatch"}),
        (with_us, {"refund": "refunding", "return_refund": "refunding"}),
        (with_us, {"exchange": "awaiting_dispatch", "repair": "repairing"}),
    ):
        for source, kind in places:
            for remedy, target in targets.items():
                if remedy != kind:
                    inputs = {"remedy": remedy}
                    yield Edge("convert", kind, source, target, "agent", inputs, note=remedy)
    for source, kind in (*outside, *with_us):
        yield Edge(
            "convert",
            kind,
            source,
            "awaiting_approval",
            "agent",
            {"remedy": "refund"},
            paid=LARGE,
            note="dear",
        )


WHERE = {
    "applied": "return_refund",
    "negotiating": "return_refund",
    "refused": "return_refund",
    "intercepting": "refund_in_transit",
    "awaiting_return": "return_refund",
    "returning": "return_refund",
    "inspecting": "return_refund",
    "diagnosing": "repair",
    "repairing": "repair",
    "quality_check": "repair",
    "awaiting_dispatch": "exchange",
    "awaiting_receipt": "exchange",
}


def mediations():
    for source, kind in WHERE.items():
        yield Edge("request_mediation", kind, source, "mediating", "agent", {"party": "seller"})
        yield Edge(
            "cancel_mediation", kind, "mediating", source, "lead", {}, mediated(source, kind)
        )
    yield Edge("end_evidence", "return_refund", "mediating", "mediating", "clock")
    for kind, source, target in (
        ("return_refund", "applied", "awaiting_return"),
        ("exchange", "awaiting_return", "awaiting_return"),
        ("return_refund", "returning", "awaiting_return"),
        ("refund_received", "applied", "refunding"),
        ("refund_in_transit", "intercepting", "refunding"),
        ("resend", "applied", "refunding"),
        ("return_refund", "inspecting", "refunding"),
        ("exchange", "inspecting", "refunding"),
        ("repair", "quality_check", "refunding"),
        ("exchange", "awaiting_receipt", "awaiting_return"),
        ("repair", "awaiting_receipt", "awaiting_return"),
    ):
        via = mediated(source, kind)
        yield Edge("rule_for_buyer", kind, "mediating", target, "lead", {}, via, note=source)
        yield Edge("rule_for_seller", kind, "mediating", "closed", "lead", {}, via, note=source)
        part = {"amount": Decimal("30.00")}
        yield Edge("rule_split", kind, "mediating", "refunding", "lead", part, via, note=source)
    for step, inputs in (("rule_for_buyer", {}), ("rule_split", {"amount": Decimal("6000.00")})):
        yield Edge(
            step,
            "refund_received",
            "mediating",
            "awaiting_approval",
            "lead",
            inputs,
            mediated("applied", "refund_received"),
            "8000.00",
        )


def endings():
    states = {
        **WHERE,
        "awaiting_approval": "return_refund",
        "refunding": "refund_received",
        "mediating": "return_refund",
    }
    for source, kind in states.items():
        paid = LARGE if source == "awaiting_approval" else "100.00"
        for outcome, target in (("refunded", "completed"), ("closed", "closed")):
            inputs = {"number": f"P-{source}", "outcome": outcome}
            yield Edge("record_platform_outcome", kind, source, target, "lead", inputs, paid=paid)
        user = {"user": lambda house: house.users["agent2"]}
        yield Edge("escalate", kind, source, source, "agent", {"text": "急"}, paid=paid)
        yield Edge("assign", kind, source, source, "lead", user, paid=paid)
    yield Edge(
        "extend", "return_refund", "awaiting_return", "awaiting_return", "agent", {"days": 5}
    )
    yield Edge("reopen", "return_refund", "closed", "applied", "supervisor", {"text": "新证据"})


EDGES = [
    edge
    for part in (
        acceptances,
        approvals,
        negotiations,
        answers,
        interceptions,
        returns,
        repairs,
        payouts,
        conversions,
        mediations,
        endings,
    )
    for edge in part()
]
