"""Were the values that a prediction was given those of the definition? (requirement A10)

What must be equal, and what may differ. An online value is the history row that stood when it was
materialized, so the values in a prediction must be those of ONE row (event_time e, known_at k) that
history held when the request was scored; and that row must be what the definition gives at (e, k), computed
again from the sources. Then the prediction is `equal` if the definition at (scored, scored) gives the same,
else it is `lagging`: a fact came, or left a window, after the last materialization and before scoring. That
is age, which the freshness gate bounds, and no skew. Anything else is skew: training would be given another value.

Days since a moment are stored as that moment and grow with the moment asked about, which is not logged:
they must agree with each other on it.
"""
# ruff: noqa: S608 - SQL is made of declarations

from __future__ import annotations

from datetime import timedelta
from typing import Any

from countersign.declare import Feature, FeatureView
from countersign.features.aggregations import DAY_US, MOMENTS
from countersign.features.definition import definition_digest
from countersign.features.engine import create_stream
from countersign.features.values import values_sql

TOLERANCE = 1e-9
# A request may be about a pay day so far after it.
AHEAD = timedelta(days=100)
_SECOND_US = 1_000_000


def compare_view(
    connection: Any, view: FeatureView, history: str | None, logged: str, *, known_by: str
) -> dict[str, Any]:
    """Hold every prediction's values of `view` against history and definition.

    `logged` has `_row`, `_entity` (the id in this view, null if unknown), `_scored` (TIMESTAMPTZ) and a DOUBLE
    per feature. `known_by` (SQL TIMESTAMP) is no earlier than any `_scored`.

    Returns `{view, compared, equal, lagging, skewed_rows, skewed: [{feature, count}], lag_hours_max}`.
    """
    _create_states(connection, view, history, logged)
    _create_best(connection, view, logged)
    stream = create_stream(connection, view, known_by=known_by)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE _points AS SELECT DISTINCT _entity, e AS _e, k AS _k FROM _best "
        "WHERE e IS NOT NULL UNION SELECT DISTINCT _entity, (_scored AT TIME ZONE 'UTC'), "
        "(_scored AT TIME ZONE 'UTC') FROM _best"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _direct AS {values_sql(view, stream, '_points')}"
    )
    _create_verdicts(connection, view)
    compared, equal, lagging, skewed, lag = connection.execute(
        "SELECT count(*), count(*) FILTER (_verdict = 'equal'), count(*) FILTER (_verdict = 'lagging'), "
        "count(*) FILTER (_verdict = 'skewed'), max(_lag) FILTER (_verdict = 'lagging') FROM _verdicts"
    ).fetchone()
    return {
        "view": view.name,
        "compared": compared,
        "equal": equal,
        "lagging": lagging,
        "skewed_rows": skewed,
        "skewed": _features(connection, view) if skewed else [],
        "lag_hours_max": None if lag is None else round(lag / 3.6e9, 3),
    }


def _create_states(connection: Any, view: FeatureView, history: str | None, logged: str) -> None:
    """`_states`: each prediction beside each history row that may have been online when it was made."""
    names = ", ".join(f'l."{f.name}" AS "l_{n}"' for n, f in enumerate(view.features))
    stored = ", ".join(f'h."{f.name}" AS "s_{n}"' for n, f in enumerate(view.features))
    empty = ", ".join(f'NULL::DOUBLE AS "{f.name}"' for f in view.features)
    held = history or (
        f"(SELECT '' AS entity_id, NULL::TIMESTAMPTZ AS event_time, NULL::TIMESTAMPTZ AS known_at, "
        f"NULL::TIMESTAMPTZ AS _built_at, NULL::TIMESTAMPTZ AS _newest_fact_at, '' AS _digest, "
        f"'' AS _definition, {empty} LIMIT 0)"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _states AS SELECT l._row, l._entity, l._scored, {names}, {stored}, "
        f"(h.event_time AT TIME ZONE 'UTC') AS e, (h.known_at AT TIME ZONE 'UTC') AS k, "
        f"epoch_us(h._newest_fact_at) AS newest, row_number() OVER (PARTITION BY l._row "
        f"ORDER BY event_time DESC, known_at DESC, _built_at DESC, _digest DESC) AS _rank "
        f"FROM {logged} l JOIN {held} h ON h.entity_id = l._entity "
        f"AND h._definition = '{definition_digest(view)}' AND h._built_at <= l._scored "
        f"AND h.event_time <= l._scored AND h.known_at <= l._scored"
    )


