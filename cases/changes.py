"""How other apps hear that facts of orders have changed, without cases importing them."""

from django.dispatch import Signal

#: Sent inside the transaction that has written orders, their lines or payments, with
#: ``order_ids: list[int]``. A receiver that raises rolls the writing back.
orders_changed = Signal()
