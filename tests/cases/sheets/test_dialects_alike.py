"""However its columns are ordered, spelt, left out or added to, a sheet says the same."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.sheets import values
from cases.sheets.dialects import ALL, candidates, read_facts, rivals
from cases.sheets.facts import BadRow
from cases.sheets.headers import loose
from cases.sheets.reader import Row
from tests.cases.sheets.files import makers
from tests.cases.sheets.test_dialects import (
    DOUYIN_CASE,
    DOUYIN_ORDER,
    JD_ORDER,
    NATIVE_CASE,
    PDD_ORDER,
    TAOBAO_REFUND,
)
from tests.cases.sheets.test_layouts import ERP_CASE, JD_SERVICE, JUSHUITAN, KUAISHOU, PDD_CASE
from tests.invoices.sheet_desk import ALIBABA, FOREIGN, NATIVE

DETAIL = {"订单编号": "1", "标题": "甲", "价格": "9.90", "购买数量": "2", "商家编码": "S"}
SAMPLES = {
    "taobao orders 2018": (makers.TAOBAO_ORDERS, [makers.TAOBAO_ORDER]),
    "taobao order_lines": (makers.TAOBAO_DETAILS, [DETAIL, DETAIL | {"标题": "乙"}]),
    "taobao cases 2017": (makers.TAOBAO_REFUNDS_2017, [TAOBAO_REFUND | {"是否需要退货": "是"}]),
    "taobao cases 2024": (makers.TAOBAO_REFUNDS_2024, [TAOBAO_REFUND | {"售后类型": "退货退款"}]),
    "douyin orders": (
        makers.DOUYIN_ORDERS,
        [DOUYIN_ORDER, DOUYIN_ORDER | {"子订单编号": "\t2", "选购商品": "\t杯刷"}],
    ),
    "douyin cases": (makers.DOUYIN_AFTER_SALES, [DOUYIN_CASE]),
    "pdd orders": (makers.PDD_ORDERS, [PDD_ORDER]),
    "pdd cases": (list(PDD_CASE), [PDD_CASE]),
    "jd orders": (makers.JD_ORDERS[:-1], [JD_ORDER, JD_ORDER | {"商品ID": "7002"}]),
    "jd cases": (list(JD_SERVICE), [JD_SERVICE]),
    "native orders": (makers.NATIVE_ORDERS, [makers.NATIVE_ORDER]),
    "native cases": (makers.NATIVE_CASES, [NATIVE_CASE]),
    "native invoices": (list(NATIVE), [NATIVE]),
    "alibaba invoices": (list(ALIBABA), [ALIBABA]),
    "foreign invoices": (list(FOREIGN), [FOREIGN, FOREIGN | {"StockCode": "71053"}]),
    "generic orders": (list(KUAISHOU), [KUAISHOU]),
    "generic orders by line": (list(JUSHUITAN[0]), JUSHUITAN),
    "generic cases": (list(ERP_CASE), [ERP_CASE]),
}
_WIDE = {ord(c): ord(c) + 0xFEE0 for c in "()/-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh"}
SPELLINGS = (
    str,
    str.upper,
    str.lower,
    lambda name: f" {name}\u3000",
    lambda name: f"*{name}",
    "\u200b".join,
    lambda name: name.translate(_WIDE),
    lambda name: name[:2] + "\u00a0" + name[2:],
    lambda name: f"{name}：",
)
UNITS = ("", "（元）", "(元)", "/元", " (单位：元)")
NEW = ("新增的列", "备用一", "Foo bar", "活动名称")


def facts_of(headers, rows):
    """What a sheet says, without the columns that are only kept."""
    ranked = candidates(headers)
    assert not rivals(ranked)
    where = ranked[0].where
    assert where.missing == ()
    told = list(read_facts([Row(n, row, headers) for n, row in enumerate(rows, 2)], where))
    assert not any(isinstance(one, BadRow) for one in told)
    return where, [without_extra(one) for one in told]


def without_extra(facts):
    kept = [x for x in getattr(facts, "lines", ()) if hasattr(x, "extra")]
    lines = {"lines": tuple(replace(x, extra={}) for x in kept)} if kept else {}
    return replace(facts, extra={}, **lines)


def money_headers(where):
    amounts = {c.field for c in where.dialect.columns if c.parse in {values.money, values.decimal}}
    return {where.headers[at] for name, at in where.positions.items() if name in amounts}


def spelt(data, header, *, money):
    name = header.strip()
    if money:
        bare = name.removesuffix("(元)").removesuffix("（元）")
        name = bare + data.draw(st.sampled_from(UNITS))
    return data.draw(st.sampled_from(SPELLINGS))(name)


def test_there_is_a_sample_of_every_dialect():
    found = {candidates(headers)[0].dialect.title for headers, _rows in SAMPLES.values()}

    assert found == {dialect.title for dialect in ALL}


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=20)
@given(data=st.data())
def test_the_same_facts_come_out_however_the_columns_are_written(name, data):
    headers, rows = SAMPLES[name]
    cells = makers.rows_of(headers, *rows)
    where, told = facts_of(headers, cells)
    money = money_headers(where)
    empty = [at for at in range(len(headers)) if not any(row[at] for row in cells)]
    lost = data.draw(st.sets(st.sampled_from(empty))) if empty else set()
    order = data.draw(st.permutations([at for at in range(len(headers)) if at not in lost]))
    new = data.draw(st.sets(st.sampled_from(NEW)))

    changed = [spelt(data, headers[at], money=headers[at] in money) for at in order]
    again, other = facts_of(
        [*changed, *new], [[*(row[at] for at in order), *("x" for _name in new)] for row in cells]
    )

    assert again.dialect.title == where.dialect.title
    assert other == told
    kept = {loose(name) for name in where.unknown if headers.index(name) in order}
    assert {loose(name) for name in again.unknown} == kept | set(map(loose, new))
