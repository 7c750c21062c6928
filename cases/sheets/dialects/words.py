"""The platforms' words and ours; open lists, an unknown word is reported and not guessed."""

import re
from collections.abc import Mapping
from typing import Final

from cases.sheets.headers import normal


def table(words: Mapping[str, str]) -> Mapping[str, str]:
    """Several words may stand before one of ours, set apart by `|`."""
    return {normal(word): ours for several, ours in words.items() for word in several.split("|")}


ORDER_STATES: Final = ("unpaid", "paid", "shipped", "signed", "finished", "closed")
NATIVE_STATUS: Final = table(
    {state: state for state in ORDER_STATES}
    | {
        "待付款|未付款": "unpaid",
        "待发货|已付款": "paid",
        "已发货|待收货": "shipped",
        "已签收|已收货": "signed",
        "已完成|交易成功": "finished",
        "已关闭|交易关闭|已取消": "closed",
    }
)
REFUNDED_AND_CLOSED: Final = normal("付款以后用户退款成功，交易自动关闭")
TAOBAO_STATUS: Final = table(
    {
        "等待买家付款": "unpaid",
        "买家已付款，等待卖家发货|等待卖家发货|买家已付款": "paid",
        "卖家已发货，等待买家确认|等待买家确认收货|卖家已发货": "shipped",
        "交易成功": "finished",
        "交易关闭|付款以后用户退款成功，交易自动关闭|付款以前，卖家或买家主动关闭交易": "closed",
    }
)
DOUYIN_STATUS: Final = table(
    {
        "待支付": "unpaid",
        "待发货|备货中": "paid",
        "已发货": "shipped",
        "已收货|已完成": "finished",
        "已关闭": "closed",
    }
)
PDD_STATUS: Final = table(
    {
        "待付款": "unpaid",
        "待发货": "paid",
        "已发货，待收货|已发货": "shipped",
        "已收货": "finished",
        "已取消": "closed",
    }
)
#: A locked order is on its way to be cancelled: known, and says nothing about how far it is.
JD_STATUS: Final = table(
    {
        "等待付款": "unpaid",
        "等待出库": "paid",
        "等待确认收货": "shipped",
        "完成|已完成": "finished",
        "删除|(删除)|已取消": "closed",
        "锁定|(锁定)": "",
    }
)
#: Words of shop systems and of platforms without a dialect of their own; ours come last and win.
ANY_STATUS: Final = {
    **JD_STATUS,
    **PDD_STATUS,
    **DOUYIN_STATUS,
    **TAOBAO_STATUS,
    **NATIVE_STATUS,
    **table(
        {
            "待支付|未支付|等待付款|等待支付|待买家付款": "unpaid",
            "已支付|未发货|待出库|待配货|配货中|待打包|待审核|已审核|备货中|等待发货": "paid",
            "部分发货": "paid",
            "待确认收货|已出库|运输中|配送中|待签收|全部发货|已发出": "shipped",
            "签收|买家已签收": "signed",
            "完成|交易完成|订单完成|已结束": "finished",
            "取消|交易取消|作废|已作废|已退款|全额退款|退款成功|退款完成|关闭": "closed",
        }
    ),
}
ALL_REFUNDED: Final = frozenset(
    {REFUNDED_AND_CLOSED, *map(normal, ("已退款", "全额退款", "退款成功", "退款完成"))}
)

