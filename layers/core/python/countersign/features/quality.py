"""The quality log: what the values of a day look like, feature by feature (requirement A8)."""
# ruff: noqa: S608 - SQL is made of declarations

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from countersign.clock import iso
from countersign.declare import Feature, FeatureView
from countersign.features.aggregations import served
from countersign.features.duck import timestamp
from countersign.features.engine import LATEST
from countersign.features.pointintime import latest_sql
from countersign.statistics.volume import volume_test

# Of the critical features of entities whose data are fresh, so few may be null.
CRITICAL_NULLS = 0.01
BINS = 16
STANDING = "standing"
_DAY_US = 86_400_000_000


def quality_rows(
    connection: Any, view: FeatureView, history: str, as_of: datetime
) -> list[dict[str, Any]]:
    """One row per feature: null rate, mean, std, min, max, count out of range, over fresh entities.

    An entity is fresh for a feature when its newest fact is within the feature's SLA: who left a
    year ago has no pay, and that is no defect. `histogram` is for the page: {low, high, counts},
    equal widths between the 1st and the 99th percentile, what lies outside in the end bins.
    """
    create_standing(connection, view, history, as_of)
    return [_row(connection, view, feature, as_of) for feature in view.features]


def view_facts(
    connection: Any, view: FeatureView, as_of: datetime, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What is true of a view as a whole, from the values that `quality_rows` left standing.

    `entities` have a value that is served; `entities_before` is that of `before`, the document of the
    last day on record. `newest_fact_age_days` says how long ago the view last heard of anybody.
    """
    moment = timestamp(as_of)
    ttl = round(view.ttl.total_seconds() * 1e6)
    entities, newest = connection.execute(
        f"SELECT count(*) FILTER (epoch_us({moment}) - epoch_us(_newest_fact_at) <= {ttl}), "
        f"max(epoch_us(_newest_fact_at)) FROM {STANDING}"
    ).fetchone()
    held = None if before is None else before.get("entities")
    tested = volume_test(int(entities), None if held is None else float(held))
    age = None if newest is None else (round(as_of.timestamp() * 1e6) - newest) / _DAY_US
    return {
        "entities": int(entities),
        "entities_before": held,
        "before": None if before is None else str(before.get("as_of", ""))[:10],
        "volume": {"verdict": tested.verdict, "change": tested.change, "p": tested.p},
        "newest_fact_age_days": None if age is None else round(age, 6),
        "stale_after_days": _stale_after_days(view),
    }


def findings(
    rows: list[dict[str, Any]], facts: Mapping[str, Any] | None = None
) -> list[dict[str, str]]:
    """What of a day's log needs a person: {view, feature, check, text}; `feature` is empty for a view."""
    found = []
    for row in rows:
        if row["critical"] and row["rows"] and row["null_rate"] > CRITICAL_NULLS:
            told = f"{row['feature_name']}: {row['null_rate']:.2%} null, critical"
            found.append(_finding(row["view"], row["feature_name"], "null rate", told))
        if row["critical"] and row["out_of_range_count"]:
            told = f"{row['feature_name']}: {row['out_of_range_count']} out of range"
            found.append(_finding(row["view"], row["feature_name"], "range", told))
    return found + (_of_view(rows, facts) if rows and facts else [])


def alerts(rows: list[dict[str, Any]], facts: Mapping[str, Any] | None = None) -> list[str]:
    """The same in words alone."""
    return [found["text"] for found in findings(rows, facts)]


def _of_view(rows: list[dict[str, Any]], facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """Entities that vanished. That a view is stale is no alert here: the freshness gate refuses it already."""
    view, found = rows[0]["view"], []
    volume = facts["volume"]
    if volume["verdict"] == "alert" and volume["change"] < 0:
        told = (
            f"{view}: {facts['entities']} entities, {facts['entities_before']} on {facts['before']}"
        )
        found.append(_finding(view, "", "volume", told))
    return found


def _finding(view: str, feature: str, check: str, text: str) -> dict[str, str]:
    return {"view": view, "feature": feature, "check": check, "text": text}


def _stale_after_days(view: FeatureView) -> float | None:
    """After so many days without any fact no entity has a fresh critical feature; None without such."""
    seconds = [f.sla.total_seconds() for f in view.features if f.critical]
    return max(seconds) / 86_400 if seconds else None


def create_standing(connection: Any, view: FeatureView, history: str, as_of: datetime) -> None:
    """The table of the row of each entity that stands at `as_of`."""
    moment = f"({timestamp(as_of)} AT TIME ZONE 'UTC')"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {STANDING} AS {latest_sql(view, history, moment)}"
    )


def _row(connection: Any, view: FeatureView, feature: Feature, as_of: datetime) -> dict[str, Any]:
    fresh = _fresh_sql(view, feature, as_of)
    low, high = feature.valid
    bounds = [f"v < {low!r}"] if math.isfinite(low) else []
    bounds += [f"v > {high!r}"] if math.isfinite(high) else []
    outside = f"count(*) FILTER ({' OR '.join(bounds)})" if bounds else "0"
    found = connection.execute(
        f"SELECT count(*), count(v), avg(v), stddev_samp(v), min(v), max(v), {outside}, "
        f"quantile_disc(v, 0.01), quantile_disc(v, 0.99) FROM ({fresh})"
    ).fetchone()
    rows, present, mean, std, least, most, out_of_range, first, last = found
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
        "histogram": _histogram(connection, fresh, first, last),
    }


def _fresh_sql(view: FeatureView, feature: Feature, as_of: datetime) -> str:
    """The served value `v` of each entity whose newest fact is within the feature's SLA."""
    moment = timestamp(as_of)
    value = served(feature, f'"{feature.name}"', moment)
    source = feature.source or view.source.name
    latest = "epoch_us(_newest_fact_at)" if source == "*" else f'"{LATEST}{source}"'
    return (
        f"SELECT {value} AS v FROM {STANDING} WHERE epoch_us({moment}) - {latest} "
        f"<= {feature.sla.total_seconds() * 1e6!r}"
    )


def _histogram(
    connection: Any, fresh: str, low: float | None, high: float | None
) -> dict[str, Any] | None:
    if low is None or high is None:
        return None
    counts = [0] * BINS
    width = (high - low) / BINS
    place = f"floor((v - {low!r}) / {width!r})" if width > 0 else "0"
    for bin_, count in connection.execute(
        f"SELECT greatest(0, least({BINS - 1}, {place}))::INTEGER, count(*) "
        f"FROM ({fresh}) WHERE v IS NOT NULL GROUP BY 1"
    ).fetchall():
        counts[bin_] = count
    return {"low": low, "high": high, "counts": counts}
