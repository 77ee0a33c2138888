"""What must hold before a model may learn from a dataset: the data-quality gate of training."""
# ruff: noqa: S608 - SQL is made of declarations

from __future__ import annotations

from typing import Any

from countersign.declare import Feature, FeatureView, UseCase
from countersign.errors import DataError, FieldError, SyntheticDataError, TooFewRowsError
from countersign.features.engine import LATEST
from countersign.features.spine import positive_sql

DUPLICATES = 0.01
CRITICAL_NULLS = 0.01
_LISTED, _TOLD = 100, 5


def check_spine_rows(
    connection: Any, use_case: UseCase, spine: str, environment: str
) -> dict[str, Any]:
    """Volume, labels, duplicates and taint of the spine; returns what was measured.

    Raises
    ------
    SyntheticDataError   synthetic rows outside the local environment
    TooFewRowsError      fewer rows or positives than the split needs
    DataError            more than 1 % of the rows repeat another fact under a new key
    """
    rows, positives, synthetic = connection.execute(
        f"SELECT count(*), count(*) FILTER ({positive_sql(use_case.label)}), "
        f"coalesce(bool_or(_synthetic), false) FROM {spine}"
    ).fetchone()
    if synthetic and environment != "local":
        raise SyntheticDataError(
            f"{use_case.spine.name} holds synthetic rows, which may teach a model in local only"
        )
    split = use_case.split
    if rows < split.min_rows or positives < split.min_positives:
        raise TooFewRowsError(
            f"{rows} labelled rows with {positives} positives; needs {split.min_rows} "
            f"with {split.min_positives}"
        )
    repeated, keys = _duplicates(connection, use_case, spine)
    if repeated > DUPLICATES * rows:
        raise DataError(
            f"{repeated} of {rows} rows of {use_case.spine.name} repeat another row under a new key, "
            f"more than {DUPLICATES:.0%}; find out which delivery came twice",
            errors=[FieldError(k["key"], f"not the facts of {k['repeats']}") for k in keys[:_TOLD]],
        )
    return {
        "rows": rows,
        "positives": positives,
        "duplicates": repeated,
        "duplicate_keys": keys,
        "synthetic": bool(synthetic),
    }


def check_critical_nulls(connection: Any, use_case: UseCase, joined: str) -> dict[str, float]:
    """Null rate of each critical feature among rows whose entity had a fresh fact to compute it from.

    Raises
    ------
    DataError      a rate above 1 %
    """
    rates: dict[str, float] = {}
    for view in use_case.views:
        for feature in view.features:
            if feature.critical:
                rates[feature.name] = _null_rate(connection, view, feature, joined)
    wrong = {name: rate for name, rate in rates.items() if rate > CRITICAL_NULLS}
    if wrong:
        told = ", ".join(f"{name} {rate:.2%}" for name, rate in wrong.items())
        raise DataError(
            f"Critical features are null too often: {told}; at most {CRITICAL_NULLS:.0%}"
        )
    return rates


def _duplicates(connection: Any, use_case: UseCase, spine: str) -> tuple[int, list[dict[str, str]]]:
    """Rows that equal another in everything but key, clocks and revision; the first of them by key."""
    source = use_case.spine
    apart = {*source.key, source.event_time, source.known_at, "revision"}
    same = ", ".join(f'"{c.name}"' for c in source.columns if c.name not in apart)
    key = "concat_ws('|', " + ", ".join(f'"{name}"::VARCHAR' for name in source.key) + ")"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _repeated AS SELECT * FROM (SELECT {key} AS _key, "
        f"first_value({key}) OVER (PARTITION BY {same} ORDER BY known_at, {key}) AS _first "
        f"FROM {spine}) WHERE _key <> _first"
    )
    (found,) = connection.execute("SELECT count(*) FROM _repeated").fetchone()
    listed = connection.execute(
        f"SELECT _key, _first FROM _repeated ORDER BY _key LIMIT {_LISTED}"
    ).fetchall()
    return int(found), [{"key": key, "repeats": first} for key, first in listed]


def _null_rate(connection: Any, view: FeatureView, feature: Feature, joined: str) -> float:
    source = feature.source or view.source.name
    latest = f'"{view.name}_{LATEST}{source}"'
    age = f"(epoch_us(as_of) - {latest}) / 1e6"
    fresh, nulls = connection.execute(
        f'SELECT count(*), count(*) FILTER ("{feature.name}" IS NULL) FROM {joined} '
        f"WHERE {latest} IS NOT NULL AND {age} <= {feature.sla.total_seconds()!r}"
    ).fetchone()
    return float(nulls / fresh) if fresh else 0.0
