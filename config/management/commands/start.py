"""Bring the whole office up: database, reference data, demo, web, worker and clock."""

import importlib
import io
import json
import os
import socket
import time
from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, call_command
from django.db import connection
from django.utils.translation import gettext as _

from cases.models import Case, Order
from config import first_people
from config.processes import Broken, Office, free_port, is_free, stop_signals
from config.visit import NotWorking, Visitor

PATIENCE = 90  # seconds until the site must answer


class Command(BaseCommand):
    help = "Prepare everything and run the site until Ctrl-C; run again, it goes on."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, help="default: 8000; with --once a free one")
        parser.add_argument(
            "--demo",
            action=BooleanOptionalAction,
            default=not settings.IS_PRODUCTION,
            help="fill an empty office with a demonstration",
        )
        parser.add_argument("--once", action="store_true", help="check the site, print JSON, stop")

    def handle(self, *args: Any, **options: Any) -> None:
        host, once = options["host"], options["once"]
        port = options["port"] or (free_port(host) if once else 8000)
        if not is_free(host, port):
            self.refuse_port(host, port)
        try:
            self.prepare(demo=options["demo"])
        except KeyboardInterrupt as stopped:
            self.say(_("Stopped. Started again, it goes on from here."))
            raise SystemExit(130) from stopped
        office = Office(host, port, environment_for(host))
        with stop_signals(office):
            try:
                office.start()
                self.run(office, site_url(host, port), once=once)
            except (Broken, NotWorking) as fault:
                self.say(_("The site does not work: %s") % fault)
                raise SystemExit(1) from fault
            finally:
                office.stop()

    def say(self, text: str) -> None:
        self.stderr.write(text, str)  # progress, not an error: in no colour
        self.stderr.flush()

    def refuse_port(self, host: str, port: int) -> None:
        text = _(
            "Port %(port)d on %(host)s is taken by another program. Stop that one, or take "
            "another port: python3 manage.py start --port %(other)d"
        ) % {"port": port, "host": host, "other": port + 1}
        self.say(text)
        self.stdout.write(json.dumps({"refused": text, "code": "bad_value"}, ensure_ascii=False))
        raise SystemExit(2)

    def prepare(self, *, demo: bool) -> None:
        self.say(_("Preparing the database …"))
        call_command("migrate", verbosity=0, interactive=False)
        call_command("seed", stdout=io.StringIO())
        is_new = not first_people.notebook().is_file()
        if demo and not Order.objects.exists():
            is_new = True
            self.say(_("Loading the demonstration (about a minute) …"))
            # Only when asked for: its generators are no part of a real site.
            importlib.import_module("config.demo.load").load()
        if not settings.IS_PRODUCTION:
            first_people.make_first_supervisor()
            if is_new:  # later, an account without a password was made so on purpose
                first_people.give_first_passwords()
        if not settings.DEBUG:
            call_command("collectstatic", verbosity=0, interactive=False)
        connection.close()  # no connection of ours is shared with the processes to come

    def run(self, office: Office, url: str, *, once: bool) -> None:
        self.say(_("Starting web, worker and clock …"))
        visitor = Visitor(url)
        deadline = time.monotonic() + PATIENCE
        while not (office.is_worker_ready() and visitor.is_healthy()):
            office.tend()
            if office.stopping:
                return
            if time.monotonic() > deadline:
                raise NotWorking(_("no answer after %d seconds") % PATIENCE)
            time.sleep(0.2)
        if once:
            self.try_out(visitor)
            return
        self.welcome(url)
        while not office.stopping:
            office.tend()
            time.sleep(0.3)
        self.say(_("Stopping …"))

    def try_out(self, visitor: Visitor) -> None:
        known = first_people.sign_ins() if not settings.IS_PRODUCTION else []
        for one in known:
            visitor_of_one = Visitor(visitor.url)
            visitor_of_one.sign_in(one["username"], one["password"])
        broker = "memory" if settings.IS_EMBEDDED_BROKER else settings.BROKER_URL.split(":")[0]
        found = {
            "url": f"{visitor.url}/admin/",
            "users": known,
            "database": connection.vendor,
            "broker": broker,
            "cases": Case.objects.count(),
            "orders": Order.objects.count(),
        }
        connection.close()
        self.stdout.write(json.dumps(found, ensure_ascii=False))
        self.stdout.flush()

    def welcome(self, url: str) -> None:
        lines = ["", _("The office is open: %s") % f"{url}/admin/"]
        if not settings.IS_PRODUCTION:
            lines += [
                _("Sign in as %(username)s with %(password)s  %(roles)s") % one
                for one in first_people.sign_ins()
            ]
            connection.close()
        lines += [_("Ctrl-C stops everything. Started again, it goes on with what is there."), ""]
        self.say("\n".join(lines))


def site_url(host: str, port: int) -> str:
    """The address a person on this machine opens."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def environment_for(host: str) -> dict[str, str]:
    """The processes' environment; a site opened to the network answers to this machine's names."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    is_local = host in settings.ALLOWED_HOSTS or host == "::1"
    if is_local or settings.IS_PRODUCTION or "ALLOWED_HOSTS" in os.environ:
        return environment
    name = socket.gethostname()
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
    except socket.gaierror:
        addresses = set()
    names = [*settings.ALLOWED_HOSTS, host, name, *sorted(a for a in addresses if ":" not in a)]
    return {**environment, "ALLOWED_HOSTS": ",".join(names)}
