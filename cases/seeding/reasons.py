"""The reasons as seeded: why buyers apply (domain of a case), why sellers refuse."""

from dataclasses import dataclass

UNSHIPPED = "refund_unshipped"
TRANSIT = "refund_in_transit"
RECEIVED = "refund_received"
RETURN = "return_refund"
EXCHANGE = "exchange"
REPAIR = "repair"
RESEND = "resend"


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """One reason; no kinds means every kind, no freight payer means whoever is at fault."""

    code: str
    name: str
    name_en: str
    group: str
    kinds: tuple[str, ...]
    responsible: str
    goods_back: str
    evidence: str = "none"
    evidence_demanded: bool = True
    promise: str = ""
    freight_payer: str = ""
    counts_for_quality: bool = False


#: The upper level; a case never carries one of these.
GROUPS = (
    ("group_buyer", "买家原因", "The buyer's doing"),
    ("group_dispatch", "发货与物流", "Dispatch and transport"),
    ("group_goods", "商品问题", "The goods"),
    ("group_money", "票据与费用", "Papers and money"),
    ("group_other", "协商与其他", "Agreed and other"),
)

# fmt: off
# A row per reason reads better than a column per word.
REASONS = (
    ReasonRow("not_wanted", "不想要了/多拍", "Not wanted any more", "group_buyer",
              (UNSHIPPED, TRANSIT, RETURN, EXCHANGE), "buyer", "if_shipped"),
    ReasonRow("wrong_purchase", "拍错/规格选错", "Bought the wrong thing", "group_buyer",
              (UNSHIPPED, TRANSIT, RETURN, EXCHANGE), "buyer", "if_shipped"),
    ReasonRow("address_error", "地址电话填错", "Wrong address or phone", "group_buyer",
              (UNSHIPPED, TRANSIT), "buyer", "intercept"),
    ReasonRow("no_reason", "七天无理由", "Seven days without a reason", "group_buyer",
              (RETURN, EXCHANGE), "buyer", "yes", "pictures", evidence_demanded=False),
    ReasonRow("out_of_stock", "缺货", "Out of stock", "group_dispatch",
              (UNSHIPPED,), "seller", "no", promise="ship_on_time"),
    ReasonRow("late_dispatch", "未按约定时间发货", "Not dispatched in time", "group_dispatch",
              (UNSHIPPED,), "seller", "no", promise="ship_on_time"),
    ReasonRow("not_arrived", "快递长时间未送达/无轨迹", "Not arrived", "group_dispatch",
              (TRANSIT,), "courier", "no", "tracking", promise="arrive_on_time"),
    ReasonRow("empty_parcel", "空包裹", "Empty parcel", "group_dispatch",
              (RECEIVED, RESEND), "courier", "no", "unpacking"),
    ReasonRow("missing_parts", "少件/漏发", "Parts missing", "group_dispatch",
              (RECEIVED, RESEND), "seller", "no", "pictures"),
    ReasonRow("wrong_item", "发错货", "Wrong item sent", "group_dispatch",
              (RETURN, EXCHANGE, RESEND, RECEIVED), "seller", "yes", "pictures"),
    ReasonRow("damaged", "破损", "Damaged in transport", "group_dispatch",
              (RECEIVED, RETURN, EXCHANGE, RESEND), "courier", "optional", "pictures",
              promise="damage_resend"),
    ReasonRow("not_as_described", "与描述不符（尺寸/材质/颜色/功能）", "Not as described",
              "group_goods", (RECEIVED, RETURN, EXCHANGE, REPAIR), "seller", "yes", "pictures",
              promise="quality", counts_for_quality=True),
    ReasonRow("quality", "质量问题", "Faulty", "group_goods",
              (RECEIVED, RETURN, EXCHANGE, REPAIR), "manufacturer", "yes", "pictures",
              promise="quality", counts_for_quality=True),
    ReasonRow("counterfeit", "假冒", "Counterfeit", "group_goods",
              (RETURN,), "seller", "yes", "report", promise="fake_triple",
              counts_for_quality=True),
    ReasonRow("allergy", "过敏/不适", "Allergy or discomfort", "group_goods",
              (RETURN,), "undetermined", "yes", "medical"),
    ReasonRow("expiry", "生产日期/三无", "Expired or unmarked", "group_goods",
              (RECEIVED, RETURN), "seller", "yes", "pictures", counts_for_quality=True),
    ReasonRow("invoice_problem", "发票问题", "Invoice problem", "group_money",
              (RECEIVED,), "seller", "no"),
    ReasonRow("freight_refund", "退运费", "Freight to be refunded", "group_money",
              (RECEIVED,), "seller", "no"),
    ReasonRow("agreed", "协商一致", "Agreed with the buyer", "group_other",
              (), "undetermined", "agreed"),
    ReasonRow("other", "其他", "Other", "group_other", (), "undetermined", "agreed"),
)
# fmt: on

#: code, Chinese, English, whether evidence is demanded.
REFUSALS = (
    ("sent_already", "商品已发出", "Already sent", False),
    ("signed_already", "买家已签收", "Already signed for", False),
    ("affects_resale", "商品影响二次销售", "Cannot be sold again", True),
    ("not_our_goods", "退回的不是本店商品", "Not our goods", True),
    ("waybill_wrong", "退货单号有误", "The waybill is wrong", False),
    ("buyer_mistake_agreed", "买家误申请，已协商撤销", "Applied by mistake, agreed", False),
    ("other", "其他（须写明）", "Other, in words", False),
)
