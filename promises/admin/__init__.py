"""Promises in the admin: the queue of claims, deposits with their statements, payouts, terms."""

from promises.admin import claims, deposits, payouts, terms

__all__ = ["claims", "deposits", "payouts", "terms"]
