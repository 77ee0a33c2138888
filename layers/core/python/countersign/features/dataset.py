"""A training set: the spine, its features as of each row's moment, split by time, written once.

The columns: the spine's key, ids and groups, `as_of`, `label`, one DOUBLE per input of the model in
their order, then every other feature. Nulls stay null. Equal facts and declarations give equal bytes.
"""
# ruff: noqa: S608 - SQL is made of declarations

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.declare import FeatureView, UseCase
from countersign.features import request_time
from countersign.features.asof import join_sql
from countersign.features.duck import quote
from countersign.features.pointintime import check_spine

JOINED = "joined"
DATASET = "dataset"
SPLITS = ("train", "valid", "test")
_FETCH = 5000


def join_views(connection: Any, use_case: UseCase, spine: str, histories: Mapping[str, str]) -> str:
    """Join each view's history to the spine, point in time; returns the name of the table.

    `histories` maps a view's name to a relation of its history; a view without one joins as nulls.
    """
    check_spine(connection, spine, tuple(dict.fromkeys(v.entity.key for v in use_case.views)))
    built = [(v, histories[v.name]) for v in use_case.views if v.name in histories]
    missing = [c for v in use_case.views if v.name not in histories for c in _nulls(v)]
    rows = join_sql(connection, spine, built)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {JOINED} AS SELECT {', '.join(['*', *missing])} FROM ({rows})"
    )
    return JOINED


def create_dataset(connection: Any, use_case: UseCase, joined: str, scratch: Path) -> str:
    """Add the request-time features, by the functions that serve them; returns the table's name."""
    names = [f.name for f in use_case.request_features]
    made = create_request_values(connection, use_case, joined, scratch, key=_key(use_case))
    inputs = list(use_case.inputs)
    every = [f.name for view in use_case.views for f in view.features] + names
    # A feature may have the name of the spine's column that it reads; then each is its own table's.
    chosen = [f'{joined}."{name}"' for name in spine_columns(use_case)]
    chosen += ["as_of", "label", "_synthetic"]
    whose = dict.fromkeys(names, made)
    chosen += [
        f'{whose.get(n, joined)}."{n}"::DOUBLE AS "{n}"'
        for n in [*inputs, *(e for e in every if e not in inputs)]
    ]
    key = ", ".join(f'{joined}."{name}"' for name in use_case.spine.key)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {DATASET} AS SELECT row_number() OVER (ORDER BY as_of, {key}) "
        f"AS _n, {', '.join(chosen)} FROM {joined} JOIN {made} ON _key = {_key(use_case)}"
    )
    return DATASET


def create_request_values(
    connection: Any, use_case: UseCase, joined: str, scratch: Path, *, key: str, table: str = "made"
) -> str:
    """The table of `_key` (the SQL `key` of a joined row) and its request-time features; its name."""
    computed = scratch / f"{table}.csv"
    with computed.open("w", newline="", encoding="utf-8") as target:
        csv.writer(target).writerows(_request_rows(connection, use_case, joined, key))
    types = ", ".join(f"{quote(f.name)}: 'DOUBLE'" for f in use_case.request_features)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS FROM read_csv({quote(str(computed))}, "
        f"auto_detect = false, header = false, columns = {{'_key': 'VARCHAR', {types}}})"
    )
    return table


def spine_columns(use_case: UseCase) -> list[str]:
    """Key, ids of the entities, and the groups by which a model is judged and rolled out."""
    wanted = [
        *use_case.spine.key,
        *(entity.key for entity in use_case.entities),
        *(group.column for group in use_case.fairness),
        use_case.rollout.cohort_column,
    ]
    return list(dict.fromkeys(wanted))


def write_splits(
    connection: Any, dataset: str, where: Mapping[str, str], folder: Path
) -> dict[str, Any]:
    """Write the spine and the splits; returns by file name {sha256, bytes, rows}."""
    files = {
        f"{name}.parquet": f"SELECT * EXCLUDE (_n, _synthetic) FROM {dataset} WHERE {where[name]} ORDER BY _n"
        for name in SPLITS
    }
    files["spine.parquet"] = (
        f"SELECT _n AS row, as_of, label, _synthetic FROM {dataset} ORDER BY _n"
    )
    return {name: _write(connection, rows, folder / name) for name, rows in files.items()}  # fmt: skip


def summary(connection: Any, use_case: UseCase, dataset: str) -> dict[str, Any]:
    """Null rate and moments of each input: what an approver compares with the training before."""
    found = {}
    for name in use_case.inputs:
        rows, present, mean, std, least, most = connection.execute(
            f'SELECT count(*), count("{name}"), avg("{name}"), stddev_samp("{name}"), '
            f'min("{name}"), max("{name}") FROM (SELECT "{name}" FROM {dataset} ORDER BY _n)'
        ).fetchone()
        null_rate = round(1 - present / rows, 9) if rows else 0.0
        moments = {"mean": mean, "std": std, "min": least, "max": most}
        rounded = {k: None if v is None else float(f"{v:.9g}") for k, v in moments.items()}
        found[name] = {"null_rate": null_rate, **rounded}
    return found


def dataset_id(use_case: UseCase, as_of: datetime, content: str) -> str:
    """A name that equal content at an equal as-of time has again. `content` is hex."""
    return f"{use_case.name}-{as_of:%Y%m%dT%H%M%SZ}-{content[:12]}"


def _nulls(view: FeatureView) -> list[str]:
    """The columns of a view that has no history."""
    nulls = [f'NULL::DOUBLE AS "{f.name}"' for f in view.features]
    nulls += [f"NULL::DOUBLE AS {view.name}__latest_{s.name}" for s in view.sources()]
    clocks = ("event_time", "known_at")
    return nulls + [f"NULL::TIMESTAMPTZ AS {view.name}__{clock}" for clock in clocks]


def _request_rows(connection: Any, use_case: UseCase, joined: str, key: str) -> Any:
    """Per spine row its `key` and request-time features, seeing only what a scoring body has."""
    usual = [f.name for view in use_case.views for f in view.features]
    declared = {c.name for c in use_case.spine.columns}
    paths = [field.path.rpartition(".")[2] for field in use_case.request_fields]
    asked = [name for name in paths if name in declared]
    columns = ", ".join(f'"{name}"' for name in [*usual, *asked])
    cursor = connection.execute(f"SELECT {key}, {columns} FROM {joined}")
    while batch := cursor.fetchmany(_FETCH):
        for name, *values in batch:
            views = dict(zip(usual, values[: len(usual)], strict=True))
            row = dict(zip(asked, values[len(usual) :], strict=True))
            made = request_time.compute(use_case, row, views)
            yield [name, *("" if v is None else repr(v) for v in made.values())]


def _key(use_case: UseCase) -> str:
    names = ", ".join(f'"{name}"::VARCHAR' for name in use_case.spine.key)
    return f"concat_ws(chr(31), {names})"


def _write(connection: Any, rows: str, path: Path) -> dict[str, Any]:
    (count,) = connection.execute(
        f"COPY ({rows}) TO {quote(str(path))} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchone()
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return {"sha256": digest, "bytes": len(content), "rows": int(count)}
