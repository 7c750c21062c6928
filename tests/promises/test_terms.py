"""The seven promises around every boundary: floor, cap, half a cent, first and last second.

Expected amounts are worked out in whole fen by integers, not by the code under test; expected
moments are written down. The values of domain.md 3 come first.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promises.terms import (
    Code,
    Counted,
    Facts,
    Missing,
    NotEligible,
    Side,
    Since,
    Terms,
    compensation,
    eligibility,
    end_of,
    shipping_deadline,
)

ZONE = ZoneInfo("Asia/Shanghai")
SECOND = timedelta(seconds=1)
PAID_AT = datetime(2026, 3, 1, 15, 20, tzinfo=ZONE)
SIGNED_AT = datetime(2026, 3, 4, 15, 20, tzinfo=ZONE)
FINISHED_AT = datetime(2026, 3, 14, 8, 0, 30, tzinfo=ZONE)

SHIP = Terms(
    Code.SHIP_ON_TIME,
    rate=Decimal(5),
    floor=Decimal("1.00"),
    cap=Decimal("30.00"),
    hours=48,
    window=15,
    since=Since.FINISHED,
    counted=Counted.DAYS,
)
ARRIVE = Terms(Code.ARRIVE_ON_TIME, window=15, since=Since.FINISHED, counted=Counted.DAYS)
COURIER = Terms(Code.NAMED_COURIER, window=15, since=Since.FINISHED, counted=Counted.DAYS)
FAKE = Terms(Code.FAKE_TRIPLE, multiplier=Decimal(2), window=15)
QUALITY = Terms(Code.QUALITY)
RETURN = Terms(Code.FREE_RETURN, window=7)
DAMAGE = Terms(Code.DAMAGE_RESEND, window=7)


def yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def facts(paid: str | Decimal | None = "100.00", **more) -> Facts:
    given = {"paid_at": PAID_AT, **more}
    return Facts(None if paid is None else Decimal(paid), **given)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def owed(terms: Terms, known: Facts) -> Decimal:
    return compensation(terms, known).result


def is_eligible(terms: Terms, known: Facts, moment: datetime) -> bool:
    try:
        eligibility(terms, known, moment)
    except NotEligible:
        return False
    return True


# Amounts


@pytest.mark.parametrize(
    ("paid", "amount", "clamp"),
    [
        ("12.00", "1.00", "floor"),
        ("20.10", "1.01", ""),
        ("100.00", "5.00", ""),
        ("333.33", "16.67", ""),
        ("599.80", "29.99", ""),
        ("599.99", "30.00", ""),
        ("5000.00", "30.00", "cap"),
    ],
)
def test_the_values_of_the_trade_for_five_percent(paid, amount, clamp):
    working = compensation(SHIP, facts(paid))

    assert (working.result, working.clamp) == (Decimal(amount), clamp)


def test_three_times_the_price_is_the_price_and_twice_the_price():
    working = compensation(FAKE, facts("333.33"))

    assert working.parts == (("refund", Decimal("333.33")), ("compensation", Decimal("666.66")))
    assert working.result == Decimal("999.99")


#: Around the floor (¥20.00), the cap (¥600.00) and every half cent between ¥20.10 and ¥24.50.
AROUND = [
    *(f for edge in (1, 1999, 2000, 2009, 2010, 59989, 59990, 60000, 60009, 60010, 999999999)
      for f in (edge, edge + 1)),
    *range(2010, 2450, 20),
    *range(2009, 2449, 20),
]  # fmt: skip


@pytest.mark.parametrize("fen", AROUND)
@pytest.mark.parametrize("terms", [SHIP, ARRIVE, COURIER], ids=lambda t: t.promise)
def test_a_rate_is_rounded_half_up_and_clamped_afterwards(terms, fen):
    ruled = Terms(terms.promise, rate=Decimal(5), floor=Decimal("1.00"), cap=Decimal("30.00"))

    working = compensation(ruled, facts(yuan(fen)))

    rounded = (fen * 5 + 50) // 100
    assert working.rounded == yuan(rounded)
    assert working.result == yuan(min(max(rounded, 100), 3000))
    assert working.clamp == ("floor" if rounded < 100 else "cap" if rounded > 3000 else "")
    assert working.raw == Decimal(fen * 5).scaleb(-4)


@pytest.mark.parametrize(
    "fen", [*range(1, 41), *range(33330, 33345), 99, 100, 101, 25000, 99999999]
)
@pytest.mark.parametrize("least", [None, "500.00"])
def test_a_fake_costs_price_multiple_and_the_least_extra(fen, least):
    terms = Terms(
        Code.FAKE_TRIPLE,
        multiplier=Decimal(2),
        minimum_extra=None if least is None else Decimal(least),
    )

    working = compensation(terms, facts(yuan(fen)))

    extra = max(2 * fen, 50000 if least else 0)
    assert working.result == yuan(fen + extra)
    assert working.clamp == ("floor" if extra > 2 * fen else "")


@pytest.mark.parametrize("percent", ["0", "0.5", "1", "10", "33.33", "100"])
@pytest.mark.parametrize("fen", [1, 49, 50, 51, 99, 100, 101, 150, 250, 333, 33333, 9999999])
def test_quality_is_the_price_and_the_agreed_share_of_it(percent, fen):
    terms = Terms(Code.QUALITY, rate=Decimal(percent))

    share = (fen * int(Decimal(percent) * 100) + 5000) // 10000
    assert owed(terms, facts(yuan(fen))) == yuan(fen + share)


@pytest.mark.parametrize(
    ("given", "amount"),
    [(None, "100.00"), ("100.00", "100.00"), ("100.01", "100.01"), ("120", "120")],
)
def test_quality_without_a_rate_is_the_price_and_what_was_agreed(given, amount):
    known = facts("100.00", given=None if given is None else Decimal(given))

    assert owed(QUALITY, known) == Decimal(amount)


@pytest.mark.parametrize("side", Side.values)
@pytest.mark.parametrize("shipped_free", [False, True])
@pytest.mark.parametrize("out", [None, "0.00", "0.01", "8.00"])
@pytest.mark.parametrize("back", [None, "0.00", "12.34", "9999.99"])
@pytest.mark.parametrize("terms", [RETURN, DAMAGE, FAKE], ids=lambda t: t.promise)
def test_both_ways_of_freight_follow_the_agreed_side(terms, side, shipped_free, out, back):
    ruled = Terms(terms.promise, freight_side=side)
    known = facts(
        "50.00",
        shipped_free=shipped_free,
        freight_out=None if out is None else Decimal(out),
        freight_back=None if back is None else Decimal(back),
    )

    bears = side == Side.SELLER or terms is FAKE  # for a fake the seller bears all logistics
    first = Decimal(0) if shipped_free or not bears else Decimal(out or 0)
    second = Decimal(back or 0) if bears else Decimal(0)
    goods = {"free_return": 50, "damage_resend": 0, "fake_triple": 150}[terms.promise]
    assert owed(ruled, known) == goods + first + second


@pytest.mark.parametrize(
    ("earlier", "amount", "remedy"), [(0, "0.00", "resend"), (1, "50.00", "return")]
)
def test_what_breaks_once_is_sent_again_and_what_breaks_twice_is_refunded(earlier, amount, remedy):
    known = facts("50.00", signed_at=SIGNED_AT, earlier=earlier)

    assert owed(DAMAGE, known) == Decimal(amount)
    assert eligibility(DAMAGE, known, SIGNED_AT).remedy == remedy


def test_a_third_time_nothing_is_sent():
    with pytest.raises(NotEligible):
        eligibility(DAMAGE, facts(signed_at=SIGNED_AT, earlier=2), SIGNED_AT)


@pytest.mark.parametrize("terms", [ARRIVE, COURIER], ids=lambda t: t.promise)
def test_without_a_rule_the_amount_is_what_somebody_enters(terms):
    assert owed(terms, facts(given=Decimal("7.50"))) == Decimal("7.50")
    with pytest.raises(Missing) as missing:
        compensation(terms, facts())
    assert missing.value.fact == "amount"


@pytest.mark.parametrize("terms", [ARRIVE, COURIER], ids=lambda t: t.promise)
def test_a_set_amount_needs_no_entry_and_takes_none(terms):
    fixed = Terms(terms.promise, fixed=Decimal("8.00"))

    assert owed(fixed, facts()) == Decimal("8.00")
    with pytest.raises(NotEligible) as refusal:
        compensation(fixed, facts(given=Decimal("9.00")))
    assert refusal.value.code == "bad_value"


@pytest.mark.parametrize("amount", ["-0.01", "-1.00", "1.001"])
@pytest.mark.parametrize("name", ["given", "freight_out", "freight_back"])
def test_negative_and_over_precise_amounts_are_refused(name, amount):
    with pytest.raises(NotEligible) as refusal:
        compensation(ARRIVE, facts(**{name: Decimal(amount)}))
    assert refusal.value.code == "bad_value"


@pytest.mark.parametrize("code", Code.values)
@pytest.mark.parametrize(("paid", "paid_at"), [(None, PAID_AT), ("100.00", None), (None, None)])
def test_without_a_payment_there_is_no_amount_and_no_answer(code, paid, paid_at):
    terms = Terms(code, rate=Decimal(5), floor=Decimal("1.00"), hours=48)
    known = facts(paid, paid_at=paid_at, signed_at=SIGNED_AT)

    with pytest.raises(Missing) as missing:
        compensation(terms, known)
    assert missing.value.fact == "payment"
    with pytest.raises(Missing):
        eligibility(terms, known, SIGNED_AT)


def test_of_what_cost_nothing_no_floor_is_invented():
    with pytest.raises(Missing):
        compensation(SHIP, facts("0.00"))


# Time


DEADLINE = PAID_AT + timedelta(hours=48)


@pytest.mark.parametrize("off", [*range(-30, 31), -86400, 86400])
def test_shipped_at_the_deadline_is_in_time_and_a_second_later_is_not(off):
    known = facts(shipped_at=DEADLINE + off * SECOND)

    assert is_eligible(SHIP, known, DEADLINE + timedelta(days=3)) == (off > 0)


@pytest.mark.parametrize("off", range(-30, 31))
def test_not_shipped_yet_it_is_late_from_the_second_after_the_deadline(off):
    assert is_eligible(SHIP, facts(), DEADLINE + off * SECOND) == (off > 0)


@pytest.mark.parametrize("off", range(-5, 6))
def test_the_lines_own_deadline_beats_payment_and_hours(off):
    own = DEADLINE + timedelta(days=1)
    known = facts(ship_by=own, shipped_at=own + off * SECOND)

    assert shipping_deadline(SHIP, known) == own
    assert is_eligible(SHIP, known, own + timedelta(days=9)) == (off > 0)


@pytest.mark.parametrize("off", range(-30, 31))
def test_late_arrival_counts_from_the_second_after_the_promised_time(off):
    promised = at("2026-03-03T18:00:00")
    signed = facts(promised_arrival=promised, signed_at=promised + off * SECOND)
    waiting = facts(promised_arrival=promised)

    assert is_eligible(ARRIVE, signed, promised + timedelta(days=1)) == (off > 0)
    assert is_eligible(ARRIVE, waiting, promised + off * SECOND) == (off > 0)


LATE = {
    "ship_on_time": {"shipped_at": DEADLINE + SECOND},
    "arrive_on_time": {"promised_arrival": PAID_AT, "signed_at": SIGNED_AT},
    "named_courier": {"named_courier": "SF", "courier": "YTO", "shipped_at": SIGNED_AT},
}


@pytest.mark.parametrize("off", range(-30, 31))
@pytest.mark.parametrize("terms", [SHIP, ARRIVE, COURIER], ids=lambda t: t.promise)
def test_it_can_be_claimed_for_fifteen_days_after_the_order_finished(terms, off):
    """15 times 24 hours: the last second is one before."""
    known = facts(finished_at=FINISHED_AT, **LATE[terms.promise])
    over = at("2026-03-29T08:00:30")

    assert end_of(terms, known) == over
    assert is_eligible(terms, known, over + off * SECOND) == (off < 0)


@pytest.mark.parametrize("terms", [SHIP, ARRIVE, COURIER], ids=lambda t: t.promise)
def test_while_the_order_is_not_finished_there_is_no_end(terms):
    assert is_eligible(terms, facts(**LATE[terms.promise]), at("2027-01-01T00:00:00"))


@pytest.mark.parametrize("off", range(-30, 31))
@pytest.mark.parametrize(
    ("terms", "over"),
    [
        (FAKE, "2026-03-20T00:00:00"),
        (RETURN, "2026-03-12T00:00:00"),
        (DAMAGE, "2026-03-12T00:00:00"),
    ],
    ids=["fake_triple", "free_return", "damage_resend"],
)
def test_whole_days_count_from_the_day_after_signature_in_the_shops_zone(terms, over, off):
    known = facts(signed_at=SIGNED_AT)

    assert is_eligible(terms, known, at(over) + off * SECOND) == (off < 0)
    assert is_eligible(terms, known, SIGNED_AT + off * SECOND) == (off >= 0)


@pytest.mark.parametrize(
    ("signed", "over"),
    [
        ("2026-03-01T00:00:00", "2026-03-09T00:00:00"),
        ("2026-03-01T15:20:00", "2026-03-09T00:00:00"),
        ("2026-03-01T23:59:59", "2026-03-09T00:00:00"),
        ("2026-03-02T00:00:00", "2026-03-10T00:00:00"),
        ("2026-12-28T12:00:00", "2027-01-05T00:00:00"),
        ("2028-02-22T12:00:00", "2028-03-01T00:00:00"),
    ],
)
def test_seven_whole_days(signed, over):
    assert end_of(RETURN, facts(signed_at=at(signed))) == at(over)


def test_another_zone_has_other_midnights():
    signed = at("2026-03-01T02:00:00")  # still 28 February in Berlin
    berlin = ZoneInfo("Europe/Berlin")

    known = facts(signed_at=signed, zone=berlin)

    assert end_of(RETURN, known) == datetime(2026, 3, 8, tzinfo=berlin)


@pytest.mark.parametrize("off", range(-30, 31))
def test_hours_are_counted_to_the_second(off):
    terms = Terms(Code.DAMAGE_RESEND, window=48, counted=Counted.HOURS)
    known = facts(signed_at=SIGNED_AT)

    assert is_eligible(terms, known, at("2026-03-06T15:20:00") + off * SECOND) == (off < 0)


@pytest.mark.parametrize("off", range(-30, 31))
def test_quality_is_claimed_before_the_buyer_confirms(off):
    known = facts(signed_at=SIGNED_AT, finished_at=FINISHED_AT)

    assert is_eligible(QUALITY, known, FINISHED_AT + off * SECOND) == (off < 0)
    assert is_eligible(QUALITY, known, SIGNED_AT + off * SECOND) == (off >= 0)
    assert is_eligible(QUALITY, facts(signed_at=SIGNED_AT), FINISHED_AT + off * SECOND)


@pytest.mark.parametrize(
    ("named", "sent", "broken"),
    [("SF", "SF", False), ("SF", " sf ", False), ("顺丰", "顺丰", False), ("顺丰", "圆通", True)],
)
def test_another_courier_than_the_named_one_breaks_the_promise(named, sent, broken):
    known = facts(named_courier=named, courier=sent, shipped_at=SIGNED_AT)

    assert is_eligible(COURIER, known, SIGNED_AT) == broken


def test_before_it_is_shipped_no_courier_is_wrong():
    assert not is_eligible(COURIER, facts(named_courier="SF"), SIGNED_AT)


@pytest.mark.parametrize(
    ("terms", "known", "fact"),
    [
        (SHIP, {"left": True}, "shipped_at"),
        (SHIP, {"closed": True}, "closed_at"),
        (ARRIVE, {}, "promised_arrival"),
        (ARRIVE, {"promised_arrival": PAID_AT, "arrived": True}, "signed_at"),
        (ARRIVE, {"promised_arrival": PAID_AT, "closed": True}, "closed_at"),
        (COURIER, {"courier": "SF"}, "named_courier"),
        (COURIER, {"named_courier": "SF", "left": True}, "shipped_at"),
        (COURIER, {"named_courier": "SF", "shipped_at": SIGNED_AT}, "courier"),
        (QUALITY, {"arrived": True}, "signed_at"),
        (QUALITY, {"signed_at": SIGNED_AT, "done": True}, "finished_at"),
        (SHIP, {"shipped_at": DEADLINE + SECOND, "done": True}, "finished_at"),
        (FAKE, {"arrived": True}, "signed_at"),
        (RETURN, {"arrived": True}, "signed_at"),
        (DAMAGE, {"arrived": True}, "signed_at"),
        (Terms(Code.SHIP_ON_TIME, rate=Decimal(5)), {}, "hours"),
    ],
)
def test_a_time_or_word_that_is_missing_is_named_and_nothing_is_invented(terms, known, fact):
    with pytest.raises(Missing) as missing:
        eligibility(terms, facts(**known), at("2026-06-01T00:00:00"))
    assert missing.value.fact == fact


@pytest.mark.parametrize("terms", [FAKE, QUALITY, RETURN, DAMAGE], ids=lambda t: t.promise)
def test_before_signature_nothing_that_is_found_in_the_parcel_can_be_claimed(terms):
    assert not is_eligible(terms, facts(), SIGNED_AT)


@pytest.mark.parametrize("code", Code.values)
def test_before_payment_nothing_can_be_claimed(code):
    terms = Terms(code, hours=0)
    known = facts(promised_arrival=PAID_AT - 9 * SECOND, named_courier="SF", signed_at=PAID_AT)

    assert not is_eligible(terms, known, PAID_AT - SECOND)


# Properties


@given(fen=st.integers(1, 10**12), rate=st.integers(0, 10000), low=st.integers(0, 10**5),
       span=st.integers(0, 10**7))  # fmt: skip
def test_more_paid_never_means_less_owed_and_the_clamp_holds(fen, rate, low, span):
    terms = Terms(
        Code.SHIP_ON_TIME, rate=Decimal(rate).scaleb(-2), floor=yuan(low), cap=yuan(low + span)
    )
    here, more = (compensation(terms, facts(yuan(f))) for f in (fen, fen + 1))

    assert terms.floor <= here.result <= more.result <= terms.cap
    assert abs(here.rounded - here.raw) <= Decimal("0.005")
    assert sum(amount for _name, amount in here.parts) == here.result


def test_the_working_tells_every_step():
    known = facts("333.33")

    assert compensation(SHIP, known).as_dict() == {
        "terms": {
            "row": "",
            "promise": "ship_on_time",
            "rate": "5",
            "fixed": None,
            "floor": "1.00",
            "cap": "30.00",
            "multiplier": None,
            "minimum_extra": None,
            "hours": "48",
            "window": "15",
            "since": "finished",
            "counted": "days",
            "freight_side": "seller",
        },
        "rule": "rate",
        "base": "333.33",
        "raw": "16.6665",
        "rounded": "16.67",
        "clamp": None,
        "compensation": "16.67",
        "parts": {"compensation": "16.67"},
        "result": "16.67",
    }
