"""Whether every text a person may read is in Chinese: nothing missing, fuzzy, stale or broken.

The sources are extracted again into a temporary copy, so nothing in the tree changes. Needs
GNU gettext (`apt-get install gettext`). English needs no catalogue: the msgids are English.
"""

import gettext
import os
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

ROOMS = ["config", "cases", "promises", "invoices"]
SOURCES = {".py", ".html", ".txt", ".js", ".po"}
VENDOR = "config/vendor_locale"


class Command(BaseCommand):
    help = "Fail where a translation is missing, fuzzy, stale, has wrong placeholders or no .mo."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--locale", action="append", help="default: zh_Hans")

    def handle(self, *args: Any, **options: Any) -> None:
        if not all(shutil.which(tool) for tool in ("xgettext", "msgattrib", "msgfmt")):
            raise CommandError("GNU gettext is needed: apt-get install gettext")
        wrong = []
        for locale in options["locale"] or ["zh_Hans"]:
            with tempfile.TemporaryDirectory() as place:
                copy = Path(place)
                copy_sources(copy)
                extract(copy, locale)
                wrong += list(faults(copy, locale))
        for line in wrong:
            self.stderr.write(line)
        if wrong:
            raise CommandError(
                f"{len(wrong)} faults. To mend: python manage.py makemessages -l zh_Hans, "
                "translate, python manage.py compilemessages"
            )
        self.stdout.write("translations: complete")


def copy_sources(copy: Path) -> None:
    """Our rooms and what is needed to extract from them; every room with a locale folder."""
    root = Path(settings.BASE_DIR)
    shutil.copy(root / "manage.py", copy)
    for room in ROOMS:
        for source in (root / room).rglob("*"):
            if source.suffix in SOURCES and source.is_file():
                target = copy / source.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        (copy / room / "locale").mkdir(exist_ok=True)


def extract(copy: Path, locale: str) -> None:
    """Run makemessages in the copy, for Python and templates and for scripts."""
    environment = {
        **os.environ,
        # Whoever calls may run under settings that are not in the copy.
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VAR_DIR": str(copy / "var"),
        "SECRET_KEY": "only-to-extract",
    }
    for domain in ("django", "djangojs"):
        command = [sys.executable, "manage.py", "makemessages", "-l", locale, "-d", domain]
        # A command of ours on a copy of ours, no shell.
        result = subprocess.run(  # noqa: S603
            [*command, "--no-wrap", "--ignore", "var"],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise CommandError(f"makemessages -d {domain} failed: {result.stderr.strip()}")


def faults(copy: Path, locale: str) -> Iterator[str]:
    root = Path(settings.BASE_DIR)
    for place in [*(f"{room}/locale" for room in ROOMS), VENDOR]:
        for catalogue in sorted((copy / place / locale).rglob("*.po")):
            name = catalogue.relative_to(copy)
            yield from entries(catalogue, name)
            yield from compiled(root / name, name)


def entries(catalogue: Path, name: Path) -> Iterator[str]:
    """Faults among the entries as they are after extracting again."""
    kinds = {"missing": "--untranslated", "fuzzy": "--only-fuzzy", "stale": "--only-obsolete"}
    for kind, option in kinds.items():
        extra = [] if kind == "stale" else ["--no-obsolete"]
        for msgid in msgids(run("msgattrib", option, *extra, "--no-wrap", str(catalogue)).stdout):
            yield f"{name}: {kind}: {msgid}"
    check = run("msgfmt", "--check-format", "--check-domain", "-o", os.devnull, str(catalogue))
    if check.returncode:
        for line in check.stderr.strip().splitlines():
            yield f"{name}: {line.rsplit('/', 1)[-1]}"


def compiled(source: Path, name: Path) -> Iterator[str]:
    """Whether the committed .mo says what the committed .po says."""
    if not source.is_file():
        yield f"{name}: there is no such catalogue yet"
        return
    binary = source.with_suffix(".mo")
    if not binary.is_file():
        yield f"{name}: not compiled"
        return
    with tempfile.NamedTemporaryFile(suffix=".mo") as fresh:
        run("msgfmt", "-o", fresh.name, str(source))
        if catalogue_of(Path(fresh.name)) != catalogue_of(binary):
            yield f"{name}: the compiled .mo is older than the .po"


def catalogue_of(binary: Path) -> dict[Any, str]:
    with binary.open("rb") as file:
        texts = gettext.GNUTranslations(file)
    # The only place where Python keeps what it read; dates in the header do not matter.
    return {key: text for key, text in vars(texts)["_catalog"].items() if key}


def msgids(listing: str) -> Iterator[str]:
    """The msgids of a listing of entries, long ones joined, without the header's empty one."""
    found: list[str] | None = None
    for raw in [*listing.splitlines(), ""]:
        line = raw.removeprefix("#~ ")
        if line.startswith("msgid "):
            found = [line.removeprefix("msgid ").strip('"')]
        elif found is not None and line.startswith('"'):
            found.append(line.strip('"'))
        elif found is not None:
            if text := "".join(found):
                yield text
            found = None


def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [tool, *arguments]
    # GNU gettext on files of ours, no shell.
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
