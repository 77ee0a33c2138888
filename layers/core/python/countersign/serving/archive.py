"""A prediction as one Parquet file of one row. Its key follows from its id: archiving again replaces it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from countersign.features.freshness import OVERDUE
from countersign.serving.prediction import UPSTREAM, Prediction

_COLUMNS = {
    "prediction_id": "VARCHAR",
    "use_case": "VARCHAR",
    "tenant": "VARCHAR",
    "entity_id": "VARCHAR",
    "cohort": "VARCHAR",
    "at": "TIMESTAMPTZ",
    "version": "VARCHAR",
    "epoch": "BIGINT",
    "score": "DOUBLE",
    "model_score": "DOUBLE",
    "rule_score": "DOUBLE",
    "decision": "VARCHAR",
    "threshold": "DOUBLE",
    "degraded": "BOOLEAN",
    "outcome": "INTEGER",
    "outcome_known_at": "TIMESTAMPTZ",
    "outcome_class": "VARCHAR",
    "strategy": "VARCHAR",
    "probabilities": "MAP(VARCHAR, DOUBLE)",
    "upstream": "VARCHAR",
}
FEATURE_PREFIX = "f_"


def archive_key(prediction: Prediction) -> str:
    """Where its row lies in the lake, by the day on which it was answered."""
    day = prediction.at[:10]
    folder = f"predictions/use_case={prediction.use_case}/date={day}"
    return f"{folder}/{prediction.prediction_id}.parquet"


def parquet_rows(predictions: Iterable[Prediction]) -> Iterator[tuple[Prediction, bytes]]:
    """Each prediction with its Parquet file.

    Columns: those of `_COLUMNS`, times as timestamp[us, UTC], then `f_<feature>` DOUBLE for each logged
    feature in order. `outcome` is the standing label, null while nothing is known; that of a label of
    classes is `outcome_class`. `probabilities` is a map by class, `upstream` JSON; null where there are none.
    """
    import duckdb

    with TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as connection:
        made: dict[tuple[str, ...], str] = {}
        path = Path(folder) / "row.parquet"
        for prediction in predictions:
            names = tuple(prediction.features)
            if names not in made:
                made[names] = f"row_{len(made)}"
                connection.execute(_create(made[names], names))
            table = made[names]
            values = _values(prediction)
            marks = ", ".join("?" * len(values))
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - a name made here
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608
            connection.execute(f"COPY {table} TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
            yield prediction, path.read_bytes()


def _create(table: str, features: tuple[str, ...]) -> str:
    columns = {**_COLUMNS, **{f"{FEATURE_PREFIX}{name}": "DOUBLE" for name in features}}
    quoted = ", ".join(f'"{name.replace(chr(34), "")}" {kind}' for name, kind in columns.items())
    return f"CREATE TABLE {table} ({quoted})"


def _values(prediction: Prediction) -> list[Any]:
    outcome = prediction.outcome or {}
    label = outcome.get("label")
    upstream = {name: dict(said) for name, said in prediction.upstream.items()}
    facts = {
        **{name: getattr(prediction, name) for name in _COLUMNS if hasattr(prediction, name)},
        # An input that is overdue or absent does not make the answer another's than the version's own.
        "degraded": not all(
            reason.startswith((*OVERDUE, UPSTREAM)) for reason in prediction.degraded
        ),
        "outcome": None if isinstance(label, str) else label,
        "outcome_class": label if isinstance(label, str) else None,
        "strategy": prediction.strategy or None,
        "probabilities": _map(prediction.probabilities),
        "upstream": json.dumps(upstream, separators=(",", ":")) if upstream else None,
        "outcome_known_at": outcome.get("known_at"),
    }
    return [*(facts[name] for name in _COLUMNS), *prediction.features.values()]


def _map(shares: Mapping[str, float] | None) -> dict[str, list[Any]] | None:
    """As DuckDB takes a map."""
    return None if shares is None else {"key": list(shares), "value": list(shares.values())}
