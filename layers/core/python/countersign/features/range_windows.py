"""Values of a view in one pass over sorted rows, where every fact was known when it happened.

Then what was known at a moment is what had happened by it, and a window is a RANGE frame: facts and
points lie in one sequence per entity, by microseconds, and a point's frame holds the facts of its
window. A point carries no value of its own, so the aggregates pass over it. The cost grows with the
rows; the join of `engine.values_sql`, which any history may need, grows with the rows in each window.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from countersign.declare import Feature, FeatureView, Window
from countersign.features.aggregations import conditions
from countersign.features.engine import LATEST, windows_of
from countersign.features.windows import ALL_HISTORY

_SIMPLE: Mapping[str, str] = {
    "count": "count",
    "sum": "sum",
    "mean": "avg",
    "min": "min",
    "max": "max",
    "std": "stddev_samp",
}
_TICK = timedelta(microseconds=1)


def serves(view: FeatureView) -> bool:
    """Whether every value of the view is an aggregate over frames of constant width."""
    frames = all(
        not (w.months or w.year_to_date) and w.delay >= timedelta(0) for w in windows_of(view)
    )
    known = all(f.aggregation in _SIMPLE or f.aggregation == "rate" for f in view.features)
    return frames and known and not view.carries


def values_sql(view: FeatureView, stream: str, points: str, keep: Sequence[str] = ()) -> str:
    """What `engine.values_sql` yields for a view that is served here.

    `stream` and `points` are relations; every fact of `stream` has one version, known by its event
    time, and no point looks back from before its own moment (`_k >= _e`).
    """
    arguments: dict[str, str] = {}
    columns = [
        f'CASE WHEN isfinite({value}) THEN {value} END AS "{f.name}"'
        for f in view.features
        for value in [f"({_value(view, f, arguments)})::DOUBLE"]
    ]
    counted = _counted(view)
    columns += [
        f"(max({_name(arguments, _time_of(view, source.name))}) OVER ({counted}))::DOUBLE "
        f"AS {LATEST}{source.name}"
        for source in view.sources()
    ]
    newest = _name(arguments, "epoch_us(_t)")
    columns.append(f"make_timestamp(max({newest}) OVER ({counted})) AS _newest")
    key = ", ".join(["_entity", "_e", "_k", *keep])
    facts = ", ".join(f"{expression} AS {name}" for expression, name in arguments.items())
    return f"""
    SELECT * FROM (
        SELECT {key}, {", ".join(columns)} FROM (
            SELECT DISTINCT {key}, epoch_us(_e) AS _at FROM {points}
            UNION ALL BY NAME
            SELECT _entity, epoch_us(_t) AS _at, {facts} FROM {stream}
        )
    ) WHERE _e IS NOT NULL
    """


def _value(view: FeatureView, feature: Feature, arguments: dict[str, str]) -> str:
    """One feature over its frame; what it aggregates is added to `arguments`."""
    chosen = conditions(view, feature)
    frame = _frame(feature.window or ALL_HISTORY)
    if feature.aggregation in _SIMPLE:
        value = _name(arguments, _where(chosen, feature.expression))
        return f"{_SIMPLE[feature.aggregation]}({value}) OVER ({frame})"
    hits = _name(arguments, _where([*chosen, f"({feature.expression})"], "1"))
    below = [f"({feature.denominator})"] if feature.denominator else []
    every = _name(arguments, _where([*chosen, *below], "1"))
    return f"count({hits}) OVER ({frame}) / nullif(count({every}) OVER ({frame}), 0)::DOUBLE"


def _where(conditions: Sequence[str], expression: str) -> str:
    if not conditions:
        return f"({expression})"
    return f"CASE WHEN {' AND '.join(conditions)} THEN {expression} END"


def _name(arguments: dict[str, str], expression: str) -> str:
    """The column that holds `expression` of a fact, and null at a point; equal ones are one column."""
    return arguments.setdefault(expression, f"_x{len(arguments)}")


def _time_of(view: FeatureView, source: str) -> str:
    only = [f"_source = '{source}'"] if len(view.sources()) > 1 else []
    return _where(only, "epoch_us(_t)") if only else "epoch_us(_t)"


def _frame(window: Window) -> str:
    """`lo <= t < hi` of the window, as distances before the point."""
    nearest = _nearest(window)
    furthest = nearest + window.duration - _TICK if window.duration else None
    return _range(furthest, nearest)


def _counted(view: FeatureView) -> str:
    """Facts that count for freshness: entered in any window, within reach of a window or of the TTL."""
    windows = windows_of(view)
    nearest = min(_nearest(w) for w in windows)
    if not all(w.duration for w in windows):
        return _range(None, nearest)
    return _range(max(view.ttl, *(_nearest(w) + w.duration - _TICK for w in windows)), nearest)


def _nearest(window: Window) -> timedelta:
    """How long before a point the youngest fact of its window lies, at least."""
    return window.delay if window.include_current else window.delay + _TICK


def _range(furthest: timedelta | None, nearest: timedelta) -> str:
    start = "UNBOUNDED" if furthest is None else str(furthest // _TICK)
    return (
        "PARTITION BY _entity ORDER BY _at "
        f"RANGE BETWEEN {start} PRECEDING AND {nearest // _TICK} PRECEDING"
    )
