"""Promises in the admin: claims, broken promises found by themselves, deposits, terms."""

from promises.admin import breaches, claims, deposits, panels, terms

__all__ = ["breaches", "claims", "deposits", "panels", "terms"]
