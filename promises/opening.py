"""How claims and duties begin: row, clock and first event in the caller's transaction."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from cases.flow import beginning
from cases.flow.door import Actor

#: The beginnings, as the timelines name them.
OPENING = {
    "file_claim": beginning.opening("file_claim", _("Filed"), "A L P"),
    "open_duty": beginning.opening("open_duty", _("Notified"), "C"),
}


def begin(  # noqa: PLR0913, PLR0917 - a beginning has these and no more
    verb: str,
    actor: Actor,
    row: Any,
    at: datetime,
    inputs: dict[str, Any] | None = None,
    key: str | None = None,
) -> Any:
    """Write a row that is not there yet, with its clock, its first event and what follows."""
    return beginning.begin(OPENING[verb], actor, row, at, inputs, key)
