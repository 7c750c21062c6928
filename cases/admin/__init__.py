"""The desk: every page of the trunk in the admin, drawn by django-unfold."""

from cases.admin import cases, orders, records, reference

__all__ = ["cases", "orders", "records", "reference"]
