"""The leakage audit of a training set: nothing in it was known or true only after its as-of time.

`audit` reads the clocks of a join. `audit_frame` trusts nobody: it computes every value of any training
set again from the sources, by the definition, and compares; what it cannot compute again is unknown.
"""
# ruff: noqa: S608 - SQL is made of declarations

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.declare import UseCase
from countersign.errors import DataError, FieldError, LeakageError
from countersign.features import dataset, recompute, separation
from countersign.features.spine import create_spine

FRAME = "_frame"
MARKS = ("as_of", "label", "_synthetic")


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


def judge_columns(connection: Any, names: Sequence[str], table: str) -> dict[str, Any]:
    """What each column of `table` alone tells of its `label`: {judged, separation, suspicious}."""
    values = ", ".join(f'coalesce("{name}", \'nan\'::DOUBLE) AS "{name}"' for name in names)
    columns = connection.execute(f"SELECT label, {values} FROM {table} ORDER BY _n").fetchnumpy()
    judged = {name: separation.separation(columns[name], columns["label"]) for name in names}
    return {
        "judged": judged,
        "separation": {name: found["auc"] or 0.5 for name, found in judged.items()},
        "suspicious": [n for n, found in judged.items() if found["verdict"] == "suspicious"],
    }


def audit_frame(
    connection: Any, use_case: UseCase, frame: str, *, by: datetime, scratch: Path
) -> dict[str, Any]:
    """Audit any training set against the sources registered in the session.

    `frame` is a relation with `as_of` (TIMESTAMPTZ) and, where its columns shall be proven, the keys of
    the entities or of the spine (VARCHAR); `label` is what single columns are held against. Columns
    named as features are computed again by the definition; all others are unknown. `by`: what was
    known by then is searched for the origin of wrong values, and labels the spine.

    Returns
    -------
    dict
        `{rows, passed, leaks, suspicious, unknown, columns: [{column, origin, verdict, rows, compared,
        differing, known_after, true_after, slack_seconds, examples, why, separation}]}`.

    Raises
    ------
    DataError      no `as_of`, or a naive one; a key that is a number
    """
    types = _types(connection, frame)
    if types.get("as_of") != "TIMESTAMP WITH TIME ZONE":
        told = "a timestamp with its time zone"
        raise DataError("A training set needs as_of", errors=[FieldError("as_of", told)])
    _create_frame(connection, use_case, frame, types, by)
    rows, views = _of_views(connection, use_case, types, by)
    rows += _of_requests(connection, use_case, types, views, scratch)
    rows += _unknown(use_case, types, {row["column"] for row in rows})
    for row in rows:
        row["separation"] = _separation(connection, row["column"], types)
        if row["verdict"] in {"proven", "unknown"} and _is(row, "suspicious"):
            row["verdict"], row["why"] = "suspicious", row["separation"]["why"]
    (count,) = connection.execute(f"SELECT count(*) FROM {FRAME}").fetchone()
    leaks = [row["column"] for row in rows if row["verdict"] in {"leak", "differs"}]
    odd = [row["column"] for row in rows if _is(row, "suspicious")]
    return {
        "rows": int(count),
        "passed": not leaks and not odd,
        "leaks": leaks,
        "suspicious": odd,
        "unknown": [row["column"] for row in rows if row["verdict"] == "unknown"],
        "columns": rows,
    }


def _is(row: dict[str, Any], verdict: str) -> bool:
    return bool(row["separation"] and row["separation"]["verdict"] == verdict)


def _types(connection: Any, frame: str) -> dict[str, str]:
    return {n: k for n, k, *_ in connection.execute(f"DESCRIBE SELECT * FROM {frame}").fetchall()}


def _create_frame(
    connection: Any, use_case: UseCase, frame: str, types: dict[str, str], by: datetime
) -> None:
    """`_frame`: the columns with a row number; features as numbers, NaN as null; keys of the spine's
    rows where only those are named.
    """
    features = _declared(use_case)
    chosen = [_number(name) if name in features else f'f."{name}"' for name in types]
    wanted = {entity.key for entity in use_case.entities} - set(types)
    spine = create_spine(connection, use_case, by)
    key = use_case.spine.key
    joined = ""
    if set(key) <= set(types):
        chosen += [f's."{name}"' for name in sorted(wanted)]
        same = " AND ".join(f's."{name}" = f."{name}"' for name in key)
        joined = f" LEFT JOIN {spine} s ON {same}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {FRAME} AS SELECT f._row, {', '.join(chosen)} "
        f"FROM (SELECT *, row_number() OVER () AS _row FROM {frame}) f{joined} ORDER BY f._row"
    )


