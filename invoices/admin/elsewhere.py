"""What invoices show on the pages of a case and an order."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from cases.admin.scope import sees_money
from cases.looks import countdown, moment, now_of, yuan_text
from cases.models import Case, Order
from cases.panels import Panel
from invoices.admin.looks import blue_label, treatment_label
from invoices.models import Treatment
from invoices.showing import note_for


def of_case(request: HttpRequest, case: Case) -> list[Panel]:
    """The treatments a case has opened, or why there is none."""
    if not request.user.has_perm("invoices.view_treatment"):
        return []
    rows = list(case.treatments.select_related("invoice").order_by("-pk"))
    note = None if rows else note_for(case)
    if not rows and note is None:
        return []
    treatments = [_treatment(row, request) for row in rows]
    return [Panel("invoices/of_case.html", {"treatments": treatments, "note": note})]


def _treatment(row: Treatment, request: HttpRequest) -> dict[str, Any]:
    return {
        "row": row,
        "state": treatment_label(row),
        "countdown": countdown(row.due_at, now_of(request)) if row.due_at else "",
    }


def of_order(request: HttpRequest, order: Order) -> list[Panel]:
    """The order's invoices, and a button for another."""
    if not request.user.has_perm("invoices.view_invoice"):
        return []
    money = sees_money(request.user)
    rows = order.invoices.select_related("standing").order_by("issued_at", "pk")
    invoices = [
        (row, blue_label(row), yuan_text(row.gross) if money else "", moment(row.issued_at))
        for row in rows
    ]
    may_issue = request.user.has_perm("invoices.issue_invoice")
    issue = reverse("admin:invoices_invoice_issue", args=[order.pk]) if may_issue else ""
    if not invoices and not issue:
        return []
    return [Panel("invoices/of_order.html", {"invoices": invoices, "issue": issue})]
