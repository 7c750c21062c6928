"""The cases the demo wants: a row per case, with the story later told through the door."""

from dataclasses import dataclass
from decimal import Decimal

#: Hours, for plans told in days.
DAY = 24.0


@dataclass(frozen=True, slots=True)
class Wish:
    """One after-sales case to be invented.

    `applied` is hours before the demo's moment; `due` the platform's own due time, hours after it
    (negative: before), where the platform names one. `state` is what the platform's sheet says;
    `story` what happens afterwards at our desk. `part` is the refunded share of the line.
    """

    story: str
    shop: str
    kind: str
    reason: str
    applied: float
    goods: str = ""
    state: str = "applied"
    due: float | None = None
    quantity: int = 1
    bought: int = 1
    part: Decimal = Decimal(1)
    text: str = ""


def _w(story: str, shop: str, kind: str, reason: str, applied: float, **more: object) -> Wish:
    return Wish(story, shop, kind, reason, applied, **more)  # type: ignore[arg-type]


# fmt: off
# A row per case reads better than a column per word.
WAITING = (
    _w("fresh", "yunzhi", "refund_unshipped", "not_wanted", 22.9, goods="YZ-BD-1801", due=1.1),
    _w("fresh", "yunzhi", "refund_unshipped", "out_of_stock", 4.2, goods="YZ-PL-0702"),
    _w("fresh", "jizhou", "refund_unshipped", "wrong_purchase", 22.5, goods="JZ-CB-C2M0", due=1.5,
       text="拍错型号了，我要的是1米的"),
    _w("fresh", "shanye", "refund_unshipped", "late_dispatch", 6.4, goods="SY-ORG-005",
       text="说好48小时发货，都三天了"),
    _w("fresh", "yunzhi", "refund_in_transit", "not_arrived", 35.2, goods="YZ-CS-0105",
       text="物流三天没更新"),
    _w("fresh", "shanye", "refund_in_transit", "not_arrived", 9.7, goods="SY-BEE-008"),
    _w("fresh", "jizhou", "refund_received", "missing_parts", 20.3, goods="JZ-KB-087W",
       part=Decimal("0.10"), text="少了拔键器和备用轴体"),
    _w("fresh", "yunzhi", "refund_received", "damaged", 70.8, goods="YZ-LP-0901", due=1.2,
       part=Decimal("0.30"), text="灯罩有裂痕，能用，退一部分就好"),
    _w("fresh", "yunzhi", "return_refund", "no_reason", 5.1, goods="YZ-CL-M011",
       text="颜色不喜欢"),
    _w("fresh", "jizhou", "return_refund", "not_as_described", 70.4, goods="JZ-PJ-0901", due=1.6,
       text="亮度和描述差太多"),
    _w("fresh", "shanye", "return_refund", "quality", 30.6, goods="SY-KNF-003", text="刀口卷刃"),
    _w("fresh", "jizhou", "exchange", "wrong_item", 18.2, goods="JZ-MS-0060",
       text="买的白色，发来黑色"),
    _w("fresh", "jizhou", "repair", "quality", 26.3, goods="JZ-WT-S301", text="屏幕偶尔失灵"),
    _w("fresh", "shanye", "repair", "quality", 71.3, goods="SY-GRD-004", text="通电不转"),
    _w("fresh", "shanye", "resend", "missing_parts", 12.4, goods="SY-NUT-750",
       text="30包只有26包"),
)

SILENCE = (
    _w("silence", "yunzhi", "refund_unshipped", "address_error", 30.0, goods="YZ-VC-2201"),
    _w("silence", "yunzhi", "return_refund", "no_reason", 81.0, goods="YZ-CL-L012"),
    _w("silence", "shanye", "resend", "empty_parcel", 75.0, goods="SY-TEA-150",
       text="箱子是空的"),
    _w("never_sent_back", "jizhou", "return_refund", "no_reason", 13 * DAY, goods="JZ-ST-0302"),
)

