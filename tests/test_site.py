"""What holds on every page: health, headers, languages, signing in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from config import first_people
from config.checks import production_shares_its_rows

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def person() -> User:
    return User.objects.create_superuser("mei", password="a long pass phrase")


def sign_in(client, **more):
    form = {"username": "mei", "password": "a long pass phrase", "next": "/admin/", **more}
    return client.post(LOGIN, form)


def test_the_root_leads_to_the_admin(client):
    response = client.get("/", follow=True)

    assert response.redirect_chain == [("/admin/", 302), ("/admin/login/?next=/admin/", 302)]


@override_settings(IS_EMBEDDED_BROKER=True)
def test_health_says_what_answers(client):
    response = client.get("/healthz")

    assert response.status_code == 200
    assert json.loads(response.content)["status"] == "ok"
    assert json.loads(response.content)["broker"] == "memory"


def test_health_is_bad_when_the_broker_does_not_answer(client, a_closed_broker):
    response = client.get("/healthz")

    assert response.status_code == 503
    assert json.loads(response.content)["status"] == "down"
    assert json.loads(response.content)["broker"].startswith("no answer")


@pytest.fixture
def a_closed_broker(settings, monkeypatch):
    """A real Redis address where nobody listens."""
    from celery import Celery  # noqa: PLC0415

    from config import health  # noqa: PLC0415

    settings.IS_EMBEDDED_BROKER = False
    monkeypatch.setattr(health, "app", Celery("nobody", broker="redis://127.0.0.1:1/0"))


def test_the_sign_in_page_is_chinese_and_asks_nobody_else_for_anything(client):
    response = client.get(LOGIN)

    page = response.content.decode()
    assert '<html lang="zh-hans"' in page
    assert "https://" not in page
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "object-src 'none'" in policy
    assert response.headers["X-Frame-Options"] == "DENY"


def test_a_person_may_choose_english(client):
    client.post("/i18n/setlang/", {"language": "en", "next": LOGIN})

    assert '<html lang="en"' in client.get(LOGIN).content.decode()


def test_a_password_is_enough_where_no_second_factor_is_demanded(client, person):
    response = sign_in(client)

    assert (response.status_code, response.url) == (302, "/admin/")


@override_settings(AXES_ENABLED=True, AXES_FAILURE_LIMIT=3)
def test_guessing_passwords_locks_the_name_out(client, person):
    answers = [sign_in(client, password=f"guess {n}").status_code for n in range(3)]

    assert answers == [200, 200, 429]
    assert sign_in(client).status_code == 429


@override_settings(OTP_REQUIRED=True)
def test_a_password_alone_opens_nothing_where_a_second_factor_is_demanded(client, person):
    response = sign_in(client)

    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


@override_settings(OTP_REQUIRED=True)
def test_password_and_code_open_the_door_once(client, person):
    device = StaticDevice.objects.create(user=person, name="paper")
    StaticToken.objects.create(device=device, token="246810")

    response = sign_in(client, code="246810")

    assert (response.status_code, response.url) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200
    client.post("/admin/logout/")
    assert sign_in(client, code="246810").status_code == 200  # a used code is used


@override_settings(OTP_REQUIRED=True)
def test_a_session_without_the_second_factor_is_ended(client, person):
    client.force_login(person)

    response = client.get("/admin/")

    assert (response.status_code, response.url) == (302, "/admin/login/")
    assert "_auth_user_id" not in client.session


def test_first_passwords_work_until_their_owner_changes_them(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    first_people.make_first_supervisor()
    first_people.give_first_passwords()

    (one,) = first_people.sign_ins()
    admin = User.objects.get(username="admin")
    assert admin.check_password(one["password"])
    assert first_people.notebook().stat().st_mode & 0o077 == 0

    admin.set_password("something of my own")
    admin.save()
    assert first_people.sign_ins() == []
    first_people.give_first_passwords()
    assert User.objects.get(username="admin").check_password("something of my own")


def test_the_first_supervisor_is_made_on_an_empty_site_only():
    User.objects.create_user("somebody")

    first_people.make_first_supervisor()

    assert [user.username for user in User.objects.all()] == ["somebody"]


@pytest.mark.parametrize(
    "address",
    [
        "auth/user/",
        "auth/user/add/",
        "auth/group/",
        "auth/group/add/",
        "otp_totp/totpdevice/add/",
        "otp_static/staticdevice/add/",
        "axes/accessattempt/",
    ],
)
def test_pages_of_other_packages_open(client, person, address):
    client.force_login(person)

    assert client.get(f"/admin/{address}").status_code == 200


def test_nobody_edits_what_the_site_wrote_about_failed_sign_ins(client, person):
    client.force_login(person)

    assert client.get("/admin/axes/accessattempt/add/").status_code == 403


def test_production_refuses_a_database_and_a_broker_of_one_machine(settings):
    settings.IS_PRODUCTION, settings.IS_SQLITE, settings.IS_EMBEDDED_BROKER = True, True, True

    assert [fault.id for fault in production_shares_its_rows(None)] == [
        "office.E001",
        "office.E002",
    ]


def test_the_embedded_profile_may_use_both(settings):
    settings.IS_PRODUCTION, settings.IS_SQLITE, settings.IS_EMBEDDED_BROKER = False, True, True

    assert production_shares_its_rows(None) == []


def test_production_demands_what_has_no_safe_default():
    environment = {**os.environ, "PROFILE": "production", "ENV_FILE": os.devnull}
    for name in ("SECRET_KEY", "DATABASE_URL", "BROKER_URL", "ALLOWED_HOSTS"):
        environment.pop(name, None)
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"

    result = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode != 0
    assert "SECRET_KEY, DATABASE_URL, BROKER_URL, ALLOWED_HOSTS" in result.stderr
