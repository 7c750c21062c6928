"""What reading a file may leave behind and must not: processes that read, or are dead."""

import os
from pathlib import Path

READERS = (b"sheets/child.py", b"files/pdf_guard.py")


def readers_left() -> list[int]:
    """Our child processes that read files, zombies too; none where there is no /proc."""
    left = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            said = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
        reads = any(reader in command for reader in READERS)
        if int(said[1]) == os.getpid() and (reads or said[0] == "Z"):
            left.append(int(folder.name))
    return left
