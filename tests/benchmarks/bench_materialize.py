"""`materialize`: what stands of 20 features of each entity, read from history, packed, and written under
the out-of-order guard, a chunk at a time with its progress. AWS answers are canned at the HTTP layer:
own time only.

The reference is Feast's DynamoDB store, which wrote 4 900 such rows a second, its client side only and
without a guard, on the machine where the promise was made.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from tests.benchmarks.canned import answer_with
from tests.benchmarks.measure import Measurement, seconds

ROWS = 30_000
FEATURES = 20
FEAST_ROWS_A_SECOND = 4900
AS_OF = datetime(2026, 11, 21, 5, 47, tzinfo=UTC)


def run() -> list[Measurement]:
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "benchmark")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "benchmark")
    from countersign import use_cases
    from countersign.aws.online import OnlineStore
    from countersign.aws.session import client
    from countersign.aws.settings import Settings
    from countersign.clock import FixedClock
    from countersign.features import duck

    views = use_cases.get("payroll_anomaly").views
    features = [feature for view in views for feature in view.features][:FEATURES]
    view = replace(views[0], features=tuple(features))
    settings = Settings(environment="local", online_table="countersign-local-online")
    store = OnlineStore(client("dynamodb"), settings, FixedClock(AS_OF))
    answer_with("PutItem", b"{}")
    with duck.connect() as connection:
        connection.execute(f"CREATE TABLE history AS {_history(view)}")
        whole = seconds(lambda: _bring_online(store, view, _latest(connection, view)))
        rows = list(_latest(connection, view))
        write = seconds(lambda: _bring_online(store, view, iter(rows)))
    return [
        Measurement(
            name=name,
            value=spent / ROWS * 1e6,
            unit="µs a row",
            reference=f"Feast's DynamoDB store, unguarded, {FEAST_ROWS_A_SECOND} rows a second "
            "(measured elsewhere)",
            reference_value=1e6 / FEAST_ROWS_A_SECOND,
            at_most=1 / 4,
        )
        for name, spent in (("materialize", whole), ("materialize_packed_rows", write))
    ]


def _history(view: Any) -> str:
    """One row of history for each of `ROWS` entities."""
    from countersign.features.definition import definition_digest
    from countersign.features.engine import carried_columns, stored_columns

    at = "TIMESTAMPTZ '2026-11-20 00:00:00+00'"
    numbers = [f'(n * {k + 1}) / 7.0 AS "{c}"' for k, c in enumerate(stored_columns(view))]
    ids = [f"'C-' || n % 100 AS \"{c}\"" for c in carried_columns(view)]
    return (
        f"SELECT format('W-{{:06d}}', n) AS entity_id, {at} AS event_time, {at} AS known_at, "
        f"{', '.join([*numbers, *ids])}, {at} AS _newest_fact_at, {at} AS _built_at, "
        f"'{definition_digest(view)}' AS _definition, md5(n::VARCHAR) AS _digest "
        f"FROM range({ROWS}) t(n)"
    )


def _latest(connection: Any, view: Any) -> Iterator[Any]:
    from countersign.features.online_rows import latest_rows

    return latest_rows(connection, view, "history", as_of=AS_OF)


def _bring_online(store: Any, view: Any, rows: Iterator[Any]) -> None:
    """As the step does it: chunk by chunk, the progress after each."""
    from countersign.aws.online import OnlineRow
    from countersign.steps.materialize.bucket import CHUNK

    written = 0
    while chunk := list(islice(rows, CHUNK)):
        named = [(identity, OnlineRow(**fields)) for identity, fields in chunk]
        written += sum(store.write(view.entity.name, view.name, named))
        store.save_progress(view.name, "0-of-1", {"cursor": chunk[-1][0]})
    assert written == ROWS
