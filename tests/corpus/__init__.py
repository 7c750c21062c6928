"""Damaged and hostile files, each with the answer it must get; `python -m tests.corpus FOLDER`."""

from tests.corpus import books, oldbooks, papers, pictures, texts
from tests.corpus.kinds import EVIDENCE, SHEETS, Kind

__all__ = ["EVIDENCE", "SHEETS", "Kind", "books", "oldbooks", "papers", "pictures", "texts"]
