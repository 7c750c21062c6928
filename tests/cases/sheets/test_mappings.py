"""What staff add to the dialects is used in the next file of their shop, and in no other's."""

import json

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from cases.flow.door import Actor, NotPermitted, Refused
from cases.models import HeaderAlias, Order, SheetMapping, Shop, WordAlias
from cases.sheets import mappings
from cases.sheets.facts import CASES, ORDERS
from cases.sheets.headers import normal
from tests.cases.sheets.files.makers import TAOBAO_ORDERS
from tests.cases.sheets.loading_desk import CASE, ORDER, TAOBAO, case, counts, lines, order
from tests.cases.sheets.test_commands_sheets import run

OWN = {"单子": "M1", "花了": "9.90", "走到哪": "路上", "备忘": "急"}
COLUMNS = {"单子": "order_no", "花了": "paid_amount", "走到哪": "status", "备忘": ""}


def header(field, name, *, shop=None, dialect="taobao", kind=ORDERS):
    mappings.check_header(dialect, kind, field, name)
    return HeaderAlias.objects.create(
        shop=shop, dialect=dialect, kind=kind, field=field, name=name, key=normal(name)
    )


def word(field, text, ours, *, shop=None, dialect=""):
    mappings.check_word(field, text, ours)
    return WordAlias.objects.create(
        shop=shop, dialect=dialect, field=field, word=text, key=normal(text), ours=ours
    )


@pytest.fixture
def shop(desk):
    return desk.house.shop


@pytest.fixture
def other(desk):
    return Shop.objects.create(code="other", name="other", platform="taobao")


@pytest.fixture
def boss(desk):
    return desk.house.users["boss"]


def test_a_new_name_of_a_column_is_understood_in_files_of_that_shop(desk, shop, other):
    headers = ["总金额（新版）" if name == "总金额" else name for name in TAOBAO_ORDERS]
    row = {("总金额（新版）" if k == "总金额" else k): v for k, v in TAOBAO.items()}
    row |= {"买家实际支付金额": "60.00", "退款金额": "", "订单状态": "等待买家付款"}
    row = {k: v for k, v in row.items() if k != "店铺名称"}
    sheet = desk.file(headers, row)
    header("total", "总金额(新版)", shop=shop)

    assert desk.take(sheet, shop="other", dry_run=True).unknown_columns == ["总金额（新版）"]
    result = desk.take(sheet, shop="shop")

    assert result.unknown_columns == []
    assert order(row["订单编号"]).paid_amount == 110


def test_a_name_for_all_shops_holds_where_the_sheet_names_its_shops(desk):
    headers = [name if name != "店铺名称" else "我的店" for name in TAOBAO_ORDERS]
    row = {("我的店" if k == "店铺名称" else k): v for k, v in TAOBAO.items()}
    header("shop_name", "我的店")

    assert counts(desk.take(desk.file(headers, row))) == {"created": 1}


def test_a_new_name_counts_when_the_sheet_is_recognised(desk, shop):
    """Without it the sheet lacks what Taobao's orders need."""
    row = {
        "订单编号": "1",
        "成交总价": "9.90",
        "订单付款时间": "2026-03-01 08:00:00",
        "宝贝标题": "x",
    }
    sheet = desk.file(list(row), row)
    with pytest.raises(Refused) as refused:
        desk.take(sheet, shop="shop", dialect="taobao", kind=ORDERS)
    assert "总金额 / 买家实际支付金额" in refused.value.message
    header("total", "成交总价", shop=shop)

    assert counts(desk.take(sheet, shop="shop")) == {"created": 1}
    assert order("1").paid_amount == order("1").lines.get().paid_amount
    assert str(order("1").paid_amount) == "9.90"


def test_an_unknown_word_is_named_once_and_known_when_staff_said_what_it_means(desk, shop):
    rows = [TAOBAO | {"订单编号": str(no), "订单状态": " 待揽收 "} for no in (1, 2)]

    result = desk.taobao(*rows)
    assert result.unknown_words == [("status", "待揽收")]
    assert mappings.list_of(ORDERS, "status") == "order_status"
    assert order("1").status == "shipped"  # by its times and its waybill

    word("order_status", "待揽收", "finished", shop=shop, dialect="taobao")
    again = desk.taobao(*rows, shop="shop")
    assert again.unknown_words == []
    assert again.warnings == []
    assert order("1").status == "finished"


def test_a_word_of_another_shop_or_family_is_not_taken(desk, shop, other):
    word("order_status", "待揽收", "shipped", shop=other)
    word("order_status", "待揽收", "finished", dialect="douyin")

    assert desk.taobao(TAOBAO | {"订单状态": "待揽收"}, shop="shop").unknown_words != []


