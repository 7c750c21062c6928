"""Our own sheet of claims: its columns and words, a row per claim."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases.sheets import values
from cases.sheets.dialects.base import Column, Dialect, Parsed
from cases.sheets.dialects.words import PROMISES, table
from cases.sheets.exports import pages
from cases.sheets.facts import NO_EXTRA, Remark
from cases.sheets.headers import normal
from cases.sheets.values import BadValue
from cases.sheets.writer import Cell, Layout
from promises.models import Claim, ClaimState
from promises.terms import Code

S = ClaimState
CLAIMS: Final = "claims"
#: (field, English header, Chinese header): the order of the columns in our exports.
HEADERS: Final = (
    ("claim_no", "claim_no", "赔付单号"),
    ("shop", "shop", "店铺代码"),
    ("order_no", "order_no", "订单编号"),
    ("line_no", "line_no", "订单行号"),
    ("promise", "promise", "服务承诺"),
    ("filed_at", "filed_at", "提出时间"),
    ("amount", "amount", "赔付金额"),
    ("state", "state", "状态"),
    ("text", "text", "说明"),
)
#: What a new claim may need beside; no export has it, because a claim that stands says it itself.
_BESIDE: Final = (
    ("freight_out", "freight_out", "发货运费"),
    ("freight_back", "freight_back", "退货运费"),
    ("report", "report", "检测报告号"),
)
_MORE_NAMES: Final = {
    "claim_no": ("承诺赔付单号",),
    "shop": ("店铺编码", "店铺"),
    "order_no": ("订单号",),
    "line_no": ("商品行号", "明细行号"),
    "filed_at": ("申请时间",),
    "state": ("赔付状态",),
}
_PARSERS: Final[Mapping[str, values.Parser]] = (
    dict.fromkeys(("claim_no", "shop", "order_no", "report"), values.identifier)
    | dict.fromkeys(("amount", "freight_out", "freight_back"), values.money)
    | {"line_no": values.pieces, "filed_at": values.moment}
)
STATES: Final = table(
    {str(state): str(state) for state in S}
    | {
        "待商家处理|待卖家处理|已提出": str(S.FILED),
        "协商中|已申诉|商家不认可": str(S.CONTESTED),
        "平台裁决中|平台处理中": str(S.ADJUDICATING),
        "欠付|待补缴": str(S.OWED),
        "已赔付": str(S.PAID),
        "已驳回|平台驳回": str(S.DISMISSED),
        "已撤回|买家撤回": str(S.WITHDRAWN),
        "已冲回|已追回": str(S.REVERSED),
    }
)
#: Field of the sheet → where it stands, seen from the claim.
_CELLS: Final = {
    "claim_no": "claim_no",
    "shop": "shop__code",
    "order_no": "order__order_no",
    "line_no": "order_line__line_no",
    "promise": "promise",
    "filed_at": "filed_at",
    "amount": "amount",
    "state": "state",
    "text": "text",
}
LAYOUT: Final = Layout(HEADERS)
FILTERS: Final = {
    "shop": "shop__code",
    "order_no": "order__order_no",
    **{name: name for name in ("id", "claim_no", "promise", "state")},
}


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """A claim as a row tells it; amounts in yuan, ``amount`` all that is owed under it."""

    order_no: str
    line_no: int
    promise: str
    filed_at: datetime
    claim_no: str = ""
    shop_code: str | None = None
    amount: Decimal | None = None
    state: str | None = None
    text: str = ""
    freight_out: Decimal | None = None
    freight_back: Decimal | None = None
    report: str = ""
    rows: tuple[int, ...] = ()
    extra: Mapping[str, str] = field(default_factory=lambda: NO_EXTRA)
    warnings: tuple[Remark, ...] = ()
    shop_name: str | None = None
    platform: str | None = None


def _claim(group: Sequence[Parsed]) -> ClaimFacts:
    (parsed,) = group
    get = parsed.get
    promise = _word(parsed, "promise", PROMISES)
    if promise not in Code.values:
        raise _wrong("promise", _("is none of the seven promises"))
    state = _word(parsed, "state", STATES) if get["state"] else None
    return ClaimFacts(
        order_no=get["order_no"],
        line_no=get["line_no"],
        promise=promise,
        filed_at=get["filed_at"],
        claim_no=get["claim_no"] or "",
        shop_code=get["shop"] or None,
        amount=get["amount"],
        state=state,
        text=get["text"] or "",
        freight_out=get["freight_out"],
        freight_back=get["freight_back"],
        report=get["report"] or "",
        rows=(parsed.number,),
        extra=parsed.extra,
        warnings=tuple(parsed.remarks),
    )


def _word(parsed: Parsed, field_: str, words: Mapping[str, str]) -> str:
    found = words.get(normal(parsed.get[field_] or ""))
    if found is None:
        raise _wrong(field_, _("is not one of our words"))
    return found


def _wrong(column: str, problem: str) -> BadValue:
    error = BadValue("bad_value", problem)
    error.column = column  # type: ignore[attr-defined]  # names the cell to mend
    return error


CLAIMS_SHEET: Final = Dialect(
    code="native",
    kind=CLAIMS,
    platform=None,
    columns=tuple(
        Column(
            name, (english, chinese, *_MORE_NAMES.get(name, ())), _PARSERS.get(name, values.text)
        )
        for name, english, chinese in (*HEADERS, *_BESIDE)
    ),
    required=("order_no", "line_no", "promise", "filed_at"),
    build=_claim,
)


def claim_rows(
    queryset: QuerySet[Any],
    fields: Sequence[str],
    clear: bool,  # noqa: FBT001 - as the registry calls it; nothing here is personal
) -> Iterator[Sequence[Cell]]:
    """A row of cells per claim, in the order of ``fields``."""
    rows = Claim.objects.order_by("pk").values_list(*[_CELLS[name] for name in fields])
    for keys in pages(queryset):
        yield from rows.filter(pk__in=keys)
