"""Rates of groups beside each other, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from countersign.reports import plots

MOST = 30


def rates(column: str, rows: Sequence[Mapping[str, Any]], words: str) -> str:
    """The rate of each group with its 95 % interval, highest on top; groups that are not judged in grey.

    Of more than thirty groups, the largest are drawn.
    """
    known = [row for row in rows if row["selection_rate"]["value"] is not None]
    largest = sorted(known, key=lambda row: -row["n"])[:MOST]
    shown = sorted(largest, key=lambda row: row["selection_rate"]["value"])
    drawing = plots.Drawing(
        f"{words} by {column}, with 95 % intervals", width=7, height=0.9 + 0.26 * len(shown)
    )
    with drawing as axes:
        for place, row in enumerate(shown):
            found = row["selection_rate"]
            value, colour = found["value"], plots.BLUE if row["judged"] else plots.GREY
            below, above = (
                max(0.0, each) for each in (value - found["low"], found["high"] - value)
            )
            axes.errorbar(
                [value], [place], xerr=[[below], [above]], color=colour, marker="o", markersize=5,
                linewidth=1.4, capsize=2,
            )  # fmt: skip
        names = [f"{row['value']} ({row['n']:,})" for row in shown]
        axes.set_yticks(range(len(shown)), names)
        axes.set_ylim(-0.6, len(shown) - 0.4)
        # A group too small to judge must not squeeze the others: its interval may leave the picture.
        judged = [row["selection_rate"]["high"] for row in shown if row["judged"]]
        values = [row["selection_rate"]["value"] for row in shown]
        highest = max(
            [*judged, *values] if judged else [r["selection_rate"]["high"] for r in shown]
        )
        axes.set_xlim(-0.01 * highest, 1.08 * highest if highest else 1.0)
        axes.set_xlabel(f"{words}, share of the group's rows")
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
    return drawing.svg