def test_the_shops_own_word_goes_before_that_for_all(desk, shop):
    word("order_status", "待揽收", "finished", shop=shop)
    word("order_status", "待揽收", "shipped")

    desk.taobao(TAOBAO | {"订单状态": "待揽收"}, shop="shop")
    assert order(TAOBAO["订单编号"]).status == "finished"


def test_words_of_our_own_sheet_may_be_the_staffs_too(desk):
    word("kind", "七天退", "return_refund")
    word("case_status", "新单", "applied")
    word("reason", "没看上", "not_wanted")
    desk.orders(ORDER | {"status": "signed", "signed_at": "2026-03-05 08:00:00"})

    result = desk.cases(CASE | {"kind": "七天退", "state": "新单", "reason": "没看上"})

    assert counts(result) == {"created": 1}
    assert (case().kind, case().state, case().reason.code) == (
        "return_refund",
        "applied",
        "not_wanted",
    )


def test_a_saved_mapping_is_recognised_by_its_headers(desk, shop, boss):
    mappings.save(
        "门店日报", shop, ORDERS, COLUMNS, by=boss, words={"order_status": {"路上": "shipped"}}
    )

    result = desk.take(desk.file(list(OWN), OWN), shop="shop")

    assert (result.dialect, counts(result)) == ("mapped", {"created": 1})
    assert result.unknown_columns == []
    assert order("M1").status == "shipped"
    assert lines("M1") == [(1, 1, order("M1").paid_amount)]


def test_a_mapping_whose_headers_are_not_all_there_is_not_meant(desk, shop, boss):
    mappings.save("门店日报", shop, ORDERS, COLUMNS, by=boss)
    fewer = {name: cell for name, cell in OWN.items() if name != "走到哪"}

    with pytest.raises(Refused):
        desk.take(desk.file(list(fewer), fewer), shop="shop")
    assert not Order.objects.exists()


def test_a_mapping_of_few_columns_does_not_take_a_platforms_sheet(desk, shop, boss):
    mappings.save(
        "少", shop, ORDERS, {"订单编号": "order_no", "买家实际支付金额": "paid_amount"}, by=boss
    )

    assert desk.taobao(TAOBAO, shop="shop").dialect == "taobao"


def test_of_two_mappings_that_fit_the_person_must_choose(desk, shop, boss):
    for name in ("甲", "乙"):
        mappings.save(name, shop, ORDERS, COLUMNS, by=boss)
    sheet = desk.file(list(OWN), OWN)

    with pytest.raises(Refused) as refused:
        desk.take(sheet, shop="shop")
    assert {"甲", "乙"} <= set(refused.value.message)
    assert counts(desk.take(sheet, shop="shop", mapping="乙")) == {"created": 1}


def test_another_shops_mapping_is_as_good_as_none(desk, shop, other, boss):
    mappings.save("门店日报", other, ORDERS, COLUMNS, by=boss)
    sheet = desk.file(list(OWN), OWN)

    for choices in ({}, {"mapping": "门店日报"}):
        with pytest.raises(Refused):
            desk.take(sheet, shop="shop", **choices)
    # A clerk who may not know the other shop gains nothing by naming it.
    clerk = Actor.sheet(desk.house.users["lead"])
    with pytest.raises(Refused) as refused:
        desk.take(sheet, shop="other", mapping="门店日报", actor=clerk)
    assert refused.value.code == "unknown"
    assert not Order.objects.exists()


def test_the_command_takes_a_mapping_by_name_or_by_file(desk, shop, boss, tmp_path):
    mappings.save("门店日报", None, ORDERS, COLUMNS, by=boss)
    file = tmp_path / "m.json"
    file.write_text(
        json.dumps({"columns": COLUMNS, "words": {"order_status": {"路上": "shipped"}}})
    )
    sheet = desk.file(list(OWN), OWN)

    found, _words, code = run("import_sheet", sheet, "--mapping", "门店日报", "--shop", "shop")
    assert (code, found["created"], found["dialect"]) == (0, 1, "mapped")
    assert order("M1").status == "paid"
    found, _words, code = run("import_sheet", sheet, "--mapping", file, "--shop", "shop")
    assert (code, found["updated"]) == (0, 1)
    assert order("M1").status == "shipped"
    for wrong in ("nobody's", str(tmp_path / "none.json")):
        found, _words, code = run("import_sheet", sheet, "--mapping", wrong)
        assert (code, set(found)) == (2, {"refused", "code"})


