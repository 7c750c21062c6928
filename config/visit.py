"""A visit to the running site over HTTP, as the start command makes it to be sure it works."""

import http.client
import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from django.conf import settings

TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')


class NotWorking(Exception):
    """The site answered otherwise than it should; the text says how."""


def known_host() -> str:
    """A host name this site answers to."""
    name = next(iter(settings.ALLOWED_HOSTS), "localhost")
    return "localhost" if name == "*" else str(name).lstrip(".")


class Visitor:
    """One browser: keeps cookies, follows redirects, speaks to one address."""

    def __init__(self, url: str) -> None:
        self.url = url
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        # Without the machine's proxies: the site is on this machine.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)

    def fetch(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str, bytes]:
        """Status, final address and body; status 0 where nobody answers."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        headers = {"Referer": self.url + path}
        if settings.IS_PRODUCTION:
            headers["Host"] = known_host()
        request = urllib.request.Request(self.url + path, data, headers)  # noqa: S310 - our own URL
        try:
            with self.opener.open(request, timeout=30) as answer:
                return answer.status, answer.url, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.url or "", error.read()
        except (OSError, http.client.HTTPException):
            return 0, "", b""

    def is_healthy(self) -> bool:
        return self.fetch("/healthz")[0] == 200

    def sign_in(self, username: str, password: str) -> None:
        """Take the sign-in page and pass it; NotWorking otherwise."""
        path = "/admin/login/"
        status, _, page = self.fetch(path)
        token = TOKEN.search(page)
        if status != 200 or token is None:
            raise NotWorking(f"the sign-in page answered {status}")
        form = {
            "csrfmiddlewaretoken": token[1].decode(),
            "username": username,
            "password": password,
            "next": "/admin/",
        }
        status, address, _ = self.fetch(path, form)
        if status != 200 or urllib.parse.urlsplit(address).path != "/admin/":
            raise NotWorking(f"signing in as {username} answered {status} at {address}")
