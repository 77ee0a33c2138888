"""Values at points by the cheapest road that is exact, chosen by the engine for each entity.

An entity whose facts all have one version, known by their event time, takes the single pass of
`range_windows` where the view allows it; an entity with a late, corrected or withdrawn fact takes
`running_sums` where something can be added up, and the join of `engine` else. The choice is made on the
data, in the statement itself.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from collections.abc import Sequence

from countersign.declare import FeatureView
from countersign.features import engine, range_windows, running_sums
from countersign.features.stream import FOREVER

REVISED = "_revised"
AHEAD = "_ahead"


def values_sql(view: FeatureView, stream: str, points: str, keep: Sequence[str] = ()) -> str:
    """Stored values at `points`, as `engine.values_sql` describes them."""
    if not range_windows.serves(view):
        return _revised_sql(view, stream, points, keep)
    single_pass = range_windows.values_sql(
        view, _without(REVISED, stream), _without(REVISED, points), keep
    )
    revised = _revised_sql(view, _of(REVISED, stream), _of(REVISED, points), keep)
    return f"""
    WITH {REVISED} AS MATERIALIZED (
        SELECT _entity FROM {stream} WHERE _known > _t OR _until < {FOREVER}
        UNION SELECT _entity FROM {points} WHERE _k < _e
    )
    (SELECT * FROM ({single_pass})) UNION ALL BY NAME ({revised})
    """


def _revised_sql(view: FeatureView, stream: str, points: str, keep: Sequence[str]) -> str:
    """Any history; of a moment as it was foreseen (`_k < _e`) only the join can tell."""
    if not running_sums.serves(view):
        return engine.values_sql(view, stream, points, keep)
    added = running_sums.values_sql(view, _without(AHEAD, stream), _without(AHEAD, points), keep)
    joined = engine.values_sql(view, _of(AHEAD, stream), _of(AHEAD, points), keep)
    return f"""
    WITH {AHEAD} AS MATERIALIZED (SELECT DISTINCT _entity FROM {points} WHERE _k < _e)
    (SELECT * FROM ({added})) UNION ALL BY NAME ({joined})
    """


def _without(entities: str, relation: str) -> str:
    return f"(SELECT * FROM {relation} ANTI JOIN {entities} USING (_entity))"


def _of(entities: str, relation: str) -> str:
    return f"(SELECT * FROM {relation} SEMI JOIN {entities} USING (_entity))"
