"""Whether the catalogues are whole, and whether a page still speaks English to the Chinese."""

import gettext
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from cases.flow.door import Actor, allowed
from cases.models import Case, Evidence, Order, OrderLine, Payment, Reason, RefusalReason, SopStep
from cases.sheets import exportjobs
from config.foreign_words import permission_in_words, role_in_words
from promises.couriers import KNOWN
from tests.cases import admin_data

pytestmark = pytest.mark.any_database

LOCALES = ("zh_Hans", "zh_Hant")
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}")
HAN = re.compile(r"[\u3400-\u9fff]")
LATIN = re.compile(r"[A-Za-z]{2,}")
#: Attributes which a browser shows or a screen reader says.
SPOKEN = ("title", "alt", "placeholder", "aria-label", "aria-description")
#: Names of formats, languages, keys and zones: the same in every language.
EVERYWHERE = {
    *("CSV", "XLSX", "XLS", "ODS", "JSON", "HTTP", "SKU", "Asia/Shanghai", "esc"),
    # Codes which the page explains beside them.
    *("surface", "decision"),
    *("English", "zh-hans", "zh-hant", "en"),
    # What sheets call couriers; the page lists them as they are written.
    *(name for names in KNOWN.values() for name in names),
}


def catalogue(path: Path) -> dict[str, list[str]]:
    """What one .mo says: msgid → its translations, more than one where there are plurals."""
    with path.open("rb") as file:
        raw = vars(gettext.GNUTranslations(file))["_catalog"]
    found: dict[str, list[str]] = defaultdict(list)
    for key, text in raw.items():
        msgid = key[0] if isinstance(key, tuple) else key
        if msgid:
            found[msgid].append(text)
    return found


def catalogues(locale: str) -> list[Path]:
    return sorted(Path(settings.BASE_DIR).glob(f"*/*locale/{locale}/LC_MESSAGES/*.mo"))


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="extracting needs GNU gettext")
@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_translated_and_none_is_fuzzy_or_stale(locale, capsys):
    call_command("check_translations", locale=[locale])
    assert "complete" in capsys.readouterr().out


@pytest.mark.parametrize("locale", LOCALES)
def test_a_translation_has_the_placeholders_of_its_text(locale):
    wrong = [
        (path.parts[-5], msgid, text)
        for path in catalogues(locale)
        for msgid, texts in catalogue(path).items()
        for text in texts
        if sorted(PLACEHOLDER.findall(msgid.rpartition("\x04")[2]))
        != sorted(PLACEHOLDER.findall(text))
    ]
    assert catalogues(locale)
    assert wrong == []


def test_traditional_says_all_that_simplified_says():
    for path in catalogues("zh_Hans"):
        there = Path(str(path).replace("zh_Hans", "zh_Hant"))
        assert set(catalogue(path)) <= set(catalogue(there)), there


def test_texts_are_marked_by_names_the_extractor_knows():
    """It looks for ``_`` and Django's own names; behind any other name a text is never found."""
    alias = re.compile(r"\b\w*gettext\w* as (?!_\b)\w+")
    sources = (
        path
        for room in ("cases", "config", "invoices", "promises")
        for path in (Path(settings.BASE_DIR) / room).rglob("*.py")
    )
    assert [str(path) for path in sources if alias.search(path.read_text())] == []


def test_permissions_and_roles_are_told_in_words(db):
    admin_data.seed()
    with translation.override("zh-hans"):
        told = {
            code: permission_in_words(Permission.objects.get(codename=code))
            for code in ("accept_case", "view_order", "import_order", "open_case_order")
        }
        assert role_in_words(Group.objects.get(name="lead")) == "组长 (lead)"
    assert told == {
        "accept_case": "售后单：同意申请",
        "view_order": "订单：查看",
        "import_order": "订单：导入",
        "open_case_order": "订单：新建售后单",
    }


