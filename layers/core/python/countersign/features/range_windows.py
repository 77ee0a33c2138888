"""Values of a view in one pass over sorted rows, where every fact was known when it happened.

Then what was known at a moment is what had happened by it, and a window is a RANGE frame: facts lie in
one sequence per entity, by microseconds, and the frame of a moment holds the facts of its window. A
point at the moment of a fact shares the fact's frame; any other point gets a row of its own, over
which the aggregates pass. The cost grows with the rows; the join of `engine.values_sql`, which any
history may need, grows with the rows in each window.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from countersign.declare import FeatureView, Window
from countersign.features.aggregations import Rows, stored, unsettled
from countersign.features.duck import quote
from countersign.features.engine import LATEST, windows_of
from countersign.features.windows import ALL_HISTORY, bounds

_SERVED = frozenset(
    {
        "count",
        "sum",
        "mean",
        "min",
        "max",
        "std",
        "rate",
        "distinct",
        "days_since",
        "days_since_first",
    }
)
_TICK = timedelta(microseconds=1)


def serves(view: FeatureView) -> bool:
    """Whether every value of the view is an aggregate over frames that end at the point, or before."""
    frames = all(w.delay >= timedelta(0) for w in windows_of(view))
    known = all(f.aggregation in _SERVED for f in view.features)
    return frames and known and not view.carries


def values_sql(view: FeatureView, stream: str, points: str, keep: Sequence[str] = ()) -> str:
    """What `engine.values_sql` yields for a view that is served here.

    `stream` and `points` are relations; every fact of `stream` has one version, known by its event
    time, and no point looks back from before its own moment (`_k >= _e`).
    """
    newest = [f"{LATEST}{source.name}" for source in view.sources()]
    names = [f'"{f.name}"' for f in view.features]
    columns = [f"{stored(name)} AS {name}" for name in names]
    columns += [f"{name}::DOUBLE AS {name}" for name in newest]
    key = ", ".join(["_entity", "_e", "_k", *keep])
    return f"""
    WITH _asked AS MATERIALIZED (
        SELECT DISTINCT {key}, epoch_us(_e) AS _at FROM {points}
    ), _facts AS (
        SELECT *, epoch_us(_t) AS _at, true AS _counts FROM {stream}
    ), _rows AS (
        SELECT * FROM _facts UNION ALL BY NAME
        (SELECT DISTINCT _entity, _at FROM _asked ANTI JOIN _facts USING (_entity, _at))
    ), _values AS (
        SELECT _entity, _at, {", ".join(_aggregates(view))},
            lag(_at) OVER (PARTITION BY _entity ORDER BY _at) IS DISTINCT FROM _at AS _leads
        FROM _rows
    )
    SELECT {key}, {", ".join(columns)}, make_timestamp(greatest({", ".join(newest)})) AS _newest
    FROM _asked JOIN _values USING (_entity, _at) WHERE _leads
    """


def _aggregates(view: FeatureView) -> list[str]:
    """The features, and the newest fact of each source that counts, over the frames of a row."""
    columns = [
        f'{unsettled(view, f, Rows(("_counts",), _frame(f.window or ALL_HISTORY)))} AS "{f.name}"'
        for f in view.features
    ]
    counted = Rows(("_counts",), _counted(view))
    for source in view.sources():
        rows = counted & f"_source = {quote(source.name)}" if view.also else counted
        columns.append(f"max(_at) {rows} AS {LATEST}{source.name}")
    return columns


def _frame(window: Window) -> str:
    """`lo <= t < hi` of the window, as distances before the point."""
    return _range(_furthest(window), _nearest(window))


def _counted(view: FeatureView) -> str:
    """Facts that count for freshness: entered in any window, within reach of a window or of the TTL."""
    windows = windows_of(view)
    nearest = min(_nearest(w) for w in windows)
    reach = [_furthest(w) for w in windows]
    if None in reach:
        return _range(None, nearest)
    return _range(
        f"greatest({', '.join([str(view.ttl // _TICK), *(r for r in reach if r)])})", nearest
    )


def _furthest(window: Window) -> str | None:
    """SQL: microseconds from a point back to the start of its window; None when it never began."""
    if window.duration:
        return str((_nearest(window) + window.duration - _TICK) // _TICK)
    start, _ = bounds(window, "make_timestamp(_at)")
    return start and f"(_at - epoch_us({start}))"


def _nearest(window: Window) -> timedelta:
    """How long before a point the youngest fact of its window lies, at least."""
    return window.delay if window.include_current else window.delay + _TICK


def _range(furthest: str | None, nearest: timedelta) -> str:
    # Not "0 PRECEDING": with two threads DuckDB now and then leaves out peers of the row that it is at.
    end = f"{nearest // _TICK} PRECEDING" if nearest else "CURRENT ROW"
    return (
        "PARTITION BY _entity ORDER BY _at "
        f"RANGE BETWEEN {furthest or 'UNBOUNDED'} PRECEDING AND {end}"
    )
