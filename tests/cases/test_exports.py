"""The file holds exactly what the list shows, for its maker alone; clear data leave a record."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as site
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.auditing import audit
from cases.models import Case, ClearExport, ExportJob, JobStatus, Membership, Order, Payment
from cases.sheets import exportjobs
from cases.sheets.writer import NATIVE_ORDERS
from cases.tasks import remove_old_files, run_exports
from tests.cases import admin_data
from tests.cases.command_desk import run as command
from tests.cases.export_desk import PASSWORD, Exporter, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    office = admin_data.office()
    for n, kind in enumerate(("return_refund", "exchange", "repair", "return_refund")):
        row = admin_data.order(office.a, f"A-{n}", lines=2)
        if n:
            admin_data.case(row, kind=kind, reason="quality")
    admin_data.order(office.a, "A-PAID", status="paid")
    admin_data.case(admin_data.order(office.b, "B-1"))
    return office


@pytest.fixture
def lead(office):
    return Exporter(office, "lead")


@pytest.fixture
def boss(office):
    """The supervisor, who may see data in clear."""
    yield Exporter(office, "supervisor")
    assert audit().violations == []


def shown(who: Exporter, of: str, query: str) -> set[str]:
    """The numbers on all pages of the list."""
    response = who.client.get(reverse(f"admin:cases_{of}_changelist") + query)
    field = "order_no" if of == "order" else "case_no"
    return set(response.context["cl"].queryset.values_list(field, flat=True))


LISTS = {
    "order": ("", "?status=paid", "?status=signed&shop=a&days=29&o=1&p=0", "?q=A-"),
    "case": (
        "",
        "?tab=return",
        "?tab=all&kind=repair",
        "?tab=exchange&owner=nobody",
        "?tab=return&q=nick_A",
        "?owner=me",
        "?due=soon&shop=b",
    ),
}


@pytest.mark.parametrize("of", ["order", "case"])
def test_the_file_holds_what_the_list_shows(lead, of):
    found = {}
    for query in LISTS[of]:
        listed = shown(lead, of, query)
        told = lead.page(of, query).context["rows"]
        rows = lead.rows(of, query) if told else []
        assert {row[f"{of}_no"] for row in rows} == listed, query
        assert len(rows) == told, query
        found[query] = told
    assert len(set(found.values())) > 2, "the lists hardly differ"


def test_nothing_is_lost_between_the_pages_of_a_list(lead):
    listed = shown(lead, "order", "")
    assert listed == {"A-0", "A-1", "A-2", "A-3", "A-PAID"}
    assert len(lead.rows()) == 9


def test_a_filter_that_is_none_leads_back_to_the_list(lead):
    response = lead.page("order", "?nonsense__x=1")
    assert (response.status_code, response["Location"]) == (302, "/admin/cases/order/")
    assert lead.post("order", "?nonsense__x=1").status_code == 302
    assert not ExportJob.objects.exists()


def test_today_is_the_day_on_which_somebody_asked(lead):
    Order.objects.update(ordered_at=timezone.now() - timedelta(hours=1))
    job = lead.ask("order", "?days=1")
    yesterday = timezone.now() - timedelta(days=4)
    ExportJob.objects.update(created_at=yesterday)
    Order.objects.filter(order_no="A-0").update(ordered_at=yesterday)
    Order.objects.exclude(order_no="A-0").update(ordered_at=yesterday - timedelta(days=2))

    run_exports()
    assert {row["order_no"] for row in read(lead.file(job))} == {"A-0"}


def test_columns_are_chosen_and_remembered(lead):
    own = ["order_no", "sku", "phone"]
    rows = lead.rows(which="own", columns=["phone", "order_no", "sku"])
    assert list(rows[0]) == own

    form = lead.page().context["form"]
    assert form["columns"].initial == own
    assert (form["which"].initial, form["file_format"].initial) == ("own", "csv")
    assert lead.page("case").context["form"]["which"].initial == "all"
    assert Exporter(lead.office, "supervisor").page().context["form"]["which"].initial == "all"


@pytest.mark.parametrize(
    "chosen",
    [
        {"which": "own"},
        {"which": "own", "columns": ["order_no", "password"]},
        {"which": ""},
        {"file_format": "pdf"},
    ],
)
def test_a_choice_that_is_none_makes_no_job(lead, chosen):
    response = lead.post(**chosen)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert not ExportJob.objects.exists()


def test_headers_speak_the_language_of_the_page(lead):
    job = lead.ask()
    run_exports()
    text = b"".join(lead.file(job).streaming_content)
    assert job.language == "zh-hans"
    job.refresh_from_db()
    assert "订单编号" in text.decode("utf-8-sig").splitlines()[0]


def test_personal_data_are_masked_unless_asked_for(lead):
    text = repr(lead.rows())
    for secret in (admin_data.PHONE, "张三丰", "文三路", "nick_A-0"):
        assert secret not in text
    assert "138****5678" in text


def test_amounts_are_for_those_who_may_see_them(office):
    from django.contrib.auth.models import Permission  # noqa: PLC0415 - beside its use

    keeper = office.people["warehouse"]
    keeper.user_permissions.add(Permission.objects.get(codename="export_order"))
    who = Exporter(office, "warehouse")

    assert "paid_amount" not in who.rows()[0]
    refused = who.post(which="own", columns=["order_no", "paid_amount"])
    assert refused.context["form"].errors
    assert ExportJob.objects.count() == 1


@pytest.mark.parametrize("role", ["agent", "warehouse"])
def test_who_may_not_export_gets_no_page_and_no_job(office, role):
    who = Exporter(office, role)
    for of in ("order", "case"):
        assert who.page(of).status_code == who.post(of).status_code == 403
        listed = who.client.get(reverse(f"admin:cases_{of}_changelist")).content.decode()
        assert "/export/" not in listed
    assert who.client.get(reverse("admin:cases_exportjob_changelist")).status_code == 403
    assert not ExportJob.objects.exists()


def test_the_list_leads_to_the_export_of_what_it_shows(lead):
    response = lead.client.get("/admin/cases/order/?status=signed&o=1")
    assert 'href="/admin/cases/order/export/?' in response.content.decode()
    assert "status=signed" in response.content.decode()


def test_an_empty_list_offers_nothing(lead):
    response = lead.page("order", "?status=closed")
    assert response.context["rows"] == 0
    assert b"data-main" not in response.content


def test_a_shop_lost_meanwhile_is_not_in_the_file(office, lead):
    Membership.objects.create(shop=office.b, user=office.people["lead"])
    job = lead.ask()
    Membership.objects.filter(shop=office.b).delete()

    run_exports()
    assert {row["shop"] for row in read(lead.file(job))} == {"a"}


def test_a_right_lost_meanwhile_ends_the_job_and_closes_the_file(office, lead):
    waiting, done = lead.ask(), lead.ask()
    ExportJob.objects.filter(pk=waiting.pk).update(lease_until=timezone.now() + timedelta(hours=1))
    run_exports()
    ExportJob.objects.filter(pk=waiting.pk).update(lease_until=None)
    office.people["lead"].groups.clear()

    run_exports()
    waiting.refresh_from_db()
    assert (waiting.status, bool(waiting.problem), waiting.file.name) == ("failed", True, "")
    assert lead.file(done).status_code == 403


def test_a_job_and_its_file_are_its_makers_alone(office, lead):
    job = lead.ask()
    run_exports()
    for name in ("change", "file", "state", "cancel"):
        url = reverse(f"admin:cases_exportjob_{name}", args=[job.pk])
        unknown = reverse(f"admin:cases_exportjob_{name}", args=[job.pk + 99])
        other = Exporter(office, "supervisor").client
        assert other.get(url).status_code == other.get(unknown).status_code == 404, name
        assert other.post(url).status_code == 404, name
    page = reverse("admin:cases_exportjob_changelist")
    assert job.job_no not in other.get(page).content.decode()
    own = lead.client.get(page).content.decode()
    assert job.job_no in own
    assert reverse("admin:cases_exportjob_file", args=[job.pk]) in own


def test_a_superuser_sees_jobs_but_takes_no_file_of_others(office, lead):
    job = lead.ask()
    run_exports()
    office.people["boss"] = admin_data.User.objects.create_superuser("boss")
    who = Exporter(office, "boss")

    page = who.client.get(reverse("admin:cases_exportjob_change", args=[job.pk]))
    assert (page.status_code, page.context["may_download"]) == (200, False)
    assert who.file(job).status_code == 403


def test_the_file_comes_with_its_locks(lead):
    job = lead.ask()
    run_exports()
    response = lead.file(job)

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"].startswith("no-store, private")
    assert response["Content-Disposition"].startswith("attachment")
    assert "sandbox" in response["Content-Security-Policy"]
    body = b"".join(response.streaming_content)
    job.refresh_from_db()
    assert (hashlib.sha256(body).hexdigest(), len(body)) == (job.sha256, job.size)


def test_the_page_tells_how_far_it_is(lead):
    job = lead.ask()
    url = reverse("admin:cases_exportjob_state", args=[job.pk])

    assert lead.client.get(url).json()["running"] is True
    ExportJob.objects.update(status="running", rows_done=3)
    assert "3 / 9" in lead.client.get(url).json()["html"]
    run_exports()
    state = lead.client.get(url).json()
    assert state["running"] is False
    assert reverse("admin:cases_exportjob_file", args=[job.pk]) in state["html"]


def test_a_waiting_export_is_stopped_at_once(lead):
    job = lead.ask()
    cancel = reverse("admin:cases_exportjob_cancel", args=[job.pk])

    assert lead.client.get(cancel).status_code == 405
    lead.client.post(cancel)
    assert run_exports() == 0
    job.refresh_from_db()
    assert (job.status, job.file.name) == ("cancelled", "")
    assert lead.file(job).status_code == 404


def test_an_export_stopped_while_it_is_written_leaves_nothing(lead, monkeypatch):
    job = lead.ask()
    written = exportjobs.written

    def and_then_somebody_stops_it(*args, **kwargs):
        count = written(*args, **kwargs)
        ExportJob.objects.update(cancel_asked=True)
        return count

    monkeypatch.setattr(exportjobs, "written", and_then_somebody_stops_it)
    run_exports()
    job.refresh_from_db()
    assert (job.status, job.file.name, job.sha256) == ("cancelled", "", "")
    assert list(exportjobs.folder().iterdir()) == []


def test_what_a_dead_worker_left_is_begun_anew_and_swept_away(lead):
    job = lead.ask()
    dead = ExportJob.objects.claim(job.pk)
    scrap = exportjobs.folder() / f"{dead.run_token}.csv"
    scrap.write_text("half a li")
    assert run_exports() == 0, "the dead worker's lease still runs"

    ExportJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert run_exports() == 1
    assert len(read(lead.file(job))) == 9

    old = (timezone.now() - timedelta(days=2)).timestamp()
    import os  # noqa: PLC0415 - beside its use

    os.utime(scrap, (old, old))
    remove_old_files()
    job.refresh_from_db()
    assert [path.name for path in exportjobs.folder().iterdir()] == [Path(job.file.name).name]


def test_a_job_that_always_dies_is_given_up(lead):
    job = lead.ask()
    for _attempt in range(3):
        assert ExportJob.objects.claim(job.pk) is not None
        ExportJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert run_exports() == 0
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert job.problem


def test_files_go_after_some_days_and_the_record_stays(lead):
    job, young = lead.ask("order", "?q=A-"), lead.ask()
    run_exports()
    ExportJob.objects.filter(pk=job.pk).update(
        finished_at=timezone.now() - timedelta(days=site.EXPORT_KEEP_DAYS, minutes=1)
    )
    assert remove_old_files() == 1
    assert remove_old_files() == 0

    job.refresh_from_db()
    assert (job.file.name, job.rows_done, len(job.sha256)) == ("", 9, 64)
    assert "A-" not in job.query + job.filter_words
    assert lead.file(job).status_code == 404
    assert len(read(lead.file(young))) == 9
    assert len(list(exportjobs.folder().iterdir())) == 1


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("of", ["order", "case"])
def test_an_export_taken_in_again_changes_nothing(lead, of, ending):
    from cases.flow.door import Actor  # noqa: PLC0415 - beside its use
    from cases.sheets.loading import import_file  # noqa: PLC0415

    whole = timezone.now().replace(microsecond=0) - timedelta(days=6)  # as sheets have it
    Order.objects.update(ordered_at=whole, paid_at=whole, shipped_at=None, signed_at=None)
    Payment.objects.update(paid_at=whole)
    job = lead.ask(of, file_format=ending)
    run_exports()
    job.refresh_from_db()
    before = list(Order.objects.order_by("pk").values()), list(Case.objects.order_by("pk").values())

    result = import_file(job.file.path, actor=Actor.person(lead.office.people["lead"], "sheet"))
    assert (result.rows, result.unchanged) == (job.rows_done, job.rows_done), result
    after = list(Order.objects.order_by("pk").values()), list(Case.objects.order_by("pk").values())
    assert after == before


def test_clear_data_come_with_a_reason_a_password_and_a_record(boss):
    job = boss.ask_clear("?q=A-&shop=a")
    run_exports()
    rows = read(boss.file(job))

    assert {row["phone"] for row in rows} == {admin_data.PHONE}
    job.refresh_from_db()
    (record,) = ClearExport.objects.all()
    told = (record.job, record.user, record.shop, record.rows, record.reason, record.sha256)
    maker = boss.office.people["supervisor"]
    assert told == (job, maker, boss.office.a, 9, "快递公司理赔", job.sha256)
    assert (record.filter, record.columns) == ("q=****&shop=a", list(NATIVE_ORDERS.fields))


def test_the_record_tells_each_shop_of_its_own_rows(office, boss):
    Membership.objects.create(shop=office.b, user=office.people["supervisor"])
    job = boss.ask_clear(which="own", columns=["order_no", "phone"])
    run_exports()

    assert [list(row) for row in read(boss.file(job))][:1] == [["order_no", "phone"]]
    told = ClearExport.objects.order_by("shop__code").values_list("shop__code", "rows")
    assert list(told) == [("a", 9), ("b", 1)]
    page = office.client("auditor").get(reverse("admin:cases_clearexport_changelist"))
    assert [row.shop_id for row in page.context["cl"].queryset] == [office.a.pk]


@pytest.mark.parametrize(
    "chosen", [{"password": "guess"}, {"password": ""}, {"reason": " "}, {"reason": ""}]
)
def test_without_reason_or_password_nothing_leaves(boss, chosen):
    boss.office.people["supervisor"].set_password(PASSWORD)
    boss.office.people["supervisor"].save()
    boss.client.force_login(boss.office.people["supervisor"])
    said = {"personal": "clear", "reason": "理赔", "password": PASSWORD}

    response = boss.post(**{**said, **chosen})
    assert response.status_code == 200
    assert set(response.context["form"].errors) == set(chosen)
    assert PASSWORD not in response.content.decode()
    assert not ExportJob.objects.exists()


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("shop=a&q=13812345678", "shop=a&q=****"),
        ("order__buyer__startswith=n&tab=all", "order__buyer__startswith=****&tab=all"),
        ("", ""),
    ],
)
def test_records_keep_no_search_words(query, kept):
    assert exportjobs.without_search(query) == kept


def test_guessing_passwords_locks_out(boss, settings):
    settings.AXES_ENABLED, settings.AXES_FAILURE_LIMIT = True, 2
    maker = boss.office.people["supervisor"]
    maker.set_password(PASSWORD)
    maker.save()
    boss.client.force_login(maker, "django.contrib.auth.backends.ModelBackend")
    said = {"personal": "clear", "reason": "理赔"}
    for _guess in range(2):
        boss.post(**said, password="guess")

    assert boss.post(**said, password=PASSWORD).status_code != 302
    assert not ExportJob.objects.exists()


@pytest.mark.parametrize("role", ["lead", "finance", "auditor"])
def test_clear_is_for_who_has_the_right(office, role):
    who = Exporter(office, role)
    assert "personal" not in who.page().context["form"].fields
    job = who.ask(personal="clear", reason="x y", password=PASSWORD)
    assert job.clear is False
    with pytest.raises(exportjobs.Refused):
        exportjobs.ask(
            office.people[role],
            "orders",
            "",
            columns=["phone"],
            file_format="csv",
            clear=True,
            reason="darum",
        )
    assert not ExportJob.objects.filter(clear=True).exists()


def test_cases_have_no_personal_columns_to_show(boss):
    assert "personal" not in boss.page("case").context["form"].fields


def test_clear_exports_are_limited_per_day(boss, settings):
    settings.CLEAR_EXPORTS_PER_DAY = 1
    boss.ask_clear()
    response = boss.post(personal="clear", reason="nochmal", password=PASSWORD)
    assert response.context["form"].non_field_errors()
    assert ExportJob.objects.count() == 1

    ExportJob.objects.update(created_at=timezone.now() - timedelta(days=1))
    boss.ask_clear()
    boss.ask()  # masked ones are not counted


def test_the_right_to_clear_data_lost_meanwhile(office, boss):
    waiting = boss.ask_clear()
    from django.contrib.auth.models import Group, Permission  # noqa: PLC0415 - beside its use

    right = Permission.objects.get(codename="export_clear_order")
    Group.objects.get(name="supervisor").permissions.remove(right)
    run_exports()
    waiting.refresh_from_db()
    assert waiting.status == "failed"
    assert not ClearExport.objects.exists()

    Group.objects.get(name="supervisor").permissions.add(right)
    done = boss.ask_clear()
    run_exports()
    Group.objects.get(name="supervisor").permissions.remove(right)
    assert boss.file(done).status_code == 403


def test_the_audit_misses_a_record_and_finds_a_wrong_one(office):
    who = Exporter(office, "supervisor")
    job = who.ask_clear()
    run_exports()
    assert audit().violations == []

    ExportJob.objects.filter(pk=job.pk).update(rows_done=8)
    assert [found["what"] for found in audit().violations] == ["clear_export_not_recorded"]
    ExportJob.objects.filter(pk=job.pk).update(rows_done=9, sha256="0" * 64)
    assert [found["what"] for found in audit().violations] == ["clear_export_told_otherwise"]


def test_the_record_cannot_be_changed_or_taken_away(office):
    who = Exporter(office, "supervisor")
    who.ask_clear()
    run_exports()
    for act in (lambda rows: rows.update(reason="nothing"), lambda rows: rows.delete()):
        from django.db import DatabaseError, transaction  # noqa: PLC0415 - beside its use

        with pytest.raises(DatabaseError), transaction.atomic():
            act(ClearExport.objects.all())


def test_the_pages_cost_the_same_for_any_number_of_rows(office, lead):
    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as taken:
            assert lead.client.get(url).status_code == 200
        return len(taken)

    pages = ["/admin/cases/order/export/", "/admin/cases/exportjob/"]
    lead.ask()
    before = [queries(page) for page in pages]
    for n in range(10, 16):
        admin_data.order(office.a, f"A-{n}")
        lead.ask()
    assert [queries(page) for page in pages] == before
    assert max(before) < 25


def test_a_chunk_costs_few_queries(lead, monkeypatch):
    def queries(of: str) -> int:
        lead.ask(of)
        with CaptureQueriesContext(connection) as taken:
            run_exports()
        return len(taken)

    before = queries("order"), queries("case")
    for n in range(10, 30):
        admin_data.case(admin_data.order(lead.office.a, f"A-{n}", lines=2))
    assert (queries("order"), queries("case")) == before


def test_show_job_prints_an_export_to_its_maker(office, boss):
    job = boss.ask_clear("?q=A-")
    run_exports()
    code, found = command("show", "job", job.job_no)

    assert code == 0
    assert (found["job"], found["status"], found["by"]) == ("export", "done", "supervisor")
    assert (found["rows"], found["filter"], found["clear"]) == (9, "q=****", True)
    assert found["columns"] == list(NATIVE_ORDERS.fields)
    assert command("show", "job", job.job_no, "--as", "supervisor") == (0, found)
    code, refused = command("show", "job", job.job_no, "--as", "lead")
    assert (code, refused["code"]) == (2, "unknown")