#: Done, and by the kind of case whether money or goods went to the buyer.
COMPLETED: Final = "completed"
REFUNDED: Final = "completed:refunded"
DONE: Final = "completed:done"
CLOSED: Final = "closed:closed"
TAOBAO_REFUND: Final = table(
    {
        "买家已经申请退款，等待卖家同意": "applied",
        "卖家已经同意退款，等待买家退货": "awaiting_return",
        "买家已经退货，等待卖家确认收货": "returning",
        "卖家拒绝退款": "refused",
        "退款关闭": CLOSED,
        "退款成功": REFUNDED,
    }
)
DOUYIN_AFTERSALE: Final = table(
    {
        "待商家处理|售后申请": "applied",
        "待买家退货": "awaiting_return",
        "待商家收货|待收退货": "returning",
        "商家拒绝|售后已拒绝": "refused",
        "待商家发货": "awaiting_dispatch",
        "待买家收货": "awaiting_receipt",
        "同意退款，退款成功|退款成功": REFUNDED,
        "换货成功|补寄成功|维修成功": DONE,
        "售后关闭": CLOSED,
    }
)
#: 换货补寄待用户处理 is said whether goods come back or not, so it says nothing.
PDD_AFTERSALE: Final = table(
    {
        "买家申请退款，待商家处理|退货退款，待商家处理|换货补寄待商家处理|待商家处理": "applied",
        "商家同意退款，退款中|平台同意退款，退款中|退款中": "refunding",
        "驳回退款，待买家处理|驳回退款，待用户处理|已驳回": "refused",
        "已同意退货退款，待用户发货|同意退货，待用户发货|待用户发货|待买家退货": "awaiting_return",
        "用户已发货，待商家收货|买家已退货，待商家收货|待商家收货": "returning",
        "商家同意拒收退款，待用户拒收": "intercepting",
        "平台处理中|平台介入中": "mediating",
        "待商家补寄发货|待商家发货": "awaiting_dispatch",
        "换货补寄待用户确认完成": "awaiting_receipt",
        "换货补寄成功": DONE,
        "换货补寄待用户处理": "",
        "退款成功": REFUNDED,
        "平台拒绝退款，退款关闭|买家撤销|用户撤销|买家逾期未处理，退款失败": CLOSED,
        "买家逾期，超过有效期|换货补寄失败|退款关闭|售后关闭": CLOSED,
    }
)
JD_SERVICE: Final = table(
    {
        "待审核|申请中|已申请": "applied",
        "审核不通过|审核拒绝|审核驳回": "refused",
        "审核通过|待客户发货|待客户寄回|待客户反馈|待取件": "awaiting_return",
        "待收货|取件中|客户已发货": "returning",
        "已收货|待处理|处理中": "inspecting",
        "退款中|待退款": "refunding",
        "待客户确认|待用户确认": "awaiting_receipt",
        "完成|已完成|已完结": COMPLETED,
        "取消|已取消|用户取消|客户取消|关闭|已关闭": CLOSED,
    }
)
#: 处理结果 of a JD service that is done.
JD_RESULT: Final = table(
    {
        "退款|退货|退货退款|仅退款|已退款": REFUNDED,
        "换新|换货|线下换新|维修|返修|补发|补发商品": DONE,
        "原返|原物返还|取消|客户取消": CLOSED,
    }
)
ANY_AFTERSALE: Final = {
    **JD_SERVICE,
    **PDD_AFTERSALE,
    **DOUYIN_AFTERSALE,
    **TAOBAO_REFUND,
    **table(
        {
            "待处理|待审核|申请中|待卖家处理|退款申请中": "applied",
            "待退货|待寄回|同意退货|已同意退货": "awaiting_return",
            "退货中|已退货|已寄回|待入库": "returning",
            "已拒绝|拒绝|拒绝退款": "refused",
            "处理中": "",
            "平台介入": "mediating",
            "待打款|待退款": "refunding",
            "已退款|退款完成|全额退款|部分退款": REFUNDED,
            "售后完成|售后成功": COMPLETED,
            "撤销|已撤销|作废|已作废": CLOSED,
        }
    ),
}

#: How the application names what is wanted; `refund` alone depends on where the goods are.
KINDS: Final = table(
    {
        "仅退款|退款": "refund",
        "未发货仅退款|未发货退款": "refund_unshipped",
        "已发货仅退款": "refund_shipped",
        "未收到货仅退款|未收货仅退款|已发货未收到仅退款|拒收退款|拦截退货": "refund_in_transit",
        "已收到货仅退款|已收货仅退款|仅退款不退货": "refund_received",
        "退货退款|退款退货|退货|退货并退款": "return_refund",
        "换货|换新|上门换新": "exchange",
        "维修|返修|保修": "repair",
        "补寄|补发|补发商品|缺货补寄|补发货": "resend",
    }
)
GOODS: Final = table(
    {
        "未发货|待发货": "unshipped",
        "未收到货|买家未收到货|未收货|已发货|运输中|在途": "not_received",
        "已收到货|买家已收到货|已收货|已签收": "received",
        "买家已退货|已退货": "returned",
    }
)
REFUND_BY_GOODS: Final = {
    "unshipped": "refund_unshipped",
    "not_received": "refund_in_transit",
    "received": "refund_received",
    "returned": "return_refund",
}
NATIVE_KINDS: Final = table(
    {
        "refund_unshipped|未发货仅退款": "refund_unshipped",
        "refund_in_transit|已发货未收到仅退款|已发货仅退款|未收到货仅退款": "refund_in_transit",
        "refund_received|已收到货仅退款": "refund_received",
        "return_refund|退货退款|退货": "return_refund",
        "exchange|换货": "exchange",
        "repair|维修": "repair",
        "resend|补寄": "resend",
    }
)
NATIVE_STATES: Final = table(
    {
        "applied|待卖家处理": "applied",
        "negotiating|待买家确认方案": "negotiating",
        "refused|已拒绝，待买家修改|已拒绝": "refused",
        "intercepting|快递拦截中": "intercepting",
        "awaiting_return|待买家退货": "awaiting_return",
        "returning|买家已退货，待收货|待收货": "returning",
        "inspecting|验货中": "inspecting",
        "diagnosing|送检中": "diagnosing",
        "repairing|维修中": "repairing",
        "quality_check|维修质检": "quality_check",
        "awaiting_dispatch|待发货（换货/补寄/寄回）|待发货": "awaiting_dispatch",
        "awaiting_receipt|待买家收货": "awaiting_receipt",
        "awaiting_approval|待审批": "awaiting_approval",
        "refunding|待打款": "refunding",
        "mediating|平台介入中": "mediating",
        "completed|已完成": "completed",
        "closed|已关闭": "closed",
    }
)

