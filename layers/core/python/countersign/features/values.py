"""Values at points by the cheapest road that is exact, chosen by the engine for each entity.

An entity whose facts all have one version, known by their event time, takes the single pass of
`range_windows` where the view allows it; an entity with a late, corrected or withdrawn fact takes the
join of `engine`. The choice is made on the data, in the statement itself.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from collections.abc import Sequence

from countersign.declare import FeatureView
from countersign.features import engine, range_windows
from countersign.features.stream import FOREVER

REVISED = "_revised"


def values_sql(view: FeatureView, stream: str, points: str, keep: Sequence[str] = ()) -> str:
    """Stored values at `points`, as `engine.values_sql` describes them."""
    if not range_windows.serves(view):
        return engine.values_sql(view, stream, points, keep)
    single_pass = range_windows.values_sql(view, _timely(stream), _timely(points), keep)
    join = engine.values_sql(view, _revised(stream), _revised(points), keep)
    return f"""
    WITH {REVISED} AS MATERIALIZED (
        SELECT _entity FROM {stream} WHERE _known > _t OR _until < {FOREVER}
        UNION SELECT _entity FROM {points} WHERE _k < _e
    )
    (SELECT * FROM ({single_pass})) UNION ALL BY NAME ({join})
    """


def _timely(relation: str) -> str:
    return f"(SELECT * FROM {relation} ANTI JOIN {REVISED} USING (_entity))"


def _revised(relation: str) -> str:
    return f"(SELECT * FROM {relation} SEMI JOIN {REVISED} USING (_entity))"
