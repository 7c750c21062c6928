"""The clock of a running office acts by itself, with every kind of database and broker."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.running import environment_of, last_json, run, running_office, wait_until

ORDERS = (
    "shop,order_no,line_no,sku,title,quantity,paid_amount,ordered_at,paid_at,status\n"
    "tea,T1,1,CUP,A cup,1,30.00,{when},{when},paid\n"
)


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")  # noqa: TID251


def open_a_case_that_is_overdue(environment: dict[str, str], folder: Path) -> str:
    """A refund asked for three days ago, which the shop had a day to answer; its number."""
    sheet = folder / "orders.csv"
    sheet.write_text(ORDERS.format(when=days_ago(4)))
    brought = run(
        environment, "import_sheet", str(sheet), "--dialect", "native", "--kind", "orders"
    )
    assert last_json(brought)["created"] == 1, brought.stdout + brought.stderr
    at = (datetime.now(UTC) - timedelta(days=3)).isoformat()  # noqa: TID251
    given = ["kind=refund_unshipped", "reason=not_wanted", "line=1:1"]
    sets = [word for pair in given for word in ("--set", pair)]
    opened = run(environment, "do", "order", "T1", "open_case", "--as", "boss", "--at", at, *sets)
    assert opened.returncode == 0, opened.stdout + opened.stderr
    assert last_json(opened)["state"] == "applied"
    return str(last_json(opened)["case_no"])


def acts_by_itself(environment: dict[str, str], folder: Path) -> None:
    made = run(environment, "createsuperuser", "--noinput", "--username", "boss", "--email", "")
    assert made.returncode == 0, made.stderr
    case_no = open_a_case_that_is_overdue(environment, folder)

    with running_office(environment):
        assert wait_until(lambda: shown(environment, case_no)["state"] == "refunding", 120)

    events = shown(environment, case_no)["events"]
    assert [event["actor"] for event in events if event["to"] == "refunding"] == ["system"]
    assert last_json(run(environment, "audit"))["violations"] == []


def shown(environment: dict[str, str], case_no: str) -> dict:
    return last_json(run(environment, "show", "case", case_no))


@pytest.mark.any_database
@pytest.mark.usefixtures("own_sqlite")
def test_embedded_the_clock_acts_with_nothing_installed(tmp_path):
    acts_by_itself(environment_of(tmp_path), tmp_path)


@pytest.mark.postgres
@pytest.mark.parametrize("broker", ["REDIS_URL", "AMQP_URL"])
def test_for_real_the_clock_acts_through_a_broker(tmp_path, own_postgres, broker):
    if broker not in os.environ:
        pytest.skip(f"no broker is named by {broker}")
    # A knock expires before the next one: on a loaded machine two seconds would lose them all.
    environment = environment_of(
        tmp_path, DATABASE_URL=own_postgres, BROKER_URL=os.environ[broker], SWEEP_SECONDS="5"
    )

    acts_by_itself(environment, tmp_path)
