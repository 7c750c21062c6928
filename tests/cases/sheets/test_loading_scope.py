"""People import into their own shops; what lies outside is as unknown as what does not exist."""

import pytest

from cases.flow.door import Actor, NotPermitted, Refused
from cases.models import Case, Order, Shop
from tests.cases.sheets.loading_desk import CASE, ORDER, SIGNED, TAOBAO, case, counts, order

HERS = SIGNED | {"shop": "elsewhere", "order_no": "E1"}


def by(desk, name):
    return Actor.sheet(desk.house.users[name])


def told(result):
    """The reasons without the names in them."""
    return [
        message.replace("elsewhere", "…").replace("nowhere", "…")
        for _r, _c, message in result.failures
    ]


def test_a_shop_one_does_not_belong_to_is_like_one_that_does_not_exist(desk):
    result = desk.orders(HERS, ORDER | {"shop": "nowhere"}, ORDER, actor=by(desk, "lead"))

    assert counts(result) == {"created": 1, "failed": 2}
    first, second = told(result)
    assert first.replace("Row 2", "Row 3") == second
    assert Order.objects.count() == 1


def test_the_order_of_another_shop_is_not_touched_through_ones_own(desk):
    desk.orders(HERS)
    result = desk.orders(HERS | {"shop": "shop", "title": "x"}, actor=by(desk, "lead"))

    assert counts(result) == {"failed": 1}
    assert order("E1").shop.code == "elsewhere"
    assert order("E1").lines.get().title == "短袖"


@pytest.mark.parametrize("no", ["E1", "Z9"])
def test_a_case_on_another_shops_order_is_like_one_on_no_order(desk, no):
    desk.orders(HERS)
    result = desk.cases(CASE | {"order_no": no, "shop": "shop"}, actor=by(desk, "lead"))

    assert counts(result) == {"failed": 1}
    assert f"there is no order {no} in your shops" in result.failures[0][2]
    assert Case.objects.count() == 0


def test_lines_of_another_shops_order_are_not_taken(desk):
    desk.taobao(TAOBAO | {"店铺名称": "elsewhere"})
    detail = {"订单编号": TAOBAO["订单编号"], "标题": "甲", "价格": "1", "购买数量": "1"}

    assert counts(desk.details(detail, actor=by(desk, "lead"))) == {"failed": 1}


def test_a_shop_named_outside_ones_own_is_refused_like_an_unknown_one(desk):
    said = []
    for code in ("elsewhere", "nowhere"):
        with pytest.raises(Refused) as refusal:
            desk.taobao(TAOBAO, shop=code, actor=by(desk, "lead"))
        said.append((refusal.value.code, refusal.value.message.replace(code, "…")))
    assert said[0] == said[1]


def test_the_named_shop_beats_the_sheets(desk):
    desk.taobao(TAOBAO | {"店铺名称": "nowhere"}, shop="shop")
    assert order(TAOBAO["订单编号"]).shop.code == "shop"


def test_a_shops_name_in_a_sheet_finds_it(desk):
    Shop.objects.filter(code="shop").update(name="某某旗舰店")
    desk.taobao(TAOBAO | {"店铺名称": "某某旗舰店"})
    assert order(TAOBAO["订单编号"]).shop.code == "shop"


def test_a_sheet_that_names_no_shop_needs_one(desk):
    result = desk.taobao(TAOBAO | {"店铺名称": ""})
    assert counts(result) == {"failed": 1}
    assert "name the shop" in result.failures[0][2]


def test_only_the_command_makes_unknown_shops_and_says_so(desk):
    row = ORDER | {"shop": "fresh", "platform": "jd"}
    assert counts(desk.orders(row)) == {"failed": 1}

    result = desk.orders(row, ORDER | {"shop": "fresh", "order_no": "A2"}, may_create_shop=True)

    assert result.created == 1
    assert Shop.objects.get(code="fresh").platform == "jd"
    assert len([text for text in result.warnings if "fresh" in text]) == 1


def test_a_trial_run_leaves_no_shop_behind(desk):
    desk.orders(ORDER | {"shop": "fresh"}, may_create_shop=True, dry_run=True)
    assert not Shop.objects.filter(code="fresh").exists()


def test_who_may_not_import_is_refused(desk):
    with pytest.raises(NotPermitted):
        desk.orders(ORDER, actor=by(desk, "warehouse"))
    assert Order.objects.count() == 0


def test_a_persons_rights_count_for_the_steps_of_his_sheet(desk):
    """An agent may withdraw, and the platform's own outcome is the lead's to record."""
    desk.orders(SIGNED)
    desk.cases(CASE)
    result = desk.cases(
        CASE | {"state": "completed", "platform_case_no": "P1"}, actor=by(desk, "agent")
    )

    assert result.failures[0][1] == "not_permitted"
    assert case().state == "applied"
    assert counts(desk.cases(CASE | {"state": "closed"}, actor=by(desk, "agent"))) == {"updated": 1}
