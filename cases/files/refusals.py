"""The refusal of a file, in words that say what to do instead."""

from cases.flow.door import Refused

MEGABYTE = 1024 * 1024


class FileRefused(Refused):
    """A file that is not taken in; the message is for the person who sent it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code)
