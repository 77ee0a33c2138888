"""Drawings as inline SVG: text stays text, nothing random, every drawing described in words."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

BLUE, ORANGE, GREY, GREEN, RED = "#1f5fa8", "#c75b12", "#7a8594", "#1b6b34", "#a1221b"
PALE = "#c9d6e8"
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "countersign",
    # A group called $x^$ is a name and no formula.
    "text.parse_math": False,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa4b1",
    "axes.labelcolor": "#3a4553",
    "xtick.color": "#5a6675",
    "ytick.color": "#5a6675",
    "axes.grid": True,
    "grid.color": "#e6eaef",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


class Drawing:
    """One figure with one pair of axes. Use it as a context; `svg` is the result."""

    def __init__(self, label: str, *, width: float = 4.6, height: float = 3.2) -> None:
        self.label = label
        self.size = (width, height)
        self.svg = ""

    def __enter__(self) -> Any:
        import matplotlib as mpl
        from matplotlib.figure import Figure

        self._style = mpl.rc_context(_STYLE)
        self._style.__enter__()
        self._figure = Figure(figsize=self.size)
        return self._figure.subplots()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if kind is None:
                self.svg = self._draw()
        finally:
            self._style.__exit__(kind, error, trace)

    def _draw(self) -> str:
        buffer = io.StringIO()
        self._figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        text = buffer.getvalue()
        return text[text.index("<svg") :].replace(
            "<svg ", f'<svg role="img" aria-label="{escape(self.label)}" ', 1
        )


def roc(points: Sequence[Sequence[float]], auc: float | None) -> str:
    """The ROC curve, with the diagonal of guessing."""
    drawing = Drawing(f"ROC curve, area {_short(auc)}")
    with drawing as axes:
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="guessing")
        axes.plot(*_columns(points), color=BLUE, linewidth=2, label=f"model, area {_short(auc)}")
        axes.set(xlabel="False positive rate", ylabel="Recall", xlim=(-0.01, 1), ylim=(0, 1.02))
        _legend_above(axes)
    return drawing.svg


def precision_recall(
    points: Sequence[Sequence[float]], average: float | None, base: float | None
) -> str:
    """Precision against recall, with the rate that picking at random would give."""
    drawing = Drawing(f"Precision against recall, average precision {_short(average)}")
    with drawing as axes:
        if base is not None:
            axes.axhline(base, color=GREY, linestyle="--", linewidth=1, label="at random")
        axes.plot(
            *_columns(points), color=BLUE, linewidth=2, drawstyle="steps-post",
            label="model" if average is None else f"model, average {average:.3f}",
        )  # fmt: skip
        axes.set(xlabel="Recall", ylabel="Precision", xlim=(0, 1.01), ylim=(0, 1.02))
        _legend_above(axes)
    return drawing.svg


def calibration(bins: Sequence[Mapping[str, Any]], *, of: str = "") -> str:
    """Observed rate against mean score, with 95 % intervals; `of` names the class."""
    drawing = Drawing(
        f"Calibration{f' of {of}' if of else ''}: observed rate against mean score, by groups of equal size"
    )
    with drawing as axes:
        scores, rates = [b["mean_score"] for b in bins], [b["rate"] for b in bins]
        below = [b["rate"] - b["rate_low"] for b in bins]
        above = [b["rate_high"] - b["rate"] for b in bins]
        top = min(1.0, 1.05 * max([*scores, *(b["rate_high"] for b in bins)], default=1.0))
        axes.plot([0, top], [0, top], color=GREY, linestyle="--", linewidth=1, label="perfect")
        axes.errorbar(
            scores, rates, yerr=[below, above], color=BLUE, marker="o", markersize=4,
            linewidth=1.4, capsize=2, label="observed",
        )  # fmt: skip
        axes.set(xlabel="Mean score", ylabel="Observed rate", xlim=(0, top), ylim=(0, top))
        _legend_above(axes)
    return drawing.svg


def confusion(counts: Mapping[str, int]) -> str:
    """The four counts, shaded by their share of their true class."""
    rows = [[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]]
    drawing = Drawing(
        f"Confusion matrix: {counts['tp']} caught, {counts['fn']} missed, "
        f"{counts['fp']} false alarms, {counts['tn']} rightly passed"
    )
    with drawing as axes:
        shares = [[cell / max(sum(row), 1) for cell in row] for row in rows]
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1.25, edgecolors="white", linewidth=2)
        axes.invert_yaxis()
        words = [["rightly passed", "false alarms"], ["missed", "caught"]]
        for y in (0, 1):
            for x in (0, 1):
                ink = "white" if shares[y][x] > 0.6 else "#1c2430"
                axes.text(x + 0.5, y + 0.46, f"{rows[y][x]:,}", ha="center", fontsize=15, color=ink)
                axes.text(x + 0.5, y + 0.7, words[y][x], ha="center", fontsize=9, color=ink)
        axes.set_xticks([0.5, 1.5], ["passed", "selected"])
        axes.set_yticks([0.5, 1.5], ["clear", "case"])
        axes.set(xlabel="Decision", ylabel="Truth")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    return drawing.svg


def cost_curve(curve: Sequence[Mapping[str, float]], threshold: float | None, unit: str) -> str:
    """Total cost at each threshold, with the one in use."""
    drawing = Drawing(f"Cost at each threshold; in use {_short(threshold)}")
    with drawing as axes:
        xs, costs = [p["threshold"] for p in curve], [p["cost"] for p in curve]
        axes.plot(xs, costs, color=BLUE, linewidth=2, drawstyle="steps-pre")
        if threshold is not None:
            axes.axvline(threshold, color=ORANGE, linewidth=1.5, label=f"in use, {threshold:.3f}")
            _legend_above(axes)
        axes.set(xlabel="Threshold", ylabel=f"Cost{f', {unit}' if unit else ''}")
        axes.set_ylim(bottom=0)
        _plain_numbers(axes.yaxis)
    return drawing.svg


def score_distribution(
    histogram: Mapping[str, Sequence[float]],
    threshold: float | None,
    *,
    names: tuple[str, str] = ("clear", "cases"),
    label: str = "Score",
) -> str:
    """Shares of each of two kinds of row by score, so that a rare kind can be seen."""
    drawing = Drawing(f"Distribution of {label.lower()}: {names[0]} and {names[1]}")
    with drawing as axes:
        edges = list(histogram["edges"])
        for name, kind, colour in (("negatives", names[0], BLUE), ("positives", names[1], ORANGE)):
            counts = histogram[name]
            total = sum(counts)
            shares = [count / total if total else 0.0 for count in counts]
            axes.stairs(
                shares, edges, fill=True, alpha=0.35, color=colour, label=f"{kind} ({total:,})"
            )
            axes.stairs(shares, edges, color=colour, linewidth=1.2)
        if threshold is not None:
            axes.axvline(threshold, color=RED, linewidth=1.2, linestyle="--", label="threshold")
        axes.set(xlabel=label, ylabel="Share of the kind")
        _legend_above(axes)
    return drawing.svg


def importance(rows: Sequence[Mapping[str, Any]], *, most: int = 20) -> str:
    """The most important features, largest on top."""
    top = sorted(rows, key=lambda row: -abs(row["value"]))[:most][::-1]
    drawing = Drawing("Feature importance, largest on top", width=7, height=0.9 + 0.24 * len(top))
    with drawing as axes:
        axes.barh([row["feature"] for row in top], [row["value"] for row in top], color=BLUE)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.margins(y=0.01)
    return drawing.svg


def search_history(
    tries: Sequence[Mapping[str, Any]], scoring: str, *, larger_is_better: bool
) -> str:
    """The figure of each try in order, and the best so far."""
    means = [float(each["mean"]) for each in tries]
    best = max if larger_is_better else min
    drawing = Drawing(f"{scoring} of each try, and the best so far", width=7, height=2.6)
    with drawing as axes:
        numbers = [each["n"] for each in tries]
        axes.scatter(numbers, means, color=GREY, s=16, label="each try")
        so_far = [best(means[: n + 1]) for n in range(len(means))]
        axes.step(numbers, so_far, where="post", color=BLUE, linewidth=2, label="best so far")
        axes.set(xlabel="Try", ylabel=scoring)
        axes.xaxis.get_major_locator().set_params(integer=True)
        _legend_above(axes)
    return drawing.svg


def reference_and_current(name: str, histogram: Mapping[str, Sequence[Any]]) -> str:
    """Shares per frozen bin, then and now."""
    labels = [str(label) for label in histogram["labels"]]
    drawing = Drawing(f"{name}: share of rows per bin in training and now", height=2.9)
    with drawing as axes:
        places = range(len(labels))
        axes.bar(
            [p - 0.2 for p in places], histogram["reference"], 0.4, color=PALE, label="training"
        )
        axes.bar([p + 0.2 for p in places], histogram["current"], 0.4, color=BLUE, label="now")
        axes.set_xticks(list(places), labels, rotation=35, ha="right", rotation_mode="anchor")
        axes.set_ylabel("Share of rows")
        axes.grid(visible=False, axis="x")
        axes.margins(x=0.01)
        _legend_above(axes)
    return drawing.svg


def single_column_auc(
    rows: Sequence[Mapping[str, Any]], *, line: float = 0.98, most: int = 30
) -> str:
    """What each column alone tells of the label, best on top, with the line above which none is honest."""
    top = sorted(rows, key=lambda row: -row["auc"])[:most][::-1]
    drawing = Drawing(
        "AUC of single columns, largest on top", width=7, height=0.9 + 0.24 * len(top)
    )
    with drawing as axes:
        values = [row["auc"] for row in top]
        colours = [RED if row["auc"] > line else BLUE for row in top]
        low = [max(0.0, row["auc"] - (row["low"] or row["auc"])) for row in top]
        high = [max(0.0, (row["high"] or row["auc"]) - row["auc"]) for row in top]
        axes.barh(
            [row["column"] for row in top], [value - 0.5 for value in values], left=0.5,
            color=colours, xerr=[low, high], error_kw={"ecolor": GREY, "elinewidth": 1},
        )  # fmt: skip
        axes.axvline(line, color=RED, linewidth=1.2, linestyle="--", label=f"suspicious, {line:g}")
        axes.set(xlim=(0.5, 1.01))
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.margins(y=0.01)
        _legend_above(axes)
    return drawing.svg


def _columns(points: Sequence[Sequence[float]]) -> tuple[list[float], list[float]]:
    return [p[0] for p in points], [p[1] for p in points]


def _legend_above(axes: Any) -> None:
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2, columnspacing=1.2,
        handlelength=1.4,
    )  # fmt: skip


def _short(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _plain_numbers(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}".replace(",", "\u202f")))
