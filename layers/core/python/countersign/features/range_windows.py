"""Values of a view in one pass over sorted rows, where every fact was known when it happened.

Then what was known at a moment is what had happened by it, and a window is a RANGE frame: facts and
points lie in one sequence per entity, by microseconds, and a point's frame holds the facts of its
window. A point carries no value of its own, so the aggregates pass over it. The cost grows with the
rows; the join of `engine.values_sql`, which any history may need, grows with the rows in each window.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from countersign.declare import FeatureView, Window
from countersign.features.aggregations import Rows, stored, unsettled
from countersign.features.duck import quote
from countersign.features.engine import LATEST, windows_of
from countersign.features.windows import ALL_HISTORY

_SERVED = frozenset({"count", "sum", "mean", "min", "max", "std", "rate"})
_TICK = timedelta(microseconds=1)


def serves(view: FeatureView) -> bool:
    """Whether every value of the view is an aggregate over frames of constant width."""
    frames = all(
        not (w.months or w.year_to_date) and w.delay >= timedelta(0) for w in windows_of(view)
    )
    known = all(f.aggregation in _SERVED for f in view.features)
    return frames and known and not view.carries


def values_sql(view: FeatureView, stream: str, points: str, keep: Sequence[str] = ()) -> str:
    """What `engine.values_sql` yields for a view that is served here.

    `stream` and `points` are relations; every fact of `stream` has one version, known by its event
    time, and no point looks back from before its own moment (`_k >= _e`).
    """
    counted = Rows(("_e IS NULL",), _counted(view))
    newest = {s.name: f"max(_at) {counted & f'_source = {quote(s.name)}'}" for s in view.sources()}
    raw = [
        f'{unsettled(view, f, Rows(("_e IS NULL",), _frame(f.window or ALL_HISTORY)))} AS "{f.name}"'
        for f in view.features
    ]
    raw += [f"{value} AS {LATEST}{name}" for name, value in newest.items()]
    columns = [f"{stored(name)} AS {name}" for name in (f'"{f.name}"' for f in view.features)]
    columns += [f"{LATEST}{name}::DOUBLE AS {LATEST}{name}" for name in newest]
    newest_of_all = ", ".join(f"{LATEST}{name}" for name in newest)
    key = ", ".join(["_entity", "_e", "_k", *keep])
    return f"""
    SELECT {key}, {", ".join(columns)}, make_timestamp(greatest({newest_of_all})) AS _newest FROM (
        SELECT {key}, {", ".join(raw)} FROM (
            SELECT DISTINCT {key}, epoch_us(_e) AS _at FROM {points}
            UNION ALL BY NAME SELECT *, epoch_us(_t) AS _at FROM {stream}
        )
    ) WHERE _e IS NOT NULL
    """


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
