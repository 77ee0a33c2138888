"""Lineage both ways: from a version to everything it is made of, from a feature to every version that uses it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from countersign import use_cases
from countersign.aws.lake import Lake
from countersign.aws.stores import Stores
from countersign.errors import NotFoundError
from countersign.features.definition import definition_digest
from countersign.features.usage import features_used
from countersign.governance.versions import Version, VersionRecord
from countersign.http import HttpRequest, HttpResponse


def of_version(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET …/versions/{version}/lineage: data, sources, features, code, configuration, run, deployments.

    `verified` says of each document whether its bytes still have the digest on record.
    """
    use_case = use_cases.get(request.path_params["use_case"])
    found = stores.registry.version(use_case.name, request.path_params["version"])
    record = found.record
    dataset, data_holds = _document(
        stores.lake, f"datasets/{record.dataset_id}/manifest.json", record.dataset_digest
    )
    signed, model_holds = _document(
        stores.artifacts, f"{use_case.name}/{record.version}/manifest.json", record.digest
    )
    declared = {view.name: definition_digest(view) for view in use_case.views}
    return HttpResponse(
        200,
        {
            "use_case": use_case.name,
            "version": record.version,
            "numbered": {"after": record.after or None, "why": record.why},
            "data": _data(record, dataset) | {"verified": data_holds},
            "views": _views(record, dataset, declared),
            "features": [{"view": v, "features": n} for v, n in record.features_used.items()],
            "code": {
                "feature_code_digest": record.feature_code_digest,
                "environment": record.environment,
            },
            "configuration": {
                "model_type": record.model_type,
                "hyperparameters": record.hyperparameters,
                "seed": record.seed,
                "scoring": record.scoring,
            },
            "artifact": {
                "digest": record.digest,
                "files": signed.get("files", {}),
                "verified": model_holds,
                "deleted_at": found.deleted_at or None,
            },
            "run": _run(stores, record),
            "deployments": _deployments(stores, found),
        },
    )


def of_feature(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/lineage/features/{view}/{feature}: every version that uses it, archived ones among them.

    `as` is input, or indirect: through a rule or a request-time feature. `declared_by` are the use cases
    whose deployed declaration uses it now. Raises NotFoundError when nothing ever did.
    """
    view, feature = request.path_params["view"], request.path_params["feature"]
    rows, declared = [], []
    for use_case in use_cases.registered():
        if feature in features_used(use_case).get(view, ()):
            declared.append(use_case.name)
        for found in stores.registry.versions(use_case.name):
            if feature in found.record.features_used.get(view, ()):
                rows.append(_use(found, feature))
    if not rows and not declared:
        raise NotFoundError(f"No model uses {feature} of {view}, and none ever did")
    return HttpResponse(
        200,
        {"view": view, "feature": feature, "declared_by": sorted(declared), "versions": rows},
    )


def _use(found: Version, feature: str) -> dict[str, Any]:
    return {
        "use_case": found.record.use_case,
        "version": found.version,
        "stage": found.stage,
        "as": "input" if feature in found.record.feature_list else "indirect",
        "feature_code_digest": found.record.feature_code_digest,
        "deployed_at": found.deployed_at,
    }


def _document(bucket: Lake, key: str, digest: str) -> tuple[dict[str, Any], bool | None]:
    """A manifest, and whether its bytes have their digest; nothing and None when it is gone."""
    try:
        content = bucket.get(key)
    except NotFoundError:
        return {}, None
    holds = hashlib.sha256(content).hexdigest() == digest
    return json.loads(content), holds


def _data(record: VersionRecord, dataset: dict[str, Any]) -> dict[str, Any]:
    inputs = dataset.get("inputs") or {}
    return {
        "dataset_id": record.dataset_id,
        "dataset_digest": record.dataset_digest,
        "as_of": record.as_of or dataset.get("as_of"),
        "synthetic": record.synthetic,
        "rows": dataset.get("rows"),
        "windows": record.windows,
        "files": dataset.get("files", {}),
        "label": dataset.get("label"),
        "spine": dataset.get("spine"),
        "sources": [{"source": name, **found} for name, found in sorted(inputs.items())],
    }


def _views(
    record: VersionRecord, dataset: dict[str, Any], declared: dict[str, str]
) -> list[dict[str, Any]]:
    """Each view's definition when it trained, and whether the deployed code defines it so still."""
    trained: dict[str, str] = dataset.get("views") or record.definitions
    return [
        {"view": name, "definition": digest, "unchanged": declared.get(name) == digest}
        for name, digest in sorted(trained.items())
    ]


def _run(stores: Stores, record: VersionRecord) -> dict[str, Any]:
    """Who asked for the training, who approved it, and which execution did it."""
    trigger = stores.registry.get(f"model#{record.use_case}", f"trigger#{record.trigger_id}") or {}
    names = ("trigger_type", "trigger_date", "reason", "proposed_by", "approval_id", "execution")
    return {
        "run_id": record.run_id,
        "trigger_id": record.trigger_id or None,
        "training_date": record.training_date,
        "authors": [dict(author) for author in record.authors],
        **{name: trigger.get(name) for name in names},
    }


def _deployments(stores: Stores, found: Version) -> list[dict[str, Any]]:
    """What the ledger says of the version, oldest first."""
    names = ("timestamp", "epoch", "action", "triggered_by", "previous_version")
    rows = stores.registry.ledger(found.record.use_case)
    return [{n: r.get(n) for n in names} for r in rows if r.get("model_version") == found.version]
