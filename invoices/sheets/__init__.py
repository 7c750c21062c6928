"""Sheets of invoices in and out: ours, Alibaba's, and those of sellers abroad."""
