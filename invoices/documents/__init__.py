"""Printouts as PDF: plain data in (Form), bytes out (write); nothing here asks the database."""

from invoices.documents.fonts import MissingGlyph
from invoices.documents.form import A4, A5_ACROSS, Column, Form, Stage
from invoices.documents.sheet import write

__all__ = ["A4", "A5_ACROSS", "Column", "Form", "MissingGlyph", "Stage", "write"]
