"""Gate, join, split, audit, write: the dataset as known at its as-of time, and what approvers are shown."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.clock import iso, parse_iso
from countersign.declare import UseCase
from countersign.errors import DataError
from countersign.features import dataset, dataset_checks, duck, leakage
from countersign.features.definition import code_digest, definition_digest
from countersign.features.parts import history_prefix, source_prefix
from countersign.features.spine import create_spine
from countersign.features.splits import splits_of
from countersign.steps.freeze_dataset import comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """`dataset_digest` is the SHA-256 of the manifest's bytes."""

    dataset_id: str
    dataset_digest: str
    rows: int
    train_rows: int
    valid_rows: int
    test_rows: int
    positives: int


def freeze(stores: Stores, name: str, moment: str) -> Frozen:
    """The dataset of use case `name` as known at `moment`, held against the champion's.

    The manifest depends on the facts alone. How they differ from what the champion learned depends on
    who is champion, so that lies beside the dataset's page and is written by every call.
    """
    use_case, as_of = use_cases.get(name), parse_iso(moment)
    if as_of > stores.clock.now():
        raise DataError("An as-of time in the future would promise what is not known yet")
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        place = Path(scratch)
        histories = _load(connection, stores, use_case, place)
        spine = create_spine(connection, use_case, as_of)
        checks = dataset_checks.check_spine_rows(
            connection, use_case, spine, stores.settings.environment
        )
        joined = dataset.join_views(connection, use_case, spine, histories)
        checks["critical_null_rates"] = dataset_checks.check_critical_nulls(
            connection, use_case, joined
        )
        audit = leakage.audit(connection, use_case, joined)
        table = dataset.create_dataset(connection, use_case, joined, place)
        split = splits_of(connection, use_case, table)
        files = dataset.write_splits(connection, table, split.where, place)
        audit |= leakage.judge_columns(connection, use_case.inputs, table)
        summary = dataset.summary(connection, use_case, table)
        manifest = _manifest(use_case, as_of, files, split.facts, checks, audit, summary)
        frozen = _keep(stores, manifest, place)
        comparison.keep(stores, use_case, connection, place, manifest, frozen.dataset_digest)
        return frozen


def load_sources(connection: Any, stores: Stores, use_case: UseCase, place: Path) -> None:
    """Make every source of the use case readable in the session."""
    for source in use_case.sources():
        keys = stores.lake.keys(source_prefix(source.name))
        files = stores.lake.download(keys, place / "sources" / source.name)
        duck.register_source(connection, source, files)


def _load(connection: Any, stores: Stores, use_case: UseCase, place: Path) -> dict[str, str]:
    """Register the sources; the relation of each view's history by name."""
    load_sources(connection, stores, use_case, place)
    histories = {}
    for view in use_case.views:
        keys = stores.lake.keys(history_prefix(view.name))
        files = stores.lake.download(keys, place / "offline" / view.name)
        if files:
            histories[view.name] = duck.parquet(files)
    return histories


def _manifest(
    use_case: UseCase,
    as_of: datetime,
    files: dict[str, Any],
    split: dict[str, Any],
    checks: dict[str, Any],
    audit: dict[str, Any],
    summary: dict[str, Any],
) -> dict[str, Any]:
    """Everything that is known of the dataset; nothing of it depends on when it was frozen."""
    facts: dict[str, Any] = {
        "use_case": use_case.name,
        "as_of": iso(as_of),
        "spine": {"source": use_case.spine.name, "columns": dataset.spine_columns(use_case)},
        "clocks": {"event_time": use_case.spine.event_time, "known_at": use_case.spine.known_at},
        "label": {
            "name": use_case.label.name,
            "source": use_case.label.source.name,
            "matures_seconds": use_case.label.matures.total_seconds(),
        },
        "features": list(use_case.inputs),
        "fills": {
            name: 0.0 if use_case.feature(name).nulls == "zero" else use_case.feature(name).fill
            for name in use_case.inputs
            if use_case.feature(name).nulls in {"zero", "fill"}
        },
        "views": {view.name: definition_digest(view) for view in use_case.views},
        "feature_code_digest": code_digest(use_case),
        "synthetic": checks["synthetic"],
        "rows": checks["rows"],
        "positives": checks["positives"],
        "split": split,
        "files": files,
        "checks": checks,
        "leakage_audit": audit,
        "summary": summary,
    }
    content = hashlib.sha256(json.dumps(facts, sort_keys=True, allow_nan=False).encode())
    return {"dataset_id": dataset.dataset_id(use_case, as_of, content.hexdigest()), **facts}


def _keep(stores: Stores, manifest: dict[str, Any], place: Path) -> Frozen:
    """Write the files, the manifest last: a dataset with a manifest is whole."""
    name = manifest["dataset_id"]
    key = f"datasets/{name}/manifest.json"
    if not stores.lake.exists(key):
        for file in manifest["files"]:
            stores.lake.put_file(f"datasets/{name}/{file}", place / file)
        stores.lake.write_json(key, manifest)
    rows = {split: manifest["files"][f"{split}.parquet"]["rows"] for split in dataset.SPLITS}
    return Frozen(
        dataset_id=name,
        dataset_digest=hashlib.sha256(stores.lake.get(key)).hexdigest(),
        rows=manifest["rows"],
        train_rows=rows["train"],
        valid_rows=rows["valid"],
        test_rows=rows["test"],
        positives=manifest["positives"],
    )
