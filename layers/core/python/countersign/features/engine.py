"""One definition of a feature value, for batch, history, training and serving.

The value of an entity at (event moment e, knowledge moment k) aggregates the rows that stood at k and
whose event time lies in the window at e. Everything else is a choice of moments: training asks for
(T, T) of each spine row; history asks for every moment at which a value may change.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from countersign.declare import Feature, FeatureView, Window
from countersign.features.aggregations import aggregate
from countersign.features.stream import stream_sql
from countersign.features.windows import ALL_HISTORY, bounds

LATEST = "_latest_"
CARRIED = "_id_"


def windows_of(view: FeatureView) -> tuple[Window, ...]:
    """The distinct windows of a view, in the order of their first use."""
    return tuple(dict.fromkeys(f.window or ALL_HISTORY for f in view.features))


def latest_columns(view: FeatureView) -> tuple[str, ...]:
    """Per source, the column that holds the event time of its newest fact (microseconds)."""
    return tuple(f"{LATEST}{source.name}" for source in view.sources())


def stored_columns(view: FeatureView) -> tuple[str, ...]:
    """Every DOUBLE that is stored of a value: the features, then the newest fact of each source."""
    return (*(f.name for f in view.features), *latest_columns(view))


def carried_columns(view: FeatureView) -> tuple[str, ...]:
    """The text columns that are stored beside the values."""
    return tuple(f"{CARRIED}{column}" for column in view.carries)


def create_stream(
    connection: Any, view: FeatureView, *, known_by: str, bucket: int = 0, buckets: int = 1
) -> str:
    """Create the stream of `view` as a temporary table; returns its name."""
    name = f"stream_{view.name}"
    rows = stream_sql(view, known_by=known_by, bucket=bucket, buckets=buckets)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {rows}")
    return name


def values_sql(
    view: FeatureView,
    stream: str,
    points: str,
    keep: Sequence[str] = (),
    features: Sequence[Feature] | None = None,
) -> str:
    """Stored values at `points` (`_entity`, `_e`, `_k` and the columns of `keep`), a row per point.

    A point without a row in any window has null and 0 as its values; duplicates of points fold.
    `features`: those of the view to compute, all by default.
    """
    features = view.features if features is None else features
    windows = windows_of(view)
    edges = [bounds(window, "_e") for window in windows]
    columns = ", ".join(
        f"{hi} AS _hi{n}" + (f", {lo} AS _lo{n}" if lo else "") for n, (lo, hi) in enumerate(edges)
    )
    key = ", ".join(["_entity", "_e", "_k", *keep])
    members = [
        f"_t < _hi{n}" + (f" AND _t >= _lo{n}" if lo else "") for n, (lo, _) in enumerate(edges)
    ]
    # A fact is the newest of its source from the moment it first counts in any window.
    counted = f"_t < greatest({', '.join(f'_hi{n}' for n in range(len(edges)))})"
    place = {window: members[n] for n, window in enumerate(windows)}
    aggregates = [
        f'{aggregate(view, f, place[f.window or ALL_HISTORY])} AS "{f.name}"' for f in features
    ]
    aggregates += [
        f"(epoch_us(max(_t) FILTER ({counted} AND _source = '{source.name}')))::DOUBLE"
        f" AS {LATEST}{source.name}"
        for source in view.sources()
    ]
    aggregates.append(f"max(_t) FILTER ({counted}) AS _newest")
    aggregates += [
        f"arg_max({column}, (_t, _known, _digest)) FILTER ({counted} AND {column} IS NOT NULL)"
        f" AS {CARRIED}{column}"
        for column in view.carries
    ]
    rows = f"SELECT _entity AS _whose, * EXCLUDE (_entity) FROM {stream}"
    return (
        f"SELECT {key}, {', '.join(aggregates)} "
        f"FROM (SELECT DISTINCT {key}, {columns} FROM {points}) "
        f"LEFT JOIN ({rows}) ON _whose = _entity AND _known <= _k AND _k < _until"
        f"{_reach(view, edges)} GROUP BY {key}"
    )


def _reach(view: FeatureView, edges: Sequence[tuple[str | None, str]]) -> str:
    """Rows that no window and no time to live can reach need not be joined."""
    within = " AND _t <= _e"
    if any(lo is None for lo, _ in edges):
        return within
    ttl = f"_e - to_seconds({view.ttl.total_seconds()})"
    lows = ", ".join(f"_lo{n}" for n in range(len(edges)))
    return f"{within} AND _t >= least({lows}, {ttl})"
