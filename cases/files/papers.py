"""PDF: taken as it is when it is only paper, refused when it can act or hides something."""

import json
import os
import subprocess
import sys
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.files.refusals import FileRefused

WALL_SECONDS = 25
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG")

_SAVE_ANEW = gettext_lazy(
    "Print it to a new PDF (Print, then “Save as PDF”) and send that, or send a picture of it."
)
_SAID = {
    "encrypted": gettext_lazy("This PDF is protected by a password."),
    "active_content": gettext_lazy("This PDF contains a program, a form or an attached file."),
    "damaged": gettext_lazy("This PDF is damaged or incomplete."),
    "too_complicated": gettext_lazy("This PDF is too complicated to be checked."),
}


def check(content: bytes) -> None:
    """Refuse a PDF that is locked, broken, or more than paper.

    It is read in a process of its own: a PDF made to harm can keep a reader busy for hours and
    eat all memory, and no thread can be stopped.
    """
    guard = Path(__file__).with_name("pdf_guard.py")
    try:
        done = subprocess.run(  # noqa: S603 - our own script; the file comes on standard input
            [sys.executable, "-I", "-W", "ignore", str(guard)],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Our secrets stand in the environment; a reader of strangers' files needs none.
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _refusal("too_complicated") from None
    if done.returncode:
        # Killed at its limit of time or memory.
        raise _refusal("too_complicated")
    code = json.loads(done.stdout)["code"]
    if code:
        raise _refusal(code)


def _refusal(code: str) -> FileRefused:
    return FileRefused(code, _("%(what)s %(remedy)s") % {"what": _SAID[code], "remedy": _SAVE_ANEW})
