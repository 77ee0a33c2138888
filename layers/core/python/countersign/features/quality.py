"""The quality log: what the values of a day look like, feature by feature (requirement A8)."""
# ruff: noqa: S608 - SQL is made of declarations

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from countersign.clock import iso
from countersign.declare import Feature, FeatureView
from countersign.features.aggregations import served
from countersign.features.duck import timestamp
from countersign.features.engine import LATEST
from countersign.features.pointintime import latest_sql

# Of the critical features of entities whose data are fresh, so few may be null.
CRITICAL_NULLS = 0.01


def quality_rows(
    connection: Any, view: FeatureView, history: str, as_of: datetime
) -> list[dict[str, Any]]:
    """One row per feature: null rate, mean, std, min, max, count out of range, over fresh entities.

    An entity is fresh for a feature when its newest fact is within the feature's SLA: who left a
    year ago has no pay, and that is no defect.
    """
    moment = f"({timestamp(as_of)} AT TIME ZONE 'UTC')"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE standing AS {latest_sql(view, history, moment)}"
    )
    return [_row(connection, view, feature, as_of) for feature in view.features]


def alerts(rows: list[dict[str, Any]]) -> list[str]:
    """What of a day's log needs a person, in words."""
    found = []
    for row in rows:
        if row["critical"] and row["rows"] and row["null_rate"] > CRITICAL_NULLS:
            found.append(f"{row['feature_name']}: {row['null_rate']:.2%} null, critical")
        if row["critical"] and row["out_of_range_count"]:
            found.append(f"{row['feature_name']}: {row['out_of_range_count']} out of range")
    return found


def _row(connection: Any, view: FeatureView, feature: Feature, as_of: datetime) -> dict[str, Any]:
    moment = timestamp(as_of)
    value = served(feature, f'"{feature.name}"', moment)
    source = feature.source or view.source.name
    latest = "epoch_us(_newest_fact_at)" if source == "*" else f'"{LATEST}{source}"'
    low, high = feature.valid
    bounds = [f"v < {low!r}"] if math.isfinite(low) else []
    bounds += [f"v > {high!r}"] if math.isfinite(high) else []
    outside = f"count(*) FILTER ({' OR '.join(bounds)})" if bounds else "0"
    found = connection.execute(
        f"SELECT count(*), count(v), avg(v), stddev_samp(v), min(v), max(v), {outside} FROM "
        f"(SELECT {value} AS v FROM standing WHERE epoch_us({moment}) - {latest} "
        f"<= {feature.sla.total_seconds() * 1e6!r})"
    ).fetchone()
    rows, present, mean, std, least, most, out_of_range = found
    return {
        "feature_name": feature.name,
        "view": view.name,
        "date": iso(as_of)[:10],
        "rows": rows,
        "null_rate": 1 - present / rows if rows else 0.0,
        "mean": mean,
        "std": std,
        "min": least,
        "max": most,
        "out_of_range_count": out_of_range,
        "critical": feature.critical,
    }
