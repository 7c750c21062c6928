"""Sheets into the database: chunk by chunk, by rules that never let an older export win."""

from cases.sheets.loading.outcomes import Outcome, Result, Sink
from cases.sheets.loading.running import import_file

__all__ = ["Outcome", "Result", "Sink", "import_file"]
