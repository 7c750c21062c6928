"""Column names, compared the way people mean them."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_NOTHING = re.compile("[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")
_UNNAMED = re.compile(r"\(\d+\)\Z")
_UNIT = re.compile(r"\((?:元|件|个|人民币|rmb|cny)\)\Z")

#: The columns our own error workbook adds; they are read as no columns at all.
ERROR_COLUMNS = frozenset({"行号", "错误"})


@lru_cache(maxsize=4096)
def normal(name: str) -> str:
    """Compared after NFKC, without blanks and marks of "required", case-folded, ASCII brackets."""
    plain = unicodedata.normalize("NFKC", name)
    plain = _NOTHING.sub("", plain).casefold().strip("*'\"")
    return plain.replace("【", "[").replace("】", "]").replace("〔", "(").replace("〕", ")")


def is_unnamed(name: str) -> bool:
    """The reader calls a column without a header by its number in brackets."""
    return bool(_UNNAMED.match(name))


def without_unit(name: str) -> str:
    """`商品总价(元)` also answers to `商品总价`."""
    return _UNIT.sub("", normal(name))


def duplicates(names: Sequence[str]) -> dict[str, list[int]]:
    """The positions of each name that stands more than once."""
    seen: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        if name:
            seen.setdefault(normal(name), []).append(position)
    return {name: positions for name, positions in seen.items() if len(positions) > 1}
