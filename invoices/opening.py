"""How red requests and treatments begin."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from cases.flow import beginning
from cases.flow.door import Actor

#: The beginnings, as the timelines name them.
OPENING = {
    "request_red": beginning.opening("request_red", _("Drafted"), "A L F S"),
    "open_treatment": beginning.opening("open_treatment", _("Opened"), "C"),
}


def begin(  # noqa: PLR0913, PLR0917 - a beginning has these and no more
    verb: str,
    actor: Actor,
    row: Any,
    at: datetime,
    inputs: dict[str, Any] | None = None,
    key: str | None = None,
) -> Any:
    """Write a row that is not there yet, with its clock and its first event."""
    return beginning.begin(OPENING[verb], actor, row, at, inputs, key)
