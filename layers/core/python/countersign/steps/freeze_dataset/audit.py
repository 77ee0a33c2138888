"""Audit a training set, ours or anybody's: every value computed again from the sources and compared."""
# ruff: noqa: S608 - SQL is made of declarations, our own paths and checked names

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.clock import parse_iso
from countersign.declare import UseCase
from countersign.errors import DataError, FieldError, NotFoundError
from countersign.features import dataset, duck, leakage
from countersign.steps.freeze_dataset.comparison import evidence_key
from countersign.steps.freeze_dataset.freeze import load_sources

_ZONED = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)? ?(Z|[+-]\d{2}(:?\d{2})?)$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """`passed`: nothing leaks, nothing is suspicious. The audit itself lies at `audit_key`."""

    dataset_id: str
    rows: int
    passed: bool
    leaks: list[str]
    suspicious: list[str]
    unknown: list[str]
    audit_key: str


def audit_dataset(stores: Stores, name: str, dataset_id: str) -> Audited:
    """Audit a frozen dataset and keep the result with its evidence, where its page finds it.

    Raises NotFoundError when the use case or the dataset is unknown.
    """
    use_case = use_cases.get(name)
    manifest = stores.lake.read_json(f"datasets/{dataset_id}/manifest.json")
    if manifest["use_case"] != name:
        raise NotFoundError(f"{name} has no dataset {dataset_id}")
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        keys = [f"datasets/{dataset_id}/{split}.parquet" for split in dataset.SPLITS]
        files = stores.lake.download(keys, Path(scratch) / "dataset")
        load_sources(connection, stores, use_case, Path(scratch))
        by = parse_iso(manifest["as_of"])
        frame = f"(SELECT * FROM {duck.parquet(files)})"
        found = leakage.audit_frame(connection, use_case, frame, by=by, scratch=Path(scratch))
    key = evidence_key(name, dataset_id)
    evidence = stores.lake.read_json(key) if stores.lake.exists(key) else {}
    stores.lake.write_json(key, {**evidence, "audit": found})
    return _result(dataset_id, found, key)


def audit_file(
    stores: Stores, name: str, path: Path, *, by: datetime | None = None, label: str = "label"
) -> dict[str, Any]:
    """Audit a person's own training set, a Parquet or CSV file, against the sources in the lake.

    The file has `as_of` (zoned timestamps) and, where columns shall be proven, the keys of entities or
    of the spine as text; `label` names its label. `by`: what was known by then, now by default.
    Returns what `features.leakage.audit_frame` does.

    Raises
    ------
    DataError      the file cannot be read, or `as_of` or a key is not as it must be
    """
    use_case = use_cases.get(name)
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        load_sources(connection, stores, use_case, Path(scratch))
        frame = create_own_frame(connection, use_case, path, label=label)
        moment = by or stores.clock.now()
        return leakage.audit_frame(connection, use_case, frame, by=moment, scratch=Path(scratch))


def create_own_frame(connection: Any, use_case: UseCase, path: Path, *, label: str) -> str:
    """The file as the table `own`: CSV texts stay texts until they are needed as numbers."""
    rows = {
        ".parquet": duck.parquet([path]),
        ".csv": f"read_csv({duck.quote(str(path))}, header = true, all_varchar = true)",
    }.get(path.suffix.lower())
    if rows is None:
        raise DataError("A training set is a .parquet or a .csv file")
    try:
        found = connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()
    except Exception as error:
        raise DataError(f"Not a readable {path.suffix} file") from error
    types: dict[str, str] = {name: kind for name, kind, *_ in found}
    if any('"' in column for column in types):
        raise DataError("The name of a column may not hold a quotation mark")
    others = [f'"{column}"' for column in types if column not in {"as_of", label}]
    labels = [f'"{label}" AS label'] if label in types else []
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE own AS "
        f"SELECT {', '.join([_as_of(connection, rows, types), *labels, *others])} FROM {rows}"
    )
    return "own"


def _as_of(connection: Any, rows: str, types: Mapping[str, str]) -> str:
    """The SQL of `as_of`. Raises DataError for moments without a time zone."""
    told = [FieldError("as_of", "a timestamp with its time zone, as 2026-11-21T05:47:00Z")]
    if types.get("as_of") == "TIMESTAMP WITH TIME ZONE":
        return '"as_of"'
    if types.get("as_of") != "VARCHAR":
        raise DataError("A training set needs as_of with a time zone", errors=told)
    (naive,) = connection.execute(
        f"SELECT count(*) FROM {rows} WHERE as_of IS NULL "
        f"OR NOT regexp_matches(as_of, {duck.quote(_ZONED)})"
    ).fetchone()
    if naive:
        raise DataError(f"{naive} rows have no as_of with a time zone", errors=told)
    return '"as_of"::TIMESTAMPTZ AS as_of'


def _result(dataset_id: str, found: dict[str, Any], key: str) -> Audited:
    names = ("rows", "passed", "leaks", "suspicious", "unknown")
    return Audited(dataset_id=dataset_id, audit_key=key, **{name: found[name] for name in names})
