"""How the platforms say what happened: the words their reports use, by our own code."""

REASONS = {
    "not_wanted": "多拍/错拍/不想要",
    "wrong_purchase": "拍多/拍错/不想要",
    "address_error": "地址/电话信息填写错误",
    "out_of_stock": "缺货",
    "late_dispatch": "未按约定时间发货",
    "not_arrived": "快递一直未送到",
    "empty_parcel": "空包裹",
    "no_reason": "七天无理由退换货",
    "missing_parts": "少件/漏发",
    "wrong_item": "卖家发错货",
    "damaged": "破损/污渍",
    "not_as_described": "描述不符",
    "quality": "质量问题",
    "counterfeit": "假冒品牌",
    "allergy": "过敏",
    "expiry": "生产日期/保质期描述不符",
    "invoice_problem": "发票问题",
    "freight_refund": "退运费",
    "agreed": "协商一致退款",
}

SELLER_FAULT = frozenset(
    {
        "out_of_stock",
        "late_dispatch",
        "missing_parts",
        "wrong_item",
        "not_as_described",
        "quality",
        "counterfeit",
        "expiry",
        "invoice_problem",
        "freight_refund",
    }
)

TAOBAO_ORDER = {
    "unpaid": "等待买家付款",
    "paid": "买家已付款，等待卖家发货",
    "shipped": "卖家已发货，等待买家确认",
    "signed": "卖家已发货，等待买家确认",
    "finished": "交易成功",
    "closed": "交易关闭",
}
TAOBAO_REFUNDED = "付款以后用户退款成功，交易自动关闭"

TAOBAO_CASE = {
    "applied": "买家已经申请退款，等待卖家同意",
    "awaiting_return": "卖家已经同意退款，等待买家退货",
    "returning": "买家已经退货，等待卖家确认收货",
    "refused": "卖家拒绝退款",
    "closed": "退款关闭",
    "refunded": "退款成功",
}
TAOBAO_KIND = {
    "refund_unshipped": ("仅退款", "未发货"),
    "refund_in_transit": ("仅退款", "未收到货"),
    "refund_received": ("仅退款", "已收到货"),
    "return_refund": ("退货退款", "已收到货"),
    "exchange": ("换货", "已收到货"),
    "repair": ("维修", "已收到货"),
    "resend": ("补寄", "已收到货"),
}

DOUYIN_ORDER = {
    "unpaid": "待支付",
    "paid": "待发货",
    "shipped": "已发货",
    "signed": "已收货",
    "finished": "已完成",
    "closed": "已关闭",
}
DOUYIN_CASE = {
    "applied": "待商家处理",
    "awaiting_return": "待买家退货",
    "returning": "待商家收货",
    "refused": "商家拒绝",
    "awaiting_dispatch": "待商家发货",
    "awaiting_receipt": "待买家收货",
    "closed": "售后关闭",
    "refunded": "同意退款，退款成功",
}
DOUYIN_DONE = {"exchange": "换货成功", "resend": "补寄成功", "repair": "维修成功"}
DOUYIN_KIND = {
    "refund_unshipped": "未发货仅退款",
    "refund_in_transit": "已发货仅退款",
    "refund_received": "已发货仅退款",
    "return_refund": "退货退款",
    "exchange": "换货",
    "repair": "维修",
    "resend": "补寄",
}
