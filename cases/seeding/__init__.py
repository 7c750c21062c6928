"""The reference data the house starts with, as plain tables, and what writes it."""

from cases.seeding.writer import seed

__all__ = ["seed"]
