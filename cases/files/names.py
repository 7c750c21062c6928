"""Names of kept files: random on the disk, harmless on the screen."""

import re
import secrets
import unicodedata

LONGEST = 80


def random_name(extension: str) -> str:
    """A name nobody can guess, which keeps nothing of the name that came in."""
    return f"{secrets.token_hex(16)}.{extension}"


def shown_name(name: str, extension: str) -> str:
    """The sender's name for the file, fit to be shown and to be saved under.

    Without folders, control and direction characters, and with the extension of what it is.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    readable = "".join(
        character if character.isprintable() and character not in '<>:"|?*;' else " "
        for character in last
    )
    stem = readable.rpartition(".")[0] if "." in readable[1:] else readable
    stem = " ".join(stem.split())[:LONGEST].strip(". ")
    return f"{stem or 'file'}.{extension}"
