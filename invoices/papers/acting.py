"""What every act on a paper or an endorsement has in common: said once, whoever repeats it."""

from typing import Any

from django.utils.translation import gettext as _

from cases.flow.door import Refused
from cases.flow.events import digest_of, plain
from invoices.verbs import check_right, in_one_go, time_of

__all__ = ["check_right", "in_one_go", "said_before", "time_of"]


def said_before(rows: Any, key: str | None, verb: str, inputs: dict[str, Any]) -> tuple[Any, str]:
    """(the row that bears the key already, digest of this act); refused where it was another."""
    digest = digest_of(verb, plain(inputs))
    known = rows.filter(key=key).first() if key else None
    if known is not None and known.digest != digest:
        raise Refused(
            _("The key %(key)s was used for another act (%(verb)s). Take a new key.")
            % {"key": key, "verb": verb},
            "key_reused",
        )
    return known, digest
