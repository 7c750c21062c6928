"""A live site in a real Chromium, with somebody who notes everything that goes wrong in it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

from tests.cases import admin_data

# Playwright's own loop runs in this thread; the site's queries run in others.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

PASSWORD = "only-for-the-browser-9"


@dataclass
class Notes:
    """What no page may do."""

    home: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("request", self._request)
        page.on("response", self._response)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(f"{page.url}: {error}"))

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).scheme in ("http", "https", "ws", "wss") and (
            urlsplit(request.url).netloc != self.home
        ):
            self.foreign.append(request.url)

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.errors.append(f"{response.status} {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.blocked.append(message.text)
        elif message.type == "error":
            self.errors.append(f"{message.location.get('url')}: {message.text}")


@pytest.fixture(scope="session")
def base_url() -> str:
    """Each window has the live server's; the plugin's own fixture warns under this pytest."""
    return ""


@pytest.fixture
def office(transactional_db: None) -> admin_data.Office:
    office = admin_data.office()
    for user in (*office.people.values(), office.stranger):
        user.set_password(PASSWORD)
        user.save()
    User.objects.create_superuser("boss", password=PASSWORD)
    return office


@pytest.fixture
def notes(live_server: Any) -> Iterator[Notes]:
    """Shared by all pages of a test; a test ends with empty notes."""
    taken = Notes(urlsplit(live_server.url).netloc)
    yield taken
    assert taken.foreign == []
    assert taken.blocked == []
    assert taken.errors == []


@pytest.fixture
def desk_of(
    live_server: Any, browser: Browser, browser_context_args: dict[str, Any], notes: Notes
) -> Iterator[Callable[..., Page]]:
    """``desk_of(username)``: that person, signed in, in a browser window of his own."""
    contexts = []

    def sign_in(username: str, **options: Any) -> Page:
        context = browser.new_context(
            **{**browser_context_args, "base_url": live_server.url, **options}
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        notes.watch(page)
        page.goto("/admin/login/")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url("**/admin/")
        return page

    yield sign_in
    for context in contexts:
        context.close()
