"""When a case can be opened, what must be proven, what a sheet brings in, the same key again."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from domain_tables import STATES, TURN

from cases import verbs
from cases.flow import clock
from cases.flow.door import NotPermitted, Refused, perform
from cases.models import Case, CaseEvent, CaseLine, Order, OrderLine, Reason, Window
from cases.verbs import NewCase, adopt_cases
from tests.factories import DAY, HOUR, T0, USUAL_KIND, picture

SECOND = timedelta(seconds=1)
D = Decimal


# Windows


def finished(house, at, **fields):
    return house.paid_order((1, "100.00"), finished_at=at, status="finished", **fields)


def test_a_case_can_be_opened_until_fifteen_days_after_the_order_finished(house):
    order = finished(house, T0)
    late = T0 + 15 * DAY
    assert house.refused_to_open("return_refund", order, at=late).code == "window_closed"
    assert house.opened("return_refund", order, at=late - SECOND).phase == "aftersale"


def test_while_an_order_is_not_finished_its_window_is_open(house):
    case = house.opened(at=T0 + 200 * DAY)
    assert case.phase == "onsale"


def test_a_platform_has_its_own_window(house):
    Window.objects.create(code="aftersale_days", platform="taobao", value=20)
    Window.objects.create(code="aftersale_days", platform="jd", value=1)
    order = finished(house, T0)
    assert house.opened("return_refund", order, at=T0 + 20 * DAY - SECOND)


SIGNED = datetime(2026, 3, 1, 7, 20, tzinfo=UTC)  # 2026-03-01 15:20 in Shanghai
LAST = datetime(2026, 3, 8, 16, 0, tzinfo=UTC)  # 2026-03-08 24:00 in Shanghai


def test_returns_without_a_reason_are_possible_until_the_seventh_day_ends(house):
    order = house.paid_order((1, "100.00"), signed_at=SIGNED)
    refusal = house.refused_to_open("return_refund", order, reason="no_reason", at=LAST)
    assert refusal.code == "window_closed"
    assert "2026-03-09 00:00" in refusal.message
    assert house.opened("return_refund", order, reason="no_reason", at=LAST - SECOND)


def test_another_reason_outlives_the_seven_days(house):
    order = house.paid_order((1, "100.00"), signed_at=SIGNED)
    assert house.opened("return_refund", order, reason="quality", at=LAST + DAY)


@pytest.mark.parametrize("category", ["custom", "perishable", "digital", "press"])
def test_some_goods_do_not_come_back_without_a_reason(house, category):
    order = house.paid_order((1, "100.00"), category=category)
    refusal = house.refused_to_open("return_refund", order, reason="no_reason")
    assert refusal.code == "excluded_goods"
    assert house.opened("return_refund", order, reason="quality")


@pytest.mark.parametrize("category", ["general", "clothing", "electronics", "food", "cosmetics"])
def test_other_goods_do_unless_the_buyer_agreed_at_purchase(house, category):
    order = house.paid_order((1, "100.00"), category=category)
    line = order.lines.get()
    line.no_return_agreed = True
    line.save()
    refusal = house.refused_to_open("return_refund", order, reason="no_reason")
    assert refusal.code == "excluded_goods"
    line.no_return_agreed = False
    line.save()
    assert house.opened("return_refund", order, reason="no_reason")


@pytest.mark.parametrize(
    ("kind", "made_for"),
    [
        ("refund_unshipped", "return_refund"),
        ("return_refund", "refund_unshipped"),
        ("refund_in_transit", "refund_unshipped"),
    ],
)
def test_the_kind_fits_where_the_goods_are(house, kind, made_for):
    assert house.refused_to_open(kind, house.order_for(made_for)).code == "wrong_state"


def test_an_order_that_nobody_paid_has_nothing_to_settle(house):
    order = house.paid_order(paid_at=None)
    assert house.refused_to_open("return_refund", order).code == "wrong_state"
    order = house.paid_order(paid_at=T0 + HOUR)
    assert house.refused_to_open("return_refund", order).code == "wrong_state"


def test_a_buyer_does_not_apply_in_the_future(house):
    assert house.refused_to_open(at=clock.now() + DAY).code == "bad_value"


@pytest.mark.parametrize("who", ["warehouse", "finance", "auditor", "clock"])
def test_only_agents_leads_and_supervisors_open_cases(house, who):
    with pytest.raises(NotPermitted):
        house.opened(by=who)


def test_a_stranger_to_the_shop_opens_nothing(house):
    refusal = house.refused_to_open(by="outsider")
    assert refusal.code == "not_in_your_shop"


def test_the_first_event_tells_what_was_asked_for(house):
    case = house.opened("return_refund", text="拉链坏了", key="web-1")
    first = case.events.get()
    assert (first.seq, first.verb, first.source, first.target) == (1, "open_case", "", "applied")
    assert (first.at, first.user, first.key) == (T0, house.users["agent"], "web-1")
    assert first.inputs["line"] == [["1", 2]]
    assert first.inputs["reason"] == "not_wanted"
    assert first.note == "拉链坏了"


# Proof


@pytest.mark.parametrize(
    ("kind", "reason", "demanded"),
    [
        ("return_refund", "quality", True),
        ("return_refund", "counterfeit", True),
        ("return_refund", "allergy", True),
        ("return_refund", "no_reason", False),
        ("return_refund", "not_wanted", False),
        ("resend", "missing_parts", True),
        ("refund_received", "invoice_problem", False),
    ],
)
def test_what_the_reason_asks_for_is_there_or_waived_in_writing(house, kind, reason, demanded):
    case = house.opened(kind, reason=reason)
    if demanded:
        assert house.refused(case, "accept").code == "evidence_required"
    else:
        assert house.act(case, "accept").state != "applied"
        return
    waived = house.act(case, "accept", waiver="老客户，信得过")
    assert waived.waiver == "老客户，信得过"
    proven = house.opened(kind, reason=reason)
    proven = house.act(proven, "add_evidence", party="buyer", evidence=picture())
    assert house.act(proven, "accept").state == waived.state


def test_the_courier_of_an_order_proves_that_it_was_sent(house):
    assert house.act(house.opened("refund_in_transit", reason="not_arrived"), "accept")
    order = house.order_for("refund_in_transit", waybill="", courier="")
    case = house.opened("refund_in_transit", order, reason="not_arrived")
    assert house.refused(case, "accept").code == "evidence_required"


@pytest.mark.parametrize("step", ["refuse", "fail_inspection"])
@pytest.mark.parametrize("code", ["affects_resale", "not_our_goods"])
def test_a_refusal_that_needs_proof_needs_ours(house, step, code):
    case = house.case_in("inspecting")
    reason = house.refusal_reason(code)
    refusal = house.refused(case, step, reason=reason, text="吊牌已剪")
    assert refusal.code == "evidence_required"
    case = house.act(case, "add_evidence", party="buyer", evidence=picture())
    assert house.refused(case, step, reason=reason, text="吊牌已剪").code == "evidence_required"
    case = house.act(case, "add_evidence", "warehouse", party="seller", evidence=picture())
    assert house.act(case, step, reason=reason, text="吊牌已剪").state == "refused"


@pytest.mark.parametrize("text", ["", "   "])
def test_a_refusal_is_said_in_words(house, text):
    case = house.opened()
    refusal = house.refused(case, "refuse", reason=house.refusal_reason(), text=text)
    assert refusal.code == "reason_required"


def test_evidence_keeps_who_gave_it_and_what_came_in(house):
    case = house.act(house.opened(), "add_evidence", party="courier", evidence=[picture()] * 2)
    rows = case.evidence.all()
    assert [(e.party, e.sha256, e.by) for e in rows] == [
        ("courier", picture().sha256_in, house.users["agent"])
    ] * 2
    assert case.due_at == T0 + 72 * HOUR


def test_records_change_neither_state_nor_clock_nor_the_last_move(house):
    case = house.case_in("returning")
    for step, inputs in (
        ("add_note", {"text": "等仓库"}),
        ("log_contact", {"text": "已电话告知", "way": "phone"}),
        ("tag", {"tags": "急件，VIP, 急件"}),
    ):
        after = house.act(case, step, **inputs)
        assert (after.state, after.due_at, after.moved_at) == (
            case.state,
            case.due_at,
            case.moved_at,
        )
        assert after.seq == case.events.count()
    assert after.tags == "急件,VIP"
    assert after.first_response_at == case.moved_at + HOUR
    assert [n.text for n in case.notes.order_by("id")] == ["等仓库", "已电话告知"]


# Cases that a sheet brings in


def entry(house, state, kind, **more):
    order = house.order_for(kind, (2, "100.00"))
    reason = Reason.objects.get(code="agreed")
    return NewCase(order, kind, reason, [("1", 2)], state=state, at=T0, applied_at=T0, **more)


@pytest.mark.parametrize("state", STATES)
def test_a_sheet_brings_a_case_in_in_any_state(house, state):
    kind = USUAL_KIND.get(state, "return_refund")
    more = {"refund_number": "P1"} if state == "completed" else {}
    with clock.standing_at(T0 + DAY):
        (case,) = adopt_cases(house.actor("platform"), [entry(house, state, kind, **more)])
    assert isinstance(case, Case), case
    first = case.events.get()
    assert (first.verb, first.source, first.target, first.at) == ("adopt", "", state, T0)
    assert first.user is None
    assert case.clock_on == TURN.get(state, "")
    line = OrderLine.objects.get(order=case.order)
    ended = state in ("completed", "closed")
    assert (line.held, line.gone, line.refunded) == (
        0 if ended else 2,
        0,
        100 * (state == "completed"),
    )


@pytest.mark.parametrize("kind", ["return_refund", "exchange", "repair"])
@pytest.mark.parametrize("state", ["inspecting", "awaiting_dispatch"])
def test_goods_of_an_adopted_case_lie_where_its_state_says(house, state, kind):
    with clock.standing_at(T0 + DAY):
        (case,) = adopt_cases(house.actor("platform"), [entry(house, state, kind)])
    assert (case.goods, case.received_at, case.lines.get().received) == ("returned", T0, 2)


def test_an_adopted_case_goes_on_through_the_door(house):
    with clock.standing_at(T0 + DAY):
        (case,) = adopt_cases(house.actor("platform"), [entry(house, "refunding", "return_refund")])
    case = house.act(case, "pay", "finance", at=T0 + 2 * DAY, reference="R")
    line = OrderLine.objects.get(order=case.order)
    assert (case.state, line.refunded, line.gone) == ("completed", 100, 2)


def test_the_platforms_deadline_comes_with_the_case(house):
    due = T0 + 7 * HOUR
    row = entry(house, "applied", "return_refund", platform_due_at=due)
    with clock.standing_at(T0 + HOUR):
        (case,) = adopt_cases(house.actor("platform"), [row])
    assert case.due_at == due


def test_of_two_cases_of_a_sheet_on_one_line_one_comes_in(house):
    first = entry(house, "applied", "return_refund")
    second = NewCase(first.order, "exchange", first.reason, [("1", 1)], at=T0, applied_at=T0)
    answers = adopt_cases(house.actor("platform"), [first, second])
    assert isinstance(answers[0], Case)
    assert isinstance(answers[1], Refused)
    assert answers[1].code in ("open_case_exists", "quantity_exceeded")


def test_a_case_number_is_taken_once(house):
    first = entry(house, "applied", "return_refund", case_no="X1")
    second = entry(house, "applied", "return_refund", case_no="X1")
    answers = adopt_cases(house.actor("platform"), [first, second])
    assert [getattr(a, "case_no", None) or a.code for a in answers] == ["X1", "bad_value"]


# The same key again


def test_the_same_key_with_the_same_inputs_answers_with_the_first_result(house):
    case = house.case_in("refunding")
    paid = house.act(case, "pay", "finance", reference="R", key="k1")
    same = house.act(case, "pay", "finance", at=paid.moved_at + DAY, reference="R", key="k1")
    assert (same.pk, same.seq, same.version, same.refunded) == (
        paid.pk,
        paid.seq,
        paid.version,
        paid.refunded,
    )
    assert case.refunds.count() == 1


def test_the_same_key_for_anything_else_is_refused(house):
    case, other = house.case_in("refunding"), house.case_in("refunding")
    house.act(case, "pay", "finance", reference="R", key="k1")
    for subject, step, inputs in (
        (case, "pay", {"reference": "R2"}),
        (other, "pay", {"reference": "R"}),
        (other, "fail_payout", {"text": "R"}),
    ):
        refusal = house.refused(subject, step, "finance", key="k1", **inputs)
        assert refusal.code == "key_reused"


def test_opening_twice_with_one_key_makes_one_case(house):
    order = house.paid_order()
    first = house.opened("return_refund", order, lines=((1, 1),), key="k")
    assert house.opened("return_refund", order, lines=((1, 1),), key="k").pk == first.pk
    refusal = house.refused_to_open("return_refund", order, lines=((1, 2),), key="k")
    assert refusal.code == "key_reused"
    assert Case.objects.count() == 1


# Time and refusals


def test_no_act_is_before_the_last_one(house):
    case = house.case_in("awaiting_return")
    refusal = house.refused(case, "extend", days=3, at=case.moved_at - SECOND)
    assert refusal.code == "bad_value"
    assert house.act(case, "extend", days=3, at=case.moved_at)


def test_without_a_time_an_act_is_never_before_the_last_one(house):
    case = house.opened()
    with clock.standing_at(T0 - DAY):
        case = perform(house.actor("lead"), case, Case.accept)
    assert case.moved_at == T0


def everything():
    rows = {}
    for model in (Case, CaseLine, CaseEvent, Order, OrderLine):
        rows[model] = list(model.objects.order_by("pk").values())
    return rows


def test_a_refused_opening_leaves_nothing(house):
    order = house.paid_order()
    before = everything()
    for inputs in (
        {"lines": ((1, 3),)},
        {"amount": D("100.01")},
        {"reason": "late_dispatch"},
        {"lines": ((2, 1),)},
    ):
        house.refused_to_open("return_refund", order, **inputs)
    assert everything() == before


def test_a_refused_step_leaves_nothing(house):
    case = house.case_in("returning")
    pk = case.lines.get().order_line_id
    before = everything()
    for step, by, inputs in (
        ("receive", "warehouse", {"line": {pk: -1}}),
        ("receive", "finance", {}),
        ("pay", "finance", {"reference": "R"}),
        ("record_platform_outcome", "lead", {"number": "P", "amount": D("999.00")}),
        ("assign", "lead", {"user": house.users["outsider"]}),
        ("request_mediation", "warehouse", {"party": "buyer"}),
    ):
        house.refused(case, step, by, **inputs)
        assert everything() == before


def test_shipping_and_signing_are_recorded_in_order(house):
    order = house.order_for("refund_unshipped")
    ship, sign = verbs.record_shipment, verbs.record_signature

    def done(verb, at, **inputs):
        return verb(house.actor("agent"), order, at=at, **inputs)

    def code(verb, at, **inputs):
        with pytest.raises(Refused) as refusal:
            done(verb, at, **inputs)
        return refusal.value.code

    parcel = {"courier": "SF", "waybill": "1"}
    assert code(sign, T0) == "wrong_state"
    assert code(ship, T0 - 9 * DAY, **parcel) == "bad_value"  # before it was paid
    shipped = done(ship, T0, **parcel)
    assert (shipped.status, shipped.shipped_at, shipped.waybill) == ("shipped", T0, "1")
    assert code(ship, T0, **parcel) == "wrong_state"
    assert code(sign, T0 - DAY) == "wrong_state"  # it was not shipped yet
    assert done(sign, T0 + DAY).status == "signed"
    assert code(sign, T0 + DAY) == "wrong_state"
