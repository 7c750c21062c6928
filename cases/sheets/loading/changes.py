"""What an update changes, field by field, as the preview tells it; personal data is masked."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from cases import privacy

Change = tuple[str, str, str]
Values = Mapping[str, Any]

#: Sheets, and so their previews, tell times in the platforms' own zone.
_ZONE: Final = ZoneInfo("Asia/Shanghai")
_MASKS: Final = {
    "buyer": privacy.mask_name,
    "receiver": privacy.mask_name,
    "phone": privacy.mask_phone,
    "address": privacy.mask_address,
}
#: Columns for the machine, and what a sheet says beside our fields.
_UNTOLD: Final = frozenset({"facts_hash", "phone_hash", "phone_tail", "has_lines", "extra"})


def differences(before: Values | None, after: Values, prefix: str = "") -> Iterator[Change]:
    """Each field that is not as it was: (field, old, new) in words; new where nothing was."""
    for name, value in after.items():
        old = before.get(name) if before is not None else None
        if name not in _UNTOLD and old != value and (before is not None or value):
            mask = _MASKS.get(name, str)
            yield prefix + name, mask(shown(old)), mask(shown(value))


def of_lines(before: Sequence[Values], after: Sequence[Values]) -> Iterator[Change]:
    """Of the lines of an order; the field is ``lines.NUMBER.field``."""
    for at, line in enumerate(after):
        was = before[at] if at < len(before) else None
        if was != line:
            yield from differences(was, line, f"lines.{line['line_no']}.")


def shown(value: Any) -> str:
    """A value as a person reads it; nothing where there is none."""
    if value is None or value == "":
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(_ZONE):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)
