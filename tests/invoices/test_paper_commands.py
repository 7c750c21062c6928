"""Papers and endorsements at the command line: what ``do`` takes and ``show`` tells."""

import json

import pytest
from django.core.management import call_command

from tests.factories import HOUR
from tests.invoices.desk import PaperDesk

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def desk() -> PaperDesk:
    return PaperDesk()


def run(capsys, *words: str) -> tuple[int, dict]:
    """Exit code and the JSON on the last line."""
    code = 0
    try:
        call_command(*words)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, json.loads(capsys.readouterr().out.strip().splitlines()[-1])


def do(capsys, invoice, verb, *sets: str, by="warehouse", at=None) -> tuple[int, dict]:
    words = [w for s in sets for w in ("--set", s)]
    moment = ("--at", at.isoformat()) if at else ()
    return run(capsys, "do", "invoice", invoice.number, verb, "--as", by, *moment, *words)


def test_a_paper_is_moved_and_shown(desk, capsys):
    invoice = desk.sold()
    at = desk.tick()
    assert do(capsys, invoice, "move_paper", "to=in_transit_in", "waybill=SF1", at=at)[0] == 0
    code, shown = do(capsys, invoice, "move_paper", "to=received", at=at + HOUR)

    assert (code, shown["holder"], shown["place"]) == (0, "warehouse", "received")
    assert [(m["to_holder"], m["waybill"]) for m in shown["custody"]] == [
        ("courier", "SF1"),
        ("warehouse", ""),
    ]
    code, refused = do(capsys, invoice, "move_paper", "to=held", "from_holder=vendor")
    assert (code, refused["code"]) == (2, "wrong_state")
    assert do(capsys, invoice, "move_paper", "to=moon")[1]["code"] == "bad_value"
    assert do(capsys, invoice, "move_paper", "to=in_transit_out")[1]["code"] == "bad_value"


def test_an_exchange_is_endorsed_reviewed_and_shown(desk, capsys):
    invoice = desk.sold((1, "113.00"), serials=("SN1",))
    desk.case(invoice, "awaiting_receipt", "exchange")
    entered = ("line=1", "old_serial=SN1", "new_serial=SN2")
    code, shown = do(capsys, invoice, "endorse", *entered, at=desk.tick())

    assert code == 0
    assert [(e["old_serial"], e["new_serial"]) for e in shown["endorsements"]] == [("SN1", "SN2")]
    code, refused = do(capsys, invoice, "endorse", *entered)
    assert (code, refused["code"]) == (2, "wrong_state")
    code, refused = do(capsys, invoice, "endorse", "line=1", "old_serial=SN9", "new_serial=SN3")
    assert (code, refused["code"]) == (2, "unknown")
    code, shown = do(capsys, invoice, "review_endorsement", by="finance")
    assert (code, shown["endorsements"][0]["reviewer"]) == (0, "finance")
