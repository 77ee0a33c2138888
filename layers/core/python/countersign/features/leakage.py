"""The leakage audit of a training set: per view, that nothing was known or true only afterwards; per
input, whether it tells the label better than honest features do.
"""
# ruff: noqa: S608 - SQL is made of declarations

from __future__ import annotations

from typing import Any

from countersign.declare import UseCase
from countersign.errors import LeakageError

# A single honest feature does not separate the label almost perfectly.
SUSPICIOUS = 0.98


def audit(connection: Any, use_case: UseCase, joined: str) -> dict[str, Any]:
    """Prove by column that no joined value was known after its row's as-of time.

    Raises
    ------
    LeakageError      names the views with a value from the future
    """
    views = {view.name: _view(connection, view.name, joined) for view in use_case.views}
    leaking = [name for name, found in views.items() if found["violations"]]
    if leaking:
        raise LeakageError(f"Values of {', '.join(leaking)} were not known at their as-of time")
    columns = {
        feature.name: {"view": view.name, "latest_known_seconds": views[view.name]["known_at"]}
        for view in use_case.views
        for feature in view.features
    }
    return {"views": views, "columns": columns}


def _view(connection: Any, view: str, joined: str) -> dict[str, Any]:
    """How close to the as-of time the latest value came, in seconds: 0 at most."""
    rows, event, known, bad = connection.execute(
        f"SELECT count({view}__known_at), max(epoch_us({view}__event_time) - epoch_us(as_of)) / 1e6, "
        f"max(epoch_us({view}__known_at) - epoch_us(as_of)) / 1e6, "
        f"count(*) FILTER ({view}__event_time > as_of OR {view}__known_at > as_of) FROM {joined}"
    ).fetchone()
    return {"rows": rows, "event_time": event, "known_at": known, "violations": bad}


def separation(connection: Any, inputs: tuple[str, ...], dataset: str) -> dict[str, float]:
    """Area under the ROC curve of each input alone, nulls left out, 0.5 to 1; 0.5 without both labels."""
    return {name: _auc(connection, name, dataset) for name in inputs}


def suspicious(areas: dict[str, float]) -> list[str]:
    """Inputs that separate the label too well to be true."""
    return [name for name, area in areas.items() if area > SUSPICIOUS]


def _auc(connection: Any, name: str, dataset: str) -> float:
    ranks, positives, rows = connection.execute(
        f"SELECT sum(r) FILTER (label), count(*) FILTER (label), count(*) FROM ("
        f'SELECT label, rank() OVER (ORDER BY "{name}") + '
        f'(count(*) OVER (PARTITION BY "{name}") - 1) / 2.0 AS r '
        f'FROM {dataset} WHERE "{name}" IS NOT NULL)'
    ).fetchone()
    negatives = rows - positives
    if not positives or not negatives:
        return 0.5
    area: float = (float(ranks) - positives * (positives + 1) / 2) / (positives * negatives)
    return round(max(area, 1 - area), 6)
