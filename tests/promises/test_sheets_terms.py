"""Terms as a sheet: out and in unchanged, a change is a new row, contradictions are refused."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from promises.models import Term
from tests.cases import admin_data

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
LATER = timezone.now() + timedelta(days=30)
BEGINS = f"{LATER:%Y-%m-%d 00:00:00}"
#: As a lead writes it: promise, platform, shop, from, rate, floor, cap, hours, window, since, in.
HEADERS = (
    "服务承诺,平台,店铺,生效时间,赔付比例%,最低金额,最高金额,承诺小时,申请期限,起算事件,计算方式"
)


@pytest.fixture
def office(settings, tmp_path):
    waiting = {**settings.STORAGES["import_export"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "import_export": waiting}
    return admin_data.office()


def page(what):
    return reverse(f"admin:promises_term_{what}")


def upload(client, *rows):
    content = "\n".join([HEADERS, *rows]) if rows and rows[0].count(",") else rows[0]
    file = SimpleUploadedFile("terms.csv", content.encode())
    return client.post(page("import"), {"import_file": file, "format": "0", "resource": "0"})


def take(client, *rows):
    shown = upload(client, *rows)
    said = shown.context["confirm_form"].initial
    return client.post(page("process_import"), said, follow=True)


def kinds(shown):
    result = shown.context["result"]
    assert not result.invalid_rows, [row.error_dict for row in result.invalid_rows]
    return [row.import_type for row in result.rows]


def rows():
    return list(Term.objects.order_by("pk").values())


def test_out_and_in_again_changes_nothing(office):
    client = office.client("supervisor")
    before = rows()
    sheet = client.post(page("export"), {"format": "0", "resource": "0"}).content.decode()
    listed = list(csv.reader(io.StringIO(sheet.removeprefix("\ufeff"))))
    assert len(listed) == 8
    file = SimpleUploadedFile("terms.csv", sheet.encode())

    shown = client.post(page("import"), {"import_file": file, "format": "0", "resource": "0"})

    assert kinds(shown) == ["skip"] * 7
    client.post(page("process_import"), shown.context["confirm_form"].initial)
    assert rows() == before


def test_a_change_is_shown_and_then_ends_one_row_and_begins_another(office):
    client = office.client("supervisor")
    row = f"按时发货,,,{BEGINS},8,1.00,40.00,24,15,订单完成,days".replace("订单完成", "finished")
    before = rows()

    assert kinds(upload(client, row)) == ["new"]
    assert rows() == before, "the preview writes nothing"
    take(client, row)

    old, new = Term.objects.filter(promise="ship_on_time").order_by("pk")
    assert (old.rate, old.valid_to) == (5, new.valid_from)
    assert (new.rate, str(new.cap), new.hours, new.valid_to) == (8, "40.00", 24, None)
    assert (new.offer, new.counted, new.since) == ("sheet", "days", "finished")
    assert kinds(upload(client, row)) == ["skip"]


def test_a_shop_s_own_row_stands_beside_that_for_all(office):
    client = office.client("supervisor")
    take(client, f"ship_on_time,,{office.a.code},{BEGINS},10,,,24,15,finished,days")

    own = Term.objects.get(shop=office.a)
    assert (own.rate, own.floor) == (10, None)
    assert Term.objects.get(promise="ship_on_time", shop=None).valid_to is None


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (f"按时发货,,,{BEGINS},8,50.00,40.00,24,15,finished,days", "50.00"),
        (f"按时发货,,,{BEGINS},-1,1.00,40.00,24,15,finished,days", ""),
        (f"按时发货,,,{BEGINS},8,-1.00,40.00,24,15,finished,days", ""),
        ("按时发货,,,2020-01-01,8,1.00,40.00,24,15,finished,days", ""),
        ("按时发货,,,,8,1.00,40.00,24,15,finished,days", "赔付比例%"),
        (f"月球承诺,,,{BEGINS},8,1.00,40.00,24,15,finished,days", "月球承诺"),
        (f"按时发货,,没有,{BEGINS},8,1.00,40.00,24,15,finished,days", "没有"),
        (f"按时发货,,,{BEGINS},8,1.005,40.00,24,15,finished,days", "1.005"),
        (f"按时发货,,,{BEGINS},8,1.00,40.00,24,15,finished,weeks", "weeks"),
    ],
)
def test_what_contradicts_is_refused_with_the_reason(office, row, words):
    client = office.client("supervisor")
    before = rows()

    shown = upload(client, row)

    assert "confirm_form" not in shown.context
    assert words in shown.content.decode()
    assert rows() == before


def test_two_rows_that_begin_at_once_or_overlap_are_refused(office):
    client = office.client("supervisor")
    row = f"按时发货,,,{BEGINS},8,1.00,40.00,24,15,finished,days"
    before = rows()

    assert "confirm_form" not in upload(client, row, row.replace(",8,", ",9,")).context
    assert rows() == before
    take(client, row)
    taken = rows()
    assert "confirm_form" not in upload(client, row.replace(",8,", ",9,")).context
    assert rows() == taken


def test_who_may_not_change_terms_imports_none(office):
    for who in ("agent", "lead", "finance", "auditor"):
        assert office.client(who).get(page("import")).status_code == 403
    assert office.client("auditor").get(page("export")).status_code == 200
