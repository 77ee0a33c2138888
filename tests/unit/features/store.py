"""Drive the feature store from outside: files in, values out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from countersign import use_cases
from countersign.aws.online import Key, OnlineRow
from countersign.clock import iso
from countersign.features import asof, duck, packing
from countersign.features.catalogue import view_named
from countersign.features.parts import history_prefix
from countersign.steps import build_features, ingest, materialize

from tests.unit.use_cases.payroll import Row

from .cloud import Cloud

USE_CASE = use_cases.get("payroll_anomaly")


class Store:
    """The store's steps, run as the features machine runs them."""

    def __init__(self, aws: Cloud) -> None:
        self.aws, self.stores = aws, aws.stores
        self._files = 0

    def deliver(self, source: str, rows: Sequence[Row]) -> ingest.Result:
        """Put a file into the raw bucket and ingest it."""
        self._files += 1
        key = f"raw/{source}/ingest_date=2026-11-20/{self._files:03}.jsonl"
        self.stores.raw.put(key, "".join(json.dumps(row) + "\n" for row in rows).encode())
        result = ingest.run(ingest.Request(key=key), self.stores)
        assert isinstance(result, ingest.Result)
        return result

    def build(self, view: str = "worker_pay", **changes: Any) -> int:
        """Append what is new of a view, now; returns the rows."""
        as_of = iso(self.aws.clock.at)
        request = {"action": "build", "view": view, "as_of": as_of, **changes}
        built = build_features.run(build_features.Request(**request), self.stores)
        assert isinstance(built, build_features.Built)
        return built.rows

    def materialize(self, view: str = "worker_pay", **changes: Any) -> materialize.Result:
        as_of = iso(self.aws.clock.at)
        request = {"view": view, "as_of": as_of, **changes}
        return materialize.run(materialize.Request(**request), self.stores)

    def refresh(self, view: str = "worker_pay") -> materialize.Result:
        """Build and materialize, a minute later than whatever came before."""
        self.aws.clock.at += timedelta(minutes=1)
        self.build(view)
        return self.materialize(view)

    def read(self, *keys: Key, **options: Any) -> dict[Key, OnlineRow]:
        return self.stores.online.read(keys, **options)[0]

    def online(self, identity: str, view: str = "worker_pay") -> dict[str, float | None]:
        """What a request would be served now."""
        declared = view_named([USE_CASE], view)
        key = (declared.entity.name, identity, view)
        row = self.read(key).get(key)
        held = None if row is None else packing.unpack(declared, row.packed)
        return packing.serve(declared, held, self.aws.clock.at)

    def offline(self, identity: str, at: datetime, view: str = "worker_pay") -> dict[str, Any]:
        """What a training row of `at` is given."""
        declared = view_named([USE_CASE], view)
        with duck.connect() as connection:
            connection.execute(
                f"CREATE TABLE asked AS SELECT '{identity}' AS {declared.entity.key}, "
                f"'{at.isoformat()}'::TIMESTAMPTZ AS as_of"
            )
            joined = asof.join_sql(
                connection, "asked", [(declared, duck.parquet(self.parts(view)))]
            )
            columns = ", ".join(f.name for f in declared.features)
            found = connection.execute(f"SELECT {columns} FROM ({joined})").fetchone()
        return dict(zip([f.name for f in declared.features], found, strict=True))

    def parts(self, view: str = "worker_pay") -> list[Any]:
        """The history's files, here."""
        import tempfile
        from pathlib import Path

        folder = Path(tempfile.mkdtemp())
        return self.stores.lake.download(self.stores.lake.keys(history_prefix(view)), folder)

    def rows(self, view: str = "worker_pay") -> list[tuple[Any, ...]]:
        """The history: (entity, event_time µs, known_at µs, digest), in order."""
        with duck.connect() as connection:
            found: list[tuple[Any, ...]] = connection.execute(
                "SELECT entity_id, epoch_us(event_time), epoch_us(known_at), _digest "
                f"FROM {duck.parquet(self.parts(view))} ORDER BY ALL"
            ).fetchall()
        return found

    def standing(self, view: str = "worker_pay") -> dict[tuple[Any, ...], str]:
        """Of each (entity, event_time µs, known_at µs) of the history, the digest built last."""
        with duck.connect() as connection:
            found = connection.execute(
                "SELECT entity_id, epoch_us(event_time), epoch_us(known_at), "
                "arg_max(_digest, (_built_at, _digest)) "
                f"FROM {duck.parquet(self.parts(view))} GROUP BY ALL"
            ).fetchall()
        return {(entity, e, k): digest for entity, e, k, digest in found}
