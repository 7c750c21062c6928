"""Column names, compared the way people mean them."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_NOTHING = re.compile("[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")
_UNNAMED = re.compile(r"\(\d+\)\Z")
#: What people write behind a name without changing what it means.
_TAIL = re.compile(
    r"(?:\((?:单位[:]?)?(?:元|件|个|人民币|rmb|cny|yuan|pcs|必填|选填|required|optional)\)"
    r"|\[(?:元|件|个)\]|[/_](?:元|件|个)|[:])+\Z"
)
_JOINTS = re.compile(r"[_.]")

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


@lru_cache(maxsize=4096)
def loose(name: str) -> str:
    """As people shorten it: `商品总价(元)` is also `商品总价`, and `order_no` is `Order No.`."""
    plain = normal(name)
    return _JOINTS.sub("", _TAIL.sub("", plain)) or plain


def duplicates(names: Sequence[str]) -> dict[str, list[int]]:
    """The positions of each name that stands more than once."""
    seen: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        if name:
            seen.setdefault(normal(name), []).append(position)
    return {name: positions for name, positions in seen.items() if len(positions) > 1}