class Texts(HTMLParser):
    """Every text node and spoken attribute of a page, without scripts, styles and icons."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag in ("script", "style") or "material-symbols" in (said.get("class") or ""):
            self._silent.append(tag)
        self.found += [text for name in SPOKEN if (text := said.get(name))]
        if tag == "input" and said.get("type") in ("submit", "button"):
            self.found.append(said.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(" ".join(data.split()))


@pytest.fixture
def office(db):
    """An office with a case of every kind, a file, and a second factor of each sort."""
    office = admin_data.office()
    agent = office.people["agent"]
    first = admin_data.evidence(admin_data.case(admin_data.order(office.a, "A-1", lines=2)), agent)
    first = admin_data.step(first, "add_note", agent, text="已打电话")
    kinds = (("refund_received", "quality"), ("exchange", "quality"), ("repair", "quality"))
    for n, (kind, reason) in enumerate((*kinds, ("resend", "damaged"))):
        admin_data.case(admin_data.order(office.a, f"K-{n}"), kind=kind, reason=reason)
    admin_data.case(
        admin_data.order(office.a, "T-1", status="shipped"),
        kind="refund_in_transit",
        reason="not_arrived",
    )
    office.people["boss"] = User.objects.create_superuser("boss")
    exportjobs.ask(office.people["boss"], "orders", "", columns=["sku"], file_format="csv", rows=9)
    TOTPDevice.objects.create(user=agent, name="手机")
    StaticDevice.objects.create(user=agent, name="应急")
    return office


def pages(user: User) -> Iterator[str]:
    yield from ("/admin/", "/admin/login/", "/admin/nothing/", "/admin/password_change/")
    yield reverse("find") + "?q=nothing"
    for model in admin.site._registry:
        yield from pages_of(f"admin:{model._meta.app_label}_{model._meta.model_name}", model, user)
    for case in Case.objects.all() if user.is_superuser else Case.objects.all()[:1]:
        yield reverse("admin:cases_case_change", args=[case.pk])
        for step in allowed(Actor.person(user, "admin"), case):
            yield reverse("admin:cases_case_do", args=[case.pk, step])
    for order in Order.objects.all()[:1]:
        yield reverse("admin:cases_order_open", args=[order.pk])


def pages_of(name: str, model: type[Model], user: User) -> Iterator[str]:
    """The list and a row; whoever may do all sees the forms as well."""
    yield reverse(f"{name}_changelist")
    row = model._default_manager.order_by("pk").first()
    if row is not None:
        yield from (
            reverse(f"{name}_{page}", args=[row.pk])
            for page in (("change", "history", "delete") if user.is_superuser else ("change",))
        )
    for page in ("add", "import", "export") if user.is_superuser else ():
        with suppress(NoReverseMatch):
            yield reverse(f"{name}_{page}")


def data_of_the_office() -> list[str]:
    """What people and sheets entered: codes, numbers, names; they have no language."""
    found: set[str] = set()
    for model, names in (
        (User, ["username"]),
        (Group, ["name"]),
        (Reason, ["code", "name_en"]),
        (RefusalReason, ["code", "name_en"]),
        (SopStep, ["verb", "guidance_en"]),
        (Order, ["order_no", "waybill", "buyer"]),
        (OrderLine, ["sku", "serials"]),
        (Payment, ["number"]),
        (Case, ["case_no"]),
        (Evidence, ["original_name", "mime"]),
    ):
        for row in model.objects.values_list(*names):
            found.update(str(value) for value in row if value)
    found.update(text[:1].upper() + text[1:] for text in list(found))
    found.update(TOTPDevice.objects.values_list("key", flat=True))
    return sorted(found | EVERYWHERE, key=len, reverse=True)


def english_in(html: str, known: re.Pattern[str]) -> set[str]:
    texts = Texts()
    texts.feed(html)
    return {
        text for text in texts.found if not HAN.search(text) and LATIN.search(known.sub(" ", text))
    }


@pytest.mark.parametrize("role", ["boss", *admin_data.ROLES])
def test_no_page_speaks_english_to_a_chinese_reader(office, role):
    known = re.compile("|".join(rf"(?<!\w){re.escape(x)}(?!\w)" for x in data_of_the_office()))
    client = office.client(role)
    found: dict[str, str] = {}
    seen = 0
    for url in pages(office.people[role]):
        response = client.get(url, headers={"accept-language": "zh-CN"})
        assert response.status_code in (200, 302, 403, 404), url
        if response.status_code == 302 or "html" not in response.headers["Content-Type"]:
            continue
        seen += 1
        for text in english_in(response.text, known):
            found.setdefault(text, url)
    assert seen > 20
    assert not found, "\n".join(f"{url}: {text}" for text, url in sorted(found.items()))


def test_a_crawl_would_notice_english():
    known = re.compile("agent")
    page = '<p title="Not this">agent</p><i class="material-symbols-outlined">home</i><b>Oops</b>'
    assert english_in(page, known) == {"Not this", "Oops"}
