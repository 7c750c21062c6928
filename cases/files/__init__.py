"""Files people upload: what may come in, cleaned, and how it is handed out again.

The content alone decides what a file is; its name and the browser's word for it are ignored.
"""

from cases.files.intake import SafeFile, inspect
from cases.files.names import random_name, shown_name
from cases.files.outlet import Kept, response_for
from cases.files.refusals import FileRefused

__all__ = [
    "FileRefused",
    "Kept",
    "SafeFile",
    "inspect",
    "random_name",
    "response_for",
    "shown_name",
]
