"""What happened to the demo's cases at our desk: deeds by story, with when and by whom.

A deed's time is hours: `+4` after the buyer applied, `-20` before the demo's moment.
`A` is whoever works the shop's cases, `L` the lead, `W` the warehouse, `F` finance,
`S` the supervisor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Deed:
    """One step on one case. Inputs beginning with `@` are filled in by the teller."""

    when: float
    by: str
    step: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    #: After the application; else before the demo's moment.
    after: bool = True
    #: At this very minute, so that a clock is about to ring; else moved into working hours.
    exact: bool = False


def _d(when: str, by: str, step: str, **inputs: Any) -> Deed:
    after = when.startswith("+")
    return Deed(abs(float(when)), by, step, inputs, after=after, exact=not after and "." in when)


#: Stand for a courier and a fresh waybill; for a drawn picture.
PARCEL = {"courier": "@courier", "waybill": "@waybill"}
PICTURE = "@picture"


def _sent_back(received: str, *, accepted: str = "+4", sent: str = "+28") -> tuple[Deed, ...]:
    return (
        _d(accepted, "A", "accept", text="已同意，请按退货地址寄回，勿用到付"),
        _d(sent, "A", "ship_back", **PARCEL),
        _d(received, "W", "receive", text="外箱完好，已拆箱拍照"),
    )


def _in_repair(received: str, started: str) -> tuple[Deed, ...]:
    return (
        *_sent_back(received),
        _d(started, "W", "start_repair", vendor="启明维修服务点", text="按故障描述复现，送修"),
    )


HELLO = _d(
    "+1.5", "A", "log_contact", way="chat", text="已联系买家，致歉并核实情况，约定今天给方案"
)

# fmt: off
STORIES: dict[str, tuple[Deed, ...]] = {
    "never_sent_back": (_d("+10", "A", "accept", text="请七天内寄回"),),
    "proposed": (
        HELLO,
        _d("-12", "A", "propose", remedy="@other_remedy", text="协商换一种处理方式，等买家确认"),
    ),
    "refused": (
        HELLO,
        _d("-41", "A", "add_evidence", party="seller", evidence=PICTURE, text="领口有洗涤痕迹"),
        _d("-40", "A", "refuse", reason="affects_resale", text="已洗涤，影响二次销售，附图"),
    ),
    "intercepting": (_d("+3", "A", "intercept", text="已通知快递拦截，工单已登记"),),
    "intercepted": (
        _d("+3", "A", "intercept", text="网点答应截回"),
        _d("-5", "A", "intercept_succeed", text="件已退回发货网点"),
    ),
    "intercept_failed": (
        HELLO,
        _d("+3", "A", "intercept", text="已通知快递"),
        _d("-6", "A", "intercept_fail", text="快件已派送，无法拦截"),
    ),
    "accepted": (HELLO, _d("+4", "A", "accept", text="已同意，请按退货地址寄回")),
    "accepted_last_day": (_d("-166.9", "A", "accept", text="请寄回检修"),),
    "on_the_way": (
        HELLO,
        _d("+5", "A", "accept", text="已同意，请寄回"),
        _d("+40", "A", "ship_back", **PARCEL),
    ),
    "on_the_way_last_hours": (
        _d("+5", "A", "accept", text="发错货，请寄回"),
        _d("-238.7", "A", "ship_back", **PARCEL),
    ),
    "received": (HELLO, *_sent_back("-20")),
    "received_part": (
        _d("+4", "A", "accept", text="已同意，两只一起寄回"),
        _d("+30", "A", "ship_back", **PARCEL),
        _d("-10", "W", "receive", line="@one_piece", text="只收到一只，已告知客服"),
        _d("-9", "A", "log_contact", way="phone", text="买家说漏装一只，今天补寄"),
    ),
    "received_last_hours": _sent_back("-46.6"),
    "diagnosing": (
        *_sent_back("-40"),
        _d("-30", "W", "send_for_diagnosis", place="service_point", vendor="启明维修服务点"),
    ),
    "diagnosing_overdue": (
        *_sent_back("-90"),
        _d("-75", "W", "send_for_diagnosis", place="supplier", vendor="山野小家电供应商"),
    ),
    "repairing": (HELLO, *_in_repair("+100", "+120")),
    "repairing_overdue": _in_repair("+110", "+120"),
    "quality_check": (
        *_in_repair("+90", "+100"),
        _d("-8", "W", "finish_repair", cost=Decimal("45.00"), text="更换风扇"),
    ),
    "quality_check_overdue": (
        *_in_repair("+90", "+100"),
        _d("-30", "W", "finish_repair", cost=Decimal("60.00"), text="更换电机碳刷"),
    ),
    "repaired": (
        *_in_repair("+90", "+100"),
        _d("-24", "W", "finish_repair", cost=Decimal("20.00"), text="更换轴体"),
        _d("-10", "W", "pass_quality_check", text="全键测试通过"),
    ),
    "repair_done": (
        HELLO,
        *_in_repair("+90", "+100"),
        _d("+200", "W", "finish_repair", cost=Decimal("15.00"), text="更换微动开关"),
        _d("+210", "W", "pass_quality_check", text="通过"),
        _d("+230", "W", "dispatch", **PARCEL),
        _d("+310", "A", "confirm_receipt", text="买家确认好用"),
        _d("+311", "A", "tag", tags="维修,鼠标微动"),
    ),
    "exchange_ready": (
        HELLO,
        *_sent_back("-40"),
        _d("-20", "W", "pass_inspection", text="吊牌齐全，可再售"),
    ),
    "exchange_late": (*_sent_back("-100"), _d("-80", "W", "pass_inspection", text="确认开关失灵")),
    "exchange_sent": (
        *_sent_back("-90"),
        _d("-80", "W", "pass_inspection", text="插脚断裂属实"),
        _d("-60", "W", "dispatch", **PARCEL, serial="@serial"),
    ),
    "exchange_ahead": (
        HELLO,
        _d("+4", "A", "accept", text="我方发错，正确的先行补发"),
        _d("+6", "L", "dispatch_ahead", **PARCEL),
    ),
    "exchange_done": (
        *_sent_back("+110"),
        _d("+115", "W", "pass_inspection", text="可再售"),
        _d("+130", "W", "dispatch", **PARCEL),
        _d("+200", "A", "confirm_receipt", text="买家确认收到"),
    ),
    "resend_ready": (HELLO, _d("+6", "A", "accept", text="核对监控确实漏装，安排补寄")),
    "resend_sent": (_d("+6", "A", "accept", text="补寄"), _d("+30", "W", "dispatch", **PARCEL)),
    "resend_done": (_d("+6", "A", "accept", text="补寄"), _d("+24", "W", "dispatch", **PARCEL)),
    "to_approve": (_d("-4", "A", "accept", text="已拦下未发货，同意退款"),),
    "to_approve_overdue": (HELLO, _d("-30", "A", "accept", text="轨迹停更三天，快递确认丢件")),
    "to_pay": (HELLO, _d("-3", "A", "accept", text="照片属实，退坏果部分")),
    "to_pay_overdue": (_d("-30", "A", "accept", text="缺货，致歉并同意退款"),),
    "payout_failed": (
        HELLO,
        *_sent_back("-60"),
        _d("-20", "W", "pass_inspection", disposition="supplier", text="左耳无声属实"),
        _d("-3", "F", "fail_payout", text="原支付账户已注销，银行退回"),
    ),
    "converted": (
        HELLO,
        *_sent_back("-60"),
        _d("-20", "A", "convert", remedy="return_refund", text="鼓包不宜维修，与买家协商退款"),
    ),
    "evidence_phase": (
        HELLO,
        _d("-20", "A", "request_mediation", party="buyer", text="买家申请平台介入，质疑真伪"),
        _d("-18", "A", "add_evidence", party="seller", evidence=PICTURE, text="进货凭证与授权"),
    ),
    "decision_phase": (
        HELLO,
        _d("-90", "A", "request_mediation", party="buyer", text="买家不接受部分退款"),
        _d("-80", "A", "add_evidence", party="seller", evidence=PICTURE, text="出厂检测记录"),
    ),
    "decision_overdue": (
        HELLO,
        _d("-140", "A", "request_mediation", party="seller", text="双方对责任各执一词"),
    ),
    "ruled_for_buyer": (
        HELLO,
        _d("+30", "A", "request_mediation", party="buyer", text="买家要求退货退款"),
        _d("-50", "L", "rule_for_buyer", text="平台支持退货退款"),
    ),
    "ruled_split": (
        HELLO,
        _d("+30", "A", "request_mediation", party="buyer", text="对责任有争议"),
        _d("-50", "L", "rule_split", amount=Decimal("60.00"), text="平台判各担一半"),
        _d("-40", "F", "pay", reference="ZFB2026-PX-0417"),
    ),
    "ruled_for_seller": (
        HELLO,
        _d("+10", "A", "request_mediation", party="buyer", text="买家称产地不符"),
        _d("+100", "L", "rule_for_seller", text="平台认定描述属实"),
    ),
    "returned_and_paid": (
        HELLO,
        *_sent_back("+100"),
        _d("+110", "W", "pass_inspection", text="验货合格"),
        _d("+120", "F", "pay", reference="@reference"),
        _d("+121", "A", "tag", tags="已登记"),
    ),
    "compensated": (
        HELLO,
        _d("+5", "A", "accept", text="退缺件部分"),
        _d("+6", "A", "compensate", kind="red_packet", amount=Decimal("8.88"), text="致歉红包"),
        _d("+20", "F", "pay", reference="@reference"),
    ),
    "refunded": (
        _d("+5", "A", "accept", text="未发货，同意"),
        _d("+20", "F", "pay", reference="@reference"),
    ),
    "shipped_instead": (HELLO, _d("+6", "W", "ship_order", **PARCEL)),
    "withdrawn": (
        HELLO,
        _d("+4", "A", "accept", text="已同意"),
        _d("+30", "A", "compensate", kind="coupon", amount=Decimal("10.00"), text="送优惠券留用"),
        _d("+31", "A", "withdraw", text="买家决定留下"),
    ),
    "revised": (
        HELLO,
        _d("+6", "A", "refuse", reason="other", text="照片看不出划痕，请补清晰照片"),
        _d("+60", "A", "revise", text="买家补了照片，再次申请"),
    ),
}
# fmt: on
