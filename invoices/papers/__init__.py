"""The paper of invoices: who holds it, what is endorsed on it, what is printed of it."""