CATEGORIES: Final = table(
    {
        "general|普通商品|普通": "general",
        "clothing|服饰|服装": "clothing",
        "electronics|数码电器|数码|电器": "electronics",
        "food|食品": "food",
        "cosmetics|化妆品|美妆": "cosmetics",
        "custom|定制商品|定制": "custom",
        "perishable|生鲜|鲜活易腐": "perishable",
        "digital|数字商品|虚拟商品": "digital",
        "press|报刊": "press",
    }
)
PROMISES: Final = table(
    {
        "fake_triple|假一赔三": "fake_triple",
        "quality|品质承诺|品质保证": "quality",
        "ship_on_time|发货时间承诺|按时发货": "ship_on_time",
        "free_return|退货承诺": "free_return",
        "damage_resend|破损补寄": "damage_resend",
        "named_courier|指定快递": "named_courier",
        "arrive_on_time|到货承诺|按时送达": "arrive_on_time",
    }
)
PLATFORMS: Final = table(
    {
        "taobao|淘宝|淘宝网": "taobao",
        "tmall|天猫|天猫商城": "tmall",
        "douyin|抖音|抖店|抖音小店|放心购": "douyin",
        "jd|京东|京东商城": "jd",
        "pdd|拼多多|pinduoduo": "pdd",
        "other|其他|其它|快手|小红书|视频号|微信小店|有赞|微盟|唯品会|线下|自建商城": "other",
    }
)

REASON_CODES: Final = frozenset(
    """
    not_wanted wrong_purchase address_error out_of_stock late_dispatch not_arrived
    empty_parcel no_reason missing_parts wrong_item damaged not_as_described quality
    counterfeit allergy expiry invoice_problem freight_refund agreed other
    """.split()  # noqa: SIM905  # twenty quotes would hide the words
)
#: The first pattern found in the words decides, so the narrow ones stand first.
_REASONS: Final = tuple(
    (re.compile(pattern), code)
    for pattern, code in (
        (r"发票", "invoice_problem"),
        (r"运费|邮费", "freight_refund"),
        (r"假冒|假货|正品|盗版", "counterfeit"),
        (r"过敏|不适", "allergy"),
        (r"生产日期|保质期|过期|三无", "expiry"),
        (r"空包|空盒", "empty_parcel"),
        (r"少件|漏发|少发|缺件|少货", "missing_parts"),
        (r"发错货|错发|发错|货不对版", "wrong_item"),
        (r"破损|污渍|损坏|破碎|变形", "damaged"),
        (r"质量|故障|瑕疵|做工|无法使用", "quality"),
        (r"不符|不一致|描述|尺寸|材质|颜色|大小", "not_as_described"),
        (r"缺货|无货", "out_of_stock"),
        (r"未按.*发货|未及时发货|发货慢|延迟发货|不发货", "late_dispatch"),
        (
            r"未送到|未收到|没收到|未送达|未到货|物流.*(停滞|异常|无)|快递.*(丢|停滞|异常)",
            "not_arrived",
        ),
        (r"地址|电话填错|信息填写", "address_error"),
        (r"(7|七)天无理由|无理由", "no_reason"),
        (r"协商一致", "agreed"),
        (r"不想要|不喜欢|不想买|不需要", "not_wanted"),
        (r"拍错|错拍|多拍|拍多|误拍|买错", "wrong_purchase"),
        (r"^其他$|^其它$|^其他原因$|^other$", "other"),
    )
)


def reason(words: str) -> str | None:
    """Our code for a buyer's reason as the platform writes it; None where no word is known."""
    plain = normal(words)
    if plain in REASON_CODES:
        return plain
    return next((code for pattern, code in _REASONS if pattern.search(plain)), None)
