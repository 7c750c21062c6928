"""Dated terms: seeded once, never overlapping, never edited; a change touches nothing paid."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from cases.auditing import audit
from cases.flow import clock
from cases.seeding import seed
from promises import verbs
from promises.models import Limit, Term, TermBook
from promises.models.triggers import install
from promises.terms import Code
from tests.factories import DAY, T0, ShopFactory
from tests.promises.counter import Counter, refusal

pytestmark = pytest.mark.django_db


def test_the_seed_makes_terms_for_every_promise_once_and_leaves_staffs_alone():
    made = seed()
    assert (made["terms"], made["claim_limits"]) == (7, 5)
    Term.objects.filter(promise="quality").update(valid_to=T0)
    Limit.objects.filter(of="filed").update(hours=24)

    again = seed()

    assert (again["terms"], again["claim_limits"]) == (0, 0)
    assert Term.objects.get(promise="quality").valid_to == T0
    assert Limit.objects.get(of="filed").hours == 24
    assert set(Term.objects.values_list("promise", flat=True)) == set(Code.values)


def test_the_shops_row_beats_the_platforms_and_that_everybodys():
    shop, other = ShopFactory(platform="jd"), ShopFactory(platform="taobao")
    rows = {
        "all": Term.objects.create(promise="quality"),
        "jd": Term.objects.create(promise="quality", platform="jd"),
        "shop": Term.objects.create(promise="quality", shop=shop, valid_to=T0),
    }
    book = TermBook.load(["quality"])

    assert book.pick("quality", shop, T0 - timedelta(seconds=1)) == rows["shop"]
    assert book.pick("quality", shop, T0) == rows["jd"]
    assert book.pick("quality", other, T0) == rows["all"]
    assert book.pick("fake_triple", other, T0) is None


#: (from, to) of a row that stands, of another one, and whether they may stand side by side.
SPANS = [
    ((None, None), (None, None), False),
    ((None, None), (0, 1), False),
    ((None, 0), (0, None), True),
    ((0, None), (None, 0), True),
    ((None, 1), (0, None), False),
    ((0, 2), (2, 4), True),
    ((2, 4), (0, 2), True),
    ((0, 2), (1, 3), False),
    ((0, 4), (1, 2), False),
    ((1, 2), (0, 4), False),
    ((0, None), (5, None), False),
    ((None, 5), (None, 0), False),
]


def span(days):
    names = ("valid_from", "valid_to")
    return {n: None if d is None else T0 + d * DAY for n, d in zip(names, days, strict=True)}


@pytest.mark.parametrize("place", ["all", "platform", "shop"])
@pytest.mark.parametrize(("first", "second", "fits"), SPANS)
def test_terms_of_one_place_do_not_overlap(first, second, fits, place):
    where = {"all": {}, "platform": {"platform": "jd"}, "shop": {"shop": ShopFactory()}}[place]
    Term.objects.create(promise="quality", **where, **span(first))
    row = Term(promise="quality", **where, **span(second))

    if fits:
        row.full_clean()
        row.save()
    else:
        with pytest.raises(ValidationError):
            row.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()
    assert [v for v in audit(T0).violations if v["what"] == "terms_overlap"] == []
    Term.objects.create(promise="fake_triple", **where)  # another promise is another matter


def test_a_row_is_not_stretched_over_its_neighbour():
    first = Term.objects.create(promise="quality", valid_to=T0)
    Term.objects.create(promise="quality", valid_from=T0)

    with pytest.raises(IntegrityError), transaction.atomic():
        Term.objects.filter(pk=first.pk).update(valid_to=T0 + DAY)
    Term.objects.filter(pk=first.pk).update(valid_to=T0 - DAY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"floor": Decimal("2.00"), "cap": Decimal("1.00")},
        {"rate": Decimal("-0.01")},
        {"multiplier": Decimal(-1)},
        {"fixed": Decimal("-0.01")},
        {"floor": Decimal("-1.00")},
        {"cap": Decimal("-1.00")},
        {"minimum_extra": Decimal("-1.00")},
        {"rate": Decimal(5), "fixed": Decimal("5.00")},
        {"valid_from": T0, "valid_to": T0},
    ],
)
def test_terms_that_contradict_themselves_are_refused_by_form_and_database(wrong):
    row = Term(promise="quality", **wrong)

    with pytest.raises(ValidationError):
        row.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
    assert Term.objects.count() == 0


@pytest.mark.parametrize("change", [{"rate": Decimal(9)}, {"valid_from": T0}, {"offer": "none"}])
def test_what_was_in_force_is_not_edited(change):
    row = Term.objects.create(promise="ship_on_time", rate=5)

    with pytest.raises(IntegrityError), transaction.atomic():
        Term.objects.filter(pk=row.pk).update(**change)
    Term.objects.filter(pk=row.pk).update(valid_to=T0, source="平台公告")


def test_the_triggers_stand_again_after_a_migration_remade_the_table():
    for _ in range(2):
        install(connection)
    Term.objects.create(promise="quality")
    with pytest.raises(IntegrityError), transaction.atomic():
        Term.objects.create(promise="quality")


def test_a_change_is_a_new_row_and_touches_nothing_that_was_paid():
    counter = Counter()
    order = counter.sold()
    claim = counter.file(order)
    term = Term.objects.get(promise="ship_on_time")
    begins = counter.now + DAY

    seen = verbs.touched(term)
    with clock.standing_at(counter.now):
        fresh = verbs.change_terms(
            counter.house.actor("supervisor"), term, valid_from=begins, rate=Decimal(8)
        )

    assert ([c.pk for c in seen.claims], seen.orders) == ([claim.pk], 1)
    old = Term.objects.get(pk=term.pk)
    assert (old.rate, old.valid_to, fresh.rate, fresh.valid_from) == (5, begins, 8, begins)
    same = type(claim).objects.get(pk=claim.pk)
    assert (same.term_id, same.amount, same.version) == (term.pk, claim.amount, claim.version)
    paid_later = counter.sold(
        paid_at=begins, shipped_at=begins + 4 * DAY, signed_at=begins + 5 * DAY
    )
    assert str(counter.file(paid_later, at=begins + 6 * DAY).amount) == "8.00"


def test_terms_are_changed_by_supervisors_for_times_to_come():
    counter = Counter()
    term = Term.objects.get(promise="ship_on_time")

    def change(who="supervisor", at=T0 + DAY, **values):
        with clock.standing_at(T0):
            return verbs.change_terms(counter.house.actor(who), term, valid_from=at, **values)

    assert refusal(change, at=T0).code == "bad_value"
    assert refusal(change, "lead").code == "not_permitted"
    with pytest.raises(ValidationError):
        change(floor=Decimal("31.00"))
    assert Term.objects.get(pk=term.pk).valid_to is None
    change()
    assert refusal(change, at=T0 + 2 * DAY).code == "bad_value"


def test_a_shop_may_offer_a_promise_on_every_line_or_on_none():
    counter = Counter()
    order = counter.sold(promises="")
    assert refusal(counter.file, order).code == "not_eligible"
    Term.objects.create(promise="ship_on_time", shop=counter.shop, offer="all", rate=5, hours=48)
    assert str(counter.file(order).amount) == "5.00"
    Term.objects.create(promise="quality", shop=counter.shop, offer="none")
    assert refusal(counter.file, counter.sold(promises="quality"), "quality").code == "not_eligible"
