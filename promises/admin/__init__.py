"""Promises in the admin: the queue of claims, deposits with their statements, terms."""

from promises.admin import claims, deposits, terms

__all__ = ["claims", "deposits", "terms"]
