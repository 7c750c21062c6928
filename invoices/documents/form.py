"""One printed form for all papers of ours: what stands on it, as plain data.

The makers of the four printouts (invoices.papers.printing) fill it in; drawing it is in sheet.py.
"""

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Final

#: Sizes of paper in millimetres, width by height.
A5_ACROSS: Final = (210.0, 148.0)
A4: Final = (210.0, 297.0)


@dataclass(frozen=True)
class Column:
    """A column of the table: its name, its width in parts of the whole, and its side."""

    name: str
    parts: float
    right: bool = False


@dataclass(frozen=True)
class Stage:
    """One place on the way of a paper; ``here``: it is there now, ``passed``: it was there."""

    name: str
    here: bool = False
    passed: bool = False


@dataclass(frozen=True)
class Form:
    """One paper. ``number`` is printed as Code 128, ``link`` as QR; every amount is text already.

    ``facts``: (name, value) in two columns. ``total``: the cells of the table's last row.
    ``in_words``: (name, amount in capital numerals) under the table.
    """

    title: str
    number: str
    shop: str
    mark: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    total: tuple[str, ...] = ()
    in_words: tuple[str, str] | None = None
    stages: tuple[Stage, ...] = ()
    stages_note: str = ""
    text: str = ""
    signatures: tuple[str, ...] = ()
    link: str = ""
    link_note: str = ""
    foot: str = ""
    size: tuple[float, float] = field(default=A5_ACROSS)


def texts(value: Any) -> list[str]:
    """Every text of a form, to be looked through before anything is drawn."""
    if isinstance(value, str):
        return [value]
    if is_dataclass(value):
        return [t for f in fields(value) for t in texts(getattr(value, f.name))]
    if isinstance(value, tuple):
        return [t for part in value for t in texts(part)]
    return []
