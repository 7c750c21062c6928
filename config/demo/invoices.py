"""The demo's invoices: issued before the cases move, then reversed, endorsed, lent and lost.

The sheets come before the stories, so that what is to be done opens as the cases are settled; what
was done with it is told after them, in the order of time, through what ``do invoice`` uses.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.utils.datastructures import MultiValueDict

from cases.flow import sweep
from cases.flow.door import Actor
from cases.management.objects import Request
from cases.models import Shop
from config.demo.desk import take
from config.demo.invoice_sheets import SELLERS, Writer
from config.demo.telling import LATENESS, awake
from config.demo.world import World
from invoices import verbs
from invoices.desk import INVOICE
from invoices.models import Invoice, RedRequest, SellerProfile, Treatment
from invoices.papers.endorsing import serials_of

SEED: Final = 20261123
#: Stands for the number of a red invoice; for a unit's serial number, as sold and as exchanged.
RED: Final = "@red"
SOLD: Final = "@sold"


@dataclass(frozen=True, slots=True)
class Deed:
    """One act: hours before the demo's moment, by whom, on which invoice, with what.

    The verb ``case`` requests the red that the invoice's case asks for.
    """

    before: float
    by: str
    nick: str
    verb: str
    inputs: dict[str, str] = field(default_factory=dict)


def _red(nick: str, before: float, **asked: str) -> tuple[Deed, ...]:
    """A red that needs nobody's confirmation; without a reason it is the one a case asks for."""
    return (
        Deed(before, "finance", nick, "request_red" if asked else "case", asked),
        Deed(before - 1, "finance", nick, "confirm_red", {"state": "01"}),
        Deed(before - 1.5, "finance", nick, "record_red", RED_OF.get(nick, {"number": RED})),
    )


def _moved(nick: str, before: float, by: str, to: str, **more: str) -> Deed:
    return Deed(before, by, nick, "move_paper", {"to": to, **more})


#: The tax office issued other figures than were asked for.
RED_OF: Final = {"held": {"number": RED, "amount": "21.50"}}
_BACK = {"line": "1", "where": "invoice_back", "seal": "售后专用章"}
# fmt: off
DEEDS: Final = (
    *_red("returned_and_paid", 210),
    *_red("compensated", 60),
    *_red("ruled_split", 30),
    *_red("whole", 170, reason="error", text="抬头开错，作废重开"),
    *_red("pieces", 33, reason="return", line="1:1", text="线下门店退一件"),
    *_red("held", 47, reason="allowance", amount="20.00", text="老客户折让"),
    Deed(15, "finance", "payout_failed", "case"),
    Deed(14.5, "finance", "payout_failed", "confirm_red", {"state": "02"}),
    Deed(56, "finance", "denied", "request_red", {"reason": "error", "text": "税号开错"}),
    Deed(55, "finance", "denied", "confirm_red", {"state": "02"}),
    Deed(21, "finance", "denied", "confirm_red", {"state": "05", "text": "购方说已入账"}),
    # Came back with the goods, endorsed twice on its back, on its way to the buyer again.
    _moved("exchange_sent", 187, "agent", "in_transit_in", waybill="SF1499820260117"),
    _moved("exchange_sent", 90, "warehouse", "received"),
    _moved("exchange_sent", 88, "warehouse", "held"),
    Deed(19, "warehouse", "exchange_sent", "endorse",
         {**_BACK, "old_serial": SOLD, "new_serial": SOLD + "N"}),
    Deed(18, "lead", "exchange_sent", "review_endorsement"),
    Deed(16, "warehouse", "exchange_sent", "endorse",
         {**_BACK, "old_serial": SOLD + "N", "new_serial": SOLD + "N2"}),
    Deed(15, "lead", "exchange_sent", "review_endorsement"),
    _moved("exchange_sent", 14, "warehouse", "in_transit_out", waybill="SF1499820260118"),
    # Lent to who repairs, as the proof of the warranty.
    _moved("repairing", 187, "warehouse", "received"),
    _moved("repairing", 186, "warehouse", "held"),
    _moved("repairing", 168, "warehouse", "lent", holder_name="启明维修服务点"),
    # To be sent back with the repaired piece; given back; lost under way.
    _moved("repaired", 293, "warehouse", "received"),
    _moved("repaired", 292, "warehouse", "held"),
    _moved("repair_done", 557, "warehouse", "received"),
    _moved("repair_done", 417, "warehouse", "in_transit_out", waybill="SF1499820260119"),
    _moved("repair_done", 370, "agent", "returned"),
    _moved("received", 163, "agent", "in_transit_in", waybill="SF1499820260120"),
    _moved("received", 18, "warehouse", "lost", evidence="随货发票在途遗失，快递工单已登记"),
    _moved("received", 4, "finance", "substituted", proof="sealed_copy",
           evidence="记账联复印件加盖公章"),
)
# fmt: on


def bring(
    folder: Path, world: World, people: dict[str, User]
) -> tuple[Writer, list[dict[str, Any]]]:
    """Import the blue invoices, before anything happens to the orders' cases: (writer, sheets)."""
    writer = Writer(world, SEED)
    for code, (name, _region) in SELLERS.items():
        shop = Shop.objects.get(code=code)
        SellerProfile.objects.create(shop=shop, name=name, tax_no=writer.sellers[code])
    clerk = people["finance"]
    return writer, [take(path, clerk, code) for path, code in writer.blue(folder)]


def tell(folder: Path, writer: Writer, people: dict[str, User]) -> tuple[dict[str, Any], int]:
    """What was done with the invoices up to the moment: (the sheet of reds, the acts)."""
    moment = writer.world.moment
    acts = sorted(DEEDS, key=lambda deed: -deed.before)
    for number, deed in enumerate(acts):
        at = awake(moment - timedelta(minutes=round(deed.before * 60)))
        _let_time_run(at)
        _do(deed, writer, Actor.person(people[deed.by], "admin"), at, f"demo/{deed.nick}/{number}")
    _let_time_run(moment)
    path, shop = writer.credits(folder, moment - timedelta(hours=6))
    return take(path, people["finance"], shop), len(acts)


def _do(deed: Deed, writer: Writer, actor: Actor, at: datetime, key: str) -> None:
    invoice = Invoice.objects.select_related("shop").get(number=writer.numbers[deed.nick])
    if deed.verb == "case":
        asked = Treatment.objects.get(invoice=invoice, kind="red", state="open")
        verbs.reverse_for(actor, asked, at=at, key=key)
        return
    filled = dict(deed.inputs)
    if filled.get("number") == RED:
        filled["code"], filled["number"] = writer.number(invoice.shop.code, invoice.kind)
    for name in filled.keys() & {"old_serial", "new_serial"}:
        filled[name] = filled[name].replace(SOLD, serials_of(_sold(invoice))[0])
    given = MultiValueDict({name: [text] for name, text in filled.items()})
    INVOICE.act(Request(actor, invoice, deed.verb, given, at, key))


def _sold(invoice: Invoice) -> Any:
    return invoice.lines.select_related("order_line").order_by("line_no")[0].order_line


def _let_time_run(until: datetime) -> None:
    """Sweep as often as a clock of an invoice rings until then."""
    while True:
        waiting = [
            model.objects.filter(wake_at__lte=until).order_by("wake_at").first()
            for model in (RedRequest, Treatment)
        ]
        times = [row.wake_at for row in waiting if row is not None and row.wake_at]
        if not times:
            return
        sweep.enforce(min(min(times) + LATENESS, until))