@pytest.mark.parametrize(
    ("columns", "words", "named"),
    [
        ({"单": "colour"}, {}, "colour"),
        ({"单": "order_no", "号": "order_no"}, {}, "order_no"),
        ({"单": "order_no", " 单 ": "paid_amount"}, {}, "单"),
        ({"花了": "paid_amount"}, {}, "order_no"),
        ({}, {}, "columns"),
        ({"单": 1}, {}, "columns"),
        ({"单": "order_no"}, {"mood": {"a": "b"}}, "mood"),
        ({"单": "order_no"}, {"order_status": {"a": "b"}}, "“a”"),
        ({"单": "order_no"}, {"case_status": {"a": "applied"}}, "case_status"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_and_not_kept(desk, shop, boss, columns, words, named):
    with pytest.raises(Refused) as refused:
        mappings.save("x", shop, ORDERS, columns, by=boss, words=words)

    assert named in refused.value.message
    assert not SheetMapping.objects.exists()


def test_saving_a_mapping_again_replaces_it(desk, shop, boss):
    for columns in (COLUMNS, COLUMNS | {"备忘": "title"}):
        row = mappings.save("门店日报", shop, ORDERS, columns, by=boss)

    assert SheetMapping.objects.get() == row
    assert SheetMapping.objects.get().columns["备忘"] == "title"


@pytest.mark.parametrize(
    ("who", "where", "may"),
    [
        ("lead", "own", True),
        ("agent", "own", False),
        ("lead", "other", False),
        ("lead", "all", False),
        ("boss", "all", True),
    ],
)
def test_who_may_keep_a_mapping_and_for_which_shop(desk, shop, other, who, where, may):
    target = {"own": shop, "other": other, "all": None}[where]
    user = User.objects.get(pk=desk.house.users[who].pk)

    if may:
        mappings.save("x", target, ORDERS, COLUMNS, by=user)
    else:
        with pytest.raises(NotPermitted):
            mappings.save("x", target, ORDERS, COLUMNS, by=user)
    assert SheetMapping.objects.exists() is may


@pytest.mark.parametrize(
    ("field", "name", "said"),
    [
        ("total", "买家实际支付金额", "买家实际支付金额"),
        ("total", " 总金额 ", "known already"),
        ("colour", "颜色", "no such column"),
        ("total", " \u200b ", "1 to"),
        ("total", "x" * 121, "1 to"),
    ],
)
def test_a_name_that_means_something_else_is_refused(field, name, said):
    with pytest.raises(Refused) as refused, translation.override("en"):
        mappings.check_header("taobao", ORDERS, field, name)

    assert said in refused.value.message


def test_a_column_that_is_only_kept_so_far_may_get_a_meaning():
    mappings.check_header("taobao", ORDERS, "buyer", "买家支付宝账号")


def test_dialects_of_a_shop_take_three_queries_whatever_they_hold(
    desk, shop, boss, django_assert_num_queries
):
    for at in range(5):
        word("order_status", f"词{at}", "paid", shop=shop)
        header("total", f"名{at}", shop=shop)
        mappings.save(
            f"表{at}", shop, CASES, {"a": "order_no", "b": "kind", "c": "applied_at"}, by=boss
        )

    with django_assert_num_queries(3):
        assert len(mappings.dialects_for(shop)) == 5 + len(mappings.dialects.ALL)


def test_a_cases_sheet_that_is_to_be_of_orders_is_told_from_orders(desk):
    desk.orders(ORDER)

    with pytest.raises(Refused) as refused:
        desk.cases(CASE, kind=ORDERS)

    assert "native cases" in refused.value.message
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("headers", "choices", "said"),
    [
        (["姓名", "年龄", "城市"], {}, "--mapping"),
        (
            ["店铺代码", "订单编号", "订单行号", "数量", "实付金额", "售后类型", "申请时间"],
            {},
            "--kind",
        ),
        (["订单编号", "标题", "价格"], {}, "购买数量"),
        (["订单编号", "标题", "价格"], {"dialect": "mars"}, "mars"),
        (["订单编号", "标题", "价格"], {"kind": "mars"}, "mars"),
        (["主订单编号", "子订单编号", "选购商品"], {"kind": ORDERS}, "订单应付金额"),
    ],
)
def test_a_refusal_says_what_to_do(desk, headers, choices, said):
    with pytest.raises(Refused) as refused:
        desk.take(desk.file(headers, dict.fromkeys(headers, "1")), **choices)

    assert said in refused.value.message
    assert refused.value.code == "bad_value"


def test_naming_the_kind_answers_the_question(desk, shop):
    row = {
        "店铺代码": "shop",
        "订单编号": "Z1",
        "订单行号": "1",
        "数量": "1",
        "实付金额": "5.00",
        "售后类型": "换货",
        "申请时间": "2026-03-01 08:00:00",
    }
    sheet = desk.file(list(row), row)

    assert counts(desk.take(sheet, kind=ORDERS)) == {"created": 1}
    assert counts(desk.take(sheet, kind=CASES, dialect="native")) == {"created": 1}
