"""Promises in the admin: the queue of claims, deposits with their statements, payouts, terms."""

from promises.admin import claims, deposits, payouts, statements, terms

__all__ = ["claims", "deposits", "payouts", "statements", "terms"]
