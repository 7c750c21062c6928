"""Invoices in the admin: the list with its queues, an invoice's page, a page per act, policies."""

from cases import panels
from invoices.admin import (
    credits,
    custody,
    documents,
    endorsements,
    invoices,
    policies,
    treatments,
)
from invoices.admin.elsewhere import of_case, of_order

panels.OF_CASE.append(of_case)
panels.OF_ORDER.append(of_order)

__all__ = ["credits", "custody", "documents", "endorsements", "invoices", "policies", "treatments"]
