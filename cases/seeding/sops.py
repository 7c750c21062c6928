"""The SOPs as seeded: what to do in each state, in general, by kind and by reason.

The order of the lines is the order of the work: reach the buyer, verify, comfort, agree, follow
up, register. A line's step is the one the desk offers for it; no step means words only.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SopRow:
    """One line of one SOP; an empty reason or kind holds for all of them."""

    state: str
    step: str
    text: str
    text_en: str
    reason: str = ""
    kind: str = ""


# fmt: off
# A row per line reads better than a column per word.
BY_STATE = (
    SopRow("applied", "accept",
           "先联系买家问清情况，我方有错先道歉；核实后同意，能修不换、能换不退。",
           "Reach the buyer first, apologise where we are at fault; verified: accept."),
    SopRow("applied", "propose", "买家肯商量的，提一个更省事的方案。",
           "Where he is willing, propose an easier way."),
    SopRow("applied", "refuse", "确实不符合条件才拒绝，写明理由并附证据。",
           "Refuse only with a reason in words, and with evidence."),
    SopRow("negotiating", "agree_proposal", "等买家确认方案；每天跟进一次，买家同意就点同意方案。",
           "Wait for the buyer; follow up daily and enter the answer."),
    SopRow("negotiating", "decline_proposal", "买家不接受就登记，回到原来的步骤换个方案。",
           "Enter a refusal of the proposal and go on with another plan."),
    SopRow("refused", "revise", "买家可在期限内修改申请；他改了就登记修改。",
           "The buyer may revise in time; enter what he changes."),
    SopRow("refused", "withdraw", "买家认可拒绝的理由，可请他撤销申请。",
           "If he agrees with the refusal, enter that he withdraws."),
    SopRow("intercepting", "intercept_succeed", "问快递是否已拦下；拦截成功就登记，随后退款。",
           "Ask the courier; enter a success, the refund follows."),
    SopRow("intercepting", "intercept_fail", "已派送或已签收就登记拦截失败，重新和买家商量。",
           "Delivered or signed for: enter the failure and talk to the buyer again."),
    SopRow("awaiting_return", "ship_back", "提醒买家按退货地址寄回，拒收到付；拿到单号就登记。",
           "Remind the buyer to send it back, no cash on delivery; enter the waybill."),
    SopRow("awaiting_return", "extend", "买家来不及寄，可延长退货期限一次。",
           "If he needs longer, extend his time once."),
    SopRow("returning", "receive", "到货先核对单号，拆箱拍照，点数收货。",
           "On arrival compare the waybill, take pictures, count the pieces, receive."),
    SopRow("inspecting", "pass_inspection",
           "按类目验货：吊牌、使用痕迹、密封包装、配件赠品、序列号、激活与个人数据；登记合格件数。",
           "Inspect: tags, wear, seals, accessories, serial number, activation; enter the good."),
    SopRow("inspecting", "fail_inspection", "不合格要拍照写明，货要退还给买家。",
           "What fails needs pictures and words, and goes back to the buyer."),
    SopRow("inspecting", "send_for_diagnosis", "看不出原因的送官方网点或供应商检测。",
           "What cannot be judged here goes to a service point or supplier."),
    SopRow("diagnosing", "record_diagnosis", "催检测结果；结论一出当天告诉买家。",
           "Chase the verdict; the buyer is told on the same day."),
    SopRow("repairing", "finish_repair", "跟进维修进度，每天告诉买家；修好就登记费用。",
           "Follow the repair, tell the buyer daily; enter the cost when done."),
    SopRow("repairing", "propose", "超期修不好，主动提出换货或退款。",
           "Overdue: offer an exchange or a refund."),
    SopRow("quality_check", "pass_quality_check", "按故障描述逐项复测，合格再寄回。",
           "Test against the fault described; only what passes goes out."),
    SopRow("quality_check", "fail_quality_check", "复测不合格退回维修。",
           "What fails goes back to repair."),
    SopRow("awaiting_dispatch", "dispatch", "核对货品和地址后发出，登记单号（换货登记新序列号）。",
           "Check goods and address, send, enter the waybill (new serials on exchange)."),
    SopRow("awaiting_receipt", "confirm_receipt", "关注物流，买家确认收到后登记完成。",
           "Watch the parcel; enter that the buyer has received it."),
    SopRow("awaiting_approval", "approve", "看金额、原因和证据是否相符；相符就批准。",
           "Do amount, reason and evidence agree? Then approve."),
    SopRow("awaiting_approval", "send_back", "不相符就写明意见退回重办。",
           "Otherwise send it back with words."),
    SopRow("refunding", "pay", "核对收款方和金额，原路退回优先；打款后登记流水号。",
           "Check payee and amount, original way first; enter the reference."),
    SopRow("refunding", "fail_payout", "打款失败写明原因，核实账户后再付，退款编号不变。",
           "A failed payout: enter why; it is paid again under its number."),
    SopRow("mediating", "add_evidence", "举证期内把聊天记录、照片、物流和检测报告传齐。",
           "Within the evidence time hand in messages, pictures, tracking and reports."),
    SopRow("mediating", "rule_for_buyer", "平台判决后如实登记结果。",
           "Enter the platform's ruling as it is."),
)

BY_KIND = (
    SopRow("applied", "accept", "未发货先通知仓库停发，再同意退款。",
           "Stop the shipment first, then accept.", kind="refund_unshipped"),
    SopRow("applied", "ship_order", "已经打包交给快递的，登记发货单号并告诉买家。",
           "Already handed over: enter the waybill and tell the buyer.", kind="refund_unshipped"),
    SopRow("applied", "intercept", "在途件先请买家等一等；不愿等就请快递拦截。",
           "Ask the buyer to wait; else have the parcel intercepted.", kind="refund_in_transit"),
    SopRow("applied", "accept", "已拦截或确认丢件的，同意退款。",
           "Intercepted or lost: accept.", kind="refund_in_transit"),
)

BY_REASON = (
    SopRow("applied", "accept", "少件：核对打包重量和监控，退缺件差价或补寄，二选一由买家定。",
           "Parts missing: check weight and footage; refund the part or resend.",
           reason="missing_parts"),
    SopRow("applied", "accept", "破损：看图属实就同意，24小时内向快递报案。",
           "Damaged: pictures show it: accept, and report to the courier within 24 hours.",
           reason="damaged"),
    SopRow("applied", "propose", "也可提议部分退款、商品留用。",
           "Or propose a partial refund and he keeps it.", reason="damaged"),
    SopRow("applied", "accept", "发错货：请买家寄回错件，正确的立即先行补发。",
           "Wrong item: ask it back and send the right one at once.", reason="wrong_item"),
    SopRow("applied", "accept",
           "质量问题：先引导官方网点；网点解决不了就同意寄回，验货后按修、换、退的次序选。",
           "Faulty: the service point first; else accept, verify, repair, exchange, return.",
           reason="quality"),
    SopRow("applied", "propose", "买家肯留用的，提议维修或补偿。",
           "Where he would keep it, propose a repair or a compensation.", reason="quality"),
    SopRow("applied", "accept", "假冒：请买家先提供鉴定报告，同时备好进货凭证；属实就同意。",
           "Counterfeit: ask for the expert report, prepare proofs of purchase; true: accept.",
           reason="counterfeit"),
    SopRow("applied", "accept", "过敏：先关心身体，请买家停用并提供医院证明；属实就同意。",
           "Allergy: ask how he is, have him stop using it, ask for medical proof; then accept.",
           reason="allergy"),
    SopRow("applied", "accept", "七天无理由：签收次日零时起算七天内、不影响二次销售的，直接同意。",
           "Within seven days from the day after signature and fit for resale: accept.",
           reason="no_reason"),
    SopRow("applied", "accept", "未送达：先查轨迹问快递，告诉买家何时到；丢件就同意退款。",
           "Not arrived: check the tracking, tell the buyer when; lost: accept.",
           reason="not_arrived"),
    SopRow("applied", "accept", "空包裹：要拆包照片和称重，属实就补寄或退款，并向快递索赔。",
           "Empty parcel: pictures and weight; true: resend or refund, claim on the courier.",
           reason="empty_parcel"),
    SopRow("applied", "accept", "缺货：道歉，同意退款；可另送优惠券安抚。",
           "Out of stock: apologise, accept; a coupon may help.", reason="out_of_stock"),
    SopRow("applied", "ship_order", "未按时发货：能马上发就发出并道歉；不能就同意退款。",
           "Late: send now and apologise, or accept.", reason="late_dispatch"),
)
# fmt: on

#: In the order of their precedence: the more particular a line, the earlier it stands.
ALL = (*BY_REASON, *BY_KIND, *BY_STATE)