def _declared(use_case: UseCase) -> set[str]:
    views = {f.name for view in use_case.views for f in view.features}
    return views | {f.name for f in use_case.request_features}


def _number(name: str) -> str:
    value = f'try_cast(f."{name}" AS DOUBLE)'
    return f'CASE WHEN isfinite({value}) THEN {value} END AS "{name}"'


def _of_views(
    connection: Any, use_case: UseCase, types: dict[str, str], by: datetime
) -> tuple[list[dict[str, Any]], list[str]]:
    """Columns that views declare; and the tables of every view's expected values."""
    held = set(_types(connection, FRAME))
    rows: list[dict[str, Any]] = []
    tables: list[str] = []
    for view in use_case.views:
        names = [f.name for f in view.features if f.name in types]
        if view.entity.key not in held:
            rows += [_unproven(n, view.name, f"needs the column {view.entity.key}") for n in names]
            continue
        rows += recompute.audit_view(connection, view, FRAME, names, by=by)
        tables.append(f"_expected_{view.name}")
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {tables[-1]} AS SELECT * FROM {recompute.EXPECTED}"
        )
    return rows, tables


def _of_requests(
    connection: Any, use_case: UseCase, types: dict[str, str], views: list[str], scratch: Path
) -> list[dict[str, Any]]:
    """Request-time features, by the functions that serve them, on the spine's rows as first known."""
    asked = [f.name for f in use_case.request_features if f.name in types]
    missing = [name for name in use_case.spine.key if name not in types]
    if not asked:
        return []
    if missing or len(views) < len(use_case.views):
        told = f"needs the columns {', '.join(missing or [e.key for e in use_case.entities])}"
        return [_unproven(name, "request", told) for name in asked]
    same = " AND ".join(f's."{name}" = f."{name}"' for name in use_case.spine.key)
    features = ", ".join(f'"{f.name}"' for view in use_case.views for f in view.features)
    values = " ".join(f"JOIN {table} USING (_row)" for table in views)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _joined AS SELECT s.*, f._row, {features} "
        f"FROM (SELECT _row, {', '.join(_quoted(use_case.spine.key))} FROM {FRAME}) f "
        f"JOIN spine s ON {same} {values}"
    )
    dataset.create_request_values(
        connection, use_case, "_joined", scratch, key="_row::VARCHAR", table="_made"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {recompute.EXPECTED} AS "
        f"SELECT * EXCLUDE (_key), _key::BIGINT AS _row FROM _made"
    )
    return [recompute.compare(connection, FRAME, name, "request", None) for name in asked]


def _unknown(use_case: UseCase, types: dict[str, str], known: set[str]) -> list[dict[str, Any]]:
    spine = {c.name for c in use_case.spine.columns} | {e.key for e in use_case.entities}
    told = "unknown: cannot be proven"
    names = [n for n in types if n not in known and n not in MARKS and n not in spine]
    return [_unproven(name, "", told) for name in names]


def _unproven(name: str, origin: str, why: str) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(("rows", "compared", "differing", "slack_seconds"))
    counts = {"known_after": 0, "true_after": 0, "examples": []}
    return {"column": name, "origin": origin, "verdict": "unknown", **nothing, **counts, "why": why}


def _separation(connection: Any, name: str, types: dict[str, str]) -> dict[str, Any] | None:
    """What the column alone tells of the label; None without labels or for texts that describe."""
    if "label" not in types:
        return None
    text = types[name] == "VARCHAR" and name not in _numbers(connection, name)
    value = f'"{name}"' if text else f"coalesce(try_cast(\"{name}\" AS DOUBLE), 'nan'::DOUBLE)"
    found = connection.execute(
        f"SELECT {value} AS v, label FROM {FRAME} WHERE label IS NOT NULL"
    ).fetchnumpy()
    if text:
        return separation.of_texts(found["v"], found["label"])
    return separation.separation(found["v"], found["label"])


def _numbers(connection: Any, name: str) -> list[str]:
    """The name, when every text of the column is a number."""
    (texts,) = connection.execute(
        f'SELECT count(*) FROM {FRAME} WHERE "{name}" IS NOT NULL AND try_cast("{name}" AS DOUBLE) IS NULL'
    ).fetchone()
    return [] if texts else [name]


def _quoted(names: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in names]
