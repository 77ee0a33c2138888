"""Drawings small enough for a table's cell, in the colour of the text: legible in light and in dark."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT, MARGIN = 84, 22, 2
_SVG = Markup(
    '<svg class="spark" role="img" aria-label="{label}" viewBox="0 0 {width} {height}" '
    'width="{width}" height="{height}">{body}</svg>'
)


def line(values: Sequence[float | None], label: str) -> Markup:
    """Values in order of time, left to right over the cell's width; gaps where nothing is known.

    The last value has a dot. A constant lies in the middle.
    """
    known = [v for v in values if v is not None and math.isfinite(v)]
    if not known:
        return Markup("–")
    low, high = min(known), max(known)
    parts: list[list[str]] = [[]]
    last = ""
    for place, value in enumerate(values):
        if value is None or not math.isfinite(value):
            parts.append([])
            continue
        last = f"{_x(place, len(values))},{_y(value, low, high)}"
        parts[-1].append(last)
    lines = Markup("").join(
        Markup('<polyline points="{}"/>').format(" ".join(part)) for part in parts if len(part) > 1
    )
    x, y = last.split(",")
    dot = Markup('<circle cx="{}" cy="{}" r="1.8"/>').format(x, y)
    return _svg(label, lines + dot)


def bars(counts: Sequence[int], label: str) -> Markup:
    """A histogram: one bar per bin, the highest as high as the cell."""
    top = max(counts, default=0)
    if not top:
        return Markup("–")
    width = (WIDTH - 2 * MARGIN) / len(counts)
    drawn = Markup("").join(
        Markup('<rect x="{}" y="{}" width="{}" height="{}"/>').format(
            _short(MARGIN + n * width),
            _short(HEIGHT - MARGIN - tall),
            _short(width * 0.86),
            _short(tall),
        )
        for n, count in enumerate(counts)
        if (tall := (HEIGHT - 2 * MARGIN) * count / top) > 0
    )
    return _svg(label, drawn)


def _svg(label: str, body: Markup) -> Markup:
    return _SVG.format(label=label, width=WIDTH, height=HEIGHT, body=body)


def _x(place: int, count: int) -> str:
    step = (WIDTH - 2 * MARGIN) / max(count - 1, 1)
    return _short(MARGIN + place * step if count > 1 else WIDTH / 2)


def _y(value: float, low: float, high: float) -> str:
    share = (value - low) / (high - low) if high > low else 0.5
    return _short(HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN))


def _short(value: float) -> str:
    return f"{value:.1f}"
