"""The deposit's ledger: two sides, once per key, never below zero, and nothing edited."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from cases.auditing import audit
from cases.flow import writing
from cases.models.money import yuan
from promises import ledger, verbs
from promises.models import Claim, Deposit, Entry
from promises.models.deposit import ACCOUNTS
from tests.factories import T0
from tests.promises.counter import Counter, books_are_clean, refusal, written

pytestmark = pytest.mark.django_db


@pytest.fixture
def counter() -> Counter:
    return Counter()


def found(at=T0) -> set[str]:
    return {violation["what"] for violation in audit(at).violations}


def lift_the_trigger(table: str, act: str) -> None:
    with connection.cursor() as cursor:
        on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
        cursor.execute(f'DROP TRIGGER "{table}_no_{act}"{on}')


def test_money_comes_in_and_goes_out_by_finance_only(counter):
    counter.pay_in("100.00")
    counter.take_out("40.00", "supervisor")

    assert counter.accounts == ("60.00", "0.00", "0.00", "0.00")
    for who in ("agent", "lead", "warehouse", "auditor"):
        before = written()
        assert refusal(counter.pay_in, "1.00", who).code == "not_permitted"
        assert refusal(counter.take_out, "1.00", who).code == "not_permitted"
        assert written() == before
    assert refusal(counter.pay_in, "1.00", "outsider").code == "not_in_your_shop"
    assert refusal(counter.pay_in, "1.00", "clock").code == "not_permitted"


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "0.001"])
def test_amounts_that_are_none_negative_or_over_precise_are_refused(counter, amount):
    assert refusal(counter.pay_in, amount).code == "bad_value"
    assert refusal(counter.take_out, amount).code == "bad_value"
    assert Entry.objects.count() == 0


def test_what_is_required_or_frozen_stays_in_the_deposit(counter):
    counter.pay_in("100.00")
    verbs.require(counter.house.actor("finance"), counter.shop, amount=Decimal("50.00"))
    counter.handed_over(counter.sold())  # freezes ¥5.00 of it

    refused = refusal(counter.take_out, "45.01")
    assert refused.code == "insufficient_deposit"
    assert refused.detail["limit"] == "45.00"
    counter.take_out("45.00")
    assert refusal(counter.take_out, "0.01").code == "insufficient_deposit"
    assert counter.accounts == ("50.00", "5.00", "0.00", "0.00")


def test_while_something_is_owed_nothing_is_taken_out(counter):
    counter.act(counter.file(counter.sold()), "accept")
    assert refusal(counter.take_out, "0.01").code == "insufficient_deposit"


def test_the_statement_explains_every_cent_of_a_claim(counter):
    counter.pay_in("3.00")
    claim = counter.handed_over(counter.sold())
    counter.act(claim, "uphold")
    counter.pay_in("10.00")

    rows = [
        (e.kind, *(str(getattr(e, f"{n}_after")) for n in ACCOUNTS), e.key)
        for e in Entry.objects.order_by("seq")
    ]

    no = claim.claim_no
    assert rows == [
        ("top_up", "3.00", "0.00", "0.00", "0.00", "shop/top_up/1"),
        ("freeze", "0.00", "3.00", "0.00", "0.00", f"{no}/freeze"),
        ("pay", "0.00", "0.00", "3.00", "2.00", f"{no}/pay"),
        ("top_up", "10.00", "0.00", "3.00", "2.00", "shop/top_up/4"),
        ("settle", "8.00", "0.00", "5.00", "0.00", f"{no}/settle/5"),
    ]
    sums = Entry.objects.aggregate(**{n: Sum(f"to_{n}") for n in ACCOUNTS}, all=Sum("from_shop"))
    assert [str(sums[n]) for n in ACCOUNTS] == list(counter.accounts)
    assert sums["all"] == Decimal("13.00")


def test_a_key_moves_money_once_and_is_not_taken_for_another_act(counter):
    counter.pay_in("10.00", key="bank-1")
    counter.pay_in("10.00", key="bank-1")

    assert counter.accounts[0] == "10.00"
    assert Entry.objects.count() == 1
    assert refusal(counter.pay_in, "11.00", key="bank-1").code == "key_reused"
    assert refusal(counter.take_out, "10.00", key="bank-1").code == "key_reused"
    counter.take_out("10.00", key="bank-2")
    counter.take_out("10.00", key="bank-2")  # though nothing is left to take out
    assert counter.accounts[0] == "0.00"


def test_the_same_effect_is_not_written_twice_whoever_asks(counter):
    counter.pay_in("10.00")
    book = ledger.lock([counter.shop.pk])
    deposit = book.deposits[counter.shop.pk]
    movement = ledger.freeze(deposit, Decimal("1.00"), key="C1/freeze", at=T0)
    ledger.post([movement])

    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.post([movement])
    assert counter.accounts == ("9.00", "1.00", "0.00", "0.00")


def test_a_stale_deposit_posts_nothing(counter):
    counter.pay_in("10.00")
    first, second = (ledger.lock([counter.shop.pk]).deposits[counter.shop.pk] for _ in range(2))
    ledger.post([ledger.freeze(first, Decimal("10.00"), key="a", at=T0)])

    with pytest.raises((writing.Stale, IntegrityError)), transaction.atomic():
        ledger.post([ledger.freeze(second, Decimal("10.00"), key="b", at=T0)])
    assert counter.accounts == ("0.00", "10.00", "0.00", "0.00")


@pytest.mark.parametrize("account", ACCOUNTS)
def test_the_database_itself_lets_no_account_fall_below_zero(counter, account):
    counter.pay_in("10.00")
    with pytest.raises(IntegrityError), transaction.atomic():
        Deposit.objects.update(**{account: yuan("-0.01")})


def test_the_database_itself_wants_two_sides(counter):
    counter.pay_in("10.00")
    deposit = Deposit.objects.get()
    odd = Entry(
        deposit=deposit, seq=2, at=T0, kind="pay", amount=1, to_available=Decimal("-1.00"),
        available_after=9, frozen_after=0, paid_after=0, owed_after=0, key="odd",
        digest="", prev=deposit.head, hash="x",
    )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        odd.save()


@pytest.mark.parametrize(
    "statement", ["UPDATE promises_entry SET amount = 1", "DELETE FROM promises_entry"]
)
def test_entries_are_neither_edited_nor_deleted(counter, statement):
    counter.pay_in("10.00")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert books_are_clean(counter.now)


def test_the_audit_sees_a_changed_entry_a_missing_one_and_a_changed_balance(counter):
    counter.pay_in("10.00")
    counter.take_out("4.00")
    assert found() == set()

    Deposit.objects.update(available=yuan("7.00"))
    assert found() == {"balance_not_summed"}
    Deposit.objects.update(available=yuan("6.00"))
    lift_the_trigger("promises_entry", "update")
    Entry.objects.filter(seq=2).update(reference="anders")
    assert found() == {"entry_changed", "trigger_missing"}
    Entry.objects.filter(seq=2).update(reference="W1")
    lift_the_trigger("promises_entry", "delete")
    Entry.objects.filter(seq=2).delete()
    assert found() == {"balance_not_summed", "ledger_cut", "trigger_missing"}


def test_the_audit_sees_a_claim_that_its_entries_do_not_explain(counter):
    counter.pay_in("10.00")
    claim = counter.act(counter.file(counter.sold()), "accept")
    assert found(counter.now) == set()

    Claim.objects.filter(pk=claim.pk).update(paid=yuan("4.00"))

    assert found(counter.now) == {"claim_not_in_ledger", "claim_amounts_wrong"}


def test_a_batch_is_posted_in_a_constant_number_of_statements(
    counter, django_assert_max_num_queries
):
    from cases.flow.door import perform_many  # noqa: PLC0415

    counter.pay_in("1000.00")
    few, many = ([counter.file(counter.sold()).pk for _ in range(n)] for n in (2, 12))
    lead, at = counter.house.actor("lead2"), counter.tick()
    with django_assert_max_num_queries(100) as first:
        perform_many(lead, Claim, few, "accept", at=at)
    with django_assert_max_num_queries(len(first.captured_queries)):
        report = perform_many(lead, Claim, many, "accept", at=at)

    assert (len(report.done), report.refused) == (12, [])
    assert counter.accounts == ("930.00", "0.00", "70.00", "0.00")
    assert books_are_clean(counter.now)


def test_of_a_batch_the_later_claims_see_what_the_earlier_spent(counter):
    from cases.flow.door import perform_many  # noqa: PLC0415

    counter.pay_in("12.00")
    pks = [counter.file(counter.sold()).pk for _ in range(4)]
    perform_many(counter.house.actor("lead2"), Claim, pks, "accept", at=counter.tick())

    states = [(c.state, str(c.paid)) for c in Claim.objects.order_by("pk")]
    assert states == [("paid", "5.00"), ("paid", "5.00"), ("owed", "2.00"), ("owed", "0.00")]
    assert counter.accounts == ("0.00", "0.00", "12.00", "8.00")
    assert books_are_clean(counter.now)
