"""The desk: every page of the trunk in the admin, drawn by django-unfold."""

from cases.admin import cases, exports, mappings, orders, reconciliation, records, reference

__all__ = ["cases", "exports", "mappings", "orders", "reconciliation", "records", "reference"]
