"""From registered sources and histories to a frozen dataset: spine, join, gate, split, audit, files, manifest.

The machine and a person at a terminal freeze with this one sequence; they differ in where files lie.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.clock import iso
from countersign.declare import UseCase
from countersign.features import dataset, dataset_checks, leakage
from countersign.features.definition import code_digest, definition_digest
from countersign.features.spine import create_spine
from countersign.features.splits import splits_of
from countersign.features.upstream import check_upstream


def freeze_files(
    connection: Any,
    use_case: UseCase,
    histories: Mapping[str, str],
    *,
    as_of: datetime,
    place: Path,
    environment: str,
) -> dict[str, Any]:
    """Write the spine and the splits to `place`; returns the manifest, which is not written.

    The sources are registered in the session; `histories` maps a view's name to a relation of its history.
    `environment`: synthetic rows are refused outside `local`.

    Raises
    ------
    DataError      the gate did not hold; SyntheticDataError, TooFewRowsError, LeakageError say which
    """
    spine = create_spine(connection, use_case, as_of)
    checks = dataset_checks.check_spine_rows(connection, use_case, spine, environment)
    if use_case.upstream:
        checks["upstream"] = check_upstream(connection, use_case, spine)
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
    return _manifest(use_case, as_of, files, split.facts, checks, audit, summary)


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
