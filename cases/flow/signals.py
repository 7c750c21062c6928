"""The one signal by which other apps follow a flow without its app importing them."""

from django.dispatch import Signal

#: Sent by the door (sender: the flow's model) inside its transaction, after the rows and the
#: events are written, once per batch with ``moves: list[Move]``. A receiver that raises rolls
#: the whole batch back; the door then splits it to find the one that cannot be done.
transitioned = Signal()
