"""Drawings of a model of classes: every class in its own colour and line, so that neither alone must tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from countersign.reports import plots

COLOURS = ("#1f5fa8", "#c75b12", "#1b6b34", "#7b3fa0", "#a1221b", "#7a5c00", "#00707a", "#5a6675")
LINES = ("-", "--", "-.", ":")
_WIDE = 16


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    """Counts, row the truth and column the choice, shaded by their share of the true class."""
    size = len(classes)
    right = sum(counts[n][n] for n in range(size))
    every = sum(map(sum, counts))
    drawing = plots.Drawing(
        f"Confusion matrix of {size} classes: {right} of {every} rows on the diagonal",
        width=max(4.6, 1.9 + 0.72 * size), height=max(3.4, 1.5 + 0.5 * size),
    )  # fmt: skip
    with drawing as axes:
        shares = [[cell / max(sum(row), 1) for cell in row] for row in counts]
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1.25, edgecolors="white", linewidth=2)
        axes.invert_yaxis()
        for y, row in enumerate(counts):
            for x, cell in enumerate(row):
                ink = "white" if shares[y][x] > 0.6 else "#1c2430"
                axes.text(x + 0.5, y + 0.5, f"{cell:,}", ha="center", va="center", color=ink)
        places = [n + 0.5 for n in range(size)]
        axes.set_xticks(places, classes, rotation=30, ha="right", rotation_mode="anchor")
        axes.set_yticks(places, classes)
        axes.set(xlabel="Likeliest class", ylabel="Truth")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    return drawing.svg


def roc(curves: Mapping[str, Sequence[Any]], areas: Mapping[str, float | None]) -> str:
    """The ROC curve of each class against the rest."""
    drawing = plots.Drawing(
        "ROC curve of each class against the rest", height=3.2 + 0.16 * len(curves)
    )
    with drawing as axes:
        axes.plot([0, 1], [0, 1], color=plots.GREY, linestyle="--", linewidth=1)
        _lines(axes, curves, {n: f"{n}, {_short(area)}" for n, area in areas.items()})
        axes.set(xlabel="False positive rate", ylabel="Recall", xlim=(-0.01, 1), ylim=(0, 1.02))
        _legend(axes)
    return drawing.svg


def precision_recall(curves: Mapping[str, Sequence[Any]]) -> str:
    """Precision against recall of each class."""
    drawing = plots.Drawing(
        "Precision against recall of each class", height=3.2 + 0.16 * len(curves)
    )
    with drawing as axes:
        _lines(axes, curves, {name: name for name in curves})
        axes.set(xlabel="Recall", ylabel="Precision", xlim=(0, 1.01), ylim=(0, 1.02))
        _legend(axes)
    return drawing.svg


def _lines(axes: Any, curves: Mapping[str, Sequence[Any]], labels: Mapping[str, str]) -> None:
    for n, (name, points) in enumerate(curves.items()):
        if points:
            axes.plot(
                [p[0] for p in points], [p[1] for p in points], color=COLOURS[n % len(COLOURS)],
                linestyle=LINES[n % len(LINES)], linewidth=1.6, label=labels[name],
            )  # fmt: skip


def _legend(axes: Any) -> None:
    longest = max((len(name) for name in axes.get_legend_handles_labels()[1]), default=0)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=1 if longest > _WIDE else 2,
        borderaxespad=0.2, columnspacing=1.2, handlelength=2.2,
    )  # fmt: skip


def _short(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
