"""After-sales rows: what the platforms' words mean, and one shape for sheets with nothing odd."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from django.utils.translation import gettext as _

from cases.sheets import values
from cases.sheets.dialects import words
from cases.sheets.dialects.base import Column, Parsed, latest
from cases.sheets.facts import CaseFacts
from cases.sheets.headers import normal

_PARSERS: Final[Mapping[str, values.Parser]] = (
    dict.fromkeys(("order_no", "platform_case_no", "sub_order_no", "waybill"), values.identifier)
    | dict.fromkeys(("line_no", "quantity"), values.pieces)
    | dict.fromkeys(("amount", "freight"), values.money)
    | dict.fromkeys(("applied_at", "platform_due_at", "accepted_at"), values.moment)
    | dict.fromkeys(("returned_at", "refunded_at", "finished_at"), values.moment)
    | {"goods_back": values.truth}
)
#: Every field, by the name it has where a dialect knows no better.
_FIELDS: Final[Mapping[str, str]] = {
    "platform_case_no": "售后单号",
    "order_no": "订单编号",
    "sub_order_no": "子订单编号",
    "line_no": "订单行号",
    "title": "商品名称",
    "sku": "商家编码",
    "product_id": "商品ID",
    "quantity": "售后数量",
    "kind": "售后类型",
    "status": "售后状态",
    "result": "处理结果",
    "goods": "货物状态",
    "goods_back": "是否需要退货",
    "amount": "退款金额",
    "freight": "退运费金额",
    "applied_at": "申请时间",
    "platform_due_at": "处理截止时间",
    "accepted_at": "同意时间",
    "returned_at": "买家退货时间",
    "refunded_at": "退款时间",
    "finished_at": "完结时间",
    "reason": "售后原因",
    "text": "问题描述",
    "courier": "退货物流公司",
    "waybill": "退货物流单号",
    "shop_name": "店铺名称",
}
_TIMES: Final = ("applied_at", "accepted_at", "returned_at", "refunded_at", "finished_at")
_MONEY_KINDS: Final = frozenset(
    {"refund_unshipped", "refund_in_transit", "refund_received", "return_refund"}
)


def outcome_of(word: str | None) -> tuple[str | None, str | None]:
    """The state, and what the platform has done by itself."""
    if word is None:
        return None, None
    state, _sep, outcome = word.partition(":")
    return state, outcome or None


def kind_by_goods(parsed: Parsed, said: str | None, goods: str | None) -> str | None:
    if said != "refund":
        return said
    if goods is None:
        parsed.remark("goods", "kind_unknown", _("does not say which kind of refund this is"))
        return None
    return words.REFUND_BY_GOODS[goods]


def reason_of(parsed: Parsed) -> tuple[str | None, str]:
    """Our code, and the words of the sheet."""
    said: str = parsed.get["reason"] or ""
    if not said:
        return None, ""
    code = parsed.own_word("reason") or words.reason(said)
    if code is None:
        parsed.remark("reason", "unknown_word", _("is a reason we do not know: taken as “other”"))
    return code or "other", said


def text_or_none(value: values.Native) -> str:
    """A lone dash means none."""
    found = values.text(value)
    return "" if normal(found) in {"-", "--"} else found


def columns(names: Mapping[str, str]) -> tuple[Column, ...]:
    """The columns of `plain_case`: field → its header names, set apart by `|`, the best first."""
    return tuple(
        Column(
            field,
            tuple(names.get(field, usual).split("|")),
            _PARSERS.get(field, text_or_none),
        )
        for field, usual in _FIELDS.items()
    )


def plain_case(
    platform: str, statuses: Mapping[str, str]
) -> Callable[[Sequence[Parsed]], CaseFacts]:
    """Builds the facts of a row with `columns`; ``statuses``: the platform's words → ours."""
    return partial(_case, platform, statuses)


def _case(platform: str, statuses: Mapping[str, str], group: Sequence[Parsed]) -> CaseFacts:
    (parsed,) = group
    get = parsed.get
    goods = parsed.word("goods", words.GOODS)
    kind = _kind(parsed, goods)
    state, outcome = _outcome(parsed, statuses, kind)
    refunded = outcome == "refunded"
    refunded_at = get["refunded_at"] or get["finished_at"]
    code, said = reason_of(parsed)
    number = get["platform_case_no"] or ""
    return CaseFacts(
        order_no=get["order_no"],
        platform_case_no=number,
        platform=None if platform == "other" else platform,
        shop_name=get["shop_name"] or None,
        line_no=get["line_no"],
        sub_order_no=get["sub_order_no"] or "",
        sku=get["sku"] or get["product_id"] or "",
        title=get["title"] or "",
        quantity=get["quantity"],
        kind=kind,
        reason=code,
        reason_words=said,
        amount=get["amount"],
        freight=get["freight"],
        applied_at=get["applied_at"],
        platform_due_at=get["platform_due_at"],
        state=state,
        outcome=outcome,
        refunded_amount=get["amount"] if refunded else None,
        refunded_at=refunded_at if refunded else None,
        refund_number=number if refunded else "",
        text=get["text"] or "",
        courier=get["courier"] or "",
        waybill=get["waybill"] or "",
        goods="not_received" if goods == "unshipped" else goods,
        seen_at=latest(*(get[name] for name in _TIMES)),
        rows=(parsed.number,),
        extra=parsed.extra,
        warnings=tuple(parsed.remarks),
    )


def _kind(parsed: Parsed, goods: str | None) -> str | None:
    """What the buyer asks for; a row without such a word may say whether the goods come back."""
    said = parsed.word("kind", words.KINDS)
    if said == "refund_shipped":
        return "refund_received" if goods == "received" else "refund_in_transit"
    if said is None and parsed.get["goods_back"]:
        return "return_refund"
    if said is None and not parsed.get["kind"]:
        said = "refund"
    return kind_by_goods(parsed, said, goods)


def _outcome(
    parsed: Parsed, statuses: Mapping[str, str], kind: str | None
) -> tuple[str | None, str | None]:
    """Where a sheet only says that a case is done, what it came to shows by the result or kind."""
    state, outcome = outcome_of(parsed.word("status", statuses))
    if state != words.COMPLETED or outcome:
        return state, outcome
    if result := parsed.word("result", words.JD_RESULT):
        return outcome_of(result)
    if kind and kind not in _MONEY_KINDS:
        return outcome_of(words.DONE)
    if parsed.get["amount"]:
        return outcome_of(words.REFUNDED)
    parsed.remark("status", "outcome_unknown", _("does not say what became of the money"))
    return None, None
