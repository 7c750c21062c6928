"""Staff say what their files call things; each shop for itself, in words a clerk understands."""

import pytest
from django.urls import reverse

from cases.models import HeaderAlias, Order, SheetMapping, WordAlias
from cases.sheets import jobs
from tests.cases import admin_data
from tests.cases.sheets.files import makers

pytestmark = pytest.mark.django_db
PAGES = ("headeralias", "wordalias", "sheetmapping")


@pytest.fixture
def office():
    return admin_data.office()


def add(model):
    return reverse(f"admin:cases_{model}_add")


def form_of(model, shop, **more):
    forms = {
        "headeralias": {"name": "实付（新）", "column": "taobao:orders:left"},
        "wordalias": {"word": "待揽收", "meaning": "order_status:paid", "dialect": "taobao"},
        "sheetmapping": {
            "name": "门店日报",
            "kind": "orders",
            "platform": "",
            "columns": "单子 = order_no\n花了 = paid_amount\n备忘 =",
            "words": "order_status: 路上 = shipped",
        },
    }
    return {**forms[model], "shop": shop.pk if shop else "", **more}


def rows(model):
    return {"headeralias": HeaderAlias, "wordalias": WordAlias, "sheetmapping": SheetMapping}[
        model
    ].objects


def made(model, shop):
    """A row of this shop as its lead would make it."""
    held = {
        "headeralias": {
            "dialect": "taobao",
            "kind": "orders",
            "field": "left",
            "name": "甲名",
            "key": "甲名",
        },
        "wordalias": {"field": "order_status", "word": "甲词", "key": "甲词", "ours": "paid"},
        "sheetmapping": {"name": "甲表", "kind": "orders", "columns": {"a": "order_no"}},
    }
    return rows(model).create(shop=shop, **held[model])


