"""Evidence pictures for the demo, drawn in code: a parcel, and what is wrong with the goods."""

import io
import random

from PIL import Image, ImageDraw, ImageFont

SIZE = (800, 600)
Point = tuple[int, int]


def _box(draw: ImageDraw.ImageDraw) -> None:
    """A cardboard box with tape and a label."""
    draw.polygon([(180, 230), (400, 160), (620, 230), (400, 310)], fill="#d8b27a")
    draw.polygon([(180, 230), (400, 310), (400, 520), (180, 430)], fill="#c0935a")
    draw.polygon([(620, 230), (400, 310), (400, 520), (620, 430)], fill="#a97c46")
    draw.polygon([(280, 198), (310, 189), (530, 262), (500, 273)], fill="#e9d9b5")
    draw.polygon([(445, 330), (570, 285), (570, 360), (445, 412)], fill="#f7f7f2")


def _label(draw: ImageDraw.ImageDraw, dice: random.Random, number: str) -> None:
    """A bar code, and the number under it."""
    x = 452
    while x < 560:
        width = dice.choice((1, 2, 3, 4))
        top = 332 - (x - 452) * 36 // 100
        draw.rectangle((x, top, x + width, top + 40), fill="#222222")
        x += width + dice.choice((2, 3, 4))
    draw.text((24, 548), number, fill="#303030", font=ImageFont.load_default(26))


def _crack(draw: ImageDraw.ImageDraw, dice: random.Random) -> None:
    """A jagged break across the front, ringed as people ring it on their phones."""
    at: Point = (dice.randint(200, 240), dice.randint(300, 330))
    points = [at]
    for _ in range(7):
        at = (at[0] + dice.randint(12, 26), at[1] + dice.randint(-30, 42))
        points.append(at)
    draw.line(points, fill="#2b1a0c", width=5, joint="curve")
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    ring = (min(xs) - 34, min(ys) - 34, max(xs) + 34, max(ys) + 34)
    draw.ellipse(ring, outline="#d5281f", width=6)


def picture(number: str, *, damaged: bool = True) -> bytes:
    """A JPEG that belongs to `number`: the same number gives the same picture."""
    # Drawn the same again for the same number; nothing here is a secret.
    dice = random.Random(number)  # noqa: S311
    shade = dice.randint(196, 226)
    image = Image.new("RGB", SIZE, (shade, shade, shade - 8))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 430, *SIZE), fill=(shade - 40, shade - 48, shade - 60))
    _box(draw)
    _label(draw, dice, number)
    if damaged:
        _crack(draw, dice)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82)
    return out.getvalue()
