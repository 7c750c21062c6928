"""The demo: sheets made the same again, and a house full of real work after loading them."""

import hashlib
from datetime import datetime
from decimal import Decimal

import pytest

from cases.sheets.dialects import recognise
from cases.sheets.reader import open_sheet
from config.demo.generator import generate
from config.demo.plan import WISHES
from config.demo.world import ZONE, make_world

MOMENT = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_same_seed_and_moment_give_the_same_bytes(tmp_path):
    generate(tmp_path / "one", MOMENT)
    generate(tmp_path / "two", MOMENT)

    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert len(digests(tmp_path / "one")) == 7


def test_another_seed_gives_other_orders(tmp_path):
    generate(tmp_path / "one", MOMENT, seed=1)
    generate(tmp_path / "two", MOMENT, seed=2)

    one, two = digests(tmp_path / "one"), digests(tmp_path / "two")
    assert all(one[name] != two[name] for name in one)


def test_every_sheet_is_recognised_as_what_it_is(tmp_path):
    _, files = generate(tmp_path, MOMENT)

    for file in files:
        with open_sheet(file.path) as table:
            found = recognise(table.headers)
            assert (found.dialect.code, found.dialect.kind) == (file.dialect, file.kind)
            assert not found.missing
            assert not found.unknown


def test_the_invented_money_adds_up_to_the_cent():
    world = make_world(MOMENT, 1)

    for order in world.orders:
        for line in order.lines:
            assert line.paid == line.goods.price * line.quantity - line.discount
        assert order.total == sum((line.paid for line in order.lines), order.freight)
        assert Decimal(0) <= order.refunded <= order.total
        if not order.paid_at:
            assert order.refunded == 0
    for case in world.cases:
        assert case.amount <= case.line.paid


@pytest.mark.parametrize("seed", range(8))
def test_no_order_lives_backwards_or_in_the_future(seed):
    world = make_world(MOMENT, seed)

    for order in world.orders:
        times = [
            order.ordered_at,
            order.paid_at,
            order.shipped_at,
            order.signed_at,
            order.finished_at,
        ]
        known = [moment for moment in times if moment]
        assert known == sorted(known)
        assert known[-1] <= MOMENT
    for case in world.cases:
        assert case.order.paid_at <= case.applied_at < MOMENT
        assert case.ended_at is None or case.applied_at < case.ended_at < MOMENT


def test_the_invented_numbers_are_all_different():
    world = make_world(MOMENT, 1)

    assert len({order.order_no for order in world.orders}) == len(world.orders) == 300
    assert len({case.case_no for case in world.cases}) == len(WISHES)


def test_no_invented_phone_can_ring():
    world = make_world(MOMENT, 1)

    assert all(order.buyer.phone.startswith("1990000") for order in world.orders)
    assert all(len(order.buyer.phone) == 11 for order in world.orders)
