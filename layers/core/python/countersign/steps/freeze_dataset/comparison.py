"""Before and after: a new training set against what the champion learned from (requirement B2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from countersign.aws.stores import Stores
from countersign.declare import UseCase
from countersign.errors import NotFoundError
from countersign.features.duck import parquet
from countersign.monitoring import drift


def keep(
    stores: Stores,
    use_case: UseCase,
    connection: Any,
    place: Path,
    manifest: dict[str, Any],
    digest: str,
) -> None:
    """Write what an approver is shown of the data: the comparison, duplicates by key, suspicions."""
    champion = _champion(stores, use_case.name)
    checks = manifest["checks"]
    found = {
        "use_case": use_case.name,
        "dataset_id": manifest["dataset_id"],
        "dataset_digest": digest,
        "champion": champion and {"version": champion["version"], "digest": champion["digest"]},
        "comparison": champion and _compare(use_case, connection, place, champion["baseline"]),
        "duplicates": {"rows": checks["duplicates"], "keys": checks["duplicate_keys"]},
        "suspicious": manifest["leakage_audit"]["suspicious"],
    }
    stores.lake.write_json(evidence_key(use_case.name, manifest["dataset_id"]), found)


def evidence_key(use_case: str, dataset_id: str) -> str:
    """Beside the page of the dataset."""
    return f"reports/{use_case}/dataset/{dataset_id}.json"


def _champion(stores: Stores, use_case: str) -> dict[str, Any] | None:
    """The champion with the bins that were frozen with it; None without either."""
    standing = stores.registry.pointer(use_case)["champion"]
    if standing is None:
        return None
    try:
        baseline = stores.lake.read_json(f"baselines/{use_case}/{standing['version']}.json")
    except NotFoundError:
        return None
    return {**standing, "baseline": baseline}


def _compare(
    use_case: UseCase, connection: Any, place: Path, baseline: dict[str, Any]
) -> dict[str, Any]:
    """Every input of the new train split against the champion's bins, as `monitoring.drift` judges."""
    names = [name for name in use_case.inputs if name in baseline["features"]]
    values = ", ".join(f'coalesce("{name}", \'nan\'::DOUBLE) AS "{name}"' for name in names)
    columns = connection.execute(
        f"SELECT {values} FROM {parquet([place / 'train.parquet'])}"  # noqa: S608 - declared names
    ).fetchnumpy()
    known = {**baseline, "features": {name: baseline["features"][name] for name in names}}
    found = drift.compare(known, columns, [], policy=use_case.drift)
    rows = found["features"]
    return {
        "status": rows[0]["verdict"] if rows else "insufficient data",
        "n": found["n"],
        "m": found["m"],
        "features": rows,
        "drifted": found["drifted"],
        "watched": found["watched"],
        "psi_max": max((row["psi"] for row in rows), default=None),
        "new_features": [name for name in use_case.inputs if name not in names],
        "gone_features": [name for name in baseline["features"] if name not in use_case.inputs],
    }