TOLD = (
    _w("proposed", "yunzhi", "return_refund", "not_as_described", 50.0, goods="YZ-QT-2004",
       text="比想象的薄"),
    _w("proposed", "jizhou", "repair", "quality", 44.0, goods="JZ-SP-M200", text="低音破音"),
    _w("refused", "yunzhi", "exchange", "not_as_described", 62.0, goods="YZ-CL-S021",
       text="洗过一次缩水"),
    _w("intercepting", "jizhou", "refund_in_transit", "address_error", 20.0, goods="JZ-PB-20K6"),
    _w("intercepting", "shanye", "refund_in_transit", "not_wanted", 14.0, goods="SY-POT-026"),
    _w("intercepted", "jizhou", "refund_in_transit", "not_wanted", 2.5 * DAY, goods="JZ-CH-100G"),
    _w("intercept_failed", "yunzhi", "refund_in_transit", "address_error", 30.0,
       goods="YZ-PL-0702"),
    _w("accepted", "yunzhi", "return_refund", "no_reason", 2.5 * DAY, goods="YZ-CL-M011"),
    _w("accepted_last_day", "jizhou", "repair", "quality", 7.8 * DAY, goods="JZ-CM-2K01"),
    _w("on_the_way", "yunzhi", "return_refund", "quality", 6 * DAY, goods="YZ-VC-2201",
       text="吸力很小"),
    _w("on_the_way", "shanye", "return_refund", "expiry", 5 * DAY, goods="SY-HNY-500",
       text="没有生产日期"),
    _w("on_the_way_last_hours", "jizhou", "exchange", "wrong_item", 12 * DAY, goods="JZ-KB-087W"),
    _w("received", "yunzhi", "return_refund", "not_as_described", 8 * DAY, goods="YZ-BD-1501"),
    _w("received_part", "yunzhi", "return_refund", "no_reason", 7 * DAY, goods="YZ-PL-0702",
       quantity=2, bought=2, text="两只都退"),
    _w("received_last_hours", "shanye", "return_refund", "damaged", 6.5 * DAY,
       goods="SY-KET-017"),
    _w("diagnosing", "jizhou", "repair", "quality", 7 * DAY, goods="JZ-TB-1104", text="充不进电"),
    _w("diagnosing_overdue", "shanye", "return_refund", "quality", 10 * DAY, goods="SY-AIR-050",
       text="异味很大"),
    _w("repairing", "jizhou", "repair", "quality", 12 * DAY, goods="JZ-EP-PRO2",
       text="左耳没声音"),
    _w("repairing_overdue", "jizhou", "repair", "quality", 38 * DAY, goods="JZ-WT-S301",
       text="表带连接处断裂"),
    _w("quality_check", "jizhou", "repair", "quality", 15 * DAY, goods="JZ-PJ-0901",
       text="风扇噪音大"),
    _w("quality_check_overdue", "shanye", "repair", "quality", 14 * DAY, goods="SY-GRD-004"),
    _w("repaired", "jizhou", "repair", "quality", 16 * DAY, goods="JZ-KB-087W",
       text="空格键连击"),
    _w("repair_done", "jizhou", "repair", "quality", 27 * DAY, goods="JZ-MS-0060"),
    _w("exchange_ready", "yunzhi", "exchange", "wrong_item", 7 * DAY, goods="YZ-CL-4201",
       text="发成了棕色"),
    _w("exchange_late", "yunzhi", "exchange", "quality", 10 * DAY, goods="YZ-LP-0901"),
    _w("exchange_sent", "jizhou", "exchange", "damaged", 9 * DAY, goods="JZ-CH-100G"),
    _w("exchange_ahead", "jizhou", "exchange", "wrong_item", 4 * DAY, goods="JZ-MS-0060",
       text="型号发错，急用"),
    _w("exchange_done", "yunzhi", "exchange", "not_as_described", 20 * DAY, goods="YZ-CL-L012"),
    _w("resend_ready", "shanye", "resend", "missing_parts", 3 * DAY, goods="SY-KNF-003",
       text="少一把水果刀"),
    _w("resend_sent", "yunzhi", "resend", "missing_parts", 5 * DAY, goods="YZ-TW-0303"),
    _w("resend_done", "shanye", "resend", "damaged", 12 * DAY, goods="SY-CUP-380"),
    _w("to_approve", "yunzhi", "refund_unshipped", "not_wanted", 9.0, goods="YZ-BD-1801",
       quantity=2, bought=2, text="买重复了"),
    _w("to_approve", "jizhou", "refund_received", "agreed", 15.0, goods="JZ-PJ-0901",
       part=Decimal("0.40"), text="协商退一部分，不退货"),
    _w("to_approve_overdue", "yunzhi", "refund_in_transit", "not_arrived", 33.0,
       goods="YZ-BD-1501", quantity=2, bought=2),
    _w("to_pay", "shanye", "refund_received", "damaged", 26.0, goods="SY-ORG-005",
       part=Decimal("0.40"), text="坏果6个"),
    _w("to_pay_overdue", "yunzhi", "refund_unshipped", "out_of_stock", 34.0, goods="YZ-CS-0101"),
    _w("payout_failed", "jizhou", "return_refund", "quality", 9 * DAY, goods="JZ-EP-PRO2"),
    _w("converted", "jizhou", "repair", "quality", 11 * DAY, goods="JZ-PB-20K6", text="鼓包"),
    _w("evidence_phase", "yunzhi", "return_refund", "counterfeit", 50.0, goods="YZ-CS-0101",
       text="味道和专柜不一样，怀疑是假的"),
    _w("decision_phase", "jizhou", "return_refund", "not_as_described", 5.2 * DAY,
       goods="JZ-TB-1104"),
    _w("decision_overdue", "shanye", "return_refund", "quality", 7 * DAY, goods="SY-POT-026",
       text="珐琅脱落"),
    _w("ruled_for_buyer", "jizhou", "return_refund", "quality", 8 * DAY, goods="JZ-WT-S301"),
    _w("ruled_split", "yunzhi", "return_refund", "allergy", 8 * DAY, goods="YZ-CS-0101",
       text="用后泛红，已就医"),
    _w("ruled_for_seller", "shanye", "refund_received", "not_as_described", 11 * DAY,
       goods="SY-MSH-250"),
    _w("returned_and_paid", "yunzhi", "return_refund", "no_reason", 17 * DAY, goods="YZ-CL-S021"),
    _w("compensated", "shanye", "refund_received", "missing_parts", 6 * DAY, goods="SY-NUT-750",
       part=Decimal("0.20"), text="少了几包"),
    _w("refunded", "shanye", "refund_unshipped", "not_wanted", 10 * DAY, goods="SY-HNY-500"),
    _w("shipped_instead", "shanye", "refund_unshipped", "late_dispatch", 8 * DAY,
       goods="SY-TEA-150"),
    _w("withdrawn", "yunzhi", "return_refund", "no_reason", 9 * DAY, goods="YZ-CL-M011"),
    _w("revised", "yunzhi", "return_refund", "quality", 4 * DAY, goods="YZ-VC-2201",
       text="机器有划痕"),
)

