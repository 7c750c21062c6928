"""Two people import at the same moment; each order is there once, and nobody's row is lost."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction

from cases.flow.door import Actor
from cases.models import Order, OrderLine
from cases.sheets.loading import import_file
from cases.sheets.loading.orders import OrderLoader
from cases.sheets.loading.shopfinder import ShopFinder
from tests.cases.sheets.files.makers import NATIVE_ORDERS, csv_file, rows_of
from tests.cases.sheets.loading_desk import ORDER
from tests.factories import ShopFactory

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def together(*works: Callable[[], object]) -> None:
    """Each in a thread and a connection of its own, started at one moment."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        try:
            barrier.wait(10)
            work()
        finally:
            connection.close()

    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


@pytest.fixture
def sheet(tmp_path):
    ShopFactory(code="shop", platform="taobao")
    rows = rows_of(NATIVE_ORDERS, *[ORDER | {"order_no": f"R{n}"} for n in range(600)])
    return csv_file(tmp_path / "same.csv", [NATIVE_ORDERS, *rows])


def test_the_same_new_orders_from_two_people_are_made_once(sheet):
    results = []
    work = lambda: results.append(import_file(sheet, actor=Actor.sheet()))  # noqa: E731
    together(work, work)

    assert sorted((r.created, r.unchanged) for r in results) == [(0, 600), (600, 0)]
    assert Order.objects.count() == OrderLine.objects.count() == 600


def test_without_a_second_look_the_later_one_would_fail(sheet):
    """The control: the same chunk written at once by two, with nobody to look again."""
    from cases.sheets.dialects import read_facts, recognise  # noqa: PLC0415 - only here
    from cases.sheets.reader import open_sheet  # noqa: PLC0415

    with open_sheet(sheet) as table:
        facts = list(read_facts(table, recognise(table.headers)))
    problems: list[Exception] = []
    both_have_read = Barrier(2)

    class Slow(OrderLoader):
        def stamp(self, told):
            if told is facts[0]:
                both_have_read.wait(10)
            return super().stamp(told)

    def work() -> None:
        loader = Slow(ShopFinder(None, None, None, may_create=False), frozenset(), "native")
        try:
            with transaction.atomic():
                loader.take(facts)
        except IntegrityError as error:
            problems.append(error)

    together(work, work)
    assert len(problems) == 1
