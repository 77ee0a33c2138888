"""The skew check: a day's logged vectors against history, and history against the definition."""
# ruff: noqa: S608 - SQL is made of declarations and our own files

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from countersign import use_cases
from countersign.aws.raised import raise_once
from countersign.aws.stores import Stores
from countersign.aws.telemetry import emit
from countersign.clock import iso
from countersign.declare import FeatureView, UseCase
from countersign.features import duck, skew
from countersign.features.definition import definition_digest
from countersign.features.parts import history_prefix, source_prefix
from countersign.steps.monitor import archive, period

MOST_REPLAYED = 5_000
COUNTS = ("compared", "equal", "lagging", "skewed_rows")


def run(stores: Stores, use_case: str, day: str) -> dict[str, Any]:
    """Replay the vectors of a day; record it, and tell people of true skew."""
    declared = use_cases.get(use_case)
    when = period.day_or_yesterday(day, stores.clock.now())
    keys = archive.keys_of(stores.lake, use_case, [when])
    # Keys are digests of ids: the first of them are a sample that nobody chose.
    replayed = keys[:MOST_REPLAYED]
    views = _compare(stores, declared, when, replayed) if replayed else []
    totals = {name: sum(view[name] for view in views) for name in COUNTS}
    found = [row for view in views for row in view["skewed"]]
    lags = [view["lag_hours_max"] for view in views if view["lag_hours_max"] is not None]
    result = {
        "schema": 1,
        "kind": "skew",
        "use_case": use_case,
        "day": when.isoformat(),
        "computed_at": iso(stores.clock.now()),
        "rows": len(keys),
        "replayed": len(replayed),
        **totals,
        "skewed": found,
        "lag_hours_max": max(lags, default=None),
        "verdict": _verdict(totals, len(replayed)),
        "views": views,
    }
    stores.lake.write_json(f"reports/{use_case}/skew/{when}.json", result)
    emit({"use_case": use_case}, {"SkewedVectors": float(totals["skewed_rows"])})
    if found:
        _tell(stores, use_case, when, result)
    return {name: value for name, value in result.items() if name not in {"schema", "views"}}


def _verdict(totals: dict[str, int], replayed: int) -> str:
    if not replayed:
        return "no predictions"
    return "alert" if totals["skewed_rows"] else "normal"


def _compare(
    stores: Stores, use_case: UseCase, when: date, keys: list[str]
) -> list[dict[str, Any]]:
    end = datetime.combine(when, time(), tzinfo=UTC) + timedelta(days=1)
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        place = Path(scratch)
        files = stores.lake.download(keys, place / "predictions")
        connection.execute(
            "CREATE TEMP TABLE _predictions AS SELECT row_number() OVER () AS _row, *, "
            f'"at" AS at_ FROM {duck.parquet(files)}'
        )
        for source in use_case.sources():
            held = stores.lake.download(
                stores.lake.keys(source_prefix(source.name)), place / "sources" / source.name
            )
            duck.register_source(connection, source, held)
        histories = {view.name: _history(stores, view, place) for view in use_case.views}
        results = []
        for view in use_case.views:
            logged = _create_logged(connection, use_case, view, histories)
            results.append(
                skew.compare_view(
                    connection, view, histories[view.name], logged, known_by=duck.timestamp(end)
                )
            )
        return results


def _history(stores: Stores, view: FeatureView, place: Path) -> str | None:
    keys = stores.lake.keys(history_prefix(view.name))
    files = stores.lake.download(keys, place / "offline" / view.name)
    return duck.parquet(files) if files else None


def _create_logged(
    connection: Any, use_case: UseCase, view: FeatureView, histories: dict[str, str | None]
) -> str:
    """The predictions under the id that this view goes by: their own, or what their entity's record carries."""
    held = {row[0] for row in connection.execute("DESCRIBE _predictions").fetchall()}
    features = ", ".join(
        f'"{archive.FEATURE_PREFIX}{f.name}"::DOUBLE AS "{f.name}"'
        if f"{archive.FEATURE_PREFIX}{f.name}" in held
        else f'NULL::DOUBLE AS "{f.name}"'
        for f in view.features
    )
    identity = "entity_id"
    if view.entity != use_case.entities[0]:
        identity = _carried(use_case, view.entity.key, histories)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _logged AS SELECT _row, {identity} AS _entity, "
        f"at_ AS _scored, {features} FROM _predictions p"
    )
    return "_logged"


def _carried(use_case: UseCase, key: str, histories: dict[str, str | None]) -> str:
    """SQL of the id that the first entity's newest row of the time carries; NULL when no view does."""
    for view in use_case.views:
        history = histories[view.name]
        if view.entity == use_case.entities[0] and key in view.carries and history:
            return (
                f'(SELECT arg_max("_id_{key}", (event_time, known_at, _built_at, _digest)) '
                f"FROM {history} h WHERE h.entity_id = p.entity_id AND h._built_at <= p.at_ "
                f"AND h._definition = '{definition_digest(view)}' "
                f"AND h.event_time <= p.at_ AND h.known_at <= p.at_)"
            )
    return "NULL::VARCHAR"


def _tell(stores: Stores, use_case: str, when: date, result: dict[str, Any]) -> None:
    raise_once(
        stores,
        use_case=use_case,
        kind="skew",
        key=when.isoformat(),
        subject=f"Training and serving differ in {use_case}, {when}",
        severity="high",
        what=f"{use_case} on {when}: {result['skewed_rows']} vectors hold values that the definition "
        "does not give.",
        facts={
            "replayed": result["replayed"],
            **{f"{row['view']}.{row['feature']}": row["count"] for row in result["skewed"][:8]},
        },
        to_do="See which view and feature: was history changed, or the online store written by other means? "
        "Build the view again and materialize it in full; do not train on these predictions.",
        runbook="docs/data-quality.md",
    )
