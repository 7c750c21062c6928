"""SQLite's one writer at a time, over all processes of the host: who waits is woken in his turn.

SQLite itself lets waiters sleep up to a tenth of a second between two looks at its lock. Beside an
import that writes chunk after chunk they missed the gaps: a note took seconds.
"""

import os
import sys
import threading
import time
from pathlib import Path

from django.db import connection

if sys.platform != "win32":
    import fcntl


class OneWriter:
    """``with``: in line among the threads, then among the processes; a killed one leaves it."""

    def __init__(self) -> None:
        self._threads = threading.Lock()
        self._turn: int | None = None

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            self._turn = self._queue()
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, *_error: object) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            os.close(turn)
        self._threads.release()

    @staticmethod
    def _queue() -> int | None:
        """Opened anew each time: a forked process would share the turn of its parent."""
        if sys.platform == "win32":  # no such locks: SQLite's own waiting must do
            return None
        database = str(connection.settings_dict["NAME"])
        if not Path(database).is_file():  # one that lives in memory has one process
            return None
        turn = os.open(f"{database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.pwrite(turn, b"w", 0)  # tells whoever writes on and on that he is not alone
            fcntl.flock(turn, fcntl.LOCK_EX)
        return turn


def has_company(seconds: float) -> bool:
    """Whether a process had to wait for its turn within the last ``seconds``."""
    try:
        mark = Path(f"{connection.settings_dict['NAME']}-turn").stat()
    except FileNotFoundError:
        return False
    return bool(mark.st_size) and time.time() - mark.st_mtime < seconds