def _create_best(connection: Any, view: FeatureView, logged: str) -> None:
    """`_best`: per prediction the newest state that it agrees with, else the newest there is."""
    features = range(len(view.features))
    held = ", ".join(f'l."{f.name}" AS "l_{n}"' for n, f in enumerate(view.features))
    ttl, ahead = (round(d.total_seconds() * 1e6) for d in (view.ttl, AHEAD))
    unserved = " AND ".join(f"l_{n} IS NULL" for n in features)
    agrees = " AND ".join(
        [*(_same(f, f"l_{n}", f"s_{n}") for n, f in enumerate(view.features)), _one_moment(view)]
    )
    stored = ", ".join(f"s.s_{n}" for n in features)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _best AS SELECT l._row, l._entity, l._scored, {held}, {stored}, "
        f"s.e, s.k, s._rank, coalesce(s._agrees, {_all_null(view)}) AS _agrees FROM {logged} l "
        f"LEFT JOIN (SELECT *, (({unserved}) AND epoch_us(_scored) + {ahead} - newest > {ttl}) "
        f"OR ({agrees}) AS _agrees FROM _states "
        f"QUALIFY row_number() OVER (PARTITION BY _row ORDER BY _agrees DESC, _rank) = 1) s "
        f"ON l._row = s._row"
    )


def _create_verdicts(connection: Any, view: FeatureView) -> None:
    """`_verdicts`: equal, lagging or skewed; with each feature that differs from what it should be."""
    numbered = list(enumerate(view.features))
    proven = " AND ".join(_close(f"b.s_{n}", f'd."{f.name}"') for n, f in numbered)
    now = " AND ".join(
        _close(f"b.s_{n}" if f.aggregation in MOMENTS else f"b.l_{n}", f'c."{f.name}"')
        for n, f in numbered
    )
    wrong = [
        (_same(f, f"b.l_{n}", f"b.s_{n}"), _close(f"b.s_{n}", f'd."{f.name}"')) for n, f in numbered
    ]
    differs = ", ".join(
        f"(NOT ({served}) OR (b.e IS NOT NULL AND NOT {defined})) AS x_{n}"
        for n, (served, defined) in enumerate(wrong)
    )
    unserved = " AND ".join(f"b.l_{n} IS NULL" for n, _ in numbered)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _verdicts AS SELECT b._row, CASE "
        f"WHEN NOT b._agrees OR NOT (b.e IS NULL OR ({proven})) THEN 'skewed' "
        f"WHEN ({unserved}) OR (b._rank = 1 AND {now}) THEN 'equal' ELSE 'lagging' END AS _verdict, "
        f"epoch_us(b._scored) - epoch_us(b.k) AS _lag, {differs} FROM _best b "
        f"LEFT JOIN _direct d ON d._entity = b._entity AND d._e = b.e AND d._k = b.k "
        f"LEFT JOIN _direct c ON c._entity = b._entity AND c._e = (b._scored AT TIME ZONE 'UTC') "
        f"AND c._k = (b._scored AT TIME ZONE 'UTC')"
    )


def _features(connection: Any, view: FeatureView) -> list[dict[str, Any]]:
    """Features by how many skewed predictions differ in them, most first."""
    counts = ", ".join(f"count(*) FILTER (x_{n})" for n in range(len(view.features)))
    found = connection.execute(
        f"SELECT {counts} FROM _verdicts WHERE _verdict = 'skewed'"
    ).fetchone()
    rows = [
        {"view": view.name, "feature": f.name, "count": int(count)}
        for f, count in zip(view.features, found, strict=True)
        if count
    ]
    return sorted(rows, key=lambda row: (-int(str(row["count"])), str(row["feature"])))


def _same(feature: Feature, logged: str, stored: str) -> str:
    """Whether a logged value is the stored one as served; of moments, whether both or none are there."""
    if feature.aggregation in MOMENTS:
        return f"(({logged} IS NULL) = ({stored} IS NULL))"
    return _close(logged, stored)


def _close(one: str, other: str) -> str:
    return (
        f"(CASE WHEN {one} IS NULL OR {other} IS NULL THEN ({one} IS NULL) = ({other} IS NULL) "
        f"ELSE abs({one} - {other}) <= {TOLERANCE!r} * greatest(abs({one}), abs({other})) END)"
    )


def _one_moment(view: FeatureView) -> str:
    """Whether the days since moments were all counted from one moment."""
    implied = [
        f"l_{n} * {DAY_US} + s_{n}" for n, f in enumerate(view.features) if f.aggregation in MOMENTS
    ]
    if len(implied) < 2:
        return "true"
    every = ", ".join(implied)
    return f"coalesce(greatest({every}) - least({every}) <= {_SECOND_US}, true)"


def _all_null(view: FeatureView) -> str:
    return "(" + " AND ".join(f'l."{f.name}" IS NULL' for f in view.features) + ")"
