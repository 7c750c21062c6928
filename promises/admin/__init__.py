"""Promises in the admin: claims, broken promises found by themselves, deposits, payouts, terms."""

from promises.admin import breaches, claims, deposits, panels, payouts, statements, terms

__all__ = ["breaches", "claims", "deposits", "panels", "payouts", "statements", "terms"]