BROUGHT = (
    _w("brought", "yunzhi", "return_refund", "no_reason", 4 * DAY, goods="YZ-CL-S021",
       state="awaiting_return", due=3 * DAY),
    _w("brought", "yunzhi", "return_refund", "no_reason", 6 * DAY, goods="YZ-LP-0901",
       state="refused", due=2 * DAY),
    _w("brought", "yunzhi", "refund_unshipped", "not_wanted", 11 * DAY, goods="YZ-TW-0303",
       state="refunded"),
    _w("brought", "yunzhi", "return_refund", "quality", 19 * DAY, goods="YZ-PL-0702",
       state="refunded"),
    _w("brought", "yunzhi", "refund_received", "damaged", 12 * DAY, goods="YZ-LP-0901",
       state="refunded", part=Decimal("0.25")),
    _w("brought", "yunzhi", "return_refund", "no_reason", 15 * DAY, goods="YZ-CL-4201",
       state="closed"),
    _w("brought", "jizhou", "return_refund", "no_reason", 3.5 * DAY, goods="JZ-ST-0302",
       state="awaiting_return", due=3.5 * DAY),
    _w("brought", "jizhou", "exchange", "quality", 5 * DAY, goods="JZ-CB-C2M0",
       state="returning"),
    _w("brought", "jizhou", "resend", "missing_parts", 2 * DAY, goods="JZ-KB-087W",
       state="awaiting_dispatch"),
    _w("brought", "jizhou", "exchange", "damaged", 9 * DAY, goods="JZ-CB-C2M0",
       state="awaiting_receipt"),
    _w("brought", "jizhou", "return_refund", "quality", 18 * DAY, goods="JZ-EP-PRO2",
       state="refunded"),
    _w("brought", "jizhou", "refund_unshipped", "not_wanted", 13 * DAY, goods="JZ-PB-20K6",
       state="refunded"),
    _w("brought", "jizhou", "exchange", "wrong_item", 22 * DAY, goods="JZ-CM-2K01", state="done"),
    _w("brought", "shanye", "refund_received", "freight_refund", 9 * DAY, goods="SY-CUP-380",
       state="refunded", part=Decimal("0.15")),
    _w("brought", "shanye", "refund_received", "invoice_problem", 3 * DAY, goods="SY-GRD-004",
       state="refused", part=Decimal("0.05"), text="发票抬头开错"),
)
# fmt: on

WISHES = (*WAITING, *SILENCE, *TOLD, *BROUGHT)
