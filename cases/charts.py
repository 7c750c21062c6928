"""Charts drawn by the server as SVG: lines over time and bars, for pages and reports.

Colours are classes of desk.css on its variables, so dark mode and print follow; a title and a
description are read aloud. A chart never stands alone: the table with its figures is the page's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import ceil, floor, log10
from typing import Final

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH: Final = 760
HEIGHT: Final = 240
#: Room for the figures on the left, the days below, and half a line above.
LEFT, RIGHT, TOP, BOTTOM = 70, 12, 14, 28
_TICKS: Final = 4


@dataclass(frozen=True)
class Line:
    """A value over time; between two points it stays as it was (a balance does not slope).

    ``points``: (time, value), ascending. ``tone``: 0 to 7, a colour of the desk.
    """

    name: str
    points: Sequence[tuple[datetime, Decimal]]
    tone: int = 0


@dataclass(frozen=True)
class Mark:
    """A level to be seen beside the lines, such as a sum that must not be fallen short of."""

    name: str
    value: Decimal


@dataclass(frozen=True)
class _Scale:
    """Values to heights, from ``least`` to ``most`` in round steps."""

    least: float
    most: float
    step: float

    @classmethod
    def over(cls, values: Sequence[Decimal]) -> "_Scale":
        """Round figures about the values; nothing is always among them."""
        low, high = float(min([Decimal(0), *values])), float(max([Decimal(0), *values]))
        if low == high:
            high = 1.0
        rough = (high - low) / _TICKS
        power = 10 ** floor(log10(rough))
        step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= rough * 0.999)
        return cls(floor(low / step) * step, ceil(high / step) * step, step)

    def y(self, value: float | Decimal) -> float:
        part = (float(value) - self.least) / (self.most - self.least)
        return round(TOP + (1 - part) * (HEIGHT - TOP - BOTTOM), 1)

    @property
    def ticks(self) -> list[float]:
        count = round((self.most - self.least) / self.step)
        return [self.least + at * self.step for at in range(count + 1)]


def line_chart(
    name: str,
    title: str,
    description: str,
    lines: Sequence[Line],
    marks: Sequence[Mark] = (),
) -> SafeString:
    """Lines over time as an SVG; empty where there is nothing to draw.

    ``name``: an id that is the only one of the page.
    """
    moments = [at for line in lines for at, _value in line.points]
    if not moments:
        return SafeString("")
    begin, end = min(moments), max(moments)
    if end <= begin:
        begin, end = begin - timedelta(hours=12), end + timedelta(hours=12)
    values = [value for line in lines for _at, value in line.points]
    scale = _Scale.over([*values, *(mark.value for mark in marks)])
    parts = [*_grid(scale), *_days(begin, end)]
    for mark in marks:
        y = scale.y(mark.value)
        parts.append(_rule(y, "sh-mark"))
        parts.append(_word(WIDTH - RIGHT, y - 4, mark.name, "end"))
    for line in lines:
        steps = _steps([(_x(at, begin, end), scale.y(v)) for at, v in line.points], WIDTH - RIGHT)
        parts.append(format_html('<path class="sh-l{}" d="{}"></path>', line.tone, steps))
    return _framed(name, title, description, parts)


def bar_chart(
    name: str, title: str, description: str, bars: Sequence[tuple[str, Decimal]], tone: int = 0
) -> SafeString:
    """A bar for each (name, value) as an SVG; empty where there are none."""
    if not bars:
        return SafeString("")
    scale = _Scale.over([value for _name, value in bars])
    each = (WIDTH - LEFT - RIGHT) / len(bars)
    wide = min(each * 0.7, 64)
    parts = list(_grid(scale))
    for at, (word, value) in enumerate(bars):
        middle = round(LEFT + each * (at + 0.5), 1)
        top, foot = sorted((scale.y(value), scale.y(0)))
        parts.append(
            format_html(
                '<rect class="sh-c{}" x="{}" y="{}" width="{}" height="{}"></rect>',
                *(tone, round(middle - wide / 2, 1), top, round(wide, 1), round(foot - top, 1)),
            )
        )
        parts.append(_word(middle, HEIGHT - 8, word, "middle"))
    return _framed(name, title, description, parts)


def _x(at: datetime, begin: datetime, end: datetime) -> float:
    return round(LEFT + (at - begin) / (end - begin) * (WIDTH - LEFT - RIGHT), 1)


def _steps(points: Sequence[tuple[float, float]], until: float) -> str:
    """A path that stays level until the next point, and on to the edge."""
    (x, y), *_rest = points
    drawn = [f"M{x} {y}"]
    drawn += [f"H{later}V{high}" for (_x, _y), (later, high) in pairwise(points)]
    return "".join([*drawn, f"H{until}"])


def _grid(scale: _Scale) -> Iterator[SafeString]:
    for value in scale.ticks:
        y = scale.y(value)
        yield _rule(y, "")
        digits = 0 if scale.step >= 1 else 2
        yield _word(LEFT - 8, y + 4, f"{value:,.{digits}f}", "end")


def _days(begin: datetime, end: datetime) -> Iterator[SafeString]:
    """Days below, in the office's zone; of short times the hours."""
    shape = "%m-%d %H:%M" if end - begin < timedelta(days=4) else "%Y-%m-%d"
    for part, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        at = begin + (end - begin) * part
        local = timezone.localtime(at)
        yield _word(_x(at, begin, end), HEIGHT - 8, local.strftime(shape), anchor)


def _rule(y: float, name: str) -> SafeString:
    shape = '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"></line>'
    return format_html(shape, name, LEFT, WIDTH - RIGHT, y, y)


def _word(x: float, y: float, text: str, anchor: str) -> SafeString:
    shape = '<text x="{}" y="{}" text-anchor="{}">{}</text>'
    return format_html(shape, x, y, anchor, text)


def _framed(name: str, title: str, description: str, parts: Sequence[SafeString]) -> SafeString:
    return format_html(
        '<svg class="sh-chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-t {}-d">'
        '<title id="{}-t">{}</title><desc id="{}-d">{}</desc>{}</svg>',
        *(WIDTH, HEIGHT, name, name, name, title, name, description),
        format_html_join("", "{}", ((part,) for part in parts)),
    )