@pytest.mark.parametrize("role", ["lead", "supervisor"])
@pytest.mark.parametrize("model", PAGES)
def test_a_lead_adds_changes_and_deletes_for_the_own_shop(office, role, model):
    client = office.client(role)

    answer = client.post(add(model), form_of(model, office.a))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row = rows(model).get()
    assert row.shop == office.a
    change = reverse(f"admin:cases_{model}_change", args=[row.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, form_of(model, office.a)).status_code == 302
    listed = client.get(reverse(f"admin:cases_{model}_changelist")).content.decode()
    assert str(row).split(" = ", maxsplit=1)[0] in listed
    client.post(reverse(f"admin:cases_{model}_delete", args=[row.pk]), {"post": "yes"})
    assert not rows(model).exists()


def test_what_the_pages_keep(office):
    client = office.client("lead")
    for model in PAGES:
        client.post(add(model), form_of(model, office.a))

    name, word, mapping = (
        HeaderAlias.objects.get(),
        WordAlias.objects.get(),
        SheetMapping.objects.get(),
    )
    assert (name.dialect, name.kind, name.field, name.key) == (
        "taobao",
        "orders",
        "left",
        "实付(新)",
    )
    assert (word.dialect, word.field, word.ours, word.key) == (
        "taobao",
        "order_status",
        "paid",
        "待揽收",
    )
    assert mapping.columns == {"单子": "order_no", "花了": "paid_amount", "备忘": ""}
    assert mapping.words == {"order_status": {"路上": "shipped"}}


def test_a_mapping_is_written_and_shown_in_the_readers_words(office):
    client = office.client("lead")
    words = "订单状态: 路上 = 已发货\norder_status: 到了 = signed"
    columns = "单子 = 订单编号\n花了 = 实付金额\n谁家 = shop\n备忘 ="
    sent = form_of("sheetmapping", office.a, words=words, columns=columns)

    client.post(add("sheetmapping"), sent, headers={"accept-language": "zh-CN"})

    row = SheetMapping.objects.get()
    assert row.columns == {"单子": "order_no", "花了": "paid_amount", "谁家": "shop", "备忘": ""}
    assert row.words == {"order_status": {"路上": "shipped", "到了": "signed"}}
    change = reverse("admin:cases_sheetmapping_change", args=[row.pk])
    chinese = client.get(change, headers={"accept-language": "zh-CN"}).content.decode()
    english = client.get(change, headers={"accept-language": "en"}).content.decode()
    assert "单子 = 订单编号" in chinese
    assert "订单状态: 路上 = 已发货" in chinese
    assert "单子 = order_no" in english
    assert "order status: 路上 = Shipped" in english


@pytest.mark.parametrize(
    ("model", "wrong", "field"),
    [
        ("headeralias", {"name": "总金额"}, "name"),
        ("headeralias", {"column": "taobao:orders:colour"}, "column"),
        ("headeralias", {"column": ""}, "column"),
        ("wordalias", {"meaning": "order_status:lost"}, "meaning"),
        ("wordalias", {"word": " "}, "word"),
        ("sheetmapping", {"columns": "单子 = colour"}, "columns"),
        ("sheetmapping", {"columns": "花了 = paid_amount"}, "columns"),
        ("sheetmapping", {"columns": "单子"}, "columns"),
        ("sheetmapping", {"columns": "单子 = order_no\n单子 = sku"}, "columns"),
        ("sheetmapping", {"words": "mood: a = b"}, "columns"),
        ("sheetmapping", {"kind": "order_lines"}, "kind"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(office, model, wrong, field):
    answer = office.client("lead").post(add(model), form_of(model, office.a, **wrong))

    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert not rows(model).exists()


def test_the_same_twice_in_a_shop_is_said_and_another_shop_may_have_it(office):
    for model in PAGES:
        client = office.client("lead")
        client.post(add(model), form_of(model, office.a))

        assert client.post(add(model), form_of(model, office.a)).status_code == 200
        assert rows(model).count() == 1
        assert (
            office.client("stranger").post(add(model), form_of(model, office.b)).status_code == 302
        )
        assert rows(model).count() == 2


def test_nobody_writes_for_all_shops_or_for_one_he_does_not_belong_to(office):
    for model in PAGES:
        client = office.client("supervisor")
        for shop in (None, office.b):
            answer = client.post(add(model), form_of(model, shop))
            assert "shop" in answer.context["adminform"].form.errors
            assert "乙店" not in answer.content.decode()
        assert not rows(model).exists()


def test_what_another_shop_says_does_not_exist_here(office):
    for model in PAGES:
        foreign = made(model, office.b)
        client = office.client("supervisor")
        for name in ("change", "delete", "history"):
            answers = [
                client.get(reverse(f"admin:cases_{model}_{name}", args=[pk])).status_code
                for pk in (foreign.pk, 10_000_001)
            ]
            assert answers == [404, 404]
        posted = client.post(
            reverse(f"admin:cases_{model}_change", args=[foreign.pk]), form_of(model, office.a)
        )
        assert posted.status_code == 404
        listed = client.get(reverse(f"admin:cases_{model}_changelist"))
        assert str(foreign) not in listed.content.decode()
        assert listed.context["cl"].result_count == 0
        assert rows(model).get().shop == office.b


def test_what_holds_for_all_shops_is_seen_and_changed_by_who_sees_all(office, admin_client):
    for model in PAGES:
        assert admin_client.post(add(model), form_of(model, None)).status_code == 302
        row = rows(model).get()
        change = reverse(f"admin:cases_{model}_change", args=[row.pk])
        client = office.client("supervisor")

        assert client.get(change).status_code == 200
        assert client.post(change, form_of(model, office.a)).status_code == 403
        assert (
            client.post(
                reverse(f"admin:cases_{model}_delete", args=[row.pk]), {"post": "yes"}
            ).status_code
            == 403
        )
        assert rows(model).get().shop is None


@pytest.mark.parametrize("role", ["agent", "finance"])
def test_who_leads_nothing_has_no_such_page(office, role):
    for model in PAGES:
        client = office.client(role)

        assert client.get(reverse(f"admin:cases_{model}_changelist")).status_code == 403
        assert client.post(add(model), form_of(model, office.a)).status_code == 403
        assert not rows(model).exists()


def test_an_auditor_reads_and_changes_nothing(office):
    for model in PAGES:
        row = made(model, office.a)
        client = office.client("auditor")
        change = reverse(f"admin:cases_{model}_change", args=[row.pk])

        assert client.get(change).status_code == 200
        assert client.post(change, form_of(model, office.a)).status_code == 403


@pytest.mark.parametrize("model", PAGES)
def test_the_list_takes_as_many_queries_for_many_rows(office, model, django_assert_max_num_queries):
    client = office.client("lead")
    url = reverse(f"admin:cases_{model}_changelist")
    row = made(model, office.a)
    client.get(url)
    for at in range(8):
        row.pk = None
        setattr(row, "name" if model == "sheetmapping" else "key", f"k{at}")
        row.save()

    with django_assert_max_num_queries(15):
        assert client.get(url).status_code == 200


def test_an_unknown_word_of_an_import_is_one_press_from_its_meaning(office, tmp_path):
    cells = {
        "订单编号": "1",
        "总金额": "9.00",
        "订单付款时间": "2026-03-01",
        "订单状态": "待揽收 & 更多",
    }
    sheet = makers.csv_file(tmp_path / "a.csv", [list(cells), list(cells.values())])
    client = office.client("lead")

    ((word, link),) = words_after(client, sheet, office)
    assert word == "待揽收 & 更多"
    model = client.get(link)
    form = model.context["adminform"].form
    assert (form["word"].value(), form["dialect"].value()) == ("待揽收 & 更多", "taobao")
    assert str(form["shop"].value()) == str(office.a.pk)
    text = model.content.decode()
    assert "order_status:shipped" in text
    assert "case_status:applied" not in text

    client.post(link, form_of("wordalias", office.a, word=word, meaning="order_status:shipped"))
    assert words_after(client, sheet, office) == []
    assert Order.objects.get().status == "shipped"


def words_after(client, sheet, office):
    """Import it as its shop's lead; the unknown words the import's page then leads on from."""
    with sheet.open("rb") as file:
        job = jobs.begin(file, "a.csv", by=office.people["lead"], shop="a", dialect="taobao")
    jobs.run_now(job, errors=None)
    page = client.get(reverse("admin:cases_importjob_change", args=[job.pk]))
    return page.context["words"]
